"""Evaluation of arrays: every metric with floor and ceiling; none stops the others."""

import json
import types

import numpy as np
import pytest

from noisygan.data.dataset import AudioDataset
from noisygan.demo import notes_folder
from noisygan.errors import UsageError
from noisygan.evaluation import evaluating, measures, note_metrics
from noisygan.evaluation.evaluating import evaluate_one
from noisygan.evaluation.examples import Examples
from noisygan.evaluation.report import Metric, Report, Result, join_results
from noisygan.evaluation.splits import Splits
from noisygan.metrics import classifiers, pitch

RATE = 16000
N_SAMPLES = 4000


def hits(n, seed, noise=0.02, names=None):
    """Kicks (falling tones) and snares (noise), decaying."""
    rng = np.random.default_rng(seed)
    times = np.arange(N_SAMPLES) / RATE
    audio, labels = [], []
    for i in range(n):
        decay = np.exp(-times * rng.uniform(15, 40))
        if i % 2:
            labels.append("snare")
            sound = rng.normal(size=N_SAMPLES) * 0.2 + 0.4 * np.sin(2 * np.pi * 400 * times)
        else:
            labels.append("kick")
            hz = rng.uniform(80, 120) * (1 + 2 * np.exp(-times / 0.02))
            sound = np.sin(2 * np.pi * np.cumsum(hz) / RATE)
        audio.append(0.6 * sound * decay + noise * rng.normal(size=N_SAMPLES) * decay)
    return Examples(np.clip(audio, -1, 1), RATE, labels=labels, names=names)


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    monkeypatch.setattr(classifiers, "N_STEPS", 40)


@pytest.fixture(scope="module")
def splits():
    return Splits(hits(60, 0), hits(50, 1), "fingerprint")


@pytest.fixture(scope="module")
def reference(splits):
    return measures.Reference(splits.train, splits.test)


def evaluate(reference, splits, examples, **options):
    return evaluate_one(reference, splits, None, 50, 0, (examples, "made"), **options)


