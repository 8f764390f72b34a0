"""The drum DCGAN: the printed networks layer by layer, and the clean ones with their variants."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from discriminators import drum_dcgan
from discriminators.conditioning import ConditionEncoder
from discriminators.drum_dcgan import DrumDCGANDiscriminator
from noisygan import config
from noisygan.errors import UsageError
from noisygan.generators.drum_dcgan import DrumDCGAN, PublishedDrumDCGAN
from noisygan.training.trainer import Trainer
from tests import toys

PRINTED_G = [
    (120, 256),
    (1920, 256),
    (474, 128),
    (3792, 128),
    (942, 64),
    (7536, 64),
    (1878, 32),
    (15024, 32),
    (3750, 16),
    (30000, 16),
    (7500, 1),
]


@pytest.fixture(autouse=True)
def _seed():
    keras.utils.set_random_seed(0)


def small(**changes):
    return DrumDCGAN(**({"n_samples": 700, "seed_channels": 4, "filters": (4, 3, 3, 2)} | changes))


def n_weights(weights):
    return sum(math.prod(w.shape) for w in weights)


def shapes_of(stack, latent):
    """Shapes of the dense layer's map and of what each upsampling and each convolution returns."""
    h = tf.reshape(stack.seed_map(latent), [-1, *stack.seed_shape])
    found = [tuple(h.shape[1:])]
    for normalise, up, convolve in zip(
        stack.normalisations, stack.ups, stack.convolutions, strict=True
    ):
        for layer in (up, convolve):
            h = layer(normalise(h) if layer is up else h)
            found.append(tuple(h.shape[1:]))
    return found


def test_the_printed_generator_has_the_printed_shapes_and_parameters():
    generator = PublishedDrumDCGAN()
    assert shapes_of(generator, generator.prior(1, 0)) == PRINTED_G
    assert generator(generator.prior(1, 0), {}).audio.shape == (1, 7500)
    assert n_weights(generator.weights) == 4_807_745
    assert n_weights(generator.trainable_weights) == 4_806_753


def test_the_printed_discriminator_has_the_printed_shapes_and_parameters():
    discriminator = DrumDCGANDiscriminator()
    output = discriminator(tf.zeros([1, 7500]))
    (maps,) = output.features
    assert [tuple(m.shape[1:]) for m in maps] == [(1869, 128), (1821, 64), (1725, 64), (1533, 64)]
    assert [tuple(x.shape) for x in output.logits] == [(1,)]
    assert discriminator.decision.kernel.shape == (98112, 1)
    assert n_weights(discriminator.weights) == 511_233


def test_the_clean_generator_has_as_many_parameters_as_the_printed_one():
    generator = DrumDCGAN(n_seed=120)
    generator(generator.prior(1, 0), {})
    assert n_weights(generator.weights) == 4_807_745


@pytest.mark.parametrize("n_seed, n_samples, made", [(120, 7500, 7680), (250, 16000, 16000)])
def test_the_clean_generator_makes_the_lengths_of_the_text(n_seed, n_samples, made):
    generator = DrumDCGAN(n_samples, n_seed=n_seed, seed_channels=2, filters=(2, 2, 2, 2))
    z = generator.prior(1, 0)
    lengths = [n for n, _ in shapes_of(generator, z)]
    assert lengths[::2] == [n_seed, *(n_seed * by for by in (4, 8, 16, 32, 64))]
    assert lengths[-1] == made
    assert generator(z, {}).audio.shape == (1, n_samples)


def test_the_clean_generator_makes_16384_samples_of_256_steps():
    generator = DrumDCGAN(16384, seed_channels=2, filters=(2, 2, 2, 2))
    assert generator.seed_shape == (256, 2)
    assert generator(generator.prior(1, 0), {}).audio.shape == (1, 16384)


