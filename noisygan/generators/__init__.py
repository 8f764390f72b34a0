"""Generators: latents and conditions in, sounds and their controls out."""

from noisygan.generators.generator import GeneratorOutput
from noisygan.generators.hybrid import Hybrid

__all__ = ["GeneratorOutput", "Hybrid"]
