"""Configs that follow a paper have its numbers; ablations of them differ in one answer."""

import numpy as np
import pytest
import tensorflow as tf

from noisygan import config
from noisygan.data.dataset import Recordings
from noisygan.generators.drum_dcgan import PublishedDrumDCGAN
from noisygan.training.trainer import Trainer


def load(name, *overrides):
    config.parse([name], overrides)
    found = config.configured(Trainer)(), config.configured(Recordings)()
    config.check_all_used()
    return found


PENALTY = ("GradientPenalty", 10.0, 1)
ADAM = {
    "drum_wgan": (2e-4, 0.5, 0.99),
    "growing_gan": (1e-3, 0.0, 0.99),
    "drum_dcgan": (1e-4, 0.9, 0.999),
}


@pytest.mark.parametrize(
    ("name", "loss", "regularizers", "n_critic", "n_samples", "sample_rate", "latent_dim"),
    [
        ("runs/drum_wgan.gin", "Wasserstein", [PENALTY], 5, 16384, 44100, 100),
        *(
            ("runs/growing_gan.gin", "Wasserstein", [PENALTY, ("Drift", 1e-3, 1)], 2, n, 22050, 256)
            for n in (262_144,)
        ),
        ("runs/drum_dcgan.gin", "BCE", [], 1, 7500, 44100, 120),
        ("runs/sample_gan.gin", "BCE", [], 1, 500, 44100, None),
    ],
)
def test_losses_optimizers_and_sizes(
    name, loss, regularizers, n_critic, n_samples, sample_rate, latent_dim
):
    trainer, recordings = load(name)
    gan, generator = trainer.gan, trainer.generator
    assert type(gan.adversarial).__name__ == loss
    found = [(type(r).__name__, r.weight, r.interval) for r in gan.regularizers]
    assert found == regularizers
    assert trainer.n_critic == n_critic
    assert (generator.n_samples, generator.sample_rate) == (n_samples, sample_rate)
    assert (recordings.n_samples or n_samples) == n_samples
    assert latent_dim is None or generator.latent_dim == latent_dim
    assert trainer.ema_decay == 0.0
    adam = next((value for part, value in ADAM.items() if part in name), None)
    if adam:
        for each in (trainer.g_optimizer, trainer.d_optimizer):
            assert (each.learning_rate, each.beta_1, each.beta_2) == adam


def n_trained(network):
    return sum(int(np.prod(v.shape)) for v in network.trainable_variables)


def test_the_published_noisygan():
    trainer, _ = load("runs/noisygan_paper.gin")
    assert (trainer.batch_size, trainer.ema_decay) == (32, 0.0)
    audio = tf.random.normal([2, 64_000])
    trainer.discriminator.adapt(audio)
    ((last_map,),) = [maps[-1:] for maps in trainer.discriminator(audio).features]
    assert last_map.shape == (2, 125, 4, 128)
    # Three convolutions and the decision, directly after the flattened map.
    assert n_trained(trainer.discriminator) == 320 + 18_496 + 73_856 + 125 * 4 * 128 + 1
    z_curves = trainer.generator.timbre_curves
    frames, latent = tf.range(1000) / 250, tf.zeros([1, 16])
    assert z_curves(tf.cast(frames, tf.float32), None, latent).shape == (1, 1000, 8)
    n_points = z_curves.n_seed
    for layer in z_curves.stack:
        n_points *= layer.strides[0]
    assert n_points == 1000


def test_curves_by_deconvolution_have_about_as_many_weights():
    generator = load("ablations/noisygan_paper_deconvolution.gin")[0].generator
    cppn = load("runs/noisygan_paper.gin")[0].generator.f0_curve
    times, note_off, latent = tf.linspace(0.0, 4.0, 5), tf.zeros([1]), tf.zeros([1, 16])
    for curve in (generator.f0_curve, generator.loudness_curve, cppn):
        assert curve(times, note_off, latent).shape == (1, 5, 1)
    assert n_trained(generator.f0_curve) == n_trained(generator.loudness_curve) == 3937
    assert n_trained(cppn) == 3594


def test_the_conditional_drum_wgan():
    trainer, recordings = load("runs/drum_wgan.gin")
    generator, critic = trainer.generator, trainer.discriminator
    assert trainer.batch_size == 64
    assert (generator.embedding.units, critic.embedding.units, critic.shuffle) == (50, 50, 2)
    assert generator.condition_names == trainer.condition_encoder.names == ("label",)
    assert recordings.instruments == ["kick", "snare", "cymbal"]
    assert recordings.peak == 1.0
    assert 0.0 < recordings.fade_in_seconds <= recordings.fade_out_seconds < 0.01
    # Four equal shares of 50,000 steps.
    assert trainer.plan.first_steps == [0, 12_500, 25_000, 37_500]
    assert trainer.plan.stage(37_500 + 6_250).alpha == 1.0
    assert trainer.plan.stage(37_500 + 3_125).alpha == 0.5


