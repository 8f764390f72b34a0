"""What `synths_vs_ddsp.measure` found, as Markdown tables and plots."""

from __future__ import annotations

import math

from noisygan.benchmarks import machine
from noisygan.benchmarks.measures import MIB
from noisygan.benchmarks.synth_cases import CASES, Size
from noisygan.benchmarks.synths_vs_ddsp import KINDS

TABLES = "synths_vs_ddsp.md"
PLOT = "synths_vs_ddsp.png"
GROWTH_PLOT = "synths_growth.png"

REFERENCES = ("ddsp", "ddsp, XLA", "tf.signal")
COLOURS = {
    "synths": "#d1495b",
    "plain": "#edae49",
    "ddsp": "#1f4e79",
    "ddsp, XLA": "#7a9cc0",
    "ddsp, angular cumsum": "#7a9cc0",
    "tf.signal": "#00798c",
}
LABELS = {
    "synths": "synths",
    "plain": "synths, plain TensorFlow",
    "ddsp": "ddsp 3.7.0",
    "ddsp, XLA": "ddsp 3.7.0, XLA",
    "ddsp, angular cumsum": "ddsp 3.7.0, angular cumsum",
    "tf.signal": "tf.signal",
}


def fastest_reference(figures):
    """The smallest figure of those that are not ours, None without any."""
    values = [figures[name] for name in REFERENCES if figures.get(name)]
    return min(values, default=None)


def three_digits(value):
    """A positive number with three digits that count."""
    if not value or not math.isfinite(value):
        return "-"
    decimals = max(0, 2 - math.floor(math.log10(value)))
    return f"{value:.{decimals}f}" if decimals else f"{round(value, -int(math.log10(value)) + 2):g}"


def tables(result):
    """All tables of a result.

    Args:
      result: What `synths_vs_ddsp.measure` returned.

    Returns:
      Markdown text.
    """
    parts = [_heading(result), _times(result), _memory(result), _errors(result), _drift(result)]
    parts += [_growth(result), _cores(result)]
    return "\n\n".join(part for part in parts if part) + "\n"


def summary(result):
    """What a result says, in a sentence or two; empty where ddsp was not measured.

    Args:
      result: What `synths_vs_ddsp.measure` returned.
    """
    seconds = {
        row["backward"]: row["seconds"] for row in result["times"] if row["case"] == "harmonic"
    }
    memory = {row["case"]: row["bytes"] for row in result["memory"]}["harmonic"]
    ratios = [
        fastest_reference(figures) / figures["synths"] if fastest_reference(figures) else None
        for figures in (seconds[False], seconds[True], memory)
    ]
    if None in ratios:
        return ""
    # The longest sound that ddsp was measured on.
    drift = result["drift"]
    last = max(i for i, value in enumerate(drift["db"]["ddsp"]) if value is not None)
    errors = {name: drift["db"][name][last] for name in ("synths", "ddsp")}
    size = Size(**result["size"])
    return (
        f"{size.n_partials} harmonics, forward and with all gradients: "
        f"{three_digits(ratios[0])} and {three_digits(ratios[1])} times faster than ddsp 3.7.0 at "
        f"its fastest, in 1/{three_digits(ratios[2])} of the memory. After "
        f"{drift['seconds'][last]:g} s of sound the signal is {_decibels(errors['synths'])} dB "
        f"over its error (ddsp: {_decibels(errors['ddsp'])} dB). Measured on {result['date']} on "
        f"{result['machine']['processor']}, {result['machine']['cores']} cores."
    )


def _heading(result):
    size = Size(**result["size"])
    return (
        f"Measured on {result['date']}: {machine.described(result['machine'])}. Batch "
        f"{size.batch} x {size.seconds:g} s x 16 kHz, {size.n_frames} frames, {size.n_partials} "
        f"harmonics where a row says nothing else; medians of {result['n_turns']} turns, "
        "contestants in turn. A ratio is to the better of the columns that are not ours. ddsp has "
        "no Modal; its Sinusoidal makes the same sound there, with the decay written into frames."
    )


def _table(head, rows):
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _compared(figures, unit):
    """Cells of one row: references, ours, ratios."""
    reference = fastest_reference(figures)
    cells = []
    for name in ("ddsp", "ddsp, XLA", "synths", "plain"):
        value = figures.get(name)
        if name == "ddsp":
            value = value or figures.get("tf.signal")
        cells.append(three_digits(value / unit) if value else "-")
        if name in ("synths", "plain"):
            cells.append(three_digits(reference / value) if value and reference else "-")
    return cells


def _device(result, in_child=False):
    """ ", on " and where a table was measured; empty where there is one device alone.

    Args:
      result: What `synths_vs_ddsp.measure` returned.
      in_child: Whether by `child.measure`, whose processes see no accelerator.
    """
    accelerators = result["machine"]["accelerators"]
    if not accelerators:
        return ""
    return f", on {result['machine']['processor'] if in_child else accelerators[0]}"


_COLUMNS = ["ddsp or tf.signal", "ddsp, XLA", "synths", "ratio", "synths, plain", "ratio"]


def _times(result):
    rows = [
        [f"{CASES[row['case']].title}, {KINDS[row['backward']]}", *_compared(row["seconds"], 1e-3)]
        for row in result["times"]
    ]
    return _table([f"time in ms{_device(result)}", *_COLUMNS], rows)


def _memory(result):
    rows = [
        [f"{CASES[row['case']].title}, {KINDS[True]}", *_compared(row["bytes"], MIB)]
        for row in result["memory"]
    ]
    head = f"peak extra memory in MiB{_device(result, in_child=True)}"
    return _table([head, *_COLUMNS], rows)


