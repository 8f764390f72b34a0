"""Names from files are shown within a line and cannot move the cursor of a terminal."""

import pytest

from noisygan.audio_io.curves_csv import read_curves
from noisygan.errors import UsageError
from noisygan.studio import requests
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
        requests.parse(body, studio_runs()[0])
    assert str(caught.value).isprintable()


def test_the_command_line_shows_no_control_characters(tmp_path, refused):
    _, said = refused("synth", "--controls", tmp_path / "\x1b[2J\u202e.npz", "--out", "a.wav")
    assert said.isprintable() and "\\x1b[2J" in said
