"""Every reader, fuzzed briefly: what it is given is read, or refused in one line.

`make fuzz` goes on for longer. What it finds becomes a test of `tests/hostile`.
"""

import warnings

import pytest

pytest.importorskip("hypothesis", reason="pip install hypothesis")
pytest.importorskip("mido", reason="needs the extra midi")
pytest.importorskip("starlette", reason="needs the extra studio")

import hypothesis

from tests.fuzz import strategies
from tests.fuzz.targets import TARGETS

# Loading a config builds gin's registry anew.
EXAMPLES = {"config_file": 25, "controls_file": 40, "midi_file": 60, "studio_request": 60}


@pytest.mark.parametrize("name", TARGETS)
def test_it_is_read_or_refused_in_one_line(name):
    target = TARGETS[name]

    @hypothesis.settings(
        max_examples=EXAMPLES.get(name, 100),
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(strategies.inputs(name))
    def one(data):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            target(data)

    one()


@pytest.mark.parametrize("name", TARGETS)
def test_good_inputs_are_accepted(name):
    for data in TARGETS[name].seeds():
        TARGETS[name].read(data)
