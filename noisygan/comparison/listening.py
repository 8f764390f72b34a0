"""Answers of the blind listening test, as the page saves them, and mean ratings."""

from __future__ import annotations

import json
import math
import pathlib

from noisygan.errors import UsageError
from noisygan.reports.comparison_report import RECORDINGS

FORMAT = 1
RATINGS = (1, 2, 3, 4, 5)
MAX_BYTES = 1_000_000
LEVEL = 0.95


def read_answers(path, comparison_id, systems):
    """Read a file of answers.

    Args:
      path: The file.
      comparison_id: Id of the comparison that they must belong to.
      systems: Names of its systems.

    Returns:
      list of dict: system (one of `systems`, or "recordings"), column, rating (1 to 5), plays.

    Raises:
      UsageError: if it is another file, of another comparison, or has invalid answers.
    """
    path = pathlib.Path(path)
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise ValueError(f"is larger than {MAX_BYTES // 1000} kB")
        found = json.loads(content)
        if not isinstance(found, dict) or found.get("format") != FORMAT:
            raise ValueError(f'has no "format": {FORMAT}')
    except (OSError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())[:100]
        raise UsageError(
            f"answers file {path} cannot be read ({reason}); expected a file that the page's "
            "listening test saved"
        ) from None
    if found.get("comparison") != comparison_id:
        raise UsageError(
            f"{path} answers comparison {_short(found.get('comparison'))}, expected "
            f"{_short(comparison_id)}; count it into the comparison whose page saved it"
        )
    answers = found.get("answers")
    if not isinstance(answers, list):
        raise UsageError(f"{path} has no list of answers; save it again from the page")
    known = [*systems, RECORDINGS]
    return [_checked(answer, path, i, known) for i, answer in enumerate(answers, start=1)]


def _checked(answer, path, i, known):
    answer = answer if isinstance(answer, dict) else {}
    for key, expected, is_valid in (
        ("system", f"one of {', '.join(known)}", lambda v: v in known),
        ("rating", "1 to 5", lambda v: _is_count(v) and v in RATINGS),
        ("column", "a whole number from 0", _is_count),
        ("plays", "a whole number from 0", _is_count),
    ):
        if not is_valid(answer.get(key)):
            raise UsageError(
                f"{path}, answer {i}: {key} {_short(answer.get(key))}, expected {expected}"
            )
    return {key: answer[key] for key in ("system", "column", "rating", "plays")}


def _is_count(value):
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _short(value):
    text = "nothing" if value is None else " ".join(str(value).split())
    return text if len(text) <= 40 else f"{text[:37]}..."


def count_files(paths, comparison_id, systems):
    """Mean ratings of several files; see `read_answers` and `count`."""
    return count([a for path in paths for a in read_answers(path, comparison_id, systems)])


def count(answers):
    """Mean rating of each system.

    Args:
      answers: list of dict, as of `read_answers`, of all listeners.

    Returns:
      dict system -> dict of value (mean rating), interval (95 %, Student's t, within 1 to 5; None
      for a single rating), n (ratings).
    """
    ratings = {}
    for answer in answers:
        ratings.setdefault(answer["system"], []).append(answer["rating"])
    return {system: _estimate(own) for system, own in ratings.items()}


def _estimate(ratings):
    from scipy import stats

    n = len(ratings)
    mean = sum(ratings) / n
    if n < 2:
        return {"value": mean, "interval": None, "n": n}
    deviation = math.sqrt(sum((r - mean) ** 2 for r in ratings) / (n - 1))
    half = float(stats.t.ppf(0.5 + LEVEL / 2, n - 1)) * deviation / math.sqrt(n)
    low, high = max(float(RATINGS[0]), mean - half), min(float(RATINGS[-1]), mean + half)
    return {"value": mean, "interval": [low, high], "n": n}
