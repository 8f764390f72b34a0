"""`AudioDataset`: recordings with what is known of them, and `Recordings`: how they are read."""

from __future__ import annotations

import collections
import dataclasses
import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from noisygan.audio_io import decoding
from noisygan.data import layouts, loading, softer_hits, tagging
from noisygan.data.filenames import octave_of
from noisygan.data.listing import FileFacts, Listing
from noisygan.data.prepare import features, manifest, records
from noisygan.data.prepare.options import PRESETS, make_options
from noisygan.data.selection import select
from noisygan.data.source_files import FFMPEG_SUFFIXES
from noisygan.errors import RunError, UsageError
from noisygan.files import sha256
from noisygan.metrics.note_timing import note_timing

if TYPE_CHECKING:
    import tensorflow as tf

# Sets that need less than this when decoded are kept in memory.
MAX_BYTES_IN_MEMORY = 2 * 1024**3

# Of recordings that do not say it.
UNKNOWN_VELOCITY = 100.0

NO_PITCH = "has no pitch in its name; name it like C4.wav or 060.wav, or add --detect_pitch pyin"

# What is later in a recording is not looked through for its note-off.
MAX_NOTE_SECONDS = 30.0

# Segments that stay below this (-60 dB) hold nothing to learn.
SILENCE = 1e-3


