"""Curves of a sound as the page draws them, and edits of controls."""

import numpy as np

FLOOR_DB = -100.0


def summarize(controls, kinds, frame_rate):
    """Reduce the controls of one sound to a few curves for the page.

    Args:
      controls: dict of arrays, of `get_controls`, a batch of one.
      kinds: dict name -> kind of the generator's voices.
      frame_rate: Hz.

    Returns:
      dict of lists with a value per frame: `loudness_db`, and as far as the voices have them
      `f0_hz`, `harmonic_db` and `noise_db` (levels of the harmonics' sum and of the noise), and
      `harmonics_db` (mean level of each harmonic); and `frame_rate`.
    """
    curves = {"loudness_db": controls["loudness_db"][0, :, 0]}
    harmonic = [name for name, kind in kinds.items() if kind == "harmonic"]
    noise = [name for name, kind in kinds.items() if kind == "noise"]
    if harmonic:
        curves["f0_hz"] = controls[f"{harmonic[0]}/f0_hz"][0, :, 0]
        levels = [controls[f"{name}/amplitudes"][0] for name in harmonic]
        shares = [controls[f"{name}/harmonic_distribution"][0] for name in harmonic]
        curves["harmonic_db"] = amplitude_to_db(sum(level[:, 0] for level in levels))
        means = [(a * b).mean(axis=0) for a, b in zip(levels, shares, strict=True)]
        n_harmonics = max(len(mean) for mean in means)
        means = [np.pad(mean, (0, n_harmonics - len(mean))) for mean in means]
        curves["harmonics_db"] = amplitude_to_db(sum(means))
    if noise:
        power = sum(np.mean(controls[f"{name}/magnitudes"][0] ** 2, axis=1) for name in noise)
        curves["noise_db"] = amplitude_to_db(np.sqrt(power))
    curves = {name: np.round(x.astype(float), 3).tolist() for name, x in curves.items()}
    return {"frame_rate": float(frame_rate), **curves}


def amplitude_to_db(amplitude):
    """20 log10 of an amplitude, FLOOR_DB or more."""
    return 20.0 * np.log10(np.maximum(amplitude, 10.0 ** (FLOOR_DB / 20.0)))


def edit(controls, edits, kinds, n_frames):
    """Apply edits to controls of `get_controls`, a batch of one; returns a changed copy.

    An edit [n_points] is a difference: semitones of F0, decibels of levels. It is stretched to the
    sound's n_frames, so it fits any pitch, length and latent; the controls may be longer. Struck
    voices (modes, bursts) follow the loudness of the first frame. `kinds` is name -> kind of voice.
    """
    if not edits:
        return controls
    n_behind = controls["loudness_db"].shape[1] - n_frames
    drawn = {
        name: np.pad(stretch(points, n_frames), (0, n_behind), "edge")[None, :, None]
        for name, points in edits.items()
        if name != "harmonics_db"
    }
    flat = np.zeros_like(controls["loudness_db"])
    loudness = drawn.get("loudness_db", flat)
    out = dict(controls, loudness_db=controls["loudness_db"] + loudness)
    for voice, kind in kinds.items():
        own = drawn.get({"harmonic": "harmonic_db", "noise": "noise_db"}.get(kind), flat)
        gain = (10.0 ** ((loudness + own) / 20.0)).astype(np.float32)
        level = f"{voice}/{'magnitudes' if kind in ('noise', 'transient') else 'amplitudes'}"
        is_curve = kind in ("harmonic", "noise")
        out[level] = controls[level] * (gain if is_curve else gain[:, 0])
        if kind == "harmonic":
            ratio = 2.0 ** (drawn.get("f0_semitones", flat) / 12.0)
            f0_hz = controls[f"{voice}/f0_hz"] * ratio
            out[f"{voice}/f0_hz"] = np.clip(f0_hz, 1.0, None).astype(np.float32)
            if "harmonics_db" in edits:
                _edit_harmonics(out, voice, edits["harmonics_db"])
    return out


def _edit_harmonics(controls, voice, gains_db):
    """Change the level of single harmonics, in place; the others keep theirs."""
    name, level = f"{voice}/harmonic_distribution", f"{voice}/amplitudes"
    n_harmonics = controls[name].shape[2]
    gains = np.ones(n_harmonics, np.float32)
    n = min(n_harmonics, len(gains_db))
    gains[:n] = 10.0 ** (gains_db[:n] / 20.0)
    weighted = controls[name] * gains
    total = np.maximum(weighted.sum(axis=2, keepdims=True), 1e-20)
    controls[name] = weighted / total
    controls[level] = controls[level] * total


def stretch(points, n):
    """Interpolate a curve of any number of points linearly to n, float32 [n]."""
    place = np.linspace(0.0, len(points) - 1.0, n)
    return np.interp(place, np.arange(len(points)), points).astype(np.float32)
