"""Notes from a generator into files: short ones together, long ones block by block."""

import contextlib

from noisygan.files import make_folder
from noisygan.rendering import audio_files, notes


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
):
    """Renders notes into WAV files, and their controls and parts beside them if wanted.

    Args:
      generator, requests, seconds, sample_rate, seed: As in `notes.render`.
      paths: list of pathlib.Path, of `notes.output_paths`; their folder is made.
      subtype: Of the WAV files.
      controls: Whether to write a controls file for each.
      progress: None, or a function called with the number of notes written.
      stems: Whether to write the parts of each, voice.wav for every voice, into a folder of its
        name.

    Returns:
      list of names of the files in which samples were cut, because they were louder than the
      subtype can hold.

    Raises:
      UsageError: if controls or stems are wanted of a generator that has none.
      RunError: if a file cannot be written.
    """
    from noisygan.rendering.controls import render_in_blocks, save_controls

    sample_rate = sample_rate or generator.sample_rate
    seconds = generator.seconds if seconds is None else seconds
    if is_long(generator, seconds, sample_rate):
        rendered = _long_notes(generator, requests, seconds, sample_rate, seed)
    else:
        rendered = (
            (note.controls, [(note.audio, note.stems)])
            for note in notes.render(
                generator, requests, seconds, sample_rate, seed, controls, stems
            )
        )
    cut = []
    for i, ((curves, blocks), path) in enumerate(zip(rendered, paths, strict=True)):
        make_folder(path.parent)
        if controls:
            save_controls(path.with_suffix(".npz"), curves)
        blocks = render_in_blocks(curves) if blocks is None else blocks
        n_cut = _write(path, blocks, sample_rate, subtype, stems)
        cut += [str(file.relative_to(path.parent)) for file, n in n_cut.items() if n]
        if progress:
            progress(i + 1)
    return cut


def is_long(generator, seconds, sample_rate):
    """Whether notes are rendered block by block: where one would be a batch of its own.

    Only the voices of a hybrid can, and not those that somebody else's synth plays.
    """
    from noisygan.rendering.blocks import KINDS

    voices = getattr(generator, "voices", ())
    ours = bool(voices) and all(type(voice) is KINDS.get(voice.kind) for voice in voices)
    return ours and seconds * sample_rate > notes.MAX_SAMPLES_PER_BATCH


def _long_notes(generator, requests, seconds, sample_rate, seed):
    """Yields (controls, None) of each note."""
    from noisygan.rendering.controls import controls_row

    n_samples = round(seconds * sample_rate)
    for request in requests:
        z_seed, noise_seed = notes.note_seeds(seed, request.number)
        z = generator.prior(1, seed=z_seed)
        curves = generator.get_controls(z, notes.conditioning_of([request]), seconds)
        yield controls_row(generator, curves, 0, n_samples, sample_rate, noise_seed), None


def _write(path, blocks, sample_rate, subtype, stems):
    """Writes (sound, parts) block by block; returns a dict of file -> samples that were cut."""
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
                    writer = audio_files.wav_writer(file, sample_rate, subtype)
                    writers[file] = stack.enter_context(writer)
                writers[file].write(part)
    return {file: writer.n_cut for file, writer in writers.items()}
