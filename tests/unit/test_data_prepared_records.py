"""Shards: what is written comes back, TensorFlow reads it too, and damage is found where it is."""

import math

import numpy as np
import pytest

from noisygan.data.prepare import example, records
from noisygan.errors import RunError


def record(key="a", **changes):
    audio = np.array([0.0, 0.5, -1.0, 32767 / 32768, 1 / 32768], np.float32)
    return records.Record(key, "folder/a.wav", {16000: audio, 8000: audio[::2]}, **changes)


def rich():
    return record(
        key="caf\u00e9\n\udcff",
        label="flute",
        pitch=60.5,
        velocity=100.0,
        start_seconds=1.25,
        tags={"family": "flute", "takes": 3, "warmth": 0.5},
        frame_rate=250.0,
        features={"rms": np.arange(3, dtype=np.float32), "onset_seconds": np.zeros(0, np.float32)},
    )


def same(a, b):
    assert {k: v for k, v in vars(a).items() if k not in ("audio", "features")} == {
        k: v for k, v in vars(b).items() if k not in ("audio", "features")
    }
    for name in ("audio", "features"):
        ours, theirs = getattr(a, name), getattr(b, name)
        assert sorted(ours) == sorted(theirs)
        for key, values in ours.items():
            assert theirs[key].dtype == np.float32
            np.testing.assert_array_equal(values, theirs[key])


def test_records_come_back_as_they_were(tmp_path):
    written = [rich(), record("b", pitch=1.0, velocity=2.0)]
    assert records.write_shard(tmp_path / "x.tfrecord", written) == 2
    for ours, theirs in zip(written, records.read_shard(tmp_path / "x.tfrecord"), strict=True):
        same(ours, theirs)
    assert [path.name for path in tmp_path.iterdir()] == ["x.tfrecord"]


def test_what_is_unknown_stays_unknown(tmp_path):
    records.write_shard(tmp_path / "x.tfrecord", [record()])
    (read,) = records.read_shard(tmp_path / "x.tfrecord")
    assert math.isnan(read.pitch) and math.isnan(read.velocity)
    assert (read.label, read.tags, read.frame_rate, read.features) == ("", {}, None, {})


def test_float32_keeps_every_bit_also_beyond_full_scale():
    audio = np.array([1.5, -3.0, 1e-20], np.float32)
    kept = records.Record("a", "a.wav", {16000: audio}, encoding="float32")
    read = records.from_example(records.to_example(kept))
    np.testing.assert_array_equal(read.audio[16000], audio)


def test_int16_rounds_to_the_nearest_and_full_scale_does_not_turn_over():
    audio = np.array([1.0, -1.0, 0.6 / 32768, -0.6 / 32768, 0.4 / 32768], np.float32)
    read = records.from_example(records.to_example(records.Record("a", "a.wav", {16000: audio})))
    assert (read.audio[16000] * 32768).tolist() == [32767, -32768, 1, -1, 0]


def test_equal_records_give_equal_bytes_in_any_order_of_their_parts():
    a = rich()
    b = rich()
    b.tags = dict(reversed(b.tags.items()))
    b.audio = dict(reversed(b.audio.items()))
    assert records.to_example(a) == records.to_example(b)
    payload = records.to_example(a)
    names = sorted(name.encode() for name in example.decode(payload))
    places = [payload.index(b"\n" + bytes([len(name)]) + name) for name in names]
    assert places == sorted(places)
    b.tags["takes"] = 4
    assert records.to_example(a) != records.to_example(b)


@pytest.mark.parametrize(
    ("audio", "encoding", "said"),
    [
        ([0.0, np.nan], "int16", "finite"),
        ([0.0, np.inf], "float32", "finite"),
        ([0.0, 1.01], "int16", "1.01"),
        ([0.0], "int24", "int24"),
        ([[0.0]], "int16", "n_samples"),
        ([], "int16", "n_samples"),
    ],
)
def test_audio_that_does_not_fit_is_refused_and_nothing_is_left(tmp_path, audio, encoding, said):
    bad = records.Record("a", "a.wav", {16000: np.array(audio, np.float32)}, encoding=encoding)
    with pytest.raises(ValueError, match=said):
        records.write_shard(tmp_path / "x.tfrecord", [record(), bad])
    assert not list(tmp_path.iterdir())


