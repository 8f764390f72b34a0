"""Free sinusoids: exact phase, both paths alike, gradients, and the way to harmonics and back."""

import concurrent.futures
import importlib.util

import numpy as np
import pytest
import tensorflow as tf

from benchmarks import exact
from synths import (
    Harmonic,
    ShapeError,
    Sinusoidal,
    exp_sigmoid,
    frequencies_sigmoid,
    harmonic_to_sinusoidal,
    set_native_kernels,
    sinusoidal_synthesis,
    sinusoidal_to_harmonic,
)
from tests.finite_differences import assert_gradients

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


def bank(n_frames, n_sinusoids, batch=2, low=60.0, high=3000.0, seed=0, dtype=np.float32):
    """Frequencies that wander, and amplitudes, [batch, n_frames, n_sinusoids]."""
    rng = np.random.default_rng(seed)
    shape = (batch, n_frames, n_sinusoids)
    frequencies = rng.uniform(low, high, (batch, 1, n_sinusoids)) * rng.uniform(0.9, 1.1, shape)
    return [x.astype(dtype) for x in (frequencies, rng.uniform(0.1, 1.0, shape) / n_sinusoids)]


def with_gradients(inputs, weight, *arguments, **options):
    """The sound, and the gradients of its weighted sum with respect to the inputs."""
    tensors = [tf.constant(x) for x in inputs]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        audio = sinusoidal_synthesis(*tensors, *arguments, **options)
        total = tf.reduce_sum(weight * audio)
    return [audio, *tape.gradient(total, tensors)]


def assert_close(got, expected, tolerance):
    for one, other in zip(got, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=tolerance * np.abs(other).max())


@pytest.mark.parametrize(("n_frames", "n_samples", "rate"), [(10, 4000, 16000), (7, 4410, 44100)])
@pytest.mark.parametrize("method", ["nearest", "linear", "cubic", "window"])
def test_constant_sinusoids(native, n_frames, n_samples, rate, method):
    frequencies = np.tile(np.float32([441.0, 1000.5]), (1, n_frames, 1))
    amplitudes = np.tile(np.float32([0.5, 0.25]), (1, n_frames, 1))
    audio = sinusoidal_synthesis(frequencies, amplitudes, n_samples, rate, method)
    assert audio.dtype == tf.float32
    turn = 2 * np.pi * np.arange(n_samples) / rate
    expected = 0.5 * np.sin(441 * turn) + 0.25 * np.sin(1000.5 * turn)
    np.testing.assert_allclose(audio[0], expected, atol=3e-6)


@pytest.mark.parametrize(
    ("n_frames", "n_samples", "rate"),
    [(40, 2560, 16000), (30, 1999, 44100), (300, 200, 48000), (1, 3000, 96000)],
)
def test_it_is_its_definition(native, n_frames, n_samples, rate):
    inputs = bank(n_frames, 9, high=0.4 * rate)
    for smooth, method in ((False, "linear"), (True, "window")):
        audio = sinusoidal_synthesis(*inputs, n_samples, rate, method)
        expected = exact.sinusoidal(*inputs, n_samples, rate, smooth)
        assert exact.signal_to_error_db(expected, audio) > 100


@pytest.mark.parametrize("seconds", [4, 60])
def test_sixty_sinusoids_stay_exact(native, seconds):
    n_samples = 16000 * seconds
    frequencies, amplitudes = bank(100 * seconds, 60 if seconds == 4 else 5, batch=1, high=7000.0)
    audio = sinusoidal_synthesis(frequencies, amplitudes, n_samples, 16000, "linear")
    expected = exact.sinusoidal(frequencies, amplitudes, n_samples, 16000)
    assert exact.signal_to_error_db(expected[:, -8000:], audio[:, -8000:]) > 100


@pytest.mark.skipif(not HAS_NUMBA, reason="no Numba")
def test_the_native_kernel_is_the_plain_path():
    for n_frames, n_samples in ((50, 3200), (7, 1000), (300, 200), (1, 500)):
        for method in ("nearest", "linear", "window"):
            inputs = bank(n_frames, 13, batch=3, high=9000.0)
            weight = np.random.default_rng(1).normal(size=(3, n_samples)).astype(np.float32)
            both = []
            for enabled in (True, False):
                set_native_kernels(enabled)
                both.append(with_gradients(inputs, weight, n_samples, 16000, method))
            set_native_kernels(None)
            assert_close(*both, 1e-5)


