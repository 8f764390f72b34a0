"""Which recordings are held out, and embeddings from somebody's file."""

import numpy as np
import pytest
import soundfile

from noisygan.data import Recordings
from noisygan.data.prepare import preparing, presets, units
from noisygan.errors import UsageError
from noisygan.evaluation import embeddings, sources
from noisygan.evaluation.sounds import make_sounds

RATE = 16000


def write(path, seed=0, n_samples=2000, rate=RATE):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, 0.1 * np.random.default_rng(seed).normal(size=n_samples), rate)


def drums(folder):
    for label in ("kick", "snare"):
        for kit in ("jazz", "room", "rock", "funk"):
            for key in (35, 36, 38):
                for velocity in (80, 127):
                    write(folder / label / f"{kit}-{key}-v{velocity:03d}.wav", key)
    return folder


def test_a_folder_is_divided_by_name_and_velocities_stay_together(tmp_path):
    parts = sources.read_parts(Recordings(n_samples=2000), drums(tmp_path / "drums"))
    kinds = [{n.rsplit("-", 1)[0] for n in s.names} for s in (parts.train, parts.test)]
    assert not kinds[0] & kinds[1] and len(kinds[0]) == len(kinds[1]) == 12
    assert parts.test.classes == ["kick", "snare"]
    assert "a half of it" in parts.note
    whole = Recordings(n_samples=2000).read(tmp_path / "drums")
    assert parts.seen_by(whole.fingerprint) and not parts.seen_by("another")


def test_splits_and_two_folders_are_taken_as_they_are(tmp_path):
    for first, name in enumerate(("one", "two")):
        for i in range(3):
            write(tmp_path / name / f"x-{60 + i:03d}-100.wav", 10 * first + i)
    recordings = Recordings(n_samples=2000)
    parts = sources.read_parts(recordings, tmp_path / "two", tmp_path / "one")
    assert parts.note == "" and len(parts.train) == len(parts.test) == 3
    assert parts.seen_by(recordings.read(tmp_path / "two").fingerprint)
    assert not parts.seen_by(recordings.read(tmp_path / "one").fingerprint)
    with pytest.raises(UsageError, match="the same recordings"):
        sources.read_parts(recordings, tmp_path / "two", tmp_path / "two")


def test_a_prepared_folder_has_its_own_test_split(tmp_path):
    data, out = drums(tmp_path / "drums"), tmp_path / "prepared"
    changes = {"n_samples": 2000, "sample_rates": (RATE,), "test": 0.3, "split_by": "file"}
    preparing.prepare(data, out, presets.options("drums", None, changes), pool_of_one)
    recordings = Recordings(n_samples=2000)
    parts = sources.read_parts(recordings, out)
    assert parts.note == "" and not set(parts.train.names) & set(parts.test.names)
    assert len(parts.train) == len(recordings.read(out)) > 0
    assert len(parts.train) + len(parts.test) == 48
    assert parts.seen_by(Recordings(n_samples=2000, split="test").read(out).fingerprint)
    assert not parts.seen_by(recordings.read(out).fingerprint)


def pool_of_one(folder, indices, done):
    for index in indices:
        done(units.process(folder, index))


def test_one_kind_alone_can_not_be_divided(tmp_path):
    for velocity in (80, 127):
        write(tmp_path / "kick" / f"jazz-35-v{velocity:03d}.wav")
    with pytest.raises(UsageError, match="2 recordings of one kind"):
        sources.read_parts(Recordings(n_samples=2000), tmp_path)


def test_rate_and_length_are_those_of_the_files(tmp_path):
    write(tmp_path / "a" / "long.wav", n_samples=3000)
    write(tmp_path / "b" / "short.wav", n_samples=1000)
    files = {name: sources.files_of(tmp_path / name) for name in "ab"}
    found = sources.recordings_for(files)
    assert (found.sample_rate, found.n_samples) == (RATE, 1000)
    write(tmp_path / "b" / "other.wav", rate=8000)
    with pytest.raises(UsageError, match="1 at 8000 Hz, e.g. .*other.wav"):
        sources.recordings_for({name: sources.files_of(tmp_path / name) for name in "ab"})


def test_too_few_sounds_and_parts_of_sounds_are_refused(tmp_path):
    for i in range(8):
        write(tmp_path / f"{i}.wav")
    sources.check_audio(tmp_path)
    # A class beside its sounds is no sound's parts.
    write(tmp_path / "kick" / "8.wav")
    sources.check_audio(tmp_path)
    write(tmp_path / "3" / "harmonic.wav")
    with pytest.raises(UsageError, match="such as 3/harmonic.wav, .*without --stems"):
        sources.check_audio(tmp_path)
    for i in range(2):
        (tmp_path / f"{i}.wav").unlink()
    (tmp_path / "kick" / "8.wav").unlink()
    with pytest.raises(UsageError, match="holds 7 sounds; expected at least 8"):
        sources.check_audio(tmp_path)


def test_conditions_come_equally_often():
    rows = sources.chosen_rows(7, 30)
    assert len(rows) == 30 and set(np.bincount(rows)) == {4, 5}


def test_noise_has_the_recordings_levels():
    sounds = make_sounds(0.01 * np.random.default_rng(0).normal(size=(4, 9000)), RATE)
    noise = sources.noise_like(sounds, 9)
    rms = np.sqrt((noise.audio**2).mean(1))
    np.testing.assert_allclose(rms, 0.01, rtol=0.05)


# ----------------------------------------------------------------------------------- embeddings


def saved_model(path):
    import tensorflow as tf

    class Levels(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None], tf.float32)])
        def __call__(self, audio):
            frames = tf.signal.frame(audio, 1600, 1600)
            return tf.stack([tf.reduce_mean(frames**2, 1), tf.reduce_max(frames, 1)], 1)

    tf.saved_model.save(Levels(), str(path))
    return path


def test_a_saved_model_gives_a_vector_a_sound_and_its_checksum(tmp_path):
    path = saved_model(tmp_path / "model")
    embed = embeddings.Embedding(f"vggish={path}")
    assert embed.name == "VGGish" and len(embed.checksum) == 64
    audio = 0.1 * np.random.default_rng(0).normal(size=(3, 16000)).astype(np.float32)
    found = embed(make_sounds(audio, RATE))
    assert found.shape == (3, 2)
    np.testing.assert_allclose(found[:, 0], (audio**2).mean(1), rtol=1e-4)
    # At 8 kHz the same sound is brought to the rate that the network takes.
    half = embed(make_sounds(np.repeat([[0.5]], 8000, 1), 8000))
    assert half[0, 0] == pytest.approx(0.25, rel=0.02)
    assert embeddings.checksum(path) == embed.checksum
    (path / "more").write_text("x")
    assert embeddings.checksum(path) != embed.checksum


def test_what_is_no_network_is_named(tmp_path):
    for text, said in (
        ("vggish", "expected NAME=PATH"),
        ("mine=/x", "NAME of VGGish, PANNs"),
        (f"PANNs={tmp_path / 'none'}", "nothing is downloaded"),
        (f"CLAP={tmp_path}", "neither a SavedModel"),
    ):
        with pytest.raises(UsageError, match=said):
            embeddings.Embedding(text)
    (tmp_path / "saved_model.pb").write_bytes(b"rubbish")
    with pytest.raises(UsageError, match="no SavedModel, or damaged"):
        embeddings.Embedding(f"CLAP={tmp_path}")
