"""Run ddsp's own tests, its training and its tutorials on `synths.compat.ddsp`.

    git clone https://github.com/magenta/ddsp
    python benchmarks/ddsp_tests.py ddsp

`import ddsp` in the tests imports `synths.compat.ddsp`; `ddsp.training` and `ddsp.colab` are the
checkout's. Modules that are not installed (note_seq, tensorflow_datasets, google.colab) are
replaced by mocks. `--reference` runs the checkout's own ddsp instead, on Keras 2 (tf_keras).
"""

import argparse
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
import traceback
import unittest
from pathlib import Path
from unittest import mock

from absl import flags

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

# Modules of ddsp.training and its tutorials that need not be installed.
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
TUTORIALS = (
    "0_processor",
    "1_synths_and_effects",
    "2_processor_group",
    "3_training",
    "4_core_functions",
)


class Mocks(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finder of modules that are not installed: any attribute of them is a mock."""

    def find_spec(self, name, path=None, target=None):
        is_optional = any(name == each or name.startswith(each + ".") for each in OPTIONAL)
        return importlib.machinery.ModuleSpec(name, self, is_package=True) if is_optional else None

    def create_module(self, spec):
        module = mock.MagicMock(name=spec.name)
        module.__path__ = []
        # The only function of the optional modules whose result counts.
        module.resource_filename = lambda name, path: str(
            Path(sys.modules[name].__file__).parent / path
        )
        return module

    def exec_module(self, module):
        pass


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--only", default="", help="part of the name of a test file or tutorial")
    parser.add_argument("--reference", action="store_true")
    options = parser.parse_args(arguments)
    if not (options.checkout / "ddsp" / "core.py").is_file():
        parser.error(f"{options.checkout}: expected a checkout of ddsp")
    use(options.checkout, options.reference)
    run_tests(options.checkout, options.only)


def use(checkout, reference):
    """Make `import ddsp` import the compatible namespace, or the checkout."""
    sys.meta_path.append(Mocks())
    flags.FLAGS([sys.argv[0]])
    if reference:
        os.environ["TF_USE_LEGACY_KERAS"] = "1"
        sys.path.insert(0, str(checkout))
        return
    import synths.compat.ddsp as ddsp

    ddsp.import_as_ddsp()
    ddsp.register_with_gin()
    ddsp.__path__.append(str(checkout / "ddsp"))


def run_tests(checkout, only):
    for path in sorted((checkout / "ddsp").rglob("*_test.py")):
        name = ".".join(path.relative_to(checkout).with_suffix("").parts)
        if only in name:
            print(name, *run_file(name), sep=" ", flush=True)


def run_file(name):
    try:
        module = importlib.import_module(name)
    except Exception:
        traceback.print_exc()
        return ("import failed",)
    suite = unittest.defaultTestLoader.loadTestsFromModule(module)
    result = unittest.TextTestRunner(verbosity=0).run(suite)
    return result.testsRun, len(result.failures), len(result.errors), len(result.skipped)


if __name__ == "__main__":
    main()