@pytest.mark.skipif(not HAS_NUMBA, reason="no Numba")
def test_the_kernel_in_threads_is_the_kernel_in_one(monkeypatch):
    from synths.kernels import sinusoidal_cpu

    set_native_kernels(True)
    inputs = bank(37, 11, batch=3, high=9000.0)
    weight = np.random.default_rng(1).normal(size=(3, 2000)).astype(np.float32)
    expected = with_gradients(inputs, weight, 2000)
    monkeypatch.setattr(sinusoidal_cpu, "_SINES_A_THREAD", 1)
    for n_threads in (2, 5, 200):
        monkeypatch.setattr(sinusoidal_cpu.threads, "n_threads", lambda n=n_threads: n)
        assert_close(with_gradients(inputs, weight, 2000), expected, 1e-6)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(with_gradients, inputs, weight, 2000) for _ in range(8)]
        for job in jobs:
            assert_close(job.result(), expected, 1e-6)
    set_native_kernels(None)


def test_many_blocks_go_through_memory_in_parts(monkeypatch):
    import synths.sinusoidal

    set_native_kernels(False)
    inputs = bank(7, 5, batch=2)
    weight = np.random.default_rng(1).normal(size=(2, 1000)).astype(np.float32)
    expected = with_gradients(inputs, weight, 1000)
    for n_sines in (1, 3000):
        monkeypatch.setattr(synths.sinusoidal, "_SINES_AT_ONCE", n_sines)
        assert_close(with_gradients(inputs, weight, 1000), expected, 1e-5)
    set_native_kernels(None)


@pytest.mark.parametrize(
    ("method", "n_frames", "n_samples"),
    [
        ("nearest", 4, 130),
        ("linear", 4, 130),
        ("cubic", 4, 130),
        ("window", 4, 130),
        ("window", 1, 20),
        ("window", 3, 2),
    ],
)
def test_gradients_by_finite_differences(method, n_frames, n_samples):
    frequencies, amplitudes = bank(n_frames, 3, dtype=np.float64)
    frequencies[:, -1, 0] = 9000.0  # silent there

    def sound(frequencies, amplitudes):
        return sinusoidal_synthesis(frequencies, amplitudes, n_samples, 16000, method)

    assert_gradients(sound, {"frequencies": frequencies, "amplitudes": amplitudes})


def test_gradients_of_the_synth_by_finite_differences():
    def sound(amplitudes, frequencies):
        return Sinusoidal(60)(amplitudes, frequencies)

    rng = np.random.default_rng(0)
    raw = {name: rng.normal(size=(2, 3, 4)) for name in ("amplitudes", "frequencies")}
    assert_gradients(sound, raw)


def test_at_nyquist_and_above_there_is_silence(native):
    frequencies = np.full((1, 10, 1), 8000.0, np.float32)
    audio, _, slope = with_gradients([frequencies, np.ones_like(frequencies)], 1.0, 640)
    assert not np.any(audio)
    assert not np.any(slope)
    # On the way up it fades out from the last frame below to the first one above.
    frequencies = np.linspace(6100.0, 9700.0, 10, dtype=np.float32)[None, :, None]
    audio, _, slope = with_gradients([frequencies, np.ones_like(frequencies)], 1.0, 640)
    below = int(np.sum(frequencies < 8000.0))
    assert np.abs(audio[0, : (below - 1) * 64]).max() > 0.99
    assert not np.any(audio[0, below * 64 :])
    assert np.all(slope[0, :below] != 0.0)
    assert not np.any(slope[0, below:])


def test_a_phase_to_begin_with_makes_two_halves_one(native):
    frequencies, amplitudes = bank(20, 4)
    frequencies[:] = frequencies[:, :1]
    amplitudes[:, 10:] = amplitudes[:, 10:11]
    amplitudes[:, 9] = amplitudes[:, 10]
    whole = sinusoidal_synthesis(frequencies, amplitudes, 2000, 16000)
    first = sinusoidal_synthesis(frequencies[:, :10], amplitudes[:, :10], 1000, 16000)
    phase = np.float64(frequencies[:, 0]) * 1000 / 16000
    second = sinusoidal_synthesis(
        frequencies[:, 10:], amplitudes[:, 10:], 1000, 16000, initial_phase=phase
    )
    np.testing.assert_allclose(tf.concat([first, second], axis=1), whole, atol=3e-6)


