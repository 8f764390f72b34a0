"""Instruments for samplers: sample the notes or drums of a run, find loops, write the files."""

import dataclasses

import numpy as np

from noisygan import files
from noisygan.audio_io import audio_files, sampler_formats
from noisygan.audio_io.sampler_formats import Sample, SampledInstrument, Zone, layers
from noisygan.errors import UsageError
from noisygan.rendering import kits
from noisygan.rendering.batches import iterate
from noisygan.rendering.loops import crossfade_loop, find_loop, play_loop
from noisygan.rendering.requests import check_pitches, make_requests

VELOCITIES = (42, 84, 127)
MAX_SECONDS = 30.0  # of a sample; bounds the memory
_STEP = 3  # semitones between sampled pitches
_LOWEST, _HIGHEST = 48, 84  # of a run that does not know its pitches
_BEYOND = 12  # semitones that the outermost samples are played beyond their pitch
_HELD_DB = 6.0  # a note is held until it has decayed by this much, if the run has no note-off
_FRAME_SECONDS = 0.01
_FADED_DB = 60.0


def make_instrument(
    run,
    out_dir,
    format="sfz",
    pitch=None,
    velocity=None,
    round_robins=2,
    label=None,
    seed=0,
    seconds=None,
    sample_rate=None,
    subtype="PCM_16",
    progress=None,
):
    """Make an instrument for samplers: a keyboard instrument, or a kit without a pitch condition.

    Args:
      run: `noisygan.Run`.
      out_dir: A new or empty folder.
      format: "sfz" or "folder" (WAV files with key and loop alone).
      pitch: Sampled MIDI numbers; None: every third one of the recordings' range.
      velocity: Sampled velocities, 1 .. 127; None: 42, 84 and 127.
      round_robins: Samples of each pitch and velocity that take turns.
      label: Name of the label, for a run with several and pitches.
      seed: Decides z and noise.
      seconds, sample_rate: Length and rate of the samples in Hz; None: the recordings'.
      subtype: Sample format of the WAV files.
      progress: None, or a function called with the number of samples rendered and their total.

    Returns:
      SampledInstrument, with the path that a sampler opens.

    Raises:
      UsageError: if the run can't play it, the format is unknown, or the folder is not empty.
      RunError: if a file can't be written.
    """
    audio_files.check_sample_rate(sample_rate)
    audio_files.check_seconds(seconds)
    if seconds is not None and seconds > MAX_SECONDS:
        raise UsageError(f"{seconds:g} seconds: expected {MAX_SECONDS:g} or less a sample")
    if 0 in (velocity or ()):
        raise UsageError("velocity 0 is a note-off; expected 1 to 127")
    sampler_formats.check_format(format)
    files.check_folder(out_dir)
    files.check_free_folder(out_dir)
    is_kit = "pitch" not in run.condition_names
    _check_conditions(run, pitch, velocity, label, is_kit)
    generator = run.generator
    sample_rate = sample_rate or generator.sample_rate
    if seconds is not None:
        generator.check_seconds(seconds, sample_rate)
    velocities = velocity or VELOCITIES
    settings = {"seconds": seconds, "sample_rate": sample_rate, "seed": seed}
    if is_kit:
        n_keys = sum(len(keys) for keys in kits.keys_of_labels(run).values())
        total = n_keys * len(set(velocities)) * round_robins
        report = progress and (lambda done: progress(done, total))
        made = kits.render_kit(run, velocities, round_robins, **settings, report=report)
    else:
        pitches = pitch or sampled_pitches(run)
        check_pitches(pitches, sample_rate)
        zones = note_zones(run, pitches, velocities, round_robins, label)
        made = render_notes(generator, zones, **settings, progress=progress)
    made = limit_peak(made)
    path = sampler_formats.write_instrument(made, preview(made), out_dir, format, subtype)
    return dataclasses.replace(made, path=path)


def _check_conditions(run, pitch, velocity, label, is_kit):
    names = ", ".join(run.condition_names) or "nothing"
    given = {"pitch": pitch, "label": label} if is_kit else {"velocity": velocity}
    for name, value in given.items():
        if value and (is_kit or name not in run.condition_names):
            kit = " and becomes a drum kit of all its sounds" if is_kit else ""
            raise UsageError(
                f"{name} has no effect: this run is conditioned on {names}{kit}; leave it out"
            )
    has_labels = "label" in run.condition_names and len(run.label_names) > 1
    if not is_kit and has_labels and label is None:
        raise UsageError(f"label is missing: this run has {', '.join(run.label_names)}; name one")


