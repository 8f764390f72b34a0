"""The training loop: steps until a budget is used up, and what is kept on the way."""

import json
import time

import tensorflow as tf

from noisygan.audio_io.audio_files import write_wav
from noisygan.errors import RunError
from noisygan.training.checkpoints import Checkpoints
from noisygan.training.guards import Guards, read_state
from noisygan.training.signals import StopSignals
from noisygan.training.summaries import EventWriter, Samples

# Steps at which the sounds of the same codes are kept: near to each other first, then further.
SAMPLE_STEPS = tuple(m * 10**e for e in range(1, 8) for m in (1, 3))


def fit(
    trainer,
    notes,
    run,
    steps,
    minutes,
    resume,
    progress,
    intervals=(10, 250),
    snapshot_minutes=None,
    seconds_before=0.0,
    early_stop=False,
):
    """Trains until the whole run has taken `steps` steps or `minutes` minutes.

    Args:
      trainer: A built `Trainer`.
      notes: The `AudioDataset`.
      run: Its `RunFolder`.
      steps, minutes: Budgets of the whole run, time before a resume counted in; None: no bound.
      resume: Prefix of the checkpoint to go on from, or None for a new run.
      progress: Has update(step, total_steps, seconds, total_seconds, metrics) and message(text).
      intervals: Steps from one line of metrics, and from one checkpoint, to the next.
      snapshot_minutes: Minutes from one snapshot of the averaged weights to the next; None: none.
      seconds_before: What a new run has taken before its first step.
      early_stop: Whether to stop once the sounds come no closer to the recordings; see `Quality`.

    Returns:
      The number of steps that the run has taken.

    Raises:
      RunError: if the training breaks down.
      KeyboardInterrupt: after saving, where the person stops it.
    """
    training = _Training(trainer, notes, run, resume, progress, seconds_before)
    guards = training.guards
    total_seconds = None if minutes is None else 60.0 * minutes
    # Looked at once a step: what is due by it and what a checkpoint says are of one time.
    now = training.seconds_before

    def done():
        return (
            (steps is not None and training.step >= steps)
            or (total_seconds is not None and now >= total_seconds)
            or (early_stop and guards.is_done)
        )

    def n_snapshots():
        return 0 if snapshot_minutes is None else int(now / (60 * snapshot_minutes))

    run.log(f"{'resumed' if resume else 'began'} at step {training.step}")
    if not resume:
        training.keep_sounds()
        training.save(now)
    stop = StopSignals()
    kept_snapshots = n_snapshots()
    try:
        while not done():
            if stop.asked:
                raise KeyboardInterrupt
            measured = training.take_step()
            step, now = training.step, training.seconds()
            if step % intervals[0] == 0 or step == 1 or measured:
                metrics = training.write_metrics(measured)
                progress.update(step, steps, now, total_seconds, metrics)
            if n_snapshots() > kept_snapshots:
                kept_snapshots = n_snapshots()
                run.keep_snapshot(trainer, step, now)
            if step in SAMPLE_STEPS:
                training.keep_sounds()
            if step % intervals[1] == 0:
                training.save(now)
        training.save(now)
    except KeyboardInterrupt:
        if stop.at_once:
            raise
        training.save(now)
        run.log(f"stopped at step {training.step}{f' by {stop.asked}' if stop.asked else ''}")
        guards.conclude()
        raise KeyboardInterrupt("stopped and saved") from None
    except tf.errors.OpError:
        if notes.failure is None:
            raise
        training.save(now)
        run.log(f"stopped at step {training.step}: {notes.failure}")
        raise notes.failure from None
    finally:
        stop.close()
        training.events.writer.flush()
    training.keep_sounds()
    run.log(f"finished at step {training.step} after {training.seconds():.0f} s")
    guards.conclude()
    return training.step


class _Training:
    """How far a run has come, and what it keeps of that.

    Args:
      trainer, notes, run, resume, progress, seconds_before: As of `fit`.

    Attributes:
      step: Steps taken.
      seconds_before: What they took.
      guards: `Guards`.
      events: `EventWriter`.

    Raises:
      RunError: if the checkpoint is none that a training saved.
    """

    def __init__(self, trainer, notes, run, resume, progress, seconds_before):
        self.trainer, self.notes, self.run = trainer, notes, run
        self._elapsed = tf.Variable(seconds_before, dtype=tf.float64, trainable=False)
        self._newest_text = tf.Variable("{}", trainable=False)
        state = {"elapsed": self._elapsed, "newest": self._newest_text, **trainer.checkpointed}
        self._checkpoints = Checkpoints(run.checkpoints, state)
        if resume:
            self._checkpoints.restore(resume)
        self.seconds_before = float(self._elapsed)
        try:
            self._newest, guarded = read_state(self._newest_text.numpy(), self.seconds_before)
        except ValueError as error:
            raise RunError(f"checkpoint {resume} is none that training saved: {error}") from error
        self.step = trainer.step
        run.keep_metrics_before(self.step)
        run.drop_states_after(self.step)
        trainer.plan.set_level(self.step)
        self._batches = trainer.batches(notes, self.step)
        self._samples = Samples(trainer, notes)
        self.events = EventWriter(run.events, notes.sample_rate)
        self._began = time.monotonic()
        self.guards = Guards(trainer, notes, run, self._samples, run.teller(progress))
        self.guards.load(guarded)

    def seconds(self):
        """What the run has taken, before a resume and in it."""
        return self.seconds_before + time.monotonic() - self._began

    def take_step(self):
        """Takes a step and watches over it: dict of numbers of the sounds, empty in most steps."""
        tensors = self.trainer.train_step(self._batches, self.step)
        self.step += 1
        self.guards.check_finite(self.step, tensors)
        # Lazy regularizers come in some steps only: their newest values are kept.
        self._newest |= tensors
        return self.guards.measure(self.step, self.seconds())

    def write_metrics(self, measured):
        """Writes the newest metrics with those of the sounds, and returns them: dict of floats."""
        metrics = {name: float(value) for name, value in self._newest.items()}
        metrics |= self.guards.counts | measured
        record = {"step": self.step, "seconds": round(self.seconds(), 3), **metrics}
        self.run.write_metrics(record)
        self.events.scalars(self.step, metrics)
        self.guards.check_metrics(self.step, metrics)
        return metrics

    def save(self, seconds):
        """Writes a checkpoint of a run that has taken so many seconds."""
        self._elapsed.assign(seconds)
        values = {name: float(value) for name, value in self._newest.items()}
        self._newest_text.assign(json.dumps({**values, "guards": self.guards.state()}))
        self._checkpoints.save(self.step)

    def keep_sounds(self):
        """Writes the sounds of the same codes as ever, by the averaged weights."""
        audio, controls = self._samples.render()
        for i, sound in enumerate(audio):
            path = self.run.samples / f"step-{self.step:06d}-{i}.wav"
            path.unlink(missing_ok=True)
            write_wav(path, sound, self.notes.sample_rate)
        self.events.sounds(self.step, audio, controls)
