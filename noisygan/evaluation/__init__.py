"""Evaluation of generated examples against held-out recordings."""
