"""Entries of Sample-GAN's classes; see `tests.contracts.cases`."""

from discriminators import ConditionEncoder
from discriminators.recurrent import RecurrentDiscriminator
from noisygan.generators.autoencoder import Autoencoder
from noisygan.generators.sample_gan import OnePass, Rollout, SampleGAN
from tests import toys
from tests.contracts.cases import BATCH, SEED, Case, numbers

N = 40


def _generator(mode, **changes):
    return lambda: SampleGAN(
        N,
        16000,
        Autoencoder(N, latent_dim=4, units=4, kernel_size=3),
        units=6,
        block=4,
        noise_channels=1,
        training_mode=mode,
        inference_mode=mode,
        **changes,
    )


ASKED = {"z": numbers(4), "seed": SEED}

CASES = {
    "Autoencoder": Case(
        make=lambda: Autoencoder(N, latent_dim=4, units=4, kernel_size=3),
        inputs={"audio": numbers(N)},
        shapes={"audio": (BATCH, N), "latent": (BATCH, 4)},
        call=lambda autoencoder, inputs: {
            "audio": autoencoder(inputs["audio"]),
            "latent": autoencoder.encode(inputs["audio"]),
        },
    ),
    "SampleGAN, rollout": Case(
        make=_generator(Rollout()),
        inputs=ASKED,
        shapes={"audio": (BATCH, N)},
        seed="seed",
    ),
    "SampleGAN, one pass, with conditions": Case(
        make=_generator(
            OnePass(), condition_encoder=ConditionEncoder(ConditionEncoder.NAMES, n_labels=3)
        ),
        inputs=toys.conditioning(velocity=(50, 100, 110), label=(0, 1, 2)) | ASKED,
        shapes={"audio": (BATCH, N)},
        seed="seed",
    ),
    "RecurrentDiscriminator": Case(
        make=lambda: RecurrentDiscriminator(N, units=6, block=4),
        inputs={"audio": numbers(N), "conditioning": numbers(7)},
        shapes={
            "logits_0": (BATCH,),
            "map_0_0": (BATCH, 10, 6),
            "map_0_1": (BATCH, 6),
        },
    ),
}
