"""Tags of recordings as conditions: numbers or categories, one value for each recording.

Every column of a table that is not a known one is a tag. A tag whose known values are all numbers
is a number, any other one a category.
"""

import re

import numpy as np

from noisygan.data.selection import listed
from noisygan.data.source_files import text_of
from noisygan.errors import UsageError

# The category of a recording without a value.
UNKNOWN = "unknown"
# Other entries of a batch or of an exported function.
_TAKEN = ("audio", "pitch", "velocity", "label", "held_seconds", "take", "bend", "z", "seed")
_TAKEN += ("n_samples", "sample_rate", "note_off_seconds")
MAX_CATEGORIES, MAX_LENGTH = 1000, 200


def check(names, entries, folder):
    """Raise UsageError for a tag that can't be a condition or that no recording of a folder has."""
    there = sorted({name for entry in entries for name in entry.tags} - set(_TAKEN))
    for name in names:
        if name in _TAKEN:
            raise UsageError(f"tag {name}: the name is taken; rename the column")
        if name not in there:
            known = ", ".join(there) or "no tags; add a recordings.csv with one column for each"
            raise UsageError(f"no recording in {folder} has the tag {name}; there are {known}")
        if not re.fullmatch(r"[A-Za-z]\w*", name, re.ASCII):
            wanted = "expected letters, digits and _; rename the column"
            raise UsageError(f"tag {name!r}: {wanted}, such as mic_distance")
        values = {entry.value(name) for entry in entries}
        if not any(isinstance(value, str) for value in values):
            continue
        texts = {UNKNOWN if value is None else text_of(value) for value in values}
        if len(texts) > MAX_CATEGORIES or not all(map(_is_short, texts)):
            wanted = f"at most {MAX_CATEGORIES} categories of {MAX_LENGTH} printable characters"
            raise UsageError(f"tag {name}: {len(texts)} categories; expected {wanted}")


def _is_short(text):
    return text.isprintable() and len(text) <= MAX_LENGTH


def column(values):
    """Values of a tag, None where unknown, as an array [n].

    float32 of numbers, with their mean where unknown; str of categories, "unknown" likewise.
    """
    known = [value for value in values if value is not None]
    if all(isinstance(value, float) for value in known):
        mean = np.mean(known)
        return np.array([mean if value is None else value for value in values], np.float32)
    return np.array([UNKNOWN if value is None else text_of(value) for value in values])


def range_of(values):
    """Categories of a `column`, sorted, or its lowest and highest number: a tuple."""
    if values.dtype.kind == "f":
        return tuple(float(f"{number:.6g}") for number in (values.min(), values.max()))
    return tuple(sorted(set(values.tolist())))


def is_number(known):
    """Whether a tag is a number, by its `range_of`."""
    return not isinstance(known[0], str)


def to_numbers(values, known):
    """Numbers as they are, categories as their indices in `known`, float32 [n]."""
    return np.float32(values if is_number(known) else np.searchsorted(known, values))


def shown(known):
    """A tag's `range_of` for messages: '0.1 to 0.9', or 'close, far'."""
    if is_number(known):
        return f"{known[0]:g} to {known[1]:g}"
    return listed(known)
