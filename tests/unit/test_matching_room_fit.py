"""Reverb: where the dry sound ends, and the impulse response that is fitted."""

import numpy as np
import pytest
import tensorflow as tf

from noisygan.matching.room_fit import Response, Room, find_room, level_without, octaves

RATE = 16000


def note(behind=0.8):
    """A held tone of a second, and silence."""
    times = np.arange(round((1.0 + behind) * RATE)) / RATE
    tone = sum(np.sin(2 * np.pi * 311.0 * k * times + k) / k for k in range(1, 11))
    return 0.1 * tone * 10.0 ** (-3.0 * np.maximum(times - 1.0, 0.0) / 0.05)


def in_room(audio, seconds, wet):
    """The same with a reverb of decaying noise."""
    times = np.arange(round(1.2 * seconds * RATE)) / RATE
    response = np.random.default_rng(0).normal(size=len(times)) * 10.0 ** (-3 * times / seconds)
    response *= np.sqrt(wet / np.sum(response**2))
    size = 1 << (len(audio) + len(response)).bit_length()
    spectra = np.fft.rfft(audio, size) * np.fft.rfft(response, size)
    return audio + np.fft.irfft(spectra, size)[: len(audio)]


@pytest.mark.parametrize("cut_at", [None, 1.2, 1.8])
def test_a_room_begins_where_the_level_falls_fastest(cut_at):
    audio = in_room(note(), 0.7, 0.25)
    if cut_at:  # the end of the recording is no such fall
        audio = np.append(audio[: round(cut_at * RATE)], np.zeros(RATE // 2))
        audio = np.round(audio * 2**15) / 2**15
    room = find_room(audio, RATE, 0.7)
    assert room.seconds == 0.7
    assert 95 <= room.begin <= 105
    assert room.wet == pytest.approx(0.25, rel=0.5)


def test_a_dry_note_has_no_room():
    assert find_room(note(), RATE, 1.0) is None
    at_once = np.where(np.arange(2 * RATE) < RATE, np.resize(note(0.0), 2 * RATE), 0.0)
    assert find_room(at_once, RATE, 1.0) is None


def test_the_dry_level_is_silent_after_the_note():
    dry = level_without(Room(1.0, 0.21, 20, 25), np.ones(60))
    np.testing.assert_allclose(dry[:21], 1.0 / 1.1)
    assert np.all(dry[36:] < 1e-3)


def start(response):
    return {name: tf.constant(unknown.start) for name, unknown in response.parameters.items()}


@pytest.mark.parametrize(("seconds", "wet"), [(0.4, 0.1), (1.5, 2.0)])
def test_the_response_starts_at_the_rooms_energy_and_decay_and_has_gradients(seconds, wet):
    response = Response(Room(seconds, wet, 10, 20), RATE)
    values = start(response)
    with tf.GradientTape() as tape:
        tape.watch(values)
        ir = response(values)
        loss = tf.reduce_sum(tf.abs(ir))
    for name, gradient in tape.gradient(loss, values).items():
        assert np.all(np.isfinite(gradient)) and np.any(gradient.numpy() != 0.0), name
    ir = ir.numpy()
    assert np.sum(ir**2) == pytest.approx(wet, rel=1e-4)
    assert np.all(ir[:16] == 0.0)
    rest = -10 * np.log10(np.cumsum(ir[::-1] ** 2)[::-1] / np.sum(ir**2))
    found = 3.0 * (np.searchsorted(rest, 25.0) - np.searchsorted(rest, 5.0)) / RATE
    assert found == pytest.approx(seconds, rel=0.1)


def test_octaves_add_up_and_have_their_own_decay():
    np.testing.assert_allclose(octaves(np.linspace(0.0, 8000.0, 4097)).sum(axis=0), 1.0, rtol=1e-6)
    response = Response(Room(1.0, 0.5, 10, 20), RATE)
    values = start(response)
    seconds = values["room/seconds"].numpy()
    seconds[-1] = np.log(0.1)
    ir = response(values | {"room/seconds": tf.constant(seconds)}).numpy()
    power = np.abs(np.fft.rfft(ir[4800:8000])) ** 2
    assert power[-600:].mean() < 1e-3 * power[:600].mean()
