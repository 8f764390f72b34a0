"""Functions of a generator that are exported: tensors with named inputs and outputs."""

from typing import NamedTuple

import tensorflow as tf

from noisygan.errors import UsageError
from noisygan.generators.growing import GrowingWaveform
from noisygan.generators.hybrid import Hybrid
from noisygan.generators.sample_gan import SampleGAN
from noisygan.generators.wavetable_voice import BUNDLED_VOICES
from synths.portable import portable_operations

_TYPES = {"pitch": tf.float32, "velocity": tf.float32, "label": tf.int32}


class Form(NamedTuple):
    """A function that is exported.

    Attributes:
      name: Name of the signature or the file: audio, controls.
      function: Maps a dict of tensors by the inputs' names to a dict of tensors.
      inputs: list of tf.TensorSpec.
    """

    name: str
    function: object
    inputs: list

    def traceable(self):
        """A `tf.function` of tensors in the order of the inputs."""
        names = [spec.name for spec in self.inputs]

        def function(*tensors):
            return self.function(dict(zip(names, tensors, strict=True)))

        return tf.function(function, input_signature=self.inputs, autograph=False)


def of_any_length(generator):
    """Forms of whole notes of any length, in TensorFlow's own operations: list of Form.

    `audio` and `controls` of a `Hybrid` with built-in voices, with inputs n_samples and, without a
    reverb, sample_rate, int32 scalars. UsageError for other voices.
    """
    check_voices(generator)
    lengths = [tf.TensorSpec([], tf.int32, "n_samples")]
    if generator.reverb is None:
        lengths.append(tf.TensorSpec([], tf.int32, "sample_rate"))

    def rate_of(given):
        return given.get("sample_rate", generator.sample_rate)

    def controls(given):
        seconds = tf.cast(given["n_samples"], tf.float64) / tf.cast(rate_of(given), tf.float64)
        return generator.get_controls(given["z"], given, seconds)

    def audio(given):
        curves, rate = controls(given), rate_of(given)
        n_frames = tf.cast(tf.shape(curves["loudness_db"])[1], tf.float64)
        covered = tf.round(n_frames * tf.cast(rate, tf.float64) / generator.frame_rate)
        covered = tf.cast(covered, tf.int32)
        sound = generator.get_signal(curves, covered, rate, _seeds(given))
        missing = tf.maximum(given["n_samples"] - covered, 0)
        return {"audio": tf.pad(sound, [[0, 0], [0, missing]])[:, : given["n_samples"]]}

    return _both(generator, audio, controls, lengths)


def of_one_length(generator, n_samples=None, sample_rate=None):
    """Forms of whole notes of a fixed length and rate, in operations of other runtimes.

    `audio`, and for a hybrid `controls`; only the batch is open. Raw-waveform generators have their
    own length and rate. UsageError for voices that are not built in, and for a rate without a whole
    number of samples per frame.
    """
    if not isinstance(generator, Hybrid):
        return [_raw_audio(generator)]
    check_voices(generator)
    hop = samples_a_frame(generator, sample_rate)
    if generator.reverb is not None and sample_rate != generator.sample_rate:
        rate = generator.sample_rate
        raise UsageError(f"sample_rate {sample_rate}: this run's reverb is exported at {rate} only")
    seconds = n_samples / sample_rate

    def audio(given):
        with portable_operations():
            controls = generator.get_controls(given["z"], given, seconds)
            n_frames = controls["loudness_db"].shape[1]
            audio = generator.get_signal(controls, n_frames * hop, sample_rate, _seeds(given))
        return {"audio": audio[:, :n_samples]}

    def controls(given):
        return generator.get_controls(given["z"], given, seconds)

    return _both(generator, audio, controls, [])


def samples_a_frame(generator, sample_rate):
    """Samples per frame of a hybrid; UsageError if this is no whole number."""
    hop = sample_rate / generator.frame_rate
    if abs(hop - round(hop)) > 1e-6:
        least = round(generator.frame_rate)
        expected = f"a multiple of {least}, such as {least * round(hop)}, or format saved_model"
        raise UsageError(f"sample_rate {sample_rate}: {hop:g} samples a frame; expected {expected}")
    return round(hop)


def check_voices(generator):
    """Raise UsageError if a hybrid has a voice that can't be exported."""
    for voice in generator.voices:
        if type(voice) not in BUNDLED_VOICES:
            known = ", ".join(v.__name__ for v in BUNDLED_VOICES)
            kind = type(voice).__name__
            raise UsageError(f"voice {voice.name} is a {kind}; only {known} can be exported")


def note_inputs(generator):
    """Inputs of a note: z, the generator's conditions, and a seed if it has noise."""
    specs = [tf.TensorSpec([None, generator.latent_dim], tf.float32, "z")]
    names = generator.condition_names
    specs += [tf.TensorSpec([None], _TYPES.get(name, tf.float32), name) for name in names]
    kinds = {voice.kind for voice in generator.voices}
    if isinstance(generator, SampleGAN) or kinds & {"noise", "transient"}:
        specs.append(tf.TensorSpec([None], tf.int32, "seed"))
    return specs


def raw_rate(generator):
    """Rate in Hz of a raw-waveform generator's samples at its current level of growth."""
    if isinstance(generator, GrowingWaveform):
        longest = generator.n_samples
        return generator.sample_rate * generator.length_of(generator.level) / longest
    return generator.sample_rate


def _raw_audio(generator):
    def audio(given):
        with portable_operations():
            if isinstance(generator, SampleGAN):
                return {"audio": generator(given["z"], given, seed=_seeds(given)).audio}
            features = None
            if generator.condition_encoder:
                features = generator.condition_encoder(given)
            z = given["z"] if features is None else tf.concat([given["z"], features], axis=1)
            return {"audio": generator.make_audio(z)}

    return Form("audio", audio, note_inputs(generator))


def _both(generator, audio, controls, lengths):
    inputs = note_inputs(generator)
    without_noise = [spec for spec in inputs if spec.name != "seed"]
    return [
        Form("audio", audio, inputs + lengths),
        Form("controls", controls, without_noise + lengths),
    ]


def _seeds(given):
    return given["seed"] if "seed" in given else tf.zeros(tf.shape(given["z"])[:1], tf.int32)
