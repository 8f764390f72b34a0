"""Envelopes of notes with a known decay, release and spectrum."""

import numpy as np
import pytest

from noisygan.metrics import note_envelopes

RATE, SECONDS = 44100, 4.0
TIMES = np.arange(int(SECONDS * RATE)) / RATE
FIGURES = ("level", "slope", "end", "bands")


def note(db_per_second, gains=(1.0,), hz=(1000.0,), until=SECONDS):
    """Sines that decay from the start and are silent after a time."""
    tone = sum(g * np.sin(2 * np.pi * f * TIMES) for g, f in zip(gains, hz, strict=True))
    return 0.4 * tone * 10 ** (-db_per_second / 20 * TIMES) * (until > TIMES)


def envelopes(*notes):
    return note_envelopes.envelopes(np.array(notes), RATE)


def differences(real, fake):
    found = note_envelopes.differences(envelopes(real), envelopes(fake))
    return {name: values.item() for name, values in found.items()}


def test_a_decay_has_its_slope_and_end():
    found = envelopes(note(20), note(5), note(0, until=3.0))
    np.testing.assert_allclose(found.slope, [-20, -5, 0], atol=0.05)
    np.testing.assert_allclose(found.end, [2.5, SECONDS, 3.0], atol=0.011)
    assert found.level.shape == (3, 400) and found.bands.shape == (3, 200, 24)
    np.testing.assert_allclose(found.level[0], -20 * np.arange(400) / 100, atol=0.02)


def test_differences_of_two_decays():
    # Levels differ by 5 dB/s over the 50 dB, 2.5 s, of the recording: by 6.25 dB on average.
    found = differences(note(20), note(15))
    assert found["level"] == pytest.approx(5.0 * 2.5 / 2, abs=0.05)
    assert found["slope"] == pytest.approx(5.0, abs=0.05)
    assert found["end"] == pytest.approx(50 / 15 - 2.5, abs=0.02)
    # The tail of a shorter note counts as silence, 80 dB below the peak.
    cut = differences(note(0), note(0, until=3.0))
    assert cut["level"] == pytest.approx(80.0 / 4, abs=0.3)
    assert differences(note(0, until=3.0), note(0))["end"] == pytest.approx(1.0)


def test_notes_that_ring_on_have_no_end_distance():
    cut, whole = note(5), note(0, until=3.0)
    assert np.isnan(differences(cut, whole)["end"])
    # Half of them must end: a median over fewer would be that of those that ring on.
    found = note_envelopes.differences(envelopes(cut, whole), envelopes(cut, cut))
    np.testing.assert_allclose(found["end"], [0.0, 1.0], atol=0.011)
    found = note_envelopes.differences(envelopes(cut, whole, cut), envelopes(cut, cut, cut))
    assert np.isnan(found["end"]).all()
    recordings = envelopes(*(note(i) for i in range(3)))
    floor = note_envelopes.median_floors(
        note_envelopes.floors(recordings, [60, 61, 62], [1] * 3, [""] * 3)
    )
    assert np.isnan(floor["end"]) and floor["level"] > 0.0


def test_bands_differ_where_the_spectrum_does():
    hz = (500.0, 3000.0, 8000.0)
    real, fake = envelopes(note(0, (1, 1, 1), hz), note(0, (1, 0.5, 1), hz)).bands
    difference = np.abs(real - fake)[5:-5].mean(0)
    loudest = real[100].argsort()[-3:]
    np.testing.assert_allclose(np.sort(difference[loudest]), [0, 0, 6.02], atol=0.05)
    found = differences(note(0, (1, 1, 1), hz), note(0, (1, 0.5, 1), hz))
    assert found["level"] == pytest.approx(0.0, abs=0.3) and 0.2 < found["bands"] < 6.02


def test_gain_does_not_matter_and_silence_is_finite():
    same = differences(note(20), 0.01 * note(20))
    assert all(same[name] == pytest.approx(0.0, abs=0.05) for name in FIGURES)
    silence = envelopes(np.zeros_like(TIMES))
    assert silence.end == 0.0 and np.isnan(silence.slope) and (silence.level == -80.0).all()
    found = note_envelopes.differences(envelopes(note(20)), silence)
    assert found["level"] == pytest.approx(80.0 - 25.0, abs=0.2) and np.isnan(found["slope"])


def test_neighbours_are_in_the_same_layer_and_no_takes():
    pitch = np.array([60, 60, 62, 62, 63, 70])
    velocity = np.array([40, 90, 40, 90, 40, 90])
    assert note_envelopes.neighbours(pitch, velocity, [""] * 6).tolist() == [2, 3, 4, 1, 2, 3]
    unknown, instruments = np.full(4, np.nan), ["flute", "flute", "oboe", "flute"]
    assert note_envelopes.neighbours([60, 60, 61, 65], unknown, [""] * 4).tolist() == [2, 2, 0, 2]
    assert note_envelopes.neighbours([60, 60, 61, 65], unknown, instruments).tolist() == [
        3,
        3,
        0,
        0,
    ]
    with pytest.raises(ValueError, match="one pitch"):
        note_envelopes.neighbours([60, 60], [1, 2], ["", ""])


def test_ratios_are_medians_over_floors():
    recordings = envelopes(*(note(20 + 2 * i) for i in range(5)))
    conditions = 60 + np.arange(5), np.full(5, 100), np.zeros(5)
    floor = note_envelopes.median_floors(note_envelopes.floors(recordings, *conditions))
    assert floor["slope"] == pytest.approx(2.0, abs=0.02)
    fake = envelopes(*(note(21 + 2 * i) for i in range(5)))
    ratios = note_envelopes.ratios(note_envelopes.differences(recordings, fake), floor)
    assert ratios["slope"] == pytest.approx(0.5, abs=0.02)
    assert ratios["level"] == pytest.approx(0.5, abs=0.05)
    # Recordings that are all alike: the smallest floors.
    alike = envelopes(*[note(20)] * 3)
    conditions = [values[:3] for values in conditions]
    floor = note_envelopes.median_floors(note_envelopes.floors(alike, *conditions))
    assert floor == note_envelopes.MIN_FLOORS
