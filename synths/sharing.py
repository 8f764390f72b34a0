"""Spectra that several parts of a program ask for are computed once."""

import contextlib
import threading

import tensorflow as tf

_state = threading.local()


@contextlib.contextmanager
def shared_spectra():
    """Within, `spectral.magnitude` of one tensor with the same lengths is computed once.

    For a step whose views and losses look at the same sounds. All of it must be recorded by the
    same gradient tapes: what a tape did not see when it was computed has no gradient there. Each
    thread, and each graph that is traced within, shares for itself.
    """
    before = getattr(_state, "found", None)
    _state.found = {}
    try:
        yield
    finally:
        _state.found = before


def computed_once(what, tensor, compute):
    """`compute()`, or what it gave before for the same tensor where spectra are shared.

    Args:
      what: Says what is computed of the tensor, hashable.
      tensor: What it is computed of.
      compute: A function without arguments.
    """
    found = getattr(_state, "found", None)
    if found is None:
        return compute()
    graph = None if tf.executing_eagerly() else tensor.graph
    inside = graph is None or graph is tf.compat.v1.get_default_graph()
    if not inside:
        return compute()
    key = (what, id(tensor))
    if key not in found:
        # The tensor is kept, so that no other one takes its id.
        found[key] = (tensor, compute())
    return found[key][1]
