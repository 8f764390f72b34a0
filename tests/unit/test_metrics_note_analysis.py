"""What is measured of a note is what was put into it."""

import numpy as np
import pytest

from noisygan.metrics import note_analysis, spectrograms

RATE = 16000
TIMES = np.arange(4 * RATE) / RATE


def make_note(
    pitch=69,
    cents=0.0,
    vibrato=(5.0, 0.0),
    tremolo=(5.0, 0.0),
    partials_db=(0.0, -10.0, -20.0),
    noise_db=None,
    attack=0.05,
    release_db_per_second=200.0,
    level=0.3,
):
    """A note of known pitch, vibrato (Hz, cents), tremolo (Hz, dB), partials, noise and envelope.

    The vibrato begins at 1 s, the noise is white and measured over 0 to 8 kHz.
    """
    f0_hz = 440.0 * 2 ** ((pitch - 69 + cents / 100) / 12)
    bend = vibrato[1] * np.sin(2 * np.pi * vibrato[0] * TIMES) * (TIMES > 1.0)
    phase = 2 * np.pi * np.cumsum(f0_hz * 2 ** (bend / 1200)) / RATE
    gains = 10 ** (np.asarray(partials_db) / 20)
    note = sum(g * np.sin((k + 1) * phase) for k, g in enumerate(gains))
    note = note * 10 ** (tremolo[1] / 20 * np.sin(2 * np.pi * tremolo[0] * TIMES))
    if noise_db is not None:
        noise = np.random.default_rng(0).normal(size=len(TIMES))
        note = note + 10 ** (noise_db / 20) * noise / np.sqrt(2)  # dB re a full-scale sine
    falling = 10 ** (-release_db_per_second / 20 * np.maximum(0, TIMES - 3.0))
    return level * note * np.clip(TIMES / attack, 0, 1) * falling


def describe(**settings):
    return note_analysis.describe_note(make_note(**settings), RATE, settings.get("pitch", 69))


def test_a_full_scale_sine_reads_zero_db():
    sine = np.sin(2 * np.pi * 440 * TIMES)
    assert note_analysis.power_to_db(np.mean(sine**2)) == pytest.approx(0.0, abs=0.01)
    _, level = note_analysis.level_curve(sine, RATE)
    assert np.median(level) == pytest.approx(0.0, abs=0.05)
    mel = spectrograms.log_mel_db(np.sin(2 * np.pi * 1000 * TIMES), RATE)
    assert np.median(mel.max(1)) == pytest.approx(0.0, abs=3.0)


@pytest.mark.parametrize("pitch", [60, 76, 94])
@pytest.mark.parametrize("cents", [-40.0, 0.0, 17.0])
def test_detuning(pitch, cents):
    assert describe(pitch=pitch, cents=cents)["pitch/held [cents]"] == pytest.approx(cents, abs=0.5)


@pytest.mark.parametrize("rate_hz, depth", [(4.0, 12.0), (6.5, 5.0)])
def test_vibrato_rate_depth_and_onset(rate_hz, depth):
    d = describe(pitch=72, vibrato=(rate_hz, depth))
    assert d["vibrato/rate [Hz]"] == pytest.approx(rate_hz, abs=0.15)
    # It begins in the held part, under a window: a little less than the whole depth is seen.
    assert 0.7 * depth < d["vibrato/depth [cents]"] < 1.05 * depth
    assert d["vibrato/regularity"] > 0.85
    assert d["vibrato/onset [s]"] == pytest.approx(1.0, abs=0.2)


def test_regular_modulation_is_told_from_irregular():
    rate, times = 250.0, np.arange(575) / 250.0
    regular = 10 * np.sin(2 * np.pi * 5 * times)
    rng = np.random.default_rng(0)
    wandering = 10 * np.sin(2 * np.pi * 5 * times + np.cumsum(rng.normal(size=575)) * 0.35)
    assert note_analysis.modulation(regular, rate)[1] == pytest.approx(10.0, rel=0.03)
    assert note_analysis.modulation(regular, rate)[2] > 0.95
    assert note_analysis.modulation(wandering, rate)[2] < 0.8
    assert note_analysis.repetition(regular, rate, 5.0) > 0.99
    assert note_analysis.repetition(wandering, rate, 5.0) < 0.9


def test_tremolo_of_every_partial():
    d = describe(tremolo=(5.0, 2.0))
    for name in ("all", "1", "2", "3"):
        assert d[f"tremolo/rate partial {name} [Hz]"] == pytest.approx(5.0, abs=0.1)
        assert d[f"tremolo/depth partial {name} [dB]"] == pytest.approx(2.0, abs=0.15)


def test_levels_of_partials_and_those_out_of_range():
    d = describe(pitch=93)  # 1760 Hz: the fifth partial lies above the limit
    total = 10 * np.log10(1 + 0.1 + 0.01)
    for k, db in enumerate((0.0, -10.0, -20.0), start=1):
        assert d[f"partials/{k} [dB]"] == pytest.approx(db - total, abs=0.1)
    assert np.isnan(d["partials/5 [dB]"])


def test_noise_between_the_partials():
    d = describe(noise_db=-40.0, level=1.0)
    for name, width in (("1-2k", 1000), ("2-4k", 2000), ("4-8k", 3600)):
        expected = -40.0 + 10 * np.log10(width / 8000)
        assert d[f"noise/between partials {name} [dB]"] == pytest.approx(expected, abs=1.5)
    clean = describe(vibrato=(5.0, 15.0))
    assert clean["noise/to note 2-4k [dB]"] < -85


def test_envelope():
    d = describe(attack=0.2, release_db_per_second=100.0)
    assert d["envelope/attack 10-90 % [s]"] == pytest.approx(0.16, abs=0.02)
    assert d["envelope/release slope [dB per s]"] == pytest.approx(-100.0, rel=0.05)
    assert d["envelope/-20 dB after release [s]"] == pytest.approx(0.2, abs=0.02)
    assert d["envelope/-60 dB after release [s]"] == pytest.approx(0.6, abs=0.03)
    assert d["envelope/held slope [dB per s]"] == pytest.approx(0.0, abs=0.1)


def test_a_click_at_the_release_is_seen_there_and_only_there():
    note = make_note(noise_db=-50.0)
    clicked = note.copy()
    clicked[3 * RATE : 3 * RATE + 8] += 0.2 * np.random.default_rng(0).normal(size=8)
    plain, damaged = (note_analysis.describe_note(x, RATE, 69) for x in (note, clicked))
    assert damaged["clicks/release [dB]"] > plain["clicks/release [dB]"] + 15
    assert damaged["clicks/onset [dB]"] == pytest.approx(plain["clicks/onset [dB]"], abs=0.1)


def test_silence_and_noise_give_numbers():
    noise = 0.1 * np.random.default_rng(0).normal(size=len(TIMES))
    for audio in (np.zeros(len(TIMES)), noise):
        with np.errstate(all="raise"):
            values = note_analysis.describe_note(audio, RATE, 69)
        assert np.all(np.isfinite([v for k, v in values.items() if "partial" not in k]))


def test_mel_bands_are_never_empty_and_follow_the_frequency():
    filters, centres = spectrograms.mel_filters(RATE, 80)
    assert np.all(filters.sum(1) > 0) and np.all(np.diff(centres) > 0)
    for hz in (300.0, 1000.0, 4000.0):
        mel = spectrograms.log_mel_db(np.sin(2 * np.pi * hz * TIMES), RATE)
        assert centres[mel.mean(0).argmax()] == pytest.approx(hz, rel=0.1)
