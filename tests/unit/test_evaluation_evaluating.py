"""All measures together: every result with floor and ceiling, and none that stops the others."""

import json

import numpy as np
import pytest

from noisygan.evaluation import measures, networks, self_test
from noisygan.evaluation.evaluating import evaluate
from noisygan.evaluation.memorisation import memorisation
from noisygan.evaluation.report import Report, joined, number
from noisygan.evaluation.results import Metric, Result
from noisygan.evaluation.sounds import make_sounds
from noisygan.metrics import copies

RATE = 16000
N_SAMPLES = 4000


def hits(n, seed, noise=0.02, lowest=80.0):
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
            hz = rng.uniform(lowest, 1.5 * lowest) * (1 + 2 * np.exp(-times / 0.02))
            sound = np.sin(2 * np.pi * np.cumsum(hz) / RATE)
        audio.append(0.6 * sound * decay + noise * rng.normal(size=N_SAMPLES) * decay)
    return make_sounds(np.clip(audio, -1, 1), RATE, labels=labels)


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    monkeypatch.setattr(networks, "N_STEPS", 60)


@pytest.fixture(scope="module")
def reference():
    return measures.Reference(hits(60, 0), hits(50, 1))


@pytest.fixture
def results(reference):
    """Of sounds that are like the recordings but for their noise."""
    noise = hits(50, 3)
    noise = noise.with_audio(0.1 * np.random.default_rng(0).normal(size=noise.audio.shape))
    return {r.metric.name: r for r in evaluate(reference, hits(50, 2, noise=0.2), noise)}


def test_every_measure_stands_between_floor_and_ceiling(results):
    missing = {name: r.not_run for name, r in results.items() if r.value is None}
    assert all("needed for" in reason for reason in missing.values()), missing
    for name in ("MMD^2 x 1000, log-mel", "MMD^2 x 1000, mfcc", "Frechet, log-mel"):
        r = results[name]
        assert r.floor < r.value < r.ceiling
        assert r.interval[0] <= r.value <= r.interval[1]
    assert results["descriptor distance"].floor < results["descriptor distance"].value
    assert results["two-sample accuracy"].value > 80
    assert results["two-sample accuracy"].floor < 75
    assert results["classifier right about held-out recordings"].value > 90
    assert set(results["MMD^2 x 1000, log-mel"].per_class) == {"kick", "snare"}
    sweep = results["kick sweep distance"].per_class
    assert set(sweep) == {"kick"}
    assert not any("pitch" in name for name in results)


def test_the_floor_is_that_of_sounds_that_nothing_was_learnt_from():
    # All of one kind, few and of many features: learnt components fit what they were learnt from.
    rng = np.random.default_rng(0)
    decay = np.exp(-np.arange(N_SAMPLES) / 600)
    train, test, made = (
        make_sounds(0.1 * rng.normal(size=(40, N_SAMPLES)) * decay, RATE) for _ in range(3)
    )
    head = next(evaluate(measures.Reference(train, test), made))
    low, high = head.interval
    assert low - 20 < head.floor < high + 20


def test_a_pitch_or_a_drum_is_known_whole_or_not_at_all():
    names = [f"jazz-{key}-v{velocity}" for key in range(35, 45) for velocity in (80, 127)]
    audio = hits(20, 0)
    train = make_sounds(audio.audio, RATE, labels=audio.labels, names=names)
    reference = measures.Reference(train, hits(20, 1))
    kinds = [
        {n.split("-v")[0] for n in x.sounds.names} for x in (reference.known, reference.others)
    ]
    assert not kinds[0] & kinds[1] and len(kinds[0]) == len(kinds[1]) == 5


def test_results_come_one_by_one_and_headlines_first(reference):
    coming = evaluate(reference, hits(50, 2))
    first = next(coming)
    assert first.metric.headline and first.metric.name == "MMD^2 x 1000, log-mel"
    assert first.ceiling is None
    coming.close()


