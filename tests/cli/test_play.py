"""`noisygan play`: a song into a WAV file, and what can't be played."""

import numpy as np
import pytest
import soundfile
import tensorflow as tf

from noisygan import load
from noisygan.data.drums import drum_keys
from noisygan.errors import UsageError
from noisygan.rendering.kits import FADE_SECONDS, drum_seconds
from noisygan.rendering.requests import note_seeds

mido = pytest.importorskip("mido")


@pytest.fixture
def song(tmp_path):
    """Path of a MIDI file: two notes on channel 1, a kick and a cowbell on channel 10."""
    file = mido.MidiFile(ticks_per_beat=480)
    for channel, pitches in ((0, (60, 64)), (9, (36, 56))):
        track = mido.MidiTrack()
        for pitch in pitches:
            track.append(mido.Message("note_on", channel=channel, note=pitch, velocity=90))
            track.append(mido.Message("note_off", channel=channel, note=pitch, time=240))
        file.tracks.append(track)
    path = tmp_path / "song.mid"
    file.save(path)
    return path


def test_a_song_is_played(noisygan, trained, song, tmp_path):
    out = tmp_path / "new" / "song.wav"
    result = noisygan("play", "--run_dir", trained, "--midi", song, "--out", out)
    assert result.code == 0
    audio, rate = soundfile.read(out)
    assert np.max(np.abs(audio)) > 1e-3
    assert f"{out}: {len(audio) / rate:.1f} s at {rate} Hz" in result.out
    assert "left out: 2 notes (36, 56) on channel 10, which no run plays" in result.out
    song.write_bytes(song.read_bytes()[:-6])
    result = noisygan("play", "--run_dir", trained, "--midi", song, "--out", tmp_path / "a.wav")
    assert "before the end of its last track; what could be read is played" in result.out


def test_every_drum_is_played_on_its_key(kit, tmp_path):
    run = load(kit)
    hits = [(keys[0], 127 - 20 * i) for i, keys in enumerate(drum_keys(run.label_names).values())]
    track = mido.MidiTrack()
    for key, velocity in hits:
        track.append(mido.Message("note_on", channel=9, note=key, velocity=velocity))
        track.append(mido.Message("note_off", channel=9, note=key, time=960))
    mido.MidiFile(ticks_per_beat=480, tracks=[track]).save(tmp_path / "drums.mid")
    song = run.play(tmp_path / "drums.mid", drums=run, seed=3)
    assert not song.remarks and len(hits) == 4
    with pytest.raises(UsageError, match=f"channel 10, which no run plays; use --drums {kit}"):
        run.play(tmp_path / "drums.mid")

    def hit(label, velocity, key, i):
        """The drum of a class, as the i-th note of the song."""
        z = run.generator.prior(1, seed=note_seeds(3, key)[0])
        given = {"label": tf.constant([label]), "velocity": tf.constant([float(velocity)])}
        noise_seed = tf.constant([note_seeds(3, i)[1]])
        seconds = drum_seconds(run.generator)
        return run.generator(z, given, seconds=seconds, seed=noise_seed).audio.numpy()[0]

    for i, (key, velocity) in enumerate(hits):
        expected, softer = hit(i, velocity, key, i), hit(i, 10, key, i)
        n = len(expected) - round(FADE_SECONDS * song.sample_rate)
        played = song.audio[0, i * song.sample_rate :][:n]
        np.testing.assert_allclose(played, expected[:n], atol=1e-4)
        assert np.abs(played - softer[:n]).max() > 1e-3


def test_channels_and_programs_have_runs_of_their_own(noisygan, trained, song, tmp_path):
    sounds = []
    for more in (("--program", f"1-8={trained}:0"), ("--channel", f"1={trained}:9")):
        out = tmp_path / f"{len(sounds)}.wav"
        assert noisygan("play", *more, "--midi", song, "--out", out).code == 0
        sounds.append(soundfile.read(out)[0])
    assert not np.array_equal(*sounds)


def test_what_can_not_be_played_is_told_in_a_line(refused, trained, song, tmp_path):
    asked = ("play", "--midi", song, "--out", tmp_path / "a.wav")
    assert "no run to play on" in refused(*asked)
    assert "holds no run" in refused(*asked, "--run_dir", tmp_path)
    assert "has notes on channel 1, 10, which no run plays" in refused(
        *asked, "--channel", f"5={trained}"
    )
    assert "expected a number of 1 to 16" in refused(*asked, "--channel", f"17={trained}")
    assert "expected a number of 1 to 128" in refused(*asked, "--program", "flute")
    empty = tmp_path / "empty.mid"
    mido.MidiFile().save(empty)
    assert "holds no notes" in refused(
        *("play", "--midi", empty, "--out", tmp_path / "a.wav", "--run_dir", trained)
    )
    messages = [mido.Message(kind, note=60, velocity=90) for kind in ("note_on", "note_off")]
    mido.MidiFile(tracks=[mido.MidiTrack(messages)]).save(tmp_path / "zero.mid")
    asked = ("play", "--run_dir", trained, "--midi", tmp_path / "zero.mid")
    message = refused(*asked, "--out", tmp_path / "a.wav")
    assert "zero.mid: no note can be played (1 note (60) of no length)" in message
    assert not (tmp_path / "a.wav").exists()
