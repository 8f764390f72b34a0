"""Monitors of a training: non-finite updates, collapse, silence, quality and early stopping.

Monitors are callbacks. What they count and have measured is part of a checkpoint, so a resumed run
counts, waits and warns as if it had not stopped.
"""

import collections
import math
import time

import numpy as np
import tensorflow as tf

from noisygan import config
from noisygan.errors import RunError
from noisygan.metrics import distances, spectrograms
from noisygan.metrics.features import LOWEST_DB, N_MELS, N_PARTS, Projection
from noisygan.training import checkpoints, run_files
from noisygan.training.callbacks import Callback
from noisygan.training.quality import Quality

# A run is stopped after so many steps in a row without finite gradients, or almost in a row.
MAX_NOT_FINITE = 20
_RECOVERY = 0.1
# Below so much of the data's variety, in percent, for so many measurements, examples are all alike.
_MIN_VARIETY = 10.0
_ALIKE_PATIENCE = 3
_N_REFERENCE = 256
# From this number of recordings on, one half fits the whitening and the other is compared.
_MIN_HALVED = 16
# Directions in which recordings differ less are not magnified.
_MIN_SPREAD_DB = 0.05
# Mean distances below this are rounding: the recordings are copies.
_MIN_UNIT = 1e-3
_BATCH = 16


class NonFinite(Callback):
    """Counts updates that were skipped for lack of finite gradients; stops a run with too many.

    Args:
      report: Called with a line of text for the user and the log.
    """

    def __init__(self, report):
        self.report = report
        self.skipped = {"d": 0, "g": 0}
        self.strain = 0.0

    def __call__(self, step, metrics, trainer):
        """Add `d_skipped` and `g_skipped` to the metrics.

        Raises:
          RunError: for too many non-finite steps.
        """
        skipped = [name for name in self.skipped if not metrics[f"{name}_finite"] > 0]
        for name in list(skipped):
            # A loss scale that is too large makes finite losses overflow; it adapts.
            phase = getattr(trainer, f"{name}_phase")
            if phase.is_scale_searching and math.isfinite(metrics.get(f"{name}_loss", math.nan)):
                skipped.remove(name)
        for name in skipped:
            self.skipped[name] += 1
        metrics |= {f"{name}_skipped": float(n) for name, n in self.skipped.items()}
        if not skipped:
            self.strain = max(0.0, self.strain - _RECOVERY)
            return
        self.strain += 1.0
        n = sum(self.skipped.values())
        if self.strain >= MAX_NOT_FINITE:
            raise RunError(
                f"Training stopped at step {step}: gradients were not finite for "
                f"{MAX_NOT_FINITE} steps in a row, or too often ({n} updates skipped). The "
                "checkpoint before it is kept. Try a tenth of the learning rates "
                "(Adam.learning_rate), or more R1.weight."
            )
        if len(str(n)) > len(str(n - len(skipped))) or n == len(skipped):
            self.report(f"step {step}: gradients were not finite; update skipped ({n} so far)")

    def state(self):
        """dict for JSON."""
        return {"skipped": self.skipped, "strain": self.strain}

    def load(self, state):
        """Restore what `state` returned."""
        self.skipped = {name: int(state["skipped"][name]) for name in ("d", "g")}
        self.strain = float(state["strain"])


