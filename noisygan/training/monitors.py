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
from noisygan.training import checkpoints, run_files
from noisygan.training.callbacks import Callback, conditioning_of, is_logged
from noisygan.training.quality import Quality
from noisygan.training.reference_set import ReferenceSet, features

# A run is stopped after so many steps in a row without finite gradients, or almost in a row.
MAX_NOT_FINITE = 20
_RECOVERY = 0.1
# Below so much of the data's variety, in percent, for so many measurements, examples are all alike.
_MIN_VARIETY = 10.0
_ALIKE_PATIENCE = 3
_BATCH = 16


class NonFinite(Callback):
    """Count updates that were skipped for lack of finite gradients; stop a run with too many.

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
        return {"skipped": self.skipped, "strain": self.strain}

    def load(self, state):
        self.skipped = {name: int(state["skipped"][name]) for name in ("d", "g")}
        self.strain = float(state["strain"])


class Alarms(Callback):
    """Warn of collapse, silence, clipping, and of a discriminator that has won.

    Args:
      samples: `noisygan.training.callbacks.Samples`: keeps audio that shows the problem, or None.
      report: Called with a line of text for the user and the log.
      every: Steps between records of metrics.
      patience: Records over which metrics are averaged.
      repeat: Records after which a warning is repeated.
    """

    def __init__(self, samples, report, every=1, patience=20, repeat=200):
        self.samples, self.report, self.every, self.repeat = samples, report, every, repeat
        self.recent = collections.deque(maxlen=patience)
        self.quiet_until = {}
        self.n = 0
        self.n_alike = 0
        self.n_kept = collections.Counter()

    def __call__(self, step, metrics, trainer):
        """Check a further record of metrics."""
        if not is_logged(step, metrics, self.every):
            return
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
        return {
            "recent": list(self.recent),
            "quiet_until": self.quiet_until,
            "n": self.n,
            "n_alike": self.n_alike,
            "n_kept": dict(self.n_kept),
        }

    def load(self, state):
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
        """Add a point; return whether it is the lowest so far."""
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
        """Say in one line whether the distance still falls."""
        if len(self.points) < 2:
            return "too few measurements to say whether the distance still falls"
        if self.best is None:
            return f"the audio was not finite in any of {len(self.points)} measurements"
        step, distance = self.points[-1]
        shown = f"{distance:.1f} %" if math.isfinite(distance) else "not finite"
        text = f"distance from the data {shown} at step {step}"
        if self.best[0] != step:
            text += f" (best: {self.best[1]:.1f} % at step {self.best[0]})"
        gained = f"step {self.points[self.last_gain][0]}"
        if self.is_done:
            return f"{text}: no gain since {gained}, done"
        if not self.n_without_gain:
            return f"{text}: still improving"
        left = self.patience - self.n_without_gain
        return f"{text}: last gain at {gained}, done after {left} more"


class QualityMonitor(Callback):
    """Distance of the averaged generator's examples from the data; keeps the best weights.

    Args:
      trainer: A built `Trainer`.
      data: `AudioDataset`.
      run_dir: Run folder, or None: best weights are not kept.
      early_stop: Whether training stops once the distance has not fallen for long enough.
      report: Called with a line of text for the user and the log.
      clock: Function to the present time in seconds.
    """

    def __init__(self, trainer, data, run_dir, early_stop, report, clock=time.monotonic):
        self.settings = trainer.quality or Quality()
        self.trainer, self.data, self.run_dir, self.clock = trainer, data, run_dir, clock
        self.early_stop, self.report = early_stop, report
        self.curve = Curve(self.settings.patience, self.settings.min_gain)
        # Which weights are best must not depend on the clock in a deterministic run.
        self.is_timed = not (run_dir and run_files.read_metadata(run_dir)["deterministic"])
        self.references = None
        self.cost_seconds = 0.0
        self.last_seconds = clock()

        @tf.function(autograph=False)
        def generate(z, conditioning):
            audio = trainer.generator(z, conditioning, seed=0).audio
            return features(audio, data.sample_rate), audio

        self._generate = generate

    def begin(self, step, trainer):
        """Stop a resumed run that is done."""
        trainer.should_stop |= self.early_stop and self.curve.is_done

    def __call__(self, step, metrics, trainer):
        """Add `distance_percent` and `diversity_percent` where a measurement is due."""
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
        distance, diversity = found
        metrics |= {"distance_percent": distance, "diversity_percent": diversity}
        if self.curve.add(step, distance) and self.run_dir:
            keep_best(self.run_dir, trainer, step)
        trainer.should_stop |= self.early_stop and self.curve.is_done

    def end(self, step, trainer, stopped):
        """Report the verdict."""
        self.report(f"quality: {self.curve.verdict()}")
        best = self.curve.best
        if self.run_dir and best is not None and best[0] != self.curve.points[-1][0]:
            self.report(f"the best weights are a run of their own: {self.run_dir / 'best'}")

    def state(self):
        return {"curve": self.curve.points, "cost_seconds": self.cost_seconds}

    def load(self, state):
        self.curve.points = [[int(step), float(distance)] for step, distance in state["curve"]]
        self.cost_seconds = float(state["cost_seconds"])

    def measure(self):
        """(distance, diversity) of `ReferenceSet.compare`, of the averaged generator's examples."""
        n, is_first = self.settings.n_sounds, self.references is None
        if is_first:
            names = self.trainer.generator.condition_names
            self.references = ReferenceSet(self.data, n, names)
        began = self.clock()
        conditioning = conditioning_of(self.data, self.references.rows)
        z = self.trainer.generator.prior(n, 54321)
        found = []
        with self.trainer.averaged():
            for start in range(0, n, _BATCH):
                rows = slice(start, start + _BATCH)
                part = {name: values[rows] for name, values in conditioning.items()}
                found.append([x.numpy() for x in self._generate(z[rows], part)])
        distances = self.references.compare(*map(np.concatenate, zip(*found, strict=True)))
        if not is_first:  # The first one is compiled.
            self.cost_seconds = self.clock() - began
        return distances


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
