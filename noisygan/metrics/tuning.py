"""Tuning and inharmonicity of a recorded note of known pitch, from its lowest partials."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from noisygan.metrics.note_analysis import midi_to_hz
from noisygan.metrics.note_timing import HOP_SECONDS, level_db, onset_sample

SKIPPED_SECONDS = 0.1  # after the onset
MEASURED_SECONDS = 3.0
# The level down to which a note is listened to, and partials below the strongest that count.
LISTENED_DB = -40.0
AUDIBLE_DB = -40.0
# Number of partials, and half of the band around each in cents: first, and around what was found.
PASSES = ((8, 150.0), (8, 90.0), (20, 90.0))
# The largest half of a band as a share of the distance to the next partial.
BAND_SHARE = 0.4
# cents = tuning + CENTS_PER_STRETCH * inharmonicity * order ** 2, for small ones
CENTS_PER_STRETCH = 600.0 / np.log(2.0)
MAX_INHARMONICITY = 0.02
# Recordings are of strings if half of them have a larger B that explains this share of variance.
LEAST_INHARMONICITY, LEAST_EXPLAINED = 1e-5, 0.45


class Tuning(NamedTuple):
    """Deviation of a note from its nominal pitch.

    Attributes:
      cents: Of F0 in the median over time; NaN where no partial is found.
      inharmonicity: B of partial k at k F0 sqrt(1 + B k^2), 0 or more; NaN where fewer than two
        partials fit.
      harmonic_cents: Of the F0 whose first eight harmonics fit best.
      square_order: Mean square of the orders of the partials.
      explained: Share of the variance of the partials' deviations that inharmonicity explains; NaN
        for fewer than three partials.
    """

    cents: float
    inharmonicity: float
    harmonic_cents: float
    square_order: float
    explained: float = np.nan

    def cents_at(self, inharmonicity):
        """`cents` of the F0 if B is known."""
        stretch = np.nan_to_num(self.inharmonicity) - inharmonicity
        return self.cents + CENTS_PER_STRETCH * stretch * self.square_order


UNKNOWN = Tuning(np.nan, np.nan, np.nan, 1.0)


def measure_tuning(audio, sample_rate, pitch):
    """Measure the tuning of a note within about 80 cents of a nominal pitch.

    Each of the lowest partials is cut out of the spectrum; its frequency is the median of its
    instantaneous frequency, weighted by energy, so vibrato does not matter. A line through the
    partials' deviations over the square of their orders gives F0 and inharmonicity. The lowest
    eight show where to look for the others.

    Args:
      audio: float [n_samples].
      sample_rate: Hz.
      pitch: Nominal MIDI pitch.

    Returns:
      Tuning.

    References:
      Fletcher, Blackham and Stratton 1962, equation 7, on inharmonicity.
    """
    audio = np.asarray(audio, np.float64)
    if not np.any(audio):
        return UNKNOWN
    level = level_db(audio, sample_rate)
    onset = onset_sample(audio) / sample_rate
    begin = round((onset + SKIPPED_SECONDS) * sample_rate)
    end = round((np.flatnonzero(level > LISTENED_DB)[-1] + 1) * HOP_SECONDS * sample_rate)
    if end - begin < 0.05 * sample_rate:
        begin = round(onset * sample_rate)
    audio = audio[begin : min(end, begin + round(MEASURED_SECONDS * sample_rate))]
    nominal_hz = midi_to_hz(pitch)
    if len(audio) < 4.0 * sample_rate / nominal_hz:
        return UNKNOWN
    spectrum = np.fft.rfft(audio)
    bin_hz = sample_rate / len(audio)
    found = Tuning(0.0, 0.0, 0.0, 1.0)
    for n_partials, band_cents in PASSES:
        before = found
        orders = np.arange(1, n_partials + 1)
        stretch = np.nan_to_num(found.inharmonicity)
        shift = found.cents + CENTS_PER_STRETCH * stretch * orders**2
        center_hz = orders * nominal_hz * 2.0 ** (shift / 1200.0)
        half_hz = center_hz * (2.0 ** (band_cents / 1200.0) - 1.0)
        half_hz = np.minimum(half_hz, BAND_SHARE * nominal_hz)
        inside = center_hz + half_hz < 0.5 * sample_rate
        orders, center_hz, half_hz = orders[inside], center_hz[inside], half_hz[inside]
        partials = [_partial(spectrum, bin_hz, *x) for x in zip(center_hz, half_hz, strict=True)]
        if not any(energy for _, energy in partials):
            return UNKNOWN
        hz, energies = np.transpose(partials)
        cents = 1200.0 * np.log2(hz / (orders * nominal_hz))
        heard = energies > energies.max() * 10.0 ** (AUDIBLE_DB / 10.0)
        found = _fit(orders[heard], cents[heard], energies[heard])
    # Vibrato blurs the higher partials, which matter for strings only.
    return found._replace(harmonic_cents=before.harmonic_cents)


def _partial(spectrum, bin_hz, center_hz, half_hz):
    """(median frequency in Hz, energy) of what lies within half_hz of center_hz."""
    low = max(1, int(np.ceil((center_hz - half_hz) / bin_hz)))
    high = min(len(spectrum) - 1, int((center_hz + half_hz) / bin_hz)) + 1
    if high - low < 3:
        return center_hz, 0.0
    bins = np.arange(low, high)
    band = spectrum[low:high] * np.hanning(len(bins) + 2)[1:-1]
    # The band alone, as a complex signal at a low rate.
    signal = np.fft.ifft(band, 4 * len(band))
    turn = signal[1:] * np.conj(signal[:-1])
    rate = 4 * len(band) * bin_hz
    hz = low * bin_hz + np.angle(turn) / (2.0 * np.pi) * rate
    return _median(hz, np.abs(turn)), float(np.abs(turn).sum())


def _median(values, weights):
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return values[order][min(np.searchsorted(total, 0.5 * total[-1]), len(values) - 1)]


def _fit(orders, cents, energies):
    """`Tuning` of partials' deviations, weighted by the fourth root of their energy."""
    weights = energies**0.25
    harmonic = float(_median(cents, energies**0.5))
    x = orders.astype(np.float64) ** 2
    unknown = Tuning(harmonic, np.nan, harmonic, float(np.average(x, weights=weights)))
    if len(x) < 2:
        return unknown
    keep = np.ones(len(x), bool)
    for _ in range(2):  # again without outliers
        w = weights * keep
        mean_x, mean_y = np.average(x, weights=w), np.average(cents, weights=w)
        slope = np.sum(w * (x - mean_x) * (cents - mean_y)) / np.sum(w * (x - mean_x) ** 2)
        slope = min(max(slope, 0.0), MAX_INHARMONICITY * CENTS_PER_STRETCH)
        error = np.abs(cents - mean_y - slope * (x - mean_x))
        keep = error <= max(10.0, 2.0 * float(np.median(error)))
        if keep.sum() < min(3, len(x)):
            return unknown
    known = Tuning(
        float(mean_y - slope * mean_x), float(slope / CENTS_PER_STRETCH), harmonic, float(mean_x)
    )
    if len(x) < 3:
        return known
    variance = np.average((cents - np.average(cents, weights=weights)) ** 2, weights=weights)
    explained = 1.0 - np.average(error**2, weights=weights) / max(variance, 1e-9)
    return known._replace(explained=float(explained))


