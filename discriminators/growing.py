"""Base class of discriminators that grow level by level."""

import tensorflow as tf

from discriminators.base import DiscriminatorOutput, WaveformDiscriminator


class GrowingDiscriminator(WaveformDiscriminator):
    """Base class of growing discriminators; the level follows from the length of the audio.

    The second map of the top level is a blend: `alpha` times the output of the new layers, plus
    `1 - alpha` times the first map that the level below has of the averaged audio. Subclasses
    define `from_audio(level, x)`, `block(level, h, maps)` and `decide(h, maps, conditioning)`, and
    set `layers_in`.

    Args:
      n_samples: Length of the audio at the highest level.
      n_levels: Number of levels.
      factor: Ratio of the lengths of neighbouring levels.

    Attributes:
      alpha: Blend, 0 to 1, a weight that is not trainable. The training loop sets it.
      layers_in: Pairs of a layer and its number of input channels.
    """

    def __init__(self, n_samples, n_levels, factor, name):
        super().__init__(n_samples, name)
        self.n_levels = n_levels
        self.factor = factor
        self.alpha = self.add_weight(shape=[], initializer="ones", trainable=False, name="alpha")
        self.layers_in = []

    def build(self, *shapes):
        """Create the variables of all levels."""
        for layer, n_channels in self.layers_in:
            if not layer.built:
                layer.build((None, None, n_channels))
        self.built = True

    def check_length(self, n_samples):
        """Raise ValueError unless a level has this length."""
        self.level_of(n_samples)

    def level_of(self, n_samples):
        """Level of audio with this length.

        Raises:
          ValueError: if no level has it.
        """
        lengths = [
            self.n_samples // self.factor ** (self.n_levels - 1 - i) for i in range(self.n_levels)
        ]
        if n_samples not in lengths:
            raise ValueError(
                f"{type(self).__name__}: got audio of {n_samples} samples, expected the length of "
                f"a level: {', '.join(map(str, lengths))}."
            )
        return lengths.index(n_samples)

    def concat_conditions(self, audio, conditioning):
        """Input of the first layer, [batch, n_samples, channels]; here the audio alone."""
        return audio

    def score(self, features, conditioning, held_seconds=None):
        """Score the waveform, [batch, n_samples, 1] of any level."""
        (audio,) = features
        if not self.built:
            self.build()
        top = self.level_of(audio.shape[1])
        x = self.concat_conditions(audio, conditioning)
        h, maps = self.from_audio(top, x), []
        for level in range(top, -1, -1):
            h = self.block(level, h, maps)
            if level == top and top > 0:
                means = tf.nn.avg_pool1d(x, self.factor, self.factor, "VALID")
                lower = self.from_audio(top - 1, means)
                alpha = tf.cast(self.alpha, h.dtype)
                h = alpha * h + (1.0 - alpha) * lower
        logits = tf.cast(self.decide(h, maps, conditioning), tf.float32)
        return DiscriminatorOutput([logits], [maps])
