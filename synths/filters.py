"""Filters given as magnitude responses, constant or changing from frame to frame."""

import tensorflow as tf

from synths.errors import ShapeError, check_rank


def frequency_filter(audio, magnitudes, window_size=0):
    """Filters audio by frames of magnitude responses, without delay.

    Each frame's filter is the zero-phase impulse response of its magnitudes (bands spaced evenly
    from 0 Hz to Nyquist), cut to window_size by a Hann window. Between frames the filters
    crossfade linearly, so a gain on a ramp follows the ramp.

    Args:
      audio: [batch, n_samples].
      magnitudes: Linear gains, [batch, n_frames, n_bands], n_bands >= 2; frame i stands at sample
        i * n_samples / n_frames.
      window_size: Length of the impulse response in samples; 0 or more than 2 (n_bands - 1):
        2 (n_bands - 1).

    Returns:
      float32 [batch, n_samples].

    Raises:
      ShapeError: if audio is not rank 2 or magnitudes not rank 3.
    """
    audio = tf.cast(audio, tf.float32)
    magnitudes = tf.cast(magnitudes, tf.float32)
    check_rank("audio", audio, 2, "[batch, n_samples]")
    check_rank("magnitudes", magnitudes, 3, "[batch, n_frames, n_bands]")
    if magnitudes.shape[2] is not None and magnitudes.shape[2] < 2:
        raise ShapeError(f"magnitudes: expected 2 bands or more, got {tuple(magnitudes.shape)}.")
    n_samples = audio.shape[1] if audio.shape[1] is not None else tf.shape(audio)[1]
    n_frames = magnitudes.shape[1] if magnitudes.shape[1] is not None else tf.shape(magnitudes)[1]
    n_bands = magnitudes.shape[2] if magnitudes.shape[2] is not None else tf.shape(magnitudes)[2]

    # Whole samples a hop. Where the frames don't divide the samples, bring the responses to a
    # slightly finer grid that does; they are linear in time there as well.
    hop = _at_least_one(n_samples // n_frames)
    n_hops = -(-n_samples // hop)
    if isinstance(n_hops, int) and isinstance(n_frames, int):
        uneven = n_hops * hop != n_samples or n_hops != n_frames
    else:
        uneven = True
    if uneven:
        magnitudes = _on_grid(magnitudes, n_samples, hop, n_hops)
    magnitudes = tf.concat([magnitudes, magnitudes[:, -1:]], axis=1)

    # Triangular pieces of the sound around each frame, each through its filter, summed.
    pieces = tf.reshape(
        tf.pad(audio, [[0, 0], [hop, hop + n_hops * hop - n_samples]]),
        [tf.shape(audio)[0], n_hops + 2, hop],
    )
    pieces = tf.concat([pieces[:, :-1], pieces[:, 1:]], axis=2)
    ramp = tf.range(hop, dtype=tf.float32) / tf.cast(hop, tf.float32)
    pieces = pieces * tf.concat([ramp, 1.0 - ramp], axis=0)

    size = 2 * (n_bands - 1)
    margin = size // 2
    n_fft = 2 * (hop + margin)
    pieces = tf.pad(pieces, [[0, 0], [0, 0], [margin, margin]])
    response = tf.matmul(magnitudes, _responses(n_bands, window_size, n_fft))
    spectrum = tf.signal.rfft(pieces, [n_fft]) * tf.complex(response, 0.0)
    pieces = tf.signal.irfft(spectrum, [n_fft])
    summed = tf.signal.overlap_and_add(pieces, hop)
    start = hop + margin
    filtered = summed[:, start : start + n_samples]
    filtered.set_shape(audio.shape)
    return filtered


def _at_least_one(n):
    return max(n, 1) if isinstance(n, int) else tf.maximum(n, 1)


def _on_grid(magnitudes, n_samples, hop, n_hops):
    """Responses at every hop samples, from frames that lie n_samples / n_frames apart."""
    n_frames = tf.shape(magnitudes)[1]
    position = tf.cast(tf.range(n_hops) * hop, tf.float64)
    position = position * tf.cast(n_frames, tf.float64) / tf.cast(n_samples, tf.float64)
    frame = tf.minimum(tf.cast(position, tf.int32), n_frames - 1)
    weight = tf.cast(position - tf.cast(frame, tf.float64), tf.float32)[:, None]
    here = tf.gather(magnitudes, frame, axis=1)
    after = tf.gather(magnitudes, tf.minimum(frame + 1, n_frames - 1), axis=1)
    return here + weight * (after - here)


def _responses(n_bands, window_size, n_fft):
    """The matrix [n_bands, n_fft // 2 + 1] from magnitudes to the filter's real response."""
    size = 2 * (n_bands - 1)
    half = size // 2
    impulse = tf.signal.irfft(tf.complex(tf.eye(n_bands), 0.0), [size])
    lag = tf.range(-half, half + 1)
    # The response at lag -half and +half is one sample of the period: half of it to each side.
    impulse = tf.gather(impulse, lag % size, axis=1)
    edge = tf.where(tf.abs(lag) == half, 0.5, 1.0)
    cut = tf.cast(window_size, tf.float32)
    cut = tf.where((cut <= 0.0) | (cut > tf.cast(size, tf.float32)), tf.cast(size, tf.float32), cut)
    place = tf.cast(lag, tf.float32) / cut
    window = tf.where(tf.abs(place) <= 0.5, 0.5 + 0.5 * tf.cos(2.0 * 3.14159265 * place), 0.0)
    impulse = impulse * (window * edge)
    # The spectrum of a symmetric response is real; the middle lag goes to sample 0.
    ahead = tf.pad(impulse[:, half:], [[0, 0], [0, n_fft - size - 1]])
    circular = tf.concat([ahead, impulse[:, :half]], axis=1)
    return tf.math.real(tf.signal.rfft(circular, [n_fft]))


def fft_convolve(audio, impulse_response):
    """Linear convolution of audio with one impulse response a row, cut to the audio's length.

    Args:
      audio: [batch, n_samples].
      impulse_response: [batch, n_taps] or [1, n_taps], causal: tap 0 is the present sample.

    Returns:
      float32 [batch, n_samples].
    """
    audio = tf.cast(audio, tf.float32)
    impulse_response = tf.cast(impulse_response, tf.float32)
    check_rank("audio", audio, 2, "[batch, n_samples]")
    check_rank("impulse_response", impulse_response, 2, "[batch, n_taps]")
    n_samples = tf.shape(audio)[1]
    total = n_samples + tf.shape(impulse_response)[1] - 1
    n_fft = [_fast_length(total)]
    spectrum = tf.signal.rfft(audio, n_fft) * tf.signal.rfft(impulse_response, n_fft)
    wet = tf.signal.irfft(spectrum, n_fft)[:, :n_samples]
    wet.set_shape(audio.shape)
    return wet


def _fast_length(n):
    """The smallest 2**a, 3 * 2**a or 5 * 2**a that is at least n."""
    n = tf.cast(n, tf.float64)
    lengths = [
        tf.cast(m, tf.float64)
        * 2.0 ** tf.math.ceil(tf.math.log(n / m) / tf.math.log(2.0 + 0.0 * n))
        for m in (1.0, 3.0, 5.0)
    ]
    best = tf.reduce_min(tf.stack([tf.where(v < n, 2.0 * v, v) for v in lengths]))
    return tf.cast(tf.maximum(best, 8.0), tf.int32)