class AudioDataset:
    """Recordings of one rate and length, with pitch, velocity and label where they are known.

    Example:
      >>> data = noisygan.AudioDataset.from_folder("my_notes", sample_rate=16000, seconds=4.0)
      >>> data.pitch.min(), data.label_names
      (60.0, ['flute'])

    Attributes:
      folder: Path of the folder that was read.
      names: list of str, sorted; file names without suffix, relative to the folder.
      paths: list of Path.
      sample_rate: Hz.
      n_samples: Length of every example; longer recordings are cut, shorter ones zero-padded.
      pitch: MIDI number, NaN where unknown. float32 [n].
      velocity: 0 to 127, NaN where unknown (127 if batches hold softer hits). float32 [n].
      label: Index into `label_names`. int32 [n].
      label_names: list of str, sorted. One name where the recordings have no labels.
      held_seconds: Time of the note-off of each, measured from its level; infinite for a note that
        rings out, or of segments and crops. float32 [n].
      tags: dict of name -> values [n]: float32 of numbers (their mean where unknown), str of
        categories ("unknown" likewise).
      tag_values: dict of name -> what a tag can be: its categories, sorted, or (lowest, highest).
      has_pitch: Whether every pitch is known.
      has_velocity: Whether every velocity is known.
      has_label: Whether every label was given by the recordings.
      failure: The RunError of a file that `batches` could not read (TensorFlow wraps it), or None.
      fingerprint: Hex str; equal for equal recordings and selection, wherever they lie.
      listing: `noisygan.data.listing.Listing`: how names were read, what was skipped and why.
    """

    def __init__(
        self,
        folder: str | Path,
        names: list[str],
        paths: Sequence[str | Path],
        sample_rate: int,
        n_samples: int,
        pitch: Sequence[float] | np.ndarray,
        velocity: Sequence[float] | np.ndarray,
        label: Sequence[int] | np.ndarray,
        label_names: list[str],
        fingerprint: str,
        audio: np.ndarray | None = None,
        has_label: bool = True,
        decode: Callable[[int], np.ndarray] | None = None,
        crop: Callable[[int, float], np.ndarray] | None = None,
        listing: Listing | None = None,
        held: Callable[[int], float] | None = None,
        has_softer_hits: bool = False,
        tags: dict[str, np.ndarray] | None = None,
    ):
        """Store what `Recordings.read` found.

        Args:
          audio: Decoded examples, float32 [n, n_samples], or None to decode each when needed.
          decode: Function from the number of a recording to float32 [n_samples]; None: the
            beginning of its file.
          crop: Function from the number of a recording and a position, 0 to 1, to the n_samples
            float32 there; None: batches hold what `audio` gives.
          held: Function from the number of a recording to its `held_seconds`; None: measured in
            its n_samples.
          has_softer_hits: Whether batches hold softer hits, as of `Recordings`.
          (others): As the attributes of these names.
        """
        self.folder = Path(folder)
        self.names = list(names)
        self.paths = [Path(path) for path in paths]
        self.sample_rate = sample_rate
        self.n_samples = n_samples
        self.pitch = np.asarray(pitch, np.float32)
        self.velocity = np.asarray(velocity, np.float32)
        self.label = np.asarray(label, np.int32)
        self.label_names = list(label_names)
        self.tags = tags or {}
        self.tag_values = {name: tagging.range_of(values) for name, values in self.tags.items()}
        self.fingerprint = fingerprint
        self.has_pitch = not np.isnan(self.pitch).any()
        self.has_velocity = not np.isnan(self.velocity).any()
        self.has_label = has_label
        self.failure = None
        self.listing = listing or Listing()
        self._decode = decode or self._decode_file
        self._crop = crop
        self.has_softer_hits = has_softer_hits
        self._measure = held or self._measure_held
        self._held = np.full(len(self.names), np.nan, np.float32)
        self._audio = audio
        if audio is not None:
            audio.flags.writeable = False

    @classmethod
    def from_folder(
        cls,
        folder: str | Path,
        sample_rate: int = 16000,
        seconds: float | None = None,
        n_samples: int | None = None,
        families: str | Sequence[str] | None = None,
        instruments: str | Sequence[str] | None = None,
        sources: str | Sequence[str] | None = None,
        min_pitch: float | None = None,
        max_pitch: float | None = None,
        velocities: Sequence[float] | None = None,
        trim_db: float | None = None,
        peak: float | None = None,
        fade_in_seconds: float | None = None,
        fade_out_seconds: float | None = None,
        segments: bool = False,
        split: str = "train",
        crop: bool = False,
        middle_c: str = "C4",
        detect_pitch: str | None = None,
        tags: Sequence[str] = (),
    ) -> AudioDataset:
        """Read a folder of recordings, or one that `noisygan prepare` wrote.

        Example:
          >>> classes = ["kick", "snare"]
          >>> kit = noisygan.AudioDataset.from_folder(
          ...     "kit", sample_rate=44100, n_samples=16384, instruments=classes
          ... )

        Args:
          folder: Path of a folder in one of the layouts of `noisygan.data.layouts`.
          sample_rate: Hz; files at other rates are resampled.
          seconds: Length of every example, in seconds; or:
          n_samples: Length of every example; by default four seconds.
          (others): As of `Recordings`.

        Returns:
          AudioDataset.

        Raises:
          UsageError: as of `Recordings.read`.
          TypeError: if both lengths are given.
        """
        if seconds is not None and n_samples is not None:
            raise TypeError("seconds and n_samples: expected one of them")
        recordings = Recordings(
            sample_rate=sample_rate,
            n_samples=n_samples or round((seconds or 4.0) * sample_rate),
            families=families,
            instruments=instruments,
            sources=sources,
            min_pitch=min_pitch,
            max_pitch=max_pitch,
            velocities=velocities,
            trim_db=trim_db,
            peak=peak,
            fade_in_seconds=fade_in_seconds,
            fade_out_seconds=fade_out_seconds,
            segments=segments,
            split=split,
            crop=crop,
            middle_c=middle_c,
            detect_pitch=detect_pitch,
            tags=tags,
        )
        return recordings.read(folder)

    @property
    def held_seconds(self) -> np.ndarray:
        """Time of the note-off of each recording, measured on first use, float32 [n]."""
        return self.held_seconds_of(np.arange(len(self)))

    def held_seconds_of(self, rows) -> np.ndarray:
        """`held_seconds` of some recordings: those of a large set are measured when needed.

        Example:
          >>> data.held_seconds_of([0, 3]).shape
          (2,)
        """
        for i in rows:
            if np.isnan(self._held[i]):
                self._held[i] = self._read(self._measure, int(i))
        return self._held[rows]

    def _measure_held(self, i):
        return np.inf if self._crop else note_timing(self.audio(i), self.sample_rate).note_off

    @property
    def takes(self) -> np.ndarray:
        """Equal shares of 0 to 1 among the recordings of one pitch, velocity, label and tags.

        float32 [n, 2]: where the share of each recording begins and ends; a note with one take has
        all of it.
        """
        names = ("pitch", "velocity", "label", *self.tags)
        known = np.nan_to_num(np.stack([self.condition(name) for name in names]), nan=-1.0)
        _, note, n_takes = np.unique(known, axis=1, return_inverse=True, return_counts=True)
        note = note.ravel()
        order = np.argsort(note, kind="stable")
        take = np.empty(len(note))
        take[order] = np.arange(len(note)) - np.repeat(np.cumsum(n_takes) - n_takes, n_takes)
        return (np.stack([take, take + 1], axis=1) / n_takes[note, None]).astype(np.float32)

    @property
    def midi_pitches(self) -> list[int]:
        """Known pitches of the recordings, rounded down, each once, rising."""
        return sorted({int(p) for p in self.pitch if not np.isnan(p)})

    def condition(self, name: str) -> np.ndarray:
        """Values of pitch, velocity, label or a tag, of a category its index, [n].

        Example:
          >>> data.condition("label")[:3]
          array([0, 0, 0], dtype=int32)
        """
        if name in self.tags:
            return tagging.to_numbers(self.tags[name], self.tag_values[name])
        return getattr(self, name)

    def __len__(self) -> int:
        return len(self.names)

    def __repr__(self) -> str:
        return f"<AudioDataset {self.summary()}>"

    def summary(self) -> str:
        """One line: how many recordings, of what, how long, from where.

        Example:
          >>> data.summary()
          '40 recordings, flute, pitch 60 to 84, velocity 25 to 127, 4 s at 16000 Hz, from my_notes'
        """
        parts = [f"{len(self)} recordings" if len(self) > 1 else "1 recording"]
        if self.has_label:
            shown = ", ".join(self.label_names[:4])
            more = len(self.label_names) - 4
            parts.append(shown + (f" and {more} more" if more > 0 else ""))
        for what, values in (("pitch", self.pitch), ("velocity", self.velocity)):
            known = values[~np.isnan(values)]
            if len(known):
                low, high = known.min(), known.max()
                parts.append(f"{what} {low:g}" + (f" to {high:g}" if high > low else ""))
        parts.append(f"{self.n_samples / self.sample_rate:.3g} s at {self.sample_rate} Hz")
        return ", ".join(parts) + f", from {self.folder}"

    def table(self) -> str:
        """Table of how the files were understood, what was skipped and why, of several lines.

        Example:
          >>> print(data.table())
        """
        return self.listing.text()

    def audio(self, i: int) -> np.ndarray:
        """Audio of recording i, cut or zero-padded at the end. float32 [n_samples], read-only.

        Raises:
          RunError: if the file changed since the set was read and cannot be used any more.

        Example:
          >>> data.audio(0).shape
          (64000,)
        """
        if self._audio is not None:
            return self._audio[i]
        audio = self._read(self._decode, i)
        audio.flags.writeable = False
        return audio

    def batches(
        self, batch_size: int, seed: int, start: int = 0, part: tuple[int, int] = (0, 1)
    ) -> tf.data.Dataset:
        """Endless shuffled batches; what is in which batch depends on the seed alone.

        Every epoch is a full permutation of the set. Epochs follow each other without a gap, so a
        batch may hold the end of one and the beginning of the next, and may be larger than the set.

        Args:
          batch_size: Recordings in a batch, B.
          seed: Integer >= 0. Recordings and, where they are cropped, their parts are a pure
            function of (seed, batch_size, batch index).
          start: Index of the first batch: batch k of start=0 is batch 0 of start=k.
          part: (i, n): of each batch only the i-th of n equal parts, which is all that is decoded;
            B is the part's size then.

        Returns:
          tf.data.Dataset of dicts: audio float32 [B, n_samples], pitch and velocity float32 [B]
          (0.0 and 100.0 where unknown; drawn for softer hits), label int32 [B], held_seconds
          float32 [B], take float32 [B, 2] (see `takes`), and each tag as of `condition`, float32
          [B].

        Raises:
          ValueError: if an argument is out of its range.

        Example:
          >>> batch = next(iter(data.batches(8, seed=0)))
          >>> batch["audio"].shape, batch["pitch"].shape
          (TensorShape([8, 64000]), TensorShape([8]))
        """
        if batch_size < 1 or not 0 <= seed < 2**63 or start < 0:
            raise ValueError(
                f"batch_size {batch_size}, seed {seed}, start {start}: expected integers of at "
                "least 1, 0 and 0"
            )
        import tensorflow as tf

        self.failure = None
        n = len(self)
        size = batch_size // part[1]
        rows = slice(part[0] * size, (part[0] + 1) * size)
        first_epoch, n_skipped = divmod(int(start) * int(batch_size), n)

        def permutation(epoch):
            order = tf.random.experimental.stateless_shuffle(
                tf.range(n), seed=tf.stack([tf.constant(seed, tf.int64), epoch]), alg="philox"
            )
            return tf.data.Dataset.from_tensor_slices(order)

        # Tensors made here are captured by the map, not copied into its graph.
        pitch = tf.constant(np.nan_to_num(self.pitch, nan=0.0))
        low = high = np.nan_to_num(self.velocity, nan=UNKNOWN_VELOCITY)
        if self.has_softer_hits:
            low, high = softer_hits.velocity_ranges(self.velocity, self.label)
        low, high = tf.constant(low), tf.constant(high)
        label = tf.constant(self.label)
        takes = tf.constant(self.takes)
        tags = {name: tf.constant(self.condition(name)) for name in self.tags}

        def examples(indices, positions, velocities):
            try:
                held = self.held_seconds_of(indices)
                if self.has_softer_hits:
                    drawn = zip(indices, velocities, strict=True)
                    return np.stack([self._softer(int(i), velocity) for i, velocity in drawn]), held
                if self._crop is None and self._audio is not None:
                    return self._audio[indices], held
                if self._crop is None:
                    return np.stack([self.audio(int(i)) for i in indices]), held
                drawn = zip(indices, positions, strict=True)
                return np.stack([self._read(self._crop, int(i), where) for i, where in drawn]), held
            except RunError as error:
                self.failure = error
                raise

        def batch(number, indices):
            # Another seed than any that shuffles: positions and order are independent.
            positions = tf.random.stateless_uniform(
                [batch_size], [~tf.constant(seed, tf.int64), number], dtype=tf.float64, alg="philox"
            )
            indices, positions = indices[rows], positions[rows]
            velocity = tf.gather(high, indices)
            velocity -= tf.cast(positions, tf.float32) * (velocity - tf.gather(low, indices))
            audio, held = tf.numpy_function(
                examples, [indices, positions, velocity], [tf.float32, tf.float32], stateful=False
            )
            return {
                "audio": tf.ensure_shape(audio, [size, self.n_samples]),
                "pitch": tf.gather(pitch, indices),
                "velocity": velocity,
                "label": tf.gather(label, indices),
                "held_seconds": tf.ensure_shape(held, [size]),
                "take": tf.gather(takes, indices),
                **{name: tf.gather(values, indices) for name, values in tags.items()},
            }

        epochs = tf.data.Dataset.range(first_epoch, np.iinfo(np.int64).max)
        options = tf.data.Options()
        options.deterministic = True
        return (
            epochs.flat_map(permutation)
            .skip(n_skipped)
            .batch(batch_size, drop_remainder=True)
            .enumerate(int(start))
            .map(batch, num_parallel_calls=2)
            .prefetch(2)
            .with_options(options)
        )

    def _softer(self, i, velocity):
        own = self.velocity[i]
        sound = softer_hits.soften(self.audio(i), self.sample_rate, velocity, own)
        return softer_hits.gain(velocity, own) * sound

    def _read(self, read, i, *where):
        try:
            return read(i, *where)
        except decoding.BadAudioError as error:
            raise RunError(f"{self.paths[i]} {error}") from error

    def _decode_file(self, i):
        return decoding.decode(self.paths[i], self.sample_rate, self.n_samples)


