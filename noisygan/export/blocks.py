"""Block-wise form of a hybrid for plug-in hosts, with its state as input and output."""

import tensorflow as tf

from noisygan.errors import UsageError
from noisygan.export.forms import Form, check_voices, note_inputs
from noisygan.generators.hybrid import Hybrid
from noisygan.generators.voices import gains_at_rate
from synths.portable import portable_operations
from synths.voice_stream import VoiceStream

PREFIX = "state_"
BURST = "transient_"
NEXT = "next_"  # the outputs have names of their own: ONNX has one space of names

_KINDS = ["harmonic", "noise", "transient"]


class Blocks:
    """Functions that render a block of a hybrid of one harmonic and one noise voice.

    A transient voice may be there too.

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
        if kinds not in (_KINDS[:2], _KINDS) or generator.reverb is not None:
            has = ", ".join(kinds + ["reverb"] * (generator.reverb is not None))
            expected = "expected one harmonic, one noise and at most one transient voice, no reverb"
            raise UsageError(f"block: this run has {has}; {expected}; leave block out")
        self.generator = generator
        voices = {voice.kind: voice for voice in generator.voices}
        self.harmonic, self.noise = voices["harmonic"], voices["noise"]
        self.transient = voices.get("transient")
        self.starts = [(voices[kind], BURST if kind == "transient" else "") for kind in kinds]
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
        if self.transient is not None:
            n_bands = self.transient.bands.units
            controls.append(tf.TensorSpec([None, n_bands], tf.float32, f"{BURST}magnitudes"))
            controls.append(tf.TensorSpec([None, 1], tf.float32, f"{BURST}decay_seconds"))
        if self.stream.stretched:
            controls.append(tf.TensorSpec([None, 1], tf.float32, "inharmonicity"))
        return [
            Form("play", self.play, [*note, off, *state]),
            Form("step", self.step, [*controls, *state]),
        ]

    def play(self, given):
        """Render the next block of notes; a note begins where the state's n_frames is 0."""
        n_frames = tf.cast(given[f"{PREFIX}n_frames"], tf.float32)
        now = n_frames[:, None] * (self.stream.hop_length / self.stream.sample_rate)
        # Transients are those of the onset.
        times = now if self.transient is None else tf.concat([tf.zeros_like(now), now], axis=1)
        drawn = self.generator.controls_at(times, given["note_off_seconds"], given["z"], given)
        controls = {}
        for voice, start in self.starts:
            for name, value in drawn.items():
                if name.startswith(f"{voice.name}/"):
                    own = name.split("/")[1]
                    controls[start + own] = value if voice is self.transient else value[:, -1]
        return self.step({**given, **controls})

    def step(self, given):
        """Render the next block of a frame of the generator's controls."""
        rate, hop = self.stream.sample_rate, self.stream.hop_length
        gains = gains_at_rate(given["magnitudes"][:, None], self.noise.bandwidth_hz, rate)
        state = {
            name.removeprefix(PREFIX): value
            for name, value in given.items()
            if name.startswith(PREFIX)
        }
        audio, after = self.stream({**given, "magnitudes": gains[:, 0]}, state)
        if self.transient is not None:
            first = state["n_frames"] * hop - self.stream.latency
            own = {name: given[f"{BURST}{name}"] for name in ("magnitudes", "decay_seconds")}
            settings = self.transient.settings
            with portable_operations():
                audio += self.transient.render_block(
                    own, first, hop, rate, given["seed"], **settings
                )
        return {"audio": audio, **{f"{NEXT}{name}": value for name, value in after.items()}}
