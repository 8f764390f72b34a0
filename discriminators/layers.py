"""Convolutions that are several times as fast on a CPU as the plain operations.

Time is divided into blocks of a few steps, which become channels. The results equal those of plain
convolutions except for rounding.
"""

import keras
import tensorflow as tf

# Long maps with few channels are convolved in blocks, since the plain gradient of kernels is slow.
_MIN_STEPS = 1024
_MAX_CHANNELS = 32
_BLOCK = 4


def convolve(h, kernel):
    """Convolve with padding "same".

    Args:
      h: [batch, n_steps, channels].
      kernel: [n_taps, channels, filters].

    Returns:
      [batch, n_steps, filters].
    """
    n_steps, channels = h.shape[1:]
    n_taps, _, filters = kernel.shape
    if n_taps < _BLOCK or channels > _MAX_CHANNELS or n_steps < _MIN_STEPS or n_steps % _BLOCK:
        return tf.nn.conv1d(h, kernel, 1, "SAME")
    kernels, before, after = _block_kernels(kernel, (n_taps - 1) // 2, _BLOCK, range(_BLOCK))
    kernels = [tf.reshape(k, [-1, _BLOCK * channels, filters]) for k in kernels]
    h = tf.reshape(h, [-1, n_steps // _BLOCK, _BLOCK * channels])
    out = _convolve_padded(h, tf.concat(kernels, axis=2), before, after)
    return tf.reshape(out, [-1, n_steps, filters])


class ConvolutionAlongTime(keras.layers.Conv2D):
    """`Conv2D` over (steps, bands), padding "same", with bands before steps in the tensors."""

    def call(self, h):
        """[batch, n_bands / stride, n_steps / stride, filters]; see `convolve_along_time`."""
        return convolve_along_time(self, h)


def convolve_along_time(convolution, h):
    """Apply a Keras `Conv2D` over (steps, bands) with steps on the axis where it is fastest.

    A CPU convolution is vectorized over the last but one axis, so this is several times as fast if
    that axis is the longest. A map of one channel is convolved in blocks of steps, which has a
    cheaper gradient.

    Args:
      convolution: `keras.layers.Conv2D`, built, padding "same", with a bias; its kernel's axes are
        steps and bands.
      h: [batch, n_bands, n_steps, channels].

    Returns:
      [batch, n_bands / stride, n_steps / stride, filters].
    """
    kernel = tf.transpose(tf.cast(convolution.kernel.value, h.dtype), [1, 0, 2, 3])
    strides = convolution.strides[::-1]
    if h.shape[3] == 1 and 1 < strides[1] <= kernel.shape[1]:
        out = _convolve_in_step_blocks(h, kernel, strides)
    else:
        out = tf.nn.conv2d(h, kernel, strides, "SAME")
    return tf.nn.bias_add(out, tf.cast(convolution.bias.value, h.dtype))


def _convolve_in_step_blocks(h, kernel, strides):
    """`tf.nn.conv2d`, "SAME", in blocks of one stride of steps."""
    n_taps, size = kernel.shape[1], strides[1]
    n_blocks = -(-n_taps // size)
    n_out, before = zip(
        *(
            (-(-n // stride), max((-(-n // stride) - 1) * stride + taps - n, 0) // 2)
            for n, taps, stride in zip(h.shape[1:3], kernel.shape[:2], strides, strict=True)
        ),
        strict=True,
    )
    wanted = ((n_out[0] - 1) * strides[0] + kernel.shape[0], (n_out[1] - 1 + n_blocks) * size)
    after = [max(w - n - b, 0) for w, n, b in zip(wanted, h.shape[1:3], before, strict=True)]
    h = tf.pad(h, [[0, 0], [before[0], after[0]], [before[1], after[1]], [0, 0]])
    h = h[:, : wanted[0], : wanted[1]]
    h = tf.reshape(h, [-1, wanted[0], wanted[1] // size, size * h.shape[3]])
    kernel = tf.pad(kernel, [[0, 0], [0, n_blocks * size - n_taps], [0, 0], [0, 0]])
    kernel = tf.reshape(kernel, [kernel.shape[0], n_blocks, h.shape[3], kernel.shape[3]])
    return tf.nn.conv2d(h, kernel, (strides[0], 1), "VALID")


def convolve_repeated(h, kernel, factor):
    """Convolve after nearest-neighbour upsampling, with padding "same".

    Taps on the same repeated step are summed first, which gives a short kernel for each of the
    `factor` phases: 25 taps become 13 at a factor of 2, 7 at 4.

    Args:
      h: [batch, n_steps, channels].
      kernel: [n_taps, channels, filters].
      factor: Number of repetitions of each step.

    Returns:
      [batch, n_steps * factor, filters].
    """
    if factor == 1:
        return convolve(h, kernel)
    n_taps, _, filters = kernel.shape
    kernels, before, after = _block_kernels(kernel, (n_taps - 1) // 2, factor, range(factor))
    kernels = [tf.reduce_sum(k, axis=1) for k in kernels]
    out = _convolve_padded(h, tf.concat(kernels, axis=2), before, after)
    return tf.reshape(out, [-1, h.shape[1] * factor, filters])


def convolve_strided(h, kernel, stride):
    """Convolve with a stride and padding "same".

    Args:
      h: [batch, n_steps, channels]; n_steps is a multiple of stride.
      kernel: [n_taps, channels, filters].
      stride: Steps per output.

    Returns:
      [batch, n_steps / stride, filters].
    """
    n_steps, channels = h.shape[1:]
    n_taps, _, filters = kernel.shape
    (blocks,), before, after = _block_kernels(kernel, max(n_taps - stride, 0) // 2, stride, (0,))
    h = tf.reshape(h, [-1, n_steps // stride, stride * channels])
    blocks = tf.reshape(blocks, [-1, stride * channels, filters])
    return _convolve_padded(h, blocks, before, after)


def _block_kernels(kernel, n_before, size, places):
    """Arrange the taps of a kernel in blocks, for each position of the output within its block.

    Args:
      kernel: [n_taps, channels, filters]; tap n_before meets the output's own step.
      n_before: Number of taps before it.
      size: Steps per block.
      places: Positions of the outputs, 0 to size - 1.

    Returns:
      (list of [n_blocks, size, channels, filters], number of blocks before and after the output).
    """
    n_taps, channels, filters = kernel.shape
    first = (min(places) - n_before) // size
    last = (max(places) + n_taps - 1 - n_before) // size
    n_blocks = last - first + 1
    blocks = []
    for place in places:
        front = place - n_before - size * first
        taps = tf.pad(kernel, [[front, n_blocks * size - n_taps - front], [0, 0], [0, 0]])
        blocks.append(tf.reshape(taps, [n_blocks, size, channels, filters]))
    return blocks, -first, last


def _convolve_padded(h, kernel, before, after):
    return tf.nn.conv1d(tf.pad(h, [[0, 0], [before, after], [0, 0]]), kernel, 1, "VALID")
