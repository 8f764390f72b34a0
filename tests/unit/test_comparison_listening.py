"""Answers of the listening test: what is counted, and what is refused."""

import json

import numpy as np
import pytest
from scipy import stats

from noisygan.comparison.listening import count, read_answers
from noisygan.errors import UsageError

ANSWER = {"system": "hybrid", "column": 0, "rating": 4, "plays": 1}


def written(tmp_path, **changes):
    content = {"format": 1, "comparison": "3f9a", "listener": "me", "made": "", "answers": [ANSWER]}
    path = tmp_path / "answers.json"
    path.write_text(json.dumps(content | changes))
    return path


def test_answers_are_read(tmp_path):
    answers = [ANSWER, {**ANSWER, "system": "recordings", "rating": 5, "plays": 0, "more": 1}]
    found = read_answers(written(tmp_path, answers=answers), "3f9a", ["hybrid"])
    assert found == [ANSWER, {"system": "recordings", "column": 0, "rating": 5, "plays": 0}]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 2}, "cannot be read"),
        ({"comparison": None}, "answers comparison nothing, expected 3f9a"),
        ({"comparison": "x\ny" * 50}, "answers comparison x yx"),
        ({"answers": {}}, "no list of answers"),
        ({"answers": [ANSWER, 3]}, "answer 2: system nothing"),
        ({"answers": [{**ANSWER, "system": ["hybrid"]}]}, "system .*expected one of hybrid"),
        ({"answers": [{**ANSWER, "rating": 6}]}, "rating 6, expected 1 to 5"),
        ({"answers": [{**ANSWER, "rating": True}]}, "rating True"),
        ({"answers": [{**ANSWER, "rating": "4"}]}, "rating 4, expected"),
        ({"answers": [{**ANSWER, "plays": -1}]}, "plays -1"),
        ({"answers": [{**ANSWER, "column": None}]}, "column nothing"),
        ({"listener": "x" * 1_000_000}, "larger than 1000 kB"),
    ],
)
def test_wrong_answers_are_refused_in_a_line(tmp_path, changes, message):
    with pytest.raises(UsageError, match=message) as caught:
        read_answers(written(tmp_path, **changes), "3f9a", ["hybrid"])
    assert "answers.json" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [None, b"", b"[]", b"\xff\xfe", b"[" * 200_000, b"NaN"])
def test_other_files_are_refused(tmp_path, content):
    path = tmp_path / "some.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match="some.json cannot be read"):
        read_answers(path, "3f9a", ["hybrid"])


def test_the_mean_has_student_s_interval():
    ratings = [2, 3, 3, 4, 5, 3, 2]
    answers = [{**ANSWER, "rating": rating} for rating in ratings]
    found = count([*answers, {**ANSWER, "system": "recordings", "rating": 5}])
    own = found["hybrid"]
    expected = stats.t.interval(0.95, 6, np.mean(ratings), stats.sem(ratings))
    assert own["n"] == 7 and own["value"] == pytest.approx(np.mean(ratings))
    assert own["interval"] == pytest.approx(expected)
    assert found["recordings"] == {"value": 5.0, "interval": None, "n": 1}
    ends = [{**ANSWER, "rating": rating} for rating in (1, 5)]
    assert count(ends)["hybrid"]["interval"] == [1.0, 5.0]