def test_tensorflow_reads_ours_and_we_read_tensorflows(tmp_path):
    import tensorflow as tf

    path, theirs = tmp_path / "x.tfrecord", tmp_path / "y.tfrecord"
    records.write_shard(path, [rich(), record("b")])
    payloads = [raw.numpy() for raw in tf.data.TFRecordDataset(str(path))]
    read = tf.train.Example.FromString(payloads[0]).features.feature
    assert read["pitch"].float_list.value[:] == [60.5]
    assert read["sample_rate"].int64_list.value[:] == [8000, 16000]
    assert read["tag/family"].bytes_list.value[:] == [b"flute"]
    pcm = tf.io.decode_raw(read["audio/16000"].bytes_list.value[0], tf.int16)
    assert pcm.numpy().tolist() == [0, 16384, -32768, 32767, 1]
    with tf.io.TFRecordWriter(str(theirs)) as writer:
        for payload in payloads:
            message = tf.train.Example.FromString(payload)
            writer.write(message.SerializeToString(deterministic=True))
    assert theirs.read_bytes() == path.read_bytes()


class TestDamage:
    @pytest.fixture
    def path(self, tmp_path):
        path = tmp_path / "x.tfrecord"
        records.write_shard(path, [record(str(i)) for i in range(3)])
        return path

    @staticmethod
    def error(path):
        read = []
        with pytest.raises(records.DamagedShardError) as caught:
            for one in records.read_shard(path):
                read.append(one.key)
        assert read == [str(i) for i in range(caught.value.index)]
        assert caught.value.path == path
        assert "\n" not in str(caught.value)
        return caught.value

    def test_a_bit_anywhere_is_found(self, path):
        whole = path.read_bytes()
        size = len(whole) // 3
        for place in range(0, len(whole), 7):
            changed = bytearray(whole)
            changed[place] ^= 1
            path.write_bytes(changed)
            assert self.error(path).index == place // size

    def test_an_end_anywhere_but_between_records_is_found(self, path):
        whole = path.read_bytes()
        size = len(whole) // 3
        for length in range(size + 1, 2 * size):
            path.write_bytes(whole[:length])
            assert self.error(path).index == 1

    @pytest.mark.parametrize("missing", ["key", "encoding", "audio/16000", "pitch"])
    def test_a_record_without_what_it_must_have_is_named(self, path, missing):
        features = example.decode(records.to_example(record("3")))
        del features[missing]
        with open(path, "ab") as file:
            example.write_frame(file, example.encode(features))
        assert missing in self.error(path).reason

    def test_another_kind_of_feature_other_bytes_and_other_lengths(self, path):
        good = example.decode(records.to_example(record("3")))
        whole = path.read_bytes()
        for payload in (
            b"no message",
            example.encode(good | {"pitch": b"60"}),
            example.encode(good | {"encoding": b"mp3"}),
            example.encode(good | {"n_samples/8000": [4]}),
        ):
            path.write_bytes(whole)
            with open(path, "ab") as file:
                example.write_frame(file, payload)
            assert self.error(path).index == 3

    def test_a_missing_file_is_an_error_of_one_line(self, path):
        path.unlink()
        with pytest.raises(RunError, match="No such file"):
            list(records.read_shard(path))


def test_tensorflow_is_not_needed():
    import subprocess
    import sys

    program = (
        "import sys\nfrom noisygan.data.prepare import records, load, verify, tables, features\n"
        "print([n for n in ('tensorflow', 'librosa', 'matplotlib') if n in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert answer.stdout.split() == ["[]"], answer.stderr
