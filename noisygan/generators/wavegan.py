"""WaveGAN's generator: transposed convolutions from a latent to samples."""

import keras
import tensorflow as tf

from noisygan.errors import UsageError
from noisygan.generators.raw_waveform import RawWaveform

N_SEED = 16
STRIDES = {16384: (4,) * 5, 32768: (4,) * 5 + (2,), 65536: (4,) * 6}


class TransposedConvolution:
    """Up by a transposed convolution, as WaveGAN first did it."""

    def __call__(self, filters, kernel_size, stride, name):
        """A layer [batch, n, channels] -> [batch, n * stride, filters]."""
        return keras.layers.Conv1DTranspose(
            filters, kernel_size, strides=stride, padding="same", name=name
        )


class NearestNeighbour:
    """Up by repeating samples, then a convolution: fewer artefacts of pitch, a duller sound."""

    def __call__(self, filters, kernel_size, stride, name):
        """A layer [batch, n, channels] -> [batch, n * stride, filters]."""
        return keras.Sequential(
            [
                keras.layers.UpSampling1D(stride),
                keras.layers.Conv1D(filters, kernel_size, padding="same"),
            ],
            name=name,
        )


class WaveGAN(RawWaveform):
    """A dense layer and five or six upsampling layers by four (Donahue et al. 2019).

    Args:
      n_samples: Length; the stack makes 16384, 32768 or 65536, and what is over is cut off.
      sample_rate: Hz, of the recordings.
      units: Channels of the last hidden layer; 64, 32 and 16 have been published.
      latent_dim: Size of z.
      prior: As of `RawWaveform`; the published one is uniform in -1 .. 1.
      condition_encoder: `ConditionEncoder`, or None as published.
      kernel_size: Of the convolutions.
      up: How a layer upsamples: `TransposedConvolution` or `NearestNeighbour`.
      post_filter: Taps of a trainable filter behind the last layer, which can take out the tones
        that the upsampling leaves; 512 have been published; 0: none. Behind it, sounds may go
        somewhat beyond -1 .. 1.

    Raises:
      UsageError: for a length that the stack can't make.
    """

    def __init__(
        self,
        n_samples=16384,
        sample_rate=16000,
        units=64,
        latent_dim=100,
        prior=None,
        condition_encoder=None,
        kernel_size=25,
        up=None,
        post_filter=0,
        name="wavegan",
    ):
        super().__init__(n_samples, sample_rate, latent_dim, prior, condition_encoder, name)
        lengths = [n for n in STRIDES if n >= n_samples]
        if not lengths or n_samples < 1:
            raise UsageError(
                f"WaveGAN.n_samples: got {n_samples}, expected 1 to {max(STRIDES)}; the stack "
                f"makes {', '.join(map(str, STRIDES))} samples, and what is over is cut off."
            )
        strides = STRIDES[lengths[0]]
        up = up or TransposedConvolution()
        widths = [units << i for i in reversed(range(len(strides)))]
        self.seed_map = keras.layers.Dense(N_SEED * widths[0], name="seed")
        self.ups = [
            up(width, kernel_size, stride, f"up_{i}")
            for i, (width, stride) in enumerate(zip([*widths[1:], 1], strides, strict=True))
        ]
        self.post_filter = None
        if post_filter:
            self.post_filter = keras.layers.Conv1D(
                1, post_filter, padding="same", use_bias=False, name="post_filter"
            )

    def make_audio(self, latent):
        """Generate audio from latents, float32 [batch, n_samples]."""
        h = self.seed_map(latent)
        h = tf.reshape(h, [-1, N_SEED, h.shape[1] // N_SEED])
        for up in self.ups:
            h = up(tf.nn.relu(h))
        h = tf.tanh(h)
        if self.post_filter is not None:
            h = self.post_filter(h)
        return h[:, : self.n_samples, 0]
