"""Whether several notes sound at once, as far as it can be told."""

import math

import numpy as np
import scipy.signal

from noisygan.matching.analysis import UNSURE

_FRAME_SECONDS, _HOP_SECONDS = 0.256, 0.1
_HEARD_DB = 25.0
_HARMONICS_HZ = 2.4 / _FRAME_SECONDS
_HARMONICS_SHARE, _WIDEST_SHARE = 0.02, 0.08
"""How far from a harmonic's frequency, in Hz or as a share of it, counts as the harmonic."""
_LOWEST_HZ = 40.0
_MOST_BETWEEN = 0.08
"""Share of the energy between the harmonics of one note: more is another note."""
_LEAST_LOW, _SURE = 0.05, 0.9
"""A pitch that is not sure, and has next to nothing in its first three harmonics, is a tracker's
guess at the common divisor of several."""


def is_several(audio, sample_rate, analysis):
    """Whether a sound seems to be of several notes at once.

    It does where pYIN is sure of none, where much sounds between the harmonics of the one it found,
    or where that one is lower than anything that sounds.

    Args:
      audio: float32 [n_samples].
      sample_rate: Hz.
      analysis: `analysis.Analysis` of it.

    Returns:
      bool.
    """
    if analysis.confidence < UNSURE:
        return True
    between, low = _shares(audio, sample_rate, analysis)
    return between > _MOST_BETWEEN or (low < _LEAST_LOW and analysis.confidence < _SURE)


def _shares(audio, sample_rate, analysis):
    """Shares of the energy between the harmonics and in the lowest three; medians over time."""
    n_fft = 1 << round(math.log2(_FRAME_SECONDS * sample_rate))
    step = max(1, round(_HOP_SECONDS * analysis.frame_rate))
    frames = np.arange(step // 2, len(analysis.f0_hz), step)
    if len(frames) == 0:
        frames = np.zeros(1, int)
    level = analysis.level[frames]
    frames = frames[level >= level.max() * 10.0 ** (-_HEARD_DB / 20.0)]
    begin = (frames * sample_rate / analysis.frame_rate).astype(int)
    padded = np.pad(audio, (n_fft // 2, n_fft))
    windowed = padded[begin[:, None] + np.arange(n_fft)] * scipy.signal.get_window("hann", n_fft)
    power = np.abs(np.fft.rfft(windowed, axis=1)) ** 2
    hz = np.fft.rfftfreq(n_fft, 1.0 / sample_rate)
    f0_hz = analysis.f0_hz[frames, None]
    nearest = f0_hz * np.maximum(np.round(hz / f0_hz), 1.0)
    # A vibrato spreads a harmonic over all frequencies that it has within the frame.
    reach = round(0.5 * _FRAME_SECONDS * analysis.frame_rate)
    around = np.clip(frames[:, None] + np.arange(-reach, reach + 1), 0, len(analysis.f0_hz) - 1)
    spread = np.abs(analysis.f0_hz[around] / f0_hz - 1.0).max(axis=1, keepdims=True)
    share = np.clip(1.25 * spread, _HARMONICS_SHARE, _WIDEST_SHARE)
    slack = np.maximum(_HARMONICS_HZ, share * nearest)
    between = (np.abs(hz - nearest) >= slack) & (hz >= _LOWEST_HZ)
    total = np.maximum(power.sum(axis=1), 1e-20)
    return (
        float(np.median((power * mask).sum(axis=1) / total)) for mask in (between, hz < 3.5 * f0_hz)
    )
