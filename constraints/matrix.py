"""Installs the wheel on every supported Python and tries it, with the oldest and newest packages.

    make matrix
    python constraints/matrix.py --python /usr/bin/python3.12 --packages oldest

A cell of the matrix is a Python and a choice of packages: `newest` takes the newest that setup.py
allows, `oldest` the lower bounds that it names (uv resolves both). Each gets an environment of its
own, outside the checkout, which is removed again: `pip check`, commands on bundled sounds, those of
the extras too, and the tests of two synths. Needs a network, 4 GB of disk and some minutes a cell.
Exit code 1 if a cell fails; the table says which and where.
"""

import argparse
import ast
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from subprocess import PIPE

ROOT = Path(__file__).resolve().parents[1]
EXTRAS = ("export", "litert", "midi", "studio")
PYTHONS = ("python3.10", "python3.11", "python3.12", "python3.13")
TESTS = ("tests/unit/test_synths_harmonic.py", "tests/unit/test_synths_filtered_noise.py")

SONG = """
import mido
track = mido.MidiTrack()
track += [mido.Message("note_on", note=67), mido.Message("note_off", note=67, time=480)]
mido.MidiFile(tracks=[track]).save("song.mid")
"""
PLAYED = """
import glob, numpy, onnxruntime, soundfile
for path in glob.glob("**/*.wav", recursive=True):
    audio, sample_rate = soundfile.read(path)
    assert len(audio) and numpy.isfinite(audio).all() and abs(audio).max() > 0, path
onnxruntime.InferenceSession("onnx/audio.onnx")
import noisygan.studio.server
"""
# `{notes}` is the folder of the bundled notes; one line is one command.
COMMANDS = """
pip check
noisygan --help
noisygan configs
noisygan train --gin_file runs/demo.gin --data {notes} --run_dir run --steps 4
noisygan train --run_dir run --data {notes} --resume --steps 6
noisygan render --run_dir run --out_dir notes --pitch 67 --seconds 1 --stems --controls
noisygan play --run_dir run --midi song.mid --out song.wav
noisygan instrument --run_dir run --out_dir sfz --pitch 67 --velocity 100 --round_robins 1
noisygan match {note} --free --steps 2 --out_dir matched
noisygan prepare notes --data {notes} --out prepared
noisygan data prepared --verify
noisygan export --run_dir run --out onnx --format onnx --seconds 1
noisygan export --run_dir run --out lite --format litert --seconds 1
"""


