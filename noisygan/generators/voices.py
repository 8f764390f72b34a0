"""Synth voices: heads that turn decoded features into the controls of a synth, and the synth.

A voice's controls are in physical units and know nothing of the rate or the length that the
system was trained at; `render` synthesizes them at any rate and length.
"""

import math

import keras
import numpy as np
import tensorflow as tf

from noisygan.metrics.note_analysis import midi_to_hz
from synths.filtered_noise import FilteredNoise
from synths.oscillators import harmonic_synthesis
from synths.partials import normalize_distribution
from synths.spectral import fft_size
from synths.units import db_to_amplitude, hz_to_mel, soft_ceiling_db

# About half of an auditory filter's width.
MEL_SPACING = 60.0
# A0 has 800 below 22 kHz.
MAX_HARMONICS = 1000


class HarmonicVoice(keras.layers.Layer):
    """A harmonic oscillator bank whose timbre follows the decoded features.

    Args:
      n_harmonics: Number of harmonics; None: all that the lowest pitch of the recordings has
        below `bandwidth_hz`, at most `MAX_HARMONICS`.
      bandwidth_hz: No harmonic is made at or above it; None: half the rate of the recordings,
        which the generator fills in.
      tuned: Whether the voice has a trainable detuning (in cents, starts at `detune_cents`), for
        a group of voices that beat against each other.
      slope_db: Slope of the initial distribution in dB per octave.
      level_scale_db: How many decibels 1 on the raw level is.
    """

    kind = "harmonic"
    is_stretchable = True  # `get_controls` takes an inharmonicity

    def __init__(
        self,
        n_harmonics=64,
        bandwidth_hz=None,
        tuned=False,
        detune_cents=0.0,
        slope_db=-9.0,
        level_scale_db=1.0,
        name="harmonic",
    ):
        super().__init__(name=name)
        self.bandwidth_hz = bandwidth_hz
        self.slope_db = slope_db
        self.detune_cents = detune_cents
        self.level_scale_db = level_scale_db
        self.n_harmonics = None
        if n_harmonics is not None:
            self._set_n_harmonics(n_harmonics)
        self.level = keras.layers.Dense(1, name="level")
        self.detune = None
        if tuned:
            self.detune = self.add_weight(
                shape=[],
                initializer=keras.initializers.Constant(detune_cents),
                name="detune_cents",
            )

    def _set_n_harmonics(self, n_harmonics):
        self.n_harmonics = n_harmonics
        # Not a tensor: in an exported graph that would be an input.
        octaves_up = np.log2(np.arange(1, n_harmonics + 1))
        self.initial = np.float32(self.slope_db * octaves_up * (math.log(10.0) / 20.0))
        self.distribution = keras.layers.Dense(n_harmonics, name="distribution")

    def set_lowest_pitch(self, pitch):
        """Decide the number of harmonics, unless it is set, from the lowest pitch, MIDI."""
        if self.n_harmonics is None:
            # Half a semitone lower: notes may be flat.
            lowest_hz = midi_to_hz(pitch - 0.5)
            self._set_n_harmonics(min(max(int(self.bandwidth_hz / lowest_hz), 1), MAX_HARMONICS))

    def get_controls(self, decoded, f0_hz, loudness_db, inharmonicity=None):
        """Controls from features.

        Args:
          decoded: [batch, n_frames, n].
          f0_hz: [batch, n_frames, 1].
          loudness_db: Level of the note in dB, [batch, n_frames, 1].
          inharmonicity: B of strings, [batch, 1, 1]; None: 0.

        Returns:
          f0_hz [batch, n_frames, 1]; amplitudes (linear) [batch, n_frames, 1];
          harmonic_distribution [batch, n_frames, n_harmonics], sums to 1; and inharmonicity if
          given, the same at all frames, [batch, n_frames, 1].
        """
        if self.detune is not None:
            f0_hz = f0_hz * tf.exp(self.detune * (math.log(2.0) / 1200.0))
        weights = tf.exp(tf.clip_by_value(self.distribution(decoded) + self.initial, -16.0, 8.0))
        distribution = normalize_distribution(weights, f0_hz, self.bandwidth_hz, inharmonicity)
        controls = {
            "f0_hz": f0_hz,
            "amplitudes": db_to_amplitude(loudness_db + self.level_scale_db * self.level(decoded)),
            "harmonic_distribution": distribution,
        }
        if inharmonicity is not None:
            controls["inharmonicity"] = inharmonicity + tf.zeros_like(f0_hz)
        return controls

    settings = {}

    @staticmethod
    def render(controls, n_samples, sample_rate, seed, initial_phase=None):
        """Sound, [batch, n_samples]; the seed is ignored.

        A part of a longer sound begins at `initial_phase`, in cycles that are not wrapped, float64
        [batch]. The inharmonicity is that of the first frame.
        """
        inharmonicity = controls.get("inharmonicity")
        return harmonic_synthesis(
            controls["f0_hz"],
            controls["amplitudes"],
            harmonic_distribution=controls["harmonic_distribution"],
            n_samples=n_samples,
            sample_rate=sample_rate,
            amp_resample_method="linear",
            initial_phase=initial_phase,
            inharmonicity=None if inharmonicity is None else inharmonicity[:, :1],
        )


