"""Sample-GAN: the autoencoder is trained first, then left alone; tiny runs are not silent."""

import numpy as np
import pytest
import tensorflow as tf

from discriminators.recurrent import RecurrentDiscriminator
from noisygan.errors import UsageError
from noisygan.generators.autoencoder import Autoencoder
from noisygan.generators.sample_gan import Rollout, SampleGAN
from noisygan.losses import BCE, Relativistic
from noisygan.losses.generator import NextBlockLoss, SpectralMatch
from noisygan.training.optimizers import Adam
from noisygan.training.pretraining import MatchSpectrum, TrainAutoencoder
from noisygan.training.trainer import Trainer
from synths.spectral import log_mel
from tests import toys

N, RATE = 100, 4000


def tones(hz, phase):
    """Sines, one a row, of frequencies [n] and phases [n]."""
    angle = 2.0 * np.pi * hz[:, None] * np.arange(N) / RATE
    return (0.5 * np.sin(angle + phase[:, None])).astype(np.float32)


def steady(hz):
    """Segments of steady tones of any phase."""
    audio = tones(hz, np.random.default_rng(0).uniform(0.0, 2.0 * np.pi, len(hz)))
    return toys.notes(n=len(hz), n_samples=N, sample_rate=RATE, audio=audio)


@pytest.fixture(scope="module")
def notes():
    return steady(np.random.default_rng(0).choice([400.0, 600.0, 900.0], 64))


def system(generator, **changes):
    autoencoder = Autoencoder(N, latent_dim=8, units=4)
    settings = {
        "generator": SampleGAN(N, RATE, autoencoder, block=10, **generator),
        "pretraining": [TrainAutoencoder(steps=150, learning_rate=5e-3)],
        "d_optimizer": Adam(1e-3),
    }
    return Trainer(**(settings | changes))


@pytest.fixture(scope="module")
def trained(notes):
    """A system behind its preparation, what it said, its first sounds, and 60 steps later."""
    trainer = system(
        {"units": 16, "training_mode": Rollout(), "noise_channels": 1},
        discriminator=RecurrentDiscriminator(N, units=16, block=10),
        adversarial=Relativistic(),
        generator_losses=[SpectralMatch(sizes=(64,), floor=1e-3)],
        batch_size=8,
        g_optimizer=Adam(3e-3),
    )
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
    latents = generator.autoencoder.encode(notes.audio(np.arange(64))).numpy()
    np.testing.assert_allclose(generator.autoencoder.mean, latents.mean(axis=0), atol=1e-4)
    drawn = tf.linalg.matvec(generator.autoencoder.factor, generator.prior(4000, 0)).numpy()
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


@pytest.fixture(scope="module")
def rollouts():
    """A second from the latents of two recordings of each tone, behind a short training."""
    hz = np.array([330.0, 520.0, 870.0])
    notes = steady(np.repeat(hz, 32))
    trainer = system(
        {"units": 24, "read_noise_db": -30.0, "noise_channels": 1},
        discriminator=RecurrentDiscriminator(N, units=8, block=10),
        adversarial=BCE(),
        generator_losses=[NextBlockLoss(weight=20.0)],
        batch_size=32,
        g_optimizer=Adam(1e-2),
        ema_decay=0.9,
    )
    trainer.build(notes, seed=0)
    trainer.pretraining[0](trainer, notes, 0, lambda text: None)
    batches = trainer.batches(notes, 0)
    for step in range(250):
        metrics = trainer.train_step(batches, step)
    assert metrics["g_finite"] == 1.0 and metrics["d_finite"] == 1.0
    with trainer.averaged():
        like = tones(np.repeat(hz, 2), np.linspace(0.3, 5.3, 6))
        return trainer.generator.like(like, seconds=1.0, seed=1).audio.numpy()


def test_a_generator_that_predicts_the_next_block_is_neither_constant_nor_silent(rollouts):
    for part in np.array_split(rollouts, 5, axis=1):
        # A sine of 0.5 has a deviation of 0.354.
        np.testing.assert_allclose(part.std(axis=1), 0.354, atol=0.15)
        assert np.abs(part.mean(axis=1)).max() < 0.05


def test_a_generator_that_predicts_nothing_is_refused():
    trainer = toys.trainer(generator_losses=[NextBlockLoss()])
    with pytest.raises(UsageError, match="Hybrid does not predict"):
        trainer.build(toys.notes())


def test_an_untrained_generator_is_brought_to_the_spectrum_of_the_data():
    notes, trainer = toys.notes(), toys.waveform_trainer(batch_size=8)
    trainer.build(notes)
    recorded = np.mean(log_mel(np.stack([notes.audio(i) for i in range(8)]), 16000), axis=0)

    def difference():
        fake = trainer.generator(trainer.generator.prior(8, 5), {}).audio
        return np.mean(np.abs(np.mean(log_mel(fake, 16000), axis=0) - recorded))

    before, said = difference(), []
    kernels = [v.numpy() for v in trainer.discriminator.trainable_variables]
    MatchSpectrum(steps=40, learning_rate=1e-2)(trainer, notes, 0, said.append)
    assert difference() < 0.8 * before
    assert trainer.step == 0 and "dB after the fit" in said[0]
    for v, kernel in zip(trainer.discriminator.trainable_variables, kernels, strict=True):
        np.testing.assert_array_equal(v, kernel)
