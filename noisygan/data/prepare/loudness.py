"""Loudness as broadcasters measure it (ITU-R BS.1770)."""

import functools

import numpy as np

# What a silent sound is said to have.
FLOOR_DB = -120.0


def integrated(audio, rate):
    """Integrated loudness of a mono sound (ITU-R BS.1770-4), K-weighted and gated.

    A sound shorter than a block of 0.4 s is one block.

    Args:
      audio: float32 [n_samples].
      rate: Hz.

    Returns:
      float, LUFS; at least `FLOOR_DB`.

    References:
      ITU-R BS.1770-4, annex 1; its filters at any rate by the bilinear transform.
    """
    block, hop = round(0.4 * rate), round(0.1 * rate)
    # As a product of spectra; what the filter goes on with behind the sound falls into the zeros.
    n_fft = _fast_length(len(audio) + hop)
    weighted = np.fft.irfft(np.fft.rfft(audio, n_fft) * _k_weighting(rate, n_fft), n_fft)
    weighted = weighted[: len(audio)]
    energy = np.concatenate([[0.0], np.cumsum(np.square(weighted))])
    begins = np.arange(0, max(len(audio) - block, 0) + 1, hop)
    ends = np.minimum(begins + block, len(audio))
    power = (energy[ends] - energy[begins]) / np.maximum(ends - begins, 1)
    heard = power[_lufs(power) > -70.0]
    if not len(heard):
        return max(FLOOR_DB, float(_lufs(np.mean(power))))
    gated = heard[_lufs(heard) > _lufs(np.mean(heard)) - 10.0]
    return float(_lufs(np.mean(gated)))


def _lufs(power):
    return -0.691 + 10.0 * np.log10(np.maximum(power, 1e-13))


def _fast_length(n):
    """The next length of 2^a or 3 * 2^a, for which transforms are quick."""
    power = 1 << max(n - 1, 1).bit_length()
    return power * 3 // 4 if n <= power * 3 // 4 else power


@functools.lru_cache(maxsize=4)
def _k_weighting(rate, n_fft):
    """Gains of the high shelf and the high pass at the transform's frequencies, complex."""
    delay = np.exp(-2j * np.pi * np.arange(n_fft // 2 + 1) / n_fft)
    # The standard's high pass, at its 48 kHz, is so much above 1 where it lets everything pass.
    gains = np.full(n_fft // 2 + 1, 1.004995, complex)
    shelf = 10.0 ** (3.999843853973347 / 20.0)
    for hz, q, high, band in (
        (1681.974450955533, 0.7071752369554196, shelf, shelf**0.4996667741545416),
        (38.13547087602444, 0.5003270373238773, 1.0, 0.0),
    ):
        # The shelf ends below half the rate.
        k = np.tan(np.pi * min(hz, 0.45 * rate) / rate)
        low = 1.0 if band else 0.0
        above = (high + band * k / q + low * k * k) + 2.0 * (low * k * k - high) * delay
        above += (high - band * k / q + low * k * k) * delay**2
        below = (1.0 + k / q + k * k) + 2.0 * (k * k - 1.0) * delay
        below += (1.0 - k / q + k * k) * delay**2
        gains *= above / below
    return gains
