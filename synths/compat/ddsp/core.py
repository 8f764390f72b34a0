"""Functions of `ddsp.core`."""

import copy
from collections import abc
from typing import TypeVar

import numpy as np
import tensorflow as tf

import synths
from synths import (
    DB_RANGE,
    crop_and_compensate_delay,
    diff,
    get_fft_size,
    gradient_reversal,
    nan_to_num,
    pad_axis,
    soft_limit,
    tf_float32,
)
from synths.compat.ddsp._arguments import (
    as_given,
    in_float32,
    is_tensor,
    to_float32,
    with_axes,
    with_channel,
)
from synths.shapes import length

Number = TypeVar("Number", int, float, np.ndarray, tf.Tensor)


def make_iterable(x):
    """Wrap a number, an array or a tensor in a list; None is an empty list."""
    if x is None:
        return []
    return x if isinstance(x, abc.Iterable) and not hasattr(x, "dtype") else [x]


def to_dict(x, keys):
    """Dict of one value or a list of values by keys; a dict is returned unchanged.

    Raises:
      ValueError: if there are more or fewer keys than values.
    """
    if isinstance(x, dict):
        return x
    values = make_iterable(x)
    if len(keys) != len(values):
        raise ValueError(f"keys: got {len(keys)} ({keys}) for {len(values)} values.")
    return dict(zip(keys, values, strict=True))


def copy_if_tf_function(x):
    """Shallow copy of x in a `tf.function`, where it may not be changed, else x."""
    return x if tf.executing_eagerly() else copy.copy(x)


def nested_keys(nested_dict, delimiter="/", prefix=""):
    """Paths of the leaves of a nested dict, such as "harmonic/controls/f0_hz"."""
    start = f"{prefix}{delimiter}" if prefix else ""
    paths = []
    for key, value in nested_dict.items():
        path = f"{start}{key}"
        paths += nested_keys(value, delimiter, path) if isinstance(value, dict) else [path]
    return paths


def nested_lookup(nested_key, nested_dict, delimiter="/"):
    """Value at a path such as "harmonic/controls/f0_hz".

    Raises:
      KeyError: if the path does not exist.
    """
    value = nested_dict
    for key in nested_key.split(delimiter):
        if not isinstance(value, dict) or key not in value:
            there = ", ".join(nested_keys(nested_dict, delimiter))
            raise KeyError(f"{nested_key}: there is no {key!r}; there are {there}.")
        value = value[key]
    return value


def leaf_key(nested_key, delimiter="/"):
    """Last part of a path."""
    return nested_key.rpartition(delimiter)[2]


def map_shape(x):
    """Shapes, as lists, of a structure of tensors or arrays."""
    return tf.nest.map_structure(lambda tensor: list(tensor.shape), x)


