"""Multi-sampled instruments: which keys and velocities are sampled, and the sounds of each.

An instrument is a list of samples, each with the zone of the keyboard and of velocities that it
plays. `sampler_formats` writes them down for samplers; `kits` makes those of drums.
"""

import dataclasses

import numpy as np

from noisygan.rendering.loops import Loop, find_loop, played, with_smooth_seam
from noisygan.rendering.notes import iterate
from noisygan.rendering.requests import Request, make_requests

# Semitones from one sampled pitch to the next where none are asked for.
_STEP = 3
# Where a run does not say which pitches it was trained on.
_LOWEST, _HIGHEST = 48, 84
# The outermost samples are played this many semitones beyond their own pitch.
_BEYOND = 12
# Held notes fall by this much before they count as having ended, where the run doesn't say when.
_HELD_DB = 6.0
_FRAME_SECONDS = 0.01
_FADED_DB = 60.0


@dataclasses.dataclass(frozen=True)
class Zone:
    """What a sample is, and the keys and velocities that it plays.

    Attributes:
      request: `noisygan.rendering.requests.Request`: label, velocity and z's number.
      key: MIDI key at which it is played as it is.
      keys: Lowest and highest key, both included.
      velocities: Lowest and highest velocity, both included.
      turn: Which of the round robins it is, from 0 on.
      choke: Name of the drums that silence each other with it, or "".
    """

    request: Request
    key: int
    keys: tuple
    velocities: tuple
    turn: int
    choke: str = ""


@dataclasses.dataclass(frozen=True)
class Sample:
    """A rendered zone.

    Attributes:
      zone: Zone.
      path: Relative path of its file in the folder of samples.
      audio: float32 [n_samples].
      loop: `noisygan.rendering.loops.Loop`, or None.
      softest: Gain at the zone's lowest velocity, where a run's own dynamics say it; None: louder
        velocities are louder in the sampler's own way.
    """

    zone: Zone
    path: str
    audio: np.ndarray
    loop: Loop | None = None
    softest: float | None = None


@dataclasses.dataclass(frozen=True)
class SampledInstrument:
    """Samples, and what all of them share.

    Attributes:
      name: What its files are called.
      samples: list of Sample.
      n_turns: Number of round robins.
      is_kit: Whether keys are drums, which are not transposed and ring out.
      release_seconds: How long a key that is let go takes to fall silent.
      sample_rate: Hz.
    """

    name: str
    samples: list
    n_turns: int
    is_kit: bool
    release_seconds: float
    sample_rate: int


