"""The recordings that a run trains on: what is known of each, their audio, and batches of both."""

from pathlib import Path

import numpy as np

from noisygan.data import decoding
from noisygan.errors import RunError, UsageError


class NoteSet:
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
        return f"<NoteSet {self.summary()}>"

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


def _check_integer(what, value, least):
    is_integer = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not is_integer or not least <= value < 2**63:
        raise UsageError(f"{what} is {value!r}; expected an integer of at least {least}")
