"""Loudness of recordings, and histograms."""

import numpy as np
import soxr

# Loudness of silence.
FLOOR_DB = -120.0

# Edges of the histograms, in dB and in seconds.
LEVEL_EDGES = tuple(range(-90, 4, 3))
SECONDS_EDGES = (0.0, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)

# Hz below which the K-weighting filters do not fit; gating blocks of the standard, in seconds.
_MIN_RATE, _BLOCK_SECONDS = 8000, 0.4


def loudness_db(audio, rate):
    """Integrated loudness (ITU-R BS.1770-4) by pyloudnorm, in LUFS; at least `FLOOR_DB`.

    Audio shorter than a gating block of 0.4 s is one block.

    Args:
      audio: float32 [n_samples].
      rate: Hz.
    """
    import pyloudnorm  # scipy.signal, which takes seconds

    if rate < _MIN_RATE:
        audio, rate = soxr.resample(audio, rate, _MIN_RATE), _MIN_RATE
    # Half a sample less, which rounding does not take for too short.
    block = min(_BLOCK_SECONDS, (len(audio) - 0.5) / rate)
    with np.errstate(divide="ignore", invalid="ignore"):
        # These filters are the standard's at 48 kHz, and closest to it at other rates.
        meter = pyloudnorm.Meter(rate, filter_class="DeMan", block_size=block)
        found = meter.integrated_loudness(np.asarray(audio, np.float64))
    return max(FLOOR_DB, float(found)) if np.isfinite(found) else FLOOR_DB


def histogram(values, edges):
    """Counts of values between sorted edges, list of int; the outermost include those beyond."""
    return np.histogram(np.clip(np.asarray(values, float), edges[0], edges[-1]), edges)[0].tolist()


def amplitude_to_db(amplitude):
    """Linear level of full scale in dB; at least -120."""
    return 20.0 * np.log10(max(amplitude, 1e-6))
