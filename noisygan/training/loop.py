"""The training loop: steps within budgets, and a list of callbacks that does everything else."""

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
from noisygan.training.callbacks import Callback, MetricsLog, Samples, Snapshots, TensorBoard
from noisygan.training.checkpoints import Checkpoints
from noisygan.training.monitors import Alarms, NonFinite, QualityMonitor
from noisygan.training.signals import StopSignals

# Of the JSON of callbacks in a checkpoint.
_MAX_STATE_BYTES = 16 << 20
_INVALID = (LookupError, TypeError, ValueError, AttributeError, OverflowError, RecursionError)


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
    """Train a built `Trainer` until a budget is used up; most arguments as of `noisygan.train`.

    Args:
      log_every, checkpoint_every: Steps between records of metrics, and between checkpoints.
      clock: Function to the present time in seconds.

    Returns:
      Steps taken by the run.

    Raises:
      RunError: if the training breaks down.
      KeyboardInterrupt: after saving, where a signal stopped it.
    """
    run_dir, progress, replicas = pathlib.Path(run_dir), progress or Silent(), trainer.replicas
    budget = steps, None if minutes is None else 60.0 * minutes

    def report(text):
        run_files.log(run_dir, text)
        progress.message(text)

    def lead():
        loop = _Loop(trainer, data, run_dir, prefix, clock)
        board = TensorBoard(run_dir / "events", data.sample_rate, log_every)
        samples = Samples(trainer, data, run_dir, board)
        loop.callbacks = [
            NonFinite(report),
            QualityMonitor(trainer, data, run_dir, early_stop, report, clock),
            *callbacks,
            MetricsLog(run_dir, progress, budget, log_every),
            board,
            Alarms(samples, report, log_every),
            samples,
            *([Snapshots(run_dir, snapshot_minutes)] if snapshot_minutes is not None else []),
            _SaveCheckpoint(loop, checkpoint_every),
        ]
        return loop.run(*budget)

    lock = contextlib.nullcontext()
    if replicas.is_chief:
        lock = files.folder_lock(run_dir)
    with checkpoints.report_unwritable(run_dir), lock:
        # A run that was killed before its first checkpoint begins again.
        prefix = checkpoints.newest(run_dir, report) if resume and replicas.is_chief else None
        trainer.seconds = 0.0
        if replicas.broadcast_from_chief(prefix is None):
            began = clock()
            for prepare in trainer.pretraining:
                prepare(trainer, data, trainer.seed, progress.message)
            trainer.seconds = clock() - began
            trainer.g_ema.reset()
        return replicas.fit(trainer, data, run_dir, lead)


class _Loop:
    """A training: its step, newest metrics, callbacks and what a checkpoint holds of them."""

    def __init__(self, trainer, data, run_dir, prefix, clock):
        self.trainer, self.data, self.run_dir, self.clock = trainer, data, run_dir, clock
        self.elapsed = tf.Variable(trainer.seconds, dtype=tf.float64, trainable=False)
        self.text = tf.Variable("{}", trainable=False)
        state = {"elapsed": self.elapsed, "newest": self.text, **trainer.checkpointed}
        self.checkpoints = Checkpoints(run_dir / "checkpoints", state, prefix)
        trainer.seconds = float(self.elapsed)
        self.began = clock() - trainer.seconds
        self.step = trainer.step
        run_files.drop_metrics_after(run_dir, self.step)
        checkpoints.delete_after(run_dir, self.step)
        run_files.log(run_dir, f"{'resumed' if prefix else 'began'} at step {self.step}")
        trainer.plan.set_level(self.step)
        trainer.should_stop = False

    def run(self, steps, total_seconds):
        """Take steps until a budget is used up; returns the steps taken."""
        trainer = self.trainer
        self.load_state()
        for callback in self.stateful().values():
            callback.begin(self.step, trainer)
        batches = trainer.batches(self.data, self.step)
        stop = StopSignals()
        try:
            while not (
                trainer.should_stop
                or (steps is not None and self.step >= steps)
                or (total_seconds is not None and trainer.seconds >= total_seconds)
            ):
                if stop.received:
                    raise KeyboardInterrupt
                tensors = trainer.train_step(batches, self.step)
                self.step += 1
                # Read once a step: what is due and what a checkpoint says are of one time.
                trainer.seconds = self.clock() - self.began
                # Lazy regularizers apply in some steps only: their newest values are kept.
                self.newest |= {name: float(value) for name, value in tensors.items()}
                metrics = dict(self.newest)
                for callback in self.callbacks:
                    callback(self.step, metrics, trainer)
            self.end(f"finished at step {self.step} after {self.clock() - self.began:.0f} s")
        except KeyboardInterrupt:
            if stop.at_once:
                raise
            by = f" by {stop.received}" if stop.received else ""
            self.end(f"stopped at step {self.step}{by}", stopped=True)
            raise KeyboardInterrupt("stopped and saved") from None
        except tf.errors.OpError:
            if self.data.failure is None:
                raise
            self.end(f"stopped at step {self.step}: {self.data.failure}", stopped=True)
            raise self.data.failure from None
        except RunError as error:
            run_files.log(self.run_dir, str(error))
            raise
        finally:
            stop.close()
        return self.step

    def end(self, text, stopped=False):
        """End the callbacks, the checkpoint's first, and log why."""
        for callback in reversed(self.stateful().values()):
            callback.end(self.step, self.trainer, stopped)
        run_files.log(self.run_dir, text)

    def stateful(self):
        """Those callbacks that are more than a function, by name."""
        count, found = collections.Counter(), {}
        for callback in self.callbacks:
            if isinstance(callback, Callback):
                name = type(callback).__name__
                found[f"{name}-{count[name]}"] = callback
                count[name] += 1
        return found

    def save(self):
        """Write a checkpoint, unless there is one of this step."""
        self.elapsed.assign(self.trainer.seconds)
        states = {name: callback.state() for name, callback in self.stateful().items()}
        self.text.assign(json.dumps({"newest": self.newest, "callbacks": states}))
        self.checkpoints.save(self.step)

    def load_state(self):
        """Restore what `save` wrote; RunError where it is not that."""
        text = self.text.numpy()
        try:
            if len(text) > _MAX_STATE_BYTES or not 0.0 <= self.trainer.seconds < math.inf:
                raise ValueError
            state = json.loads(text)
            self.newest = {str(name): float(x) for name, x in state.get("newest", {}).items()}
            states = dict(state.get("callbacks", {}))
            for name, callback in self.stateful().items():
                if name in states:
                    callback.load(states[name])
        except _INVALID as error:
            raise RunError("the checkpoint holds no valid state of a training") from error


class _SaveCheckpoint(Callback):
    """Save the state of a loop at equal intervals of steps, and where it begins and ends."""

    def __init__(self, loop, every):
        self.loop, self.every = loop, every

    def begin(self, step, trainer):
        self.loop.save()

    def __call__(self, step, metrics, trainer):
        if step % self.every == 0:
            self.loop.save()

    def end(self, step, trainer, stopped):
        self.loop.save()
