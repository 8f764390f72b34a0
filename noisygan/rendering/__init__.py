"""Rendering: notes, songs, interpolation and sampled instruments from a trained generator."""
