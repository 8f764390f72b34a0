"""Guards: updates left out change nothing, alarms keep their sounds, a resumed run watches on."""

import json
import math
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import tensorflow as tf

from discriminators.drum_dcgan import DrumDCGANDiscriminator
from noisygan.errors import RunError
from noisygan.generators.drum_dcgan import DrumDCGAN
from noisygan.losses import BCE
from noisygan.training.guards import MAX_NOT_FINITE, Guards, read_state
from noisygan.training.runs import RunFolder
from noisygan.training.summaries import Samples
from tests import toys
from tests.training.test_training_alarms import HEALTHY

GOOD = {"d_finite": tf.constant(1.0), "g_finite": tf.constant(1.0)}
BAD_D, BAD = GOOD | {"d_finite": tf.constant(0.0)}, {name: tf.constant(0.0) for name in GOOD}

pytestmark = pytest.mark.usefixtures("eagerly")


@pytest.fixture(scope="module")
def trainer():
    built = toys.trainer()
    built.build(toys.notes())
    return built


@pytest.fixture
def watch(trainer, tmp_path):
    """A function that makes the guards of one run; what they say is in `said`."""
    run = RunFolder.create(tmp_path / "run", "", [], toys.notes(), 0)
    samples = Samples(trainer, toys.notes())

    def make():
        said = []
        guards = Guards(trainer, toys.notes(), run, samples, said.append)
        guards.said = said
        return guards

    return make


def test_an_update_left_out_changes_no_weight_slot_average_or_moving_statistic():
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
    # Recordings: the discriminator alone is spoilt, in both of its rounds.
    metrics = trainer.train_step(iter(bad), 1)
    assert float(metrics["d_finite"]) == 0.0
    assert changed(before) <= {"generator", "g_optimizer", "ema"}
    # Codes: everything is.
    prior = trainer.generator.prior
    trainer.generator.prior = lambda n, seed: prior(n, seed) * np.nan
    before = state()
    metrics = trainer.train_step(iter(good), 2)
    assert float(metrics["d_finite"]) == float(metrics["g_finite"]) == 0.0
    assert changed(before) == set()
    assert int(trainer.step) == 3
    trainer.generator.prior = prior
    metrics = trainer.train_step(iter(good), 3)
    assert float(metrics["d_finite"]) == float(metrics["g_finite"]) == 1.0
    assert changed(before) == set(before)
    assert all(np.isfinite(v).all() for values in state().values() for v in values)


def test_updates_left_out_are_counted_and_said_once_in_ten(watch):
    guards = watch()
    for step in range(1, 200):
        guards.check_finite(step, BAD_D if step % 13 == 0 else GOOD)
    assert guards.counts == {"d_skipped": 15.0, "g_skipped": 0.0}
    assert len(guards.said) == 2
    assert guards.said[0].startswith("step 13: gradients were not finite")
    assert "(10 so far)" in guards.said[1]


def test_a_scale_of_losses_that_overflows_is_no_fault(watch, trainer, monkeypatch):
    guards = watch()
    scaled = SimpleNamespace(dynamic_scale=SimpleNamespace(value=256.0))
    monkeypatch.setattr(trainer.d_phase, "optimizer", scaled)
    guards.check_finite(1, BAD_D | {"d_loss": 1.0})
    assert guards.said == [] and guards.counts["d_skipped"] == 0.0
    guards.check_finite(2, BAD_D | {"d_loss": math.inf})
    scaled.dynamic_scale.value = 0.5
    guards.check_finite(3, BAD_D | {"d_loss": 1.0})
    assert guards.counts["d_skipped"] == 2.0


def test_too_many_stop_the_training_on_end_or_scattered(watch):
    guards = watch()
    with pytest.raises(RunError, match="Try a tenth of the learning rates") as stopped:
        for step in range(1, 100):
            guards.check_finite(step, BAD)
    assert f"at step {MAX_NOT_FINITE}:" in str(stopped.value)
    assert str(stopped.value) in guards.run.log_file.read_text()
    guards = watch()
    with pytest.raises(RunError, match="updates left out"):
        for step in range(1, 100):
            guards.check_finite(step, BAD if step % 3 == 0 else GOOD)
    # One in twenty is no reason.
    guards = watch()
    for step in range(1, 2000):
        guards.check_finite(step, BAD if step % 20 == 0 else GOOD)


def test_an_alarm_keeps_the_present_sounds_and_names_the_file(watch, trainer):
    guards = watch()
    guards.alarms.patience, guards.alarms.repeat = 1, 1
    for average in trainer.g_ema.averages:
        average.assign(average * 0.0)
    for step in range(10, 60, 10):
        guards.check_metrics(step, HEALTHY | {"fake_spread": 0.0})
    kept = sorted(path.name for path in guards.run.samples.iterdir())
    assert kept == [f"alarm-collapse-step-{step:06d}.wav" for step in (10, 20, 30)]
    assert len(guards.said) == 5
    assert guards.said[0].endswith(f"Hear it: {guards.run.samples / kept[0]}")
    assert "Hear it" not in guards.said[3]
    # The generator as it is, not its average: four sounds one after another.
    audio, rate = soundfile.read(guards.run.samples / kept[0], dtype="float32")
    expected = trainer.generator(guards.samples.z, guards.samples.conditioning, seed=0).audio
    assert rate == toys.SAMPLE_RATE
    np.testing.assert_allclose(audio, np.clip(expected, -1, 1).ravel(), atol=1e-4)


