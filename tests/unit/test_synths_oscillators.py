"""The harmonic bank: exact phase, both paths alike, gradients by finite differences."""

import importlib.util

import numpy as np
import pytest
import tensorflow as tf

from synths import ShapeError, harmonic_synthesis, set_native_kernels
from synths.oscillators import native_kernels_used

HAS_NUMBA = importlib.util.find_spec("numba") is not None


@pytest.fixture(
    params=[
        pytest.param(True, marks=pytest.mark.skipif(not HAS_NUMBA, reason="no Numba")),
        False,
    ],
    ids=["native", "plain"],
)
def native(request):
    """Each way of computing, chosen for the test."""
    set_native_kernels(request.param)
    yield request.param
    set_native_kernels(None)


@pytest.fixture
def plain():
    set_native_kernels(False)
    yield
    set_native_kernels(None)


def reference(f0_hz, amplitudes, n_samples, sample_rate, initial_phase=0.0, samples=None):
    """The bank in float64, one sine for each harmonic and sample.

    Args:
      f0_hz: [batch, n_frames].
      amplitudes: [batch, n_frames, n_harmonics].
      n_samples, sample_rate: Of the whole sound.
      initial_phase: Cycles.
      samples: Which samples to compute; all where absent.

    Returns:
      float64 [batch, len(samples)].
    """
    f0_hz, amplitudes = np.float64(f0_hz), np.float64(amplitudes)
    n_frames, n_harmonics = amplitudes.shape[1:]
    orders = np.arange(1, n_harmonics + 1)
    amplitudes = np.where(f0_hz[..., None] * orders < sample_rate / 2, amplitudes, 0.0)
    samples = np.arange(n_samples) if samples is None else np.asarray(samples)
    frame = samples * n_frames // n_samples
    weight = samples * n_frames / n_samples - frame
    after = np.minimum(frame + 1, n_frames - 1)
    period = n_samples / sample_rate / n_frames
    f0_after = np.concatenate([f0_hz[:, 1:], f0_hz[:, -1:]], axis=1)
    at_frames = np.cumsum(0.5 * (f0_hz + f0_after) * period, axis=1)
    at_frames = np.concatenate([np.zeros_like(f0_hz[:, :1]), at_frames[:, :-1]], axis=1)
    here, slope = f0_hz[:, frame], (f0_after - f0_hz)[:, frame]
    cycles = at_frames[:, frame] + period * weight * (here + 0.5 * slope * weight) + initial_phase
    audio = np.zeros(cycles.shape)
    for k in orders:
        a = amplitudes[:, :, k - 1]
        a = a[:, frame] + weight * (a[:, after] - a[:, frame])
        audio += a * np.sin(2 * np.pi * np.mod(k * cycles, 1.0))
    return audio


def random_inputs(n_frames, n_harmonics, batch=2, low=60.0, high=400.0, seed=0):
    """F0 swept from low to high with a wobble, amplitudes, random distributions; float32."""
    rng = np.random.default_rng(seed)
    f0_hz = np.geomspace(low, high, n_frames) * np.exp(rng.normal(0, 0.01, (batch, n_frames)))
    amplitudes = rng.uniform(0.2, 1.0, (batch, n_frames, 1))
    weights = rng.uniform(0.1, 1.0, (batch, n_frames, n_harmonics))
    distribution = weights / weights.sum(axis=2, keepdims=True)
    return [np.float32(x) for x in (f0_hz[..., None], amplitudes, distribution)]


def signal_to_error_db(answer, expected):
    error = np.asarray(answer, np.float64) - expected
    return 10 * np.log10(np.mean(expected**2) / np.mean(error**2))


# Closed forms


@pytest.mark.parametrize(("n_frames", "n_samples", "rate"), [(10, 4000, 16000), (7, 4410, 44100)])
def test_constant_pitch(native, n_frames, n_samples, rate):
    f0_hz = tf.fill([1, n_frames, 1], 441.0)
    distribution = tf.tile([[[0.5, 0.0, 0.3]]], [1, n_frames, 1])
    audio = harmonic_synthesis(f0_hz, tf.ones_like(f0_hz), distribution, n_samples, rate)
    turn = 2 * np.pi * 441.0 * np.arange(n_samples) / rate
    assert audio.dtype == tf.float32
    np.testing.assert_allclose(audio[0], 0.5 * np.sin(turn) + 0.3 * np.sin(3 * turn), atol=2e-6)


