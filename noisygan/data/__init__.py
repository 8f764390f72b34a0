"""Recordings from disk: finding, choosing, checking and decoding them, and batches of them."""

from noisygan.data.noteset import NoteSet
from noisygan.data.recordings import Recordings

__all__ = ["NoteSet", "Recordings"]