class Alarms(Callback):
    """Warnings of collapse, silence, clipping, and of a discriminator that has won.

    Args:
      samples: `noisygan.training.callbacks.Samples`: keeps audio that shows the problem, or None.
      report: Called with a line of text for the user and the log.
      patience: Records over which metrics are averaged.
      repeat: Records after which a warning is repeated.
    """

    def __init__(self, samples, report, patience=20, repeat=200):
        self.samples = samples
        self.report = report
        self.repeat = repeat
        self.recent = collections.deque(maxlen=patience)
        self.quiet_until = {}
        self.n = 0
        self.n_alike = 0
        self.n_kept = collections.Counter()

    def __call__(self, step, metrics, trainer):
        """Check a further record of metrics."""
        self.n += 1
        self.recent.append(dict(metrics))
        self._check_variety(step, metrics.get("diversity_percent"))
        if len(self.recent) < self.recent.maxlen:
            return
        for name, text in _findings(self._means(metrics)):
            if self.quiet_until.get(name, 0) <= self.n:
                self.quiet_until[name] = self.n + self.repeat
                self._warn(step, name, text, averaged=False)

    def _check_variety(self, step, percent):
        """Warn of an averaged generator whose examples are all alike, whatever a batch shows."""
        if percent is None:
            return
        self.n_alike = self.n_alike + 1 if percent < _MIN_VARIETY else 0
        if self.n_alike and self.n_alike % _ALIKE_PATIENCE == 0:
            text = (
                f"The averaged generator's examples are nearly identical (variety {percent:.1f} % "
                "of the data's): raise R1.weight and R2.weight, lower the learning rates, or use a "
                "larger batch."
            )
            self._warn(step, "collapse", text, averaged=True)

    def _means(self, names):
        """Means of what is finite in at least half of the records."""
        means = {}
        for name in names:
            values = [r[name] for r in self.recent if math.isfinite(r.get(name, math.nan))]
            if 2 * len(values) >= len(self.recent):
                means[name] = sum(values) / len(values)
        return means

    def _warn(self, step, name, text, averaged):
        path = None
        if self.samples and name != "d_won" and self.n_kept[name] < 3:
            path = self.samples.write_alarm(name, step, averaged)
        if path is not None:
            self.n_kept[name] += 1
        self.report(f"step {step}: {text}{f' Listen: {path}' if path else ''}")

    def state(self):
        """dict for JSON."""
        return {
            "recent": list(self.recent),
            "quiet_until": self.quiet_until,
            "n": self.n,
            "n_alike": self.n_alike,
            "n_kept": dict(self.n_kept),
        }

    def load(self, state):
        """Restore what `state` returned."""
        records = [{str(k): float(v) for k, v in r.items()} for r in state["recent"]]
        self.recent.extend(records)
        self.quiet_until = {str(k): int(v) for k, v in state["quiet_until"].items()}
        self.n, self.n_alike = int(state["n"]), int(state["n_alike"])
        self.n_kept.update({str(k): int(v) for k, v in state["n_kept"].items()})


def _findings(mean):
    """(name, text) of the problems that averaged metrics show."""
    if mean.get("d_right", 0.0) > 0.99 and 0.0 <= mean.get("d_adversarial", 1.0) < 0.02:
        yield (
            "d_won",
            "The discriminator has won (over 99 % right, loss "
            f"{mean['d_adversarial']:.3f}), so the generator learns little: raise R1.weight "
            "tenfold (or add R1 to Trainer.regularizers), or lower the discriminator's learning "
            "rate.",
        )
    real, fake = mean.get("real_spread", 0.0), mean.get("fake_spread", 0.0)
    if real > 0.0 and fake < 0.2 * real:
        yield (
            "collapse",
            f"The fake examples are alike (spread {fake / real:.2f} of the real ones'): raise "
            "R1.weight and R2.weight, lower the learning rates, or use a larger batch.",
        )
    peak = mean.get("fake_peak")
    if peak is not None and peak < 1e-3:
        yield (
            "silence",
            f"The fake examples are nearly silent (peak {peak:.1e}): start again with a lower "
            "learning rate or, for a Hybrid, a higher Hybrid.initial_loudness_db.",
        )
    if peak is not None and peak > 1.25:
        yield (
            "clipping",
            f"The fake examples exceed full scale (peak {peak:.2f}) and would clip in a file: add "
            "ClippingPenalty to Trainer.generator_losses or, for a Hybrid, lower "
            "Hybrid.max_loudness_db or Hybrid.initial_loudness_db.",
        )


