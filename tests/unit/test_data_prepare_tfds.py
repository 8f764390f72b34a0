"""NSynth as TFDS has prepared it, in a small dataset of the same form."""

import numpy as np
import pytest

from noisygan.data.prepare import preparing, presets, records, units

tfds = pytest.importorskip("tensorflow_datasets", reason="tensorflow-datasets is not installed")

N_NOTES = {"train": 11, "valid": 3}


def audio(split, index):
    times = np.arange(64000) / 16000
    level = 0.1 + 0.02 * index
    return (level * np.sin(2 * np.pi * (220 + 20 * len(split)) * times)).astype(np.float32)


class Nsynth(tfds.core.GeneratorBasedBuilder):
    """Notes with the features of TFDS's nsynth."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        names = {
            "label": ["bass_electronic_000", "flute_acoustic_002"],
            "family": ["bass", "flute"],
            "source": ["acoustic", "electronic"],
        }
        features = {
            "id": tfds.features.Text(),
            "audio": tfds.features.Audio(shape=(64000,), dtype=np.float32),
            "pitch": tfds.features.ClassLabel(num_classes=128),
            "velocity": tfds.features.ClassLabel(num_classes=128),
            "instrument": {
                name: tfds.features.ClassLabel(names=each) for name, each in names.items()
            },
            "qualities": {"bright": np.bool_, "dark": np.bool_},
        }
        return self.dataset_info_from_configs(features=tfds.features.FeaturesDict(features))

    def _split_generators(self, dl_manager):
        return {split: self._generate_examples(split, n) for split, n in N_NOTES.items()}

    def _generate_examples(self, split, n):
        for i in range(n):
            instrument = {"label": "flute_acoustic_002", "family": "flute", "source": "acoustic"}
            yield (
                f"{split}{i}",
                {
                    "id": f"{split}{i}",
                    "audio": audio(split, i),
                    "pitch": 60 + i,
                    "velocity": 100,
                    "instrument": instrument,
                    "qualities": {"bright": True, "dark": False},
                },
            )


def test_every_example_becomes_a_record(tmp_path):
    builder = Nsynth(data_dir=tmp_path / "tfds")
    config = tfds.download.DownloadConfig(num_shards=2)
    builder.download_and_prepare(download_config=config)

    def run(folder, indices, done):
        for index in reversed(indices):  # Whatever their order is.
            done(units.process(folder, index))

    made, _ = preparing.prepare(builder.data_dir, tmp_path / "out", presets.options("nsynth"), run)
    assert {name: each["n_records"] for name, each in made["splits"].items()} == N_NOTES
    for split, n_notes in N_NOTES.items():
        found = [
            record
            for shard in made["splits"][split]["shards"]
            for record in records.read_shard(tmp_path / "out" / shard)
        ]
        assert sorted(record.pitch for record in found) == [60 + i for i in range(n_notes)]
        for record in found:
            expected = audio(split, int(record.pitch) - 60)
            np.testing.assert_allclose(record.audio[16000], expected, atol=2**-15)
            assert (record.label, record.velocity) == ("flute_acoustic_002", 100.0)
            known = {"family": "flute", "source": "acoustic", "qualities": "bright"}
            assert record.tags == known
