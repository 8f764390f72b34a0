"""Controls files: the curves of one sound in physical units, and sound from them.

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

# What an hour's work of drawing may come to, and a file from a stranger may hold.
MAX_BYTES = 128 << 20
MAX_SECONDS = 600.0
# Harmonics, bands or modes.
MAX_COLUMNS = 2048
MAX_BANDS = 1025
# Hz or seconds, lowest and highest, by the end of a name.
_RANGES = {
    "frame_rate": (1.0, 1000.0),
    "sample_rate": (8000.0, 192_000.0),
    "bandwidth_hz": (1000.0, 192_000.0),
    "burst_seconds": (1e-3, 60.0),
}
_MAX_HZ = 1e6
_MAX_DECAY_SECONDS = 3600.0
_MAX_NAME = 100
_MAX_REVERB_SECONDS = 30.0

# Curves of each kind of voice: (name, number of axes).
CURVES = {
    "harmonic": (("f0_hz", 1), ("amplitudes", 1), ("harmonic_distribution", 2)),
    "noise": (("magnitudes", 2),),
    "modal": (),
    "transient": (),
}

# What a blow has settled, without an axis of frames: names, each of rank 1.
STRUCK = {
    "harmonic": (),
    "noise": (),
    "modal": ("frequencies", "amplitudes", "decay_seconds"),
    "transient": ("magnitudes", "decay_seconds"),
}

# What else sound is made from, single numbers.
SETTINGS = {
    "harmonic": (),
    "noise": ("bandwidth_hz",),
    "modal": (),
    "transient": ("bandwidth_hz", "burst_seconds"),
}
_WITH_NOISE = {"noise", "transient"}

_NEEDED = ("format", "version", "sample_rate", "n_samples", "frame_rate", "voices", "kinds")
_OPTIONAL = ("noise_seed", "loudness_db", "reverb/ir", "reverb/sample_rate", "reverb/add_dry")


def load_controls(path):
    """Reads and checks a controls file.

    Raises:
      UsageError: if it is not one, or its curves don't fit each other.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise UsageError(f"{path} is not there; name a controls file (.npz).")
    try:
        controls = read_arrays(path, MAX_BYTES)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{path} is not a controls file (.npz, as 'noisygan render --controls' writes): {error}"
        ) from error
    check_controls(controls, path)
    return controls


def save_controls(path, controls):
    """Writes a controls file, whole or not at all. An existing file is never overwritten.

    Raises:
      UsageError: if the file exists.
      RunError: if it cannot be written.
    """
    with atomic_write(path) as part, part.open("wb") as file:
        np.savez_compressed(file, **controls)


def scale_controls(controls, gain):
    """Controls of the same sound at another level.

    Args:
      controls: As a controls file has them.
      gain: Linear, above 0.

    Returns:
      dict.
    """
    if gain == 1.0:
        return controls
    changed = dict(controls)
    for name, value in controls.items():
        if name.split("/")[-1] in ("amplitudes", "magnitudes"):
            changed[name] = np.float32(gain) * value
    if "loudness_db" in controls:
        changed["loudness_db"] = controls["loudness_db"] + np.float32(20.0 * np.log10(gain))
    return changed


def curve_names(controls):
    """Names of the entries of controls that have an axis of frames, but for loudness_db."""
    return [f"{name}/{curve}" for name, kind in voices_of(controls) for curve, _ in CURVES[kind]]


def voices_of(controls):
    """(name, kind) of each voice."""
    names, kinds = np.atleast_1d(controls["voices"]), np.atleast_1d(controls["kinds"])
    return [(str(name), str(kind)) for name, kind in zip(names, kinds, strict=True)]


