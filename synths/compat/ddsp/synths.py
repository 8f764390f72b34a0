"""Synthesizers of `ddsp.synths`."""

import synths
from synths.compat.ddsp.processors import Processor


class TensorToAudio(Processor, synths.TensorToAudio):
    """`synths.TensorToAudio`."""


class Harmonic(Processor, synths.Harmonic):
    """`synths.Harmonic`."""


class FilteredNoise(Processor, synths.FilteredNoise):
    """`synths.FilteredNoise`."""


class Wavetable(Processor, synths.Wavetable):
    """`synths.Wavetable`."""


class Sinusoidal(Processor, synths.Sinusoidal):
    """`synths.Sinusoidal`."""
