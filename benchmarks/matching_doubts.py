"""How often `noisygan match` warns of chords, and finds a room, where there is one and where not.

    python benchmarks/matching_doubts.py --data shared/data/nsynth-mini

All notes of a folder in the NSynth layout at 16 kHz as they are; 120 mixes of two to four of them
at levels up to 6 dB apart; and 60 in synthetic rooms, noise that falls by 60 dB in 0.3 to 1.6 s
(its high frequencies sooner) and lies 12 to 0 dB below the direct sound, every other one cut off
where the note was. Nothing is fitted: this takes a second of processor time a sound.
"""

from __future__ import annotations

import argparse
import collections
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import scipy.signal
import soundfile

from noisygan.matching.analysis import analyse
from noisygan.matching.polyphony import is_several
from noisygan.matching.room_fit import find_room

RATE = 16000
N_MIXES, N_IN_ROOMS = 120, 60


def response(rng, seconds, wet_db):
    """The impulse response of a room, without the direct sound, float [n_taps]."""
    times = np.arange(int(seconds * 1.2 * RATE)) / RATE
    falls = 10.0 ** (-3.0 * times / seconds)
    behind = times > 0.004
    short = rng.normal(size=len(times)) * falls**2 * behind
    smooth = np.convolve(rng.normal(size=len(times)), [0.25, 0.5, 0.25], "same")
    both = 0.5 * short + smooth * falls * behind
    return both * 10.0 ** (wet_db / 20.0) / np.sqrt(np.sum(both**2))


def mix(rng, notes):
    """Notes at once, each up to 6 dB below the loudest: float32 [n_samples]."""
    levels = [10.0 ** (rng.uniform(-6.0, 0.0) / 20.0) for _ in notes]
    parts = [g * note / np.sqrt(np.mean(note**2)) for g, note in zip(levels, notes, strict=True)]
    total = np.sum(parts, axis=0)
    return (0.5 * total / np.abs(total).max()).astype(np.float32)


def sounds(paths, rng):
    """Yields (kind, what it is called, sound, what is true of its room)."""
    paths = [paths[i] for i in rng.permutation(len(paths))]
    by_instrument = collections.defaultdict(list)
    for path in paths:
        by_instrument[path.stem.rsplit("-", 2)[0]].append(path)
    instruments = sorted(by_instrument)

    def draw():
        own = by_instrument[instruments[rng.integers(len(instruments))]]
        return own[rng.integers(len(own))]

    for path in paths:
        yield "single notes", path.stem, read(path), None
    for _ in range(N_MIXES):
        n, chosen = rng.integers(2, 5), {}
        while len(chosen) < n:
            path = draw()
            chosen[path.stem.split("-")[-2]] = path
        names = " + ".join(path.stem for path in chosen.values())
        yield "mixes", names, mix(rng, [read(path) for path in chosen.values()]), None
    for i in range(N_IN_ROOMS):
        path = draw()
        seconds, wet_db = rng.choice([0.3, 0.6, 1.0, 1.6]), rng.choice([-12.0, -6.0, 0.0])
        dry = read(path)
        wet = scipy.signal.fftconvolve(dry, response(rng, seconds, wet_db))
        wet[: len(dry)] += dry
        wet = wet[: len(dry)] if i % 2 else wet
        yield "in rooms", path.stem, wet.astype(np.float32), (seconds, wet_db)


def read(path):
    """A note, float32 [n_samples]."""
    audio, rate = soundfile.read(path, dtype="float32")
    if rate != RATE:
        raise SystemExit(f"{path}: {rate} Hz; expected {RATE}")
    return audio


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, metavar="DIR", help="in the NSynth layout")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="(default: 0)")
    parser.add_argument("--first", type=int, metavar="N", help="of the notes only so many")
    args = parser.parse_args()
    paths = sorted(Path(args.data).glob("*/audio/*.wav"))[: args.first]
    counts = collections.Counter()
    for kind, name, audio, true in sounds(paths, np.random.default_rng(args.seed)):
        analysis = analyse(audio, RATE)
        several = is_several(audio, RATE, analysis)
        room = None if several else find_room(audio, RATE, analysis)
        counts.update(
            {(kind, "all"): 1, (kind, "several"): several, (kind, "room"): room is not None}
        )
        if room is not None:
            wet_db = 10.0 * np.log10(room.wet)
            print(
                f"{name}: room of {room.seconds:.2f} s at {wet_db:.1f} dB; true: {true}", flush=True
            )
        if several and kind == "single notes":
            print(f"{name}: taken for several", flush=True)
    for kind in ("single notes", "mixes", "in rooms"):
        several, room = counts[kind, "several"], counts[kind, "room"]
        print(f"{kind}: {counts[kind, 'all']}, taken for several {several}, a room found in {room}")


if __name__ == "__main__":
    main()
