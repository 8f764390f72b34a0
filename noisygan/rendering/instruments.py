"""Instruments for samplers: sample the notes or drums of a run, find loops, write the files."""

import dataclasses
import math

import numpy as np

from noisygan import files
from noisygan.audio_io import audio_files, sampler_formats
from noisygan.audio_io.sampler_formats import Sample, SampledInstrument, Zone
from noisygan.errors import UsageError
from noisygan.metrics.note_analysis import hz_to_midi
from noisygan.metrics.note_timing import note_timing
from noisygan.rendering import kits
from noisygan.rendering.batches import conditioning, has_known_voices, iterate
from noisygan.rendering.interpolation import ends
from noisygan.rendering.layers import crossfade_ranges, level_velocities, velocity_gains
from noisygan.rendering.loops import crossfade_loop, find_loop, play_loop
from noisygan.rendering.requests import (
    NoteSpec,
    check_pitches,
    make_requests,
    note_seeds,
    tag_values,
)
from noisygan.rendering.synthesis import controls_row, render_controls

VELOCITIES = (42, 84, 127)
MAX_SECONDS = 30.0  # of a sample; bounds the memory
_STEP = 3  # semitones between sampled pitches
_LOWEST, _HIGHEST = 48, 84  # of a run that does not know its pitches
_BEYOND = 12  # semitones that the outermost samples are played beyond their pitch
_FRAME_SECONDS = 0.01
_FADED_DB = 60.0
_LEVEL_SECONDS = 1.0  # from which the level of a velocity is measured
_AUDIBLE_DB, _AUDIBLE_SECONDS = 30.0, 0.1  # a release that falls more slowly is sampled
_FADE_IN_SECONDS = 0.015  # of a sampled release


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
    tags=None,
):
    """Make an instrument for samplers; arguments and errors as of `noisygan.Run.instrument`."""
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
    tags = tag_values(run.tag_values, tags)
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
        made = kits.render_kit(run, velocities, round_robins, **settings, report=report, tags=tags)
    else:
        pitches = pitch or sampled_pitches(run)
        check_pitches(pitches, sample_rate)
        zones = note_zones(run, pitches, velocities, round_robins, label, tags)
        made = render_notes(generator, zones, **settings, progress=progress)
    made = limit_peak(made)
    sound = preview(made)
    if format == "folder":
        # Samplers that read loops from WAV files don't crossfade them.
        loops = [crossfade_loop(sample.audio, sample.loop) for sample in made.samples]
        pairs = zip(made.samples, loops, strict=True)
        samples = [dataclasses.replace(sample, audio=audio) for sample, audio in pairs]
        made = dataclasses.replace(made, samples=samples)
    path = sampler_formats.write_instrument(made, sound, out_dir, format, subtype)
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


def note_zones(run, pitches, velocities, n_turns, label=None, tags=None):
    """Zones of an instrument: list of lists, the layers of each pitch and turn from soft to loud.

    Velocities only count with a velocity condition. Round robins (`n_turns`) are notes of the same
    pitch and velocity from different z. UsageError if the run can't play them.
    """
    pitches = sorted(set(pitches))
    has_velocity = "velocity" in run.condition_names
    velocities = sorted({max(1, v) for v in velocities}) if has_velocity else [None]
    ranges = crossfade_ranges(velocities) if has_velocity else [(1, 127)]
    spec = NoteSpec(pitches, None, label, n_turns, tags=tags)
    requests = [make_requests(run, spec._replace(velocity=velocity)) for velocity in velocities]
    low, high = max(0, pitches[0] - _BEYOND), min(127, pitches[-1] + _BEYOND)
    keys = dict(zip(pitches, neighbouring(pitches, low, high), strict=True))
    return [
        [
            Zone(request, int(request.pitch), keys[request.pitch], between, request.number)
            for request, between in zip(notes, ranges, strict=True)
        ]
        for notes in zip(*requests, strict=True)
    ]


def render_notes(generator, zones, seconds, sample_rate, seed, progress=None):
    """Render the Zones of `note_zones`, with loops and releases: SampledInstrument.

    `seconds` is the length of the samples with their release, None the generator's own.
    """
    seconds = generator.seconds if seconds is None else seconds
    span = min(zone.key for zone, *_ in zones), max(zone.key for zone, *_ in zones)
    samples, releases = [], []
    in_phase = has_known_voices(generator)
    for layers in zones:
        render = _render_curves if in_phase else _render_audio
        sounds, levels_db, offsets = render(generator, layers, span, seconds, sample_rate, seed)
        searched = sounds[-1:] if in_phase else sounds
        loops = [find_note_loop(generator, sound, seconds, sample_rate) for sound in searched]
        loops *= len(layers) // len(loops)
        held = _held(generator, sounds[-1], seconds, sample_rate)
        velocities, gains = [zone.request.velocity for zone in layers], None
        if velocities[0]:
            beginning = [sound[: held or len(sound)] for sound in sounds]
            gains = velocity_gains(velocities, beginning, levels_db)
        for zone, audio, loop in zip(layers, sounds, loops, strict=True):
            tail, release = audio[held:], None
            releases.append(_seconds_to_fall(tail, sample_rate, _FADED_DB))
            audible = _seconds_to_fall(tail, sample_rate, _AUDIBLE_DB) >= _AUDIBLE_SECONDS
            if loop is not None and audible:
                before = audio[max(0, held - round(_AUDIBLE_SECONDS * sample_rate)) : held]
                level = np.std(audio[loop.start : loop.end]) / max(np.std(before), 1e-9)
                release = np.float32(level) * tail[: round(releases[-1] * sample_rate)]
                n = min(len(release), round(_FADE_IN_SECONDS * sample_rate))
                release[:n] *= np.sin(np.linspace(0.0, 0.5 * np.pi, n, dtype=np.float32)) ** 2
            path = f"{zone.request.stem}.wav"
            samples.append(Sample(zone, path, audio, loop, gains, offsets, release))
        if progress:
            progress(len(samples), len(zones) * len(layers))
    n_turns = 1 + max(zone.turn for zone, *_ in zones)
    release = generator.release_seconds if generator.rings_out else float(np.median(releases))
    name = zones[0][0].request.name
    return SampledInstrument(name, samples, n_turns, False, release, sample_rate)


