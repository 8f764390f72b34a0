"""Growing networks: published sizes, levels, blends, errors, and growing in a training."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from discriminators import ConditionEncoder
from discriminators.drum_wgan import DrumWGANDiscriminator
from discriminators.equalized import EqualizedConv1D
from discriminators.growing_gan import GrowingGANDiscriminator, minibatch_deviation
from noisygan.errors import UsageError
from noisygan.generators.autoencoder import Autoencoder
from noisygan.generators.drum_wgan import DrumWGAN
from noisygan.generators.growing_gan import FILTERS, GrowingGAN
from noisygan.losses import Wasserstein
from noisygan.losses.regularizers import DiscriminatorContext, Drift, GradientPenalty
from noisygan.training.augmentation import (
    Augmentation,
    Gain,
    Noise,
    Polarity,
    Shift,
    TimeMask,
)
from noisygan.training.build import build_generator
from noisygan.training.growth import Growth
from noisygan.training.optimizers import Adam
from noisygan.training.trainer import Trainer
from tests import toys

LABEL = tf.constant([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])


def drum_generator(**changes):
    """1024 samples in two levels, three labels."""
    settings = {"n_samples": 1024, "units": 3, "latent_dim": 4, "embedding_dim": 5}
    condition_encoder = ConditionEncoder(("label",), n_labels=3)
    return DrumWGAN(condition_encoder=condition_encoder, **(settings | changes))


def drum_discriminator(**changes):
    return DrumWGANDiscriminator(**({"n_samples": 1024, "units": 3, "embedding_dim": 5} | changes))


def song_generator(**changes):
    """Three levels, 16 to 64 samples."""
    settings = {"filters": (4, 3, 2), "n_seed": 16, "latent_dim": 5, "kernel_size": 5}
    return GrowingGAN(**(settings | {"sample_rate": 16000} | changes))


def song_discriminator(**changes):
    settings = {"filters": (4, 3, 2), "n_seed": 16, "kernel_size": 5, "group_size": 2}
    return GrowingGANDiscriminator(**(settings | changes))


def count(layers):
    return sum(int(np.prod(v.shape)) for layer in layers for v in layer.trainable_variables)


def layers_of(network, used):
    """Layers with variables, those of the roads to or from audio only where `used` says so."""
    roads = network.sounds if hasattr(network, "sounds") else network.inputs
    found = [layer for layer in network._flatten_layers(include_self=False) if layer.variables]
    return [layer for layer in found if layer not in roads or roads.index(layer) in used]


def build_only(network, n_latent=None):
    """All variables without a forward pass of a full-size network."""
    network.build()
    if n_latent is not None:
        network.seed_map.build((None, n_latent))
    if getattr(network, "embedding", None) is not None:
        network.embedding.build((None, 3))
        network.condition_map.build((None, 50))
    return network


# Published counts hold the final level's network: of the roads to and from audio only its own.


@pytest.mark.parametrize("latent_dim, expected", [(100, 19_079_111), (3, 17_489_863)])
def test_the_drum_generator_is_as_large_as_published(latent_dim, expected):
    condition_encoder = ConditionEncoder(("label",), n_labels=3)
    generator = build_only(
        DrumWGAN(latent_dim=latent_dim, condition_encoder=condition_encoder), latent_dim
    )
    assert count(layers_of(generator, [3])) == expected
    # The lower levels' roads: 25 taps each from 512, 256 and 128 channels to one.
    assert count([generator]) == expected + 25 * (512 + 256 + 128) + 3
    assert [generator.length_of(i) for i in range(4)] == [256, 1024, 4096, 16384]


def test_the_drum_discriminator_is_as_large_as_published():
    discriminator = build_only(DrumWGANDiscriminator())
    assert count(layers_of(discriminator, [3])) + 16 * 1024 + 1 == 18_265_303
    discriminator.decision.build((None, 16 * 1024))
    lower = 25 * 2 * (512 + 256 + 128) + 512 + 256 + 128
    assert count([discriminator]) == 18_265_303 + lower


def test_the_growing_gans_generator_is_as_large_as_published():
    generator = build_only(GrowingGAN(), 256)
    assert generator.n_samples == 262_144
    assert count(layers_of(generator, [8])) == 7_896_017
    assert count([generator]) == 7_896_017 + sum(FILTERS[:8]) + 8


def test_the_growing_gans_discriminator_is_as_large_as_published():
    discriminator = build_only(GrowingGANDiscriminator())
    assert count(layers_of(discriminator, [8])) == 8_724_945
    assert count([discriminator]) == 8_724_945 + 2 * sum(FILTERS[:8])


def test_every_layers_shape_of_the_drum_networks():
    generator, latent = drum_generator(n_samples=16384), tf.ones([2, 7])
    generator.build()
    maps = [generator.begin(latent)]
    for level in range(4):
        maps.append(generator.block(level, maps[-1]))
    assert [tuple(m.shape[1:]) for m in maps] == [
        *((16, 49), (64, 24), (256, 12), (1024, 6), (4096, 3)),
    ]
    for level in range(4):
        assert generator.to_audio(level, maps[level + 1]).shape == (2, 256 * 4**level)
    discriminator = drum_discriminator(n_samples=16384)
    output = discriminator(tf.ones([2, 16384]), LABEL[:2])
    assert [tuple(m.shape[1:]) for m in output.features[0]] == [
        *((4096, 3), (1024, 6), (256, 12), (64, 24), (16, 48)),
    ]
    assert output.logits[0].shape == (2,)


def test_every_layers_shape_of_the_growing_gan():
    filters = tuple(n // 16 for n in FILTERS)
    generator = song_generator(filters=filters, n_seed=4)
    h = generator.begin(tf.ones([2, 5]))
    assert h.shape == (2, 4, 4)
    for level, n in enumerate(filters):
        h = generator.block(level, h)
        assert h.shape == (2, 4 * 2**level, n)
        assert generator.to_audio(level, h).shape == (2, 4 * 2**level)
    discriminator = song_discriminator(filters=filters, n_seed=4)
    features = discriminator(tf.ones([2, 1024])).features[0]
    expected = []
    for level in range(8, -1, -1):
        n_steps = 4 * 2**level
        expected += [(n_steps, filters[level]), (n_steps, filters[max(level - 1, 0)])]
    assert [tuple(m.shape[1:]) for m in features] == expected


@pytest.mark.parametrize("make", [drum_generator, song_generator])
def test_a_new_level_begins_as_the_old_one_repeated(make):
    generator = make()
    build_generator(generator, 3)
    latent = tf.random.stateless_normal(
        [2, generator.latent_dim + (3 if generator.condition_names else 0)], [1, 2]
    )
    for level in range(1, generator.n_levels):
        old = generator.audio_at(latent, level - 1, 1.0)
        new = generator.audio_at(latent, level, 0.0)
        assert new.shape == (2, generator.length_of(level))
        np.testing.assert_array_equal(new, np.repeat(old, generator.factor, axis=1))
        full = generator.audio_at(latent, level, 1.0)
        half = generator.audio_at(latent, level, 0.5)
        assert np.abs(full - new).max() > 1e-3
        np.testing.assert_allclose(half, 0.5 * (full + new), atol=1e-6)


def test_a_generator_makes_what_its_level_and_blend_say():
    generator = song_generator()
    build_generator(generator, 1)
    z = generator.prior(2, 0)
    for level, alpha in ((0, 1.0), (1, 0.25), (2, 0.75)):
        generator.level = level
        generator.alpha.assign(alpha)
        growing = generator(z, {}, training=True).audio
        np.testing.assert_array_equal(growing, generator.audio_at(z, level, alpha))
        # For a person it is as long as ever.
        assert generator(z, {}).audio.shape == (2, 64)


@pytest.mark.parametrize("make, told", [(drum_discriminator, LABEL), (song_discriminator, None)])
def test_a_new_level_begins_by_judging_as_the_old_one(make, told):
    discriminator = make()
    discriminator(tf.zeros([4, discriminator.n_samples]), told)
    rng = np.random.default_rng(0)
    for level in range(1, discriminator.n_levels):
        n = discriminator.n_samples // discriminator.factor ** (discriminator.n_levels - level)
        old = tf.constant(rng.normal(size=(4, n)), tf.float32)
        new = tf.repeat(old, discriminator.factor, axis=1)
        discriminator.alpha.assign(0.0)
        (judged,) = discriminator(new, told).logits
        # The level below stands alone: it is faded in whole.
        discriminator.alpha.assign(1.0)
        (expected,) = discriminator(old, told).logits
        np.testing.assert_allclose(judged, expected, rtol=1e-4, atol=1e-5)
        assert np.abs(discriminator(new, told).logits[0] - expected).max() > 1e-3


def test_a_whole_batch_is_one_group():
    h = tf.random.stateless_normal([6, 5, 3], [1, 2])
    whole = minibatch_deviation(h, 0)
    np.testing.assert_array_equal(whole, minibatch_deviation(h, 6))
    deviation = np.mean(np.std(h, axis=0))
    np.testing.assert_allclose(whole[:, :, 3], np.full([6, 5], deviation), rtol=1e-4)
    assert np.abs(minibatch_deviation(h, 2) - whole).max() > 1e-3


@pytest.mark.parametrize("make", [drum_generator, song_generator])
def test_a_generators_old_road_has_no_gradient_once_faded_out(make):
    generator = make()
    build_generator(generator, 3)
    z, told = generator.prior(3, 0), toys.conditioning(label=(0, 1, 2))
    road = generator.sounds[-2].trainable_variables

    def slopes(alpha):
        generator.alpha.assign(alpha)
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(generator(z, told, training=True).audio ** 2)
        return tape.gradient(loss, road)

    assert all(np.abs(s).max() > 0 for s in slopes(0.5))
    assert not any(np.any(s) for s in slopes(1.0))


@pytest.mark.parametrize("make, told", [(drum_discriminator, LABEL), (song_discriminator, None)])
def test_a_discriminators_old_road_has_no_gradient_once_faded_out(make, told):
    discriminator = make()
    audio = tf.random.stateless_normal([4, discriminator.n_samples], [1, 2])
    discriminator(audio, told)
    road = discriminator.inputs[-2].trainable_variables

    def slopes(alpha):
        discriminator.alpha.assign(alpha)
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(discriminator(audio, told).logits[0])
        return tape.gradient(loss, road)

    assert all(np.abs(s).max() > 0 for s in slopes(0.5))
    assert not any(np.any(s) for s in slopes(1.0))


@pytest.mark.parametrize("alpha, dilation", [(0.4, 1), (1.0, 1), (1.0, 2)])
def test_a_gradient_penalty_through_the_whole_critic_is_right(alpha, dilation):
    keras.utils.set_random_seed(0)
    discriminator = song_discriminator(dilation=dilation)
    real, fake = (tf.random.stateless_normal([4, 64, 1], [i, 2]) for i in (1, 2))
    discriminator(real[:, :, 0])
    discriminator.alpha.assign(alpha)
    values = [v.value for v in discriminator.trainable_variables]

    def penalty():
        context = DiscriminatorContext(
            score=discriminator.score,
            real_features=[real],
            fake_features=[fake],
            seed=tf.constant([0, 1]),
        )
        return GradientPenalty()(context)

    with tf.GradientTape() as tape:
        tape.watch(values)
        value = penalty()
    slopes = tape.gradient(value, values)
    # No slope of a bias behind which nothing is bent (the decision's) is no slope.
    slopes = [tf.zeros_like(v) if s is None else s for s, v in zip(slopes, values, strict=True)]
    assert all(np.isfinite(s).all() for s in slopes)
    size = float(tf.linalg.global_norm(slopes))
    assert size > 0
    # Along its own gradient a function changes by that gradient's size.
    step, ends = 2e-4, []
    for sign in (1.0, -1.0):
        for v, s in zip(values, slopes, strict=True):
            v.assign_add(sign * step * s / size)
        ends.append(float(penalty()))
        for v, s in zip(values, slopes, strict=True):
            v.assign_sub(sign * step * s / size)
    assert (ends[0] - ends[1]) / (2 * step) == pytest.approx(size, rel=0.02)


def test_dilated_taps_are_apart():
    x = tf.random.stateless_normal([2, 20, 3], [1, 2])
    layer = EqualizedConv1D(4, 3, dilation=4)
    found, padded = layer(x), tf.pad(x, [[0, 0], [4, 4], [0, 0]])
    kernel = layer.scale * layer.kernel
    expected = sum(tf.matmul(padded[:, 4 * i : 4 * i + 20], kernel[i]) for i in range(3))
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_one_convolution_per_level():
    generator = song_generator(n_convolutions=1)
    discriminator = song_discriminator(n_convolutions=1)
    build_generator(generator, 1)
    audio = generator(generator.prior(2, 0), {}).audio
    maps = discriminator(audio).features[0]
    assert [tuple(m.shape[1:]) for m in maps] == [(64, 3), (32, 4), (16, 4)]
    assert {len(level) for level in generator.convolutions + discriminator.convolutions} == {1}


def test_latents_of_the_recordings_are_z_in_training():
    autoencoder = Autoencoder(64, latent_dim=5, units=2, kernel_size=3)
    generator = song_generator(autoencoder=autoencoder)
    build_generator(generator, 1)
    factor = np.tril(np.full([5, 5], 0.5)) + np.eye(5)
    autoencoder.set_distribution(np.arange(5.0), factor)
    whole = tf.random.stateless_normal([2, 64], [1, 2])
    generator.level = 1
    batch = {"audio": whole[:, :32], "recorded": whole}
    latent = autoencoder.encode(whole).numpy()
    z = np.linalg.solve(factor, (latent - np.arange(5.0)).T).T.astype(np.float32)
    expected = generator.audio_at(tf.constant(z), 1, 1.0)
    made = generator(generator.prior(2, 0), batch, training=True).audio
    np.testing.assert_allclose(made, expected, atol=1e-5)
    np.testing.assert_allclose(autoencoder.from_normal(tf.constant(z)), latent, atol=1e-5)
    trained = {v.path for v in generator.trainable_variables}
    assert not trained & {v.path for v in autoencoder.weights}


def test_half_precision_in_both_networks_trains():
    training = trainer(precision="bfloat16", generator_precision="bfloat16")
    notes = toys.notes(n_samples=128)
    training.build(notes, seed=0)
    metrics = training.train_step(training.batches(notes, 0), 0)
    assert metrics["d_finite"] == metrics["g_finite"] == 1.0
    layers = [layer for level in training.generator.convolutions for layer in level]
    assert {layer.compute_dtype for layer in layers} == {"bfloat16"}
    assert {v.dtype for v in training.generator.weights} == {"float32"}
    assert training.generator(training.generator.prior(1, 0), {}).audio.dtype == tf.float32
    with pytest.raises(UsageError, match="generator_precision: got 'bfloat16' for Hybrid"):
        toys.trainer(generator_precision="bfloat16")


def test_half_precision_stays_finite():
    for policy in ("mixed_bfloat16", "mixed_float16"):
        keras.mixed_precision.set_dtype_policy(policy)
        try:
            generator, discriminator = song_generator(), song_discriminator()
            build_generator(generator, 1)
            generator.alpha.assign(0.5)
            audio = generator(generator.prior(4, 0), {}, training=True).audio
            logits = discriminator(audio).logits[0]
        finally:
            keras.mixed_precision.set_dtype_policy("float32")
        assert audio.dtype == logits.dtype == tf.float32
        assert all(v.dtype == "float32" for v in generator.weights)
        assert np.isfinite(audio).all() and np.isfinite(logits).all()


@pytest.mark.parametrize("level", [-1, 3])
def test_a_level_that_is_not_there_is_refused(level):
    generator = song_generator()
    with pytest.raises(UsageError, match=f"level: got {level}, expected 0 to 2"):
        generator.length_of(level)
    with pytest.raises(UsageError, match="expected 0 to 2"):
        generator.audio_at(tf.zeros([1, 5]), level, 1.0)


@pytest.mark.parametrize(
    "make, said",
    [
        (lambda: DrumWGAN(n_samples=16000), "got 16000, expected one of 256, 1024, 4096, 16384"),
        (lambda: DrumWGANDiscriminator(n_samples=500), "got 500, expected one of 256, 1024"),
        (
            lambda: drum_discriminator()(tf.ones([2, 512]), LABEL[:2]),
            "got audio of 512 samples, expected",
        ),
        (lambda: drum_discriminator()(tf.ones([2, 1024])), "set Trainer.condition_encoder"),
    ],
)
def test_what_the_networks_cannot_be_is_refused(make, said):
    with pytest.raises((UsageError, ValueError), match=said):
        make()


def trainer(**changes):
    """Two levels of 64 and 128 samples, the second one after three steps; not built."""
    sizes = {"filters": (3, 2), "n_seed": 64, "kernel_size": 3}
    settings = {
        "generator": song_generator(**sizes),
        "discriminator": song_discriminator(**sizes),
        "adversarial": Wasserstein(),
        "regularizers": [Drift()],
        "batch_size": 4,
        "growth": Growth(sounds=12, fade_sounds=4, batch_sizes=[4, 2]),
        "g_optimizer": Adam(),
        "d_optimizer": Adam(),
    }
    return Trainer(**(settings | changes))


def test_networks_grow_while_they_are_trained():
    training, notes = trainer(), toys.notes(n_samples=128)
    training.build(notes, seed=0)
    batches = training.batches(notes, 0)
    roads = [road.kernel for road in training.generator.sounds]
    seen = []
    for step in range(6):
        before = [v.numpy() for v in roads]
        metrics = training.train_step(batches, step)
        assert all(np.isfinite(value) for value in metrics.values())
        learnt = [bool(np.any(v.numpy() != old)) for v, old in zip(roads, before, strict=True)]
        seen.append((training.generator.level, float(training.generator.alpha), *learnt))
    # At a blend of 0 the new road has no gradient yet, at 1 the old one no longer.
    assert seen == [
        *((0, 1.0, True, False), (0, 1.0, True, False), (0, 1.0, True, False)),
        *((1, 0.0, True, False), (1, 0.5, True, True), (1, 1.0, False, True)),
    ]


def test_a_level_begins_with_all_weights_and_with_fresh_optimizers_at_its_rate():
    growth = Growth(sounds=12, fade_sounds=4, batch_sizes=[4, 2], learning_rates=[1e-2, 3e-3])
    training, notes = trainer(growth=growth), toys.notes(n_samples=128)
    training.build(notes, seed=0)
    batches = training.batches(notes, 0)
    for step in range(3):
        training.train_step(batches, step)
    optimizers = [phase.optimizer for phase in (training.d_phase, training.g_phase)]

    def learnt():
        networks = (training.generator, training.discriminator)
        weights = [w for n in networks for w in n.trainable_weights] + training.g_ema.averages
        return [w.numpy() for w in weights]

    def moments(optimizer):
        others = (optimizer.iterations, optimizer.learning_rate)
        return [v.numpy() for v in optimizer.variables if not any(v is o for o in others)]

    before = learnt()
    for optimizer in optimizers:
        assert int(optimizer.iterations) == 3
        assert float(optimizer.learning_rate) == pytest.approx(1e-2)
        assert any(np.any(m) for m in moments(optimizer))
    training.plan.begin(3, (training.d_phase, training.g_phase))
    assert (training.generator.level, float(training.generator.alpha)) == (1, 0.0)
    for one, other in zip(before, learnt(), strict=True):
        np.testing.assert_array_equal(one, other)
    for optimizer in optimizers:
        assert int(optimizer.iterations) == 0
        assert float(optimizer.learning_rate) == pytest.approx(3e-3)
        assert len(moments(optimizer)) > 2 and not any(np.any(m) for m in moments(optimizer))


def test_one_thing_alone_sets_the_learning_rate():
    growth = Growth(sounds=12, fade_sounds=4, learning_rates=1e-3)
    with pytest.raises(UsageError, match="Growth.learning_rates and Adam.decay_steps both"):
        trainer(growth=growth, d_optimizer=Adam(decay_steps=10))


def test_changes_in_time_are_for_networks_of_one_rate():
    with pytest.raises(UsageError, match="got Shift and TimeMask, .* expected Polarity, Gain and"):
        trainer(augmentation=Augmentation([Gain(), Shift(), TimeMask()]))
    assert trainer(augmentation=Augmentation([Polarity(), Gain(), Noise()])).plan.grows


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"batch_size": 1}, "got 1, expected multiples of .*group_size, 2: 2 or 4 would work"),
        (
            {"growth": Growth(sounds=12, fade_sounds=8, batch_sizes=[4, 3])},
            "got 3, expected multiples of .*group_size, 2: 2 or 4 would work",
        ),
        (
            {"discriminator": song_discriminator(n_seed=32, filters=(3, 2))},
            "got audio of 128 samples, .*: 32, 64",
        ),
        (
            {"discriminator": song_discriminator(n_seed=32, filters=(4, 3, 2))},
            "GrowingGAN has n_levels 2 and GrowingGANDiscriminator has n_levels 3",
        ),
    ],
)
def test_networks_and_batches_that_do_not_fit_are_refused_before_training(changes, said):
    with pytest.raises(UsageError, match=said):
        trainer(**changes).build(toys.notes(n_samples=128))
