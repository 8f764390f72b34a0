"""Sample-GAN that is taught what comes next neither falls silent nor becomes constant."""

import numpy as np
import pytest

from discriminators.recurrent import RecurrentDiscriminator
from noisygan.errors import UsageError
from noisygan.generators.autoencoder import Autoencoder
from noisygan.generators.sample_gan import SampleGAN
from noisygan.losses import BCE
from noisygan.losses.generator import NextBlockLoss
from noisygan.training.optimizers import Adam
from noisygan.training.pretraining import TrainAutoencoder
from noisygan.training.trainer import Trainer
from tests import toys

N, RATE = 100, 4000
TONES_HZ = (330.0, 520.0, 870.0)
STEPS = 250


def tones(hz, phase):
    """Sines, one a row, of frequencies [n] and phases [n]."""
    angle = 2.0 * np.pi * hz[:, None] * np.arange(N) / RATE
    return (0.5 * np.sin(angle + phase[:, None])).astype(np.float32)


@pytest.fixture(scope="module")
def rollouts():
    """A second from the latents of two recordings of each tone, behind a short training."""
    rng = np.random.default_rng(0)
    hz = np.repeat(TONES_HZ, 32)
    audio = tones(hz, rng.uniform(0.0, 2.0 * np.pi, len(hz)))
    notes = toys.notes(n=len(hz), n_samples=N, sample_rate=RATE, audio=audio)
    autoencoder = Autoencoder(N, latent_dim=8, units=4)
    trainer = Trainer(
        SampleGAN(N, RATE, autoencoder, units=24, block=10, read_noise_db=-30.0),
        RecurrentDiscriminator(N, units=8, block=10),
        BCE(),
        generator_losses=[NextBlockLoss(weight=20.0)],
        pretraining=[TrainAutoencoder(steps=150, learning_rate=5e-3)],
        batch_size=32,
        g_optimizer=Adam(1e-2),
        d_optimizer=Adam(1e-3),
        ema_decay=0.9,
    )
    trainer.build(notes, seed=0)
    trainer.pretraining[0](trainer, notes, 0, lambda text: None)
    batches = trainer.batches(notes, 0)
    for step in range(STEPS):
        metrics = trainer.train_step(batches, step)
    assert metrics["g_finite"] == 1.0 and metrics["d_finite"] == 1.0
    hz = np.repeat(TONES_HZ, 2)
    codes_of = tones(hz, np.linspace(0.3, 5.3, len(hz)))
    with trainer.averaged():
        return trainer.generator.like(codes_of, seconds=1.0, seed=1).audio.numpy()


def test_it_is_neither_constant_nor_silent(rollouts):
    for part in np.array_split(rollouts, 5, axis=1):
        # A sine of 0.5 has a deviation of 0.354.
        np.testing.assert_allclose(part.std(axis=1), 0.354, atol=0.15)
        assert np.abs(part.mean(axis=1)).max() < 0.05


def test_a_generator_that_says_nothing_is_refused():
    trainer = toys.trainer(generator_losses=[NextBlockLoss()])
    with pytest.raises(UsageError, match="Hybrid does not predict"):
        trainer.build(toys.notes())
