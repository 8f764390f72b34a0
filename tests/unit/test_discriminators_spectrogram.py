"""Spectral discriminators: outputs and their dependence on inputs."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from discriminators import (
    ConditionEncoder,
    DiscriminatorOutput,
    MultiDiscriminator,
    SpectrogramDiscriminator,
)
from discriminators.readout import Flatten
from tests import toys

AUDIO = toys.notes(n=6)._audio
FEATURES = ConditionEncoder(("pitch", "velocity"))(
    toys.conditioning(np.linspace(50, 70, 6), np.linspace(20, 120, 6), [0] * 6)
)


@pytest.fixture(autouse=True)
def _seed():
    keras.utils.set_random_seed(0)


def multi():
    return MultiDiscriminator([toys.discriminator(), toys.discriminator(SpectrogramDiscriminator)])


KINDS = {
    "mfcc": toys.discriminator,
    "over time alone": lambda: toys.discriminator(over_bands=False),
    "log-mel": lambda: toys.discriminator(SpectrogramDiscriminator),
    "flattened": lambda: toys.discriminator(read_out=Flatten(), hidden_units=0),
    "multi": multi,
}


@pytest.fixture(params=KINDS)
def adapted(request):
    discriminator = KINDS[request.param]()
    discriminator.adapt(AUDIO)
    return discriminator


def n_scales(discriminator):
    return len(getattr(discriminator, "discriminators", [discriminator]))


def test_one_logit_a_sound_and_a_map_a_convolution_for_each_scale(adapted):
    output = adapted(AUDIO, FEATURES)
    assert isinstance(output, DiscriminatorOutput)
    assert len(output.logits) == len(output.features) == n_scales(adapted)
    for logits, maps in zip(output.logits, output.features, strict=True):
        assert logits.shape == (6,)
        assert logits.dtype == tf.float32
        assert np.std(logits) > 0
        assert [m.shape[-1] for m in maps] == [4, 6]
        assert {m.shape[0] for m in maps} == {6}


def test_adapting_brings_recordings_to_mean_0_and_deviation_1(adapted):
    maps = adapted.front_end(AUDIO)
    assert len(maps) == n_scales(adapted)
    for m in maps:
        np.testing.assert_allclose(np.mean(m, axis=(0, 1)), 0.0, atol=1e-3)
        np.testing.assert_allclose(np.std(m, axis=(0, 1)), 1.0, atol=1e-2)


def test_adapting_again_replaces_what_was_taken(adapted):
    n_weights = len(adapted.weights)
    adapted.adapt(0.01 * AUDIO[:2])
    for m in adapted.front_end(0.01 * AUDIO[:2]):
        np.testing.assert_allclose(np.mean(m, axis=(0, 1)), 0.0, atol=1e-3)
    assert len(adapted.weights) == n_weights


def test_what_is_taken_from_recordings_is_not_trained(adapted):
    adapted(AUDIO, FEATURES)
    trained = {v.path for v in adapted.trainable_variables}
    fixed = {v.path for v in adapted.weights} - trained
    assert {path.rsplit("/")[-1] for path in fixed} == {"mean", "deviation"}
    assert len(fixed) == 2 * n_scales(adapted)


def test_several_judge_as_each_would():
    both = multi()
    both.adapt(AUDIO)
    logits = both(AUDIO, FEATURES).logits
    for discriminator, one in zip(both.discriminators, logits, strict=True):
        np.testing.assert_allclose(discriminator(AUDIO, FEATURES).logits[0], one, atol=1e-5)


def test_silence_is_judged_and_has_a_finite_gradient(adapted):
    silence = tf.zeros([2, toys.N_SAMPLES])
    with tf.GradientTape() as tape:
        tape.watch(silence)
        total = tf.add_n(adapted(silence, FEATURES[:2]).logits)
    assert np.isfinite(total).all()
    assert np.isfinite(tape.gradient(total, silence)).all()


def test_judging_before_adapting_says_what_to_do():
    with pytest.raises(ValueError, match=r"adapt\(audio\)"):
        toys.discriminator()(AUDIO)