class Curve:
    """Distances at growing steps, lower is better; decides when training is done.

    A distance counts as a gain if it is lower by `min_gain` than the last one that counted, so
    small gains add up.

    Args:
      patience: Measurements without a gain after which training is done.
      min_gain: In the unit of the distances.
    """

    def __init__(self, patience, min_gain):
        self.patience = patience
        self.min_gain = min_gain
        self.points = []

    def add(self, step, distance):
        """Add a point; returns whether it is the lowest so far."""
        lowest = min((d for _, d in self.points), default=math.inf)
        distance = distance if math.isfinite(distance) else math.inf
        self.points.append([step, distance])
        return distance < lowest

    @property
    def best(self):
        """(step, distance) of the lowest finite point, or None."""
        finite = (point for point in self.points if math.isfinite(point[1]))
        return min(finite, key=lambda point: point[1], default=None)

    @property
    def last_gain(self):
        """Index of the last point that counted as a gain, or None without points."""
        last, reached = None, math.inf
        for i, (_, distance) in enumerate(self.points):
            if i == 0 or (distance < reached and reached - distance >= self.min_gain):
                last, reached = i, distance
        return last

    @property
    def n_without_gain(self):
        """Measurements since the last gain."""
        return len(self.points) - 1 - self.last_gain if self.points else 0

    @property
    def is_done(self):
        """True if there was no gain in the last `patience` measurements."""
        return self.n_without_gain >= self.patience

    def verdict(self):
        """One line for the user."""
        if len(self.points) < 2:
            return "too few measurements to say whether the distance still falls"
        if self.best is None:
            return f"the audio was not finite in any of {len(self.points)} measurements"
        step, distance = self.points[-1]
        best_step, best = self.best
        text = f"distance from the data {_percent(distance)} at step {step}"
        if best_step != step:
            text += f" (best: {best:.1f} % at step {best_step})"
        if self.is_done:
            return f"{text}: no gain since step {self.points[self.last_gain][0]}, done"
        if not self.n_without_gain:
            before = self.points[-2]
            return f"{text}, {_percent(before[1])} at step {before[0]}: still improving"
        left = self.patience - self.n_without_gain
        return f"{text}: last gain at step {self.points[self.last_gain][0]}, done after {left} more"


def _percent(distance):
    return f"{distance:.1f} %" if math.isfinite(distance) else "not finite"


