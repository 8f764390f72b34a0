"""The training loop: steps within budgets, with logging, callbacks and checkpoints."""

import collections
import contextlib
import json
import math
import pathlib
import time

import tensorflow as tf

from noisygan import files
from noisygan.errors import RunError
from noisygan.progress import Silent
from noisygan.training import checkpoints, run_files
from noisygan.training.callbacks import Callback, Samples, Snapshots, TensorBoard
from noisygan.training.checkpoints import Checkpoints
from noisygan.training.monitors import Alarms, NonFinite, QualityMonitor
from noisygan.training.signals import StopSignals

# Of the JSON of callbacks in a checkpoint.
_MAX_STATE_BYTES = 16 << 20


def fit(
    trainer,
    data,
    run_dir,
    steps=None,
    minutes=None,
    resume=False,
    callbacks=(),
    early_stop=False,
    snapshot_minutes=None,
    progress=None,
    log_every=10,
    checkpoint_every=250,
    clock=time.monotonic,
):
    """Train until a budget is used up; see `Trainer.fit`.

    Args:
      trainer: A built `Trainer`.
      data: `AudioDataset`.
      run_dir: Its run folder.
      steps, minutes: Budgets of the whole run, time before a resume included; None: no bound.
      resume: Whether to continue from the newest good checkpoint.
      callbacks: Called with (step, metrics, trainer) after every step.
      early_stop: Whether to stop once the distance from the data does not fall any more.
      snapshot_minutes: Interval of snapshots of the averaged weights; None: none.
      progress: Has update(step, total_steps, seconds, total_seconds, metrics) and message(text).
      log_every, checkpoint_every: Steps between records of metrics, and between checkpoints.
      clock: Function to the present time in seconds.

    Returns:
      Steps taken by the run.

    Raises:
      RunError: if the training breaks down.
      KeyboardInterrupt: after saving, where a signal stopped it.
    """
    run_dir, progress, replicas = pathlib.Path(run_dir), progress or Silent(), trainer.replicas

    def report(text):
        run_files.log(run_dir, text)
        progress.message(text)

    def lead():
        loop = _Loop(trainer, data, run_dir, prefix, report, seconds_before, clock)
        loop.add(callbacks, early_stop, snapshot_minutes)
        with contextlib.closing(loop.summaries.writer):
            return loop.run(steps, minutes, progress, log_every, checkpoint_every)

    lock = contextlib.nullcontext()
    if replicas.is_chief:
        lock = files.folder_lock(run_dir)
    with checkpoints.report_unwritable(run_dir), lock:
        # A run that was killed before its first checkpoint begins again.
        prefix = checkpoints.newest(run_dir, report) if resume and replicas.is_chief else None
        seconds_before = 0.0
        if replicas.broadcast_from_chief(prefix is None):
            began = clock()
            for prepare in trainer.pretraining:
                prepare(trainer, data, trainer.seed, progress.message)
            seconds_before = clock() - began
            trainer.g_ema.reset()
        return replicas.fit(trainer, data, run_dir, lead)


