"""Writes the pinned versions for the Python that runs this: constraints/pyXY.txt.

    make constraints               with the Python of .venv
    python constraints/freeze.py   with any other; it needs pip and a network, installs nothing

pip resolves noisygan with every extra, beginning from the versions already pinned, so that only
what setup.py asks for anew moves. `--fresh` begins from nothing. Only names and versions are
written: where packages come from is pip's configuration.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
EXTRAS = "beam,crepe,dev,docs,export,gpu,litert,midi,notebook,studio"


def resolve(start):
    """Versions that pip would install, as {name: version}.

    Args:
      start: Path of a constraints file to begin from, or None.
    """
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run"]
        command += ["--ignore-installed", "--report", str(report), f"{HERE.parent}[{EXTRAS}]"]
        command += ["--constraint", str(start)] if start else []
        subprocess.run(command, check=True)
        found = [item["metadata"] for item in json.loads(report.read_text())["install"]]
    pins = {re.sub(r"[-_.]+", "-", data["name"]).lower(): data["version"] for data in found}
    del pins["noisygan"]
    return {name: version.partition("+")[0] for name, version in pins.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fresh", action="store_true", help="ignore the versions pinned so far")
    parser.add_argument("--start", type=Path, help="begin from this constraints file")
    arguments = parser.parse_args()
    path = HERE / "py{}{}.txt".format(*sys.version_info)
    start = arguments.start or (path if path.exists() and not arguments.fresh else None)
    pins = resolve(start)
    lines = [f"{name}=={version}\n" for name, version in sorted(pins.items())]
    heading = "# Tried together on Python {}.{}; made by constraints/freeze.py.\n"
    path.write_text(heading.format(*sys.version_info) + "".join(lines), encoding="utf-8")
    print(f"{path}: {len(lines)} pins")


if __name__ == "__main__":
    main()
