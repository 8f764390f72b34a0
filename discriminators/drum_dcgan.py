"""Discriminator of the drum DCGAN: dilated convolutions over the waveform."""

import keras
import tensorflow as tf

from discriminators.base import DiscriminatorOutput, WaveformDiscriminator
from discriminators.conditioning import projected
from discriminators.randomness import dropout


class DrumDCGANDiscriminator(WaveformDiscriminator):
    """Four convolutions with dropout, then a dense layer over all remaining steps.

    The defaults are the published network: the first layer has a stride, the others have dilations
    of 2, 4 and 8, without padding. `strides=(4, 4, 4, 4), dilations=(1, 1, 1, 1)` is the variant
    without dilations. Conditioning, absent in the published network, enters by projection on the
    last map's mean over time (Miyato and Koyama 2018).

    Args:
      n_samples: Length of the audio.
      n_filters, strides, dilations: One number per layer.
      kernel_size: Of the convolutions.
      causal: Whether the layers are padded at the beginning, so that no step depends on later
        samples; otherwise they are not padded.
      dropout: Dropout rate behind each layer.

    Raises:
      ValueError: for a dilation together with a stride, or audio shorter than the receptive field.

    References:
      Falini 2021, table 2 and section 4. 511,233 parameters for 7500 samples.
    """

    def __init__(
        self,
        n_samples=7500,
        n_filters=(128, 64, 64, 64),
        strides=(4, 1, 1, 1),
        dilations=(1, 2, 4, 8),
        kernel_size=25,
        causal=False,
        dropout=0.3,
        name="drum_dcgan_discriminator",
    ):
        super().__init__(n_samples, name)
        field, step = 1, 1
        for stride, dilation in zip(strides, dilations, strict=True):
            field += (kernel_size - 1) * dilation * step
            step *= stride
            if stride > 1 and dilation > 1:
                raise ValueError(
                    f"DrumDCGANDiscriminator.dilations: got {dilation} together with a stride of "
                    f"{stride}, expected one of them to be 1."
                )
        if not causal and n_samples < field:
            raise ValueError(
                f"DrumDCGANDiscriminator.n_samples: got {n_samples}, expected {field} or more, or "
                "causal = True."
            )
        self.dropout = dropout
        self.convolutions = [
            keras.layers.Conv1D(
                n,
                kernel_size,
                strides=stride,
                dilation_rate=dilation,
                padding="causal" if causal else "valid",
                name=f"conv_{i}",
            )
            for i, (n, stride, dilation) in enumerate(
                zip(n_filters, strides, dilations, strict=True)
            )
        ]
        self.decision = keras.layers.Dense(1, name="decision")
        self.projection = keras.layers.Dense(n_filters[-1], use_bias=False, name="projection")

    def score(self, features, conditioning, held_seconds=None):
        """Score the waveform, [batch, n_samples, 1]."""
        (h,) = features
        maps = []
        for convolution in self.convolutions:
            h = tf.nn.leaky_relu(convolution(h), 0.2)
            maps.append(h)
            h = dropout(h, self.dropout)
        logits = self.decision(tf.reshape(h, [-1, h.shape[1] * h.shape[2]]))[:, 0]
        logits += projected(self.projection, conditioning, tf.reduce_mean(h, axis=1))
        return DiscriminatorOutput([logits], [maps])
