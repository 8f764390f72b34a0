"""Did it learn by heart: the share of suspicious copies, and the closest pairs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from noisygan.evaluation.results import Metric, Result
from noisygan.metrics import bootstrap, copies

GROUP = "memorisation"
N_PAIRS = 10
N_CANDIDATES = 8
COPIES = Metric("suspicious copies", GROUP, "%", False, headline=True)
NEARNESS = Metric("distance to the nearest training sound", GROUP, "of the recordings'", None)


class Pair(NamedTuple):
    """A generated sound and its nearest training sound.

    Attributes:
      row: Of the generated sound.
      training_row: Of the training sound.
      distance: In dB of log-mel.
      suspicious: Whether it is nearer than recordings are.
    """

    row: int
    training_row: int
    distance: float
    suspicious: bool


def memorisation(generated, train, test):
    """The results of memorisation, and the closest pairs.

    Args:
      generated, train, test: Sounds.

    Returns:
      (list of Result, list of Pair, closest first).
    """
    indices = list(range(len(train)))
    found = copies.find_copies(
        generated.audio,
        train.audio,
        indices,
        train.sample_rate,
        test=test.audio,
        n_candidates=N_CANDIDATES,
    )
    flagged = copies.suspicious(found)
    own = np.any([kind.own_distances <= kind.threshold for kind in found.values()], axis=0)
    share = bootstrap.mean(100.0 * flagged, 0.0, 100.0)
    by_mel = found["log-mel"]
    scale = max(float(np.median(by_mel.own_distances)), 1e-9)
    far = bootstrap.mean(by_mel.distances / scale, 0.0)
    results = [
        Result(
            COPIES,
            share.value,
            share.interval,
            floor=100.0 * float(own.mean()),
            note="nearer to a training sound, as waveform or log-mel, than 19 of 20 recordings",
        ),
        Result(NEARNESS, far.value, far.interval, floor=1.0, note="held-out to training: 1"),
    ]
    closest = np.argsort(by_mel.distances)[:N_PAIRS]
    pairs = [
        Pair(int(i), by_mel.names[i], float(by_mel.distances[i]), bool(flagged[i])) for i in closest
    ]
    return results, pairs
