"""Condition encoder: closed forms, ranges; projection."""

import numpy as np
import pytest
import tensorflow as tf

from discriminators import ConditionEncoder
from discriminators.conditioning import projected
from discriminators.drum_dcgan import DrumDCGANDiscriminator
from discriminators.growing_gan import GrowingGANDiscriminator
from discriminators.periods import PeriodDiscriminator
from discriminators.recurrent import RecurrentDiscriminator
from discriminators.waveform import WaveGANDiscriminator


def conditioning(pitch=(60.0, 61.0, 90.0), velocity=(0.0, 63.5, 127.0), label=(0, 2, 1)):
    return {
        "pitch": tf.constant(pitch),
        "velocity": tf.constant(velocity),
        "label": tf.constant(label),
    }


def test_each_recorded_pitch_has_a_feature_and_others_are_mixtures_of_their_neighbours():
    condition_encoder = ConditionEncoder(("pitch",), pitches=(50, 53, 60))
    features = condition_encoder(conditioning(pitch=(53.0, 51.0, 58.25))).numpy()
    np.testing.assert_allclose(features[:, :3], [[0, 1, 0], [2 / 3, 1 / 3, 0], [0, 0.25, 0.75]])
    np.testing.assert_allclose(features[:, 3], [-2 / 12, -4 / 12, 3.25 / 12], atol=1e-6)


def test_pitches_beyond_the_recorded_ones_are_taken_as_the_nearest():
    condition_encoder = ConditionEncoder(("pitch",), pitches=(50, 70))
    features = condition_encoder(conditioning(pitch=(70.0, 90.0, 20.0))).numpy()
    np.testing.assert_allclose(features, [[0, 1, 10 / 12], [0, 1, 10 / 12], [1, 0, -10 / 12]])


def test_pitches_of_the_recordings_take_the_place_of_the_default():
    condition_encoder = ConditionEncoder(("pitch",))
    condition_encoder.set_data(1, [])
    assert condition_encoder(conditioning()).shape == (3, 89)
    condition_encoder.set_data(1, [60, 48, 60])
    assert condition_encoder(conditioning()).shape == (3, 3)


def test_velocity_enters_straight_and_as_a_logarithm():
    features = ConditionEncoder(("velocity",))(conditioning())
    expected = [[-1, np.log(0.05)], [0, np.log(0.55)], [1, np.log(1.05)]]
    np.testing.assert_allclose(features, expected, atol=1e-6)


def test_labels_are_one_hot():
    features = ConditionEncoder(("label",), n_labels=3)(conditioning())
    np.testing.assert_array_equal(features, np.eye(3)[[0, 2, 1]])


def test_tags_are_scaled_numbers_and_one_hot_categories():
    encoder = ConditionEncoder((), tags=("mic", "decay"))
    encoder.set_data(1, [], {"decay": (1.0, 3.0), "mic": ("close", "far"), "unused": (0.0, 1.0)})
    assert encoder.names == ("mic", "decay")
    features = encoder({"mic": tf.constant([1.0, 0.0]), "decay": tf.constant([1.5, 9.0])})
    np.testing.assert_allclose(features, [[0, 1, -0.5], [1, 0, 1]])
    encoder.set_data(1, [], {"decay": (2.0, 2.0), "mic": ("close",)})
    one = {"mic": tf.constant([0.0]), "decay": tf.constant([2.0])}
    np.testing.assert_allclose(encoder(one), [[1, -1]])


def test_only_what_is_named_is_needed_and_nothing_gives_none():
    features = ConditionEncoder(("velocity",))({"velocity": tf.constant([64.0])})
    assert features.shape == (1, 2)
    assert ConditionEncoder(())({}) is None
    everything = ConditionEncoder(ConditionEncoder.NAMES, n_labels=3)(conditioning())
    assert everything.shape == (3, 88 + 1 + 2 + 3)


def test_an_unknown_name_is_refused():
    with pytest.raises(ValueError, match="got tempo, expected some of pitch, velocity, label"):
        ConditionEncoder(("pitch", "tempo"))


def test_a_projection_is_an_inner_product_and_nothing_where_nothing_is_known():
    def doubled(conditioning):
        return tf.repeat(2.0 * conditioning, 2, axis=1)

    read = tf.constant([[1.0, 2.0], [3.0, -1.0]])
    # 2 * (1 + 2) and 10 * (3 - 1).
    np.testing.assert_allclose(projected(doubled, tf.constant([[1.0], [5.0]]), read), [6.0, 20.0])
    assert projected(doubled, None, read) == 0.0


PROJECTING = {
    "wavegan": lambda: WaveGANDiscriminator(128, units=2, kernel_size=5, shuffle=0),
    "drum dcgan": lambda: DrumDCGANDiscriminator(128, (3, 4), (4, 1), (1, 2), 5, dropout=0.0),
    "recurrent": lambda: RecurrentDiscriminator(128, units=4, block=8),
    "growing gan": lambda: GrowingGANDiscriminator((4, 3), 64, kernel_size=5, group_size=2),
    "period": lambda: PeriodDiscriminator(3, n_filters=(4,)),
}


@pytest.mark.parametrize("make", PROJECTING.values(), ids=PROJECTING)
def test_conditions_enter_each_by_the_whole_inner_product(make):
    discriminator = make()
    audio = tf.random.stateless_normal([4, 128], [1, 2])
    discriminator.adapt(audio)
    features = tf.random.stateless_normal([4, 3], [3, 4])
    told, plain = (discriminator(audio, known) for known in (features, None))
    last = plain.features[0][-1]
    read = tf.reduce_mean(last, axis=range(1, last.shape.rank - 1)) if last.shape.rank > 2 else last
    expected = tf.reduce_sum((features @ discriminator.projection.kernel) * read, axis=1)
    assert np.abs(expected).min() > 1e-6
    np.testing.assert_allclose(told.logits[0] - plain.logits[0], expected, rtol=1e-3, atol=1e-6)
