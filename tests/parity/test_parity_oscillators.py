"""Oscillators beside ddsp where ddsp is right: short sounds of low pitch, sample by sample.

ddsp counts the first sample's frequency into the phase of that sample, so its sound is ours one
sample early. Elsewhere both are measured against their own definition in float64.
"""

import numpy as np
import pytest
import tensorflow as tf

import synths
from benchmarks import exact

SAMPLE_RATE = 16000


def controls(n_frames=10, n_harmonics=6, f0_hz=110.0, seed=0):
    """Random controls of one steady pitch."""
    rng = np.random.default_rng(seed)
    shares = rng.random([2, n_frames, n_harmonics], np.float32)
    return {
        "frequencies": np.full([2, n_frames, 1], f0_hz, np.float32),
        "amplitudes": rng.random([2, n_frames, 1], np.float32),
        "harmonic_distribution": shares / shares.sum(-1, keepdims=True),
    }


def one_later(ours):
    """Ours at the moments of ddsp's samples: one sample on, the last left out."""
    return np.asarray(ours)[:, 1:]


@pytest.mark.parametrize("method", ["linear", "window", "nearest", "cubic"])
def test_resample(ddsp, method):
    frames = np.random.default_rng(1).random([2, 25, 3], np.float32)
    theirs = ddsp.core.resample(frames, 200, method=method)
    ours = synths.resample(frames, 200, method=method)
    np.testing.assert_allclose(ours, theirs, atol=2e-6)


@pytest.mark.parametrize("method", ["linear", "window", "nearest"])
def test_resample_without_the_endpoint(ddsp, method):
    frames = np.random.default_rng(3).random([2, 11, 1], np.float32)
    theirs = ddsp.core.resample(frames, 100, method=method, add_endpoint=False)
    ours = synths.resample(frames, 100, method=method, add_endpoint=False)
    np.testing.assert_allclose(ours, theirs, atol=2e-6)


@pytest.mark.parametrize("method", ["linear", "window"])
def test_harmonic_synthesis_follows_its_definition_closer_than_ddsp(ddsp, method):
    given = controls()
    each = given["amplitudes"].astype(float) * given["harmonic_distribution"]
    options = {"n_samples": 1000, "sample_rate": SAMPLE_RATE, "amp_resample_method": method}
    theirs = ddsp.core.harmonic_synthesis(**given, **options)
    ours = synths.harmonic_synthesis(**given, **options)
    smooth = method == "window"
    wanted = (given["frequencies"], each, 1000, SAMPLE_RATE)
    ours_db = exact.signal_to_error_db(exact.harmonic(*wanted, smooth=smooth), ours)
    theirs_db = exact.signal_to_error_db(exact.harmonic_as_ddsp(*wanted, smooth=smooth), theirs)
    assert theirs_db > 55.0
    assert ours_db > 90.0


def test_harmonic_shifts(ddsp):
    given = controls(n_harmonics=4)
    shifts = np.float32(0.02) * np.arange(4, dtype=np.float32) ** 2
    given["harmonic_shifts"] = np.tile(shifts, [2, 10, 1])
    for name in ("amplitudes", "harmonic_distribution"):
        given[name] = np.repeat(given[name][:, :1], 10, axis=1)
    options = {"n_samples": 1000, "sample_rate": SAMPLE_RATE}
    theirs = ddsp.core.harmonic_synthesis(**given, **options)
    ours = synths.harmonic_synthesis(**given, **options)
    assert exact.signal_to_error_db(one_later(ours), theirs[:, :-1]) > 55.0


def gradients(synthesis, given):
    given = {name: tf.constant(value) for name, value in given.items()}
    with tf.GradientTape() as tape:
        tape.watch(given)
        energy = tf.nn.l2_loss(synthesis(**given, n_samples=640, sample_rate=SAMPLE_RATE))
    return tape.gradient(energy, given)


def alike(a, b):
    """Cosine of the angle between two tensors, and the ratio of their lengths."""
    a, b = np.ravel(a).astype(float), np.ravel(b).astype(float)
    length_a, length_b = np.linalg.norm(a), np.linalg.norm(b)
    return a @ b / (length_a * length_b), length_a / length_b


@pytest.mark.parametrize("name", ["frequencies", "amplitudes", "harmonic_distribution"])
def test_gradients_agree(ddsp, name):
    given = controls()
    theirs = gradients(ddsp.core.harmonic_synthesis, given)[name]
    ours = gradients(synths.harmonic_synthesis, given)[name]
    cosine, ratio = alike(ours, theirs)
    assert cosine > 0.99
    assert ratio == pytest.approx(1.0, abs=0.1)


def test_ddsp_drifts_and_we_do_not(ddsp):
    given = {
        "frequencies": np.full([1, 1000, 1], 440.0, np.float32),
        "amplitudes": np.ones([1, 1000, 1], np.float32),
        "harmonic_distribution": np.full([1, 1000, 18], 1.0 / 18.0, np.float32),
    }
    options = {"n_samples": 64000, "sample_rate": SAMPLE_RATE}
    last = slice(48000, None)
    wanted = (given["frequencies"], given["harmonic_distribution"], 64000, SAMPLE_RATE, last)
    theirs = ddsp.core.harmonic_synthesis(**given, **options)[:, last]
    ours = synths.harmonic_synthesis(**given, **options)[:, last]
    assert exact.signal_to_error_db(exact.harmonic_as_ddsp(*wanted), theirs) < 5.0
    assert exact.signal_to_error_db(exact.harmonic(*wanted), ours) > 90.0


