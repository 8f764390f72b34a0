"""Training steps on this machine: their rate, where the time goes, memory, and how they grow."""

import dataclasses
import datetime
import json

import numpy as np

from noisygan import config
from noisygan.benchmarks import child, machine

RESULT = "train.json"
TABLES = "train.md"

_JOB = "noisygan.benchmarks.train_job"


@dataclasses.dataclass(frozen=True)
class Plan:
    """How much is measured.

    Attributes:
      gin_file, gin_param: The config, as lists.
      data: Folder of recordings; None: sounds made for the purpose.
      naive: A config whose naive step is measured in turn, or None.
      n_turns: Turns of everything that is timed.
      growth: Factors by which batch, length and rate are changed; () leaves that out.
    """

    gin_file: list
    gin_param: list
    data: str = None
    naive: str = None
    n_turns: int = 5
    growth: tuple = (0.5, 2.0)


def measure(plan, say=print):
    """Measures everything of a plan, each setting in a process of its own.

    Args:
      plan: A Plan.
      say: Called with a line of text for each figure as it is found.

    Returns:
      A dict that `json` can write; `tables` makes text of it.
    """
    found = _ask(plan, plan.gin_param, parts=True, naive=plan.naive)
    rate = 1.0 / found["step"]["seconds"]
    say(f"{', '.join(plan.gin_file)}: {rate:.3g} steps/s")
    growth = []
    for what, values in _values(found, plan.growth).items():
        row = {"what": what, "values": [], "seconds": [], "peak_bytes": []}
        for value, params in values:
            at = found if params is None else _ask(plan, [*plan.gin_param, *params])
            row["values"].append(value)
            row["seconds"].append(at["step"]["seconds"])
            row["peak_bytes"].append(at["memory"]["peak_bytes"])
            say(f"{what} {value:g}: {1e3 * at['step']['seconds']:.3g} ms a step")
        row["power"] = float(np.polyfit(np.log(row["values"]), np.log(row["seconds"]), 1)[0])
        growth.append(row)
    return {
        "date": datetime.date.today().isoformat(),
        "machine": machine.facts(),
        "config": {"gin_file": plan.gin_file, "gin_param": plan.gin_param},
        "data": plan.data or "made here",
        "n_turns": plan.n_turns,
        **found,
        "growth": growth,
    }


def _ask(plan, gin_param, parts=False, naive=None):
    job = {
        "gin_file": plan.gin_file,
        "gin_param": gin_param,
        "data": plan.data if parts else None,
        "n_turns": plan.n_turns,
        "parts": parts,
        "naive": naive,
        "allow_modules": config.allowed_modules(),
    }
    return child.answer(_JOB, job, ", ".join(plan.gin_file), accelerators=True)


def _values(found, factors):
    """{what grows: [(its value, bindings that set it, None for the config's own)]}."""
    if not factors:
        return {}
    batch, rate, seconds = (found[k] for k in ("batch_size", "sample_rate", "sound_seconds"))
    grown = {"batch": lambda f: (round(batch * f), [f"Trainer.batch_size = {round(batch * f)}"])}
    if found["hybrid"]:
        # Raw-waveform networks have one length and one rate, that of their layers.
        grown["seconds"] = lambda f: (
            seconds * f,
            [f"n_samples = {round(seconds * f * rate)}", f"Hybrid.seconds = {seconds * f}"],
        )
        grown["sample rate"] = lambda f: (
            round(rate * f),
            [f"sample_rate = {round(rate * f)}", f"n_samples = {round(seconds * rate * f)}"],
        )
    own = {"batch": batch, "seconds": seconds, "sample rate": rate}
    return {
        what: sorted([(own[what], None), *(at(f) for f in factors)], key=lambda pair: pair[0])
        for what, at in grown.items()
    }


def save(result, folder):
    """Writes figures and tables into a folder, which is made if need be; returns the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    figures, text = folder / RESULT, folder / TABLES
    figures.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    text.write_text(tables(result), encoding="utf-8")
    return [figures, text]


def tables(result):
    """All tables of a result, as Markdown."""
    parts = [_heading(result), _whole(result), _parts(result), _growth(result)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _heading(result):
    facts = result["machine"]
    config = [*result["config"]["gin_file"], *result["config"]["gin_param"]]
    devices = ", ".join(facts["accelerators"]) or "no accelerator"
    return (
        f"`noisygan bench train`, {result['date']}: {', '.join(config)}; {facts['processor']}, "
        f"{facts['cores']} cores, {devices}, tensorflow {facts['tensorflow']}. Batch "
        f"{result['batch_size']} x {result['sound_seconds']:.3g} s x {result['sample_rate']} Hz; "
        f"medians of {result['n_turns']} turns of {result['cycle']} steps."
    )


def _whole(result):
    step, naive, memory = result["step"], result["naive"], result["memory"]
    sounds = result["batch_size"] * result["n_critic"]
    rows = [
        ("steps a second", f"{1.0 / step['seconds']:.3g}"),
        ("sounds a second", f"{sounds / step['seconds']:.3g}"),
        ("ms a step", f"{1e3 * step['seconds']:.3g}"),
        ("ms of CPU a step", f"{1e3 * step['cpu_seconds']:.3g}"),
        ("ms a step waited for the input", f"{1e3 * result['waiting_seconds']:.2g}"),
        ("seconds to build the graphs", f"{result['first_seconds']:.3g}"),
        ("graphs built anew meanwhile", f"{result['retraces']}"),
        ("peak memory, MiB", f"{memory['peak_bytes'] / 2**20:.4g}"),
        ("... of it for the steps, MiB", f"{memory['step_bytes'] / 2**20:.4g}"),
    ]
    if naive:
        ratio = naive["seconds"] / step["seconds"]
        of_cpu = naive["cpu_seconds"] / step["cpu_seconds"]
        rows.append(("naive step: ms", f"{1e3 * naive['seconds']:.4g}"))
        rows.append(("naive / ours, by the clock", f"{ratio:.3g}"))
        rows.append(("naive / ours, CPU time", f"{of_cpu:.3g}"))
    return _table(("step", ""), rows)


def _parts(result):
    """Where the time goes; what the parts don't account for is on a line of its own."""
    found = dict(result["parts"])
    if not found:
        return ""
    whole = result["step"]
    plain = found.pop("without regularizers", whole)
    kinds = ("seconds", "cpu_seconds")
    found["regularizers"] = {k: max(whole[k] - plain[k], 0.0) for k in kinds}
    rest = {k: whole[k] - sum(part[k] for part in found.values()) for k in kinds}
    found["rest (updates, average; shared spectra count below 0)"] = rest
    rows = [
        (
            name,
            f"{1e3 * part['seconds']:.3g}",
            f"{1e3 * part['cpu_seconds']:.3g}",
            f"{100.0 * part['cpu_seconds'] / whole['cpu_seconds']:.0f} %",
        )
        for name, part in found.items()
    ]
    return _table(("where the time goes", "ms", "ms of CPU", "of the CPU time"), rows)


def _growth(result):
    rows = [
        (
            row["what"],
            ", ".join(f"{value:g}" for value in row["values"]),
            ", ".join(f"{1e3 * seconds:.3g}" for seconds in row["seconds"]),
            ", ".join(f"{n / 2**20:.4g}" for n in row["peak_bytes"]),
            f"{row['power']:.2f}",
        )
        for row in result["growth"]
    ]
    head = ("what grows", "values", "ms a step", "peak memory, MiB", "time's power of it")
    return _table(head, rows) if rows else ""


def _table(head, rows):
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
