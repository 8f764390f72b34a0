"""Tuning and inharmonicity of a recorded note of known pitch, from its lowest partials."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from noisygan.metrics.note_timing import HOP_SECONDS, level_db, onset_sample

N_PARTIALS = 8
SKIPPED_SECONDS = 0.1  # after the onset
MEASURED_SECONDS = 3.0
# The level down to which a note is listened to, and partials below the strongest that count.
LISTENED_DB = -40.0
AUDIBLE_DB = -40.0
# Half of the band around a partial, in cents: at first, and around what was found; and the largest,
# as a share of the distance to the next partial.
BANDS_CENTS, BAND_SHARE = (150.0, 90.0), 0.4
# cents = tuning + CENTS_PER_STRETCH * inharmonicity * order ** 2, for small ones
CENTS_PER_STRETCH = 600.0 / np.log(2.0)
MAX_INHARMONICITY = 0.02
# Recordings of which this share has a larger B are of strings.
LEAST_INHARMONICITY, SHARE_STRETCHED = 1e-5, 0.75


class Tuning(NamedTuple):
    """Deviation of a note from its nominal pitch.

    Attributes:
      cents: Of F0 in the median over time; NaN where no partial is found.
      inharmonicity: B of partial k at k F0 sqrt(1 + B k^2), 0 or more; NaN where fewer than two
        partials fit.
      harmonic_cents: Of the F0 of harmonic partials that fit best.
      square_order: Mean square of the orders of the partials.
    """

    cents: float
    inharmonicity: float
    harmonic_cents: float
    square_order: float

    def cents_at(self, inharmonicity):
        """`cents` of the F0 if B is known."""
        stretch = np.nan_to_num(self.inharmonicity) - inharmonicity
        return self.cents + CENTS_PER_STRETCH * stretch * self.square_order


UNKNOWN = Tuning(np.nan, np.nan, np.nan, 1.0)


def measure_tuning(audio, sample_rate, pitch):
    """Measure the tuning of a note within about 80 cents of a nominal pitch.

    Each of the eight lowest partials is cut out of the spectrum; its frequency is the median of its
    instantaneous frequency, weighted by energy, so vibrato does not matter. A line through the
    partials' deviations over the square of their orders gives F0 and inharmonicity.

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
    nominal_hz = 440.0 * 2.0 ** ((pitch - 69.0) / 12.0)
    if len(audio) < 4.0 * sample_rate / nominal_hz:
        return UNKNOWN
    spectrum = np.fft.rfft(audio)
    bin_hz = sample_rate / len(audio)
    found = Tuning(0.0, 0.0, 0.0, 1.0)
    for band_cents in BANDS_CENTS:
        orders = np.arange(1, N_PARTIALS + 1)
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
    return found


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
    stretch = float(slope / CENTS_PER_STRETCH)
    return Tuning(float(mean_y - slope * mean_x), stretch, harmonic, float(mean_x))


def tuning_by_pitch(pitch, cents):
    """Table over MIDI pitch of recordings' tuning, float32 [128], in cents.

    The median of each pitch's recordings, linear in between, the nearest outside.

    Args:
      pitch: MIDI pitches, [n].
      cents: Of each recording, NaN where unknown, [n].
    """
    pitch, cents = np.asarray(pitch, float), np.asarray(cents, float)
    known = np.isfinite(pitch) & np.isfinite(cents)
    own = np.unique(pitch[known])
    if not len(own):
        return np.zeros(128, np.float32)
    medians = [np.median(cents[known & (pitch == p)]) for p in own]
    return np.interp(np.arange(128), own, medians).astype(np.float32)


def inharmonicity_by_pitch(pitch, inharmonicity):
    """Table over MIDI pitch of the inharmonicity of strings, float32 [128]; 0 for other notes.

    Deviations of harmonic partials have either sign, so notes are strings' if B is above
    `LEAST_INHARMONICITY` for at least three quarters. The logarithm of B is the median over five
    neighbouring pitches, linear in between, the nearest outside.

    Args:
      pitch: MIDI pitches, [n].
      inharmonicity: B of each recording, NaN where unknown, [n].

    References:
      Young 1952, "Inharmonicity of plain wire piano strings".
    """
    pitch, inharmonicity = np.asarray(pitch, float), np.asarray(inharmonicity, float)
    known = np.isfinite(pitch) & np.isfinite(inharmonicity)
    stretched = known & (inharmonicity > LEAST_INHARMONICITY)
    if np.sum(stretched) < max(1, SHARE_STRETCHED * np.sum(known)):
        return np.zeros(128, np.float32)
    own = np.unique(pitch[stretched])
    logs = [np.median(np.log(inharmonicity[stretched & (pitch == p)])) for p in own]
    smooth = [np.median(logs[max(i - 2, 0) : i + 3]) for i in range(len(logs))]
    return np.exp(np.interp(np.arange(128), own, smooth)).astype(np.float32)
