"""Half precision: in the discriminator's layers alone, finite, and near to full precision."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from discriminators import (
    Discriminator,
    MFCCDiscriminator,
    MultiDiscriminator,
    SpectrogramDiscriminator,
)
from discriminators.drum_dcgan import DrumDCGANDiscriminator
from discriminators.drum_wgan import DrumWGANDiscriminator
from discriminators.growing_gan import GrowingGANDiscriminator
from discriminators.periods import MultiPeriodDiscriminator, PeriodDiscriminator
from discriminators.recurrent import RecurrentDiscriminator
from discriminators.resolutions import MultiResolutionDiscriminator
from discriminators.waveform import WaveGANDiscriminator
from noisygan.errors import UsageError
from noisygan.losses import R1, R2
from noisygan.training.optimizers import FIRST_LOSS_SCALE, Adam, Phase
from noisygan.training.precision import set_precision
from tests import toys
from tests.contracts import test_contracts as contracts
from tests.contracts.cases_growing import half as half_faded

# Every discriminator and the length of its sounds, small; what it draws at random as by default.
JUDGES = {
    MFCCDiscriminator: (toys.discriminator, 4000),
    SpectrogramDiscriminator: (lambda: toys.discriminator(SpectrogramDiscriminator), 4000),
    MultiDiscriminator: (lambda: MultiDiscriminator([WaveGANDiscriminator(256, 2, 5)]), 256),
    WaveGANDiscriminator: (lambda: WaveGANDiscriminator(1000, units=2, kernel_size=5), 1000),
    PeriodDiscriminator: (lambda: PeriodDiscriminator(7, n_filters=(4, 6)), 1000),
    MultiPeriodDiscriminator: (lambda: MultiPeriodDiscriminator((2, 3), n_filters=(4,)), 1000),
    MultiResolutionDiscriminator: (
        lambda: MultiResolutionDiscriminator(16000, (256, 64), n_filters=(4,)),
        1000,
    ),
    DrumDCGANDiscriminator: (lambda: DrumDCGANDiscriminator(700, (4, 6), (4, 1), (1, 2)), 700),
    DrumWGANDiscriminator: (
        half_faded(lambda: DrumWGANDiscriminator(1024, units=3, embedding_dim=5)),
        1024,
    ),
    GrowingGANDiscriminator: (
        half_faded(lambda: GrowingGANDiscriminator((4, 3), 64, kernel_size=5)),
        128,
    ),
    RecurrentDiscriminator: (lambda: RecurrentDiscriminator(40, units=6, block=4), 40),
}


def trained(precision, n_steps):
    keras.utils.set_random_seed(0)
    judge = MultiDiscriminator(
        [toys.discriminator(over_bands=False), toys.discriminator(SpectrogramDiscriminator)]
    )
    trainer = toys.trainer([R1(), R2()], discriminator=judge, precision=precision)
    trainer.build(toys.notes(), seed=3)
    batches = trainer.batches(toys.notes(), 0)
    metrics = [
        {name: float(value) for name, value in trainer.train_step(batches, step).items()}
        for step in range(n_steps)
    ]
    return trainer, metrics


@pytest.mark.usefixtures("unoptimized")
@pytest.mark.parametrize(("precision", "n_steps"), [("bfloat16", 2), ("float16", 6)])
def test_half_precision_learns_nearly_the_same(precision, n_steps, eagerly):
    _, expected = trained("float32", 1)
    # The loss scale is searched in a graph.
    tf.config.run_functions_eagerly(precision == "bfloat16")
    trainer, metrics = trained(precision, n_steps)
    layers = trainer.discriminator.discriminators[0].convolutions
    assert {layer.compute_dtype for layer in layers} == {precision}
    assert {v.dtype for v in trainer.discriminator.weights} == {"float32"}
    assert {layer.compute_dtype for layer in trainer.generator._flatten_layers()} == {"float32"}
    # A scale that overflows is halved at each step until it does not.
    assert all(np.isfinite(each[f"{phase}_loss"]) for each in metrics for phase in "dg")
    assert all(np.isfinite(value) for value in metrics[-1].values())
    assert metrics[-1]["d_finite"] == metrics[-1]["g_finite"] == 1.0
    for name in ("d_adversarial", "g_adversarial", "d_r1", "d_r2", "real_logits"):
        assert metrics[0][name] == pytest.approx(expected[0][name], rel=0.05, abs=0.02), name
    if precision == "bfloat16":
        assert metrics[0]["g_gradient"] == pytest.approx(expected[0]["g_gradient"], rel=0.1)
    else:
        assert float(trainer.d_phase.optimizer.dynamic_scale.value) > 1.0


def test_every_discriminator_is_tried_in_half_precision():
    public = contracts.public_layers(["discriminators"])
    assert {c for c in public if issubclass(c, Discriminator)} == set(JUDGES)


@pytest.mark.parametrize("kind", JUDGES)
def test_every_discriminator_computes_and_learns_in_half_precision(kind, monkeypatch):
    make, n_samples = JUDGES[kind]
    audio = tf.constant(toys.notes(n=4, n_samples=n_samples).audio(np.arange(4)))
    encoded = tf.constant(np.eye(4, 7), tf.float32)

    def score(precision):
        keras.utils.set_random_seed(0)
        discriminator = make()
        set_precision(discriminator, precision, grows=False)
        discriminator.adapt(audio)
        discriminator(audio, encoded)
        maps = discriminator.front_end(audio)
        variables = discriminator.trainable_variables
        with tf.GradientTape() as tape:
            tape.watch(maps)
            logits, features = discriminator.score(maps, encoded)
            squares = [tf.reduce_sum(tf.cast(each, tf.float32) ** 2) for each in logits]
            loss = FIRST_LOSS_SCALE * tf.add_n(squares)
        slopes = tape.gradient(loss, [*maps, *variables])
        assert {each.dtype for each in maps} == {tf.float32}
        assert {variable.dtype for variable in variables} == {"float32"}
        for slope in slopes:
            assert np.isfinite(slope).all() and np.abs(slope).max() > 0
        return logits, {h.dtype for each in features for h in each}

    # Random numbers depend on the last bit; first of all it must be possible to draw them.
    _, dtypes = score("float16")
    assert dtypes == {tf.float16}
    for module in ("waveform", "drum_dcgan", "drum_wgan"):
        for name in ("phase_shuffle", "dropout"):
            monkeypatch.setattr(f"discriminators.{module}.{name}", lambda h, _: h, raising=False)
    for logits, expected in zip(score("bfloat16")[0], score("float32")[0], strict=True):
        size = np.abs(expected).max()
        np.testing.assert_allclose(tf.cast(logits, tf.float32), expected, atol=0.1 * size)


def test_a_loss_that_is_not_finite_changes_nothing_though_its_gradient_is_finite():
    variable = keras.Variable([1.0])
    phase = Phase("d", [variable], Adam(1.0).build([variable], loss_scale=True))
    metrics = phase.update(tf.constant(np.inf), [tf.constant([256.0])])
    assert float(metrics["d_finite"]) == 0.0 and variable.numpy() == [1.0]
    metrics = phase.update(tf.constant(1.0), [tf.constant([128.0])])
    assert float(metrics["d_finite"]) == 1.0 and abs(variable.numpy()[0]) < 1e-5


def test_precisions_that_are_none_are_refused():
    with pytest.raises(UsageError, match="got 'half', expected one of float32, bfloat16, float16"):
        toys.trainer(precision="half")
    with pytest.raises(UsageError, match="float16' with a growth"):
        set_precision(toys.discriminator(), "float16", grows=True)
