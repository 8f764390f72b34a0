"""The block-wise form of a hybrid, for plug-in hosts: state in, state out."""

import tensorflow as tf

from noisygan.errors import UsageError
from noisygan.export.forms import Form, check_voices, note_inputs
from noisygan.generators.hybrid import Hybrid
from noisygan.generators.voices import gains_at_rate
from synths.voice_stream import VoiceStream

PREFIX = "state_"
NEXT = "next_"  # the outputs have names of their own: ONNX has one space of names


class Blocks:
    """A hybrid of one harmonic and one noise voice as functions of a block.

    Args:
      generator: A `Hybrid`.
      block: Samples of a block; a frame of controls a block.
      sample_rate: Hz, a whole number.

    Attributes:
      stream: The `VoiceStream` that sounds.

    Raises:
      UsageError: for a generator of another kind.
    """

    def __init__(self, generator, block, sample_rate):
        if not isinstance(generator, Hybrid):
            raise UsageError(
                "--block: this run's generator writes whole waveforms; only hybrids have controls "
                "to stream, leave --block out"
            )
        check_voices(generator)
        kinds = sorted(voice.kind for voice in generator.voices)
        if kinds != ["harmonic", "noise"] or generator.reverb is not None:
            has = ", ".join(kinds + ["reverb"] * (generator.reverb is not None))
            raise UsageError(
                f"--block: this run has {has}; expected one harmonic and one noise voice and no "
                "reverb; leave --block out"
            )
        self.generator = generator
        self.harmonic = next(v for v in generator.voices if v.kind == "harmonic")
        self.noise = next(v for v in generator.voices if v.kind == "noise")
        # As many bands as the rate needs.
        gains = gains_at_rate(
            tf.zeros([1, 1, self.noise.n_bands]), self.noise.bandwidth_hz, sample_rate
        )
        self.stream = VoiceStream(block, sample_rate, self.harmonic.n_harmonics, gains.shape[-1])

    def forms(self):
        """list of Form: `play`, of a note, and `step`, of controls; each with the state."""
        state = [
            tf.TensorSpec(spec.shape, spec.dtype, PREFIX + name)
            for name, spec in self.stream.state_specs().items()
        ]
        note = note_inputs(self.generator)
        off = tf.TensorSpec([None], tf.float32, "note_off_seconds")
        controls = [
            tf.TensorSpec([None, 1], tf.float32, "f0_hz"),
            tf.TensorSpec([None, 1], tf.float32, "amplitudes"),
            tf.TensorSpec([None, self.harmonic.n_harmonics], tf.float32, "harmonic_distribution"),
            tf.TensorSpec([None, self.noise.n_bands], tf.float32, "magnitudes"),
            tf.TensorSpec([None], tf.int32, "seed"),
        ]
        return [
            Form("play", self.play, [*note, off, *state]),
            Form("step", self.step, [*controls, *state]),
        ]

    def play(self, given):
        """The next block of notes; where the state's n_frames is 0 a note begins."""
        n_frames = tf.cast(given[f"{PREFIX}n_frames"], tf.float32)
        times = n_frames[:, None] * (self.stream.hop_length / self.stream.sample_rate)
        off = given["note_off_seconds"]
        drawn = self.generator.controls_at(times, off, given["z"], given)
        controls = {"seed": given["seed"]}
        for voice in (self.harmonic, self.noise):
            start = f"{voice.name}/"
            for name, value in drawn.items():
                if name.startswith(start):
                    controls[name.removeprefix(start)] = value[:, 0]
        return self.step({**given, **controls})

    def step(self, given):
        """The next block of controls, each frame as the generator draws them."""
        gains = gains_at_rate(
            given["magnitudes"][:, None], self.noise.bandwidth_hz, self.stream.sample_rate
        )
        state = {
            name.removeprefix(PREFIX): value
            for name, value in given.items()
            if name.startswith(PREFIX)
        }
        audio, state = self.stream({**given, "magnitudes": gains[:, 0]}, state)
        return {"audio": audio, **{f"{NEXT}{name}": value for name, value in state.items()}}
