"""Run ddsp's own tests, its training and its tutorials on `synths.compat.ddsp`.

    git clone https://github.com/magenta/ddsp
    python benchmarks/ddsp_tests.py ddsp

`import ddsp` imports `synths.compat.ddsp`; `ddsp.training` and `ddsp.colab` are the checkout's.
Modules that are not installed (note_seq, tensorflow_datasets, google.colab) are replaced by mocks.
In the tutorials a synthetic note replaces recordings, and training stops after eight steps.
`--reference` runs the checkout's own ddsp, on Keras 2, to compare the counts.
"""

import argparse
import contextlib
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import io
import json
import os
import shutil
import sys
import traceback
import unittest
from pathlib import Path
from unittest import mock

import gin
import numpy as np
from absl import flags

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import common  # noqa: E402

# Modules of ddsp.training and of the tutorials that need not be installed.
OPTIONAL = (
    "apache_beam",
    "google.cloud",
    "google.colab",
    "hypertune",
    "mir_eval",
    "note_seq",
    "pkg_resources",
    "pydub",
    "tensorflow_datasets",
)
# Test files that do not run without a module or a program.
NEEDS = {
    "metrics_test": ("mir_eval",),
    "prepare_tfrecord_lib_test": ("apache_beam", "pydub", "ffprobe"),
}
# Tests that fail on purpose, and the row of docs/ddsp-differences.md that says why.
CORRECTIONS = {
    "DecibelsConversionTest.test_equivalent_with_librosa": "`safe_log` jumps up at 0",
    "FiniteImpulseResponseTest.test_fft_convolve_checks_batch_size": "tensors of different batches",
    "FiniteImpulseResponseTest.test_fft_convolve_checks_number_of_frames": "frames fail",
    "ResampleTest.test_window_checks_for_downsampling": "frames fail",
    "ResampleTest.test_window_disallows_noninteger_upsampling_ratios": "frames fail",
}
N_STEPS = 8