@pytest.fixture(scope="module")
def report(reference, splits):
    """Of examples that differ from the recordings by their noise."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(classifiers, "N_STEPS", 40)
        return evaluate(reference, splits, hits(50, 2, noise=0.2))


def test_every_metric_lies_between_floor_and_ceiling(report):
    missing = {r.metric.name: r.not_run for r in report.results if r.value is None}
    assert all("needed for" in reason for reason in missing.values()), missing
    for name in ("MMD^2 x 1000, log-mel", "MMD^2 x 1000, mfcc", "Frechet, log-mel"):
        r = report[name]
        assert r.floor < r.value < r.ceiling
        assert r.interval[0] <= r.value <= r.interval[1]
    assert report["descriptor distance"].floor < report["descriptor distance"].value
    assert report["two-sample accuracy"].value > 80 > report["two-sample accuracy"].floor
    assert report["accuracy on held-out recordings"].value > 90
    assert set(report["MMD^2 x 1000, log-mel"].per_class) == {"kick", "snare"}
    assert set(report["kick sweep distance"].per_class) == {"kick"}
    assert not any("pitch" in r.metric.name for r in report.results)
    assert report.results[0].metric.name == "MMD^2 x 1000, log-mel" and report.complete


def test_a_report_shows_itself_and_is_saved(report, tmp_path):
    for _ in range(2):
        report.save(tmp_path)
    stored = json.loads((tmp_path / "evaluation.json").read_text())
    assert stored["complete"] and stored["n"] == {"generated": 50, "test": 50, "train": 60}
    assert [Result.from_json(entry).metric for entry in stored["metrics"]] == [
        r.metric for r in report.results
    ]
    assert len(list((tmp_path / "pairs").glob("*.wav"))) == 20 == 2 * len(stored["pairs"])
    assert "| MMD^2 x 1000, log-mel | lower |" in (tmp_path / "evaluation.md").read_text()
    with pytest.raises(KeyError, match="no such metric"):
        report["no such metric"]
    html = report._repr_html_()
    assert html.count("<tr>") == 1 + sum(r.metric.headline for r in report.results)


def test_a_data_set_and_examples_need_no_folder(splits):
    with pytest.raises(UsageError, match="nothing to measure"):
        evaluating.evaluate(None, "no folder is read")
    runs = [types.SimpleNamespace(config="", metadata={"seed": seed}) for seed in (0, 1)]
    with pytest.raises(UsageError, match="audio with 2 runs"):
        evaluating.evaluate(runs, "no folder is read", audio=splits.test)
    data = AudioDataset.from_folder(notes_folder() / "nsynth-train", seconds=0.25)
    audio = Examples.from_dataset(data, np.arange(len(data)))
    report = evaluating.evaluate(None, data, audio=audio, n_pitch=0)
    assert report.complete and report["MMD^2 x 1000, log-mel"].value is not None


def test_the_floor_is_of_recordings_that_nothing_was_fitted_to():
    # Few examples of many features: components fit what they are fitted to.
    rng = np.random.default_rng(0)
    decay = np.exp(-np.arange(N_SAMPLES) / 600)
    sets = [Examples(0.1 * rng.normal(size=(40, N_SAMPLES)) * decay, RATE) for _ in range(3)]
    reference = measures.Reference(*sets[:2])
    family = measures.families(reference)[0]
    found = [
        evaluating.attempt(family, reference, reference.test, x)[0]
        for x in (sets[2], reference.others)
    ]
    value, floor = (each["MMD^2 x 1000, log-mel"] for each in found)
    low, high = value.interval
    assert low - 20 < floor.value < high + 20


def test_a_drum_is_in_one_half_with_all_its_velocities():
    names = [f"jazz-{key}-v{velocity}" for key in range(35, 45) for velocity in (80, 127)]
    reference = measures.Reference(hits(20, 0, names=names), hits(20, 1))
    known, others = (
        {n.split("-v")[0] for n in x.names} for x in (reference.known, reference.others)
    )
    assert not known & others and len(known) == len(others) == 5


def test_the_clipping_rate_of_recordings_at_full_scale_does_not_outweigh_other_descriptors():
    def scaled(seed):
        examples = hits(40, seed)
        loudest = np.abs(examples.audio).argmax(axis=1)[:, None]
        return examples.with_audio(examples.audio / np.take_along_axis(examples.audio, loudest, 1))

    def clip(audio):
        """Let each sound stay at full scale for a second sample."""
        audio[np.arange(len(audio)), np.abs(audio).argmax(axis=1) + 1] = 1.0

    recordings, generated = scaled(0), scaled(2)
    clip(recordings.audio[:1])
    clip(generated.audio)
    reference = measures.Reference(recordings, scaled(1))
    clean, clipped = {}, {}
    for family in measures.families(reference):
        if {m.name for m in family.metrics} & {"descriptor distance", "clipping rate"}:
            clean |= family.compute(reference, reference.test, scaled(2))
            clipped |= family.compute(reference, reference.test, generated)
    assert clean["clipping rate"].value == 0.0 < clipped["clipping rate"].value < 0.03
    # In deviations of the recordings the clipping rates differ by 6.
    difference = clipped["descriptor distance"].value - clean["descriptor distance"].value
    assert abs(difference) < 0.2


def notes(pitch, db_per_second, velocity=None):
    times = np.arange(RATE) / RATE
    hz = 440 * 2 ** ((np.asarray(pitch) - 69) / 12)
    fall = 10 ** (-np.asarray(db_per_second) / 20 * times[:, None])
    audio = 0.5 * np.sin(2 * np.pi * times[:, None] * hz) * fall
    return Examples(audio.T, RATE, pitch, velocity=velocity)


def test_notes_are_compared_with_the_recording_of_their_pitch_and_velocity(monkeypatch):
    train, test = np.arange(50, 70, 2), np.arange(51, 71, 2)
    # Recordings of neighbouring pitches differ by 1 dB/s.
    parts = Splits(notes(train, train - 20), notes(test, test - 20), "fingerprint")
    reference = measures.Reference(parts.train, parts.test)
    order = np.random.default_rng(0).permutation(20)
    pitch = np.repeat(test, 2)[order]
    families = measures.families(reference)
    assert families[0] is measures.NOTE_COURSE
    assert not any(m.headline for family in families for m in family.metrics if "MMD" in m.name)
    monkeypatch.setattr(measures, "families", lambda *_: families[:1])
    report = evaluate(reference, parts, notes(pitch, pitch - 20 + 0.5))
    first = report["note distance"]
    assert first.floor == 1.0 < first.ceiling
    slope = report["slope distance"]
    assert (slope.value, slope.floor) == pytest.approx((0.5, 1.0), abs=0.02)
    end = report["end distance"]  # They fall by less than 50 dB.
    assert end.value is end.floor is None and "most recordings ring on" in end.not_run
    # Without a recording of their pitch there is nothing to compare with.
    found = evaluate(reference, parts, notes(pitch + 0.5, pitch))["note distance"]
    assert found.value is None and "no example has the pitch" in found.not_run


def test_rows_of_same_notes_use_takes_in_turn_and_the_conditions_that_are_known():
    recordings = notes([60, 60, 62, 62], [1] * 4, [40, 40, 40, 90])
    like = notes([62, 60, 60, 60, 61], [1] * 5, [90, 40, 40, 40, 40])
    assert note_metrics.rows_of_same_notes(recordings, like).tolist() == [3, 0, 1, 0, -1]
    any_velocity = notes([62, 62, 62], [1] * 3)
    assert note_metrics.rows_of_same_notes(recordings, any_velocity).tolist() == [2, 3, 2]
    with pytest.raises(ValueError, match="not conditioned on pitch"):
        note_metrics.rows_of_same_notes(recordings, Examples(like.audio, RATE))


def test_a_failing_metric_stops_no_other_and_floors_are_computed_once(
    reference, splits, report, monkeypatch
):
    def broken(*arguments, **named):
        raise ZeroDivisionError("by\nnothing")

    calls = []
    monkeypatch.setattr(classifiers, "two_sample_accuracy", lambda *a: calls.append(a) or broken())
    monkeypatch.setattr(measures.neighbours, "relative_diversity", broken)
    monkeypatch.setattr(measures, "find_copies", broken)
    found = evaluate(reference, splits, hits(50, 2))
    for name in ("two-sample accuracy", "diversity", "suspicious copies"):
        assert found[name].value is None
        assert found[name].not_run == "failed: ZeroDivisionError: by nothing"
    assert found["MMD^2 x 1000, mfcc"].value is not None
    assert found["two-sample accuracy"].floor == report["two-sample accuracy"].floor
    assert len(calls) == 2  # of the examples and the ceiling, not of the floor


@pytest.mark.parametrize("n", [20, 24])
def test_few_recordings_have_no_two_sample_accuracy(splits, n):
    reference = measures.Reference(splits.train, splits.test.take(np.arange(n)))
    (family,) = (f for f in measures.families(reference) if "two-sample" in f.metrics[0].name)
    for examples in (hits(50, 2), hits(n, 2)):
        found, reason = evaluating.attempt(family, reference, reference.test, examples)
        assert not found and f"{n} examples in a set are too few" in reason


def test_in_tune_is_a_share_of_notes_and_voiced_of_frames(monkeypatch):
    recordings = notes([60, 62], [1, 1])
    reference = measures.Reference(recordings, recordings)
    (family,) = (f for f in measures.families(reference) if f.metrics[-1].name == "voiced")
    tracked = np.array([0.0, 30.0, np.inf]), np.array([1.0, 0.5, 0.0]), "tracker"
    monkeypatch.setattr(measures, "track_pitch", lambda *arguments: tracked)
    found = family.compute(reference, recordings, recordings)
    assert found["voiced"].value == 50.0
    assert found["within 25 cents of the target pitch"].value == pytest.approx(100 / 3)
    assert found["within 50 cents of the target pitch"].value == pytest.approx(200 / 3)


def test_a_class_with_few_training_recordings_has_values_without_a_floor(splits, monkeypatch):
    # Half of the training recordings give the floor: 9 kicks.
    reference = measures.Reference(splits.train.take(np.r_[:36:2, 1:60:2]), splits.test)
    name = "MMD^2 x 1000, log-mel"
    families = [f for f in measures.families(reference) if f.metrics[0].name == name]
    monkeypatch.setattr(measures, "families", lambda *arguments: families)
    found = evaluate(reference, splits, hits(50, 2))[name].per_class
    assert found["kick"]["floor"] is None and found["kick"]["value"] is not None
    assert found["snare"]["floor"] is not None


def test_a_further_space(splits):
    embeddings = {"levels": lambda audio, rate: np.stack([(audio**2).mean(1), audio.max(1)], 1)}
    reference = measures.Reference(splits.train, splits.test, embeddings)
    found = reference.vectors(hits(9, 2), "levels")
    assert found.shape == (9, 3)
    names = {m.name for family in measures.families(reference) for m in family.metrics}
    assert "NDB, levels" in names


def test_copies_are_a_share_with_a_floor_and_named_pairs():
    reference = measures.Reference(hits(40, 0), hits(30, 1))
    generated = hits(20, 2)
    audio = generated.audio.copy()
    audio[[4, 7]] = 0.5 * reference.train.audio[[10, 20]]
    results, pairs, _ = measures.memorisation(reference, generated.with_audio(audio))
    expected = {(generated.names[4], "0010"), (generated.names[7], "0020")}
    assert {(pair["generated"], pair["training"]) for pair in pairs[:2]} == expected
    assert pairs[0]["suspicious"] and pairs[1]["suspicious"] and len(pairs) == 10
    share, floor = results[measures.COPIES]
    assert share.value >= 10.0 and floor <= 15.0


def test_the_classifier_knows_the_classes_of_the_recordings():
    classifier = measures.ClassClassifier(hits(40, 0))
    assert classifier.names == ["kick", "snare"] and classifier.what == "labels"
    test = hits(20, 1)
    assert classifier.accuracy(test).value == 100.0
    swapped = np.where(test.labels == "kick", "snare", "kick")
    assert classifier.accuracy(Examples(test.audio, RATE, labels=swapped)).value == 0.0
    with pytest.raises(ValueError, match="no example has a class"):
        classifier.accuracy(Examples(test.audio, RATE))


def test_without_labels_pitches_are_classes():
    audio = np.zeros([16, 4000])
    notes = Examples(audio, RATE, np.repeat([60, 61, 64, 71], 4), np.full(16, "flute"))
    assert measures.ClassClassifier(notes).names == ["pitch 000", "pitch 001", "pitch 002"]
    for few in (notes.take(np.arange(8)), Examples(audio[:3], RATE, labels=["a", "b", "c"])):
        with pytest.raises(ValueError, match="fewer than two classes"):
            measures.ClassClassifier(few)


def test_pitch_deviation():
    times = np.arange(RATE) / RATE
    cents, target = np.array([0, -40, 1200, 0]), np.array([60, 67, 79, 105])
    hz = 440 * 2 ** ((target - 69 + cents / 100) / 12)
    audio = [0.4 * np.sin(2 * np.pi * f * times) + 0.2 * np.sin(4 * np.pi * f * times) for f in hz]
    deviation, voiced, _ = pitch.track_pitch(np.stack(audio), RATE, target, 4)
    np.testing.assert_allclose(np.sort(deviation), [0, 0, 40, 1200], atol=16)
    assert voiced.min() > 0.8


def test_unfinished_and_odd_values_are_saved(tmp_path):
    facts = {
        "name": "x <y>",
        "n": {"generated": 3, "test": 4, "train": 5},
        "reference": {"fingerprint": "abcdef"},
        "seconds": 1.0,
        "sample_rate": 16000,
        "seeds": {"generation": 0},
        "embeddings": ["CREPE tiny, SHA-256 26e6"],
        "warnings": ["only a test"],
        "ceiling": "noise",
    }
    head = Result(Metric("MMD", "distance", headline=True), 2.0, (1.0, 3.0), 0.5, float("nan"))
    missing = Result(Metric("CLAP", "further"), not_run="no path | given")
    report = Report(facts, [head, missing])
    report.save(tmp_path / "out")
    stored = json.loads((tmp_path / "out/evaluation.json").read_text())
    assert not stored["complete"] and stored["metrics"][0]["ceiling"] is None
    text = (tmp_path / "out/evaluation.md").read_text()
    assert "| MMD | lower | 2 | 1 .. 3 | 0.500 |" in text
    assert "| CLAP | lower | not run |" in text and "no path / given" in text
    assert "only a test" in text and "Not finished" in text
    assert "Embeddings: CREPE tiny, SHA-256 26e6." in text
    assert "x &lt;y&gt;" in report._repr_html_()


def test_seeds_are_joined_to_the_widest_interval():
    metric = Metric("MMD", "distance")
    seeds = [
        [Result(metric, 2.0, (1.0, 3.0), 0.5, 9.0), Result(metric, not_run="no")],
        [Result(metric, 4.0, (3.5, 4.5), 0.5, 7.0), Result(metric, not_run="no")],
    ]
    first, second = join_results(seeds)
    assert (first.value, first.interval, first.floor, first.ceiling) == (3.0, (1.0, 4.5), 0.5, 8.0)
    assert first.note == "seeds: 2, 4"
    assert second.value is None and second.not_run == "no"
