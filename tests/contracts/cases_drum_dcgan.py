"""Cases of the drum DCGAN."""

from discriminators.drum_dcgan import DrumDCGANDiscriminator
from noisygan.generators.drum_dcgan import DrumDCGAN, PublishedDrumDCGAN
from tests.contracts.cases import ASKED, JUDGED, Case, numbers

WITH_LATENT = {"z": numbers(4), "seed": ASKED["seed"]}
HEARD = {"audio": JUDGED["audio"][:, :700], "conditioning": JUDGED["conditioning"]}


def discriminator():
    # Without dropout: what is dropped depends on the last bit of a rounded number.
    return DrumDCGANDiscriminator(700, (4, 6), (4, 1), (1, 2), dropout=0.0)


CASES = {
    "PublishedDrumDCGAN": Case(
        make=lambda: PublishedDrumDCGAN(76, latent_dim=4),
        inputs=WITH_LATENT,
        shapes={"audio": (3, 76)},
    ),
    "DrumDCGAN": Case(
        make=lambda: DrumDCGAN(
            700, latent_dim=4, seed_channels=4, filters=(4, 3, 3, 2), dilations=(3, 5, 9, 17, 1)
        ),
        inputs=WITH_LATENT,
        shapes={"audio": (3, 700)},
    ),
    "DrumDCGANDiscriminator": Case(
        make=discriminator,
        inputs=HEARD,
        shapes={
            "logits_0": (3,),
            "map_0_0": (3, 169, 4),
            "map_0_1": (3, 121, 6),
        },
    ),
}
