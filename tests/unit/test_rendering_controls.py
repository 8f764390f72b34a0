"""Controls files: NumPy alone reads them, and they hold all that the sound needs."""

import keras
import numpy as np
import pytest

from noisygan.audio_io.controls import load_controls, save_controls
from noisygan.errors import UsageError
from noisygan.generators.jitter import ConditionJitter
from noisygan.generators.voices import HarmonicVoice, NoiseVoice
from noisygan.rendering.synthesis import controls_row, render_controls
from synths import Reverb
from tests import toys

HALF_A_STEP = 0.5 / 32767


def group():
    voices = [HarmonicVoice(4, name="low"), NoiseVoice(9, bandwidth_hz=6000.0)]
    voices.append(HarmonicVoice(5, tuned=True, detune_cents=7.0, name="high"))
    return {"voices": voices, "condition_jitter": ConditionJitter()}


def reverb(**changes):
    return {"reverb": Reverb(trainable=True, reverb_length=300, gain=0.3, **changes)}


GENERATORS = {
    "reverb": reverb,
    "wet alone": lambda: reverb(add_dry=False),
    "one harmonic": lambda: {"voices": [HarmonicVoice(1, name="sine")]},
    "group": group,
}


def make(kind, seconds=None, sample_rate=16000):
    """(a function of a rate that gives audio, controls of each row), noise seeds 5, 6, 7."""
    keras.utils.set_random_seed(3)
    generator = toys.hybrid(**GENERATORS[kind](), initial_loudness_db=-12.0)
    z = generator.prior(3, 1)

    def render(rate):
        given = {"seconds": seconds, "sample_rate": rate, "seed": [5, 6, 7]}
        return generator(z, toys.conditioning(), **given)

    output = render(sample_rate)
    n = output.audio.shape[1]
    rows = [controls_row(generator, output.controls, i, n, sample_rate, 5 + i) for i in range(3)]
    return lambda rate: render(rate).audio.numpy(), rows


@pytest.mark.parametrize("kind", GENERATORS)
@pytest.mark.parametrize(("seconds", "sample_rate"), [(0.253, 16000), (0.2, 44100)])
def test_the_file_gives_the_generators_sound_at_its_rate_and_others(
    tmp_path, kind, seconds, sample_rate
):
    audio_at, rows = make(kind, seconds, sample_rate)
    audio, other = audio_at(sample_rate), audio_at(48000)
    assert np.abs(audio).max() > 0.01
    for i, controls in enumerate(rows):
        save_controls(tmp_path / f"{i}.npz", controls)
        again = load_controls(tmp_path / f"{i}.npz")
        np.testing.assert_allclose(render_controls(again), audio[i], atol=HALF_A_STEP)
        if seconds == 0.2:  # the last frame ends on a sample of both rates
            found = render_controls(again, sample_rate=48000)
            np.testing.assert_allclose(found, other[i], atol=HALF_A_STEP)


def test_another_length_is_cut_or_followed_by_the_reverbs_tail():
    audio_at, rows = make("reverb")
    audio = audio_at(16000)[0]
    cut = render_controls(rows[0], seconds=0.1)
    np.testing.assert_allclose(cut, audio[:1600], atol=HALF_A_STEP)
    long = render_controls(rows[0], seconds=0.5)
    assert long.shape == (8000,)
    np.testing.assert_allclose(long[:4000], audio, atol=HALF_A_STEP)
    assert np.abs(long[4000:4250]).max() > 1e-4 and np.abs(long[4310:]).max() < 1e-6


def test_numpy_alone_reads_it_and_edits_are_heard(tmp_path):
    _, rows = make("reverb")
    save_controls(tmp_path / "note.npz", rows[1])
    with np.load(tmp_path / "note.npz", allow_pickle=False) as file:
        entries = {name: file[name] for name in file.files}
    assert str(entries["format"]) == "noisygan-controls"
    assert [str(x) for x in entries["voices"]] == ["harmonic", "noise"]
    shapes = {name: x.shape for name, x in entries.items() if "/" in name and x.ndim}
    assert shapes == {
        "harmonic/f0_hz": (25,),
        "harmonic/amplitudes": (25,),
        "harmonic/harmonic_distribution": (25, 6),
        "noise/magnitudes": (25, 9),
        "reverb/ir": (300,),
    }
    numbers = [float(entries[n]) for n in ("n_samples", "sample_rate", "frame_rate", "noise_seed")]
    assert numbers == [4000, 16000, 100, 6]
    entries |= {"harmonic/f0_hz": np.full(25, 1000.0), "noise/magnitudes": np.zeros((25, 9))}
    assert np.argmax(np.abs(np.fft.rfft(render_controls(entries)))) == 250


def test_files_of_another_kind(tmp_path):
    path = tmp_path / "note.npz"
    with pytest.raises(UsageError, match="note.npz is not there"):
        load_controls(path)
    for content in (b"", b"RIFF....WAVE", b"PK\x03\x04 broken"):
        path.write_bytes(content)
        with pytest.raises(UsageError, match="is not a controls file"):
            load_controls(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"voices": None, "frame_rate": None}, "it lacks voices, frame_rate"),
        ({"harmonic/f0_hz": None}, "lacks harmonic/f0_hz"),
        ({"version": 7}, "version 7; update noisygan"),
        ({"kinds": ["flute", "noise"]}, "kind flute"),
        ({"voices": [], "kinds": []}, "voices"),
        ({"harmonic/f0_hz": np.ones((25, 1))}, r"f0_hz has shape \(25, 1\); .*\[n_frames\]"),
        ({"harmonic/f0_hz": np.ones(6)}, r"f0_hz has shape \(6,\); .*n_frames 25"),
        ({"noise/magnitudes": np.ones((25, 1))}, r"magnitudes has shape \(25, 1\)"),
        ({"harmonic/f0_hz": [np.nan] * 25}, "harmonic/f0_hz holds values that are not fin"),
        ({"harmonic/amplitudes": np.linspace(-0.1, 1, 25)}, "has -0.1; expected 0 or more"),
        ({"sample_rate": 10**6}, "sample_rate has 1e.06; expected 8000 to 192000"),
        ({"n_samples": 10**8}, "lasts 6250 seconds"),
        ({"noise_seed": 0.5}, "noise_seed"),
        ({"harmonic/amplitude": np.ones(25)}, "nearest is harmonic/amplitudes"),
        ({"reverb/ir": np.ones((2, 9))}, r"reverb/ir has shape \(2, 9\)"),
        ({"reverb/ir": np.full(9, np.inf)}, "reverb/ir holds values that are not finite"),
    ],
)
def test_a_flaw_is_named(good, tmp_path, changes, message):
    controls = good | {name: np.asarray(value) for name, value in changes.items()}
    controls = {n: value for n, value in controls.items() if changes.get(n, 0) is not None}
    save_controls(tmp_path / "note.npz", controls)
    with pytest.raises(UsageError, match=message) as caught:
        load_controls(tmp_path / "note.npz")
    assert "note.npz" in str(caught.value) and "\n" not in str(caught.value)


@pytest.fixture(scope="module")
def good():
    return make("reverb")[1][0]
