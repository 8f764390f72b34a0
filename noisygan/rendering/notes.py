"""Rendered notes: audio, control curves and stems, in memory and as files."""

from __future__ import annotations

import base64
import contextlib
import functools
import html
import io
import math
import pathlib
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from noisygan.audio_io import audio_files
from noisygan.audio_io.controls import save_controls, scale_controls, stack_controls
from noisygan.errors import UsageError
from noisygan.files import atomic_write, make_folder

_MAX_SHOWN = 16


class Note(NamedTuple):
    """One rendered note.

    Attributes:
      audio: float32 [n_samples]; None: rendered from the controls, block by block.
      controls: As of `noisygan.audio_io.controls`; None for a raw-waveform generator.
      stems: dict of float32 [n_samples] by name of the voice; empty unless requested.
    """

    audio: np.ndarray | None
    controls: dict | None = None
    stems: dict = {}

    def scaled(self, gain):
        """The same note at another level; gain is linear."""
        if gain == 1.0:
            return self
        audio = None if self.audio is None else np.float32(gain) * self.audio
        controls = None if self.controls is None else scale_controls(self.controls, gain)
        return Note(audio, controls, {n: np.float32(gain) * x for n, x in self.stems.items()})

    def blocks(self):
        """The sound in pieces: (float32 [n], dict of stems of that length)."""
        if self.audio is not None:
            return [(self.audio, self.stems)]
        from noisygan.rendering.synthesis import render_in_blocks

        return render_in_blocks(self.controls)


class Notes:
    """Notes of equal length: audio, control curves and stems.

    They are rendered on first use. `save` renders and writes them one after the other, so any
    number of notes fits into memory.

    Attributes:
      names: File names without suffix, list of str.
      sample_rate: Hz.
      remarks: What was left out, and pitches far from the recordings, tuple of str.
      lowered_db: dict of file name -> dB by which `save` lowered a file that would have clipped.

    Example:
      >>> notes = noisygan.load("runs/flute").render(pitch=[60, 64, 67], seed=1)
      >>> notes.audio.shape
      (3, 64000)
      >>> notes[0].save("out", controls=True)
      [PosixPath('out/flute-060-100-000.wav')]
    """

    def __init__(
        self,
        names: Iterable[str],
        sample_rate: int,
        render: Callable[[bool], Iterable[Note]],
        remarks: Iterable[str] = (),
    ):
        """Store.

        Args:
          names: File names without suffix.
          sample_rate: Hz.
          render: Function that yields the notes; its argument says whether stems are needed.
          remarks: What could not be rendered as requested.
        """
        self.names = list(names)
        self.sample_rate = int(sample_rate)
        self.remarks = tuple(remarks)
        self.lowered_db = {}
        self._render = render

    @functools.cached_property
    def _notes(self) -> list[Note]:
        return list(self._render(False))

    @functools.cached_property
    def audio(self) -> np.ndarray:
        """Audio, float32 [n, n_samples]."""
        rows = [np.concatenate([sound for sound, _ in note.blocks()]) for note in self._notes]
        return np.stack(rows) if rows else np.zeros([0, 0], np.float32)

    @functools.cached_property
    def controls(self) -> dict:
        """Control curves in physical units, dict of arrays [n, ...]; {} for raw-waveform runs.

        `noisygan.synthesize` renders them, after editing if you like. The entries are those of
        `noisygan.audio_io.controls`.
        """
        rows = [note.controls for note in self._notes]
        return stack_controls(rows) if rows and rows[0] is not None else {}

    def stems(self) -> dict[str, np.ndarray]:
        """Render the parts of each note, float32 [n, n_samples] by name of the voice.

        Raises:
          UsageError: for a raw-waveform generator, which has none.

        Example:
          >>> sorted(notes.stems())
          ['harmonic', 'noise', 'reverb']
        """
        rows = []
        for note in self._render(True):
            _check_has("stems", note)
            blocks = [stems for _, stems in note.blocks()]
            rows.append({name: np.concatenate([b[name] for b in blocks]) for name in blocks[0]})
        return {name: np.stack([row[name] for row in rows]) for name in (rows[0] if rows else ())}

    def save(
        self,
        out_dir: str | pathlib.Path,
        controls: bool = False,
        stems: bool = False,
        subtype: str = "PCM_16",
        progress: Callable[[int], object] | None = None,
        picture: str | None = None,
    ) -> list[pathlib.Path]:
        """Write a WAV file per note; no file is ever overwritten.

        A note that would clip is lowered as a whole, with its controls and stems; `lowered_db`
        then tells by how much.

        Args:
          out_dir: Folder; made if missing.
          controls: Also write a controls file (.npz) beside each note.
          stems: Also write the stems of each note into a folder of its name.
          subtype: PCM_16, PCM_24, PCM_32, FLOAT or DOUBLE.
          progress: Called with the number of notes written so far.
          picture: Name of a PNG file for the spectrograms of all notes, side by side; None: none.

        Returns:
          Paths of the WAV files.

        Raises:
          UsageError: if a file exists already, or the notes have no controls or stems.
          RunError: if a file can't be written.

        Example:
          >>> notes.save("out", subtype="PCM_24")
          [PosixPath('out/flute-060-100-000.wav')]
        """
        out_dir = pathlib.Path(out_dir)
        paths = [out_dir / f"{name}.wav" for name in self.names]
        _check_free(out_dir, paths, [".wav"] + [".npz"] * controls + [""] * stems)
        if picture:
            _check_free(out_dir, [out_dir / picture], [".png"])
        rendered = "_notes" in self.__dict__ and not stems
        notes = self._notes if rendered else self._render(stems)
        self.lowered_db = {}
        for i, (note, path) in enumerate(zip(notes, paths, strict=True)):
            if controls or stems:
                _check_has("controls" if controls else "stems", note)
            make_folder(out_dir)
            factor = write_note(path, note, self.sample_rate, subtype, stems)
            if factor != 1.0:
                self.lowered_db[path.name] = -20.0 * math.log10(factor)
            if controls:
                save_controls(path.with_suffix(".npz"), note.scaled(factor).controls)
            if progress:
                progress(i + 1)
        if picture:
            with atomic_write(out_dir / picture) as part:
                part.write_bytes(_side_by_side(paths))
        return paths

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index) -> Notes:
        rows = np.atleast_1d(np.arange(len(self))[index])

        def render(stems):
            notes = list(self._render(True)) if stems else self._notes
            return [notes[row] for row in rows]

        return Notes([self.names[row] for row in rows], self.sample_rate, render, self.remarks)

    def __repr__(self) -> str:
        shown = ", ".join(self.names[:3]) + (", ..." if len(self) > 3 else "")
        return f"<Notes: {len(self)} at {self.sample_rate} Hz: {shown}>"

    def _repr_html_(self) -> str:
        figures = []
        # Not of `self[:_MAX_SHOWN]`, which renders all.
        shown = self._notes if "_notes" in self.__dict__ else self._render(False)
        for name, note in zip(self.names[:_MAX_SHOWN], shown, strict=False):
            audio = np.concatenate([sound for sound, _ in note.blocks()])
            sound = base64.b64encode(audio_files.wav_bytes(audio, self.sample_rate)).decode()
            image = base64.b64encode(_png(_spectrogram_db(audio))).decode()
            figures.append(
                '<figure style="display:inline-block;margin:4px;width:300px">'
                f"<figcaption>{html.escape(name)}</figcaption>"
                f'<img alt="Spectrogram" style="width:100%" src="data:image/png;base64,{image}">'
                f'<audio controls style="width:100%" src="data:audio/wav;base64,{sound}"></audio>'
                "</figure>"
            )
        more = len(self) - _MAX_SHOWN
        return f"<div>{''.join(figures)}{f'<p>and {more} more</p>' if more > 0 else ''}</div>"


