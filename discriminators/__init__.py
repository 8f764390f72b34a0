"""Discriminators: audio and conditions in, logits and feature maps out."""

from discriminators.conditioning import ConditionEncoder
from discriminators.mfcc import MFCCDiscriminator
from discriminators.multi import MultiDiscriminator
from discriminators.output import DiscriminatorOutput
from discriminators.spectrogram import SpectrogramDiscriminator
from discriminators.views import MFCC, LogMel

__all__ = [
    "MFCC",
    "ConditionEncoder",
    "DiscriminatorOutput",
    "LogMel",
    "MFCCDiscriminator",
    "MultiDiscriminator",
    "SpectrogramDiscriminator",
]