def neighbouring(values, low, high):
    """The stretch of keys that each of several sampled pitches plays, up to half-way to the next.

    Args:
      values: Pitches, in rising order.
      low, high: Where the first stretch begins and the last one ends.

    Returns:
      list of (lowest, highest), both included.
    """
    ends = [(a + b) // 2 for a, b in zip(values, values[1:], strict=False)]
    return list(zip([low, *(end + 1 for end in ends)], [*ends, high], strict=True))


def layers(velocities):
    """The velocities that each of several sampled ones plays: down to the next softer one.

    Args:
      velocities: 1 .. 127, in rising order.

    Returns:
      list of (lowest, highest), both included; together 1 .. 127.
    """
    tops = [*velocities[:-1], 127]
    return list(zip([1, *(top + 1 for top in tops[:-1])], tops, strict=True))


def sampled_pitches(instrument):
    """The pitches that are sampled unless others are asked for.

    Args:
      instrument: Run.

    Returns:
      list of MIDI numbers: every third one of those it was trained on, the highest included.
    """
    low = round(min(instrument.pitches, default=_LOWEST))
    high = round(max(instrument.pitches, default=_HIGHEST))
    return [*range(low, high, _STEP), high]


def note_zones(instrument, pitches, velocities, n_turns, label=None):
    """The zones of an instrument of pitched notes.

    Args:
      instrument: Run that is conditioned on pitch.
      pitches, velocities: MIDI numbers. Velocities count where the run is told them.
      n_turns: Round robins: notes of the same pitch and velocity from different z.
      label: Name of the label, or None.

    Returns:
      list of Zone: those of one pitch and turn follow each other, from soft to loud.

    Raises:
      UsageError: if the run does not know what is asked of it.
    """
    pitches = sorted(set(pitches))
    told = "velocity" in instrument.condition_names
    velocities = sorted({max(1, velocity) for velocity in velocities}) if told else [None]
    asked = {
        velocity: make_requests(
            instrument, n_turns, pitches, velocity, None if label is None else [label]
        )
        for velocity in velocities
    }
    keys = neighbouring(pitches, max(0, pitches[0] - _BEYOND), min(127, pitches[-1] + _BEYOND))
    ranges = layers(velocities) if told else [(1, 127)]
    zones = []
    for i in range(n_turns * len(pitches)):
        for velocity, between in zip(velocities, ranges, strict=True):
            request = asked[velocity][i]
            place = keys[pitches.index(request.pitch)]
            zones.append(Zone(request, int(request.pitch), place, between, request.number))
    return zones


def render_notes(generator, zones, name, seconds, sample_rate, seed, report=None):
    """The samples of an instrument of pitched notes, held notes with a loop.

    Args:
      generator: By the generator contract.
      zones: Of `note_zones`.
      name: Of the instrument.
      seconds: Length of the samples with their release, or None: the run's own.
      sample_rate: Hz.
      seed: Decides z and noise.
      report: None, or a function called with the number of samples rendered.

    Returns:
      SampledInstrument.
    """
    seconds = generator.seconds if seconds is None else seconds
    samples, releases, softer = [], [], None
    requests = [zone.request for zone in zones]
    rendered = iterate(generator, requests, seconds, sample_rate, seed)
    for zone, note in zip(zones, rendered, strict=True):
        audio = note.audio
        held = _held(generator, audio, seconds, sample_rate)
        loop = find_loop(audio, sample_rate, held // 8, held)
        if loop is not None:
            audio = with_smooth_seam(audio, loop)
        level = float(np.sqrt(np.mean(audio[:held] ** 2))) if held else 0.0
        softest = None
        if zone.request.velocity:
            is_lowest = zone.velocities[0] == 1
            # The level of the next softer layer; of the softest, as good as silence.
            softest = 0.0 if is_lowest else min(1.0, softer / max(level, 1e-9))
        softer = level
        samples.append(Sample(zone, f"{zone.request.stem}.wav", audio, loop, softest))
        releases.append(_release_seconds(audio[held:], sample_rate))
        if report is not None:
            report(len(samples))
    n_turns = 1 + max(zone.turn for zone in zones)
    release = float(np.median(releases))
    return SampledInstrument(name, samples, n_turns, False, release, sample_rate)


def _held(generator, audio, seconds, sample_rate):
    """How many samples of a note are held, before it is let go or dies away."""
    if hasattr(generator, "release_seconds"):
        return max(0, round((seconds - generator.release_seconds) * sample_rate))
    levels = _levels_db(audio, sample_rate)
    if not len(levels):
        return 0
    last = np.flatnonzero(levels >= levels.max() - _HELD_DB)[-1]
    return min(len(audio), round((last + 1) * _FRAME_SECONDS * sample_rate))


def _release_seconds(audio, sample_rate):
    """How long the end of a note takes to fall by 60 dB, at least 0.05 s."""
    levels = _levels_db(audio, sample_rate)
    if not len(levels):
        return 0.05
    loud = np.flatnonzero(levels >= levels[0] - _FADED_DB)[-1]
    return max(0.05, (loud + 1) * _FRAME_SECONDS)


def _levels_db(audio, sample_rate):
    hop = round(_FRAME_SECONDS * sample_rate)
    frames = audio[: len(audio) // hop * hop].astype(np.float64).reshape(-1, hop)
    return 10.0 * np.log10(np.mean(frames**2, axis=1) + 1e-12)


def without_clipping(instrument):
    """An instrument brought down as a whole where its loudest sample is beyond full scale.

    Returns:
      SampledInstrument.
    """
    peak = max(float(np.max(np.abs(sample.audio), initial=0.0)) for sample in instrument.samples)
    if peak <= 1.0:
        return instrument
    samples = [
        dataclasses.replace(sample, audio=sample.audio / np.float32(peak))
        for sample in instrument.samples
    ]
    return dataclasses.replace(instrument, samples=samples)


def preview(instrument, note_seconds=0.5, held_seconds=3.0):
    """A sound to judge an instrument by, of its own samples.

    Every sampled key once, from low to high, at its loudest; of pitched notes then the middle one,
    held through its loop for three seconds, or longer than its sample lasts.

    Returns:
      float32 [n_samples].
    """
    rate = instrument.sample_rate
    first = {}
    for sample in instrument.samples:
        if sample.zone.turn == 0 and sample.zone.velocities[1] == 127:
            first.setdefault(sample.zone.key, sample)
    in_order = [first[key] for key in sorted(first)]
    step = round(note_seconds * rate)
    fade = round(min(instrument.release_seconds, note_seconds) * rate)
    parts = [(i * step, sample, step) for i, sample in enumerate(in_order)]
    if not instrument.is_kit:
        middle = in_order[len(in_order) // 2]
        held = round(held_seconds * rate)
        if middle.loop is not None:
            held = max(held, len(middle.audio) + middle.loop.end - middle.loop.start)
        parts.append((len(in_order) * step, middle, held))
    sound = np.zeros(max(start + n for start, _, n in parts) + fade, np.float32)
    for start, sample, n in parts:
        if instrument.is_kit:
            part = sample.audio[: len(sound) - start]
        else:
            part = played(sample.audio, sample.loop, n + fade)
            part[n:] *= 0.001 ** np.linspace(0.0, 1.0, fade, dtype=np.float32)
        sound[start : start + len(part)] += part
    return sound / max(1.0, float(np.max(np.abs(sound))))
