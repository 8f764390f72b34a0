"""The drum DCGAN's generators: nearest-neighbour upsampling, convolutions, batch normalisation."""

import math

import keras
import tensorflow as tf

from noisygan.errors import UsageError
from noisygan.generators.raw_waveform import RawWaveform

KERNEL_SIZE = 25


class _UpsamplingStack(RawWaveform):
    """A dense layer to a short map, then blocks of upsampling and convolution.

    Batch normalisation and ReLU stand behind the dense layer and between the blocks; they use the
    batch's statistics in training and the running ones elsewhere. What the last block makes beyond
    `n_samples` is cut off at the end.

    Attributes:
      min_batch_size: Smallest batch whose statistics mean something.
    """

    min_batch_size = 2

    def _set_layers(self, n_seed, seed_channels, factors, convolutions):
        """Set the stack's layers: one factor of upsampling and one convolution a block."""
        self.seed_shape = (n_seed, seed_channels)
        self.seed_map = keras.layers.Dense(n_seed * seed_channels, name="seed")
        self.ups = [keras.layers.UpSampling1D(factor) for factor in factors]
        self.convolutions = list(convolutions)
        self.normalisations = [
            keras.layers.BatchNormalization(name=f"normalisation_{i}") for i in range(len(factors))
        ]

    def audio_of_seed(self, h):
        """Audio from the dense layer's map.

        Args:
          h: float32 [batch, n_seed, seed_channels].

        Returns:
          float32 [batch, n_samples].
        """
        for normalise, up, convolve in zip(
            self.normalisations, self.ups, self.convolutions, strict=True
        ):
            h = convolve(up(tf.nn.relu(normalise(h))))
        return tf.tanh(h)[:, : self.n_samples, 0]

    def make_audio(self, latent):
        """Generate audio from latents, float32 [batch, n_samples]."""
        return self.audio_of_seed(tf.reshape(self.seed_map(latent), [-1, *self.seed_shape]))


class PublishedDrumDCGAN(_UpsamplingStack):
    """DCGAN generator as published: upsampling 16, 8, 8, 8, 8 and stride-4 convolutions.

    The convolutions lose steps at their ends (the last one does not), so n steps of the dense layer
    become 64 n - 180 samples: 7500 from 120.

    Args:
      n_samples: Length, a multiple of 64 less 180.
      sample_rate: Hz, of the recordings.
      latent_dim: Size of z.
      prior: As of `RawWaveform`; standard normal as published.
      condition_encoder: `ConditionEncoder`, or None as published.

    Raises:
      UsageError: for a length that the stack can't make.

    References:
      Falini 2021, table 1. 4,807,745 parameters for 7500 samples, 4,806,753 of them trainable.
    """

    FACTORS = (16, 8, 8, 8, 8)
    FILTERS = (128, 64, 32, 16, 1)
    SEED_CHANNELS = 256

    def __init__(
        self,
        n_samples=7500,
        sample_rate=44100,
        latent_dim=120,
        prior=None,
        condition_encoder=None,
        name="published_drum_dcgan",
    ):
        super().__init__(n_samples, sample_rate, latent_dim, prior, condition_encoder, name)
        n_seed = (n_samples + 180) // 64
        if n_samples != 64 * n_seed - 180 or n_seed < 3:
            below = max(n_seed, 3)
            near = [64 * n - 180 for n in (below, below + 1)]
            raise UsageError(
                f"PublishedDrumDCGAN.n_samples: got {n_samples}, expected a multiple of 64 "
                f"less 180 such as {near[0]} or {near[1]}; DrumDCGAN makes any length."
            )
        last = len(self.FILTERS) - 1
        self._set_layers(
            n_seed,
            self.SEED_CHANNELS,
            self.FACTORS,
            [
                keras.layers.Conv1D(
                    filters,
                    KERNEL_SIZE,
                    strides=4,
                    padding="same" if i == last else "valid",
                    name=f"conv_{i}",
                )
                for i, filters in enumerate(self.FILTERS)
            ],
        )


class DrumDCGAN(_UpsamplingStack):
    """DCGAN generator with upsampling 4, 2, 2, 2, 2 and stride-1 convolutions.

    Each step of the dense layer becomes 64 samples. From 120 steps the default has as many
    parameters as the printed one.

    A dilation that shares a divisor with the upsampling before it would see the same repeated
    steps from neighbouring places and repeat them itself; with even dilations throughout nothing
    above a 128th of the rate could be made. So dilations here are odd: 2^k + 1 where the text has
    2^k, for layers that are not upsampled.

    Args:
      n_samples: Length.
      sample_rate: Hz, of the recordings.
      latent_dim: Size of z.
      prior: As of `RawWaveform`; standard normal where absent.
      condition_encoder: `ConditionEncoder` or None.
      n_seed: Steps that the dense layer makes; None: as many as the length needs.
      seed_channels: Channels of these steps.
      filters: Of the convolutions before the last one, which has 1.
      causal: Whether no output depends on later steps of the maps before it. In training batch
        normalisation still ties all times together, by two numbers a channel.
      dilations: Of the convolutions; 1: none.

    Raises:
      UsageError: for a length that the steps don't reach, or dilations that don't fit.

    References:
      Falini 2021, sections 2.2.1 and 4: causal and dilated variants; lengths 7500 and 16000.
    """

    FACTORS = (4, 2, 2, 2, 2)

    def __init__(
        self,
        n_samples=7500,
        sample_rate=44100,
        latent_dim=120,
        prior=None,
        condition_encoder=None,
        n_seed=None,
        seed_channels=256,
        filters=(128, 64, 32, 16),
        causal=False,
        dilations=(1, 1, 1, 1, 1),
        name="drum_dcgan",
    ):
        super().__init__(n_samples, sample_rate, latent_dim, prior, condition_encoder, name)
        by = math.prod(self.FACTORS)
        needed = -(-n_samples // by)
        n_seed = needed if n_seed is None else n_seed
        if n_samples < 1 or n_seed < needed:
            raise UsageError(
                f"DrumDCGAN.n_samples: got {n_samples} with n_seed {n_seed}, which makes "
                f"{n_seed * by} samples; expected 1 to {n_seed * by}, or n_seed from "
                f"{max(needed, 1)}."
            )
        for dilation, factor in zip(dilations, self.FACTORS, strict=True):
            if dilation < 1 or math.gcd(dilation, factor) > 1:
                odd = max(dilation, 1) | 1
                raise UsageError(
                    f"DrumDCGAN.dilations: got {dilation} behind upsampling by {factor}, which "
                    f"would repeat the repeated steps; expected an odd number such as {odd} or "
                    f"{odd + 2}."
                )
        self._set_layers(
            n_seed,
            seed_channels,
            self.FACTORS,
            [
                keras.layers.Conv1D(
                    n_filters,
                    KERNEL_SIZE,
                    padding="causal" if causal else "same",
                    dilation_rate=dilation,
                    name=f"conv_{i}",
                )
                for i, (n_filters, dilation) in enumerate(
                    zip([*filters, 1], dilations, strict=True)
                )
            ],
        )
