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
from noisygan.losses.regularizers import DiscriminatorContext
from noisygan.training.step import update
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
            return program(batch, trainer._seed(number), trainer._active(number))

    return step


def _step(trainer, batch, seed, active):
    adversaries, score = trainer.adversaries, trainer.adversaries.score

    with tf.GradientTape() as tape:
        sounds = adversaries.sounds(batch, seed)
        real_features, fake_features = (
            [tf.stop_gradient(m) for m in maps]
            for maps in (sounds.real_features, sounds.fake_features)
        )
        features = sounds.conditioning
        real, fake = (score(each, features).logits for each in (real_features, fake_features))
        loss = _sum(adversaries.adversarial.d_loss, real, fake)
        metrics = {"d_adversarial": loss}
        context = DiscriminatorContext(
            lambda each: score(each, features), real_features, fake_features, real, seed + 2
        )
        for index in active:
            regularizer = adversaries.regularizers[index]
            weight = adversaries.balance.penalty * regularizer.weight * regularizer.interval
            loss += weight * regularizer(context)
        scaled = trainer.d_phase.optimizer.scale_loss(loss)
    values = [v.value for v in trainer.d_phase.variables]
    metrics |= update(trainer.d_phase, loss, tape.gradient(scaled, values))

    values = [v.value for v in trainer.g_phase.variables]
    with tf.GradientTape() as tape:
        loss, g_metrics = adversaries.g_loss(adversaries.sounds(batch, seed))
        scaled = trainer.g_phase.optimizer.scale_loss(loss)
    metrics |= g_metrics | update(trainer.g_phase, loss, tape.gradient(scaled, values))
    trainer._average(metrics["g_finite"])
    return metrics


def _sum(loss, real, fake):
    return tf.add_n([loss(r, f) for r, f in zip(real, fake, strict=True)])


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
