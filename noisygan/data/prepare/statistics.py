"""What the manifest says of all sounds together: histograms, counts, the mean log-mel spectrum."""

import functools

import numpy as np

N_MELS = 80
FLOOR = 1e-10

# Frames that are worked on at once, so that an hour's spectra need not fit into memory.
_BLOCK = 4096

# Edges of the histograms, in dB and in seconds.
LEVEL_EDGES = tuple(range(-90, 4, 3))
SECONDS_EDGES = (0.0, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)


class LogMelSums:
    """Sums of 80 log-mel bands over all frames of all sounds, for their mean and deviation.

    Frames of about 64 ms (a power of two samples), half of that apart, Hann window; power, at least
    `FLOOR`, in dB.
    """

    def __init__(self, rate, facts=None):
        """Begins, or goes on from what `facts` gave.

        Args:
          rate: Hz.
          facts: Of `facts`, or None.
        """
        self.rate = rate
        self.n_fft = 1 << round(np.log2(0.064 * rate))
        self.n_frames = facts["n_frames"] if facts else 0
        self.sums = np.array(facts["sums"] if facts else [0.0] * N_MELS)
        self.squares = np.array(facts["squares"] if facts else [0.0] * N_MELS)

    def add(self, audio):
        """Takes in a sound, float32 [n_samples]."""
        hop = self.n_fft // 2
        for begin in range(0, max(len(audio) - self.n_fft, 0) + 1, _BLOCK * hop):
            block = audio[begin : begin + (_BLOCK - 1) * hop + self.n_fft]
            db = log_mel_db(block, self.rate, self.n_fft)
            self.n_frames += len(db)
            self.sums += db.sum(axis=0)
            self.squares += np.square(db).sum(axis=0)

    def merge(self, other):
        """Takes in the frames of another one."""
        self.n_frames += other.n_frames
        self.sums += other.sums
        self.squares += other.squares

    def facts(self):
        """As JSON holds it."""
        sums, squares = self.sums.tolist(), self.squares.tolist()
        return {"n_frames": self.n_frames, "sums": sums, "squares": squares}

    def summary(self):
        """Mean and deviation of each band in dB, for the manifest."""
        mean = self.sums / max(self.n_frames, 1)
        deviation = np.sqrt(np.maximum(self.squares / max(self.n_frames, 1) - mean**2, 0.0))
        return {
            "n_fft": self.n_fft,
            "hop_length": self.n_fft // 2,
            "n_frames": self.n_frames,
            "mean_db": [round(value, 3) for value in mean.tolist()],
            "deviation_db": [round(value, 3) for value in deviation.tolist()],
        }


def log_mel_db(audio, rate, n_fft):
    """Log-mel power in dB, float64 [n_frames, N_MELS].

    Args:
      audio: float32 [n_samples]; a shorter one than a frame is filled up with zeros.
      rate: Hz.
      n_fft: Samples of a frame.
    """
    if len(audio) < n_fft:
        audio = np.pad(audio, (0, n_fft - len(audio)))
    frames = np.lib.stride_tricks.sliding_window_view(audio, n_fft)[:: n_fft // 2]
    spectrum = np.fft.rfft(frames * _window(n_fft), axis=1)
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    return 10.0 * np.log10(np.maximum(power @ _mel(rate, n_fft), FLOOR), dtype=np.float64)


def histogram(values, edges):
    """How many values lie between neighbouring edges; those beyond count to the outermost.

    Args:
      values: Iterable of numbers.
      edges: Sorted numbers.

    Returns:
      list of int, one fewer than edges.
    """
    clipped = np.clip(np.asarray(list(values), float), edges[0], edges[-1])
    return np.histogram(clipped, edges)[0].tolist()


def amplitude_to_db(amplitude):
    """A linear level of full scale in dB; at least -120."""
    return 20.0 * np.log10(max(amplitude, 1e-6))


@functools.cache
def _window(n_fft):
    window = np.hanning(n_fft + 1)[:-1]
    return (window / window.sum()).astype(np.float32)


@functools.cache
def _mel(rate, n_fft):
    """Triangles of height 1 over the mel scale (2595 log10(1 + f / 700)), [n_fft / 2 + 1, 80]."""
    edges_mel = np.linspace(0.0, 2595.0 * np.log10(1.0 + 0.5 * rate / 700.0), N_MELS + 2)
    edges = 700.0 * (10.0 ** (edges_mel / 2595.0) - 1.0)
    hz = np.arange(n_fft // 2 + 1)[:, None] * (rate / n_fft)
    rising = (hz - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - hz) / (edges[2:] - edges[1:-1])
    return np.maximum(np.minimum(rising, falling), 0.0).astype(np.float32)
