"""One self-contained page about a match: both sounds, their spectra, the curves, the descent."""

import numpy as np

from noisygan.reports.page import asset, document, escape
from noisygan.reports.plots import Axis, Curve, line_plot, value_axis
from noisygan.reports.sections import Sections
from noisygan.reports.sounds import Sound


def page(match):
    """The page of a `noisygan.matching.matching.Match`, HTML."""
    sections = Sections()
    target, made = (
        Sound(
            match.target.path, audio, match.target.sample_rate, None, None, match.target.path.stem
        )
        for audio in (match.target.audio, match.audio)
    )
    curves = ""
    if match.controls is not None:
        curves = sections_of_controls(sections, match.controls, made, target)
    content = [
        sections.section(
            "listen",
            "Listen",
            "Spectrograms are log-mel, 80 dB from the brightest to black; waveforms fill their "
            "box.",
            sections.pairs([(target, made)]),
        ),
        sections.section(
            "curves",
            "The curves it is made of",
            "In physical units. They can be edited and rendered again at any sample rate with "
            "<code>noisygan synth</code>.",
            curves,
        ),
        sections.section(
            "descent",
            "The descent",
            "The multi-resolution spectral loss at each step.",
            f'<div class="graphs"><figure class="graph">{loss_plot(match.losses)}</figure></div>',
        ),
    ]
    name = match.target.path.stem.replace("_", " ")
    remarks = "".join(f" Note: {escape(remark)}." for remark in match.remarks)
    lede = (
        '<p class="summary">What the synthesizers have to play to sound like this recording, found '
        f"by gradient descent through them.{remarks}</p>"
    )
    return document(
        f"{name}, matched",
        "match",
        lede + figures(match) + sections.contents(),
        "".join(content),
        asset("players.js"),
    )


def sections_of_controls(sections, controls, made, target):
    """Plots of the curves; nothing where the sound is struck and has none."""
    has_curves = any(name.endswith(("/f0_hz", "/amplitudes")) for name in controls)
    return sections.controls(controls, made, target) if has_curves else ""


def figures(match):
    """The few numbers of a match."""
    items = [
        (f"{match.start_db:.1f} dB", "log-spectral distance of the start"),
        (f"{match.distance_db:.1f} dB", "after the descent"),
        (f"{len(match.losses)}", "steps"),
    ]
    cells = "".join(f"<div><dd>{value}</dd><dt>{what}</dt></div>" for value, what in items)
    return f'<dl class="strip-facts">{cells}</dl>'


def loss_plot(losses):
    """The loss over the steps."""
    steps = np.arange(1.0, len(losses) + 1.0)
    last = max(float(len(losses)), 2.0)
    ticks = [(v, f"step {v:g}") for v, _ in value_axis(0.0, last).ticks if 0 < v <= last]
    return line_plot(
        [Curve(steps, np.asarray(losses), "fake")],
        Axis(1.0, last, tuple(ticks)),
        value_axis(0.0, float(np.max(losses))),
        "Loss over the steps of the descent",
    )
