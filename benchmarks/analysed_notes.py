"""Folders of NSynth-named notes, analysed: one row of named numbers and features a file."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks import note_descriptors
from noisygan.archives import read_arrays
from noisygan.errors import UsageError
from noisygan.files import atomic_write
from noisygan.metrics import note_analysis, spectrograms

NAME = re.compile(r"^(?P<label>.+?)-(?P<pitch>\d{3})-(?P<velocity>\d{3})(-(?P<index>\d+))?$")
SAMPLE_RATE = 16000
N_SAMPLES = 64000
ANALYSIS_VERSION = hashlib.sha1(
    b"".join(Path(m.__file__).read_bytes() for m in (note_analysis, note_descriptors, spectrograms))
).hexdigest()


@dataclass
class Notes:
    """Analysed notes: one row a file."""

    paths: list
    pitch: np.ndarray
    velocity: np.ndarray
    pooled: np.ndarray
    coarse: np.ndarray
    spectral: np.ndarray
    scalars: np.ndarray
    spectral_names: list
    scalar_names: list

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, rows):
        rows = np.arange(len(self))[rows]
        arrays = (self.pooled, self.coarse, self.spectral, self.scalars)
        return Notes(
            [self.paths[i] for i in rows],
            self.pitch[rows],
            self.velocity[rows],
            *(a[rows] for a in arrays),
            self.spectral_names,
            self.scalar_names,
        )

    def scalar(self, name):
        return self.scalars[:, self.scalar_names.index(name)]

    def table(self):
        """Everything with a name: ([n, d], names)."""
        return np.concatenate([self.scalars, self.spectral], 1), (
            self.scalar_names + self.spectral_names
        )


def join(*sets):
    first = sets[0]
    return Notes(
        [p for s in sets for p in s.paths],
        *(
            np.concatenate([getattr(s, k) for s in sets])
            for k in ("pitch", "velocity", "pooled", "coarse", "spectral", "scalars")
        ),
        first.spectral_names,
        first.scalar_names,
    )


def find_notes(folder, family=None, generated=False):
    """NSynth-named WAV files under a folder, sorted; of one family where the names tell it."""
    folder = Path(folder)
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder of WAV files")
    paths = sorted(p for p in folder.rglob("*.wav") if NAME.match(p.stem))
    named = [p for p in paths if not family or p.name.startswith(family)]
    chosen = named or (paths if generated else [])
    if not chosen:
        raise UsageError(
            f"{folder} holds {len(paths)} files named <name>-<pitch>-<velocity>.wav, none of "
            f"family {family!r}; expected at least one"
        )
    return chosen


def read(path):
    import soundfile

    audio, sample_rate = soundfile.read(path, dtype="float32", always_2d=True)
    if sample_rate != SAMPLE_RATE:
        raise UsageError(f"{path} has {sample_rate} Hz; {SAMPLE_RATE} Hz is expected here")
    audio = audio.mean(1)[:N_SAMPLES]
    if not np.all(np.isfinite(audio)):
        raise UsageError(f"{path} holds NaN or infinite samples")
    return np.pad(audio, (0, N_SAMPLES - len(audio)))


def analyse(paths, cache_file=None):
    """Analyses files; those whose bytes were seen before come from the cache."""
    cache = {}
    if cache_file and Path(cache_file).is_file():
        stored = read_arrays(cache_file)
        if str(stored["version"]) == ANALYSIS_VERSION:
            rows = zip(stored["keys"], stored["rows"], strict=True)
            cache = {str(k): row for k, row in rows}
    names = None
    rows, seen = [], len(cache)
    for path in paths:
        key = hashlib.sha1(path.read_bytes() + path.stem.encode()).hexdigest()
        if key not in cache or names is None:
            audio = read(path)
            pitch = int(NAME.match(path.stem)["pitch"])
            log_mel = spectrograms.log_mel_db(audio, SAMPLE_RATE)
            scalars = note_descriptors.describe_note(audio, SAMPLE_RATE, pitch)
            spectral = note_descriptors.named_spectral_features(log_mel, SAMPLE_RATE)
            pooled = spectrograms.pooled_log_mel(log_mel)
            coarse = note_descriptors.mean_deviation_attack(log_mel)
            names = (list(scalars), list(spectral), len(pooled), len(coarse))
            parts = (list(scalars.values()), list(spectral.values()), pooled, coarse)
            cache[key] = np.concatenate(parts).astype(np.float32)
        rows.append(cache[key])
    if cache_file and len(cache) > seen:
        Path(cache_file).parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(cache_file, overwrite=True) as part, part.open("wb") as file:
            np.savez(file, version=ANALYSIS_VERSION, keys=list(cache), rows=list(cache.values()))
    rows = np.stack(rows).astype(np.float64)
    scalar_names, spectral_names, n_pooled, n_coarse = names
    edges = np.cumsum([len(scalar_names), len(spectral_names), n_pooled])
    scalars, spectral, pooled, coarse = np.split(rows, edges, axis=1)
    matches = [NAME.match(p.stem) for p in paths]
    return Notes(
        list(paths),
        np.array([int(m["pitch"]) for m in matches]),
        np.array([int(m["velocity"]) for m in matches]),
        pooled,
        coarse,
        spectral,
        scalars,
        spectral_names,
        scalar_names,
    )


def matching(notes, reference, exclude_self=False):
    """Row of the reference nearest to each note in pitch, then in velocity."""
    cost = np.abs(notes.pitch[:, None] - reference.pitch[None]) * 1000.0
    cost = cost + np.abs(notes.velocity[:, None] - reference.velocity[None])
    if exclude_self:
        cost[notes.pitch[:, None] == reference.pitch[None]] = np.inf
    return np.argmin(cost, 1)


def comparable(reference, generated):
    """The recordings at the generated pitches, if they are enough to stand for the whole."""
    chosen = np.isin(reference.pitch, np.unique(generated.pitch))
    return reference[chosen] if chosen.sum() >= 20 else reference
