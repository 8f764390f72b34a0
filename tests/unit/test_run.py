"""The Python API: a run is loaded, read and rendered in a few lines."""

import subprocess
import sys

import noisygan


def test_import_is_light():
    heavy = ["tensorflow", "keras", "numpy", "soundfile"]
    program = f"import sys, noisygan; print(*[m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.split() == [] and done.returncode == 0


def test_every_name_of_the_api_is_there():
    assert all(getattr(noisygan, name) is not None for name in noisygan.__all__)
    assert set(noisygan.__all__) <= set(dir(noisygan))
