"""Sample-GAN's generator: counts, its two modes, its latents, its noise, lengths, refusals."""

import numpy as np
import pytest
import tensorflow as tf

from noisygan.errors import UsageError
from noisygan.generators.autoencoder import Autoencoder
from noisygan.generators.sample_gan import OnePass, Rollout, SampleGAN

N = 60


def small(block=5, **changes):
    tf.keras.utils.set_random_seed(1)
    autoencoder = Autoencoder(N, latent_dim=4, units=4)
    settings = {"n_samples": N, "sample_rate": 1000, "autoencoder": autoencoder, "units": 6}
    settings |= changes
    generator = SampleGAN(**settings, block=block)
    generator.build()
    n_beside = settings.get("noise_channels", 0) + 4 * settings.get("latent_every_step", False)
    generator.blocks(tf.zeros([1, 2, block]), tf.zeros([1, 2, n_beside]))
    return generator


@pytest.mark.parametrize("n_samples", [500, 1000, 4410])
def test_the_published_sizes(n_samples):
    generator = SampleGAN(n_samples)
    generator.build()
    # The samples held so far are all that a step reads: no noise.
    generator.blocks(tf.zeros([1, 2, 1]), tf.zeros([1, 2, 0]))
    first = 4 * 128 * (1 + 128 + 1)
    second = 4 * 128 * (128 + 128 + 1)
    assert sum(np.prod(v.shape) for v in generator.trainable_weights) == first + second + 129
    assert generator.latent_dim == 64


def test_the_autoencoder_is_no_part_of_what_is_trained():
    generator = small()
    assert len(generator.trainable_variables) == 8
    frozen = {id(v) for v in generator.non_trainable_variables}
    assert all(id(v) in frozen for v in generator.autoencoder.weights)
    assert len(generator.weights) == 8 + len(generator.autoencoder.weights)


def reread(generator, buffer, beside, n_steps):
    """Blocks by the plain definition: each from reading all that came before it, in Python."""
    for _ in range(n_steps):
        said, _ = generator.blocks(buffer, beside[:, : buffer.shape[1]])
        buffer = tf.concat([buffer, said[:, -1:]], axis=1)
    return buffer[:, -n_steps:]


def test_a_rollout_says_each_block_from_those_before_it():
    generator = small(noise_channels=1)
    buffer = tf.random.stateless_normal([2, 4, 5], [0, 1])
    beside = tf.random.stateless_normal([2, 4 + 6, 1], [0, 2])
    expected = reread(generator, buffer, beside, 6)
    for rollout in (Rollout(), tf.function(Rollout())):
        rolled = rollout(generator, buffer, beside, 6)
        np.testing.assert_allclose(rolled, expected, atol=1e-6)


@pytest.mark.parametrize("remembers", [True, False])
def test_a_code_is_remembered_where_it_is_told_at_every_step(remembers, monkeypatch):
    generator = small(latent_every_step=remembers)
    generator.autoencoder.set_distribution(np.full(4, 3.0), np.diag([2.0, 2.0, 2.0, 2.0]))
    # The same buffer for every latent: what is left is what is told beside it.
    zeros = tf.zeros([2, generator.n_buffer, generator.block])
    monkeypatch.setattr(generator.autoencoder, "decode", lambda latent: zeros)
    latent = tf.constant([[3.0] * 4, [5.0] * 4])
    a, b = generator.from_latent(latent, None, [7, 7], 40 * N, Rollout()).numpy()[:, -N:]
    assert (np.abs(a - b).max() > 0.01) == remembers


def test_one_pass_is_causal():
    generator = small(noise_channels=1)
    buffer = tf.random.stateless_normal([1, 12, 5], [0, 1])
    beside = tf.zeros([1, 12, 1])
    whole = OnePass()(generator, buffer, beside, 12)
    later = tf.concat([buffer[:, :8], buffer[:, 8:] + 1.0], axis=1)
    changed = np.abs(OnePass()(generator, later, beside, 12) - whole).max(axis=(0, 2))
    assert changed[:8].max() == 0.0
    assert changed[8:].min() > 0.0


@pytest.mark.parametrize("mode", [OnePass(), Rollout()])
def test_the_gradient_goes_through_a_mode(mode):
    generator = small(training_mode=mode)
    batch = {"audio": tf.random.stateless_normal([2, N], [0, 1])}

    @tf.function
    def slopes():
        with tf.GradientTape() as tape:
            audio = generator(generator.prior(2, 0), batch, seed=3, training=True).audio
            loss = tf.reduce_sum(audio * tf.random.stateless_normal(audio.shape, [0, 2]))
        return tape.gradient(loss, generator.trainable_variables)

    for slope, variable in zip(slopes(), generator.trainable_variables, strict=True):
        assert np.abs(slope).max() > 0, variable.path


def test_the_rollouts_gradient_is_the_plain_definitions():
    generator = small(noise_channels=1)
    buffer = tf.random.stateless_normal([2, 3, 5], [0, 1])
    beside = tf.random.stateless_normal([2, 7, 1], [0, 2])

    def slopes(mode):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.sin(3.0 * mode(generator, buffer, beside, 4)))
        return tape.gradient(loss, generator.trainable_variables)

    for slope, expected in zip(slopes(Rollout()), slopes(reread), strict=True):
        np.testing.assert_allclose(slope, expected, atol=1e-5 * np.abs(expected).max() + 1e-7)


