"""The Python API: a run is loaded, read and rendered in a few lines."""

import subprocess
import sys

import numpy as np
import pytest
import soundfile
import tensorflow as tf
from PIL import Image

import noisygan
from noisygan.demo import held_out_folder
from noisygan.errors import UsageError
from noisygan.rendering import requests
from noisygan.rendering.notes import Note, Notes


@pytest.fixture(scope="module")
def run(trained):
    return noisygan.load(trained)


def test_import_is_light():
    heavy = ["tensorflow", "keras", "numpy", "soundfile"]
    program = f"import sys, noisygan; print(*[m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.split() == [] and done.returncode == 0


def test_every_name_of_the_api_is_there_and_has_an_example():
    for name in noisygan.__all__:
        assert getattr(noisygan, name).__doc__
        assert name in dir(noisygan)
    for each in (noisygan.Run, noisygan.Notes):
        for name in vars(each):
            value = vars(each)[name]
            if callable(value) and not name.startswith("_"):
                assert "Example:" in value.__doc__, name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        noisygan.nothing  # noqa: B018


def test_three_lines_render_a_note(trained):
    run = noisygan.load(trained)
    notes = run.render(pitch=60)
    assert notes.audio.shape == (1, 8000)
    assert np.abs(notes.audio).max() > 0


def test_what_is_known_of_a_run(run, trained):
    assert run.path == trained and run.name == "tiny" and repr(run) == f"<Run {str(trained)!r}>"
    assert (run.step, run.sample_rate, run.seconds) == (3, 16000, 0.5)
    assert run.condition_names == ("pitch", "velocity")
    assert run.label_names == ("flute_acoustic_000",) and 60 in run.pitches
    assert run.metadata["seed"] == 7 and "Hybrid" in run.config
    metrics = run.metrics()
    assert metrics[0]["step"] == 1 and "d_loss" in metrics[0]
    assert not hasattr(run, "nothing")


def test_the_generator_is_differentiable(run):
    z = tf.Variable(run.generator.prior(1, seed=0))
    conditioning = {"pitch": tf.constant([60.0]), "velocity": tf.constant([100.0])}
    with tf.GradientTape() as tape:
        audio = run.generator(z, conditioning, seed=0).audio
        loss = tf.reduce_mean(tf.square(audio))
    variables = [z, *run.generator.trainable_variables]
    gradients = tape.gradient(loss, variables)
    assert all(g is not None for g in gradients)
    assert np.abs(gradients[0]).max() > 0


def test_a_render_is_what_was_asked_for(run, tmp_path):
    notes = run.render(pitch=[60, 64], velocity=90, count=2, seconds=0.75, sample_rate=48000)
    assert (len(notes), notes.audio.shape, notes.sample_rate) == (4, (4, 36000), 48000)
    assert notes.names[1] == "flute_acoustic_000-064-090-000"
    np.testing.assert_array_equal(run.render(60, seed=5).audio, run.render(60, seed=5).audio)
    assert not np.array_equal(run.render(60, seed=5).audio, run.render(60, seed=6).audio)
    z = np.ones([2, run.generator.latent_dim])
    assert np.array_equal(*(run.render(60, z=z).controls["harmonic/f0_hz"]))
    np.save(tmp_path / "z.npy", z)
    np.testing.assert_array_equal(
        run.render(60, z=tmp_path / "z.npy").audio, run.render(60, z=z).audio
    )
    alike = run.controls(60, count=2, variation=0.0)["harmonic/f0_hz"]
    np.testing.assert_array_equal(*alike)
    twice = run.controls(60, seed=5, variation=2.0)["loudness_db"]
    number = requests.note_seeds(5, 0)[0]
    z = 2.0 * run.generator.prior(1, seed=number).numpy()
    np.testing.assert_array_equal(twice, run.controls(60, z=z, seed=5)["loudness_db"])
    like = run.render(like=held_out_folder())
    assert len(like) == len(list((held_out_folder() / "audio").iterdir()))
    glide = run.render(60, glide=[(0.0, 0.0), (0.5, 12.0)]).controls["harmonic/f0_hz"][0]
    assert glide[-1] / glide[0] == pytest.approx(2.0, rel=0.1)


def test_a_note_is_held_as_long_as_asked(run):
    short, long = (
        run.controls(pitch=60, held_seconds=held)["loudness_db"] for held in (0.1, np.inf)
    )
    np.testing.assert_allclose(short[:, :5], long[:, :5], atol=1e-4)
    assert not np.allclose(short, long)
    with pytest.raises(UsageError, match="held_seconds -1"):
        run.render(pitch=60, held_seconds=-1.0)


