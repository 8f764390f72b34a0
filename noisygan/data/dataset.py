"""Recordings of a folder: which to use, their audio, and batches of both."""

import collections
import hashlib
import json
from pathlib import Path

import numpy as np

from noisygan.audio_io import decoding
from noisygan.data import layouts
from noisygan.data.prepare import load
from noisygan.errors import RunError, UsageError
from noisygan.files import feed

# Sets that need less than this when decoded are kept in memory.
MAX_BYTES_IN_MEMORY = 2 * 1024**3

# Segments that stay below this (-60 dB) hold nothing to learn.
SILENCE = 1e-3

# At most so many values are listed in an error.
_N_LISTED = 12

# What `noisygan prepare` may divide recordings into.
SPLITS = ("train", "valid", "test")


class AudioDataset:
    """Recordings of one rate and length, with pitch, velocity and label where they are known.

    Attributes:
      folder: Path of the folder that was read.
      names: list of str, sorted; file names without suffix, relative to the folder.
      paths: list of Path.
      sample_rate: Hz.
      n_samples: Length of every sound; longer recordings are cut, shorter ones padded with zeros.
      pitch: MIDI number, NaN where unknown. float32 [n].
      velocity: 0 to 127, NaN where unknown. float32 [n].
      label: Index into `label_names`. int32 [n].
      label_names: list of str, sorted. One name where the recordings have no labels.
      has_pitch: Whether every pitch is known.
      has_velocity: Whether every velocity is known.
      has_label: Whether every label was given by the recordings.
      failure: The RunError of a file that `batches` could not read (TensorFlow wraps it), or None.
      fingerprint: Hex str; equal for equal recordings and selection, wherever they lie.
    """

    def __init__(
        self,
        folder,
        names,
        paths,
        sample_rate,
        n_samples,
        pitch,
        velocity,
        label,
        label_names,
        fingerprint,
        audio=None,
        has_label=True,
        decode=None,
        crop=None,
    ):
        """Stores what `Recordings.read` found.

        Args:
          audio: Decoded sounds, float32 [n, n_samples], or None to decode each when it is needed.
          decode: A function from the number of a recording to float32 [n_samples]; None: the
            beginning of its file.
          crop: A function from the number of a recording and a place, 0 to 1, to the n_samples
            float32 there; None: batches hold what `audio` gives.
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
        self.fingerprint = fingerprint
        self.has_pitch = not np.isnan(self.pitch).any()
        self.has_velocity = not np.isnan(self.velocity).any()
        self.has_label = has_label
        self.failure = None
        self._decode = decode or self._decode_file
        self._crop = crop
        self._audio = audio
        if audio is not None:
            audio.flags.writeable = False

    def __len__(self):
        return len(self.names)

    def __repr__(self):
        return f"<AudioDataset {self.summary()}>"

    def summary(self):
        """One line for people: how many, of what, how long, from where."""
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

    def audio(self, i):
        """The sound of recording i, cut or zero-padded at the end. float32 [n_samples].

        Values lie in [-1, 1]; the array is read-only.

        Raises:
          RunError: if the file changed since the set was read and can't be used any more.
        """
        if self._audio is not None:
            return self._audio[i]
        sound = self._read(self._decode, i)
        sound.flags.writeable = False
        return sound

    def _read(self, read, i, *where):
        try:
            return read(i, *where)
        except decoding.BadAudioError as error:
            raise RunError(f"{self.paths[i]} {error}") from error

    def _decode_file(self, i):
        return decoding.decode(self.paths[i], self.sample_rate, self.n_samples)

    def batches(self, batch_size, seed, start=0, part=(0, 1)):
        """Endless shuffled batches; what is in which batch depends on seed alone.

        Every epoch is a full permutation of the set. Epochs follow each other without a gap, so a
        batch may hold the end of one and the beginning of the next, and may be larger than the set.

        Args:
          batch_size: Recordings in a batch, B.
          seed: Integer >= 0. Recordings and, where they are cropped, their parts are a pure
            function of (seed, batch_size, batch index).
          start: Index of the first batch to give: batch k of start=0 is batch 0 of start=k.
          part: (i, n): of each batch only the i-th of n equal parts, which is all that is decoded;
            B is the part's size then.

        Returns:
          tf.data.Dataset of dicts: audio float32 [B, n_samples], pitch and velocity float32 [B]
          (0.0 where unknown), label int32 [B].

        Raises:
          UsageError: if an argument is not an integer in its range.
        """
        for what, value, least in (("batch_size", batch_size, 1), ("seed", seed, 0)):
            _check_integer(what, value, least)
        _check_integer("start", start, 0)
        import tensorflow as tf  # Here, so that reading recordings works without it.

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
        velocity = tf.constant(np.nan_to_num(self.velocity, nan=0.0))
        label = tf.constant(self.label)

        def sounds(indices, places):
            if self._crop is None and self._audio is not None:
                return self._audio[indices]
            try:
                if self._crop is None:
                    return np.stack([self.audio(int(i)) for i in indices])
                drawn = zip(indices, places, strict=True)
                return np.stack([self._read(self._crop, int(i), place) for i, place in drawn])
            except RunError as error:
                self.failure = error
                raise

        def batch(number, indices):
            # Another seed than any that shuffles: places and order have nothing in common.
            places = tf.random.stateless_uniform(
                [batch_size], [~tf.constant(seed, tf.int64), number], dtype=tf.float64, alg="philox"
            )
            indices, places = indices[rows], places[rows]
            audio = tf.numpy_function(sounds, [indices, places], tf.float32, stateful=False)
            audio = tf.ensure_shape(audio, [size, self.n_samples])
            return {
                "audio": audio,
                "pitch": tf.gather(pitch, indices),
                "velocity": tf.gather(velocity, indices),
                "label": tf.gather(label, indices),
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


class Recordings:
    """A selection of recordings and the form they are wanted in; composed by gin.

    A filter that is None lets everything pass. A recording whose family, pitch ... is unknown does
    not pass a filter on it. Each value asked for must occur in the folder, so that a misspelt one
    is an error and not a smaller set.

    Attributes: as the arguments of the constructor.
    """

    def __init__(
        self,
        sample_rate=16000,
        n_samples=64000,
        families=None,
        instruments=None,
        sources=None,
        min_pitch=None,
        max_pitch=None,
        velocities=None,
        trim_db=None,
        peak=None,
        fade_in_seconds=None,
        fade_out_seconds=None,
        segments=False,
        split="train",
        crop=False,
    ):
        """Stores and validates.

        Args:
          sample_rate: Rate that every file must have, in Hz.
          n_samples: Length of every sound; longer files are cut, shorter ones padded with zeros.
          families: Instrument families, such as ['flute', 'brass'], or one name.
          instruments: Labels: NSynth's instrument_str, the label in a file's name or the name of
            its class folder.
          sources: Of 'acoustic', 'electronic', 'synthetic'.
          min_pitch: Lowest MIDI pitch, included.
          max_pitch: Highest MIDI pitch, included.
          velocities: MIDI velocities.
          trim_db: Silence before a sound is left out, up to the first sample above this level
            relative to the peak, in dB below 0; None: nothing is left out.
          peak: Level that every sound is scaled to, up to 1; None: as recorded.
          fade_in_seconds, fade_out_seconds: Straight fades at both ends of the n_samples; None:
            none.
          segments: Whether each file is cut into sounds of n_samples, one behind the other; what
            is left over at its end, and silent ones, are dropped.
          split: Of a prepared folder: 'train', 'valid' or 'test'.
          crop: Whether batches hold another part of a longer recording each time, drawn with the
            seed of the batches; False: always its beginning.

        Raises:
          UsageError: if an argument is out of its range.
        """
        self.sample_rate = _integer("sample_rate", sample_rate, 1000, 384000, "Hz")
        self.n_samples = _integer("n_samples", n_samples, 1, 2**31 - 1, "samples")
        self.families = _strings("families", families)
        self.instruments = _strings("instruments", instruments)
        self.sources = _strings("sources", sources)
        self.min_pitch = _midi("min_pitch", min_pitch)
        self.max_pitch = _midi("max_pitch", max_pitch)
        self.velocities = _midis("velocities", velocities)
        self.trim_db = _number("trim_db", trim_db, -200.0, -0.1, "dB")
        self.peak = _number("peak", peak, 0.001, 1.0, "of full scale")
        self.fade_in_seconds = _number("fade_in_seconds", fade_in_seconds, 0.0, 60.0, "s")
        self.fade_out_seconds = _number("fade_out_seconds", fade_out_seconds, 0.0, 60.0, "s")
        self.segments = segments
        self.crop = crop
        if split not in SPLITS:
            raise UsageError(f"split is {split!r}; expected {', '.join(SPLITS)}")
        self.split = split
        shapes = ("trim_db", "peak", "fade_in_seconds", "fade_out_seconds")
        shaped = [name for name in shapes if getattr(self, name) is not None]
        if segments and crop:
            raise UsageError("segments and crop: expected one or the other")
        if (segments or crop) and shaped:
            what = "segments are" if segments else "crops are"
            raise UsageError(
                f"{what} taken as they were recorded; got {', '.join(shaped)} as well, expected "
                "one or the other"
            )
        if None not in (self.min_pitch, self.max_pitch) and self.min_pitch > self.max_pitch:
            raise UsageError(
                f"min_pitch {self.min_pitch:g} is above max_pitch {self.max_pitch:g}; "
                "expected the lower one first"
            )

    def read(self, folder, progress=None):
        """Reads the recordings of a folder that pass the filters, checking each.

        Args:
          folder: Path of a folder in one of the layouts of `noisygan.data.layouts`, or of one
            that `noisygan prepare` wrote.
          progress: None, or a function called with (files read, files in all).

        Returns:
          AudioDataset, sorted by name.

        Raises:
          UsageError: if the folder is missing or empty, nothing passes the filters, or any chosen
            file is missing, unreadable, empty, at another rate, or holds NaN. One line: all bad
            files are counted, the first is named. Or if a prepared folder does not hold the split
            or the rate.
          RunError: if a prepared folder is damaged.
        """
        if load.is_prepared(folder):
            return self._read_prepared(Path(folder), progress)
        if self.split != "train":
            raise UsageError(
                f"Recordings.split is {self.split!r}, but {folder} was not prepared; leave it out, "
                "or expected a folder that `noisygan prepare` wrote"
            )
        folder, entries = layouts.list_entries(folder)
        entries = self._select(folder, entries)
        keep = len(entries) * self.n_samples * 4 < MAX_BYTES_IN_MEMORY
        audio = np.zeros([len(entries), self.n_samples], np.float32) if keep else None
        cut = _Segments(self.sample_rate, self.n_samples) if self.segments else None
        digest = hashlib.sha256(json.dumps(self._selection(), sort_keys=True).encode())
        bad, lengths = [], []
        for i, entry in enumerate(entries):
            try:
                if cut is not None:
                    cut.add(entry)
                elif self.crop:
                    sound = self._whole(entry.path)
                    lengths.append(len(sound))
                    if keep:
                        audio[i] = decoding.cut(sound, self.sample_rate, self.n_samples)
                elif keep:
                    audio[i] = self.decode(entry.path)
                else:
                    self._check_on_disk(entry.path)
                digest.update(_identity(entry, whole_file=keep))
            except decoding.BadAudioError as error:
                bad.append((entry.path, error))
            except OSError as error:
                reason = f"cannot be read ({error.strerror})"
                bad.append((entry.path, decoding.BadAudioError("unreadable", reason)))
            if progress is not None:
                progress(i + 1, len(entries))
        if bad:
            raise UsageError(_bad_files_message(bad, len(entries)))
        names = [entry.name for entry in entries]
        starts = None
        if cut is not None:
            if not cut.entries:
                raise UsageError(_no_segment(folder, self.n_samples))
            entries, starts, audio = cut.entries, cut.starts, cut.audio()
            names = [f"{e.name}@{start}" for e, start in zip(entries, starts, strict=True)]

        def decode(i):
            path = entries[i].path
            return self.decode(path) if cut is None else cut.decode(path, starts[i])

        def crop(i, place):
            start = self._crop_start(lengths[i], place)
            return decoding.decode(entries[i].path, self.sample_rate, self.n_samples, start=start)

        return self._dataset(folder, entries, names, digest.hexdigest(), audio, decode, crop)

    def _read_prepared(self, folder, progress):
        """As `read`, of a folder that `noisygan prepare` wrote."""
        split = load.Split(folder, self.split, self.sample_rate, progress)
        numbers = {entry.name: i for i, entry in enumerate(split.entries)}
        chosen = [numbers[entry.name] for entry in self._select(folder, split.entries)]
        if self.segments:
            rows = [(i, start) for i in chosen for start in self._starts(split.audio(i))]
            if not rows:
                raise UsageError(_no_segment(folder, self.n_samples))
        else:
            rows = [(i, None) for i in chosen]

        def decode(row):
            i, start = rows[row]
            audio = split.audio(i)
            return self._form(audio) if start is None else audio[start : start + self.n_samples]

        def crop(row, place):
            audio = split.audio(rows[row][0])
            return self._form(audio[self._crop_start(len(audio), place) :])

        audio = None
        if len(rows) * self.n_samples * 4 < MAX_BYTES_IN_MEMORY:
            audio = np.stack([decode(row) for row in range(len(rows))])
        selection = self._selection() | {"split": self.split, "prepared": split.fingerprint}
        digest = hashlib.sha256(json.dumps(selection, sort_keys=True).encode())
        entries = [split.entries[i] for i, _ in rows]
        names = [
            entry.name if start is None else f"{entry.name}@{start}"
            for entry, (_, start) in zip(entries, rows, strict=True)
        ]
        return self._dataset(folder, entries, names, digest.hexdigest(), audio, decode, crop)

    def _dataset(self, folder, entries, names, fingerprint, audio, decode, crop):
        labels = [entry.label or layouts.NO_LABEL for entry in entries]
        label_names = sorted(set(labels))
        number = {name: i for i, name in enumerate(label_names)}
        return AudioDataset(
            folder=folder,
            names=names,
            paths=[entry.path for entry in entries],
            sample_rate=self.sample_rate,
            n_samples=self.n_samples,
            pitch=[np.nan if entry.pitch is None else entry.pitch for entry in entries],
            velocity=[np.nan if entry.velocity is None else entry.velocity for entry in entries],
            label=[number[label] for label in labels],
            label_names=label_names,
            fingerprint=fingerprint,
            audio=audio,
            has_label=all(entry.label is not None for entry in entries),
            decode=decode,
            crop=crop if self.crop else None,
        )

    def _whole(self, path):
        """A whole file, checked, float32 [n]."""
        n_frames = decoding.check_header(path, self.sample_rate).frames
        return decoding.decode(path, self.sample_rate, n_frames)

    def _crop_start(self, n_there, place):
        """First sample of a part of n_samples; every one is as likely where place is uniform."""
        return int(place * (max(n_there - self.n_samples, 0) + 1))

    def _starts(self, audio):
        """Samples at which the segments of a sound begin that are not silent."""
        n = self.n_samples
        rows = audio[: len(audio) // n * n].reshape(-1, n)
        return [int(i) * n for i in np.flatnonzero(np.abs(rows).max(axis=1, initial=0.0) > SILENCE)]

    def decode(self, path):
        """One file in the form that is wanted, float32 [n_samples].

        Raises:
          BadAudioError: of `noisygan.audio_io.decoding`, for a file that can't be used.
        """
        audio = decoding.decode(path, self.sample_rate, self.n_samples, self.trim_db)
        return self._shaped(audio)

    def _form(self, audio):
        """A sound of any length in the form that is wanted, float32 [n_samples]."""
        audio = decoding.cut(audio, self.sample_rate, self.n_samples, self.trim_db)
        return self._shaped(audio)

    def _shaped(self, audio):
        fades = (self.fade_in_seconds, self.fade_out_seconds)
        return decoding.shape(
            audio, self.peak, *(round((f or 0) * self.sample_rate) for f in fades)
        )

    def _selection(self):
        values = {key: value for key, value in vars(self).items() if value is not None}
        # A selection is what it was before there were segments, splits and crops.
        del values["split"]
        new = ("segments", "crop")
        return {key: value for key, value in values.items() if key not in new or value}

    def _select(self, folder, entries):
        filters = {"families": "family", "instruments": "label", "sources": "source"}
        filters["velocities"] = "velocity"
        chosen = entries
        for name, field in filters.items():
            wanted = getattr(self, name)
            if wanted is None:
                continue
            there = [getattr(entry, field) for entry in entries]
            absent = [value for value in wanted if value not in there]
            if absent:
                asked = ", ".join(_show(value) for value in absent)
                raise UsageError(
                    f"no recording in {folder} has {name} {asked}; " + _what_is_there(name, there)
                )
            chosen = [entry for entry in chosen if getattr(entry, field) in wanted]
        low, high = self.min_pitch, self.max_pitch
        if low is not None or high is not None:
            low, high = 0.0 if low is None else low, 127.0 if high is None else high
            known = [entry for entry in chosen if entry.pitch is not None]
            in_range = [entry for entry in known if low <= entry.pitch <= high]
            if chosen and not in_range:
                raise UsageError(
                    f"no recording in {folder} has a pitch of {low:g} to {high:g}; "
                    + _what_is_there("pitches", [entry.pitch for entry in chosen])
                )
            chosen = in_range
        if not chosen:
            asked = ", ".join(
                f"{name} {', '.join(_show(value) for value in getattr(self, name))}"
                for name in filters
                if getattr(self, name) is not None
            )
            combinations = sorted({_combination(entry) for entry in entries} - {""})
            raise UsageError(
                f"no recording in {folder} passes all filters together ({asked}); there are "
                + _listed(combinations)
            )
        return chosen

    def _check_on_disk(self, path):
        info = decoding.check_header(path, self.sample_rate)
        if info.subtype in ("FLOAT", "DOUBLE"):  # Only these can hold NaN.
            self.decode(path)


class _Segments:
    """Sounds of n_samples that files are cut into, in memory while they fit into it."""

    def __init__(self, sample_rate, n_samples):
        self.sample_rate = sample_rate
        self.n_samples = n_samples
        self.entries = []
        self.starts = []
        self.sounds = []

    def add(self, entry):
        """Cuts a file, which is decoded and checked whole, and drops silent segments."""
        n = self.n_samples
        n_frames = decoding.check_header(entry.path, self.sample_rate).frames
        sound = decoding.decode(entry.path, self.sample_rate, n_frames)
        rows = sound[: len(sound) // n * n].reshape(-1, n)
        heard = np.flatnonzero(np.abs(rows).max(axis=1, initial=0.0) > SILENCE)
        self.entries += [entry] * len(heard)
        self.starts += [int(i) * n for i in heard]
        if self.sounds is not None:
            self.sounds.append(rows[heard])
            if len(self.entries) * n * 4 >= MAX_BYTES_IN_MEMORY:
                self.sounds = None

    def decode(self, path, start):
        """One segment from its file, float32 [n_samples]."""
        return decoding.decode(path, self.sample_rate, self.n_samples, start=start)

    def audio(self):
        """float32 [n_segments, n_samples], or None where there are too many."""
        return None if self.sounds is None else np.concatenate(self.sounds)


def _identity(entry, whole_file):
    """What the fingerprint takes from one recording: its name, what is known of it, its bytes.

    Of a set too large to keep in memory the file's size and first 64 KiB stand for its bytes.
    """
    digest = hashlib.sha256()
    with open(entry.path, "rb") as file:
        if whole_file:
            feed(digest, file)
        else:
            digest.update(file.read(1 << 16))
            digest.update(str(entry.path.stat().st_size).encode())
    known = [entry.name, entry.label, entry.pitch, entry.velocity, digest.hexdigest()]
    return json.dumps(known).encode()


def _bad_files_message(bad, n_files):
    path, error = bad[0]
    first = f"{path} {error}"
    if len(bad) == 1:
        return first
    kinds = collections.Counter(fault.kind for _, fault in bad)
    counts = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    return f"{len(bad)} of {n_files} recordings cannot be used ({counts}); the first: {first}"


def _no_segment(folder, n_samples):
    return (
        f"no recording in {folder} has a segment of {n_samples} samples that is not silent; "
        "expected longer or louder files, or a smaller n_samples"
    )


def _what_is_there(name, values):
    known = sorted({value for value in values if value is not None})
    if not known:
        return (
            f"none of the {len(values)} recordings says its {name}; name files "
            "`<label>-<pitch>-<velocity>.wav` as NSynth does, or leave the filter out"
        )
    return f"there are {_listed(known)}"


def _listed(values):
    shown = [_show(value) for value in values]
    if len(shown) > _N_LISTED:
        shown = [*shown[: _N_LISTED - 1], "...", shown[-1]]
    return ", ".join(shown)


def _combination(entry):
    parts = (entry.label or entry.family, entry.source, entry.velocity)
    return " ".join(_show(part) for part in parts if part is not None)


def _show(value):
    return str(value) if isinstance(value, str) else f"{value:g}"


def _check_integer(what, value, least):
    is_integer = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not is_integer or not least <= value < 2**63:
        raise UsageError(f"{what} is {value!r}; expected an integer of at least {least}")


def _integer(name, value, low, high, unit):
    is_integer = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not is_integer or not low <= value <= high:
        raise UsageError(f"{name} is {value!r}; expected an integer of {low} to {high} {unit}")
    return int(value)


def _strings(name, values):
    if values is None:
        return None
    values = [values] if isinstance(values, str) else list(values)
    if not values or not all(isinstance(value, str) and value for value in values):
        raise UsageError(f"{name} is {values!r}; expected a list of names, or None for all")
    return values


def _number(name, value, low, high, unit):
    if value is None:
        return None
    is_number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    if not is_number or not low <= value <= high:
        raise UsageError(
            f"{name} is {value!r}; expected a number of {low:g} to {high:g} {unit}, or None"
        )
    return float(value)


def _midi(name, value):
    if value is None:
        return None
    is_number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    if not is_number or not 0 <= value <= 127:
        raise UsageError(f"{name} is {value!r}; expected a MIDI number of 0 to 127")
    return float(value)


def _midis(name, values):
    if values is None:
        return None
    values = [values] if isinstance(values, (int, float)) else list(values)
    if not values:
        raise UsageError(f"{name} is empty; expected MIDI numbers, or None for all")
    return [_midi(name, value) for value in values]
