"""Conversions: closed forms, round trips, finite and bounded at the extremes."""

import numpy as np
import pytest
import tensorflow as tf

from synths import amplitude_to_db, db_to_amplitude, exp_sigmoid, hz_to_midi, midi_to_hz
from synths.units import soft_ceiling_db


def gradient(function, x):
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    return tape.gradient(y, x).numpy()


def test_known_notes():
    hz = midi_to_hz([69.0, 81.0, 57.0, 60.0])
    np.testing.assert_allclose(hz, [440, 880, 220, 261.62557], rtol=1e-6)
    np.testing.assert_allclose(hz_to_midi([440.0, 261.6256, 27.5]), [69, 60, 21], rtol=1e-6)


def test_notes_there_and_back():
    notes = tf.linspace(0.0, 127.0, 200)
    np.testing.assert_allclose(hz_to_midi(midi_to_hz(notes)), notes, atol=2e-4)


def test_float64_stays_exact():
    notes = tf.linspace(tf.constant(0.0, tf.float64), 127.0, 50)
    back = hz_to_midi(midi_to_hz(notes))
    assert back.dtype == tf.float64
    np.testing.assert_allclose(back, notes, atol=1e-11)


def test_no_frequency_is_note_zero_without_gradient():
    np.testing.assert_array_equal(hz_to_midi([0.0, -5.0]), [0.0, 0.0])
    np.testing.assert_array_equal(gradient(hz_to_midi, [0.0, -5.0]), [0.0, 0.0])


@pytest.mark.parametrize(
    ("function", "value", "expected"),
    [
        (midi_to_hz, 69, 440.0),
        (hz_to_midi, 440, 69.0),
        (db_to_amplitude, -20, 0.1),
        (amplitude_to_db, 10, 20.0),
        (exp_sigmoid, 0, 2.0 * 0.5 ** np.log(10.0) + 1e-7),
    ],
)
def test_whole_numbers_are_numbers(function, value, expected):
    np.testing.assert_allclose(function(value), expected, rtol=1e-6)
    np.testing.assert_allclose(function(np.array([value])), [expected], rtol=1e-6)
    np.testing.assert_allclose(function(tf.constant([value])), [expected], rtol=1e-6)


def test_decibels_there_and_back():
    np.testing.assert_allclose(db_to_amplitude([0.0, -20.0, 6.0206]), [1, 0.1, 2], rtol=1e-5)
    db = tf.linspace(-90.0, 20.0, 100)
    np.testing.assert_allclose(amplitude_to_db(db_to_amplitude(db)), db, atol=0.03)


def test_amplitude_to_db_is_monotonic_and_bounded_at_silence():
    amplitude = tf.constant(np.concatenate([[0.0], np.logspace(-12, 1, 300)]), tf.float32)
    assert (np.diff(amplitude_to_db(amplitude)) >= 0).all()
    np.testing.assert_allclose(amplitude_to_db(0.0), -140.0, rtol=1e-6)
    slope = gradient(amplitude_to_db, [0.0, 1e-9])
    assert (slope > 0).all()
    assert (slope <= 8.69 / 1e-7).all()


def test_exp_sigmoid_closed_form():
    x = np.linspace(-12, 12, 60)
    expected = 2.0 / (1 + np.exp(-x)) ** np.log(10.0) + 1e-7
    np.testing.assert_allclose(exp_sigmoid(tf.constant(x)), expected, rtol=1e-10)
    expected = 3.0 / (1 + np.exp(-x)) ** np.log(4.0) + 0.01
    y = exp_sigmoid(tf.constant(x), exponent=4.0, max_value=3.0, threshold=0.01)
    np.testing.assert_allclose(y, expected, rtol=1e-10)


def test_exp_sigmoid_at_extremes():
    np.testing.assert_allclose(exp_sigmoid([-1e4, 1e4]), [1e-7, 2.0 + 1e-7], rtol=1e-6)
    assert np.isfinite(gradient(exp_sigmoid, [-1e4, 0.0, 1e4])).all()


def test_soft_ceiling():
    db = tf.linspace(-100.0, 100.0, 401)
    bent = soft_ceiling_db(db, -3.0).numpy()
    assert (bent <= -3.0).all()
    assert (np.diff(bent) >= 0).all()
    np.testing.assert_allclose(bent[:150], db[:150], atol=1e-5)
    np.testing.assert_allclose(soft_ceiling_db(-3.0, -3.0), -3.0 - np.log(2.0), rtol=1e-6)
