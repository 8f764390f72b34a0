"""Envelopes: exact interpolation for any number of frames and samples."""

import numpy as np
import pytest
import tensorflow as tf

from synths import resample
from synths.resample import METHODS

RATIOS = [(250, 64000), (250, 44100), (1001, 64000), (7, 5), (1, 10), (10, 1), (1, 1), (3, 1000)]


def expected(frames, n_samples):
    """Linear interpolation in float64, the last frame held."""
    n_frames = frames.shape[1]
    place = np.arange(n_samples) * n_frames / n_samples
    rows = [
        np.stack([np.interp(place, np.arange(n_frames), c) for c in row.T], axis=1)
        for row in frames.astype(np.float64)
    ]
    return np.stack(rows)


def test_positions_of_long_sounds_are_exact():
    n_frames, n_samples = 75_000, 9_600_000
    frames = np.float32(np.arange(n_frames) % 2)[None, :, None]
    between = resample(frames, n_samples)[0, -256:-128, 0]
    np.testing.assert_array_equal(between, np.arange(128) / 128)


# Other ways from frame to frame

SHARES = {
    "nearest": lambda w: {0: 1.0 + 0.0 * w},
    "linear": lambda w: {0: 1.0 - w, 1: w},
    "window": lambda w: {0: np.cos(0.5 * np.pi * w) ** 2, 1: np.sin(0.5 * np.pi * w) ** 2},
    # Keys' cubic convolution with a = -0.75.
    "cubic": lambda w: {
        -1: -0.75 * (w**3 - 2 * w**2 + w),
        0: 1.25 * w**3 - 2.25 * w**2 + 1,
        1: 1.25 * (1 - w) ** 3 - 2.25 * (1 - w) ** 2 + 1,
        2: -0.75 * (w**2 - w**3),
    },
}


def between(frames, place, method):
    """Frames [n_frames] at fractional places, float64."""
    frame = np.minimum(place.astype(int), len(frames) - 1)
    return sum(
        share * frames[np.clip(frame + offset, 0, len(frames) - 1)]
        for offset, share in SHARES[method](place - frame).items()
    )


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("n_frames", "n_samples"), RATIOS)
def test_methods(method, n_frames, n_samples):
    frames = np.random.default_rng(3).normal(size=n_frames)
    place = np.arange(n_samples) * n_frames / n_samples
    answer = resample(frames, n_samples, method)
    np.testing.assert_allclose(answer, between(frames, place, method), atol=1e-12)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("n_frames", "n_samples"), [(5, 21), (5, 20), (7, 4), (1, 9), (4, 1)])
def test_the_last_frame_at_the_end(method, n_frames, n_samples):
    frames = np.random.default_rng(4).normal(size=n_frames)
    n_steps = n_samples if method == "window" else max(n_samples - 1, 1)
    place = np.arange(n_samples) * (n_frames - 1) / n_steps
    expected = between(frames, place, method)
    if method == "nearest":
        expected = frames[np.floor(place + 0.5).astype(int)]
    answer = resample(frames, n_samples, method, add_endpoint=False)
    np.testing.assert_allclose(answer, expected, atol=1e-12)
    if method != "window" and n_samples > 1:
        np.testing.assert_allclose(answer[-1], frames[-1], atol=1e-12)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("n_samples", [30, 31])
def test_any_number_of_axes(method, n_samples):
    frames = np.random.default_rng(5).normal(size=(2, 6, 3, 2))
    whole = resample(frames, n_samples, method)
    assert whole.shape == (2, n_samples, 3, 2)
    np.testing.assert_allclose(resample(frames[:, :, 1], n_samples, method), whole[:, :, 1])
    np.testing.assert_allclose(resample(frames[:, :, 1, 0], n_samples, method), whole[:, :, 1, 0])
    np.testing.assert_allclose(resample(frames[1, :, 1, 0], n_samples, method), whole[1, :, 1, 0])


@pytest.mark.parametrize("method", METHODS)
def test_what_is_constant_stays_exactly_so(method):
    for n_samples in (60, 61):
        np.testing.assert_array_equal(resample(np.full(6, 0.3), n_samples, method), 0.3)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("n_samples", [12, 11])
def test_gradients_by_finite_differences(method, n_samples):
    frames = np.random.default_rng(6).normal(size=(2, 4, 2))
    weight = np.random.default_rng(7).normal(size=(2, n_samples, 2))
    tensor = tf.constant(frames)
    with tf.GradientTape() as tape:
        tape.watch(tensor)
        total = tf.reduce_sum(weight * resample(tensor, n_samples, method))
    slope = tf.convert_to_tensor(tape.gradient(total, tensor)).numpy()
    for index in np.ndindex(frames.shape):
        step = np.zeros_like(frames)
        step[index] = 1.0
        ends = [np.sum(weight * resample(x, n_samples, method)) for x in (frames + step, frames)]
        np.testing.assert_allclose(slope[index], ends[0] - ends[1], atol=1e-10)


def test_sizes_that_are_known_only_when_it_runs():
    function = tf.function(
        resample,
        input_signature=[tf.TensorSpec([None, None, None]), tf.TensorSpec([], tf.int32)],
    )
    for n_frames, n_samples in [(4, 10), (5, 3)]:
        frames = np.random.default_rng(2).normal(size=(2, n_frames, 1)).astype(np.float32)
        np.testing.assert_allclose(
            function(frames, n_samples), expected(frames, n_samples), atol=1e-6
        )


def test_a_wrong_method_is_named():
    with pytest.raises(ValueError, match="method: got 'wiiindow', expected one of nearest, linear"):
        resample(tf.zeros([3]), 10, "wiiindow")
