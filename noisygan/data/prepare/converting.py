"""A recording as it was read into the sounds that are kept of it: all steps, in their order."""

import dataclasses

import numpy as np

from noisygan.audio_io.decoding import BadAudioError
from noisygan.data.prepare import reading, steps


@dataclasses.dataclass
class Converted:
    """What is kept of one recording.

    Attributes:
      sounds: list of (seconds from the file's beginning, list of float32 arrays, one a rate).
      kept: The part of the recording that they were cut from, at the first rate, at its own level
        and without zeros behind it. float32 [n].
    """

    sounds: list
    kept: np.ndarray


def convert(sound, options):
    """Takes all steps with one recording; what was done is added to `sound.did`.

    Args:
      sound: Sound of `reading.read`.
      options: Options.

    Returns:
      Converted.

    Raises:
      BadAudioError: if nothing is left that could be used.
    """
    rate = options.sample_rates[0]
    _check_seconds(sound, options)
    audio = _without_offset(sound, options)
    audio = _at_rate(audio, sound, options)
    audio, first = _wanted_part(audio, sound, options)
    places, n_dropped = steps.pieces(audio, options)
    sound.did += _said_of_cuts(len(audio), places, n_dropped, options)
    # Of the whole, so that a segment's ends are those of the sound that goes on there.
    lower = [steps.resample(audio, rate, other) for other in options.sample_rates[1:]]
    sounds, gains = [], []
    for begin, end in places:
        gains.append(steps.gain(audio[begin:end], rate, options))
        made = [steps.finish(audio[begin:end], rate, gains[-1], options.n_samples, options)]
        for other, low in zip(options.sample_rates[1:], lower, strict=True):
            ratio = other / rate
            n_samples = None if options.n_samples is None else round(options.n_samples * ratio)
            first_low = round(begin * ratio)
            part = low[first_low : max(round(end * ratio), first_low + 1)]
            made.append(steps.finish(part, other, gains[-1], n_samples, options))
        sounds.append(((first + begin) / rate, made))
    if options.peak is not None or options.loudness_db is not None:
        low, high = min(gains), max(gains)
        sound.did.append(f"level times {low:.4f}" + (f" to {high:.4f}" if len(gains) > 1 else ""))
    return Converted(sounds, audio[places[0][0] : places[-1][1]])


def _check_seconds(sound, options):
    seconds = len(sound.audio) / sound.rate
    if options.min_seconds and seconds < options.min_seconds:
        what = f"lasts {seconds:.4g} s, at least {options.min_seconds:g} s are wanted"
        raise BadAudioError("too short", what)


def _without_offset(sound, options):
    offset = steps.offset_of(sound.audio) if options.remove_dc else 0.0
    if not offset:
        return sound.audio
    audio = sound.audio - np.float32(offset)
    peak = float(np.max(np.abs(audio)))
    if peak < reading.SILENT:
        raise BadAudioError("silent", "is silent but for a constant offset")
    sound.repair(f"offset of {offset:.4f} taken out")
    return audio / np.float32(max(peak, 1.0))


def _at_rate(audio, sound, options):
    rate = options.sample_rates[0]
    if sound.rate == rate:
        return audio
    if options.other_rates == "drop":
        what = f"is at {sound.rate:g} Hz; only {rate:g} Hz is wanted"
        raise BadAudioError("at another rate", what)
    sound.did.append(f"resampled from {sound.rate:g} to {rate:g} Hz")
    return steps.resample(audio, sound.rate, rate)


def _wanted_part(audio, sound, options):
    """(the part behind what is skipped and within the silence, its first sample)."""
    rate, first = options.sample_rates[0], 0
    if options.skip_seconds:
        first = round(options.skip_seconds * rate)
        if first >= len(audio):
            what = f"ends within the {options.skip_seconds:g} s that are skipped"
            raise BadAudioError("too short", what)
        audio = audio[first:]
        sound.did.append(f"first {options.skip_seconds:g} s skipped")
    if float(np.max(np.abs(audio))) < reading.SILENT:
        raise BadAudioError("silent", "is silent in the part that is wanted")
    if options.trim_db is not None:
        begin, end = steps.sounding_part(audio, options.trim_db)
        if end - begin < len(audio):
            cut = (begin / rate, (len(audio) - end) / rate)
            sound.did.append("silence cut off: {:.4f} s before, {:.4f} s behind".format(*cut))
        audio, first = audio[begin:end], first + begin
    return audio, first


def _said_of_cuts(n_there, places, n_dropped, options):
    if options.segments:
        said = [f"cut into {len(places)} segments"]
        return said + ([f"{n_dropped} silent segments dropped"] if n_dropped else [])
    if places[0][1] < n_there:
        return [f"cut from {n_there} to {options.n_samples} samples"]
    if options.n_samples and n_there < options.n_samples:
        return [f"filled up with zeros from {n_there} to {options.n_samples} samples"]
    return []
