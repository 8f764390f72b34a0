"""Label, pitch, velocity and family from the name of an audio file."""

import re

_NOTE_NAME = re.compile(r"(?P<label>.+?)-(?P<pitch>\d{3}(?:\.\d+)?)-(?P<velocity>\d{3})(?:-\d+)?")
_DRUM_NAME = re.compile(r"(?P<label>.+?)-\d{2}-v(?P<velocity>\d{3})")
_INSTRUMENT = re.compile(r"(?P<family>.+)_(?P<source>acoustic|electronic|synthetic)_\d{3}")
_KEY = re.compile(r"([a-gA-G])([#♯b♭]?)(-?\d{1,2})")
_SEMITONES = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}


def parse_note_name(stem):
    """Read label, pitch and velocity from a file name in NSynth's style.

    Args:
      stem: File name without its suffix, such as 'flute_acoustic_000-060-100' or
        'flute-060-100-003'. Pitch and velocity have three digits and lie in 0..127; a pitch
        between keys is '067.5'. A drum is 'standard-36-v127': the kit, and no pitch.

    Returns:
      (label, pitch, velocity), or (None, None, None) for a name of another shape.
    """
    match = _DRUM_NAME.fullmatch(stem)
    if match and int(match["velocity"]) <= 127:
        return match["label"], None, float(match["velocity"])
    match = _NOTE_NAME.fullmatch(stem)
    if not match or float(match["pitch"]) > 127 or int(match["velocity"]) > 127:
        return None, None, None
    return match["label"], float(match["pitch"]), float(match["velocity"])


def family_and_source(label):
    """(family, source) of a label such as NSynth's 'flute_acoustic_000'; (None, None) of others."""
    match = _INSTRUMENT.fullmatch(label) if isinstance(label, str) else None
    return (match["family"], match["source"]) if match else (None, None)


def parse_pitch(text):
    """Convert a MIDI number or the name of a key to a MIDI number; C4 is 60.

    Args:
      text: str or number.

    Returns:
      float, or None for anything else, or beyond 0 to 127.
    """
    match = _KEY.fullmatch(text.strip()) if isinstance(text, str) else None
    if match:
        sign = {"#": 1, "♯": 1, "b": -1, "♭": -1, "": 0}[match[2]]
        number = 12.0 * (int(match[3]) + 1) + _SEMITONES[match[1].lower()] + sign
    else:
        try:
            number = float(text)
        except (TypeError, ValueError):
            return None
    return number if 0.0 <= number <= 127.0 else None
