"""benchmarks/sample_gan_sounds.py: each figure of a pair by itself."""

import importlib.util
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
RATE = 16000
TIMES = np.arange(RATE) / RATE


@pytest.fixture(scope="module")
def sounds():
    path = ROOT / "benchmarks/sample_gan_sounds.py"
    spec = importlib.util.spec_from_file_location("sample_gan_sounds", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def tone(hz, n_partials=1):
    partials = [np.sin(2 * np.pi * k * hz * TIMES) / k for k in range(1, n_partials + 1)]
    return 0.5 * np.sum(partials, axis=0)


@pytest.mark.parametrize("hz", [82.4, 220.0, 987.3, 2093.0])
@pytest.mark.parametrize("n_partials", [1, 3])
def test_the_fundamental_is_found(sounds, hz, n_partials):
    found = sounds.fundamental(tone(hz, n_partials)[: RATE // 2], RATE)
    assert abs(1200 * np.log2(found / hz)) < 5


def test_silence_and_a_constant_have_none(sounds):
    assert np.isnan(sounds.fundamental(np.zeros(RATE), RATE))
    assert np.isnan(sounds.fundamental(np.ones(RATE), RATE))


def test_pairs_are_measured_and_summed_up(sounds):
    recordings = [tone(440.0)] * 3
    rollouts = [tone(440.0) * np.exp(-TIMES), tone(466.164), np.ones(RATE)]
    figures = sounds.measure(recordings, rollouts, RATE)
    cents = [f["cents"] for f in figures]
    np.testing.assert_allclose(cents[:2], [0.0, 100.0], atol=3)
    assert np.isnan(cents[2])
    # exp(-t) over the middle of the last fifth relative to the first's.
    np.testing.assert_allclose(figures[0]["held_db"], 20 * np.log10(np.exp(-0.8)), atol=0.05)
    assert abs(figures[1]["held_db"]) < 0.05
    text = sounds.summary(figures)
    assert text.startswith("3 rollouts: 100 cents off (median), 33 % within 50;")
    assert "least 0.000 (recordings 0.354" in text


def test_segments_are_taken_from_all_files_and_their_first_halves(sounds):
    few = SimpleNamespace(paths=["a"] * 10 + ["b"] * 20)
    assert sounds.chosen(few, 4) == [1, 3, 12, 17]
    many = SimpleNamespace(paths=[str(i // 2) for i in range(40)])
    assert sounds.chosen(many, 5) == [0, 8, 18, 28, 38]


def test_a_picture_is_drawn(sounds, tmp_path):
    pair = [tone(440.0)] * 2
    figures = sounds.measure(pair, pair, RATE)
    sounds.draw(pair, pair, figures, RATE, tmp_path / "pair.png")
    assert (tmp_path / "pair.png").read_bytes().startswith(b"\x89PNG")


def test_a_run_that_is_not_there_is_one_line(sounds, tmp_path, capsys):
    assert sounds.main([str(tmp_path / "run"), "--data", str(tmp_path)]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
