"""How far generated sounds are from the recordings, measured while training goes on."""

import time

import numpy as np
import tensorflow as tf

from noisygan.errors import UsageError
from noisygan.metrics import distances, spectrograms
from noisygan.metrics.features import LOWEST_DB, N_MELS, N_PARTS, Projection
from noisygan.training.curve import Curve

# No more recordings than these are compared with.
_N_RECORDINGS = 256
# From so many on, one half of them says how to look and the other is what is looked at.
_ENOUGH = 16
# No direction in which recordings differ less is looked at more closely.
_LEAST_SPREAD_DB = 0.05
# A mean distance of recordings below this, in units of the view, is rounding: copies of one sound.
_LEAST_UNIT = 1e-3
# Sounds are generated in batches of so many.
_BATCH = 16


class Quality:
    """When the sounds are measured, and when training counts as done.

    Until step 20 * every_steps it is every `every_steps` steps, and half as often each time that
    the steps have doubled again: ten measurements in a doubling.

    Args:
      every_steps: Steps between measurements in the beginning.
      n_sounds: Sounds that are generated for each: the same codes and conditions each time.
      patience: Done after so many measurements on end without a gain.
      min_gain: What counts as one, in percent of the mean distance between two recordings.
      max_share: A measurement that would take a larger share of the time since the last one is
        left out.

    Raises:
      UsageError: for numbers that make no sense.
    """

    def __init__(self, every_steps=100, n_sounds=64, patience=10, min_gain=0.25, max_share=0.03):
        for name, value, least in (
            ("every_steps", every_steps, 1),
            ("n_sounds", n_sounds, 4),
            ("patience", patience, 1),
        ):
            if not isinstance(value, int) or value < least:
                raise UsageError(
                    f"Quality.{name}: got {value}, expected a whole number from {least}."
                )
        if not min_gain >= 0.0:
            raise UsageError(f"Quality.min_gain: got {min_gain}, expected a number from 0.")
        if not max_share > 0.0:
            raise UsageError(f"Quality.max_share: got {max_share}, expected a number above 0.")
        self.every_steps = every_steps
        self.n_sounds = n_sounds
        self.patience = patience
        self.min_gain = min_gain
        self.max_share = max_share

    def is_due(self, step):
        """Whether it is measured after so many steps."""
        doublings = max(0, (step // (10 * self.every_steps)).bit_length() - 1)
        return step > 0 and step % (self.every_steps << doublings) == 0

    def begin(self, trainer, notes):
        """A `Measuring` of this training.

        Args:
          trainer: A built `Trainer`.
          notes: The `AudioDataset`.
        """
        return Measuring(self, trainer, notes)


class Measuring:
    """Measures one training's averaged generator; see `Quality`.

    Args:
      quality: A `Quality`.
      trainer: A built `Trainer`.
      notes: The `AudioDataset`.

    Attributes:
      saves_time: Whether measurements that are too dear are left out, by the clock.
    """

    def __init__(self, quality, trainer, notes):
        self.quality = quality
        self.trainer = trainer
        self.notes = notes
        self.curve = Curve(quality.patience, quality.min_gain)
        self.compared = None
        self.asked = None
        self.cost_seconds = 0.0
        self.last_seconds = 0.0
        self.saves_time = True
        self.compiled = set()
        self._generate = tf.function(self._generated)

    def measured(self, step, seconds):
        """Measures, if it is time to.

        Args:
          step: Steps taken.
          seconds: That the training has taken.

        Returns:
          (dict of numbers for the metrics, whether the distance is the lowest so far); an empty
          dict where nothing was measured: not due, networks that still grow, too dear, or
          recordings that are copies of one.
        """
        growing = self.trainer.plan.stage(step - 1).end is not None
        if growing or len(self.notes) < 2 or not self.quality.is_due(step):
            return {}, False
        dear = self.cost_seconds > self.quality.max_share * (seconds - self.last_seconds)
        if dear and self.saves_time:
            return {}, False
        self.last_seconds = seconds
        found = self.measure()
        if found is None:
            return {}, False
        distance, variety = found
        numbers = {"sound_distance_percent": distance, "sound_variety_percent": variety}
        return numbers, self.curve.add(step, distance)

    def measure(self):
        """(distance, variety) of the averaged generator's sounds, in percent.

        Distance: the energy distance of sounds from recordings as a `View` has them, of the mean
        distance between two recordings; the mean of that of levels and that of movement. Sounds are
        compared with the recordings of what the generator was told: a note with those of its pitch
        and velocity. Where several recordings are alike in that, a distance near 0, or a little
        below, says that sounds can't be told from them in these views; a single one does not say
        how far another would be. Variety: the mean distance between two sounds' levels, of the
        recordings'.

        None where recordings are copies of one sound: there is no distance to take it of.
        """
        if self.compared is None:
            self.compared = self._learn_recordings()
        levels = self.compared[0]
        if levels.unit < _LEAST_UNIT:
            return None
        sounds = self._sounds()
        if not np.isfinite(sounds).all():
            return float("nan"), float("nan")
        found = [each.distance(sounds) for each in self.compared if each.unit >= _LEAST_UNIT]
        return 100.0 * float(np.mean(found)), 100.0 * levels.variety(sounds)

    def _learn_recordings(self):
        """What sounds are asked for and compared with, once: recordings' levels and movement."""
        chosen = _spread_out(self.notes, _N_RECORDINGS)
        audio = (self.notes.audio(i) for i in chosen)
        found = np.stack([features(a[None], self.notes.sample_rate).numpy()[0] for a in audio])
        # What a view is learnt from knows the others as little as the generated sounds.
        seen, kept = _halves(len(found)) if len(found) >= _ENOUGH else (slice(None),) * 2
        told = self._told(chosen[kept])
        few = _of_few_conditions(told, self.quality.n_sounds // 2)
        told, kept = told[few], np.arange(len(found))[kept][few]
        asked = np.arange(self.quality.n_sounds) * len(kept) // self.quality.n_sounds
        self.asked = chosen[kept[asked]]
        blocks = slice(None, -N_MELS), slice(-N_MELS, None)
        return [Compared(b, found[seen], found[kept], told, told[asked]) for b in blocks]

    def _told(self, chosen):
        """Which recordings are alike in what the generator is told: a number each."""
        names = self.trainer.generator.condition_names
        told = [getattr(self.notes, name)[chosen] for name in names]
        rows = np.stack([np.zeros(len(chosen)), *map(np.nan_to_num, told)], 1)
        return np.unique(rows, axis=0, return_inverse=True)[1].reshape(-1)

    def _sounds(self):
        """`features` of the averaged generator's sounds, [n_sounds, d]."""
        notes, n, chosen = self.notes, self.quality.n_sounds, self.asked
        conditioning = {
            "pitch": np.nan_to_num(notes.pitch[chosen]),
            "velocity": np.nan_to_num(notes.velocity[chosen]),
            "label": notes.label[chosen],
        }
        z = self.trainer.generator.prior(n, 54321)
        found = []
        n_timed, timed_seconds = 0, 0.0
        with self.trainer.averaged():
            for start in range(0, n, _BATCH):
                rows = slice(start, start + _BATCH)
                began = time.monotonic()
                part = {name: tf.constant(values[rows]) for name, values in conditioning.items()}
                found.append(self._generate(z[rows], part).numpy())
                size = len(found[-1])
                if size in self.compiled:
                    n_timed += size
                    timed_seconds += time.monotonic() - began
                # Of each size the first batch is compiled: once, which is no cost of the next time.
                self.compiled.add(size)
        if n_timed:
            self.cost_seconds = timed_seconds * n / n_timed
        return np.concatenate(found)

    def _generated(self, z, conditioning):
        audio = self.trainer.generator(z, conditioning, seed=0).audio
        return features(audio, self.notes.sample_rate)


class Compared:
    """Recordings that sounds are compared with, by a block of their features.

    Args:
      block: slice of the features' axis.
      seen: Features of recordings that the view is learnt from, [l, d].
      kept: Of those that sounds are compared with, [m, d].
      told, asked: What the generator is told of these recordings, and of the sounds: numbers, [m]
        and [n], that are equal where it is told the same.

    Attributes:
      unit: Mean distance between two recordings in the view.
    """

    def __init__(self, block, seen, kept, told, asked):
        self.block = block
        self.view = View(seen[:, block])
        self.recordings = self.view(kept[:, block])
        self.unit = distances.mean_distance(self.recordings)
        self.told = told
        self.asked = asked

    def distance(self, sounds):
        """Energy distance of sounds' features, [n, d], from the recordings, in units.

        The mean over recordings of that within what the generator is told; less the distance
        between recordings where one is alone.

        References:
          Gneiting and Raftery 2007, Strictly Proper Scoring Rules, section 4.3 (the energy score).
        """
        sounds = self.view(sounds[:, self.block])
        total, n = 0.0, 0
        for each in np.unique(self.told):
            alike, made = self.recordings[self.told == each], sounds[self.asked == each]
            if len(made) > 1:
                total += len(alike) * _energy_distance(alike, made)
                n += len(alike)
        return total / n / self.unit

    def variety(self, sounds):
        """Mean distance between two sounds, features [n, d], in units."""
        return distances.mean_distance(self.view(sounds[:, self.block])) / self.unit


class View:
    """Features in the directions in which recordings differ, each its own unit.

    Without units of their own, pitch and level would hide everything else: notes of the right pitch
    and level are near the recordings after a few steps, however they sound.

    Args:
      recordings: [n, d], n >= 2.
    """

    def __init__(self, recordings):
        recordings = recordings.astype(np.float64)
        self.projection = Projection(recordings)
        self.spreads = np.maximum(self.projection(recordings).std(0), _LEAST_SPREAD_DB)

    def __call__(self, pooled):
        """[n, d] -> [n, n_directions + 1]; the last one is the distance from all directions."""
        return self.projection(pooled.astype(np.float64)) / self.spreads


def _spread_out(notes, n):
    """Indices of at most n recordings, evenly over labels, pitches and velocities."""
    order = np.lexsort((np.nan_to_num(notes.velocity), np.nan_to_num(notes.pitch), notes.label))
    return order[np.linspace(0, len(order) - 1, min(n, len(order))).round().astype(int)]


def _halves(n):
    """Two halves of n recordings in order, neighbours apart: two arrays of indices.

    Chance says which of two neighbours goes where: taken in turns, notes of two velocities a pitch
    would be divided into the soft and the loud ones.
    """
    swapped = np.random.default_rng(0).integers(2, size=-(-n // 2))
    first = np.minimum(2 * np.arange(len(swapped)) + swapped, n - 1)
    return first, np.setdiff1d(np.arange(n), first)


def _of_few_conditions(told, n_most):
    """Of recordings, those of at most so many conditions, evenly chosen: array of bool."""
    n = told.max() + 1
    return np.isin(told, np.linspace(0, n - 1, min(n, n_most)).round().astype(int))


def _energy_distance(recordings, sounds):
    """As `distances.energy_distance`; of a single recording, without that between recordings."""
    if len(recordings) > 1:
        return distances.energy_distance(recordings, sounds)
    between = float(distances.pairwise_distances(recordings, sounds).mean())
    return 2.0 * between - distances.mean_distance(sounds)


def features(audio, sample_rate):
    """Levels and movement of log-mel spectrograms, as TensorFlow operations.

    Levels are `noisygan evaluate`'s pooled log-mel features. Movement is what they leave out:
    how much each band varies within the parts, such as by vibrato, tremolo and breath.

    Args:
      audio: float32 [batch, n_samples].
      sample_rate: Hz.

    Returns:
      float32 [batch, n_parts * 80 + 80], levels, then movement, each in dB over the root of the
      number of features, so that a distance is a root mean square difference in dB.
    """
    n_fft, hop_length = spectrograms.N_FFT, spectrograms.HOP_LENGTH
    window = tf.signal.hann_window(n_fft)
    padded = tf.pad(audio, [[0, 0], [n_fft // 2, n_fft // 2]])
    frames = tf.signal.frame(padded, n_fft, hop_length) * (2.0 / tf.reduce_sum(window)) * window
    power = tf.abs(tf.signal.rfft(frames)) ** 2
    mel = power @ spectrograms.mel_filters(sample_rate, N_MELS)[0].T.astype(np.float32)
    log_mel = 10.0 / np.log(10.0) * tf.math.log(tf.maximum(mel, 10.0 ** (LOWEST_DB / 10.0)))
    parts = np.array_split(np.arange(frames.shape[1]), min(N_PARTS, frames.shape[1]))
    parts = [log_mel[:, p[0] : p[-1] + 1] for p in parts]
    levels = tf.concat([tf.reduce_mean(part, axis=1) for part in parts], 1)
    movement = tf.add_n([tf.math.reduce_std(part, axis=1) for part in parts]) / len(parts)
    return tf.concat([levels / len(parts) ** 0.5, movement], 1) / N_MELS**0.5
