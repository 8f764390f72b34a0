"""The default discriminator: MFCCs and a three-layer CNN."""

from discriminators.spectrogram import SpectrogramDiscriminator
from discriminators.views import MFCC


class MFCCDiscriminator(SpectrogramDiscriminator):
    """`SpectrogramDiscriminator` over MFCCs; other arguments are passed on."""

    def __init__(self, view=None, name="mfcc_discriminator", **kwargs):
        super().__init__(view=view or MFCC(), name=name, **kwargs)
