"""Generator of Sample-GAN: two LSTM layers that predict the next block of samples."""

import math

import keras
import tensorflow as tf

from noisygan.errors import UsageError
from noisygan.generators.autoencoder import Autoencoder
from noisygan.generators.generator import GeneratorOutput
from noisygan.generators.raw_waveform import RawWaveform, resampled
from synths.noise import white_noise


class OnePass:
    """One pass over the decoded buffer: the predictions are the audio, at most as long."""

    is_any_length = False

    def __call__(self, network, buffer, step_inputs, n_steps):
        """Generate blocks, float32 [batch, n_steps, block]; arguments as of `SampleGAN.blocks`."""
        return network.blocks(buffer[:, :n_steps], step_inputs[:, :n_steps])[0]


class Rollout:
    """Autoregressive generation of any length.

    The layers read the buffer once and keep their states, so each new block costs one step.
    """

    is_any_length = True

    def __call__(self, network, buffer, step_inputs, n_steps):
        """Generate blocks, float32 [batch, n_steps, block]; arguments as of `SampleGAN.blocks`."""
        n_read = buffer.shape[1] - 1
        _, states = network.blocks(buffer[:, :n_read], step_inputs[:, :n_read])
        following = tf.transpose(step_inputs[:, n_read : n_read + n_steps], [1, 0, 2])
        following = tf.TensorArray(
            tf.float32, n_steps, element_shape=[None, step_inputs.shape[2]], clear_after_read=False
        ).unstack(following)
        predicted = tf.TensorArray(tf.float32, n_steps, element_shape=[None, buffer.shape[2]])

        def step(i, block, states, predicted):
            block, states = network.next_block(block, following.read(i), states)
            return i + 1, block, states, predicted.write(i, block)

        start = (tf.constant(0), buffer[:, n_read], states, predicted)
        *_, predicted = tf.while_loop(
            lambda i, *_: i < n_steps, step, start, maximum_iterations=n_steps
        )
        return tf.transpose(predicted.stack(), [1, 0, 2])