def neighbouring(values, low, high):
    """(lowest, highest) key of each of several rising pitches, half-way to the next."""
    ends = [(a + b) // 2 for a, b in zip(values, values[1:], strict=False)]
    return list(zip([low, *(end + 1 for end in ends)], [*ends, high], strict=True))


def sampled_pitches(run):
    """Default sampled pitches: every third MIDI number of the run's range and the highest."""
    low = round(min(run.pitches, default=_LOWEST))
    high = round(max(run.pitches, default=_HIGHEST))
    return [*range(low, high, _STEP), high]


def note_zones(run, pitches, velocities, n_turns, label=None):
    """Zones of an instrument of pitched notes.

    Args:
      run: Run with a pitch condition.
      pitches, velocities: MIDI numbers; velocities only count with a velocity condition.
      n_turns: Round robins: notes of the same pitch and velocity from different z.
      label: Name of the label, or None.

    Returns:
      list of Zone: those of one pitch and turn follow each other, from soft to loud.

    Raises:
      UsageError: if the run can't play them.
    """
    pitches = sorted(set(pitches))
    has_velocity = "velocity" in run.condition_names
    velocities = sorted({max(1, v) for v in velocities}) if has_velocity else [None]
    ranges = layers(velocities) if has_velocity else [(1, 127)]
    label = None if label is None else [label]
    requests = [make_requests(run, n_turns, pitches, velocity, label) for velocity in velocities]
    low, high = max(0, pitches[0] - _BEYOND), min(127, pitches[-1] + _BEYOND)
    keys = dict(zip(pitches, neighbouring(pitches, low, high), strict=True))
    return [
        Zone(request, int(request.pitch), keys[request.pitch], between, request.number)
        for notes in zip(*requests, strict=True)
        for request, between in zip(notes, ranges, strict=True)
    ]


def render_notes(generator, zones, seconds, sample_rate, seed, progress=None):
    """Render the samples of an instrument of pitched notes, with loops.

    Args:
      generator: By the generator contract.
      zones: Of `note_zones`.
      seconds: Length of the samples with their release; None: the run's own.
      sample_rate: Hz.
      seed: Decides z and noise.
      progress: As of `make_instrument`.

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
        loop = None
        if not generator.rings_out:
            loop = find_loop(audio, sample_rate, held // 8, held)
        if loop is not None:
            audio = crossfade_loop(audio, loop)
        level = float(np.sqrt(np.mean(audio[:held] ** 2))) if held else 0.0
        softest = None
        if zone.request.velocity:
            # The level of the next softer layer, and silence at the end of the softest.
            is_lowest = zone.velocities[0] == 1
            softest = 0.0 if is_lowest else min(1.0, softer / max(level, 1e-9))
        softer = level
        samples.append(Sample(zone, f"{zone.request.stem}.wav", audio, loop, softest))
        releases.append(_release(generator, audio[held:], sample_rate))
        if progress:
            progress(len(samples), len(zones))
    n_turns = 1 + max(zone.turn for zone in zones)
    release = float(np.median(releases))
    name = zones[0].request.name
    return SampledInstrument(name, samples, n_turns, False, release, sample_rate)


def _held(generator, audio, seconds, sample_rate):
    """Samples of a note before its note-off or decay."""
    if generator.rings_out:
        return len(audio)
    if generator.has_controls:
        return max(0, round((seconds - generator.release_seconds) * sample_rate))
    levels = _levels_db(audio, sample_rate)
    if not len(levels):
        return 0
    last = np.flatnonzero(levels >= levels.max() - _HELD_DB)[-1]
    return min(len(audio), round((last + 1) * _FRAME_SECONDS * sample_rate))


def _release(generator, audio, sample_rate):
    return (
        generator.release_seconds if generator.rings_out else _release_seconds(audio, sample_rate)
    )


def _release_seconds(audio, sample_rate):
    """Time in which the end of a note falls by 60 dB, at least 0.05 s."""
    levels = _levels_db(audio, sample_rate)
    if not len(levels):
        return 0.05
    loud = np.flatnonzero(levels >= levels[0] - _FADED_DB)[-1]
    return max(0.05, (loud + 1) * _FRAME_SECONDS)


def _levels_db(audio, sample_rate):
    hop = round(_FRAME_SECONDS * sample_rate)
    frames = audio[: len(audio) // hop * hop].astype(np.float64).reshape(-1, hop)
    return 10.0 * np.log10(np.mean(frames**2, axis=1) + 1e-12)


def limit_peak(instrument):
    """Turn an instrument down as a whole to full scale, if its loudest sample is louder."""
    peak = max(float(np.max(np.abs(sample.audio), initial=0.0)) for sample in instrument.samples)
    if peak <= 1.0:
        return instrument
    samples = [
        dataclasses.replace(sample, audio=sample.audio / np.float32(peak))
        for sample in instrument.samples
    ]
    return dataclasses.replace(instrument, samples=samples)


def preview(instrument, note_seconds=0.5, held_seconds=3.0):
    """Audio to judge an instrument by, from its own samples.

    Every sampled key once at its loudest, rising; of pitched notes then the middle one, held
    through its loop for three seconds, or longer than its sample.

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
            part = play_loop(sample.audio, sample.loop, n + fade)
            part[n:] *= 0.001 ** np.linspace(0.0, 1.0, fade, dtype=np.float32)
        sound[start : start + len(part)] += part
    return sound / max(1.0, float(np.max(np.abs(sound))))
