"""Differentiable synthesizers, effects and analysis for TensorFlow.

A tensor of another shape than documented is a `ShapeError`, an option other than the documented
ones a ValueError. Results are float64 if an input is, else float32.
"""

from synths.effects import (
    ExpDecayReverb,
    FilteredNoiseReverb,
    FIRFilter,
    ModDelay,
    Reverb,
    variable_length_delay,
)
from synths.filtered_noise import FilteredNoise
from synths.filters import (
    crop_and_compensate_delay,
    fft_convolve,
    frequency_filter,
    get_fft_size,
    sinc_filter,
)
from synths.frequency_scales import (
    frequencies_critical_bands,
    frequencies_sigmoid,
    frequencies_softmax,
)
from synths.graph import ProcessorGroup
from synths.harmonic import Harmonic
from synths.impulse_responses import (
    apply_window_to_impulse_response,
    frequency_impulse_response,
    sinc,
    sinc_impulse_response,
)
from synths.losses import SpectralLoss, mean_difference
from synths.loudness import (
    a_weighting_db,
    compute_loudness,
    compute_power,
    compute_rms_energy,
    get_framed_lengths,
)
from synths.mixing import Add, Crop, Mix, equal_power_gains
from synths.modal import Modal, decays_sigmoid, modal_synthesis, strike_gains
from synths.native import set_native_kernels
from synths.noise import white_noise
from synths.oscillators import (
    angular_cumsum,
    harmonic_oscillator_bank,
    harmonic_synthesis,
    oscillator_bank,
    streaming_harmonic_synthesis,
)
from synths.partials import (
    get_harmonic_frequencies,
    normalize_distribution,
    normalize_harmonics,
    remove_above_nyquist,
)
from synths.pitch import CREPE, PYIN, PitchTrack, compute_f0
from synths.processor import Processor
from synths.resample import resample, upsample_with_windows
from synths.shapes import ShapeError
from synths.sinusoidal import (
    Sinusoidal,
    harmonic_to_sinusoidal,
    sinusoidal_synthesis,
    sinusoidal_to_harmonic,
)
from synths.spectral import (
    compute_logmag,
    compute_logmel,
    compute_mag,
    compute_mel,
    compute_mfcc,
    log_mel,
    magnitude,
    mfcc,
    stft,
)
from synths.streaming import ConvolutionStream, FilteredNoiseStream, HarmonicStream
from synths.tensor_to_audio import TensorToAudio
from synths.tensors import (
    DB_RANGE,
    F0_RANGE,
    center_crop,
    diff,
    gradient_reversal,
    nan_to_num,
    pad_axis,
    tf_float32,
)
from synths.transient import Transient, short_decays_sigmoid
from synths.units import (
    amplitude_to_db,
    bark_to_hz,
    db_to_amplitude,
    db_to_power,
    exp_sigmoid,
    hz_to_bark,
    hz_to_erb,
    hz_to_mel,
    hz_to_midi,
    hz_to_unit,
    log10,
    log_scale,
    logb,
    mel_to_hz,
    midi_to_hz,
    midi_to_unit,
    power_to_db,
    safe_divide,
    safe_log,
    soft_limit,
    sym_exp_sigmoid,
    unit_to_hz,
    unit_to_midi,
)
from synths.voice_stream import VoiceStream
from synths.wavetable import (
    Wavetable,
    harmonic_distribution_to_wavetable,
    linear_lookup,
    wavetable_synthesis,
)

# fmt: off
__all__ = [
    "Add", "CREPE", "ConvolutionStream", "Crop", "DB_RANGE", "ExpDecayReverb", "F0_RANGE",
    "FIRFilter", "FilteredNoise", "FilteredNoiseReverb", "FilteredNoiseStream", "Harmonic",
    "HarmonicStream", "Mix", "ModDelay", "Modal", "PYIN", "PitchTrack", "Processor",
    "ProcessorGroup", "Reverb", "ShapeError", "Sinusoidal", "SpectralLoss", "TensorToAudio",
    "Transient", "VoiceStream", "Wavetable", "a_weighting_db", "amplitude_to_db", "angular_cumsum",
    "apply_window_to_impulse_response", "bark_to_hz", "center_crop", "compute_f0", "compute_logmag",
    "compute_logmel", "compute_loudness", "compute_mag", "compute_mel", "compute_mfcc",
    "compute_power", "compute_rms_energy", "crop_and_compensate_delay", "db_to_amplitude",
    "db_to_power", "decays_sigmoid", "diff", "equal_power_gains", "exp_sigmoid", "fft_convolve",
    "frequencies_critical_bands", "frequencies_sigmoid", "frequencies_softmax", "frequency_filter",
    "frequency_impulse_response", "get_fft_size", "get_framed_lengths", "get_harmonic_frequencies",
    "gradient_reversal", "harmonic_distribution_to_wavetable", "harmonic_oscillator_bank",
    "harmonic_synthesis", "harmonic_to_sinusoidal", "hz_to_bark", "hz_to_erb", "hz_to_mel",
    "hz_to_midi", "hz_to_unit", "linear_lookup", "log10", "log_mel", "log_scale", "logb",
    "magnitude", "mean_difference", "mel_to_hz", "mfcc", "midi_to_hz", "midi_to_unit",
    "modal_synthesis", "nan_to_num", "normalize_distribution", "normalize_harmonics",
    "oscillator_bank", "pad_axis", "power_to_db", "remove_above_nyquist", "resample", "safe_divide",
    "safe_log", "set_native_kernels", "short_decays_sigmoid", "sinc", "sinc_filter",
    "sinc_impulse_response", "sinusoidal_synthesis", "sinusoidal_to_harmonic", "soft_limit", "stft",
    "streaming_harmonic_synthesis", "strike_gains", "sym_exp_sigmoid", "tf_float32", "unit_to_hz",
    "unit_to_midi", "upsample_with_windows", "variable_length_delay", "wavetable_synthesis",
    "white_noise",
]
# fmt: on
