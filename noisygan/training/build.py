"""Seeded initial weights, and a generator's variables."""

import keras
import numpy as np
import tensorflow as tf


def seed_initializers(networks, seed):
    """Make the initial weights of networks that are not built yet a function of the seed.

    Keras seeds initializers when their layer is constructed, before the run's seed is known.
    """
    numbers = np.random.default_rng(seed)
    for network in networks:
        for layer in network._flatten_layers():
            for _, value in sorted(vars(layer).items()):
                if isinstance(value, keras.initializers.Initializer) and hasattr(value, "seed"):
                    value.seed = int(numbers.integers(2**31))


def build_generator(generator, n_labels, pitches=(), tag_values=None):
    """Make a generator's variables by one call.

    Args:
      generator: By the generator contract.
      n_labels: Number of labels of the recordings.
      pitches: Their MIDI pitches, whole numbers.
      tag_values: As of `ConditionEncoder.set_data`.
    """
    generator.set_pitches(pitches)
    if generator.condition_encoder is not None:
        generator.condition_encoder.set_data(n_labels, pitches, tag_values)
    conditioning = dict.fromkeys(generator.condition_names, [0.0])
    conditioning |= {"pitch": [69.0], "velocity": [100.0], "label": [0]}
    generator(generator.prior(1, 0), {k: tf.constant(v) for k, v in conditioning.items()})
