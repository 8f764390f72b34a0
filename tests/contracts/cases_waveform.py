"""Cases of WaveGAN and of the multi-period and multi-resolution discriminators."""

from discriminators.conditioning import ConditionEncoder
from discriminators.periods import MultiPeriodDiscriminator, PeriodDiscriminator
from discriminators.resolutions import MultiResolutionDiscriminator
from discriminators.waveform import WaveGANDiscriminator
from noisygan.generators.wavegan import NearestNeighbour, WaveGAN
from tests.contracts.cases import ASKED, JUDGED, Case, adapted

HEARD = {"audio": JUDGED["audio"][:, :1000], "conditioning": JUDGED["conditioning"]}
WITH_LATENT = {"z": ASKED["z"], "seed": ASKED["seed"]}
TOLD = WITH_LATENT | {"label": ASKED["label"]}
SMALL = {"units": 3, "latent_dim": 4, "kernel_size": 5}

CASES = {
    "WaveGAN": Case(
        make=lambda: WaveGAN(1000, **SMALL),
        inputs=WITH_LATENT,
        shapes={"audio": (3, 1000)},
    ),
    "WaveGAN by nearest neighbours, filtered and told the label": Case(
        make=lambda: WaveGAN(
            1000,
            condition_encoder=ConditionEncoder(("label",), n_labels=3),
            up=NearestNeighbour(),
            post_filter=16,
            **SMALL,
        ),
        inputs=TOLD,
        shapes={"audio": (3, 1000)},
    ),
    "WaveGANDiscriminator": Case(
        # Without phase shuffle: the shifts depend on the last bit of a rounded number.
        make=lambda: WaveGANDiscriminator(1000, units=2, kernel_size=5, shuffle=0),
        inputs=HEARD,
        shapes={
            "logits_0": (3,),
            "map_0_0": (3, 250, 2),
            "map_0_1": (3, 63, 4),
            "map_0_2": (3, 16, 8),
        },
    ),
    "PeriodDiscriminator": Case(
        make=adapted(lambda: PeriodDiscriminator(7, n_filters=(4, 6))),
        inputs=HEARD,
        shapes={"logits_0": (3,), "map_0_0": (3, 48, 7, 4), "map_0_1": (3, 48, 7, 6)},
    ),
    "MultiPeriodDiscriminator": Case(
        make=adapted(lambda: MultiPeriodDiscriminator((2, 3), n_filters=(4,))),
        inputs=HEARD,
        shapes={
            "logits_0": (3,),
            "logits_1": (3,),
            "map_0_0": (3, 500, 2, 4),
            "map_1_0": (3, 334, 3, 4),
        },
    ),
    "MultiResolutionDiscriminator": Case(
        make=adapted(lambda: MultiResolutionDiscriminator(16000, (256, 64), n_filters=(4,))),
        inputs=HEARD,
        shapes={
            "logits_0": (3,),
            "logits_1": (3,),
            "map_0_0": (3, 8, 65, 4),
            "map_1_0": (3, 32, 17, 4),
        },
        # A logit is a small sum of large numbers.
        tolerance=1e-4,
    ),
}
