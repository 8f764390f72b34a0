"""`synths` beside ddsp 3.7.0 on this machine: time, memory, error, and how time grows."""

from __future__ import annotations

import dataclasses
import datetime
import json

import numpy as np

from noisygan import ddsp_package
from noisygan.benchmarks import child, exact, machine, measures, synth_cases
from noisygan.benchmarks.synth_cases import SAMPLE_RATE, Size

RESULT = "synths_vs_ddsp.json"

# Whether a case's time is measured with its gradients.
KINDS = {False: "forward", True: "forward + backward"}


@dataclasses.dataclass(frozen=True)
class Plan:
    """How much is measured.

    Attributes:
      size: Of the cases in the table.
      n_turns: Turns of each contestant.
      growth: {what grows: its values}; the rest stays as in `size`.
      drift_seconds: Lengths of sounds whose last second is compared with exact phase.
      in_memory: Names of cases whose memory is measured.
      n_cores: Numbers of cores that harmonics are measured on.
      references: The ways of ddsp's that take part.
    """

    size: Size = Size()
    n_turns: int = 9
    growth: dict = dataclasses.field(
        default_factory=lambda: {
            "batch": (1, 2, 4, 8),
            "seconds": (1.0, 2.0, 4.0, 8.0, 16.0),
            "n_partials": (13, 25, 50, 100, 200),
        }
    )
    drift_seconds: tuple = (1.0, 4.0, 15.0, 60.0, 600.0)
    in_memory: tuple = tuple(synth_cases.CASES)
    n_cores: tuple = (1, 2)
    references: tuple = ("ddsp", "ddsp, XLA")


QUICK = Plan(
    size=Size(batch=2, seconds=0.2, n_partials=4),
    n_turns=1,
    growth={"batch": (1, 2)},
    drift_seconds=(1.0, 2.0),
    in_memory=("harmonic",),
    n_cores=(1,),
    references=("ddsp",),
)


def measure(plan, say=print):
    """Measures everything of a plan.

    Args:
      plan: A Plan.
      say: Called with a line of text for each figure as it is found.

    Returns:
      A dict that `json` can write; `synth_report` makes tables and plots of it.
    """
    if not ddsp_package.is_installed():
        say(f"ddsp is not installed, so its columns stay empty: {ddsp_package.HOW_TO_INSTALL}")
        plan = dataclasses.replace(plan, references=())
    result = {
        "date": datetime.date.today().isoformat(),
        "machine": machine.facts(),
        "size": dataclasses.asdict(plan.size),
        "n_turns": plan.n_turns,
    }
    result["times"] = _times(plan, say)
    result["errors"] = _errors(plan, say)
    result["drift"] = _drift(plan, say)
    result["growth"] = _growth(plan, say)
    result["cores"] = _cores(plan, say)
    result["memory"] = _memory(plan, say)
    return result


def contestants(case, references):
    """Names of those that can do a case, ours first; references: ddsp's ways that take part."""
    if "ddsp" in case.contestants:
        return ["synths", "plain", *references]
    return list(case.contestants)


def _wait():
    import tensorflow as tf

    if tf.config.list_physical_devices("GPU"):
        tf.test.experimental.sync_devices()


def _seconds(case, names, size, backward, n_turns):
    calls = {name: synth_cases.compiled(case, name, size, backward) for name in names}
    return measures.interleaved_seconds(calls, n_turns, wait=_wait)


def _times(plan, say):
    rows = []
    for name, case in synth_cases.CASES.items():
        for backward, kind in KINDS.items():
            names = contestants(case, plan.references)
            found = _seconds(case, names, case.at(plan.size), backward, plan.n_turns)
            rows.append({"case": name, "backward": backward, "seconds": found})
            figures = ", ".join(f"{who} {1e3 * value:.3g} ms" for who, value in found.items())
            say(f"{case.title}, {kind}: {figures}")
    return rows


def _errors(plan, say):
    rows = []
    for name, case in synth_cases.CASES.items():
        found = {}
        size = case.at(plan.size)
        for who in contestants(case, plan.references):
            definition = case.exact.get("synths" if who == "plain" else who)
            if definition:
                got = synth_cases.compiled(case, who, size, False)().numpy()
                wanted = definition(size=size, **case.inputs(size))
                found[who] = exact.signal_to_error_db(wanted, got)
        if found:
            rows.append({"case": name, "db": found})
            figures = ", ".join(f"{who} {value:.0f} dB" for who, value in found.items())
            say(f"{case.title}, signal to error: {figures}")
    return rows


