"""Pitch, velocity, take and label from the names of all files of a folder.

Names are read as a set, not one by one: which of two numbers is the pitch, whether `v2` is a
dynamic layer or a second take, and how many layers there are shows only among the other names.
"""

from __future__ import annotations

import collections
import dataclasses
import math
import os
import re

from noisygan.data import drums

_NSYNTH = re.compile(r"(?P<label>.+?)-(?P<pitch>\d{3}(?:\.\d+)?)-(?P<velocity>\d{3})(?:-(\d+))?")
_KIT = re.compile(r"(?P<label>.+?)-\d{2}-v(?P<velocity>\d{3})")
_INSTRUMENT = re.compile(r"(?P<family>.+)_(?P<source>acoustic|electronic|synthetic)_\d{3}")
_SIGN = "#|♯|♭|sharp|flat|is|es|s|b"
_KEY = re.compile(rf"([a-gA-G])({_SIGN})?(-?\d{{1,2}})")
_SEMITONES = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11, "h": 11}
_SHARPS = ("#", "♯", "sharp", "is", "s")
_FLATS = ("b", "♭", "flat", "es")

# A note name between separators; a dynamic or a round robin may follow without one.
_NOTE = re.compile(
    rf"(?<![^\W_])(?P<key>[A-Ha-h])(?P<sign>{_SIGN})?(?P<minus>-?)"
    r"(?P<octave>\d{1,2})(?=$|[^\w#♯♭]|_|(?:v|vl|vel|rr|p{1,3}|m[pf]|f{1,3})(?![a-zA-Z]))"
)
# Numbers after these words count files or beats: after the first ones even two of three digits.
_BEATS = ("loop", "take", "track", "bpm", "tempo", "rec", "recording", "clip", "session")
_COUNTERS = (
    *_BEATS,
    *("sample", "smp", "file", "song", "part", "audio", "seq", "no", "nr", "num", "img", "bar"),
    *("beat", "rr", "untitled", "sound", "version", "ver", "mix", "bounce", "page", "vol"),
)
_NUMBER_AFTER_WORD = re.compile(r"([^\W\d_]*)[-_ .#]*(?<![\d.])(\d{1,3})(?![\d.]*\d)")
# Names of the lowest and highest keys of a piano: counts of files begin below.
_PIANO = (21, 108)

_MARKS = {
    "ppp": 1,
    "pp": 2,
    "pianissimo": 2,
    "p": 3,
    "piano": 3,
    "soft": 3,
    "quiet": 3,
    "mp": 4,
    "mezzopiano": 4,
    "medium": 4.5,
    "med": 4.5,
    "mf": 5,
    "mezzoforte": 5,
    "f": 6,
    "forte": 6,
    "hard": 6,
    "loud": 6,
    "ff": 7,
    "fortissimo": 7,
    "fff": 8,
    "verysoft": 2,
    "veryhard": 7,
    "hardest": 8,
    "softest": 1,
}
_MARK = re.compile(
    rf"(?<![^\W_])({'|'.join(sorted(_MARKS, key=len, reverse=True))})(?![^\W\d_])", re.IGNORECASE
)
_LAYER = re.compile(
    r"(?<![^\W_])(?P<word>vl|vel|velocity|velo|layer|lyr|dyn|v)[-_ ]?(?P<number>\d{1,3})(?!\d)",
    re.IGNORECASE,
)
_TAKE = re.compile(
    r"(?<![^\W_])(?:rr|round[-_ ]?robin|robin|take|tk|alt|variation|var|version|ver)"
    r"[-_ ]?(\d{1,3})(?!\d)|\((\d{1,2})\)$|\|[^|]*[-_ .](\d{1,2})$",
    re.IGNORECASE,
)
_LAST_NUMBER = re.compile(r"\|[^|]*[-_ .](\d{2,3})$")
# Layers numbered above this are MIDI velocities.
_MAX_LAYER = 32


@dataclasses.dataclass(frozen=True)
class NameFacts:
    """What the name of a file says; None where it says nothing.

    Attributes:
      label: Class or instrument.
      pitch: MIDI number, 0 to 127.
      velocity: 1 to 127.
      take: Number of the take or round robin, from 1 on.
      rule: How it was read: one of `RULES`.
      problem: Why a part of the name could not be read, a sentence.
    """

    label: str | None = None
    pitch: float | None = None
    velocity: float | None = None
    take: int = 1
    rule: str = "nothing in the name"
    problem: str | None = None