def missing(what):
    """Message for notes without controls or stems."""
    return f"{what}: this run's generator has no {what}, it writes samples directly"


def _check_has(what, note):
    if note.controls is None:
        raise UsageError(missing(what))


def _check_free(out_dir, paths, suffixes):
    """Refuse files that exist, before anything is rendered."""
    if out_dir.exists() and not out_dir.is_dir():
        raise UsageError(f"{out_dir} is a file; expected a folder")
    taken = [path for s in suffixes for path in (p.with_name(p.stem + s) for p in paths)]
    taken = [path for path in taken if path.exists()]
    if taken:
        more = f" (and {len(taken) - 1} more)" if len(taken) > 1 else ""
        raise UsageError(f"{taken[0]} exists already{more}; choose another folder")


def write_note(path, note, sample_rate, subtype="PCM_16", stems=False):
    """Write a note to a WAV file, with its stems, if wanted, into a folder of its name.

    A note that its files could not hold is lowered as a whole. Returns the gain, 1.0 or less.
    """
    peak = _write(path, note.blocks(), sample_rate, subtype, stems)
    if peak <= 1.0 or not subtype.startswith("PCM"):
        return 1.0
    # A hair more, so that rounding leaves no sample above full scale.
    factor = 1.0 / (peak * (1.0 + 1e-6))
    _write(path, note.scaled(factor).blocks(), sample_rate, subtype, stems, again=True)
    return factor


def _write(path, blocks, sample_rate, subtype, stems, again=False):
    """Write blocks; returns their peak. `again` replaces what was written before."""
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
    return max(writer.peak for writer in writers.values())


def _spectrogram_db(audio, n_columns=300):
    """Magnitudes in dB up to a quarter of the sample rate, [256, about n_columns]."""
    n_fft = 1024
    audio = np.pad(audio, (0, max(0, n_fft - len(audio))))
    frames = np.lib.stride_tricks.sliding_window_view(audio, n_fft)
    frames = frames[:: max(1, len(frames) // n_columns)] * np.hanning(n_fft)
    return 20.0 * np.log10(np.abs(np.fft.rfft(frames))[:, :256].T + 1e-5)


def _png(level_db):
    """Levels over 80 dB as a picture, low frequencies at the bottom, PNG bytes."""
    from matplotlib import image

    file, top = io.BytesIO(), level_db.max()
    style = {"cmap": "magma", "origin": "lower", "format": "png"}
    image.imsave(file, level_db, vmin=top - 80.0, vmax=top, **style)
    return file.getvalue()


def _side_by_side(paths):
    """Spectrograms of audio files beside each other, with narrow gaps, PNG bytes."""
    import soundfile

    n_columns, gap = max(8, 2400 // len(paths)), np.full([256, 2], -np.inf)
    columns = []
    for path in paths:
        columns += [_spectrogram_db(soundfile.read(path)[0], n_columns), gap]
    return _png(np.concatenate(columns[:-1], axis=1))
