"""From a raw curve to F0 in Hz."""

import tensorflow as tf

from synths.units import midi_to_hz


class AskedPitch:
    """F0 is the asked pitch and a bounded deviation from it.

    Args:
      max_deviation: Largest deviation in semitones.
    """

    conditions = ("pitch",)

    def __init__(self, max_deviation=1.0):
        self.max_deviation = max_deviation

    def __call__(self, raw, conditioning):
        """F0 in Hz, [batch, n_frames, 1], from a raw curve of that shape."""
        deviation = self.max_deviation * tf.tanh(raw / self.max_deviation)
        return midi_to_hz(conditioning["pitch"][:, None, None] + deviation)


class FreePitch:
    """F0 is anywhere in a range; an untrained network stands in its middle.

    Args:
      min_midi, max_midi: The range in MIDI notes.
    """

    conditions = ()

    def __init__(self, min_midi=36.0, max_midi=100.0):
        self.min_midi = min_midi
        self.max_midi = max_midi

    def __call__(self, raw, conditioning):
        """F0 in Hz, [batch, n_frames, 1], from a raw curve of that shape."""
        return midi_to_hz(self.min_midi + (self.max_midi - self.min_midi) * tf.sigmoid(raw))
