"""Whether a sound tells of the room that it was recorded in."""

import numpy as np
import pytest

from noisygan.matching import room_fit
from noisygan.matching.analysis import Analysis, level_of

RATE = 16000


def note(seconds=1.0, release=0.05, behind=0.8):
    """A held tone of ten harmonics that is let go, and silence."""
    times = np.arange(round((seconds + behind) * RATE)) / RATE
    tone = sum(np.sin(2 * np.pi * 311.0 * k * times + k) / k for k in range(1, 11))
    return 0.1 * tone * 10.0 ** (-3.0 * np.maximum(times - seconds, 0.0) / release)


def in_room(audio, seconds, wet, seed=0):
    """The same in a room of noise that falls by 60 dB in so many seconds."""
    times = np.arange(round(1.2 * seconds * RATE)) / RATE
    response = np.random.default_rng(seed).normal(size=len(times)) * 10.0 ** (-3 * times / seconds)
    response *= np.sqrt(wet / np.sum(response**2))
    size = 1 << (len(audio) + len(response)).bit_length()
    spectra = np.fft.rfft(audio, size) * np.fft.rfft(response, size)
    return audio + np.fft.irfft(spectra, size)[: len(audio)]


def found(audio):
    n_frames = len(audio) * 100 // RATE
    f0_hz = np.full(n_frames, 311.0, np.float32)
    return room_fit.find_room(audio, RATE, Analysis(f0_hz, level_of(audio, RATE, n_frames), 1.0))


@pytest.mark.parametrize(("seconds", "wet"), [(0.7, 0.25), (1.0, 0.1)])
def test_a_held_note_tells_of_its_room(seconds, wet):
    rooms_found = [found(in_room(note(), seconds, wet, seed)) for seed in range(6)]
    rooms_found = [room for room in rooms_found if room is not None]
    assert len(rooms_found) >= 4
    assert np.median([r.seconds for r in rooms_found]) == pytest.approx(seconds, rel=0.25)
    error_db = 10.0 * np.log10(np.median([r.wet for r in rooms_found]) / wet)
    assert abs(error_db) < 4.0
    assert all(95 <= r.begin < r.end <= 125 for r in rooms_found)


@pytest.mark.parametrize("release", [0.05, 0.3, 1.0, 3.0])
def test_a_dry_note_tells_of_none(release):
    assert found(note(release=release)) is None
    assert found(note(seconds=0.02, release=release)) is None


def test_a_second_slope_whose_partials_do_not_waver_is_no_room():
    slow = note(release=0.7)
    assert found(0.8 * note() + 0.2 * slow) is None


def test_silence_and_the_shortest_sound_tell_of_none():
    assert found(np.zeros(RATE)) is None
    assert found(note()[:1600]) is None


def test_a_known_room_begins_where_the_level_falls_fastest():
    room = room_fit.known_room(in_room(note(), 0.7, 0.25), RATE, 0.7)
    assert room.seconds == 0.7
    assert 95 <= room.begin <= 105
    assert 0.03 < room.wet < 1.5


@pytest.mark.parametrize("cut_at", [1.2, 1.8])
def test_a_known_room_does_not_begin_where_the_recording_ends(cut_at):
    audio = in_room(note(), 0.7, 0.25)[: round(cut_at * RATE)]
    audio = np.round(np.append(audio, np.zeros(RATE // 2)) * 2**15) / 2**15
    room = room_fit.known_room(audio, RATE, 0.7)
    assert 95 <= room.begin <= 105
    assert 0.03 < room.wet < 1.5


def test_a_dry_note_has_no_room_that_a_person_may_know_of():
    assert room_fit.known_room(note(), RATE, 1.0) is None
    at_once = np.where(np.arange(2 * RATE) < RATE, np.resize(note(behind=0.0), 2 * RATE), 0.0)
    assert room_fit.known_room(at_once, RATE, 1.0) is None


def test_the_level_without_a_room_falls_silent_where_the_note_is_let_go():
    level = np.ones(60)
    dry = room_fit.level_without(room_fit.Room(1.0, 0.21, 20, 25), level)
    np.testing.assert_allclose(dry[:21], 1.0 / 1.1)
    assert np.all(dry[36:] < 1e-3)