def test_streaming_takes_ddsps_phase_from_block_to_block(ddsp):
    given = controls()
    options = {"n_samples": 1000, "sample_rate": SAMPLE_RATE}
    blocks = {}
    for library, synthesis in (
        ("ddsp", ddsp.core.streaming_harmonic_synthesis),
        ("synths", synths.streaming_harmonic_synthesis),
    ):
        phase, sounds = None, []
        for _ in range(3):
            audio, phase = synthesis(**given, initial_phase=phase, **options)
            sounds.append(audio)
        blocks[library] = np.concatenate(sounds, axis=1), np.asarray(phase)
    theirs, ours = blocks["ddsp"], blocks["synths"]
    assert ours[1].shape == theirs[1].shape
    turns = (ours[1] - theirs[1]) / (2.0 * np.pi)
    np.testing.assert_allclose(turns, np.round(turns), atol=1e-3)


def test_names_of_harmonics_and_of_sinusoids(ddsp):
    given = controls(n_harmonics=9, f0_hz=1000.0)
    f0, amplitudes = given["frequencies"], given["amplitudes"]
    shares = given["harmonic_distribution"]
    np.testing.assert_allclose(
        synths.get_harmonic_frequencies(f0, 9), ddsp.core.get_harmonic_frequencies(f0, 9)
    )
    frequencies = ddsp.core.get_harmonic_frequencies(f0, 9)
    np.testing.assert_allclose(
        synths.remove_above_nyquist(frequencies, shares, SAMPLE_RATE),
        ddsp.core.remove_above_nyquist(frequencies, shares, SAMPLE_RATE),
    )
    for arguments in ((shares,), (shares, f0, SAMPLE_RATE)):
        np.testing.assert_allclose(
            synths.normalize_harmonics(*arguments),
            ddsp.core.normalize_harmonics(*arguments),
            rtol=1e-6,
        )
    for ours, theirs in zip(
        synths.harmonic_to_sinusoidal(amplitudes, shares, f0),
        ddsp.core.harmonic_to_sinusoidal(amplitudes, shares, f0),
        strict=True,
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_oscillator_banks(ddsp):
    rng = np.random.default_rng(5)
    frequencies = np.tile(np.float32([100.0, 173.0, 331.0]), [2, 800, 1])
    amplitudes = np.tile(rng.random([2, 1, 3], np.float32), [1, 800, 1])
    for summed in (True, False):
        theirs = ddsp.core.oscillator_bank(
            frequencies, amplitudes, SAMPLE_RATE, sum_sinusoids=summed
        )
        ours = synths.oscillator_bank(frequencies, amplitudes, SAMPLE_RATE, sum_sinusoids=summed)
        assert ours.shape == theirs.shape
        assert exact.signal_to_error_db(theirs, ours) > 55.0 or (
            exact.signal_to_error_db(theirs[:, :-1], one_later(ours)) > 55.0
        )


def test_a_harmonic_bank_of_samples(ddsp):
    rng = np.random.default_rng(8)
    frequency = np.full([2, 800, 1], 110.0, np.float32)
    amplitudes = np.tile(rng.random([2, 1, 5], np.float32), [1, 800, 1])
    start = np.float32([0.3, 1.2]).reshape(2, 1, 1)
    for phase in (None, start):
        theirs, end = ddsp.core.harmonic_oscillator_bank(frequency, amplitudes, phase)
        ours, our_end = synths.harmonic_oscillator_bank(frequency, amplitudes, phase)
        assert exact.signal_to_error_db(theirs[:, :-1], one_later(ours)) > 50.0
        turns = (np.asarray(our_end) - np.asarray(end)) / (2.0 * np.pi)
        np.testing.assert_allclose(turns, np.round(turns), atol=1e-4)


def test_angular_cumsum(ddsp):
    steps = np.random.default_rng(9).uniform(0.0, 0.5, [2, 1500, 3]).astype(np.float32)
    theirs = np.asarray(ddsp.core.angular_cumsum(steps))
    ours = np.asarray(synths.angular_cumsum(steps))
    assert ours.shape == theirs.shape
    turns = (ours - theirs) / (2.0 * np.pi)
    np.testing.assert_allclose(turns, np.round(turns), atol=1e-4)


def test_lengths_that_ddsp_refuses(ddsp):
    frames = np.random.default_rng(11).random([1, 250, 1], np.float32)
    with pytest.raises(ValueError, match="divisible"):
        ddsp.core.resample(frames, 44100, method="window")
    assert synths.resample(frames, 44100, method="window").shape == (1, 44100, 1)


class TestHarmonic:
    """The processor."""

    def test_controls(self, ddsp):
        rng = np.random.default_rng(6)
        raw = [
            rng.normal(size=[2, 5, 1]).astype(np.float32),
            rng.normal(size=[2, 5, 30]).astype(np.float32),
            np.float32(rng.uniform(50.0, 2000.0, [2, 5, 1])),
        ]
        for options in ({}, {"normalize_below_nyquist": False}, {"scale_fn": tf.nn.softplus}):
            theirs = ddsp.synths.Harmonic(**options).get_controls(*raw)
            ours = synths.Harmonic(**options).get_controls(*raw)
            assert set(ours) == set(theirs)
            for name, value in theirs.items():
                np.testing.assert_allclose(ours[name], value, rtol=2e-5, atol=1e-8)
