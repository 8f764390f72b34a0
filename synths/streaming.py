"""Synths and convolution block by block, equal to the whole at once.

A stream is called with a block of controls and a state, and returns the block's sound and the next
state. The state is a dict of tensors, so a block can be computed in a `tf.function`. Blocks may
have any number of frames (also none), each of which gives `hop_length` samples:

    stream = HarmonicStream(Harmonic(sample_rate=16000), hop_length=64)
    state = stream.initial_state(controls)
    for controls in blocks:
        audio, state = stream(controls, state)
    end = stream.finish(state)

Controls are interpolated, so a frame sounds when the next one is known: the sound comes `latency`
samples late. What was streamed, without the first `latency` samples, and the end are the sound that
`get_signal` makes of all frames at once, n_frames * hop_length samples. Phase is kept in float64
and wrapped, and samples are counted in int64, so that holds for hours.
"""

import tensorflow as tf

from synths.errors import check_rank, whole
from synths.filters import convolve, filter_hops, response_margin
from synths.harmonic_bank import frame_phases
from synths.noise import white_noise
from synths.oscillators import harmonic_synthesis
from synths.partials import get_harmonic_frequencies
from synths.precision import as_float


class HarmonicStream:
    """A `Harmonic` block by block.

    Args:
      synth: A `Harmonic`; its n_samples play no part.
      hop_length: Samples from frame to frame.

    Attributes:
      latency: Samples by which the sound comes late: one frame.

    Raises:
      ValueError: if the synth's amplitudes are cubic, which need two frames ahead.
    """

    def __init__(self, synth, hop_length):
        if synth.amp_resample_method == "cubic":
            raise ValueError('HarmonicStream: got a synth of "cubic" amplitudes, expected others.')
        self.synth = synth
        self.hop_length = self.latency = whole("hop_length", hop_length, 1)

    def initial_state(self, controls):
        """The state before the first block.

        Args:
          controls: A block of controls, of which only names and shapes matter.
        """
        silent = {name: _silent_frame(x) for name, x in _equal(controls).items()}
        return {
            "n_frames": tf.zeros([], tf.int64),
            "phase": tf.zeros(tf.shape(self._frequencies(silent)[:, 0]), tf.float64),
            "controls": silent,
        }

    def __call__(self, controls, state):
        """The sound of a block.

        Args:
          controls: Of `Harmonic.get_controls`, each [batch, n_frames, ...].
          state: Of the block before, or of `initial_state`.

        Returns:
          (audio, state): [batch, n_frames * hop_length], and the next block's.
        """
        controls = _equal(controls)
        frames, is_first = _behind_last(controls, state)
        frequencies = self._frequencies(frames)
        n_frames = tf.shape(frequencies)[1]
        n_samples = n_frames * self.hop_length
        rate = self.synth.sample_rate
        # Before the first frame there is a silent one of the same pitch.
        a_hop_before = tf.cast(frequencies[:, 0], tf.float64) * self.hop_length / rate
        phase = state["phase"] - tf.where(is_first, a_hop_before, tf.zeros([], tf.float64))
        audio = harmonic_synthesis(
            frequencies=frames["f0_hz"],
            amplitudes=frames["amplitudes"],
            harmonic_distribution=frames["harmonic_distribution"],
            n_samples=n_samples,
            sample_rate=rate,
            amp_resample_method=self.synth.amp_resample_method,
            initial_phase=phase,
            inharmonicity=frames.get("inharmonicity"),
        )
        last_phase = frame_phases(frequencies, phase, n_samples, rate)[:, -1]
        n_samples -= self.hop_length
        begin = tf.where(is_first, tf.minimum(self.hop_length, n_samples), 0)
        audio = tf.pad(audio[:, begin:n_samples], [[0, 0], [begin, 0]])
        state = {
            "n_frames": state["n_frames"] + tf.cast(n_frames - 1, tf.int64),
            "phase": last_phase,
            "controls": {name: x[:, -1:] for name, x in frames.items()},
        }
        return audio, state

    def finish(self, state):
        """The sound that is left when no frame follows, [batch, latency]."""
        return self(state["controls"], state)[0]

    def _frequencies(self, controls):
        """[batch, n_frames] of harmonics, [batch, n_frames, n_harmonics] of a stiff string."""
        if "inharmonicity" not in controls:
            return as_float(controls["f0_hz"])[:, :, 0]
        n_harmonics = tf.shape(controls["harmonic_distribution"])[2]
        f0_hz = tf.cast(controls["f0_hz"], tf.float64)
        return get_harmonic_frequencies(f0_hz, n_harmonics, controls["inharmonicity"])


