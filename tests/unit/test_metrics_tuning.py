"""Tuning and inharmonicity of notes whose partials are known."""

import numpy as np
import pytest

from noisygan.metrics.tuning import (
    UNKNOWN,
    Tuning,
    inharmonicity_by_pitch,
    measure_tuning,
    values_by_pitch,
)

RATE = 16000
TIMES = np.arange(2 * RATE) / RATE


def note(pitch, cents=0.0, inharmonicity=0.0, vibrato_cents=0.0, first=1, n=11):
    """A decaying note with n partials from the first one on, and a little noise."""
    f0_hz = 440.0 * 2 ** ((pitch - 69 + cents / 100) / 12)
    wave = vibrato_cents * np.sin(2 * np.pi * 5 * TIMES)
    phase = np.cumsum(f0_hz * 2 ** (wave / 1200)) / RATE
    orders = np.arange(first, first + n)
    hz = orders * f0_hz * np.sqrt(1 + inharmonicity * orders**2)
    audio = sum(
        np.sin(2 * np.pi * phase * x / f0_hz) / k
        for k, x in zip(orders, hz, strict=True)
        if x < RATE / 2
    )
    return 0.1 * audio * np.exp(-TIMES) + 1e-4 * np.random.default_rng(0).normal(size=len(TIMES))


@pytest.mark.parametrize("pitch", [28, 57, 84])
@pytest.mark.parametrize("cents", [-42.0, 0.0, 17.0])
def test_tuning_of_harmonic_notes(pitch, cents):
    found = measure_tuning(note(pitch, cents), RATE, pitch)
    np.testing.assert_allclose((found.cents, found.harmonic_cents), cents, atol=1.0)
    assert found.inharmonicity < 1e-4


@pytest.mark.parametrize(("pitch", "inharmonicity"), [(24, 4e-4), (52, 1e-4), (72, 8e-4)])
def test_inharmonicity_of_strings(pitch, inharmonicity):
    found = measure_tuning(note(pitch, -20.0, inharmonicity), RATE, pitch)
    assert found.cents == pytest.approx(-20.0, abs=1.5)
    assert found.inharmonicity == pytest.approx(inharmonicity, rel=0.1)
    assert found.harmonic_cents > -20.0


def test_two_partials_show_inharmonicity_and_one_does_not():
    found = measure_tuning(note(96, 10.0, 5e-3, n=2), RATE, 96)
    assert found.inharmonicity == pytest.approx(5e-3, rel=0.1)
    assert found.cents == pytest.approx(10.0, abs=1.0)
    found = measure_tuning(note(96, 10.0, 5e-3, n=1), RATE, 96)
    assert np.isnan(found.inharmonicity)
    # The only partial is sharp; F0 follows where B is known from other notes.
    assert found.cents_at(5e-3) == pytest.approx(10.0, abs=1.0)


def test_tuning_at_a_known_inharmonicity():
    found = measure_tuning(note(52, -20.0, 1e-4), RATE, 52)
    assert found.cents_at(found.inharmonicity) == found.cents
    assert found.cents_at(0.0) > found.cents > found.cents_at(2e-4)


def test_vibrato_and_a_missing_fundamental_do_not_matter():
    assert measure_tuning(note(60, 12.0, vibrato_cents=25.0), RATE, 60).harmonic_cents == (
        pytest.approx(12.0, abs=5.5)
    )
    assert measure_tuning(note(33, 12.0, first=3), RATE, 33).cents == pytest.approx(12.0, abs=1.5)


def test_no_tuning_of_silence_and_of_what_is_too_short():
    assert np.isnan(measure_tuning(np.zeros(RATE), RATE, 60).cents)
    assert np.isnan(measure_tuning(note(24)[:1000], RATE, 24).cents)


def test_a_table_over_pitch():
    table = values_by_pitch([60, 60, 64, 70, np.nan], [-4.0, -8.0, 6.0, np.nan, 50.0])
    assert table.shape == (128,)
    np.testing.assert_allclose(table[[50, 60, 62, 64, 90]], [-6, -6, 0, 6, 6])
    assert not values_by_pitch([np.nan], [3.0]).any()
    longest = values_by_pitch([60, 60, 64], [1.0, 3.0, 5.0], np.max)
    np.testing.assert_allclose(longest[[60, 62, 64]], [3.0, 4.0, 5.0])


def tunings(inharmonicity, explained):
    return [
        Tuning(0.0, b, 0.0, 9.0, share)
        for b, share in np.broadcast(np.asarray(inharmonicity), np.asarray(explained))
    ]


def test_a_table_of_inharmonicity_over_pitch():
    pitch = np.arange(40, 80, 3)
    b = 1e-4 * 2.0 ** ((pitch - 40) / 10)
    wrong = np.where(pitch == 55, 30 * b, np.where(pitch == 67, 0.0, b))
    # The highest two have two partials only.
    table = inharmonicity_by_pitch(pitch, tunings(wrong, np.where(pitch > 73, np.nan, 0.9)))
    np.testing.assert_allclose(table[pitch], b, rtol=0.25)
    assert table[0] == table[40]
    assert table[127] == table[79]


def test_no_inharmonicity_of_notes_whose_partials_deviate_otherwise():
    pitch = np.arange(60, 72)
    assert inharmonicity_by_pitch(pitch, tunings([2e-4] * 12, np.arange(12) / 12)).any()
    assert not inharmonicity_by_pitch(pitch, tunings([2e-4] * 12, np.arange(12) / 14)).any()
    assert not inharmonicity_by_pitch(pitch, tunings([1e-6] * 12, 0.9)).any()
    assert not inharmonicity_by_pitch(pitch, tunings([2e-4] * 12, np.nan)).any()
    assert not inharmonicity_by_pitch([60], [UNKNOWN]).any()


def test_the_stretch_of_strings_explains_their_partials_and_noise_does_not():
    assert measure_tuning(note(52, -20.0, 1e-4), RATE, 52).explained > 0.9
    assert measure_tuning(note(60, vibrato_cents=25.0), RATE, 60).explained < 0.45
