"""The autoencoder is trained before the adversaries, then left alone; a tiny run is not silent."""

import numpy as np
import pytest
import tensorflow as tf

from discriminators.recurrent import RecurrentDiscriminator
from noisygan.errors import UsageError
from noisygan.generators.autoencoder import Autoencoder
from noisygan.generators.sample_gan import Rollout, SampleGAN
from noisygan.losses import Relativistic
from noisygan.losses.generator import SpectralMatch
from noisygan.training.optimizers import Adam
from noisygan.training.pretraining import TrainAutoencoder
from noisygan.training.trainer import Trainer
from tests import toys

N, RATE = 100, 4000


@pytest.fixture(scope="module")
def notes():
    """Segments of steady tones of any phase."""
    rng = np.random.default_rng(0)
    hz = rng.choice([400.0, 600.0, 900.0], [64, 1])
    phase = rng.uniform(0.0, 2.0 * np.pi, [64, 1])
    audio = 0.5 * np.sin(2.0 * np.pi * hz * np.arange(N) / RATE + phase)
    return toys.notes(n=64, n_samples=N, sample_rate=RATE, audio=audio.astype(np.float32))


def system():
    autoencoder = Autoencoder(N, latent_dim=8, units=4)
    return Trainer(
        SampleGAN(N, RATE, autoencoder, units=16, block=10, training_mode=Rollout()),
        RecurrentDiscriminator(N, units=16, block=10),
        Relativistic(),
        generator_losses=[SpectralMatch(sizes=(64,), floor=1e-3)],
        pretraining=[TrainAutoencoder(steps=150, learning_rate=5e-3)],
        batch_size=8,
        g_optimizer=Adam(3e-3),
        d_optimizer=Adam(1e-3),
    )


@pytest.fixture(scope="module")
def trained(notes):
    """A system behind its preparation, what it said, its first sounds, and 60 steps later."""
    trainer = system()
    trainer.build(notes, seed=0)
    said = []
    trainer.pretraining[0](trainer, notes, 0, said.append)
    frozen = [v.numpy() for v in trainer.generator.autoencoder.weights]
    batches = trainer.batches(notes, 0)
    for step in range(60):
        metrics = trainer.train_step(batches, step)
    return trainer, said, frozen, metrics


def test_the_error_is_told(trained):
    _, said, *_ = trained
    assert said[0] == "autoencoder: 150 steps before the adversaries begin"
    assert float(said[1].split()[4]) < -3.0


def test_the_codes_distribution_is_that_of_the_recordings(trained, notes):
    generator = trained[0].generator
    latents = generator.autoencoder.encode(np.stack([notes.audio(i) for i in range(64)])).numpy()
    np.testing.assert_allclose(generator.latent_mean, latents.mean(axis=0), atol=1e-4)
    drawn = tf.linalg.matvec(generator.latent_factor, generator.prior(4000, 0)).numpy()
    np.testing.assert_allclose(drawn.std(axis=0), latents.std(axis=0), rtol=0.1, atol=0.01)


def test_the_adversaries_leave_the_autoencoder_as_it_is(trained):
    trainer, _, frozen, _ = trained
    for variable, before in zip(trainer.generator.autoencoder.weights, frozen, strict=True):
        np.testing.assert_array_equal(variable.numpy(), before)
    names = [v.path for v in trainer.g_phase.variables]
    assert not [name for name in names if "autoencoder" in name]


def test_a_tiny_training_is_neither_silent_nor_constant(trained):
    """The document's own model fell to a constant as soon as its seed had left the buffer."""
    trainer, *_, metrics = trained
    assert metrics["g_finite"] == 1.0 and metrics["d_finite"] == 1.0
    with trainer.averaged():
        z = trainer.generator.prior(4, 7)
        audio = trainer.generator(z, {}, seconds=10 * N / RATE, seed=1).audio.numpy()
    for part in np.split(audio, 5, axis=1):
        deviation = part.std(axis=1)
        assert deviation.min() > 0.02
        assert np.abs(np.diff(part, axis=1)).mean(axis=1).min() > 0.005
    assert np.abs(audio).max() <= 1.0


def test_a_generator_without_an_autoencoder_is_refused(notes):
    trainer = toys.trainer()
    with pytest.raises(UsageError, match="Hybrid has no autoencoder; expected SampleGAN"):
        TrainAutoencoder(steps=1)(trainer, notes, 0, print)
