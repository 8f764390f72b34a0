"""Configs that follow a document have its numbers; ablations of them differ in one answer."""

import pytest

from noisygan import config
from noisygan.data.dataset import Recordings
from noisygan.training.trainer import Trainer


def load(name):
    config.parse([name])
    return config.configured(Trainer)(), config.configured(Recordings)()


def optimizers(trainer):
    """(learning rate, beta_1, beta_2) of both networks; one where they are the same."""
    return {
        (adam.learning_rate, adam.beta_1, adam.beta_2)
        for adam in (trainer.g_optimizer, trainer.d_optimizer)
    }


def losses(trainer):
    """The adversarial pair's name, and (name, weight, interval) of each regularizer."""
    gan = trainer.gan
    return type(gan.adversarial).__name__, [
        (type(r).__name__, r.weight, r.interval) for r in gan.regularizers
    ]


@pytest.mark.parametrize(
    ("name", "latent_dim", "grows"),
    [
        ("runs/drum_wgan.gin", 100, True),
        ("ablations/drum_wgan_z3.gin", 3, True),
        ("ablations/without_growing.gin", 100, False),
    ],
)
def test_the_conditional_drum_wgan(name, latent_dim, grows):
    trainer, recordings = load(name)
    assert optimizers(trainer) == {(2e-4, 0.5, 0.99)}
    assert losses(trainer) == ("Wasserstein", [("GradientPenalty", 10.0, 1)])
    assert (trainer.batch_size, trainer.n_critic, trainer.ema_decay) == (64, 5, 0.0)
    generator, critic = trainer.generator, trainer.discriminator
    assert (generator.n_samples, generator.sample_rate) == (16384, 44100)
    assert (generator.latent_dim, generator.embedding.units) == (latent_dim, 50)
    assert (critic.shuffle, critic.embedding.units, critic.conditional) == (2, 50, True)
    assert generator.condition_names == trainer.condition_encoder.names == ("label",)
    assert recordings.instruments == ["kick", "snare", "cymbal"]
    assert recordings.peak == 1.0
    assert 0.0 < recordings.fade_in_seconds <= recordings.fade_out_seconds < 0.01
    if not grows:
        assert not trainer.plan.grows
        return
    # Four equal shares of 50,000 steps.
    assert trainer.plan.first_steps == [0, 12_500, 25_000, 37_500]
    assert trainer.plan.stage(37_500 + 6_250).alpha == 1.0
    assert trainer.plan.stage(37_500 + 3_125).alpha == 0.5


def test_the_growing_gan():
    trainer, recordings = load("runs/growing_gan.gin")
    assert optimizers(trainer) == {(1e-3, 0.0, 0.99)}
    assert losses(trainer) == ("Wasserstein", [("GradientPenalty", 10.0, 1), ("Drift", 1e-3, 1)])
    assert (trainer.n_critic, trainer.ema_decay) == (2, 0.0)
    generator = trainer.generator
    assert (generator.n_samples, generator.sample_rate) == (262_144, 22050)
    assert (generator.latent_dim, type(generator.distribution).__name__) == (256, "Uniform")
    assert trainer.plan.batch_sizes == [16, 16, 8, 4, 8, 8, 4, 4, 4]
    # 14 epochs of 4000 pieces, then fades of 7 before 14 more.
    first = trainer.plan.first_steps
    assert first[1] * 16 == 14 * 4000
    assert (first[2] - first[1]) * 16 == 21 * 4000
    assert trainer.plan.stage(first[1] + 7 * 4000 // 16).alpha == 1.0
    assert trainer.plan.stage(first[1] + 7 * 4000 // 32).alpha == 0.5
    assert recordings.segments and recordings.n_samples == 262_144


def test_the_drum_dcgan():
    trainer, recordings = load("runs/drum_dcgan.gin")
    assert optimizers(trainer) == {(1e-4, 0.9, 0.999)}
    assert losses(trainer) == ("BCE", [])
    assert (trainer.n_critic, trainer.ema_decay) == (1, 0.0)
    generator = trainer.generator
    assert (generator.n_samples, generator.sample_rate, generator.latent_dim) == (7500, 44100, 120)
    assert type(generator.distribution).__name__ == "Normal"
    assert trainer.discriminator.dropout == 0.3
    assert recordings.peak is None and recordings.trim_db is not None


def test_sample_gan():
    trainer, recordings = load("runs/sample_gan.gin")
    generator = trainer.generator
    assert (generator.n_samples, generator.sample_rate, generator.block) == (500, 44100, 1)
    assert type(generator.in_training).__name__ == "OnePass"
    assert type(generator.inference_mode).__name__ == "Rollout"
    assert losses(trainer) == ("BCE", [])
    assert trainer.n_critic == 1
    assert [type(b).__name__ for b in trainer.pretraining] == ["TrainAutoencoder"]
    assert recordings.segments and recordings.n_samples == 500
