"""Programs that synths_vs_ddsp.py measures: `synths`, ddsp and plain tf.signal.

A case is one piece of work with the contestants that can do it. Contestants get the same controls
in physical units and return the same kind of result.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np

from benchmarks import exact

SAMPLE_RATE = 16000
FRAME_RATE = 250
N_BANDS = 65
N_WAVETABLE = 256

# The two that are not somebody else's: the default, and without compiled kernels.
OURS = ("synths", "plain")


@dataclasses.dataclass(frozen=True)
class Size:
    """Amount of work: sounds at once, their length in seconds, partials of each."""

    batch: int = 4
    seconds: float = 4.0
    n_partials: int = 100

    @property
    def n_samples(self):
        """Length of a sound in samples."""
        return round(self.seconds * SAMPLE_RATE)

    @property
    def n_frames(self):
        """Frames of controls of a sound."""
        return round(self.seconds * FRAME_RATE)


@dataclasses.dataclass(frozen=True)
class Case:
    """One piece of work.

    Attributes:
      title: For tables.
      inputs: From a Size to a dict of float32 arrays.
      contestants: {name: function from a Size to a function of the inputs}.
      exact: {name: function of inputs and Size that gives the sound in float64}, by the
        contestant's own definition, for those whose error says something.
      n_partials: Used instead of the size's own, where the work has its own number.
    """

    title: str
    inputs: Callable
    contestants: dict[str, Callable]
    exact: dict[str, Callable] = dataclasses.field(default_factory=dict)
    n_partials: int | None = None

    def at(self, size):
        """The size that this case is measured at, for a requested size."""
        if self.n_partials is None:
            return size
        return dataclasses.replace(size, n_partials=min(self.n_partials, size.n_partials))


def compiled(case, contestant, size, backward):
    """One contestant's program as a function without arguments, traced but not run yet.

    Args:
      case: A Case.
      contestant: A name of its contestants, "plain" (synths without native kernels), or a name
        with ", XLA" behind it.
      size: A Size.
      backward: Whether the gradients of the result's energy with respect to every input are
        computed as well.
    """
    import tensorflow as tf

    import synths

    contestant, _, xla = contestant.partition(", ")
    inputs = case.inputs(size)
    make = case.contestants["synths" if contestant == "plain" else contestant]
    program = make(size)
    tensors = {name: tf.constant(value) for name, value in inputs.items()}

    def forward(tensors):
        return program(**tensors)

    def both(tensors):
        with tf.GradientTape() as tape:
            tape.watch(tensors)
            energy = tf.nn.l2_loss(program(**tensors))
        return tape.gradient(energy, tensors)

    # Traced without a call, which the default takes for an export: so the kernels are requested.
    native = contestant == "synths" and not tf.config.list_logical_devices("GPU")
    synths.set_native_kernels(native)
    try:
        function = tf.function(both if backward else forward, jit_compile=bool(xla))
        function.get_concrete_function(tensors)
    finally:
        synths.set_native_kernels(None)
    return lambda: function(tensors)


def _random(size, *shape):
    return np.random.default_rng(0).random((size.batch, *shape), np.float32)


def _shares(size, n):
    weights = _random(size, size.n_frames, n)
    return weights / weights.sum(-1, keepdims=True)


def _sweep(size, low_hz=60.0, high_hz=400.0):
    f0_hz = np.geomspace(low_hz, high_hz, size.n_frames, dtype=np.float32)
    return np.tile(f0_hz[None, :, None], (size.batch, 1, 1))


def _frames(size):
    return 0.5 + 0.5 * _random(size, size.n_frames, 1)


def _synth(library, name, method="get_signal", **options):
    """A function of a size that makes a synth and gives its method; library is synths or ddsp."""

    def make(size):
        if library == "synths":
            import synths as module
        else:
            from noisygan import ddsp_package

            module = ddsp_package.load().synths
        lengths = {"n_samples": size.n_samples, **options}
        return getattr(getattr(module, name)(**lengths), method)

    return make


def _both(name, **options):
    return {library: _synth(library, name, **options) for library in ("synths", "ddsp")}


def _harmonic_inputs(size):
    return {
        "amplitudes": _frames(size),
        "harmonic_distribution": _shares(size, size.n_partials),
        "f0_hz": _sweep(size),
    }


def _raw_harmonic_inputs(size):
    return {
        "amplitudes": 4.0 * _random(size, size.n_frames, 1) - 2.0,
        "harmonic_distribution": 4.0 * _random(size, size.n_frames, size.n_partials) - 2.0,
        "f0_hz": _sweep(size),
    }


def _sinusoidal_inputs(size):
    steps = np.linspace(1.0, 40.0, size.n_partials, dtype=np.float32) ** 1.02
    return {
        "amplitudes": _frames(size) * _shares(size, size.n_partials),
        "frequencies": _sweep(size, 60.0, 180.0) * steps,
    }


def _noise_inputs(size):
    return {"magnitudes": 0.1 * _random(size, size.n_frames, N_BANDS)}


def _wavetable_inputs(size):
    harmonics = _shares(size, 20)
    angle = 2.0 * np.pi * np.outer(np.arange(1, 21), np.arange(N_WAVETABLE)) / N_WAVETABLE
    return {
        "amplitudes": _frames(size),
        "wavetables": (harmonics @ np.sin(angle)).astype(np.float32),
        "f0_hz": _sweep(size),
    }


def _modal_inputs(size):
    rng = np.random.default_rng(0)
    shape = [size.batch, size.n_partials]
    return {
        "amplitudes": rng.random(shape, np.float32) / size.n_partials,
        "frequencies": rng.uniform(60.0, 7000.0, shape).astype(np.float32),
        "decay_seconds": rng.uniform(0.2, 2.0, shape).astype(np.float32),
    }


def _modal_by_ddsp(size):
    """ddsp has no modes; the same sound from its Sinusoidal, with the decay written into frames."""
    synth = _synth("ddsp", "Sinusoidal")(size)

    def sound(amplitudes, frequencies, decay_seconds):
        import tensorflow as tf

        times = tf.range(size.n_frames, dtype=tf.float32)[None, :, None] / FRAME_RATE
        fall = tf.exp(-math.log(1000.0) * times / decay_seconds[:, None])
        steady = tf.tile(frequencies[:, None], [1, size.n_frames, 1])
        return synth(amplitudes=amplitudes[:, None] * fall, frequencies=steady)

    return sound


def _training_inputs(size):
    magnitudes = 4.0 * _random(size, size.n_frames, N_BANDS) - 2.0
    return {**_raw_harmonic_inputs(size), "magnitudes": magnitudes}


def _training(library):
    """Sound from raw network outputs, and its distance to a recording: a step without a network."""

    def make(size):
        if library == "synths":
            import synths as losses
        else:
            from noisygan import ddsp_package

            losses = ddsp_package.load().losses
        harmonic = _synth(library, "Harmonic", "__call__")(size)
        noise = _synth(library, "FilteredNoise", "__call__")(size)
        distance = losses.SpectralLoss(logmag_weight=1.0)
        target = _audio_inputs(size)["audio"]
        return lambda magnitudes, **raw: distance(target, harmonic(**raw) + noise(magnitudes))

    return make


def _audio_inputs(size):
    return {"audio": 0.2 * _random(size, size.n_samples) - 0.1}


def _front_end(name, **options):
    def make(size):
        from synths import spectral

        return lambda audio: getattr(spectral, name)(audio, SAMPLE_RATE, **options)

    return make


def _composed(n_fft, hop_length, n_mels, n_mfcc=None):
    """The same front-end, put together from the operations of tf.signal."""

    def make(size):
        import tensorflow as tf

        from synths import spectral

        n_bins = n_fft // 2 + 1
        filters = spectral.mel_matrix(n_mels, n_bins, SAMPLE_RATE)
        scale = 4.0 / n_fft

        def features(audio):
            padded = tf.pad(audio, [[0, 0], [n_fft // 2, n_fft - n_fft // 2]])
            spectrum = tf.abs(tf.signal.stft(padded, n_fft, hop_length)) * scale
            spectrum = spectrum[:, : -(-size.n_samples // hop_length)]
            bands = tf.math.log(tf.tensordot(spectrum, filters, 1) + 1e-5)
            if n_mfcc is None:
                return bands
            return tf.signal.mfccs_from_log_mel_spectrograms(bands)[..., :n_mfcc]

        return features

    return make


LOG_MEL = {"n_fft": 1024, "hop_length": 256, "n_mels": 80}
MFCC = {"n_fft": 256, "hop_length": 64, "n_mels": 128, "n_mfcc": 30}


def _exact_harmonic(define):
    def sound(size, amplitudes, harmonic_distribution, f0_hz):
        each = amplitudes.astype(np.float64) * harmonic_distribution
        return define(f0_hz, each, size.n_samples, SAMPLE_RATE, smooth=True)

    return sound


def _exact_wavetable(define):
    def sound(size, amplitudes, wavetables, f0_hz):
        return define(f0_hz, amplitudes, wavetables, size.n_samples, SAMPLE_RATE)

    return sound


def _exact_modal(first_sample):
    def sound(size, amplitudes, frequencies, decay_seconds):
        modes = (frequencies, amplitudes, decay_seconds)
        return exact.modal(*modes, size.n_samples, SAMPLE_RATE, first_sample)

    return sound


def _exact_sinusoidal(define):
    def sound(size, amplitudes, frequencies):
        return define(frequencies, amplitudes, size.n_samples, SAMPLE_RATE, smooth=True)

    return sound


CASES = {
    "harmonic": Case(
        "Harmonic",
        _harmonic_inputs,
        _both("Harmonic"),
        {
            "synths": _exact_harmonic(exact.harmonic),
            "ddsp": _exact_harmonic(exact.harmonic_as_ddsp),
        },
    ),
    "harmonic_raw": Case(
        "Harmonic from raw outputs",
        _raw_harmonic_inputs,
        _both("Harmonic", method="__call__"),
    ),
    "sinusoidal": Case(
        "Sinusoidal, 60 free partials",
        _sinusoidal_inputs,
        _both("Sinusoidal"),
        {
            "synths": _exact_sinusoidal(exact.sinusoidal),
            "ddsp": _exact_sinusoidal(exact.sinusoidal_as_ddsp),
        },
        n_partials=60,
    ),
    "wavetable": Case(
        f"Wavetable of {N_WAVETABLE} points",
        _wavetable_inputs,
        _both("Wavetable"),
        {
            "synths": _exact_wavetable(exact.wavetable),
            "ddsp": _exact_wavetable(exact.wavetable_as_ddsp),
        },
    ),
    "modal": Case(
        "Modal, 60 modes",
        _modal_inputs,
        {"synths": _synth("synths", "Modal"), "ddsp": _modal_by_ddsp},
        {"synths": _exact_modal(0), "ddsp": _exact_modal(1)},
        n_partials=60,
    ),
    "filtered_noise": Case(
        f"FilteredNoise, {N_BANDS} bands",
        _noise_inputs,
        _both("FilteredNoise", window_size=257),
    ),
    "training": Case(
        "Harmonic + FilteredNoise + SpectralLoss from raw outputs",
        _training_inputs,
        {library: _training(library) for library in ("synths", "ddsp")},
    ),
    "log_mel": Case(
        "log-mel, 80 bands",
        _audio_inputs,
        {"synths": _front_end("log_mel", **LOG_MEL), "tf.signal": _composed(**LOG_MEL)},
    ),
    "mfcc": Case(
        "MFCC, 30 of 128 bands",
        _audio_inputs,
        {"synths": _front_end("mfcc", **MFCC), "tf.signal": _composed(**MFCC)},
    ),
}
