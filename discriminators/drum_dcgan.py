"""The drum DCGAN's discriminator: convolutions over the waveform, dilated rather than strided."""

import keras
import tensorflow as tf

from discriminators.conditioning import projected
from discriminators.output import DiscriminatorOutput
from discriminators.randomness import dropout
from discriminators.raw_waveform import RawWaveformDiscriminator


class DrumDCGANDiscriminator(RawWaveformDiscriminator):
    """Four convolutions with dropout, and one decision over all that is left of time.

    The defaults are the printed network: only the first layer has a stride, the others dilations
    of 2, 4 and 8, without padding. `strides=(4, 4, 4, 4), dilations=(1, 1, 1, 1)` is the variant
    without dilations. Conditions, of which the published network has none, enter by projection on
    the last map's mean over time (Miyato and Koyama 2018).

    Args:
      n_samples: Length of the sounds.
      n_filters, strides, dilations: Of the layers, one number each.
      kernel_size: Of the convolutions.
      causal: Whether the layers are padded at their beginning, so that no step of a map depends
        on later samples; otherwise they are not padded.
      dropout: Share of each layer's outputs that is set to 0.

    Raises:
      ValueError: for a dilation together with a stride, or sounds shorter than the layers see;
        when called, for sounds of another length.

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
        _check(n_samples, n_filters, strides, dilations, kernel_size, causal, dropout)
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

    def score(self, features, conditioning):
        """DiscriminatorOutput of the `front_end` features; conditioning: encoded, or None."""
        (h,) = features
        features = []
        for convolution in self.convolutions:
            h = tf.nn.leaky_relu(convolution(h), 0.2)
            features.append(h)
            h = dropout(h, self.dropout)
        logits = self.decision(tf.reshape(h, [-1, h.shape[1] * h.shape[2]]))[:, 0]
        logits += projected(self.projection, conditioning, tf.reduce_mean(h, axis=1))
        return DiscriminatorOutput([logits], [features])


def _check(n_samples, n_filters, strides, dilations, kernel_size, causal, dropout):
    def refuse(name, text):
        raise ValueError(f"DrumDCGANDiscriminator.{name}: {text}")

    n_layers = len(n_filters)
    for name, values in (("strides", strides), ("dilations", dilations)):
        if len(values) != n_layers or min(values) < 1:
            refuse(name, f"got {values}, expected {n_layers} numbers from 1, one a layer.")
    for i, (stride, dilation) in enumerate(zip(strides, dilations, strict=True)):
        if stride > 1 and dilation > 1:
            refuse(
                "dilations",
                f"got {dilation} together with a stride of {stride} in layer {i}; expected a "
                f"stride of 1 with this dilation, or a dilation of 1 with this stride.",
            )
    if not 0.0 <= dropout < 1.0:
        refuse("dropout", f"got {dropout}, expected 0 up to 1.")
    # What one step of the last layer sees.
    least, step = 1, 1
    for stride, dilation in zip(strides, dilations, strict=True):
        least += (kernel_size - 1) * dilation * step
        step *= stride
    least = 1 if causal else least
    if n_samples < least:
        refuse("n_samples", f"got {n_samples}, expected {least} or more, or causal = True.")
