"""Sounds and a picture of a run at several steps of its training, beside a recording.

    python benchmarks/checkpoint_sounds.py RUN_DIR RECORDING --docs docs --name noisygan_paper

The run was trained with `--snapshot_minutes`. Each sound is that of one z. docs/images/NAME.jpg
has log-mel spectrograms, docs/sounds/NAME_STEP.ogg the sounds.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import noisygan
from benchmarks import common
from noisygan.audio_io import decoding
from noisygan.metrics.spectrograms import log_mel_db
from noisygan.training import checkpoints


def sounds_of(run_dir, n, pitch):
    """n sounds of one z, evenly over the logarithm of the time: dict step -> (audio, rate)."""
    saved = list(checkpoints.snapshots(run_dir).values())
    chosen = [saved[i] for i in np.unique(np.geomspace(1, len(saved), n).round().astype(int) - 1)]
    sounds = {}
    for prefix in chosen:
        notes = noisygan.load(run_dir, checkpoint=prefix).render(pitch=pitch, seed=0)
        sounds[checkpoints.step_of(prefix)] = notes.audio[0], notes.sample_rate
    return sounds


def draw(sounds, path):
    """Draw log-mel spectrograms of (title, audio, sample rate), one beside the other."""
    figure, axes = plt.subplots(1, len(sounds), figsize=(2.2 * len(sounds), 2.6), dpi=100)
    for axis, (title, audio, sample_rate) in zip(axes, sounds, strict=True):
        picture = log_mel_db(audio, sample_rate, n_mels=128)
        limits = {"vmin": -80, "vmax": 0, "extent": (0, len(audio) / sample_rate, 0, 128)}
        shown = picture.T - picture.max()
        axis.imshow(shown, origin="lower", aspect="auto", cmap="magma", **limits)
        axis.set_title(title, fontsize=9)
        axis.set_yticks([])
        axis.set_xlabel("s", fontsize=8)
        axis.tick_params(labelsize=7)
    figure.tight_layout()
    figure.savefig(path, pil_kwargs={"quality": 80})
    plt.close(figure)


def main():
    """Render, encode and draw."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("run_dir", type=Path)
    parser.add_argument("recording", type=Path)
    parser.add_argument("--docs", type=Path, required=True, help="folder with images/ and sounds/")
    parser.add_argument("--name", required=True, help="first part of the file names")
    parser.add_argument("--n", type=int, default=4, help="number of steps")
    parser.add_argument("--pitch", type=float, help="where the run is conditioned on it")
    args = parser.parse_args()
    sounds = sounds_of(args.run_dir, args.n, args.pitch)
    for step, (audio, sample_rate) in sounds.items():
        scaled = 0.9 * audio / max(0.9, np.abs(audio).max())
        path = args.docs / "sounds" / f"{args.name}_{step}.ogg"
        common.write_ogg(path, scaled, sample_rate)
    rate = next(iter(sounds.values()))[1]
    real = decoding.decode(args.recording, rate, len(next(iter(sounds.values()))[0]))
    common.write_ogg(args.docs / "sounds" / f"{args.name}_recorded.ogg", real, rate)
    shown = [("recorded", real, rate)]
    shown += [(f"step {step}", *sound) for step, sound in sounds.items()]
    draw(shown, args.docs / "images" / f"{args.name}.jpg")


if __name__ == "__main__":
    main()
