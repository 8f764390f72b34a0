"""What every generator returns."""

from typing import NamedTuple


class GeneratorOutput(NamedTuple):
    """Sounds and the curves they were made from.

    Attributes:
      audio: float32 [batch, n_samples].
      controls: dict of tensors in physical units; empty for a raw-waveform generator.
    """

    audio: object
    controls: dict
