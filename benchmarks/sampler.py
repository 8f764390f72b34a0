"""Compare an SFZ instrument of a run, played by sfizz, with `render`: levels, pitch and clicks.

    python benchmarks/sampler.py --run_dir runs/flute [--pitch 60,66,72] [--sample_rate 44100]

Needs `pip install pysfizz`. Each sampled key and one between two of them is played at velocities 1
to 127 and compared with the note that the run renders: `level`, the largest difference in dB over
the first second, but for the player's gain, and `pitch` of the fundamental in cents. A looped
note is held for ten seconds: `click` is its loudest millisecond above 5 kHz relative to the loudest
one before the loop's end, `wobble` the range of its level in dB in windows of 0.2 s. Prints a table
in Markdown.
"""

import argparse
import itertools
import sys
import tempfile
from pathlib import Path

import numpy as np
import scipy.signal

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import noisygan  # noqa: E402
from benchmarks import common  # noqa: E402
from noisygan.metrics.note_analysis import hz_to_midi  # noqa: E402

VELOCITIES = (1, 20, 42, 52, 63, 84, 105, 116, 127)


class Player:
    """sfizz, an SFZ player that many hosts use.

    Args:
      path: SFZ file.
      sample_rate: Hz.
    """

    def __init__(self, path, sample_rate=48000):
        import pysfizz

        self.rate, self.block = sample_rate, 64
        self.synth = pysfizz.Synth(self.rate, self.block)
        # Whole files in memory: streaming is slower than this player.
        text = path.read_text().replace("<control>", "<control>\nhint_ram_based=1")
        path = path.with_name("in_memory.sfz")
        path.write_text(text)
        assert self.synth.load_sfz_file(path)

    def play(self, keys, velocity=127, held=1.0, seconds=1.5):
        """Left channel of keys pressed together, float [n_samples]."""
        voices = self.synth._synth
        for key in keys:
            voices.note_on(0, key, velocity)
        sound = []
        for i in range(round(seconds * self.rate / self.block)):
            if i == round(held * self.rate / self.block):
                for key in keys:
                    voices.note_off(0, key, 0)
            sound.append(np.array(voices.render_block()[0]))
        voices.all_sound_off()
        voices.render_block()
        return np.concatenate(sound)


def fundamental_hz(sound, sample_rate, key):
    """Frequency of the peak within a semitone of a key's, Hz."""
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), 1 << 20))
    hz = np.arange(len(spectrum)) * sample_rate / (1 << 20)
    spectrum[np.abs(hz_to_midi(np.maximum(hz, 1.0)) - key) > 1.0] = 0.0
    return hz[np.argmax(spectrum)]


def highs(sound, sample_rate):
    """Level above 5 kHz in each millisecond."""
    sos = scipy.signal.butter(6, 5000, "high", fs=sample_rate, output="sos")
    n = round(sample_rate / 1000)
    filtered = scipy.signal.sosfilt(sos, sound)
    return np.sqrt(np.mean(filtered[: len(sound) // n * n].reshape(-1, n) ** 2, axis=1))


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run_dir", required=True)
    parser.add_argument("--pitch", default=None)
    parser.add_argument("--sample_rate", type=int, default=48000)
    args = parser.parse_args()
    run, rate = noisygan.load(args.run_dir), args.sample_rate
    pitches = [int(pitch) for pitch in args.pitch.split(",")] if args.pitch else None
    with tempfile.TemporaryDirectory() as folder:
        made = run.instrument(
            Path(folder) / "x", pitch=pitches, sample_rate=rate, round_robins=1, subtype="FLOAT"
        )
        player = Player(made.path, rate)
        sampled = sorted({sample.zone.key for sample in made.samples})
        loops = {sample.zone.key: sample.loop for sample in made.samples}
        rows, levels = [], {}
        for key in sorted({*sampled, *((a + b) // 2 for a, b in itertools.pairwise(sampled))}):
            levels[key], cents = [], []
            for velocity in VELOCITIES if "velocity" in run.condition_names else (None,):
                note = run.render(key, velocity, sample_rate=rate).audio[0][:rate]
                found = player.play([key], velocity or 127, 0.99, 1.0)[:rate]
                levels[key].append(20.0 * np.log10(found.std() / max(note.std(), 1e-9)))
                ratio = fundamental_hz(found, rate, key) / fundamental_hz(note, rate, key)
                cents.append(1200.0 * np.log2(ratio))
            row = [f"{np.max(np.abs(cents)):.1f}"]
            loop = loops.get(key)
            row += ["-"] * 3 * (loop is None)
            if loop is not None:
                sound = player.play([key], 127, 10.0, 10.0)[rate // 5 :]
                within = highs(sound[: loop.end - loop.fade - rate // 5], rate).max()
                parts = sound[: len(sound) // (rate // 5) * (rate // 5)].reshape(-1, rate // 5)
                wobble = 20.0 * np.log10(np.divide(*np.sort(parts.std(axis=1))[[-1, 0]]))
                click = highs(sound, rate).max() / within
                row += [f"{(loop.end - loop.start) / rate:.2f} s", f"{click:.2f}", f"{wobble:.1f}"]
            rows.append(row)
    gain = np.median([levels[key] for key in sampled])
    for key, row in zip(levels, rows, strict=True):
        row[:0] = [f"{key}", f"{np.max(np.abs(np.array(levels[key]) - gain)):.2f}"]
    print(common.table(["key", "level", "pitch", "loop", "click", "wobble"], rows))


if __name__ == "__main__":
    main()