class NoiseVoice(keras.layers.Layer):
    """Filtered noise: breath, hiss, the noise of the key.

    Args:
      n_bands: Number of bands, evenly spaced from 0 Hz to `bandwidth_hz`; 2 or more. None: a power
        of two of them, at least 125 Hz apart, and one at 0 Hz, whose levels are interpolated
        between bands that are evenly spaced in mel.
      bandwidth_hz: No noise is made above it; None: half the rate of the recordings, which the
        generator fills in.
      initial_db: Level of an untrained voice relative to the note's, in dB.
      ceiling_db: The level that it can't exceed.
    """

    kind = "noise"

    def __init__(
        self, n_bands=65, bandwidth_hz=None, initial_db=-40.0, ceiling_db=6.0, name="noise"
    ):
        super().__init__(name=name)
        self.n_bands = n_bands
        self.spread = None
        self.bands = None if n_bands is None else keras.layers.Dense(n_bands, name="bands")
        self.bandwidth_hz = bandwidth_hz
        self.initial_db = initial_db
        self.ceiling_db = ceiling_db

    @property
    def bandwidth_hz(self):
        """Bandwidth in Hz, which decides the number of bands unless that is set."""
        return self._bandwidth_hz

    @bandwidth_hz.setter
    def bandwidth_hz(self, hz):
        self._bandwidth_hz = hz
        if self.n_bands is None and hz is not None:
            self.n_bands = fft_size(1.0 / 125.0, hz) + 1
            self.spread = mel_interpolation(self.n_bands, hz)
            self.bands = keras.layers.Dense(len(self.spread), name="bands")

    def get_controls(self, decoded, f0_hz, loudness_db):
        """Controls from features; arguments as `HarmonicVoice.get_controls`.

        Returns:
          magnitudes: linear gains of white noise, [batch, n_frames, n_bands]; bands are evenly
          spaced from 0 Hz to `bandwidth_hz`.
        """
        raw = self.bands(decoded)
        if self.spread is not None:
            raw = raw @ self.spread
        raw_db = self.initial_db + 10.0 * raw
        magnitudes = db_to_amplitude(soft_ceiling_db(raw_db, self.ceiling_db) + loudness_db)
        return {"magnitudes": magnitudes}

    @property
    def settings(self):
        """Keyword arguments of `render` besides the controls."""
        return {"bandwidth_hz": float(self.bandwidth_hz)}

    @staticmethod
    def render(controls, n_samples, sample_rate, seed, bandwidth_hz):
        """Sound, [batch, n_samples]; one noise seed a row, int32 [batch].

        At another rate than twice the bandwidth the bands are laid on its own and the gain keeps
        the power per hertz, so the noise up to the bandwidth is as loud.
        """
        magnitudes = gains_at_rate(controls["magnitudes"], bandwidth_hz, sample_rate)
        synth = FilteredNoise(n_samples, window_size=0, scale_fn=None, seed=0)
        return synth.get_signal(magnitudes, seed=seed)


