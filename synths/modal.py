"""The modal synthesizer: what is struck and rings. Drums, bells, bars, plates."""

import math

import tensorflow as tf

from synths import portable
from synths.errors import check_last, check_positive, check_rank, whole
from synths.frequency_scales import frequencies_sigmoid
from synths.impulse_responses import length
from synths.onsets import onset_sample, placed
from synths.precision import as_float, as_floats
from synths.processor import Processor
from synths.products import matmul
from synths.saving import registered
from synths.shapes import broadcast, check_alike
from synths.units import exp_sigmoid

_MODES = "[batch, n_modes]"
_BLOCK = 256


@registered
def decays_sigmoid(decays, seconds_min=0.01, seconds_max=10.0):
    """Raw network outputs to times of decay, from short to long evenly in ratio.

    Args:
      decays: Raw outputs, any shape.
      seconds_min, seconds_max: What very negative and very large ones give.

    Returns:
      Seconds, shape of decays.
    """
    return seconds_min * tf.exp(math.log(seconds_max / seconds_min) * tf.sigmoid(as_float(decays)))


class Modal(Processor):
    """A bank of exponentially damped modes, each with a frequency of its own, that is struck once.

    Args:
      n_samples: Length of the sound in samples.
      sample_rate: Hz.
      amp_scale_fn: From raw network outputs to positive amplitudes; None takes them as they are.
      freq_scale_fn: From raw network outputs to Hz, with an axis of frames that is 1 long; None
        takes them as they are.
      decay_scale_fn: From raw network outputs to seconds; None takes them as they are.
    """

    def __init__(
        self,
        n_samples=64000,
        sample_rate=16000,
        amp_scale_fn=exp_sigmoid,
        freq_scale_fn=frequencies_sigmoid,
        decay_scale_fn=decays_sigmoid,
        name="modal",
    ):
        super().__init__(name=name)
        check_positive("sample_rate", sample_rate)
        self.n_samples = whole("n_samples", n_samples)
        self.sample_rate = sample_rate
        self.amp_scale_fn = amp_scale_fn
        self.freq_scale_fn = freq_scale_fn
        self.decay_scale_fn = decay_scale_fn

    def get_controls(
        self,
        amplitudes,
        frequencies,
        decay_seconds,
        onset_seconds=None,
        contact_seconds=None,
        position=None,
    ):
        """Raw outputs to controls.

        Args:
          amplitudes: [batch, n_modes], raw.
          frequencies: [batch, n_modes], raw.
          decay_seconds: [batch, n_modes], raw.
          onset_seconds, contact_seconds, position: As in `get_signal`, taken as they are.

        Returns:
          amplitudes (linear, 0 where the frequency lies at or above Nyquist), frequencies (Hz),
          decay_seconds, and those of the others that are given; shapes as given.

        Raises:
          ShapeError: if the shapes are not as above.
        """
        amplitudes, frequencies, decays, *strike = as_floats(
            amplitudes, frequencies, decay_seconds, onset_seconds, contact_seconds, position
        )
        check_rank("frequencies", frequencies, 2, _MODES)
        if self.amp_scale_fn is not None:
            amplitudes = self.amp_scale_fn(amplitudes)
        if self.freq_scale_fn is not None:
            frequencies = self.freq_scale_fn(frequencies[:, None])[:, 0]
        if self.decay_scale_fn is not None:
            decays = self.decay_scale_fn(decays)
        _check_modes(frequencies, amplitudes, decays)
        silent = _is_silent(frequencies, decays, self.sample_rate)
        amplitudes = tf.where(silent, tf.zeros_like(amplitudes), amplitudes)
        controls = {"amplitudes": amplitudes, "frequencies": frequencies, "decay_seconds": decays}
        for name, value in zip(
            ("onset_seconds", "contact_seconds", "position"), strike, strict=True
        ):
            if value is not None:
                _check_one(name, value)
                controls[name] = value
        return controls

    def get_signal(
        self,
        amplitudes,
        frequencies,
        decay_seconds,
        onset_seconds=None,
        contact_seconds=None,
        position=None,
    ):
        """Audio, [batch, n_samples].

        Args:
          amplitudes: Linear amplitude of each mode for a blow that excites all alike,
            [batch, n_modes].
          frequencies: Hz, [batch, n_modes].
          decay_seconds: Time until a mode has fallen by 60 dB, [batch, n_modes].
          onset_seconds: When it is struck, [batch, 1]; any time, also between two samples or
            before the first one; 0 where absent.
          contact_seconds: How softly it is struck, [batch, 1]; 0, as hard as can be, where absent.
            See `strike_gains`.
          position: Where it is struck, [batch, 1], 0 to 1 from end to end; everywhere alike where
            absent. See `strike_gains`.
        """
        if contact_seconds is not None or position is not None:
            gains = strike_gains(frequencies, contact_seconds, position)
            amplitudes = as_float(amplitudes) * tf.cast(gains, as_float(amplitudes).dtype)
        return modal_synthesis(
            frequencies, amplitudes, decay_seconds, self.n_samples, self.sample_rate, onset_seconds
        )


