"""Generators: codes and conditions in, sounds and their controls out."""

from noisygan.generators.hybrid import Hybrid
from noisygan.generators.generator import GeneratorOutput

__all__ = ["GeneratorOutput", "Hybrid"]
