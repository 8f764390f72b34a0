"""Notes: a note depends on its own request alone; audio, controls, stems and files."""

import types

import numpy as np
import pytest
import soundfile
import tensorflow as tf

from noisygan import synthesize
from noisygan.errors import UsageError
from noisygan.generators.generator import Capabilities
from noisygan.rendering.batches import iterate, render_requests
from noisygan.rendering.notes import Note, Notes
from noisygan.rendering.requests import NoteSpec, Request, make_requests
from synths import Reverb
from tests import toys

FLUTE = toys.run("flute", pitches=(60, 62))


class Generator(Capabilities):
    """A raw-waveform generator whose sound spells out what it was given."""

    sample_rate, seconds, condition_names, latent_dim = 8000, 0.5, ("pitch", "velocity"), 3

    def __init__(self):
        self.batches = []

    def prior(self, n, seed):
        return tf.random.stateless_normal([n, 3], [seed, 0])

    def __call__(self, z, conditioning, seconds=None, sample_rate=None, seed=0):
        self.batches.append(int(z.shape[0]))
        n = round((seconds or self.seconds) * (sample_rate or self.sample_rate))
        noise = tf.stack([tf.random.stateless_normal([n], [s, 1]) for s in tf.unstack(seed)])
        parts = [z, conditioning["pitch"][:, None], conditioning["velocity"][:, None]]
        audio = tf.reduce_sum(tf.concat(parts, 1), 1, keepdims=True) / 1e3 + 1e-3 * noise
        return types.SimpleNamespace(audio=audio, controls={})


@pytest.fixture(scope="module")
def hybrid():
    return toys.hybrid(reverb=Reverb(trainable=True, reverb_length=300, gain=0.3))


@pytest.fixture(scope="module")
def notes(hybrid):
    return render_requests(hybrid, make_requests(FLUTE, NoteSpec([60, 67], count=2)), seed=3)


def test_a_note_depends_on_its_own_request_alone():
    requests = make_requests(FLUTE, NoteSpec([60, 67], count=20, seed=3))
    generator = Generator()
    together = list(iterate(generator, requests, seed=3))
    assert max(generator.batches) > 1
    for request, note in list(zip(requests, together, strict=True))[::7]:
        [alone] = iterate(Generator(), [request], seed=3)
        np.testing.assert_allclose(alone.audio, note.audio, rtol=0, atol=1e-7)


def test_seeds_and_numbers_give_different_notes():
    requests = [Request(60, 100, 0, "a", number, 0) for number in range(3)]
    sounds = [note.audio for seed in range(3) for note in iterate(Generator(), requests, seed=seed)]
    distances = np.abs(np.stack(sounds)[:, None] - sounds).max(2) + np.eye(9)
    assert distances.min() > 1e-3


def test_batches_are_small_for_long_notes_and_rendered_on_use():
    generator = Generator()
    list(
        iterate(
            generator, make_requests(FLUTE, NoteSpec(60, count=4)), seconds=8.0, sample_rate=96000
        )
    )
    assert generator.batches == [2, 2]
    notes = render_requests(generator, make_requests(FLUTE, NoteSpec(60, count=3)))
    assert (len(notes), generator.batches) == (3, [2, 2])
    assert notes.audio.shape == (3, 4000) and notes.audio.dtype == np.float32
    assert notes.audio is notes.audio and generator.batches == [2, 2, 3]


def test_raw_waveforms_have_no_controls(tmp_path):
    notes = render_requests(Generator(), make_requests(FLUTE, NoteSpec(60)))
    assert notes.controls == {}
    with pytest.raises(UsageError, match="stems"):
        notes.stems()
    for what in ("controls", "stems"):
        with pytest.raises(UsageError, match=what):
            notes.save(tmp_path / "out", **{what: True})
    with pytest.raises(UsageError, match="controls"):
        list(iterate(Generator(), make_requests(FLUTE, NoteSpec()), audio=False))
    assert not (tmp_path / "out").exists()


def test_controls_give_the_audio_again(notes):
    controls = notes.controls
    assert controls["harmonic/f0_hz"].shape == (4, 25)
    assert controls["noise_seed"].shape == (4,) and controls["sample_rate"].shape == ()
    again = synthesize(controls)
    np.testing.assert_allclose(again.audio, notes.audio, atol=1e-4)
    for name, stem in notes.stems().items():
        np.testing.assert_allclose(again.stems()[name], stem, atol=1e-4)
    np.testing.assert_allclose(sum(notes.stems().values()), notes.audio, atol=1e-5)
    assert synthesize(controls, sample_rate=44100, seconds=0.5).audio.shape == (4, 22050)
    assert not np.array_equal(synthesize(controls, seed=9).audio, again.audio)


