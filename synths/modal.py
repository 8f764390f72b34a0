"""Modal synthesizer: damped modes of drums, bells, bars and plates."""

import math

import tensorflow as tf

from synths import portable
from synths.frequency_scales import frequencies_sigmoid
from synths.onsets import onset_sample, placed
from synths.precision import as_float, as_floats, check_floats, matmul
from synths.processor import Processor
from synths.saving import registered
from synths.shapes import broadcast, check_shape, length
from synths.units import exp_sigmoid

_MODES = "[batch, n_modes]"
_STRIKE = ("onset_seconds", "contact_seconds", "position")
_BLOCK = 256


@registered
def decays_sigmoid(decays, seconds_min=0.01, seconds_max=10.0):
    """Map raw network outputs to decay times on a logarithmic scale.

    Args:
      decays: Raw outputs, any shape.
      seconds_min, seconds_max: Limits for very negative and very large outputs.

    Returns:
      Seconds, shape of decays.
    """
    return seconds_min * tf.exp(math.log(seconds_max / seconds_min) * tf.sigmoid(as_float(decays)))


class Modal(Processor):
    """Synthesizer of exponentially damped modes that are excited once.

    Args:
      n_samples: Length of the audio in samples.
      sample_rate: Hz.
      amp_scale_fn: Maps raw network outputs to positive amplitudes; None: identity.
      freq_scale_fn: Maps raw network outputs, with an axis of one frame, to Hz; None: identity.
      decay_scale_fn: Maps raw network outputs to seconds; None: identity.
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
        self.n_samples = n_samples
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
        """Map raw network outputs to controls.

        Args:
          amplitudes: [batch, n_modes], raw.
          frequencies: [batch, n_modes], raw.
          decay_seconds: [batch, n_modes], raw.
          onset_seconds, contact_seconds, position: As in `get_signal`, passed on.

        Returns:
          amplitudes (linear, 0 where the frequency is at or above Nyquist), frequencies (Hz),
          decay_seconds, and the other arguments if given; shapes as given.
        """
        amplitudes, frequencies, decays, *strike = as_floats(
            amplitudes, frequencies, decay_seconds, onset_seconds, contact_seconds, position
        )
        check_shape("frequencies", frequencies, _MODES)
        if self.amp_scale_fn is not None:
            amplitudes = self.amp_scale_fn(amplitudes)
        if self.freq_scale_fn is not None:
            frequencies = self.freq_scale_fn(frequencies[:, None])[:, 0]
        if self.decay_scale_fn is not None:
            decays = self.decay_scale_fn(decays)
        amplitudes, frequencies, decays = check_floats(
            amplitudes=(amplitudes, _MODES),
            frequencies=(frequencies, _MODES),
            decay_seconds=(decays, _MODES),
        )
        silent = _is_silent(frequencies, decays, self.sample_rate)
        amplitudes = tf.where(silent, tf.zeros_like(amplitudes), amplitudes)
        controls = {"amplitudes": amplitudes, "frequencies": frequencies, "decay_seconds": decays}
        for name, value in zip(_STRIKE, strike, strict=True):
            check_shape(name, value, "[batch, 1]")
            if value is not None:
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
          amplitudes: Linear amplitude of each mode for an excitation with a flat spectrum,
            [batch, n_modes].
          frequencies: Hz, [batch, n_modes].
          decay_seconds: Time of a decay by 60 dB, [batch, n_modes].
          onset_seconds: Onset, [batch, 1]; any time, also between two samples or before the first
            one; None: 0.
          contact_seconds: Contact time of the mallet, [batch, 1]; None: 0. See `strike_gains`.
          position: Striking point, [batch, 1], 0 to 1 from end to end; None: all modes equal. See
            `strike_gains`.
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
    """Sum damped sines, each exactly `a exp(-ln(1000) t / decay) sin(2 pi f t)` from t = 0 on.

    Damping and frequency are constant, so the audio is a matrix product of two small tables: the
    modes at the beginnings of blocks, and within a block. Phase is wrapped in float64.

    Args:
      frequencies: Hz, [batch, n_modes]. A mode at or above Nyquist is silent and has gradient 0.
      amplitudes: Linear, [batch, n_modes].
      decay_seconds: Time of a decay by 60 dB, [batch, n_modes]. A mode with 0 or less is silent and
        has gradient 0.
      n_samples: Length of the audio in samples, int or scalar int32.
      sample_rate: Hz.
      onset_seconds: Time of t = 0, [batch, 1], also between two samples; None: 0.
      first_sample: First sample of a chunk of the audio, int or scalar int64.

    Returns:
      Audio, [batch, n_samples].
    """
    inputs = {
        "frequencies": (frequencies, _MODES),
        "amplitudes": (amplitudes, _MODES),
        "decay_seconds": (decay_seconds, _MODES),
        "onset_seconds": (onset_seconds, "[batch, 1]"),
    }
    inputs = dict(zip(inputs, check_floats(**inputs), strict=True))
    *modes, onset = broadcast(1, **inputs)
    frequencies, amplitudes, decays = broadcast(2, **dict(zip(inputs, modes, strict=False)))
    dtype = frequencies.dtype
    silent = _is_silent(frequencies, decays, sample_rate)
    amplitudes = tf.where(silent, tf.zeros([], dtype), amplitudes)
    decays = tf.where(decays <= 0.0, tf.ones([], dtype), decays)
    # Phases are float64, or exact integers where float64 is not available.
    precise = tf.float32 if portable.portable_operations_used() else tf.float64
    dampings = math.log(1000.0) / tf.cast(decays, precise)[:, None]
    frequencies = tf.cast(frequencies, precise)[:, None]
    rate = tf.cast(sample_rate, precise)

    # Time is counted from the first sample at or after the onset, `late` seconds after it.
    begin, late, silence = tf.cast(first_sample, tf.int64), tf.zeros([], precise), None
    if onset is not None:
        struck, late = onset_sample(onset, sample_rate)
        silence = tf.maximum(struck - begin, 0)
        begin = tf.maximum(begin - struck, 0)[:, :, None]
        late = late[:, :, None]

    def damped(sample, late):
        """Sine and cosine of modes of amplitude 1, `late` seconds after samples."""
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
    """Excitation of each mode by a mallet.

    Args:
      frequencies: Hz, [batch, n_modes].
      contact_seconds: Contact time, [batch, 1]; about 1e-4 for steel, 1e-3 for felt. The force is
        proportional to `t exp(-t / contact_seconds)`, the gain
        `1 / (1 + (2 pi f contact_seconds)**2)`.
      position: Striking point, [batch, 1], 0 to 1 from end to end. The gain of mode m is
        `sin(pi m position)`, as of a string or a bar that is supported at its ends.

    Returns:
      Gains, [batch, n_modes]; 1 if neither is given.

    References:
      Fletcher and Rossing, The Physics of Musical Instruments, 1998.
    """
    frequencies, contact, position = check_floats(
        frequencies=(frequencies, _MODES),
        contact_seconds=(contact_seconds, "[batch, 1]"),
        position=(position, "[batch, 1]"),
    )
    gains = tf.ones_like(frequencies)
    if contact is not None:
        gains /= 1.0 + (2.0 * math.pi * frequencies * contact) ** 2
    if position is not None:
        orders = tf.cast(tf.range(1, tf.shape(frequencies)[1] + 1), frequencies.dtype)
        gains *= tf.sin(math.pi * orders * position)
    return gains


def _is_silent(frequencies, decays, sample_rate):
    nyquist = 0.5 * tf.cast(sample_rate, frequencies.dtype)
    return (tf.abs(frequencies) >= nyquist) | (decays <= 0.0)
