"""Monitors: what they warn of, when training is done, and that a resumed run continues them."""

import json
import math
import types

import numpy as np
import pytest
import soundfile

from discriminators.drum_dcgan import DrumDCGANDiscriminator
from noisygan.errors import RunError
from noisygan.generators.drum_dcgan import DrumDCGAN
from noisygan.losses import BCE
from noisygan.metrics import spectrograms
from noisygan.metrics.features import LOWEST_DB, N_MELS, N_PARTS
from noisygan.training import checkpoints, run_files
from noisygan.training.callbacks import Samples
from noisygan.training.monitors import (
    MAX_NOT_FINITE,
    Alarms,
    Curve,
    NonFinite,
    QualityMonitor,
)
from noisygan.training.quality import Quality
from noisygan.training.reference_set import ReferenceSet, WhitenedReferences, features
from tests import toys

HEALTHY = {
    "d_adversarial": 0.6,
    "d_right": 0.8,
    "real_spread": 3.0,
    "fake_spread": 2.5,
    "fake_peak": 0.7,
    "fake_quietest_peak": 0.2,
}
SICK = {
    "discriminator has won": ({"d_right": 1.0, "d_adversarial": 0.001}, "R1"),
    "are alike": ({"fake_spread": 0.1}, "larger batch"),
    "nearly silent": ({"fake_peak": 1e-5}, "Hybrid.initial_loudness_db"),
    "exceed full scale": ({"fake_peak": 3.0}, "Hybrid.max_loudness_db"),
}
GOOD = {"d_finite": 1.0, "g_finite": 1.0, "d_loss": 1.0, "g_loss": 1.0}
BAD_D = GOOD | {"d_finite": 0.0, "d_loss": math.nan}
BAD = BAD_D | {"g_finite": 0.0, "g_loss": math.nan}

pytestmark = pytest.mark.usefixtures("eagerly")


@pytest.fixture(scope="module")
def trainer():
    built = toys.trainer()
    built.build(toys.notes())
    return built


def phase(searching=False):
    return types.SimpleNamespace(is_scale_searching=searching)


PHASES = types.SimpleNamespace(d_phase=phase(), g_phase=phase())


# Alarms


def warnings(records, **settings):
    said = []
    alarms = Alarms(None, said.append, **settings)
    for step, record in enumerate(records):
        alarms(step, record, None)
    return said


def test_healthy_metrics_raise_no_alarm():
    assert warnings([HEALTHY | {"fake_peak": 0.99, "d_right": 0.98}] * 50) == []
    assert warnings([HEALTHY | {"fake_spread": 0.7, "d_adversarial": 0.05}] * 50) == []
    assert warnings([{"d_loss": 1.0}] * 40) == []
    assert warnings([HEALTHY | {"fake_peak": math.nan, "d_right": math.nan}] * 40) == []


@pytest.mark.parametrize("what", SICK)
def test_each_alarm_is_raised_alone_after_some_records_and_gives_advice(what):
    change, advice = SICK[what]
    (text,) = warnings([HEALTHY | change] * 30)
    assert what in text and advice in text
    assert warnings([HEALTHY | change] * 19) == []
    if what != "exceed full scale":
        assert warnings([HEALTHY] * 25 + [HEALTHY | change] + [HEALTHY] * 25) == []


def test_an_alarm_is_repeated_and_survives_missing_values():
    sick = HEALTHY | SICK["nearly silent"][0]
    assert len(warnings([sick] * 60, patience=5, repeat=20)) == 3
    records = [sick if i % 5 else sick | {"fake_peak": math.nan} for i in range(30)]
    assert len(warnings(records)) == 1


def test_variety_that_stays_low_is_a_collapse():
    said = []
    alarms = Alarms(None, said.append)
    for step, value in enumerate([9.0, 9.0, 50.0, 1.0, 1.0, 1.0, math.nan, 1.0, 1.0, 1.0]):
        alarms(step, {"diversity_percent": value}, None)
    assert [text.split(":")[0] for text in said] == ["step 5", "step 9"]


