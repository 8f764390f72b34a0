"""What discriminators share that grow level by level."""

import keras
import tensorflow as tf

from discriminators.output import DiscriminatorOutput


class GrowingDiscriminator(keras.layers.Layer):
    """Judges sounds of any of its levels; the level follows from a sound's length.

    A level's first map is a blend: `alpha` of what its new layers make and the rest of what the
    level below makes of the sound's means. Subclasses define `from_audio(level, maps)`,
    `block(level, h, features)` and `decide(h, features)`, and hold each layer with the channels
    that go in in `layers_in`.

    Args:
      n_samples: Length of the longest sounds.
      n_levels: How many.
      factor: How many times longer a level's sound is than the one below.

    Attributes:
      level: Set by whoever trains; the sounds' length decides.
      alpha: The present blend, a weight that is not trained, 0 to 1.
    """

    def __init__(self, n_samples, n_levels, factor, name):
        super().__init__(name=name)
        self.n_samples = n_samples
        self.n_levels = n_levels
        self.factor = factor
        self.level = n_levels - 1
        self.alpha = self.add_weight(shape=[], initializer="ones", trainable=False, name="alpha")
        self.layers_in = []

    def adapt(self, audio):
        """Nothing: the waveform is judged as it is."""

    def represent(self, audio):
        """The waveform, [batch, n_samples of a level, 1], as a list of one."""
        return [audio[:, :, None]]

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
                f"audio: got {n_samples} samples, expected those of a level: "
                f"{', '.join(map(str, lengths))}."
            )
        return lengths.index(n_samples)

    def told(self, audio, conditioning):
        """What is judged beside the sound: [batch, n_samples, channels]."""
        return audio

    def judge(self, maps, conditioning):
        """DiscriminatorOutput for maps of `represent` and features of `Conditions` (or None)."""
        (audio,) = maps
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
        logits = tf.cast(self.decide(h, features), tf.float32)
        return DiscriminatorOutput([logits], [features])

    def call(self, audio, conditioning=None):
        """Judges audio, [batch, n_samples of a level]."""
        return self.judge(self.represent(audio), conditioning)
