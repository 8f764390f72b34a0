"""Encoding of pitch, velocity and label for networks."""

import tensorflow as tf


class ConditionEncoder:
    """Encoder of a note's pitch, velocity and label as features for networks.

    Args:
      names: Some of "pitch", "velocity", "label"; empty for an unconditional system.
      n_labels: Number of labels, where "label" is used.
      min_pitch, max_pitch: Range of the pitch features in MIDI notes; pitches are clipped to it.
      pitch_width: Width of a pitch feature in semitones. Pitches this near share features.

    Raises:
      ValueError: for an unknown name.

    Example:
      >>> encoder = ConditionEncoder(("velocity",))
      >>> encoder({"velocity": tf.constant([127.0])}).shape
      TensorShape([1, 2])
    """

    NAMES = ("pitch", "velocity", "label")

    def __init__(self, names=NAMES[:2], n_labels=1, min_pitch=21, max_pitch=108, pitch_width=1.5):
        unknown = [name for name in names if name not in self.NAMES]
        if unknown:
            raise ValueError(
                f"names: got {', '.join(unknown)}, expected some of {', '.join(self.NAMES)}."
            )
        self.names = tuple(names)
        self.n_labels = n_labels
        self.min_pitch = min_pitch
        self.max_pitch = max_pitch
        self.pitch_width = pitch_width

    def __call__(self, conditioning):
        """Encode a batch of conditions.

        Args:
          conditioning: dict with `names`: pitch in MIDI notes and velocity 0 to 127, float32
            [batch]; label, int32 [batch].

        Returns:
          float32 [batch, n], or None where there are no names.
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


def projected(projection, conditioning, hidden):
    """Projection term of a conditional discriminator's logits (Miyato and Koyama 2018).

    Args:
      projection: A dense layer of n units without a bias.
      conditioning: Output of a `ConditionEncoder`, float32 [batch, m], or None.
      hidden: Pooled features, float32 [batch, n].

    Returns:
      The inner product of projection and features, [batch]; 0 without conditioning.
    """
    if conditioning is None:
        return 0.0
    return tf.reduce_sum(projection(conditioning) * hidden, axis=1)