RULES = (
    *("label-pitch-velocity", "kit-key-velocity", "note name", "MIDI number", "class folder"),
    *("drum class", "nothing in the name"),
)


def read_names(names, middle_c="C4"):
    """Read the names of all files of a folder.

    Args:
      names: Paths relative to the folder with / between, such as 'soft/As3 v2.wav'.
      middle_c: Name of MIDI note 60, 'C3', 'C4' or 'C5'.

    Returns:
      dict of name -> NameFacts.
    """
    names = list(names)
    stems = {name: os.path.splitext(name.rpartition("/")[2])[0] for name in names}
    found = {}
    for name, stem in stems.items():
        label, pitch, velocity = parse_note_name(stem)
        if velocity is not None:
            rule = "label-pitch-velocity" if pitch is not None else "kit-key-velocity"
            take = _NSYNTH.fullmatch(stem)[4] if pitch is not None else None
            found[name] = NameFacts(label, pitch, velocity, int(take or 0) or 1, rule)
    free = {name: stem for name, stem in stems.items() if name not in found}
    classes = _drum_classes({name: stem for name, stem in free.items() if "/" not in name})
    in_kit = {name for name in free if "/" in name and drums.drum_class(name.partition("/")[0])}
    notes = {name: stem for name, stem in free.items() if name not in {*classes, *in_kit}}
    pitches, problems = _pitches(notes, middle_c)
    rests = dict(free)
    for name, (_, span, _) in pitches.items():
        rests[name] = f"{free[name][: span[0]]}|{free[name][span[1] :]}"
    velocities, takes = _velocities_and_takes(rests, pitches)
    for name in free:
        pitch, _, rule = pitches.get(name, (None, None, None))
        label = classes.get(name)
        found[name] = NameFacts(
            label=label,
            pitch=pitch,
            velocity=velocities.get(name),
            take=takes.get(name, 1),
            rule=rule or ("drum class" if label else "nothing in the name"),
            problem=problems.get(name),
        )
    return _without_twins(_with_folders({name: found[name] for name in names}))


def parse_note_name(stem):
    """Read label, pitch and velocity from a file name in NSynth's style.

    Args:
      stem: File name without its suffix, such as 'flute_acoustic_000-060-100' or
        'flute-060-100-003'. Pitch and velocity have three digits and lie in 0..127; a pitch
        between keys is '067.5'. A drum is 'standard-36-v127': the kit, and no pitch. A label that
        counts, as in 'loop-120-001', makes no note.

    Returns:
      (label, pitch, velocity), or (None, None, None) for a name of another shape.
    """
    match = _KIT.fullmatch(stem)
    if match and int(match["velocity"]) <= 127:
        return match["label"], None, float(match["velocity"])
    match = _NSYNTH.fullmatch(stem)
    if not match or float(match["pitch"]) > 127 or int(match["velocity"]) > 127:
        return None, None, None
    if re.split(r"[\W_]+", match["label"].lower())[-1] in _BEATS:
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
        sign = (match[2] in _SHARPS) - (match[2] in _FLATS)
        number = 12.0 * (int(match[3]) + 1) + _SEMITONES[match[1].lower()] + sign
    else:
        try:
            number = float(text)
        except (TypeError, ValueError):
            return None
    return number if 0.0 <= number <= 127.0 else None


def parse_velocity(text):
    """Convert a MIDI velocity or a dynamic such as 'mf' to a float of 0 to 127, or None."""
    if isinstance(text, str) and text.strip().lower() in _MARKS:
        return min(127.0, 16.0 * _MARKS[text.strip().lower()])
    try:
        number = float(text)
    except (TypeError, ValueError):
        return None
    return number if 0.0 <= number <= 127.0 else None


def octave_of(middle_c):
    """Octave number of MIDI note 60 by a name such as 'C4'; ValueError for another name."""
    if not re.fullmatch(r"[Cc]?[2-5]", str(middle_c)):
        raise ValueError(f"middle_c is {middle_c!r}; expected C3, C4 or C5")
    return int(str(middle_c)[-1])


def pitch_name(pitch, middle_c="C4"):
    """Name of the key nearest to a MIDI number, such as 'F#3'."""
    key = math.floor(pitch + 0.5)
    octave = key // 12 - 5 + octave_of(middle_c)
    return f"{['C', 'C#', 'D', 'D#', 'E', 'F', 'F#', 'G', 'G#', 'A', 'A#', 'B'][key % 12]}{octave}"


