"""`--deterministic`: what is left to chance without it."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.eager import context

from noisygan.training.determinism import sum_in_order

pytestmark = pytest.mark.usefixtures("chance_again")


def gradient(give_away):
    """A variable's gradient, a sum of three terms; one has its own buffer, or none."""
    terms = [tf.fill([64], value) for value in (-1e8, 1e8, 1.0)]

    @tf.function
    def of(x, first, second, third):
        first = -1e8 * tf.cos(0.0 * first) if give_away else first
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = sum(_with_gradient(x, term) for term in (first, second, third))
        return tape.gradient(y, x)

    return of(tf.zeros([64]), *terms).numpy()


def _with_gradient(x, gradient):
    return tf.custom_gradient(lambda x: (tf.reduce_sum(x), lambda upstream: gradient))(x)


def test_which_term_has_a_buffer_to_give_away_decides_how_sums_are_rounded_but_not_here():
    sum_in_order()
    assert gradient(give_away=True) == pytest.approx(gradient(give_away=False), abs=0)


def test_addn_is_given_two_terms_at_a_time_in_the_optimized_graph_too():
    sum_in_order()
    context.context().enable_run_metadata()
    try:
        gradient(give_away=True)
        graphs = context.context().export_run_metadata().function_graphs
    finally:
        context.context().disable_run_metadata()
    nodes = [node for graph in graphs for node in graph.post_optimization_graph.node]
    n_terms = [len(node.input) for node in nodes if node.op == "AddN"]
    assert n_terms == [2, 2]


def test_sums_are_the_same_as_addns():
    terms = [tf.random.stateless_normal([3, 5], seed=(0, i)) for i in range(4)]
    sum_in_order()
    expected = np.sum([term.numpy() for term in terms], axis=0)
    assert tf.add_n(terms).numpy() == pytest.approx(expected, abs=1e-6)
    assert tf.add_n(terms, name="sum").numpy() == pytest.approx(expected, abs=1e-6)
    assert tf.add_n(terms[:1], name="alone").numpy() == pytest.approx(terms[0].numpy(), abs=0)