class FilteredNoiseStream:
    """A `FilteredNoise` block by block.

    Args:
      synth: A `FilteredNoise`; its n_samples play no part.
      hop_length: Samples from frame to frame.
      n_bands: Number of bands.

    Attributes:
      latency: Samples by which the sound comes late: one frame and half an impulse response.
    """

    def __init__(self, synth, hop_length, n_bands):
        self.synth = synth
        self.hop_length = whole("hop_length", hop_length, 1)
        self.margin = response_margin(whole("n_bands", n_bands, 2), synth.window_size)
        self.latency = self.hop_length + self.margin

    def initial_state(self, controls, seed=None):
        """The state before the first block.

        Args:
          controls: A block of controls, of which only names and shapes matter.
          seed: As in `FilteredNoise.get_signal`.
        """
        magnitudes = as_float(controls["magnitudes"])
        n_rows = tf.shape(magnitudes)[0]
        return {
            "n_frames": tf.zeros([], tf.int64),
            "seed": self.synth.row_seeds(n_rows, seed),
            "tail": tf.zeros([n_rows, 2 * self.margin], magnitudes.dtype),
            "controls": {"magnitudes": _silent_frame(magnitudes)},
        }

    def __call__(self, controls, state):
        """The sound of a block.

        Args:
          controls: Of `FilteredNoise.get_controls`: magnitudes, [batch, n_frames, n_bands].
          state: Of the block before, or of `initial_state`.

        Returns:
          (audio, state): [batch, n_frames * hop_length], and the next block's.
        """
        controls = {"magnitudes": as_float(controls["magnitudes"])}
        frames, is_first = _behind_last(controls, state)
        n_frames = tf.shape(controls["magnitudes"])[1]
        n_samples = n_frames * self.hop_length
        noise = white_noise(state["seed"], n_samples, (state["n_frames"] - 1) * self.hop_length)
        # Before the first frame there is nothing.
        begin = tf.where(is_first, tf.minimum(self.hop_length, n_samples), 0)
        noise = tf.cast(noise, frames["magnitudes"].dtype)
        noise = tf.pad(noise[:, begin:], [[0, 0], [begin, 0]])
        sound = filter_hops(
            noise,
            frames["magnitudes"],
            self.hop_length,
            tf.maximum(n_frames, 1),
            self.synth.window_size,
            -self.margin,
            n_samples + 2 * self.margin,
        )
        sound += tf.pad(state["tail"], [[0, 0], [0, n_samples]])
        state = state | {
            "n_frames": state["n_frames"] + tf.cast(n_frames, tf.int64),
            "tail": sound[:, n_samples:],
            "controls": {"magnitudes": frames["magnitudes"][:, -1:]},
        }
        return sound[:, :n_samples], state

    def finish(self, state):
        """The sound that is left when no frame follows, [batch, latency]."""
        audio, state = self(state["controls"], state)
        return tf.concat([audio, state["tail"][:, : self.margin]], axis=1)


class ConvolutionStream:
    """Convolution with a causal impulse response, block by block: a reverb.

    Args:
      impulse_response: [batch or 1, n_taps]; tap 0 is the present sample. For a `Reverb`, what
        its `get_controls` returns as "ir".
      add_dry: Whether the dry sound is added.

    Attributes:
      latency: 0.
    """

    latency = 0

    def __init__(self, impulse_response, add_dry=False):
        impulse_response = as_float(impulse_response)
        check_rank("impulse_response", impulse_response, 2, "[batch, n_taps]")
        self.impulse_response = impulse_response
        self.add_dry = add_dry

    def initial_state(self, batch):
        """The state before the first block, of a batch of this size."""
        n_taps = tf.shape(self.impulse_response)[1]
        return {"tail": tf.zeros([batch, n_taps - 1], self.impulse_response.dtype)}

    def __call__(self, audio, state):
        """The sound of a block.

        Args:
          audio: [batch, n_samples], any number of samples.
          state: Of the block before, or of `initial_state`.

        Returns:
          (audio, state): [batch, n_samples], and the next block's.
        """
        audio = as_float(audio)
        check_rank("audio", audio, 2, "[batch, n_samples]")
        n_samples = tf.shape(audio)[1]
        wet = convolve(audio, tf.cast(self.impulse_response, audio.dtype))
        wet += tf.pad(tf.cast(state["tail"], audio.dtype), [[0, 0], [0, n_samples]])
        wet, tail = wet[:, :n_samples], wet[:, n_samples:]
        return audio + wet if self.add_dry else wet, {"tail": tail}

    def finish(self, state):
        """What rings on when no sound follows, [batch, n_taps - 1]."""
        return state["tail"]


def _equal(controls):
    """Controls as float tensors of equally many frames: one frame of a stiffness serves all."""
    controls = {name: as_float(value) for name, value in controls.items()}
    if "inharmonicity" in controls:
        shape = tf.shape(controls["f0_hz"])
        controls["inharmonicity"] = tf.broadcast_to(controls["inharmonicity"], shape)
    return controls


def _silent_frame(frames):
    """A frame of zeros of the same shape, also where there is no frame."""
    return tf.pad(tf.zeros_like(frames[:, :0]), [[0, 0], [0, 1], [0, 0]])


def _behind_last(controls, state):
    """(controls behind the last frame of the block before, whether there was none)."""
    is_first = state["n_frames"] == 0
    frames = {}
    for name, value in controls.items():
        last = tf.cast(state["controls"][name], value.dtype)
        # An empty block may come first.
        last = tf.where(is_first, tf.concat([value, last], axis=1)[:, :1], last)
        frames[name] = tf.concat([last, value], axis=1)
    return frames, is_first