@pytest.mark.parametrize(
    ("name", "latent_dim", "grows"),
    [("drum_wgan_z3", 3, True), ("drum_wgan_z100", 100, True), ("without_growing", 16, False)],
)
def test_variants_of_the_drum_wgan(name, latent_dim, grows):
    trainer, _ = load(f"ablations/{name}.gin")
    plain, _ = load("runs/drum_wgan_small.gin")
    assert (trainer.generator.latent_dim, trainer.plan.grows) == (latent_dim, grows)
    assert trainer.generator.n_samples == plain.generator.n_samples == 16384
    assert (trainer.batch_size, trainer.n_critic) == (plain.batch_size, plain.n_critic)


def test_the_growing_gan():
    trainer, recordings = load("runs/growing_gan.gin")
    assert type(trainer.generator.distribution).__name__ == "Uniform"
    assert trainer.plan.batch_sizes == [16, 16, 8, 4, 8, 8, 4, 4, 4]
    # Epochs of 7288 segments: a fade, then the level alone. The text has no more than seven levels.
    first = np.array(trainer.plan.first_steps)
    epochs = np.diff(first) * trainer.plan.batch_sizes[:-1] / 7288
    np.testing.assert_allclose(epochs, [14, 21, 21, 21, 18, 15, 7, 7], atol=2e-3)
    for level, fade in enumerate([7, 7, 7, 6, 5, 3, 3, 3], 1):
        half = first[level] + fade * 7288 // (2 * trainer.plan.batch_sizes[level])
        assert trainer.plan.stage(half).level == level
        assert trainer.plan.stage(half).alpha == pytest.approx(0.5, abs=1e-3)
    assert recordings.segments
    assert trainer.discriminator.group_size == 0
    # The drift, the second regularizer, applies in the last two levels.
    active = [trainer.active_regularizers(0, level) for level in range(9)]
    assert active == [(0,)] * 7 + [(0, 1)] * 2


def test_sample_gan():
    trainer, recordings = load("runs/sample_gan.gin")
    generator = trainer.generator
    assert generator.block == 1 and generator.noise_channels == 0 and recordings.segments
    assert type(generator.training_mode).__name__ == "OnePass"
    assert type(generator.inference_mode).__name__ == "Rollout"
    assert [type(b).__name__ for b in trainer.pretraining] == ["TrainAutoencoder"]


@pytest.mark.parametrize("kind", ["causal", "dilated", "causal_dilated"])
@pytest.mark.parametrize("networks", ["", "_generator", "_discriminator"])
def test_variants_of_the_drum_dcgan(kind, networks):
    trainer, _ = load(f"ablations/drum_dcgan_{kind}{networks}.gin")
    plain, _ = load("runs/drum_dcgan_clean.gin")
    for network, dilation in (("generator", 17), ("discriminator", 8)):
        varied = networks in ("", f"_{network}")
        for each, kinds in ((trainer, kind if varied else ""), (plain, "")):
            layers = getattr(each, network).convolutions
            assert {layer.padding == "causal" for layer in layers} == {"causal" in kinds}
            found = max(layer.dilation_rate[0] for layer in layers)
            assert found == (dilation if "dilated" in kinds else 1)


@pytest.fixture
def folder(tmp_path, write_sound):
    """Class folders with decaying noise at 44.1 kHz."""
    rng = np.random.default_rng(0)
    for label in ("kick", "other"):
        for i in range(2):
            sound = 0.3 * rng.normal(size=22050) * np.exp(-np.arange(22050) / 2000)
            write_sound(tmp_path / label / f"{i}.wav", np.clip(sound, -1, 1), rate=44100)
    return tmp_path


def test_the_published_drum_dcgan_takes_a_step_on_one_class(folder):
    trainer, recordings = load("runs/drum_dcgan.gin", "Trainer.batch_size = 2")
    assert recordings.peak is recordings.fade_out_seconds is None
    assert recordings.trim_db is not None and recordings.trim_end
    notes = recordings.read(folder)
    assert (len(notes), notes.n_samples, notes.label_names) == (2, 7500, ["kick"])
    text = trainer.describe(notes)
    assert type(trainer.generator) is PublishedDrumDCGAN
    assert "4,807,745" in text and "511,233" in text
    assert "d_finite 1," in text and "g_finite 1" in text