def mel_interpolation(n_bands, bandwidth_hz):
    """Matrix from bands evenly spaced in mel to bands evenly spaced in Hz, both from 0 Hz on.

    Args:
      n_bands: Number of bands up to bandwidth_hz.
      bandwidth_hz: Hz.

    Returns:
      float32 [n_mel_bands, n_bands], about `MEL_SPACING` apart; columns sum to 1.
    """
    mel = hz_to_mel(np.linspace(0.0, bandwidth_hz, n_bands)).numpy()
    n_mel_bands = round(mel[-1] / MEL_SPACING) + 1
    place = mel * ((n_mel_bands - 1) / mel[-1])
    distance = np.abs(place - np.arange(n_mel_bands)[:, None])
    return np.maximum(0.0, 1.0 - distance).astype(np.float32)


def gains_at_rate(magnitudes, bandwidth_hz, sample_rate):
    """Gains of white noise on bands that reach half of sample_rate, as loud in each hertz.

    Args:
      magnitudes: Linear gains on bands from 0 Hz to bandwidth_hz, [batch, n_frames, n_bands].
      bandwidth_hz: Hz.
      sample_rate: Hz, a number or a scalar tensor.

    Returns:
      [batch, n_frames, n_new]: bands about as far apart as before; 0 above bandwidth_hz.
    """
    if isinstance(sample_rate, tf.Tensor):
        return _gains_at_any_rate(magnitudes, bandwidth_hz, sample_rate)
    if abs(sample_rate / 2.0 - bandwidth_hz) <= 1e-6:
        return magnitudes
    n_bands = magnitudes.shape[-1]
    ratio = sample_rate / 2.0 / bandwidth_hz
    n_new = max(2, round((n_bands - 1) * ratio) + 1)
    place = [i * (n_bands - 1) * ratio / (n_new - 1) for i in range(n_new)]
    inside = [p <= n_bands - 1 + 1e-6 for p in place]
    low = [min(int(p), n_bands - 2) for p in place]
    weight = tf.constant([p - i for p, i in zip(place, low, strict=True)], tf.float32)
    here = tf.gather(magnitudes, low, axis=2)
    after = tf.gather(magnitudes, [i + 1 for i in low], axis=2)
    gains = tf.where(inside, here + weight * (after - here), 0.0)
    return gains * math.sqrt(ratio)


def _gains_at_any_rate(magnitudes, bandwidth_hz, sample_rate):
    n_bands = magnitudes.shape[-1]
    ratio = tf.cast(sample_rate, tf.float64) / (2.0 * bandwidth_hz)
    n_new = tf.maximum(2, tf.cast(tf.round((n_bands - 1) * ratio), tf.int32) + 1)
    place = tf.cast(tf.range(n_new), tf.float64) * (n_bands - 1) * ratio
    place /= tf.cast(n_new - 1, tf.float64)
    low = tf.minimum(tf.cast(place, tf.int32), n_bands - 2)
    weight = tf.cast(place - tf.cast(low, tf.float64), tf.float32)
    here = tf.gather(magnitudes, low, axis=2)
    after = tf.gather(magnitudes, low + 1, axis=2)
    inside = place <= n_bands - 1 + 1e-6
    gains = tf.where(inside, here + weight * (after - here), 0.0)
    return gains * tf.cast(tf.sqrt(ratio), tf.float32)


VOICES = {voice.kind: voice for voice in (HarmonicVoice, NoiseVoice)}