def _pitches(stems, middle_c):
    """(dict of name -> (pitch, span in the stem, rule), dict of name -> problem)."""
    candidates = {name: list(_NOTE.finditer(stem)) for name, stem in stems.items()}
    matches = [match for found in candidates.values() for match in found]
    signs = {match["sign"] for match in matches}
    keys = {match["key"].lower() for match in matches}
    # Trackers write C-4 and C#4.
    is_dash = any(m["minus"] and not m["sign"] and int(m["octave"]) > 2 for m in matches)
    # Fis is German; As is A sharp beside F# and Cs, A flat beside Fis alone.
    is_english = signs & {"#", "♯", "sharp", "b", "♭", "flat"}
    is_english |= {m["sign"] for m in matches if m["sign"] == "s" and m["key"].lower() not in "ae"}
    is_german = "is" in signs and not is_english
    has_h = "h" in keys and len(keys) > 1

    def pitch_of(match):
        key, sign, octave = match["key"].lower(), match["sign"] or "", int(match["octave"])
        if key == "h" and not has_h:
            return None
        semitone = _SEMITONES[key] + (sign in _SHARPS) - (sign in _FLATS)
        if is_german and sign == "s" and key in "ae":
            semitone -= 2
        if has_h and key == "b" and not sign:
            semitone -= 1
        octave = -octave if match["minus"] and not is_dash and octave <= 2 else octave
        return 60.0 + semitone + 12 * (octave - octave_of(middle_c))

    chosen, problems = {}, {}
    for name, found in candidates.items():
        known = [(pitch_of(match), match.span(), match[0]) for match in found]
        known = [each for each in known if each[0] is not None]
        usable = [(pitch, span) for pitch, span, _ in known if 0.0 <= pitch <= 127.0]
        if usable:
            chosen[name] = usable
        elif known:
            problems[name] = "its pitch lies beyond MIDI notes 0 to 127"
    # Of several note names in each name, the place that varies is the pitch's.
    place = max((0, -1), key=lambda at: len({found[at][0] for found in chosen.values()}))
    notes = {name: (*found[place], "note name") for name, found in chosen.items()}
    left = {name: stem for name, stem in stems.items() if name not in notes}
    numbers = _midi_numbers(left) if len(left) > len(notes) else {}
    both = _midi_numbers({name: stems[name] for name in notes}, alone=False) if notes else {}
    shifts = {both[name][0] - notes[name][0] for name in both}
    if both and len(both) == len(notes) and len(shifts) == 1 and shifts <= {12.0, -12.0, 24.0}:
        # 060_C3: the numbers say which octave the names mean.
        notes = {
            name: (pitch + min(shifts), span, rule) for name, (pitch, span, rule) in notes.items()
        }
    return notes | numbers, problems


def _midi_numbers(stems, alone=True):
    """dict of name -> (pitch, span, 'MIDI number') of names whose numbers can only be pitches."""
    found = {}
    for name, stem in stems.items():
        word, numbers = "", []
        for match in _NUMBER_AFTER_WORD.finditer(stem):
            word = match[1].lower() or word
            if word not in (*_COUNTERS, "v", "vl", "vel"):
                numbers.append((float(match[2]), match.span(2)))
        if numbers and (alone or numbers[0][1][0] == 0):
            found[name] = numbers
    if not found or len(found) < 0.9 * len(stems):
        return {}
    place = max((0, -1), key=lambda at: len({numbers[at][0] for numbers in found.values()}))
    chosen = {name: (*numbers[place], "MIDI number") for name, numbers in found.items()}
    values = sorted({pitch for pitch, *_ in chosen.values()})
    # One number may be anything, unless it is the whole name; low ones and runs from 1 on count.
    whole = all(stem.strip().isdigit() for stem in stems.values())
    if values[0] < _PIANO[0] or values[-1] > _PIANO[1] or (alone and len(values) < 3 and not whole):
        return {}
    return chosen


