"""Block-by-block synthesis and convolution, equal to processing the whole at once.

A stream maps a block of controls and a state to the audio of the block and the next state. The
state is a dict of tensors, so a block can be computed in a `tf.function`. A block may have any
number of frames, including none, each of `hop_length` samples:

    stream = HarmonicStream(Harmonic(sample_rate=16000), hop_length=64)
    state = stream.initial_state(controls)
    for controls in blocks:
        audio, state = stream(controls, state)
    end = stream.finish(state)

Interpolation needs the next frame, so the audio is `latency` samples late. The stream without its
first `latency` samples, followed by the end, equals `get_signal` of all frames, n_frames *
hop_length samples. Phase is float64 and samples are counted in int64, so this holds for hours.
"""

import tensorflow as tf

from synths.blocks import frame_phases
from synths.filters import convolve, filter_hops, response_margin
from synths.noise import white_noise
from synths.oscillators import harmonic_synthesis
from synths.precision import as_float
from synths.shapes import check_shape


class HarmonicStream:
    """Stream of a `Harmonic`.

    Args:
      synth: A `Harmonic`; its n_samples is ignored.
      hop_length: Samples per frame.

    Attributes:
      latency: Delay of the audio in samples: one frame.

    Raises:
      ValueError: for cubic interpolation, which needs two frames ahead.
    """

    def __init__(self, synth, hop_length):
        if synth.amp_resample_method == "cubic":
            raise ValueError("HarmonicStream: cubic interpolation is not supported.")
        self.synth = synth
        self.hop_length = self.latency = hop_length

    def initial_state(self, controls):
        """State before the first block; `controls` is any block, for names and shapes."""
        silent = {name: _silent_frame(as_float(x)) for name, x in controls.items()}
        return {
            "n_frames": tf.zeros([], tf.int64),
            "phase": tf.zeros(tf.shape(silent["f0_hz"])[:1], tf.float64),
            "controls": silent,
        }

    def __call__(self, controls, state):
        """Render a block: ([batch, n_frames * hop_length], next state).

        Args:
          controls: Of `Harmonic.get_controls`, each [batch, n_frames, ...]; an inharmonicity
            [batch, 1, 1].
          state: Of the previous block, or of `initial_state`.
        """
        controls = {name: as_float(value) for name, value in controls.items()}
        frames, is_first = _behind_last(controls, state)
        frequencies = frames["f0_hz"][:, :, 0]
        n_frames = tf.shape(frequencies)[1]
        n_samples = n_frames * self.hop_length
        rate = self.synth.sample_rate
        # A silent frame of the same pitch precedes the first frame.
        a_hop_before = tf.cast(frequencies[:, 0], tf.float64) * self.hop_length / rate
        phase = state["phase"] - tf.where(is_first, a_hop_before, tf.zeros([], tf.float64))
        inharmonicity = frames.get("inharmonicity")
        audio = harmonic_synthesis(
            frequencies=frames["f0_hz"],
            amplitudes=frames["amplitudes"],
            harmonic_distribution=frames["harmonic_distribution"],
            n_samples=n_samples,
            sample_rate=rate,
            amp_resample_method=self.synth.amp_resample_method,
            initial_phase=phase,
            inharmonicity=None if inharmonicity is None else inharmonicity[:, -1:],
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
        """Remaining audio after the last frame, [batch, latency]."""
        return self(state["controls"], state)[0]


class FilteredNoiseStream:
    """Stream of a `FilteredNoise`.

    Args:
      synth: A `FilteredNoise`; its n_samples is ignored.
      hop_length: Samples per frame.
      n_bands: Number of bands.

    Attributes:
      latency: Delay of the audio in samples: one frame and half an impulse response.
    """

    def __init__(self, synth, hop_length, n_bands):
        self.synth = synth
        self.hop_length = hop_length
        self.margin = response_margin(n_bands, synth.window_size)
        self.latency = self.hop_length + self.margin

    def initial_state(self, controls, seed=None):
        """State before the first block; `seed` as in `FilteredNoise.get_signal`."""
        magnitudes = as_float(controls["magnitudes"])
        n_rows = tf.shape(magnitudes)[0]
        return {
            "n_frames": tf.zeros([], tf.int64),
            "seed": self.synth.row_seeds(n_rows, seed),
            "tail": tf.zeros([n_rows, 2 * self.margin], magnitudes.dtype),
            "controls": {"magnitudes": _silent_frame(magnitudes)},
        }

    def __call__(self, controls, state):
        """Render a block: ([batch, n_frames * hop_length], next state).

        Args:
          controls: Of `FilteredNoise.get_controls`: magnitudes, [batch, n_frames, n_bands].
          state: Of the previous block, or of `initial_state`.
        """
        controls = {"magnitudes": as_float(controls["magnitudes"])}
        frames, is_first = _behind_last(controls, state)
        n_frames = tf.shape(controls["magnitudes"])[1]
        n_samples = n_frames * self.hop_length
        noise = white_noise(state["seed"], n_samples, (state["n_frames"] - 1) * self.hop_length)
        # Silence precedes the first frame.
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
        """Remaining audio after the last frame, [batch, latency]."""
        audio, state = self(state["controls"], state)
        return tf.concat([audio, state["tail"][:, : self.margin]], axis=1)


class ConvolutionStream:
    """Stream of a convolution with a causal impulse response (reverb).

    Args:
      impulse_response: [batch or 1, n_taps]; tap 0 is the present sample. For a `Reverb`, the
        "ir" of its `get_controls`.
      add_dry: Whether the dry audio is added.

    Attributes:
      latency: 0.
    """

    latency = 0

    def __init__(self, impulse_response, add_dry=False):
        impulse_response = as_float(impulse_response)
        check_shape("impulse_response", impulse_response, "[batch, n_taps]")
        self.impulse_response = impulse_response
        self.add_dry = add_dry

    def initial_state(self, batch):
        """State before the first block."""
        n_taps = tf.shape(self.impulse_response)[1]
        return {"tail": tf.zeros([batch, n_taps - 1], self.impulse_response.dtype)}

    def __call__(self, audio, state):
        """Process a block, [batch, n_samples]: (audio of this length, next state)."""
        audio = as_float(audio)
        check_shape("audio", audio, "[batch, n_samples]")
        n_samples = tf.shape(audio)[1]
        wet = convolve(audio, tf.cast(self.impulse_response, audio.dtype))
        wet += tf.pad(tf.cast(state["tail"], audio.dtype), [[0, 0], [0, n_samples]])
        wet, tail = wet[:, :n_samples], wet[:, n_samples:]
        return audio + wet if self.add_dry else wet, {"tail": tail}

    def finish(self, state):
        """Remaining reverberation, [batch, n_taps - 1]."""
        return state["tail"]


def _silent_frame(frames):
    """One frame of zeros, also if there are no frames."""
    return tf.pad(tf.zeros_like(frames[:, :0]), [[0, 0], [0, 1], [0, 0]])


def _behind_last(controls, state):
    """Prepend the last frame of the previous block: (controls, whether there was none)."""
    is_first = state["n_frames"] == 0
    frames = {}
    for name, value in controls.items():
        last = tf.cast(state["controls"][name], value.dtype)
        # The first block may be empty.
        last = tf.where(is_first, tf.concat([value, last], axis=1)[:, :1], last)
        frames[name] = tf.concat([last, value], axis=1)
    return frames, is_first
