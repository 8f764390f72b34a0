"""Plots of the curves that a note was made from, read from a controls file."""

from __future__ import annotations

import numpy as np

from noisygan.metrics import note_analysis
from noisygan.reports.plots import (
    Axis,
    Curve,
    heat_map,
    image_plot,
    line_plot,
    time_axis,
    value_axis,
)


class ControlCurves:
    """The curves of a controls file as plots. Voices are told apart by what they hold."""

    def __init__(self, controls, sound):
        self.controls = controls
        self.sound = sound
        lengths = [len(v) for k, v in controls.items() if "/" in k and np.ndim(v) >= 1]
        rate = float(controls["frame_rate"]) if "frame_rate" in controls else None
        seconds = sound.seconds if sound is not None else None
        if "n_samples" in controls and "sample_rate" in controls:
            seconds = float(controls["n_samples"]) / float(controls["sample_rate"])
        self.seconds = seconds or 4.0
        self.rate = rate or (max(lengths, default=1) / self.seconds)

    def _first(self, name):
        for key, value in self.controls.items():
            if key == name or key.endswith("/" + name):
                return np.squeeze(np.asarray(value, np.float64))
        return None

    def _times(self, curve):
        return np.arange(len(curve)) / self.rate

    def pitch(self, recording, audio_id):
        """F0 in cents from the asked pitch, or else its median, with Hz at the right."""
        f0_hz = self._first("f0_hz")
        if f0_hz is None or f0_hz.ndim != 1:
            return ""
        pitch = self.sound.pitch if self.sound is not None else None
        centre_hz = note_analysis.midi_to_hz(pitch) if pitch is not None else np.median(f0_hz)
        cents = 1200.0 * np.log2(np.maximum(f0_hz, 1e-3) / centre_hz)
        amplitudes = self._first("amplitudes")
        if amplitudes is not None and amplitudes.shape == cents.shape:
            heard = amplitudes > 1e-3 * amplitudes.max()
        else:
            heard = np.ones(len(cents), bool)
        curves = [Curve(self._times(cents), np.where(heard, cents, np.nan), "fake", "generated")]
        if recording is not None and pitch is not None and recording.pitch == pitch:
            real = measure(recording)
            curves.insert(
                0, Curve(real.times, sounding_cents(real), "real under", "recording, measured")
            )
        spread = np.concatenate([c.y[np.isfinite(c.y)] for c in curves])
        limit = max(20.0, min(120.0, float(np.percentile(np.abs(spread), 98)) * 1.15))
        y_axis = value_axis(-limit, limit, "", 4)
        hz = [(v, f"{centre_hz * 2 ** (v / 1200):.1f} Hz") for v, _ in y_axis.ticks]
        return line_plot(
            curves, time_axis(self.seconds), y_axis, "F0 over time in cents", hz, audio_id
        )

    def loudness(self, recording, audio_id):
        """Level of the harmonics and of the noise, in dB."""
        amplitudes, magnitudes = self._first("amplitudes"), self._first("magnitudes")
        curves = []
        if amplitudes is not None and amplitudes.ndim == 1:
            shares = self._first("harmonic_distribution")
            power = amplitudes**2 / 2.0
            if shares is not None and shares.ndim == 2:
                power = power * np.sum(shares**2, axis=1)
            level = note_analysis.power_to_db(power)
            curves.append(Curve(self._times(level), level, "fake", "harmonics"))
        if magnitudes is not None and magnitudes.ndim == 2:
            # Gains of white noise that is uniform in [-1, 1): its power is 1/3.
            level = note_analysis.power_to_db(np.mean(magnitudes**2, axis=1) / 3.0)
            curves.append(Curve(self._times(level), level, "breath", "noise"))
        if not curves:
            return ""
        if recording is not None:
            times, level = note_analysis.level_curve(recording.audio, recording.sample_rate)
            curves.insert(0, Curve(times, level, "real under", "recording, measured"))
        return line_plot(
            curves,
            time_axis(self.seconds),
            value_axis(-100, 0, " dB", 4),
            "Loudness over time in dB",
            audio=audio_id,
        )

    def harmonics(self, audio_id):
        """Heat map of every harmonic's level over time."""
        distribution, amplitudes = self._first("harmonic_distribution"), self._first("amplitudes")
        if distribution is None or distribution.ndim != 2:
            return ""
        if amplitudes is not None and amplitudes.ndim == 1:
            distribution = distribution * amplitudes[:, None]
        level = 20.0 * np.log10(np.maximum(distribution, 1e-6))
        top = float(level.max())
        audible = np.flatnonzero(level.max(0) > top - 75)
        count = max(4, int(audible[-1]) + 1)
        step = 1 if count <= 6 else 2 if count <= 12 else 5 if count <= 30 else 10
        numbers = sorted({1, *range(step, count + 1, step)})
        return image_plot(
            heat_map(level[:, :count].T, top - 70, top),
            time_axis(self.seconds),
            Axis(0, count, tuple((n - 0.5, str(n)) for n in numbers)),
            f"Level of harmonics 1 to {count} over time",
            audio_id,
            crisp=True,
        )

    def noise(self, audio_id):
        """Heat map of the noise filter's magnitudes over time."""
        magnitudes = self._first("magnitudes")
        if magnitudes is None or magnitudes.ndim != 2:
            return ""
        level = 20.0 * np.log10(np.maximum(magnitudes, 1e-6))
        top = float(level.max())
        widths = [v for k, v in self.controls.items() if k.endswith("/bandwidth_hz")]
        top_khz = float(widths[-1] if widths else self.controls.get("sample_rate", 16000) / 2) / 1e3
        ticks = [
            (v, f"{v:g}k" if v else "0") for v, _ in value_axis(0.0, top_khz).ticks if v <= top_khz
        ]
        return image_plot(
            heat_map(level.T, top - 60, top),
            time_axis(self.seconds),
            Axis(0.0, top_khz, tuple(ticks)),
            "Magnitudes of the noise filter over time, by frequency",
            audio_id,
            crisp=True,
        )


def measure(sound):
    """Demodulated partials of a note."""
    f0_hz = float(note_analysis.midi_to_hz(sound.pitch))
    return note_analysis.demodulate(sound.audio, sound.sample_rate, f0_hz)


def sounding_cents(partials):
    """The measured pitch curve where the note sounds, NaN elsewhere."""
    level = np.nanmax(partials.level_db, axis=1)
    return np.where(level > level.max() - 45, partials.cents, np.nan)
