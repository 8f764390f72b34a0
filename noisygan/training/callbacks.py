"""Callbacks of a training: called as `callback(step, metrics, trainer)` after every step.

A callback may add numbers to `metrics`, a dict of floats, and may set `trainer.should_stop`. Any
function is a callback; a `Callback` also has hooks, and state that is part of a checkpoint.
"""

import contextlib

import numpy as np
import tensorflow as tf

from noisygan.audio_io.audio_files import write_wav
from noisygan.data.dataset import UNKNOWN_VELOCITY
from noisygan.training import checkpoints, run_files
from synths import spectral

# Steps at which fixed latents are rendered: close to each other first, then further apart.
SAMPLE_STEPS = frozenset(m * 10**e for e in range(1, 8) for m in (1, 3))


class Callback:
    """Base class of callbacks with state.

    Example:
      >>> class Stop(Callback):
      ...     def __call__(self, step, metrics, trainer):
      ...         if metrics["g_loss"] < 0.1:
      ...             trainer.should_stop = True
      >>> noisygan.train("runs/notes.gin", "my_notes", "runs/flute", callbacks=[Stop()])
    """

    def begin(self, step, trainer):
        """Called before the first step, once the state of a resumed run is loaded."""

    def __call__(self, step, metrics, trainer):
        """Called after a step; `step` counts from 1."""

    def end(self, step, trainer, stopped):
        """Called after the last step; `stopped`: by a signal or an unreadable recording."""

    def state(self):
        """State for a resumed run, a dict for JSON."""
        return {}

    def load(self, state):
        """Restore what `state` returned."""


def is_logged(step, metrics, every):
    """True if the metrics of a step are logged: one of `every`, and those with a measurement."""
    return step == 1 or step % every == 0 or "distance_percent" in metrics


class MetricsLog(Callback):
    """Append metrics to metrics.jsonl and show progress.

    Args:
      run_dir: Run folder.
      progress: Of `noisygan.progress`.
      budget: (steps, seconds) of the run, None: no bound.
      every: Steps between records.
    """

    def __init__(self, run_dir, progress, budget, every):
        self.run_dir, self.progress, self.every = run_dir, progress, every
        self.steps, self.seconds = budget

    def __call__(self, step, metrics, trainer):
        """Log metrics where they are due."""
        if is_logged(step, metrics, self.every):
            seconds = trainer.seconds
            record = {"step": step, "seconds": round(seconds, 3), **metrics}
            run_files.append_metrics(self.run_dir, record)
            self.progress.update(step, self.steps, seconds, self.seconds, metrics)


def conditioning_of(data, rows):
    """Conditioning of some recordings of an `AudioDataset`, as its batches have it."""
    return {
        "pitch": tf.constant(np.nan_to_num(data.pitch[rows]), tf.float32),
        "velocity": tf.constant(
            np.nan_to_num(data.velocity[rows], nan=UNKNOWN_VELOCITY), tf.float32
        ),
        "label": tf.constant(data.label[rows], tf.int32),
        "held_seconds": tf.constant(data.held_seconds_of(rows)),
        **{name: tf.constant(data.condition(name)[rows]) for name in data.tags},
    }


class Samples(Callback):
    """Render a few fixed latents under the conditions of a few recordings into `samples/`.

    Args:
      trainer: A built `Trainer`.
      data: `AudioDataset`.
      run_dir: Run folder.
      board: `TensorBoard`, or None.
      n: Number of examples.
    """

    def __init__(self, trainer, data, run_dir, board=None, n=4):
        self.trainer, self.run_dir, self.board = trainer, run_dir, board
        self.sample_rate = data.sample_rate
        order = np.argsort(np.nan_to_num(data.pitch), kind="stable")
        chosen = order[np.linspace(0, len(data) - 1, n + 2).round().astype(int)[1:-1]]
        self.conditioning = conditioning_of(data, chosen)
        self.z = trainer.generator.prior(n, 12345)

    def begin(self, step, trainer):
        """Write samples of the untrained generator."""
        if step == 0:
            self.write(0)

    def __call__(self, step, metrics, trainer):
        """Write samples at growing intervals."""
        if step in SAMPLE_STEPS:
            self.write(step)

    def end(self, step, trainer, stopped):
        """Write samples, but let a process that was told to stop do so at once."""
        if not stopped:
            self.write(step)

    def render(self, averaged=True):
        """Return audio of the generator, averaged or not, float32 [n, n_samples]."""
        with self.trainer.averaged() if averaged else contextlib.nullcontext():
            return self.trainer.generator(self.z, self.conditioning, seed=0).audio.numpy()

    def write(self, step):
        """Write the samples of the averaged generator."""
        audio = self.render()
        for i, row in enumerate(audio):
            self._write(f"step-{step:06d}-{i}.wav", row)
        if self.board is not None:
            self.board.audio(step, audio)

    def write_alarm(self, name, step, averaged):
        """Write the present examples one after another; returns the path, or None."""
        audio = self.render(averaged)
        if not np.isfinite(audio).all():
            return None
        return self._write(f"alarm-{name}-step-{step:06d}.wav", audio.reshape(-1))

    def _write(self, name, audio):
        path = self.run_dir / "samples" / name
        path.unlink(missing_ok=True)
        write_wav(path, audio, self.sample_rate)
        return path


class Snapshots(Callback):
    """Keep the averaged weights at equal intervals of training time.

    Args:
      run_dir: Run folder.
      minutes: Interval.
    """

    def __init__(self, run_dir, minutes):
        self.run_dir, self.minutes = run_dir, minutes

    def _n_due(self, trainer):
        return int(trainer.seconds / (60.0 * self.minutes))

    def begin(self, step, trainer):
        """Count the snapshots of the time before."""
        self.n_kept = self._n_due(trainer)

    def __call__(self, step, metrics, trainer):
        """Write a snapshot where one is due."""
        n = self._n_due(trainer)
        if n > self.n_kept:
            self.n_kept = n
            checkpoints.write_snapshot(self.run_dir, trainer.g_ema, trainer.seconds)


class TensorBoard(Callback):
    """Write TensorBoard summaries of metrics, audio and spectrograms.

    Args:
      folder: Of the event files.
      sample_rate: Hz, of the audio.
      every: Steps between records of metrics.
    """

    def __init__(self, folder, sample_rate, every=1):
        self.writer = tf.summary.create_file_writer(str(folder))
        self.sample_rate, self.every = sample_rate, every

    def __call__(self, step, metrics, trainer):
        """Write metrics where they are due."""
        if is_logged(step, metrics, self.every):
            with self.writer.as_default(step=step):
                for name, value in metrics.items():
                    tf.summary.scalar(name, value)

    def end(self, step, trainer, stopped):
        """Write what is not written yet."""
        self.writer.flush()

    def audio(self, step, audio):
        """Write audio [n, n_samples] and its log-mel spectrograms."""
        with self.writer.as_default(step=step):
            tf.summary.audio("sound", audio[:, :, None], self.sample_rate, max_outputs=8)
            tf.summary.image("log_mel", log_mel_images(audio, self.sample_rate), max_outputs=8)
        self.writer.flush()


def log_mel_images(audio, sample_rate):
    """Return log-mel spectrograms as images [n, height, width, 1] in 0 .. 1, low bands below."""
    mel = spectral.log_mel(audio, sample_rate).numpy().transpose(0, 2, 1)[:, ::-1, :, None]
    low, high = float(mel.min()), float(mel.max())
    return ((mel - low) / max(high - low, 1e-9)).astype(np.float32)
