"""Encoding of pitch, velocity, label and tags for networks."""

import numpy as np
import tensorflow as tf


class ConditionEncoder:
    """Encoder of a note's pitch, velocity, label and tags as features for networks.

    Args:
      names: Some of "pitch", "velocity", "label"; empty for an unconditional system.
      n_labels: Number of labels, where "label" is used.
      pitches: MIDI pitches of the recordings, where "pitch" is used: each has a feature. Pitches in
        between are interpolated linearly between the features of their neighbours; pitches beyond
        the range are clipped to it.
      tags: Names of further conditions, such as columns of the recordings' table. A number is
        scaled from the range of the recordings to -1 .. 1 and clipped to it; a category has a
        feature, and so a learned embedding in the layer that follows.

    Raises:
      ValueError: for an unknown name.

    Example:
      >>> encoder = ConditionEncoder(("velocity",))
      >>> encoder({"velocity": tf.constant([127.0])}).shape
      TensorShape([1, 2])
    """

    NAMES = ("pitch", "velocity", "label")

    def __init__(self, names=NAMES[:2], n_labels=1, pitches=tuple(range(21, 109)), tags=()):
        unknown = [name for name in names if name not in self.NAMES]
        if unknown:
            raise ValueError(
                f"names: got {', '.join(unknown)}, expected some of {', '.join(self.NAMES)}."
            )
        self.names = (*names, *tags)
        self.tags = dict.fromkeys(tags)
        self.n_labels = n_labels
        self.pitches = tuple(sorted(set(pitches)))

    def set_data(self, n_labels, pitches, tag_values=None):
        """Set what the recordings have.

        Args:
          n_labels, pitches: As of the constructor; without pitches the default stays.
          tag_values: dict of a tag's name -> its categories, or its lowest and highest number.
        """
        self.tags = {name: tag_values[name] for name in self.tags}
        self.n_labels = n_labels
        self.pitches = tuple(sorted(set(pitches))) or self.pitches

    def __call__(self, conditioning):
        """Encode a batch of conditions.

        Args:
          conditioning: dict with `names`: pitch in MIDI notes, velocity 0 to 127 and tags (of a
            category its index), float32 [batch]; label, int32 [batch].

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
        for name, values in self.tags.items():
            value = conditioning[name]
            if isinstance(values[0], str):
                features += [tf.one_hot(tf.cast(value, tf.int32), len(values))]
            else:
                low, high = values
                share = (tf.clip_by_value(value, low, high) - low) / ((high - low) or 1.0)
                features += [2.0 * share[:, None] - 1.0]
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
