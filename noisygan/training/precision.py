"""Mixed precision of the networks' layers.

Audio, phases, spectra, losses, weights and optimizers stay in float32. A generator stays in float32
by default: the 8 bits of a bfloat16 are noise at -48 dB in its audio.
"""

from discriminators import Discriminator
from noisygan.errors import UsageError

PRECISIONS = ("float32", "bfloat16", "float16")


def set_precision(network, precision, grows, name="precision"):
    """Set the precision of a network's layers before they are built.

    A discriminator's front ends see float32, and weights are float32 in any case.

    Raises:
      UsageError: for another precision, and for float16 if the network grows, which resets the
        optimizers and thereby their loss scale.
    """
    allowed = PRECISIONS[:2] if grows else PRECISIONS
    if precision not in allowed:
        raise UsageError(
            f"Trainer.{name}: got {precision!r}{' with a growth' if grows else ''}, expected "
            f"one of {', '.join(allowed)}"
        )
    if precision != "float32":
        for layer in network._flatten_layers(include_self=False):
            if not isinstance(layer, Discriminator):
                layer.dtype_policy = f"mixed_{precision}"
