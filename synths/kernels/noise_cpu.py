"""White noise for CPUs, compiled by Numba, equal to `synths.noise` bit by bit."""

import numpy as np

from synths.kernels.compiling import compiled


@compiled(inline="always")
def _scramble(x):
    x = np.uint32(x + np.uint32(0x9E3779B9))
    x = np.uint32((x ^ (x >> np.uint32(16))) * np.uint32(0x7FEB352D))
    x = np.uint32((x ^ (x >> np.uint32(15))) * np.uint32(0x846CA68B))
    return np.uint32(x ^ (x >> np.uint32(16)))


@compiled()
def _white_noise(seed, first_sample, noise):
    for row in range(noise.shape[0]):
        start = _scramble(seed[row])
        step = np.uint32(_scramble(start) | np.uint32(1))
        for n in range(noise.shape[1]):
            bits = _scramble(np.uint32(start + step * np.uint32(first_sample + np.uint32(n))))
            noise[row, n] = np.float32(bits >> np.uint32(8)) * np.float32(2.0**-23) - np.float32(1)


def white_noise(seed, n_samples, first_sample):
    """White noise.

    Args:
      seed: int32 [batch].
      n_samples: int.
      first_sample: int, from 0 to 2**32 - 1.

    Returns:
      float32 [batch, n_samples].
    """
    noise = np.empty((len(seed), int(n_samples)), np.float32)
    _white_noise(np.ascontiguousarray(seed).view(np.uint32), np.uint32(first_sample), noise)
    return noise
