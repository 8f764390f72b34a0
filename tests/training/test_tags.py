"""Tags: columns of a table condition a run, from the folder to the rendered note."""

import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

import noisygan
from noisygan.data import AudioDataset
from noisygan.errors import RunError, UsageError
from noisygan.evaluation.generate import generate, recordings_of, some_examples
from tests import toys


@pytest.fixture(scope="module")
def run(tagged):
    return noisygan.load(tagged)


@pytest.fixture
def data(tagged):
    tags = ["bright", "mic"]
    return AudioDataset.from_folder(tagged.parent / "notes", n_samples=8000, tags=tags)


def test_a_run_knows_its_tags_and_their_values(run):
    assert run.condition_names == ("pitch", "velocity", "mic", "bright")
    assert run.tag_values == {"bright": (0.1, 0.7), "mic": ("close", "far", "unknown")}
    rows = {tuple(row.values()) for row in run.tag_rows}
    # A recording without a value: the mean of the others, or a category of its own.
    assert len(run.tag_rows) == 8 and {("tone", 0.4, "close"), ("tone", 0.3, "unknown")} <= rows


def test_a_dataset_has_them_in_its_batches(data):
    assert data.tags["mic"].tolist() == ["close", "far", "far", "unknown"] * 2
    np.testing.assert_allclose(data.tags["bright"], [0.4, *np.arange(1, 8) / 10], rtol=1e-6)
    batch = next(iter(data.batches(8, seed=0)))
    rows = np.rint(batch["pitch"] - 60).astype(int)
    np.testing.assert_array_equal(batch["mic"], data.condition("mic")[rows])
    np.testing.assert_array_equal(batch["bright"], data.tags["bright"][rows])


def test_they_reach_generator_and_discriminator(run, data):
    trainer = toys.trainer(
        generator=toys.hybrid(condition_encoder=toys.ConditionEncoder(tags=("mic", "bright"))),
        condition_encoder=toys.ConditionEncoder(tags=("mic", "bright")),
    )
    data = toys.notes(tags={"mic": np.array(["a", "b"] * 4), "bright": np.float32(range(8))})
    trainer.build(data, seed=0)
    z, audio = trainer.generator.prior(1, 0), tf.constant(data.audio(0)[None])
    given = toys.conditioning((60.0,), (100.0,), (0,)) | {"mic": tf.constant([0.0])}
    for other in ({"mic": 1.0}, {"bright": 6.0}):
        sounds, logits = [], []
        for changes in ({}, other):
            own = given | {"bright": tf.constant([2.0])}
            own |= {name: tf.constant([value]) for name, value in changes.items()}
            sounds.append(trainer.generator(z, own).audio)
            logits.append(
                trainer.discriminator(audio, trainer.gan.condition_encoder(own)).logits[0]
            )
        assert np.abs(sounds[0] - sounds[1]).max() > 1e-6
        assert np.abs(logits[0] - logits[1]).max() > 1e-6
    with tf.GradientTape() as tape:
        bright = tf.Variable([2.0])
        loss = tf.reduce_sum(
            trainer.generator(z, given | {"bright": bright}).controls["loudness_db"]
        )
    assert np.abs(tape.gradient(loss, bright)) > 0


def test_notes_are_rendered_at_the_values_that_are_given(run):
    notes = run.render(pitch=64, tags={"mic": ["close", "far"], "bright": 0.5})
    assert notes.names == [f"tone-mic_{mic}-bright_0.5-064-100-000" for mic in ("close", "far")]
    close, far = notes.audio
    assert np.abs(close - far).max() > 1e-6
    again = run.render(pitch=64, tags={"bright": "0.5", "mic": "far"}).audio[0]
    np.testing.assert_allclose(again, far, atol=1e-6)
    for tags, named in (
        ({"mood": "dark"}, "mood is unknown.*bright, mic"),
        ({"mic": "room"}, "mic: got room.*close, far, unknown"),
        ({"bright": 0.8}, "bright: got 0.8.*0.1 to 0.7"),
        ({"bright": "x"}, "bright: got x.*0.1 to 0.7"),
    ):
        with pytest.raises(UsageError, match=named):
            run.render(tags=tags)


def test_an_interpolation_and_an_instrument_have_tags(run, tmp_path):
    assert len(run.interpolate(steps=2, pitch=60, tags={"mic": "far"})) == 2
    with pytest.raises(UsageError, match="mic: got .'far', 'close'.*expected one of"):
        run.interpolate(steps=2, pitch=60, tags={"mic": ["far", "close"]})
    given = {"pitch": [60], "velocity": [100], "round_robins": 1}
    made = run.instrument(tmp_path / "sfz", **given, tags={"mic": "far"})
    assert [sample.zone.request.tags["mic"] for sample in made.samples] == ["far"]
    with pytest.raises(UsageError, match="mic: got close,far"):
        run.instrument(tmp_path / "other", **given, tags={"mic": "close,far"})