def center_crop(audio, frame_size):
    """Cut half a frame off each end of audio [batch, n_samples, ...], an array or a tensor."""
    if is_tensor(audio):
        return synths.center_crop(audio, frame_size)
    half = int(frame_size // 2)
    return audio[:, half : audio.shape[1] - half]


hz_to_bark = as_given(synths.hz_to_bark)
bark_to_hz = as_given(synths.bark_to_hz)
mel_to_hz = as_given(synths.mel_to_hz)
hz_to_erb = as_given(synths.hz_to_erb)
db_to_amplitude = as_given(synths.db_to_amplitude)
db_to_power = as_given(synths.db_to_power)


def unit_to_midi(unit, midi_min=20.0, midi_max=90.0, clip=False):
    """0 ... 1 to MIDI notes midi_min ... midi_max; with clip always a tensor."""
    convert = synths.unit_to_midi if clip else as_given(synths.unit_to_midi)
    return convert(unit, midi_min, midi_max, clip)


def midi_to_unit(midi, midi_min=20.0, midi_max=90.0, clip=False):
    """MIDI notes midi_min ... midi_max to 0 ... 1; with clip always a tensor."""
    convert = synths.midi_to_unit if clip else as_given(synths.midi_to_unit)
    return convert(midi, midi_min, midi_max, clip)


def power_to_db(power, ref_db=0.0, range_db=DB_RANGE, use_tf=True):
    """`synths.power_to_db`; without use_tf an array or a number."""
    if use_tf:
        return synths.power_to_db(to_float32(power), ref_db, range_db)
    return as_given(synths.power_to_db)(np.asarray(power), ref_db, range_db)


def amplitude_to_db(amplitude, ref_db=0.0, range_db=DB_RANGE, use_tf=True):
    """`synths.amplitude_to_db`; without use_tf an array or a number."""
    if use_tf:
        return synths.amplitude_to_db(to_float32(amplitude), ref_db, range_db)
    return as_given(synths.amplitude_to_db)(np.asarray(amplitude), ref_db, range_db)


safe_divide = in_float32(synths.safe_divide)
safe_log = in_float32(synths.safe_log)
logb = in_float32(synths.logb)
log10 = in_float32(synths.log10)
hz_to_mel = in_float32(synths.hz_to_mel)
midi_to_hz = in_float32(synths.midi_to_hz)
hz_to_midi = in_float32(synths.hz_to_midi)
unit_to_hz = in_float32(synths.unit_to_hz)
hz_to_unit = in_float32(synths.hz_to_unit)
log_scale = in_float32(synths.log_scale)
exp_sigmoid = in_float32(synths.exp_sigmoid)
sym_exp_sigmoid = in_float32(synths.sym_exp_sigmoid)
frequencies_softmax = in_float32(synths.frequencies_softmax)
frequencies_sigmoid = in_float32(synths.frequencies_sigmoid)
frequencies_critical_bands = in_float32(synths.frequencies_critical_bands)
resample = in_float32(synths.resample)
upsample_with_windows = in_float32(synths.upsample_with_windows)
angular_cumsum = synths.angular_cumsum
remove_above_nyquist = in_float32(synths.remove_above_nyquist)
harmonic_distribution_to_wavetable = in_float32(synths.harmonic_distribution_to_wavetable)
fft_convolve = in_float32(synths.fft_convolve)
apply_window_to_impulse_response = in_float32(synths.apply_window_to_impulse_response)
frequency_filter = in_float32(synths.frequency_filter)
sinc = in_float32(synths.sinc)


def get_harmonic_frequencies(frequencies, n_harmonics):
    """Multiples of frequencies of any rank up to 3, [batch, n_frames, n_harmonics]."""
    return synths.get_harmonic_frequencies(with_axes(frequencies, 3), int(n_harmonics))


def normalize_harmonics(harmonic_distribution, f0_hz=None, sample_rate=None):
    """`synths.normalize_harmonics` for an F0 of any rank up to 3."""
    f0_hz = None if f0_hz is None else with_axes(f0_hz, 3)
    return synths.normalize_harmonics(tf_float32(harmonic_distribution), f0_hz, sample_rate)


def sinusoidal_to_harmonic(
    sin_amps,
    sin_freqs,
    f0_hz,
    harmonic_width=0.1,
    n_harmonics=100,
    sample_rate=16000,
    normalize=False,
):
    """`synths.sinusoidal_to_harmonic` for an F0 of any rank up to 3."""
    tensors = (with_axes(x, 3) for x in (sin_amps, sin_freqs, f0_hz))
    return synths.sinusoidal_to_harmonic(
        *tensors, harmonic_width, n_harmonics, sample_rate, normalize
    )


def harmonic_to_sinusoidal(harm_amp, harm_dist, f0_hz, sample_rate=16000):
    """`synths.harmonic_to_sinusoidal` for amplitudes and an F0 of any rank up to 3."""
    return synths.harmonic_to_sinusoidal(
        with_axes(harm_amp, 3), with_axes(harm_dist, 3), with_axes(f0_hz, 3), sample_rate
    )


def oscillator_bank(
    frequency_envelopes,
    amplitude_envelopes,
    sample_rate=16000,
    sum_sinusoids=True,
    use_angular_cumsum=False,
):
    """`synths.oscillator_bank` for envelopes of any rank up to 3."""
    return synths.oscillator_bank(
        with_axes(frequency_envelopes, 3),
        with_axes(amplitude_envelopes, 3),
        sample_rate,
        sum_sinusoids,
        use_angular_cumsum,
    )


def harmonic_oscillator_bank(
    frequency, amplitude_envelopes, initial_phase=None, sample_rate=16000, use_angular_cumsum=True
):
    """`synths.harmonic_oscillator_bank` with a float32 phase, for envelopes of any rank up to 3."""
    audio, phase = synths.harmonic_oscillator_bank(
        with_axes(frequency, 3),
        with_axes(amplitude_envelopes, 3),
        initial_phase,
        sample_rate,
        use_angular_cumsum,
    )
    return audio, tf.cast(phase, tf.float32)


def harmonic_synthesis(
    frequencies,
    amplitudes,
    harmonic_shifts=None,
    harmonic_distribution=None,
    n_samples=64000,
    sample_rate=16000,
    amp_resample_method="window",
    use_angular_cumsum=False,
):
    """`synths.harmonic_synthesis` for frequencies and amplitudes of any rank up to 3."""
    others = [x if x is None else with_axes(x, 3) for x in (harmonic_shifts, harmonic_distribution)]
    return synths.harmonic_synthesis(
        with_axes(frequencies, 3),
        with_axes(amplitudes, 3),
        *others,
        n_samples,
        sample_rate,
        amp_resample_method,
        use_angular_cumsum,
    )


def streaming_harmonic_synthesis(
    frequencies,
    amplitudes,
    harmonic_distribution=None,
    initial_phase=None,
    n_samples=64000,
    sample_rate=16000,
    amp_resample_method="linear",
):
    """`synths.streaming_harmonic_synthesis` with a float32 phase, for F0 of any rank up to 3."""
    distribution = harmonic_distribution
    audio, phase = synths.streaming_harmonic_synthesis(
        with_axes(frequencies, 3),
        with_axes(amplitudes, 3),
        None if distribution is None else with_axes(distribution, 3),
        initial_phase,
        n_samples,
        sample_rate,
        amp_resample_method,
    )
    return audio, tf.cast(phase, tf.float32)


def linear_lookup(phase, wavetables):
    """`synths.linear_lookup`, silent from one point of the table outside 0 to 1."""
    phase, wavetables = tf_float32(phase), tf_float32(wavetables)
    inside = tf.clip_by_value(phase, 0.0, 1.0)
    audio = synths.linear_lookup(inside, wavetables)
    n_points = tf.cast(tf.shape(wavetables)[-1], phase.dtype)
    share = tf.nn.relu(1.0 - n_points * tf.abs(phase - inside))
    return audio * (share[:, :, 0] if share.shape.rank == 3 else share)


@in_float32
def wavetable_synthesis(frequencies, amplitudes, wavetables, n_samples=64000, sample_rate=16000):
    """`synths.wavetable_synthesis`."""
    return synths.wavetable_synthesis(frequencies, amplitudes, wavetables, n_samples, sample_rate)


def variable_length_delay(phase, audio, max_length=512):
    """`synths.variable_length_delay`, also for a phase [batch, n_samples]."""
    phase = with_channel(tf_float32(phase))
    return synths.variable_length_delay(phase, tf_float32(audio), max_length)


def frequency_impulse_response(magnitudes, window_size=0):
    """`synths.frequency_impulse_response` of magnitudes [..., n_bands]."""
    magnitudes = tf_float32(magnitudes)
    rows = tf.reshape(magnitudes, [-1, magnitudes.shape[-1]])
    responses = synths.frequency_impulse_response(rows, window_size)
    shape = [length(magnitudes, axis) for axis in range(magnitudes.shape.rank - 1)]
    return tf.reshape(responses, [*shape, responses.shape[-1]])


def sinc_impulse_response(cutoff_frequency, window_size=512, sample_rate=None, high_pass=False):
    """`synths.sinc_impulse_response` for cut-off frequencies of any rank up to 3."""
    cutoff = with_axes(cutoff_frequency, 3)
    return synths.sinc_impulse_response(cutoff, window_size, sample_rate, high_pass)


def sinc_filter(
    audio, cutoff_frequency, window_size=512, sample_rate=None, padding="same", high_pass=False
):
    """`synths.sinc_filter` for cut-off frequencies of any rank up to 3."""
    response = sinc_impulse_response(cutoff_frequency, window_size, sample_rate, high_pass)
    return fft_convolve(audio, response, padding)
