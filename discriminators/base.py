"""Base classes of discriminators and the output that they return."""

from typing import NamedTuple

import keras


class DiscriminatorOutput(NamedTuple):
    """Logits and feature maps, lists with one entry per scale (or view).

    Attributes:
      logits: float32 [batch] each; larger is more real.
      features: Lists of inner feature maps, one list per scale.
    """

    logits: list
    features: list


class Discriminator(keras.layers.Layer):
    """Base class of discriminators: audio and conditioning to logits and feature maps.

    Subclasses define `score`, and `front_end` where the audio is transformed before the network.
    Gradient penalties are taken with respect to the output of `front_end`.

    Attributes:
      group_size: Rows of a batch that are compared with each other; batches are multiples of it.
        0: all of them, so real and fake batches are scored one after the other.
      n_levels: Levels of a growing discriminator; 1: it does not grow.
      conditional: Whether `score` requires conditioning.
    """

    group_size = 1
    n_levels = 1
    conditional = False

    def check_length(self, n_samples):
        """Raise ValueError for a length of audio in samples that is not supported."""

    def adapt(self, audio):
        """Set constants, such as a mean and a deviation, from real audio, [n, n_samples]."""

    def front_end(self, audio):
        """Features that the network scores, a list of [batch, ...]; here the waveform itself.

        Raises:
          ValueError: for a length that is not supported.
        """
        self.check_length(audio.shape[1])
        return [audio[:, :, None]]

    def score(self, features, conditioning, held_seconds=None):
        """Score the features of `front_end`.

        Args:
          features: List of float32 [batch, ...].
          conditioning: Output of a `ConditionEncoder`, float32 [batch, n], or None.
          held_seconds: Time of each row's note-off, float32 [batch], infinite for never; None:
            unknown. Read-outs may use it.

        Returns:
          DiscriminatorOutput.
        """
        raise NotImplementedError

    def build(self, *shapes):
        """Do nothing: sublayers build themselves in the first call."""
        self.built = True

    def call(self, audio, conditioning=None, held_seconds=None):
        """Score audio, [batch, n_samples]."""
        return self.score(self.front_end(audio), conditioning, held_seconds)


class WaveformDiscriminator(Discriminator):
    """Base class of discriminators of waveforms of one length.

    Args:
      n_samples: Length of the audio in samples.
    """

    def __init__(self, n_samples, name):
        super().__init__(name=name)
        self.n_samples = n_samples

    def check_length(self, n_samples):
        """Raise ValueError unless audio has the length of this discriminator."""
        if n_samples != self.n_samples:
            kind = type(self).__name__
            raise ValueError(
                f"{kind}: got audio of {n_samples} samples, expected {self.n_samples}; set "
                f"{kind}.n_samples = {n_samples}."
            )
