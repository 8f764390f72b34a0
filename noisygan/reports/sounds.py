"""The sounds on the page: read, named, paired and embedded."""

from __future__ import annotations

import dataclasses
import io
import re
from pathlib import Path

import numpy as np

from noisygan.errors import RunError
from noisygan.reports.plots import data_address

NAME = re.compile(r"^(?P<label>.+?)-(?P<pitch>\d{3})-(?P<velocity>\d{3})(-(?P<index>\d+))?$")
SAMPLE = re.compile(r"^step-(?P<step>\d+)-(?P<index>\d+)$")
NOTE_NAMES = (
    "C",
    "C\u266f",
    "D",
    "E\u266d",
    "E",
    "F",
    "F\u266f",
    "G",
    "A\u266d",
    "A",
    "B\u266d",
    "B",
)


@dataclasses.dataclass(frozen=True, eq=False)
class Sound:
    """A mono sound and what its name says about it.

    Attributes:
      path: Where it came from.
      audio: float32 [n_samples].
      sample_rate: Hz.
      pitch, velocity: MIDI numbers, or None.
      label: First part of the name.
    """

    path: Path
    audio: np.ndarray
    sample_rate: int
    pitch: int | None
    velocity: int | None
    label: str

    @property
    def seconds(self):
        return len(self.audio) / self.sample_rate

    @property
    def title(self):
        """For people: `D5, velocity 100`, or the file's name."""
        if self.pitch is None:
            return self.label.replace("_", " ")
        return f"{note_name(self.pitch)}, velocity {self.velocity}"

    def address(self):
        """The sound as 16-bit WAV in a `data:` address."""
        import soundfile

        stream = io.BytesIO()
        audio = np.clip(self.audio, -1.0, 1.0)
        soundfile.write(stream, audio, self.sample_rate, "PCM_16", format="WAV")
        return data_address("audio/wav", stream.getvalue())

    @property
    def address_bytes(self):
        """About how long `address` is."""
        return len(self.audio) * 2 * 4 // 3


def note_name(pitch):
    """Scientific pitch name of a MIDI number: 60 is C4."""
    return f"{NOTE_NAMES[pitch % 12]}{pitch // 12 - 1}"


def read_sound(path):
    """Reads an audio file as mono.

    Raises:
      RunError: if it can't be read, is empty or holds NaN.
    """
    import soundfile

    path = Path(path)
    try:
        audio, sample_rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (OSError, soundfile.LibsndfileError) as error:
        raise RunError(f"{path} can't be read as sound ({error}); remove or replace it.") from error
    audio = audio.mean(axis=1)
    if not len(audio) or not np.all(np.isfinite(audio)):
        raise RunError(f"{path} is empty or holds NaN; remove it or render it again.")
    match = NAME.match(path.stem)
    if match is None:
        return Sound(path, audio, sample_rate, None, None, path.stem)
    return Sound(
        path, audio, sample_rate, int(match["pitch"]), int(match["velocity"]), match["label"]
    )


def name_of(path):
    """(pitch, velocity) that a file's name gives, or None."""
    match = NAME.match(Path(path).stem)
    return (int(match["pitch"]), int(match["velocity"])) if match else None


def pair_up(recordings, generated, count):
    """Pairs of a recording and the generated note nearest to it in pitch and velocity.

    Files without pitch in their names are paired in order. Where there are more than `count`
    pairs, they are taken evenly over the pitches, and the louder half of the velocities first.

    Args:
      recordings, generated: Lists of paths.
      count: How many pairs at most.

    Returns:
      List of (recording path or None, generated path).
    """
    if not recordings:
        return [(None, path) for path in _evenly(sorted(generated), count)]
    if any(name_of(p) is None for p in [*recordings, *generated]):
        return list(zip(recordings, generated, strict=False))[:count]
    pairs, taken = [], set()
    for recording in sorted(recordings, key=name_of):
        pitch, velocity = name_of(recording)
        nearest = min(
            generated,
            key=lambda p: (
                abs(name_of(p)[0] - pitch),
                abs(name_of(p)[1] - velocity),
                p in taken,
                str(p),
            ),
        )
        if nearest not in taken and abs(name_of(nearest)[0] - pitch) <= 1:
            taken.add(nearest)
            pairs.append((recording, nearest))
    return _spread(pairs, count)


def _spread(pairs, count):
    if len(pairs) <= count:
        return pairs
    by_pitch = {}
    for pair in pairs:
        by_pitch.setdefault(name_of(pair[0])[0], []).append(pair)
    for group in by_pitch.values():
        group.sort(key=lambda pair: -name_of(pair[0])[1])
    chosen = []
    pitches = _evenly(sorted(by_pitch), count)
    for rank in range(max(len(g) for g in by_pitch.values())):
        chosen += [by_pitch[p][rank] for p in pitches if rank < len(by_pitch[p])]
    return sorted(chosen[:count], key=lambda pair: name_of(pair[0]))


def _evenly(items, count):
    if len(items) <= count:
        return list(items)
    return [items[i] for i in np.linspace(0, len(items) - 1, count).round().astype(int)]


def checkpoints(folder, n_steps, n_codes):
    """Samples of one code at successive checkpoints.

    Args:
      folder: Holds `step-000123-<i>.wav`.
      n_steps: How many checkpoints at most; first and last are among them.
      n_codes: How many codes at most.

    Returns:
      dict code index -> list of (step, path) in order of the steps.
    """
    found = {}
    for path in sorted(Path(folder).glob("step-*.wav")):
        match = SAMPLE.match(path.stem)
        if match:
            found.setdefault(int(match["index"]), []).append((int(match["step"]), path))
    rows = {}
    for index in sorted(found)[:n_codes]:
        steps = sorted(found[index])
        if len(steps) >= 2:
            rows[index] = _early_and_late(steps, n_steps)
    return rows


def _early_and_late(steps, count):
    """Chooses checkpoints so that the early ones, where most changes, stand closer together."""
    if len(steps) <= count:
        return steps
    positions = (len(steps) - 1) * np.linspace(0.0, 1.0, count) ** 1.5
    chosen = sorted({int(round(p)) for p in positions})
    spare = [i for i in range(len(steps)) if i not in chosen]
    while len(chosen) < count and spare:
        chosen.append(spare.pop(0))
    return [steps[i] for i in sorted(chosen)]
