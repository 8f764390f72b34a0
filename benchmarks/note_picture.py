"""One picture of real beside generated notes: spectra, pitch, partials and level over time."""

from __future__ import annotations

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import soundfile
from scipy import signal

from benchmarks.analysed_notes import NAME
from noisygan.metrics import note_analysis, spectrograms

REAL, FAKE = "#1f4e79", "#d1495b"
PARTIAL_COLOURS = ("#222222", "#d1495b", "#edae49", "#00798c")


def draw(generated, recordings, out_file, n_pairs=6):
    """Draws pairs of a generated note and the recording that matches it, one pair a column.

    Args:
      generated: Paths of NSynth-named generated notes.
      recordings: Path of the matching recording for each.
      out_file: PNG to write, about 1900 x 1560 pixels.
      n_pairs: Columns; taken evenly over the pitches and, in turn, over the velocities.
    """
    pairs = _spread_out(list(zip(generated, recordings, strict=True)), n_pairs)
    figure, axes = plt.subplots(
        7,
        len(pairs),
        figsize=(19, 15.6),
        dpi=100,
        squeeze=False,
        gridspec_kw={"height_ratios": (1.3, 1.3, 1, 1.1, 1.1, 1, 1.1)},
    )
    for column, (fake, real) in zip(axes.T, pairs, strict=True):
        _draw_pair(column, fake, real, first=column[0] is axes[0, 0])
    figure.suptitle(
        "recordings blue, generated red; partials 1 black, 2 red, 3 yellow, 4 teal", y=1
    )
    figure.tight_layout(pad=0.4, h_pad=0.5, w_pad=0.3)
    figure.savefig(out_file)
    plt.close(figure)


def _pitch_velocity(path):
    match = NAME.match(path.stem)
    return int(match["pitch"]), int(match["velocity"])


def _spread_out(pairs, count):
    pairs = sorted(pairs, key=lambda pair: _pitch_velocity(pair[0]))
    pitches = sorted({_pitch_velocity(p[0])[0] for p in pairs})
    velocities = sorted({_pitch_velocity(p[0])[1] for p in pairs}, reverse=True)
    if len(pitches) < count:
        return [pairs[i] for i in np.linspace(0, len(pairs) - 1, count).astype(int)]
    chosen = []
    for i, at in enumerate(np.linspace(0, len(pitches) - 1, count).astype(int)):
        wanted = velocities[(2 * i) % len(velocities)]
        here = [p for p in pairs if _pitch_velocity(p[0])[0] == pitches[at]]
        chosen.append(min(here, key=lambda p: abs(_pitch_velocity(p[0])[1] - wanted)))
    return chosen


def _draw_pair(column, fake_path, real_path, first):
    pitch, velocity = _pitch_velocity(fake_path)
    real_pitch, real_velocity = _pitch_velocity(real_path)
    notes = []
    for path, midi in ((real_path, real_pitch), (fake_path, pitch)):
        audio, sample_rate = soundfile.read(path, dtype="float32", always_2d=True)
        audio = audio.mean(1)
        f0_hz = float(note_analysis.midi_to_hz(midi))
        notes.append((audio, note_analysis.demodulate(audio, sample_rate, f0_hz)))
    peak = max(spectrograms.log_mel_db(audio, sample_rate).max() for audio, _ in notes)
    titles = (f"real {real_pitch} v{real_velocity}", f"generated {pitch} v{velocity}")
    for axis, title, (audio, _) in zip(column[:2], titles, notes, strict=True):
        mel = spectrograms.log_mel_db(audio, sample_rate, n_mels=96)
        axis.imshow(
            mel.T,
            origin="lower",
            aspect="auto",
            extent=(0, len(audio) / sample_rate, 0, 96),
            vmin=peak - 80,
            vmax=peak,
            cmap="magma",
        )
        axis.set_title(title, fontsize=9, pad=2)
        axis.set_yticks([])
    for (audio, partials), colour in zip(notes, (REAL, FAKE), strict=True):
        sounding = partials.level_db[:, 0] > np.nanmax(partials.level_db) - 50
        cents = np.where(sounding, partials.cents, np.nan)
        column[2].plot(partials.times, cents, colour, lw=0.9)
        times, level = note_analysis.level_curve(audio, sample_rate)
        column[5].plot(times, level, colour, lw=0.9)
        held = audio[int(1.0 * sample_rate) : int(2.5 * sample_rate)]
        frequencies, density = signal.welch(
            held, sample_rate, "blackmanharris", nperseg=4096, detrend=False
        )
        column[6].plot(
            frequencies / 1000, note_analysis.power_to_db(density * 40), colour, lw=0.7, alpha=0.8
        )
    centre = np.nanmedian(notes[0][1].cents)
    column[2].set_ylim(centre - 40, centre + 40)
    for axis, (_, partials) in zip(column[3:5], notes, strict=True):
        for k, colour in enumerate(PARTIAL_COLOURS):
            axis.plot(partials.times, partials.level_db[:, k], colour, lw=0.9)
        top = np.nanmax(notes[0][1].level_db)
        axis.set_ylim(top - 60, top + 6)
    column[5].set_ylim(-100, 0)
    column[6].set_ylim(-100, 0)
    for axis in column[:6]:
        axis.set_xlim(0, 4)
    for axis in column:
        axis.tick_params(labelsize=7, length=2, pad=1)
        axis.grid(alpha=0.25, lw=0.5)
    if first:
        names = (
            "log-mel real",
            "log-mel generated",
            "f0 [cents]",
            "partials real [dB]",
            "partials gen. [dB]",
            "level [dB]",
            "spectrum 1-2.5 s [dB], kHz",
        )
        for axis, name in zip(column, names, strict=True):
            axis.set_ylabel(name, fontsize=9, labelpad=1)
