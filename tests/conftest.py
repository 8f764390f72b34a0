"""Shared by all tests: quiet libraries, no display, and markers that skip visibly."""

import contextlib
import os
import shutil
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("MPLBACKEND", "Agg")

# After the environment: TensorFlow and matplotlib read it when they are imported.
import numpy as np
import pytest
import soundfile

TINY = Path(__file__).parent / "configs" / "tiny.gin"
SMALL_DRUMS = (
    "n_samples = 4096",
    "seconds = 0.0928798",
    "Statistics.moments_seconds = (0.0, 0.03)",
    "MFCCDiscriminator.n_filters = (4, 4)",
    "SpectrogramDiscriminator.n_filters = (4, 4)",
    "Hybrid.frame_rate = 200.0",
    "Trainer.batch_size = 2",
)


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
    """Seed Keras, TensorFlow and NumPy before every test."""
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


@contextlib.contextmanager
def untraced():
    """Run TensorFlow's functions as plain Python: a step or two are quicker taken than traced."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture
def eagerly():
    """TensorFlow's functions run as plain Python."""
    with untraced():
        yield


@pytest.fixture(scope="module")
def unoptimized():
    """Disable graph optimization, which takes longer than these tests' few runs save.

    For a module, since graphs are made anew when it changes.
    """
    import tensorflow as tf

    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    yield
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": False})


@pytest.fixture
def quick_metrics(monkeypatch):
    """Evaluations whose classifiers hardly learn and whose times are rough."""
    monkeypatch.setattr("noisygan.metrics.classifiers.N_STEPS", 2)
    monkeypatch.setattr("noisygan.evaluation.cost.N_REPEATS", 1)
    monkeypatch.setattr("noisygan.evaluation.cost.BATCH_SIZES", (1,))


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


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """Folder of a run of three steps of the tiny config on the bundled notes."""
    run_dir = tmp_path_factory.mktemp("trained") / "tiny"
    from noisygan.cli.main import main
    from noisygan.demo import notes_folder

    command = ["train", "--no_report", "--gin_file", str(TINY), "--data", str(notes_folder())]
    with untraced():
        assert main([*command, "--run_dir", str(run_dir), "--steps", "3", "--seed", "7"]) == 0
    return run_dir


@pytest.fixture(scope="session")
def kit(tmp_path_factory):
    """Folder of a run of two steps on the bundled drums."""
    from noisygan.cli.main import main
    from noisygan.demo import drums_folder

    run_dir = tmp_path_factory.mktemp("drums") / "kit"
    params = [word for binding in SMALL_DRUMS for word in ("--gin_param", binding)]
    command = ["train", "--no_report", "--gin_file", "runs/drums_small.gin"]
    command += ["--data", str(drums_folder())]
    with untraced():
        assert main([*command, *params, "--run_dir", str(run_dir), "--steps", "2"]) == 0
    return run_dir


@pytest.fixture(scope="session")
def tagged(tmp_path_factory):
    """Folder of a run of two steps on `notes` beside it, with the tags mic and bright."""
    import noisygan

    folder = tmp_path_factory.mktemp("tagged")
    times, rows = np.arange(8000) / 16000, ["file,mic,bright"]
    (folder / "notes").mkdir()
    for i in range(8):
        name, hz = f"tone-{60 + i:03d}-100.wav", 262 + 20 * i
        tone = np.sin(2 * np.pi * hz * times) + i / 10 * np.sin(6 * np.pi * hz * times)
        soundfile.write(folder / "notes" / name, 0.3 * tone * np.exp(-4 * times), 16000)
        rows.append(f"{name},{('close', 'far', 'far', '')[i % 4]},{i / 10 if i else ''}")
    (folder / "notes" / "recordings.csv").write_text("\n".join(rows))
    settings = {"steps": 2, "overrides": ["ConditionEncoder.tags = ['mic', 'bright']"], "seed": 1}
    with untraced():
        noisygan.train(TINY, folder / "notes", folder / "run", **settings)
    return folder / "run"


@pytest.fixture
def tiny():
    """Path of the tiny config."""
    return TINY
