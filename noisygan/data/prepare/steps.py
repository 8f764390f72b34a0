"""Processing steps from mono audio as it was recorded to the examples that are kept."""

import dataclasses

import numpy as np
import soxr

from noisygan.audio_io import decoding
from noisygan.audio_io.decoding import BadAudioError
from noisygan.data.prepare import reading, statistics
from noisygan.metrics.note_timing import NoteTiming, note_timing

# An offset below this (-54 dB) may as well be part of the sound; in fewer samples than these a
# click cannot be told from an offset.
MIN_OFFSET, MIN_OFFSET_SAMPLES = 1.0 / 512.0, 64

# Normalisation never makes audio louder than this (+60 dB): it would be noise.
MAX_GAIN = 1000.0


@dataclasses.dataclass
class Converted:
    """Examples cut from one recording.

    Attributes:
      sounds: list of (seconds from the file's beginning, list of float32 arrays, one a rate).
      kept: The part of the recording that they were cut from, at the first rate, at its own level
        and without padding. float32 [n].
      timing: `NoteTiming` of the whole recording; None of segments.
      lead_seconds: Silence before the onset that was cut off.
      trimmed: The whole recording without that silence, at the first rate. float32 [n].
    """

    sounds: list
    kept: np.ndarray
    timing: NoteTiming | None = None
    lead_seconds: float = 0.0
    trimmed: np.ndarray | None = None


def convert(sound, options):
    """Take all steps with one `Sound`; what was done is added to `sound.did`.

    Returns:
      Converted.

    Raises:
      BadAudioError: if nothing usable is left.
    """
    rate = options.sample_rates[0]
    audio = _without_offset(sound) if options.remove_dc else sound.audio
    if sound.rate != rate and options.other_rates == "drop":
        what = f"is at {sound.rate:g} Hz; only {rate:g} Hz is wanted"
        raise BadAudioError("at another rate", what)
    if sound.rate != rate:
        sound.did.append(f"resampled from {sound.rate:g} to {rate:g} Hz")
        audio = resample(audio, sound.rate, rate)
    audio, first, lead = _wanted_part(audio, sound, options)
    places = _pieces(audio, sound, options)
    # Of the whole, so that a segment's ends continue into the next segment.
    lower = [resample(audio, rate, other) for other in options.sample_rates[1:]]
    sounds, gains = [], []
    for begin, end in places:
        gains.append(gain(audio[begin:end], rate, options))
        made = [_finish(audio[begin:end], rate, gains[-1], options.n_samples, options)]
        for other, low in zip(options.sample_rates[1:], lower, strict=True):
            ratio = other / rate
            n_samples = None if options.n_samples is None else round(options.n_samples * ratio)
            at = round(begin * ratio)
            part = low[at : max(round(end * ratio), at + 1)]
            made.append(_finish(part, other, gains[-1], n_samples, options))
        sounds.append(((first + begin) / rate, made))
    if options.peak is not None or options.loudness_db is not None:
        low, high = min(gains), max(gains)
        sound.did.append(f"level times {low:.4f}" + (f" to {high:.4f}" if len(gains) > 1 else ""))
    kept = audio[places[0][0] : places[-1][1]]
    timing = None if options.segments else note_timing(audio, rate)
    return Converted(sounds, kept, timing, lead / rate, audio)