class QualityMonitor(Callback):
    """Distance of the averaged generator's examples from the data; keeps the best weights.

    Distance: the energy distance of log-mel features, relative to the mean distance between two
    recordings, 100 %; the mean over levels and movement. Examples are compared with recordings of
    their own conditions. Variety: the mean distance between two examples' levels, 100 % that of
    recordings.

    Args:
      trainer: A built `Trainer`.
      data: `AudioDataset`.
      run_dir: Run folder, or None: best weights are not kept.
      clock: Function to the present time in seconds.
    """

    def __init__(self, trainer, data, run_dir=None, clock=time.monotonic):
        self.settings = trainer.quality or Quality()
        self.trainer, self.data, self.run_dir, self.clock = trainer, data, run_dir, clock
        self.curve = Curve(self.settings.patience, self.settings.min_gain)
        # Which weights are best must not depend on the clock in a deterministic run.
        self.is_timed = not (run_dir and run_files.read_metadata(run_dir)["deterministic"])
        self.references = None
        self.cost_seconds = 0.0
        self.last_seconds = clock()
        self.sizes = set()
        self._generate = tf.function(
            lambda z, conditioning: features(
                trainer.generator(z, conditioning, seed=0).audio, data.sample_rate
            )
        )

    def __call__(self, step, metrics, trainer):
        """Add `energy_distance_percent` and `diversity_percent` where a measurement is due."""
        growing = trainer.plan.stage(step - 1).end is not None
        if growing or len(self.data) < 2 or not self.settings.is_due(step):
            return
        elapsed = self.clock() - self.last_seconds
        if self.is_timed and self.cost_seconds > self.settings.max_share * elapsed:
            return
        self.last_seconds = self.clock()
        found = self.measure()
        if found is None:
            return
        distance, variety = found
        metrics |= {"energy_distance_percent": distance, "diversity_percent": variety}
        if self.curve.add(step, distance) and self.run_dir:
            keep_best(self.run_dir, trainer, step)

    @property
    def is_done(self):
        """True if the distance has not fallen for long enough."""
        return self.curve.is_done

    def conclude(self, report):
        """Report the verdict at the end of a training."""
        report(f"quality: {self.curve.verdict()}")
        best = self.curve.best
        if self.run_dir and best is not None and best[0] != self.curve.points[-1][0]:
            report(f"the best weights are a run of their own: {self.run_dir / 'best'}")

    def state(self):
        """dict for JSON."""
        return {"curve": self.curve.points, "cost_seconds": self.cost_seconds}

    def load(self, state):
        """Restore what `state` returned."""
        self.curve.points = [[int(step), float(distance)] for step, distance in state["curve"]]
        self.cost_seconds = float(state["cost_seconds"])

    def measure(self):
        """(distance, variety) in percent; None where the recordings are copies of one."""
        if self.references is None:
            self.references = self._references()
        levels = self.references[0]
        if levels.unit < _MIN_UNIT:
            return None
        examples = self._examples()
        if not np.isfinite(examples).all():
            return float("nan"), float("nan")
        found = [r.distance(examples) for r in self.references if r.unit >= _MIN_UNIT]
        return 100.0 * float(np.mean(found)), 100.0 * levels.variety(examples)

    def _references(self):
        """`ReferenceSet` of levels and of movement; chooses the conditions of the examples."""
        data, n = self.data, self.settings.n_sounds
        chosen = _evenly(data, _N_REFERENCE)
        found = np.stack(
            [features(data.audio(i)[None], data.sample_rate).numpy()[0] for i in chosen]
        )
        # The whitening must be fitted neither to the examples nor to the recordings compared.
        halves = _halves(len(found)) if len(found) >= _MIN_HALVED else (np.arange(len(found)),) * 2
        whitening_rows, rows = halves
        groups = self._condition_groups(chosen[rows])
        few = _limit_groups(groups, n // 2)
        groups, rows = groups[few], rows[few]
        conditions = np.arange(n) * len(rows) // n
        self.conditions = chosen[rows[conditions]]
        blocks = slice(None, -N_MELS), slice(-N_MELS, None)
        return [
            ReferenceSet(b, found[whitening_rows], found[rows], groups, groups[conditions])
            for b in blocks
        ]

    def _condition_groups(self, chosen):
        """A number for each recording, equal where the generator's conditions are."""
        names = self.trainer.generator.condition_names
        columns = [np.nan_to_num(getattr(self.data, name)[chosen]) for name in names]
        rows = np.stack([np.zeros(len(chosen)), *columns], 1)
        return np.unique(rows, axis=0, return_inverse=True)[1].reshape(-1)

    def _examples(self):
        """`features` of the averaged generator's examples, [n_sounds, d]."""
        data, n, chosen = self.data, self.settings.n_sounds, self.conditions
        conditioning = {
            "pitch": np.nan_to_num(data.pitch[chosen]),
            "velocity": np.nan_to_num(data.velocity[chosen]),
            "label": data.label[chosen],
            "held_seconds": data.held_seconds[chosen],
        }
        z = self.trainer.generator.prior(n, 54321)
        found, n_timed, seconds = [], 0, 0.0
        with self.trainer.averaged():
            for start in range(0, n, _BATCH):
                rows, began = slice(start, start + _BATCH), self.clock()
                part = {name: tf.constant(values[rows]) for name, values in conditioning.items()}
                found.append(self._generate(z[rows], part).numpy())
                if len(found[-1]) in self.sizes:  # The first of a size is compiled.
                    n_timed, seconds = n_timed + len(found[-1]), seconds + self.clock() - began
                self.sizes.add(len(found[-1]))
        if n_timed:
            self.cost_seconds = seconds * n / n_timed
        return np.concatenate(found)


class ReferenceSet:
    """Recordings that examples are compared with, by a block of their features.

    Args:
      block: slice of the features' axis.
      whitening_features: Features of the recordings that the whitening is fitted to, [l, d].
      features: Features of the recordings that are compared, [m, d].
      groups, example_groups: Conditions of recordings and examples as numbers, [m] and [n].

    Attributes:
      unit: Mean distance between two recordings.
    """

    def __init__(self, block, whitening_features, features, groups, example_groups):
        self.block = block
        self.whiten = WhitenedFeatures(whitening_features[:, block])
        self.recordings = self.whiten(features[:, block])
        self.unit = distances.mean_distance(self.recordings)
        self.groups, self.example_groups = groups, example_groups

    def distance(self, examples):
        """Energy distance of examples' features, [n, d], within each condition, in units.

        Reference: Gneiting and Raftery 2007, section 4.3 (the energy score).
        """
        examples = self.whiten(examples[:, self.block])
        total, n = 0.0, 0
        for group in np.unique(self.groups):
            real = self.recordings[self.groups == group]
            fake = examples[self.example_groups == group]
            if len(fake) > 1:
                total += len(real) * _energy_distance(real, fake)
                n += len(real)
        return total / n / self.unit

    def variety(self, examples):
        """Mean distance between two examples, features [n, d], in units."""
        return distances.mean_distance(self.whiten(examples[:, self.block])) / self.unit


class WhitenedFeatures:
    """Whitened features: each direction in which recordings differ has unit spread.

    Without it pitch and level would hide everything else.

    Args:
      recordings: Features [n, d], n >= 2.
    """

    def __init__(self, recordings):
        recordings = recordings.astype(np.float64)
        self.projection = Projection(recordings)
        self.spreads = np.maximum(self.projection(recordings).std(0), _MIN_SPREAD_DB)

    def __call__(self, features):
        """[n, d] -> [n, n_directions + 1]; the last one is the distance from all directions."""
        return self.projection(features.astype(np.float64)) / self.spreads


def _energy_distance(recordings, examples):
    """Energy distance; of a single recording, without the distance between recordings."""
    if len(recordings) > 1:
        return distances.energy_distance(recordings, examples)
    between = float(distances.pairwise_distances(recordings, examples).mean())
    return 2.0 * between - distances.mean_distance(examples)


def _evenly(data, n):
    """Indices of at most n recordings, evenly over labels, pitches and velocities."""
    order = np.lexsort((np.nan_to_num(data.velocity), np.nan_to_num(data.pitch), data.label))
    return order[np.linspace(0, len(order) - 1, min(n, len(order))).round().astype(int)]


def _halves(n):
    """Two halves of n sorted recordings: of two neighbours, one by chance goes into either."""
    swapped = np.random.default_rng(0).integers(2, size=-(-n // 2))
    first = np.minimum(2 * np.arange(len(swapped)) + swapped, n - 1)
    return first, np.setdiff1d(np.arange(n), first)


def _limit_groups(groups, n_max):
    """Mask of the recordings of at most n_max groups, evenly chosen."""
    n = groups.max() + 1
    return np.isin(groups, np.linspace(0, n - 1, min(n, n_max)).round().astype(int))


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


def keep_best(run_dir, trainer, step):
    """Keep the averaged weights in the run folder `best`, as its newest checkpoint."""
    folder = run_dir / "best" / "checkpoints"
    folder.mkdir(parents=True, exist_ok=True)
    metadata = run_files.read_metadata(run_dir) | {"averaged_only": True}
    run_files.write_metadata(run_dir / "best", config.read(run_dir / "config.gin"), metadata)
    state = tf.train.Checkpoint(ema=trainer.g_ema.averages, step=trainer.g_ema.step)
    checkpoints.write(state, folder / f"ckpt-{step}")
    # Older ones are needed by a run that is resumed before this step.
    for other in checkpoints.steps(folder)[checkpoints.N_KEPT :]:
        checkpoints.remove(folder / f"ckpt-{other}")
