"""A discriminator that reads the waveform sample by sample."""

import keras
import tensorflow as tf

from discriminators.conditioning import projected
from discriminators.output import DiscriminatorOutput
from discriminators.raw_waveform import RawWaveformDiscriminator


class RecurrentDiscriminator(RawWaveformDiscriminator):
    """Two LSTM layers along the sound and a dense one behind them (Wisnewski).

    The plain recurrent kernel is used: cuDNN's has no second derivative, which penalties on the
    gradient need. Conditions, of which the published network has none, enter by projection on the
    last state (Miyato and Koyama 2018).

    Args:
      n_samples: Length of the sounds.
      units: Of each LSTM layer.
      block: Samples that are read at once; the published one reads one.

    Raises:
      ValueError: for blocks that do not fill the sounds; when called, for sounds of another
        length.
    """

    def __init__(self, n_samples=500, units=128, block=1, name="recurrent_discriminator"):
        super().__init__(n_samples, name)
        if block < 1 or n_samples % block:
            raise ValueError(
                f"RecurrentDiscriminator.block: got {block} for sounds of {n_samples} samples, "
                f"expected a divisor of {n_samples}."
            )
        self.block = block
        self.first = _layer(units, "lstm_0", return_sequences=True)
        self.second = _layer(units, "lstm_1", return_sequences=False)
        self.decision = keras.layers.Dense(1, name="decision")
        self.projection = keras.layers.Dense(units, use_bias=False, name="projection")
        self._compiled = tf.function(self.score)

    def score(self, features, conditioning):
        """DiscriminatorOutput of the `front_end` features; conditioning: encoded, or None."""
        (h,) = features
        h = tf.reshape(h, [-1, self.n_samples // self.block, self.block])
        sequence = self.first(h)
        last = self.second(sequence)
        logits = self.decision(last)[:, 0] + projected(self.projection, conditioning, last)
        return DiscriminatorOutput([logits], [[sequence, last]])

    def call(self, audio, conditioning=None):
        """Judges audio, [batch, n_samples]."""
        # A compiled one: a loop of the runtime over the samples, not one of Python.
        score = self._compiled if tf.executing_eagerly() else self.score
        return score(self.front_end(audio), conditioning)


def _layer(units, name, return_sequences):
    return keras.layers.LSTM(
        units, return_sequences=return_sequences, use_cudnn=False, unroll=False, name=name
    )