def _drum_classes(stems):
    """dict of name -> class of a set of drums without pitches, empty for any other set."""
    classes = {name: drums.drum_class(stem) for name, stem in stems.items()}
    n_known = sum(known is not None for known in classes.values())
    n_notes = sum(_NOTE.search(stem) is not None for stem in stems.values())
    if not n_known or 5 * n_known < 2 * len(stems) or n_notes > n_known:
        return {}
    if {"closed hat", "open hat"} & set(classes.values()):
        # Beside hats that are called closed or open, plain ones are closed.
        classes = {name: "closed hat" if c == "hat" else c for name, c in classes.items()}
    first = {name: (drums.words_of(stem) or ["sound"])[0] for name, stem in stems.items()}
    return {name: known or first[name] for name, known in classes.items()}


def _velocities_and_takes(rests, pitches):
    """(dict of name -> velocity, dict of name -> take) from what is left of the names."""
    layers = {name: match for name, rest in rests.items() if (match := _LAYER.search(rest))}
    numbers = {name: int(match["number"]) for name, match in layers.items()}
    takes = {}
    for name, rest in rests.items():
        match = _TAKE.search(_LAYER.sub("", rest))
        if match:
            takes[name] = int(next(filter(None, match.groups())))

    def key(name, match=None):
        """Pitch and other words of a name, without a layer."""
        rest = rests[name]
        rest = rest if match is None else rest[: match.start()] + rest[match.end() :]
        return pitches.get(name, [None])[0], " ".join(re.findall(r"[^\W_]+", rest.lower()))

    marks = _marks(rests)
    plain = {key(name) for name in rests if name not in layers}
    if len(set(marks.values())) > 1:
        return _ordered(marks), numbers | takes
    if any(key(name, match) in plain for name, match in layers.items()):
        return {}, numbers | takes
    if 2 * len(layers) < len(rests):
        last = {name: match for name, rest in rests.items() if (match := _LAST_NUMBER.search(rest))}
        last = {name: int(match[1]) for name, match in last.items()}
        if len(set(last.values())) > 1 and _MAX_LAYER < max(last.values()) <= 127:
            return {name: float(max(value, 1)) for name, value in last.items()}, {}
        return {}, numbers | takes
    if len(set(numbers.values())) < 2:
        return {}, takes
    if _MAX_LAYER < max(numbers.values()) <= 127:
        return {name: float(max(value, 1)) for name, value in numbers.items()}, takes
    return _ordered(numbers), takes


def _marks(rests):
    """dict of name -> dynamic; words that are in every name are none, such as the piano's."""
    words = {name: [w.lower() for w in _MARK.findall(rest)] for name, rest in rests.items()}
    common = set.intersection(*map(set, words.values())) if words else set()
    varied = {name: [w for w in found if w not in common] for name, found in words.items()}
    return {name: _MARKS[found[-1]] for name, found in varied.items() if found}


def _ordered(values):
    """Velocities 1 .. 127 in the order of the values, evenly spaced, the highest at 127."""
    ranks = {value: rank for rank, value in enumerate(sorted(set(values.values())), 1)}
    return {name: float(round(127 * ranks[value] / len(ranks))) for name, value in values.items()}


def _with_folders(found):
    """Facts with labels, or dynamics, of the first folders."""
    folders = {name: name.partition("/")[0] for name in found if "/" in name}
    marks = {name: _MARKS.get(folder.lower()) for name, folder in folders.items()}
    if folders and len(set(folders.values())) > 1 and None not in marks.values():
        velocities = _ordered(marks)
        return {
            name: dataclasses.replace(facts, velocity=velocities.get(name, facts.velocity))
            for name, facts in found.items()
        }
    for name, folder in folders.items():
        rule = found[name].rule
        if rule in ("nothing in the name", "drum class"):
            rule = "class folder"
        found[name] = dataclasses.replace(found[name], label=folder, rule=rule)
    return found


def _without_twins(found):
    """Facts with another take for each file of one label, pitch, velocity and take."""
    first, takes = {}, collections.defaultdict(set)
    for facts in found.values():
        takes[facts.label, facts.pitch, facts.velocity].add(facts.take)
    for name, facts in found.items():
        note = (facts.label, facts.pitch, facts.velocity)
        if (
            facts.pitch is not None
            and (twin := first.setdefault((*note, facts.take), name)) != name
        ):
            take = next(n for n in range(1, len(found) + 2) if n not in takes[note])
            takes[note].add(take)
            problem = f"has the note, velocity and take of {twin}; it is read as take {take}"
            found[name] = dataclasses.replace(facts, take=take, problem=problem)
    return found
