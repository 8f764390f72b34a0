"""The same training step written the plain way, to measure ours against.

What a competent person writes first: one `tf.function`, TensorFlow's own operations, Keras' layers
as they are. The generator plays anew for each network's update, every view and every loss takes
its own short-time transform, and each penalty its own pass through the discriminator. Played by a
config whose synthesizers are ddsp's (`ablations/ddsp_synths.gin`) it stands for what is usual.
"""

import contextlib
from unittest import mock

import keras
import tensorflow as tf

import synths
from discriminators.layers import ConvolutionAlongTime
from synths import spectral


def naive_step(trainer):
    """A built trainer's step in the plain form; n_critic counts as 1.

    Args:
      trainer: A built `Trainer`, whose networks and optimizers are used.

    Returns:
      A function from (batch, number of the step) to a dict of scalars.
    """
    program = tf.function(lambda batch, seed, active: _step(trainer, batch, seed, active))

    def step(batch, number):
        with textbook():
            return program(
                batch,
                tf.constant([trainer.seed, 8 * number]),
                trainer.active_regularizers(number),
            )

    return step


def _step(trainer, batch, seed, active):
    gan, metrics = trainer.gan, {}
    losses = (
        (trainer.d_phase, lambda examples: gan.d_loss(examples, seed, active)),
        (trainer.g_phase, gan.g_loss),
    )
    for phase, loss_of in losses:
        with tf.GradientTape() as tape:
            loss, terms = loss_of(gan.generate(batch, seed))
        metrics |= terms | phase.update(loss, phase.gradients(tape, loss))
    trainer.g_ema.update(metrics["g_finite"])
    return metrics


@contextlib.contextmanager
def textbook():
    """Within, spectra and convolutions are traced as TensorFlow and Keras have them."""
    synths.set_native_kernels(False)
    try:
        with (
            mock.patch.object(spectral, "magnitude", _magnitude),
            mock.patch.object(ConvolutionAlongTime, "call", _convolve),
        ):
            yield
    finally:
        synths.set_native_kernels(None)


def _magnitude(audio, n_fft=1024, hop_length=256):
    n_frames = -(-audio.shape[1] // hop_length)
    end = max((n_frames - 1) * hop_length + n_fft - n_fft // 2 - audio.shape[1], 0)
    padded = tf.pad(audio, [[0, 0], [n_fft // 2, end]])
    return tf.abs(tf.signal.stft(padded, n_fft, hop_length)[:, :n_frames]) * (4.0 / n_fft)


def _convolve(convolution, h):
    out = keras.layers.Conv2D.call(convolution, tf.transpose(h, [0, 2, 1, 3]))
    return tf.transpose(out, [0, 2, 1, 3])