def offset_of(audio):
    """Constant offset of a recording, float32 [n_samples]; 0 where there is none.

    The mean of a short hit or the median of an asymmetric wave is no offset: an offset shows in
    mean and median of each quarter of the recording, and beyond what is left to chance.
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
    """Resample by soxr, high quality.

    Args:
      audio: float32 [n_samples].
      rate, wanted: Hz.

    Returns:
      float32 [ceil(n_samples * wanted / rate)], clipped to full scale: filters overshoot a little.
    """
    n_samples = int(np.ceil(len(audio) * wanted / rate - 1e-9))
    changed = soxr.resample(audio, rate, wanted, quality="HQ")
    return np.clip(_fit(changed, n_samples), -1.0, 1.0)


def gain(audio, rate, options):
    """Linear gain that brings float32 [n_samples] to the level of the options, 1 without one.

    The peak is at most 1 afterwards, so a loudness may not be reached.
    """
    loudest = float(np.max(np.abs(audio), initial=0.0))
    if loudest == 0.0:
        return 1.0
    factor = 1.0
    if options.peak is not None:
        factor = options.peak / loudest
    elif options.loudness_db is not None:
        wanted = options.loudness_db - statistics.loudness_db(audio, rate)
        factor = min(10.0 ** (wanted / 20.0), 1.0 / loudest)
    return min(factor, MAX_GAIN)


def _without_offset(sound):
    offset = offset_of(sound.audio)
    if not offset:
        return sound.audio
    audio = sound.audio - np.float32(offset)
    peak = float(np.max(np.abs(audio)))
    if peak < reading.SILENT:
        raise BadAudioError("silent", "is silent but for a constant offset")
    sound.repair(f"offset of {offset:.4f} taken out")
    return audio / np.float32(max(peak, 1.0))


def _wanted_part(audio, sound, options):
    """(audio without the skipped beginning and silence, its first sample, samples before onset)."""
    rate = options.sample_rates[0]
    first = round(options.skip_seconds * rate)
    if first >= len(audio):
        what = f"ends within the {options.skip_seconds:g} s that are skipped"
        raise BadAudioError("too short", what)
    if first:
        audio = audio[first:]
        sound.did.append(f"first {options.skip_seconds:g} s skipped")
    level = np.abs(audio)
    if level.max() < reading.SILENT:
        raise BadAudioError("silent", "is silent in the part that is wanted")
    lead = decoding.leading_silence(audio, rate) if options.trim_start else 0
    if lead:
        sound.did.append(f"silence cut off: {lead / rate:.4f} s before")
        audio, first, level = audio[lead:], first + lead, level[lead:]
    if options.trim_db is not None:
        above = np.flatnonzero(level > level.max() * 10.0 ** (options.trim_db / 20.0))
        begin, end = int(above[0]), int(above[-1]) + 1
        if end - begin < len(audio):
            cut = (begin / rate, (len(audio) - end) / rate)
            sound.did.append("silence cut off: {:.4f} s before, {:.4f} s behind".format(*cut))
        audio, first, lead = audio[begin:end], first + begin, lead + begin
    return audio, first, lead


def _pieces(audio, sound, options):
    """(begin, end) in samples of each example, list; BadAudioError if there is none."""
    n_there, n = len(audio), options.n_samples
    if not options.segments:
        if n and n != n_there:
            what = "cut" if n < n_there else "filled up with zeros"
            sound.did.append(f"{what} from {n_there} to {n} samples")
        return [(0, min(n_there, n or n_there))]
    if n_there < n:
        what = f"has {n_there} samples, fewer than one segment of {n}"
        raise BadAudioError("too short", what)
    begins = range(0, n_there - n + 1, n)
    heard = begins
    if options.silence_db is not None:
        floor = 10.0 ** (options.silence_db / 20.0)
        heard = [begin for begin in begins if np.max(np.abs(audio[begin : begin + n])) > floor]
    if not heard:
        raise BadAudioError("silent", f"has no segment above {options.silence_db:g} dB")
    sound.did.append(f"cut into {len(heard)} segments")
    if len(heard) < len(begins):
        sound.did.append(f"{len(begins) - len(heard)} silent segments dropped")
    return [(begin, begin + n) for begin in heard]


def _finish(audio, rate, factor, n_samples, options):
    """Set the level, fade at the audio's own ends, then set the length."""
    if factor != 1.0:
        top = np.float32(options.peak or 1.0)
        audio = np.clip(audio * np.float32(factor), -top, top)
    fades = (round(options.fade_in_seconds * rate), round(options.fade_out_seconds * rate))
    if any(fades):
        audio = decoding.shape(audio, None, *fades)
    return audio if n_samples is None else _fit(audio, n_samples)


def _fit(audio, n_samples):
    if len(audio) >= n_samples:
        return audio[:n_samples]
    return np.pad(audio, (0, n_samples - len(audio)))
