"""Where the sounds come from: recordings with their parts, a trained or untrained run, a folder."""

from __future__ import annotations

import collections
import copy
import dataclasses
import pathlib

import numpy as np

from noisygan.audio_io import decoding
from noisygan.data.dataset import Recordings
from noisygan.data.layouts import Entry, list_entries
from noisygan.data.prepare import load
from noisygan.errors import RunError, UsageError
from noisygan.evaluation.sounds import (
    ENOUGH_SOUNDS,
    MIN_SOUNDS,
    half_of,
    make_sounds,
    sounds_of,
    without_velocity,
)

SPLITS = ("nsynth-train", "nsynth-test")


@dataclasses.dataclass(frozen=True)
class Parts:
    """Recordings for training and held-out ones.

    Attributes:
      train, test: Sounds.
      fingerprint: Of the held-out recordings.
      fingerprints_seen: Of what a run trained on that has heard the held-out ones.
      note: What one has to know of how they were divided, or "".
    """

    train: object
    test: object
    fingerprint: str
    fingerprints_seen: tuple
    note: str = ""

    def seen_by(self, fingerprint):
        """Whether a run with this fingerprint of recordings was trained on the held-out ones."""
        return fingerprint in self.fingerprints_seen


def read_parts(recordings, data, train=None, progress=None):
    """Training and held-out recordings.

    A folder with `nsynth-train` and `nsynth-test`, and one that `noisygan prepare` wrote with a
    split test, is divided as these say; with `train` given,
    `data` is held out; any other folder is divided here into two halves by name, all velocities of
    a drum or pitch in one.

    Args:
      recordings: `Recordings`.
      data: Folder.
      train: Folder of the training recordings, or None.
      progress: As of `Recordings.read`.

    Returns:
      Parts.

    Raises:
      UsageError: as of `Recordings.read`, and where training and held-out ones are the same.
    """
    data = pathlib.Path(data)
    folders = [pathlib.Path(train) if train else data / SPLITS[0], data]
    if not train and all((data / split).is_dir() for split in SPLITS):
        folders[1] = data / SPLITS[1]
    elif not train and has_test_split(data):
        # Those for training first: the run was trained on them alone.
        asked = [copy.copy(recordings) for _ in range(2)]
        asked[1].split = "test"
        sets = [each.read(data, progress) for each in asked]
        return Parts(*map(sounds_of, sets), sets[1].fingerprint, (sets[1].fingerprint,))
    elif not train:
        whole = recordings.read(data, progress)
        held_out = in_held_out_half(data, whole.names, whole.pitch, whole.label)
        rows = np.arange(len(whole))
        return Parts(
            sounds_of(whole, rows[~held_out]),
            sounds_of(whole, rows[held_out]),
            whole.fingerprint,
            (whole.fingerprint,),
            f"{data.name} has no held-out part: a half of it, chosen by name, is the reference",
        )
    sets = [recordings.read(folder, progress) for folder in folders]
    if sets[0].fingerprint == sets[1].fingerprint:
        raise UsageError(
            f"--train and --data hold the same recordings ({folders[1]}); expected held-out ones "
            "in --data"
        )
    return Parts(*map(sounds_of, sets), sets[1].fingerprint, (sets[1].fingerprint,))


def has_test_split(folder):
    """Whether a folder was prepared with recordings kept for tests."""
    if not load.is_prepared(folder):
        return False
    return load.read_manifest(folder)["splits"].get("test", {"n_records": 0})["n_records"] > 0


def in_held_out_half(folder, names, pitches, labels):
    """Which recordings of a folder are held out, bool [n]: about half of each class.

    It depends on names alone: on the pitch where it is known, else on the name without a velocity
    at its end.

    Args:
      folder: Its path, for the message.
      names: Of the recordings.
      pitches: MIDI numbers; None or NaN where unknown.
      labels: Their classes.

    Raises:
      UsageError: where that leaves one half empty.
    """
    kinds = [
        without_velocity(name) if pitch is None or not np.isfinite(pitch) else f"{pitch:g}"
        for name, pitch in zip(names, pitches, strict=True)
    ]
    held_out = half_of(kinds, labels)
    if held_out.all() or not held_out.any():
        raise UsageError(
            f"{folder} holds {len(kinds)} recordings of one kind, too few to hold some out; "
            "expected more, or --train DIR beside --data with held-out ones"
        )
    return held_out