def test_incomplete_and_impossible_controls(notes):
    controls = notes.controls
    two = np.array(["harmonic", "noise"])
    for changed, named in (
        ({name: controls[name] for name in ("harmonic/f0_hz",)}, "lacks format, voices, kinds"),
        ({**controls, "kinds": np.array(["harmonic", "zz"])}, "kind zz"),
        ({**controls, "voices": two, "kinds": two[:1]}, "2 voices and 1 kinds"),
        ({**controls, "harmonic/f0_hz": controls["harmonic/f0_hz"][:3]}, "f0_hz': 3"),
        ({**controls, "harmonic/f0_hz": -controls["harmonic/f0_hz"]}, "harmonic/f0_hz has -"),
        ({n: x[:0] if np.ndim(x) and "/" in n else x for n, x in controls.items()}, ": 0"),
    ):
        with pytest.raises(UsageError, match=named):
            synthesize(changed)


def test_parts_of_notes(notes):
    assert notes[1].names == notes.names[1:2]
    np.testing.assert_array_equal(notes[1:3].audio, notes.audio[1:3])
    np.testing.assert_array_equal(notes[-1].stems()["noise"], notes.stems()["noise"][-1:])
    np.testing.assert_array_equal(
        notes[[0, 2]].controls["noise_seed"], notes.controls["noise_seed"][[0, 2]]
    )
    assert [note.names for note in notes] == [[name] for name in notes.names]
    assert notes.names[0] in repr(notes)


def test_notes_show_themselves_in_a_notebook():
    rendered = []

    def render(stems):
        for i in range(20):
            rendered.append(i)
            yield Note(np.float32([0.0, 0.5, -0.5] * 100))

    notes = Notes(["<script>"] + ["a"] * 19, 8000, render)
    page = notes._repr_html_()
    assert len(rendered) == 16
    assert page.count("<audio controls") == page.count("data:image/png") == 16
    assert "<script>" not in page and "&lt;script&gt;" in page and "4 more" in page
    assert "http" not in page


def test_files(notes, tmp_path):
    done = []
    paths = notes.save(tmp_path / "a", controls=True, stems=True, progress=done.append)
    assert [path.stem for path in paths] == notes.names and done == [1, 2, 3, 4]
    for path, audio in zip(paths, notes.audio, strict=True):
        np.testing.assert_allclose(soundfile.read(path)[0], audio, atol=1 / 32768)
        parts = [soundfile.read(part)[0] for part in path.with_suffix("").iterdir()]
        np.testing.assert_allclose(sum(parts), audio, atol=3 / 32768)
        again = synthesize(path.with_suffix(".npz"))
        np.testing.assert_allclose(again.audio[0], audio, atol=1e-4)
        assert again.names == [path.stem]


def test_nothing_is_overwritten_or_rendered_before_that_is_known(tmp_path):
    notes = render_requests(Generator(), make_requests(FLUTE, NoteSpec(60, count=2)))
    taken = tmp_path / f"{notes.names[1]}.npz"
    taken.write_bytes(b"mine")
    with pytest.raises(UsageError, match=taken.name):
        notes.save(tmp_path, controls=True)
    with pytest.raises(UsageError, match="is a file"):
        notes.save(taken)
    assert [path.name for path in tmp_path.iterdir()] == [taken.name]
    assert len(notes.save(tmp_path)) == 2


def test_what_would_clip_is_lowered_with_its_controls_and_stems(hybrid, tmp_path):
    requests = make_requests(FLUTE, NoteSpec(60))
    plain = render_requests(hybrid, requests)
    loud = render_requests(hybrid, requests, gain=2.0 / np.abs(plain.audio).max())
    assert np.abs(loud.audio).max() == pytest.approx(2.0, rel=1e-4)
    [path] = loud.save(tmp_path / "pcm", controls=True, stems=True)
    assert loud.lowered_db == {path.name: pytest.approx(6.02, abs=0.01)}
    sound = soundfile.read(path)[0]
    np.testing.assert_allclose(sound, 0.5 * loud.audio[0], atol=1e-4)
    parts = [soundfile.read(part)[0] for part in path.with_suffix("").iterdir()]
    np.testing.assert_allclose(sum(parts), sound, atol=2e-4)
    np.testing.assert_allclose(synthesize(path.with_suffix(".npz")).audio[0], sound, atol=2e-4)
    [path] = loud.save(tmp_path / "float", subtype="FLOAT")
    assert loud.lowered_db == {}
    np.testing.assert_allclose(soundfile.read(path)[0], loud.audio[0], atol=1e-6)


def test_long_notes_are_rendered_in_blocks_and_are_the_same(hybrid, monkeypatch):
    from noisygan.rendering import batches, synthesis

    requests = make_requests(FLUTE, NoteSpec(60, count=2))
    at_once = render_requests(hybrid, requests)
    monkeypatch.setattr(synthesis, "BLOCK_SAMPLES", 700)
    monkeypatch.setattr(batches, "MAX_SAMPLES_PER_BATCH", 3999)
    in_blocks = render_requests(hybrid, requests)
    assert all(note.audio is None for note in iterate(hybrid, requests, audio=False))
    np.testing.assert_allclose(in_blocks.audio, at_once.audio, atol=1e-4)
    np.testing.assert_allclose(in_blocks.stems()["noise"], at_once.stems()["noise"], atol=1e-4)
    for name, value in at_once.controls.items():
        if value.dtype.kind == "f":
            np.testing.assert_allclose(in_blocks.controls[name], value, rtol=1e-3, atol=1e-5)