def check_controls(controls, path="controls"):
    """Checks that controls are complete, of fitting shapes and finite.

    Raises:
      UsageError: naming the entry, what came and what was expected.
    """
    missing = [name for name in _NEEDED if name not in controls]
    if missing or str(controls["format"]) != FORMAT:
        raise UsageError(
            f"{path} is not a controls file: "
            + (f"it lacks {', '.join(missing)}." if missing else "its format is another one.")
        )
    for name in ("version", "sample_rate", "n_samples", "frame_rate"):
        _check_number(controls, name, path)
    if int(controls["version"]) > VERSION:
        raise UsageError(
            f"{path} has version {int(controls['version'])} of the format and this noisygan knows "
            f"version {VERSION}; update noisygan."
        )
    rate, n_samples = float(controls["sample_rate"]), float(controls["n_samples"])
    if not 1 <= n_samples <= MAX_SECONDS * rate:
        raise UsageError(
            f"{path} lasts {n_samples / rate:g} seconds; expected 1 sample to "
            f"{MAX_SECONDS:g} seconds."
        )
    if _WITH_NOISE & {str(kind) for kind in np.atleast_1d(controls["kinds"])}:
        seed = np.asarray(controls.get("noise_seed", 0.5))
        if seed.ndim or seed.dtype.kind not in "iu" or not -(2**31) <= int(seed) < 2**31:
            raise UsageError(f"{path} lacks noise_seed, or it is not one whole number of 32 bits.")
    voices, kinds = (_names(controls, name, path) for name in ("voices", "kinds"))
    if len(voices) != len(kinds) or len({*voices}) != len(voices):
        raise UsageError(
            f"{path} has {len({*voices})} voices and {len(kinds)} kinds; expected pairs."
        )
    n_frames = _n_frames(controls, voices, kinds)
    for voice, kind in zip(voices, kinds, strict=True):
        if str(kind) not in CURVES:
            raise UsageError(
                f"{path}: voice {voice} is of kind {kind}; known are {', '.join(CURVES)}."
            )
        for name in SETTINGS[str(kind)]:
            _check_number(controls, f"{voice}/{name}", path)
        _check_struck(controls, str(voice), str(kind), path)
        for curve, rank in CURVES[str(kind)]:
            name = f"{voice}/{curve}"
            if name not in controls:
                raise UsageError(f"{path} lacks {name}.")
            value = controls[name]
            too_narrow = curve == "magnitudes" and value.ndim == rank and value.shape[1] < 2
            if value.ndim != rank or value.shape[0] != n_frames or not value.size or too_narrow:
                axes = "[n_frames]" if rank == 1 else "[n_frames, n]"
                frames = f"{n_frames} frames" if n_frames else "1 frame or more"
                raise UsageError(
                    f"{path}: {name} has shape {value.shape}; expected {axes} with "
                    f"{frames}{', n at least 2' if too_narrow else ''}."
                )
            most = MAX_BANDS if curve == "magnitudes" else MAX_COLUMNS
            if rank == 2 and value.shape[1] > most:
                raise UsageError(
                    f"{path}: {name} has shape {value.shape}; expected at most {most} columns."
                )
            _check_finite(controls, name, path)
            # No sound of this rate has an F0 above it.
            _check_range(controls, name, 0.0, rate if curve == "f0_hz" else np.inf, path)
    if n_frames is not None and n_frames / float(controls["frame_rate"]) > MAX_SECONDS + 1.0:
        raise UsageError(f"{path} has curves of more than {MAX_SECONDS:g} seconds.")
    loudness = controls.get("loudness_db")
    if loudness is not None and n_frames is not None and loudness.shape != (n_frames,):
        raise UsageError(
            f"{path}: loudness_db has shape {loudness.shape}; expected [n_frames] with "
            f"{n_frames} frames."
        )
    if loudness is not None and loudness.dtype.kind not in "iuf":
        raise UsageError(f"{path}: loudness_db holds no numbers.")
    _check_known(controls, voices, kinds, path)
    if "reverb/ir" in controls:
        if controls["reverb/ir"].ndim != 1:
            shape = controls["reverb/ir"].shape
            raise UsageError(f"{path}: reverb/ir has shape {shape}; expected [n_taps].")
        _check_finite(controls, "reverb/ir", path)
        _check_number(controls, "reverb/sample_rate", path)
        taps, rate = len(controls["reverb/ir"]), float(controls["reverb/sample_rate"])
        if not 1 <= taps <= _MAX_REVERB_SECONDS * rate:
            raise UsageError(
                f"{path}: reverb/ir has {taps} taps; expected 1 tap to "
                f"{_MAX_REVERB_SECONDS:g} seconds."
            )
        add_dry = np.asarray(controls.get("reverb/add_dry", True))
        if add_dry.ndim or add_dry.dtype.kind not in "biu":
            raise UsageError(f"{path}: reverb/add_dry is {add_dry}; expected true or false.")


