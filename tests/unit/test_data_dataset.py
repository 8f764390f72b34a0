"""`Recordings`: selection, reading, checks. `AudioDataset`: batches from seeds alone."""

import json
import os
import types

import numpy as np
import pytest

from noisygan.data import AudioDataset, Recordings, tagging
from noisygan.data import dataset as data
from noisygan.data.prepare import preparing, units
from noisygan.data.prepare.options import make_options
from noisygan.demo import drums_folder, held_out_folder, notes_folder
from noisygan.errors import RunError, UsageError

N = 50


def read(folder, **options):
    return Recordings(n_samples=N, **options).read(folder)


def prepare(folder, out, **options):
    """Prepare a folder in this process."""

    def here(folder, indices, done):
        for index in indices:
            done(units.process(folder, index))

    preparing.prepare(folder, out, make_options("notes", remove_dc=False, **options), here)
    return out


@pytest.fixture
def on_disk(monkeypatch):
    """Nothing is kept in memory."""
    monkeypatch.setattr(data, "MAX_BYTES_IN_MEMORY", 0)


@pytest.fixture(params=["in memory", "on disk"])
def where(request, monkeypatch):
    if request.param == "on disk":
        monkeypatch.setattr(data, "MAX_BYTES_IN_MEMORY", 0)


@pytest.fixture
def folder(tmp_path, write_sound):
    """Seven recordings, each another constant, two without pitch and velocity."""
    for i in range(7):
        name = f"tone-{60 + i:03d}-{100 + i:03d}" if i < 5 else f"x{i}"
        write_sound(tmp_path / "seven" / f"{name}.wav", np.full(N, (i + 1) / 8))
    return tmp_path / "seven"


@pytest.fixture
def orchestra(tmp_path, write_sound):
    """Five notes of three instruments, as NSynth names them, and one file of unknown everything."""
    for name in (
        "flute_acoustic_000-060-025",
        "flute_acoustic_000-072-100",
        "flute_electronic_001-084-100",
        "brass_acoustic_000-050-025",
        "bass_synthetic_000-030-127",
        "who_knows",
    ):
        write_sound(tmp_path / "orchestra" / f"{name}.wav")
    return tmp_path / "orchestra"


def order(dataset, batch_size, seed, n_batches, start=0):
    """Recordings of each batch, told by their constant. [n_batches, batch_size]."""
    batches = dataset.batches(batch_size, seed, start).take(n_batches)
    return np.array([batch["audio"][:, 0] * 8 - 1 for batch in batches.as_numpy_iterator()])


class TestBundled:
    def test_notes(self):
        notes = AudioDataset.from_folder(notes_folder(), sample_rate=16000, seconds=4.0)
        assert (len(notes), notes.n_samples) == (40, 64000)
        assert notes.label_names == ["flute_acoustic_000"]
        assert notes.has_pitch and notes.has_velocity and notes.has_label
        assert (notes.pitch.min(), notes.pitch.max()) == (60, 84)
        assert set(notes.velocity) == {25, 50, 100, 127}
        held_out = AudioDataset.from_folder(held_out_folder(), min_pitch=60)
        assert not set(held_out.pitch) & set(notes.pitch)
        for i, pitch in enumerate(held_out.pitch):
            held = held_out.audio(i)[16000:32000]
            spectrum = np.abs(np.fft.rfft(held * np.hanning(len(held))))
            f0_hz = 440.0 * 2.0 ** ((pitch - 69) / 12)
            at = [round(k * f0_hz) for k in (1, 2, 3)]
            harmonic = max(spectrum[k - 8 : k + 9].max() for k in at)
            between = [spectrum[round(k - 0.5 * f0_hz) - 8 :][:17].max() for k in at]
            assert harmonic > 30 * max(between), held_out.names[i]

    def test_drums(self):
        shape = {"trim_db": -50.0, "peak": 1.0, "fade_out_seconds": 0.005}
        drums = AudioDataset.from_folder(drums_folder(), 44100, n_samples=16384, **shape)
        assert len(drums) == 97
        assert drums.label_names == ["cymbal", "kick", "snare", "tom"]
        assert drums.has_label and drums.has_velocity and not drums.has_pitch
        for i in range(len(drums)):
            audio = drums.audio(i)
            assert abs(np.abs(audio).max() - 1.0) < 1e-6, drums.names[i]
            assert abs(audio[0]) > 0.002 and audio[-1] == 0.0, drums.names[i]

    def test_one_length_only(self):
        with pytest.raises(TypeError, match="seconds and n_samples"):
            AudioDataset.from_folder(drums_folder(), seconds=1.0, n_samples=16000)


