"""Drum classes in the names of files and folders, and their General MIDI keys."""

import re

# Class -> words that mean it. A word may stand in any order with words of `_QUALIFIERS`.
_WORDS = {
    "kick": "kick kik bd bassdrum",
    "rim": "rim rimshot sidestick xstick crossstick rs",
    "snare": "snare snr sn sd sdst",
    "clap": "clap handclap clp cp",
    "hat": "hat hihat hh hats charleston",
    "tom": "tom",
    "crash": "crash",
    "ride": "ride",
    "china": "china",
    "splash": "splash",
    "cymbal": "cymbal cym cy",
    "tambourine": "tambourine tambourin tamb tambo",
    "cowbell": "cowbell cb",
    "vibraslap": "vibraslap",
    "bongo": "bongo",
    "conga": "conga",
    "timbale": "timbale",
    "agogo": "agogo",
    "cabasa": "cabasa",
    "maracas": "maracas maraca",
    "shaker": "shaker shake",
    "whistle": "whistle",
    "guiro": "guiro",
    "claves": "claves clave",
    "woodblock": "woodblock wb",
    "cuica": "cuica",
    "triangle": "triangle tri",
    "sticks": "sticks stick",
    "jingle bell": "jingle sleighbell",
    "castanets": "castanets castanet",
}
_CLASS_OF_WORD = {word: name for name, words in _WORDS.items() for word in words.split()}

# Abbreviations that contain their qualifier.
_CLASS_OF_WORD |= {"ch": "closed hat", "chh": "closed hat", "oh": "open hat", "ohh": "open hat"}
_CLASS_OF_WORD |= {"ph": "pedal hat", "phh": "pedal hat"}
_CLASS_OF_WORD |= {"lt": "low tom", "mt": "mid tom", "ht": "high tom", "ft": "floor tom"}
_CLASS_OF_WORD |= {"lc": "low conga", "hc": "high conga"}

_OPENINGS = {"closed": "closed", "close": "closed", "cl": "closed", "tight": "closed"}
_OPENINGS |= {"open": "open", "half": "open", "halfopen": "open", "loose": "open"}
_OPENINGS |= {"pedal": "pedal", "foot": "pedal"}
_HEIGHTS = {"lo": "low", "low": "low", "lower": "low", "mid": "mid", "middle": "mid"}
_HEIGHTS |= {"hi": "high", "high": "high", "floor": "floor"}
_QUALIFIERS = {
    "hat": _OPENINGS,
    "cymbal": _OPENINGS,
    "ride": {"bell": "bell"},
    "tom": _HEIGHTS,
    **dict.fromkeys(("bongo", "conga", "timbale", "agogo", "woodblock"), _HEIGHTS),
}

# Two words that are one.
_PAIRS = {
    **dict.fromkeys((("bass", "drum"), ("drum", "bass"), ("kick", "drum")), "kick"),
    **dict.fromkeys((("rim", "shot"), ("side", "stick"), ("cross", "stick")), "rim"),
    ("snare", "drum"): "snare",
    ("hi", "hat"): "hat",
    ("high", "hat"): "hat",
    ("hand", "clap"): "clap",
    ("cow", "bell"): "cowbell",
    ("wood", "block"): "woodblock",
    ("sleigh", "bell"): "jingle bell",
}

# General MIDI key -> classes that can play it, the best first.
_CLASSES_OF_KEY = {
    **dict.fromkeys((35, 36), ("kick",)),
    37: ("rim", "sticks", "snare"),
    38: ("snare",),
    39: ("clap", "snare"),
    40: ("snare", "rim"),
    41: ("floor tom", "low tom", "tom", "mid tom"),
    42: ("closed hat", "hat", "pedal hat", "cymbal", "open hat"),
    43: ("low tom", "floor tom", "tom", "mid tom"),
    44: ("pedal hat", "closed hat", "hat", "cymbal", "open hat"),
    45: ("low tom", "mid tom", "tom", "floor tom", "high tom"),
    46: ("open hat", "hat", "cymbal", "closed hat"),
    47: ("mid tom", "tom", "low tom", "high tom"),
    48: ("high tom", "mid tom", "tom", "low tom"),
    49: ("crash", "cymbal", "splash", "china", "ride"),
    50: ("high tom", "tom", "mid tom", "low tom"),
    51: ("ride", "cymbal", "crash"),
    52: ("china", "cymbal", "crash"),
    53: ("bell ride", "ride", "cymbal", "crash"),
    54: ("tambourine", "jingle bell", "shaker", "cymbal"),
    55: ("splash", "cymbal", "crash"),
    56: ("cowbell",),
    57: ("crash", "cymbal", "china", "ride"),
    58: ("vibraslap",),
    59: ("ride", "cymbal", "crash"),
    60: ("high bongo", "bongo", "low bongo"),
    61: ("low bongo", "bongo", "high bongo"),
    62: ("high conga", "conga", "low conga"),
    63: ("high conga", "conga", "low conga"),
    64: ("low conga", "conga", "high conga"),
    65: ("high timbale", "timbale", "low timbale"),
    66: ("low timbale", "timbale", "high timbale"),
    67: ("high agogo", "agogo", "low agogo"),
    68: ("low agogo", "agogo", "high agogo"),
    69: ("cabasa", "shaker"),
    70: ("maracas", "shaker"),
    **dict.fromkeys((71, 72), ("whistle",)),
    **dict.fromkeys((73, 74), ("guiro",)),
    75: ("claves", "sticks"),
    76: ("high woodblock", "woodblock", "low woodblock"),
    77: ("low woodblock", "woodblock", "high woodblock"),
    **dict.fromkeys((78, 79), ("cuica",)),
    **dict.fromkeys((80, 81), ("triangle",)),
    82: ("shaker",),
    83: ("jingle bell",),
    85: ("castanets",),
}
# Keys for classes that General MIDI does not have, where they are free.
_FREE_KEYS = (*range(84, 88), *range(27, 35), *range(88, 128), *range(56, 84), *range(27))

