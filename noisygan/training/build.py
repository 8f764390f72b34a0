"""Seeded initial weights, and a generator's variables."""

import keras
import numpy as np
import tensorflow as tf


def seed_initializers(networks, seed):
    """Make the initial weights of networks that are not built yet a function of the seed.

    Keras seeds each initializer when its layer is constructed, which is before
    the run's seed is known.

    Args:
      networks: Keras layers that hold others.
      seed: int.
    """
    numbers = np.random.default_rng(seed)
    for network in networks:
        for layer in network._flatten_layers():
            for _, value in sorted(vars(layer).items()):
                if isinstance(value, keras.initializers.Initializer) and hasattr(value, "seed"):
                    value.seed = int(numbers.integers(2**31))


def build_generator(generator, n_labels, pitches=()):
    """Make a generator's variables by one call.

    Args:
      generator: By the generator contract.
      n_labels: Number of labels of the recordings.
      pitches: Their MIDI pitches, whole numbers, as run.json lists them.
    """
    generator.set_pitches(pitches)
    if generator.condition_encoder is not None:
        generator.condition_encoder.n_labels = n_labels
    z = generator.prior(1, 0)
    conditioning = {
        "pitch": tf.constant([69.0]),
        "velocity": tf.constant([100.0]),
        "label": tf.constant([0]),
    }
    generator(z, conditioning)
