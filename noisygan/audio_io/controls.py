"""Controls files: the control curves of one sound in physical units.

A controls file is a NumPy archive (`.npz`) without pickled objects: `numpy.load(path)` reads it.

    format, version         "noisygan-controls", 1
    sample_rate             Hz, the rate that the sound was rendered at
    n_samples               its length
    frame_rate              frames of the curves a second; frame i stands at i / frame_rate
    noise_seed              integer
    voices                  names of the voices, in order
    kinds                   their kinds: "harmonic", "noise", "modal" or "transient"
    loudness_db             [n_frames], dB
    <voice>/f0_hz                    [n_frames], Hz
    <voice>/amplitudes               [n_frames], linear, of the sum of the harmonics
    <voice>/harmonic_distribution    [n_frames, n_harmonics], shares of the harmonics
    <voice>/inharmonicity            [n_frames], B of strings, the same at all frames; optional
    <voice>/magnitudes               [n_frames, n_bands], gains of white noise
    <voice>/bandwidth_hz             frequency of the last band; bands are evenly spaced from 0 Hz
    <voice>/burst_seconds            after which a transient is silent

What is struck has no curves: a modal voice has <voice>/frequencies (Hz), amplitudes (linear) and
decay_seconds (until -60 dB), each [n_modes]; a transient one magnitudes [n_bands] and
decay_seconds [1].

    reverb/ir               [n_taps], impulse response, where there is a reverb
    reverb/sample_rate      Hz, of the impulse response
    reverb/add_dry          whether the dry sound is added; it is where this entry is missing
"""

import collections
import difflib
import pathlib
import re

import numpy as np

from noisygan.archives import read_arrays
from noisygan.errors import UsageError
from noisygan.files import atomic_write

FORMAT = "noisygan-controls"
VERSION = 1

# What a file from a stranger may hold.
MAX_BYTES = 128 << 20
MAX_SECONDS = 600.0

# Axes of an entry: t frames, h harmonics, b bands, m modes, r taps, 1 one number; "" is a scalar.
_SIZES = {"t": (1, None), "h": (1, 2048), "b": (2, 1025), "m": (1, 2048), "r": (1, None)}
_SIZES["1"] = (1, 1)
_AXES = {"t": "n_frames", "h": "n_harmonics", "b": "n_bands", "m": "n_modes", "r": "n_taps"}
_AXES["1"] = "1"
_INF = np.inf
_BANDWIDTH = ("", 1000.0, 192_000.0)
_DECAY = (1e-9, 3600.0)

# Entries of each kind of voice: name -> (axes, lowest value, highest value).
ENTRIES = {
    "harmonic": {
        "f0_hz": ("t", 0.0, 192_000.0),
        "amplitudes": ("t", 0.0, _INF),
        "harmonic_distribution": ("th", 0.0, _INF),
        "inharmonicity": ("t", 0.0, 1.0),
    },
    "noise": {"magnitudes": ("tb", 0.0, _INF), "bandwidth_hz": _BANDWIDTH},
    "modal": {
        "frequencies": ("m", 0.0, 1e6),
        "amplitudes": ("m", 0.0, _INF),
        "decay_seconds": ("m", *_DECAY),
    },
    "transient": {
        "magnitudes": ("b", 0.0, _INF),
        "decay_seconds": ("1", *_DECAY),
        "bandwidth_hz": _BANDWIDTH,
        "burst_seconds": ("", 1e-3, 60.0),
    },
}
_RATE = ("", 8000.0, 192_000.0)
_NEEDED = {
    "version": ("", 1.0, VERSION),
    "sample_rate": _RATE,
    "n_samples": ("", 1.0, MAX_SECONDS * 192_000),
    "frame_rate": ("", 1.0, 1000.0),
}
_SHARED = {"noise_seed": ("", -(2.0**31), 2.0**31 - 1), "loudness_db": ("t", -_INF, _INF)}
_REVERB = {
    "reverb/ir": ("r", -_INF, _INF),
    "reverb/sample_rate": _RATE,
    "reverb/add_dry": ("", 0.0, 1.0),
}


