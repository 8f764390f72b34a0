"""Regularizers against closed forms: judges whose gradients are known."""

import numpy as np
import pytest
import tensorflow as tf

from discriminators import DiscriminatorOutput
from noisygan.losses import R1, R2, Drift, GradientPenalty
from noisygan.losses.regularizers import DiscriminatorContext

RNG = np.random.default_rng(0)
REAL = [RNG.normal(size=(4, 5, 3)).astype(np.float32), RNG.normal(size=(4, 6)).astype(np.float32)]
FAKE = [RNG.normal(size=(4, 5, 3)).astype(np.float32), RNG.normal(size=(4, 6)).astype(np.float32)]
WEIGHTS = [RNG.normal(size=m.shape[1:]).astype(np.float32) for m in REAL]
LENGTH = np.sqrt(sum(np.sum(w**2) for w in WEIGHTS))


def rows(products):
    return tf.reduce_sum(tf.reshape(products, [products.shape[0], -1]), axis=1)


def linear(maps, conditioning=None):
    """Each map's logit is its product with fixed weights: the gradient is these weights."""
    return DiscriminatorOutput([rows(m * w) for m, w in zip(maps, WEIGHTS, strict=True)], [])


def quadratic(maps, conditioning=None):
    """One logit, half the squared maps' sum: the gradient is the maps themselves."""
    return DiscriminatorOutput([tf.add_n([rows(0.5 * m**2) for m in maps])], [])


def context(judge, real=REAL, fake=FAKE, seed=(1, 2)):
    real, fake = ([tf.constant(m) for m in maps] for maps in (real, fake))
    return DiscriminatorContext(judge, real, fake, seed=tf.constant(seed))


def mean_square(maps):
    return np.mean([sum(np.sum(m[i] ** 2) for m in maps) for i in range(4)])


def test_r1_and_r2_of_a_linear_judge():
    for regularizer in (R1(), R2()):
        np.testing.assert_allclose(regularizer(context(linear)), 0.5 * LENGTH**2, rtol=1e-5)


def test_r1_looks_at_recordings_and_r2_at_generated_sounds():
    np.testing.assert_allclose(R1()(context(quadratic)), 0.5 * mean_square(REAL), rtol=1e-5)
    np.testing.assert_allclose(R2()(context(quadratic)), 0.5 * mean_square(FAKE), rtol=1e-5)


def test_batches_that_are_compared_within_are_scored_one_after_the_other():
    def relative(maps, conditioning):
        logits = quadratic(maps, conditioning).logits
        return DiscriminatorOutput([x - tf.reduce_mean(x) for x in logits], [])

    real, fake = [tf.constant(m) for m in REAL], [tf.constant(m) for m in FAKE]
    found = DiscriminatorContext(relative, real, fake, one_pass=False)
    for logits, maps in ((found.real_logits, real), (found.fake_logits, fake)):
        for one, expected in zip(logits, relative(maps, None).logits, strict=True):
            np.testing.assert_allclose(one, expected, rtol=1e-5)
            assert abs(np.mean(one)) < 1e-4
    assert [g.shape for g in found.feature_gradients[0]] == [m.shape for m in real]


def test_penalties_at_both_sides_share_one_pass():
    calls = []

    def counted(maps, conditioning):
        calls.append(maps)
        return quadratic(maps)

    shared = context(counted)
    R1()(shared), R2()(shared), Drift()(shared)
    assert len(calls) == 1


def test_conditioning_is_that_of_both_halves():
    told = tf.reshape(tf.range(8.0), [4, 2])

    def conditional(maps, conditioning):
        return DiscriminatorOutput([tf.reduce_sum(conditioning, axis=1) + 0.0 * rows(maps[0])], [])

    found = DiscriminatorContext(conditional, [REAL[0]], [FAKE[0]], told)
    np.testing.assert_array_equal(found.real_logits[0], [1.0, 5.0, 9.0, 13.0])
    np.testing.assert_array_equal(found.fake_logits[0], found.real_logits[0])


