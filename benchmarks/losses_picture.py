"""Draws the losses of runs over their training time, a panel each.

python benchmarks/losses_picture.py RUN_DIR [RUN_DIR ...] --out losses.png
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from noisygan.errors import NoisyganError
from noisygan.run import load

N_COLUMNS = 4
# What is drawn: both players' losses and how far recordings and generated sounds are apart in
# the critic's view.
CURVES = {"d_loss": "discriminator", "g_loss": "generator", "gap": "real - fake logits"}


def curves(run):
    """Minutes and curves of a run: (float [n], dict name -> float [n])."""
    lines = [line for line in run.metrics() if "d_loss" in line and "g_loss" in line]
    minutes = np.array([line["seconds"] / 60.0 for line in lines])
    found = {name: np.array([line[name] for line in lines]) for name in ("d_loss", "g_loss")}
    found["gap"] = np.array([line["real_logits"] - line["fake_logits"] for line in lines])
    return minutes, found


def draw(runs, path):
    """Draw the losses of several `Run`s into a PNG."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    n_rows = -(-len(runs) // N_COLUMNS)
    figure, axes = plt.subplots(
        n_rows, N_COLUMNS, figsize=(3.1 * N_COLUMNS, 2.2 * n_rows), dpi=90, squeeze=False
    )
    for axis in axes.flat[len(runs) :]:
        axis.axis("off")
    for axis, run in zip(axes.flat, runs, strict=False):
        minutes, found = curves(run)
        for name, label in CURVES.items():
            axis.plot(minutes, found[name], lw=1.0, label=label)
        axis.set_yscale("symlog", linthresh=1.0)
        axis.set_title(run.path.name, fontsize=9)
        axis.tick_params(labelsize=7)
        axis.axhline(0.0, color="0.8", lw=0.6, zorder=0)
    for axis in axes[-1]:
        axis.set_xlabel("minutes", fontsize=8)
    handles, labels = axes.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, ncols=3, loc="upper center", fontsize=8, frameon=False)
    figure.tight_layout(rect=(0.0, 0.0, 1.0, 1.0 - 0.3 / (2.2 * n_rows)))
    figure.savefig(path)
    plt.close(figure)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run_dirs", nargs="+", type=Path, metavar="RUN_DIR")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE")
    asked = parser.parse_args(arguments)
    try:
        draw([load(path) for path in asked.run_dirs], asked.out)
    except NoisyganError as error:
        print(f"losses_picture: {error}", file=sys.stderr)
        return error.exit_code
    print(asked.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
