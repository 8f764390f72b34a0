"""Free fit: controls that make a given sound (analysis by synthesis), without a trained run."""

import math

import numpy as np
import tensorflow as tf

from noisygan.audio_io.controls import FORMAT, VERSION
from noisygan.matching import room_fit
from noisygan.matching.analysis import level_db
from noisygan.matching.descent import Parameter, minimize
from noisygan.matching.distance import Objective
from noisygan.rendering.synthesis import controls_to_signal

N_BANDS = 65
MAX_HARMONICS = 256
START_NOISE_DB = -60.0
"""Level of the noise at the start, relative to the harmonics."""

LOG_STRIDE = 0.15  # nepers: levels, decays
F0_STRIDE = 0.001  # nepers: 1.7 cents
SMOOTHNESS = 0.1
"""Weight of the curves' roughness beside the spectral loss."""
_F0_ROUGHNESS = 30.0  # nepers of level per neper of F0
_LEAST = 1e-7
_CORNER = 0.05


def start_controls(analysis, n_samples, sample_rate, noise_seed=0, room=None):
    """Controls that the descent starts at: pYIN's F0, flat harmonics at the measured level, noise.

    Every harmonic below half the rate has the same amplitude and their sum the measured level; the
    noise is white, 60 dB below. The reverb of a `room_fit.Room` is left out of the level.
    """
    f0_hz, level = analysis.f0_hz, analysis.level
    if room is not None:
        level = room_fit.level_without(room, level)
    n_harmonics = math.ceil(0.5 * sample_rate / float(np.median(f0_hz))) - 1
    n_harmonics = min(max(n_harmonics, 1), MAX_HARMONICS)
    inside = f0_hz[:, None] * np.arange(1, n_harmonics + 1) < 0.5 * sample_rate
    count = np.maximum(inside.sum(axis=1), 1)
    noise = level * math.sqrt(3.0) * 10.0 ** (START_NOISE_DB / 20.0)  # uniform in -1 .. 1
    return {
        "format": np.array(FORMAT),
        "version": np.array(VERSION),
        "sample_rate": np.array(sample_rate),
        "n_samples": np.array(n_samples),
        "frame_rate": np.array(analysis.frame_rate),
        "noise_seed": np.array(noise_seed, np.int32),
        "voices": np.array(["harmonic", "noise"]),
        "kinds": np.array(["harmonic", "noise"]),
        "loudness_db": level_db(level),
        "harmonic/f0_hz": f0_hz.astype(np.float32),
        "harmonic/amplitudes": (level * np.sqrt(2.0 * count)).astype(np.float32),
        "harmonic/harmonic_distribution": (inside / count[:, None]).astype(np.float32),
        "noise/magnitudes": np.repeat(noise[:, None], N_BANDS, axis=1).astype(np.float32),
        "noise/bandwidth_hz": np.array(0.5 * sample_rate),
    }


def fit_controls(controls, audio, n_steps, progress=None, room=None):
    """Fit controls to a sound by gradient descent through the synths.

    Harmonic amplitudes, F0, noise magnitudes, and frequencies, levels and decays of struck voices
    are fitted as logarithms. Changes of a curve from frame to frame have a cost. The controls' own
    reverb is not changed.

    Args:
      controls: Start of the descent, of `start_controls` or of a run's sound.
      audio: Target at the controls' sample rate, float32 [n_samples].
      n_steps, progress: As of `descent.minimize`.
      room: `room_fit.Room` whose impulse response is fitted too, for controls without a reverb.

    Returns:
      (controls, list of losses).
    """
    sample_rate = int(controls["sample_rate"])
    parameters, sounding = _parameters(controls)
    objective = Objective(audio, sample_rate)
    response = None
    if room is not None:
        response = room_fit.Response(room, sample_rate, int(controls["noise_seed"]))
        reverb = {"sample_rate": np.array(sample_rate), "add_dry": np.array(True)}
        controls = controls | {f"reverb/{name}": value for name, value in reverb.items()}

    def merge(values):
        """(controls with the values in place, the curves among the values)."""
        curves = {name: value for name, value in values.items() if name in parameters}
        merged = _with(controls, curves, sounding)
        return merged if response is None else merged | {"reverb/ir": response(values)}, curves

    def loss(values):
        merged, curves = merge(values)
        sound = controls_to_signal(merged, len(audio), sample_rate)
        return objective(sound) + SMOOTHNESS * _roughness(curves)

    everything = parameters if response is None else parameters | response.parameters
    found, losses = minimize(everything, loss, n_steps, progress)
    fitted, _ = merge(found)
    return {name: np.asarray(value) for name, value in fitted.items()}, losses


def _parameters(controls):
    """(dict of Parameter, dict of masks of the harmonics that sound)."""
    parameters, sounding = {}, {}
    for voice, kind in zip(controls["voices"], controls["kinds"], strict=True):
        strides = {"magnitudes": LOG_STRIDE, "decay_seconds": LOG_STRIDE, "frequencies": F0_STRIDE}
        if kind == "harmonic":
            partials = controls[f"{voice}/amplitudes"][:, None]
            partials = partials * controls[f"{voice}/harmonic_distribution"]
            sounding[f"{voice}/partials"] = (partials > 0.0).astype(np.float32)
            parameters[f"{voice}/partials"] = Parameter(_log(partials), LOG_STRIDE)
            strides = {"f0_hz": F0_STRIDE}
        elif kind == "modal":
            strides["amplitudes"] = LOG_STRIDE
        for name, stride in strides.items():
            if f"{voice}/{name}" in controls:
                parameters[f"{voice}/{name}"] = Parameter(_log(controls[f"{voice}/{name}"]), stride)
    return parameters, sounding


def _log(value):
    return np.log(np.maximum(value, _LEAST)).astype(np.float32)


def _with(controls, values, sounding):
    """Controls with the values of the parameters in place."""
    merged = dict(controls)
    for name, value in values.items():
        if name not in sounding:
            merged[name] = tf.exp(value)
            continue
        partials = tf.exp(value) * sounding[name]
        total = tf.reduce_sum(partials, axis=1)
        voice = name.split("/")[0]
        merged[f"{voice}/amplitudes"] = total
        shares = tf.math.divide_no_nan(partials, total[:, None])
        merged[f"{voice}/harmonic_distribution"] = shares
    return merged


def _roughness(values):
    """Mean absolute change of the curves per frame, smoothed at 0: a scalar."""
    total = 0.0
    for name, value in values.items():
        is_f0 = name.endswith("/f0_hz")
        is_struck = value.shape.rank == 1 and not is_f0
        if value.shape[0] > 1 and not is_struck:
            change = (value[1:] - value[:-1]) * (_F0_ROUGHNESS if is_f0 else 1.0)
            total += tf.reduce_mean(tf.sqrt(change**2 + _CORNER**2) - _CORNER)
    return total
