"""Whether Sample-GAN goes on as what its code was taken from.

    python benchmarks/sample_gan_sounds.py RUN_DIR --data DIR [--n 13] [--seconds 1]
        [--picture FILE]

Takes segments of the recordings that the run's config selects in `--data`, evenly over the files
and over the first half of each, and lets the averaged generator go on from each segment's code.
Prints a line for each, then what holds for all: how far the pitch of the rollout's second half is
from the recording's, in cents; the deviation of both, which is 0 where a sound is constant or
silent; and how much louder or softer the last fifth is than the first. `--picture` draws
spectrograms of at most eight of the recordings over the rollouts.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from noisygan.errors import NoisyganError  # noqa: E402

RANGE_HZ = (40.0, 2500.0)
IN_TUNE_CENTS = 50.0
N_BETWEEN = 8
N_FFT = 512
N_DRAWN = 8


def fundamental(audio, sample_rate):
    """Hz of a steady sound, float [n_samples], by its autocorrelation; NaN where there is none."""
    audio = audio - audio.mean()
    if audio.std() < 1e-4:
        return np.nan
    n = len(audio)
    power = np.abs(np.fft.rfft(audio, 2 * n)) ** 2
    # At parts of a sample: high tones have few samples a period.
    likeness = np.fft.irfft(power, 2 * n * N_BETWEEN)[: n * N_BETWEEN]
    likeness /= np.arange(n * N_BETWEEN, 0, -1)
    first, last = (int(N_BETWEEN * sample_rate / hz) for hz in reversed(RANGE_HZ))
    lags = np.arange(first, min(last, len(likeness) - 2))
    before, here, after = (likeness[lags + i] for i in (-1, 0, 1))
    peaks = lags[(here > before) & (here >= after)]
    if len(peaks) == 0:
        return np.nan
    # The first that is nearly as high as the highest: not a multiple of the period.
    lag = peaks[likeness[peaks] > 0.9 * likeness[peaks].max()][0]
    before, here, after = likeness[lag - 1 : lag + 2]
    return N_BETWEEN * sample_rate / (lag + 0.5 * (before - after) / (before - 2.0 * here + after))


def chosen(notes, n):
    """Indices of n segments or a few more: evenly over the files and the first half of each."""
    of_file = {}
    for i, path in enumerate(notes.paths):
        of_file.setdefault(path, []).append(i)
    files = list(of_file.values())
    files = [files[i] for i in np.linspace(0, len(files) - 1, min(n, len(files))).astype(int)]
    each = -(-n // len(files))
    places = (np.arange(each) + 0.5) / (2 * each)
    return [file[int(place * len(file))] for file in files for place in places]


def measure(recordings, rollouts, sample_rate):
    """Figures of each pair, as a list of dicts; both are lists of float [n_samples]."""
    figures = []
    for recording, rollout in zip(recordings, rollouts, strict=True):
        wanted = fundamental(recording, sample_rate)
        made = fundamental(rollout[len(rollout) // 2 :], sample_rate)
        fifths = np.array_split(rollout, 5)
        figures.append(
            {
                "hz": wanted,
                "cents": 1200.0 * np.log2(made / wanted),
                "recording": recording.std(),
                "rollout": rollout.std(),
                "held_db": 20.0 * np.log10((fifths[-1].std() + 1e-6) / (fifths[0].std() + 1e-6)),
            }
        )
    return figures


def summary(figures):
    """What holds for all pairs, as text. A rollout without a pitch is out of tune."""
    cents, real, fake, held = (
        np.array([f[key] for f in figures]) for key in ("cents", "recording", "rollout", "held_db")
    )
    off = np.nan_to_num(np.abs(cents), nan=np.inf)
    return (
        f"{len(figures)} rollouts: {np.median(off):.0f} cents off (median), "
        f"{100 * np.mean(off < IN_TUNE_CENTS):.0f} % within {IN_TUNE_CENTS:.0f}; "
        f"deviation {np.median(fake):.3f}, least {fake.min():.3f} (recordings "
        f"{np.median(real):.3f}, {real.min():.3f}); "
        f"held {np.median(held):.1f} dB, {held.min():.1f} to {held.max():.1f}"
    )


def draw(recordings, rollouts, figures, sample_rate, out_file):
    """Spectrograms of at most eight pairs, a recording over its rollout."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    at = np.linspace(0, len(figures) - 1, min(N_DRAWN, len(figures))).astype(int)
    figure, axes = plt.subplots(
        2, len(at), figsize=(1.7 * len(at), 4.2), dpi=90, sharey=True, squeeze=False
    )
    for column, i in zip(axes.T, at, strict=True):
        titles = (f"{figures[i]['hz']:.0f} Hz", f"{figures[i]['cents']:+.0f} cents")
        for axis, title, audio in zip(column, titles, (recordings[i], rollouts[i]), strict=True):
            spectra = np.lib.stride_tricks.sliding_window_view(audio, N_FFT)[:: N_FFT // 4]
            magnitude = np.abs(np.fft.rfft(spectra * np.hanning(N_FFT), axis=1))
            level = 20.0 * np.log10(magnitude.T / magnitude.max() + 1e-6)
            extent = (0, len(audio) / sample_rate, 0, sample_rate / 2000)
            axis.imshow(
                level, origin="lower", aspect="auto", extent=extent, vmin=-70, vmax=0, cmap="magma"
            )
            axis.set_title(title, fontsize=8, pad=2)
            axis.tick_params(labelsize=6, length=2, pad=1)
    for axis, name in zip(axes[:, 0], ("recording, kHz", "rollout, kHz"), strict=True):
        axis.set_ylabel(name, fontsize=8)
    figure.tight_layout(pad=0.4)
    figure.savefig(out_file)
    plt.close(figure)


def main(arguments=None):
    """Measures, prints and draws."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run_dir", metavar="RUN_DIR")
    parser.add_argument("--data", required=True, metavar="DIR", help="folder of the recordings")
    parser.add_argument("--n", type=int, default=13, metavar="N", help="rollouts, or a few more")
    parser.add_argument("--seconds", type=float, default=1.0, metavar="S")
    parser.add_argument("--picture", metavar="FILE", help="PNG to write")
    asked = parser.parse_args(arguments)
    import soundfile

    from noisygan import config
    from noisygan.data.dataset import Recordings
    from noisygan.training.checkpoints import load_generator

    try:
        generator = load_generator(asked.run_dir)
        notes = config.configured(Recordings)().read(asked.data)
    except NoisyganError as error:
        print(f"sample_gan_sounds: {error}", file=sys.stderr)
        return error.exit_code
    if not hasattr(generator, "predict") or not all("@" in name for name in notes.names):
        print(f"sample_gan_sounds: {asked.run_dir} is no run of Sample-GAN", file=sys.stderr)
        return 2
    rate = notes.sample_rate
    n_samples = round(asked.seconds * rate)
    at = chosen(notes, asked.n)
    recordings = []
    for i in at:
        start = int(notes.names[i].rsplit("@", 1)[1])
        audio, _ = soundfile.read(notes.paths[i], n_samples, start, always_2d=True)
        recordings.append(audio.mean(axis=1))
    rollouts = generator.like(
        np.stack([notes.audio(i) for i in at]), _conditioning(notes, at), asked.seconds
    ).audio.numpy()
    figures = measure(recordings, rollouts, rate)
    for i, f in zip(at, figures, strict=True):
        print(
            f"{notes.names[i]}: {f['hz']:.0f} Hz, {f['cents']:+.0f} cents, deviation "
            f"{f['rollout']:.3f} of {f['recording']:.3f}, held {f['held_db']:+.1f} dB"
        )
    print(summary(figures))
    if asked.picture:
        draw(recordings, rollouts, figures, rate, asked.picture)
    return 0


def _conditioning(notes, at):
    """What is known of recordings, as a generator's conditions."""
    return {
        "pitch": np.nan_to_num(notes.pitch[at]).astype(np.float32),
        "velocity": np.nan_to_num(notes.velocity[at]).astype(np.float32),
        "label": notes.label[at],
    }


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    sys.exit(main())