def values_by_pitch(pitch, values, reduce=np.median):
    """Table over MIDI pitch of something measured in recordings, float32 [128].

    The median of each pitch's recordings, or what else `reduce` makes of them, linear in between,
    the nearest outside; 0 if all are unknown.

    Args:
      pitch: MIDI pitches, [n].
      values: Of each recording, such as its tuning in cents; NaN where unknown, [n].
    """
    pitch, values = np.asarray(pitch, float), np.asarray(values, float)
    known = np.isfinite(pitch) & np.isfinite(values)
    own = np.unique(pitch[known])
    if not len(own):
        return np.zeros(128, np.float32)
    reduced = [reduce(values[known & (pitch == p)]) for p in own]
    return np.interp(np.arange(128), own, reduced).astype(np.float32)


def inharmonicity_by_pitch(pitch, tunings):
    """Table over MIDI pitch of the inharmonicity of strings, float32 [128]; 0 for other notes.

    Partials of any recording deviate; those of strings do so by one formula. Notes are strings' if
    inharmonicity explains the deviations of at least half of them. The logarithm of B is the median
    over three neighbouring pitches, linear in between, the nearest outside.

    Args:
      pitch: MIDI pitches, [n].
      tunings: `Tuning` of each recording.
    """
    pitch = np.asarray(pitch, float)
    _, b, _, _, explained = np.transpose(tunings)
    stretched = np.isfinite(pitch) & (b > LEAST_INHARMONICITY)
    n_strings = np.sum(stretched & (explained > LEAST_EXPLAINED))
    if n_strings < max(1, 0.5 * np.sum(np.isfinite(explained))):
        return np.zeros(128, np.float32)
    own = np.unique(pitch[stretched])
    logs = [np.median(np.log(b[stretched & (pitch == p)])) for p in own]
    padded = np.pad(logs, 1, "edge")
    smooth = np.median([padded[:-2], logs, padded[2:]], axis=0)
    return np.exp(np.interp(np.arange(128), own, smooth)).astype(np.float32)
