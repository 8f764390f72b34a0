"""What discriminators share that grow level by level."""

import tensorflow as tf

from discriminators.output import DiscriminatorOutput
from discriminators.raw_waveform import RawWaveformDiscriminator


class GrowingDiscriminator(RawWaveformDiscriminator):
    """Judges sounds of any of its levels; the level follows from a sound's length.

    A level's first map is a blend: `alpha` of what its new layers make and the rest of what the
    level below makes of the sound's means. Subclasses define `from_audio(level, maps)`,
    `block(level, h, features)` and `decide(h, features, conditioning)`, and hold each layer with
    the channels that go in in `layers_in`.

    Args:
      n_samples: Length of the longest sounds.
      n_levels: How many.
      factor: How many times longer a level's sound is than the one below.

    Attributes:
      alpha: The present blend, a weight that is not trained, 0 to 1. Set by whoever trains.
    """

    def __init__(self, n_samples, n_levels, factor, name):
        super().__init__(n_samples, name)
        self.n_levels = n_levels
        self.factor = factor
        self.alpha = self.add_weight(shape=[], initializer="ones", trainable=False, name="alpha")
        self.layers_in = []

    def build(self, *shapes):
        """Makes the variables of every level."""
        for layer, n_channels in self.layers_in:
            if not layer.built:
                layer.build((None, None, n_channels))
        self.built = True

    def level_of(self, n_samples):
        """The level that judges sounds of so many samples.

        Raises:
          ValueError: for a length that is none's.
        """
        lengths = [
            self.n_samples // self.factor ** (self.n_levels - 1 - i) for i in range(self.n_levels)
        ]
        if n_samples not in lengths:
            raise ValueError(
                f"{type(self).__name__}: got sounds of {n_samples} samples, expected those of a "
                f"level: {', '.join(map(str, lengths))}."
            )
        return lengths.index(n_samples)

    def check_length(self, n_samples):
        """Raises ValueError unless sounds of so many samples are those of a level."""
        self.level_of(n_samples)

    def told(self, audio, conditioning):
        """What is judged beside the sound: [batch, n_samples, channels]."""
        return audio

    def score(self, features, conditioning):
        """DiscriminatorOutput of the `front_end` features; conditioning: encoded, or None."""
        (audio,) = features
        if not self.built:
            self.build()
        top = self.level_of(audio.shape[1])
        x = self.told(audio, conditioning)
        h, features = self.from_audio(top, x), []
        for level in range(top, -1, -1):
            h = self.block(level, h, features)
            if level == top and top > 0:
                means = tf.nn.avg_pool1d(x, self.factor, self.factor, "VALID")
                lower = self.from_audio(top - 1, means)
                alpha = tf.cast(self.alpha, h.dtype)
                h = alpha * h + (1.0 - alpha) * lower
        logits = tf.cast(self.decide(h, features, conditioning), tf.float32)
        return DiscriminatorOutput([logits], [features])
