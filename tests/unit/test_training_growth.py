"""The schedule of growing, and how recordings look at a level."""

import types

import numpy as np
import pytest

from discriminators import MultiDiscriminator
from discriminators.drum_dcgan import DrumDCGANDiscriminator
from discriminators.growing_gan import GrowingGANDiscriminator
from discriminators.periods import PeriodDiscriminator
from discriminators.recurrent import RecurrentDiscriminator
from discriminators.waveform import WaveGANDiscriminator
from noisygan.errors import UsageError
from noisygan.training.growth import (
    Growth,
    Plan,
    check_discriminator,
    decimate,
    downsample_to_level,
)

SAMPLE_RATE = 16000


def sine(hz, n=4096, rate=SAMPLE_RATE):
    return np.sin(2 * np.pi * hz * np.arange(n) / rate).astype(np.float32)[None]


def plan_of(n_levels, batch_size, *arguments, **settings):
    network = types.SimpleNamespace(n_levels=n_levels)
    return Plan(network, network, Growth(*arguments, **settings), batch_size)


def test_a_level_follows_the_other_after_its_sounds():
    plan = plan_of(3, 16, sounds=100, fade_sounds=40, batch_sizes=[10, 5, 4])
    levels = [plan.stage(step).level for step in range(40)]
    assert levels == [0] * 10 + [1] * 20 + [2] * 10
    assert plan.stage(29) == (1, 1.0, 5, None, 10, 30)
    assert plan.stage(1000) == (2, 1.0, 4, None, 30, None)


def test_a_level_is_faded_in_from_0_by_its_share_of_sounds():
    plan = plan_of(2, 16, sounds=100, fade_sounds=40, batch_sizes=10)
    alphas = [plan.stage(step).alpha for step in range(8, 18)]
    np.testing.assert_allclose(alphas, [1, 1, 0, 0.25, 0.5, 0.75, 1, 1, 1, 1])
    plan = plan_of(3, 4, sounds=[4, 8], fade_sounds=[4, 8])
    assert [plan.stage(s).alpha for s in range(6)] == [1.0, 0.0, 1.0, 0.0, 0.5, 1.0]
    # The lowest level needs no fade, and the highest has no end.
    plan = plan_of(3, 4, sounds=[4, 8], fade_sounds=8)
    assert [plan.stage(s).alpha for s in range(5)] == [1.0, 0.0, 0.5, 0.0, 0.5]


@pytest.mark.parametrize(("rates", "expected"), [([1e-3, 5e-4], 5e-4), (1e-3, 1e-3)])
def test_the_batch_size_is_the_trainers_and_the_learning_rate_that_of_the_level(rates, expected):
    plan = plan_of(2, 16, sounds=32, fade_sounds=16, learning_rates=rates)
    assert [plan.stage(s).batch_size for s in (0, 2)] == [16, 16]
    assert [plan.stage(s).learning_rate for s in (0, 1, 2)] == [1e-3, 1e-3, expected]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            {"sounds": [10, 20, 30, 40]},
            "Growth.sounds: got 4 values, expected 3 for",
        ),
        ({"batch_sizes": [4, 2]}, "Growth.batch_sizes: got 2 values"),
        ({"fade_sounds": [1, 2, 3]}, "Growth.fade_sounds: got 3 values, expected 2"),
        ({"learning_rates": [1e-3]}, "Growth.learning_rates: got 1 values, expected 3"),
        (
            {"sounds": [1, 4, 1]},
            "Growth.fade_sounds: got 5, but level 1 ends after 4 sounds; expected 4 or fewer",
        ),
    ],
)
def test_settings_for_other_networks_are_refused(settings, said):
    with pytest.raises(UsageError, match=said):
        plan_of(3, 16, **({"sounds": 10, "fade_sounds": 5} | settings))


def test_decimation_keeps_the_band_below_and_nothing_above():
    kept = decimate(sine(400), 8).numpy()[0, 50:-50]
    # A sample stands in the middle of those it replaces.
    times = 8 * np.arange(512) + 3.5
    np.testing.assert_allclose(
        kept, np.sin(2 * np.pi * 400 * times / SAMPLE_RATE)[50:-50], atol=1e-3
    )
    above = decimate(sine(1400), 8).numpy()[0, 50:-50]
    assert np.abs(above).max() < 1e-3


def test_at_alpha_0_recordings_are_those_of_the_level_below_repeated():
    audio = sine(300) + sine(1500)
    lower = downsample_to_level(audio, 512, None, 1.0).numpy()
    faded = downsample_to_level(audio, 1024, 512, 0.0).numpy()
    np.testing.assert_allclose(faded, np.repeat(lower, 2, axis=1), atol=1e-6)
    full = downsample_to_level(audio, 1024, 512, 1.0).numpy()
    np.testing.assert_allclose(full, decimate(audio, 4).numpy(), atol=1e-6)
    np.testing.assert_array_equal(downsample_to_level(audio, 4096, 1024, 1.0).numpy(), audio)
    half = downsample_to_level(audio, 1024, 512, 0.5).numpy()
    np.testing.assert_allclose(half, 0.5 * (full + faded), atol=1e-6)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: WaveGANDiscriminator(512, 1), "expected 512; set WaveGANDiscriminator.n_samples"),
        (lambda: DrumDCGANDiscriminator(4096), "set DrumDCGANDiscriminator.n_samples = 1024"),
        # A divisor: the sounds would be taken for twice as many of half the length.
        (lambda: RecurrentDiscriminator(512), "set RecurrentDiscriminator.n_samples = 1024"),
        (lambda: PeriodDiscriminator(2000), "a period of 2000, expected a period of 1024 or less"),
        (
            lambda: MultiDiscriminator([PeriodDiscriminator(2), WaveGANDiscriminator(512, 1)]),
            "got audio of 1024 samples, expected 512",
        ),
        (
            lambda: MultiDiscriminator([GrowingGANDiscriminator((2, 1), 512, group_size=3)]),
            "got 4, expected multiples of .*group_size, 3: 3 or 6",
        ),
    ],
)
def test_what_a_discriminator_cannot_judge_is_refused_before_training(make, said):
    with pytest.raises(UsageError, match=said) as caught:
        check_discriminator(make(), [1024], [4], None)
    assert "\n" not in str(caught.value)
    judge = MultiDiscriminator([PeriodDiscriminator(2), WaveGANDiscriminator(1024, 1)])
    check_discriminator(judge, [1024], [4], None)
