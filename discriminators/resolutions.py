"""Multi-resolution spectrogram discriminator."""

from discriminators.front_ends import LogSpectrum
from discriminators.multi import MultiDiscriminator
from discriminators.spectrogram import SpectrogramDiscriminator


class MultiResolutionDiscriminator(MultiDiscriminator):
    """A `SpectrogramDiscriminator` for each of several resolutions.

    Long frames separate frequencies, short ones separate moments.

    Args:
      sample_rate: Hz.
      sizes: FFT sizes in samples; the hop length is a quarter of each.
      floor: Added to magnitudes before the logarithm; 1 is a full-scale sine.
      n_filters, kernel_size, stride: Of each `SpectrogramDiscriminator`.

    References:
      Jang et al. 2021 (UnivNet), section 2.2, with logarithmic magnitudes.
    """

    def __init__(
        self,
        sample_rate=16000,
        sizes=(2048, 1024, 512),
        floor=1e-4,
        n_filters=(32, 64, 128),
        kernel_size=5,
        stride=2,
        name="multi_resolution_discriminator",
    ):
        super().__init__(
            [
                SpectrogramDiscriminator(
                    LogSpectrum(sample_rate, size, size // 4, floor),
                    n_filters,
                    kernel_size,
                    stride,
                    name=f"resolution_{size}",
                )
                for size in sizes
            ],
            name=name,
        )
