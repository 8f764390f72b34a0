"""WaveGAN's generator: published counts, every layer's shape, both ways up, and what it refuses."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from discriminators import ConditionEncoder
from noisygan import config
from noisygan.errors import UsageError
from noisygan.generators.wavegan import NearestNeighbour, TransposedConvolution, WaveGAN
from noisygan.training.trainer import Trainer
from tests import toys

# Steps and channels behind the dense layer and behind each layer up, for units of 64.
LAYERS = {
    16384: [(16, 1024), (64, 512), (256, 256), (1024, 128), (4096, 64), (16384, 1)],
    32768: [(16, 2048), (64, 1024), (256, 512), (1024, 256), (4096, 128), (16384, 64), (32768, 1)],
    65536: [(16, 2048), (64, 1024), (256, 512), (1024, 256), (4096, 128), (16384, 64), (65536, 1)],
}


@pytest.fixture(autouse=True)
def _seed():
    keras.utils.set_random_seed(0)


def n_weights(layer):
    return sum(math.prod(w.shape) for w in layer.weights)


def built(*arguments, **changes):
    """A generator whose variables are made without computing a sound."""
    generator = WaveGAN(*arguments, **changes)
    n_steps, n_channels = 16, generator.seed_map.units // 16
    generator.seed_map.build((None, generator.latent_dim))
    for up in generator.ups:
        up.build((None, n_steps, n_channels))
        n_steps, n_channels = up.compute_output_shape((None, n_steps, n_channels))[1:]
    return generator


def shapes_of(generator):
    """(steps, channels) behind the dense layer and behind each layer up."""
    shape = (None, 16, generator.seed_map.units // 16)
    found = [shape[1:]]
    for up in generator.ups:
        shape = up.compute_output_shape(shape)
        found.append(tuple(shape[1:]))
    return found


@pytest.mark.parametrize(
    ("n_samples", "units", "n"),
    [
        (16384, 64, 19_065_345),
        (65536, 64, 73_149_953),
        (65536, 32, 19_115_777),
        (65536, 16, 5_193_089),
    ],
)
@pytest.mark.parametrize("up", [TransposedConvolution(), NearestNeighbour()])
def test_the_published_numbers_of_parameters_with_either_way_up(n_samples, units, n, up):
    assert n_weights(built(n_samples, units=units, up=up)) == n


@pytest.mark.parametrize("n_samples", LAYERS)
@pytest.mark.parametrize("up", [TransposedConvolution(), NearestNeighbour()])
@pytest.mark.parametrize("units", [64, 32, 16])
def test_every_layers_output_shape(n_samples, up, units):
    expected = [(n, c * units // 64 if c > 1 else 1) for n, c in LAYERS[n_samples]]
    assert shapes_of(built(n_samples, units=units, up=up)) == expected


@pytest.mark.parametrize(
    ("n_samples", "n_ups"), [(100, 5), (16384, 5), (20000, 6), (32768, 6), (64000, 6), (65536, 6)]
)
def test_sounds_of_every_length_up_to_the_longest(n_samples, n_ups):
    generator = WaveGAN(n_samples, 16000, units=1, latent_dim=3, kernel_size=5)
    audio = generator(generator.prior(2, 0), {}).audio
    assert len(generator.ups) == n_ups
    assert audio.shape == (2, n_samples)
    assert np.abs(audio).max() <= 1.0


def test_at_its_own_rate_nothing_is_resampled_whatever_the_length():
    # 142 / (142 / 16000) is no longer 16000.
    generator = WaveGAN(142, 16000, units=1, latent_dim=3, kernel_size=5)
    z = generator.prior(2, 0)
    audio = tf.function(lambda z: generator(z, {}).audio)(z)
    np.testing.assert_allclose(audio, generator.make_audio(z), atol=1e-6)


def test_what_is_over_is_cut_off_at_the_end():
    long, cut = (WaveGAN(n, units=1, latent_dim=3, name="w") for n in (65536, 64000))
    z = long.prior(1, 0)
    long(z, {}), cut(z, {})
    cut.set_weights(long.get_weights())
    np.testing.assert_array_equal(cut(z, {}).audio, long(z, {}).audio[:, :64000])


@pytest.mark.parametrize("n_samples", [0, -5, 65537, 264600])
def test_lengths_that_the_stack_cannot_make(n_samples):
    with pytest.raises(UsageError, match=f"got {n_samples}, .*16384, 32768, 65536") as caught:
        WaveGAN(n_samples)
    assert "\n" not in str(caught.value)


def test_nearest_neighbour_repeats_and_then_convolves():
    up = NearestNeighbour()(1, 3, 4, "up")
    h = tf.constant([1.0, -2.0, 3.0])[None, :, None]
    up.build(h.shape)
    kernel, bias = up.trainable_variables
    kernel.assign(tf.constant([0.0, 1.0, 0.0])[:, None, None])
    bias.assign([0.5])
    np.testing.assert_allclose(up(h)[0, :, 0], np.repeat([1.5, -1.5, 3.5], 4))


def test_a_transposed_convolution_puts_its_kernel_at_every_fourth_sample():
    up = TransposedConvolution()(1, 5, 4, "up")
    h = tf.constant([1.0, 0.0, 10.0])[None, :, None]
    up.build(h.shape)
    up.kernel.assign(tf.range(1.0, 6.0)[:, None, None])
    wave = up(h)[0, :, 0].numpy()
    whole = np.zeros(13)
    for i, value in enumerate([1.0, 0.0, 10.0]):
        whole[4 * i : 4 * i + 5] += value * np.arange(1, 6)
    # "same": of the 13 samples that come out, one end is cut off.
    assert wave.tolist() in (whole[:12].tolist(), whole[1:].tolist())


def test_the_post_filter_has_512_taps_and_filters_the_finished_sound():
    plain = WaveGAN(units=1, latent_dim=3, name="w")
    filtered = WaveGAN(units=1, latent_dim=3, post_filter=512, name="w")
    z = plain.prior(1, 0)
    plain(z, {}), filtered(z, {})
    assert n_weights(filtered) == n_weights(plain) + 512
    taps = np.zeros([512, 1, 1], np.float32)
    taps[255 + 3] = 0.5
    filtered.set_weights([*plain.get_weights(), taps])
    wave, after = plain(z, {}).audio[0].numpy(), filtered(z, {}).audio[0].numpy()
    np.testing.assert_allclose(after[:-3], 0.5 * wave[3:], atol=1e-6)
    assert np.all(after[-3:] == 0.0)


def test_the_seed_and_hidden_maps_are_rectified_and_the_sound_is_a_tanh():
    generator = WaveGAN(256, units=1, latent_dim=2)
    generator.ups = generator.ups[-1:]
    # The last layer takes what the dense layer gives, its 16 steps of 16 channels.
    z = tf.constant([[0.3, -0.7]])
    audio = generator.make_audio(z)
    h = tf.nn.relu(tf.reshape(generator.seed_map(z), [1, 16, 16]))
    np.testing.assert_allclose(audio, tf.tanh(generator.ups[0](h))[:, :, 0], atol=1e-6)


def test_a_conditional_one_is_told_beside_the_latent():
    condition_encoder = ConditionEncoder(("label",), n_labels=3)
    generator = WaveGAN(units=1, latent_dim=4, condition_encoder=condition_encoder)
    z = tf.repeat(generator.prior(1, 0), 3, axis=0)
    audio = generator(z, toys.conditioning(label=(0, 1, 1))).audio
    assert generator.seed_map.kernel.shape[0] == 7
    assert np.abs(audio[0] - audio[1]).max() > 1e-6
    np.testing.assert_allclose(audio[1], audio[2], atol=1e-6)
    with tf.GradientTape() as tape:
        tape.watch(z)
        total = tf.reduce_sum(generator(z, toys.conditioning(label=(0, 1, 2))).audio ** 2)
    assert np.abs(tape.gradient(total, z)).min() > 0


def test_codes_are_normal_or_as_asked():
    latents = WaveGAN(units=1).prior(200, 3)
    assert latents.shape == (200, 100)
    np.testing.assert_allclose(np.std(latents), 1.0, atol=0.03)
    uniform = tfp.distributions.Uniform(-1.0, 1.0)
    latents = WaveGAN(units=1, prior=uniform).prior(200, 3).numpy()
    assert latents.min() < -0.99 and latents.max() > 0.99 and np.abs(latents).max() <= 1.0
    np.testing.assert_allclose(np.std(latents), 3**-0.5, atol=0.02)


def trainer_of(name):
    config.parse([name])
    return config.configured(Trainer)()


def test_the_published_settings():
    trainer = trainer_of("runs/wavegan.gin")
    assert (trainer.batch_size, trainer.n_critic, trainer.ema_decay) == (64, 5, 0.0)
    for adam in (trainer.g_optimizer, trainer.d_optimizer):
        assert (adam.learning_rate, adam.beta_1, adam.beta_2) == (1e-4, 0.5, 0.9)
    (penalty,) = trainer.gan.regularizers
    assert (type(penalty).__name__, penalty.weight, penalty.interval) == ("GradientPenalty", 10, 1)
    assert type(trainer.gan.adversarial).__name__ == "Wasserstein"
    generator = trainer.generator
    assert (generator.latent_dim, generator.n_samples, generator.sample_rate) == (100, 16384, 44100)
    assert type(generator.distribution).__name__ == "Uniform"
    assert generator.condition_names == () and trainer.condition_encoder is None
    assert trainer.discriminator.shuffle == 2
    assert generator.seed_map.units == 256 * 64


def test_the_ablation_repeats_samples_and_does_not_shuffle():
    trainer = trainer_of("ablations/wavegan_nearest_neighbour.gin")
    assert isinstance(trainer.generator.ups[0], keras.Sequential)
    assert trainer.discriminator.shuffle == 0


def test_notes_are_cut_out_of_the_longest_stack():
    trainer = trainer_of("runs/wavegan_notes.gin")
    generator = trainer.generator
    assert (generator.n_samples, generator.sample_rate, generator.seconds) == (64000, 16000, 4.0)
    assert shapes_of(generator)[-1] == (65536, 1)
    assert generator.seed_map.units == 16 * 512
