"""What every test gets: quiet libraries, no display, and markers that skip visibly."""

import os
import shutil
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("MPLBACKEND", "Agg")

# After the environment: TensorFlow and matplotlib read it when they are imported.
import numpy as np
import pytest
import soundfile


def pytest_addoption(parser):
    parser.addoption("--slow", action="store_true", help="run the tests marked slow as well")


def pytest_collection_modifyitems(config, items):
    missing = {}
    if not config.getoption("--slow"):
        missing["slow"] = "slow: run with --slow"
    if any(item.get_closest_marker("gpu") for item in items) and not _has_gpu():
        missing["gpu"] = "no GPU that TensorFlow sees"
    if not any(shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")):
        missing["browser"] = "no Chromium on the PATH"
    for item in items:
        for marker, reason in missing.items():
            if item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(autouse=True)
def the_same_draws():
    """What a test draws is the same whatever ran before it; what wider fixtures draw is not."""
    if "keras" in sys.modules:
        sys.modules["keras"].utils.set_random_seed(0)


def _has_gpu():
    import tensorflow as tf

    return bool(tf.config.list_physical_devices("GPU"))


@pytest.fixture
def write_sound():
    """A function that writes an audio file, a sine unless samples are given, and returns its path.

    write_sound(path, samples=None, rate=16000, hz=440, n=800, subtype="PCM_16")
    """

    def write(path, samples=None, rate=16000, hz=440.0, n=800, subtype="PCM_16"):
        path.parent.mkdir(parents=True, exist_ok=True)
        if samples is None:
            samples = 0.5 * np.sin(2 * np.pi * hz * np.arange(n) / rate)
        soundfile.write(path, samples, rate, subtype=subtype)
        return path

    return write


@pytest.fixture
def eagerly():
    """TensorFlow's functions run as plain Python: a step or two are quicker taken than traced."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture
def chance_again():
    """Undoes what `--deterministic` sets for a whole process; nothing in TensorFlow's API does."""
    import numba
    import tensorflow as tf
    from tensorflow.python.framework import config
    from tensorflow.python.ops import gen_math_ops

    n_threads, add_n = numba.config.NUMBA_NUM_THREADS, gen_math_ops.add_n
    yield
    config.disable_op_determinism()
    tf.config.optimizer.set_experimental_options({"arithmetic_optimization": True})
    gen_math_ops.add_n = add_n
    numba.config.NUMBA_NUM_THREADS = n_threads
