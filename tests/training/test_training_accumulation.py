"""A batch in parts is the whole batch where no sound has to do with another; else it is refused."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from discriminators.growing_gan import GrowingGANDiscriminator
from noisygan.errors import UsageError
from noisygan.losses import R1, R2
from noisygan.losses.generator import FeatureMatch, SpectralMatch
from noisygan.training.optimizers import Adam
from tests import toys


def after_steps(**changes):
    """(weights of both networks, metrics of the last step, trainer)."""
    trainer = toys.trainer(
        [R1(interval=2), R2(interval=2)],
        generator_losses=[SpectralMatch(0.5, (256,))],
        batch_size=4,
        # Adam's steps are as large for a gradient of rounding errors: SGD's are not.
        g_optimizer=Adam(1e-4, epsilon=1.0),
        d_optimizer=Adam(1e-4, epsilon=1.0),
        **changes,
    )
    trainer.build(toys.notes(), seed=3)
    batches = trainer.batches(toys.notes(), 0)
    for step in range(2):
        metrics = trainer.train_step(batches, step)
    weights = [v.numpy() for n in (trainer.generator, trainer.discriminator) for v in n.weights]
    return weights, {name: float(value) for name, value in metrics.items()}, trainer


@pytest.mark.usefixtures("unoptimized")
def test_parts_make_up_the_whole_batch(eagerly):
    whole, metrics, _ = after_steps(n_critic=2)
    tf.config.run_functions_eagerly(False)
    parts, same, trainer = after_steps(n_critic=2, accumulate=2)
    for a, b in zip(whole, parts, strict=True):
        np.testing.assert_allclose(a, b, atol=2e-6)
    # Spread compares the sounds of a part, peaks are means of the parts'.
    for name in set(metrics) - {"fake_spread", "real_spread", "fake_peak", "fake_quietest_peak"}:
        assert same[name] == pytest.approx(metrics[name], rel=1e-3, abs=1e-5), name
    assert int(trainer.step) == 2
    assert int(trainer.d_phase.optimizer.iterations) == 2 * 2


def test_what_couples_the_batch_is_refused():
    with pytest.raises(UsageError, match="got 3 parts of a batch of 4, expected a number that"):
        toys.trainer(batch_size=4, accumulate=3)
    with pytest.raises(UsageError, match="FeatureMatch compares the means of whole batches"):
        toys.trainer(batch_size=4, accumulate=2, generator_losses=[FeatureMatch()])
    judge = GrowingGANDiscriminator((2, 1), 512, group_size=4)
    with pytest.raises(UsageError, match="groups of 4 rows, a part has 2"):
        toys.trainer(batch_size=4, accumulate=2, discriminator=judge)
    judge = toys.discriminator()
    judge.normalisation = keras.layers.BatchNormalization()
    judge.normalisation.build([None, 4])
    trainer = toys.trainer(batch_size=4, accumulate=2, discriminator=judge)
    with pytest.raises(UsageError, match="layers of the networks normalise each part by itself"):
        trainer.build(toys.notes())
