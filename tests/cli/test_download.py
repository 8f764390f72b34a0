"""`noisygan download`: what it asks for, and what it says; fetching itself is tested in unit/."""

import pytest

from noisygan.cli.main import main
from noisygan.data import download


@pytest.fixture
def asked(monkeypatch, tmp_path):
    """Names of the archives that were asked for."""
    names = []

    def get(archive, out, progress):
        names.append(archive.name)
        return tmp_path / archive.folder, len(names) == 1

    monkeypatch.setattr(download, "get", get)
    return names


def test_all_splits_or_those_that_are_named(asked, tmp_path, capsys):
    out = ["--out", str(tmp_path)]
    assert main(["download", "nsynth", *out, "--split", "test", "--split", "valid"]) == 0
    assert asked == ["nsynth-test.tfrecord.tar", "nsynth-valid.tfrecord.tar"]
    said = capsys.readouterr().out
    assert "nsynth-test.tfrecord.tar: 1.1 GB from http" in said
    assert "nsynth-test: unpacked" in said and "nsynth-valid: is there already" in said
    asked.clear()
    assert main(["download", "nsynth", *out]) == main(["download", "speech_commands", *out]) == 0
    assert len(asked) == 4 and asked[-1] == "speech_commands_v0.02.tar.gz"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nsinth", "--out", "x"], "no data set nsinth; expected nsynth or speech_commands"),
        (["nsynth", "--out", "x", "--split", "dev"], "nsynth has train, valid, test"),
        (["nsynth"], "--out"),
    ],
)
def test_wrong_use_is_told_in_a_line(asked, arguments, said, capsys):
    assert main(["download", *arguments]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1 and not asked


def test_a_stopped_download_says_how_it_goes_on(monkeypatch, tmp_path, capsys):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(download, "get", stop)
    assert main(["download", "nsynth", "--out", str(tmp_path)]) == 130
    assert "the same command resumes" in capsys.readouterr().err
