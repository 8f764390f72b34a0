"""Draws the pictures of docs/synths.md from the examples that stand there.

    python benchmarks/synth_pictures.py

An example that is followed by an image `images/synths_NAME.png` leaves its sound in `audio`,
[batch, n_samples], at `sample_rate`. The picture shows the first row's wave and spectrogram.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from scipy import signal

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

PAGE = ROOT / "docs" / "synths.md"
EXAMPLE = re.compile(
    r"^```python\n(.*?)^```\n+!\[[^\]]*\]\((images/synths_\w+\.png)\)", re.M | re.S
)


def examples(text):
    """(source, path of its picture) of the examples of a page that have one."""
    return [(match[1], match[2]) for match in EXAMPLE.finditer(text)]


def draw(audio, sample_rate, path):
    """Draws one sound.

    Args:
      audio: [n_samples].
      sample_rate: Hz.
      path: PNG to write.
    """
    audio = np.asarray(audio, np.float64)
    seconds = np.arange(len(audio)) / sample_rate
    figure, (top, bottom) = plt.subplots(
        2, 1, figsize=(7.5, 3.4), dpi=100, sharex=True, height_ratios=(1, 2.4)
    )
    top.plot(seconds, audio, color="#1f4e79", lw=0.4)
    window = signal.windows.hann(1024, sym=False)
    transform = signal.ShortTimeFFT(window, 128, sample_rate, mfft=2048)
    level_db = 20.0 * np.log10(np.abs(transform.stft(audio)) + 1e-9)
    low, high, _, top_hz = transform.extent(len(audio))
    bottom.imshow(
        level_db,
        origin="lower",
        aspect="auto",
        extent=(low, high, 0.0, top_hz / 1000.0),
        vmin=level_db.max() - 80.0,
        vmax=level_db.max(),
        cmap="magma",
    )
    bottom.set_xlim(0.0, seconds[-1])
    bottom.set_xlabel("s", fontsize=8)
    bottom.set_ylabel("kHz", fontsize=8)
    for axis in (top, bottom):
        axis.tick_params(labelsize=8)
    figure.tight_layout(h_pad=0.3)
    figure.savefig(path)
    plt.close(figure)


def main():
    for source, picture in examples(PAGE.read_text(encoding="utf-8")):
        made = {"__name__": "__main__"}
        exec(compile(source, str(PAGE), "exec"), made)
        draw(made["audio"][0], made["sample_rate"], PAGE.parent / picture)
        print(PAGE.parent.name, picture)


if __name__ == "__main__":
    main()