class TestSelection:
    @pytest.mark.parametrize(
        ("options", "pitches"),
        [
            ({}, {30, 50, 60, 72, 84, None}),
            ({"families": "flute"}, {60, 72, 84}),
            ({"families": ["flute", "bass"]}, {60, 72, 84, 30}),
            ({"instruments": ["flute_acoustic_000"]}, {60, 72}),
            ({"sources": ["acoustic"]}, {60, 72, 50}),
            ({"min_pitch": 60}, {60, 72, 84}),
            ({"max_pitch": 60}, {30, 50, 60}),
            ({"velocities": [100, 127]}, {72, 84, 30}),
            ({"velocities": 25}, {60, 50}),
            ({"families": ["flute"], "sources": ["acoustic"], "min_pitch": 61}, {72}),
        ],
    )
    def test_filters(self, orchestra, options, pitches):
        found = read(orchestra, **options).pitch
        assert {None if np.isnan(pitch) else pitch for pitch in found} == pitches

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"families": ["flute", "viola"]}, "families viola; there are bass, brass, flute$"),
            ({"instruments": ["x"]}, "instruments x; there are bass_synthetic_000, brass_"),
            ({"velocities": [26]}, "velocities 26; there are 25, 100, 127"),
            ({"min_pitch": 90}, "a pitch of 90 to 127; there are 30, 50, 60, 72, 84"),
            ({"families": "flute", "min_pitch": 85}, "85 to 127; there are 60, 72, 84"),
            (
                {"families": "flute", "velocities": 127},
                r"\(families flute, velocities 127",
            ),
        ],
    )
    def test_when_nothing_passes_what_is_there_is_listed(self, orchestra, options, message):
        with pytest.raises(UsageError, match=message):
            read(orchestra, **options)

    @pytest.mark.parametrize("options", [{"segments": True}, {"peak": 1.0}, {"trim_db": -50.0}])
    def test_crops_exclude_other_forms(self, options):
        with pytest.raises(UsageError, match=f"{[*options][0]}.*: expected"):
            Recordings(crop=True, **options)

    def test_labels_index_the_sorted_names(self, tmp_path, write_sound):
        for name in ("snare/a", "kick/b", "tom/c", "kick/d"):
            write_sound(tmp_path / f"{name}.wav")
        found = read(tmp_path)
        assert found.label_names == ["kick", "snare", "tom"] and found.has_label
        assert [found.label_names[i] for i in found.label] == ["kick", "kick", "snare", "tom"]
        assert found.label.dtype == np.int32


