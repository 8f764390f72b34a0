"""Oscillators: exact phase, equal paths, gradients by finite differences."""

import importlib.util

import numpy as np
import pytest
import tensorflow as tf

import synths
from synths import set_native_kernels
from synths.native import native_kernels_used
from tests.finite_differences import assert_gradients

needs_numba = pytest.mark.skipif(not importlib.util.find_spec("numba"), reason="no Numba")


WEIGHTS = {
    "nearest": lambda w: {0: 1.0 + 0.0 * w},
    "linear": lambda w: {0: 1.0 - w, 1: w},
    "window": lambda w: {0: 0.5 + 0.5 * np.cos(np.pi * w), 1: 0.5 - 0.5 * np.cos(np.pi * w)},
    # Keys' cubic convolution with a = -0.75.
    "cubic": lambda w: {
        -1: -0.75 * (w**3 - 2 * w**2 + w),
        0: 1.25 * w**3 - 2.25 * w**2 + 1,
        1: 1.25 * (1 - w) ** 3 - 2.25 * (1 - w) ** 2 + 1,
        2: -0.75 * (w**2 - w**3),
    },
}


def reference(
    f0_hz,
    amplitudes,
    n_samples,
    sample_rate,
    initial_phase=0.0,
    samples=None,
    method="linear",
    ratios=None,
):
    """The bank in float64, one sine for each harmonic and sample.

    Args:
      f0_hz: [batch, n_frames], or with ratios a constant.
      amplitudes: [batch, n_frames, n_harmonics].
      n_samples, sample_rate: Of the whole sound.
      initial_phase: Cycles.
      samples: Which samples to compute; all where absent.
      method: How amplitudes go from frame to frame.
      ratios: Of the partials to F0, [batch, n_frames, n_partials]; whole numbers where absent.

    Returns:
      float64 [batch, len(samples)].
    """
    amplitudes = np.float64(amplitudes)
    n_frames, n_harmonics = amplitudes.shape[1:]
    ratios = np.arange(1, n_harmonics + 1.0)[None, None] if ratios is None else np.float64(ratios)
    f_hz = np.float64(f0_hz)[..., None] * ratios
    amplitudes = np.where(f_hz < sample_rate / 2, amplitudes, 0.0)
    samples = np.arange(n_samples) if samples is None else np.asarray(samples)
    frame = samples * n_frames // n_samples
    weight = samples * n_frames / n_samples - frame
    period = n_samples / sample_rate / n_frames
    f_after = np.concatenate([f_hz[:, 1:], f_hz[:, -1:]], axis=1)
    at_frames = np.cumsum(0.5 * (f_hz + f_after) * period, axis=1)
    at_frames = np.concatenate([np.zeros_like(f_hz[:, :1]), at_frames[:, :-1]], axis=1)
    audio = np.zeros((len(f_hz), len(samples)))
    for k in range(n_harmonics):
        here, slope = f_hz[:, frame, k], (f_after - f_hz)[:, frame, k]
        cycles = at_frames[:, frame, k] + period * weight * (here + 0.5 * slope * weight)
        cycles += ratios[..., :1, k] * initial_phase
        gain = sum(
            share * amplitudes[:, np.clip(frame + offset, 0, n_frames - 1), k]
            for offset, share in WEIGHTS[method](weight).items()
        )
        audio += gain * np.sin(2 * np.pi * np.mod(cycles, 1.0))
    return audio


def random_inputs(n_frames, n_harmonics, batch=2, low=60.0, high=400.0, seed=0):
    """F0 swept from low to high with a wobble, amplitudes, random distributions; float32."""
    rng = np.random.default_rng(seed)
    f0_hz = np.geomspace(low, high, n_frames) * np.exp(rng.normal(0, 0.01, (batch, n_frames)))
    amplitudes = rng.uniform(0.2, 1.0, (batch, n_frames, 1))
    weights = rng.uniform(0.1, 1.0, (batch, n_frames, n_harmonics))
    distribution = weights / weights.sum(axis=2, keepdims=True)
    return [np.float32(x) for x in (f0_hz[..., None], amplitudes, distribution)]


