"""What every discriminator returns."""

from typing import NamedTuple


class DiscriminatorOutput(NamedTuple):
    """One entry a scale (or view) in each list.

    Attributes:
      logits: float32 [batch] each; larger is more real.
      features: Lists of inner feature maps, one list a scale.
    """

    logits: list
    features: list