def test_batch_statistics_are_used_in_training_alone_and_remembered():
    generator = small()
    z = 3.0 + generator.prior(8, 0)
    at_rest = generator(z, {}).audio
    np.testing.assert_array_equal(generator(z, {}).audio, at_rest)
    first = generator.normalisations[0]
    assert not np.any(first.moving_mean)
    trained = generator(z, {}, training=True).audio
    assert np.abs(trained - at_rest).max() > 1e-3
    h = tf.reshape(generator.seed_map(z), [-1, *generator.seed_shape])
    np.testing.assert_allclose(
        first.moving_mean, 0.01 * np.mean(h, axis=(0, 1)), rtol=1e-4, atol=1e-6
    )
    for _ in range(800):
        generator.normalisations[0](h, training=True)
    normalised = generator.normalisations[0](h)
    np.testing.assert_allclose(np.mean(normalised, axis=(0, 1)), 0.0, atol=0.02)
    np.testing.assert_allclose(np.std(normalised, axis=(0, 1)), 1.0, atol=0.02)


def reach(function, h, place):
    """First and last step of h whose change changes the output's `place`."""
    with tf.GradientTape() as tape:
        tape.watch(h)
        value = function(h)[0, place]
    slope = np.abs(tape.gradient(value, h)[0]).max(axis=1)
    touched = np.flatnonzero(slope > 0)
    return touched[0], touched[-1]


@pytest.mark.parametrize("dilations", [(1,) * 5, (3, 5, 9, 17, 1)])
def test_causal_sound_before_t_does_not_change_when_the_map_after_t_does(dilations):
    keras.utils.set_random_seed(0)  # by chance, no ReLU would let a change through
    h = tf.random.stateless_normal([1, 11, 4], [1, 2])
    later = tf.concat([h[:, :6], h[:, 6:] + 1.0], axis=1)
    for causal in (True, False):
        generator = small(causal=causal, dilations=dilations)
        before, after = generator.audio_of_seed(h), generator.audio_of_seed(later)
        changed = np.flatnonzero(np.abs(before - after)[0] > 0)
        assert (changed[0] >= 6 * 64) == causal
        assert changed[-1] >= 6 * 64


def span(dilations):
    """How many samples before its own a causal output sees, in steps of the dense layer."""
    t = 100_000
    position = t
    for dilation, factor in reversed(list(zip(dilations, (4, 2, 2, 2, 2), strict=True))):
        position = (position - 24 * dilation) // factor
    return t // 64 - position


@pytest.mark.parametrize("dilations", [(1,) * 5, (3, 5, 9, 17, 1)])
def test_the_receptive_field_is_that_of_the_dilations(dilations):
    generator = small(n_samples=64 * 100, causal=True, dilations=dilations)
    h = tf.random.stateless_uniform([1, 100, 4], [1, 2])
    generator.audio_of_seed(h)
    # Positive throughout, so that no ReLU hides an input, and far from tanh's ends.
    for layer in generator.convolutions:
        layer.kernel.assign(tf.fill(layer.kernel.shape, 0.3 / layer.kernel.shape[1] / 25))
    # The same place in a step as in `span`.
    place = 64 * 90 + 100_000 % 64
    first, last = reach(generator.audio_of_seed, h, place)
    assert (first, last) == (90 - span(dilations), 90)


def test_dilations_see_further():
    assert span((3, 5, 9, 17, 1)) > 2 * span((1,) * 5)


def test_even_dilations_would_repeat_samples():
    """Why they are refused: upsampled by 2, with a dilation of 2, pairs of outputs are equal."""
    h = keras.layers.UpSampling1D(2)(tf.random.stateless_normal([1, 50, 2], [1, 2]))
    for dilation, repeats in ((2, True), (3, False)):
        y = keras.layers.Conv1D(1, 5, padding="causal", dilation_rate=dilation)(h)[0, :, 0]
        assert np.allclose(y[0::2], y[1::2]) == repeats


@pytest.mark.parametrize("strides, dilations", [((4, 1, 1), (1, 2, 4)), ((4, 4, 4), (1, 1, 1))])
def test_a_causal_discriminators_maps_before_t_do_not_change_with_later_samples(strides, dilations):
    settings = {"n_samples": 1000, "n_filters": (3, 3, 3), "strides": strides}
    audio = tf.random.stateless_normal([1, 1000], [1, 2])
    later = tf.concat([audio[:, :500], audio[:, 500:] + 1.0], axis=1)
    for causal in (True, False):
        discriminator = DrumDCGANDiscriminator(
            **settings, dilations=dilations, causal=causal, dropout=0.0
        )
        pairs = zip(discriminator(audio).features[0], discriminator(later).features[0], strict=True)
        step = 1
        for stride, (a, b) in zip(strides, pairs, strict=True):
            step *= stride
            changed = np.flatnonzero(np.abs(a - b).max(axis=(0, 2)) > 0)
            # Step i of a map stands for the sample i * step, and without padding for later ones.
            assert (changed[0] * step >= 500) == causal


