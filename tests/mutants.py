"""Changes the code on purpose, place by place, and lists the changes that no test notices.

    make mutants MODULE=synths/units.py
    python -m tests.mutants synths/units.py --tests "tests/unit/test_synths_units.py"

By cosmic-ray (`pip install cosmic-ray`), in a copy of the checkout; every mutant is a run of the
tests. Without --tests it is the test file that is named after the module. A mutant that survives
is looked at by a person: either a test is missing, or the change changes nothing that counts.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

CONFIG = """
[cosmic-ray]
module-path = "{module}"
timeout = 120.0
excluded-modules = []
test-command = "{python} -m pytest -q -x -p no:randomly -p no:cacheprovider {tests}"
[cosmic-ray.distributor]
name = "local"
"""


def named_after(module):
    """The test file of a module: synths/units.py has tests/unit/test_synths_units.py."""
    parts = [part for part in Path(module).with_suffix("").parts if part != "noisygan"]
    return f"tests/unit/test_{'_'.join(parts)}.py"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("module", help="path of a module, such as synths/units.py")
    parser.add_argument("--tests", help="files of tests (default: that named after the module)")
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
        config = CONFIG.format(module=arguments.module, tests=tests, python=sys.executable)
        Path(copy, "mutants.toml").write_text(config)
        for step in ("baseline mutants.toml", "init mutants.toml m.sqlite"):
            subprocess.run([cosmic_ray, *step.split()], cwd=copy, check=True)
        subprocess.run([cosmic_ray, "exec", "mutants.toml", "m.sqlite"], cwd=copy, check=True)
        reporter = shutil.which("cr-report")
        report = subprocess.run(
            [reporter, "m.sqlite", "--show-diff", "--surviving-only"],
            cwd=copy,
            check=True,
            capture_output=True,
            text=True,
        )
    print(report.stdout)


if __name__ == "__main__":
    main()