def required():
    """What setup.py asks for, with the extras of the matrix: list of str."""
    tree = ast.parse((ROOT / "setup.py").read_text(encoding="utf-8"))
    values = {
        node.targets[0].id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    extras = ast.literal_eval(values["EXTRAS_REQUIRE"])
    asked = list(ast.literal_eval(values["INSTALL_REQUIRES"]))
    return asked + [line for extra in EXTRAS for line in extras[extra]] + ["pytest>=8"]


def pythons():
    """The supported Pythons of this machine: those on the path, else pyenv's."""
    found = []
    for name in PYTHONS:
        paths = [shutil.which(name)]
        root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
        version = name.removeprefix("python")
        paths += sorted(root.glob(f"versions/{version}.*/bin/{name}"), reverse=True)
        # pyenv's shims are on the path whether or not their Python is active.
        works = [
            p for p in paths if p and subprocess.run([p, "-c", ""], stderr=PIPE).returncode == 0
        ]
        found += works[:1]
    return found


class Cell:
    """A Python and a choice of packages.

    Args:
      python: Path of the Python.
      packages: oldest or newest.
      wheel: Path of noisygan's wheel.
      uv: Path of uv.
      folder: An empty folder of its own.
    """

    def __init__(self, python, packages, wheel, uv, folder):
        self.python, self.packages, self.wheel, self.uv = python, packages, wheel, uv
        self.folder = folder
        self.bin = folder / "env" / "bin"
        self.step = ""

    def run(self, *command, **kwargs):
        """Runs one step; CalledProcessError if it fails."""
        self.step = " ".join(map(str, command))[:100]
        environment = {**os.environ, "PATH": f"{self.bin}:{os.environ['PATH']}"}
        environment.pop("PYTHONPATH", None)
        subprocess.run(command, check=True, env=environment, **kwargs)

    def install(self):
        """Makes the environment."""
        self.run(self.python, "-m", "venv", self.folder / "env")
        resolution = {"oldest": "lowest-direct", "newest": "highest"}[self.packages]
        pins = self.folder / "pins.txt"
        self.run(
            *(self.uv, "pip", "compile", "--quiet", "--no-header", "--no-annotate"),
            *("--only-binary", ":all:", "--resolution", resolution),
            *("--python", self.bin / "python", "--output-file", pins, "-"),
            input="\n".join(required()).encode(),
            stdout=subprocess.DEVNULL,
        )
        wheel = f"{self.wheel}[{','.join(EXTRAS)}]"
        pip = (self.bin / "pip", "install", "--quiet", "--disable-pip-version-check")
        self.run(*pip, "--constraint", pins, wheel, "pytest", stderr=PIPE)

    def smoke(self):
        """Tries what was installed."""
        work = self.folder / "work"
        work.mkdir()
        where = "from noisygan.demo import notes_folder; print(notes_folder())"
        notes = subprocess.check_output([self.bin / "python", "-c", where], text=True, cwd=work)
        notes = Path(notes.strip())
        assert self.folder in notes.parents, f"{notes} is not the installed package"
        note = next(notes.rglob("*.flac"))
        self.run("python", "-c", SONG, cwd=work)
        for line in COMMANDS.strip().splitlines():
            filled = [word.format(notes=notes, note=note) for word in line.split()]
            self.run(*filled, cwd=work, stdout=subprocess.DEVNULL, stderr=PIPE)
        self.run("python", "-c", PLAYED, cwd=work)
        # Of the checkout's tests alone; the packages are the installed ones.
        shutil.copytree(ROOT / "tests", work / "tests")
        (work / "pytest.ini").write_text("[pytest]\nmarkers = slow: s\n  gpu: g\n  browser: b\n")
        self.run("python", "-m", "pytest", "-q", "--import-mode=importlib", *TESTS, cwd=work)

    def __call__(self):
        """(whether all went well, what to say of it)."""
        try:
            self.install()
            self.smoke()
        except subprocess.CalledProcessError as error:
            said = (error.stderr or b"").decode().strip().splitlines()
            return False, f"failed: {self.step}: {said[-1] if said else 'see above'}"
        pins = dict(line.split("==") for line in (self.folder / "pins.txt").read_text().split())
        shown = ("numpy", "keras", "librosa", "protobuf")
        return True, ", ".join(f"{name} {pins[name]}" for name in shown)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", action="append", help="(default: 3.10 to 3.13, as found)")
    parser.add_argument("--packages", choices=("oldest", "newest"), action="append")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        subprocess.run([sys.executable, "-m", "venv", scratch / "tools"], check=True)
        pip = [scratch / "tools/bin/pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "uv>=0.5", "setuptools>=77", "wheel"], check=True, stderr=PIPE)
        build = [pip[0], "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
        subprocess.run([*build, "--wheel-dir", scratch / "dist", ROOT], check=True)
        (wheel,) = (scratch / "dist").glob("noisygan-*.whl")
        failed = 0
        for python in arguments.python or pythons():
            version = subprocess.check_output([python, "--version"], text=True).split()[1]
            for packages in arguments.packages or ("oldest", "newest"):
                began = time.monotonic()
                folder = scratch / f"{version}-{packages}"
                folder.mkdir()
                good, text = Cell(python, packages, wheel, scratch / "tools/bin/uv", folder)()
                shutil.rmtree(folder)
                failed += not good
                seconds = time.monotonic() - began
                print(f"| {version} | {packages} | {text} | {seconds:.0f} s |", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
