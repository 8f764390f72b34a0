"""What is known of a sound - pitch, velocity, label - as numbers that networks can use."""

import tensorflow as tf


class ConditionEncoder:
    """Features of the conditions that a system is trained with.

    Args:
      names: Some of "pitch", "velocity", "label"; empty for an unconditional system.
      n_labels: Number of labels, where "label" is used.
      min_pitch, max_pitch: Range of the pitch features in MIDI notes; notes beyond it are taken as
        the nearest one in it.
      pitch_width: Width of a pitch feature in semitones: neighbours this near share what is learnt.

    Raises:
      ValueError: for an unknown name.
    """

    NAMES = ("pitch", "velocity", "label")

    def __init__(self, names=NAMES[:2], n_labels=1, min_pitch=21, max_pitch=108, pitch_width=1.5):
        unknown = [name for name in names if name not in self.NAMES]
        if unknown:
            raise ValueError(
                f"conditions: got {', '.join(unknown)}, expected some of {', '.join(self.NAMES)}."
            )
        self.names = tuple(names)
        self.n_labels = n_labels
        self.min_pitch = min_pitch
        self.max_pitch = max_pitch
        self.pitch_width = pitch_width

    def __call__(self, conditioning):
        """Features, float32 [batch, n], or None where there are no conditions.

        Args:
          conditioning: dict with the conditions' names: pitch in MIDI notes and velocity 0 .. 127,
            float32 [batch]; label int32 [batch].
        """
        features = []
        if "pitch" in self.names:
            pitch = tf.clip_by_value(
                conditioning["pitch"], float(self.min_pitch), float(self.max_pitch)
            )
            centres = tf.range(self.min_pitch, self.max_pitch + 1, dtype=tf.float32)
            distance = (pitch[:, None] - centres) / self.pitch_width
            middle = 0.5 * (self.min_pitch + self.max_pitch)
            features += [tf.exp(-0.5 * distance**2), (pitch[:, None] - middle) / 12.0]
        if "velocity" in self.names:
            velocity = conditioning["velocity"][:, None] / 127.0
            features += [2.0 * velocity - 1.0, tf.math.log(velocity + 0.05)]
        if "label" in self.names:
            features += [tf.one_hot(conditioning["label"], self.n_labels)]
        return tf.concat(features, axis=1) if features else None


def projected(projection, conditioning, read):
    """How well what was read of sounds fits what is known of them (Miyato and Koyama 2018).

    Args:
      projection: A dense layer of n units without a bias.
      conditioning: Features of `ConditionEncoder`, float32 [batch, m], or None.
      read: A vector for each sound, float32 [batch, n].

    Returns:
      A summand of the logits: the inner product of the vectors, [batch]; 0 for no conditions.
    """
    if conditioning is None:
        return 0.0
    return tf.reduce_sum(projection(conditioning) * read, axis=1)