def test_an_alarm_keeps_present_audio_three_times(trainer, tmp_path):
    samples = Samples(trainer, toys.notes(), tmp_path)
    (tmp_path / "samples").mkdir()
    said = []
    alarms = Alarms(samples, said.append, patience=1, repeat=1)
    for average in trainer.g_ema.averages:
        average.assign(average * 0.0)
    for step in range(10, 60, 10):
        alarms(step, HEALTHY | {"fake_spread": 0.0}, trainer)
    trainer.g_ema.reset()
    kept = [tmp_path / "samples" / f"alarm-collapse-step-0000{n}.wav" for n in (10, 20, 30)]
    assert sorted((tmp_path / "samples").iterdir()) == kept
    assert len(said) == 5 and str(kept[0]) in said[0] and "Listen" not in said[3]
    # The present generator, not its average: four examples one after another.
    audio, _ = soundfile.read(kept[0], dtype="float32")
    expected = samples.render(averaged=False)
    np.testing.assert_allclose(audio, np.clip(expected, -1, 1).ravel(), atol=1e-4)


# Non-finite updates


def test_a_skipped_update_changes_no_weight_slot_average_or_statistic():
    trainer = toys.trainer(
        generator=DrumDCGAN(
            700, 4, seed_channels=4, filters=(4, 3, 3, 2), dilations=(3, 5, 9, 17, 1)
        ),
        discriminator=DrumDCGANDiscriminator(700, (4, 6), (4, 1), (1, 2), dropout=0.0),
        condition_encoder=None,
        adversarial=BCE(),
        n_critic=2,
    )
    notes = toys.notes(n_samples=700, sample_rate=trainer.generator.sample_rate)
    trainer.build(notes)
    good = [next(trainer.batches(notes, 0)) for _ in range(2)]
    bad = [batch | {"audio": batch["audio"] * np.nan} for batch in good]

    def state():
        kept = {k: v for k, v in trainer.checkpointed.items() if k != "step"}
        return {name: [v.numpy() for v in values] for name, values in kept.items()}

    def changed(before):
        return {
            name
            for name, values in state().items()
            if any((a != b).any() for a, b in zip(values, before[name], strict=True))
        }

    trainer.train_step(iter(good), 0)
    before = state()
    # Real audio spoils the discriminator alone, in both of its updates.
    metrics = trainer.train_step(iter(bad), 1)
    assert float(metrics["d_finite"]) == 0.0
    assert changed(before) <= {"generator", "g_optimizer", "ema"}
    prior = trainer.generator.prior
    trainer.generator.prior = lambda n, seed: prior(n, seed) * np.nan
    before = state()
    metrics = trainer.train_step(iter(good), 2)
    assert float(metrics["d_finite"]) == float(metrics["g_finite"]) == 0.0
    assert changed(before) == set()
    assert trainer.step == 3
    trainer.generator.prior = prior
    metrics = trainer.train_step(iter(good), 3)
    assert float(metrics["d_finite"]) == float(metrics["g_finite"]) == 1.0
    assert changed(before) == set(before)
    assert all(np.isfinite(v).all() for values in state().values() for v in values)


def test_skipped_updates_are_counted_and_reported_once_in_ten():
    said = []
    monitor = NonFinite(said.append)
    for step in range(1, 200):
        metrics = dict(BAD_D if step % 13 == 0 else GOOD)
        monitor(step, metrics, PHASES)
    assert (metrics["d_skipped"], metrics["g_skipped"]) == (15.0, 0.0)
    assert len(said) == 2 and said[0].startswith("step 13:") and "(10 so far)" in said[1]
    # A loss scale that overflows while it adapts is no fault.
    searching = types.SimpleNamespace(d_phase=phase(True), g_phase=phase())
    counted = []
    for loss, phases in ((1.0, searching), (math.nan, searching), (1.0, PHASES)):
        metrics = BAD_D | {"d_loss": loss}
        monitor(200, metrics, phases)
        counted.append(metrics["d_skipped"])
    assert counted == [15.0, 16.0, 17.0]


@pytest.mark.parametrize(("every", "stops_at"), [(1, MAX_NOT_FINITE), (3, 75), (20, None)])
def test_too_many_skipped_updates_stop_the_training(every, stops_at):
    monitor, step = NonFinite(lambda text: None), 0
    try:
        for step in range(1, 1000):
            monitor(step, dict(BAD if step % every == 0 else GOOD), PHASES)
    except RunError as error:
        assert step == stops_at and f"at step {step}:" in str(error)
    else:
        assert stops_at is None


