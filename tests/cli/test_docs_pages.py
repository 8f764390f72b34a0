"""Whatever a page of docs/ shows works, from top to bottom, as written.

Commands, Python and configs run in one folder, in the order in which a reader meets them. The
folder has a `my_notes` and a `runs/notes.gin`, which is the bundled one with tiny networks. A
block that begins with its file's name is saved: a config beside the reader, a module in the
package that it names. Pages on what to do with trained runs find `runs/flute`.
"""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import gin
import pytest

from noisygan.cli.main import build_parser, main
from noisygan.demo import notes_folder
from tests.documents import LABEL, ROOT, commands_of, fenced, small

DOCS = ROOT / "docs"
PAGES = [
    "adding-a-dataset.md",
    "adding-a-discriminator.md",
    "adding-a-loss.md",
    "adding-a-synth.md",
    "baselines.md",
    "composing.md",
    "first-steps.md",
    "own-sounds.md",
    "runs.md",
    "switching.md",
    "training.md",
]
# Those of data.md, instruments.md and matching.md run beside the other tests of their commands.
USING_RUNS = ["evaluation.md", "export.md", "playing.md", "reports.md"]

# A file's name on a block's first line.
NAMED = re.compile(r"# ([\w/.]+\.(?:py|gin))\b")


@pytest.fixture
def desk(tmp_path, monkeypatch, chance_again, eagerly):
    """The reader's folder; afterwards modules written there are forgotten."""
    notes = tmp_path / "my_notes"
    notes.mkdir()
    for path in (notes_folder() / "nsynth-train" / "audio").iterdir():
        (notes / path.name.replace(LABEL, "flute")).symlink_to(path)
    (tmp_path / "runs").mkdir()
    config = (ROOT / "tests/configs/small_notes.gin").read_text(encoding="utf-8")
    (tmp_path / "runs" / "notes.gin").write_text(config, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    known = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - known:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", None)):
            del sys.modules[name]


def save(block, desk, monkeypatch):
    """Writes a block that names its file, and lets Python find a module there; None if it doesn't.

    Modules go into a folder of their own, which is added to where their package is looked for.
    """
    named = NAMED.match(block)
    if named is None:
        return None
    path = desk / named[1]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(block, encoding="utf-8")
    if path.suffix == ".py":
        package = importlib.import_module(".".join(path.parent.relative_to(desk).parts))
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(path.parent)])
        importlib.invalidate_caches()
    return path


def run(command):
    """Runs one command of a page; measuring, which takes a minute, is left to test_readme.py."""
    if command[:2] == ["python", "-c"]:
        exec(command[2], {"__name__": "__main__"})
        return 0
    assert command[0] == "noisygan", command
    if command[1] == "evaluate":
        asked = build_parser().parse_args(command[1:])
        for run_dir in asked.run_dir or ():
            assert (Path(run_dir) / "run.json").is_file(), command
        assert all(Path(f).is_dir() for f in (asked.data, asked.audio, asked.train) if f), command
        return 0
    return main(small(command[1:], steps=2))


def run_page(name, folder, monkeypatch, capsys):
    """Runs what a page shows, in order."""
    shown = [(tag, text) for tag, text in fenced(DOCS / name) if tag in ("bash", "python", "gin")]
    assert shown, f"{name} shows nothing that runs"
    for language, block in shown:
        block = block.replace("normal([1, 16])", "normal([1, 4])")  # latents of the small run
        saved = save(block, folder, monkeypatch)
        if language == "gin":
            assert saved, f"{name}: a config without its name on the first line\n{block}"
        elif language == "python" and "import_as_ddsp" in block:
            # In a process of its own: its names in gin are those of ddsp, which may be imported.
            subprocess.run([sys.executable, "-c", block], cwd=ROOT, check=True)
        elif language == "python" and not saved:
            exec(compile(block, name, "exec"), {"__name__": "__main__"})
            gin.clear_config()
        elif language == "bash":
            for command in commands_of(block):
                assert run(command) == 0, (command, capsys.readouterr().err)


@pytest.mark.slow
@pytest.mark.parametrize("name", PAGES)
def test_a_page(name, desk, monkeypatch, capsys):
    run_page(name, desk, monkeypatch, capsys)


@pytest.mark.slow
@pytest.mark.parametrize("name", USING_RUNS)
def test_a_page_on_trained_runs(name, trained, tmp_path, monkeypatch, capsys, quick_metrics):
    (tmp_path / "runs").mkdir()
    for run_name in ("flute", "flute-seed0", "flute-seed1"):
        (tmp_path / "runs" / run_name).symlink_to(trained)
    for folder in ("my_notes", "some_sounds", "for_training", "held_out"):
        (tmp_path / folder).symlink_to(notes_folder())
    monkeypatch.chdir(tmp_path)
    run_page(name, tmp_path, monkeypatch, capsys)


def test_every_page_is_run():
    """Every how-to, and every page that shows a config, is in the list above."""
    teaching = {
        path.name
        for path in DOCS.glob("*.md")
        if any(tag == "gin" for tag, _ in fenced(path)) or path.name.startswith("adding-")
    }
    assert teaching <= set(PAGES)
