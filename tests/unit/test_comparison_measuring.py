"""Held-out recordings of a comparison, and metrics in its folder."""

import json

import numpy as np
import pytest
import soundfile

from noisygan.comparison import measuring
from noisygan.comparison.measuring import training_and_held_out
from noisygan.data.dataset import Recordings
from noisygan.errors import UsageError
from noisygan.evaluation.report import Metric, Result

ENTRY = Result(Metric("distance", "g", headline=True), 1.0, floor=0.0).as_json()


def write(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, 0.1 * np.ones(100), 16000)


def drums(folder):
    for label in ("kick", "snare"):
        for kit in ("jazz", "room", "rock", "funk"):
            for velocity in (80, 127):
                write(folder / label / f"{kit}-v{velocity:03d}.wav")
    return folder


def test_a_folder_is_divided_and_all_velocities_of_a_drum_stay_together(tmp_path):
    folders = training_and_held_out(drums(tmp_path / "drums"), None, tmp_path / "out")
    kinds = []
    for folder in (folders.train, folders.held_out):
        names = {path.relative_to(folder).as_posix() for path in folder.rglob("*.wav")}
        assert len(names) == 8
        kinds.append({name.rsplit("-", 1)[0] for name in names})
    assert not kinds[0] & kinds[1]
    assert {kind.split("/")[0] for kind in kinds[1]} == {"kick", "snare"}
    assert "a half of it" in folders.note
    # A recording that is replaced later is replaced in its half.
    (snare,) = (tmp_path / "out").rglob("snare/jazz-v080.wav")
    new = tmp_path / "new.wav"
    new.write_bytes(b"new")
    new.replace(tmp_path / "drums" / "snare" / "jazz-v080.wav")
    training_and_held_out(tmp_path / "drums", None, tmp_path / "out")
    assert snare.read_bytes() == b"new"
    # One that is removed is removed from it.
    (tmp_path / "drums" / "kick" / "jazz-v080.wav").unlink()
    assert training_and_held_out(tmp_path / "drums", None, tmp_path / "out") == folders
    names = [path.name for path in (tmp_path / "out").rglob("kick/*.wav")]
    assert len(names) == 7 and "jazz-v080.wav" not in names


def test_parts_that_are_there_are_taken(tmp_path):
    for split in ("nsynth-train", "nsynth-test"):
        (tmp_path / split).mkdir()
    folders = training_and_held_out(tmp_path, None, tmp_path / "out")
    assert folders == (tmp_path / "nsynth-train", tmp_path / "nsynth-test", "")
    assert training_and_held_out("b", "a", tmp_path)[:2] == (
        type(tmp_path)("a"),
        type(tmp_path)("b"),
    )
    assert not (tmp_path / "out").exists()


def test_systems_of_one_rate_are_read_as_the_shortest():
    short, long = Recordings(n_samples=2000), Recordings(n_samples=3000)
    assert measuring.common_recordings({"a": long, "b": short}) is short
    faded = Recordings(n_samples=2000, fade_out_seconds=0.01)
    for order in ((short, faded, long), (long, faded, short)):
        assert measuring.common_recordings(dict(zip("abc", order, strict=True))) is faded
    other = Recordings(sample_rate=44100, n_samples=2000)
    with pytest.raises(UsageError, match=r"16000 Hz \(a\), 44100 Hz \(b\); expected one rate"):
        measuring.common_recordings({"a": short, "b": other})


@pytest.mark.parametrize(
    "content",
    [
        {"metrics": 3},
        {"metrics": [{}]},
        {"metrics": [{"name": "d", "group": "g", "odd": 1}]},
        {"metrics": [ENTRY | {"value": "much"}]},
        {"curve": 3},
        {"conditions": None},
    ],
)
def test_damaged_metrics_are_named_when_the_table_is_written(content, tmp_path):
    folders = [tmp_path / "a-0", tmp_path / "a-1"]
    good = {"metrics": [ENTRY], "curve": [], "warnings": [], "conditions": []}
    for folder in folders:
        folder.mkdir()
        (folder / "evaluation.json").write_text(json.dumps(good))
    assert measuring.results_of(folders)[0][0].value == 1.0
    (folders[1] / "evaluation.json").write_text(json.dumps(good | content))
    with pytest.raises(UsageError, match=r"evaluation\.json .* of a-0, a-1 is damaged"):
        measuring.results_of(folders)
