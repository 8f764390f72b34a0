"""The examples of docs/synths.md that say how code for ddsp, and gin files, find their names.

All examples run in tests/cli/test_readme.py; these two are quick.
"""

import re
from pathlib import Path

import gin
import numpy as np
import pytest

PAGE = Path(__file__).parents[2] / "docs" / "synths.md"


def run(word):
    """Run the example that contains a word and return its names."""
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    (block,) = [block for block in blocks if word in block]
    names = {}
    exec(compile(block, str(PAGE), "exec"), names)
    return names


def test_code_that_says_ddsp():
    names = run("import synths.compat.ddsp")
    assert names["audio"].shape == (1, 16000)
    assert np.isfinite(names["loss"])


@pytest.fixture
def empty_gin():
    gin.clear_config()
    yield
    gin.clear_config()


def test_gin(empty_gin):
    group = run("gin.parse_config")["group"]
    assert group.module_names == ["harmonic", "filtered_noise", "add"]
    inputs = dict.fromkeys(("amps", "f0_hz"), np.full((1, 5, 1), 100.0, np.float32))
    inputs |= dict.fromkeys(
        ("harmonic_distribution", "noise_magnitudes"), np.zeros((1, 5, 9), np.float32)
    )
    assert group(inputs).shape == (1, 16000)
