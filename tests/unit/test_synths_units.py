"""Unit conversions: closed forms, round trips, extremes."""

import numpy as np
import pytest
import tensorflow as tf

from synths import (
    amplitude_to_db,
    bark_to_hz,
    db_to_amplitude,
    exp_sigmoid,
    hz_to_bark,
    hz_to_erb,
    hz_to_mel,
    hz_to_midi,
    hz_to_unit,
    log10,
    logb,
    mel_to_hz,
    midi_to_hz,
    midi_to_unit,
    safe_divide,
    safe_log,
    soft_limit,
    sym_exp_sigmoid,
    unit_to_hz,
    unit_to_midi,
)
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


def test_no_frequency_is_note_zero_without_gradient():
    np.testing.assert_array_equal(hz_to_midi([0.0, -5.0]), [0.0, 0.0])
    np.testing.assert_array_equal(gradient(hz_to_midi, [0.0, -5.0]), [0.0, 0.0])


@pytest.mark.parametrize(
    ("there", "back", "known"),
    [
        (lambda x: unit_to_midi(x / 8000), lambda y: 8000 * midi_to_unit(y), {4000.0: 55.0}),
        (
            lambda x: hz_to_unit(x, 20.0, 20000.0),
            lambda y: unit_to_hz(y, 20.0, 20000.0),
            {20.0: 0.0, 2000.0: 2 / 3, 20000.0: 1.0},
        ),
        (hz_to_bark, bark_to_hz, {0.0: -0.53, 1960.0: 12.875}),
        (hz_to_mel, mel_to_hz, {0.0: 0.0, 6300.0: 2595.0}),
    ],
    ids=["unit and midi", "unit and hz", "bark", "mel"],
)
def test_scales_there_and_back(there, back, known):
    x = np.linspace(20.0, 8000.0, 50)
    assert there(x).dtype == tf.float64
    np.testing.assert_allclose(back(there(x)), x, rtol=1e-12)
    assert (np.diff(there(x)) > 0).all()
    for value, expected in known.items():
        np.testing.assert_allclose(there(np.float64(value)), expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("clip", [False, True])
def test_units_are_clipped_where_that_is_asked(clip):
    ends = [0.0, 1.0] if clip else [-1.0, 2.0]
    np.testing.assert_allclose(unit_to_midi([-1.0, 2.0], 10, 20, clip), 10 + 10 * np.array(ends))
    np.testing.assert_allclose(midi_to_unit([0.0, 30.0], 10, 20, clip), ends)
    hz = unit_to_hz([-1.0, 2.0], 100.0, 200.0, clip)
    np.testing.assert_allclose(hz, 100 * 2.0 ** np.array(ends), rtol=1e-5)
    np.testing.assert_allclose(hz_to_unit([50.0, 400.0], 100.0, 200.0, clip), ends, atol=1e-5)


def test_bandwidths():
    np.testing.assert_allclose(hz_to_erb([0.0, 1000.0]), [24.7, 132.7], rtol=1e-6)


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


def test_logarithms():
    np.testing.assert_allclose(safe_log([2.0, 0.0, -3.0]), np.log([2.0, 1e-5, 1e-5]), rtol=1e-5)
    np.testing.assert_allclose(safe_log(2.0, eps=0.5), np.log(2.5), rtol=1e-6)
    np.testing.assert_allclose(logb(8.0), 3.0, rtol=1e-5)
    np.testing.assert_allclose(logb(27.0, 3.0, eps=0.0), 3.0, rtol=1e-6)
    np.testing.assert_allclose(log10([1000.0, 0.0]), [3.0, -5.0], rtol=1e-5)


def test_exp_sigmoid_closed_form():
    x = np.linspace(-12, 12, 60)
    expected = 2.0 / (1 + np.exp(-x)) ** np.log(10.0) + 1e-7
    np.testing.assert_allclose(exp_sigmoid(tf.constant(x)), expected, rtol=1e-10)
    expected = 3.0 / (1 + np.exp(-x)) ** np.log(4.0) + 0.01
    y = exp_sigmoid(tf.constant(x), exponent=4.0, max_value=3.0, threshold=0.01)
    np.testing.assert_allclose(y, expected, rtol=1e-10)


def test_soft_ceiling():
    db = tf.linspace(-100.0, 100.0, 401)
    bent = soft_ceiling_db(db, -3.0).numpy()
    assert (bent <= -3.0).all()
    assert (np.diff(bent) >= 0).all()
    np.testing.assert_allclose(bent[:150], db[:150], atol=1e-5)
    np.testing.assert_allclose(soft_ceiling_db(-3.0, -3.0), -3.0 - np.log(2.0), rtol=1e-6)


def test_sym_exp_sigmoid_rises_to_both_sides():
    x = np.linspace(-3, 3, 31)
    y = sym_exp_sigmoid(x).numpy()
    np.testing.assert_allclose(y, y[::-1])
    assert (np.diff(y[15:]) > 0).all()
    np.testing.assert_allclose(y, exp_sigmoid(8.0 * (np.abs(x) / 2 - 1)))
    np.testing.assert_allclose(sym_exp_sigmoid(1.0, width=4.0), exp_sigmoid(-2.0))


def test_soft_limit():
    np.testing.assert_allclose(soft_limit(np.float64([-1e3, 50.0, 1e3]), 20, 120), [20, 70, 120])
    assert np.isfinite(gradient(soft_limit, [-1e4, 0.0, 1e4])).all()


@pytest.mark.parametrize("ref_db", [-30.0, 0.0, 20.7])
def test_silence_is_range_db_below_0_whatever_the_reference(ref_db):
    def to_db(amplitude):
        return amplitude_to_db(amplitude, ref_db=ref_db, range_db=60.0)

    np.testing.assert_allclose(to_db(0.0), -60.0, rtol=1e-6)
    np.testing.assert_allclose(to_db(10.0 ** (ref_db / 20.0)), 0.0, atol=1e-4)
    amplitude = tf.constant(np.concatenate([[0.0], np.logspace(-9, 2, 300)]), tf.float32)
    assert (np.diff(to_db(amplitude)) >= 0).all()
    slope = gradient(to_db, [0.0, 1e-9, 1e-3, 1.0])
    assert (slope >= 0).all()
    # Of 10 log10(a**2 + c): at most 10 / ln(10) / sqrt(c).
    assert slope.max() <= 4.35 * 10.0 ** ((60.0 - ref_db) / 20.0)


def test_a_quotient_stays_bounded_near_0():
    quotient = safe_divide(np.float32([1.0] * 5), np.float32([2.0, 1e-9, 0.0, -1e-9, -2.0]))
    np.testing.assert_allclose(quotient, [0.5, 1e7, 1e7, -1e7, -0.5], rtol=1e-6)