@pytest.mark.parametrize(
    "strides, dilations, seen",
    [((4, 1, 1, 1), (1, 2, 4, 8), 1369), ((4, 4, 4, 4), (1, 1, 1, 1), 2041)],
)
def test_the_discriminators_receptive_field_is_as_worked_out(strides, dilations, seen):
    def made(n_samples):
        return DrumDCGANDiscriminator(n_samples, (2,) * 4, strides, dilations, dropout=0.0)

    (maps,) = made(seen)(tf.ones([1, seen])).features
    assert maps[-1].shape[1] == 1
    with pytest.raises(ValueError, match=f"expected {seen} or more"):
        made(seen - 1)


def test_dropout_sets_three_in_ten_of_each_map_to_zero_and_keeps_the_mean(monkeypatch):
    seen = []
    original = drum_dcgan.dropout

    def watched(h, rate):
        dropped = original(h, rate)
        seen.append((h.numpy(), dropped.numpy()))
        return dropped

    monkeypatch.setattr(drum_dcgan, "dropout", watched)
    audio = tf.random.stateless_normal([4, 3000], [1, 2])
    DrumDCGANDiscriminator(3000)(audio)
    assert len(seen) == 4
    for h, dropped in seen:
        kept = dropped != 0.0
        assert 1.0 - np.mean(kept) == pytest.approx(0.3, abs=0.005)
        np.testing.assert_allclose(dropped[kept], h[kept] / 0.7, rtol=1e-5)


def test_conditions_reach_both():
    condition_encoder = ConditionEncoder(("pitch", "velocity"))
    generator = small(condition_encoder=condition_encoder)
    asked = toys.conditioning()
    z = tf.repeat(generator.prior(1, 0), 3, axis=0)
    audio = generator(z, asked).audio
    assert np.abs(audio[0] - audio[1]).max() > 0
    discriminator = DrumDCGANDiscriminator(700, (4, 4), (4, 1), (1, 2))
    told = [discriminator(audio, f).logits[0] for f in (condition_encoder(asked), None)]
    assert np.abs(told[0] - told[1]).max() > 0


@pytest.mark.parametrize(
    "make, told",
    [
        (lambda: PublishedDrumDCGAN(16000), "got 16000, .* such as 15948 or 16012; DrumDCGAN"),
        (lambda: PublishedDrumDCGAN(0), "such as 12 or 76"),
        (lambda: DrumDCGAN(7500, n_seed=117), "got 7500 with n_seed 117, .*1 to 7488.*from 118"),
        (lambda: DrumDCGAN(0), "n_samples: got 0"),
        (lambda: DrumDCGAN(dilations=(1, 2, 4, 8, 16)), "got 2 .* such as 3 or 5"),
        (lambda: DrumDCGAN(dilations=(0, 1, 1, 1, 1)), "got 0 .* such as 1 or 3"),
    ],
)
def test_what_the_generators_refuse(make, told):
    with pytest.raises(UsageError, match=told) as caught:
        make()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "parameter, told",
    [
        ("dilations = (2, 2, 4, 8)", "dilations: got 2 together with a stride of 4"),
        ("n_samples = 1368", "n_samples: got 1368, expected 1369 or more, or causal"),
    ],
)
def test_what_the_discriminator_refuses_is_one_line_to_a_person(parameter, told):
    config.parse(["runs/drum_dcgan.gin"], [f"DrumDCGANDiscriminator.{parameter}"])
    with pytest.raises(UsageError, match=told) as caught:
        config.configured(Trainer)()
    assert "\n" not in str(caught.value)


def test_a_batch_of_one_has_no_statistics():
    notes = toys.notes(n_samples=700, sample_rate=44100)
    settings = {
        "generator": small(),
        "discriminator": DrumDCGANDiscriminator(700, (4, 4), (4, 1), (1, 2)),
        "condition_encoder": None,
    }
    with pytest.raises(UsageError, match="batch_size: got 1, expected 2 or more: DrumDCGAN"):
        toys.trainer(**settings, batch_size=1).build(notes)
    toys.trainer(**settings, batch_size=2).build(notes)
