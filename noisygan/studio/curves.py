"""The curves of a sound as the page draws them, and what is drawn by hand laid upon controls."""

import numpy as np

FLOOR_DB = -100.0


def shown(controls, kinds, frame_rate):
    """The curves of one sound, few and in units that are heard.

    Args:
      controls: dict of arrays, of `get_controls`, a batch of one.
      kinds: dict name -> kind of the generator's voices.
      frame_rate: Frames a second.

    Returns:
      dict of lists: `f0_hz`, `loudness_db`, `harmonic_db` (level of the harmonics' sum) and
      `noise_db` (of the noise), a value a frame each, `harmonics_db` (mean level of each harmonic),
      those that the voices have; and `frame_rate`.
    """
    curves = {"frame_rate": float(frame_rate), "loudness_db": controls["loudness_db"][0, :, 0]}
    harmonic = [name for name, kind in kinds.items() if kind == "harmonic"]
    noise = [name for name, kind in kinds.items() if kind == "noise"]
    if harmonic:
        curves["f0_hz"] = controls[f"{harmonic[0]}/f0_hz"][0, :, 0]
        curves["harmonic_db"] = decibels(
            sum(controls[f"{name}/amplitudes"][0, :, 0] for name in harmonic)
        )
        levels = [
            controls[f"{name}/amplitudes"][0] * controls[f"{name}/harmonic_distribution"][0]
            for name in harmonic
        ]
        longest = max(level.shape[1] for level in levels)
        means = [np.pad(x.mean(axis=0), (0, longest - x.shape[1])) for x in levels]
        curves["harmonics_db"] = decibels(sum(means))
    if noise:
        power = sum(np.mean(controls[f"{name}/magnitudes"][0] ** 2, axis=1) for name in noise)
        curves["noise_db"] = decibels(np.sqrt(power))
    return {
        name: value if name == "frame_rate" else np.round(value.astype(float), 3).tolist()
        for name, value in curves.items()
    }


def decibels(amplitude):
    """20 log10 of an amplitude, FLOOR_DB or more."""
    return 20.0 * np.log10(np.maximum(amplitude, 10.0 ** (FLOOR_DB / 20.0)))


def edited(controls, edits, kinds, n_frames):
    """Controls with what was drawn laid upon them.

    A drawn curve is a difference: semitones on F0, decibels on levels. It is stretched to the
    sound's length, so it can be played at any pitch and length, with any latent. What is struck
    (modes, bursts) follows the loudness of the first moment, as its level is settled by the blow.

    Args:
      controls: dict of arrays, of `get_controls`, a batch of one; it is not changed.
      edits: dict name -> float32 [n_points], as of `noisygan.studio.asking.Ask`.
      kinds: dict name -> kind of the generator's voices.
      n_frames: Frames that the sound lasts; the controls may go on behind it.

    Returns:
      dict of arrays.
    """
    if not edits:
        return controls
    n_behind = controls["loudness_db"].shape[1] - n_frames
    drawn = {
        name: np.pad(stretched(points, n_frames), (0, n_behind), "edge")[None, :, None]
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
        if kind in ("harmonic", "noise"):
            out[level] = controls[level] * gain
        else:
            out[level] = controls[level] * gain[:, 0]
        if kind == "harmonic":
            ratio = 2.0 ** (drawn.get("f0_semitones", flat) / 12.0)
            f0_hz = controls[f"{voice}/f0_hz"] * ratio
            out[f"{voice}/f0_hz"] = np.clip(f0_hz, 1.0, None).astype(np.float32)
            if "harmonics_db" in edits:
                _recolour(out, voice, edits["harmonics_db"])
    return out


def _recolour(controls, voice, gains_db):
    """Raises and lowers single harmonics, in place; the others keep their level."""
    name, level = f"{voice}/harmonic_distribution", f"{voice}/amplitudes"
    n_harmonics = controls[name].shape[2]
    gains = np.ones(n_harmonics, np.float32)
    n = min(n_harmonics, len(gains_db))
    gains[:n] = 10.0 ** (gains_db[:n] / 20.0)
    weighted = controls[name] * gains
    total = np.maximum(weighted.sum(axis=2, keepdims=True), 1e-20)
    controls[name] = weighted / total
    controls[level] = controls[level] * total


def stretched(points, n):
    """A curve of any number of points as one of n, float32 [n], linear between them."""
    if len(points) == 1:
        return np.full(n, points[0], np.float32)
    place = np.linspace(0.0, len(points) - 1.0, n)
    return np.interp(place, np.arange(len(points)), points).astype(np.float32)
