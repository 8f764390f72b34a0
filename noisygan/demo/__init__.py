"""The demonstration: bundled notes and drums, with their licence, and the page that shows a run."""

from pathlib import Path


def notes_folder():
    """The bundled notes: a parent of `nsynth-train` (trained on) and `nsynth-test` (held out)."""
    return Path(__file__).resolve().parent / "notes"


def held_out_folder():
    """Those bundled notes that training never hears, for comparison."""
    return notes_folder() / "nsynth-test"


def drums_folder():
    """The bundled drums at 44.1 kHz: class folders kick, snare, cymbal and tom."""
    return Path(__file__).resolve().parent / "drums"
