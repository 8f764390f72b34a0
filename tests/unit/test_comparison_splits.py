"""Held-out recordings of a comparison."""

import numpy as np
import pytest
import soundfile

from noisygan.comparison.splits import training_and_held_out
from noisygan.errors import UsageError


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
    # A recording that is removed later is removed from its half.
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


def test_what_can_not_be_divided_is_refused(tmp_path):
    write(tmp_path / "kick" / "one-v080.wav")
    write(tmp_path / "kick" / "one-v127.wav")
    with pytest.raises(UsageError, match="2 recordings of one kind.*--train DIR"):
        training_and_held_out(tmp_path, None, tmp_path / "out")
    assert not (tmp_path / "out").exists()