def harmonic_synthesis(f0_hz, amplitudes, distribution=None, n_samples=64000, rate=16000, **more):
    """The bank with linear amplitudes, where the test says nothing else."""
    more = {"amp_resample_method": "linear"} | more
    return synths.harmonic_synthesis(
        f0_hz,
        amplitudes,
        harmonic_distribution=distribution,
        n_samples=n_samples,
        sample_rate=rate,
        **more,
    )


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


@pytest.mark.parametrize("method", sorted(WEIGHTS))
@pytest.mark.parametrize(("n_frames", "n_samples"), [(10, 640), (9, 601), (1, 50), (2, 3)])
def test_each_way_between_frames(native, method, n_frames, n_samples):
    f0_hz, amplitudes, distribution = random_inputs(n_frames, 6, low=400.0, high=3000.0)
    options = {"amp_resample_method": method}
    audio = harmonic_synthesis(f0_hz, amplitudes, distribution, n_samples, 16000, **options)
    arguments = (f0_hz[..., 0], amplitudes * distribution, n_samples, 16000)
    np.testing.assert_allclose(audio, reference(*arguments, method=method), atol=5e-6)


@pytest.mark.parametrize("seconds", [4, 60])
def test_a_hundred_harmonics_stay_exact(native, seconds):
    n_samples = 16000 * seconds
    f0_hz, amplitudes, distribution = random_inputs(250 * seconds, 100, batch=1, high=150.0)
    audio = harmonic_synthesis(f0_hz, amplitudes, distribution, n_samples, 16000)
    end = np.arange(n_samples - 8000, n_samples)
    arguments = (f0_hz[..., 0], amplitudes * distribution, n_samples, 16000)
    expected = reference(*arguments, samples=end)
    assert signal_to_error_db(audio.numpy()[:, -8000:], expected) > 80


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


@needs_numba
@pytest.mark.parametrize("stiff", [False, True])
@pytest.mark.parametrize("n_frames", [64, 63])
def test_the_native_kernel_is_the_plain_path(n_frames, stiff):
    inputs = [*random_inputs(n_frames, 100, batch=3, low=60.0, high=900.0)]
    inputs += [np.float32([3e-4, 0.0, 4e-3]).reshape(3, 1, 1)] * stiff
    weight = np.random.default_rng(1).normal(size=(3, 4096)).astype(np.float32)
    audio, slopes = [], []
    try:
        for enabled in (True, False):
            set_native_kernels(enabled)
            assert native_kernels_used() == enabled
            tensors = [tf.constant(x) for x in inputs]
            options = {"inharmonicity": tensors[3]} if stiff else {}
            with tf.GradientTape() as tape:
                tape.watch(tensors)
                audio.append(harmonic_synthesis(*tensors[:3], 4096, 16000, **options))
                total = tf.reduce_sum(weight * audio[-1])
            slopes.append(tape.gradient(total, tensors))
    finally:
        set_native_kernels(None)
    np.testing.assert_allclose(audio[0], audio[1], atol=1e-5 * np.abs(audio[1]).max())
    for one, other in zip(*slopes, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4 * np.abs(other).max())


def test_gradients_by_finite_differences(native):
    inputs = random_inputs(5, 4, high=1500.0)
    # One harmonic crosses Nyquist between two frames that the step must not change.
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


def test_no_tensor_has_the_size_of_all_sines():
    # get_concrete_function traces the plain path.
    inputs = [tf.constant(x) for x in random_inputs(20, 100, batch=3)]

    @tf.function
    def both(*inputs):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            audio = harmonic_synthesis(*inputs, 2000, 16000)
        return audio, tape.gradient(audio, inputs)

    graph = both.get_concrete_function(*inputs).graph
    sizes = [x.shape.num_elements() for op in graph.get_operations() for x in op.outputs]
    assert None not in sizes
    assert max(sizes) < 3 * 2000 * 100 / 4


