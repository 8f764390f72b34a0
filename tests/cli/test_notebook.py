"""The notebook runs from top to bottom in a kernel of its own, and is stored without outputs."""

import json

import pytest

from tests.documents import ROOT

NOTEBOOK = ROOT / "notebooks" / "first_steps.ipynb"


def test_it_is_stored_bare():
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert not any(cell["outputs"] or cell["execution_count"] for cell in code)
    assert len([cell for cell in cells if cell["cell_type"] == "markdown"]) >= len(code)


@pytest.mark.slow
def test_it_runs(monkeypatch, tmp_path):
    nbformat = pytest.importorskip("nbformat", reason="pip install 'noisygan[notebook]'")
    nbclient = pytest.importorskip("nbclient", reason="pip install 'noisygan[notebook]'")
    pytest.importorskip("ipykernel", reason="pip install 'noisygan[notebook]'")
    monkeypatch.setenv("PYTHONPATH", str(ROOT), prepend=":")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    # Its pictures are made as in anybody's notebook, not as in the other tests.
    monkeypatch.delenv("MPLBACKEND", raising=False)
    book = nbformat.read(NOTEBOOK, as_version=4)
    (chosen,) = (c for c in book.cells if "parameters" in c.metadata.get("tags", ()))
    config = ROOT / "tests" / "configs" / "small_notes.gin"
    # Three steps are quicker taken than traced.
    chosen.source = (
        f'budget = "--steps 3"\nconfig = "{config}"\n'
        "import tensorflow as tf\ntf.config.run_functions_eagerly(True)\n"
    )
    nbclient.NotebookClient(book, timeout=900, kernel_name="python3").execute(cwd=str(tmp_path))
    shown = [o for cell in book.cells if cell.cell_type == "code" for o in cell.outputs]
    kinds = [kind for output in shown for kind in output.get("data", {})]
    assert kinds.count("image/png") == 8
    # IPython's players are HTML that holds the sound.
    players = [o.data["text/html"] for o in shown if "text/html" in o.get("data", {})]
    assert len(players) == 3 + 2 + 3 + 2 + 2 + 4
    assert all("<audio" in player and "base64," in player for player in players)
