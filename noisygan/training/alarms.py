"""Warnings that a person can act on, read from the numbers of a training."""

import collections
import math
from typing import NamedTuple

# Below so much of the recordings' variety, in percent, for so many measurements on end, sounds are
# all one; and again after as many more.
_LEAST_VARIETY = 10.0
_ALIKE_PATIENCE = 3


class Alarm(NamedTuple):
    """A warning.

    Attributes:
      name: Short: `collapse`, `silence`, ...
      text: What is wrong and what would help, for people.
      heard: Whether generated sounds show it.
    """

    name: str
    text: str
    heard: bool


class Alarms:
    """Watches the metrics of successive steps.

    Args:
      patience: Over how many records the numbers are averaged before they count.
      repeat: After how many further records a warning is given again.
    """

    def __init__(self, patience=20, repeat=200):
        self.patience = patience
        self.repeat = repeat
        self.recent = collections.deque(maxlen=patience)
        self.silent_until = {}
        self.n = 0
        self.n_alike = 0

    def check(self, metrics):
        """Warnings after one more record of metrics (dict of floats): a list of `Alarm`."""
        self.n += 1
        self.recent.append(metrics)
        if len(self.recent) < self.patience:
            return []
        found = []
        for name, text in self._findings(self._means(metrics)):
            if self.silent_until.get(name, 0) <= self.n:
                self.silent_until[name] = self.n + self.repeat
                found.append(Alarm(name, text, name != "d_won"))
        return found

    def check_variety(self, percent):
        """Warnings after one more measurement of the sounds' variety (`Quality`): as of `check`.

        A batch's sounds may differ by noise, level or length of a discriminator's maps where those
        of the averaged generator are all one.
        """
        self.n_alike = self.n_alike + 1 if percent < _LEAST_VARIETY else 0
        if not self.n_alike or self.n_alike % _ALIKE_PATIENCE:
            return []
        text = (
            f"The averaged generator's sounds are nearly all one (their variety is {percent:.1f} % "
            "of the recordings'): raise R1.weight and R2.weight, lower the learning rates, or use "
            "a larger batch."
        )
        return [Alarm("collapse", text, True)]

    def state(self):
        """What a resumed run needs to go on alike, as JSON has it."""
        return {
            "recent": list(self.recent),
            "silent_until": self.silent_until,
            "n": self.n,
            "n_alike": self.n_alike,
        }

    def load(self, state):
        """Takes up what `state` gave."""
        self.recent.extend(state["recent"])
        self.silent_until = state["silent_until"]
        self.n = state["n"]
        self.n_alike = state["n_alike"]

    def _means(self, names):
        """Means of what is finite in at least half of the records."""
        found = {}
        for name in names:
            values = [r[name] for r in self.recent if math.isfinite(r.get(name, math.nan))]
            if 2 * len(values) >= len(self.recent):
                found[name] = sum(values) / len(values)
        return found

    def _findings(self, mean):
        if mean.get("d_right", 0.0) > 0.99 and 0.0 <= mean.get("d_adversarial", 1.0) < 0.02:
            yield (
                "d_won",
                "The discriminator has won (tells over 99 % apart, loss "
                f"{mean['d_adversarial']:.3f}), so the generator learns little: raise R1.weight "
                "tenfold (or add R1 to Trainer.regularizers), or lower the "
                "discriminator's learning rate.",
            )
        real, fake = mean.get("real_spread", 0.0), mean.get("fake_spread", 0.0)
        if real > 0.0 and fake < 0.2 * real:
            yield (
                "collapse",
                f"The generated sounds have become alike (their spread is {fake / real:.2f} of "
                "the recordings'): raise R1.weight and R2.weight, lower the learning rates, or "
                "use a larger batch.",
            )
        peak = mean.get("fake_peak")
        if peak is not None and peak < 1e-3:
            yield (
                "silence",
                f"The generated sounds are nearly silent (peak {peak:.1e}): start again with a "
                "lower learning rate or, if it is a Hybrid, a higher Hybrid.initial_loudness_db.",
            )
        if peak is not None and peak > 1.25:
            yield (
                "clipping",
                f"The generated sounds exceed full scale (peak {peak:.2f}) and would clip in a "
                "file: add Overshoot to Trainer.matching or, if it is a Hybrid, lower "
                "Hybrid.max_loudness_db or Hybrid.initial_loudness_db.",
            )
