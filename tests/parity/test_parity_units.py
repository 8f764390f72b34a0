"""Conversions and scalings beside ddsp's, over their whole range."""

import numpy as np
import pytest

import synths

RAW = np.linspace(-12.0, 12.0, 241, dtype=np.float32)
HZ = np.geomspace(20.0, 8000.0, 200).astype(np.float32)
UNIT = np.linspace(0.0, 1.0, 101, dtype=np.float32)

ELEMENTWISE = {
    "exp_sigmoid": RAW,
    "sym_exp_sigmoid": RAW,
    "midi_to_hz": np.linspace(-10.0, 130.0, 281, dtype=np.float32),
    "hz_to_midi": np.concatenate([[0.0], HZ]).astype(np.float32),
    "unit_to_midi": UNIT,
    "midi_to_unit": np.linspace(0.0, 127.0, 128, dtype=np.float32),
    "hz_to_bark": HZ,
    "bark_to_hz": np.linspace(0.5, 22.0, 50, dtype=np.float32),
    "hz_to_mel": HZ,
    "mel_to_hz": np.linspace(0.0, 2800.0, 50, dtype=np.float32),
    "hz_to_erb": HZ,
    "db_to_amplitude": np.linspace(-120.0, 20.0, 100, dtype=np.float32),
    "db_to_power": np.linspace(-120.0, 20.0, 100, dtype=np.float32),
    "soft_limit": RAW,
    "log10": HZ,
    "logb": HZ,
}


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_conversion(ddsp, name):
    theirs = np.asarray(getattr(ddsp.core, name)(ELEMENTWISE[name]))
    ours = getattr(synths, name)(ELEMENTWISE[name])
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=3e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("exp_sigmoid", {"exponent": 3.0, "max_value": 1.0, "threshold": 1e-3}),
        ("sym_exp_sigmoid", {"width": 4.0}),
        ("midi_to_hz", {"midi_zero_silence": True}),
        ("unit_to_midi", {"midi_min": 40.0, "midi_max": 60.0, "clip": True}),
        ("midi_to_unit", {"midi_min": 40.0, "midi_max": 60.0, "clip": True}),
        ("soft_limit", {"x_min": -1.0, "x_max": 2.0}),
    ],
)
def test_conversion_with_its_options(ddsp, name, options):
    x = np.linspace(-2.0, 90.0, 93, dtype=np.float32)
    theirs = getattr(ddsp.core, name)(x, **options)
    np.testing.assert_allclose(getattr(synths, name)(x, **options), theirs, rtol=3e-5, atol=1e-6)


def test_logarithmic_scale_and_division(ddsp):
    x = np.linspace(-1.0, 1.0, 21, dtype=np.float32)
    theirs = ddsp.core.log_scale(x, 0.1, 100.0)
    np.testing.assert_allclose(synths.log_scale(x, 0.1, 100.0), theirs, rtol=1e-5)
    theirs = ddsp.core.safe_divide(np.float32([1.0, 2.0]), np.float32([4.0, 5.0]))
    ours = synths.safe_divide(np.float32([1.0, 2.0]), np.float32([4.0, 5.0]))
    np.testing.assert_allclose(ours, theirs)


@pytest.mark.parametrize("clip", [False, True])
def test_pitch_on_the_unit_interval(ddsp, clip):
    unit = np.linspace(-0.2, 1.2, 29, dtype=np.float32)
    theirs = ddsp.core.unit_to_hz(unit, 20.0, 8000.0, clip)
    np.testing.assert_allclose(synths.unit_to_hz(unit, 20.0, 8000.0, clip), theirs, rtol=1e-5)
    theirs = ddsp.core.hz_to_unit(HZ, 50.0, 4000.0, clip)
    np.testing.assert_allclose(synths.hz_to_unit(HZ, 50.0, 4000.0, clip), theirs, atol=1e-5)


@pytest.mark.parametrize("name", ["amplitude_to_db", "power_to_db"])
def test_decibels_above_the_floor(ddsp, name):
    x = np.geomspace(1e-2, 10.0, 50).astype(np.float32)
    theirs = getattr(ddsp.core, name)(x)
    np.testing.assert_allclose(getattr(synths, name)(x), theirs, atol=2e-3)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("frequencies_softmax", {"depth": 4}),
        ("frequencies_softmax", {"depth": 2, "hz_min": 50.0, "hz_max": 1000.0}),
        ("frequencies_sigmoid", {}),
        ("frequencies_sigmoid", {"depth": 2, "hz_min": 50.0, "hz_max": 1000.0}),
        ("frequencies_critical_bands", {}),
        ("frequencies_critical_bands", {"depth": 2, "scale": "mel", "bandwidth_scale": 2.0}),
    ],
)
def test_frequencies_of_free_partials(ddsp, name, options):
    raw = np.random.default_rng(0).normal(size=[2, 3, 8]).astype(np.float32)
    theirs = getattr(ddsp.core, name)(raw, **options)
    ours = getattr(synths, name)(raw, **options)
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=1e-3)
    four = raw.reshape(2, 3, 8 // options.get("depth", 1), -1)
    options = {key: value for key, value in options.items() if key != "depth"}
    theirs = getattr(ddsp.core, name)(four, **options)
    np.testing.assert_allclose(getattr(synths, name)(four, **options), theirs, rtol=2e-5, atol=1e-3)
