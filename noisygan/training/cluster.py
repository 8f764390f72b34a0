"""This machine's place in a cluster, by the environment variable TF_CONFIG.

Without TensorFlow, so that the command line can ask before it is imported.
"""

import json
import os
from typing import NamedTuple

from noisygan.errors import UsageError

STRATEGIES = ("auto", "mirrored", "multi_worker")

EXAMPLE = '{"cluster": {"worker": ["a:2222", "b:2222"]}, "task": {"type": "worker", "index": 0}}'


class Cluster(NamedTuple):
    """Number of machines that train together; name and index of this one, such as "worker 1"."""

    n_machines: int
    name: str
    index: int

    @property
    def is_chief(self):
        """True if this machine leads: the chief, or the first worker where there is none."""
        return self.index == 0


def this_cluster():
    """Read the `Cluster` that TF_CONFIG describes, or None where it is not set.

    Raises:
      UsageError: if it is set to something else than a cluster of workers and this one's place.
    """
    text = os.environ.get("TF_CONFIG", "")
    if not text.strip():
        return None
    try:
        said = json.loads(text)
        machines = {"chief": [], "worker": []} | said["cluster"]
        kind, index = said["task"]["type"], int(said["task"]["index"])
        addresses = [*machines["chief"], *machines["worker"]]
        if (
            len(machines) > 2
            or not all(isinstance(each, list) for each in machines.values())
            or not all(isinstance(each, str) and each for each in addresses)
            or not 0 <= index < len(machines[kind])
            or len(set(addresses)) < len(addresses)
        ):
            raise ValueError
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        raise UsageError(
            f"TF_CONFIG: got {' '.join(text.split())[:200]}, expected lists with each worker's own "
            f"address once and this one's place among them, such as {EXAMPLE}"
        ) from None
    before = 0 if kind == "chief" else len(machines["chief"])
    return Cluster(len(addresses), f"{kind} {index}", before + index)
