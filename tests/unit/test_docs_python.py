"""Every block of docs/python.md and every example of the API runs, on small networks."""

import doctest
import inspect

import numpy as np
import pytest
import tensorflow as tf

import noisygan
from noisygan.demo import drums_folder, notes_folder
from tests.documents import ROOT, blocks

PAGE = ROOT / "docs" / "python.md"

# What makes the page quick, and the files that a reader has.
SMALL = {
    '"runs/notes.gin"': repr(str(ROOT / "tests/configs/small_notes.gin")),
    '"my_notes"': repr(str(notes_folder())),
    '"held_out"': repr(str(notes_folder())),
    "minutes=10": "steps=1",
    "n=500": "n=8, n_pitch=0",
    'match("target.wav")': 'match("target.wav", pitch=60, n_steps=2)',
    "units=units": "units=4",
    "seconds=2.0": "seconds=0.5",
}
SMALL_EXAMPLES = SMALL | {
    '"kit"': repr(str(drums_folder())),
    ', drums=noisygan.load("runs/kit")': "",
    'label="flute"': 'label="flute_acoustic_000"',
    'format="onnx", seconds=2.0': 'format="saved_model"',
}


def small(block, replaced=SMALL):
    for shown, used in replaced.items():
        block = block.replace(shown, used)
    return block


@pytest.fixture
def desk(tmp_path, monkeypatch, write_sound, eagerly, quick_metrics):
    times = np.arange(8000) / 16000
    write_sound(tmp_path / "target.wav", 0.3 * np.sin(2 * np.pi * 261.6 * times))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_page_runs_from_top_to_bottom(desk):
    names = {}
    shown = blocks("python", PAGE)
    for block in shown:
        exec(compile(small(block), str(PAGE), "exec"), names)
    assert len(shown) >= 8
    assert names["notes"].audio.shape == (3, 24000)
    assert np.abs(names["gradient"]).max() > 0 and tf.is_tensor(names["audio"])
    written = {path.name for path in desk.iterdir()}
    assert {"out", "latents", "between", "edited", "evaluated", "flute.html"} <= written
    assert {"matched", "flute_sfz", "flute_model"} <= written


def test_a_model_is_composed_in_about_25_lines():
    [composed] = [block for block in blocks("python", PAGE) if "noisygan.Trainer(" in block]
    imports = [line for line in composed.splitlines() if line.startswith(("from", "import"))]
    assert len([line for line in composed.splitlines() if line.strip()]) - len(imports) <= 27


def examples():
    """Examples of the API, pytest parameters; the page trains and evaluates."""
    classes = (noisygan.Run, noisygan.Notes, noisygan.AudioDataset)
    for each in (*classes, noisygan.load, noisygan.synthesize):
        members = vars(each) if inspect.isclass(each) else ()
        public = [getattr(each, name) for name in members if not name.startswith("_")]
        methods = [
            value for value in public if inspect.isfunction(value) or inspect.ismethod(value)
        ]
        for value in (each, *methods):
            found = doctest.DocTestParser().get_examples(value.__doc__)
            assert found, value
            source = "".join(example.source for example in found)
            yield pytest.param(value.__qualname__, source, id=value.__qualname__)


@pytest.mark.parametrize(("name", "source"), examples())
def test_an_example_of_the_api(desk, trained, name, source):
    mido = pytest.importorskip("mido")
    song = mido.MidiFile(tracks=[mido.MidiTrack()])
    for kind in ("note_on", "note_off"):
        song.tracks[0].append(mido.Message(kind, note=60, time=100))
    song.save("song.mid")
    (desk / "runs").mkdir()
    (desk / "runs" / "flute").symlink_to(trained)
    run = noisygan.load("runs/flute")
    data = noisygan.AudioDataset.from_folder(notes_folder(), sample_rate=16000, seconds=0.5)
    names = {"noisygan": noisygan, "run": run, "notes": run.render(pitch=60), "data": data}
    exec(compile(small(source, SMALL_EXAMPLES), name, "exec"), names)