def test_a_measure_that_breaks_stops_no_other(reference, monkeypatch):
    def broken(*arguments, **named):
        raise ZeroDivisionError("by\nnothing")

    monkeypatch.setattr(networks, "two_sample_accuracy", broken)
    monkeypatch.setattr(measures.neighbours, "relative_diversity", broken)
    monkeypatch.setattr(copies, "find_copies", broken)
    fresh = measures.Reference(reference.train.sounds, reference.test.sounds)
    found = {r.metric.name: r for r in evaluate(fresh, hits(50, 2))}
    for name in ("two-sample accuracy", "diversity", "suspicious copies"):
        assert found[name].value is None
        assert found[name].not_run == "failed: ZeroDivisionError: by nothing"
    assert found["MMD^2 x 1000, mfcc"].value is not None


def test_floors_are_measured_once_for_several_systems(reference, monkeypatch):
    list(evaluate(reference, hits(50, 2)))
    called = []
    two_sample = networks.two_sample_accuracy

    def counted(*arguments):
        called.append(1)
        return two_sample(*arguments)

    monkeypatch.setattr(networks, "two_sample_accuracy", counted)
    list(evaluate(reference, hits(50, 4)))
    assert len(called) == 1


def test_copies_are_shares_with_a_floor_and_named_pairs():
    train, test = hits(40, 0), hits(30, 1)
    generated = hits(20, 2)
    audio = generated.audio.copy()
    audio[[4, 7]] = 0.5 * train.audio[[10, 20]]
    results, pairs = memorisation(generated.with_audio(audio), train, test)
    assert {(p.row, p.training_row) for p in pairs[:2]} == {(4, 10), (7, 20)}
    assert pairs[0].suspicious and pairs[1].suspicious and len(pairs) == 10
    share = results[0]
    assert share.value >= 10.0 and share.floor <= 15.0


def test_few_candidates_find_what_all_of_them_find():
    train = hits(40, 0)
    audio = np.concatenate([0.3 * train.audio[[3, 9]], hits(6, 2).audio])
    names = list(range(40))
    found = [
        copies.find_copies(audio, train.audio, names, RATE, hits(20, 1).audio, n_candidates=n)
        for n in (None, 5)
    ]
    for kind in ("waveform", "log-mel"):
        assert found[0][kind].names[:2] == found[1][kind].names[:2] == [3, 9]
    np.testing.assert_allclose(
        found[0]["waveform"].distances[:2], found[1]["waveform"].distances[:2]
    )


# --------------------------------------------------------------------------------- pitch and report


def test_the_share_of_right_pitches():
    times = np.arange(RATE) / RATE
    cents = np.array([0, 10, -40, 40, 80, 1200])
    asked = np.array([60, 64, 67, 72, 76, 79])
    hz = 440 * 2 ** ((asked - 69 + cents / 100) / 12)
    audio = [0.4 * np.sin(2 * np.pi * f * times) + 0.2 * np.sin(4 * np.pi * f * times) for f in hz]
    off, voiced, _ = measures.track_pitch(make_sounds(np.stack(audio), RATE, asked), 6)
    assert (off <= 25).sum() == 2 and (off <= 50).sum() == 4
    assert np.sort(off)[-1] == pytest.approx(1200, abs=15)
    assert voiced.min() > 0.8


def test_the_report_is_whole_after_each_result(tmp_path):
    facts = {
        "name": "x",
        "n": {"generated": 3, "test": 4, "train": 5},
        "reference": {"fingerprint": "abcdef"},
        "seconds": 1.0,
        "sample_rate": 16000,
        "seeds": {"generation": 0},
        "warnings": ["only a test"],
        "ceiling": "noise",
    }
    report = Report(tmp_path / "out", facts)
    metric = Metric("MMD", "distance", "", False, True)
    report.add(
        Result(
            metric,
            2.0,
            (1.0, 3.0),
            0.5,
            float("nan"),
            per_class={"a": {"value": 1.0, "interval": None, "floor": None}},
        )
    )
    stored = json.loads((tmp_path / "out/evaluation.json").read_text())
    assert stored["complete"] is False and stored["n"]["test"] == 4
    assert stored["metrics"][0] == {
        "name": "MMD",
        "group": "distance",
        "unit": "",
        "higher_is_better": False,
        "headline": True,
        "value": 2.0,
        "interval": [1.0, 3.0],
        "floor": 0.5,
        "ceiling": None,
        "note": "",
        "not_run": None,
        "per_class": {"a": {"value": 1.0, "interval": None, "floor": None}},
        "wrong_order": None,
    }
    report.add(Result(Metric("CLAP", "further"), not_run="no path | given"))
    report.write(complete=True)
    text = (tmp_path / "out/evaluation.md").read_text()
    assert "| MMD | lower | 2 | 1 .. 3 | 0.500 |" in text
    assert "| CLAP | lower | not run |" in text and "no path / given" in text
    assert "only a test" in text and "Not finished" not in text