class Recordings:
    """Selection of recordings and the form they are read in; composed by gin.

    A filter that is None lets everything pass. A recording whose family, pitch ... is unknown does
    not pass a filter on it. Each value of a filter must occur in the folder, so that a misspelt one
    is an error and not a smaller set.

    Example:
      dataset = Recordings(n_samples=32000, families="flute", max_pitch=72).read("nsynth-train")

    Attributes: as the arguments of the constructor.
    """

    def __init__(
        self,
        sample_rate: int = 16000,
        n_samples: int | None = None,
        families=None,
        instruments=None,
        sources=None,
        min_pitch: float | None = None,
        max_pitch: float | None = None,
        velocities=None,
        trim_db: float | None = None,
        peak: float | None = None,
        fade_in_seconds: float | None = None,
        fade_out_seconds: float | None = None,
        segments: bool = False,
        split: str = "train",
        crop: bool = False,
        middle_c: str = "C4",
        detect_pitch: str | None = None,
        softer_hits: bool = False,
        seconds: float = 4.0,
        trim_end: bool = False,
        tags: Sequence[str] = (),
    ):
        """Store and validate.

        Args:
          sample_rate: Hz; files at other rates are resampled.
          n_samples: Length of every example; longer files are cut, shorter ones zero-padded. None:
            `seconds`.
          families: Instrument families, such as ['flute', 'brass'], or one name.
          instruments: Labels: NSynth's instrument_str, the label in a file's name or the name of
            its class folder.
          sources: Of 'acoustic', 'electronic', 'synthetic'.
          min_pitch: Lowest MIDI pitch, included.
          max_pitch: Highest MIDI pitch, included.
          velocities: MIDI velocities.
          trim_db: Silence at the beginning is left out, up to the first sample above this level
            relative to the peak, in dB below 0; None: nothing is left out.
          peak: Level that every recording is scaled to, up to 1; None: as recorded.
          fade_in_seconds, fade_out_seconds: Linear fades at both ends of the n_samples, except
            where `noisygan prepare` has faded the recording; None: none.
          segments: Whether each file is cut into examples of n_samples, one after the other; the
            remainder at its end, and silent ones, are dropped.
          split: Of a prepared folder: 'train', 'valid' or 'test'.
          crop: Whether batches hold another part of a longer recording each time, drawn with the
            seed of the batches; False: always its beginning.
          middle_c: Name of MIDI note 60 in file names: 'C3', 'C4' or 'C5'.
          detect_pitch: 'pyin', 'crepe' or 'crepe-full': measure the pitch of recordings whose name
            and metadata do not say it; None: their pitch is unknown.
          softer_hits: Whether batches also hold softer hits of drums, imitated
            (`noisygan.data.softer_hits`): as in a sampler, a recording plays all velocities from
            its own (127 where unknown) down to those of the next softer one of its class, each
            batch another one. `peak` is that of velocity 127, and softer recordings have less.
          seconds: Length of every example where n_samples is None.
          trim_end: Whether `trim_db` also applies to silence at the end.
          tags: Columns of the folder's table, or other tags, that batches hold; those of the
            `ConditionEncoder`s of a config need not be named.

        Raises:
          UsageError: if arguments exclude each other.
        """
        n_samples = round(seconds * sample_rate) if n_samples is None else n_samples
        self.sample_rate, self.n_samples = int(sample_rate), int(n_samples)
        self.families, self.instruments = _listed(families), _listed(instruments)
        self.sources, self.velocities = _listed(sources), _listed(velocities, float)
        self.min_pitch = None if min_pitch is None else float(min_pitch)
        self.max_pitch = None if max_pitch is None else float(max_pitch)
        shapes = {
            "trim_db": trim_db,
            "peak": peak,
            "fade_in_seconds": fade_in_seconds,
            "fade_out_seconds": fade_out_seconds,
        }
        for name, value in shapes.items():
            setattr(self, name, None if value is None else float(value))
        self.segments, self.split, self.crop = segments, split, crop
        self.middle_c, self.detect_pitch = middle_c, detect_pitch
        self.softer_hits, self.tags = softer_hits, _listed(tags)
        self.trim_end = trim_end
        # Set by callers: fields without which a recording is of no use; gain of the set, if known.
        self.required, self.gain = (), None
        octave_of(middle_c)
        parts = [name for name, value in (("segments", segments), ("crop", crop)) if value]
        shaped = [name for name, value in shapes.items() if value is not None]
        shaped = [name for name in shaped if not (segments and name == "peak")]
        shaped += ["softer_hits"] * softer_hits
        if parts and len(parts + shaped) > 1:
            raise UsageError(f"{' and '.join(parts + shaped)}: expected {parts[0]} alone")

    def read(self, folder: str | Path, progress=None) -> AudioDataset:
        """Read the recordings of a folder that pass the filters, checking each.

        Args:
          folder: Path of a folder in one of the layouts of `noisygan.data.layouts`, or of one
            that `noisygan prepare` wrote.
          progress: None, or a function called with (files read, files in all).

        Returns:
          AudioDataset, sorted by name. Files that cannot be used are left out; its `listing` says
          why.

        Raises:
          UsageError: if the folder is missing or empty, nothing passes the filters or is left, or a
            prepared folder does not hold the split or the rate.
          RunError: if a prepared folder is damaged.
        """
        features.check_method(self.detect_pitch)
        folder, entries, skipped, prepared = list_recordings(
            folder, self.split, self.sample_rate, self.middle_c
        )
        selection = self._selection()
        if prepared is not None:
            selection |= {"split": self.split, "prepared": prepared}
        entries = select(
            entries,
            folder,
            {
                "families": ("family", self.families),
                "instruments": ("label", self.instruments),
                "sources": ("source", self.sources),
                "velocities": ("velocity", self.velocities),
            },
            self.min_pitch,
            self.max_pitch,
        )
        tagging.check(self.tags, entries, folder)
        keep = len(entries) * self.n_samples * 4 < MAX_BYTES_IN_MEMORY
        digest = hashlib.sha256(json.dumps(selection, sort_keys=True).encode())
        listing = Listing(folder, self.sample_rate, skipped, self.middle_c)
        listing.read_as = "127; softer hits are imitated" if self.softer_hits else "100"
        rows, examples, wholes, bad = [], [], {}, []
        for done, entry in enumerate(entries, 1):
            loaded = None
            try:
                if "pitch" in self.required and entry.pitch is None and not self.detect_pitch:
                    raise decoding.BadAudioError("without pitch", entry.problem or NO_PITCH)
                if self.segments or self.crop or keep or self._needs_decoding(entry):
                    loaded = loading.load(entry, self.sample_rate, self._from_onset)
                    if self.detect_pitch and entry.pitch is None and entry.end is None:
                        entry = self.with_pitch(entry, loaded.audio)
                    if (self.segments or self.crop) and entry.end is None:
                        entry = dataclasses.replace(entry, end=len(loaded.audio))
                        # Parts of files at another rate cannot be read from them one by one.
                        if loaded.rate != self.sample_rate:
                            if sum(map(len, wholes.values())) * 4 > MAX_BYTES_IN_MEMORY:
                                raise _too_large(entry.path, loaded.rate, self)
                            wholes[entry.name] = loaded.audio
                if loaded and not (self.segments or self.crop) and entry.held_seconds is None:
                    # Measured while the file is decoded: it is not read again.
                    timing = timing_in(loaded.audio, self.sample_rate, self.trim_db)
                    held, ending = timing.note_off, timing.ending
                    entry = dataclasses.replace(entry, held_seconds=held, ending=ending)
                starts = [0]
                if self.segments:
                    starts = _sounding(loaded.audio, self.n_samples)
                    if self.peak and starts:
                        gain = self.peak / float(np.max(np.abs(loaded.audio)))
                        entry = dataclasses.replace(entry, gain=gain)
                if keep:
                    examples += [self._shaped(loaded.audio[start:], entry) for start in starts]
                if self.tags:
                    digest.update(json.dumps([entry.value(tag) for tag in self.tags]).encode())
                if prepared is None:
                    digest.update(_identity(entry, whole_file=keep))
                rows += [(entry, start) for start in starts]
                listing.add(entry, self._facts(entry, loaded), len(starts))
            except (decoding.BadAudioError, OSError) as error:
                if isinstance(error, OSError):
                    reason = f"cannot be read ({error.strerror})"
                    error = decoding.BadAudioError("unreadable", reason)
                bad.append((entry.path, error))
                listing.skipped[entry.name] = str(error)
            keep = keep and len(rows) * self.n_samples * 4 < MAX_BYTES_IN_MEMORY
            if progress is not None:
                progress(done, len(entries))
        if not rows and bad:
            raise UsageError(_bad_files_message(folder, bad))
        if not rows:
            raise UsageError(
                f"no recording in {folder} has a segment of {self.n_samples} samples that is not "
                "silent; expected longer or louder files, or a smaller n_samples"
            )
        audio = np.stack(examples) if keep else None
        if keep and self.peak is None and not self.crop:
            peak = float(np.max(np.abs(audio)))
            listing.gain = loading.level_gain(peak) if self.gain is None else self.gain
            audio *= np.float32(listing.gain)
        return self._dataset(folder, rows, digest.hexdigest(), audio, wholes, listing)

    def _facts(self, entry, loaded):
        if loaded is None:
            return None
        audio, lead = loaded.audio, loaded.lead_seconds
        if self.trim_db is not None:
            n_before = _silence_before(audio, self.trim_db)
            audio, lead = audio[n_before:], n_before / loaded.sample_rate
        facts = FileFacts(loaded.rate, loaded.n_channels, lead)
        if entry.pitch is None or entry.rule in ("NSynth", "prepared"):
            return facts
        return facts.check_note(audio, loaded.sample_rate, entry.pitch)

    @property
    def _from_onset(self):
        return self.trim_db is None and not self.segments and not self.crop

    def with_pitch(self, entry, audio=None):
        """An `Entry` with the measured pitch of its audio, float32 [n_samples] if it is loaded."""
        if audio is None:
            audio = loading.load(entry, self.sample_rate).audio
        pitch = features.detect_pitch(audio, self.sample_rate, self.detect_pitch)
        if pitch is None:
            raise decoding.BadAudioError("without pitch", "has no pitch that could be measured")
        return dataclasses.replace(entry, pitch=pitch, rule=f"measured ({self.detect_pitch})")

    def _needs_decoding(self, entry):
        """Whether only decoding tells if a file can be used."""
        if entry.end is not None:
            return False
        if entry.path.suffix.lower() in FFMPEG_SUFFIXES:
            return True
        subtype = decoding.check_header(entry.path, None).subtype
        return self.detect_pitch is not None or subtype in ("FLOAT", "DOUBLE")

    def _dataset(self, folder, rows, fingerprint, audio, wholes, listing):
        entries = [entry for entry, _ in rows]
        labels = [entry.label or layouts.NO_LABEL for entry in entries]
        label_names = sorted(set(labels))
        number = {name: i for i, name in enumerate(label_names)}

        def decode(i, start=None):
            entry, start = entries[i], rows[i][1] if start is None else start
            if entry.name in wholes:
                return self._shaped(wholes[entry.name][start:], entry)
            if entry.end is None:
                audio = loading.load(entry, self.sample_rate, self._from_onset).audio
                return self._shaped(audio, entry)
            settings = (self.sample_rate, self.n_samples, self.trim_db)
            end = entry.end if entry.rule == "prepared" else None
            decoded = decoding.decode(entry.path, *settings, entry.start + start, end)
            return self._shaped(decoded, entry)

        def crop(i, position):
            # Every part is as likely where the position is uniform.
            n_starts = max(entries[i].end - entries[i].start - self.n_samples, 0) + 1
            return decode(i, int(position * n_starts))

        return AudioDataset(
            folder=folder,
            names=[e.name if not self.segments else f"{e.name}@{start}" for e, start in rows],
            paths=[entry.path for entry in entries],
            sample_rate=self.sample_rate,
            n_samples=self.n_samples,
            pitch=[np.nan if entry.pitch is None else entry.pitch for entry in entries],
            velocity=[self._velocity(entry) for entry in entries],
            label=[number[label] for label in labels],
            label_names=label_names,
            fingerprint=fingerprint,
            audio=audio,
            has_label=all(entry.label is not None for entry in entries),
            decode=decode,
            crop=crop if self.crop else None,
            listing=listing,
            held=lambda i: self._held(rows[i][0]),
            has_softer_hits=self.softer_hits,
            tags={tag: tagging.column([e.value(tag) for e in entries]) for tag in self.tags},
        )

    def _velocity(self, entry):
        if self.softer_hits:
            return softer_hits.FULL if entry.velocity is None else max(entry.velocity, 1.0)
        return np.nan if entry.velocity is None else entry.velocity

    def _shaped(self, audio, entry):
        """n_samples of a recording in the form of the settings, float32 [n_samples]."""
        audio = decoding.cut(audio, self.sample_rate, self.n_samples, self.trim_db, self.trim_end)
        # Once: a prepared recording fades at its own ends, which only a shorter length cuts off.
        is_whole = entry.end is not None and entry.end - entry.start <= self.n_samples
        fade_in = 0.0 if entry.faded[0] else self.fade_in_seconds or 0.0
        fade_out = 0.0 if entry.faded[1] and is_whole else self.fade_out_seconds or 0.0
        fades = (round(seconds * self.sample_rate) for seconds in (fade_in, fade_out))
        if self.segments:
            return np.clip(audio * np.float32(entry.gain), -1.0, 1.0)
        peak = self.peak
        if peak and self.softer_hits:
            peak *= softer_hits.gain(self._velocity(entry))
        return decoding.shape(audio, peak, *fades)

    def _held(self, entry):
        """Time of the note-off of a recording, which may lie behind its n_samples."""
        if self.segments or self.crop:
            return np.inf
        return measure_held_seconds(entry, self.trim_db, self.sample_rate)

    def _selection(self):
        others = ("split", "required", "gain")
        values = {k: v for k, v in vars(self).items() if v is not None and k not in others}
        # A default adds nothing, so that fingerprints outlive new settings.
        defaults = dict.fromkeys(("segments", "crop", "softer_hits", "trim_end"), False)
        defaults |= {"middle_c": "C4", "tags": []}
        return {key: v for key, v in values.items() if defaults.get(key) != v}


