"""Processing steps one by one and together, options and presets."""

import numpy as np
import pytest

from noisygan.audio_io.decoding import BadAudioError
from noisygan.data.prepare import statistics, steps
from noisygan.data.prepare.options import Options, make_options
from noisygan.data.prepare.reading import Sound
from noisygan.errors import UsageError


def sine(hz, rate, seconds=1.0, level=0.5):
    n_samples = round(rate * seconds)
    return (level * np.sin(2 * np.pi * hz * np.arange(n_samples) / rate)).astype(np.float32)


def convert(audio, rate=16000.0, **options):
    sound = Sound(np.asarray(audio, np.float32), rate)
    made = steps.convert(sound, Options(**{"n_samples": None, **options}))
    return made, sound


def only(audio, rate=16000.0, **options):
    """The one sound at the first rate."""
    made, _ = convert(audio, rate, **options)
    ((_, sounds),) = made.sounds
    return sounds[0]


@pytest.mark.parametrize("rate,wanted", [(44100, 16000), (48000, 16000), (8000, 16000)])
def test_resampling_keeps_what_both_rates_hold(rate, wanted):
    changed = steps.resample(sine(1000, rate), rate, wanted)
    assert len(changed) == wanted
    inside = slice(1000, -1000)
    np.testing.assert_allclose(changed[inside], sine(1000, wanted)[inside], atol=2e-4)


def test_resampling_lets_nothing_fold_back():
    changed = steps.resample(sine(11000, 44100), 44100, 16000)
    assert np.max(np.abs(changed[1000:-1000])) < 1e-4


def test_files_at_other_rates_can_be_dropped():
    with pytest.raises(BadAudioError, match="is at 8000 Hz; only 16000 Hz is wanted"):
        convert(sine(440, 8000), 8000.0, other_rates="drop")


def test_every_rate_is_the_same_sound_lowpassed():
    audio = sine(300, 44100) + sine(5000, 44100)
    rates = tuple(44100 / 4**i for i in range(3))
    made, _ = convert(audio, 44100.0, sample_rates=rates, n_samples=16384)
    ((_, sounds),) = made.sounds
    assert [len(each) for each in sounds] == [16384, 4096, 1024]
    inside = slice(100, 900)
    low = 0.5 * np.sin(2 * np.pi * 300 * np.arange(1024) / rates[2])
    np.testing.assert_allclose(sounds[2][inside], low[inside], atol=2e-3)


def test_silence_is_cut_off_both_ends():
    audio = np.concatenate([np.full(100, 1e-4), sine(440, 16000), np.full(300, -1e-4)])
    made, sound = convert(audio, trim_db=-60.0)
    ((begin, (kept,)),) = made.sounds
    np.testing.assert_array_equal(kept, sine(440, 16000)[1:])  # Its first sample is 0.
    assert begin == 101 / 16000
    assert sound.did == ["silence cut off: 0.0063 s before, 0.0187 s behind"]


def test_the_length_is_cut_or_filled_up():
    audio = sine(440, 16000)
    np.testing.assert_array_equal(only(audio, n_samples=500), audio[:500])
    longer = only(audio, n_samples=20000)
    np.testing.assert_array_equal(longer[:16000], audio)
    assert not longer[16000:].any()
    assert len(longer) == 20000


def test_levels():
    audio = sine(440, 16000, level=0.1)
    assert np.max(np.abs(only(audio, peak=0.8))) == pytest.approx(0.8, abs=1e-6)
    assert np.max(np.abs(only(audio, peak=1.0))) <= 1.0
    loud = only(audio, loudness_db=-10.0)
    assert statistics.loudness_db(loud, 16000) == pytest.approx(-10.0, abs=0.01)
    # A click can't be made so loud without passing full scale.
    click = np.zeros(16000)
    click[100] = 0.1
    assert np.max(np.abs(only(click, loudness_db=-10.0))) == 1.0


def test_fades_are_straight_and_at_the_sounds_own_ends():
    audio = np.full(1000, 0.5, np.float32)
    made = only(audio, remove_dc=False, fade_in_seconds=0.01, fade_out_seconds=0.02, n_samples=1500)
    np.testing.assert_allclose(made[:160], 0.5 * np.arange(160) / 160, atol=1e-6)
    np.testing.assert_allclose(made[680:1000], 0.5 * np.arange(320)[::-1] / 320, atol=1e-6)
    assert not made[999:].any()
    assert (made[160:680] == 0.5).all()


def test_segments():
    audio = sine(440, 16000)
    audio[6000:9000] = 1e-4
    made, sound = convert(audio, n_samples=3000, segments=True, silence_db=-60.0)
    assert [round(begin * 16000) for begin, _ in made.sounds] == [0, 3000, 9000, 12000]
    for begin, (each,) in made.sounds:
        np.testing.assert_array_equal(each, audio[round(begin * 16000) :][:3000])
    assert sound.did == ["cut into 4 segments", "1 silent segments dropped"]
    with pytest.raises(BadAudioError, match="fewer than one segment of 20000"):
        convert(sine(440, 16000), n_samples=20000, segments=True)