def _n_frames(controls, voices, kinds):
    """How many frames most curves have; of two answers that of loudness_db. None: no curves."""
    curves = [f"{v}/{c}" for v, k in zip(voices, kinds, strict=True) for c, _ in CURVES.get(k, ())]
    there = [controls[name] for name in ("loudness_db", *curves) if name in controls]
    lengths = collections.Counter(len(value) for value in there if value.ndim)
    return lengths.most_common(1)[0][0] if curves and lengths else None


def _check_known(controls, voices, kinds, path):
    """Refuses entries that no sound is made from, such as a misspelt one."""
    known = [*_NEEDED, *_OPTIONAL]
    for voice, kind in zip(voices, kinds, strict=True):
        curves = [curve for curve, _ in CURVES[kind]]
        known += [f"{voice}/{name}" for name in (*curves, *STRUCK[kind], *SETTINGS[kind])]
    for name in controls:
        if name not in known:
            near = difflib.get_close_matches(name[:_MAX_NAME], known, n=1)
            hint = f"; nearest is {near[0]}" if near else ""
            raise UsageError(f"{path}: no sound is made from {ascii(name[:_MAX_NAME])}{hint}.")


def _check_struck(controls, voice, kind, path):
    """Refuses what a blow has settled where a part is missing or the parts don't fit."""
    n_modes = None
    for name in (f"{voice}/{part}" for part in STRUCK[kind]):
        if name not in controls:
            raise UsageError(f"{path} lacks {name}.")
        value = controls[name]
        wanted, least = None, 1
        if kind == "transient":
            wanted, least = (1, 1) if name.endswith("decay_seconds") else (None, 2)
        elif n_modes is None:
            n_modes = value.size
        else:
            wanted = n_modes
        fits = value.ndim == 1 and least <= len(value) <= MAX_COLUMNS
        if not fits or wanted not in (None, len(value)):
            expected = f"[{wanted}]" if wanted else f"[n], n from {least} to {MAX_COLUMNS}"
            raise UsageError(f"{path}: {name} has shape {value.shape}; expected {expected}.")
        _check_finite(controls, name, path)
        if name.endswith(("amplitudes", "magnitudes")):
            _check_range(controls, name, 0.0, np.inf, path)
        if name.endswith("frequencies"):
            _check_range(controls, name, 0.0, _MAX_HZ, path)
        if name.endswith("decay_seconds"):
            _check_range(controls, name, 1e-9, _MAX_DECAY_SECONDS, path)


def _check_number(controls, name, path):
    if name not in controls:
        raise UsageError(f"{path} lacks {name}.")
    value = np.asarray(controls[name])
    if value.ndim or value.dtype.kind not in "iuf" or not 0 < value < np.inf:
        shown = " ".join(str(value)[:40].split())
        raise UsageError(f"{path}: {name} is {shown}; expected a number above 0.")
    low, high = next((r for end, r in _RANGES.items() if name.endswith(end)), (0.0, np.inf))
    if not low <= value <= high:
        raise UsageError(f"{path}: {name} is {value:g}; expected {low:g} to {high:g}.")


def _names(controls, name, path):
    """A list of names, each of which can be shown and can't be taken for part of a path."""
    found = np.atleast_1d(controls[name])
    if not found.size:
        raise UsageError(f"{path} holds no {name}.")
    if found.ndim != 1 or found.dtype.kind != "U" or found.dtype.itemsize > 4 * _MAX_NAME:
        raise UsageError(f"{path}: {name} is no list of names of up to {_MAX_NAME} characters.")
    names = [str(each) for each in found]
    for each in names:
        if not re.fullmatch(r"[\w +-][\w .+-]*", each):
            raise UsageError(
                f"{path}: {name} holds {ascii(each)}; expected letters, digits, spaces and _ . + -"
            )
    return names


def _check_range(controls, name, low, high, path):
    """Refuses curves of which a value lies outside of a range."""
    value = controls[name]
    for each in (value.min(), value.max()):
        if not low <= each <= high:
            expected = f"{low:g} to {high:g}" if np.isfinite(high) else f"{low:g} or more"
            raise UsageError(f"{path}: {name} has {each:g}; expected {expected}.")


def _check_finite(controls, name, path):
    value = controls[name]
    if value.dtype.kind not in "iuf" or not np.isfinite(value).all():
        raise UsageError(f"{path}: {name} holds values that are not finite numbers.")