def load_controls(path):
    """Read and check a controls file (.npz): dict of arrays, the entries above.

    Raises:
      UsageError: if it is no controls file, or its curves don't fit each other.
    """
    path, expected = pathlib.Path(path), "a controls file (.npz), as `render --controls` writes"
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "is not there"
        raise UsageError(f"{path} {what}; expected {expected}")
    try:
        controls = read_arrays(path, MAX_BYTES)
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} is not {expected}: {error}") from error
    check_controls(controls, path)
    return controls


def save_controls(path, controls):
    """Write a controls file atomically; an existing file is never overwritten."""
    with atomic_write(path) as part, part.open("wb") as file:
        np.savez_compressed(file, **controls)


def scale_controls(controls, gain):
    """Controls of the same sound at another level; gain is linear, above 0."""
    if gain == 1.0:
        return controls
    changed = dict(controls)
    for name, value in controls.items():
        if name.split("/")[-1] in ("amplitudes", "magnitudes"):
            changed[name] = np.float32(gain) * value
    if "loudness_db" in controls:
        changed["loudness_db"] = controls["loudness_db"] + np.float32(20.0 * np.log10(gain))
    return changed


def stack_controls(rows):
    """Controls of several sounds of one run as one dict.

    Curves, responses and noise_seed get a first axis [n]; what the sounds share stays as it is.
    """
    own = _own_axes(rows[0])
    return {n: np.stack([row[n] for row in rows]) if n in own else x for n, x in rows[0].items()}


def split_controls(controls):
    """Controls of each sound, list of dict: the inverse of `stack_controls`.

    Controls of a single sound become a list of one.

    Raises:
      UsageError: if voices or kinds are missing or unknown, or the numbers of sounds differ.
    """
    _check_voices(controls, "controls")
    own = {n: len(axes) for n, axes in _own_axes(controls).items() if n in controls}
    counts = {n: len(controls[n]) for n, rank in own.items() if np.ndim(controls[n]) == rank + 1}
    if not counts:
        return [controls]
    if len({*counts.values()}) > 1 or 0 in counts.values():
        raise UsageError(f"controls of {counts} sounds; expected one or more, the same of each")
    n_sounds = next(iter(counts.values()))
    return [{n: x[i] if n in counts else x for n, x in controls.items()} for i in range(n_sounds)]


def _entries(controls):
    """Entries that these controls may have: name -> (axes, lowest value, highest value)."""
    entries = _NEEDED | _SHARED
    for voice, kind in voices_of(controls):
        entries |= {f"{voice}/{name}": entry for name, entry in ENTRIES[kind].items()}
    return entries | (_REVERB if "reverb/ir" in controls else {})


def _own_axes(controls):
    """Axes of the entries that differ from sound to sound, by name."""
    axes = {name: entry[0] for name, entry in _entries(controls).items()}
    return {name: own for name, own in axes.items() if own or name == "noise_seed"}


def frames_to_samples(n_frames, frame_rate, sample_rate):
    """Number of samples that frames of control curves last."""
    return round(n_frames * sample_rate / frame_rate)


def voices_of(controls):
    """(name, kind) of each voice."""
    names, kinds = np.atleast_1d(controls["voices"]), np.atleast_1d(controls["kinds"])
    return [(str(name), str(kind)) for name, kind in zip(names, kinds, strict=True)]


def curve_names(controls):
    """Names of the entries with an axis of frames, without loudness_db."""
    entries = {name: axes for name, (axes, *_) in _entries(controls).items() if name in controls}
    return [name for name, axes in entries.items() if axes.startswith("t") and "/" in name]