def test_seeds_are_joined_to_the_widest_interval():
    metric = Metric("MMD", "distance")
    seeds = [
        [Result(metric, 2.0, (1.0, 3.0), 0.5, 9.0), Result(metric, not_run="no")],
        [Result(metric, 4.0, (3.5, 4.5), 0.5, 7.0), Result(metric, not_run="no")],
    ]
    first, second = joined(seeds)
    assert (first.value, first.interval, first.floor, first.ceiling) == (3.0, (1.0, 4.5), 0.5, 8.0)
    assert first.note == "seeds: 2, 4"
    assert second.value is None and second.not_run == "no"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (663.0, "663"), (12345.6, "12,346"), (0.04567, "0.046"), (84.51, "84.51")],
)
def test_numbers_are_short(value, text):
    assert number(value) == text


# ------------------------------------------------------------------------------------ self-test


def test_order_of_a_ladder():
    assert self_test.ordered([1.0, 2.0, 5.0], False)
    assert self_test.ordered([5.0, 2.0, 2.0], True)
    assert not self_test.ordered([1.0, 3.0, 2.0], False)
    assert not self_test.ordered([1.0, 1.0, 1.0], False)
    assert not self_test.ordered([1.0, None, 2.0], False)
    assert self_test.ordered([1.0, 0.8, 0.1], None) and self_test.ordered([1.0, 1.1, 3.0], None)
    assert not self_test.ordered([1.0, 3.0, 1.1], None)


def test_ladders_do_what_they_say():
    sounds = hits(32, 0)
    rms = np.sqrt((sounds.audio**2).mean(1))
    added = self_test.noisy(sounds, 20).audio - sounds.audio
    np.testing.assert_allclose(np.sqrt((added**2).mean(1)) / rms, 0.1, rtol=0.06)
    spectrum = np.abs(np.fft.rfft(self_test.low_passed(sounds, 0.25).audio, axis=1)) ** 2
    assert spectrum[:, N_SAMPLES // 4 :].sum() < 1e-3 * spectrum.sum()
    times = np.arange(N_SAMPLES) / RATE
    tone = make_sounds([0.5 * np.sin(2 * np.pi * 500 * times)], RATE)
    octave = np.abs(np.fft.rfft(self_test.detuned(tone, 1200).audio[0]))
    assert np.argmax(octave) == round(1000 * N_SAMPLES / RATE)
    assert len({s.tobytes() for s in self_test.duplicated(sounds, 0.25).audio}) == 8
    kept = {s.tobytes() for s in self_test.dropped_modes(sounds, 1).audio}
    assert 1 <= len(kept) <= 16 and len(self_test.dropped_modes(sounds, 1)) == 32


def test_the_self_test_trusts_distances_and_marks_what_is_blind(monkeypatch):
    ladders = {k: self_test.LADDERS[k] for k in ("noise", "dropped modes", "duplicates")}
    monkeypatch.setattr(self_test, "LADDERS", ladders)
    groups = ("distance: log-mel", "diversity", "descriptors (Wasserstein-1)")
    found = self_test.self_test(hits(60, 0), hits(60, 1), groups=groups)
    mmd = found["metrics"]["MMD^2 x 1000, log-mel"]
    assert all(mmd[ladder]["ordered"] for ladder in ("noise", "dropped modes"))
    assert found["metrics"]["diversity"]["duplicates"]["ordered"]
    assert found["metrics"]["recall, log-mel"]["duplicates"]["ordered"]
    marks = self_test.marks(found)
    assert "MMD^2 x 1000, log-mel" in marks
    assert "noise" not in marks["MMD^2 x 1000, log-mel"]
    # Clipping says nothing of sounds that are repeated.
    assert "duplicates" in marks["clipping rate distance"]
