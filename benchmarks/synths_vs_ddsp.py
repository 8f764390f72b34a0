"""`synths` beside ddsp 3.7.0: time, memory, error, and how time grows with the work.

    python benchmarks/synths_vs_ddsp.py                  measures, some minutes; `make bench`
    python benchmarks/synths_vs_ddsp.py --publish        puts the figures into the documents

Figures go to runs/bench/synths_vs_ddsp.json, tables beside it. Without ddsp its columns stay empty.
`--publish` (`make benchdocs`) draws docs/images/synths_vs_ddsp.png and synths_growth.png and
replaces what stands between `<!-- bench: ... -->` and `<!-- bench end -->` in docs/results.md.
"""

import argparse
import dataclasses
import datetime
import json
import math
import os
import sys
import textwrap
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from benchmarks import common, exact  # noqa: E402
from benchmarks.common import (  # noqa: E402
    MIB,
    described,
    facts,
    in_process,
    interleaved_seconds,
    peak_extra_bytes,
    table,
)
from benchmarks.synth_cases import CASES, SAMPLE_RATE, Size, compiled  # noqa: E402
from noisygan import ddsp_package  # noqa: E402

KINDS = {False: "forward", True: "forward + backward"}
REFERENCES = ("ddsp", "ddsp, XLA", "tf.signal")
LABELS = {
    "ddsp": "ddsp 3.7.0",
    "ddsp, XLA": "ddsp 3.7.0, XLA",
    "ddsp, angular cumsum": "ddsp 3.7.0, angular cumsum",
    "tf.signal": "tf.signal",
    "synths": "synths",
    "plain": "synths, plain TensorFlow",
}
COLOURS = ("#1f4e79", "#7a9cc0", "#7a9cc0", "#00798c", "#d1495b", "#edae49")
COLOURS = dict(zip(LABELS, COLOURS, strict=True))


