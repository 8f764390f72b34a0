"""Discriminators: audio and conditioning in, logits and feature maps out."""

from discriminators.base import Discriminator, DiscriminatorOutput
from discriminators.conditioning import ConditionEncoder
from discriminators.front_ends import MFCC, LogMel
from discriminators.mfcc import MFCCDiscriminator
from discriminators.multi import MultiDiscriminator
from discriminators.spectrogram import SpectrogramDiscriminator

__all__ = [
    "MFCC",
    "ConditionEncoder",
    "Discriminator",
    "DiscriminatorOutput",
    "LogMel",
    "MFCCDiscriminator",
    "MultiDiscriminator",
    "SpectrogramDiscriminator",
]
