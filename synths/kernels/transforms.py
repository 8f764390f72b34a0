"""Fourier transforms of 16 sequences side by side, compiled by Numba.

Each lane of a vector register holds another sequence, which is several times as fast for short
sequences as one transform after the other. A block is float32 [n, 2, LANES], flattened: real and
imaginary parts of LANES sequences of n samples.

Radix-4 steps in place leave the frequencies in another order (`rows_of`), which the inverse
transform expects. Strides are literals, so that LLVM can prove that reads and writes do not overlap
and vectorizes.
"""

import functools

import numba
import numpy as np

from synths.kernels.compiling import compiled

LANES = 16
LENGTHS = (64, 128, 256, 512, 1024, 2048, 4096)

_options = {"fastmath": True}
_IMAGINARY = LANES
_ROW = 2 * LANES


@functools.cache
def turns(n):
    """Twiddle factors exp(-2 pi i k m / n), (real, imaginary) of m = 1, 2, 3 and k < n / 2."""
    turns = np.exp(-2j * np.pi * np.arange(n // 2)[:, None] * [1, 2, 3] / n)
    return np.stack([turns.real, turns.imag], axis=-1).astype(np.float32).reshape(-1)


@functools.cache
def rows_of(n):
    """Row of each frequency after `transform`, int64 [n]."""

    def frequencies(n, base):
        inner = frequencies(n // base, 4) if n > 1 else np.zeros(1, np.int64)
        return np.concatenate([base * inner + r for r in range(base)]) if n > 1 else inner

    return np.argsort(frequencies(n, 4 if n.bit_length() % 2 else 2))


@compiled(**_options)
def _there_by_two(block, n, half, table):
    numba.literally(half)
    i = _IMAGINARY
    h = half * _ROW
    for j in range(n // 2):
        x = block[j * _ROW :]
        c, s = table[6 * j], table[6 * j + 1]
        for v in range(LANES):
            a_r, a_i, b_r, b_i = x[v], x[i + v], x[h + v], x[h + i + v]
            x[v] = a_r + b_r
            x[i + v] = a_i + b_i
            x[h + v] = (a_r - b_r) * c - (a_i - b_i) * s
            x[h + i + v] = (a_r - b_r) * s + (a_i - b_i) * c


@compiled(**_options)
def _back_by_two(block, n, half, table):
    numba.literally(half)
    i = _IMAGINARY
    h = half * _ROW
    for j in range(n // 2):
        x = block[j * _ROW :]
        c, s = table[6 * j], table[6 * j + 1]
        for v in range(LANES):
            a_r, a_i = x[v], x[i + v]
            b_r = x[h + v] * c + x[h + i + v] * s
            b_i = x[h + i + v] * c - x[h + v] * s
            x[v] = a_r + b_r
            x[i + v] = a_i + b_i
            x[h + v] = a_r - b_r
            x[h + i + v] = a_i - b_i


@compiled(**_options)
def _there_by_four(block, n, stride, table):
    numba.literally(stride)
    i = _IMAGINARY
    q = stride * _ROW
    for start in range(0, n, 4 * stride):
        for j in range(stride):
            x = block[(start + j) * _ROW :]
            k = 6 * j * (n // (4 * stride))
            c1, s1, c2 = table[k], table[k + 1], table[k + 2]
            s2, c3, s3 = table[k + 3], table[k + 4], table[k + 5]
            for v in range(LANES):
                a_r, a_i = x[v] + x[2 * q + v], x[i + v] + x[2 * q + i + v]
                b_r, b_i = x[v] - x[2 * q + v], x[i + v] - x[2 * q + i + v]
                c_r, c_i = x[q + v] + x[3 * q + v], x[q + i + v] + x[3 * q + i + v]
                # -i times the difference.
                d_r, d_i = x[q + i + v] - x[3 * q + i + v], x[3 * q + v] - x[q + v]
                x[v] = a_r + c_r
                x[i + v] = a_i + c_i
                x[q + v] = (b_r + d_r) * c1 - (b_i + d_i) * s1
                x[q + i + v] = (b_r + d_r) * s1 + (b_i + d_i) * c1
                x[2 * q + v] = (a_r - c_r) * c2 - (a_i - c_i) * s2
                x[2 * q + i + v] = (a_r - c_r) * s2 + (a_i - c_i) * c2
                x[3 * q + v] = (b_r - d_r) * c3 - (b_i - d_i) * s3
                x[3 * q + i + v] = (b_r - d_r) * s3 + (b_i - d_i) * c3


@compiled(**_options)
def _back_by_four(block, n, stride, table):
    numba.literally(stride)
    i = _IMAGINARY
    q = stride * _ROW
    for start in range(0, n, 4 * stride):
        for j in range(stride):
            x = block[(start + j) * _ROW :]
            k = 6 * j * (n // (4 * stride))
            c1, s1, c2 = table[k], table[k + 1], table[k + 2]
            s2, c3, s3 = table[k + 3], table[k + 4], table[k + 5]
            for v in range(LANES):
                a_r, a_i = x[v], x[i + v]
                b_r = x[q + v] * c1 + x[q + i + v] * s1
                b_i = x[q + i + v] * c1 - x[q + v] * s1
                c_r = x[2 * q + v] * c2 + x[2 * q + i + v] * s2
                c_i = x[2 * q + i + v] * c2 - x[2 * q + v] * s2
                d_r = x[3 * q + v] * c3 + x[3 * q + i + v] * s3
                d_i = x[3 * q + i + v] * c3 - x[3 * q + v] * s3
                x[v] = a_r + c_r + b_r + d_r
                x[i + v] = a_i + c_i + b_i + d_i
                x[q + v] = a_r - c_r - b_i + d_i
                x[q + i + v] = a_i - c_i + b_r - d_r
                x[2 * q + v] = a_r + c_r - b_r - d_r
                x[2 * q + i + v] = a_i + c_i - b_i - d_i
                x[3 * q + v] = a_r - c_r + b_i - d_i
                x[3 * q + i + v] = a_i - c_i - b_r + d_r


@compiled(**_options)
def transform(block, n, table):
    """Transform a block of one of LENGTHS in place; table: of `turns`."""
    if n == 128:
        _there_by_two(block, n, 64, table)
    elif n == 512:
        _there_by_two(block, n, 256, table)
    elif n == 2048:
        _there_by_two(block, n, 1024, table)
    if n == 4096:
        _there_by_four(block, n, 1024, table)
    if n >= 1024:
        _there_by_four(block, n, 256, table)
    if n >= 256:
        _there_by_four(block, n, 64, table)
    _there_by_four(block, n, 16, table)
    _there_by_four(block, n, 4, table)
    _there_by_four(block, n, 1, table)


@compiled(**_options)
def transform_back(block, n, table):
    """Inverse of `transform`, times n."""
    _back_by_four(block, n, 1, table)
    _back_by_four(block, n, 4, table)
    _back_by_four(block, n, 16, table)
    if n >= 256:
        _back_by_four(block, n, 64, table)
    if n >= 1024:
        _back_by_four(block, n, 256, table)
    if n == 4096:
        _back_by_four(block, n, 1024, table)
    if n == 128:
        _back_by_two(block, n, 64, table)
    elif n == 512:
        _back_by_two(block, n, 256, table)
    elif n == 2048:
        _back_by_two(block, n, 1024, table)
