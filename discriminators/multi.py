"""Several discriminators combined into one."""

import math

from discriminators.base import Discriminator, DiscriminatorOutput


class MultiDiscriminator(Discriminator):
    """Several discriminators, each with its own front end, that score the same audio.

    A nested `MultiDiscriminator` is flattened.

    Args:
      discriminators: List of `Discriminator`.
    """

    def __init__(self, discriminators, name="multi_discriminator"):
        super().__init__(name=name)
        self.discriminators = [
            each
            for d in discriminators
            for each in (d.discriminators if isinstance(d, MultiDiscriminator) else [d])
        ]
        self.group_size = math.lcm(*(d.group_size for d in self.discriminators))
        self.conditional = any(d.conditional for d in self.discriminators)

    def check_length(self, n_samples):
        """Raise ValueError for a length that one of them does not support."""
        for discriminator in self.discriminators:
            discriminator.check_length(n_samples)

    def adapt(self, audio):
        """Adapt each to real audio."""
        for discriminator in self.discriminators:
            discriminator.adapt(audio)

    def front_end(self, audio):
        """Features of all, in order."""
        return [feature for d in self.discriminators for feature in d.front_end(audio)]

    def score(self, features, conditioning, held_seconds=None):
        """DiscriminatorOutput with one entry per discriminator."""
        outputs = [
            d.score([feature], conditioning, held_seconds)
            for d, feature in zip(self.discriminators, features, strict=True)
        ]
        return DiscriminatorOutput(
            [logits for output in outputs for logits in output.logits],
            [maps for output in outputs for maps in output.features],
        )