def test_an_offset_is_taken_out_and_nothing_else():
    note = sine(440, 16000)
    made, sound = convert(note + 0.25)
    np.testing.assert_allclose(made.sounds[0][1][0], note, atol=2e-3)
    assert sound.put_right
    assert only(note + 0.25, remove_dc=False)[0] == 0.25
    hit = np.maximum(note, 0.0) * np.exp(-np.arange(16000) / 500)  # Its mean is no offset.
    lopsided = np.where(np.arange(16000) % 40 < 10, 0.3, -0.1)  # Nor is its median.
    noise = 0.3 * np.random.default_rng(0).standard_normal(800)  # Nor what is left to chance.
    low = 0.5 * np.sin(2 * np.pi * 40 * np.arange(5000) / 16000) * np.exp(-np.arange(5000) / 900)
    for audio in (hit, lopsided, noise, low):
        assert convert(audio)[1].did == []
    with pytest.raises(BadAudioError, match="silent but for a constant offset"):
        convert(np.full(100, 0.3))


@pytest.mark.parametrize("rate", [4000, 16000, 44100, 48000])
def test_loudness_of_a_full_sine_is_that_of_the_standard(rate):
    assert statistics.loudness_db(sine(997, rate, 3.0, 1.0), rate) == pytest.approx(-3.01, abs=0.06)


def test_loudness_weighs_frequencies_and_leaves_silence_out():
    quiet = [statistics.loudness_db(sine(hz, 48000, 2.0), 48000) for hz in (30, 1000, 6000)]
    assert quiet[0] < quiet[1] - 3.0
    assert quiet[2] - quiet[1] == pytest.approx(3.3, abs=0.4)  # The shelf.
    sound = sine(1000, 48000, 2.0)
    gap = np.concatenate([sound, np.zeros_like(sound)])
    assert statistics.loudness_db(gap, 48000) == pytest.approx(quiet[1], abs=0.4)
    assert statistics.loudness_db(np.zeros(100), 48000) == statistics.FLOOR_DB


def test_presets_are_those_of_the_documents():
    falini = make_options("drums", "falini")
    assert (falini.sample_rates, falini.n_samples, falini.other_rates) == ((44100,), 7500, "drop")
    assert (falini.trim_db, falini.peak) == (-50.0, None)
    drysdale = make_options("drums", "drysdale")
    assert drysdale.rate_names == [44100, 11025, 2756, 689]
    assert (drysdale.n_samples, drysdale.peak, drysdale.trim_db) == (16384, 1.0, None)
    assert drysdale.trim_start
    assert min(drysdale.fade_in_seconds, drysdale.fade_out_seconds) > 0
    netzer = make_options("songs", "netzer")
    assert netzer.rate_names == [22050, 11025, 5512, 2756, 1378, 689, 345, 172, 86]
    assert (netzer.n_samples, netzer.skip_seconds, netzer.segments) == (262144, 5.0, True)
    wisnewski = make_options("songs", "wisnewski")
    assert (wisnewski.sample_rates, wisnewski.n_samples) == ((44100,), 500)
    assert wisnewski.segments
    nsynth = make_options("nsynth", "nsynth")
    assert (nsynth.sample_rates, nsynth.n_samples) == ((16000,), 64000)


def test_what_one_option_says_of_another():
    assert make_options("drums", loudness_db=-20.0).peak is None
    assert make_options("drums", test=0.1).split_by == "file"


@pytest.mark.parametrize(
    "kind,preset,changes,message",
    [
        ("drum", None, {}, "no kind drum; expected one of nsynth, notes"),
        ("drums", "fallini", {}, "no preset fallini"),
        ("notes", "falini", {}, "preset falini is for drums"),
        ("notes", None, {"sample_rates": (16000, 16000)}, "the highest first"),
        ("notes", None, {"sample_rates": (44100.5,)}, "expected whole numbers"),
        ("notes", None, {"other_rates": "keep"}, "expected resample or drop"),
        ("notes", None, {"peak": 0.5, "loudness_db": -20.0}, "expected one of them"),
        ("notes", None, {"silence_db": -50.0}, "silence_db has no effect"),
        ("songs", None, {"n_samples": None}, "segments need a length"),
        ("notes", None, {"test": 0.1, "split_by": "given"}, "given with valid 0 and test"),
    ],
)
def test_options_that_cannot_be(kind, preset, changes, message):
    with pytest.raises(UsageError, match=message):
        make_options(kind, preset, **changes)