def test_conditioning_may_have_several_tensors_and_gaps():
    def conditional(maps, conditioning):
        encoded, held = conditioning
        assert encoded is None
        return DiscriminatorOutput([held + 0.0 * rows(maps[0])], [])

    held = tf.range(4.0)
    found = DiscriminatorContext(conditional, [REAL[0]], [FAKE[0]], (None, held))
    np.testing.assert_array_equal(found.real_logits[0], held)
    np.testing.assert_array_equal(found.fake_logits[0], held)


def test_the_gradient_penalty_of_a_linear_judge():
    np.testing.assert_allclose(GradientPenalty()(context(linear)), (LENGTH - 1) ** 2, rtol=1e-5)


def test_the_gradient_penalty_is_taken_between_the_two():
    # Of one number a row, from 3 to 5: (|x| - 1)^2 lies between 4 and 16.
    real, fake = [np.full((64, 1), 3.0, np.float32)], [np.full((64, 1), 5.0, np.float32)]
    values = [float(GradientPenalty()(context(quadratic, real, fake, (s, 0)))) for s in range(4)]
    again = float(GradientPenalty()(context(quadratic, real, fake, (0, 0))))
    assert values[0] == again
    assert len(set(values)) == 4
    # Uniform shares: the mean of (2 + 2u)^2 is 4 + 8/2 + 4/3.
    np.testing.assert_allclose(np.mean(values), 4 + 4 + 4 / 3, atol=0.8)
    same = float(GradientPenalty()(context(quadratic, real, real)))
    np.testing.assert_allclose(same, 4.0, rtol=1e-5)


def test_one_share_for_all_numbers_and_maps_of_a_row():
    seen = []

    def judge(maps, conditioning):
        seen.append(maps)
        return quadratic(maps)

    zeros, ones = ([np.full_like(m, x) for m in REAL] for x in (0, 1))
    GradientPenalty()(context(judge, zeros, ones))
    first, second = seen[-1]
    shares = first[:, 0, 0].numpy()
    np.testing.assert_array_equal(first, np.broadcast_to(shares[:, None, None], first.shape))
    np.testing.assert_array_equal(second, np.broadcast_to(shares[:, None], second.shape))
    assert np.unique(shares).size == 4


def test_drift():
    products = [m * w for m, w in zip(REAL, WEIGHTS, strict=True)]
    logits = [np.sum(x, axis=tuple(range(1, x.ndim))) for x in products]
    expected = sum(np.mean(x**2) for x in logits)
    np.testing.assert_allclose(Drift()(context(linear)), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("regularizer", "expected"),
    # d/dw of w^2 / 2, and of (|w| - 1)^2, at w = 3.
    [(R1(), 3.0), (R2(), 3.0), (GradientPenalty(), 4.0)],
)
def test_the_judge_learns_from_it(regularizer, expected):
    weight = tf.Variable(3.0)

    def judge(maps, conditioning):
        return DiscriminatorOutput([weight * maps[0][:, 0]], [])

    with tf.GradientTape() as tape:
        value = regularizer(context(judge, [REAL[1]], [FAKE[1]]))
    np.testing.assert_allclose(tape.gradient(value, weight), expected, rtol=1e-5)


def test_weights_and_intervals_that_papers_and_configs_rely_on():
    found = [(each.weight, each.interval) for each in (R1(), R2(), GradientPenalty(), Drift())]
    assert found == [(1.0, 1), (1.0, 1), (10.0, 1), (1e-3, 1)]
    assert R1(weight=0.0).weight == 0.0


def test_a_flat_judge_has_a_finite_penalty_and_gradient():
    weight = tf.Variable(0.0)

    def judge(maps, conditioning):
        return DiscriminatorOutput([weight * maps[0][:, 0]], [])

    with tf.GradientTape() as tape:
        value = GradientPenalty()(context(judge, [REAL[1]], [FAKE[1]]))
    np.testing.assert_allclose(value, 1.0, rtol=1e-5)
    assert np.isfinite(tape.gradient(value, weight))