class TestFilesAsTheyCome:
    """Any format, rate and number of channels; what cannot be used is left out with a reason."""

    @pytest.fixture
    def mixed(self, tmp_path, write_sound):
        tones = {
            "C4.wav": ({}, 16000),
            "D4.flac": ({}, 44100),
            "E4.ogg": ({"subtype": "VORBIS"}, 48000),
            "F4.wav": ({"subtype": "PCM_24"}, 96000),
        }
        for i, (name, (how, rate)) in enumerate(tones.items()):
            n = round(0.5 * rate)
            tone = 0.4 * np.sin(2 * np.pi * 220 * np.arange(n) / rate)
            silence = np.zeros(round(0.1 * i * rate))
            stereo = np.stack([np.concatenate([silence, tone])] * 2, axis=1)
            write_sound(tmp_path / name, stereo if i % 2 else stereo[:, 0], rate, **how)
        return tmp_path

    def test_are_resampled_mixed_and_begin_at_their_onset(self, where, mixed):
        found = Recordings(n_samples=4000).read(mixed)
        assert found.pitch.tolist() == [60, 62, 64, 65]
        expected = 0.4 * np.sin(2 * np.pi * 220 * np.arange(4000) / 16000)
        for i in range(4):
            # Within a few milliseconds.
            shifts = range(80)
            audio = found.audio(i)
            errors = [np.abs(audio[k : k + 3000] - expected[:3000]).max() for k in shifts]
            assert min(errors) < 0.05, found.names[i]

    def test_unusable_ones_are_left_out(self, mixed, write_sound):
        write_sound(mixed / "G4.wav", np.array([0.0, np.nan]), subtype="FLOAT")
        write_sound(mixed / "A4.wav", np.zeros(100))
        (mixed / "e.wav").touch()
        (mixed / "f.wav").write_text("no audio")
        (mixed / "g.wav").symlink_to("nowhere.wav")
        (mixed / "readme.txt").write_text("not audio")
        found = read(mixed)
        assert found.names == ["C4", "D4", "E4", "F4"]
        assert set(found.listing.skipped) == {"G4", "A4", "e", "f", "g"}
        table = found.table()
        for line in ("4 of 9 files", "note name: 4", "C4 to F4", "skipped   A4 is silent", "1 NaN"):
            assert line in table

    def test_nothing_usable_is_refused(self, tmp_path):
        for name in ("C4.wav", "D4.wav"):
            (tmp_path / name).write_text("no audio")
        with pytest.raises(UsageError, match=r"none of the 2 .*\(2 unreadable.*C4.wav "):
            read(tmp_path)

    def test_a_quiet_set_has_one_gain(self, tmp_path, write_sound):
        for name, level in (("C4", 0.01), ("D4", 0.04)):
            write_sound(tmp_path / f"{name}.wav", np.full(N, level), subtype="FLOAT")
        found = read(tmp_path)
        np.testing.assert_allclose([found.audio(i)[0] for i in range(2)], [0.16, 0.64], rtol=1e-5)

    def test_crops_and_segments_of_another_rate(self, tmp_path, write_sound):
        write_sound(tmp_path / "long.wav", rate=8000, n=4000)
        assert len(read(tmp_path, segments=True)) == 160
        batch = next(iter(read(tmp_path, crop=True).batches(4, seed=0)))
        assert np.abs(batch["audio"]).max() > 0.4

    def test_pitches_that_no_name_says_are_measured(self, tmp_path, write_sound):
        for i, hz in enumerate((220.0, 330.0)):
            n = np.arange(8000)
            tone = sum(np.sin(2 * np.pi * hz * k * n / 16000) / k for k in range(1, 5))
            write_sound(tmp_path / f"note {'ab'[i]}.wav", 0.2 * tone)
        assert not Recordings(n_samples=N).read(tmp_path).has_pitch
        found = Recordings(n_samples=N, detect_pitch="pyin").read(tmp_path)
        assert found.pitch.tolist() == [57, 64]
        assert "measured (pyin)" in found.table()

    def test_damage_behind_the_beginning_is_found(self, folder, write_sound):
        samples = np.full(200, 0.5)
        samples[199] = np.nan
        write_sound(folder / "d.wav", samples, subtype="FLOAT")
        for options in ({}, {"crop": True}, {"segments": True}):
            assert "1 NaN" in read(folder, **options).listing.skipped["d"]

    def test_one_that_breaks_during_training_is_named(self, folder, on_disk):
        dataset = read(folder)
        dataset.paths[2].write_text("no audio")
        with pytest.raises(RunError, match="tone-062-102.wav cannot be read as audio"):
            dataset.audio(2)
        with pytest.raises(Exception, match="tone-062-102"):
            order(dataset, 7, 0, 1)
        assert isinstance(dataset.failure, RunError)
        dataset.batches(1, seed=0)
        assert dataset.failure is None


class TestFingerprint:
    def test_tells_bytes_names_and_selections_apart_but_not_folders(
        self, where, orchestra, write_sound
    ):
        prints = [
            read(orchestra, **selection).fingerprint
            for selection in ({}, {"min_pitch": 50}, {"families": "flute"}, {"peak": 0.9})
        ]
        prints.append(Recordings(n_samples=N - 1).read(orchestra).fingerprint)
        path = orchestra / "flute_acoustic_000-060-025.wav"
        write_sound(path, hz=301)
        prints.append(read(orchestra).fingerprint)
        path.rename(path.with_name("flute_acoustic_000-061-025.wav"))
        prints.append(read(orchestra).fingerprint)
        moved = read(orchestra.rename(orchestra.parent / "moved")).fingerprint
        assert len(set(prints)) == 7 and moved == prints[-1] and len(moved) == 64

    def test_changes_with_what_examples_json_says(self, tmp_path, write_sound):
        write_sound(tmp_path / "audio" / "a.wav")
        prints = set()
        for pitch in (60, 61):
            (tmp_path / "examples.json").write_text(json.dumps({"a": {"pitch": pitch}}))
            prints.add(read(tmp_path).fingerprint)
        assert len(prints) == 2


