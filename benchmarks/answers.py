"""Train and measure the systems that answer the documents' questions (docs/answers.md).

    python benchmarks/answers.py QUESTION ... --data FOLDER --out_dir DIR --seeds 3
    python benchmarks/answers.py --publish --out_dir DIR

Each question is one `noisygan compare` in OUT_DIR/QUESTION, with the minutes, systems and bindings
of `QUESTIONS` below; the same command resumes, also with more seeds. `--publish` writes the tables
of all that is measured into docs/answers.md, and a few sounds of each system.
"""

from __future__ import annotations

import argparse
import itertools
import json
import shlex
import sys
from pathlib import Path
from typing import NamedTuple

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import noisygan
from benchmarks import common
from noisygan.archives import read_arrays
from noisygan.evaluation.report import number
from noisygan.metrics.spectrograms import log_mel_db

N_SOUNDS, SECONDS = 4, 2.0  # of each system
MAX_COLUMNS = 5  # With more systems each has a row.
NOTE_CELLS = tuple(
    f"comparisons/{name}"
    for name in (
        "notes/hybrid",
        "notes/hybrid_adversarial",
        "notes_2x2/waveform_texture",
        "notes_2x2/waveform_adversarial",
    )
)
DRUM_CELLS = tuple(name.replace("notes", "drums") for name in NOTE_CELLS)
NOTES = "note distance", "level distance", "slope distance", "end distance", "bands distance"
NOTES += "MMD^2 x 1000, log-mel", "within 50 cents of the target pitch", "diversity"
NOTES += "Frechet audio distance", "suspicious copies"
UNPITCHED = "MMD^2 x 1000, log-mel", "descriptor distance", "Frechet audio distance", "diversity"
DRUMS = "MMD^2 x 1000, log-mel", "recall, log-mel", "descriptor distance", "two-sample accuracy"
DRUMS += "accuracy on generated examples", "Frechet audio distance", "diversity"
DRUMS += ("checkerboard energy",)
UNLABELLED = tuple(name for name in DRUMS if name != "accuracy on generated examples")
PAIRS = tuple(
    itertools.product(("causal", "dilated", "causal_dilated"), ("", "_generator", "_discriminator"))
)
NARROW_DCGAN = (
    "DrumDCGAN.seed_channels = 64",
    "DrumDCGAN.filters = (32, 32, 16, 16)",
    "DrumDCGANDiscriminator.n_filters = (32, 64, 64, 64)",
    "Adam.learning_rate = 1e-3",
    "Trainer.ema_decay = 0.99",
)


class Question(NamedTuple):
    """Systems that differ in one thing, and what is measured.

    Attributes:
      systems: Configs.
      metrics: Names of metrics in the published table.
      minutes: Of each training.
      bindings: Of all systems.
    """

    systems: tuple
    metrics: tuple
    minutes: float = 5.0
    bindings: tuple = ()


QUESTIONS = {
    "flute": Question(NOTE_CELLS, NOTES, 15.0),
    "guitar": Question(NOTE_CELLS, NOTES, 15.0),
    "drums": Question(DRUM_CELLS, DRUMS, 15.0),
    "curves": Question(
        ("noisygan_paper", "ablations/noisygan_paper_deconvolution"),
        UNPITCHED,
        bindings=("Trainer.batch_size = 8",),
    ),
    "inputs": Question(("notes_16k", "ablations/mfcc_alone", "ablations/log_mel_alone"), NOTES),
    "upsampling": Question(("wavegan_small", "ablations/wavegan_nearest_neighbour"), UNLABELLED),
    "latents": Question(("ablations/drum_wgan_z3", "ablations/drum_wgan_z100"), DRUMS),
    "growing": Question(("drum_wgan_small", "ablations/without_growing"), DRUMS),
    "dilations": Question(
        (
            "drum_dcgan_clean",
            "ablations/drum_dcgan_one_stride",
            *(f"ablations/drum_dcgan_{kind}{networks}" for kind, networks in PAIRS),
        ),
        UNLABELLED,
        bindings=NARROW_DCGAN,
    ),
    "initialization": Question(
        ("drum_dcgan_clean", "ablations/drum_dcgan_matched_spectrum"),
        UNLABELLED,
        bindings=NARROW_DCGAN,
    ),
    "losses": Question(("notes_16k", "ablations/bce", "ablations/wgan_gp"), NOTES),
}


def publish(out_dir):
    """Write the tables of all measured questions into docs/answers.md."""
    path = common.ROOT / "docs/answers.md"
    text = path.read_text(encoding="utf-8")
    for name, question in QUESTIONS.items():
        table_file = out_dir / name / "table.json"
        if table_file.is_file():
            measured = json.loads(table_file.read_text(encoding="utf-8"))
            heard = encoded(out_dir / name, name, measured)
            text = common.replaced(text, name, described(measured, question) + "\n\n" + heard)
    path.write_text(text, encoding="utf-8")


