"""A step of training: who is updated by what, how often, and what never happens."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from discriminators import ConditionEncoder, MultiDiscriminator
from discriminators.readout import Statistics
from noisygan.errors import UsageError
from noisygan.generators import Hybrid
from noisygan.losses import BCE, R1, R2, Drift, GradientPenalty
from noisygan.losses.generator import SpectralMatch
from noisygan.training.optimizers import Adam, Phase
from noisygan.training.step_metrics import spread
from tests import toys

pytestmark = pytest.mark.usefixtures("unoptimized")


def values(network):
    return [v.numpy() for v in network.trainable_variables]


def distance(before, after):
    """Largest difference between two lists of weights."""
    return max(np.abs(a - b).max() for a, b in zip(before, after, strict=True))


def batches(seed=1, batch_size=3, **changes):
    return iter(toys.notes(**changes).batches(batch_size, seed))


@pytest.fixture(autouse=True)
def the_same_draws():
    """Nothing is seeded globally: that drops compiled functions, and steps have their own seeds."""


@pytest.fixture(scope="module")
def shared():
    """One built trainer for all tests that change no more than its weights."""
    trainer = toys.trainer(
        [R1(weight=2.0, interval=2)], generator_losses=[SpectralMatch(0.5, (256,))]
    )
    trainer.build(toys.notes(), seed=3)
    return trainer


@pytest.fixture
def trainer(shared):
    """The shared one with its first weights and learning rates."""
    if not hasattr(shared, "build_state"):
        shared.build_state = [(v, v.numpy()) for v in tf.nest.flatten(shared.checkpointed)]
    for variable, value in shared.build_state:
        variable.assign(value)
    return shared


@pytest.mark.parametrize("jit_compile", [False, True])
def test_a_discriminator_that_reads_note_offs_trains_under_gradient_penalties(jit_compile):
    read_out = Statistics(note_off_edges_seconds=(-0.05, 0.0, 0.05))
    discriminator = MultiDiscriminator([toys.discriminator(read_out=read_out)])
    trainer = toys.trainer(
        [R1(), R2(), GradientPenalty()], discriminator=discriminator, jit_compile=jit_compile
    )
    data = toys.notes(held=lambda i: 0.1 if i % 2 else np.inf)
    trainer.build(data)
    batch = next(iter(data.batches(3, 1)))
    (real,) = discriminator.front_end(batch["audio"])
    early, late = (discriminator.score([real], None, tf.fill([3], x)).logits for x in (0.1, 0.2))
    assert not np.array_equal(early[0], late[0])
    kernel = discriminator.discriminators[0].hidden.kernel
    n_around = 2 * 2 * 6  # Segments, bands and filters; they are pooled last.
    before = kernel.numpy()[-n_around:]
    metrics = trainer.train_step(iter([batch]), 0)
    assert np.isfinite([float(x) for x in metrics.values()]).all()
    assert np.abs(kernel.numpy()[-n_around:] - before).min(axis=1).all()


@pytest.mark.parametrize("learner", ["d", "g"])
def test_an_update_of_one_network_leaves_the_other_unchanged(trainer, learner):
    idle = trainer.g_phase if learner == "d" else trainer.d_phase
    idle.optimizer.learning_rate.assign(0.0)
    networks = {"d": trainer.discriminator, "g": trainer.generator}
    learning = networks.pop(learner)
    (resting,) = networks.values()
    before, resting_before = values(learning), values(resting)
    data = batches()
    for step in range(2):
        trainer.train_step(data, step)
    assert distance(before, values(learning)) > 1e-3
    assert distance(resting_before, values(resting)) == 0.0


def test_lazy_regularizers_apply_at_their_interval_and_weigh_as_much_as_it_is_long(trainer):
    data = batches()
    for step in range(5):
        metrics = {name: float(x) for name, x in trainer.train_step(data, step).items()}
        if step % 2 == 0:
            expected = metrics["d_adversarial"] + 2.0 * 2 * metrics["d_r1"]
            assert metrics["d_r1"] > 0
        else:
            assert "d_r1" not in metrics
            expected = metrics["d_adversarial"]
        np.testing.assert_allclose(metrics["d_loss"], expected, rtol=1e-5)
        expected = metrics["g_adversarial"] + 0.5 * metrics["g_spectralmatch"]
        np.testing.assert_allclose(metrics["g_loss"], expected, rtol=1e-5)


def test_the_average_follows_the_generator(trainer):
    data = batches()
    expected = [v.numpy() for v in trainer.generator.weights]
    for step in range(3):
        trainer.train_step(data, step)
        decay = min(trainer.ema_decay, (1 + step) / (10 + step))
        now = [v.numpy() for v in trainer.generator.weights]
        expected = [decay * e + (1 - decay) * x for e, x in zip(expected, now, strict=True)]
    for average, value in zip(trainer.g_ema.averages, expected, strict=True):
        np.testing.assert_allclose(average, value, atol=1e-6)
    assert distance(expected, now) > 1e-4
    with trainer.averaged():
        for variable, value in zip(trainer.generator.weights, expected, strict=True):
            np.testing.assert_allclose(variable, value, atol=1e-6)
    for variable, value in zip(trainer.generator.weights, now, strict=True):
        np.testing.assert_array_equal(variable, value)


def test_a_step_depends_on_its_number_the_seed_and_the_batch_alone(trainer):
    first = next(batches())
    metrics = []
    for step in (0, 0, 2):
        for variable, value in trainer.build_state:
            variable.assign(value)
        tf.random.set_seed(step + 17)
        metrics.append(float(trainer.train_step(iter([first]), step)["g_loss"]))
    assert metrics[0] == metrics[1]
    assert metrics[0] != metrics[2]


@pytest.mark.parametrize("learner", ["d", "g"])
def test_each_network_learns_on_one_batch_against_the_other_as_it_is(trainer, learner):
    idle = trainer.g_phase if learner == "d" else trainer.d_phase
    idle.optimizer.learning_rate.assign(0.0)
    batch = next(batches())
    first, *_, last = (
        {name: float(x) for name, x in trainer.train_step(iter([batch]), 1).items()}
        for _ in range(60)
    )
    if learner == "d":
        assert last["d_right"] == 1.0 and last["d_adversarial"] < 0.2 * first["d_adversarial"]
        assert last["real_logits"] > last["fake_logits"] + 1.0
    else:
        assert last["g_adversarial"] < first["g_adversarial"] - 0.05
        assert last["g_loss"] < 0.9 * first["g_loss"]


@pytest.mark.usefixtures("eagerly")
def test_d_updates_are_n_critic_times_g_updates_each_with_its_own_batch():
    trainer = toys.trainer([Drift(interval=2), R1()], adversarial=BCE(), n_critic=3)
    trainer.build(toys.notes())
    data, taken = batches(), []

    def counted(change=lambda audio: audio):
        for batch in data:
            taken.append(1)
            yield batch | {"audio": change(batch["audio"])}

    for step in range(2):
        metrics = trainer.train_step(counted(), step)
        assert float(metrics["d_finite"]) == 1.0
    assert int(trainer.d_phase.optimizer.iterations) == len(taken) == 6
    assert int(trainer.g_phase.optimizer.iterations) == trainer.step == 2
    # Lazy regularizers count updates of the discriminator.
    assert [trainer.active_regularizers(i) for i in range(4)] == [(0, 1), (1,), (0, 1), (1,)]
    # An update that is skipped shows even if the last one is good.
    metrics = trainer.train_step(
        counted(lambda audio: audio * (np.nan if len(taken) == 8 else 1.0)), 2
    )
    assert float(metrics["d_finite"]) == 0.0 and float(metrics["g_finite"]) == 1.0
    assert np.isnan(metrics["d_adversarial"])


# One update


def test_an_update_that_is_not_finite_is_left_out_and_reported():
    variables = [keras.Variable([1.0, 2.0])]
    phase = Phase("d", variables, Adam(0.1).build(variables))
    before = phase.variables[0].numpy()
    for loss, slope in ((1.0, [np.nan, 0.0]), (np.inf, [1.0, 1.0]), (np.nan, [1.0, 1.0])):
        metrics = phase.update(tf.constant(loss), [tf.constant(slope)])
        assert float(metrics["d_finite"]) == 0.0
        np.testing.assert_array_equal(phase.variables[0], before)
    metrics = phase.update(tf.constant(1.0), [tf.constant([3.0, 4.0])])
    assert float(metrics["d_finite"]) == 1.0
    assert float(metrics["d_gradient"]) == 5.0
    assert np.abs(phase.variables[0] - before).min() > 0.01


def test_a_variable_without_a_gradient_stays():
    variables = [keras.Variable([1.0]), keras.Variable([2.0])]
    phase = Phase("g", variables, Adam(0.1).build(variables))
    phase.update(tf.constant(1.0), [None, tf.constant([1.0])])
    assert float(variables[0][0]) == 1.0
    assert float(variables[1][0]) != 2.0


def test_adams_learning_rate_falls_to_a_tenth():
    variables = [keras.Variable([1.0])]
    optimizer = Adam(0.5, decay_steps=100).build(variables)
    rates = []
    for step in (0, 50, 100, 1000):
        optimizer.iterations.assign(step)
        rates.append(float(optimizer.learning_rate))
    np.testing.assert_allclose(rates, [0.5, 0.275, 0.05, 0.05], rtol=1e-5)
    assert float(Adam(0.5).build(variables).learning_rate) == 0.5


def test_spread_is_the_distance_between_rows():
    same = tf.ones([4, 10, 3])
    assert float(spread([same])) < 1e-6
    rows = tf.constant([[0.0, 0.0], [3.0, 4.0]])[:, None, :] * tf.ones([1, 7, 1])
    # Distances 0, 5, 5, 0.
    np.testing.assert_allclose(spread([rows]), 2.5, rtol=1e-5)
    np.testing.assert_allclose(spread([rows, same]), 1.25, rtol=1e-5)
    # Of waveforms levels are compared, here 1 and 3 in each of up to 32 parts.
    for n in (16, 32, 100):
        waveforms = tf.constant([[1.0], [-3.0]]) * tf.ones([2, n])
        expected = 0.5 * 2.0 * min(n, 32) ** 0.5
        np.testing.assert_allclose(spread([waveforms[:, :, None]]), expected, rtol=1e-5)


# What does not fit


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"sample_rate": 44100},
            r"read at 44100 Hz and the generator makes 16000 Hz; set Recordings.sample_rate \(and "
            r"n_samples to 0.25 s at it\), or all of Hybrid.sample_rate, MFCC.sample_rate; ",
        ),
        ({"n_samples": 3000}, "3000 samples and the generator makes 4000"),
        ({"pitch": np.full(8, np.nan)}, "needs a pitch for every file"),
    ],
)
def test_recordings_that_do_not_fit_are_refused(changes, message):
    with pytest.raises(UsageError, match=message):
        toys.trainer().build(toys.notes(**changes))


def test_labels_are_counted_from_the_recordings():
    names = ("pitch", "label")
    generator = toys.hybrid(condition_encoder=ConditionEncoder(names))
    trainer = toys.trainer(generator=generator, condition_encoder=ConditionEncoder(names))
    notes = toys.notes(label=np.arange(8) % 3, label_names=["a", "b", "c"])
    trainer.build(notes)
    assert trainer.condition_encoder.n_labels == generator.condition_encoder.n_labels == 3


@pytest.mark.usefixtures("eagerly")
def test_describe_prints_the_true_numbers_of_parameters():
    trainer = toys.trainer([Drift()])
    text = trainer.describe(toys.notes())
    for title, network in (("Generator", trainer.generator), ("Disc", trainer.discriminator)):
        table = next(part for part in text.split("\n\n") if part.startswith(title))
        total = sum(v.numpy().size for v in network.weights)
        trainable = sum(v.numpy().size for v in network.trainable_weights)
        head, _, *rows = table.splitlines()
        assert f"{total:,} parameters, {trainable:,} trainable" in head
        assert sum(int(row.split()[-1].replace(",", "")) for row in rows) == total
    assert "(3, 25, 8)" in text  # the timbre curves of a batch
    assert re.search(r"conv_0 +\(3, ", text)
    assert "d_drift" in text
    assert "g_loss" in text


def test_seeds_decide_the_first_weights():
    weights = []
    for seed in (5, 5, 6):
        trainer = toys.trainer()
        trainer.build(toys.notes(), seed)
        weights.append(values(trainer.generator) + values(trainer.discriminator))
    assert distance(weights[0], weights[1]) == 0.0 < distance(weights[0], weights[2])


@pytest.mark.usefixtures("eagerly")
def test_penalties_at_both_sides_are_what_each_is_alone():
    """They share one pass of the discriminator; alone, each makes its own."""

    def metrics(*regularizers):
        trainer = toys.trainer(regularizers)
        trainer.build(toys.notes(), seed=3)
        return {name: float(x) for name, x in trainer.train_step(batches(), 0).items()}

    both, plain = metrics(R1(weight=2.0), R2(weight=3.0)), metrics()
    r1, r2 = metrics(R1(weight=2.0)), metrics(R2(weight=3.0))
    together = r1["d_loss"] + r2["d_loss"] - plain["d_loss"]
    found = [both["d_r1"], both["d_r2"], both["d_loss"]]
    np.testing.assert_allclose(found, [r1["d_r1"], r2["d_r2"], together], rtol=1e-5)


@pytest.mark.slow
def test_a_step_that_xla_compiles_is_the_same_step(monkeypatch, eagerly):
    weights = []
    # XLA samples other latents.
    monkeypatch.setattr(
        Hybrid, "prior", lambda self, n, seed: tf.linspace([-1.0] * 4, [1.0] * 4, n)
    )
    for jit_compile in (False, True):
        tf.config.run_functions_eagerly(not jit_compile)
        # A larger epsilon: a slope of rounding errors alone moves no weight.
        trainer = toys.trainer(
            [R1()],
            generator=toys.hybrid(vibrato=False),
            jit_compile=jit_compile,
            g_optimizer=Adam(3e-3, epsilon=1e-4),
            d_optimizer=Adam(3e-3, epsilon=1e-4),
        )
        trainer.build(toys.notes(), seed=3)
        parts = trainer.batches(toys.notes(), 0)
        for step in range(2):
            trainer.train_step(parts, step)
        weights.append([v.numpy() for v in (*trainer.generator.weights, *trainer.g_ema.averages)])
    for plain, compiled in zip(*weights, strict=True):
        np.testing.assert_allclose(compiled, plain, atol=2e-5)


def test_z_selects_between_takes():
    keras.utils.set_random_seed(1)
    trainer = toys.trainer(
        batch_size=4,
        generator_losses=[SpectralMatch(20.0, (256,))],
        g_optimizer=Adam(1e-2, beta_1=0.9),
    )
    # Two notes, each with a loud and a soft take.
    dry = toys.notes(n=2)
    audio = np.concatenate([dry.audio(i)[None] * gain for gain in (1.0, 0.1) for i in range(2)])
    data = toys.notes(n=4, pitch=[60, 64, 60, 64], velocity=[90] * 4, audio=audio)
    trainer.build(data, seed=2)
    batches = trainer.batches(data, 0)
    for step in range(150):
        trainer.train_step(batches, step)
    z = trainer.generator.prior(32, 5).numpy()
    same = toys.conditioning([60.0] * 32, [90.0] * 32, [0] * 32)
    heard = trainer.generator(tf.constant(z), same)
    level = 20.0 * np.log10(np.std(heard.audio.numpy(), axis=1))
    loud = level[z[:, -1] < 0.0].mean() - level[z[:, -1] >= 0.0].mean()
    assert loud > 6.0
