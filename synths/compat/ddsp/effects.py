"""Effects of `ddsp.effects`."""

import tensorflow as tf

import synths
from synths import tf_float32
from synths.compat.ddsp._arguments import with_axes, with_channel
from synths.compat.ddsp.processors import Processor
from synths.shapes import length


class Reverb(Processor, synths.Reverb):
    """`synths.Reverb`; a trainable one ignores inputs and repeats its response for each row."""

    def get_controls(self, audio, *args, **kwargs):
        """Return the dry audio and the impulse response, [batch, n_taps]."""
        if not self.trainable:
            return super().get_controls(audio, *args, **kwargs)
        controls = super().get_controls(audio)
        n_rows = length(controls["audio"], 0)
        return controls | {"ir": tf.repeat(controls["ir"], n_rows, axis=0)}


class ExpDecayReverb(Reverb, synths.ExpDecayReverb):
    """`synths.ExpDecayReverb`, also for a gain and a decay of rank 0 or 1."""

    def get_controls(self, audio, gain=None, decay=None):
        """Return the dry audio and the impulse response."""
        given = [x if x is None else with_axes(x, 2) for x in (gain, decay)]
        return super().get_controls(audio, *given)


class FilteredNoiseReverb(Reverb, synths.FilteredNoiseReverb):
    """`synths.FilteredNoiseReverb`."""


class FIRFilter(Processor, synths.FIRFilter):
    """`synths.FIRFilter`."""


class ModDelay(Processor, synths.ModDelay):
    """`synths.ModDelay`, also for a gain and a phase [batch, n_frames]."""

    def get_controls(self, audio, gain, phase):
        """Return audio, gain and phase."""
        return super().get_controls(audio, with_channel(gain), with_channel(phase))

    def get_signal(self, audio, gain, phase):
        """Modulated audio, [batch, n_samples]."""
        return super().get_signal(audio, with_channel(gain), with_channel(phase))
