"""What files say of themselves is shown within a line, and moves no terminal's cursor."""

import numpy as np
import pytest

from noisygan.audio_io.curves_csv import read_curves
from noisygan.data.prepare import example, records
from noisygan.errors import UsageError
from noisygan.studio import asking
from tests.fuzz.targets import good_controls, studio_runs


@pytest.mark.parametrize("head", ["a\n,b", '"ti\nme",x', "\x1b[2J,b", "time_seconds,a\x1b,a\x1b"])
def test_names_of_columns(tmp_path, head):
    (tmp_path / "a.csv").write_text(head)
    with pytest.raises(UsageError) as caught:
        read_curves(tmp_path / "a.csv", good_controls())
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("body", [{"a\nb": 1}, {"pitch": "a\nb"}, {"z": ["\x1b[2J"] * 6}])
def test_fields_of_requests(body):
    pytest.importorskip("starlette", reason="needs the extra studio")
    with pytest.raises(UsageError) as caught:
        asking.parse(body, studio_runs()[0])
    assert str(caught.value).isprintable()


def test_the_command_line_shows_no_control_characters(tmp_path, refused):
    _, said = refused("synth", "--controls", tmp_path / "\x1b[2J\u202e.npz", "--out", "a.wav")
    assert said.isprintable() and "\\x1b[2J" in said


@pytest.mark.parametrize("value", [np.ones(0, np.float32), np.ones(2, np.float32), [1]])
def test_texts_of_records_that_are_none(tmp_path, value):
    """Found by fuzzing: a list of no floats where a text is expected."""
    features = example.decode(records.to_example(records.Record("a", "a", {8000: np.ones(3)})))
    payload = example.encode(features | {"encoding": value})
    with pytest.raises(records.DamagedShardError, match="another kind of feature 'encoding'"):
        records.from_payload(tmp_path, 0, payload)