def made(generator, latent, seed, mode):
    return tf.function(lambda latent: generator.from_latent(latent, None, seed, N, mode))(latent)


def test_recordings_give_the_codes_in_training_alone():
    generator = small()
    z = generator.prior(2, 0)
    batch = {"audio": tf.random.stateless_normal([2, N], [0, 1])}
    latent = generator.autoencoder.encode(batch["audio"])
    trained = generator(z, batch, seed=4, training=True).audio
    expected = made(generator, latent, 4, OnePass())
    np.testing.assert_allclose(trained, expected, atol=1e-6)
    np.testing.assert_array_equal(generator(z, batch).audio, generator(z, {}).audio)
    like = generator.like(batch["audio"], seed=4).audio
    np.testing.assert_allclose(like, made(generator, latent, 4, Rollout()), atol=1e-6)


def test_z_is_the_standard_form_of_a_latent():
    generator = small()
    mean, factor = np.arange(4.0), np.tril(np.full([4, 4], 0.5))
    generator.autoencoder.set_distribution(mean, factor)
    z = generator.prior(3, 0)
    latent = tf.constant(mean + z.numpy() @ factor.T, tf.float32)
    expected = made(generator, latent, 0, Rollout())
    np.testing.assert_allclose(generator(z, {}).audio, expected, atol=1e-6)


@pytest.mark.parametrize("remembers", [True, False])
def test_it_predicts_what_comes_from_the_recording_itself(remembers):
    generator = small(latent_every_step=remembers)
    audio = tf.random.stateless_normal([2, N], [0, 1])
    coming, said = generator.predict(audio, {}, 3)
    np.testing.assert_array_equal(coming, audio[:, 5:])
    assert said.shape == coming.shape
    # A prediction depends on earlier samples only, except through the latent of the whole audio.
    if not remembers:
        later = tf.concat([audio[:, :30], audio[:, 30:] + 0.5], axis=1)
        changed = np.abs(generator.predict(later, {}, 3)[1] - said).max(axis=0)
        # Behind the first block, so sample 35 of the recording, the first that follows the change.
        assert changed[:30].max() == 0.0
        assert changed[30:].min() > 0.0
    # A rollout that had read the same would say the same.
    beside = generator._step_inputs(
        generator.autoencoder.encode(audio), None, 3, generator.n_buffer + 1
    )
    read = tf.reshape(audio, [2, -1, 5])[:, :-1]
    rolled = Rollout()(generator, read, beside, 1)
    np.testing.assert_allclose(rolled[:, 0], said[:, -5:], atol=1e-6)


def test_what_is_read_is_noisy_relative_to_its_own_level(monkeypatch):
    generator = small(read_noise_db=-20.0)
    read = []
    blocks = generator.blocks
    monkeypatch.setattr(generator, "blocks", lambda b, beside: read.append(b) or blocks(b, beside))
    wave = tf.sin(0.3 * tf.range(N, dtype=tf.float32))
    audio = tf.stack([wave, 0.01 * wave] * 50)
    coming, _ = generator.predict(audio, {}, tf.range(100))
    np.testing.assert_array_equal(coming, audio[:, 5:])
    noise = tf.reshape(read[0], [100, -1]) - audio[:, :-5]
    power = np.mean(noise**2, axis=1) / np.mean(audio**2, axis=1)
    for rows in (power[::2], power[1::2]):
        np.testing.assert_allclose(rows.mean(), 0.01, rtol=0.05)
    assert np.abs(np.corrcoef(noise[0], noise[2])[0, 1]) < 0.5


def test_the_seed_decides_the_noise_row_by_row():
    generator = small(noise_channels=1)
    z = tf.zeros([3, 4])
    audio = generator(z, {}, seed=tf.constant([5, 6, 5])).audio
    np.testing.assert_allclose(audio[0], audio[2], atol=1e-6)
    assert np.abs(audio[0] - audio[1]).max() > 1e-5
    quiet = small()
    audio = quiet(z, {}, seed=tf.constant([5, 6, 5])).audio
    np.testing.assert_allclose(audio[0], audio[1], atol=1e-6)


def test_a_rollout_goes_on():
    generator = small()
    z = generator.prior(1, 0)
    longer = generator(z, {}, seconds=0.333).audio
    assert longer.shape == (1, 333)
    np.testing.assert_allclose(longer[:, :N], generator(z, {}).audio, atol=1e-6)
    assert generator(z, {}, seconds=0.031).audio.shape == (1, 31)
    assert generator(z, {}, seconds=0.5, sample_rate=1500).audio.shape == (1, 750)


def test_one_pass_makes_a_segment_and_no_more():
    generator = small(inference_mode=OnePass())
    z = generator.prior(1, 0)
    assert generator(z, {}).audio.shape == (1, N)
    assert generator(z, {}, seconds=0.031).audio.shape == (1, 31)
    with pytest.raises(UsageError, match="makes at most 0.06 seconds"):
        generator(z, {}, seconds=0.1)


@pytest.mark.parametrize(("block", "fit"), [(7, "5, 6, 10"), (0, "1, 2, 3"), (60, "30")])
def test_blocks_fill_the_segment(block, fit):
    with pytest.raises(UsageError, match=f"got {block} for segments of 60 samples.*{fit}"):
        small(block=block)
