"""Sampled instruments as files: SFZ, Decent Sampler's presets, or a folder of WAV files.

Every format has the samples in `samples/`, as WAV files that say their key and their loop
themselves, and a `preview.wav`.
"""

import pathlib
from xml.etree import ElementTree

from noisygan.audio_io import audio_files
from noisygan.errors import UsageError
from noisygan.files import atomic_write, make_folder
from noisygan.rendering.instruments import preview

FORMATS = ("sfz", "folder", "decent")
_SUFFIXES = {"sfz": ".sfz", "decent": ".dspreset"}


def check_out_dir(out_dir):
    """Path of the folder that an instrument is written into.

    Raises:
      UsageError: if it is a file, or holds anything.
    """
    out_dir = pathlib.Path(out_dir)
    if out_dir.exists() and not out_dir.is_dir():
        raise UsageError(f"--out_dir {out_dir} is a file; expected a folder")
    if out_dir.exists() and any(out_dir.iterdir()):
        raise UsageError(f"--out_dir {out_dir} is not empty; expected a new folder")
    return out_dir


def write_instrument(instrument, out_dir, kind, subtype="PCM_16"):
    """Writes an instrument into a folder.

    Args:
      instrument: `instruments.SampledInstrument`.
      out_dir: pathlib.Path, of `check_out_dir`.
      kind: One of FORMATS.
      subtype: Of the WAV files.

    Returns:
      pathlib.Path of what a sampler opens.

    Raises:
      RunError: if a file cannot be written.
    """
    rate = instrument.sample_rate
    for sample in instrument.samples:
        path = out_dir / "samples" / sample.path
        make_folder(path.parent)
        key = sample.zone.key
        audio_files.write_wav(path, sample.audio, rate, subtype, key, sample.loop)
    audio_files.write_wav(out_dir / "preview.wav", preview(instrument), rate, subtype)
    if kind == "folder":
        return out_dir / "samples"
    path = out_dir / f"{instrument.name}{_SUFFIXES[kind]}"
    text = {"sfz": sfz_text, "decent": decent_text}[kind](instrument)
    with atomic_write(path) as part:
        part.write_text(text, encoding="utf-8")
    return path


def sfz_text(instrument):
    """An instrument as SFZ.

    Args:
      instrument: `instruments.SampledInstrument`; its files lie in `samples/`.

    Returns:
      str.
    """
    shared = {"ampeg_release": f"{instrument.release_seconds:.3f}"}
    if instrument.is_kit:
        shared = {"loop_mode": "one_shot", "pitch_keytrack": 0}
    if instrument.n_turns > 1:
        shared["seq_length"] = instrument.n_turns
    lines = [f"// {instrument.name}, made by noisygan", "<control>", "default_path=samples/"]
    lines += ["", "<global>", *_opcodes(shared)]
    for sample in instrument.samples:
        lines += ["", "<region>", *_opcodes(_region(sample, instrument.n_turns))]
        # Alone on its line: a name may hold spaces.
        lines.append(f"sample={sample.path}")
    return "\n".join(lines) + "\n"


def _opcodes(values):
    if not values:
        return []
    return [" ".join(f"{name}={value}" for name, value in values.items())]


def _region(sample, n_turns):
    """Opcodes of a sample but for its file."""
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
        # From the velocity that was sampled on, as it is.
        opcodes |= {f"amp_velcurve_{sampled}": 1, f"amp_velcurve_{loudest}": 1}
    if zone.choke:
        opcodes |= {"group": 1, "off_by": 1}
    return opcodes


def decent_text(instrument):
    """An instrument as a preset of Decent Sampler.

    Args:
      instrument: `instruments.SampledInstrument`; its files lie in `samples/`.

    Returns:
      str, XML.
    """
    root = ElementTree.Element("DecentSampler", minVersion="1.0.0")
    ElementTree.SubElement(root, "ui")
    # Drums ring out when their keys are let go.
    release = 30.0 if instrument.is_kit else instrument.release_seconds
    groups = ElementTree.SubElement(root, "groups", attack="0.0", release=f"{release:.3f}")
    if instrument.n_turns > 1:
        groups.set("seqMode", "round_robin")
        groups.set("seqLength", str(instrument.n_turns))
    group = ElementTree.SubElement(groups, "group")
    # The dynamics of a run that is told velocities are in the samples.
    own_dynamics = any(sample.softest is not None for sample in instrument.samples)
    group.set("ampVelTrack", "0" if own_dynamics else "1")
    group.set("pitchKeyTrack", "0" if instrument.is_kit else "1")
    for sample in instrument.samples:
        ElementTree.SubElement(group, "sample", _attributes(sample, instrument.n_turns))
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, "unicode")}\n'


def _attributes(sample, n_turns):
    """Attributes of Decent Sampler's `sample`."""
    zone, loop = sample.zone, sample.loop
    values = {"path": f"samples/{sample.path}", "rootNote": zone.key}
    values |= {"loNote": zone.keys[0], "hiNote": zone.keys[1]}
    values |= {"loVel": zone.velocities[0], "hiVel": zone.velocities[1]}
    if n_turns > 1:
        values["seqPosition"] = zone.turn + 1
    if loop is not None:
        values |= {"loopEnabled": "true", "loopStart": loop.start, "loopEnd": loop.end - 1}
    if zone.choke:
        values |= {"tags": zone.choke, "silencedByTags": zone.choke, "silencingMode": "fast"}
    return {name: str(value) for name, value in values.items()}
