"""The notebook runs from top to bottom in its own kernel, and is stored without outputs."""

import json

import pytest

from tests.documents import ROOT

NOTEBOOK = ROOT / "notebooks" / "first_steps.ipynb"


def test_it_is_stored_bare():
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert not any(cell["outputs"] or cell["execution_count"] for cell in code)


@pytest.mark.slow
def test_it_runs(monkeypatch, tmp_path):
    nbformat = pytest.importorskip("nbformat", reason="pip install 'noisygan[notebook]'")
    nbclient = pytest.importorskip("nbclient", reason="pip install 'noisygan[notebook]'")
    pytest.importorskip("ipykernel", reason="pip install 'noisygan[notebook]'")
    monkeypatch.setenv("PYTHONPATH", str(ROOT), prepend=":")
    temporary = tmp_path / "with space"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.delenv("MPLBACKEND", raising=False)
    book = nbformat.read(NOTEBOOK, as_version=4)
    (chosen,) = (c for c in book.cells if "parameters" in c.metadata.get("tags", ()))
    config = ROOT / "tests" / "configs" / "small_notes.gin"
    # Three steps are faster than tracing, and classifiers need not learn.
    chosen.source = (
        f'config = "{config}"\nbudget = {{"steps": 3}}\n'
        "import tensorflow as tf\ntf.config.run_functions_eagerly(True)\n"
        "from noisygan.evaluation import cost\ncost.N_REPEATS, cost.BATCH_SIZES = 1, (1,)\n"
        "from noisygan.metrics import classifiers\nclassifiers.N_STEPS = 2\n"
    )
    for cell in book.cells:
        cell.source = cell.source.replace("n=16, n_pitch=8", "n=8, n_pitch=0")
    folder = tmp_path / "a folder"
    folder.mkdir()
    nbclient.NotebookClient(book, timeout=900, kernel_name="python3").execute(cwd=str(folder))
    shown = [o for cell in book.cells if cell.cell_type == "code" for o in cell.outputs]
    kinds = [kind for output in shown for kind in output.get("data", {})]
    assert kinds.count("image/png") == 2
    pages = [o.data["text/html"] for o in shown if "text/html" in o.get("data", {})]
    assert sum("<audio" in page for page in pages) == 3
    assert any("<table" in page for page in pages)