def test_an_hour_later_the_phase_is_as_exact(native):
    frequencies = np.full((1, 2, 1), 7000.3, np.float32)
    phase = np.float64(frequencies[:, 0]) * 3600.0
    audio = sinusoidal_synthesis(
        frequencies, np.ones_like(frequencies), 400, 16000, initial_phase=phase
    )
    cycles = np.float64(frequencies[0, 0, 0]) * (3600.0 + np.arange(400) / 16000)
    np.testing.assert_allclose(audio[0], np.sin(2 * np.pi * (cycles % 1.0)), atol=1e-5)


@pytest.mark.parametrize(
    ("shape", "n_samples"),
    [((0, 3, 4), 5), ((2, 3, 0), 5), ((2, 3, 4), 0), ((2, 3, 4), 1), ((2, 1, 1), 1)],
)
def test_what_is_empty_or_short(native, shape, n_samples):
    inputs = [np.full(shape, 100.0, np.float32), np.ones(shape, np.float32)]
    audio, *slopes = with_gradients(inputs, 1.0, n_samples)
    assert audio.shape == (shape[0], n_samples)
    assert np.isfinite(audio).all()
    for slope in slopes:
        assert slope.shape == shape
        assert np.isfinite(slope).all()


def test_silence_is_silent_with_a_finite_gradient(native):
    frequencies, amplitudes = bank(5, 3)
    for inputs in ([frequencies, 0 * amplitudes], [0 * frequencies, amplitudes]):
        audio, *slopes = with_gradients(inputs, 1.0, 500)
        assert not np.any(audio)
        assert all(np.isfinite(slope).all() for slope in slopes)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("place", [0, 1])
def test_what_is_not_finite_does_not_pass_as_sound(native, bad, place):
    inputs = bank(6, 5, batch=1)
    inputs[place][0, 2, 0] = bad
    audio = sinusoidal_synthesis(*inputs, 300, 16000).numpy()
    assert not np.isfinite(audio[0, 110:210]).all()
    assert np.isfinite(audio[0, :40]).all()


def test_types(native):
    for dtype, expected in (
        (tf.float16, tf.float32),
        (tf.bfloat16, tf.float32),
        (tf.float32, tf.float32),
        (tf.float64, tf.float64),
    ):
        frequencies, amplitudes = (tf.cast(x, dtype) for x in bank(5, 3))
        audio = sinusoidal_synthesis(frequencies, amplitudes, 500, 16000, "linear")
        assert audio.dtype == expected
        wanted = exact.sinusoidal(
            *(np.asarray(tf.cast(x, tf.float64)) for x in (frequencies, amplitudes)), 500, 16000
        )
        error = 1e-12 if dtype == tf.float64 else 3e-6
        np.testing.assert_allclose(audio, wanted, atol=error)


def test_sizes_that_are_known_only_when_it_runs(native):
    def sound(frequencies, amplitudes, n_samples):
        with tf.GradientTape() as tape:
            tape.watch([frequencies, amplitudes])
            audio = sinusoidal_synthesis(frequencies, amplitudes, n_samples, 16000)
        return audio, *tape.gradient(audio, [frequencies, amplitudes])

    frames = tf.TensorSpec([None, None, None])
    function = tf.function(sound, input_signature=[frames] * 2 + [tf.TensorSpec([], tf.int32)])
    for batch, n_frames, n_sinusoids, n_samples in [(2, 7, 5, 100), (1, 4, 9, 999)]:
        inputs = bank(n_frames, n_sinusoids, batch)
        assert_close(
            function(*inputs, n_samples),
            with_gradients(inputs, 1.0, n_samples, 16000),
            1e-5,
        )


def test_it_compiles_with_xla():
    inputs = bank(10, 12)

    @tf.function(jit_compile=True)
    def sound(frequencies, amplitudes):
        with tf.GradientTape() as tape:
            tape.watch([frequencies, amplitudes])
            audio = sinusoidal_synthesis(frequencies, amplitudes, 333, 16000)
        return audio, *tape.gradient(audio, [frequencies, amplitudes])

    assert_close(sound(*inputs), with_gradients(inputs, 1.0, 333, 16000), 2e-5)


