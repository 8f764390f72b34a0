"""Changes the code on purpose, place by place, and lists the changes that no test notices.

    make mutants MODULE=synths/units.py
    python -m tests.mutants synths/units.py --tests "tests/unit/test_synths_units.py"

By cosmic-ray (`pip install cosmic-ray`), in a copy of the checkout; every mutant is a run of the
tests, in a fork of one process that has TensorFlow loaded, so Linux only. Without --tests it is the
test file that is named after the module. A mutant that survives is looked at by a person: either a
test is missing, or the change changes nothing that counts.
"""

import argparse
import compileall
import contextlib
import importlib
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from multiprocessing.connection import Listener
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

CONFIG = """
[cosmic-ray]
module-path = "{module}"
timeout = 180.0
excluded-modules = []
test-command = "{python} asks.py"
[cosmic-ray.distributor]
name = "local"
[cosmic-ray.filters.operators-filter]
exclude-operators = [
  # Floats know no bits: any test would notice.
  "core/ReplaceBinaryOperator_.*_(Mod|FloorDiv|Pow|LShift|RShift|BitOr|BitAnd|BitXor)",
]
"""
# Written into the copy; its exit status is that of the tests.
ASKS = """
import sys
from multiprocessing.connection import Client
with Client("tests.socket") as server:
    sys.exit(server.recv())
"""
SLOW_TO_IMPORT = ("tensorflow", "keras", "librosa", "numba", "soundfile", "pytest")
# A change may make a loop endless.
SECONDS_ALLOWED = 120


def named_after(module):
    """The test file of a module: synths/units.py has tests/unit/test_synths_units.py."""
    parts = [part for part in Path(module).with_suffix("").parts if part != "noisygan"]
    return f"tests/unit/test_{'_'.join(parts)}.py"


def run_tests(tests):
    """Runs the tests of the copy in a fork; their exit status."""
    child = os.fork()
    if child == 0:
        import pytest

        signal.alarm(SECONDS_ALLOWED)
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        os._exit(pytest.main(["-q", "-x", "--assert=plain", *tests.split()]))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def serve(copy, tests):
    """Runs the tests once for each client, in a process that has imported what takes long."""
    os.chdir(copy)
    sys.path.insert(0, str(copy))
    os.environ |= {"PYTHONPATH": str(copy), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    # All but the changed module is compiled already; that one is not to leave anything behind.
    compileall.compile_dir(copy, quiet=2)
    sys.dont_write_bytecode = True
    for name in SLOW_TO_IMPORT:
        importlib.import_module(name)
    with Listener("tests.socket") as listener:
        while True:
            # One that gave up waiting does not want its answer any more.
            with contextlib.suppress(OSError), listener.accept() as client:
                client.send(run_tests(tests))


def keep(n_mutants, work):
    """Skips all mutants of a cosmic-ray database but `n_mutants` of them, chosen at random."""
    from cosmic_ray.work_db import use_db
    from cosmic_ray.work_item import WorkerOutcome, WorkResult

    skipped = WorkResult(output="not chosen", worker_outcome=WorkerOutcome.SKIPPED)
    with use_db(work) as database:
        left = list(database.pending_work_items)
        random.Random(0).shuffle(left)
        for item in left[n_mutants:]:
            database.set_result(item.job_id, skipped)


def counted(work):
    """(mutants that were run, those of them that no test noticed) of a cosmic-ray database."""
    from cosmic_ray.work_db import use_db
    from cosmic_ray.work_item import TestOutcome, WorkerOutcome

    with use_db(work) as database:
        outcomes = [
            result.test_outcome
            for _, result in database.results
            if result.worker_outcome != WorkerOutcome.SKIPPED
        ]
    return len(outcomes), outcomes.count(TestOutcome.SURVIVED)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("module", help="path of a module, such as synths/units.py")
    parser.add_argument("--tests", help="files of tests (default: that named after the module)")
    parser.add_argument("--most", type=int, metavar="N", help="so many mutants, chosen at random")
    arguments = parser.parse_args()
    tests = arguments.tests or named_after(arguments.module)
    missing = [path for path in (arguments.module, *tests.split()) if not (ROOT / path).exists()]
    if missing:
        sys.exit(f"mutants: no {missing[0]}; expected paths below {ROOT.name}")
    cosmic_ray = shutil.which("cosmic-ray")
    if cosmic_ray is None:
        sys.exit("mutants: needs cosmic-ray, which is not installed; pip install cosmic-ray")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "noisygan")
        left_out = shutil.ignore_patterns(".git", ".venv", "runs", "build", "dist", "site")
        shutil.copytree(ROOT, copy, ignore=left_out)
        config = CONFIG.format(module=arguments.module, python=sys.executable)
        Path(copy, "mutants.toml").write_text(config)
        Path(copy, "asks.py").write_text(ASKS)
        server = multiprocessing.Process(target=serve, args=(copy, tests), daemon=True)
        server.start()
        while server.is_alive() and not Path(copy, "tests.socket").exists():
            server.join(0.1)
        for step in ("baseline mutants.toml", "init mutants.toml m.sqlite"):
            subprocess.run([cosmic_ray, *step.split()], cwd=copy, check=True)
        subprocess.run(["cr-filter-operators", "m.sqlite", "mutants.toml"], cwd=copy, check=True)
        if arguments.most:
            keep(arguments.most, copy / "m.sqlite")
        subprocess.run([cosmic_ray, "exec", "mutants.toml", "m.sqlite"], cwd=copy, check=True)
        server.terminate()
        report = subprocess.run(
            ["cr-report", "m.sqlite", "--show-diff", "--surviving-only"],
            cwd=copy,
            check=True,
            capture_output=True,
            text=True,
        )
        n_run, n_survived = counted(copy / "m.sqlite")
    # cosmic-ray's own totals count what was skipped.
    print(report.stdout.partition("total jobs:")[0])
    print(f"{arguments.module}: {n_run} mutants run, {n_survived} not noticed")


if __name__ == "__main__":
    main()
