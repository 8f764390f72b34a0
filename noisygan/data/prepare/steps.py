"""The steps from a mono sound as it was recorded to the sounds that are kept. Pure functions."""

import numpy as np
import soxr

from noisygan.audio_io import decoding
from noisygan.audio_io.decoding import BadAudioError
from noisygan.data.prepare import loudness

# An offset below this (-54 dB) may as well be part of the sound.
MIN_OFFSET = 1.0 / 512.0

# In fewer samples than these a click cannot be told from an offset.
MIN_OFFSET_SAMPLES = 64

# A sound is never made louder than this by normalisation (+60 dB): it would be noise.
MAX_GAIN = 1000.0


def offset_of(audio):
    """The constant that was added to a recording, 0 where there is none.

    The mean of a short hit, the median of a lopsided wave or the luck of noise is no offset: it
    shows in mean and median, in each quarter of the recording, and beyond what is left to chance.

    Args:
      audio: float32 [n_samples].

    Returns:
      float.
    """
    if len(audio) < MIN_OFFSET_SAMPLES:
        return 0.0
    mean = float(np.mean(audio, dtype=np.float64))
    chance = 4.0 * float(np.std(audio)) / np.sqrt(len(audio))
    if abs(mean) < max(MIN_OFFSET, chance):
        return 0.0
    quarters = [part for part in np.array_split(audio, 4) if len(part)]
    centres = [float(centre(part)) for part in quarters for centre in (np.mean, np.median)]
    if any(value * mean <= 0.0 or abs(value) < MIN_OFFSET for value in centres):
        return 0.0
    return min(mean, float(np.median(audio)), key=abs)


def resample(audio, rate, wanted):
    """The sound at another rate, band-limited (soxr, high quality).

    Args:
      audio: float32 [n_samples].
      rate, wanted: Hz.

    Returns:
      float32 [ceil(n_samples * wanted / rate)], within full scale: filters overshoot a little.
    """
    if rate == wanted:
        return audio
    n_samples = int(np.ceil(len(audio) * wanted / rate - 1e-9))
    changed = soxr.resample(audio, rate, wanted, quality="HQ")
    return np.clip(fit(changed, n_samples), -1.0, 1.0)


def sounding_part(audio, trim_db):
    """Where a sound begins and ends.

    Args:
      audio: float32 [n_samples], not silent.
      trim_db: Level relative to the peak.

    Returns:
      (begin, end): the first sample above the level, and one behind the last.
    """
    level = np.abs(audio)
    above = np.flatnonzero(level > level.max() * 10.0 ** (trim_db / 20.0))
    return int(above[0]), int(above[-1]) + 1


def fit(audio, n_samples):
    """The sound cut, or filled up with zeros at its end. float32 [n_samples]."""
    if len(audio) >= n_samples:
        return audio[:n_samples]
    return np.pad(audio, (0, n_samples - len(audio)))


def pieces(audio, options):
    """Where the sounds to keep begin in the audio.

    Args:
      audio: float32 [n_samples].
      options: Options.

    Returns:
      (list of (begin, end) in samples, number of silent segments dropped).

    Raises:
      BadAudioError: if nothing is left.
    """
    if not options.segments:
        end = len(audio) if options.n_samples is None else min(len(audio), options.n_samples)
        return [(0, end)], 0
    n, stride = options.n_samples, options.stride or options.n_samples
    if len(audio) < n:
        what = f"has {len(audio)} samples, fewer than one segment of {n}"
        raise BadAudioError("too short", what)
    begins = range(0, len(audio) - n + 1, stride)
    if options.silence_db is None:
        return [(begin, begin + n) for begin in begins], 0
    floor = 10.0 ** (options.silence_db / 20.0)
    heard = [begin for begin in begins if np.max(np.abs(audio[begin : begin + n])) > floor]
    if not heard:
        raise BadAudioError("silent", f"has no segment above {options.silence_db:g} dB")
    return [(begin, begin + n) for begin in heard], len(begins) - len(heard)


def gain(audio, rate, options):
    """The factor that brings a sound to the level that is wanted.

    Args:
      audio: float32 [n_samples].
      rate: Hz.
      options: Options.

    Returns:
      float; 1.0 where no level is wanted. A louder sound would pass full scale: the peak is at
      most 1 afterwards, so a loudness may not be reached.
    """
    loudest = float(np.max(np.abs(audio), initial=0.0))
    if loudest == 0.0:
        return 1.0
    factor = 1.0
    if options.peak is not None:
        factor = options.peak / loudest
    elif options.loudness_db is not None:
        wanted = options.loudness_db - loudness.integrated(audio, rate)
        factor = min(10.0 ** (wanted / 20.0), 1.0 / loudest)
    return min(factor, MAX_GAIN)


def finish(audio, rate, factor, n_samples, options):
    """Level, fades at the sound's own ends, then the length.

    Args:
      audio: float32 [n].
      rate: Hz.
      factor: Of `gain`.
      n_samples: Length afterwards, or None: as it is.
      options: Options.

    Returns:
      float32 [n_samples], in [-1, 1].
    """
    if factor != 1.0:
        top = np.float32(options.peak or 1.0)
        audio = np.clip(audio * np.float32(factor), -top, top)
    fades = (round(options.fade_in_seconds * rate), round(options.fade_out_seconds * rate))
    if any(fades):
        audio = decoding.shape(audio, None, *fades)
    return audio if n_samples is None else fit(audio, n_samples)
