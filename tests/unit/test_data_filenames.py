"""File names and names of keys."""

import pytest

from noisygan.data.filenames import family_and_source, parse_note_name, parse_pitch


@pytest.mark.parametrize(
    ("stem", "expected"),
    [
        ("flute_acoustic_000-060-100", ("flute_acoustic_000", 60, 100)),
        ("my-run-060-100-003", ("my-run", 60, 100)),
        ("take-001-060-100-000", ("take-001", 60, 100)),
        ("flute-067.5-127", ("flute", 67.5, 127)),
        ("flute-128-100", (None, None, None)),
        ("flute-060-128", (None, None, None)),
        ("flute-60-100", (None, None, None)),
        ("standard-035-v127", (None, None, None)),
        ("standard-36-v127", ("standard", None, 127)),
        ("standard-36-v128", (None, None, None)),
        ("-060-100", (None, None, None)),
        ("a flute", (None, None, None)),
    ],
)
def test_note_names(stem, expected):
    assert parse_note_name(stem) == expected


def test_family_and_source():
    assert family_and_source("bass_synthetic_012") == ("bass", "synthetic")
    assert family_and_source("kick") == family_and_source(None) == (None, None)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        *(("C4", 60), ("c-1", 0), ("F#3", 54), ("Bb2", 46), ("g9", 127), ("60.5", 60.5), (61, 61)),
        *((text, None) for text in ("H2", "C", "", "nan", "128", "-1", "g#9", None, [60])),
    ],
)
def test_pitches(text, number):
    assert parse_pitch(text) == number