def modal_synthesis(
    frequencies,
    amplitudes,
    decay_seconds,
    n_samples=64000,
    sample_rate=16000,
    onset_seconds=None,
    first_sample=0,
):
    """A sum of damped sines, each exactly `a exp(-ln(1000) t / decay) sin(2 pi f t)` from t = 0 on.

    Damping and frequency stay the same, so a sound over many blocks is a product of two small
    tables: what a mode has become when a block begins, and how it goes on within a block. Phase is
    kept in float64 and wrapped.

    Args:
      frequencies: Hz, [batch, n_modes]. A mode at or above Nyquist is silent and has gradient 0.
      amplitudes: Linear, [batch, n_modes].
      decay_seconds: Time until a mode has fallen by 60 dB, [batch, n_modes]. A mode without any
        (0 or below) is silent and has gradient 0.
      n_samples: Length of the sound in samples, any number.
      sample_rate: Hz.
      onset_seconds: t = 0, [batch, 1]; any time, also between two samples; 0 where absent.
      first_sample: Where a part of a sound begins, in samples, int or scalar int64.

    Returns:
      Audio, [batch, n_samples]; float64 where an input is, else float32.

    Raises:
      ShapeError: if a tensor's shape is not as above.
    """
    n_samples = whole("n_samples", n_samples)
    check_positive("sample_rate", sample_rate)
    frequencies, amplitudes, decays, onset = as_floats(
        frequencies, amplitudes, decay_seconds, onset_seconds
    )
    _check_modes(frequencies, amplitudes, decays)
    if onset is not None:
        _check_one("onset_seconds", onset)
    frequencies, amplitudes, decays, onset = broadcast(
        1,
        frequencies=frequencies,
        amplitudes=amplitudes,
        decay_seconds=decays,
        onset_seconds=onset,
    )
    frequencies, amplitudes, decays = broadcast(
        2, frequencies=frequencies, amplitudes=amplitudes, decay_seconds=decays
    )
    dtype = frequencies.dtype
    silent = _is_silent(frequencies, decays, sample_rate)
    amplitudes = tf.where(silent, tf.zeros([], dtype), amplitudes)
    decays = tf.where(decays <= 0.0, tf.ones([], dtype), decays)
    # Phases are float64, or where that can't be, exact integers.
    precise = tf.float32 if portable.portable_operations_used() else tf.float64
    dampings = math.log(1000.0) / tf.cast(decays, precise)[:, None]
    frequencies = tf.cast(frequencies, precise)[:, None]
    rate = tf.cast(sample_rate, precise)

    # Time is counted from the first sample at or after the onset, `late` seconds behind it.
    begin, late, silence = tf.cast(first_sample, tf.int64), tf.zeros([], precise), None
    if onset is not None:
        struck, late = onset_sample(onset, sample_rate)
        silence = tf.maximum(struck - begin, 0)
        begin = tf.maximum(begin - struck, 0)[:, :, None]
        late = late[:, :, None]

    def damped(sample, late):
        """(sine, cosine) parts of the modes of amplitude 1, so many seconds behind samples."""
        seconds = tf.cast(sample, precise) / rate + late
        if precise == tf.float32:
            cycles = portable.sample_cycles(frequencies, sample, sample_rate)
        else:
            cycles = frequencies * seconds
        angle = tf.cast(2.0 * math.pi * (cycles - tf.round(cycles)), dtype)
        left = tf.exp(tf.cast(-dampings * seconds, dtype))
        return left * tf.sin(angle), left * tf.cos(angle)

    n_blocks = -(-n_samples // _BLOCK)
    sample = begin + _BLOCK * tf.range(tf.cast(n_blocks, tf.int64))[:, None]
    sine, cosine = damped(sample, late)
    amplitudes = amplitudes[:, None]
    here = tf.concat([amplitudes * sine, amplitudes * cosine], axis=2)
    sine, cosine = damped(tf.range(_BLOCK, dtype=tf.int64)[:, None], 0.0)
    on = tf.concat([cosine, sine], axis=2)
    audio = matmul(here, on, transpose_b=True)
    audio = tf.reshape(audio, [length(audio, 0), n_blocks * _BLOCK])[:, :n_samples]
    audio.set_shape([amplitudes.shape[0], tf.get_static_value(n_samples)])
    return audio if silence is None else placed(audio, silence, n_samples)


def strike_gains(frequencies, contact_seconds=None, position=None):
    """How much a blow excites each mode.

    Args:
      frequencies: Hz, [batch, n_modes].
      contact_seconds: How long the mallet stays: the force of the blow goes like
        `t exp(-t / contact_seconds)`, so that a mode gets `1 / (1 + (2 pi f contact_seconds)**2)`.
        [batch, 1]; steel has about 1e-4, felt 1e-3.
      position: Where the blow falls, [batch, 1], 0 to 1 from end to end: mode m gets
        `sin(pi m position)`, as on a string or on a bar that is supported at its ends.

    Returns:
      Gains, [batch, n_modes]; 1 where neither is given.

    Raises:
      ShapeError: if a tensor's shape is not as above.

    References:
      Fletcher and Rossing, The Physics of Musical Instruments, 1998.
    """
    frequencies, contact, position = as_floats(frequencies, contact_seconds, position)
    check_rank("frequencies", frequencies, 2, _MODES)
    gains = tf.ones_like(frequencies)
    if contact is not None:
        _check_one("contact_seconds", contact)
        gains /= 1.0 + (2.0 * math.pi * frequencies * contact) ** 2
    if position is not None:
        _check_one("position", position)
        orders = tf.cast(tf.range(1, tf.shape(frequencies)[1] + 1), frequencies.dtype)
        gains *= tf.sin(math.pi * orders * position)
    return gains


def _is_silent(frequencies, decays, sample_rate):
    nyquist = 0.5 * tf.cast(sample_rate, frequencies.dtype)
    return (tf.abs(frequencies) >= nyquist) | (decays <= 0.0)


def _check_modes(frequencies, amplitudes, decays):
    """Raises ShapeError unless all are [batch, n_modes]."""
    check_rank("frequencies", frequencies, 2, _MODES)
    for name, tensor in (("amplitudes", amplitudes), ("decay_seconds", decays)):
        check_rank(name, tensor, 2, _MODES)
    axes = ("batch", "n_modes")
    check_alike(2, axes, frequencies=frequencies, amplitudes=amplitudes, decay_seconds=decays)


def _check_one(name, tensor):
    check_rank(name, tensor, 2, "[batch, 1]")
    check_last(name, tensor, 1, "[batch, 1]")
