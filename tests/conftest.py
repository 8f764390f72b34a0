"""What every test gets: quiet libraries, no display, and markers that skip visibly."""

import os
import shutil

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("MPLBACKEND", "Agg")

import pytest  # noqa: E402  (the environment is set before anything imports TensorFlow)


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


def _has_gpu():
    import tensorflow as tf

    return bool(tf.config.list_physical_devices("GPU"))
