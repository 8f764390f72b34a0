"""What a comparison measures, measures again and leaves out, with a measurement that is none."""

import json
import pathlib
import types

import numpy as np
import pytest
import tensorflow as tf

from noisygan.comparison import comparing, measuring
from noisygan.comparison.systems import Progress, System
from noisygan.data.dataset import Recordings
from noisygan.demo import notes_folder
from noisygan.errors import RunError, UsageError
from noisygan.evaluation import sources
from noisygan.evaluation.results import Metric, Result
from noisygan.training.checkpoints import Checkpoints

SYSTEMS = [
    System(name, "", None, {seed: pathlib.Path("runs", f"{name}-{seed}")})
    for name, seed in (("good", 0), ("other", 3))
]


@pytest.fixture(autouse=True)
def _trained(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for system in SYSTEMS:
        train(*system.run_dirs.values(), 5)


def train(run_dir, step):
    checkpoints = run_dir / "checkpoints"
    checkpoints.mkdir(parents=True, exist_ok=True)
    for name in ("config.gin", "run.json"):
        (run_dir / name).write_text("{}")
    Checkpoints(checkpoints, {"step": tf.Variable(step)}).save(step)


def held(fingerprint="f", n_samples=100):
    test = types.SimpleNamespace(audio=np.zeros((5, n_samples)))
    return types.SimpleNamespace(
        parts=types.SimpleNamespace(fingerprint=fingerprint, test=test, train=[0] * 7)
    )


@pytest.fixture
def measured(monkeypatch):
    """List of the systems that were measured; those in its attribute `bad` fail."""

    class Names(list):
        bad = ()

    names = Names()

    def measure(held, system, seed, out_dir, n, n_pitch, self_test):
        names.append(system.name)
        if system.name in names.bad:
            raise ValueError("two\nlines")
        out_dir.mkdir(parents=True, exist_ok=True)
        facts = {
            "step": 5,
            "reference": {"fingerprint": held.parts.fingerprint},
            "n_samples": held.parts.test.audio.shape[1],
            "n": {"train": len(held.parts.train)},
        }
        (out_dir / "evaluation.json").write_text(json.dumps(facts))

    monkeypatch.setattr(measuring, "measure", measure)
    return names


def measure_all(out, against, said=None):
    progress = Progress(out, {})
    say = (said if said is not None else []).append
    list(comparing.measure_all(SYSTEMS, progress, against, out, 8, 0, False, say))
    return comparing.failures(SYSTEMS, progress)


def test_a_fault_of_one_stops_no_other_and_is_tried_again(measured, tmp_path):
    measured.bad = ("good",)
    assert measure_all(tmp_path / "out", held()) == {("good", 0): "ValueError: two lines"}
    assert measured == ["good", "other"]
    measured.bad = ()
    assert measure_all(tmp_path / "out", held()) == {}
    assert measured == ["good", "other", "good"]
    measure_all(tmp_path / "out", held())
    assert len(measured) == 3


@pytest.mark.parametrize("against", [held("g"), held(n_samples=90)])
def test_figures_of_other_recordings_are_measured_again(measured, against, tmp_path):
    measure_all(tmp_path / "out", held())
    said = []
    measure_all(tmp_path / "out", against, said)
    assert measured == ["good", "other"] * 2
    assert said[0] == "good, seed 0: it or the recordings have changed since measured"
    measure_all(tmp_path / "out", against)
    assert len(measured) == 4


def test_a_run_that_was_trained_further_is_measured_again(measured, tmp_path):
    measure_all(tmp_path / "out", held())
    train(*SYSTEMS[1].run_dirs.values(), 9)
    measure_all(tmp_path / "out", held())
    assert measured == ["good", "other", "other"]


@pytest.mark.parametrize("content", [None, "{", "[]", '{"step": 5}', '{"step": 5, "reference": 1}'])
def test_figures_that_are_lost_or_damaged_are_measured_again(measured, content, tmp_path):
    measure_all(tmp_path / "out", held())
    path = comparing.folder_of(tmp_path / "out", "other-3") / "evaluation.json"
    path.unlink()
    if content:
        path.write_text(content)
    Progress(tmp_path / "out", {}).set("self-test", {"metrics": {}})
    said = []
    assert measure_all(tmp_path / "out", held(), said) == {}
    assert measured == ["good", "other", "other"]
    assert said[0] == "other, seed 3: its figures are lost or damaged"
    assert Progress(tmp_path / "out", {}).get("self-test")


@pytest.mark.parametrize("metrics", [3, [3], [{}], [{"name": "d", "group": "g", "odd": 1}]])
def test_damaged_figures_are_told_when_the_table_is_written(metrics, tmp_path):
    (tmp_path / "evaluation.json").write_text(json.dumps({"metrics": metrics}))
    with pytest.raises(UsageError, match=r"evaluation\.json holds no figures"):
        measuring.results_of([tmp_path], {})


def test_damaged_figures_of_several_seeds(tmp_path):
    entry = Result(Metric("distance", "g", headline=True), 1.0, floor=0.0).as_json()
    folders = [tmp_path / "a-0", tmp_path / "a-1"]
    for folder, metrics in zip(folders, ([entry], [entry | {"value": "much"}]), strict=True):
        folder.mkdir()
        content = {"metrics": metrics, "curve": [], "warnings": []}
        (folder / "evaluation.json").write_text(json.dumps(content))
    with pytest.raises(UsageError, match="of a-0, a-1 can't be joined"):
        measuring.results_of(folders, {})
    (folders[0] / "evaluation.json").write_text(json.dumps({**content, "curve": 3}))
    with pytest.raises(UsageError, match="holds no figures"):
        measuring.results_of(folders[:1], {})


def test_what_was_not_trained_is_not_measured(measured, tmp_path):
    progress = Progress(tmp_path / "out", {})
    progress.set("trained good-0", {"failed": "no memory"})
    assert measure_all(tmp_path / "out", held()) == {("good", 0): "no memory"}
    assert measured == ["other"]
    progress.set("trained other-3", {"failed": "nor here"})
    with pytest.raises(RunError, match="nothing to measure: no memory"):
        measure_all(tmp_path / "out", held())


def test_what_is_wrong_with_one_runs_sounds_is_said_in_the_table(tmp_path):
    progress = Progress(tmp_path / "out", {})
    heard = "good-0 was trained on the held-out recordings too"
    for system, own in zip(SYSTEMS, ([heard], []), strict=True):
        (seed,) = system.run_dirs
        progress.set(f"measured {system.name}-{seed}", {"failed": None})
        entry = Result(Metric("distance", "g", headline=True), 1.0, floor=0.0).as_json()
        folder = comparing.folder_of(tmp_path / "out", f"{system.name}-{seed}")
        folder.mkdir(parents=True)
        curve = [{"seconds": 60.0, "step": 1, "value": 1.0}]
        facts = {"metrics": [entry], "warnings": ["few recordings", *own], "curve": curve}
        (folder / "evaluation.json").write_text(json.dumps(facts))
    ladder = {"noise": {"ordered": False, "values": [1.0]}}
    progress.set("self-test", {"ladders": {}, "metrics": {"distance": ladder}})
    against = held()
    against.warnings = ["few recordings"]
    facts = {"title": "two", "command": "noisygan compare", "facts": []}
    data = comparing.write(SYSTEMS, progress, against, tmp_path / "out", facts, with_page=False)
    assert data["warnings"] == ["few recordings", f"good: {heard}"]
    # Tested after they were measured.
    assert data["metrics"][0]["wrong_order"] == "noise"
    assert [system["seeds"] for system in data["systems"]] == [[0], [3]]
    assert heard in (tmp_path / "out" / "report.md").read_text()


def test_finished_runs_of_other_times_are_named():
    def curves(*seconds):
        return [[{"seconds": 1.0}, {"seconds": s}] for s in seconds]

    systems = {"finished": SYSTEMS[0], "here": System("here", "", "here.gin", {})}
    unequal = comparing._unequal_times
    assert unequal(systems, {"finished": curves(60.0), "here": curves(61.0)}) == []
    assert unequal(systems, {"finished": curves(60.0), "here": curves(61.0, 90.0)}) == [
        "the systems were not trained for equal times: finished 60 s, here 61 s and 90 s"
    ]
    assert unequal(systems, {"here": curves(61.0, 90.0)}) == []


def test_the_page_shows_recordings_that_sounds_are_asked_for_like():
    folders = types.SimpleNamespace(
        train=notes_folder() / "nsynth-test", held_out=notes_folder() / "nsynth-train", note=""
    )
    found = measuring.read({"a": Recordings(n_samples=2000)}, folders, 8)
    asked = sources.chosen_rows(len(found.parts.test), 8)
    assert len(found.parts.test) > 16 and len(found.columns) == measuring.N_COLUMNS
    assert set(found.columns) <= set(asked)


def test_systems_of_one_rate_are_read_as_the_shortest():
    short, long = Recordings(n_samples=2000), Recordings(n_samples=3000)
    assert measuring.common_recordings({"a": long, "b": short}) is short
    faded = Recordings(n_samples=2000, fade_out_seconds=0.01)
    for order in ((short, faded, long), (long, faded, short)):
        assert measuring.common_recordings(dict(zip("abc", order, strict=True))) is faded
    other = Recordings(sample_rate=44100, n_samples=2000)
    with pytest.raises(UsageError, match=r"16000 Hz \(a\), 44100 Hz \(b\); expected one rate"):
        measuring.common_recordings({"a": short, "b": other})
