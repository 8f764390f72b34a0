"""Rendering: controls files and audio files, notes from a trained generator."""
