"""Sampled instruments as files: WAV files with key and loop, `preview.wav`, and an SFZ file."""

import dataclasses
import pathlib

import numpy as np

from noisygan.audio_io import audio_files
from noisygan.errors import UsageError
from noisygan.files import atomic_folder, make_folder

FORMATS = ("sfz", "folder")


@dataclasses.dataclass(frozen=True)
class Zone:
    """Keys and velocities that a sample plays.

    Attributes:
      request: `noisygan.rendering.requests.Request` of the sample.
      key: MIDI key that plays the sample untransposed.
      keys: Lowest and highest key, both included.
      velocities: Lowest and highest velocity, both included.
      turn: Index of the round robin.
      choke: Name of the drums that silence each other with it, or "".
    """

    request: object
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
      softest: Gain at the zone's lowest velocity for runs conditioned on velocity; None: the
        sampler's own velocity curve.
    """

    zone: Zone
    path: str
    audio: np.ndarray
    loop: object = None
    softest: float | None = None


@dataclasses.dataclass(frozen=True)
class SampledInstrument:
    """Samples and what they share.

    Attributes:
      name: Name of its files.
      samples: list of Sample.
      n_turns: Number of round robins.
      is_kit: Whether keys are drums, which are not transposed and ring out.
      release_seconds: Fade-out after the note-off.
      sample_rate: Hz.
      path: File or folder that a sampler opens; None before it is written.
    """

    name: str
    samples: list
    n_turns: int
    is_kit: bool
    release_seconds: float
    sample_rate: int
    path: pathlib.Path | None = None


def layers(velocities):
    """(lowest, highest) that each of several rising velocities plays; together 1 .. 127."""
    tops = [*velocities[:-1], 127]
    return list(zip([1, *(top + 1 for top in tops[:-1])], tops, strict=True))


def check_format(format):
    """Raise UsageError unless a format is one of FORMATS."""
    if format not in FORMATS:
        raise UsageError(f"format {format!r}: expected one of {', '.join(FORMATS)}")


def write_instrument(instrument, preview, out_dir, format, subtype="PCM_16"):
    """Write an instrument into a folder, atomically.

    Args:
      instrument: SampledInstrument.
      preview: Audio of preview.wav, float32 [n_samples].
      out_dir: A new or empty folder.
      format: One of FORMATS.
      subtype: Sample format of the WAV files.

    Returns:
      pathlib.Path of the file or folder that a sampler opens.

    Raises:
      UsageError: if the folder is not empty.
      RunError: if a file cannot be written.
    """
    check_format(format)
    rate = instrument.sample_rate
    name = f"{instrument.name}.sfz" if format == "sfz" else "samples"
    with atomic_folder(out_dir) as folder:
        for sample in instrument.samples:
            path = folder / "samples" / sample.path
            make_folder(path.parent)
            key = sample.zone.key
            audio_files.write_wav(path, sample.audio, rate, subtype, key, sample.loop)
        audio_files.write_wav(folder / "preview.wav", preview, rate, subtype)
        if format == "sfz":
            (folder / name).write_text(sfz_text(instrument), encoding="utf-8")
    return pathlib.Path(out_dir) / name


def sfz_text(instrument):
    """SFZ text of a SampledInstrument with its files in `samples/`."""
    shared = {"ampeg_release": f"{instrument.release_seconds:.3f}"}
    if instrument.is_kit:
        shared = {"loop_mode": "one_shot", "pitch_keytrack": 0}
    if instrument.n_turns > 1:
        shared["seq_length"] = instrument.n_turns
    lines = [f"// {instrument.name}, made by noisygan", "<control>", "default_path=samples/"]
    lines += ["", "<global>", *([_line(shared)] if shared else [])]
    for sample in instrument.samples:
        lines += ["", "<region>", _line(_region(sample, instrument.n_turns))]
        # On its own line: a name may contain spaces.
        lines.append(f"sample={sample.path}")
    return "\n".join(lines) + "\n"


def _line(opcodes):
    return " ".join(f"{name}={value}" for name, value in opcodes.items())


def _region(sample, n_turns):
    """Opcodes of a sample except its file."""
    zone, loop = sample.zone, sample.loop
    (low, high), (softest, loudest) = zone.keys, zone.velocities
    opcodes = {"lokey": low, "hikey": high, "pitch_keycenter": zone.key}
    opcodes |= {"lovel": softest, "hivel": loudest}
    if n_turns > 1:
        opcodes["seq_position"] = zone.turn + 1
    if loop is not None:
        opcodes |= {"loop_mode": "loop_continuous"}
        opcodes |= {"loop_start": loop.start, "loop_end": loop.end - 1}
    if sample.softest is not None:
        sampled = min(zone.request.velocity, loudest)
        if softest < sampled:
            opcodes[f"amp_velcurve_{softest}"] = f"{sample.softest:.4f}"
        # Full level from the sampled velocity on.
        opcodes |= {f"amp_velcurve_{sampled}": 1, f"amp_velcurve_{loudest}": 1}
    if zone.choke:
        opcodes |= {"group": 1, "off_by": 1}
    return opcodes