def measure_held_seconds(entry, trim_db=None, sample_rate=None):
    """Time of the note-off of a recording from its beginning as `Recordings` cuts it.

    Args:
      entry: `noisygan.data.source_files.Entry`.
      trim_db: As of `Recordings`.
      sample_rate: Hz to measure at, or None: the file's own.

    Returns:
      Seconds; infinite for a note that rings out.
    """
    if entry.held_seconds is not None:
        return entry.held_seconds
    rate = sample_rate or decoding.check_header(entry.path, None).samplerate
    return timing_in(loading.load(entry, rate, trim_db is None).audio, rate, trim_db).note_off


def timing_in(audio, sample_rate, trim_db=None):
    """`NoteTiming` of the audio of a whole recording, float32 [n_samples], at a rate."""
    audio = audio[: round(MAX_NOTE_SECONDS * sample_rate)]
    if trim_db is not None:
        audio = audio[_silence_before(audio, trim_db) :]
    return note_timing(audio, sample_rate)


def _silence_before(audio, trim_db):
    level = np.abs(audio)
    return int(np.argmax(level > np.max(level) * 10.0 ** (trim_db / 20.0)))


def _sounding(audio, n):
    """Samples at which the segments of n samples begin that are not silent, list of int."""
    rows = audio[: len(audio) // n * n].reshape(-1, n)
    return [int(i) * n for i in np.flatnonzero(np.abs(rows).max(axis=1, initial=0.0) > SILENCE)]


def _identity(entry, whole_file):
    """Bytes that the fingerprint takes from one recording: name, what is known of it, contents.

    Of a set too large to keep in memory the file's size and first 64 KiB stand for its contents.
    """
    if whole_file:
        contents = sha256(entry.path)
    else:
        with open(entry.path, "rb") as file:
            contents = hashlib.sha256(file.read(1 << 16))
        contents.update(str(entry.path.stat().st_size).encode())
        contents = contents.hexdigest()
    known = [entry.name, entry.label, entry.pitch, entry.velocity, contents]
    return json.dumps(known).encode()


def _bad_files_message(folder, bad):
    path, error = bad[0]
    kinds = collections.Counter(fault.kind for _, fault in bad)
    counts = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    return (
        f"none of the {len(bad)} recordings in {folder} can be used ({counts}); the first: {path} "
        f"{error}"
    )


def _too_large(path, rate, recordings):
    wanted, n_samples = recordings.sample_rate, recordings.n_samples
    command = f"noisygan prepare songs --sample_rate {wanted} --n_samples {n_samples}"
    for name, (kind, _) in PRESETS.items():
        made = make_options(kind, name)
        if (made.segments, made.sample_rates[0], made.n_samples) == (True, wanted, n_samples):
            command = f"noisygan prepare songs --preset {name}"
    return UsageError(
        f"{path} is at {rate:g} Hz, and the set is too large to be resampled to {wanted} Hz in "
        f"memory; prepare it first: {command}"
    )


def _listed(values, kind=None):
    if values is None:
        return None
    values = [values] if isinstance(values, (str, int, float)) else list(values)
    return list(map(kind, values)) if kind else values


def list_recordings(folder, split="train", sample_rate=None, middle_c="C4"):
    """List the recordings of any folder that training accepts.

    Args:
      folder: Path of a folder in one of the layouts of `noisygan.data.layouts`, or of one that
        `noisygan prepare` wrote.
      split: Of a prepared folder.
      sample_rate: Hz, of a prepared folder; None: its highest one.
      middle_c: As of `filenames.read_names`.

    Returns:
      (folder that was read, list of Entry sorted by name, dict of name -> reason of files that
      cannot be used, fingerprint of a prepared folder or None).

    Raises:
      UsageError: as of `Recordings.read`.
    """
    if manifest.is_prepared(folder):
        rate = sample_rate or manifest.read_manifest(folder)["sample_rates"][0]
        entries, fingerprint = records.list_entries(folder, split, rate)
        return Path(folder), entries, {}, fingerprint
    if split != "train":
        raise UsageError(
            f"Recordings.split is {split!r}, but {folder} was not prepared; leave it out, or "
            "expected a folder that `noisygan prepare` wrote"
        )
    return (*layouts.list_entries(folder, middle_c), None)