class SampleGAN(RawWaveform):
    """Autoregressive generator: two LSTM layers and a dense layer (Wisnewski).

    Trained by a discriminator, as published, and optionally by teacher forcing: `predict`, for the
    loss `noisygan.losses.generator.NextBlockLoss`.

    The autoencoder decodes a latent to the initial buffer. In training, the latents are the encoded
    recordings of the batch. Otherwise they are drawn from a normal distribution fitted to the
    recordings' latents (`Autoencoder.from_normal`).

    Args:
      n_samples: Length of the segments and of the buffer.
      sample_rate: Hz, of the recordings.
      autoencoder: `Autoencoder` of as many samples; not trained here, see
        `noisygan.training.pretraining.TrainAutoencoder`. Its `latent_dim` is the size of z.
      units: Of each LSTM layer.
      block: Samples predicted per step; 1 as published.
      noise_channels: Channels of white noise among the inputs of each step; 0 as published.
      latent_every_step: Whether the latent is an input of every step. As published it is used once,
        for the initial buffer, and a long rollout forgets it.
      bounded: Whether a hyperbolic tangent bounds predictions to -1 .. 1, as published. It has
        nearly no gradient at a constant of 1. Without it training does not clip the audio;
        inference does.
      training_mode: Generation of fake examples in training: `OnePass` or `Rollout`.
      inference_mode: Generation otherwise.
      read_noise_db: Level of the white noise on the recordings in `predict`, in dB relative to
        each one's own; None: none. Predictions are then closer to the recording than the input,
        which corrects the errors of a rollout.
      condition_encoder: `ConditionEncoder`, or None as published.

    Raises:
      UsageError: for lengths that don't fit each other.
    """

    predicts = True

    def __init__(
        self,
        n_samples=500,
        sample_rate=44100,
        autoencoder=None,
        units=128,
        block=1,
        noise_channels=0,
        latent_every_step=False,
        bounded=True,
        training_mode=None,
        inference_mode=None,
        read_noise_db=None,
        condition_encoder=None,
        name="sample_gan",
    ):
        autoencoder = autoencoder or Autoencoder(n_samples)
        super().__init__(
            n_samples, sample_rate, autoencoder.latent_dim, None, condition_encoder, name
        )
        self.n_buffer = blocks_in(n_samples, block, "SampleGAN")
        self.block = block
        self.noise_channels = noise_channels
        self.latent_every_step = latent_every_step
        self.read_noise_db = read_noise_db
        self.training_mode = training_mode or OnePass()
        self.inference_mode = inference_mode or Rollout()
        self.autoencoder = autoencoder
        self.layers = [recurrent_layer(units, f"lstm_{i}") for i in range(2)]
        self.output_layer = keras.layers.Dense(
            block, activation="tanh" if bounded else None, name="output"
        )
        self._compiled = tf.function(self.from_latent, autograph=False)

    @property
    def is_any_length(self):
        """True if audio can be longer than a segment."""
        return self.inference_mode.is_any_length

    def build(self, *shapes):
        """Create the variables of the autoencoder."""
        self.built = True
        self.autoencoder.build()

    def blocks(self, buffer, step_inputs):
        """Predict the next block at each step of a buffer, from zero states.

        Args:
          buffer: float32 [batch, n_steps, block].
          step_inputs: Noise, latent and encoded conditions of each step, float32
            [batch, n_steps, m].

        Returns:
          (the block predicted at each step, as buffer; the states after the last one).
        """
        h = tf.concat([buffer, step_inputs], axis=2)
        states = []
        for layer in self.layers:
            h, *state = layer(h)
            states.append(state)
        return self.output_layer(h), states

    def next_block(self, block, step_inputs, states):
        """Predict the next block [batch, block] and update the states."""
        h = tf.concat([block, step_inputs], axis=1)
        after = []
        for layer, state in zip(self.layers, states, strict=True):
            h, state = layer.cell(h, state)
            after.append(list(state))
        return self.output_layer(h), after

    def from_latent(self, latent, features, seed, n_samples, mode):
        """Generate audio from latents.

        Args:
          latent: float32 [batch, latent_dim].
          features: Encoded conditions, float32 [batch, m], or None.
          seed: Of the noise, int or int32 [batch].
          n_samples: Length.
          mode: `OnePass` or `Rollout`.

        Returns:
          float32 [batch, n_samples].
        """
        buffer = self._in_blocks(self.autoencoder.decode(latent))
        n_steps = -(-n_samples // self.block)
        step_inputs = self._step_inputs(latent, features, seed, self.n_buffer + n_steps)
        predicted = mode(self, buffer, step_inputs, n_steps)
        return tf.reshape(predicted, [-1, n_steps * self.block])[:, :n_samples]

    def predict(self, audio, conditioning, seed):
        """Predict the next block at each place of real examples (teacher forcing).

        Args:
          audio: Recordings, float32 [batch, n_samples].
          conditioning: dict with what `condition_names` names.
          seed: Of the noise, int or int32 [batch].

        Returns:
          (target, prediction), float32 [batch, n_samples - block] each: the recordings
          behind their first block.
        """
        features = self.encode_conditions(conditioning)
        step_inputs = self._step_inputs(
            self.autoencoder.encode(audio), features, seed, self.n_buffer
        )
        if self.read_noise_db is None:
            read = audio
        else:
            # Independent of the noise among the step inputs.
            first = self.n_buffer * self.noise_channels
            noise = white_noise(self._seeds(seed, audio), self.n_samples, first)
            # The noise's own power is 1/3.
            power = 3.0 * tf.reduce_mean(audio**2, axis=1, keepdims=True)
            read = audio + 10.0 ** (self.read_noise_db / 20.0) * tf.sqrt(power) * noise
        predicted, _ = self.blocks(self._in_blocks(read)[:, :-1], step_inputs[:, :-1])
        following = audio[:, self.block :]
        return following, tf.reshape(predicted, tf.shape(following))

    def _in_blocks(self, audio):
        return tf.reshape(audio, [-1, self.n_buffer, self.block])

    @staticmethod
    def _seeds(seed, rows):
        return tf.broadcast_to(tf.cast(seed, tf.int32), [tf.shape(rows)[0]])

    def _step_inputs(self, latent, features, seed, n_steps):
        """Noise, latent and encoded conditions of each step, [batch, n_steps, m]."""
        n_rows = tf.shape(latent)[0]
        seed = self._seeds(seed, latent)
        noise = white_noise(seed, n_steps * self.noise_channels)
        step_inputs = tf.reshape(noise, [n_rows, n_steps, self.noise_channels])
        constants = [] if features is None else [features]
        if self.latent_every_step:
            # Standardized.
            mean, factor = self.autoencoder.mean, self.autoencoder.factor
            standard = (latent - mean) / tf.norm(factor, axis=1)
            constants = [standard, *constants]
        if constants:
            constants = tf.repeat(tf.concat(constants, axis=1)[:, None], n_steps, axis=1)
            step_inputs = tf.concat([step_inputs, constants], axis=2)
        return step_inputs

    def make_audio(self, latent):
        """Not supported: use `from_latent`, which also takes a seed."""
        raise NotImplementedError

    def call(self, z, conditioning, seconds=None, sample_rate=None, seed=0, training=False):
        """Generate audio, with a noise seed and, by a rollout, at any length.

        Args:
          z: float32 [batch, latent_dim]; ignored where latents of real examples are used.
          conditioning: dict with what `condition_names` names; `audio`, float32 [batch, n_samples],
            gives the latents in training.
          seconds: Length; unlimited for a rollout.
          sample_rate: As of `RawWaveform.call`.
          seed: Of the noise, int or int32 [batch].
          training: Whether the audio is a fake example for the discriminator.

        Returns:
          GeneratorOutput without controls.

        Raises:
          UsageError: for more seconds than a segment where `inference_mode` makes no more.
        """
        if training and "audio" in conditioning:
            latent = self.autoencoder.encode(conditioning["audio"])
        else:
            latent = self.autoencoder.from_normal(z)
        features = self.encode_conditions(conditioning)
        if training:
            audio = self.from_latent(latent, features, seed, self.n_samples, self.training_mode)
            return GeneratorOutput(audio, {})
        return GeneratorOutput(self._rendered(latent, features, seed, seconds, sample_rate), {})

    def like(self, audio, conditioning=None, seconds=None, sample_rate=None, seed=0):
        """Generate audio from the latents of recordings.

        Args:
          audio: float32 [batch, n_samples], at the network's rate.
          (others): As of a call.

        Returns:
          GeneratorOutput without controls.
        """
        latent = self.autoencoder.encode(audio)
        features = self.encode_conditions(conditioning)
        return GeneratorOutput(self._rendered(latent, features, seed, seconds, sample_rate), {})

    def _rendered(self, latent, features, seed, seconds, sample_rate):
        wanted = self.sample_rate if sample_rate is None else sample_rate
        seconds = self.seconds if seconds is None else seconds
        self.check_seconds(seconds, wanted)
        n_samples = round(seconds * wanted)
        same_rate = wanted == self.sample_rate
        n_made = n_samples if same_rate else math.ceil(seconds * self.sample_rate)
        # Compiled, since an eager while_loop runs in Python.
        make = self._compiled if tf.executing_eagerly() else self.from_latent
        audio = make(latent, features, seed, n_made, self.inference_mode)
        audio = tf.clip_by_value(audio, -1.0, 1.0)
        if not same_rate:
            audio = resampled(audio, self.sample_rate, wanted, n_samples)
        return audio


def recurrent_layer(units, name):
    """LSTM layer that returns its sequence and states, without cuDNN.

    cuDNN's kernel has no second derivative, which gradient penalties need.
    """
    return keras.layers.LSTM(
        units,
        return_sequences=True,
        return_state=True,
        use_cudnn=False,
        unroll=False,
        name=name,
    )


def blocks_in(n_samples, block, name):
    """Number of blocks in a segment, 2 or more; UsageError where they don't fill it."""
    if block < 1 or n_samples % block or n_samples // block < 2:
        fit = [n for n in range(1, n_samples // 2 + 1) if n_samples % n == 0]
        near = sorted(fit, key=lambda n: abs(n - block))[:4]
        raise UsageError(
            f"{name}.block: got {block} for segments of {n_samples} samples, expected one that "
            f"divides them into two or more, such as {', '.join(map(str, sorted(near)))}."
        )
    return n_samples // block
