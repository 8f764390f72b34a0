"""No two takes alike: the code decides how a note is played, not only what is asked."""

import tensorflow as tf


class Humanize:
    """Plays a note as if a slightly different one had been asked.

    The first numbers of z shift what the curves are told of pitch and velocity; the pitch that
    sounds stays the asked one. In training the shift hides from the generator which recording it
    is measured by, so it learns how notes near to the asked one sound, and a z picks one of them:
    seeds differ as takes do, and single recordings are not learnt by heart.

    Args:
      pitch: Shift at z = 1 in semitones.
      velocity: Shift at z = 1 in MIDI velocities.
    """

    def __init__(self, pitch=1.5, velocity=5.0):
        self.shifts = {"pitch": pitch, "velocity": velocity}

    @property
    def n_dims(self):
        """How many numbers of z it takes."""
        return len(self.shifts)

    def __call__(self, z, conditioning):
        """(rest of z, shifted conditioning).

        Args:
          z: float32 [batch, latent_dim].
          conditioning: dict of [batch] tensors; what it lacks is not shifted.
        """
        shifted = dict(conditioning)
        for i, (name, shift) in enumerate(self.shifts.items()):
            if name in conditioning:
                shifted[name] = conditioning[name] + shift * z[:, i]
        if "velocity" in shifted:
            shifted["velocity"] = tf.clip_by_value(shifted["velocity"], 1.0, 127.0)
        return z[:, self.n_dims :], shifted