# The curve


def curve(*distances, patience=3, min_gain=1.0):
    made = Curve(patience, min_gain)
    for i, distance in enumerate(distances):
        made.add(100 * (i + 1), distance)
    return made


def test_training_is_done_after_measurements_without_a_gain():
    assert not curve(50.0, 40.0, 41.0, 40.5).is_done
    assert curve(50.0, 40.0, 41.0, 40.5, 39.5).is_done
    assert not curve(50.0, 40.0, 41.0, 40.5, 39.0, 45.0, 45.0).is_done
    falling = [50.0 - 0.4 * i for i in range(20)]  # Small gains add up.
    assert not any(curve(*falling[:n]).is_done for n in range(2, 20))
    assert curve(*falling, min_gain=3.0).is_done


def test_the_best_is_the_lowest_finite_point():
    found = curve(50.0, 40.0, 39.8, 41.0)
    assert found.best == [300, 39.8] and found.n_without_gain == 2
    assert Curve(3, 1.0).best is None and not Curve(3, 1.0).is_done
    made = Curve(3, 1.0)
    lowest = [made.add(i, x) for i, x in enumerate([5.0, 6.0, 5.0, 4.9])]
    assert lowest == [True, False, False, True]
    made = curve(math.nan, 40.0, math.nan, -math.inf, math.nan)
    assert made.best == [200, 40.0] and made.is_done


@pytest.mark.parametrize(
    ("distances", "said"),
    [
        ((50.0,), "too few measurements"),
        ((50.0, 40.0), "40.0 % at step 200: still improving"),
        ((50.0, 40.0, 39.5), "last gain at step 200, done after 2 more"),
        ((50.0, 40.0, 41.0, 42.0, 43.0), "(best: 40.0 % at step 200): no gain since"),
        ((math.nan, math.inf), "not finite in any of 2 measurements"),
        ((50.0, 40.0, math.nan), "not finite at step 300 (best: 40.0 % at step 200)"),
    ],
)
def test_the_verdict(distances, said):
    assert said in curve(*distances).verdict()


# Quality


def test_features_are_those_of_evaluate():
    audio = np.stack([toys.notes().audio(i) for i in (0, 5)])
    levels, movement = [], []
    for row in audio:
        log_mel = np.maximum(spectrograms.log_mel_db(row, 16000, N_MELS), LOWEST_DB)
        axis = int(log_mel.shape[0] == N_MELS)
        levels.append(spectrograms.pooled_log_mel(log_mel, N_PARTS) / (N_PARTS * N_MELS) ** 0.5)
        parts = np.array_split(log_mel, N_PARTS, axis=axis)
        movement.append(np.mean([part.std(axis=axis) for part in parts], axis=0) / N_MELS**0.5)
    found = features(audio, 16000).numpy()
    np.testing.assert_allclose(found[:, :-N_MELS], levels, atol=1e-4)
    np.testing.assert_allclose(found[:, -N_MELS:], movement, atol=1e-4)
    assert features(audio[:, :700], 16000).shape == (2, 6 * N_MELS)  # fewer frames than parts


def test_real_examples_are_at_no_distance_and_noise_is_far():
    notes, others = (toys.notes(n=40, seed=seed).audio(np.arange(40)) for seed in (0, 1))
    noise = np.random.default_rng(0).normal(size=notes.shape).astype(np.float32)
    sets = {"others": others, "one": np.repeat(notes[:1], 40, 0)}
    sets |= {"quieter": 0.1 * notes, "noise": 0.1 * noise, "not finite": np.nan * notes}
    references = ReferenceSet(toys.notes(n=40), 40)
    found = {k: references.compare(features(x, 16000).numpy(), x) for k, x in sets.items()}
    distance, diversity = ({name: x[i] for name, x in found.items()} for i in (0, 1))
    assert abs(distance["others"]) < 10 < 100 < min(distance["quieter"], distance["noise"])
    assert distance["one"] > 30 and diversity["one"] < 1e-3
    assert diversity["others"] == pytest.approx(100.0, abs=5)
    assert np.isnan(found["not finite"]).all()


