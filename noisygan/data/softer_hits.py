"""Softer hits of drums, imitated from recordings of harder ones."""

import numpy as np
import scipy.signal

FULL = 127.0
# Softer hits are below -44 dB.
_SOFTEST = 10.0
# Contact time of the softest blow, seconds: seven drums that were recorded hard and soft differ
# above 2 kHz by 2 to 4 dB more than below.
_LONGEST_CONTACT = 4e-5


def gain(velocity, own=FULL):
    """Linear gain from one velocity to another: 40 log10, as General MIDI's developers advise."""
    return (velocity / own) ** 2


def soften(sound, sample_rate, velocity, own=FULL):
    """Low-pass a drum, float32 [n_samples], as a longer contact of the stick does.

    The force `t exp(-t / contact)` of a blow leaves `1 / (1 + (2 pi f contact)**2)` of a mode of
    frequency f (`synths.modal.strike_gains`). The level below these frequencies stays: see `gain`.

    Args:
      sound: float32 [n_samples].
      sample_rate: Hz.
      velocity: Of the softer hit, 1 to 127.
      own: Of the recording; at this velocity and above, the sound stays as it is.
    """
    contact = _LONGEST_CONTACT * (own - velocity) / FULL
    if contact <= 0.0:
        return sound
    kept = np.exp(-1.0 / (contact * sample_rate))
    # One pole twice is that force.
    numerator, denominator = [(1.0 - kept) ** 2], [1.0, -2.0 * kept, kept**2]
    return scipy.signal.lfilter(numerator, denominator, sound).astype(np.float32)


def velocity_ranges(velocity, label):
    """Range of velocities of each recording: above its class's next softer layer, up to its own.

    The hardest layer of a class reaches up to 127, the softest down to 10.

    Args:
      velocity: 1 to 127, [n].
      label: Class, [n].

    Returns:
      (lowest, highest), float32 [n] each; the lowest is not included.
    """
    velocity, label = np.asarray(velocity, float), np.asarray(label)
    lowest, highest = np.empty((2, len(velocity)), np.float32)
    for name in np.unique(label):
        of_class = label == name
        layers, which = np.unique(velocity[of_class], return_inverse=True)
        lowest[of_class] = np.append(min(_SOFTEST, layers[0]), layers[:-1])[which]
        highest[of_class] = np.append(layers[:-1], FULL)[which]
    return lowest, highest
