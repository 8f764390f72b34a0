"""Deviation of generated notes from their target pitch, by a pitch tracker."""

from __future__ import annotations

import warnings

import numpy as np

from noisygan.metrics import bootstrap
from noisygan.metrics.descriptors import HELD
from noisygan.metrics.note_analysis import midi_to_hz

# Search range relative to the target pitch. The edges are not octaves, at which errors by a period
# doubling would gather.
RANGE = (0.2, 3.6)
LOWEST_HZ = 20.0
FRAME_SECONDS = 0.128


def track_pitch(audio, sample_rate, pitch, n):
    """Pitch deviation and voicing in the sustain, by CREPE tiny if installed, else by pYIN.

    pYIN also tracks the notes outside CREPE's range.

    Args:
      audio: [m, n_samples].
      sample_rate: Hz.
      pitch: Target MIDI pitches, [m].
      n: Maximum number of notes, drawn with a fixed seed.

    Returns:
      (absolute deviation in cents [k], infinite where nothing is voiced; share of voiced frames
      [k]; name of the tracker).
    """
    from synths.pitch import CREPE, PYIN

    rows = np.random.default_rng(bootstrap.SEED).permutation(len(audio))[:n]
    low, high = (int(share * audio.shape[1]) for share in HELD)
    length = 1 << round(np.log2(FRAME_SECONDS * sample_rate))
    deviation, voiced = [], []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            crepe = CREPE()
        except ImportError:
            crepe = None
        for row in rows:
            target_hz = float(midi_to_hz(pitch[row]))
            # Two periods of the lowest pitch must fit into a frame.
            lowest_hz = max(LOWEST_HZ, 2.1 * sample_rate / length, RANGE[0] * target_hz)
            highest_hz = min(RANGE[1] * target_hz, 0.49 * sample_rate)
            tracker = PYIN(lowest_hz, highest_hz, length)
            if crepe and CREPE.RANGE_HZ[0] < target_hz < CREPE.RANGE_HZ[1]:
                tracker = crepe
            f0_hz, confidence, _ = tracker(audio[row, low:high], sample_rate, 62.5)
            sounding = confidence > 0.5
            cents = np.inf
            if sounding.any():
                cents = 1200.0 * np.log2(np.median(f0_hz[sounding]) / target_hz)
            deviation.append(abs(cents))
            voiced.append(sounding.mean())
    return np.array(deviation), np.array(voiced), "CREPE tiny" if crepe else "pYIN"
