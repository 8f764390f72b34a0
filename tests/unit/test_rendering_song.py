"""Songs from runs: who plays what, lengths, bends, levels."""

import numpy as np
import pytest

from noisygan.audio_io.midi import DRUM_CHANNEL, Note, Song
from noisygan.errors import UsageError
from noisygan.rendering import song
from tests import toys

RATE = 16000


@pytest.fixture(scope="module")
def flute():
    generator = toys.hybrid()
    return song.Part(toys.run("flute", generator=generator), number=3)


def kit(labels, told=("label",)):
    return song.Part(toys.run("kit", told, labels, generator=toys.hybrid()))


def note(pitch=60, start=0.0, held=0.2, velocity=100, channel=1, **more):
    return Note(start, held, pitch, velocity, channel, 1, **more)


def play(notes, part, **more):
    return song.play(Song(notes), lambda _: part, RATE, **more)


def strongest_hz(audio):
    spectrum = np.abs(np.fft.rfft(audio * np.hanning(len(audio)), 1 << 16))
    return np.argmax(spectrum) * RATE / (1 << 16)


def test_notes_are_summed_where_they_begin(flute):
    one, _ = play([note()], flute, seed=5)
    both, left_out = play([note(), note(start=1.0)], flute, seed=5)
    assert left_out == {} and len(both) == len(one) + RATE
    np.testing.assert_allclose(both[: len(one)], one, atol=1e-6)
    # The same latent and curves; its noise is another.
    assert np.abs(both[RATE:]).max() > 1e-4 and not np.array_equal(both[RATE:], one)


def test_a_note_sounds_the_same_whatever_is_played_beside_it(flute):
    alone, _ = play([note(60)], flute)
    longer, _ = play([note(60, held=0.5)], flute)
    assert len(longer) - len(alone) == round(0.3 * RATE)  # its release stays
    # Of a batch with others, and of lengths that share one.
    song, _ = play([note(60), note(67, start=1.0, held=0.21), note(72, start=1.0)], flute)
    np.testing.assert_allclose(song[: len(alone)], alone, atol=1e-5)


def test_a_bend_moves_the_pitch(flute):
    straight, _ = play([note(69, held=0.5)], flute)
    bent, _ = play([note(69, held=0.5, bend=((0.0, 12.0),))], flute)
    assert strongest_hz(bent) == pytest.approx(2.0 * strongest_hz(straight), rel=0.03)
    halfway, _ = play([note(69, held=0.5, bend=((0.0, 0.0), (0.25, 12.0)))], flute)
    n = round(0.2 * RATE)
    np.testing.assert_allclose(halfway[:n], straight[:n], atol=1e-3)
    assert np.abs(halfway[2 * n :] - straight[2 * n :]).max() > 1e-3


def test_volume_and_expression_scale_a_note_and_swell(flute):
    plain, _ = play([note(held=0.5)], flute)

    def at(levels, start=0.0):
        song_of_one = Song([note(held=0.5, start=start)], levels={1: levels})
        return song.play(song_of_one, lambda _: flute, RATE)[0]

    np.testing.assert_allclose(at([(0.0, 0.25)]), 0.25 * plain, atol=1e-6)
    before = at([(0.0, 0.5), (2.0, 0.25), (9.0, 0.0)], start=2.0)[2 * RATE :]
    np.testing.assert_allclose(before, 0.25 * plain, atol=1e-6)
    # Also while it sounds and after it is released, without a click.
    swell = at([(0.25, 0.5), (0.5, 0.0)])
    step, n = RATE // 4, RATE // 100
    np.testing.assert_allclose(swell[: step - n], plain[: step - n], atol=1e-6)
    half = slice(step + n, 2 * step - n)
    np.testing.assert_allclose(swell[half], 0.5 * plain[half], atol=1e-6)
    assert np.abs(swell[2 * step + n :]).max() < 1e-6 < np.abs(plain[2 * step + n :]).max()
    gain = song._level(*np.array([(-np.inf, 1.0), (0.25, 0.5)]).T, 0.0, RATE, RATE)
    assert np.abs(np.diff(gain)).max() < 0.01


def test_drums_by_general_midi():
    for number, labels, expected in (
        (36, ("kick", "snare"), 0),
        (39, ("kick", "snare"), 1),
        (42, ("cymbal", "kick"), 0),
        (42, ("cymbal", "hihat"), 1),
        (47, ("kick", "tom"), 1),
        (47, ("kick", "snare"), None),
        (99, ("kick", "snare"), None),
    ):
        assert kit(labels).label(note(number, channel=DRUM_CHANNEL)) == expected


def test_what_no_run_can_play_is_counted(flute):
    part = kit(("kick", "snare"))
    _, left_out = play([note(47, channel=10), note(36, channel=10)], part)
    assert left_out == {"for drums that the run does not know; it knows kick, snare": [47]}
    audio, left_out = play([note()], None)
    assert len(audio) == 0 and left_out == {"on channel 1, which no run plays": [60]}
    _, left_out = play([note(held=0.0)], flute)
    assert left_out == {"of no length": [60]}
    _, left_out = play([note(127)], flute)
    assert "above what 16000 Hz can hold" in next(iter(left_out))
    with pytest.raises(UsageError, match="kit can't play melodies"):
        song.check_playable(part, 1)


def test_velocity_is_loudness_where_a_run_is_told_none():
    part = song.Part(toys.run("kit", (), generator=toys.hybrid(condition_encoder=None)))
    loud, _ = play([note(36, velocity=127, channel=10)], part)
    soft, _ = play([note(36, velocity=64, channel=10)], part)
    np.testing.assert_allclose(soft, loud * (64 / 127) ** 2, atol=1e-6)