def test_measured_sounds_that_stay_all_one_are_kept_as_they_were_measured(watch, trainer):
    guards = watch()
    numbers = {"sound_distance_percent": 50.0, "sound_variety_percent": 0.0}
    guards.quality.measured = lambda step, seconds: (numbers, False)
    for average in trainer.g_ema.averages:
        average.assign(average * 0.0)
    for step in (100, 200, 300, 400):
        assert guards.measure(step, 1.0) == numbers
    assert [p.name for p in guards.run.samples.iterdir()] == ["alarm-collapse-step-000300.wav"]
    assert "all one" in guards.said[0] and len(guards.said) == 1
    audio, _ = soundfile.read(guards.run.samples / "alarm-collapse-step-000300.wav")
    with trainer.averaged():
        expected = trainer.generator(guards.samples.z, guards.samples.conditioning, seed=0).audio
    np.testing.assert_allclose(audio, np.clip(expected, -1, 1).ravel(), atol=1e-4)


def test_a_discriminator_that_has_won_keeps_no_sound(watch):
    guards = watch()
    guards.alarms.patience = 1
    guards.check_metrics(10, HEALTHY | {"d_right": 1.0, "d_adversarial": 0.001})
    assert len(guards.said) == 1 and "Hear it" not in guards.said[0]
    assert list(guards.run.samples.iterdir()) == []


def test_guards_that_are_taken_up_go_on_as_if_there_had_been_no_stop(watch):
    def go(guards, first, last):
        for step in range(first, last):
            guards.check_finite(step, BAD if step % 9 == 0 else GOOD)
            guards.check_metrics(step, HEALTHY | {"fake_spread": 0.01 * step, "d_loss": step / 3})
            guards.quality.curve.add(step, 100.0 / step)
        return guards

    whole = go(watch(), 1, 60)
    parts = watch()
    parts.load(json.loads(json.dumps(go(watch(), 1, 30).state())))
    go(parts, 30, 60)
    assert parts.state() == whole.state()
    assert whole.state()["strain"] > 0 and whole.state()["sounds"]
    assert parts.quality.curve.verdict() == whole.quality.curve.verdict()


@pytest.mark.parametrize("distances", [(math.nan,), (math.nan, math.nan), (math.nan, math.inf)])
def test_weights_that_were_never_kept_are_not_called_the_best(watch, distances):
    guards = watch()
    given = dict(enumerate(distances, 1))
    guards.quality.measured = lambda step, seconds: (
        {"sound_variety_percent": 100.0},
        guards.quality.curve.add(step, given[step]),
    )
    for step in given:
        guards.measure(step, 1.0)
    guards.conclude()
    assert not (guards.run.path / "best").exists()
    assert len(guards.said) == 1 and "kept" not in guards.said[0]
    assert ("too few" if len(distances) == 1 else "not finite in any") in guards.said[0]


def test_a_run_from_before_there_were_guards_begins_with_new_ones(watch):
    guards = watch()
    guards.load(None)
    assert guards.state() == watch().state()


@pytest.mark.parametrize(
    "damage",
    [
        lambda state: [],
        lambda state: {"d_loss": "much"},
        lambda state: {"guards": 3},
        lambda state: {"guards": {}},
        lambda state: {"guards": state | {"curve": [[1]]}},
        lambda state: {"guards": state | {"curve": [["one", 2.0]]}},
        lambda state: {"guards": state | {"skipped": {"d": 1}}},
        lambda state: {"guards": state | {"strain": None}},
        lambda state: {"guards": state | {"sounds": {"d_won": float("inf")}}},
        lambda state: {"guards": state | {"alarms": {"recent": [[]]}}},
    ],
)
def test_what_a_checkpoint_says_of_a_training_is_checked(watch, damage):
    state = watch().state()
    newest, guarded = read_state(json.dumps({"d_loss": 1, "guards": state}))
    assert newest == {"d_loss": 1.0} and guarded == state
    assert read_state("{}", 3.0) == ({}, None)
    with pytest.raises(ValueError, match="what it says"):
        read_state(json.dumps(damage(state)))
    with pytest.raises(ValueError, match="nan"):
        read_state("{}", float("nan"))


def test_text_that_is_no_json_is_refused():
    for text in (b"", b"\xff", "{" * 100, "[" * 100_000):
        with pytest.raises(ValueError, match="what it says"):
            read_state(text)