def test_linear_chirp(native):
    n_frames, n_samples, rate = 8, 8000, 16000
    slope = 1000.0  # Hz a second
    frame_times = np.arange(n_frames) * 0.5 / n_frames
    f0_hz = (200.0 + slope * frame_times).astype(np.float32)[None, :, None]
    audio = harmonic_synthesis(f0_hz, np.ones_like(f0_hz), None, n_samples, rate)[0].numpy()
    t = np.arange(7000) / rate  # up to the last frame, whose pitch is held
    np.testing.assert_allclose(
        audio[:7000], np.sin(2 * np.pi * (200 * t + 0.5 * slope * t**2)), atol=2e-6
    )


@pytest.mark.parametrize("seconds", [4, 60])
def test_a_hundred_harmonics_stay_exact(native, seconds):
    n_samples = 16000 * seconds
    f0_hz, amplitudes, distribution = random_inputs(250 * seconds, 100, batch=1, high=150.0)
    audio = harmonic_synthesis(f0_hz, amplitudes, distribution, n_samples, 16000)
    end = np.arange(n_samples - 8000, n_samples)
    arguments = (f0_hz[..., 0], amplitudes * distribution, n_samples, 16000)
    expected = reference(*arguments, samples=end)
    assert signal_to_error_db(audio.numpy()[:, -8000:], expected) > 80


@pytest.mark.skipif(not HAS_NUMBA, reason="no Numba")
def test_ten_minutes_stay_exact():
    n_samples = 16000 * 600
    f0_hz, amplitudes, distribution = random_inputs(6000, 3, batch=1)
    audio = harmonic_synthesis(f0_hz, amplitudes, distribution, n_samples, 16000)
    end = np.arange(n_samples - 8000, n_samples)
    arguments = (f0_hz[..., 0], amplitudes * distribution, n_samples, 16000)
    assert signal_to_error_db(audio.numpy()[:, -8000:], reference(*arguments, samples=end)) > 80


@pytest.mark.parametrize(
    ("n_frames", "n_samples", "n_harmonics"),
    [(1, 500, 3), (5, 1, 3), (1, 1, 1), (40, 7, 2), (13, 600, 1), (11, 601, 10), (11, 601, 16)],
)
def test_odd_sizes(native, n_frames, n_samples, n_harmonics):
    f0_hz, amplitudes, distribution = random_inputs(n_frames, n_harmonics, high=900.0)
    audio = harmonic_synthesis(f0_hz, amplitudes, distribution, n_samples, 16000)
    assert audio.shape == (2, n_samples)
    expected = reference(f0_hz[..., 0], amplitudes * distribution, n_samples, 16000)
    np.testing.assert_allclose(audio, expected, atol=5e-6)


def test_without_a_distribution_it_is_one_sine(native):
    f0_hz, amplitudes, _ = random_inputs(9, 1)
    alone = harmonic_synthesis(f0_hz, amplitudes, None, 300, 16000)
    one = harmonic_synthesis(f0_hz, amplitudes, np.ones_like(amplitudes), 300, 16000)
    np.testing.assert_array_equal(alone, one)


# Limits


def test_nothing_sounds_at_or_above_nyquist(native):
    # 4000 Hz at 16 kHz: harmonic 2 stands at Nyquist, 3 and 4 above it.
    f0_hz = np.full((1, 5, 1), 4000.0, np.float32)
    only_first = np.tile(np.float32([[[0.25, 0, 0, 0]]]), (1, 5, 1))
    distribution = tf.fill([1, 5, 4], 0.25)
    with tf.GradientTape() as tape:
        tape.watch(distribution)
        audio = harmonic_synthesis(f0_hz, np.ones_like(f0_hz), distribution, 800, 16000)
        loss = tf.reduce_sum(audio**2)
    expected = harmonic_synthesis(f0_hz, np.ones_like(f0_hz), only_first, 800, 16000)
    np.testing.assert_allclose(audio, expected, atol=1e-6)
    slope = tape.gradient(loss, distribution).numpy()
    assert (slope[:, :, 1:] == 0).all()
    assert (slope[:, :, 0] != 0).all()


