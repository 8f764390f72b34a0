"""A classifier of the recordings' own classes."""

from __future__ import annotations

import dataclasses

import numpy as np

from noisygan.metrics import bootstrap
from noisygan.metrics.classifiers import PictureClassifier

SEMITONES_PER_CLASS = 4
MIN_PER_CLASS = 4


def class_names(train):
    """Classes of recordings: the labels if there are several, else pitches in steps of 4 semitones.

    Args:
      train: Examples.

    Returns:
      (function from Examples to their classes, description of the classes).

    Raises:
      ValueError: if there are neither.
    """
    if len(train.classes) > 1:
        return (lambda examples: examples.labels), "labels"
    if train.has_pitch and np.ptp(train.pitch) >= 2 * SEMITONES_PER_CLASS:
        lowest = train.pitch.min()

        def steps(examples):
            step = np.floor((examples.pitch - lowest) / SEMITONES_PER_CLASS)
            return np.array(["" if np.isnan(x) else f"pitch {x:03.0f}" for x in step])

        return steps, f"pitches in steps of {SEMITONES_PER_CLASS} semitones"
    raise ValueError("the recordings have neither several labels nor several pitches")


@dataclasses.dataclass
class Judge:
    """A classifier trained on the recordings' own classes.

    Attributes:
      names: Classes, list of str.
      what: Description of the classes.
      network: PictureClassifier.
      name_of: Function from Examples to their classes.
    """

    names: list
    what: str
    network: PictureClassifier
    name_of: object

    # A lower accuracy on recordings says nothing about generated examples.
    TRUSTED_ACCURACY = 0.6

    @classmethod
    def train(cls, examples):
        """Train on Examples.

        Raises:
          ValueError: if there are fewer than two classes.
        """
        name_of, what = class_names(examples)
        classes = name_of(examples)
        names, often = np.unique(classes, return_counts=True)
        names = [n for n, k in zip(names, often, strict=True) if k >= MIN_PER_CLASS and n]
        if len(names) < 2:
            raise ValueError(
                f"fewer than two classes ({what}) have {MIN_PER_CLASS} training recordings or more"
            )
        known = np.isin(classes, names)
        network = PictureClassifier(len(names)).fit(
            examples.features.pictures[known], np.searchsorted(names, classes[known])
        )
        return cls([str(n) for n in names], what, network, name_of)

    def accuracy(self, examples):
        """Share of examples classified as their label (the target of generated ones), in percent.

        Raises:
          ValueError: if no example has a class of the recordings.
        """
        target = self.name_of(examples)
        known = np.isin(target, self.names)
        if not known.any():
            raise ValueError("no example has a class of the recordings")
        probabilities = self.network(examples.features.pictures[known])[0]
        found = np.array(self.names)[probabilities.argmax(1)]
        return bootstrap.mean(100.0 * (found == target[known]), 0.0, 100.0)
