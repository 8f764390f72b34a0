"""Exportable stream of voices of harmonics and noise."""

import numpy as np
import tensorflow as tf

from synths import portable
from synths.filters import response_margin, taps_of_bands
from synths.harmonic_bank import cycles_within, sum_of_harmonics


class VoiceStream:
    """Stream of `Harmonic` (linear amplitudes) plus `FilteredNoise` in portable operations.

    Each call takes one frame of controls and returns hop_length samples. Every row is a voice with
    its own time: a voice whose `n_frames` is set to 0 in the state begins a new note with that
    frame, while the filter tail of the last note continues. The state is in the tensors and all
    operations are of `synths.portable`, so a graph of it can be exported:

        stream = VoiceStream(hop_length=256, sample_rate=48000, n_harmonics=64, n_bands=65)
        state = stream.initial_state(n_voices=20)
        for controls in frames:
            audio, state = stream(controls, state)

    Phases are integers, so they never drift.

    Args:
      hop_length: Samples per block.
      sample_rate: Hz, int.
      n_harmonics, n_bands: Of the controls, n_bands 2 or more.
      stretched: Whether partials are those of a string, with a control inharmonicity.

    Attributes:
      latency: Delay of the audio in samples: a block and half the response of the noise filter.
    """

    def __init__(self, hop_length, sample_rate, n_harmonics, n_bands, stretched=False):
        self.hop_length = hop_length
        self.sample_rate = sample_rate
        self.n_harmonics = n_harmonics
        self.n_bands = n_bands
        self.stretched = stretched
        self.margin = response_margin(self.n_bands)
        self.latency = self.hop_length + self.margin

    def state_specs(self):
        """Shapes and types of the state, dict of tf.TensorSpec."""
        shapes = {
            "n_frames": ([], tf.int32),
            "phase": ([self.n_harmonics if self.stretched else 1], tf.int64),
            "f0_hz": ([1], tf.float32),
            "harmonics": ([self.n_harmonics], tf.float32),
            "magnitudes": ([self.n_bands], tf.float32),
            "tail": ([2 * self.margin], tf.float32),
            "delayed": ([self.margin], tf.float32),
        }
        return {name: tf.TensorSpec([None, *s], t, name) for name, (s, t) in shapes.items()}

    def initial_state(self, n_voices):
        """State before the first block: zeros."""
        specs = self.state_specs()
        return {k: tf.zeros([n_voices, *spec.shape[1:]], spec.dtype) for k, spec in specs.items()}

    def __call__(self, controls, state):
        """Render a block.

        Args:
          controls: dict of f0_hz [batch, 1], Hz; amplitudes [batch, 1], linear;
            harmonic_distribution [batch, n_harmonics]; magnitudes [batch, n_bands], linear gains
            up to Nyquist; inharmonicity [batch, 1] of a string; seed, int32 [batch], of the noise.
          state: Of the previous block, or of `initial_state`.

        Returns:
          (audio, state): float32 [batch, hop_length], and the next state.
        """
        sounds = tf.cast(state["n_frames"] > 0, tf.float32)[:, None]
        harmonics = controls["amplitudes"] * controls["harmonic_distribution"]
        now = dict(controls)
        if self.stretched:
            now["stretch"] = portable.stretch(controls["inharmonicity"][:, 0], self.n_harmonics)
        now["harmonics"] = self._below_nyquist(harmonics, now)
        tone, phase = self._tone(now, state)
        hiss, tail = self._hiss(now, state, sounds)
        delayed = tf.concat([state["delayed"], sounds * tone], axis=1)
        kept = {name: now[name] for name in ("f0_hz", "harmonics", "magnitudes")}
        state = kept | {
            "n_frames": state["n_frames"] + 1,
            "phase": phase,
            "tail": tail,
            "delayed": delayed[:, self.hop_length :],
        }
        return delayed[:, : self.hop_length] + hiss, state

    def _below_nyquist(self, harmonics, now):
        orders = tf.range(1, self.n_harmonics + 1, dtype=tf.float32)
        partials = now["f0_hz"] * (orders + now["stretch"] if self.stretched else orders)
        return tf.where(tf.abs(partials) < 0.5 * self.sample_rate, harmonics, 0.0)

    def _tone(self, now, state):
        """Partials from the last frame to this one, and the phase here; a new note begins at 0."""
        hop, rate = self.hop_length, self.sample_rate
        fraction = np.arange(hop, dtype=np.float32) / hop
        start = portable.as_cycles(state["phase"], rate)[:, None]
        within = cycles_within(state["f0_hz"], now["f0_hz"], fraction, hop / rate)
        before, here = state["harmonics"][:, None], now["harmonics"][:, None]
        if self.stretched:
            stretch = now["stretch"]
            tone = portable.sum_of_partials(start, within, stretch, before, [here], [fraction])
            turned = portable.turned_partials(state["f0_hz"], now["f0_hz"], stretch, hop)
        else:
            tone = sum_of_harmonics(start + within, [before], [[here]], [tf.constant(fraction)])
            turned = portable.turned(state["f0_hz"], now["f0_hz"], hop)
        phase = tf.math.floormod(state["phase"] + turned, portable.turn_units(rate))
        sounds = (state["n_frames"] > 0)[:, None]
        return tone[:, 0], tf.where(sounds, phase, tf.zeros_like(phase))

    def _hiss(self, now, state, sounds):
        """Noise from the last frame to this one, and its filter tail."""
        hop = self.hop_length
        sample = (state["n_frames"] - 1)[:, None] * hop + tf.range(hop)
        noise = sounds * portable.white_noise(now["seed"], sample)
        gains = tf.stack([state["magnitudes"], now["magnitudes"]], axis=1)
        to_taps = taps_of_bands(self.n_bands)
        piece = portable.crossfaded_hops(noise[:, None], gains, to_taps)[:, 0]
        sound = tf.pad(state["tail"], [[0, 0], [0, hop]]) + piece
        return sound[:, :hop], sound[:, hop:]
