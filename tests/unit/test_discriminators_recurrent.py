"""Recurrent discriminator: counts, blocks, second derivatives."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from discriminators.recurrent import RecurrentDiscriminator
from noisygan.losses.regularizers import R1, DiscriminatorContext, GradientPenalty


def test_the_published_size():
    discriminator = RecurrentDiscriminator()
    output = tf.function(discriminator)(tf.zeros([1, 500]))
    first, second = 4 * 128 * (1 + 128 + 1), 4 * 128 * (128 + 128 + 1)
    assert sum(np.prod(v.shape) for v in discriminator.trainable_weights) == first + second + 129
    assert output.logits[0].shape == (1,)
    assert [m.shape for m in output.features[0]] == [(1, 500, 128), (1, 128)]


def test_blocks_shorten_the_sequence():
    discriminator = RecurrentDiscriminator(60, units=4, block=5)
    audio = tf.random.stateless_normal([2, 60], [0, 1])
    assert discriminator.front_end(audio)[0].shape == (2, 60, 1)
    assert discriminator(audio).features[0][0].shape == (2, 12, 4)


def test_a_block_divides_the_audio():
    with pytest.raises(ValueError, match="block: got 7"):
        RecurrentDiscriminator(60, block=7)


@pytest.mark.parametrize("penalty", [R1(), GradientPenalty()])
def test_penalties_have_the_gradient_of_finite_differences(penalty):
    keras.utils.set_random_seed(0)
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float64")
    try:
        discriminator = RecurrentDiscriminator(16, units=3, block=2)
        rng = np.random.default_rng(0)
        real, fake = (tf.constant(rng.normal(size=[2, 16, 1])) for _ in range(2))
        discriminator.score([real], None)
    finally:
        keras.config.set_dtype_policy(policy)
    variables = discriminator.trainable_variables
    values = [v.value for v in variables]
    assert values[0].dtype == tf.float64

    def value():
        context = DiscriminatorContext(
            score=discriminator.score,
            real_features=[real],
            fake_features=[fake],
            seed=tf.constant([0, 1]),
        )
        return penalty(context)

    def slopes():
        with tf.GradientTape() as tape:
            tape.watch(values)
            total = value()
        return tape.gradient(total, values, unconnected_gradients="zero")

    analytic = tf.function(slopes)()
    measured = tf.function(value)
    largest = max(np.abs(s).max() for s in analytic)
    assert largest > 1e-6
    for variable, slope in zip(variables, analytic, strict=True):
        kept = variable.numpy()
        for place in rng.permutation(kept.size)[:3]:
            ends = []
            for sign in (1.0, -1.0):
                moved = kept.copy()
                moved.flat[place] += sign * 1e-5
                variable.assign(moved)
                ends.append(float(measured()))
            variable.assign(kept)
            expected = (ends[0] - ends[1]) / 2e-5
            assert abs(np.asarray(slope).flat[place] - expected) < 1e-6 * largest, variable.path