# Precision


@pytest.mark.parametrize("method", sorted(WEIGHTS))
def test_float64_is_exact_with_gradients(method):
    rng = np.random.default_rng(3)
    inputs = {
        "f0_hz": rng.uniform(300.0, 1500.0, (1, 4, 1)),
        "amplitudes": rng.uniform(0.1, 1.0, (1, 4, 1)),
        "distribution": rng.uniform(0.1, 1.0, (1, 4, 3)),
    }
    options = {"n_samples": 60, "amp_resample_method": method}
    audio = harmonic_synthesis(**inputs, **options)
    assert audio.dtype == tf.float64
    amplitudes = inputs["amplitudes"] * inputs["distribution"]
    exact = reference(inputs["f0_hz"][..., 0], amplitudes, 60, 16000, method=method)
    np.testing.assert_allclose(audio, exact, atol=1e-11)
    assert_gradients(lambda **x: harmonic_synthesis(**x, **options), inputs)


@needs_numba
@pytest.mark.parametrize("stiff", [False, True])
@pytest.mark.parametrize("batch", [1, 3])
def test_threads_share_the_frames_of_a_row(monkeypatch, batch, stiff):
    from synths.kernels import frames, threads

    inputs = [tf.constant(x) for x in random_inputs(23, 11, batch=batch)]
    stretch = {"inharmonicity": tf.fill([batch, 1, 1], 1e-3)} if stiff else {}

    def both():
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            audio = harmonic_synthesis(*inputs, 700, 16000, **stretch)
            total = tf.reduce_sum(audio**2)
        return audio, *tape.gradient(total, inputs)

    alone = both()
    monkeypatch.setattr(frames, "_SINES_A_THREAD", 1)
    monkeypatch.setattr(threads, "n_threads", lambda: 5)
    for one, other in zip(both(), alone, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-6 * np.abs(other).max())


# Partials that are no harmonics


def test_shifts(native):
    rng = np.random.default_rng(4)
    f0_hz, amplitudes, distribution = random_inputs(8, 5, high=700.0)
    shifts = np.float32(rng.normal(0, 0.03, (2, 8, 5)))
    audio = harmonic_synthesis(f0_hz, amplitudes, distribution, 900, 16000, harmonic_shifts=shifts)
    ratios = np.arange(1, 6) * (1 + np.float64(shifts))
    arguments = (f0_hz[..., 0], amplitudes * distribution, 900, 16000)
    assert signal_to_error_db(audio, reference(*arguments, ratios=ratios)) > 80
    # Without a distribution each has the whole amplitude.
    audio = harmonic_synthesis(f0_hz, amplitudes, None, 900, 16000, harmonic_shifts=shifts)
    arguments = (f0_hz[..., 0], np.tile(amplitudes, (1, 1, 5)), 900, 16000)
    assert signal_to_error_db(audio, reference(*arguments, ratios=ratios)) > 80


def stretched_ratios(inharmonicity, n_partials):
    orders = np.arange(1, n_partials + 1)
    return orders * np.sqrt(1 + np.float64(inharmonicity) * orders**2)


@pytest.mark.parametrize("method", WEIGHTS)
@pytest.mark.parametrize(("n_frames", "n_samples"), [(8, 900), (7, 1001), (1, 63), (30, 20)])
def test_stiff_strings(native, n_frames, n_samples, method):
    f0_hz, amplitudes, distribution = random_inputs(n_frames, 40, low=100.0, high=900.0)
    b = np.float32([[[3e-4]], [[8e-3]]])
    phase = np.array([0.3, 1234.6])
    audio = harmonic_synthesis(
        f0_hz,
        amplitudes,
        distribution,
        n_samples,
        amp_resample_method=method,
        initial_phase=phase,
        inharmonicity=b,
    )
    expected = reference(
        f0_hz[..., 0],
        amplitudes * distribution,
        n_samples,
        16000,
        phase[:, None],
        method=method,
        ratios=stretched_ratios(b, 40),
    )
    assert signal_to_error_db(audio, expected) > 95