def test_a_sweep_past_nyquist_does_not_fold_back(native):
    f0_hz = np.linspace(3000, 12000, 20, dtype=np.float32)[None, :, None]
    distribution = np.full((1, 20, 6), 1.0, np.float32)
    audio = harmonic_synthesis(f0_hz, np.ones_like(f0_hz), distribution, 2000, 16000)
    expected = reference(f0_hz[..., 0], distribution, 2000, 16000)
    np.testing.assert_allclose(audio, expected, atol=1e-5)
    assert (audio.numpy()[0, 1200:] == 0).all()


def test_silence(native):
    f0_hz = tf.zeros([1, 4, 1])
    distribution = tf.ones([1, 4, 3])
    with tf.GradientTape() as tape:
        tape.watch([f0_hz, distribution])
        audio = harmonic_synthesis(f0_hz, tf.zeros([1, 4, 1]), distribution, 100, 16000)
    assert (audio.numpy() == 0).all()
    for slope in tape.gradient(audio, [f0_hz, distribution]):
        assert (slope.numpy() == 0).all()


def test_initial_phase_continues_a_sound(native):
    f0_hz = np.full((2, 8, 1), 333.0, np.float32)
    f0_hz[1] = 1234.5
    distribution = np.tile(np.float32([[[0.6, 0.4]]]), (2, 8, 1))
    loud = np.ones_like(f0_hz)
    whole = harmonic_synthesis(f0_hz, loud, distribution, 1600, 16000).numpy()
    half = harmonic_synthesis(f0_hz[:, :4], loud[:, :4], distribution[:, :4], 800, 16000)
    phase = np.float64(f0_hz[:, 0, 0]) * 800 / 16000
    rest = harmonic_synthesis(
        f0_hz[:, 4:], loud[:, 4:], distribution[:, 4:], 800, 16000, initial_phase=phase
    )
    np.testing.assert_allclose(np.concatenate([half, rest], axis=1), whole, atol=5e-6)


# The two paths


@pytest.mark.skipif(not HAS_NUMBA, reason="no Numba")
@pytest.mark.parametrize("n_frames", [64, 63])
def test_the_native_kernel_is_the_plain_path(n_frames):
    inputs = random_inputs(n_frames, 100, batch=3, low=60.0, high=900.0)
    weight = np.random.default_rng(1).normal(size=(3, 4096)).astype(np.float32)
    audio, slopes = [], []
    try:
        for enabled in (True, False):
            set_native_kernels(enabled)
            assert native_kernels_used() == enabled
            tensors = [tf.constant(x) for x in inputs]
            with tf.GradientTape() as tape:
                tape.watch(tensors)
                audio.append(harmonic_synthesis(*tensors, 4096, 16000))
                total = tf.reduce_sum(weight * audio[-1])
            slopes.append(tape.gradient(total, tensors))
    finally:
        set_native_kernels(None)
    np.testing.assert_allclose(audio[0], audio[1], atol=1e-5 * np.abs(audio[1]).max())
    for one, other in zip(*slopes, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4 * np.abs(other).max())


def test_without_numba_the_plain_path_serves(monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "numba" else found(name)
    )
    assert not native_kernels_used()
    monkeypatch.undo()
    has_accelerator = bool(tf.config.list_logical_devices("GPU"))
    assert native_kernels_used() == (HAS_NUMBA and not has_accelerator)


