"""Measuring, measuring again and leaving out of runs, with a fake measurement."""

import json
import pathlib
import types

import numpy as np
import pytest

from noisygan.comparison import comparing, measuring
from noisygan.comparison.systems import Progress, System
from noisygan.errors import RunError, UsageError
from noisygan.evaluation import measures
from noisygan.evaluation.report import FORMAT, Metric, Result
from noisygan.run import Run

SYSTEMS = [
    System(name, "", None, {seed: pathlib.Path("runs", f"{name}-{seed}")})
    for name, seed in (("good", 0), ("other", 3))
]
ENTRIES = [
    Result(Metric(name, "g"), 1.0, floor=0.0).as_json() for name in ("diversity", measures.MMD)
]


@pytest.fixture(autouse=True)
def steps(monkeypatch):
    """Training steps of each run by the name of its folder, 5 unless set."""
    found = {}

    def load(run_dir):
        return types.SimpleNamespace(step=found.get(run_dir.name, 5))

    monkeypatch.setattr(measuring, "load", load)
    return found


def held_out(fingerprint="f", n_samples=100, embedding="CREPE"):
    splits = types.SimpleNamespace(
        fingerprint=fingerprint,
        test=types.SimpleNamespace(audio=np.zeros((5, n_samples))),
        train=[0] * 7,
        warnings=["few recordings"],
    )
    reference = types.SimpleNamespace(embedding_names=[embedding])
    return types.SimpleNamespace(splits=splits, reference=reference)


@pytest.fixture
def measured(monkeypatch, steps):
    """List of the systems that were measured; those in its attribute `bad` fail."""

    class Names(list):
        bad = ()

    names = Names()

    def measure(held_out, system, seed, out_dir, n, n_pitch, progress=None):
        names.append(system.name)
        if system.name in names.bad:
            raise ValueError("two\nlines")
        out_dir.mkdir(parents=True, exist_ok=True)
        facts = {
            "format": FORMAT,
            "step": steps.get(f"{system.name}-{seed}", 5),
            "reference": {"fingerprint": held_out.splits.fingerprint},
            "n_samples": held_out.splits.test.audio.shape[1],
            "n": {"train": len(held_out.splits.train)},
            "embeddings": held_out.reference.embedding_names,
            "conditions": [],
        }
        (out_dir / "evaluation.json").write_text(json.dumps(facts))

    monkeypatch.setattr(measuring, "measure", measure)
    return names


def measure_all(out, against, lines=None):
    state = Progress(out, {})
    log = (lines if lines is not None else []).append
    list(comparing.measure_all(SYSTEMS, state, against, out, 8, 0, log))
    return comparing.failures(SYSTEMS, state)


def test_a_failing_run_stops_no_other_and_is_tried_again(measured, tmp_path):
    measured.bad = ("good",)
    assert measure_all(tmp_path / "out", held_out()) == {("good", 0): "ValueError: two lines"}
    measured.bad = ()
    for _ in range(2):
        assert measure_all(tmp_path / "out", held_out()) == {}
    assert measured == ["good", "other", "good"]


@pytest.mark.parametrize(
    "against", [held_out("g"), held_out(n_samples=90), held_out(embedding="other")]
)
def test_changed_recordings_and_runs_are_measured_again(measured, steps, against, tmp_path):
    measure_all(tmp_path / "out", held_out())
    lines = []
    measure_all(tmp_path / "out", against, lines)
    assert measured == ["good", "other"] * 2 and measuring.CHANGED in lines[0]
    measure_all(tmp_path / "out", against)
    assert len(measured) == 4
    steps["other-3"] = 9
    measure_all(tmp_path / "out", against)
    assert measured[4:] == ["other"]


def test_metrics_of_another_version_are_measured_again(measured, tmp_path):
    measure_all(tmp_path / "out", held_out())
    path = comparing.folder_of(tmp_path / "out", SYSTEMS[1], 3) / "evaluation.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": FORMAT - 1}))
    lines = []
    measure_all(tmp_path / "out", held_out(), lines)
    assert measured == ["good", "other", "other"] and measuring.CHANGED in lines[0]


