"""The default discriminator: MFCCs and a three-layer CNN."""

from discriminators.front_ends import MFCC
from discriminators.spectrogram import SpectrogramDiscriminator


class MFCCDiscriminator(SpectrogramDiscriminator):
    """`SpectrogramDiscriminator` over MFCCs; other arguments are passed on."""

    def __init__(self, view=None, name="mfcc_discriminator", **kwargs):
        super().__init__(view=view or MFCC(), name=name, **kwargs)