def test_a_string_goes_on_from_a_phase_that_is_not_wrapped(native):
    f0_hz, amplitudes, distribution = random_inputs(20, 12, high=500.0)
    f0_hz[:, 9:12] = f0_hz[:, 10:11]
    amplitudes[:, 9:12] = amplitudes[:, 10:11]
    distribution[:, 9:12] = distribution[:, 10:11]
    inputs = (f0_hz, amplitudes, distribution)
    stiff = {"inharmonicity": np.float32([[[1e-4]], [[4e-3]]])}
    whole = harmonic_synthesis(*inputs, 4000, 16000, **stiff)
    first = harmonic_synthesis(*(x[:, :10] for x in inputs), 2000, 16000, **stiff)
    f = np.float64(f0_hz[..., 0])
    phase = np.sum(f[:, :10] + f[:, 1:11], axis=1) * 0.5 * 200 / 16000
    rest = harmonic_synthesis(
        *(x[:, 10:] for x in inputs), 2000, 16000, **stiff, initial_phase=phase
    )
    np.testing.assert_allclose(np.concatenate([first, rest], axis=1), whole, atol=2e-5)


def test_a_string_without_stiffness_is_harmonic(native):
    inputs = random_inputs(8, 5)
    phase = [0.3, 0.6]
    stiff = harmonic_synthesis(
        *inputs, 400, 16000, inharmonicity=np.zeros((2, 1, 1), np.float32), initial_phase=phase
    )
    harmonic = harmonic_synthesis(*inputs, 400, 16000, initial_phase=phase)
    np.testing.assert_allclose(stiff, harmonic, atol=5e-6)


def test_inharmonicity_and_shifts_have_gradients():
    rng = np.random.default_rng(6)
    inputs = {
        "f0_hz": rng.uniform(300.0, 900.0, (1, 3, 1)),
        "amplitudes": rng.uniform(0.1, 1.0, (1, 3, 1)),
        "distribution": rng.uniform(0.1, 1.0, (1, 3, 2)),
        "harmonic_shifts": rng.normal(0.0, 0.02, (1, 3, 2)),
        "inharmonicity": rng.uniform(1e-3, 1e-2, (1, 1, 1)),
    }
    assert_gradients(lambda **x: harmonic_synthesis(**x, n_samples=40), inputs)


# Envelopes of every sample


def exact_bank(f_hz, amplitudes, rate, phase=0.0):
    """Each sine of frequencies that hold for a sample each, float64."""
    cycles = np.cumsum(np.float64(f_hz) / rate, axis=1)
    cycles = np.concatenate([np.zeros_like(cycles[:, :1]), cycles[:, :-1]], axis=1) + phase
    return np.float64(amplitudes) * np.sin(2 * np.pi * np.mod(cycles, 1))


