"""Several discriminators as one."""

import keras

from discriminators.output import DiscriminatorOutput


class MultiDiscriminator(keras.layers.Layer):
    """Asks several discriminators, each with a view of its own; one logit from each.

    A `MultiDiscriminator` among them stands for those that it consists of.
    """

    def __init__(self, discriminators, name="multi_discriminator"):
        super().__init__(name=name)
        self.discriminators = [
            each for d in discriminators for each in getattr(d, "discriminators", [d])
        ]

    def adapt(self, audio):
        """Adapts each."""
        for discriminator in self.discriminators:
            discriminator.adapt(audio)

    def front_end(self, audio):
        """The maps of all, in order."""
        return [m for d in self.discriminators for m in d.front_end(audio)]

    def score(self, features, conditioning):
        """DiscriminatorOutput with one entry a discriminator."""
        outputs = [
            d.score([m], conditioning) for d, m in zip(self.discriminators, features, strict=True)
        ]
        return DiscriminatorOutput(
            [logits for o in outputs for logits in o.logits],
            [features for o in outputs for features in o.features],
        )

    def build(self, *shapes):
        """Nothing: the parts make their variables when they are first called."""
        self.built = True

    def call(self, audio, conditioning=None):
        """Judges audio, [batch, n_samples]."""
        return self.score(self.front_end(audio), conditioning)
