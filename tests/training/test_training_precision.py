"""Half precision: in the discriminator's layers alone, finite, and near to full precision."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from discriminators import MultiDiscriminator, SpectrogramDiscriminator
from noisygan.errors import UsageError
from noisygan.losses import R1, R2
from noisygan.training.precision import check_precision, with_loss_scale
from noisygan.training.steps import Phase, update
from tests import toys


def trained(precision, n_steps=6):
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


@pytest.fixture(scope="module")
def full():
    return trained("float32")


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_half_precision_learns_nearly_the_same(full, precision):
    trainer, metrics = trained(precision)
    _, expected = full
    layers = trainer.discriminator.discriminators[0].convolutions
    assert {layer.compute_dtype for layer in layers} == {precision}
    assert {v.dtype for v in trainer.discriminator.weights} == {"float32"}
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


def test_a_loss_that_is_not_finite_changes_nothing_though_its_gradient_is_finite():
    variable = keras.Variable([1.0])
    optimizer = with_loss_scale(keras.optimizers.SGD(1.0), [variable], "float16")
    phase = Phase("d", [variable], optimizer)
    metrics = update(phase, tf.constant(np.inf), [tf.constant([256.0])])
    assert float(metrics["d_finite"]) == 0.0 and variable.numpy() == [1.0]
    metrics = update(phase, tf.constant(1.0), [tf.constant([128.0])])
    assert float(metrics["d_finite"]) == 1.0 and variable.numpy() == [0.0]


def test_what_is_heard_is_in_full_precision(full):
    trainer, _ = trained("bfloat16", 1)
    plain = full[0].generator
    for v, w in zip(trainer.generator.weights, plain.weights, strict=True):
        v.assign(w)
    z = plain.prior(3, 0)
    sounds = [g(z, toys.conditioning()).audio.numpy() for g in (trainer.generator, plain)]
    np.testing.assert_array_equal(*sounds)


def test_precisions_that_are_none_are_refused():
    with pytest.raises(UsageError, match="got 'half', expected one of float32, bfloat16, float16"):
        toys.trainer(precision="half")
    with pytest.raises(UsageError, match="expected bfloat16 or float32 beside a growth"):
        check_precision("float16", growth=object())
