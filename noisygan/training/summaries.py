"""Summaries: sounds, spectrograms and curves of the same codes as training goes on."""

import contextlib

import numpy as np
import tensorflow as tf

from synths import spectral


class Samples:
    """A few fixed codes under the conditions of a few recordings, rendered as training goes on.

    Args:
      trainer: A built `Trainer`.
      notes: The `AudioDataset`.
      n: Number of sounds.
    """

    def __init__(self, trainer, notes, n=4):
        self.trainer = trainer
        order = np.argsort(np.nan_to_num(notes.pitch), kind="stable")
        chosen = order[np.linspace(0, len(notes) - 1, n + 2).round().astype(int)[1:-1]]
        self.conditioning = {
            "pitch": tf.constant(np.nan_to_num(notes.pitch[chosen]), tf.float32),
            "velocity": tf.constant(np.nan_to_num(notes.velocity[chosen]), tf.float32),
            "label": tf.constant(notes.label[chosen], tf.int32),
        }
        self.z = trainer.generator.prior(n, 12345)

    def render(self, averaged=True):
        """(audio float32 [n, n_samples], controls dict) from the generator, averaged or not."""
        with self.trainer.averaged() if averaged else contextlib.nullcontext():
            output = self.trainer.generator(self.z, self.conditioning, seed=0)
        return output.audio.numpy(), {k: v.numpy() for k, v in output.controls.items()}


class EventWriter:
    """Writes TensorBoard event files.

    Args:
      folder: Where.
      sample_rate: Hz, of the audio summaries.
    """

    def __init__(self, folder, sample_rate):
        self.writer = tf.summary.create_file_writer(str(folder))
        self.sample_rate = sample_rate

    def scalars(self, step, metrics):
        """Numbers, unweighted."""
        with self.writer.as_default(step=step):
            for name, value in metrics.items():
                tf.summary.scalar(name, value)

    def sounds(self, step, audio, controls):
        """Sounds, their log-mel spectrograms and their one-dimensional curves."""
        with self.writer.as_default(step=step):
            tf.summary.audio("sound", audio[:, :, None], self.sample_rate, max_outputs=8)
            tf.summary.image("log_mel", log_mel_pictures(audio, self.sample_rate), max_outputs=8)
            for name, curve in controls.items():
                if curve.ndim == 3 and curve.shape[2] == 1:
                    tf.summary.image(name, _curve_pictures(curve[:, :, 0]), max_outputs=8)
                elif curve.ndim == 3:
                    picture = np.log(np.maximum(curve, 1e-6)).transpose(0, 2, 1)[:, ::-1, :, None]
                    tf.summary.image(name, _to_unit(picture), max_outputs=8)
        self.writer.flush()


def log_mel_pictures(audio, sample_rate):
    """Log-mel spectrograms as grey pictures [n, height, width, 1] in 0 .. 1, low pitch below."""
    mel = spectral.log_mel(audio, sample_rate).numpy().transpose(0, 2, 1)[:, ::-1, :, None]
    return _to_unit(mel)


def _to_unit(x):
    low, high = float(x.min()), float(x.max())
    return ((x - low) / max(high - low, 1e-9)).astype(np.float32)


def _curve_pictures(curves, height=100):
    """Curves [n, n_frames] drawn as dots, scaled to each one's range, [n, height, n_frames, 1]."""
    pictures = np.ones((*curves.shape[:1], height, curves.shape[1], 1), np.float32)
    for picture, curve in zip(pictures, curves, strict=True):
        low, high = curve.min(), curve.max()
        rows = ((high - curve) / max(high - low, 1e-9) * (height - 1)).astype(int)
        picture[rows, np.arange(len(curve)), 0] = 0.0
    return pictures