def recordings_for(paths):
    """`Recordings` that fit files of whatever rate and length there are.

    Args:
      paths: dict of what -> list of paths.

    Returns:
      Recordings: at their rate, with the length of the shorter set's longest file.

    Raises:
      UsageError: for files of several rates.
    """
    import soundfile

    rates, lengths = collections.defaultdict(list), {}
    for what, files in paths.items():
        longest = 0
        for path in files:
            try:
                info = soundfile.info(str(path))
            except (soundfile.SoundFileError, RuntimeError, OSError):
                continue  # `Recordings.read` names it.
            rates[info.samplerate].append((what, path))
            longest = max(longest, info.frames)
        lengths[what] = longest
    if not rates:
        raise UsageError(f"none of {sum(map(len, paths.values()))} files can be read as audio")
    if len(rates) > 1:
        each = "; ".join(
            f"{len(found)} at {rate} Hz, e.g. {found[0][1]}" for rate, found in rates.items()
        )
        raise UsageError(
            f"sounds of different sample rates can't be compared: {each}; expected one rate: "
            "convert them, for example by `sox in.wav -r 16000 out.wav`"
        )
    return Recordings(sample_rate=next(iter(rates)), n_samples=min(lengths.values()))


def files_of(folder):
    """Paths of the recordings of a folder, of all its parts."""
    folder = pathlib.Path(folder)
    splits = [folder / split for split in SPLITS if (folder / split).is_dir()]
    return [entry.path for part in splits or [folder] for entry in list_entries(part)[1]]


def check_audio(folder):
    """Refuses a folder whose sounds can't be measured by number or kind; none is opened.

    Raises:
      UsageError: for too few sounds, or parts of sounds among them.
    """
    files = files_of(folder)
    if len(files) < MIN_SOUNDS:
        raise UsageError(
            f"--audio {folder} holds {len(files)} sounds; expected at least {MIN_SOUNDS}, better "
            f"{ENOUGH_SOUNDS}: add sounds"
        )
    sounds = {path.with_suffix("") for path in files}
    parts = [path for path in files if path.parent in sounds]
    if parts:
        raise UsageError(
            f"--audio {folder} holds parts of sounds beside them, such as "
            f"{parts[0].relative_to(folder)}, as `noisygan render --stems` writes them; expected "
            "whole sounds alone: render without --stems, or move those folders away"
        )


