"""Augmentation: each change by closed form, seeds, gradients, and equal draws for real and fake."""

import numpy as np
import pytest
import tensorflow as tf

from noisygan.training.augmentation import Augmentation, Gain, Noise, Polarity, Shift, TimeMask
from tests import toys

SEED = tf.constant([3, 4])
SOUND = np.random.default_rng(0).normal(size=(200, 400)).astype(np.float32)
PARTS = {
    "polarity": Polarity(),
    "gain": Gain(),
    "shift": Shift(16000, 5.0),
    "noise": Noise(-20.0),
    "mask": TimeMask(16000, 5.0),
}


@pytest.fixture(params=PARTS)
def part(request):
    return PARTS[request.param]


def test_polarity_turns_a_share_of_the_sounds():
    for probability, low, high in ((0.0, 0, 0), (0.25, 30, 70), (1.0, 200, 200)):
        signs = Polarity(probability)(SOUND, SEED) / SOUND
        assert np.ptp(signs, axis=1).max() == 0.0
        assert set(np.unique(signs)) <= {-1.0, 1.0}
        assert low <= np.sum(signs[:, 0] < 0) <= high


def test_gains_are_uniform_in_decibels():
    gains = (Gain(3.0)(SOUND, SEED) / SOUND).numpy()
    np.testing.assert_allclose(gains, np.tile(gains[:, :1], 400), rtol=1e-5)
    db = 20 * np.log10(gains[:, 0])
    assert -3.0 <= db.min() < -2.8
    assert 2.8 < db.max() <= 3.0
    np.testing.assert_allclose(np.mean(db), 0.0, atol=0.5)


def test_shifts_are_whole_samples_and_bring_silence():
    shifted = Shift(16000, 0.5)(SOUND, SEED).numpy()
    found = set()
    for before, after in zip(SOUND, shifted, strict=True):
        padded = np.pad(before, 8)
        (later,) = (s for s in range(-8, 9) if np.array_equal(padded[8 - s : 408 - s], after))
        found.add(later)
    assert found == set(range(-8, 9))


def test_noise_is_white_and_at_most_as_loud_as_asked():
    noise = (Noise(-20.0)(SOUND, SEED) - SOUND).numpy()
    levels = np.sqrt(np.mean(noise**2, axis=1))
    assert levels.min() < 0.01
    assert 0.09 < levels.max() < 0.11
    loud = noise[levels > 0.05] / levels[levels > 0.05, None]
    between_samples = np.mean(loud[:, 1:] * loud[:, :-1])
    between_rows = np.mean(loud[1:] * loud[:-1])
    assert max(abs(between_samples), abs(between_rows)) < 0.02


def test_masks_silence_one_stretch_within_the_sound():
    masked = TimeMask(16000, 5.0)(SOUND, SEED).numpy()
    lengths = []
    for before, after in zip(SOUND, masked, strict=True):
        places = np.flatnonzero(before != after)
        np.testing.assert_array_equal(after[places], 0.0)
        if places.size:
            assert np.ptp(places) + 1 == places.size
        lengths.append(places.size)
    assert max(lengths) <= 81  # 5 ms are 80 samples
    np.testing.assert_allclose(np.mean(lengths), 40, atol=6)
    longer = TimeMask(16000, 1000.0)(SOUND, SEED).numpy()
    assert 0 < np.mean(longer == 0.0) < 1


def test_each_row_has_its_own_numbers(part):
    same = np.tile(SOUND[:1], (50, 1))
    changed = part(same, SEED).numpy()
    assert len(np.unique(changed, axis=0)) >= (2 if isinstance(part, Polarity) else 40)


def test_the_seed_decides_and_nothing_else_does(part):
    expected = part(SOUND, SEED)
    tf.random.set_seed(99)
    np.testing.assert_array_equal(part(SOUND, SEED), expected)
    assert np.abs(part(SOUND, SEED + 1) - expected).max() > 0
    graph = tf.function(
        part, input_signature=[tf.TensorSpec([None, 400]), tf.TensorSpec([2], tf.int32)]
    )
    np.testing.assert_allclose(graph(SOUND, SEED), expected, atol=1e-5)


