"""Sounds of a page: read, named, drawn and embedded."""

from __future__ import annotations

import dataclasses
import functools
import io
import re

import numpy as np

from noisygan.data.filenames import pitch_name
from noisygan.errors import RunError
from noisygan.metrics import spectrograms
from noisygan.reports.plots import Axis, Plot, data_address, heat_map, outline, time_axis

N_MELS = 96
RANGE_DB = 80.0
"""Range of spectrograms below the loudest point."""
TICKS_HZ = (250, 500, 1000, 2000, 4000, 8000, 16000)
SAMPLE = re.compile(r"^step-(?P<step>\d+)-(?P<index>\d+)$")


@dataclasses.dataclass(frozen=True, eq=False)
class Sound:
    """A mono sound.

    Attributes:
      audio: float32 [n_samples].
      sample_rate: Hz.
      title: Name on the page.
      detail: What else is known of it, text.
      pitch: MIDI number, or None.
    """

    audio: np.ndarray
    sample_rate: int
    title: str
    detail: str = ""
    pitch: float | None = None

    @property
    def seconds(self):
        return len(self.audio) / self.sample_rate

    @functools.cached_property
    def address(self):
        """The sound as a `data:` address, 16-bit FLAC."""
        return self._encoded("audio/flac", format="FLAC", subtype="PCM_16")

    @functools.cached_property
    def small_address(self):
        """The sound as a `data:` address, Ogg Vorbis at quality 8 of 10."""
        how = {"format": "OGG", "subtype": "VORBIS", "compression_level": 0.2}
        return self._encoded("audio/ogg", **how)

    def _encoded(self, media_type, **how):
        import soundfile

        stream = io.BytesIO()
        soundfile.write(stream, np.clip(self.audio, -1.0, 1.0), self.sample_rate, **how)
        return data_address(media_type, stream.getvalue())

    @functools.cached_property
    def log_mel(self):
        """Log-mel spectrogram in dB, [n_frames, N_MELS]."""
        return spectrograms.log_mel_db(self.audio, self.sample_rate, N_MELS)

    @property
    def outline(self):
        """Waveform as SVG path data."""
        columns = np.array_split(np.asarray(self.audio), min(300, len(self.audio)))
        return outline([c.min() for c in columns], [c.max() for c in columns])

    def spectrogram(self, peak=None):
        """`Plot` of the log-mel spectrogram; `peak` is the level of the brightest colour, dB."""
        _, centres = spectrograms.mel_filters(self.sample_rate, N_MELS)
        at = np.interp(np.log(TICKS_HZ), np.log(centres), np.arange(N_MELS) + 0.5)
        ticks = tuple(
            (float(p), f"{f / 1000:g}k" if f >= 1000 else f"{f}")
            for f, p in zip(TICKS_HZ, at, strict=True)
            if f <= centres[-1] * 1.02
        )
        return Plot(
            time_axis(self.seconds),
            Axis(0, N_MELS, ticks),
            f"Log-mel spectrogram of {self.title}",
            image=self.picture(peak),
            sound=self,
        )

    def picture(self, peak=None, every=1):
        """Spectrogram as a `data:` address: brightest level, and frames that are averaged."""
        n = len(self.log_mel) // every * every
        values = self.log_mel[:n].reshape(-1, every, N_MELS).mean(1)
        peak = values.max() if peak is None else peak
        return heat_map(values.T, peak - RANGE_DB, peak)


def loudest(sounds):
    """Highest level of the spectrograms of some sounds, dB; None entries are skipped."""
    return max(sound.log_mel.max() for sound in sounds if sound is not None)


def note_title(pitch=None, velocity=None, label=None):
    """(title, detail) of a note from what is known of it; NaN is unknown."""
    detail = []
    title = str(label).replace("_", " ") if label else ""
    if pitch is not None and np.isfinite(pitch):
        name = pitch_name(pitch)
        title = f"{title}, {name}" if title else name
        detail.append(f"MIDI {pitch:g}")
    if velocity is not None and np.isfinite(velocity):
        detail.append(f"velocity {velocity:g}")
    return title, ", ".join(detail)


def read_sound(path, title):
    """Read an audio file as mono `Sound`; RunError if it is unreadable, empty or contains NaN."""
    import soundfile

    try:
        audio, sample_rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (OSError, soundfile.LibsndfileError) as error:
        raise RunError(f"{path} can't be read as audio ({error}); remove it.") from error
    audio = audio.mean(axis=1)
    if not len(audio) or not np.all(np.isfinite(audio)):
        raise RunError(f"{path} is empty or contains NaN; remove it.")
    return Sound(audio, sample_rate, title)


def latents_over_training(folder, n_steps, n_latents):
    """Examples of fixed latents at successive checkpoints, early ones closer together.

    Args:
      folder: pathlib.Path that contains `step-000123-<i>.wav`.
      n_steps: Largest number of checkpoints; the first and the last are among them.
      n_latents: Largest number of latents.

    Returns:
      list (one entry per latent) of lists of (step, `Sound`).
    """
    found = {}
    for path in sorted(folder.glob("step-*.wav")):
        if match := SAMPLE.match(path.stem):
            found.setdefault(int(match["index"]), []).append((int(match["step"]), path))
    rows = []
    for index in sorted(found)[:n_latents]:
        steps = sorted(found[index])
        if len(steps) > n_steps:
            at = (len(steps) - 1) * np.linspace(0.0, 1.0, n_steps) ** 1.5
            steps = [steps[i] for i in sorted(set(at.round().astype(int).tolist()))]
        if len(steps) > 1:
            title = f"sound {index + 1} at step {{:,}}"
            rows.append([(step, read_sound(path, title.format(step))) for step, path in steps])
    return rows
