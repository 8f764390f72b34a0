"""Recurrent discriminator: LSTMs over the samples."""

import keras
import tensorflow as tf

from discriminators.base import DiscriminatorOutput, WaveformDiscriminator
from discriminators.conditioning import projected


class RecurrentDiscriminator(WaveformDiscriminator):
    """Two LSTM layers over the samples and a dense layer (Wisnewski).

    cuDNN's kernel has no second derivative, which gradient penalties need, so it is not used.
    Conditioning, absent in the published network, enters by projection on the last state (Miyato
    and Koyama 2018).

    Args:
      n_samples: Length of the audio.
      units: Of each LSTM layer.
      block: Samples per step, a divisor of n_samples; the published network reads one.

    Raises:
      ValueError: for a block that does not divide n_samples.
    """

    def __init__(self, n_samples=500, units=128, block=1, name="recurrent_discriminator"):
        super().__init__(n_samples, name)
        if n_samples % block:
            raise ValueError(
                f"RecurrentDiscriminator.block: got {block} for audio of {n_samples} samples, "
                f"expected a divisor of {n_samples}."
            )
        self.block = block
        self.first = _layer(units, "lstm_0", return_sequences=True)
        self.second = _layer(units, "lstm_1", return_sequences=False)
        self.decision = keras.layers.Dense(1, name="decision")
        self.projection = keras.layers.Dense(units, use_bias=False, name="projection")
        self._compiled = tf.function(self.score, autograph=False)

    def score(self, features, conditioning, held_seconds=None):
        """Score the waveform, [batch, n_samples, 1]."""
        (h,) = features
        h = tf.reshape(h, [-1, self.n_samples // self.block, self.block])
        sequence = self.first(h)
        last = self.second(sequence)
        logits = self.decision(last)[:, 0] + projected(self.projection, conditioning, last)
        return DiscriminatorOutput([logits], [[sequence, last]])

    def call(self, audio, conditioning=None, held_seconds=None):
        """Score audio, [batch, n_samples]."""
        # Compiled, since an eager loop over the samples is slow.
        score = self._compiled if tf.executing_eagerly() else self.score
        return score(self.front_end(audio), conditioning)


def _layer(units, name, return_sequences):
    return keras.layers.LSTM(
        units, return_sequences=return_sequences, use_cudnn=False, unroll=False, name=name
    )
