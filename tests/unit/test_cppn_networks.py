"""Networks over time."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from cppn import CPPN, Attack, Deconvolution, Linear, Periodic, Release, Vibrato

NOTE_OFF = np.float32([0.8, 1.6])


@pytest.fixture(autouse=True)
def _seed():
    keras.utils.set_random_seed(0)


def network(coordinates, **settings):
    return CPPN(3, coordinates, units=16, n_layers=2, **settings)


def draw(net, times, note_off=NOTE_OFF, latent_seed=0):
    latent = np.random.default_rng(latent_seed).normal(size=(len(note_off), 5))
    arguments = [tf.constant(x, tf.float32) for x in (times, note_off, latent)]
    return net(*arguments).numpy()


def moments(frame_rate, seconds=2.0):
    return np.arange(round(seconds * frame_rate), dtype=np.float32) / np.float32(frame_rate)


NETWORKS = {
    "cppn": lambda: network([Attack(), Release(), Periodic(), Vibrato()]),
    "deconvolution": lambda: Deconvolution(3, seconds=2.0, units=32, n_layers=3),
}


@pytest.mark.parametrize("kind", NETWORKS)
def test_a_curve_is_the_same_however_finely_it_is_sampled(kind):
    net = NETWORKS[kind]()
    coarse = draw(net, moments(62.5))
    fine = draw(net, moments(250.0))
    assert coarse.shape == (2, 125, 3)
    assert fine.shape == (2, 500, 3)
    np.testing.assert_array_equal(moments(250.0)[::4], moments(62.5))
    np.testing.assert_allclose(fine[:, ::4], coarse, atol=1e-5)
    # And it is a curve: between two frames lies what the finer frames say.
    assert np.std(coarse, axis=1).min() > 1e-4


def test_the_code_shifts_each_unit_and_is_its_gain():
    net = CPPN(3, [Linear(2.0), Attack((0.5,))], units=16, n_layers=2, activations=["tanh"])
    times, rng = moments(10.0), np.random.default_rng(1)
    draw(net, times)
    for variable in net.trainable_variables:
        variable.assign(rng.normal(scale=0.5, size=variable.shape))
    drawn, latent = draw(net, times), np.random.default_rng(0).normal(size=(2, 1, 5))

    def dense(layer, x):
        return x @ np.float64(layer.kernel) + np.float64(layer.bias)

    place = np.stack([times - 1.0, 1.0 - np.exp(-times / 0.5)], axis=1)[None].repeat(2, axis=0)
    h = place
    for i in range(2):
        gain = 1.0 + dense(net.gains[i], latent)
        h = np.tanh(dense(net.hidden[i], h) * gain + dense(net.shifts[i], latent))
    expected = dense(net.outputs, np.concatenate([h, place], axis=2))
    np.testing.assert_allclose(drawn, expected, atol=1e-5)


def test_a_held_note_comes_to_rest():
    net = network([Attack(), Release()])
    held = draw(net, np.float32([0.0, 20.0, 25.0, 50.0]), np.float32([100.0, 100.0]))
    np.testing.assert_allclose(held[:, 2:], held[:, 1:2].repeat(2, axis=1), atol=1e-5)
    assert np.abs(held[:, 0] - held[:, 1]).max() > 1e-2


@pytest.mark.parametrize("kind", NETWORKS)
def test_each_note_may_have_its_own_times(kind):
    net, times = NETWORKS[kind](), np.stack([moments(50.0), 0.5 + moments(50.0)])
    drawn = draw(net, times)
    for i in range(2):
        np.testing.assert_allclose(drawn[i], draw(net, times[i])[i], atol=1e-5)


def test_vibrato_and_release_go_on_where_the_progress_stops():
    coordinates = (Attack(), Linear(2.0), Periodic(), Release(), Vibrato())
    times = tf.constant(moments(50.0))
    latent = tf.constant(np.random.default_rng(0).normal(size=(2, 5)), tf.float32)
    progress = tf.stack([tf.minimum(times, 0.3), times])
    for coordinate in coordinates:
        net = network([coordinate])
        free = net(times, NOTE_OFF, latent).numpy()
        stopped = net(times, NOTE_OFF, latent, progress).numpy()
        np.testing.assert_allclose(stopped[1], free[1], atol=1e-5)
        if isinstance(coordinate, (Release, Vibrato)):
            np.testing.assert_allclose(stopped[0], free[0], atol=1e-5)
        else:
            last = free[0, 15:16].repeat(85, axis=0)
            np.testing.assert_allclose(stopped[0, 15:], last, atol=1e-5)
            assert np.abs(free[0, 15:] - free[0, 15:16]).max() > 1e-2


def test_the_output_scale_flattens_the_first_curves():
    times = moments(50.0)
    spreads = []
    for scale in (1.0, 0.01):
        keras.utils.set_random_seed(0)
        net = network([Attack(), Release()], output_scale=scale)
        spreads.append(np.std(draw(net, times)))
    np.testing.assert_allclose(spreads[1], 0.1 * spreads[0], rtol=0.01)


def test_a_deconvolution_is_linear_between_its_points_and_held_behind_the_end():
    net = Deconvolution(1, seconds=2.0, n_seed=2, n_layers=3, units=16)
    spacing = 2.0 / (2 * 2**3)
    points = draw(net, spacing * np.arange(16))
    middles = draw(net, spacing * (np.arange(15) + 0.5))
    np.testing.assert_allclose(middles, 0.5 * (points[:, :-1] + points[:, 1:]), atol=1e-6)
    quarters = draw(net, spacing * (np.arange(15) + 0.25))
    np.testing.assert_allclose(quarters, 0.75 * points[:, :-1] + 0.25 * points[:, 1:], atol=1e-6)
    behind = draw(net, np.float32([1.9, 2.0, 5.0]))
    np.testing.assert_allclose(behind, points[:, -1:].repeat(3, axis=1), atol=1e-6)
    before = draw(net, np.float32([-1.0, 0.0]))
    np.testing.assert_allclose(before, points[:, :1].repeat(2, axis=1), atol=1e-6)
    assert np.abs(np.diff(points, axis=1)).mean() > 1e-4