@pytest.mark.parametrize("content", [None, "{", '{"step": 5, "reference": 1}'])
def test_damaged_metrics_are_measured_again(measured, content, tmp_path):
    measure_all(tmp_path / "out", held_out())
    path = comparing.folder_of(tmp_path / "out", SYSTEMS[1], 3) / "evaluation.json"
    path.unlink()
    if content:
        path.write_text(content)
    lines = []
    assert measure_all(tmp_path / "out", held_out(), lines) == {}
    assert measured == ["good", "other", "other"] and measuring.LOST in lines[0]


def test_no_table_is_written_of_a_run_that_is_measured_again(measured, tmp_path):
    measure_all(tmp_path / "out", held_out())
    state = Progress(tmp_path / "out", {})
    (comparing.folder_of(tmp_path / "out", SYSTEMS[1], 3) / "evaluation.json").unlink()
    written = []
    for system, _ in comparing.measure_all(
        SYSTEMS, state, held_out(), tmp_path / "out", 8, 0, lambda line: None
    ):
        done = [
            s.name for s in SYSTEMS for seed in s.run_dirs if state.get(f"measured {s.name}-{seed}")
        ]
        written.append((system.name, done))
    assert written == [("good", ["good"]), ("other", ["good", "other"])]


def test_one_budget_and_the_newest_weights_are_compared(tmp_path):
    with pytest.raises(UsageError, match="minutes and steps"):
        comparing.compare(["runs/notes.gin"], "data", tmp_path / "out", minutes=1, steps=2)
    run = Run.__new__(Run)
    run.path, run.checkpoint = tmp_path / "run", "snapshots/ckpt-5"
    with pytest.raises(UsageError, match="run at a chosen checkpoint"):
        comparing.compare([run], "data", tmp_path / "out")


def test_what_was_not_trained_is_not_measured(measured, tmp_path):
    state = Progress(tmp_path / "out", {})
    state.set("trained good-0", "no memory")
    assert measure_all(tmp_path / "out", held_out()) == {("good", 0): "no memory"}
    assert measured == ["other"]
    state.set("trained other-3", "neither")
    with pytest.raises(RunError, match="nothing to measure: no memory"):
        measure_all(tmp_path / "out", held_out())


def test_tables_have_the_warnings_of_each_run(tmp_path):
    state = Progress(tmp_path / "out", {})
    seen = "good-0 was trained on the held-out recordings too"
    for system, own, end in zip(SYSTEMS, ([seen], []), (60.0, 90.0), strict=True):
        (seed,) = system.run_dirs
        state.set(f"measured {system.name}-{seed}")
        folder = comparing.folder_of(tmp_path / "out", system, seed)
        folder.mkdir(parents=True)
        curve = [{"seconds": end, "step": 1, "values": {measures.MMD: 1.0}}]
        content = {"metrics": ENTRIES, "warnings": ["few recordings", *own], "curve": curve}
        content["conditions"] = ["pitch"] if system.name == "good" else []
        (folder / "evaluation.json").write_text(json.dumps(content))
    facts = {"title": "two", "command": "noisygan compare", "facts": []}
    out = tmp_path / "out"
    data = comparing.write(SYSTEMS, state, held_out(), out, facts, with_page=False)
    unequal = "the systems were not trained for equal times: good 60 s, other 90 s"
    assert data["warnings"] == ["few recordings", unequal, f"good: {seen}"]
    assert [system["seeds"] for system in data["systems"]] == [[0], [3]]
    report = (out / "report.md").read_text()
    assert seen in report and "| good | other (unconditional) |" in report
    found = comparing.Comparison(out, data)
    assert found.systems == ["good", "other"] and found.value("good", measures.MMD) == 1.0
    assert data["systems"][1]["curves"][0][0]["value"] == 1.0
    with pytest.raises(KeyError, match="no such metric"):
        found.value("good", "no such metric")
    # MMD orders systems that have no pitch, so it is the first metric and a main one.
    assert [(m["name"], m["headline"]) for m in data["metrics"]] == [
        (measures.MMD, True),
        ("diversity", False),
    ]
    assert found._repr_html_().count("<tr>") == 2