def envelopes(n_samples=400, n_sinusoids=3, high=9000.0, dtype=np.float32):
    rng = np.random.default_rng(7)
    f_hz = np.linspace(100.0, high, n_samples)[None, :, None] * [[[1.0]], [[0.5]]]
    f_hz = f_hz * rng.uniform(0.5, 1.0, n_sinusoids)
    return dtype(f_hz), dtype(rng.uniform(0, 1, (2, n_samples, n_sinusoids)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_bank_of_sines(dtype):
    f_hz, amplitudes = envelopes(dtype=dtype)
    expected = exact_bank(f_hz, np.where(f_hz < 4000, amplitudes, 0), 8000)
    each = synths.oscillator_bank(f_hz, amplitudes, 8000, sum_sinusoids=False)
    assert (each.shape, each.dtype) == ((2, 400, 3), dtype)
    tolerance = 2e-6 if dtype == np.float32 else 1e-12
    np.testing.assert_allclose(each, expected, atol=tolerance)
    total = synths.oscillator_bank(f_hz, amplitudes, sample_rate=8000)
    np.testing.assert_allclose(total, expected.sum(axis=2), atol=3 * tolerance)


def test_blocks_of_a_harmonic_bank_are_the_whole():
    f_hz, amplitudes = envelopes(1000, 5)
    f_hz = f_hz[:, :, :1] * 0.1
    orders = np.arange(1, 6)
    cycles = np.cumsum(np.float64(f_hz) / 16000, axis=1) - np.float64(f_hz) / 16000
    expected = (amplitudes * np.sin(2 * np.pi * np.mod(orders * (cycles + 0.25), 1))).sum(axis=2)
    phase, blocks = np.full((2, 1, 1), np.pi / 2), []
    for low, high in ((0, 1), (1, 300), (300, 1000)):
        audio, phase = synths.harmonic_oscillator_bank(
            f_hz[:, low:high], amplitudes[:, low:high], phase
        )
        blocks.append(audio)
    np.testing.assert_allclose(np.concatenate(blocks, axis=1), expected, atol=5e-6)
    assert (phase.shape, phase.dtype) == ((2, 1, 1), tf.float64)
    last = np.mod(cycles[:, -1] + f_hz[:, -1] / 16000 + 0.25, 1)
    np.testing.assert_allclose(phase[:, 0] / (2 * np.pi), last, atol=1e-9)


def test_streaming_of_frames_continues_the_phase(native):
    f0_hz = np.full((2, 12, 1), 333.25, np.float32)
    f0_hz[1] = 1234.5
    amplitudes = np.full((2, 12, 1), 0.5, np.float32)
    distribution = np.tile(np.float32([[[3.0, 1.0, 2.0]]]), (2, 12, 1))
    whole, end = synths.streaming_harmonic_synthesis(
        f0_hz, amplitudes, distribution, n_samples=1200
    )
    phase, blocks = None, []
    for low, high in ((0, 3), (3, 4), (4, 12)):
        audio, phase = synths.streaming_harmonic_synthesis(
            f0_hz[:, low:high],
            amplitudes[:, low:high],
            distribution[:, low:high],
            phase,
            n_samples=100 * (high - low),
        )
        blocks.append(audio)
    np.testing.assert_allclose(np.concatenate(blocks, axis=1), whole, atol=5e-6)
    np.testing.assert_allclose(phase, end, atol=1e-9)
    np.testing.assert_allclose(
        phase[:, 0] / (2 * np.pi), np.mod(np.float64(f0_hz[:, 0]) * 1200 / 16000, 1), atol=1e-9
    )
    shares = distribution / 6.0
    expected = reference(f0_hz[..., 0], 0.5 * shares, 1200, 16000)
    np.testing.assert_allclose(whole, expected, atol=5e-6)


@pytest.mark.parametrize(
    "function", [synths.streaming_harmonic_synthesis, synths.harmonic_oscillator_bank]
)
def test_a_phase_comes_back_as_what_it_came_in(function):
    f0_hz, amplitudes = np.full((2, 100, 1), 220.5, np.float32), np.ones((2, 100, 1), np.float32)
    exact = function(f0_hz, amplitudes)[1]
    assert exact.dtype == tf.float64
    for dtype in (np.float32, np.float64):
        audio, phase = function(f0_hz, amplitudes, initial_phase=np.zeros((2, 1, 1), dtype))
        assert audio.dtype == tf.float32
        assert phase.dtype == dtype
        np.testing.assert_allclose(phase, exact, rtol=1e-7 if dtype == np.float32 else 0)
