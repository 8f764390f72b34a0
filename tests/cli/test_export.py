"""`noisygan export`: models for other programs, and invalid exports."""

import json

import numpy as np
import tensorflow as tf

import noisygan as noisygan_api


def test_a_saved_model_equals_the_generator(noisygan, trained, tmp_path):
    result = noisygan("export", "--run_dir", trained, "--out", tmp_path / "model")
    assert result.code == 0, result
    assert "audio, controls in" in result.out
    assert "fixed: nothing; open: batch, length, sample_rate" in result.out
    facts = json.loads((tmp_path / "model" / "model.json").read_text())
    assert facts["run"] == trained.name
    model = tf.saved_model.load(tmp_path / "model")
    generator = noisygan_api.load(trained).generator
    asked = {
        "z": generator.prior(2, seed=3),
        "pitch": tf.constant([60.0, 72.0]),
        "velocity": tf.constant([50.0, 100.0]),
    }
    seed = tf.constant([1, 2])
    told = {"seed": seed, "n_samples": tf.constant(9000), "sample_rate": tf.constant(24000)}
    sound = model.signatures["audio"](**asked, **told)["audio"]
    expected = generator(asked["z"], asked, seconds=9000 / 24000, sample_rate=24000, seed=seed)
    assert np.abs(expected.audio).max() > 1e-3
    np.testing.assert_allclose(sound, expected.audio, atol=1e-4)


def test_blocks_as_litert(noisygan, trained, tmp_path):
    out = tmp_path / "live"
    result = noisygan(
        "export", "--run_dir", trained, "--out", out, "--format", "litert", "--block", 64
    )
    assert result.code == 0, result
    assert "fixed: 16000 Hz, blocks of 64 samples, 71 late; open: batch" in result.out
    assert sorted(path.name for path in out.iterdir()) == ["model.json", "model.tflite"]


def test_invalid_exports_leave_nothing(refused, trained, tmp_path):
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "file").touch()

    def refuse(*options, run_dir=trained, out=tmp_path / "new"):
        return refused("export", "--run_dir", run_dir, "--out", out, *options)

    assert "exists already" in refuse(out=taken)
    assert "holds no run" in refuse(run_dir=tmp_path)
    assert "seconds has no effect" in refuse("--seconds", 2)
    assert "multiple of 50" in refuse("--format", "litert", "--sample_rate", 44110)
    assert "--block" in refuse("--block", 3)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["taken"]
    assert [path.name for path in taken.iterdir()] == ["file"]
