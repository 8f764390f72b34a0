"""Shared spectra: computed once, with gradients, never mixed up."""

import numpy as np
import tensorflow as tf

from synths import spectral
from synths.sharing import computed_once, shared_spectra

AUDIO = tf.constant(np.random.default_rng(0).normal(size=(2, 512)), tf.float32)


def counted(calls):
    return computed_once("it", AUDIO, lambda: calls.append(1) or AUDIO + len(calls))


def test_nothing_is_shared_outside():
    calls = []
    counted(calls), counted(calls)
    with shared_spectra():
        counted(calls)
    counted(calls)
    assert len(calls) == 4


def test_one_tensor_and_length_is_computed_once():
    with shared_spectra():
        first = spectral.magnitude(AUDIO, 64, 16)
        assert spectral.magnitude(AUDIO, 64, 16) is first
        for other in (
            spectral.magnitude(AUDIO, 64, 32),
            spectral.magnitude(AUDIO, 32, 16),
            spectral.magnitude(2.0 * AUDIO, 64, 16),
        ):
            assert other is not first
            assert not np.array_equal(other[:, :16, :16], first[:, :16, :16])


def test_a_graph_shares_as_well():
    found = []

    @tf.function
    def twice(audio):
        found.extend(spectral.magnitude(audio, 64, 16) for _ in range(2))
        return found[0]

    with shared_spectra():
        twice(AUDIO)
    assert found[0] is found[1]


def test_gradients_of_all_who_share_add_up():
    def slope():
        with tf.GradientTape() as tape:
            tape.watch(AUDIO)
            a, b = (spectral.magnitude(AUDIO, 64, 16) for _ in range(2))
            total = tf.reduce_sum(a**2) + tf.reduce_sum(tf.sin(b))
        return tape.gradient(total, AUDIO)

    apart = slope()
    for function in (slope, tf.function(slope)):
        with shared_spectra():
            np.testing.assert_allclose(function(), apart, atol=1e-5)


def test_graphs_within_graphs_compute_for_themselves():
    @tf.function
    def twice(audio):
        inner = tf.cond(
            tf.reduce_sum(audio) > -1e9,
            lambda: tf.reduce_sum(spectral.magnitude(audio, 64, 16)),
            lambda: 0.0,
        )
        return inner, tf.reduce_sum(spectral.magnitude(audio, 64, 16))

    with shared_spectra():
        inner, outer = twice(AUDIO)
    np.testing.assert_allclose(inner, outer, rtol=1e-6)
