"""Plots of the control curves that a note was synthesized from."""

from __future__ import annotations

import numpy as np

from noisygan.metrics import note_analysis
from noisygan.reports.plots import Axis, Curve, Plot, heat_map, time_axis, value_axis

MAX_CENTS = (20.0, 120.0)
"""Smallest and largest range of the F0 plot to either side."""


def control_plots(controls, sound, recording=None):
    """(title, remark, `Plot`) of the controls of one note; none for struck notes without curves.

    Args:
      controls: dict of arrays [n_frames, ...] or [1, n_frames, ...] by name, in physical units, as
        controls files have them.
      sound: `Sound` of the note.
      recording: `Sound` that its measured curves are compared with, or None.
    """
    curves = _Curves(controls, sound)
    plots = [
        ("F0", "cents", curves.f0(recording)),
        ("Loudness", "", curves.loudness(recording)),
        ("Level of each harmonic", "70 dB from bright to black", curves.harmonics()),
        ("Noise, by frequency", "60 dB", curves.noise()),
    ]
    return [entry for entry in plots if entry[2] is not None]


class _Curves:
    def __init__(self, controls, sound):
        curves = {name: np.squeeze(np.asarray(value)) for name, value in controls.items()}
        self.sound = sound
        voice = next((n[: -len("f0_hz")] for n in curves if n.endswith("f0_hz")), None)
        self.f0_hz, self.amplitudes, self.distribution = (
            None if voice is None else curves.get(voice + name)
            for name in ("f0_hz", "amplitudes", "harmonic_distribution")
        )
        if self.distribution is not None:  # of a single harmonic too
            self.distribution = self.distribution.reshape(self.f0_hz.size, -1)
        # A transient has magnitudes without frames.
        self.magnitudes = next(
            (v for n, v in curves.items() if n.endswith("magnitudes") and v.ndim == 2), None
        )
        self.bandwidth_hz = next(
            (float(v) for n, v in curves.items() if n.endswith("bandwidth_hz")),
            sound.sample_rate / 2,
        )
        lengths = [len(v) for v in (self.f0_hz, self.magnitudes) if v is not None]
        self.rate = float(curves.get("frame_rate", max(lengths, default=1) / sound.seconds))
        self.x = time_axis(sound.seconds)

    def _curve(self, values, kind, label):
        return Curve(np.arange(len(values)) / self.rate, values, kind, label)

    def f0(self, recording):
        """F0 in cents from the note's pitch, or else its median, with Hz at the right."""
        if self.f0_hz is None:
            return None
        pitch = self.sound.pitch
        centre_hz = np.median(self.f0_hz) if pitch is None else note_analysis.midi_to_hz(pitch)
        cents = 1200.0 * np.log2(np.maximum(self.f0_hz, 1e-3) / centre_hz)
        heard = self.amplitudes > 1e-3 * self.amplitudes.max()
        curves = [self._curve(np.where(heard, cents, np.nan), "fake", "generated")]
        if recording is not None and pitch is not None:
            held = 0.125 * recording.seconds, 0.7 * recording.seconds
            real = note_analysis.demodulate(recording.audio, recording.sample_rate, centre_hz, held)
            level = np.nanmax(real.level_db, axis=1)
            heard = np.where(level > level.max() - 45, real.cents, np.nan)
            curves.insert(0, Curve(real.times, heard, "real under", "recording, measured"))
        spread = np.concatenate([[0.0], *(c.y[np.isfinite(c.y)] for c in curves)])
        limit = np.clip(np.percentile(np.abs(spread), 98) * 1.15, *MAX_CENTS)
        y = value_axis(-limit, limit)
        hz = tuple((v, f"{centre_hz * 2 ** (v / 1200):.1f} Hz") for v, _ in y.ticks)
        return Plot(self.x, y, "F0 over time in cents", tuple(curves), None, hz, self.sound)

    def loudness(self, recording):
        """Level of the harmonics and of the noise, dB."""
        curves = []
        if self.amplitudes is not None:
            power = self.amplitudes**2 / 2.0 * np.sum(self.distribution**2, axis=1)
            curves.append(self._curve(note_analysis.power_to_db(power), "fake", "harmonics"))
        if self.magnitudes is not None:
            # Gains of white noise that is uniform in [-1, 1): its power is 1/3.
            power = np.mean(self.magnitudes**2, axis=1) / 3.0
            curves.append(self._curve(note_analysis.power_to_db(power), "breath", "noise"))
        if not curves:
            return None
        if recording is not None:
            times, level = note_analysis.level_curve(recording.audio, recording.sample_rate)
            curves.insert(0, Curve(times, level, "real under", "recording, measured"))
        y = value_axis(-100, 0, " dB")
        return Plot(self.x, y, "Loudness over time in dB", tuple(curves), sound=self.sound)

    def harmonics(self):
        """Heat map of the level of every harmonic."""
        if self.distribution is None:
            return None
        level = _db(self.distribution * self.amplitudes[:, None])
        top = float(level.max())
        heard = np.flatnonzero(level.max(0) > top - 75)
        n = max(4, heard.max(initial=0) + 1)
        step = 1 if n <= 6 else 2 if n <= 12 else 5 if n <= 30 else 10
        y = Axis(0, n, tuple((k - 0.5, str(k)) for k in sorted({1, *range(step, n + 1, step)})))
        return self._image(level[:, :n], 70, y, f"Level of harmonics 1 to {n} over time")

    def noise(self):
        """Heat map of the magnitudes of the noise filter."""
        if self.magnitudes is None:
            return None
        top_khz = self.bandwidth_hz / 1000
        ticks = [(v, f"{v:g}k" if v else "0") for v, _ in value_axis(0.0, top_khz).ticks]
        y = Axis(0.0, top_khz, tuple(ticks))
        return self._image(_db(self.magnitudes), 60, y, "Noise magnitudes over time, by frequency")

    def _image(self, level, range_db, y, description):
        image = heat_map(level.T, level.max() - range_db, level.max())
        return Plot(self.x, y, description, image=image, sound=self.sound, crisp=True)


def _db(amplitude):
    return 20.0 * np.log10(np.maximum(amplitude, 1e-6))
