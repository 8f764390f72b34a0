"""Transient synthesizer: the click, hiss or thump of an attack."""

import math

import tensorflow as tf

from synths import portable
from synths.filters import cut, frequency_filter, response_margin
from synths.modal import decays_sigmoid
from synths.noise import seed_of_layer, white_noise
from synths.onsets import onset_sample, placed
from synths.precision import as_floats, check_floats
from synths.processor import Processor
from synths.saving import registered
from synths.shapes import ShapeError, length
from synths.units import exp_sigmoid


@registered
def short_decays_sigmoid(decays):
    """Map raw network outputs, any shape, to decay times from 1 ms to 0.1 s."""
    return decays_sigmoid(decays, seconds_min=0.001, seconds_max=0.1)


class Transient(Processor):
    """Synthesizer of a short burst: filtered noise and a pulse with a common envelope.

    The envelope rises and decays exponentially and is 0 at the end of the burst:

        (1 - exp(-t / attack)) exp(-ln(1000) t / decay) (1 - (t / burst)**2)**2

    The pulse is given by its discrete cosine transform, which is smooth for short attacks (Verma
    and Meng 2000).

    Args:
      n_samples: Length of the audio in samples.
      sample_rate: Hz.
      burst_seconds: Length of the burst.
      window_size: Length of the noise filter's impulse response in samples; 0: the maximum.
      scale_fn: Maps raw network outputs to positive gains; None: identity.
      decay_scale_fn: Maps raw network outputs to seconds; None: identity.
      seed: Default seed of the noise, as of `FilteredNoise`.

    References:
      Verma and Meng, Extending Spectral Modeling Synthesis with Transient Modeling Synthesis, 2000.
    """

    def __init__(
        self,
        n_samples=64000,
        sample_rate=16000,
        burst_seconds=0.1,
        window_size=0,
        scale_fn=exp_sigmoid,
        decay_scale_fn=short_decays_sigmoid,
        seed=None,
        name="transient",
    ):
        super().__init__(name=name)
        self.n_samples = n_samples
        self.sample_rate = sample_rate
        self.burst_seconds = burst_seconds
        self.window_size = window_size
        self.scale_fn = scale_fn
        self.decay_scale_fn = decay_scale_fn
        self.seed = seed_of_layer(self.name) if seed is None else seed

    def get_controls(
        self, magnitudes, decay_seconds, pulse=None, attack_seconds=None, onset_seconds=None
    ):
        """Map raw network outputs to controls.

        Args:
          magnitudes: [batch, n_bands], raw.
          decay_seconds: [batch, 1], raw.
          pulse, attack_seconds, onset_seconds: As in `get_signal`, passed on.

        Returns:
          magnitudes (linear gains), decay_seconds, and the other arguments if given; shapes as
          given.
        """
        magnitudes, decays, pulse, attack, onset = as_floats(
            magnitudes, decay_seconds, pulse, attack_seconds, onset_seconds
        )
        if self.scale_fn is not None:
            magnitudes = self.scale_fn(magnitudes)
        if self.decay_scale_fn is not None:
            decays = self.decay_scale_fn(decays)
        magnitudes, decays, *_ = self._check(magnitudes, decays, pulse, attack, onset)
        given = {"pulse": pulse, "attack_seconds": attack, "onset_seconds": onset}
        controls = {"magnitudes": magnitudes, "decay_seconds": decays}
        return controls | {name: value for name, value in given.items() if value is not None}

    def get_signal(
        self,
        magnitudes,
        decay_seconds,
        pulse=None,
        attack_seconds=None,
        onset_seconds=None,
        seed=None,
    ):
        """Audio, [batch, n_samples].

        Args:
          magnitudes: Linear gains of the noise at bands spaced evenly from 0 Hz to Nyquist,
            [batch, n_bands].
          decay_seconds: Time of a decay by 60 dB, [batch, 1]. A burst with 0 or less is silent and
            has gradient 0.
          pulse: First coefficients of the orthonormal DCT-II of the pulse over the samples of the
            burst, [batch, n_coefficients]; None: only noise.
          attack_seconds: Time of the rise to 1 - 1 / e, [batch, 1]; None or 0: immediate.
          onset_seconds: Onset of the burst, [batch, 1], any time; None: 0. Noise and pulse begin at
            a whole sample, so the gradient comes from the envelope alone.
          seed: int32 [batch] or scalar; equal seeds give equal noise. None: the synth's seed + i
            for row i.
        """
        magnitudes, decays, pulse, attack, onset = self._check(
            magnitudes, decay_seconds, pulse, attack_seconds, onset_seconds
        )
        n_rows = tf.shape(magnitudes)[0]
        seed = self.seed + tf.range(n_rows) if seed is None else seed
        seed = tf.broadcast_to(tf.cast(seed, tf.int32), [n_rows])

        # The noise begins before the burst, so that the filter has settled at its onset.
        margin = response_margin(length(magnitudes, 1), self.window_size)
        noise = white_noise(seed, self._n_burst + 2 * margin, -margin)
        noise = frequency_filter(noise, magnitudes, self.window_size)
        burst = noise[:, margin : margin + self._n_burst]
        if pulse is not None:
            missing = self._n_burst - length(pulse, 1)
            burst += tf.signal.idct(tf.pad(pulse, [[0, 0], [0, missing]]), norm="ortho")

        first, late = None, tf.zeros([], tf.float64)
        if onset is not None:
            first, late = onset_sample(onset, self.sample_rate)
        seconds = tf.cast(tf.range(self._n_burst), tf.float64)
        seconds = seconds / tf.cast(self.sample_rate, tf.float64) + late
        burst *= self._envelope(tf.cast(seconds, burst.dtype), decays, attack)
        if first is None:
            return cut(burst, 0, self.n_samples)
        return placed(burst, first, self.n_samples)

    def get_block(self, first_sample, n_samples, magnitudes, decay_seconds, seed):
        """Samples of `get_signal` of a burst of noise, from another place on in each row.

        Args:
          first_sample: int32 [batch]; before sample 0 there is silence.
          n_samples: int.
          magnitudes, decay_seconds, seed: As in `get_signal`, seed int32 [batch].

        Returns:
          [batch, n_samples].
        """
        margin = response_margin(length(magnitudes, 1), self.window_size)
        sample = first_sample[:, None] + tf.range(-margin, n_samples + margin)
        noise = portable.white_noise(seed, sample)
        noise = frequency_filter(noise, magnitudes, self.window_size)
        inside = slice(margin, margin + n_samples)
        seconds = tf.cast(sample[:, inside], tf.float32) / self.sample_rate
        block = noise[:, inside] * self._envelope(tf.nn.relu(seconds), decay_seconds, None)
        return tf.where(seconds < 0.0, 0.0, block)

    @property
    def _n_burst(self):
        if isinstance(self.sample_rate, tf.Tensor):
            n_burst = self.burst_seconds * tf.cast(self.sample_rate, tf.float64)
            return tf.maximum(tf.cast(tf.round(n_burst), tf.int32), 1)
        return max(1, round(self.burst_seconds * self.sample_rate))

    def _envelope(self, seconds, decays, attack):
        closing = (1.0 - tf.minimum(seconds / self.burst_seconds, 1.0) ** 2) ** 2
        rings = decays > 0.0
        decays = tf.where(rings, decays, tf.ones_like(decays))
        envelope = tf.exp(-math.log(1000.0) * seconds / decays) * closing
        envelope = tf.where(rings, envelope, tf.zeros_like(envelope))
        if attack is None:
            return envelope
        rises = attack > 0.0
        rise = -tf.math.expm1(-seconds / tf.where(rises, attack, tf.ones_like(attack)))
        return envelope * tf.where(rises, rise, tf.ones_like(rise))

    def _check(self, magnitudes, decays, pulse, attack, onset):
        floats = check_floats(
            magnitudes=(magnitudes, "[batch, n_bands]"),
            decay_seconds=(decays, "[batch, 1]"),
            pulse=(pulse, "[batch, n_coefficients]"),
            attack_seconds=(attack, "[batch, 1]"),
            onset_seconds=(onset, "[batch, 1]"),
        )
        if pulse is not None and (pulse.shape[1] or 0) > self._n_burst:
            raise ShapeError(
                f"pulse: expected at most {self._n_burst} coefficients, the samples of the burst, "
                f"got shape {tuple(pulse.shape)}."
            )
        return floats
