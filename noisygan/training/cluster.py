"""This machine's place in a cluster, by the environment variable TF_CONFIG.

Without TensorFlow, so that the command line can ask before it is imported.
"""

import json
import os
from typing import NamedTuple

from noisygan.errors import UsageError

STRATEGIES = ("auto", "mirrored", "multi_worker", "tpu")

EXAMPLE = '{"cluster": {"worker": ["a:2222", "b:2222"]}, "task": {"type": "worker", "index": 0}}'


class Cluster(NamedTuple):
    """Machines that train together.

    Attributes:
      n_machines: How many.
      name: Of this one, such as "worker 1".
      index: Of this one among all.
    """

    n_machines: int
    name: str
    index: int

    @property
    def is_chief(self):
        """True if this machine leads: the chief, or the first worker where none is so called."""
        return self.index == 0


def this_cluster():
    """The `Cluster` that TF_CONFIG describes, or None where it is not set.

    Raises:
      UsageError: if it is set to something else than a cluster of workers and this one's place.
    """
    text = os.environ.get("TF_CONFIG", "")
    if not text.strip():
        return None
    try:
        said = json.loads(text)
        machines = {kind: said["cluster"].get(kind, []) for kind in ("chief", "worker")}
        kind, index = said["task"]["type"], int(said["task"]["index"])
        others = set(said["cluster"]) - set(machines)
        addresses = machines["chief"] + machines["worker"]
        in_its_place = (
            not others
            and all(isinstance(each, list) for each in machines.values())
            and all(isinstance(each, str) and each for each in addresses)
            and 0 <= index < len(machines[kind])
            and len(set(addresses)) == len(addresses)
        )
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        in_its_place = False
    if not in_its_place:
        raise UsageError(
            f"TF_CONFIG: got {' '.join(text.split())[:200]}, expected lists with each worker's own "
            f"address once and this one's place among them, such as {EXAMPLE}"
        )
    before = 0 if kind == "chief" else len(machines["chief"])
    return Cluster(len(addresses), f"{kind} {index}", before + index)
