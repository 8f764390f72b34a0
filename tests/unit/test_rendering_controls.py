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

GENERATORS = {
    "plain": dict,
    "reverb": lambda: {"reverb": Reverb(trainable=True, reverb_length=300, gain=0.3)},
    "wet alone": lambda: {
        "reverb": Reverb(trainable=True, reverb_length=300, gain=0.3, add_dry=False)
    },
    "one harmonic": lambda: {"voices": [HarmonicVoice(1, name="sine")]},
    "group": lambda: {
        "voices": [
            HarmonicVoice(4, name="low"),
            HarmonicVoice(5, tuned=True, detune_cents=7.0, name="high"),
            NoiseVoice(9, bandwidth_hz=6000.0),
        ],
        "condition_jitter": ConditionJitter(),
    },
}


def make(kind="plain", seconds=None, sample_rate=16000, **changes):
    """(generator, its output, controls of each row), noise seeds 5, 6, 7."""
    keras.utils.set_random_seed(3)
    generator = toys.hybrid(**(GENERATORS[kind]() | {"initial_loudness_db": -12.0} | changes))
    output = generator(
        generator.prior(3, 1),
        toys.conditioning(),
        seconds=seconds,
        sample_rate=sample_rate,
        seed=[5, 6, 7],
    )
    n = output.audio.shape[1]
    rows = [controls_row(generator, output.controls, i, n, sample_rate, 5 + i) for i in range(3)]
    return generator, output, rows


@pytest.mark.parametrize("kind", GENERATORS)
@pytest.mark.parametrize(("seconds", "sample_rate"), [(None, 16000), (0.253, 16000), (0.4, 44100)])
def test_the_file_gives_the_same_sound(tmp_path, kind, seconds, sample_rate):
    _, output, rows = make(kind, seconds, sample_rate)
    for i, controls in enumerate(rows):
        path = tmp_path / f"{i}.npz"
        save_controls(path, controls)
        again = render_controls(load_controls(path))
        assert again.dtype == np.float32
        np.testing.assert_allclose(again, output.audio[i], atol=HALF_A_STEP)
    assert np.abs(output.audio).max() > 0.01


@pytest.mark.parametrize("kind", GENERATORS)
def test_another_rate_is_what_the_generator_gives_there(kind):
    generator, _, rows = make(kind)
    output = generator(
        generator.prior(3, 1), toys.conditioning(), sample_rate=48000, seed=[5, 6, 7]
    )
    for i, controls in enumerate(rows):
        again = render_controls(controls, sample_rate=48000)
        np.testing.assert_allclose(again, output.audio[i], atol=HALF_A_STEP)


def test_another_length_is_cut_or_followed_by_the_reverbs_tail():
    _, output, rows = make("reverb")
    audio = output.audio[0].numpy()
    cut = render_controls(rows[0], seconds=0.1)
    np.testing.assert_allclose(cut, audio[:1600], atol=HALF_A_STEP)
    long = render_controls(rows[0], seconds=0.5)
    assert long.shape == (8000,)
    np.testing.assert_allclose(long[:4000], audio, atol=HALF_A_STEP)
    assert np.abs(long[4000:4250]).max() > 1e-4
    assert np.abs(long[4310:]).max() < 1e-6


def test_numpy_alone_reads_it(tmp_path):
    _, output, rows = make("reverb")
    save_controls(tmp_path / "note.npz", rows[1])
    with np.load(tmp_path / "note.npz", allow_pickle=False) as file:
        entries = {name: file[name] for name in file.files}
    assert str(entries["format"]) == "noisygan-controls"
    assert [str(x) for x in entries["voices"]] == ["harmonic", "noise"]
    assert entries["harmonic/f0_hz"].shape == (25,)
    assert entries["harmonic/harmonic_distribution"].shape == (25, 6)
    assert entries["noise/magnitudes"].shape == (25, 9)
    assert entries["loudness_db"].shape == (25,)
    assert (int(entries["n_samples"]), int(entries["sample_rate"])) == (4000, 16000)
    assert (float(entries["frame_rate"]), int(entries["noise_seed"])) == (100.0, 6)
    np.testing.assert_allclose(
        entries["harmonic/f0_hz"], output.controls["harmonic/f0_hz"][1, :, 0]
    )