def test_controls_are_edited_and_rendered_again(run, tmp_path):
    curves = run.controls(pitch=[60, 64])
    notes = run.render(pitch=[60, 64])
    for name, value in notes.controls.items():
        if value.dtype.kind == "f":
            np.testing.assert_allclose(curves[name], value, rtol=1e-3, atol=1e-5)
    curves["harmonic/f0_hz"] *= 2.0
    octave = noisygan.synthesize(curves, sample_rate=44100)
    assert octave.audio.shape == (2, 22050)
    assert [path.name for path in octave.save(tmp_path)] == ["note-000.wav", "note-001.wav"]


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({"pitch": 127}, "pitch 127"),
        ({"label": "oboe"}, "label oboe"),
        ({"velocity": 300}, "velocity 300"),
        ({"count": 0}, "count 0"),
        ({"seconds": 0.0}, "0 seconds"),
        ({"sample_rate": 1}, "sample rate 1 Hz"),
        ({"z": np.ones(99)}, "z: .* 99 "),
        ({"z": "no.npy"}, "no.npy"),
        ({"z": np.ones(4), "count": 2}, "count"),
        ({"z": np.ones(4), "variation": 2.0}, "variation"),
        ({"variation": -1.0}, "variation -1: expected 0 to 10"),
        ({"like": "nowhere"}, "nowhere"),
        ({"like": "nowhere", "pitch": 60}, "leave out pitch"),
    ],
)
def test_what_a_run_can_not_play_names_the_parameter(run, asked, named):
    with pytest.raises(UsageError, match=named):
        run.render(**asked)


def test_interpolation(run):
    notes = run.interpolate(first=0, last=3, steps=3, pitch=64)
    np.testing.assert_allclose(notes.audio[0], run.render(64).audio[0], atol=1e-6)
    third = run.render(64, count=4)[3].controls["loudness_db"][0]
    np.testing.assert_allclose(notes.controls["loudness_db"][2], third, rtol=1e-3, atol=1e-3)
    assert run.interpolate(steps=3, pitch=64, morph=True).audio.shape == (1, 8000)


def test_a_picture_shows_all_notes_side_by_side(tmp_path):
    tones = [np.sin(2 * np.pi * hz * np.arange(4000) / 16000) for hz in (500, 1000, 2000)]
    notes = [Note(0.5 * tone.astype(np.float32), None) for tone in tones]
    Notes(["low", "middle", "high"], 16000, lambda stems: notes).save(tmp_path, picture="all.png")
    pixels = np.asarray(Image.open(tmp_path / "all.png").convert("L"))[::-1]
    brightest = [np.argmax(part.mean(axis=1)) for part in np.array_split(pixels, 3, axis=1)]
    np.testing.assert_allclose(brightest, [32, 64, 128], atol=1)  # bins of 16000 / 1024 Hz
    with pytest.raises(UsageError, match="all.png exists already"):
        Notes(["new"], 16000, lambda stems: notes).save(tmp_path, picture="all.png")


def test_a_song(run, kit, tmp_path):
    mido = pytest.importorskip("mido")
    track = mido.MidiTrack()
    for channel, pitch in ((0, 60), (9, 36)):
        track.append(mido.Message("note_on", channel=channel, note=pitch, velocity=90))
        track.append(mido.Message("note_off", channel=channel, note=pitch, time=240))
    mido.MidiFile(tracks=[track]).save(tmp_path / "song.mid")
    alone = run.play(tmp_path / "song.mid")
    assert alone.names == ["song"] and any("channel 10" in line for line in alone.remarks)
    both = run.play(tmp_path / "song.mid", drums=noisygan.load(kit))
    assert len(both) == 1 and both.remarks == ()
    [path] = both.save(tmp_path / "out")
    assert soundfile.info(path).duration > 0.2


def test_unknown_names_leave_nothing(run, tmp_path):
    for call in (run.instrument, run.export):
        with pytest.raises(UsageError, match="format 'SFZ'"):
            call(tmp_path / "x", format="SFZ")
    with pytest.raises(UsageError, match="path 'round'"):
        run.interpolate(path="round")
    assert not (tmp_path / "x").exists()


def test_a_checkpoint_is_named_by_its_prefix(run, trained):
    chosen = noisygan.load(trained, trained / "checkpoints" / "ckpt-3")
    assert chosen.step == 3 and run.checkpoint == chosen.checkpoint
    for name in ("foo", "ckpt-99"):
        with pytest.raises(UsageError, match=f"{name} is no checkpoint"):
            noisygan.load(trained, trained / "checkpoints" / name)


def test_a_folder_without_a_run_is_named(tmp_path):
    with pytest.raises(UsageError, match=tmp_path.name):
        noisygan.load(tmp_path)
