"""Analysis of notes with known pitch, vibrato and levels."""

import numpy as np
import pytest

from noisygan.metrics import note_analysis, spectrograms

RATE = 16000
TIMES = np.arange(4 * RATE) / RATE


def note(pitch=69, cents=0.0, vibrato=(5.0, 0.0), tremolo=(5.0, 0.0), partials_db=(0, -10, -20)):
    """A note of known pitch, vibrato (Hz, cents), tremolo (Hz, dB) and partials."""
    f0_hz = 440.0 * 2 ** ((pitch - 69 + cents / 100) / 12)
    bend = vibrato[1] * np.sin(2 * np.pi * vibrato[0] * TIMES)
    phase = 2 * np.pi * np.cumsum(f0_hz * 2 ** (bend / 1200)) / RATE
    gains = 10 ** (np.asarray(partials_db) / 20)
    audio = sum(g * np.sin((k + 1) * phase) for k, g in enumerate(gains))
    return 0.3 * audio * 10 ** (tremolo[1] / 20 * np.sin(2 * np.pi * tremolo[0] * TIMES))


def demodulate(audio, pitch=69):
    found = note_analysis.demodulate(audio, RATE, float(note_analysis.midi_to_hz(pitch)))
    return found, (found.times >= 0.5) & (found.times < 2.8)


def test_a_full_scale_sine_reads_zero_db():
    sine = np.sin(2 * np.pi * 440 * TIMES)
    assert note_analysis.power_to_db(np.mean(sine**2)) == pytest.approx(0.0, abs=0.01)
    _, level = note_analysis.level_curve(sine, RATE)
    assert np.median(level) == pytest.approx(0.0, abs=0.05)
    mel = spectrograms.log_mel_db(np.sin(2 * np.pi * 1000 * TIMES), RATE)
    assert np.median(mel.max(1)) == pytest.approx(0.0, abs=3.0)


@pytest.mark.parametrize(("pitch", "cents"), [(60, -40.0), (76, 0.0), (94, 17.0)])
def test_detuning(pitch, cents):
    found, held = demodulate(note(pitch=pitch, cents=cents), pitch)
    assert np.median(found.cents[held]) == pytest.approx(cents, abs=0.5)


@pytest.mark.parametrize("rate_hz, depth", [(4.0, 12.0), (6.5, 5.0)])
def test_vibrato(rate_hz, depth):
    found, held = demodulate(note(pitch=72, vibrato=(rate_hz, depth)), 72)
    rate, cents = note_analysis.modulation(found.cents[held], found.frame_rate)
    assert rate == pytest.approx(rate_hz, abs=0.15)
    assert cents == pytest.approx(depth, rel=0.05)


def test_tremolo_and_levels_of_partials():
    found, held = demodulate(note(tremolo=(5.0, 2.0)))
    for k, db in enumerate((0.0, -10.0, -20.0)):
        level = found.level_db[held, k]
        assert np.mean(level) == pytest.approx(20 * np.log10(0.3) + db, abs=0.2)
        rate, depth = note_analysis.modulation(level, found.frame_rate)
        assert (rate, depth) == pytest.approx((5.0, 2.0), abs=0.15)
    high, _ = demodulate(note(pitch=93), 93)  # the fifth partial lies above the limit
    assert np.isnan(high.level_db[:, 4]).all() and np.isfinite(high.level_db[:, 3]).all()


def test_mel_bands_are_never_empty_and_follow_the_frequency():
    filters, centres = spectrograms.mel_filters(RATE, 80)
    assert np.all(filters.sum(1) > 0) and np.all(np.diff(centres) > 0)
    for hz in (300.0, 1000.0, 4000.0):
        mel = spectrograms.log_mel_db(np.sin(2 * np.pi * hz * TIMES), RATE)
        assert centres[mel.mean(0).argmax()] == pytest.approx(hz, rel=0.1)
