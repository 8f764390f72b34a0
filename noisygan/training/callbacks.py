"""Callbacks of a training: called as `callback(step, metrics, trainer)` after every step.

A callback may add numbers to `metrics`, a dict of floats, and may set `trainer.should_stop`. Any
function is a callback; a `Callback` also has state that is part of a checkpoint.
"""

import contextlib

import numpy as np
import tensorflow as tf

from noisygan.audio_io.audio_files import write_wav
from noisygan.training import checkpoints
from synths import spectral

# Steps at which fixed latents are rendered: close to each other first, then further apart.
SAMPLE_STEPS = frozenset(m * 10**e for e in range(1, 8) for m in (1, 3))


class Callback:
    """Base class of callbacks with state.

    Example:
      >>> class Stop(Callback):
      ...     def __call__(self, step, metrics, trainer):
      ...         trainer.should_stop = metrics["g_loss"] < 0.1
      >>> noisygan.train("runs/notes.gin", "my_notes", "runs/flute", callbacks=[Stop()])
    """

    def __call__(self, step, metrics, trainer):
        """Called after a step; `step` counts from 1."""
        raise NotImplementedError

    def state(self):
        """State for a resumed run, a dict for JSON."""
        return {}

    def load(self, state):
        """Restore what `state` returned."""


class Samples(Callback):
    """Render a few fixed latents under the conditions of a few recordings into `samples/`.

    Args:
      trainer: A built `Trainer`.
      data: `AudioDataset`.
      run_dir: Run folder.
      summaries: `TensorBoard`, or None.
      n: Number of examples.
    """

    def __init__(self, trainer, data, run_dir, summaries=None, n=4):
        self.trainer, self.run_dir, self.summaries = trainer, run_dir, summaries
        self.sample_rate = data.sample_rate
        order = np.argsort(np.nan_to_num(data.pitch), kind="stable")
        chosen = order[np.linspace(0, len(data) - 1, n + 2).round().astype(int)[1:-1]]
        self.conditioning = {
            "pitch": tf.constant(np.nan_to_num(data.pitch[chosen]), tf.float32),
            "velocity": tf.constant(np.nan_to_num(data.velocity[chosen]), tf.float32),
            "label": tf.constant(data.label[chosen], tf.int32),
            "held_seconds": tf.constant(data.held_seconds[chosen]),
        }
        self.z = trainer.generator.prior(n, 12345)

    def __call__(self, step, metrics, trainer):
        """Write samples at growing intervals."""
        if step in SAMPLE_STEPS:
            self.write(step)

    def render(self, averaged=True):
        """(audio float32 [n, n_samples], dict of controls) of the generator, averaged or not."""
        with self.trainer.averaged() if averaged else contextlib.nullcontext():
            output = self.trainer.generator(self.z, self.conditioning, seed=0)
        return output.audio.numpy(), {k: v.numpy() for k, v in output.controls.items()}

    def write(self, step):
        """Write the samples of the averaged generator."""
        audio, controls = self.render()
        for i, row in enumerate(audio):
            self._write(f"step-{step:06d}-{i}.wav", row)
        if self.summaries is not None:
            self.summaries.audio(step, audio, controls)

    def write_alarm(self, name, step, averaged):
        """Write the present examples one after another; returns the path, or None."""
        audio, _ = self.render(averaged)
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
      seconds: Function to the training time so far, in seconds.
    """

    def __init__(self, run_dir, minutes, seconds):
        self.run_dir, self.minutes, self.seconds = run_dir, minutes, seconds
        self.n_kept = self._n_due()

    def _n_due(self):
        return int(self.seconds() / (60.0 * self.minutes))

    def __call__(self, step, metrics, trainer):
        """Write a snapshot where one is due."""
        n = self._n_due()
        if n > self.n_kept:
            self.n_kept = n
            checkpoints.write_snapshot(self.run_dir, trainer.g_ema, self.seconds())


class TensorBoard(Callback):
    """Write TensorBoard summaries of metrics, audio, spectrograms and control curves.

    Args:
      folder: Of the event files.
      sample_rate: Hz, of the audio.
    """

    def __init__(self, folder, sample_rate):
        self.writer = tf.summary.create_file_writer(str(folder))
        self.sample_rate = sample_rate

    def __call__(self, step, metrics, trainer=None):
        """Write metrics."""
        with self.writer.as_default(step=step):
            for name, value in metrics.items():
                tf.summary.scalar(name, value)

    def audio(self, step, audio, controls):
        """Write audio [n, n_samples], log-mel spectrograms and controls of one channel."""
        with self.writer.as_default(step=step):
            tf.summary.audio("sound", audio[:, :, None], self.sample_rate, max_outputs=8)
            tf.summary.image("log_mel", log_mel_images(audio, self.sample_rate), max_outputs=8)
            for name, curve in controls.items():
                if curve.ndim == 3 and curve.shape[2] == 1:
                    tf.summary.image(name, _curve_images(curve[:, :, 0]), max_outputs=8)
                elif curve.ndim == 3:
                    image = np.log(np.maximum(curve, 1e-6)).transpose(0, 2, 1)[:, ::-1, :, None]
                    tf.summary.image(name, _to_unit(image), max_outputs=8)
        self.writer.flush()


def log_mel_images(audio, sample_rate):
    """Log-mel spectrograms as grey images [n, height, width, 1] in 0 .. 1, low bands below."""
    mel = spectral.log_mel(audio, sample_rate).numpy().transpose(0, 2, 1)[:, ::-1, :, None]
    return _to_unit(mel)


def _to_unit(x):
    low, high = float(x.min()), float(x.max())
    return ((x - low) / max(high - low, 1e-9)).astype(np.float32)


def _curve_images(curves, height=100):
    """Curves [n, n_frames] as dots over their ranges, [n, height, n_frames, 1]."""
    images = np.ones((*curves.shape[:1], height, curves.shape[1], 1), np.float32)
    for image, curve in zip(images, curves, strict=True):
        low, high = curve.min(), curve.max()
        rows = ((high - curve) / max(high - low, 1e-9) * (height - 1)).astype(int)
        image[rows, np.arange(len(curve)), 0] = 0.0
    return images
