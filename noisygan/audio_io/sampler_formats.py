"""Sampled instruments as files: WAV files with key and loop, `preview.wav`, and an SFZ file."""

import dataclasses
import pathlib

import numpy as np

from noisygan.audio_io import audio_files
from noisygan.errors import UsageError
from noisygan.files import atomic_folder, make_folder

FORMATS = ("sfz", "folder")
_FADE_OUT_SECONDS = 0.1  # of a held sample while that of its release begins
_LEAST_CENTS, _STEP_DB = 2, 0.5  # of offsets of keys: less is not heard


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
      gains: dict of velocity -> linear gain, interpolated between; None: the sampler's own
        velocity curve, for runs that are not conditioned on velocity.
      offsets: dict of key -> (cents, dB), of the keys with another tuning or level than the sample.
      release: Sound after the note-off, float32 [n_samples], or None.
    """

    zone: Zone
    path: str
    audio: np.ndarray
    loop: object = None
    gains: dict | None = None
    offsets: dict = dataclasses.field(default_factory=dict)
    release: np.ndarray | None = None

    @property
    def release_path(self):
        """Path of the file of the release."""
        return f"{self.path.removesuffix('.wav')}-release.wav"

    def scaled(self, gain):
        """The sample at another level; gain is linear."""
        release = None if self.release is None else np.float32(gain) * self.release
        audio = np.float32(gain) * self.audio
        return dataclasses.replace(self, audio=audio, release=release)


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


def check_format(format):
    """Raise UsageError unless a format is one of FORMATS."""
    if format not in FORMATS:
        raise UsageError(f"format {format!r}: expected one of {', '.join(FORMATS)}")


def write_instrument(instrument, preview, out_dir, format, subtype="PCM_16"):
    """Write a SampledInstrument and its preview [n_samples] into a new or empty folder, atomically.

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
            path, key = folder / "samples" / sample.path, sample.zone.key
            make_folder(path.parent)
            audio_files.write_wav(path, sample.audio, rate, subtype, key, sample.loop)
            if sample.release is not None and format == "sfz":
                path = folder / "samples" / sample.release_path
                audio_files.write_wav(path, sample.release, rate, subtype, key)
        audio_files.write_wav(folder / "preview.wav", preview, rate, subtype)
        if format == "sfz":
            (folder / name).write_text(sfz_text(instrument), encoding="utf-8")
    return pathlib.Path(out_dir) / name


def sfz_text(instrument):
    """SFZ text of a SampledInstrument with its files in `samples/`."""
    shared = {"ampeg_release": f"{instrument.release_seconds:.3f}"}
    if instrument.is_kit:
        shared = {"loop_mode": "one_shot", "pitch_keytrack": 0}
    shared["xf_velcurve"] = "gain"
    if instrument.n_turns > 1:
        shared["seq_length"] = instrument.n_turns
    lines = [f"// {instrument.name}, made by noisygan", "<control>", "default_path=samples/"]
    lines += ["", "<global>", _line(shared)]
    for sample in instrument.samples:
        for keys, offset in _offset_keys(sample):
            opcodes = _region(sample, keys, *offset, instrument.n_turns)
            held = opcodes | _sustain(sample, instrument.sample_rate)
            # On its own line: a name may contain spaces.
            lines += ["", "<region>", _line(held), f"sample={sample.path}"]
            if sample.release is not None:
                lines += ["", "<region>", _line(opcodes | {"trigger": "release"})]
                lines.append(f"sample={sample.release_path}")
    return "\n".join(lines) + "\n"


def _line(opcodes):
    return " ".join(f"{name}={value}" for name, value in opcodes.items())


def _offset_keys(sample):
    """((lowest, highest) key, (cents, dB)) of keys with equal offsets; small ones are left out."""
    low, high = sample.zone.keys
    found = [sample.offsets.get(key, (0.0, 0.0)) for key in range(low, high + 1)]
    found = [
        (round(cents) if abs(cents) >= _LEAST_CENTS else 0, _STEP_DB * round(gain_db / _STEP_DB))
        for cents, gain_db in found
    ]
    starts = [i for i in range(len(found)) if i == 0 or found[i] != found[i - 1]]
    ends = [*starts[1:], len(found)]
    return [((low + a, low + b - 1), found[a]) for a, b in zip(starts, ends, strict=True)]


def _sustain(sample, sample_rate):
    """Opcodes of a sample while its key is held."""
    loop, opcodes = sample.loop, {}
    if loop is not None:
        opcodes = {"loop_mode": "loop_continuous", "loop_start": loop.start}
        opcodes |= {"loop_end": loop.end - 1, "loop_crossfade": f"{loop.fade / sample_rate:.4f}"}
    if sample.release is not None:
        opcodes["ampeg_release"] = _FADE_OUT_SECONDS
    return opcodes


def _region(sample, keys, cents, volume_db, n_turns):
    """Opcodes of a sample and its release, for keys of one tuning and level."""
    zone, velocity = sample.zone, sample.zone.request.velocity
    lowest, highest = zone.velocities
    opcodes = {"lokey": keys[0], "hikey": keys[1], "pitch_keycenter": zone.key}
    opcodes |= {"lovel": lowest, "hivel": highest}
    if lowest > 1:
        opcodes |= {"xfin_lovel": lowest - 1, "xfin_hivel": velocity}
    if highest < 127:
        opcodes |= {"xfout_lovel": velocity, "xfout_hivel": highest + 1}
    if cents:
        opcodes["tune"] = cents
    if n_turns > 1:
        opcodes["seq_position"] = zone.turn + 1
    if sample.gains is not None:
        inside = sorted({lowest, highest, *(v for v in sample.gains if lowest < v < highest)})
        gains = np.interp(inside, list(sample.gains), list(sample.gains.values()))
        loudest = max(gains.max(), 1.0)  # a curve ends at 1
        volume_db += 20.0 * np.log10(loudest)
        for each, gain in zip(inside, gains, strict=True):
            opcodes[f"amp_velcurve_{each}"] = f"{gain / loudest:.4f}"
    if abs(volume_db) > 0.01:
        opcodes["volume"] = f"{min(volume_db, 6.0):.2f}"
    if zone.choke:
        opcodes |= {"group": 1, "off_by": 1}
    return opcodes
