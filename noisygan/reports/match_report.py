"""Page about a match: both sounds, their spectra, the controls, the descent."""

import numpy as np

from noisygan.reports.controls import control_plots
from noisygan.reports.page import render
from noisygan.reports.plots import Axis, Curve, Plot, step_axis, value_axis
from noisygan.reports.sounds import Sound, loudest


def page(match):
    """HTML of the page of a `noisygan.matching.matching.Match`."""
    name = match.target.path.stem.replace("_", " ")
    target, made = (
        Sound(audio, match.target.sample_rate, name) for audio in (match.target.audio, match.audio)
    )
    n_steps = len(match.losses)
    steps = np.arange(1, n_steps + 1)
    loss = Plot(
        Axis(1.0, max(n_steps, 2.0), step_axis(n_steps).ticks),
        value_axis(0.0, float(np.max(match.losses))),
        "Loss over the steps of the descent",
        (Curve(steps, np.asarray(match.losses), "fake"),),
    )
    return render(
        "match.html",
        title=f"{name}, matched",
        kicker="match",
        credit=(),
        match=match,
        target=target,
        made=made,
        peak=loudest([target, made]),
        controls=control_plots(match.controls or {}, made, target),
        loss=loss,
    )
