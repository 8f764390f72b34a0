"""Block-wise form of a hybrid for plug-in hosts, with its state as input and output."""

import tensorflow as tf

from noisygan.errors import UsageError
from noisygan.export.forms import Form, check_voices, note_inputs
from noisygan.generators.hybrid import Hybrid
from noisygan.generators.voices import gains_at_rate
from synths.voice_stream import VoiceStream

PREFIX = "state_"
NEXT = "next_"  # the outputs have names of their own: ONNX has one space of names


class Blocks:
    """Functions that render a block of a hybrid of one harmonic and one noise voice.

    Args:
      generator: A `Hybrid`; UsageError for a generator of another kind.
      block: Samples per block, which is a frame of controls.
      sample_rate: Hz, a whole number.

    Attributes:
      stream: `VoiceStream`.
    """

    def __init__(self, generator, block, sample_rate):
        if not isinstance(generator, Hybrid):
            raise UsageError("block: only hybrids have controls to stream; leave block out")
        check_voices(generator)
        kinds = sorted(voice.kind for voice in generator.voices)
        if kinds != ["harmonic", "noise"] or generator.reverb is not None:
            has = ", ".join(kinds + ["reverb"] * (generator.reverb is not None))
            expected = "expected one harmonic and one noise voice and no reverb"
            raise UsageError(f"block: this run has {has}; {expected}; leave block out")
        self.generator = generator
        self.harmonic = next(v for v in generator.voices if v.kind == "harmonic")
        self.noise = next(v for v in generator.voices if v.kind == "noise")
        gains = gains_at_rate(
            tf.zeros([1, 1, self.noise.n_bands]), self.noise.bandwidth_hz, sample_rate
        )
        self.stream = VoiceStream(
            block,
            sample_rate,
            self.harmonic.n_harmonics,
            gains.shape[-1],
            generator.is_stretched,
        )

    def forms(self):
        """Forms `play`, of a note, and `step`, of controls, each with the state."""
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
        if self.stream.stretched:
            controls.append(tf.TensorSpec([None, 1], tf.float32, "inharmonicity"))
        return [
            Form("play", self.play, [*note, off, *state]),
            Form("step", self.step, [*controls, *state]),
        ]

    def play(self, given):
        """Render the next block of notes; a note begins where the state's n_frames is 0."""
        n_frames = tf.cast(given[f"{PREFIX}n_frames"], tf.float32)
        times = n_frames[:, None] * (self.stream.hop_length / self.stream.sample_rate)
        off = given["note_off_seconds"]
        drawn = self.generator.controls_at(times, off, given["z"], given)
        own = (f"{self.harmonic.name}/", f"{self.noise.name}/")
        controls = {
            name.split("/")[1]: value[:, 0] for name, value in drawn.items() if name.startswith(own)
        }
        return self.step({**given, **controls})

    def step(self, given):
        """Render the next block of a frame of the generator's controls."""
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
