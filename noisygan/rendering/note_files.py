"""Notes from a generator into files: short ones together, long ones block by block."""

import contextlib
import functools
import math

import numpy as np

from noisygan.audio_io import audio_files
from noisygan.audio_io.controls import save_controls, scale_controls
from noisygan.files import make_folder
from noisygan.rendering import notes


def render_to_files(
    generator,
    requests,
    paths,
    seconds,
    sample_rate,
    seed,
    subtype="PCM_16",
    controls=False,
    progress=None,
    stems=False,
    code=None,
):
    """Renders notes into WAV files, and their controls and parts beside them if wanted.

    A note that is louder than its file can hold is turned down as a whole, with its controls and
    parts.

    Args:
      generator, requests, seconds, sample_rate, seed: As in `notes.render`.
      paths: list of pathlib.Path, of `notes.output_paths`; their folder is made.
      subtype: Of the WAV files.
      controls: Whether to write a controls file for each.
      progress: None, or a function called with the number of notes written.
      stems: Whether to write the parts of each, voice.wav for every voice, into a folder of its
        name.
      code: `saved_latents.SavedLatents` whose z, noise seed and gain are taken;
        None: those that the seed decides.

    Returns:
      dict of name -> decibels that the file was turned down by, of those that were.

    Raises:
      UsageError: if controls or stems are wanted of a generator that has none.
      RunError: if a file cannot be written.
    """
    sample_rate = sample_rate or generator.sample_rate
    seconds = generator.seconds if seconds is None else seconds
    codes = noise_seed = None
    gain = 1.0
    if code is not None:
        codes = code.z[[request.number for request in requests]]
        noise_seed, gain = code.noise_seed, code.gain
    if is_long(generator, seconds, sample_rate):
        rendered = _long_notes(generator, requests, seconds, sample_rate, seed, codes, noise_seed)
    else:
        rendered = notes.render(
            generator, requests, seconds, sample_rate, seed, controls, stems, codes, noise_seed
        )
    lowered = {}
    for i, (note, path) in enumerate(zip(rendered, paths, strict=True)):
        make_folder(path.parent)
        blocks_at = functools.partial(_blocks_of, note, gain)
        factor, lowered_db = write_turned_down(path, blocks_at, sample_rate, subtype, stems)
        if lowered_db:
            lowered[path.name] = lowered_db
        if controls:
            save_controls(path.with_suffix(".npz"), scale_controls(note.controls, gain * factor))
        if progress:
            progress(i + 1)
    return lowered


def _blocks_of(note, gain, factor):
    """Blocks of a `notes.Rendered` that many times as loud."""
    from noisygan.rendering.synthesis import render_in_blocks

    gain *= factor
    if note.audio is None:
        return render_in_blocks(scale_controls(note.controls, gain))
    parts = {name: np.float32(gain) * part for name, part in note.stems.items()}
    return [(np.float32(gain) * note.audio, parts)]


def write_turned_down(path, blocks_at, sample_rate, subtype="PCM_16", stems=False):
    """Writes a sound, turned down as a whole where it is louder than its files can hold.

    Args:
      path, sample_rate, subtype, stems: As of `write_blocks`.
      blocks_at: A function from a factor to the blocks of the sound that many times as loud.

    Returns:
      (factor that it was written with, decibels that it was turned down by: 0.0 where it was not).

    Raises:
      (all): As `write_blocks`.
    """
    writers = _write(path, blocks_at(1.0), sample_rate, subtype, stems)
    peak = max(writer.peak for writer in writers.values())
    if peak <= 1.0 or not subtype.startswith("PCM"):
        return 1.0, 0.0
    # A hair more, so that rounding leaves no sample above full scale.
    factor = 1.0 / (peak * (1.0 + 1e-6))
    _write(path, blocks_at(factor), sample_rate, subtype, stems, again=True)
    return factor, 20.0 * math.log10(peak)


def is_long(generator, seconds, sample_rate):
    """Whether notes are rendered block by block: where one would be a batch of its own.

    Only the voices of a hybrid can, and not those that somebody else's synth plays.
    """
    from noisygan.rendering.synthesis import KINDS

    voices = getattr(generator, "voices", ())
    ours = bool(voices) and all(type(voice) is KINDS.get(voice.kind) for voice in voices)
    return ours and seconds * sample_rate > notes.MAX_SAMPLES_PER_BATCH


def _long_notes(generator, requests, seconds, sample_rate, seed, codes, noise_seed):
    """Yields `notes.Rendered` of each note, with controls alone."""
    from noisygan.rendering.synthesis import controls_row

    n_samples = round(seconds * sample_rate)
    for i, request in enumerate(requests):
        z_seed, own_seed = notes.note_seeds(seed, request.number)
        own_seed = own_seed if noise_seed is None else noise_seed
        z = generator.prior(1, seed=z_seed) if codes is None else codes[i : i + 1]
        curves = generator.get_controls(z, notes.conditioning_of([request]), seconds)
        controls = controls_row(generator, curves, 0, n_samples, sample_rate, own_seed)
        yield notes.Rendered(request, None, controls, {})


def write_blocks(path, blocks, sample_rate, subtype="PCM_16", stems=False):
    """Writes a sound block by block, and its parts beside it if wanted.

    Args:
      path: pathlib.Path of the WAV file.
      blocks: Of (sound, dict of parts), as `controls.render_in_blocks` yields them.
      sample_rate: Hz.
      subtype: Of the WAV files.
      stems: Whether the parts are written, into a folder of the file's name.

    Returns:
      dict of pathlib.Path of each file -> number of samples that were cut.

    Raises:
      UsageError: if a file exists.
      RunError: if one can't be written.
    """
    writers = _write(path, blocks, sample_rate, subtype, stems)
    return {file: writer.n_cut for file, writer in writers.items()}


def _write(path, blocks, sample_rate, subtype, stems, again=False):
    """Writes blocks; returns a dict of file -> WavWriter. Again: in place of what was there."""
    with contextlib.ExitStack() as stack:
        writers = {}
        for sound, parts in blocks:
            sounds = {path: sound}
            if stems:
                folder = path.with_suffix("")
                make_folder(folder)
                sounds |= {folder / f"{name}.wav": part for name, part in parts.items()}
            for file, part in sounds.items():
                if file not in writers:
                    if again:
                        file.unlink()
                    writer = audio_files.wav_writer(file, sample_rate, subtype)
                    writers[file] = stack.enter_context(writer)
                writers[file].write(part)
    return writers