def test_missing_vibrato_is_measured():
    times = np.arange(toys.N_SAMPLES) / 16000
    rng = np.random.default_rng(0)

    def tones(depth, n=40):
        phases = rng.uniform(0.0, 2.0 * np.pi, (n, 1))
        level = 1.0 + depth * np.sin(2.0 * np.pi * 100.0 * times + phases)
        hz = np.linspace(300.0, 900.0, n)[:, None]
        tone = 0.3 * level * np.sin(2.0 * np.pi * hz * times)
        return (tone + 1e-3 * rng.normal(size=tone.shape)).astype(np.float32)

    movement = ReferenceSet(toys.notes(n=40, audio=tones(0.6)), 40).movement
    found = [movement.distance(features(tones(x), 16000)[:, -N_MELS:].numpy()) for x in (0.6, 0.0)]
    assert abs(found[0]) < 0.1 and found[1] > 0.3


def test_examples_are_compared_with_recordings_of_their_conditions():
    notes, found = toys.notes(n=40), {}
    for names in ((), ("pitch", "velocity")):
        references = ReferenceSet(notes, 40, names)
        for turned in (0, 20):
            audio = notes.audio(np.roll(references.rows, turned))
            found[bool(names), turned] = references.compare(features(audio, 16000).numpy(), audio)
    assert found[False, 0] == pytest.approx(found[False, 20])
    assert found[True, 0][0] == 0.0 and found[True, 20][0] > 50


def test_the_distance_is_the_energy_score_within_each_condition():
    rng = np.random.default_rng(0)
    seen, kept, made = (rng.normal(size=(n, 6)) for n in (30, 3, 8))
    groups, example_groups = np.array([0, 1, 1]), np.array([0, 0, 0, 0, 1, 1, 1, 1])
    one = WhitenedReferences(seen, kept, groups, example_groups)
    real, fake = one.whiten(kept), one.whiten(made)

    def between(a, b):
        return np.mean([np.linalg.norm(x - y) for x in a for y in b])

    def within(a):
        return between(a, a) * len(a) / max(len(a) - 1, 1)

    of_one = 2 * between(real[:1], fake[:4]) - within(fake[:4])
    of_two = 2 * between(real[1:], fake[4:]) - within(fake[4:]) - within(real[1:])
    assert one.distance(made) == pytest.approx((of_one + 2 * of_two) / 3 / within(real))


def test_each_direction_counts_by_the_spread_of_recordings():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(200, 2)) * [10.0, 1.0] @ np.eye(2, 6) + 5.0
    whiten = WhitenedReferences(points, points, None, None).whiten
    np.testing.assert_allclose(whiten(points).std(0)[:2], 1.0, rtol=1e-6)
    origin = whiten(np.full([1, 6], 5.0))
    for shift in (10.0 * np.eye(1, 6), np.eye(1, 6, 1), 0.05 * np.eye(1, 6, 4)):
        assert np.linalg.norm(whiten(5.0 + shift) - origin) == pytest.approx(1.0, rel=0.15)


def monitor_of(trainer, notes=None, run_dir=None, clock=lambda: 0.0, **settings):
    trainer.quality = Quality(**({"n_sounds": 8} | settings))
    return QualityMonitor(trainer, notes or toys.notes(), run_dir, False, print, clock)


def test_the_averaged_generator_is_measured(trainer):
    before = monitor_of(trainer).measure()
    kept = [v.numpy() for v in trainer.generator.weights]
    for variable in trainer.generator.weights:
        variable.assign(variable + 0.3)
    assert monitor_of(trainer).measure() == before
    for variable, value in zip(trainer.generator.weights, kept, strict=True):
        variable.assign(value)


def test_ten_measurements_are_due_per_doubling():
    quality = Quality(every_steps=100)
    due = [step for step in range(10001) if quality.is_due(step)]
    assert due[:3] == [100, 200, 300]
    assert [s for s in due if 1900 <= s < 2700] == [1900, 2000, 2200, 2400, 2600]
    assert len([s for s in due if 4000 <= s < 8000]) == 10


