"""Every command of the README works, and so does every Python example there and in docs/synths.md.

Fenced blocks tagged `bash` hold commands, those tagged `python` Python. Budgets are made small,
and folders of somebody's own notes are replaced by bundled ones.
"""

import re
import shlex
from pathlib import Path

import gin
import pytest

from noisygan.cli.main import main
from noisygan.demo import drums_folder, notes_folder

README = Path(__file__).parents[2] / "README.md"
SYNTHS = README.parent / "docs" / "synths.md"

# Of the bundled notes; the README's notes are called flute.
LABEL = "flute_acoustic_000"

# What sets up a clone; `make demo` and `make test` run in CI.
EXEMPT = re.compile(r"^(make|git|cd|python3? -m (venv|pip)|pip|source|tensorboard|\. )\b")


def blocks(language, document=README):
    """Fenced blocks of a document that are tagged with a language."""
    if not document.is_file():
        return []
    return re.findall(rf"^```{language}\n(.*?)^```", document.read_text(), re.M | re.S)


def commands():
    """The README's `noisygan` commands as lists of arguments, in order."""
    found = []
    for block in blocks("bash") + blocks("console"):
        for line in block.replace("\\\n", " ").splitlines():
            line = line.removeprefix("$ ").strip()
            if line and not line.startswith("#") and not EXEMPT.match(line):
                found.append(shlex.split(line, comments=True))
    return found


def small(arguments, replaced=("--data", "--like")):
    """The same command with a budget of four steps, on bundled sounds."""
    result = list(arguments)
    for i, argument in enumerate(result[:-1]):
        if argument == "--minutes":
            result[i : i + 2] = ["--steps", "4"]
        elif argument == "--steps":
            result[i + 1] = "4"
        elif argument in replaced:
            bundled = drums_folder if "drums" in result[i + 1] else notes_folder
            result[i + 1] = str(bundled())
        elif argument == "--controls" and "/flute-" in result[i + 1]:
            # A file that `render` named by the label of the recordings.
            result[i + 1] = result[i + 1].replace("/flute-", f"/{LABEL}-")
    if result[0] in ("evaluate", "compare"):
        result += ["--n", "8", "--pitch_sounds", "0"]
    if result[0] == "demo" and "--steps" not in result:
        result += ["--steps", "4"]
    return result


def test_a_command_is_made_small():
    line = "train --data my_notes --gin_file notes --minutes 10 --run_dir r"
    expected = f"train --data {notes_folder()} --gin_file notes --steps 4 --run_dir r"
    assert small(line.split()) == expected.split()
    assert small(["synth", "--controls", "a/flute-060.npz"])[-1] == f"a/{LABEL}-060.npz"
    assert small(["demo"]) == ["demo", "--steps", "4"]


def write_song(path):
    """A MIDI file of a note and a drum."""
    mido = pytest.importorskip("mido")
    messages = [
        mido.Message(kind, channel=channel, note=36 if channel else 60, time=time)
        for kind, time in (("note_on", 0), ("note_off", 480))
        for channel in (0, 9)
    ]
    file = mido.MidiFile()
    file.tracks.append(mido.MidiTrack(messages))
    file.save(path)


@pytest.mark.slow
def test_the_readmes_commands(tmp_path, monkeypatch, capsys):
    assert commands(), "the README shows no commands"
    monkeypatch.chdir(tmp_path)
    write_song(tmp_path / "song.mid")
    for command in commands():
        assert command[0] == "noisygan", command
        assert main(small(command[1:])) == 0, (command, capsys.readouterr().err)


@pytest.mark.slow
@pytest.mark.parametrize("document", [README, SYNTHS], ids=lambda path: path.name)
def test_python_examples(tmp_path, monkeypatch, document):
    examples = blocks("python", document)
    assert examples, f"{document} shows no Python"
    monkeypatch.chdir(tmp_path)
    for example in examples:
        assert len(example.strip().splitlines()) <= 25
        exec(compile(example, str(document), "exec"), {"__name__": "__main__"})
        gin.clear_config()
