"""Time coordinates: functions of seconds."""

import numpy as np
import pytest
import tensorflow as tf

from cppn import Attack, Linear, Periodic, Release, Vibrato

TIMES = np.linspace(0.0, 6.0, 61, dtype=np.float32)
NOTE_OFF = np.float32([1.0, 3.5])
LATENT = np.random.default_rng(0).normal(size=(2, 5)).astype(np.float32)


def curves(coordinate, times=TIMES, note_off=NOTE_OFF, latent=LATENT):
    return coordinate(*[tf.constant(x, tf.float32) for x in (times, note_off, latent)]).numpy()


def test_linear_goes_from_minus_one_to_one_and_on():
    line = curves(Linear(3.0))
    assert line.shape == (2, 61, 1)
    np.testing.assert_allclose(line[0, [0, 15, 30, 60], 0], [-1, 0, 1, 3], atol=1e-6)


def test_attack_rises_by_its_time_constants_and_comes_to_rest():
    rise = curves(Attack((0.1, 1.0)))
    assert rise.shape == (2, 61, 2)
    np.testing.assert_allclose(rise[0, :, 0], 1 - np.exp(-TIMES / 0.1), atol=1e-6)
    np.testing.assert_allclose(rise[1, :, 1], 1 - np.exp(-TIMES / 1.0), atol=1e-6)
    late = curves(Attack(), np.float32([30.0, 60.0, 600.0]))
    np.testing.assert_array_equal(late, np.ones_like(late))


def test_release_is_nothing_until_the_note_is_let_go():
    fall = curves(Release((0.05, 0.3), ramp_seconds=2.0))
    assert fall.shape == (2, 61, 3)
    for row, off in zip(fall, NOTE_OFF, strict=True):
        since = TIMES - off
        assert (row[since <= 0] == 0).all()
        row, since = row[since > 0], since[since > 0]
        np.testing.assert_allclose(row[:, 1], 1 - np.exp(-since / 0.3), atol=1e-5)
        np.testing.assert_allclose(row[:, 2], np.minimum(since / 2, 1), atol=1e-5)


def test_a_note_that_is_never_released_has_no_release_and_no_gradient_of_it():
    note_off = tf.constant([np.inf, 1e9])
    with tf.GradientTape() as tape:
        tape.watch(note_off)
        fall = Release()(tf.constant(TIMES), note_off, None)
    assert not fall.numpy().any()
    assert not tape.gradient(fall, note_off).numpy().any()


def test_the_release_is_the_same_however_long_the_note_was_held():
    short = curves(Release(), 1.0 + TIMES, np.float32([1.0, 1.0]))
    long = curves(Release(), 9.0 + TIMES, np.float32([9.0, 9.0]))
    np.testing.assert_allclose(short, long, atol=1e-4)


@pytest.mark.parametrize(
    "make",
    [lambda: Linear(3.0), Attack, Release, Periodic, Vibrato],
    ids=lambda make: make.__name__,
)
def test_each_note_may_have_moments_of_its_own(make):
    coordinate = make()
    own = np.stack([TIMES, 0.5 * TIMES + 1.0])
    together = curves(coordinate, own)
    for row, times in enumerate(own):
        np.testing.assert_allclose(together[row], curves(coordinate, times)[row], atol=1e-6)


def test_periodic_repeats():
    waves = curves(Periodic((0.5, 2.0)))
    assert waves.shape == (2, 61, 4)
    np.testing.assert_allclose(waves[0, :, 1], np.sin(2 * np.pi * 2.0 * TIMES), atol=1e-5)
    np.testing.assert_allclose(waves[1, :, 2], np.cos(2 * np.pi * 0.5 * TIMES), atol=1e-5)
    np.testing.assert_allclose(waves[:, :41], waves[:, 20:], atol=1e-5)


def test_vibrato_is_regular_at_the_notes_own_rate():
    vibrato = Vibrato(n=2, min_hz=3.0, max_hz=8.0, fade_seconds=0.4)
    waves = curves(vibrato)
    assert waves.shape == (2, 61, 8)
    sines, cosines = waves[:, :, :2], waves[:, :, 2:4]
    np.testing.assert_allclose(sines**2 + cosines**2, np.ones_like(sines), atol=1e-5)
    rates = vibrato.rates_hz(tf.constant(LATENT)).numpy()
    assert (rates > 3.0).all()
    assert (rates < 8.0).all()
    assert np.abs(np.diff(rates, axis=0)).min() > 1e-3
    for note in range(2):
        for i in range(2):
            periods = np.arange(20, dtype=np.float32) / rates[note, i]
            pulse = curves(vibrato, 0.05 + periods)[note]
            np.testing.assert_allclose(pulse[:, i], np.full(20, pulse[0, i]), atol=1e-4)
            np.testing.assert_allclose(pulse[:, 2 + i], np.full(20, pulse[0, 2 + i]), atol=1e-4)


def test_vibrato_may_have_no_depth():
    vibrato = Vibrato()
    curves(vibrato)
    vibrato.depth.bias.assign([-20.0])
    assert np.abs(curves(vibrato)).max() < 1e-6


def test_vibrato_has_no_seam_at_a_full_turn():
    # The phase is the angle of two outputs: with the latent itself as these, drawn around a circle.
    vibrato = Vibrato()
    curves(vibrato, latent=np.zeros((2, 3), np.float32))
    vibrato.phase.kernel.assign([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    vibrato.phase.bias.assign([0.0, 0.0])
    turn = np.linspace(0, 4 * np.pi, 400)
    latent = np.stack([np.cos(turn), np.sin(turn), 0 * turn], axis=1)
    waves = curves(vibrato, TIMES[:1], np.ones(400), latent)[:, 0, :2]
    assert np.abs(np.diff(waves, axis=0)).max() < 0.05
    np.testing.assert_allclose(waves[:, 0], np.sin(turn), atol=1e-4)


def test_a_code_of_zeros_begins_at_phase_0_with_finite_slopes():
    vibrato, latent = Vibrato(), tf.zeros([2, 5])
    with tf.GradientTape() as tape:
        tape.watch(latent)
        waves = vibrato(tf.zeros([1]), tf.ones([2]), latent)
        loss = tf.reduce_sum(waves)
    np.testing.assert_allclose(waves[:, 0, :2], [[0.0, 1.0]] * 2, atol=1e-6)
    for slope in tape.gradient(loss, [latent, *vibrato.trainable_variables]):
        assert np.isfinite(slope).all()