def test_a_song_is_played_with_tags(run, tmp_path):
    mido = pytest.importorskip("mido")
    messages = [mido.Message(kind, note=60, time=240) for kind in ("note_on", "note_off")]
    mido.MidiFile(tracks=[mido.MidiTrack(messages)]).save(tmp_path / "a.mid")
    close, far, again = (
        run.play(tmp_path / "a.mid", tags={"mic": mic, "bright": 0.5}).audio[0]
        for mic in ("close", "far", "far")
    )
    np.testing.assert_array_equal(far, again)
    assert np.abs(close - far).max() > 1e-6
    with pytest.raises(UsageError, match="mood is unknown"):
        run.play(tmp_path / "a.mid", tags={"mood": "dark"})


def test_notes_like_recordings_have_their_tags(run, tagged, tmp_path, write_sound):
    notes = run.render(like=tagged.parent / "notes", seed=0)
    assert len(notes) == 8
    examples = some_examples(recordings_of(run).read(tagged.parent / "notes"), 8)
    made = generate(run, examples, 8)
    assert examples.tags["mic"].tolist().count("far") == 4 and np.isfinite(made.audio).all()
    write_sound(tmp_path / "tone-060-100.wav")
    (tmp_path / "recordings.csv").write_text("file,mic,bright\ntone-060-100.wav,room,9\n")
    with pytest.raises(UsageError, match="tone-060-100.wav: tag mic: got room"):
        run.render(like=tmp_path)
    some = recordings_of(run).read(tmp_path)
    with pytest.raises(UsageError, match="mic: got room"):
        generate(run, some_examples(some, 1), 1)
    # Numbers beyond the range are clipped to it.
    (tmp_path / "recordings.csv").write_text("file,mic,bright\ntone-060-100.wav,far,9\n")
    assert len(run.render(like=tmp_path)) == 1


def test_a_match_finds_tags_and_saves_them(run, tagged, tmp_path):
    target = tagged.parent / "notes" / "tone-062-100.wav"
    found = run.match(target, n_steps=1)
    assert set(found.latent.tags) == {"mic", "bright"}
    assert 0.1 <= found.latent.tags["bright"] <= 0.7
    given = run.match(target, n_steps=1, tags={"mic": "far", "bright": "0.25"})
    assert given.latent.tags == {"mic": "far", "bright": 0.25}
    with pytest.raises(UsageError, match="mic: got room"):
        run.match(target, tags={"mic": "room"})
    found.save(tmp_path)
    [path] = tmp_path.glob("*-z.npz")
    notes = run.render(z=path)
    assert f"mic_{found.latent.tags['mic']}" in notes.names[0]


def test_what_does_not_fit_is_refused_in_a_line(run, tagged, tmp_path, tiny):
    given = {"data": tagged.parent / "notes", "run_dir": tmp_path / "run", "steps": 1}
    with pytest.raises(UsageError, match="no recording .* has the tag mood; there are bright, mic"):
        noisygan.train(tiny, overrides=["ConditionEncoder.tags = ['mood']"], **given)
    given["data"] = AudioDataset.from_folder(given["data"], n_samples=8000, tags=["mic"])
    with pytest.raises(UsageError, match="was read without bright"):
        noisygan.train(tiny, overrides=["ConditionEncoder.tags = ['bright', 'mic']"], **given)
    assert not given["run_dir"].exists()
    shutil.copytree(tagged, tmp_path / "copy")
    path = tmp_path / "copy" / "run.json"
    metadata = json.loads(path.read_text())
    for wrong in ({"tag_rows": []}, {"tags": {"mic": []}}, {"tags": {"mic": [2.0, 1.0]}}):
        path.write_text(json.dumps(metadata | wrong))
        with pytest.raises(RunError, match="tag"):
            noisygan.load(tmp_path / "copy")


def test_a_changed_tag_is_another_dataset(tagged, tmp_path):
    def fingerprint(**options):
        return AudioDataset.from_folder(tmp_path / "notes", n_samples=800, **options).fingerprint

    shutil.copytree(tagged.parent / "notes", tmp_path / "notes")
    plain, with_tags = fingerprint(), fingerprint(tags=["mic"])
    table = tmp_path / "notes" / "recordings.csv"
    table.write_text(table.read_text().replace("close", "near", 1))
    assert fingerprint() == plain != with_tags != fingerprint(tags=["mic"])
