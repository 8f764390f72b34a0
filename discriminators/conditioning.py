"""Encoding of pitch, velocity and label for networks."""

import numpy as np
import tensorflow as tf


class ConditionEncoder:
    """Encoder of a note's pitch, velocity and label as features for networks.

    Args:
      names: Some of "pitch", "velocity", "label"; empty for an unconditional system.
      n_labels: Number of labels, where "label" is used.
      pitches: MIDI pitches of the recordings, where "pitch" is used: each has a feature. Pitches in
        between are interpolated linearly between the features of their neighbours; pitches beyond
        the range are clipped to it.

    Raises:
      ValueError: for an unknown name.

    Example:
      >>> encoder = ConditionEncoder(("velocity",))
      >>> encoder({"velocity": tf.constant([127.0])}).shape
      TensorShape([1, 2])
    """

    NAMES = ("pitch", "velocity", "label")

    def __init__(self, names=NAMES[:2], n_labels=1, pitches=tuple(range(21, 109))):
        unknown = [name for name in names if name not in self.NAMES]
        if unknown:
            raise ValueError(
                f"names: got {', '.join(unknown)}, expected some of {', '.join(self.NAMES)}."
            )
        self.names = tuple(names)
        self.n_labels = n_labels
        self.pitches = tuple(sorted(set(pitches)))

    def set_data(self, n_labels, pitches):
        """Set the number of labels and, unless there are none, the pitches of the recordings."""
        self.n_labels = n_labels
        self.pitches = tuple(sorted(set(pitches))) or self.pitches

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
            low, high = float(self.pitches[0]), float(self.pitches[-1])
            pitch = tf.clip_by_value(conditioning["pitch"], low, high)[:, None]
            recorded = np.array(self.pitches, np.float32)
            gaps = np.pad(np.diff(recorded), 1, constant_values=1.0)
            shares = tf.minimum((pitch - recorded) / gaps[:-1], (recorded - pitch) / gaps[1:]) + 1.0
            features += [tf.nn.relu(shares), (pitch - 0.5 * (low + high)) / 12.0]
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