def check_controls(controls, path="controls"):
    """Refuse controls of one sound that are incomplete, don't fit each other or are out of range.

    Raises:
      UsageError: names the path, the entry, what came and what was expected.
    """
    kinds = _check_voices(controls, path)
    optional = {"loudness_db", "reverb/add_dry"}
    optional |= {f"{voice}/inharmonicity" for voice, _ in voices_of(controls)}
    optional |= set() if {"noise", "transient"} & {*kinds} else {"noise_seed"}
    expected = {n: e for n, e in _entries(controls).items() if n in controls or n not in optional}
    curves = [name for name in expected if expected[name][0].startswith("t") and name in controls]
    lengths = collections.Counter(len(controls[n]) for n in curves if np.ndim(controls[n]))
    # Most curves agree on the number of frames; the one that differs is named.
    sizes = {"t": lengths.most_common(1)[0][0]} if lengths else {}
    for name, (axes, low, high) in expected.items():
        if name not in controls:
            raise UsageError(f"{path} lacks {name}")
        _check_entry(name, controls[name], axes, low, high, sizes, path)
    seconds = float(controls["n_samples"]) / float(controls["sample_rate"])
    seconds = max(seconds, sizes.get("t", 0) / float(controls["frame_rate"]) - 1.0)
    if seconds > MAX_SECONDS:
        raise UsageError(f"{path} lasts {seconds:g} seconds; expected at most {MAX_SECONDS:g}")
    known = ["format", "voices", "kinds", *expected]
    for name in controls:
        if name not in known:
            near = difflib.get_close_matches(name[:100], known, n=1)
            hint = f"; nearest is {near[0]}" if near else ""
            raise UsageError(f"{path}: no sound is made from {ascii(name[:100])}{hint}")


def _check_voices(controls, path):
    """Kinds of the voices; refuse what lacks an entry of every controls file, or other kinds."""
    missing = [name for name in ("format", "voices", "kinds", *_NEEDED) if name not in controls]
    if missing or str(controls["format"]) != FORMAT:
        reason = f"it lacks {', '.join(missing)}" if missing else "its format is another one"
        raise UsageError(f"{path} is not a controls file: {reason}")
    if np.size(controls["version"]) == 1 and controls["version"] > VERSION:
        raise UsageError(f"{path} has version {controls['version']}; update noisygan")
    voices, kinds = (_names(controls, name, path) for name in ("voices", "kinds"))
    if len(voices) != len(kinds) or len({*voices}) != len(voices):
        counts = f"{len({*voices})} voices and {len(kinds)} kinds"
        raise UsageError(f"{path} has {counts}; expected pairs")
    unknown = [kind for kind in kinds if kind not in ENTRIES]
    if unknown:
        raise UsageError(f"{path}: kind {unknown[0]} is unknown; known are {', '.join(ENTRIES)}")
    return kinds


def _check_entry(name, value, axes, low, high, sizes, path):
    """Check kind, shape and range of an entry; `sizes` has those of its axes so far."""
    value = np.asarray(value)
    voice = name.split("/")[0]
    wanted = []
    for axis in axes:
        # Frames are the same of all voices, modes of one.
        known = sizes.get("t" if axis == "t" else (voice, axis)) if axis in "tm" else None
        wanted.append((known, known) if known else _SIZES[axis])
    fits = value.ndim == len(axes) and all(
        least <= n and (most is None or n <= most)
        for n, (least, most) in zip(value.shape, wanted, strict=True)
    )
    if not fits:
        shown = ", ".join(_AXES[axis] for axis in axes)
        limits = ", ".join(
            f"{_AXES[axis]} {least}" + (f" to {most}" if most not in (least, None) else "")
            for axis, (least, most) in zip(axes, wanted, strict=True)
        )
        shown = f"[{shown}] with {limits}" if limits else "[]"
        raise UsageError(f"{path}: {name} has shape {value.shape}; expected {shown}")
    for axis, n in zip(axes, value.shape, strict=True):
        sizes.setdefault("t" if axis == "t" else (voice, axis), n)
    kinds = {"noise_seed": "iu", "reverb/add_dry": "biu"}.get(name, "iuf")
    if value.dtype.kind not in kinds or not np.isfinite(value).all():
        raise UsageError(f"{path}: {name} holds values that are not finite numbers")
    for each in (value.min(), value.max()):
        if not low <= each <= high:
            limits = f"{low:g} to {high:g}" if np.isfinite(high) else f"{low:g} or more"
            raise UsageError(f"{path}: {name} has {each:g}; expected {limits}")


def _names(controls, name, path):
    """List of names that can be shown and can't be taken for part of a path."""
    found = np.atleast_1d(controls[name])
    if found.ndim != 1 or not found.size or found.dtype.kind != "U" or found.itemsize > 400:
        raise UsageError(f"{path}: {name} is no list of names of up to 100 characters")
    for each in map(str, found):
        if not re.fullmatch(r"[\w +-][\w .+-]*", each):
            raise UsageError(f"{path}: {name} has {ascii(each)}; expected letters and digits")
    return [str(each) for each in found]