def _render_audio(generator, layers, span, seconds, sample_rate, seed):
    """Layers of a note: (sounds, None, {}); see `_render_curves`."""
    requests = [zone.request for zone in layers]
    rendered = iterate(generator, requests, seconds, sample_rate, seed)
    return [note.audio for note in rendered], None, {}


def _render_curves(generator, layers, span, seconds, sample_rate, seed):
    """Layers of a note of a hybrid: (sounds, dB by velocity, offsets of keys in cents and dB).

    All layers have the F0 curve (and the loop) of the loudest one, so that they stay in phase when
    a sampler crossfades them. Keys within the sampled span are tuned and levelled as by the
    generator.
    """
    requests, loudest = [zone.request for zone in layers], layers[-1].request
    between = (
        level_velocities([zone.request.velocity for zone in layers]) if loudest.velocity else []
    )
    low, high = layers[0].keys
    keys = range(max(low, span[0]), min(high, span[1]) + 1)
    asked = requests + [dataclasses.replace(loudest, velocity=each) for each in between]
    asked += [dataclasses.replace(requests[len(requests) // 2], pitch=key) for key in keys]
    z = ends(generator, [loudest.number], seed).repeat(len(asked), axis=0)
    curves = generator.get_controls(z, conditioning(asked, generator), seconds)
    curves = {name: np.array(value) for name, value in curves.items()}
    n_held = n_frames = curves["loudness_db"].shape[1]
    if not generator.rings_out:
        n_held -= math.ceil(generator.release_seconds * generator.frame_rate)
    n_held = n_held if n_held > 0 else n_frames
    cents = np.zeros(len(asked))
    for name in (name for name in curves if name.endswith("/f0_hz")):
        hz = np.median(curves[name][:, :n_held, 0], axis=1)
        cents = 100.0 * (hz_to_midi(hz) - [each.pitch for each in asked])
        curves[name][: len(requests)] = curves[name][len(requests) - 1]
    noise_seed = note_seeds(seed, loudest.number)[1]

    def render(row, seconds, rate):
        n_samples = round(seconds * rate)
        return render_controls(controls_row(generator, curves, row, n_samples, rate, noise_seed))

    def level_db(row):
        heard = min(_LEVEL_SECONDS, n_held / generator.frame_rate)
        return 10.0 * np.log10(np.mean(render(row, heard, generator.sample_rate) ** 2) + 1e-12)

    levels_db = {velocity: level_db(row) for row, velocity in enumerate(between, len(requests))}
    first = len(requests) + len(between)
    offsets = {key: np.array([cents[i], level_db(i)]) for i, key in enumerate(keys, first)}
    offsets = {key: tuple(offsets[key] - offsets[layers[0].key]) for key in keys}
    sounds = [render(row, seconds, sample_rate) for row in range(len(requests))]
    return sounds, levels_db or None, offsets


def find_note_loop(generator, audio, seconds, sample_rate):
    """Find the loop of a note before its note-off; None for a generator whose notes ring out."""
    if generator.rings_out:
        return None
    held = _held(generator, audio, seconds, sample_rate)
    return find_loop(audio, sample_rate, held // 8, held)


def _held(generator, audio, seconds, sample_rate):
    """Samples of a note before its note-off or decay."""
    if generator.rings_out:
        return len(audio)
    if generator.release_seconds is not None:
        return max(0, round((seconds - generator.release_seconds) * sample_rate))
    timing = note_timing(audio, sample_rate)
    return round(min(timing.note_off, timing.end) * sample_rate)


def _seconds_to_fall(audio, sample_rate, fall_db):
    """Time in which the end of a note falls by some dB, at least 0.05 s."""
    levels = _levels_db(audio, sample_rate)
    if not len(levels):
        return 0.05
    loud = np.flatnonzero(levels >= levels[0] - fall_db)[-1]
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
    samples = [sample.scaled(1.0 / peak) for sample in instrument.samples]
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
            part = play_loop(crossfade_loop(sample.audio, sample.loop), sample.loop, n + fade)
            part[n:] *= 0.001 ** np.linspace(0.0, 1.0, fade, dtype=np.float32)
        sound[start : start + len(part)] += part
    return sound / max(1.0, float(np.max(np.abs(sound))))
