"""The training loop: steps until a budget is used up, and what is kept on the way."""

import json
import time

import tensorflow as tf

from noisygan.rendering.audio_files import write_wav
from noisygan.training.checkpoints import Checkpoints
from noisygan.training.guards import Guards
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
    until_done=False,
):
    """Trains until the whole run has taken `steps` steps or `minutes` minutes.

    Args:
      trainer: A built `Trainer`.
      notes: The `NoteSet`.
      run: Its `RunFolder`.
      steps, minutes: Budgets of the whole run, time before a resume counted in; None: no bound.
      resume: Prefix of the checkpoint to go on from, or None for a new run.
      progress: Has update(step, total_steps, seconds, total_seconds, metrics) and message(text).
      intervals: Steps from one line of metrics, and from one checkpoint, to the next.
      snapshot_minutes: Minutes from one snapshot of the averaged weights to the next; None: none.
      seconds_before: What a new run has taken before its first step.
      until_done: Whether to stop once the sounds come no closer to the recordings; see `Quality`.

    Returns:
      The number of steps that the run has taken.

    Raises:
      RunError: if the training breaks down.
      KeyboardInterrupt: after saving, where the person stops it.
    """
    metrics_interval, checkpoint_interval = intervals
    elapsed = tf.Variable(0.0, dtype=tf.float64, trainable=False)
    newest_text = tf.Variable("{}", trainable=False)
    state = {"elapsed": elapsed, "newest": newest_text, **trainer.checkpointed}
    checkpoints = Checkpoints(run.checkpoints, state)
    if resume:
        checkpoints.restore(resume)
    run.keep_metrics_before(trainer.n_steps)
    step = trainer.n_steps
    trainer.grow(step)
    batches = trainer.batches(notes, step)
    samples = Samples(trainer, notes)
    events = EventWriter(run.events, notes.sample_rate)
    before = float(elapsed) if resume else seconds_before
    began = time.monotonic()
    newest = json.loads(newest_text.numpy())

    say = run.teller(progress)

    guards = Guards(trainer, notes, run, samples, say)
    guards.load(newest.pop("guards", None))

    def seconds():
        return before + time.monotonic() - began

    def save():
        elapsed.assign(seconds())
        values = {name: float(value) for name, value in newest.items()}
        newest_text.assign(json.dumps({**values, "guards": guards.state()}))
        checkpoints.save(step)

    def keep_sounds():
        audio, controls = samples.render()
        for i, sound in enumerate(audio):
            path = run.samples / f"step-{step:06d}-{i}.wav"
            path.unlink(missing_ok=True)
            write_wav(path, sound, notes.sample_rate)
        events.sounds(step, audio, controls)

    def n_snapshots():
        return 0 if snapshot_minutes is None else int(seconds() / (60.0 * snapshot_minutes))

    def done():
        return (
            (steps is not None and step >= steps)
            or (minutes is not None and seconds() >= 60.0 * minutes)
            or (until_done and guards.is_done)
        )

    run.log(f"{'resumed' if resume else 'began'} at step {step}")
    if not resume:
        keep_sounds()
        save()
    stop = StopSignals()
    kept_snapshots = n_snapshots()
    try:
        while not done():
            if stop.asked:
                raise KeyboardInterrupt
            tensors = trainer.train_step(batches, step)
            step += 1
            guards.check_finite(step, tensors)
            # Lazy regularizers come in some steps only: their newest values are kept.
            newest |= tensors
            measured = guards.measure(step, seconds())
            if step % metrics_interval == 0 or step == 1 or measured:
                metrics = {name: float(value) for name, value in newest.items()}
                metrics |= guards.counts | measured
                run.write_metrics({"step": step, "seconds": round(seconds(), 3), **metrics})
                events.scalars(step, metrics)
                guards.check_metrics(step, metrics)
                total = None if minutes is None else 60.0 * minutes
                progress.update(step, steps, seconds(), total, metrics)
            if n_snapshots() > kept_snapshots:
                kept_snapshots = n_snapshots()
                run.keep_snapshot(trainer, step, seconds())
            if step in SAMPLE_STEPS:
                keep_sounds()
            if step % checkpoint_interval == 0:
                save()
    except KeyboardInterrupt:
        if stop.at_once:
            raise
        save()
        run.log(
            f"stopped at step {step} by {stop.asked}" if stop.asked else f"stopped at step {step}"
        )
        guards.conclude()
        raise KeyboardInterrupt("stopped and saved") from None
    except tf.errors.OpError:
        if notes.failure is None:
            raise
        save()
        run.log(f"stopped at step {step}: {notes.failure}")
        raise notes.failure from None
    finally:
        stop.close()
        events.writer.flush()
    save()
    keep_sounds()
    run.log(f"finished at step {step} after {seconds():.0f} s")
    guards.conclude()
    return step