def test_edited_curves_are_heard():
    _, _, (controls, *_) = make()
    controls["harmonic/f0_hz"] = np.full(25, 1000.0)
    controls["noise/magnitudes"] = np.zeros((25, 9))
    spectrum = np.abs(np.fft.rfft(render_controls(controls)))
    assert np.argmax(spectrum) == 250


# Bad files


def test_a_file_that_is_not_there_or_not_one():
    with pytest.raises(UsageError, match="nowhere.npz is not there"):
        load_controls("nowhere.npz")


@pytest.mark.parametrize("content", [b"", b"RIFF....WAVE", b"PK\x03\x04 broken"])
def test_a_file_of_another_kind(tmp_path, content):
    path = tmp_path / "note.npz"
    path.write_bytes(content)
    with pytest.raises(UsageError, match="is not a controls file"):
        load_controls(path)


def test_an_archive_with_pickled_objects_is_not_unpickled(tmp_path):
    path = tmp_path / "note.npz"
    np.savez(path, format=np.array([{}], object))
    with pytest.raises(UsageError, match="is not a controls file"):
        load_controls(path)


def without(name):
    return lambda controls: controls.pop(name)


def put(name, value):
    return lambda controls: controls.__setitem__(name, np.asarray(value))


FLAWS = {
    "two missing": (
        lambda c: (c.pop("voices"), c.pop("frame_rate")),
        "it lacks voices, frame_rate",
    ),
    "future": (put("version", 7), "version 7 .*update noisygan"),
    "unknown kind": (put("kinds", ["flute", "noise"]), "kind flute"),
    "wrong rank": (
        put("harmonic/f0_hz", np.ones((25, 1))),
        r"harmonic/f0_hz has shape \(25, 1\); expected \[n_frames\]",
    ),
    "other frames": (
        put("noise/magnitudes", np.ones((24, 9))),
        r"noise/magnitudes has shape \(24, 9\); .*n_frames 25",
    ),
    "one band": (put("noise/magnitudes", np.ones((25, 1))), r"has shape \(25, 1\)"),
    "nan": (put("harmonic/f0_hz", [np.nan] * 25), "harmonic/f0_hz holds values that are not fin"),
    "no voices": (lambda c: (put("voices", [])(c), put("kinds", [])(c)), "voices"),
    "frame rate": (put("frame_rate", np.nan), "frame_rate holds"),
    "high rate": (put("sample_rate", 10**6), "sample_rate has 1e.06; expected 8000 to 192000"),
    "too long": (put("n_samples", 10**8), "lasts 6250 seconds"),
    "seed": (put("noise_seed", 0.5), "noise_seed"),
    "other f0": (
        put("harmonic/f0_hz", np.ones(6)),
        r"harmonic/f0_hz has shape \(6,\); expected \[n_frames\] with n_frames 25",
    ),
    "f0 above the rate": (
        put("harmonic/f0_hz", np.full(25, 4e5)),
        "harmonic/f0_hz has 400000",
    ),
    "negative level": (
        put("harmonic/amplitudes", np.linspace(-0.1, 1.0, 25)),
        "harmonic/amplitudes has -0.1; expected 0 or more",
    ),
    "misspelt": (
        put("harmonic/amplitude", np.ones(25)),
        "no sound is made from 'harmonic/amplitude'; nearest is harmonic/amplitudes",
    ),
    "reverb axes": (put("reverb/ir", np.ones((2, 9))), r"reverb/ir has shape \(2, 9\); expected"),
    "reverb": (
        lambda c: (put("reverb/ir", np.full(9, np.inf))(c), put("reverb/sample_rate", 16000)(c)),
        "reverb/ir holds values that are not finite",
    ),
}


@pytest.fixture(scope="module")
def good():
    return make()[2][0]


@pytest.mark.parametrize("flaw", FLAWS)
def test_a_flaw_is_named(good, tmp_path, flaw):
    damage, message = FLAWS[flaw]
    controls = dict(good)
    damage(controls)
    save_controls(tmp_path / "note.npz", controls)
    with pytest.raises(UsageError, match=message) as caught:
        load_controls(tmp_path / "note.npz")
    assert "note.npz" in str(caught.value)
    assert "\n" not in str(caught.value)
