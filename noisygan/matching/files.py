"""The files of a match: their names, and writing them. No TensorFlow is needed for either."""

import pathlib

import numpy as np

from noisygan.audio_io.controls import save_controls, scale_controls
from noisygan.errors import UsageError
from noisygan.files import atomic_write, check_folder, make_folder
from noisygan.rendering import note_files


def output_paths(target_path, out_dir, stems=False):
    """Where a match is written: dict of pathlib.Path by sound, controls, latent, page and stems.

    Args:
      target_path: The sound that is matched.
      out_dir: Folder; may be missing.
      stems: Whether the parts of the sound are wanted, in a folder.

    Raises:
      UsageError: if one is there already, or the folder can't be made or written to.
    """
    out_dir = pathlib.Path(out_dir)
    check_folder(out_dir)
    stem = pathlib.Path(target_path).stem
    names = {"sound": ".wav", "controls": ".npz", "latent": "-z.npz", "page": ".html"}
    paths = {what: out_dir / f"{stem}{suffix}" for what, suffix in names.items()}
    if stems:
        paths["stems"] = out_dir / stem
    for path in paths.values():
        if path.exists():
            raise UsageError(f"{path} exists already; choose another --out_dir")
    return paths


def write(match, paths, label_names=()):
    """Writes the sound, the controls, the latent and the page, as far as there are any.

    Args:
      match: Match.
      paths: Of `output_paths`; their folder is made.
      label_names: Of the run.

    Returns:
      (list of the paths written, decibels that the sound, and its controls with it, was turned
      down by because it is louder than a file can hold; 0.0 where it is not).
    """
    from noisygan.rendering.synthesis import render_in_blocks
    from noisygan.reports.match_report import page

    make_folder(paths["sound"].parent)
    written = [paths["sound"]]
    rate = match.target.sample_rate

    def blocks_at(factor):
        if match.controls is None:
            return [(np.float32(factor) * match.audio, {})]
        return render_in_blocks(scale_controls(match.controls, factor))

    stems = "stems" in paths
    factor, lowered = note_files.write_turned_down(paths["sound"], blocks_at, rate, stems=stems)
    match = match._replace(audio=np.float32(factor) * match.audio)
    if match.controls is not None:
        match = match._replace(controls=scale_controls(match.controls, factor))
        save_controls(paths["controls"], match.controls)
        written.append(paths["controls"])
        if stems:
            written.append(paths["stems"])
    if match.latent is not None:
        with atomic_write(paths["latent"]) as part, part.open("wb") as file:
            np.savez_compressed(file, **match.latent.arrays(label_names))
        written.append(paths["latent"])
    with atomic_write(paths["page"]) as part:
        part.write_text(page(match), encoding="utf-8")
    return [*written, paths["page"]], lowered
