"""Errors of shapes: what they say, and that they get out of a graph as what they are."""

import pytest
import tensorflow as tf

from synths import ShapeError, harmonic_synthesis
from synths.errors import check_last, check_rank


def test_what_is_said():
    with pytest.raises(ShapeError, match=r"^x: expected \[batch, 1\], got shape \(2,\)\.$"):
        check_rank("x", tf.zeros([2]), 2, "[batch, 1]")
    with pytest.raises(ShapeError, match=r"^x: expected \[batch, 1\], got shape \(2, 3\)\.$"):
        check_last("x", tf.zeros([2, 3]), 1, "[batch, 1]")
    check_rank("x", tf.zeros([2, 3]), 2, "[batch, n]")
    check_last("x", tf.zeros([2, 1]), 1, "[batch, 1]")


def test_a_shape_error_is_one_of_value():
    assert issubclass(ShapeError, ValueError)


def test_it_leaves_a_graph_as_what_it_is():
    graph = tf.function(lambda x: harmonic_synthesis(x, x))
    with pytest.raises(ShapeError, match=r"frequencies: expected \[batch, n_frames, 1\]"):
        graph(tf.zeros([2, 3]))
