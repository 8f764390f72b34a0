"""Turns, medians and memory of the measurements; no test depends on how fast the machine is."""

import sys
import time

import numpy as np
import pytest

from noisygan.benchmarks import machine, measures


def test_contestants_take_turns():
    called = []
    calls = {name: lambda name=name: called.append(name) for name in "ab"}
    found = measures.interleaved_seconds(calls, 3, turn_seconds=0.0)
    assert called == ["a", "a", "b", "b"] + ["a", "b"] * 3
    assert set(found) == {"a", "b"} and all(value > 0.0 for value in found.values())


def test_a_turn_is_filled_and_the_median_counts(monkeypatch):
    now = 0.0
    costs = iter([9.0, 0.01, *[0.01] * 5, *[0.02] * 5, *[5.0] * 5])

    def call():
        nonlocal now
        now += next(costs)

    monkeypatch.setattr(time, "perf_counter", lambda: now)
    found = measures.interleaved_seconds({"a": call}, 3, turn_seconds=0.05)
    assert found["a"] == pytest.approx(0.02)
    assert next(costs, None) is None


def test_the_wait_counts(monkeypatch):
    now = 0.0

    def wait():
        nonlocal now
        now += 3.0

    monkeypatch.setattr(time, "perf_counter", lambda: now)
    assert measures.interleaved_seconds({"a": lambda: None}, 1, 0.0, wait) == {"a": 3.0}


@pytest.mark.skipif(sys.platform != "linux", reason="the high-water mark is Linux's")
def test_peak_memory_is_what_a_call_holds():
    def call():
        block = np.ones(4_000_000)
        return float(block[0])

    assert measures.peak_extra_bytes(call) == pytest.approx(32e6, rel=0.1)
    # Set back in between: a smaller call afterwards is not credited with the larger one.
    assert measures.peak_extra_bytes(lambda: np.ones(1_000_000)) == pytest.approx(8e6, rel=0.3)


def test_the_machine_is_described_without_names_of_hosts_or_folders():
    facts = machine.facts()
    text = machine.described(facts)
    assert facts["cores"] >= 1
    assert facts["processor"] in text and f"tensorflow {facts['tensorflow']}" in text
    assert "/" not in text.replace(facts["processor"], "")


def test_a_package_that_is_absent_has_no_version():
    assert machine.version("no-such-package-at-all") is None
    assert machine.version("numpy") == np.__version__
