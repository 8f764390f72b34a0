"""Answers of the blind listening test: files that the page saved, and what they say together."""

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
    """Reads a file of answers.

    Args:
      path: The file.
      comparison_id: Id of the comparison that they have to be of.
      systems: Names of its systems.

    Returns:
      list of dict: system (one of `systems`, or "recordings"), column, rating (1 to 5), plays.

    Raises:
      UsageError: if it is not such a file, is of another comparison, or holds what can't be.
    """
    path = pathlib.Path(path)
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(
            f"answers file {path} cannot be read: {error.strerror}; expected a file that the "
            "page's listening test saved"
        ) from None
    if len(content) > MAX_BYTES:
        raise UsageError(
            f"answers file {path} is larger than {MAX_BYTES // 1000} kB; expected a file that the "
            "page's listening test saved"
        )
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise UsageError(
            f'{path} is no answers file; expected JSON with "format": {FORMAT}, as the page\'s '
            "listening test saves it"
        )
    if found.get("comparison") != comparison_id:
        raise UsageError(
            f"{path} answers comparison {_short(found.get('comparison'))}, expected "
            f"{_short(comparison_id)}; count it into the comparison whose page it was saved from"
        )
    answers = found.get("answers")
    if not isinstance(answers, list):
        raise UsageError(f"{path} holds no list of answers; save it anew from the page")
    known = [*systems, RECORDINGS]
    return [_checked(answer, path, i, known) for i, answer in enumerate(answers, start=1)]


def _checked(answer, path, number, known):
    if not isinstance(answer, dict):
        raise UsageError(f"{path}, answer {number}: expected an object, got {_short(answer)}")
    if answer.get("system") not in known:
        raise UsageError(
            f"{path}, answer {number}: no system {_short(answer.get('system'))}; expected one of "
            f"{', '.join(known)}"
        )
    if not _is_count(answer.get("rating")) or answer["rating"] not in RATINGS:
        raise UsageError(
            f"{path}, answer {number}: rating {_short(answer.get('rating'))}, expected 1 to 5"
        )
    for key in ("column", "plays"):
        if not _is_count(answer.get(key)):
            raise UsageError(
                f"{path}, answer {number}: {key} {_short(answer.get(key))}, expected a whole "
                "number from 0"
            )
    return {key: answer[key] for key in ("system", "column", "rating", "plays")}


def _is_count(value):
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _short(value):
    text = "nothing" if value is None else " ".join(str(value).split())
    return text if len(text) <= 40 else f"{text[:37]}..."


def count(answers):
    """Mean rating of each system.

    Args:
      answers: list of dict as `read_answers` gives them, of all listeners together.

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
