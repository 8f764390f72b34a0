"""Generators: latents and conditioning to audio and its synthesis controls."""

from noisygan.generators.generator import GeneratorOutput
from noisygan.generators.hybrid import Hybrid

__all__ = ["GeneratorOutput", "Hybrid"]
