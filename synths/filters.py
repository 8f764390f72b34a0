"""Constant and time-varying FIR filters: block convolution by FFT.

Time-varying filters crossfade linearly between frames.
"""

import scipy.fft
import tensorflow as tf

from synths import portable
from synths.impulse_responses import (
    BANDS,
    check_bands,
    frequency_impulse_response,
    hann,
    sinc_impulse_response,
    window_and_taps,
)
from synths.native import call_kernel, native_kernels_used, with_all_gradients
from synths.precision import check_floats
from synths.shapes import broadcast, length

# Longer audio is convolved in blocks with transforms of at least _RESPONSES_A_BLOCK responses.
_LONGEST_TRANSFORM = 2**17
_RESPONSES_A_BLOCK = 8

# The longest transform of `synths.kernels.filter_cpu`.
_LONGEST_IN_KERNEL = 2048

# Hops longer than this many samples (and two responses) are divided.
_LONGEST_HOP = 512


def frequency_filter(audio, magnitudes, window_size=0, padding="same"):
    """Filter audio by frames of magnitude responses, without delay.

    The filter of a frame is the zero-phase impulse response of its magnitudes, cut to window_size
    by a Hann window. Filters crossfade linearly between frames.

    Args:
      audio: [batch, n_samples].
      magnitudes: Linear gains at bands spaced evenly from 0 Hz to Nyquist,
        [batch, n_frames, n_bands], n_bands >= 2; frame i is at sample
        i * n_samples / n_frames. Or [batch, n_bands]: a constant filter.
      window_size: Length of the impulse response in samples; below 1 or above 2 (n_bands - 1):
        2 (n_bands - 1).
      padding: "same": as long as the audio. "valid": longer by the tail of the response, n_taps - 1
        samples, n_taps as in `frequency_impulse_response`.

    Returns:
      [batch, n_samples] or [batch, n_samples + n_taps - 1].
    """
    _check_padding(padding)
    audio, magnitudes = check_floats(
        audio=(audio, "[batch, n_samples]"), magnitudes=(magnitudes, *BANDS)
    )
    check_bands(magnitudes)
    audio = _repeat_for(audio, magnitudes=magnitudes)
    if magnitudes.shape.rank == 2 or magnitudes.shape[1] == 1:
        return fft_convolve(audio, frequency_impulse_response(magnitudes, window_size), padding)

    n_samples = length(audio, 1)
    _, n_taps = window_and_taps(2 * (length(magnitudes, 2) - 1), window_size)
    hop, n_hops = _hops(n_samples, length(magnitudes, 1), n_taps)
    frames = _on_grid(magnitudes, n_samples, hop, n_hops)
    kept = n_samples + (n_taps - 1 if padding == "valid" else 0)
    return filter_hops(audio, frames, hop, n_hops, window_size, 0, kept)


def fft_convolve(audio, impulse_response, padding="same", delay_compensation=-1):
    """Filter audio by constant or time-varying impulse responses.

    Args:
      audio: [batch, n_samples].
      impulse_response: [batch, n_taps], or [batch, n_frames, n_taps], where frame i is at
        sample i * n_samples / n_frames and filters crossfade in between; batch may be 1. Tap 0
        is the present sample.
      padding: "same": as long as the audio. "valid": longer by n_taps - 1 samples.
      delay_compensation: Samples by which the output is advanced. 0: a causal filter (a reverb).
        Negative: n_taps // 2, no delay for responses that are symmetric about that tap, as those
        of `frequency_impulse_response`.

    Returns:
      [batch, n_samples] or [batch, n_samples + n_taps - 1].
    """
    _check_padding(padding)
    audio, response = check_floats(
        audio=(audio, "[batch, n_samples]"),
        impulse_response=(impulse_response, "[batch, n_taps]", "[batch, n_frames, n_taps]"),
    )
    audio = _repeat_for(audio, impulse_response=response)
    if response.shape.rank == 3 and response.shape[1] == 1:
        response = response[:, 0]
    n_samples, n_taps = length(audio, 1), length(response, -1)
    start = n_taps // 2 if delay_compensation < 0 else delay_compensation
    n = n_samples + (n_taps - 1 if padding == "valid" else 0)
    if response.shape.rank == 2:
        return cut(convolve(audio, response), start, n)
    hop, n_hops = _hops(n_samples, length(response, 1), n_taps)
    response = _on_grid(response, n_samples, hop, n_hops)
    n_fft = _fast_length(2 * hop + n_taps - 1)
    spectra = tf.signal.rfft(response, [n_fft])
    return cut(_crossfaded(audio, hop, n_hops, spectra, 0, n_fft), hop + start, n)