class _Loop:
    """State of a training: step, time, newest metrics, callbacks and checkpoints."""

    def __init__(self, trainer, data, run_dir, prefix, report, seconds_before, clock):
        self.trainer, self.data, self.run_dir, self.report = trainer, data, run_dir, report
        self.resumed = prefix is not None
        self._elapsed = tf.Variable(seconds_before, dtype=tf.float64, trainable=False)
        self._text = tf.Variable("{}", trainable=False)
        state = {"elapsed": self._elapsed, "newest": self._text, **trainer.checkpointed}
        self._checkpoints = Checkpoints(run_dir / "checkpoints", state, prefix)
        self._seconds_before, self._clock, self._began = float(self._elapsed), clock, clock()
        self.now = self._seconds_before
        self.step = trainer.step
        self._newest, self._states = _read_state(self._text.numpy(), self.now)
        run_files.drop_metrics_after(run_dir, self.step)
        checkpoints.delete_after(run_dir, self.step)
        trainer.plan.set_level(self.step)
        trainer.should_stop = False
        self.batches = trainer.batches(data, self.step)

    def add(self, callbacks, early_stop, snapshot_minutes):
        """Make the monitors, and take the caller's callbacks."""
        trainer, data, run_dir = self.trainer, self.data, self.run_dir
        self.summaries = TensorBoard(run_dir / "events", data.sample_rate)
        self.samples = Samples(trainer, data, run_dir, self.summaries)
        self.non_finite = NonFinite(self.report)
        self.quality = QualityMonitor(trainer, data, run_dir, self._clock)
        self.alarms = Alarms(self.samples, self.report)
        self.callbacks = [*callbacks, self.samples]
        if snapshot_minutes is not None:
            self.callbacks.append(Snapshots(run_dir, snapshot_minutes, lambda: self.now))
        self.early_stop = early_stop
        try:
            for name, callback in self._stateful().items():
                if name in self._states:
                    callback.load(self._states[name])
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise RunError("the checkpoint holds no valid state of a training") from error

    def _stateful(self):
        """Callbacks with state, by name."""
        own = {"non_finite": self.non_finite, "quality": self.quality, "alarms": self.alarms}
        count = collections.Counter()
        for callback in self.callbacks:
            if isinstance(callback, Callback):
                name = type(callback).__name__
                own[f"{name}-{count[name]}"] = callback
                count[name] += 1
        return own

    def run(self, steps, minutes, progress, log_every, checkpoint_every):
        """Take steps until a budget is used up; returns the steps taken."""
        total_seconds = None if minutes is None else 60.0 * minutes
        run_files.log(self.run_dir, f"{'resumed' if self.resumed else 'began'} at step {self.step}")
        if not self.resumed:
            self.samples.write(0)
            self._save()
        stop = StopSignals()
        try:
            while not self._is_done(steps, total_seconds):
                if stop.asked:
                    raise KeyboardInterrupt
                metrics, is_due = self._take_step(log_every)
                if is_due:
                    self._log(metrics)
                    progress.update(self.step, steps, self.now, total_seconds, metrics)
                for callback in self.callbacks:
                    callback(self.step, metrics, self.trainer)
                if self.step % checkpoint_every == 0:
                    self._save()
            self._save()
        except KeyboardInterrupt:
            if stop.at_once:
                raise
            self._save()
            by = f" by {stop.asked}" if stop.asked else ""
            run_files.log(self.run_dir, f"stopped at step {self.step}{by}")
            self.quality.conclude(self.report)
            raise KeyboardInterrupt("stopped and saved") from None
        except tf.errors.OpError:
            if self.data.failure is None:
                raise
            self._save()
            run_files.log(self.run_dir, f"stopped at step {self.step}: {self.data.failure}")
            raise self.data.failure from None
        except RunError as error:
            run_files.log(self.run_dir, str(error))
            raise
        finally:
            stop.close()
        self.samples.write(self.step)
        text = f"finished at step {self.step} after {self._seconds():.0f} s"
        run_files.log(self.run_dir, text)
        self.quality.conclude(self.report)
        return self.step

    def _seconds(self):
        return self._seconds_before + self._clock() - self._began

    def _is_done(self, steps, total_seconds):
        return (
            (steps is not None and self.step >= steps)
            or (total_seconds is not None and self.now >= total_seconds)
            or (self.early_stop and self.quality.is_done)
            or self.trainer.should_stop
        )

    def _take_step(self, log_every):
        """Take a step: (metrics as floats, whether they are due to be logged)."""
        tensors = self.trainer.train_step(self.batches, self.step)
        self.step += 1
        # Read once a step: what is due and what a checkpoint says are of one time.
        self.now = self._seconds()
        # Lazy regularizers apply in some steps only: their newest values are kept.
        self._newest |= {name: float(value) for name, value in tensors.items()}
        metrics = dict(self._newest)
        self.non_finite(self.step, metrics, self.trainer)
        self.quality(self.step, metrics, self.trainer)
        is_due = self.step == 1 or self.step % log_every == 0
        return metrics, is_due or "energy_distance_percent" in metrics

    def _log(self, metrics):
        record = {"step": self.step, "seconds": round(self.now, 3), **metrics}
        run_files.append_metrics(self.run_dir, record)
        self.summaries(self.step, metrics)
        self.alarms(self.step, metrics, self.trainer)

    def _save(self):
        """Write a checkpoint."""
        self._elapsed.assign(self.now)
        states = {name: callback.state() for name, callback in self._stateful().items()}
        self._text.assign(json.dumps({"newest": self._newest, "callbacks": states}))
        self._checkpoints.save(self.step)


def _read_state(text, elapsed):
    """(newest metrics, states of callbacks) of a checkpoint's JSON; RunError if invalid."""
    try:
        if len(text) > _MAX_STATE_BYTES or not 0.0 <= elapsed < math.inf:
            raise ValueError
        state = json.loads(text)
        newest = {str(name): float(x) for name, x in state.get("newest", {}).items()}
        return newest, dict(state.get("callbacks", {}))
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise RunError("the checkpoint holds no valid state of a training") from error
