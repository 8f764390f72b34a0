"""Half precision where it can't be heard: in the layers of the discriminator.

Sounds, phases, spectra, losses, weights and optimizers stay in float32, and so does the generator:
8 bits of a bfloat16 would be a noise of -48 dB in what it makes.
"""

import keras

from discriminators import Discriminator
from noisygan.errors import UsageError

PRECISIONS = ("float32", "bfloat16", "float16")

# Low enough that few steps are lost at the start, where penalties are strong; it grows by itself.
FIRST_SCALE = 2.0**8


def check_precision(precision, growth):
    """Raises UsageError for a precision that is none, or that does not go with a growth."""
    if precision not in PRECISIONS:
        raise UsageError(
            f"Trainer.precision: got {precision!r}, expected one of {', '.join(PRECISIONS)}"
        )
    if precision == "float16" and growth is not None:
        raise UsageError(
            "Trainer.precision: float16 scales its losses by what it has seen, which a growing "
            "network forgets at each level; expected bfloat16 or float32 beside a growth"
        )


def set_precision(discriminator, precision):
    """Makes the layers of a discriminator, not built yet, compute in a precision.

    Its views are no layers of its own and see float32; its weights are float32 in any case.
    """
    if precision == "float32":
        return
    for layer in discriminator._flatten_layers():
        if not isinstance(layer, Discriminator):
            layer.dtype_policy = f"mixed_{precision}"


def with_loss_scale(optimizer, variables, precision):
    """An optimizer that keeps float16's gradients within its range; others as they are."""
    if precision != "float16":
        return optimizer
    scaled = keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=FIRST_SCALE)
    scaled.build(variables)
    return scaled