def sinc_filter(
    audio, cutoff_frequency, window_size=512, sample_rate=None, padding="same", high_pass=False
):
    """Filter audio by a low-pass or high-pass filter without delay.

    Args:
      audio: [batch, n_samples].
      cutoff_frequency: [batch, n_frames, 1] or a number: Hz if sample_rate is given, else a ratio
        to Nyquist, 0 to 1.
      window_size: Length of the impulse response in samples.
      sample_rate: Hz, or None.
      padding: As in `fft_convolve`.
      high_pass: Whether frequencies below the cut-off are removed rather than those above it.

    Returns:
      As `fft_convolve`.
    """
    response = sinc_impulse_response(cutoff_frequency, window_size, sample_rate, high_pass)
    return fft_convolve(audio, response, padding)


def get_fft_size(frame_size, ir_size, power_of_2=True):
    """Length of a fast FFT that holds a linear convolution.

    Args:
      frame_size, ir_size: ints.
      power_of_2: Whether it is a power of 2; else factors of 3 and 5 are allowed.
    """
    size = max(frame_size + ir_size - 1, 1)
    return 1 << (size - 1).bit_length() if power_of_2 else scipy.fft.next_fast_len(size, real=True)


def crop_and_compensate_delay(audio, audio_size, ir_size, padding, delay_compensation):
    """Crop a full convolution as `fft_convolve` does.

    Args:
      audio: Full convolution, [batch, n]; zeros follow.
      audio_size: Samples before the convolution.
      ir_size: Taps of the response.
      padding, delay_compensation: As in `fft_convolve`.

    Returns:
      [batch, audio_size] or [batch, audio_size + ir_size - 1].
    """
    _check_padding(padding)
    start = ir_size // 2 if delay_compensation < 0 else delay_compensation
    audio = tf.convert_to_tensor(audio)
    return cut(audio, start, audio_size + (ir_size - 1 if padding == "valid" else 0))


def _repeat_for(audio, **filters):
    """Broadcast audio to the batch of the filters, unless they have a batch of 1."""
    ((name, tensor),) = filters.items()
    if tensor.shape[0] == 1:
        return audio
    return broadcast(1, audio=audio, **{name: tensor})[0]


def _check_padding(padding):
    if padding not in ("same", "valid"):
        raise ValueError(f'padding: got {padding!r}, expected "same" or "valid".')


def cut(whole, start, n):
    """Samples start to start + n of audio that is followed by zeros."""
    part = whole[:, start : start + n]
    missing = n - length(part, 1)
    if not isinstance(missing, int) or missing:
        part = tf.pad(part, [[0, 0], [0, missing]])
    part.set_shape([whole.shape[0], n if isinstance(n, int) else None])
    return part


