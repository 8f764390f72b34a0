"""Drum kits on General MIDI's keys, from a run of drums."""

import numpy as np

from noisygan.audio_io.decoding import shape
from noisygan.audio_io.sampler_formats import Sample, SampledInstrument, Zone
from noisygan.data.drums import drum_keys
from noisygan.data.softer_hits import soften
from noisygan.rendering.batches import iterate
from noisygan.rendering.interpolation import ends, spherical
from noisygan.rendering.layers import crossfade_ranges, velocity_gains
from noisygan.rendering.requests import Request, draw_tags, file_name

# Keys whose drums have an order: toms get higher, and a closed hi-hat is shorter than an open one,
# that shorter than a splash, a ride, a crash.
_RISING = (41, 43, 45, 47, 48, 50)
_LONGER = (42, 44, 46, 54, 55, 53, 51, 59, 52, 49, 57)
_HIHAT = (42, 44, 46)
# Keys of a run that knows none of General MIDI's drums.
_FIRST_KEY = 36
_N_KEYS = 16
# The last round robin is this share of the way from its drum to another one.
_VARIATION = 0.2
# Length of a played drum relative to the recordings, for generators of any length.
_RINGING = 3.0
FADE_SECONDS = 0.05  # of the end of drums and raw waveforms
# Numbers of the latents that round robins are interpolated towards start here.
_OTHERS = 1000


def render_kit(run, velocities, n_turns, seconds, sample_rate, seed, report=None, tags=None):
    """Render the samples of a drum kit: SampledInstrument.

    Each key has another drum, and round robins are small variations of it. If the run is not
    conditioned on velocity, softer blows are low-passed. `report` is called with the number of
    samples rendered; `tags` as of `requests.draw_tags`.
    """
    generator = run.generator
    has_velocity = "velocity" in run.condition_names
    velocities = sorted({max(1, velocity) for velocity in velocities})
    samples, n_drums = [], 0
    is_drums = "label" in run.condition_names and bool(drum_keys(run.label_names))
    for index, keys in keys_of_labels(run).items():
        numbers = range(n_drums, n_drums + len(keys))
        n_drums += len(keys)
        name = file_name(run, index)
        drawn = [draw_tags(run, number, index, seed, tags) for number in numbers]

        def render(z, takes, velocity, index=index, name=name, drawn=drawn):
            requested = velocity if has_velocity else 0
            requests = [
                Request(0, requested, index or 0, name, take, 0, tags=tags)
                for take, tags in zip(takes, drawn, strict=True)
            ]
            length = drum_seconds(generator) if seconds is None else seconds
            rendered = iterate(generator, requests, length, sample_rate, seed, z)
            sounds = [faded(note.audio, sample_rate) for note in rendered]
            if has_velocity:
                return sounds
            return [soften(sound, sample_rate, velocity) for sound in sounds]

        z = ends(generator, numbers, seed)
        others = ends(generator, [_OTHERS + number for number in numbers], seed)
        if is_drums:
            keys = in_order(keys, render(z, numbers, 127), sample_rate)
        for turn in range(n_turns):
            near = _between(z, others, _VARIATION * turn / max(1, n_turns - 1))
            takes = [turn * _OTHERS + number for number in numbers]
            rendered = [render(near, takes, velocity) for velocity in velocities]
            for key, *sounds in zip(keys, *rendered, strict=True):
                choke = "hihat" if is_drums and key in _HIHAT else ""
                gains = velocity_gains(velocities, sounds) if has_velocity else None
                ranges = crossfade_ranges(velocities)
                for velocity, between, sound in zip(velocities, ranges, sounds, strict=True):
                    request = Request(key, velocity, index or 0, name, turn, turn)
                    zone = Zone(request, key, (key, key), between, turn, choke)
                    path = f"{name}/{name}_{turn}-{key:02d}-v{velocity:03d}.wav"
                    samples.append(Sample(zone, path, sound, gains=gains))
        if report is not None:
            report(len(samples))
    return SampledInstrument(run.name, samples, n_turns, True, 0.05, sample_rate)


def drum_seconds(generator):
    """Length of a drum that is played: longer than the recordings', where it can be."""
    return generator.seconds * (_RINGING if generator.is_any_length else 1.0)


def faded(sound, sample_rate):
    """Copy of a sound, float32 [n_samples], whose end is faded out."""
    return shape(sound, n_fade_out=round(FADE_SECONDS * sample_rate))


def keys_of_labels(run):
    """Keys that each label of a run without pitches plays: dict of label index or None -> list.

    General MIDI's, also for what stands in for a drum; 16 keys from 36 on, or as many as labels,
    for a run without General MIDI's drums.
    """
    known = list(run.label_names)
    if "label" not in run.condition_names or not known:
        only = 0 if len(known) == 1 else None
        return {only: list(range(_FIRST_KEY, _FIRST_KEY + _N_KEYS))}
    keys = dict(enumerate(drum_keys(known).values()))
    if keys:
        return keys
    for i in range(min(max(_N_KEYS, len(known)), 128 - _FIRST_KEY)):
        keys.setdefault(i % len(known), []).append(_FIRST_KEY + i)
    return keys


def in_order(keys, sounds, sample_rate):
    """Give drums [n_samples] the keys that suit them: toms by their pitch, cymbals by their length.

    Returns the same keys, one for each sound.
    """
    keys = list(keys)
    for order, measure in ((_RISING, _pitch_hz), (_LONGER, _length_seconds)):
        places = [i for i, key in enumerate(keys) if key in order]
        free = sorted((keys[i] for i in places), key=order.index)
        by_measure = sorted(places, key=lambda i: measure(sounds[i], sample_rate))
        for place, key in zip(by_measure, free, strict=True):
            keys[place] = key
    return keys


def _pitch_hz(sound, sample_rate):
    """Frequency of the spectral peak, Hz."""
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(2 * len(sound))[len(sound) :]))
    return float(np.argmax(spectrum)) * sample_rate / len(sound)


def _length_seconds(sound, sample_rate):
    """Time until 99 % of the energy has passed, seconds."""
    energy = np.cumsum(sound.astype(np.float64) ** 2)
    return float(np.searchsorted(energy, 0.99 * energy[-1])) / sample_rate


def _between(z, others, share):
    """Latents between z and others, at a share of the way in steps of a hundredth."""
    place = round(100 * share)
    return np.stack([spherical(*pair, 101)[place] for pair in zip(z, others, strict=True)])
