"""The `smpl` chunk of a WAV file: its key and loop."""

import struct

# Manufacturer, product, nanoseconds per sample, key, fraction of a semitone, two SMPTE fields,
# number of loops, bytes behind them.
_HEAD = struct.Struct("<9I")
# Number, kind (0: forward), first and last sample, fraction, count (0: until the note-off).
_LOOP = struct.Struct("<6I")


def append_sampler_chunk(path, sample_rate, key, loop=None):
    """Append a `smpl` chunk to a WAV file, in place.

    Args:
      path: A WAV file (RIFF) without such a chunk.
      sample_rate: Hz, of the file.
      key: MIDI key that plays the sound untransposed, 0 .. 127.
      loop: `noisygan.rendering.loops.Loop`, or None.
    """
    loops = b"" if loop is None else _LOOP.pack(0, 0, loop.start, loop.end - 1, 0, 0)
    head = _HEAD.pack(0, 0, round(1e9 / sample_rate), key, 0, 0, 0, int(loop is not None), 0)
    with open(path, "r+b") as file:
        n_bytes = file.seek(0, 2)
        file.write(b"\0" * (n_bytes % 2))
        file.write(b"smpl" + struct.pack("<I", len(head + loops)) + head + loops)
        n_bytes = file.tell()
        file.seek(4)
        file.write(struct.pack("<I", n_bytes - 8))
