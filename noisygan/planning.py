"""What a training takes on machines that are not at hand, from a step that was measured.

Plain arithmetic on what `noisygan bench train` writes; every formula is in docs/scaling.md.
"""

import math
from typing import NamedTuple

from noisygan.errors import UsageError

BYTES_A_NUMBER = 4  # weights, gradients and moments are float32
BYTES_A_SAMPLE = 2  # recordings are kept as 16 bits


class Links(NamedTuple):
    """How devices are connected.

    Attributes:
      per_machine: Devices of one machine.
      inside: Bytes a second each way between devices of a machine.
      between: Bytes a second each way between machines.
      latency: Seconds from a device to its neighbour.
    """

    per_machine: int = 8
    inside: float = 300e9
    between: float = 12.5e9
    latency: float = 10e-6


def affine(xs, ys):
    """(a, b) of the straight line a + b x nearest to points, neither below 0.

    One point alone is taken as b x: nothing is known of what a step takes whatever its size.
    """
    n = len(xs)
    mean_x, mean_y = sum(xs) / n, sum(ys) / n
    square = sum((x - mean_x) ** 2 for x in xs)
    if not square:
        return 0.0, mean_y / mean_x
    slope = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True)) / square
    if slope < 0.0:
        return mean_y, 0.0
    start = mean_y - slope * mean_x
    if start < 0.0:
        through_zero = sum(x * y for x, y in zip(xs, ys, strict=True)) / sum(x * x for x in xs)
        return 0.0, through_zero
    return start, slope


def ring_seconds(n_bytes, n, bytes_per_second, latency):
    """Time of an all-reduce along a ring of n: 2 (n - 1) turns with n_bytes / n each."""
    if n == 1:
        return 0.0
    return 2.0 * (n - 1) * (n_bytes / n / bytes_per_second + latency)


def all_reduce_seconds(n_bytes, n_devices, links):
    """Time until n_bytes are summed over all devices: within machines, then between them.

    Devices fill one machine after the other; the slowest ring counts. Between machines a machine's
    sum goes once.
    """
    inside = min(n_devices, links.per_machine)
    machines = math.ceil(n_devices / links.per_machine)
    return ring_seconds(n_bytes, inside, links.inside, links.latency) + ring_seconds(
        n_bytes, machines, links.between, links.latency
    )


def plan(measured, n_devices, n_notes, epochs, batch_size=None, links=None, speed=1.0):
    """Time and memory of a training.

    Args:
      measured: What `noisygan bench train` wrote, as a dict.
      n_devices: How many devices, each like the measured one but `speed` times as fast.
      n_notes: Recordings.
      epochs: How often each recording is heard by the discriminator.
      batch_size: Of all devices together; None: the measured one, whatever the devices.
      links: `Links`, or None for its defaults.
      speed: Ratio.

    Returns:
      dict of numbers; seconds, bytes and counts, as the names say.

    Raises:
      UsageError: if the batch can't be divided among the devices.
    """
    links = links or Links()
    batch_size = measured["batch_size"] if batch_size is None else batch_size
    if batch_size % n_devices:
        near = max(1, round(batch_size / n_devices)) * n_devices
        raise UsageError(
            f"a batch of {batch_size} can't be divided among {n_devices} devices; expected a "
            f"multiple, such as --batch {near}"
        )
    own = batch_size // n_devices
    xs, seconds, memory = _by_batch(measured)
    fixed, each = affine(xs, seconds)
    compute = (fixed + each * own) / speed
    alone = (fixed + each * batch_size) / speed
    memory_fixed, memory_each = affine(xs, memory)
    n_critic = measured["n_critic"]
    parameters = measured["parameters"]
    of_d, of_g = (
        all_reduce_seconds(BYTES_A_NUMBER * parameters[name], n_devices, links) for name in "dg"
    )
    exchange = n_critic * of_d + of_g
    step = compute + exchange
    heard = batch_size * n_critic
    steps = math.ceil(n_notes * epochs / heard)
    sound_bytes = BYTES_A_SAMPLE * round(measured["sound_seconds"] * measured["sample_rate"])
    # Weights, their average, two moments and the gradients; the discriminator has no average.
    state = BYTES_A_NUMBER * (5 * parameters["g"] + 4 * parameters["d"])
    return {
        "n_devices": n_devices,
        "n_machines": math.ceil(n_devices / links.per_machine),
        "batch_size": batch_size,
        "batch_a_device": own,
        "n_notes": n_notes,
        "compute_seconds": compute,
        "exchange_seconds": exchange,
        "step_seconds": step,
        "efficiency": alone / (n_devices * step),
        "sounds_a_second": heard / step,
        "steps": steps,
        "training_seconds": steps * step,
        "memory_bytes_a_device": memory_fixed + memory_each * own,
        "state_bytes": state,
        "data_bytes": n_notes * sound_bytes,
        "read_bytes_a_second": heard * sound_bytes / step,
        **_rendering(measured, n_devices, n_notes, speed),
    }


def _by_batch(measured):
    """(batch sizes, seconds a step, peak bytes) that were measured."""
    for row in measured["growth"]:
        if row["what"] == "batch":
            return row["values"], row["seconds"], row["peak_bytes"]
    return (
        [measured["batch_size"]],
        [measured["step"]["seconds"]],
        [measured["memory"]["peak_bytes"]],
    )


def _rendering(measured, n_devices, n_notes, speed):
    """Rendering as many notes as there are recordings, and voices that sound at once.

    Counted with the gradients that were measured with it: rendering alone is faster.
    """
    parts = [measured["parts"].get(name) for name in ("generator", "synth")]
    taken = sum(part["seconds"] for part in parts if part)
    if not taken:
        return {}
    rate = speed * measured["batch_size"] / taken
    return {
        "notes_rendered_a_second": n_devices * rate,
        "rendering_seconds": n_notes / (n_devices * rate),
        "voices_a_device": rate * measured["sound_seconds"],
    }
