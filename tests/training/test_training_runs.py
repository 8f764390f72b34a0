"""Run folders: what is written, what is refused, what survives an unfinished line."""

import json

import numpy as np
import pytest
import tensorflow as tf

from noisygan.errors import RunError, UsageError
from noisygan.training.checkpoints import restore
from noisygan.training.runs import RunFolder, load_generator
from noisygan.training.summaries import EventWriter, Samples, log_mel_pictures
from tests import toys


@pytest.fixture
def run(tmp_path):
    return RunFolder.create(tmp_path / "run", "A = 1\n", ["noisygan", "train"], toys.notes(), 7)


def test_a_new_folder_holds_the_facts(run):
    again = RunFolder.open(run.path)
    assert again.config.read_text() == "A = 1\n"
    facts = again.facts
    assert facts["seed"] == 7
    assert facts["command"] == ["noisygan", "train"]
    assert facts["versions"]["tensorflow"] == tf.__version__
    assert facts["data"]["fingerprint"] == "0123456789abcdef"
    assert facts["data"]["n_recordings"] == 8
    assert (facts["sample_rate"], facts["n_samples"]) == (16000, 4000)
    assert facts["label_names"] == ["toy"]
    assert again.latest_checkpoint() is None


def test_a_folder_in_use_is_refused_and_left_alone(run, tmp_path):
    before = {p: p.read_bytes() for p in run.path.rglob("*") if p.is_file()}
    with pytest.raises(UsageError, match="already holds a run; add --resume"):
        RunFolder.create(run.path, "B = 2\n", [], toys.notes(), 0)
    assert {p: p.read_bytes() for p in run.path.rglob("*") if p.is_file()} == before
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(UsageError, match="is not an empty folder"):
        RunFolder.create(tmp_path / "mine", "", [], toys.notes(), 0)
    (tmp_path / "empty").mkdir()
    RunFolder.create(tmp_path / "empty", "", [], toys.notes(), 0)


@pytest.mark.parametrize(("there", "message"), [(False, "is not there"), (True, "holds no run")])
def test_opening_what_is_no_run(tmp_path, there, message):
    path = tmp_path / "nothing"
    if there:
        path.mkdir()
    with pytest.raises(UsageError, match=message):
        RunFolder.open(path)


def test_broken_facts(run):
    run.facts_file.write_text("{")
    with pytest.raises(RunError, match=r"run.json can't be read"):
        _ = run.facts


def test_metrics_survive_an_unfinished_line_and_are_cut_at_a_step(run):
    assert run.read_metrics() == []
    for step in (1, 10, 20, 30):
        run.write_metrics({"step": step, "d_loss": 0.5 * step})
    with run.metrics_file.open("a") as file:
        file.write('{"step": 40, "d_lo')
    assert [r["step"] for r in run.read_metrics()] == [1, 10, 20, 30]
    run.keep_metrics_before(20)
    assert [json.loads(line)["step"] for line in run.metrics_file.read_text().splitlines()] == [
        1,
        10,
        20,
    ]
    run.write_metrics({"step": 30, "d_loss": 1.0})
    assert run.read_metrics()[-1] == {"step": 30, "d_loss": 1.0}


def test_the_log_is_added_to(run):
    run.log("one")
    run.log("two")
    assert [line.split(" ", 1)[1] for line in run.log_file.read_text().splitlines()] == [
        "one",
        "two",
    ]


def test_a_run_without_a_checkpoint_has_no_generator(run):
    with pytest.raises(UsageError, match="holds no checkpoint yet; train it further"):
        load_generator(run.path)


def test_a_checkpoint_of_another_config_or_a_damaged_one_is_refused(tmp_path):
    def checkpoint(*sizes):
        return tf.train.Checkpoint(weights=[tf.Variable(tf.ones(n)) for n in sizes])

    path = checkpoint(3, 4).save(str(tmp_path / "state"))
    good = checkpoint(3, 4)
    restore(good, path)
    for other in (checkpoint(3, 5), checkpoint(3, 4, 5), checkpoint(3)):
        with pytest.raises(RunError, match="does not fit the config beside it, or is damaged"):
            restore(other, path)
    partial = tf.train.Checkpoint(weights=[tf.Variable(tf.zeros(3))])
    restore(partial, path, partial=True)
    np.testing.assert_array_equal(partial.weights[0], np.ones(3))
    data = next(tmp_path.glob("state*.data*"))
    data.write_bytes(data.read_bytes()[:5])
    with pytest.raises(RunError, match="does not fit the config beside it, or is damaged"):
        restore(checkpoint(3, 4), path)


def test_samples_are_the_same_codes_under_conditions_of_the_recordings():
    trainer = toys.trainer()
    notes = toys.notes()
    trainer.build(notes)
    samples = Samples(trainer, notes)
    audio, controls = samples.render()
    assert audio.shape == (4, 4000)
    assert set(samples.conditioning["pitch"].numpy()) <= set(notes.pitch)
    assert len(set(samples.conditioning["pitch"].numpy())) == 4
    np.testing.assert_array_equal(Samples(trainer, notes).render()[0], audio)
    assert controls["loudness_db"].shape == (4, 25, 1)
    # The averaged weights sound, not the present ones.
    for variable in trainer.generator.trainable_variables:
        variable.assign(tf.zeros(variable.shape))
    np.testing.assert_array_equal(samples.render()[0], audio)


def test_events_for_tensorboard(tmp_path):
    writer = EventWriter(tmp_path, 16000)
    writer.scalars(3, {"d_loss": 0.25})
    audio = toys.notes(n=2)._audio
    curves = {"loudness_db": np.zeros((2, 25, 1)), "noise/magnitudes": np.ones((2, 25, 9))}
    writer.sounds(3, audio, curves)
    (file,) = tmp_path.iterdir()
    tags = {}
    for record in tf.data.TFRecordDataset(str(file)):
        event = tf.compat.v1.Event.FromString(record.numpy())
        for value in event.summary.value:
            tags[value.tag] = (event.step, tf.make_ndarray(value.tensor))
    assert set(tags) == {"d_loss", "sound", "log_mel", "loudness_db", "noise/magnitudes"}
    assert tags["d_loss"] == (3, 0.25)


def test_pictures_have_low_pitch_below():
    times = np.arange(4000) / 16000
    audio = np.sin(2 * np.pi * 300 * times).astype(np.float32)[None]
    (picture,) = log_mel_pictures(audio, 16000)
    assert picture.shape == (80, 16, 1)
    assert (picture.min(), picture.max()) == (0.0, 1.0)
    assert np.argmax(picture[:, 8, 0]) > 60
