"""Sample-GAN's generator: two LSTM layers that predict the next block of samples."""

import math

import keras
import tensorflow as tf

from noisygan.errors import UsageError
from noisygan.generators.autoencoder import Autoencoder
from noisygan.generators.generator import GeneratorOutput
from noisygan.generators.raw_waveform import RawWaveform, resampled
from synths.noise import white_noise


class OnePass:
    """One pass of the layers along the buffer: their predictions are the audio.

    As long as the buffer and no longer.
    """

    goes_on = False

    def __call__(self, network, buffer, beside, n_steps):
        """Blocks float32 [batch, n_steps, block]; see `SampleGAN.blocks` for the arguments."""
        return network.blocks(buffer[:, :n_steps], beside[:, :n_steps])[0]


class Rollout:
    """Autoregressive generation: each block is predicted from the ones before; any length.

    The layers read the buffer once. Behind it they go on from the state they are in, instead of
    reading the last n samples over again for each new one: a step costs one step and not n.
    """

    goes_on = True

    def __call__(self, network, buffer, beside, n_steps):
        """Blocks float32 [batch, n_steps, block]; see `SampleGAN.blocks` for the arguments."""
        n_read = buffer.shape[1] - 1
        _, states = network.blocks(buffer[:, :n_read], beside[:, :n_read])
        coming = tf.transpose(beside[:, n_read : n_read + n_steps], [1, 0, 2])
        coming = tf.TensorArray(
            tf.float32, n_steps, element_shape=[None, beside.shape[2]], clear_after_read=False
        ).unstack(coming)
        said = tf.TensorArray(tf.float32, n_steps, element_shape=[None, buffer.shape[2]])

        def step(i, block, states, said):
            block, states = network.next_block(block, coming.read(i), states)
            return i + 1, block, states, said.write(i, block)

        start = (tf.constant(0), buffer[:, n_read], states, said)
        *_, said = tf.while_loop(lambda i, *_: i < n_steps, step, start, maximum_iterations=n_steps)
        return tf.transpose(said.stack(), [1, 0, 2])