class TestBatches:
    @pytest.fixture
    def dataset(self, where, folder):
        return read(folder)

    def test_audio_and_what_is_known(self, dataset):
        assert len(dataset) == 7
        for i in range(7):
            np.testing.assert_array_equal(dataset.audio(i), np.full(N, (i + 1) / 8, np.float32))
        np.testing.assert_array_equal(dataset.pitch, [60, 61, 62, 63, 64, np.nan, np.nan])
        assert not dataset.has_pitch and not dataset.has_velocity and not dataset.has_label
        assert dataset.label_names == ["sound", "tone"]
        with pytest.raises(ValueError, match="read-only"):
            dataset.audio(0)[0] = 1.0
        summary = dataset.summary()
        assert summary.startswith("7 recordings, pitch 60 to 64, velocity 100 to 104, 0.00313 s at")
        assert summary.endswith(f"16000 Hz, from {dataset.folder}")

    def test_audio_and_conditioning_belong_together(self, dataset):
        batches = dataset.batches(7, seed=3)
        assert {key: (s.dtype.name, tuple(s.shape)) for key, s in batches.element_spec.items()} == {
            "audio": ("float32", (7, N)),
            "pitch": ("float32", (7,)),
            "velocity": ("float32", (7,)),
            "label": ("int32", (7,)),
            "held_seconds": ("float32", (7,)),
            "take": ("float32", (7, 2)),
        }
        for batch in batches.take(3).as_numpy_iterator():
            i = np.round(batch["audio"][:, 0] * 8 - 1).astype(int)
            np.testing.assert_array_equal(batch["pitch"], np.where(i < 5, 60 + i, 0))
            np.testing.assert_array_equal(batch["velocity"], np.where(i < 5, 100 + i, 100))
            np.testing.assert_array_equal(batch["label"], dataset.label[i])
            constant = np.repeat((i[:, None] + 1) / 8, N, axis=1)
            np.testing.assert_array_equal(batch["audio"], constant)

    def test_takes_of_a_note_divide_it_into_equal_shares(self, dataset):
        dataset.pitch[:] = [60, 61, 60, 60, 62, 61, 60]
        dataset.velocity[:] = [90, 90, 90, 90, 90, 90, 40]
        dataset.label[:] = 0
        thirds = [[0, 1 / 3], [1 / 3, 2 / 3], [2 / 3, 1]]
        expected = [thirds[0], [0, 0.5], thirds[1], thirds[2], [0, 1], [0.5, 1], [0, 1]]
        np.testing.assert_allclose(dataset.takes, expected, rtol=1e-6)

    @pytest.mark.parametrize("batch_size", [1, 3, 10])
    def test_every_epoch_is_a_permutation(self, dataset, batch_size):
        stream = order(dataset, batch_size, seed=1, n_batches=21).ravel()
        epochs = stream[: len(stream) // 7 * 7].reshape(-1, 7)
        expected = np.tile(np.arange(7), [len(epochs), 1])
        np.testing.assert_array_equal(np.sort(epochs, axis=1), expected)
        assert len({tuple(epoch) for epoch in epochs}) > 1

    def test_the_order_depends_on_the_seed_alone(self, folder, monkeypatch):
        import tensorflow as tf

        tf.random.set_seed(1)
        first = order(read(folder), 3, seed=5, n_batches=20)
        tf.random.set_seed(2)
        monkeypatch.setattr(data, "MAX_BYTES_IN_MEMORY", 0)
        np.testing.assert_array_equal(first, order(read(folder), 3, seed=5, n_batches=20))
        others = [order(read(folder), 3, seed, 20) for seed in (6, 2**40 + 1, 2**62 + 1)]
        assert len({each.tobytes() for each in (first, *others)}) == 4

    @pytest.mark.parametrize("start", [1, 2, 7, 15])
    def test_a_resumed_run_gets_the_same_batches(self, dataset, start):
        whole = order(dataset, 3, seed=5, n_batches=20)
        resumed = order(dataset, 3, seed=5, n_batches=20 - start, start=start)
        np.testing.assert_array_equal(resumed, whole[start:])

    def test_a_late_start_and_a_part_of_each_batch(self, dataset):
        late = 10**9
        _, second = order(dataset, 3, seed=5, n_batches=2, start=late)
        np.testing.assert_array_equal(order(dataset, 3, 5, n_batches=1, start=late + 1)[0], second)
        parts = [next(iter(dataset.batches(6, 5, part=(i, 2))))["pitch"] for i in range(2)]
        whole = next(iter(dataset.batches(6, 5)))["pitch"]
        np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_decoded_when_needed_they_have_the_same_form(orchestra, monkeypatch):
    options = {"trim_db": -40.0, "peak": 0.9, "fade_in_seconds": 0.001, "fade_out_seconds": 0.01}
    kept = read(orchestra, **options)
    monkeypatch.setattr(data, "MAX_BYTES_IN_MEMORY", 0)
    decoded = read(orchestra, **options)
    for i in range(len(kept)):
        np.testing.assert_array_equal(kept.audio(i), decoded.audio(i))
        assert not decoded.audio(i).flags.writeable


class TestSegments:
    @pytest.fixture
    def song(self, tmp_path, write_sound):
        rng = np.random.default_rng(0)
        song = rng.uniform(-0.5, 0.5, 1050)
        song[200:300] = 0.0
        song[400:500] = 5e-4
        write_sound(tmp_path / "song-060-100.wav", song, subtype="FLOAT")
        write_sound(tmp_path / "short-070-100.wav", rng.uniform(-0.5, 0.5, 99), subtype="FLOAT")
        return tmp_path, song.astype(np.float32)

    def test_follow_each_other_without_silent_ones(self, where, song):
        path, audio = song
        found = Recordings(n_samples=100, segments=True).read(path)
        starts = [0, 100, 300, 500, 600, 700, 800, 900]
        assert found.names == [f"song-060-100@{start}" for start in starts]
        assert set(found.pitch) == {60.0}
        for i, start in enumerate(starts):
            np.testing.assert_array_equal(found.audio(i), audio[start : start + 100])
        assert next(iter(found.batches(3, seed=0)))["audio"].shape == (3, 100)
        assert Recordings(n_samples=100).read(path).fingerprint != found.fingerprint

    def test_a_peak_is_that_of_the_recording(self, where, song):
        path, audio = song
        plain = Recordings(n_samples=100, segments=True).read(path)
        found = Recordings(n_samples=100, segments=True, peak=0.9).read(path)
        gain = 0.9 / np.abs(audio).max()
        for i in range(len(plain)):
            np.testing.assert_allclose(found.audio(i), gain * plain.audio(i), rtol=1e-6)
        with pytest.raises(UsageError, match="segments and trim_db: expected segments"):
            Recordings(segments=True, trim_db=-50.0, peak=1.0)

    @pytest.mark.parametrize(
        "n_samples, command",
        [(262144, "--preset netzer"), (4410, "--sample_rate 22050 --n_samples 4410")],
    )
    def test_a_large_set_at_another_rate_has_to_be_prepared(
        self, tmp_path, write_sound, monkeypatch, n_samples, command
    ):
        for name in ("a", "b"):
            write_sound(tmp_path / f"{name}.wav", np.full(10000, 0.5), rate=44100)
        monkeypatch.setattr(data, "MAX_BYTES_IN_MEMORY", 0)
        with pytest.raises(UsageError, match=f"at 44100 Hz, .* prepare songs {command}"):
            Recordings(22050, n_samples, segments=True).read(tmp_path)

    def test_none_that_is_heard(self, song):
        with pytest.raises(UsageError, match="has a segment of 2000 samples that is not silent"):
            Recordings(n_samples=2000, segments=True).read(song[0])


class TestCrops:
    @pytest.fixture
    def ramps(self, tmp_path, write_sound):
        """Two ramps that tell where a part was taken, and a recording shorter than a part."""
        write_sound(tmp_path / "ramps" / "a.wav", np.arange(1, 201) / 2048)
        write_sound(tmp_path / "ramps" / "b.wav", np.arange(1001, 1053) / 2048)
        write_sound(tmp_path / "ramps" / "c.wav", np.full(20, -0.5))
        return tmp_path / "ramps"

    @pytest.fixture(params=["in memory", "on disk", "prepared"])
    def dataset(self, request, ramps, tmp_path, monkeypatch):
        if request.param == "on disk":
            monkeypatch.setattr(data, "MAX_BYTES_IN_MEMORY", 0)
        if request.param == "prepared":
            ramps = prepare(ramps, tmp_path / "out", n_samples=None)
        return read(ramps, crop=True)

    @staticmethod
    def drawn(dataset, n_batches, seed=1, start=0):
        batches = dataset.batches(4, seed, start).take(n_batches)
        return np.stack([batch["audio"] for batch in batches.as_numpy_iterator()])

    def test_every_part_is_whole_and_comes_up(self, dataset):
        audio = self.drawn(dataset, 150).reshape(-1, N)
        begins = np.rint(audio[:, 0] * 2048).astype(int)
        expected = (begins[begins > 0, None] + np.arange(N)) / 2048
        np.testing.assert_array_equal(audio[begins > 0], expected)
        short = np.concatenate([np.full(20, -0.5), np.zeros(N - 20)])
        np.testing.assert_array_equal(audio[begins < 0], np.tile(short, [200, 1]))
        # All three places in b, both halves of a, and never beyond its last one.
        assert set(begins[begins > 1000]) == {1001, 1002, 1003}
        of_a = begins[(begins > 0) & (begins < 1000)]
        assert len(of_a) == 200 and 1 <= min(of_a) < 10 and 141 < max(of_a) <= 151
        assert 65 < np.mean(of_a) < 87

    def test_depend_on_seed_and_batch_alone(self, dataset):
        whole = self.drawn(dataset, 12)
        np.testing.assert_array_equal(self.drawn(dataset, 5, start=7), whole[7:])
        assert not np.array_equal(self.drawn(dataset, 12, seed=2), whole)
        np.testing.assert_array_equal(dataset.audio(0), np.arange(1, N + 1) / 2048)

    def test_without_crop_it_is_always_the_beginning(self, ramps):
        plain = read(ramps)
        begins = set(np.rint(self.drawn(plain, 6)[:, :, 0].ravel() * 2048).astype(int))
        assert begins == {1, 1001, -1024}
        assert plain.fingerprint != read(ramps, crop=True).fingerprint

    def test_a_file_that_goes_during_training_is_named(self, ramps):
        dataset = read(ramps, crop=True)
        os.unlink(ramps / "b.wav")
        with pytest.raises(Exception, match="b.wav is missing"):
            self.drawn(dataset, 2)
        assert isinstance(dataset.failure, RunError)


def test_tags_of_a_table_come_through_a_prepared_folder(folder, tmp_path):
    names = enumerate(sorted(path.name for path in folder.iterdir()))
    rows = [f"{name},{'warm' if i else ''},{i}" for i, name in names]
    (folder / "recordings.csv").write_text("\n".join(["file,mood,order", *rows]))
    plain = read(folder, tags=["mood", "order"])
    made = AudioDataset.from_folder(
        prepare(folder, tmp_path / "out"), 16000, n_samples=N, tags=["mood", "order"]
    )
    for found in (plain, made):
        assert found.tag_values == {"mood": ("unknown", "warm"), "order": (0.0, 6.0)}
        assert found.tags["mood"].tolist() == ["unknown"] + ["warm"] * 6
        np.testing.assert_array_equal(found.condition("order"), range(7))
    with pytest.raises(UsageError, match="tag take: the name is taken; rename the column"):
        read(tmp_path / "out", sample_rate=16000, tags=["take"])
    with pytest.raises(UsageError, match="tag audio: the name is taken"):
        read(folder, tags=["audio"])


@pytest.mark.parametrize(
    ("head", "cell", "named"),
    [
        ("mic position", "close", "'mic position': expected letters"),
        ("mic", "x" * 201, "mic: 1 categories; expected at most 1000 categories of 200"),
        ("mic", "a\tb", "mic: 1 categories"),
    ],
)
def test_columns_that_can_not_be_conditions(folder, head, cell, named):
    (folder / "recordings.csv").write_text(f"file,{head}\nx5.wav,{cell}\n")
    with pytest.raises(UsageError, match=named):
        read(folder, tags=[head])


def test_numbers_among_texts_are_categories():
    entries = [types.SimpleNamespace(tags={"kit": i}, value=lambda _, i=i: i) for i in range(1500)]
    tagging.check(["kit"], entries, "notes")
    entries[0].value = lambda _: "n/a"
    with pytest.raises(UsageError, match="kit: 1500 categories"):
        tagging.check(["kit"], entries, "notes")
