"""Recordings that generated examples are compared with, by features of log-mel spectrograms."""

import numpy as np
import tensorflow as tf

from noisygan.metrics import distances, note_envelopes, spectrograms
from noisygan.metrics.features import LOWEST_DB, N_MELS, N_PARTS, Projection

_N_REFERENCE = 256
# From this number of recordings on, one half fits the whitening and the other is compared.
_MIN_HALVED = 16
# Directions in which recordings differ less are not magnified.
_MIN_SPREAD_DB = 0.05
# Mean distances below this are rounding: the recordings are copies.
_MIN_UNIT = 1e-3


class ReferenceSet:
    """Recordings to compare examples with, evenly over labels, pitches and velocities.

    Args:
      data: `AudioDataset`, of two recordings or more.
      n: Number of examples.
      condition_names: Conditions of the generator: examples are compared with recordings of the
        same ones.

    Attributes:
      rows: For each example the recording whose conditions it shall have, int [n].
    """

    def __init__(self, data, n, condition_names=()):
        order = np.lexsort((np.nan_to_num(data.velocity), np.nan_to_num(data.pitch), data.label))
        chosen = order[_spaced(len(order), _N_REFERENCE)]
        found = [features(data.audio(i)[None], data.sample_rate).numpy()[0] for i in chosen]
        found = np.stack(found)
        # The whitening must be fitted neither to the examples nor to the recordings compared.
        fitted = compared = np.arange(len(found))
        if len(found) >= _MIN_HALVED:
            # Of two neighbours one by chance goes into either half.
            swapped = np.random.default_rng(0).integers(2, size=-(-len(found) // 2))
            fitted = np.minimum(2 * np.arange(len(swapped)) + swapped, len(found) - 1)
            compared = np.setdiff1d(compared, fitted)
        columns = [np.nan_to_num(data.condition(name)) for name in condition_names]
        conditions = np.stack([np.zeros(len(data)), *columns], 1)[chosen[compared]]
        groups = np.unique(conditions, axis=0, return_inverse=True)[1].reshape(-1)
        # At least two examples for each of the conditions.
        few = np.isin(groups, _spaced(groups.max() + 1, n // 2))
        groups, compared = groups[few], compared[few]
        rows = np.arange(n) * len(compared) // n
        self.rows = chosen[compared[rows]]
        self.levels, self.movement = (
            WhitenedReferences(found[fitted, block], found[compared, block], groups, groups[rows])
            for block in (np.s_[:-N_MELS], np.s_[-N_MELS:])
        )
        self.notes = None
        if "pitch" in condition_names and len(np.unique(data.pitch[chosen])) > 1:
            self.notes = NoteReferences(data, chosen, self.rows)

    def compare(self, examples, audio):
        """Compare `features` of examples, [n, d], and their audio, [n, n_samples].

        Returns:
          (distance, diversity) in percent of what recordings have. distance: of notes that are
          conditioned on pitch, `NoteReferences.distance`; else the mean energy distance of levels
          and movement. diversity: the mean distance of levels between two examples. NaN where
          features are not finite, None where all recordings are copies of one.
        """
        if self.levels.unit < _MIN_UNIT:
            return None
        if not np.isfinite(examples).all():
            return float("nan"), float("nan")
        levels, movement = examples[:, :-N_MELS], examples[:, -N_MELS:]
        diversity = 100.0 * self.levels.diversity(levels)
        if self.notes is not None:
            return 100.0 * self.notes.distance(audio), diversity
        found = [self.levels.distance(levels)]
        if self.movement.unit >= _MIN_UNIT:
            found.append(self.movement.distance(movement))
        return 100.0 * float(np.mean(found)), diversity


class NoteReferences:
    """Recordings of notes that examples of the same pitch and velocity are compared with.

    Args:
      data: `AudioDataset`.
      chosen: Recordings whose neighbours are the unit of the distance, int [k].
      rows: The recording of each example, among them, int [n].
    """

    def __init__(self, data, chosen, rows):
        self.sample_rate = data.sample_rate
        found = note_envelopes.envelopes((data.audio(i) for i in chosen), data.sample_rate)
        conditions = (values[chosen] for values in (data.pitch, data.velocity, data.label))
        self.floors = note_envelopes.median_floors(note_envelopes.floors(found, *conditions))
        order = np.argsort(chosen)
        self.recordings = found.take(order[np.searchsorted(chosen, rows, sorter=order)])

    def distance(self, audio):
        """Note distance of examples, float [n, n_samples]: 1 between neighbouring recordings."""
        own = note_envelopes.envelopes(audio, self.sample_rate)
        ratios = note_envelopes.ratios(
            note_envelopes.differences(self.recordings, own), self.floors
        )
        return float(np.nanmean(list(ratios.values())))


class WhitenedReferences:
    """Whitened features of recordings: each direction in which they differ has unit spread.

    Without it pitch and level would hide everything else.

    Args:
      fitted: Features of the recordings that the whitening is fitted to, [l, d].
      compared: Features of the recordings that are compared, [m, d].
      groups, example_groups: Conditions of recordings and examples as numbers, [m] and [n].

    Attributes:
      unit: Mean distance between two recordings.
    """

    def __init__(self, fitted, compared, groups, example_groups):
        fitted = fitted.astype(np.float64)
        self.projection = Projection(fitted)
        self.spreads = np.maximum(self.projection(fitted).std(0), _MIN_SPREAD_DB)
        self.recordings = self.whiten(compared)
        self.unit = distances.mean_distance(self.recordings)
        self.groups, self.example_groups = groups, example_groups

    def whiten(self, features):
        """[n, d] -> [n, n_directions + 1]; the last one is the distance from all directions."""
        return self.projection(features.astype(np.float64)) / self.spreads

    def distance(self, examples):
        """Energy distance of examples' features, [n, d], within each condition, in units.

        Reference: Gneiting and Raftery 2007, section 4.3 (the energy score).
        """
        examples = self.whiten(examples)
        total, n = 0.0, 0
        for group in np.unique(self.groups):
            real = self.recordings[self.groups == group]
            fake = examples[self.example_groups == group]
            if len(fake) > 1:
                within = distances.mean_distance(real) if len(real) > 1 else 0.0
                between = float(distances.pairwise_distances(real, fake).mean())
                total += len(real) * (2.0 * between - within - distances.mean_distance(fake))
                n += len(real)
        return total / n / self.unit

    def diversity(self, examples):
        """Mean distance between two examples, features [n, d], in units."""
        return distances.mean_distance(self.whiten(examples)) / self.unit


def _spaced(n, n_max):
    """At most n_max indices of n, evenly."""
    return np.linspace(0, n - 1, min(n, n_max)).round().astype(int)


def features(audio, sample_rate):
    """Levels and movement of log-mel spectrograms, as TensorFlow operations.

    Levels are pooled log-mel bands, as `noisygan evaluate` has them. Movement is how much each band
    varies within a segment, such as by vibrato, tremolo and breath.

    Args:
      audio: float32 [batch, n_samples].
      sample_rate: Hz.

    Returns:
      float32 [batch, n_parts * 80 + 80], levels, then movement, in dB over the root of the number
      of features, so that a distance is a root mean square difference in dB.
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