def convolve(audio, response):
    """Full linear convolution of audio with a constant response.

    Args:
      audio: [batch, n_samples].
      response: [batch or 1, n_taps], n_taps >= 1.

    Returns:
      [batch, n_samples + n_taps - 1].
    """
    if portable.portable_operations_used():
        return portable.convolve(audio, response)
    n_samples, n_taps = length(audio, 1), length(response, 1)
    total = n_samples + n_taps - 1
    # TensorFlow's transforms of empty audio are not zero.
    n_samples = _larger(n_samples, 1)
    audio = tf.pad(audio, [[0, 0], [0, n_samples - length(audio, 1)]])
    block_fft = _larger(_fast_length(_RESPONSES_A_BLOCK * n_taps), _LONGEST_TRANSFORM // 16)
    in_one = total <= _larger(_LONGEST_TRANSFORM, block_fft)
    n_fft = _either(in_one, _fast_length(total), block_fft)
    hop = _either(in_one, n_samples, n_fft - n_taps + 1)
    spectrum = tf.signal.rfft(response, [n_fft])
    if in_one is True:
        return tf.signal.irfft(tf.signal.rfft(audio, [n_fft]) * spectrum, [n_fft])[:, :total]
    n_blocks = -(-n_samples // hop)
    blocks = tf.pad(audio, [[0, 0], [0, n_blocks * hop - n_samples]])
    blocks = tf.reshape(blocks, [tf.shape(audio)[0], n_blocks, hop])
    blocks = tf.signal.irfft(tf.signal.rfft(blocks, [n_fft]) * spectrum[:, None], [n_fft])
    return _overlap_add(blocks, hop)[:, :total]


def _larger(a, b):
    """Maximum of two numbers, each an int or a scalar int32."""
    return max(a, b) if isinstance(a, int) and isinstance(b, int) else tf.maximum(a, b)


def _either(condition, a, b):
    """Choose a if a bool or scalar tensor is true, else b."""
    return (a if condition else b) if isinstance(condition, bool) else tf.where(condition, a, b)


def _hops(n_samples, n_frames, n_taps):
    """Grid of time-varying filters: (samples per hop, number of hops).

    Hops are whole samples. If n_frames divides n_samples the grid is that of the frames, or a
    division of it for long frames; otherwise it is slightly finer.
    """
    if isinstance(n_samples, int) and isinstance(n_frames, int) and isinstance(n_taps, int):
        hop = max(n_samples // n_frames, 1)
        longest = max(_LONGEST_HOP, 2 * n_taps)
        if hop > longest:
            parts = -(-hop // longest)
            whole = next((p for p in range(parts, 4 * parts) if hop % p == 0), None)
            hop //= whole or parts
        return hop, max(-(-n_samples // hop), 1)
    hop = tf.minimum(n_samples // n_frames, tf.maximum(_LONGEST_HOP, 2 * n_taps))
    hop = tf.maximum(hop, 1)
    return hop, tf.maximum(-(-n_samples // hop), 1)


def _on_grid(frames, n_samples, hop, n_hops):
    """Interpolate frames to the beginnings of hops."""
    n_frames = length(frames, 1)
    known = isinstance(n_frames, int) and isinstance(n_hops, int)
    if not known or n_hops != n_frames or n_hops * hop != n_samples:
        position = tf.cast(tf.range(n_hops) * hop, tf.float64)
        position *= tf.cast(n_frames, tf.float64) / tf.cast(tf.maximum(n_samples, 1), tf.float64)
        frame = tf.cast(position, tf.int32)
        weight = tf.cast(position - tf.cast(frame, tf.float64), frames.dtype)[:, None]
        after = tf.gather(frames, tf.minimum(frame + 1, n_frames - 1), axis=1)
        frames = tf.gather(frames, frame, axis=1)
        frames += weight * (after - frames)
    return frames


def filter_grid(n_samples, n_frames, n_bands, window_size=0):
    """Grid on which `frequency_filter` applies time-varying filters.

    Args:
      n_samples, n_frames, n_bands: ints, of the audio and the magnitudes.
      window_size: As in `frequency_filter`.

    Returns:
      (samples per hop, number of hops): ints. The filters at the beginnings of hops are
      interpolated between the frames.
    """
    return _hops(n_samples, n_frames, window_and_taps(2 * (n_bands - 1), window_size)[1])


def response_margin(n_bands, window_size=0):
    """Samples that a filter of `frequency_filter` extends to either side."""
    # The first tap of an even number is 0.
    return (window_and_taps(2 * (n_bands - 1), window_size)[1] - 1) // 2


def filter_hops(audio, magnitudes, hop, n_hops, window_size, begin, n):
    """Apply `frequency_filter` to a part of the audio of whole hops.

    Args:
      audio: [batch, up to n_hops * hop].
      magnitudes: [batch, n_hops + 1, n_bands], or [batch, n_hops, n_bands], where the last is held.
      hop: Samples per frame.
      n_hops: int or scalar int32.
      window_size: As in `frequency_filter`.
      begin, n: First sample and number of samples of the output. The filters extend
        `response_margin` samples beyond the part at both sides; parts overlap and add there.

    Returns:
      [batch, n].
    """
    size = 2 * (length(magnitudes, 2) - 1)
    margin = response_margin(length(magnitudes, 2), window_size)
    window_size, _ = window_and_taps(size, window_size)
    if portable.portable_operations_used():
        to_taps = taps_of_bands(magnitudes.shape[2], window_size)
        return _portable_crossfaded(audio, magnitudes, to_taps, hop, n_hops, begin, n)
    to_taps = _magnitudes_to_taps(magnitudes.dtype, size, window_size, margin)
    length_of_window = 2 * hop + 2 * margin
    short = isinstance(length_of_window, int) and length_of_window <= _LONGEST_IN_KERNEL
    if short and magnitudes.dtype == tf.float32 and native_kernels_used():
        return _native_crossfaded(audio, magnitudes, to_taps, hop, n_hops, begin, n)
    return _plain_crossfaded(audio, magnitudes, to_taps, hop, n_hops, begin, n)


def _plain_crossfaded(audio, magnitudes, to_taps, hop, n_hops, begin, n):
    margin = length(to_taps, 1) - 1
    n_fft = _fast_length(2 * hop + 2 * margin)
    spectra = tf.tensordot(magnitudes, _symmetric_spectra(to_taps, n_fft), 1)
    sound = _crossfaded(audio, hop, n_hops, spectra, margin, n_fft)
    return cut(sound, hop + margin + begin, n)


def taps_of_bands(n_bands, window_size=0):
    """Matrix from gains to the taps of a filter from the middle tap on, as a NumPy array.

    Args:
      n_bands, window_size: As in `frequency_filter`.

    Returns:
      float32 [n_bands, response_margin(n_bands, window_size) + 1].
    """
    size, margin = 2 * (n_bands - 1), response_margin(n_bands, window_size)
    with tf.init_scope():
        window_size, _ = window_and_taps(size, window_size)
        return _magnitudes_to_taps(tf.float32, size, window_size, margin).numpy()


def _portable_crossfaded(audio, magnitudes, to_taps, hop, n_hops, begin, n):
    hops = tf.pad(audio, [[0, 0], [0, n_hops * hop - audio.shape[1]]])
    magnitudes = tf.concat([magnitudes, magnitudes[:, -1:]], axis=1)[:, : n_hops + 1]
    hops = tf.reshape(hops, [-1, n_hops, hop])
    pieces = portable.crossfaded_hops(hops, magnitudes, to_taps)
    return cut(_overlap_add(pieces, hop), to_taps.shape[1] - 1 + begin, n)


def _native_crossfaded(audio, magnitudes, to_taps, hop, n_hops, begin, n):
    from synths.kernels import filter_cpu

    taps = tf.transpose(to_taps)

    def forward(audio, magnitudes):
        inputs = [audio, magnitudes, taps, hop, n_hops, begin, n]
        shape = [audio.shape[0], tf.get_static_value(n)]
        return call_kernel(filter_cpu.forward, inputs, shape)[0]

    def backward(audio, magnitudes, upstream):
        # Two calls, so that a graph prunes a gradient that is not used.
        inputs = [magnitudes, taps, hop, n_hops, begin, tf.shape(audio)[1], upstream]
        slopes = call_kernel(filter_cpu.backward_audio, inputs, audio.shape)
        inputs = [audio, tf.shape(magnitudes), taps, hop, n_hops, begin, upstream]
        return slopes + call_kernel(filter_cpu.backward_magnitudes, inputs, magnitudes.shape)

    def plain(audio, magnitudes):
        return _plain_crossfaded(audio, magnitudes, to_taps, hop, n_hops, begin, n)

    return with_all_gradients(forward, backward, plain)(audio, magnitudes)


def _crossfaded(audio, hop, n_hops, spectra, margin, n_fft):
    """Filter the audio around each grid point, faded in and out, and overlap-add.

    Args:
      audio: [batch, n_samples], n_samples <= n_hops * hop.
      hop, n_hops: Samples per hop, and number of hops.
      spectra: Spectra of the filters, [batch, n_hops or n_hops + 1, n_fft // 2 + 1], real or
        complex; the last one is held.
      margin: Taps of a filter before lag 0.
      n_fft: Length of the transforms: 2 hop and the length that the filters add.

    Returns:
      [batch, at least hop + margin + n_samples + added length]: the filtered audio, which begins
      hop + margin samples before the audio.
    """
    n_samples = length(audio, 1)
    segments = tf.reshape(
        tf.pad(audio, [[0, 0], [hop, hop + n_hops * hop - n_samples]]),
        [tf.shape(audio)[0], n_hops + 2, hop],
    )
    ramp = tf.range(hop, dtype=audio.dtype) / tf.cast(hop, audio.dtype)
    pieces = tf.concat([segments[:, :-1] * ramp, segments[:, 1:] * (1.0 - ramp)], axis=2)
    pieces = tf.pad(pieces, [[0, 0], [0, 0], [margin, n_fft - 2 * hop - margin]])
    spectra = tf.concat([spectra, spectra[:, -1:]], axis=1)[:, : n_hops + 1]
    if not spectra.dtype.is_complex:
        spectra = tf.complex(spectra, tf.zeros([], spectra.dtype))
    pieces = tf.signal.irfft(tf.signal.rfft(pieces, [n_fft]) * spectra, [n_fft])
    return _overlap_add(pieces, hop)


def _overlap_add(pieces, hop):
    """Overlap-add pieces [batch, n_pieces, n] that begin hop samples apart."""
    n, n_pieces = length(pieces, 2), length(pieces, 1)
    if not isinstance(n, int) or not isinstance(hop, int) or n > 8 * hop:
        return tf.signal.overlap_and_add(pieces, hop)
    # Sum by hops: fewer passes over memory, also in the gradient.
    n_parts = -(-n // hop)
    if n % hop:
        pieces = tf.pad(pieces, [[0, 0], [0, 0], [0, n_parts * hop - n]])
    pieces = tf.reshape(pieces, [tf.shape(pieces)[0], n_pieces, n_parts, hop])
    summed = tf.add_n(
        [
            tf.pad(part, [[0, 0], [i, n_parts - 1 - i], [0, 0]])
            for i, part in enumerate(tf.unstack(pieces, axis=2))
        ]
    )
    shape = tf.shape(summed)
    return tf.reshape(summed, [shape[0], shape[1] * hop])


def _magnitudes_to_taps(dtype, size, window_size, margin):
    """Matrix [n_bands, margin + 1] from magnitudes to taps from the middle tap on."""
    eye = tf.eye(size // 2 + 1, dtype=dtype)
    taps = tf.signal.irfft(tf.complex(eye, tf.zeros_like(eye)), [size])[:, : margin + 1]
    return taps * hann(tf.range(margin + 1), window_size, dtype)


def _symmetric_spectra(taps, n_fft):
    """Real spectra, [..., n_fft // 2 + 1], of symmetric filters with lag 0 at sample 0."""
    gap = n_fft - 2 * length(taps, 1) + 1
    circular = tf.concat([tf.pad(taps, [[0, 0], [0, gap]]), taps[:, :0:-1]], axis=1)
    return tf.math.real(tf.signal.rfft(circular, [n_fft]))


def _fast_length(n):
    """Smallest even FFT length of at least n with factors 2, 3 and 5."""
    if isinstance(n, int):
        return 2 * scipy.fft.next_fast_len(max(-(-n // 2), 8), real=True)
    # The smallest of m * 2**a, m below, that is at least n.
    n = tf.cast(tf.maximum(n, 16), tf.float64)
    m = tf.constant([1.0, 9 / 8, 5 / 4, 3 / 2, 15 / 8], tf.float64)
    exponent = tf.math.ceil(tf.math.log(n / m) / tf.math.log(tf.cast(2.0, tf.float64)) - 1e-9)
    return tf.cast(tf.round(tf.reduce_min(m * 2.0**exponent)), tf.int32)