def chosen_rows(n_there, n):
    """n rows, all as often as another, in a fixed order."""
    order = np.random.default_rng(0).permutation(n_there)
    return np.concatenate([order] * -(-n // n_there))[:n]


def sounds_of_folder(recordings, folder, n):
    """Up to n sounds of a folder, drawn by a fixed seed."""
    notes = recordings.read(folder)
    return sounds_of(notes, np.sort(chosen_rows(len(notes), min(n, len(notes)))))


class Run:
    """A trained run, asked for sounds under the conditions of recordings.

    Args:
      run_dir: Its folder.
      snapshot: Prefix of one of its snapshots; None: its newest checkpoint.
      ends: `Recordings` that sounds end like: longer sounds are cut to their length and faded as
        they are. None: the run's own.
    """

    def __init__(self, run_dir, snapshot=None, ends=None):
        from noisygan.training.runs import RunFolder, load_generator

        self.path = pathlib.Path(run_dir)
        self.folder = RunFolder.open(run_dir)
        self.generator = load_generator(run_dir, snapshot)
        own = self.recordings()
        fade = (ends or own).fade_out_seconds
        self.fade_out_seconds = None if fade == own.fade_out_seconds else fade
        self.facts = self.folder.facts
        self.step = self.folder.step

    def recordings(self):
        """The `Recordings` of the run's config."""
        from noisygan import config

        config.parse([self.folder.config])
        return config.configured(Recordings)()

    def sounds(self, like, n, seed, progress=None):
        """n sounds under the conditions of recordings, by the averaged weights.

        Args:
          like: Sounds; each one's conditions are asked for about equally often.
          n: int.
          seed: Of the codes.
          progress: Called with the number of sounds made.

        Returns:
          Sounds, with what was asked where the generator is told it.
        """
        return self._make(self.generator, like, n, seed, progress)

    def untrained(self, like, n, seed, progress=None):
        """As `sounds`, by the same generator with its first weights."""
        from noisygan import config
        from noisygan.training.trainer import Trainer, build_generator, seed_initializers

        config.parse([self.folder.config])
        trainer = config.configured(Trainer)()
        seed_initializers([trainer.generator, trainer.discriminator], self.facts["seed"])
        build_generator(trainer.generator, len(self.facts["label_names"]))
        trainer.grow(None)
        return self._make(trainer.generator, like, n, seed, progress)

    def between(self, like, row, n, seed):
        """n sounds on the way from one code to another, under the conditions of one recording.

        Args:
          like: Sounds.
          row: Of the recording.
          n: int, 2 or more.
          seed: Of the two codes.

        Returns:
          float32 [n, n_samples].
        """
        from noisygan.rendering import interpolation, notes

        ends = [
            self.generator.prior(1, seed=notes.note_seeds(seed, number)[0])[0].numpy()
            for number in range(2)
        ]
        codes = interpolation.spherical(*ends, n)
        (request,) = self._requests(self.generator, like, [row])
        made = interpolation.steps(
            self.generator, codes, request, _seconds(self.generator, like), seed=seed
        )
        return np.stack([self._cut(audio, like) for audio in made])

    def _make(self, generator, like, n, seed, progress):
        from noisygan.rendering import notes

        told = tuple(generator.condition_names)
        rows = chosen_rows(len(like), n)
        requests = self._requests(generator, like, rows)
        audio = []
        for note in notes.render(generator, requests, _seconds(generator, like), seed=seed):
            audio.append(self._cut(note.audio, like))
            if progress:
                progress(len(audio))
        n_samples = like.audio.shape[1]
        if len(audio[0]) != n_samples or generator.sample_rate != like.sample_rate:
            raise RunError(
                f"{self.path} makes {len(audio[0])} samples at {generator.sample_rate} Hz and the "
                f"recordings are read with {n_samples} at {like.sample_rate} Hz"
            )
        alone = len(set(like.labels.tolist())) == 1
        return make_sounds(
            np.stack(audio),
            like.sample_rate,
            like.pitch[rows] if "pitch" in told else None,
            like.labels[rows] if "label" in told or alone else None,
            [f"{i:04d}-{request.stem}" for i, request in enumerate(requests)],
            like.velocity[rows] if "velocity" in told else None,
        )

    def _requests(self, generator, like, rows):
        from noisygan.rendering import notes

        if "pitch" in generator.condition_names and not like.has_pitch:
            raise UsageError(
                f"{self.path} is asked for pitches, which the recordings do not tell; expected "
                "names like flute-060-100.wav"
            )
        entries = [
            Entry(
                like.names[i],
                pathlib.Path(like.names[i]),
                label=str(like.labels[i]) or None,
                pitch=None if np.isnan(like.pitch[i]) else float(like.pitch[i]),
                velocity=None if np.isnan(like.velocity[i]) else float(like.velocity[i]),
            )
            for i in rows
        ]
        return notes.like_requests(notes.instrument(self.path, self.facts, generator), entries)

    def _cut(self, audio, like):
        n_fade = round((self.fade_out_seconds or 0.0) * like.sample_rate)
        return decoding.shape(audio[: like.audio.shape[1]], n_fade_out=n_fade)


def _seconds(generator, like):
    """What a generator is asked for: more than its own length, never less.

    Longer sounds are cut afterwards: a note is let go where it was in training.
    """
    wanted = like.audio.shape[1] / like.sample_rate
    return wanted if generator.seconds < wanted else None


def noise_like(sounds, n, seed=0):
    """White noise at the levels of recordings: a ceiling where there is no generator. Sounds."""
    rows = chosen_rows(len(sounds), n)
    level = np.sqrt((sounds.audio**2).mean(1))[rows, None]
    shape = (n, sounds.audio.shape[1])
    audio = level * np.random.default_rng(seed).standard_normal(shape, np.float32)
    return make_sounds(
        np.clip(audio, -1.0, 1.0), sounds.sample_rate, sounds.pitch[rows], sounds.labels[rows]
    )