def _decibels(value):
    return "-" if value is None else f"{value:.0f}" if abs(value) >= 10 else f"{value:.1f}"


def _errors(result):
    names = ["ddsp", "synths", "plain"]
    rows = [
        [CASES[row["case"]].title, *(_decibels(row["db"].get(name)) for name in names)]
        for row in result["errors"]
    ]
    return _table(
        [f"signal to error in dB{_device(result)}", *(LABELS[name] for name in names)], rows
    )


def _drift(result):
    drift = result["drift"]
    names = [n for n in ("ddsp", "ddsp, angular cumsum", "synths", "plain") if n in drift["db"]]
    rows = [
        [f"{seconds:g} s", *(_decibels(drift["db"][name][i]) for name in names)]
        for i, seconds in enumerate(drift["seconds"])
    ]
    head = "signal to error in dB in the last second, 18 harmonics of 440 Hz"
    head += _device(result)
    return _table([head, *(LABELS[name] for name in names)], rows)


def _growth(result):
    names = list(result["growth"][0]["power"])
    rows = [
        [
            f"{row['what']} {row['values'][0]:g} to {row['values'][-1]:g}",
            *(f"{row['power'][name]:.2f}" for name in names),
        ]
        for row in result["growth"]
    ]
    head = "Harmonic, forward + backward: time grows with the power"
    head += _device(result)
    return _table([head, *(LABELS[name] for name in names)], rows)


def _cores(result):
    if not result["cores"]:
        return ""
    names = list(result["cores"][0]["seconds"])
    rows = [
        [
            f"{KINDS[row['backward']]}, {row['n_cores']} core{'s' * (row['n_cores'] > 1)}",
            *(three_digits(1e3 * row["seconds"][name]) for name in names),
        ]
        for row in result["cores"]
    ]
    head = f"Harmonic, time in ms{_device(result, in_child=True)}"
    return _table([head, *(LABELS[name] for name in names)], rows)


def draw(result, path):
    """Draws times side by side and the error over the length of a sound.

    Args:
      result: What `synths_vs_ddsp.measure` returned.
      path: PNG to write.
    """
    plt = _pyplot()
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(11, 1.6 + 0.3 * len(result["times"])), dpi=120, width_ratios=(1.9, 1)
    )
    rows = list(reversed(result["times"]))
    for y, row in enumerate(rows):
        seconds = row["seconds"]
        values = [1e3 * value for value in seconds.values()]
        left.plot([min(values), max(values)], [y, y], color="#cccccc", lw=1.5, zorder=1)
        for name in reversed(list(seconds)):
            left.scatter(1e3 * seconds[name], y, s=42, color=COLOURS[name], zorder=2)
        reference = fastest_reference(seconds)
        if reference:
            ratio = f"{three_digits(reference / seconds['synths'])} x"
            left.annotate(
                ratio,
                (max(values), y),
                (8, 0),
                textcoords="offset points",
                va="center",
                fontsize=8,
            )
    left.set_yticks(range(len(rows)))
    left.set_yticklabels(
        [f"{CASES[row['case']].title}, {KINDS[row['backward']]}" for row in rows], fontsize=8
    )
    left.set_xscale("log")
    left.margins(x=0.12)
    # Room for what is written behind the last dots.
    left.set_xlim(right=2.0 * left.get_xlim()[1])
    left.set_xlabel("ms, logarithmic; behind each row how many times faster", fontsize=8)
    size = Size(**result["size"])
    left.set_title(f"Time of {size.batch} sounds of {size.seconds:g} s at 16 kHz", fontsize=10)
    shown = {name for row in rows for name in row["seconds"]}
    for name in COLOURS:
        if name in shown:
            left.scatter([], [], s=42, color=COLOURS[name], label=LABELS[name])
    left.legend(fontsize=7, loc="upper center", bbox_to_anchor=(0.3, -0.13), ncol=5)

    drift = result["drift"]
    for name, values in drift["db"].items():
        known = [(s, v) for s, v in zip(drift["seconds"], values, strict=True) if v is not None]
        style = {"color": COLOURS[name], "ls": "--" if name == "plain" else "-"}
        right.plot(*zip(*known, strict=True), marker="o", ms=4, label=LABELS[name], **style)
    right.set_xscale("log")
    right.set_xlabel("length of the sound in s, logarithmic", fontsize=8)
    right.set_title("Signal to error in dB,\n18 harmonics of 440 Hz", fontsize=10)
    right.legend(fontsize=7)
    _finish(plt, figure, (left, right), path)


def draw_growth(result, path):
    """Draws how the time of harmonics, forward and backward, grows with the work."""
    plt = _pyplot()
    rows = result["growth"]
    figure, axes = plt.subplots(
        1, len(rows), figsize=(3.7 * len(rows), 3.4), dpi=120, sharey=True, squeeze=False
    )
    for axis, row in zip(axes[0], rows, strict=True):
        for name, seconds in row["seconds"].items():
            label = f"{LABELS[name]}: power {row['power'][name]:.2f}"
            values = [1e3 * value for value in seconds]
            axis.plot(row["values"], values, marker="o", ms=4, color=COLOURS[name], label=label)
        axis.set_xscale("log")
        axis.set_yscale("log")
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


def write(result, folder):
    """Writes tables and plots of a result into a folder that exists; returns their paths."""
    paths = [folder / name for name in (TABLES, PLOT, GROWTH_PLOT)]
    paths[0].write_text(tables(result), encoding="utf-8")
    draw(result, paths[1])
    draw_growth(result, paths[2])
    return paths
