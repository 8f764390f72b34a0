"""Cases of growing networks in the middle of a fade, in which all layers are active."""

import tensorflow as tf

from discriminators import ConditionEncoder
from discriminators.drum_wgan import DrumWGANDiscriminator
from discriminators.equalized import EqualizedConv1D, EqualizedDense
from discriminators.growing_gan import GrowingGANDiscriminator
from noisygan.generators.drum_wgan import DrumWGAN
from noisygan.generators.growing_gan import GrowingGAN
from tests.contracts.cases import ASKED, JUDGED, Case, numbers

WITH_LATENT = {"z": ASKED["z"], "seed": ASKED["seed"]}


def half(make):
    """Wrap a constructor to set alpha to 0.5."""

    def made():
        network = make()
        network.alpha.assign(0.5)
        return network

    return made


def apply(layer, inputs):
    return {"output": layer(inputs["h"])}


CASES = {
    "DrumWGAN": Case(
        make=half(
            lambda: DrumWGAN(
                n_samples=1024,
                sample_rate=16000,
                units=3,
                latent_dim=4,
                condition_encoder=ConditionEncoder(("label",), n_labels=3),
                embedding_dim=5,
            )
        ),
        inputs=WITH_LATENT | {"label": ASKED["label"]},
        shapes={"audio": (3, 1024)},
    ),
    "DrumWGANDiscriminator": Case(
        # Without shuffle: the shift depends on the last bit of rounded numbers.
        make=half(lambda: DrumWGANDiscriminator(1024, units=3, embedding_dim=5, shuffle=0)),
        inputs={
            "audio": JUDGED["audio"][:, :1024],
            "conditioning": tf.eye(3) + 0.1 * numbers(3),
        },
        shapes={
            "logits_0": (3,),
            "map_0_0": (3, 256, 3),
            "map_0_1": (3, 64, 6),
            "map_0_2": (3, 16, 12),
        },
    ),
    "GrowingGAN": Case(
        make=half(
            lambda: GrowingGAN(
                sample_rate=16000, filters=(4, 3), n_seed=64, latent_dim=4, kernel_size=5
            )
        ),
        inputs=WITH_LATENT,
        shapes={"audio": (3, 128)},
        tolerance=1e-4,
    ),
    "GrowingGANDiscriminator": Case(
        # Each sound for itself: in a group a row depends on the others.
        make=half(lambda: GrowingGANDiscriminator((4, 3), 64, kernel_size=5, group_size=1)),
        inputs={"audio": JUDGED["audio"][:, :128], "conditioning": JUDGED["conditioning"]},
        shapes={
            "logits_0": (3,),
            "map_0_0": (3, 128, 3),
            "map_0_1": (3, 128, 4),
            "map_0_2": (3, 64, 4),
            "map_0_3": (3, 64, 4),
        },
        tolerance=1e-4,
    ),
    "EqualizedConv1D": Case(
        make=lambda: EqualizedConv1D(4, 5, repeats=2),
        inputs={"h": numbers(8, 3)},
        shapes={"output": (3, 16, 4)},
        call=apply,
    ),
    "EqualizedDense": Case(
        make=lambda: EqualizedDense(4),
        inputs={"h": numbers(6)},
        shapes={"output": (3, 4)},
        call=apply,
    ),
}
