"""Records of NSynth's TFRecord files."""

import struct

import numpy as np


def record_bytes(audio=None, **fields):
    """Bytes of one record: a note with audio and the fields that are given.

    Args:
      audio: float32 [n_samples], or None for a short tone.
      **fields: int or str features of NSynth's tf.train.Example.
    """
    import tensorflow as tf

    if audio is None:
        audio = 0.5 * np.sin(np.arange(800) / 5)
    features = {"audio": tf.train.Feature(float_list=tf.train.FloatList(value=audio))}
    for name, value in fields.items():
        if isinstance(value, str):
            kind = tf.train.Feature(bytes_list=tf.train.BytesList(value=[value.encode()]))
        else:
            kind = tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))
        features[name] = kind
    note = tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()
    return struct.pack("<QI", len(note), 0) + note + struct.pack("<I", 0)