def _drift(plan, say):
    """Signal-to-error ratio of the last second of ever longer sounds of 18 harmonics of 440 Hz."""
    import tensorflow as tf

    import synths

    f0_hz, n_harmonics = 440.0, 18
    found = {"synths": [], "plain": []}
    if plan.references:
        found.update({"ddsp": [], "ddsp, angular cumsum": []})
    for seconds in plan.drift_seconds:
        size = Size(batch=1, seconds=seconds, n_partials=n_harmonics)
        frequencies = np.full([1, size.n_frames, 1], f0_hz, np.float32)
        shares = np.full([1, size.n_frames, n_harmonics], 1.0 / n_harmonics, np.float32)
        last = slice(size.n_samples - SAMPLE_RATE, None)
        for who, values in found.items():
            # ddsp needs 4 GB for a minute of it, and ten times that for ten.
            if who.startswith("ddsp") and seconds > 60.0:
                values.append(None)
                continue
            ours = not who.startswith("ddsp")
            options = {} if ours else {"use_angular_cumsum": who != "ddsp"}
            library = synths if ours else ddsp_package.load().core
            synths.set_native_kernels(False if who == "plain" else None)
            try:
                audio = library.harmonic_synthesis(
                    tf.constant(frequencies),
                    tf.ones_like(frequencies),
                    harmonic_distribution=tf.constant(shares),
                    n_samples=size.n_samples,
                    sample_rate=SAMPLE_RATE,
                    **options,
                )
            finally:
                synths.set_native_kernels(None)
            define = exact.harmonic if ours else exact.harmonic_as_ddsp
            wanted = define(frequencies, shares, size.n_samples, SAMPLE_RATE, last)
            values.append(exact.signal_to_error_db(wanted, audio.numpy()[:, last]))
        figures = ", ".join(f"{k} {v[-1]:.1f} dB" for k, v in found.items() if v[-1] is not None)
        say(f"{n_harmonics} harmonics of {f0_hz:g} Hz after {seconds:g} s: {figures}")
    return {"seconds": list(plan.drift_seconds), "db": found}


def _growth(plan, say):
    """Time of harmonics, forward + backward, as one size grows, and the power it grows with."""
    case = synth_cases.CASES["harmonic"]
    names = [name for name in contestants(case, plan.references) if "XLA" not in name]
    rows = []
    for what, values in plan.growth.items():
        found = {name: [] for name in names}
        for value in values:
            size = dataclasses.replace(plan.size, **{what: value})
            for name, seconds in _seconds(case, names, size, True, min(plan.n_turns, 5)).items():
                found[name].append(seconds)
        exponents = {
            name: float(np.polyfit(np.log(values), np.log(seconds), 1)[0])
            for name, seconds in found.items()
        }
        rows.append({"what": what, "values": list(values), "seconds": found, "power": exponents})
        figures = ", ".join(f"{who} {power:.2f}" for who, power in exponents.items())
        say(f"time grows with a power of {what}: {figures}")
    return rows


def _cores(plan, say):
    case = synth_cases.CASES["harmonic"]
    names = [name for name in contestants(case, plan.references) if "XLA" not in name]
    rows = []
    for n_cores in plan.n_cores:
        if n_cores > machine.n_cores():
            continue
        for backward, kind in KINDS.items():
            job = {
                "case": "harmonic",
                "contestants": names,
                "size": dataclasses.asdict(plan.size),
                "backward": backward,
                "n_turns": min(plan.n_turns, 5),
            }
            found = child.measure(job, n_cores)
            rows.append({"n_cores": n_cores, "backward": backward, "seconds": found})
            figures = ", ".join(f"{who} {1e3 * value:.3g} ms" for who, value in found.items())
            say(f"{case.title}, {kind}, {n_cores} core{'s' * (n_cores > 1)}: {figures}")
    return rows


def _memory(plan, say):
    rows = []
    for name in plan.in_memory:
        case = synth_cases.CASES[name]
        found = {}
        for who in contestants(case, plan.references):
            job = {
                "case": name,
                "contestants": [who],
                "size": dataclasses.asdict(plan.size),
                "backward": True,
                "n_turns": None,
            }
            found.update(child.measure(job))
        rows.append({"case": name, "bytes": found})
        figures = ", ".join(f"{k} {v / measures.MIB:.4g} MiB" for k, v in found.items())
        say(f"{case.title}, {KINDS[True]}, peak extra memory: {figures}")
    return rows


def save(result, folder):
    """Writes a result as JSON into a folder, which is made if need be; returns the path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / RESULT
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return path