class Mocks(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finder of modules that are not installed: every attribute of them is a mock."""

    def __init__(self, names):
        self.names = names

    def find_spec(self, name, path=None, target=None):
        is_one = any(name == each or name.startswith(f"{each}.") for each in self.names)
        return importlib.machinery.ModuleSpec(name, self, is_package=True) if is_one else None

    def create_module(self, spec):
        return mock.MagicMock(name=spec.name, __path__=[])

    def exec_module(self, module):
        # What they return counts in the tests.
        module.resource_filename = lambda name, path: str(
            Path(sys.modules[name].__file__).parent / path
        )
        module.as_numpy = lambda dataset: dataset.as_numpy_iterator()


class Result(unittest.TextTestResult):
    """Counts the tests that pass."""

    n_passed = 0

    def addSuccess(self, test):
        self.n_passed += 1


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--only", default="", help="part of the names of test files or tutorials")
    parser.add_argument("--reference", action="store_true", help="run the checkout's own ddsp")
    options = parser.parse_args(arguments)
    if not (options.checkout / "ddsp" / "core.py").is_file():
        parser.error(f"{options.checkout}: expected a checkout of ddsp")
    use(options.checkout, options.reference)
    rows, undocumented = [], []
    for path in sorted((options.checkout / "ddsp").rglob("*_test.py")):
        name = ".".join(path.relative_to(options.checkout).with_suffix("").parts)
        if options.only in name:
            row, failures = run_tests(name)
            rows.append(row)
            undocumented += failures
    for path in sorted((options.checkout / "ddsp/colab/tutorials").glob("[0-4]_*.ipynb")):
        if options.only in path.stem:
            row, failures = run_tutorial(path)
            rows.append(row)
            undocumented += failures
    print(common.table(["tests or tutorial", "passed", "corrections", "failed"], rows))
    return int(bool(undocumented))


def use(checkout, reference):
    """Make `import ddsp` import the compatible namespace, or the checkout."""
    os.environ["MPLBACKEND"] = "Agg"
    flags.FLAGS([sys.argv[0]])
    sys.meta_path.append(Mocks((*OPTIONAL, "crepe") if reference else OPTIONAL))
    if reference:
        os.environ["TF_USE_LEGACY_KERAS"] = "1"
        sys.path.insert(0, str(checkout.resolve()))
        return
    import synths.compat.ddsp as ddsp

    ddsp.import_as_ddsp()
    ddsp.register_with_gin()
    ddsp.__path__.append(str(checkout.resolve() / "ddsp"))


def is_installed(name):
    """Whether a program or a module is there, and no mock."""
    spec = None if shutil.which(name) else importlib.util.find_spec(name)
    return bool(shutil.which(name)) or spec is not None and not isinstance(spec.loader, Mocks)


def run_tests(name):
    """Run a test file; returns (row of the table, failures that no correction explains)."""
    missing = [each for each in NEEDS.get(name.rpartition(".")[2], ()) if not is_installed(each)]
    if missing:
        return [name, "-", "-", f"needs {', '.join(missing)}"], []
    suite = unittest.defaultTestLoader.loadTestsFromModule(importlib.import_module(name))
    with contextlib.redirect_stdout(io.StringIO()):
        result = unittest.TextTestRunner(io.StringIO(), resultclass=Result).run(suite)
    wrong = result.failures + result.errors
    failed = {test.id().removeprefix(f"{name}."): text for test, text in wrong}
    explained = {test: row for test in failed for key, row in CORRECTIONS.items() if key in test}
    for test in sorted(failed):
        print(f"{name}: {test}: {explained.get(test, failed[test])}", flush=True)
    undocumented = sorted(failed.keys() - explained.keys())
    counts = (result.n_passed, len(explained), len(undocumented))
    return [name, *map(str, counts)], undocumented


def run_tutorial(path):
    """Run the cells of a notebook in order, as `run_tests`."""
    namespace = {"__name__": "__main__"}
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    failed = []
    gin.clear_config()
    replace_recordings()
    for i, cell in enumerate(code):
        lines = [line for line in cell.splitlines() if line[:1] not in ("%", "!")]
        text = "\n".join(lines).replace("range(300)", f"range({N_STEPS})")
        # Ambiguous on ddsp as well: ddsp.training registers the Add of Keras, too.
        text = text.replace("@Add()", "@processors.Add()")
        out = io.StringIO()
        try:
            with contextlib.redirect_stdout(out):
                exec(compile(text, f"{path.name}, code cell {i}", "exec"), namespace)
        except Exception:
            failed.append(f"{path.name}: code cell {i}")
            traceback.print_exc()
        if "train_step" in cell:
            print(out.getvalue(), end="", flush=True)
        close_figures()
    return [path.stem, str(len(code) - len(failed)), "0", str(len(failed))], failed


def close_figures():
    from matplotlib import pyplot

    pyplot.close("all")


def replace_recordings():
    """Replace NSynth and the microphone by a synthetic note of four seconds."""
    import tensorflow as tf

    colab_utils = importlib.import_module("ddsp.colab.colab_utils")
    data = importlib.import_module("ddsp.training.data")
    seconds = np.arange(64000) / 16000
    audio = sum(np.sin(2 * np.pi * 330 * k * seconds) / k for k in range(1, 8))
    audio = np.float32(0.2 * np.exp(-seconds) * audio)
    frames = np.ones(1000, np.float32)
    note = {"audio": audio, "f0_hz": 330 * frames, "f0_confidence": frames}
    note["loudness_db"] = np.linspace(-30, -60, 1000, dtype=np.float32)
    data.NSynthTfds.get_dataset = lambda *_, **__: tf.data.Dataset.from_tensors(note).repeat()
    colab_utils.record = lambda *_, **__: audio


if __name__ == "__main__":
    sys.exit(main())