class SampleGAN(RawWaveform):
    """Two LSTM layers and a dense one, begun with a segment's latent (Wisnewski).

    It learns from a discriminator, as published, and optionally by teacher forcing: `predict`, for
    the loss `noisygan.losses.generator.NextBlockLoss`.

    The latent is decoded into the buffer of the last n samples. In training, latents are those of
    recordings where a batch brings any; else they are drawn from a normal distribution with the
    moments of the recordings' latents (`set_latent_distribution`), of which z is the standard form.

    Args:
      n_samples: Length of the segments and of the buffer.
      sample_rate: Hz, of the recordings.
      autoencoder: `Autoencoder` of as many samples; not trained here, see
        `noisygan.training.pretraining.TrainAutoencoder`. Its latent's size is z's.
      units: Of each LSTM layer.
      block: Samples that are said at once; the published one says one.
      noise_channels: Fresh random numbers beside each block that is read.
      latent_every_step: Whether the latent is an input of every step. As published it is used once,
        for the initial buffer, and a long rollout forgets it.
      bounded: Whether a hyperbolic tangent bounds predictions to -1 .. 1, as published. It has
        nearly no gradient at a constant of 1. Without it a discriminator hears what is beyond, and
        in use that is cut off.
      in_training: How a discriminator's sounds are made: `OnePass` or `Rollout`.
      inference_mode: How others are made.
      read_noise_db: Level of the white noise on recordings that `predict` reads, relative to each
        one's own; None: none. Predictions are then nearer to a recording than what was read, so
        that a rollout, which reads what it has said, comes back to where it has strayed from.
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
        noise_channels=1,
        latent_every_step=False,
        bounded=True,
        in_training=None,
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
        self.in_training = in_training or OnePass()
        self.inference_mode = inference_mode or Rollout()
        autoencoder.trainable = False
        self.autoencoder = autoencoder
        self.layers = [recurrent_layer(units, f"lstm_{i}") for i in range(2)]
        self.say = keras.layers.Dense(block, activation="tanh" if bounded else None, name="say")
        self._compiled = tf.function(self.from_latent)

    @property
    def is_any_length(self):
        """True if it makes more than a segment."""
        return self.inference_mode.goes_on

    def build(self, *shapes):
        """Makes the autoencoder's variables and those of the latents' distribution."""
        self.built = True
        self.autoencoder.build()
        self.latent_mean = self.add_weight(
            name="latent_mean", shape=[self.latent_dim], initializer="zeros", trainable=False
        )
        self.latent_factor = self.add_weight(
            name="latent_factor",
            shape=[self.latent_dim, self.latent_dim],
            initializer="identity",
            trainable=False,
        )

    def set_latent_distribution(self, mean, factor):
        """Sets the latents' distribution: mean [latent_dim], Cholesky factor, lower triangle."""
        self.latent_mean.assign(mean)
        self.latent_factor.assign(factor)

    def blocks(self, buffer, beside):
        """The layers along a buffer, from a state of zeros.

        Args:
          buffer: float32 [batch, n_steps, block].
          beside: What is read with each block, noise, latent and conditions, float32
            [batch, n_steps, m].

        Returns:
          (the block said at each step, as buffer; the states after the last one).
        """
        h = tf.concat([buffer, beside], axis=2)
        states = []
        for layer in self.layers:
            h, *state = layer(h)
            states.append(state)
        return self.say(h), states

    def next_block(self, block, beside, states):
        """One step: the next block [batch, block] and the states, from those before it."""
        h = tf.concat([block, beside], axis=1)
        after = []
        for layer, state in zip(self.layers, states, strict=True):
            h, state = layer.cell(h, state)
            after.append(list(state))
        return self.say(h), after

    def from_latent(self, latent, features, seed, n_samples, mode):
        """Sounds of latents.

        Args:
          latent: float32 [batch, latent_dim].
          features: Of the conditions, float32 [batch, m], or None.
          seed: Of the noise, int or int32 [batch].
          n_samples: Length.
          mode: `OnePass` or `Rollout`.

        Returns:
          float32 [batch, n_samples].
        """
        buffer = self._in_blocks(self.autoencoder.decode(latent))
        n_steps = -(-n_samples // self.block)
        beside = self._beside(latent, features, seed, self.n_buffer + n_steps)
        said = mode(self, buffer, beside, n_steps)
        return tf.reshape(said, [-1, n_steps * self.block])[:, :n_samples]

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
        beside = self._beside(self.autoencoder.encode(audio), features, seed, self.n_buffer)
        if self.read_noise_db is None:
            read = audio
        else:
            # Behind the noise that is beside the blocks.
            first = self.n_buffer * self.noise_channels
            noise = white_noise(self._seeds(seed, audio), self.n_samples, first)
            # The noise's own power is 1/3.
            power = 3.0 * tf.reduce_mean(audio**2, axis=1, keepdims=True)
            read = audio + 10.0 ** (self.read_noise_db / 20.0) * tf.sqrt(power) * noise
        said, _ = self.blocks(self._in_blocks(read)[:, :-1], beside[:, :-1])
        coming = audio[:, self.block :]
        return coming, tf.reshape(said, tf.shape(coming))

    def _in_blocks(self, audio):
        return tf.reshape(audio, [-1, self.n_buffer, self.block])

    @staticmethod
    def _seeds(seed, rows):
        return tf.broadcast_to(tf.cast(seed, tf.int32), [tf.shape(rows)[0]])

    def _beside(self, latent, features, seed, n_beside):
        """Inputs beside each block: noise, latent and conditions."""
        n_rows = tf.shape(latent)[0]
        seed = self._seeds(seed, latent)
        noise = white_noise(seed, n_beside * self.noise_channels)
        beside = tf.reshape(noise, [n_rows, n_beside, self.noise_channels])
        told = [] if features is None else [features]
        if self.latent_every_step:
            # As wide as the noise is.
            told = [(latent - self.latent_mean) / tf.norm(self.latent_factor, axis=1), *told]
        if told:
            told = tf.repeat(tf.concat(told, axis=1)[:, None], n_beside, axis=1)
            beside = tf.concat([beside, told], axis=2)
        return beside

    def make_audio(self, latent):
        """Not used: a sound is made of a latent and a seed, see `from_latent`."""
        raise NotImplementedError

    def call(self, z, conditioning, seconds=None, sample_rate=None, seed=0, training=False):
        """Sounds; as `RawWaveform.call`, but for the seed, for lengths and for recordings.

        Args:
          z: float32 [batch, latent_dim]; ignored where latents of real examples are used.
          conditioning: dict with what `condition_names` names; `audio`, float32 [batch, n_samples],
            gives the latents in training.
          seconds: Length; a rollout goes on for as long as it is asked to.
          sample_rate: As of `RawWaveform.call`.
          seed: Of the noise, int or int32 [batch].
          training: Whether a discriminator is going to judge.

        Returns:
          GeneratorOutput without controls.

        Raises:
          UsageError: for more seconds than a segment where `inference_mode` makes no more.
        """
        if training and "audio" in conditioning:
            latent = self.autoencoder.encode(conditioning["audio"])
        else:
            latent = self.latent_mean + tf.linalg.matvec(self.latent_factor, z)
        features = self.encode_conditions(conditioning)
        if training:
            audio = self.from_latent(latent, features, seed, self.n_samples, self.in_training)
            return GeneratorOutput(audio, {})
        return GeneratorOutput(self._rendered(latent, features, seed, seconds, sample_rate), {})

    def like(self, audio, conditioning=None, seconds=None, sample_rate=None, seed=0):
        """Sounds that begin with the latents of given ones.

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
        # A compiled one: a loop of the runtime, not one of Python.
        make = self._compiled if tf.executing_eagerly() else self.from_latent
        audio = make(latent, features, seed, n_made, self.inference_mode)
        audio = tf.clip_by_value(audio, -1.0, 1.0)
        if not same_rate:
            audio = resampled(audio, self.sample_rate, wanted, n_samples)
        return audio


def recurrent_layer(units, name):
    """An LSTM layer that returns its sequence and states: the plain kernel, of any order.

    cuDNN's has no second derivative, which penalties on a discriminator's gradient need.
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
