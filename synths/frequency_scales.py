"""Scaling functions from raw network outputs to frequencies of sinusoids.

Each takes [batch, n_frames, n_sinusoids * depth] or [batch, n_frames, n_sinusoids, depth]: `depth`
numbers determine one frequency, as coarse and fine steps. Each returns Hz,
[batch, n_frames, n_sinusoids].
"""

import tensorflow as tf

from synths.precision import as_float
from synths.saving import registered
from synths.shapes import ShapeError, check_shape
from synths.units import (
    bark_to_hz,
    hz_to_bark,
    hz_to_erb,
    hz_to_mel,
    mel_to_hz,
    soft_limit,
    unit_to_hz,
)


@registered
def frequencies_softmax(freqs, depth=1, hz_min=20.0, hz_max=8000.0):
    """Frequencies as means of `depth` pitches weighted by a softmax.

    Args:
      freqs, depth: Raw outputs in either form, and their depth in the first. A depth of 1
        gives hz_min.
      hz_min, hz_max: Range of the pitches in Hz.
    """
    freqs = _with_depth(freqs, depth)
    places = tf.cast(tf.linspace(0.0, 1.0, tf.shape(freqs)[-1]), freqs.dtype)
    return unit_to_hz(tf.reduce_sum(places * tf.nn.softmax(freqs), axis=-1), hz_min, hz_max)


@registered
def frequencies_sigmoid(freqs, depth=1, hz_min=0.0, hz_max=8000.0):
    """Frequencies as sums of `depth` sigmoids on logarithmic scales, from coarse to fine.

    Args:
      freqs, depth: Raw outputs in either form, and their depth in the first.
      hz_min, hz_max: Hz. The ranges of the parts add up to hz_max - hz_min; the last begins at
        hz_min.
    """
    freqs = _with_depth(freqs, depth)
    depth = freqs.shape[-1]
    if depth is None:
        raise ShapeError(f"freqs: expected a known depth, got shape {tuple(freqs.shape)}.")
    units = tf.unstack(tf.sigmoid(freqs), axis=-1)
    left = hz_max - hz_min
    share = 1.0 - left ** (-1.0 / depth)
    total = 0.0
    for unit in units[:-1]:
        total += unit_to_hz(unit, 0.0, left * share)
        left -= left * share
    return total + unit_to_hz(units[-1], hz_min, left)


@registered
def frequencies_critical_bands(
    freqs,
    depth=1,
    depth_scale=10.0,
    bandwidth_scale=1.0,
    hz_min=20.0,
    hz_max=8000.0,
    scale="bark",
):
    """Frequencies around the centres of n_sinusoids critical bands.

    Args:
      freqs, depth: Raw outputs in either form, and their depth in the first.
      depth_scale: Ratio of the weights of successive numbers.
      bandwidth_scale: Range of a frequency in equivalent rectangular bandwidths.
      hz_min, hz_max: Hz; the centres are evenly spaced between them on the scale.
      scale: "bark" or "mel".
    """
    if scale not in ("bark", "mel"):
        raise ValueError(f'scale: got {scale!r}, expected "bark" or "mel".')
    there, back = (hz_to_bark, bark_to_hz) if scale == "bark" else (hz_to_mel, mel_to_hz)
    freqs = _with_depth(freqs, depth)
    n_sinusoids, depth = tf.unstack(tf.shape(freqs)[-2:])
    low, high = (there(tf.cast(hz, freqs.dtype)) for hz in (hz_min, hz_max))
    middles = back(tf.linspace(low, high, n_sinusoids))
    weights = tf.cast(depth_scale, freqs.dtype) ** -tf.cast(tf.range(depth), freqs.dtype)
    away = tf.reduce_sum(tf.tanh(freqs) * weights, axis=-1)
    return soft_limit(middles + bandwidth_scale * hz_to_erb(middles) * away, hz_min, hz_max)


def _with_depth(freqs, depth):
    """Reshape either form to [batch, n_frames, n_sinusoids, depth]."""
    freqs = as_float(freqs)
    flat = f"[batch, n_frames, n_sinusoids * {depth}]"
    check_shape("freqs", freqs, flat, "[batch, n_frames, n_sinusoids, depth]")
    if freqs.shape.rank == 4:
        return freqs
    if freqs.shape[2] is not None and freqs.shape[2] % depth:
        raise ShapeError(f"freqs: expected {flat}, got shape {tuple(freqs.shape)}.")
    n_sinusoids = None if freqs.shape[2] is None else freqs.shape[2] // depth
    shape = tf.shape(freqs)
    split = tf.reshape(freqs, [shape[0], shape[1], shape[2] // depth, depth])
    split.set_shape([freqs.shape[0], freqs.shape[1], n_sinusoids, depth])
    return split
