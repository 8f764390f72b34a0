"""Percussive voices: damped modes and a noise transient.

Such a voice reads the decoded features at the first frame only, and its controls have no frame
axis. They are in physical units; `render` synthesizes them at any rate and length.
"""

import math

import keras
import tensorflow as tf

from noisygan.generators.voices import gains_at_rate
from synths.modal import decays_sigmoid, modal_synthesis
from synths.transient import Transient
from synths.units import db_to_amplitude, soft_ceiling_db


class ModalVoice(keras.layers.Layer):
    """A bank of damped modes, each with a frequency, a level and a decay of the note's own.

    Untrained, the modes lie evenly in ratio from min_hz to max_hz.

    Args:
      n_modes: Number of modes, 2 or more.
      min_hz, max_hz: Frequencies of the lowest and the highest mode of an untrained voice.
      max_shift: Largest deviation of a mode from there, in octaves.
      min_seconds, max_seconds: Range of the times in which a mode falls by 60 dB.
      initial_db: Level of a mode of an untrained voice relative to the note's, in dB.
      ceiling_db: The level that it can't exceed.
      bandwidth_hz: No mode is made at or above it; None: half the rate of the recordings, which
        the generator fills in.
    """

    kind = "modal"

    def __init__(
        self,
        n_modes=48,
        min_hz=60.0,
        max_hz=12000.0,
        max_shift=1.0,
        min_seconds=0.01,
        max_seconds=5.0,
        initial_db=-40.0,
        ceiling_db=0.0,
        bandwidth_hz=None,
        name="modal",
    ):
        super().__init__(name=name)
        ratio = (max_hz / min_hz) ** (1.0 / (n_modes - 1))
        self.middle_hz = [min_hz * ratio**i for i in range(n_modes)]
        self.max_shift = max_shift
        self.min_seconds = min_seconds
        self.max_seconds = max_seconds
        self.initial_db = initial_db
        self.ceiling_db = ceiling_db
        self.bandwidth_hz = bandwidth_hz
        self.shifts = keras.layers.Dense(n_modes, name="shifts")
        self.levels = keras.layers.Dense(n_modes, name="levels")
        self.decays = keras.layers.Dense(n_modes, name="decays")

    def get_controls(self, decoded, f0_hz, loudness_db):
        """Controls from features.

        Args:
          decoded: [batch, n_frames, n]; of these the first frame.
          f0_hz: Ignored.
          loudness_db: Level of the note in dB, [batch, n_frames, 1]; of it the first frame.

        Returns:
          frequencies in Hz, amplitudes (linear) and decay_seconds (to -60 dB), each
          [batch, n_modes].
        """
        struck = decoded[:, 0]
        shift = self.max_shift * tf.tanh(self.shifts(struck))
        frequencies = tf.constant(self.middle_hz, tf.float32) * tf.exp(math.log(2.0) * shift)
        raw_db = self.initial_db + 10.0 * self.levels(struck)
        amplitudes = db_to_amplitude(soft_ceiling_db(raw_db, self.ceiling_db) + loudness_db[:, 0])
        inside = frequencies < (self.bandwidth_hz or math.inf)
        return {
            "frequencies": frequencies,
            "amplitudes": tf.where(inside, amplitudes, 0.0),
            "decay_seconds": decays_sigmoid(
                self.decays(struck), self.min_seconds, self.max_seconds
            ),
        }

    settings = {}

    @staticmethod
    def render(controls, n_samples, sample_rate, seed):
        """Sound, [batch, n_samples]; the seed is ignored."""
        return modal_synthesis(
            controls["frequencies"],
            controls["amplitudes"],
            controls["decay_seconds"],
            n_samples,
            sample_rate,
        )


class TransientVoice(keras.layers.Layer):
    """Short burst of filtered noise at the onset: stick or beater.

    Args:
      n_bands: Number of bands, evenly spaced from 0 Hz to `bandwidth_hz`; 2 or more.
      burst_seconds: What comes later is silence.
      min_seconds, max_seconds: Range of the times in which the burst falls by 60 dB.
      initial_db: Level of an untrained voice relative to the note's, in dB.
      ceiling_db: The level that it can't exceed.
      bandwidth_hz: No noise is made above it; None: half the rate of the recordings, which the
        generator fills in.
    """

    kind = "transient"

    def __init__(
        self,
        n_bands=33,
        burst_seconds=0.03,
        min_seconds=0.002,
        max_seconds=0.1,
        initial_db=-20.0,
        ceiling_db=10.0,
        bandwidth_hz=None,
        name="transient",
    ):
        super().__init__(name=name)
        self.burst_seconds = burst_seconds
        self.min_seconds = min_seconds
        self.max_seconds = max_seconds
        self.initial_db = initial_db
        self.ceiling_db = ceiling_db
        self.bandwidth_hz = bandwidth_hz
        self.bands = keras.layers.Dense(n_bands, name="bands")
        self.decay = keras.layers.Dense(1, name="decay")

    def get_controls(self, decoded, f0_hz, loudness_db):
        """Controls from features; arguments as `ModalVoice.get_controls`.

        Returns:
          magnitudes: linear gains of white noise on bands from 0 Hz to `bandwidth_hz`,
          [batch, n_bands]; decay_seconds (to -60 dB) [batch, 1].
        """
        struck = decoded[:, 0]
        raw_db = self.initial_db + 10.0 * self.bands(struck)
        level_db = soft_ceiling_db(raw_db, self.ceiling_db) + loudness_db[:, 0]
        return {
            "magnitudes": db_to_amplitude(level_db),
            "decay_seconds": decays_sigmoid(self.decay(struck), self.min_seconds, self.max_seconds),
        }

    @property
    def settings(self):
        """Keyword arguments of `render` besides the controls."""
        return {
            "bandwidth_hz": float(self.bandwidth_hz),
            "burst_seconds": float(self.burst_seconds),
        }

    @staticmethod
    def render(controls, n_samples, sample_rate, seed, bandwidth_hz, burst_seconds):
        """Sound, [batch, n_samples]; one noise seed a row, int32 [batch].

        At another rate than twice the bandwidth the noise up to the bandwidth is as loud.
        """
        gains = gains_at_rate(controls["magnitudes"][:, None], bandwidth_hz, sample_rate)
        synth = Transient(n_samples, sample_rate, burst_seconds, scale_fn=None, decay_scale_fn=None)
        return synth.get_signal(gains[:, 0], controls["decay_seconds"], seed=seed)

    @staticmethod
    def render_block(
        controls, first_sample, n_samples, sample_rate, seed, bandwidth_hz, burst_seconds
    ):
        """Samples of `render` from first_sample on, int32 [batch], [batch, n_samples]."""
        gains = gains_at_rate(controls["magnitudes"][:, None], bandwidth_hz, sample_rate)
        synth = Transient(n_samples, sample_rate, burst_seconds)
        return synth.get_block(
            first_sample, n_samples, gains[:, 0], controls["decay_seconds"], seed
        )


DRUM_VOICES = {voice.kind: voice for voice in (ModalVoice, TransientVoice)}
