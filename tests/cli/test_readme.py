"""Every command of the README works, and so does every Python example there and in docs/synths.md.

Fenced blocks tagged `bash` hold commands, those tagged `python` Python. Budgets are made small,
and folders of somebody's own notes are replaced by bundled ones.
"""

import gin
import pytest

from noisygan.cli.main import main
from noisygan.demo import notes_folder
from tests.documents import LABEL, ROOT, blocks, commands_of, small

README = ROOT / "README.md"
SYNTHS = ROOT / "docs" / "synths.md"


def commands():
    """The README's `noisygan` commands as lists of arguments, in order."""
    shown = blocks("bash", README) + blocks("console", README)
    return [command for block in shown for command in commands_of(block)]


def test_a_command_is_made_small():
    line = "train --data my_notes --gin_file notes --minutes 10 --run_dir r"
    expected = f"train --data {notes_folder()} --gin_file notes --steps 4 --run_dir r --no_report"
    assert small(line.split()) == expected.split()
    assert small(["synth", "--controls", "a/flute-060.npz"])[-1] == f"a/{LABEL}-060.npz"
    assert small(["demo"]) == ["demo", "--steps", "4"]


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """The reader's folder, with a runs/notes.gin of tiny networks."""
    (tmp_path / "runs").mkdir()
    config = ROOT / "tests" / "configs" / "small_notes.gin"
    for name in ("notes", "notes_16k"):
        (tmp_path / "runs" / f"{name}.gin").write_text(config.read_text())
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
def test_the_readmes_commands(desk, eagerly, quick_metrics, capsys):
    assert commands(), "the README shows no commands"
    for command in commands():
        assert command[0] == "noisygan", command
        assert main(small(command[1:], steps=1)) == 0, (command, capsys.readouterr().err)


@pytest.mark.slow
@pytest.mark.parametrize("document", [README, SYNTHS], ids=lambda path: path.name)
def test_python_examples(desk, document, eagerly, quick_metrics):
    examples = blocks("python", document)
    assert examples, f"{document} shows no Python"
    for example in examples:
        assert len(example.strip().splitlines()) <= 25
        small_example = example.replace("minutes=10", "steps=1")
        small_example = small_example.replace("run, notes)", "run, notes, n=8, n_pitch=0)")
        exec(compile(small_example, str(document), "exec"), {"__name__": "__main__"})
        gin.clear_config()
