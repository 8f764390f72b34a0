"""The impulse response that a match seeks."""

import numpy as np
import pytest
import tensorflow as tf

from noisygan.matching.responses import Response, octaves
from noisygan.matching.room_fit import Room

RATE = 16000


def start(response):
    return {name: tf.constant(unknown.start) for name, unknown in response.unknowns.items()}


@pytest.mark.parametrize(("seconds", "wet"), [(0.4, 0.1), (1.5, 2.0)])
def test_the_start_is_the_room(seconds, wet):
    response = Response(Room(seconds, wet, 10, 20), RATE)
    ir = response(start(response)).numpy()
    assert np.sum(ir**2) == pytest.approx(wet, rel=1e-4)
    assert np.all(ir[:16] == 0.0)
    rest = -10 * np.log10(np.cumsum(ir[::-1] ** 2)[::-1] / np.sum(ir**2))
    found = 3.0 * (np.searchsorted(rest, 25.0) - np.searchsorted(rest, 5.0)) / RATE
    assert found == pytest.approx(seconds, rel=0.1)


def test_octaves_add_up_and_each_falls_as_it_is_told():
    hz = np.linspace(0.0, 8000.0, 4097)
    np.testing.assert_allclose(octaves(hz).sum(axis=0), 1.0, rtol=1e-6)
    response = Response(Room(1.0, 0.5, 10, 20), RATE)
    values = start(response)
    seconds = values["room/seconds"].numpy()
    seconds[-1] = np.log(0.1)
    ir = response(values | {"room/seconds": tf.constant(seconds)}).numpy()
    power = np.abs(np.fft.rfft(ir[4800:8000])) ** 2
    assert power[-600:].mean() < 1e-3 * power[:600].mean()


def test_a_gradient_reaches_all_that_is_sought():
    response = Response(Room(0.4, 0.1, 10, 20), RATE)
    values = start(response)
    with tf.GradientTape() as tape:
        tape.watch(values)
        loss = tf.reduce_sum(tf.abs(response(values)))
    for name, gradient in tape.gradient(loss, values).items():
        assert np.all(np.isfinite(gradient)) and np.any(gradient.numpy() != 0.0), name
