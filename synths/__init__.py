"""Differentiable synthesizers, effects and analysis for TensorFlow."""

from synths.effects import Reverb
from synths.errors import ShapeError
from synths.filtered_noise import FilteredNoise
from synths.filters import fft_convolve, frequency_filter
from synths.harmonic import Harmonic, normalize_distribution
from synths.noise import white_noise
from synths.oscillators import harmonic_synthesis, set_native_kernels
from synths.processor import Processor
from synths.resample import resample
from synths.units import (
    amplitude_to_db,
    db_to_amplitude,
    exp_sigmoid,
    hz_to_midi,
    midi_to_hz,
)

__all__ = [
    "FilteredNoise",
    "Harmonic",
    "Processor",
    "Reverb",
    "ShapeError",
    "amplitude_to_db",
    "db_to_amplitude",
    "exp_sigmoid",
    "fft_convolve",
    "frequency_filter",
    "harmonic_synthesis",
    "hz_to_midi",
    "midi_to_hz",
    "normalize_distribution",
    "resample",
    "set_native_kernels",
    "white_noise",
]