@dataclasses.dataclass(frozen=True)
class Plan:
    """Amount of measuring.

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
    in_memory: tuple = tuple(CASES)
    n_cores: tuple = (1, 2)
    references: tuple = ("ddsp", "ddsp, XLA")

    def contestants(self, case):
        """Names of the contestants of a case, ours first."""
        ours = ["synths", "plain", *self.references]
        return ours if "ddsp" in case.contestants else list(case.contestants)


# Sizes that say nothing about speed, to see that it runs.
QUICK = Plan(
    size=Size(batch=2, seconds=0.2, n_partials=4),
    n_turns=1,
    growth={"batch": (1, 2)},
    drift_seconds=(1.0, 2.0),
    in_memory=("harmonic",),
    n_cores=(1,),
    references=("ddsp",),
)


# ---- measuring -------------------------------------------------------------------------------


def measure(plan, say=print):
    """Measure everything of a plan.

    Args:
      plan: A Plan.
      say: Called with a line of text for each figure as it is found.

    Returns:
      dict that `json` can write; `tables` and `draw` take it.
    """
    if not ddsp_package.is_installed():
        say(f"ddsp is not installed, so its columns stay empty: {ddsp_package.HOW_TO_INSTALL}")
        plan = dataclasses.replace(plan, references=())
    result = {
        "date": datetime.date.today().isoformat(),
        "machine": facts(),
        "size": dataclasses.asdict(plan.size),
        "n_turns": plan.n_turns,
    }
    for name, measured in (
        *(("times", _times), ("errors", _errors), ("drift", _drift), ("growth", _growth)),
        *(("cores", _cores), ("memory", _memory)),
    ):
        result[name] = []
        for row in measured(plan):
            result[name].append(row)
            figures = row["figures"].items()
            say(f"{name}, {row['title']}: " + ", ".join(f"{k} {v:.4g}" for k, v in figures if v))
    return result


def _seconds(case, names, size, backward, n_turns):
    import tensorflow as tf

    is_gpu = bool(tf.config.list_physical_devices("GPU"))
    wait = tf.test.experimental.sync_devices if is_gpu else lambda: None
    calls = {name: compiled(case, name, size, backward) for name in names}
    return interleaved_seconds(calls, n_turns, wait=wait)


def _times(plan):
    for name, case in CASES.items():
        for backward, kind in KINDS.items():
            names = plan.contestants(case)
            found = _seconds(case, names, case.at(plan.size), backward, plan.n_turns)
            title = f"{case.title}, {kind}"
            yield {"case": name, "backward": backward, "title": title, "figures": found}


def _errors(plan):
    for name, case in CASES.items():
        found, size = {}, case.at(plan.size)
        for who in plan.contestants(case):
            definition = case.exact.get("synths" if who == "plain" else who)
            if definition:
                wanted = definition(size=size, **case.inputs(size))
                got = compiled(case, who, size, False)().numpy()
                found[who] = exact.signal_to_error_db(wanted, got)
        if found:
            yield {"case": name, "title": case.title, "figures": found}


def _drift(plan):
    """Signal to error in the last second of ever longer sounds of 18 harmonics of 440 Hz."""
    for seconds in plan.drift_seconds:
        size = Size(batch=1, seconds=seconds, n_partials=18)
        f0_hz = np.full([1, size.n_frames, 1], 440.0, np.float32)
        shares = np.full([1, size.n_frames, 18], 1.0 / 18, np.float32)
        # ddsp needs 4 GB for a minute of it, and ten times that for ten.
        theirs = ["ddsp", "ddsp, angular cumsum"] if plan.references and seconds <= 60 else []
        found = {who: _drifted(who, size, f0_hz, shares) for who in ("synths", "plain", *theirs)}
        yield {"seconds": seconds, "title": f"{seconds:g} s", "figures": found}


def _drifted(who, size, f0_hz, shares):
    import tensorflow as tf

    import synths

    ours = not who.startswith("ddsp")
    library = synths if ours else ddsp_package.load().core
    options = {} if ours else {"use_angular_cumsum": who != "ddsp"}
    options |= {"n_samples": size.n_samples, "sample_rate": SAMPLE_RATE}
    last = slice(size.n_samples - SAMPLE_RATE, None)
    synths.set_native_kernels(False if who == "plain" else None)
    try:
        f0 = tf.constant(f0_hz)
        audio = library.harmonic_synthesis(
            f0, tf.ones_like(f0), harmonic_distribution=tf.constant(shares), **options
        )
    finally:
        synths.set_native_kernels(None)
    define = exact.harmonic if ours else exact.harmonic_as_ddsp
    wanted = define(f0_hz, shares, size.n_samples, SAMPLE_RATE, last)
    return exact.signal_to_error_db(wanted, audio.numpy()[:, last])


def _without_xla(plan):
    return [name for name in plan.contestants(CASES["harmonic"]) if "XLA" not in name]


def _growth(plan):
    """Time of harmonics, forward + backward, as one size grows, and the power it grows with."""
    names = _without_xla(plan)
    for what, values in plan.growth.items():
        seconds = {name: [] for name in names}
        for value in values:
            size = dataclasses.replace(plan.size, **{what: value})
            found = _seconds(CASES["harmonic"], names, size, True, min(plan.n_turns, 5))
            for name in names:
                seconds[name].append(found[name])
        powers = {k: float(np.polyfit(np.log(values), np.log(v), 1)[0]) for k, v in seconds.items()}
        title = f"{what} {values[0]:g} to {values[-1]:g}"
        yield {"what": what, "values": list(values), "seconds": seconds} | {
            "title": title,
            "figures": powers,
        }


def _cores(plan):
    for n_cores in plan.n_cores:
        for backward, kind in KINDS.items() if n_cores <= common.n_cores() else ():
            job = {"case": "harmonic", "names": _without_xla(plan), "backward": backward}
            job |= {"size": dataclasses.asdict(plan.size), "n_turns": min(plan.n_turns, 5)}
            title = f"{kind}, {n_cores} core{'s' * (n_cores > 1)}"
            yield {"title": title, "figures": in_process(__file__, job, n_cores)}


def _memory(plan):
    for name in plan.in_memory:
        found = {}
        for who in plan.contestants(CASES[name]):
            job = {"case": name, "names": [who], "backward": True, "n_turns": None}
            found |= in_process(__file__, job | {"size": dataclasses.asdict(plan.size)})
        title = f"{CASES[name].title}, {KINDS[True]}"
        yield {"case": name, "title": title, "figures": found}


def child(job):
    """Do a job in this process: {contestant: seconds, or bytes where n_turns is None}."""
    case, backward = CASES[job["case"]], job["backward"]
    size = case.at(Size(**job["size"]))
    if job["n_turns"] is not None:
        return _seconds(case, job["names"], size, backward, job["n_turns"])
    (name,) = job["names"]
    compiled(case, name, Size(batch=1, seconds=0.1, n_partials=2), backward)()
    return {name: peak_extra_bytes(compiled(case, name, size, backward))}


# ---- tables ----------------------------------------------------------------------------------


def fastest_reference(figures):
    """The smallest figure that is not ours, None without any."""
    return min((figures[name] for name in REFERENCES if figures.get(name)), default=None)


def three_digits(value):
    """A positive number with three digits that count."""
    if not value or not math.isfinite(value):
        return "-"
    decimals = max(0, 2 - math.floor(math.log10(value)))
    return f"{value:.{decimals}f}" if decimals else f"{round(value, -int(math.log10(value)) + 2):g}"


def decibels(value):
    return "-" if value is None else f"{value:.0f}" if abs(value) >= 10 else f"{value:.1f}"


def tables(result):
    """All tables of a result, Markdown."""
    size = Size(**result["size"])
    heading = wrapped(
        f"Measured on {result['date']}: {described(result['machine'])}. Batch {size.batch} x "
        f"{size.seconds:g} s x 16 kHz, {size.n_frames} frames, {size.n_partials} harmonics where a "
        f"row says nothing else; medians of {result['n_turns']} turns, contestants in turn. A "
        "ratio is to the better of the columns that are not ours. ddsp has no Modal; its "
        "Sinusoidal makes the same sound there, with the decay written into frames."
    )
    power = "Harmonic, forward + backward: time grows with the power"
    last = "signal to error in dB in the last second, 18 harmonics of 440 Hz"
    parts = [
        heading,
        _compared("time in ms", result["times"], 1e-3),
        _compared("peak extra memory in MiB", result["memory"], MIB),
        _plain("signal to error in dB", result["errors"], decibels),
        _plain(last, result["drift"], decibels),
        _plain(power, result["growth"], "{:.2f}".format),
        _plain("Harmonic, time in ms", result["cores"], lambda value: three_digits(1e3 * value)),
    ]
    return "\n\n".join(parts) + "\n"


def _compared(head, rows, unit):
    columns = ["ddsp or tf.signal", "ddsp, XLA", "synths", "ratio", "synths, plain", "ratio"]
    cells = []
    for row in rows:
        figures, reference = row["figures"], fastest_reference(row["figures"])
        theirs = [figures.get("ddsp") or figures.get("tf.signal"), figures.get("ddsp, XLA")]
        line = [row["title"], *(three_digits((value or 0) / unit) for value in theirs)]
        for value in (figures["synths"], figures.get("plain")):
            ratio = reference / value if reference and value else 0
            line += [three_digits((value or 0) / unit), three_digits(ratio)]
        cells.append(line)
    return table([head, *columns], cells)


def _plain(head, rows, write):
    if not rows:
        return ""
    names = [name for name in LABELS if any(name in row["figures"] for row in rows)]
    cells = [
        [row["title"], *(write(row["figures"][n]) if n in row["figures"] else "-" for n in names)]
        for row in rows
    ]
    return table([head, *(LABELS[name] for name in names)], cells)


def wrapped(text):
    """Prose at 100 columns."""
    return textwrap.fill(text, 100, break_long_words=False)


def summary(result):
    """A result in a sentence or two; empty where ddsp was not measured."""
    rows = [row["figures"] for row in result["times"] if row["case"] == "harmonic"]
    rows += [row["figures"] for row in result["memory"] if row["case"] == "harmonic"]
    if not all(map(fastest_reference, rows)):
        return ""
    forward, backward, memory = (
        three_digits(fastest_reference(figures) / figures["synths"]) for figures in rows
    )
    drift = [row for row in result["drift"] if "ddsp" in row["figures"]][-1]
    ours, theirs = (decibels(drift["figures"][name]) for name in ("synths", "ddsp"))
    return (
        f"{result['size']['n_partials']} harmonics, forward and with all gradients: {forward} and "
        f"{backward} times faster than ddsp 3.7.0 at its fastest, in 1/{memory} of the memory. "
        f"After {drift['seconds']:g} s of sound the signal is {ours} dB over its error (ddsp: "
        f"{theirs} dB). Measured on {result['date']} on {result['machine']['processor']}, "
        f"{result['machine']['cores']} cores."
    )


# ---- pictures and documents ------------------------------------------------------------------


def draw(result, path):
    """Draw times side by side, and the error over the length of a sound."""
    plt = _pyplot()
    rows = list(reversed(result["times"]))
    size = (11, 1.6 + 0.3 * len(rows))
    figure, (left, right) = plt.subplots(1, 2, figsize=size, dpi=120, width_ratios=(1.9, 1))
    shown = [name for name in LABELS if any(name in row["figures"] for row in rows)]
    for y, row in enumerate(rows):
        values = {name: 1e3 * value for name, value in row["figures"].items()}
        left.plot([min(values.values()), max(values.values())], [y, y], color="#cccccc", zorder=1)
        for name in shown:
            label = LABELS[name] if y == 0 else None
            left.scatter(values.get(name), y, s=42, color=COLOURS[name], label=label, zorder=2)
        reference = fastest_reference(values)
        if reference:
            text = f"{three_digits(reference / values['synths'])} x"
            place = (max(values.values()), y)
            left.annotate(text, place, (8, 0), textcoords="offset points", va="center", fontsize=8)
    left.set_yticks(range(len(rows)), [row["title"] for row in rows], fontsize=8)
    left.set_xscale("log")
    left.margins(x=0.12)
    left.set_xlim(right=2.0 * left.get_xlim()[1])  # room for the ratios
    left.set_xlabel("ms, logarithmic; behind each row how many times faster", fontsize=8)
    sounds = Size(**result["size"])
    left.set_title(f"Time of {sounds.batch} sounds of {sounds.seconds:g} s at 16 kHz", fontsize=10)
    left.legend(fontsize=7, loc="upper center", bbox_to_anchor=(0.3, -0.13), ncol=5)
    for name in LABELS:
        known = [
            (r["seconds"], r["figures"][name]) for r in result["drift"] if name in r["figures"]
        ]
        if known:
            style = {"color": COLOURS[name], "ls": "--" if name == "plain" else "-"}
            right.plot(*zip(*known, strict=True), marker="o", ms=4, label=LABELS[name], **style)
    right.set_xscale("log")
    right.set_xlabel("length of the sound in s, logarithmic", fontsize=8)
    right.set_title("Signal to error in dB,\n18 harmonics of 440 Hz", fontsize=10)
    right.legend(fontsize=7)
    _finish(plt, figure, (left, right), path)


def draw_growth(result, path):
    """Draw how the time of harmonics, forward and backward, grows with the work."""
    plt = _pyplot()
    rows = result["growth"]
    size = (3.7 * len(rows), 3.4)
    figure, axes = plt.subplots(1, len(rows), figsize=size, dpi=120, sharey=True, squeeze=False)
    for axis, row in zip(axes[0], rows, strict=True):
        for name, seconds in row["seconds"].items():
            label = f"{LABELS[name]}: power {row['figures'][name]:.2f}"
            values = [1e3 * value for value in seconds]
            axis.loglog(row["values"], values, marker="o", ms=4, color=COLOURS[name], label=label)
        axis.set_xlabel(row["what"].replace("n_partials", "harmonics"), fontsize=8)
        axis.legend(fontsize=6.5)
    axes[0, 0].set_ylabel("ms, forward + backward", fontsize=8)
    _finish(plt, figure, axes[0], path)


def _pyplot():
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    return plt


def _finish(plt, figure, axes, path):
    for axis in axes:
        axis.tick_params(labelsize=8)
        axis.grid(alpha=0.25, lw=0.5)
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)


def publish(result, root):
    """Write plots and figures of a result into the documents under a folder."""
    path = root / "docs/results.md"
    text = common.replaced(path.read_text(encoding="utf-8"), "summary", wrapped(summary(result)))
    path.write_text(
        common.replaced(text, "tables", "`make bench`. " + tables(result)), encoding="utf-8"
    )
    draw(result, root / "docs/images/synths_vs_ddsp.png")
    draw_growth(result, root / "docs/images/synths_growth.png")


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--publish", action="store_true", help="measure nothing")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to see that it runs")
    parser.add_argument("--out", type=Path, default=ROOT / "runs/bench", help="folder of figures")
    parser.add_argument("--job", type=json.loads, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.job:
        print(json.dumps(child(args.job)))
        return
    path = args.out / "synths_vs_ddsp.json"
    if args.publish:
        publish(json.loads(path.read_text(encoding="utf-8")), ROOT)
        return
    result = measure(QUICK if args.quick else Plan(), say=lambda line: print(line, flush=True))
    args.out.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    path.with_suffix(".md").write_text(tables(result), encoding="utf-8")
    print(f"\n{tables(result)}\nwritten: {path}")


if __name__ == "__main__":
    main()