# Words before the class that say nothing.
_FILLERS = ("drum", "drums", "perc", "percussion", "kit", "heavy", "acoustic", "electronic")


def drum_class(name):
    """Class of a drum by the name of a folder, or the first words of the name of a file.

    Case, plural, spaces, hyphens, underscores and digits do not count.

    Args:
      name: Such as 'Closed Hats', 'bd_808', 'drum_tom_hi_soft' or 'HiHat-Open 2'.

    Returns:
      Such as 'closed hat', 'kick', 'high tom'; None for what is no drum's name.
    """
    words = words_of(name)
    while len(words) > 1 and words[0] in _FILLERS and tuple(words[:2]) not in _PAIRS:
        words = words[1:]
    # The class, or what qualifies it, comes first; a name that only mentions a drum is none.
    for start in range(2):
        found = _class_at(words, start)
        if found and (start == 0 or words[0] in _OPENINGS or words[0] in _HEIGHTS):
            return found
    return None


def _class_at(words, start):
    pair, word = tuple(words[start : start + 2]), "".join(words[start : start + 1])
    name = _PAIRS.get(pair) or _class_of_word(word)
    if name is None:
        return None
    others = [*words[:start], *words[start + (2 if pair in _PAIRS else 1) :]]
    qualifiers = _QUALIFIERS.get(name, {})
    for other in others[:3]:
        if other in qualifiers:
            # A closed, open or pedalled cymbal is a hi-hat.
            return f"{qualifiers[other]} {'hat' if name == 'cymbal' else name}"
    return name


def _class_of_word(word):
    for candidate in (word, word.removesuffix("s"), word.removesuffix("es")):
        if candidate in _CLASS_OF_WORD:
            return _CLASS_OF_WORD[candidate]
    return None


def words_of(name):
    """Words of a name in lower case: split at whatever is no letter, and where case changes."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return re.findall(r"[^\W\d_]+", apart.lower())


def drum_keys(labels):
    """General MIDI keys of drum labels; every key goes to the label that suits it best.

    Args:
      labels: Names of classes, such as those of folders.

    Returns:
      dict of label -> list of keys, rising, at least one each: labels that General MIDI does not
      have get free keys. Empty where no label is a drum's name.
    """
    classes = {label: drum_class(label) for label in labels}
    if not any(classes.values()):
        return {}
    keys = {label: [] for label in labels}
    for key, wanted in _CLASSES_OF_KEY.items():
        for name in wanted:
            playing = [label for label, known in classes.items() if known == name]
            if playing:
                # Labels of one class share its keys in turn.
                keys[min(playing, key=lambda label: len(keys[label]))].append(key)
                break
    owners = {key: label for label, found in keys.items() for key in found}
    for label, found in keys.items():
        if found:
            continue
        # Toms beside low, mid and high ones get one of their keys, the least suitable.
        usable = [
            (names.index(classes[owners[key]]), -key)
            for key, names in _CLASSES_OF_KEY.items()
            if classes[label] in names and len(keys[owners[key]]) > 1
        ]
        if usable:
            key = -max(usable)[1]
            keys[owners[key]].remove(key)
            owners[key] = label
            found.append(key)
    taken = {key for found in keys.values() for key in found}
    free = iter([key for key in _FREE_KEYS if key not in taken])
    for found in keys.values():
        if not found:
            found.append(next(free))
    return keys
