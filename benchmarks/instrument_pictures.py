r"""Picture and sounds of the runs of `benchmarks/instruments.py` for the documentation.

    python benchmarks/instrument_pictures.py OUT_DIR --docs docs --recorded piano percussion \
        --percussion runs/percussion percussion

For each instrument, seed 0: docs/images/INSTRUMENT.jpg shows recordings at three held-out pitches,
the generated notes of the same pitch, velocity and note-off, and the levels of both.
docs/sounds/INSTRUMENT.ogg are the generated notes and, if their licence lets us, with --recorded,
INSTRUMENT_recorded.ogg the recordings. For percussion: one sound of each class.
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
from noisygan.evaluation import generate
from noisygan.evaluation.examples import Examples
from noisygan.metrics.note_envelopes import LEVEL_SECONDS
from noisygan.metrics.spectrograms import log_mel_db

N_NOTES = 3
RECORDED, GENERATED = "#1f4e79", "#c0504d"


def chosen(examples):
    """Rows of notes from low to high, of the loudest layer."""
    loudest = np.nan_to_num(examples.velocity) == np.nan_to_num(examples.velocity).max()
    rows = np.flatnonzero(loudest)
    rows = rows[np.argsort(examples.pitch[rows])]
    return rows[np.linspace(0, len(rows) - 1, N_NOTES + 2).round().astype(int)[1:-1]]


def draw(pairs, sample_rate, path):
    """Draw (pitch, recorded Examples row, generated one) as columns of a picture."""
    figure, axes = plt.subplots(
        3, len(pairs), figsize=(9.0, 5.6), dpi=100, sharex=True, squeeze=False
    )
    for column, (pitch, *notes) in zip(axes.T, pairs, strict=True):
        column[0].set_title(f"MIDI {pitch:.0f}", fontsize=9)
        seconds = notes[0].audio.shape[1] / sample_rate
        for axis, note in zip(column[:2], notes, strict=True):
            picture = log_mel_db(note.audio[0], sample_rate, n_mels=128)
            axis.imshow(
                picture.T - picture.max(),
                origin="lower",
                aspect="auto",
                vmin=-80,
                vmax=0,
                extent=(0, seconds, 0, 128),
                cmap="magma",
            )
            axis.set_yticks([])
        for note, color in zip(notes, (RECORDED, GENERATED), strict=True):
            level = note.envelopes.level[0]
            column[2].plot(np.arange(len(level)) * LEVEL_SECONDS, level, color=color, lw=1.0)
        column[2].set_ylim(-70, 3)
        column[2].set_xlabel("s", fontsize=8)
    for axis, label in zip(axes[:, 0], ("recorded", "generated", "level, dB"), strict=True):
        axis.set_ylabel(label, fontsize=9)
    axes[2, 0].legend(["recorded", "generated"], fontsize=7, loc="lower left")
    for axis in axes.flat:
        axis.tick_params(labelsize=7)
    figure.tight_layout()
    figure.savefig(path, pil_kwargs={"quality": 88})
    plt.close(figure)


def encode(name, recorded, generated, sample_rate, args):
    """Write recordings, if they are to be, and generated sounds, [n, n_samples], as Ogg Vorbis."""
    for end, sounds in (("_recorded", recorded), ("", generated)):
        if not end or name in args.recorded:
            joined = np.concatenate(sounds)
            scaled = 0.9 * joined / max(1.0, np.abs(joined).max())
            common.write_ogg(args.docs / "sounds" / f"{name}{end}.ogg", scaled, sample_rate)


def encode_percussion(run_dir, folder, args):
    """Write the first recording and a generated sound of each class."""
    run = noisygan.load(run_dir)
    data = generate.recordings_of(run).read(folder)
    first = [np.flatnonzero(data.label == i)[0] for i in range(len(data.label_names))]
    recorded = [data.audio(i) for i in first]
    notes = run.render(label=data.label_names, velocity=127, seed=0)
    encode("percussion", recorded, notes.audio, run.sample_rate, args)


def main():
    """Draw and encode each instrument."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("out_dir", type=Path, help="of benchmarks/instruments.py")
    parser.add_argument("--docs", type=Path, required=True, help="folder with images/ and sounds/")
    parser.add_argument("--recorded", nargs="*", default=[], help="write their recordings, too")
    parser.add_argument("--percussion", nargs=2, metavar=("RUN_DIR", "FOLDER"))
    args = parser.parse_args()
    if args.percussion:
        encode_percussion(*args.percussion, args)
    for run_dir in sorted((args.out_dir / "runs").glob("*-0")):
        name = run_dir.name.removesuffix("-0")
        run = noisygan.load(run_dir)
        held_out = args.out_dir / "data" / name / "held_out"
        real = Examples.from_dataset(generate.recordings_of(run).read(held_out))
        real = real.take(chosen(real))
        fake = generate.generate(run, real, len(real))
        fake = fake.take(np.argsort(fake.rows))
        pairs = [(real.pitch[i], real.take([i]), fake.take([i])) for i in range(len(real))]
        draw(pairs, run.sample_rate, args.docs / "images" / f"{name}.jpg")
        encode(name, real.audio, fake.audio, run.sample_rate, args)
        print(f"{name}: {', '.join(f'{pitch:.0f}' for pitch in real.pitch)}")


if __name__ == "__main__":
    main()
