"""Recordings from disk: finding, choosing, checking and decoding them, and batches of them."""

from noisygan.data.dataset import AudioDataset, Recordings

__all__ = ["AudioDataset", "Recordings"]
