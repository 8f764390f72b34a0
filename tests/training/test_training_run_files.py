"""Run folders: what is written, what is refused, what survives an unfinished line; callbacks."""

import json

import numpy as np
import pytest
import tensorflow as tf

import noisygan
from noisygan.errors import RunError, UsageError
from noisygan.training import checkpoints, run_files
from noisygan.training.callbacks import Samples, TensorBoard, log_mel_images
from tests import toys


@pytest.fixture
def run_dir(tmp_path):
    run_files.create(tmp_path / "run", "A = 1\n", toys.notes(), 7, ["noisygan", "train"])
    return tmp_path / "run"


def test_a_new_folder_holds_config_and_metadata(run_dir):
    run_files.check_run(run_dir)
    assert (run_dir / "config.gin").read_text() == "A = 1\n"
    metadata = run_files.read_metadata(run_dir)
    assert (metadata["seed"], metadata["command"]) == (7, ["noisygan", "train"])
    assert metadata["versions"]["tensorflow"] == tf.__version__
    assert metadata["data"]["fingerprint"] == "0123456789abcdef"
    assert metadata["data"]["n_recordings"] == 8
    assert (metadata["sample_rate"], metadata["n_samples"]) == (16000, 4000)
    assert metadata["label_names"] == ["toy"]


def test_a_folder_in_use_is_refused_and_left_alone(run_dir, tmp_path):
    before = {p: p.read_bytes() for p in run_dir.rglob("*") if p.is_file()}
    with pytest.raises(UsageError, match="holds a run; .* resume it"):
        run_files.create(run_dir, "B = 2\n", toys.notes(), 0)
    assert {p: p.read_bytes() for p in run_dir.rglob("*") if p.is_file()} == before
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(UsageError, match="is not an empty folder"):
        run_files.create(tmp_path / "mine", "", toys.notes(), 0)
    (tmp_path / "empty").mkdir()
    run_files.create(tmp_path / "empty", "", toys.notes(), 0)


def test_a_folder_without_a_run_or_checkpoint_is_refused(run_dir, tmp_path):
    with pytest.raises(UsageError, match="does not exist"):
        run_files.check_run(tmp_path / "nothing")
    with pytest.raises(UsageError, match="holds no run"):
        run_files.check_run(tmp_path)
    with pytest.raises(UsageError, match="holds no checkpoint yet"):
        noisygan.load(run_dir)
    (run_dir / "run.json").write_text("{")
    with pytest.raises(RunError, match=r"run.json can't be read"):
        run_files.read_metadata(run_dir)


def test_metadata_of_another_kind_or_version_are_refused(tmp_path):
    (tmp_path / "run.json").write_text(json.dumps(toys.metadata()))
    known = run_files.read_metadata(tmp_path)
    assert known == toys.metadata() | {"tags": {}, "tag_rows": []}
    for name in set(known) - {"noisygan", "replicas", "format", "tags", "tag_rows"}:
        for changed in (
            toys.metadata(**{name: 5.5}),
            {k: v for k, v in known.items() if k != name},
        ):
            (tmp_path / "run.json").write_text(json.dumps(changed))
            with pytest.raises(RunError, match=f": {name} is "):
                run_files.read_metadata(tmp_path)
    (tmp_path / "run.json").write_text(json.dumps({"format": 4, "noisygan": "0.3.0"}))
    with pytest.raises(RunError, match=r"written by noisygan 0.3.0 \(format 4\)"):
        run_files.read_metadata(tmp_path)


def test_a_step_is_the_number_of_a_prefix():
    assert checkpoints.step_of("run/snapshots/seconds-000060-step-12") == 12
    with pytest.raises(UsageError, match="got foo"):
        checkpoints.step_of("foo")


def test_metrics_survive_an_unfinished_line_and_are_cut_at_a_step(run_dir):
    path = run_dir / "metrics.jsonl"
    assert run_files.read_metrics(run_dir) == []
    for step in (1, 10, 20, 30):
        run_files.append_metrics(run_dir, {"step": step, "d_loss": 0.5 * step})
    with path.open("a") as file:
        file.write('{"step": 40, "d_lo')
    assert [r["step"] for r in run_files.read_metrics(run_dir)] == [1, 10, 20, 30]
    run_files.drop_metrics_after(run_dir, 20)
    assert [json.loads(line)["step"] for line in path.read_text().splitlines()] == [1, 10, 20]
    run_files.append_metrics(run_dir, {"step": 30, "d_loss": 1.0})
    assert run_files.read_metrics(run_dir)[-1] == {"step": 30, "d_loss": 1.0}


def test_the_command_does_not_name_the_home_folder(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    found = run_files.without_home(["--data=/home/me/notes", "/home/meadow/x", "/home/me/a"])
    assert found == ["--data=~/notes", "/home/meadow/x", "~/a"]


def test_samples_are_fixed_latents_of_the_averaged_generator(run_dir):
    trainer, notes = toys.trainer(), toys.notes()
    trainer.build(notes)
    samples = Samples(trainer, notes, run_dir)
    audio = samples.render()
    assert audio.shape == (4, 4000)
    assert len(set(samples.conditioning["pitch"].numpy()) & set(notes.pitch)) == 4
    np.testing.assert_array_equal(Samples(trainer, notes, run_dir).render(), audio)
    for variable in trainer.generator.trainable_variables:
        variable.assign(tf.zeros(variable.shape))
    np.testing.assert_array_equal(samples.render(), audio)


def test_tensorboard_gets_metrics_audio_and_spectrograms(tmp_path):
    board = TensorBoard(tmp_path, 16000)
    board(3, {"d_loss": 0.25}, None)
    audio = np.stack([toys.notes(n=2).audio(i) for i in range(2)])
    board.audio(3, audio)
    (file,) = tmp_path.iterdir()
    tags = {}
    for record in tf.data.TFRecordDataset(str(file)):
        event = tf.compat.v1.Event.FromString(record.numpy())
        tags |= {v.tag: (event.step, tf.make_ndarray(v.tensor)) for v in event.summary.value}
    assert set(tags) == {"d_loss", "sound", "log_mel"}
    assert tags["d_loss"] == (3, 0.25)


def test_images_have_low_bands_below():
    times = np.arange(4000) / 16000
    (image,) = log_mel_images(np.sin(2 * np.pi * 300 * times).astype(np.float32)[None], 16000)
    assert image.shape == (80, 16, 1) and (image.min(), image.max()) == (0.0, 1.0)
    assert np.argmax(image[:, 8, 0]) > 60