def test_it_can_be_exported(tmp_path):
    synth = Sinusoidal(500)
    module = tf.Module()
    module.sound = tf.function(synth.get_signal, input_signature=[tf.TensorSpec([None] * 3)] * 2)
    tf.saved_model.save(module, str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    for batch, n_frames in ((2, 7), (1, 3)):
        frequencies, amplitudes = bank(n_frames, 5, batch)
        expected = synth.get_signal(amplitudes, frequencies)
        np.testing.assert_allclose(loaded.sound(amplitudes, frequencies), expected, atol=3e-6)


def test_256_rows_are_twice_128_rows(native):
    inputs = bank(4, 3, batch=256)
    whole = sinusoidal_synthesis(*inputs, 90, 16000)
    halves = [sinusoidal_synthesis(*(x[i : i + 128] for x in inputs), 90) for i in (0, 128)]
    np.testing.assert_allclose(tf.concat(halves, axis=0), whole, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "frequencies", "amplitudes"),
    [
        ("frequencies", (2, 5), (2, 5, 3)),
        ("amplitudes", (2, 5, 3), (5, 3)),
        ("amplitudes", (2, 5, 3), (2, 5, 4)),
        ("amplitudes", (2, 5, 3), (2, 4, 3)),
        ("frequencies", (2, 0, 3), (2, 0, 3)),
    ],
)
def test_a_wrong_shape_is_named(name, frequencies, amplitudes):
    with pytest.raises(ShapeError, match=rf"{name}.*: expected .*got"):
        sinusoidal_synthesis(tf.ones(frequencies), tf.ones(amplitudes))
    with pytest.raises(ShapeError, match=rf"{name}.*: expected .*got"):
        Sinusoidal(freq_scale_fn=None).get_controls(tf.ones(amplitudes), tf.ones(frequencies))


def test_a_phase_of_another_shape_is_named():
    with pytest.raises(ShapeError, match=r"^initial_phase: expected \[batch, n_sinusoids\]"):
        sinusoidal_synthesis(*bank(3, 2), initial_phase=[0.0, 0.0])


def test_a_wrong_method_is_named():
    with pytest.raises(ValueError, match="amp_resample_method: got 'spline'"):
        Sinusoidal(amp_resample_method="spline")
    with pytest.raises(ValueError, match="amp_resample_method: got 'spline'"):
        sinusoidal_synthesis(*bank(3, 2), amp_resample_method="spline")


# The synth


def test_controls_are_in_physical_units():
    rng = np.random.default_rng(0)
    amplitudes, frequencies = (rng.normal(size=(2, 5, 6)).astype(np.float32) for _ in range(2))
    controls = Sinusoidal(100, sample_rate=400).get_controls(amplitudes, frequencies)
    hz = frequencies_sigmoid(frequencies).numpy()
    np.testing.assert_array_equal(controls["frequencies"], hz)
    expected = np.where(hz < 200.0, exp_sigmoid(amplitudes), 0.0)
    assert 0 < np.sum(expected == 0.0) < expected.size
    np.testing.assert_array_equal(controls["amplitudes"], expected)


def test_without_scales_they_are_taken_as_they_are():
    frequencies, amplitudes = bank(5, 3)
    synth = Sinusoidal(800, 44100, amp_scale_fn=None, freq_scale_fn=None)
    controls = synth.get_controls(amplitudes, frequencies)
    np.testing.assert_array_equal(controls["amplitudes"], amplitudes)
    np.testing.assert_array_equal(controls["frequencies"], frequencies)
    expected = exact.sinusoidal(frequencies, amplitudes, 800, 44100, smooth=True)
    assert exact.signal_to_error_db(expected, synth(amplitudes, frequencies)) > 100


# Harmonics and free sinusoids


def harmonic_controls(n_harmonics=6, f0=(200.0, 400.0)):
    rng = np.random.default_rng(0)
    shares = rng.uniform(0.1, 1.0, (2, 5, n_harmonics))
    shares /= shares.sum(axis=2, keepdims=True)
    f0_hz = np.tile(np.linspace(*f0, 5)[None, :, None], (2, 1, 1))
    return [x.astype(np.float32) for x in (rng.uniform(0.2, 1.0, (2, 5, 1)), shares, f0_hz)]


def test_harmonics_as_free_sinusoids_sound_the_same(native):
    amplitudes, shares, f0_hz = harmonic_controls()
    as_free, frequencies = harmonic_to_sinusoidal(amplitudes, shares, f0_hz)
    audio = Sinusoidal(1000).get_signal(as_free, frequencies)
    expected = Harmonic(1000).get_signal(amplitudes, shares, f0_hz)
    np.testing.assert_allclose(audio, expected, atol=1e-5)