def test_two_batches_with_one_seed_are_changed_alike(part):
    # Recordings and fakes: the change of their difference is the difference of their changes.
    real, fake = SOUND[:100], SOUND[100:]
    difference = part(real, SEED) - part(fake, SEED)
    silence = part(np.zeros_like(real), SEED)
    np.testing.assert_allclose(difference, part(real - fake, SEED) - silence, atol=1e-5)


def test_the_gradient_is_that_of_the_change(part):
    # Each change is linear but for what it adds: the gradient of a product with fixed weights
    # brings back, from any sound, that product.
    weights = tf.random.stateless_normal(SOUND.shape, [1, 2])
    sound = tf.constant(SOUND)
    with tf.GradientTape() as tape:
        tape.watch(sound)
        changed = part(sound, SEED)
        total = tf.reduce_sum(weights * changed)
    slope = tf.convert_to_tensor(tape.gradient(total, sound))
    added = part(tf.zeros_like(sound), SEED)
    expected = tf.reduce_sum(weights * (changed - added), axis=1)
    np.testing.assert_allclose(tf.reduce_sum(slope * sound, axis=1), expected, rtol=1e-3, atol=1e-3)


def test_several_are_applied_in_order_with_their_own_seeds():
    parts = [Gain(6.0), Noise(-20.0), Gain(6.0)]
    seeds = [tf.random.experimental.stateless_fold_in(SEED, i) for i in range(3)]
    expected = tf.constant(SOUND)
    for part, seed in zip(parts, seeds, strict=True):
        expected = part(expected, seed)
    np.testing.assert_array_equal(Augmentation(parts)(SOUND, SEED), expected)
    assert np.abs(parts[0](SOUND, seeds[0]) - parts[2](SOUND, seeds[2])).max() > 0.1
    np.testing.assert_array_equal(Augmentation([])(SOUND, SEED), SOUND)


# In a training


@pytest.fixture(scope="module")
def trained():
    trainer = toys.trainer(augmentation=Augmentation([Polarity(), Shift(16000, 2.0)]))
    trainer.build(toys.notes(), seed=3)
    return trainer


def test_real_and_fake_audio_pass_through_it_with_one_seed(trained, monkeypatch):
    calls = []

    def halve(audio, seed):
        calls.append((audio, seed.numpy().tolist()))
        return 0.5 * audio

    monkeypatch.setattr(trained.gan, "augmentation", halve)
    batch = next(iter(toys.notes().batches(3, 1)))
    examples = trained.gan.generate(batch, tf.constant([3, 8]))
    (real, real_seed), (fake, fake_seed) = calls
    assert real_seed == fake_seed
    assert real_seed not in ([3, 8], [4, 9], [5, 10])  # latents, noise, regularizers
    # What is compared and measured is not augmented; what is scored is.
    np.testing.assert_array_equal(real, batch["audio"])
    np.testing.assert_array_equal(real, examples.real)
    np.testing.assert_array_equal(fake, examples.fake)
    for audio, features in ((real, examples.real_features), (fake, examples.fake_features)):
        (expected,) = trained.discriminator.front_end(0.5 * audio)
        np.testing.assert_allclose(features[0], expected, atol=1e-5)


def test_the_generators_gradient_passes_through_it(trained):
    batch = next(iter(toys.notes().batches(3, 1)))
    values = [v.value for v in trained.generator.trainable_variables]
    with tf.GradientTape() as tape:
        loss, _ = trained.gan.g_loss(trained.gan.generate(batch, tf.constant([3, 8])))
    slopes = [s for s in tape.gradient(loss, values) if s is not None]
    assert np.isfinite(tf.linalg.global_norm(slopes)) and tf.linalg.global_norm(slopes) > 0