def test_gradients_by_finite_differences(native):
    inputs = random_inputs(5, 4, high=1500.0)
    # One harmonic rises above Nyquist on the way; the step must not move which frame that is.
    inputs[0][1, :, 0] = [1500, 1700, 1900, 2300, 2500]
    weight = np.random.default_rng(1).normal(size=(2, 203))

    def loss(f0_hz, amplitudes, distribution):
        bank = reference(f0_hz[..., 0], amplitudes * distribution, 203, 16000)
        return np.sum(weight * bank)

    tensors = [tf.constant(x) for x in inputs]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        audio = harmonic_synthesis(*tensors, 203, 16000)
        total = tf.reduce_sum(np.float32(weight) * audio)
    exact = [np.float64(x) for x in inputs]
    for i, slope in enumerate(tape.gradient(total, tensors)):
        expected = np.zeros(exact[i].shape)
        size = 1e-6 * np.abs(exact[i]).max()
        for index in np.ndindex(expected.shape):
            ends = []
            for sign in (1, -1):
                moved = [x.copy() for x in exact]
                moved[i][index] += sign * size
                ends.append(loss(*moved))
            expected[index] = (ends[0] - ends[1]) / (2 * size)
        np.testing.assert_allclose(slope, expected, atol=2e-5 * np.abs(expected).max())


def test_sizes_that_are_known_only_when_it_runs(native):
    def sound(f0_hz, amplitudes, distribution, n_samples):
        with tf.GradientTape() as tape:
            tape.watch(f0_hz)
            audio = harmonic_synthesis(f0_hz, amplitudes, distribution, n_samples, 16000)
        return audio, tape.gradient(audio, f0_hz)

    frames = tf.TensorSpec([None, None, None])
    function = tf.function(sound, input_signature=[frames] * 3 + [tf.TensorSpec([], tf.int32)])
    for batch, n_frames, n_harmonics, n_samples in [(2, 7, 5, 100), (1, 4, 9, 99)]:
        inputs = [tf.constant(x) for x in random_inputs(n_frames, n_harmonics, batch)]
        for one, other in zip(function(*inputs, n_samples), sound(*inputs, n_samples), strict=True):
            np.testing.assert_allclose(one, other, atol=1e-4)


@pytest.mark.usefixtures("plain")
def test_the_plain_path_compiles_with_xla():
    inputs = random_inputs(10, 12)

    def sound(f0_hz, amplitudes, distribution):
        with tf.GradientTape() as tape:
            tape.watch(amplitudes)
            audio = harmonic_synthesis(f0_hz, amplitudes, distribution, 333, 16000)
        return audio, tape.gradient(audio, amplitudes)

    tensors = [tf.constant(x) for x in inputs]
    compiled = tf.function(sound, jit_compile=True)
    for one, other in zip(compiled(*tensors), sound(*tensors), strict=True):
        np.testing.assert_allclose(one, other, atol=2e-5)


def test_rows_do_not_depend_on_their_batch(native):
    inputs = random_inputs(6, 5, batch=5)
    batch = harmonic_synthesis(*inputs, 200, 16000).numpy()
    for i in range(5):
        alone = harmonic_synthesis(*[x[i : i + 1] for x in inputs], 200, 16000)
        np.testing.assert_allclose(alone[0], batch[i], atol=1e-6)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("place", ["f0_hz", "amplitudes"])
def test_what_is_not_finite_does_not_pass_as_sound(native, bad, place):
    f0_hz, amplitudes, distribution = random_inputs(6, 5, batch=1)
    (f0_hz if place == "f0_hz" else amplitudes)[0, 2, 0] = bad
    audio = harmonic_synthesis(f0_hz, amplitudes, distribution, 300, 16000).numpy()
    assert not np.isfinite(audio[0, 110:140]).all()


@pytest.mark.parametrize(
    ("name", "shapes"),
    [
        ("frequencies", ([2, 5], [2, 5, 1], [2, 5, 3])),
        ("frequencies", ([2, 5, 2], [2, 5, 1], [2, 5, 3])),
        ("amplitudes", ([2, 5, 1], [2, 5, 3], [2, 5, 3])),
        ("harmonic_distribution", ([2, 5, 1], [2, 5, 1], [5, 3])),
    ],
)
def test_a_wrong_shape_is_named(name, shapes):
    with pytest.raises(ShapeError, match=rf"^{name}: expected \[batch, n_frames, .*got shape"):
        harmonic_synthesis(*[tf.ones(shape) for shape in shapes], 100)