def test_harmonics_above_nyquist_become_silent_and_the_rest_gets_their_share():
    amplitudes, shares, f0_hz = harmonic_controls(f0=(1500.0, 2500.0))
    as_free, frequencies = harmonic_to_sinusoidal(amplitudes, shares, f0_hz)
    assert not np.any(as_free.numpy()[frequencies.numpy() >= 8000.0])
    np.testing.assert_allclose(tf.reduce_sum(as_free, axis=2, keepdims=True), amplitudes, rtol=1e-5)


def test_there_and_back_again():
    amplitudes, shares, f0_hz = harmonic_controls()
    as_free, frequencies = harmonic_to_sinusoidal(amplitudes, shares, f0_hz)
    for normalize in (False, True):
        total, back = sinusoidal_to_harmonic(
            as_free, frequencies, f0_hz, n_harmonics=6, normalize=normalize
        )
        np.testing.assert_allclose(total, amplitudes, rtol=1e-5)
        np.testing.assert_allclose(back, shares, atol=1e-5)


def test_a_sinusoid_counts_by_its_distance():
    f0_hz = np.full((1, 1, 1), 100.0, np.float32)
    frequencies = np.float32([[[95.0, 105.0, 300.0, 350.0]]])
    amplitudes = np.float32([[[1.0, 0.5, 1.0, 1.0]]])
    near = np.exp(-0.25)
    total, shares = sinusoidal_to_harmonic(amplitudes, frequencies, f0_hz, n_harmonics=3)
    np.testing.assert_allclose(total * shares, [[[1.5 * near, 0.0, 1.0]]], atol=1e-6)
    total, shares = sinusoidal_to_harmonic(
        amplitudes, frequencies, f0_hz, n_harmonics=3, normalize=True
    )
    np.testing.assert_allclose(total * shares, [[[0.75, 0.0, 1.0]]], atol=1e-6)
    # What lies far from its harmonic is not made louder.
    total, shares = sinusoidal_to_harmonic(
        amplitudes[..., 1:2], frequencies[..., 1:2], f0_hz, n_harmonics=3, normalize=True
    )
    np.testing.assert_allclose(total * shares, [[[0.5 * near, 0.0, 0.0]]], atol=1e-6)


def test_no_pitch_and_no_sound_give_finite_gradients():
    for f0, level in ((0.0, 1.0), (100.0, 0.0)):
        inputs = [
            tf.fill([1, 2, 3], level),
            tf.fill([1, 2, 3], 200.0),
            tf.fill([1, 2, 1], f0),
        ]
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            total, shares = sinusoidal_to_harmonic(*inputs, n_harmonics=4)
            loss = tf.reduce_sum(total) + tf.reduce_sum(shares)
        assert not np.any(total)
        assert all(np.isfinite(slope).all() for slope in tape.gradient(loss, inputs))


def test_gradients_of_the_conversions_by_finite_differences():
    rng = np.random.default_rng(0)
    inputs = {
        "amplitudes": rng.uniform(0.2, 1.0, (1, 2, 4)),
        "frequencies": rng.uniform(90.0, 450.0, (1, 2, 4)),
        "f0_hz": rng.uniform(95.0, 105.0, (1, 2, 1)),
    }

    def to_harmonic(amplitudes, frequencies, f0_hz):
        both = sinusoidal_to_harmonic(amplitudes, frequencies, f0_hz, 0.3, 4, normalize=True)
        return tf.concat(both, axis=2)

    def to_free(amplitudes, frequencies, f0_hz):
        return tf.concat(harmonic_to_sinusoidal(f0_hz, amplitudes, frequencies[..., :1]), axis=2)

    assert_gradients(to_harmonic, inputs)
    assert_gradients(to_free, inputs)


@pytest.mark.parametrize("name", ["sin_amps", "sin_freqs", "f0_hz"])
def test_a_wrong_shape_of_a_conversion_is_named(name):
    shapes = {"sin_amps": [2, 5, 3], "sin_freqs": [2, 5, 3], "f0_hz": [2, 5, 1]}
    shapes[name] = [2, 5]
    with pytest.raises(ShapeError, match=rf"{name}.*: expected \[batch, n_frames, "):
        sinusoidal_to_harmonic(**{key: tf.ones(shape) for key, shape in shapes.items()})