@pytest.mark.parametrize("threads", [None, {"intra_op": 1, "inter_op": 1, "kernels": 1}])
def test_costly_measurements_are_skipped_unless_deterministic(
    monkeypatch, trainer, tmp_path, threads
):
    run_files.create(tmp_path / "run", "", toys.notes(), 0, threads=threads)
    now = [0.0]
    monitor = monitor_of(trainer, None, tmp_path / "run", lambda: now[0], every_steps=1)
    monkeypatch.setattr(monitor, "measure", lambda: (math.nan, 50.0))
    taken = []
    for step, seconds in enumerate((10.0, 10.0 + 2.9 / 0.03, 10.0 + 3.1 / 0.03), 1):
        now[0] = seconds
        metrics = {}
        monitor(step, metrics, trainer)
        taken.append("distance_percent" in metrics)
        monitor.cost_seconds = 3.0
    assert taken == ([True] * 3 if threads else [True, False, True])


@pytest.mark.parametrize("n", [1, 4])
def test_copies_of_one_recording_have_no_distance(trainer, n):
    copy = toys.notes().audio(0)
    monitor = monitor_of(trainer, toys.notes(n=n, audio=np.stack([copy] * n)), every_steps=1)
    metrics = {}
    monitor(1, metrics, trainer)
    assert metrics == {} and "too few measurements" in monitor.curve.verdict()


# In a run


class Given(Quality):
    """Distances that are known in advance."""

    def __init__(self, distances):
        super().__init__(every_steps=1, patience=2)
        self.distances = distances


@pytest.fixture
def given(monkeypatch):
    def measure(self):
        return self.settings.distances[self.trainer.step - 1], 100.0

    monkeypatch.setattr(QualityMonitor, "measure", measure)


def fitted(run_dir, distances, **settings):
    trainer = toys.quick_trainer(quality=Given(distances))
    settings = {"seed": 3, "log_every": 3, "checkpoint_every": 2} | settings
    trainer.fit(toys.notes(), run_dir, **settings)
    return trainer


def curve_of(run_dir):
    name = "distance_percent"
    return [(r["step"], r[name]) for r in run_files.read_metrics(run_dir) if name in r]


def best_step(run_dir):
    return checkpoints.step_of(checkpoints.newest(run_dir / "best"))


def test_early_stopping_keeps_the_best_weights(tmp_path, given):
    run_dir = tmp_path / "run"
    distances = [50.0, 40.0, 42.0, 41.0, 30.0, 20.0]
    trainer = fitted(run_dir, distances, steps=6, early_stop=True)
    assert trainer.step == 4
    assert curve_of(run_dir) == list(enumerate(distances[:4], 1))
    log = (run_dir / "log.txt").read_text()
    assert "no gain since step 2, done" in log and str(run_dir / "best") in log
    assert best_step(run_dir) == 2
    # Resumed it stays where it is; without early stopping it continues.
    assert fitted(run_dir, distances, steps=6, early_stop=True, resume=True).step == 4
    assert fitted(run_dir, distances, steps=6, resume=True).step == 6
    assert curve_of(run_dir) == list(enumerate(distances, 1))
    assert best_step(run_dir) == 6


def test_a_resumed_run_has_the_curve_and_verdict_of_an_uninterrupted_one(tmp_path, given):
    distances = [50.0, 40.0, 42.0, 40.5, 41.0, 41.0]
    for name, budgets in {"whole": [6], "parts": [3, 6]}.items():
        for steps in budgets:
            fitted(tmp_path / name, distances, steps=steps, resume=steps != budgets[0])
    curves = [curve_of(tmp_path / name) for name in ("whole", "parts")]
    assert curves[0] == curves[1]
    logs = [(tmp_path / name / "log.txt").read_text().splitlines() for name in ("whole", "parts")]
    verdicts = [[line.split(" ", 1)[1] for line in log if "quality" in line][-1] for log in logs]
    assert verdicts[0] == verdicts[1]


def test_monitors_continue_as_if_there_had_been_no_stop():
    def make():
        return NonFinite(lambda t: None), Alarms(None, lambda t: None, patience=6, repeat=9)

    def go(monitors, first, last):
        for step in range(first, last):
            metrics = dict(BAD if step % 9 == 0 else GOOD) | HEALTHY
            metrics |= {"fake_spread": 0.01 * step, "d_loss": step / 3}
            for monitor in monitors:
                monitor(step, metrics, PHASES)
        return [monitor.state() for monitor in monitors]

    whole, parts = make(), make()
    expected = go(whole, 1, 60)
    for monitor, state in zip(parts, go(make(), 1, 30), strict=True):
        monitor.load(json.loads(json.dumps(state)))
    assert go(parts, 30, 60) == expected
