"""What is known of a run, and the parts of the page that state it in words."""

from __future__ import annotations

import json
import re

import numpy as np

from noisygan.reports.sections import clock, escape

FACT_LABELS = {
    "command": "Command",
    "started": "Started",
    "steps": "Steps",
    "seconds": "Training time",
    "seed": "Seed",
    "summary": "Recordings",
    "fingerprint": "Their fingerprint",
    "label_names": "Labels",
    "sample_rate": "Sample rate",
    "n_samples": "Samples a sound",
    "parameters": "Parameters",
    "noisygan": "noisygan",
    "versions": "Versions",
}
HIDDEN_FACTS = ("format", "data", "folder", "n_recordings")


def read_facts(run_dir):
    """run.json as a dict; empty where there is none or it can't be read."""
    try:
        facts = json.loads((run_dir / "run.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}


def read_metrics(run_dir):
    """metrics.jsonl as a dict of float arrays, NaN where a line lacks a value; empty if none."""
    try:
        lines = (run_dir / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    entries = []
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:  # the last line of a run that was killed
            continue
        if isinstance(entry, dict) and "step" in entry:
            entries.append(entry)
    names = list(dict.fromkeys(k for e in entries for k, v in e.items() if is_number(v)))
    return {
        k: np.array([float(e[k]) if is_number(e.get(k)) else np.nan for e in entries])
        for k in names
    }


def steps_done(metrics, rows):
    """The last step that metrics or kept sounds tell of; metrics are written every few steps."""
    steps = [int(metrics["step"][-1])] if metrics else []
    steps += [step for row in rows.values() for step, _ in row]
    return max(steps, default=0)


def is_number(value):
    """Whether a value from a JSON file is a number (True and False are not)."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def duration(seconds):
    """`45 seconds`, `5 minutes`, `2.5 hours`."""
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    if seconds < 5400:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3600:.1f} hours"


def strip(facts, metrics, n_steps):
    """The few numbers that one wants first."""
    items = []
    if n_steps:
        items.append((f"{n_steps:,}", "training steps"))
    if "seconds" in metrics and metrics["seconds"][-1] > 0:
        seconds = float(metrics["seconds"][-1])
        items.append((clock(seconds), "minutes" if seconds < 3600 else "hours"))
        items.append((f"{metrics['step'][-1] / seconds:.1f}", "steps a second"))
    parameters = facts.get("parameters")
    if isinstance(parameters, dict) and is_number(parameters.get("generator")):
        items.append((f"{int(parameters['generator']):,}", "generator parameters"))
    data = facts.get("data")
    if isinstance(data, dict) and is_number(data.get("n_recordings")):
        items.append((f"{int(data['n_recordings']):,}", "recordings learned from"))
    if not items:
        return ""
    cells = "".join(f"<div><dd>{v}</dd><dt>{k}</dt></div>" for v, k in items)
    return f'<dl class="strip-facts">{cells}</dl>'


def facts_table(run_dir, facts, metrics, n_steps):
    """run.json and the config, as far as they are there."""
    data = facts.get("data")
    facts = {**facts, **data} if isinstance(data, dict) else dict(facts)
    if n_steps:
        facts.setdefault("steps", n_steps)
    if "seconds" in metrics:
        facts.setdefault("seconds", float(metrics["seconds"][-1]))
    order = [*FACT_LABELS, *(k for k in facts if k not in {*FACT_LABELS, *HIDDEN_FACTS})]
    rows = []
    for key in order:
        value = fact_text(key, facts.get(key))
        if value:
            label = FACT_LABELS.get(key, key.replace("_", " ").capitalize())
            rows.append(f'<tr><th scope="row">{escape(label)}</th><td>{value}</td></tr>')
    out = f'<table class="facts"><tbody>{"".join(rows)}</tbody></table>' if rows else ""
    config = run_dir / "config.gin"
    if config.is_file():
        text = config.read_text(encoding="utf-8", errors="replace")
        out += (
            "<details><summary>The resolved config</summary>"
            f'<pre tabindex="0">{escape(text)}</pre></details>'
        )
    return out


def fact_text(key, value):
    """A value of run.json as HTML."""
    if value is None or value in ("", [], {}):
        return ""
    if key == "seconds" and is_number(value):
        return f"{clock(value)} ({duration(value)})"
    if key == "sample_rate" and is_number(value):
        return f"{value:,} Hz"
    if key in ("command", "fingerprint"):
        words = value if isinstance(value, str) else " ".join(str(v) for v in value)
        return f"<code>{escape(words)}</code>"
    if key == "summary":  # without the folder: the page may be passed on
        return escape(re.sub(r",? from \S*[/\\].*$", "", str(value)))
    if isinstance(value, dict):
        items = (f"{escape(k)}&nbsp;{fact_text(k, v)}" for k, v in value.items() if fact_text(k, v))
        return ", ".join(items)
    if isinstance(value, list):
        return escape(", ".join(str(v) for v in value))
    if isinstance(value, float):
        return f"{value:,.4g}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}" if key != "seed" else str(value)
    return escape(value)


def default_commands(run_dir):
    """What a person may want to do with this run now."""
    run = run_dir.as_posix()
    return [
        (
            "Render a scale at 48 kHz, with the curves",
            f"noisygan render --run_dir {run} --out_dir scale --pitch 60,62,64,65,67,69,71,72 "
            "--sample_rate 48000 --controls",
        ),
        ("See every bundled config", "noisygan configs"),
        (
            "Train on a folder of your own notes",
            "noisygan train --gin_file runs/notes.gin --data MY_NOTES --run_dir runs/mine "
            "--minutes 10",
        ),
    ]


def command_list(commands):
    """Commands with what they do, each with a copy button."""
    items = "".join(
        f'<li><p>{escape(why)}</p><div class="command"><code>{escape(command)}</code>'
        f'<button class="plain copy" type="button" aria-label="Copy the command: {escape(why)}">'
        "Copy</button></div></li>"
        for why, command in commands
    )
    return f'<ul class="commands">{items}</ul>'