def encoded(folder, name, measured):
    """Write the first sounds of each system to docs/sounds and draw them; returns the links."""
    sample_rate = int(dict(measured["facts"])["length"].split()[-2])
    links, heard = [], {}
    for system, seed in [(one["name"], one["seeds"][0]) for one in measured["systems"]]:
        shown = read_arrays(folder / "measured" / f"{system}-{seed}" / "shown.npz")
        sounds = shown["grid"][:N_SOUNDS, : round(SECONDS * sample_rate)]
        joined = np.concatenate(sounds) / 32767.0
        file = f"answers_{name}_{system}.ogg"
        heard[system] = joined / max(1.0, np.abs(joined).max() / 0.95)
        common.write_ogg(common.ROOT / "docs/sounds" / file, heard[system], sample_rate)
        links.append(f"[{system}](sounds/{file})")
    draw(heard, sample_rate, common.ROOT / f"docs/images/answers_{name}.jpg")
    picture = f"![Log-mel spectrograms of the first sounds](images/answers_{name}.jpg)"
    return f"{picture}\n\nSounds, in the same order: " + ",\n".join(links) + "."


def draw(heard, sample_rate, path):
    """Draw a log-mel spectrogram of each system's sounds, one below the other."""
    size = 8.0, 1.3 * len(heard)
    figure, axes = plt.subplots(len(heard), 1, squeeze=False, figsize=size, dpi=90)
    for axis, (system, audio) in zip(axes[:, 0], heard.items(), strict=True):
        levels = log_mel_db(audio, sample_rate, n_mels=96)
        axis.imshow(levels.T - levels.max(), vmin=-80, vmax=0, origin="lower", aspect="auto")
        axis.set_title(system, fontsize=8, loc="left")
        axis.set(xticks=[], yticks=[])
    figure.tight_layout()
    figure.savefig(path, pil_kwargs={"quality": 80})
    plt.close(figure)


def described(measured, question):
    """Command, date and table of a measured question, Markdown."""
    systems = [system["name"] for system in measured["systems"]]
    by_name, rows = {metric["name"]: metric for metric in measured["metrics"]}, []
    for name in question.metrics:
        metric = by_name.get(name)
        if metric is not None:
            floor = "" if metric["floor"] is None else number(metric["floor"])
            cells = [cell(metric["values"].get(system)) for system in systems]
            rows.append([", ".join(filter(None, (name, metric["unit"]))), floor, *cells])
    n_seeds = sorted({len(system["seeds"]) for system in measured["systems"]})
    head = [f"seeds: {' to '.join(map(str, n_seeds))}", "recordings", *systems]
    if len(systems) > MAX_COLUMNS:
        head, *rows = zip(head, *rows, strict=True)
    made = measured["made"].partition("T")[0]
    return f"`{measured['command']}`, {made}.\n\n{common.table(head, rows)}"


def cell(found):
    """Mean over seeds and, in brackets, the lowest and highest seed; of one seed its interval."""
    if found is None or found["value"] is None:
        return ""
    seeds = [value for value in found["seeds"] if value is not None]
    ends = (min(seeds), max(seeds)) if len(seeds) > 1 else found["interval"]
    return number(found["value"]) + (f" ({number(ends[0])} to {number(ends[1])})" if ends else "")


def main():
    """Train, measure, publish."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("questions", nargs="*", metavar="QUESTION", help=", ".join(QUESTIONS))
    parser.add_argument("--data", help="recordings of the questions")
    parser.add_argument("--train", help="recordings for training; then all of --data is held out")
    parser.add_argument("--out_dir", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--publish", action="store_true")
    args = parser.parse_args()
    unknown = set(args.questions) - set(QUESTIONS)
    if unknown:
        parser.error(f"unknown {', '.join(unknown)}; expected some of {', '.join(QUESTIONS)}")
    for name in args.questions:
        question = QUESTIONS[name]
        command = ["python", "benchmarks/answers.py", name, "--data", Path(args.data).name]
        command += ["--train", Path(args.train).name] if args.train else []
        command += ["--out_dir", args.out_dir.name]
        noisygan.compare(
            question.systems,
            args.data,
            args.out_dir / name,
            train=args.train,
            minutes=question.minutes,
            seeds=args.seeds,
            overrides=question.bindings,
            command=shlex.join([*command, "--seeds", str(args.seeds)]),
            log=lambda line: print(line, flush=True),
        )
    if args.publish:
        publish(args.out_dir)


if __name__ == "__main__":
    main()
