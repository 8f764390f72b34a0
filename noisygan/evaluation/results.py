"""One measured figure with all that is needed to read it."""

from __future__ import annotations

import dataclasses
import math


@dataclasses.dataclass(frozen=True)
class Metric:
    """What is measured.

    Attributes:
      name: Unique, such as "MMD^2, log-mel".
      group: Heading it stands under.
      unit: "" for plain numbers.
      higher_is_better: True, False, or None: the nearer to the floor the better.
      headline: Whether it belongs to the few that a reader looks at first.
    """

    name: str
    group: str
    unit: str = ""
    higher_is_better: bool | None = False
    headline: bool = False


@dataclasses.dataclass
class Result:
    """A metric's figures.

    Attributes:
      metric: Metric.
      value: float, or None where it was not run.
      interval: (low, high), or None.
      floor: What recordings get in place of the generated sounds, or None.
      ceiling: What an untrained generator gets, or None.
      note: What one has to know.
      not_run: Why there is no value, or None.
      per_class: dict class -> dict of value, interval, floor.
      wrong_order: Names of the self-test's ladders that it does not order, or None: not tested.
    """

    metric: Metric
    value: float | None = None
    interval: tuple | None = None
    floor: float | None = None
    ceiling: float | None = None
    note: str = ""
    not_run: str | None = None
    per_class: dict = dataclasses.field(default_factory=dict)
    wrong_order: list | None = None

    def as_json(self):
        """A dict of what JSON can hold; what is not finite is null."""
        found = dataclasses.asdict(self)
        return _plain({**found.pop("metric"), **found})


def _plain(value):
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
