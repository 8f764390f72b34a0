"""Mixed precision of the discriminator's layers.

Audio, phases, spectra, losses, weights and optimizers stay in float32, and so does the generator:
the 8 bits of a bfloat16 would be noise at -48 dB in its audio.
"""

from discriminators import Discriminator
from noisygan.errors import UsageError

PRECISIONS = ("float32", "bfloat16", "float16")


def set_precision(discriminator, precision, grows):
    """Set the precision of a discriminator's layers before they are built.

    Its front ends see float32, and its weights are float32 in any case.

    Raises:
      UsageError: for another precision, and for float16 if the network grows, which resets the
        optimizers and thereby their loss scale.
    """
    allowed = PRECISIONS[:2] if grows else PRECISIONS
    if precision not in allowed:
        raise UsageError(
            f"Trainer.precision: got {precision!r}{' with a growth' if grows else ''}, expected "
            f"one of {', '.join(allowed)}"
        )
    if precision != "float32":
        for layer in discriminator._flatten_layers():
            if not isinstance(layer, Discriminator):
                layer.dtype_policy = f"mixed_{precision}"
