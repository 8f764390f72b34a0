"""Caching of spectra that several losses and views have in common."""

import contextlib
import threading

import tensorflow as tf

_state = threading.local()


@contextlib.contextmanager
def shared_spectra():
    """Context in which `spectral.magnitude` of one tensor and frame length is computed once.

    For a training step whose views and losses use the same audio. All uses must be recorded by the
    same gradient tapes: a spectrum has no gradient in a tape that did not record it. Threads and
    graphs do not share with each other.
    """
    before = getattr(_state, "found", None)
    _state.found = {}
    try:
        yield
    finally:
        _state.found = before


def computed_once(what, tensor, compute):
    """Return `compute()`, cached within `shared_spectra`.

    Args:
      what: Hashable key of the computation.
      tensor: Its input.
      compute: Function without arguments.
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
        # The tensor is kept alive, so that its id stays unique.
        found[key] = (tensor, compute())
    return found[key][1]
