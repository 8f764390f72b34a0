"""Files that the page offers to keep: sounds, controls and small instruments, made in memory."""

import io
import zipfile

import numpy as np
import soundfile

from noisygan.audio_io import audio_files
from noisygan.errors import UsageError
from noisygan.studio import asking

_INSTRUMENT_STEP = 3
_INSTRUMENT_RANGE = 12
_INSTRUMENT_SECONDS = 4.0


def wav(sound, subtype="PCM_16"):
    """A WAV file of a `playing.Sound`, bytes."""
    file = io.BytesIO()
    audio = sound.audio
    if subtype.startswith("PCM"):
        audio = audio_files.quantize(audio, subtype)
    soundfile.write(file, audio, sound.sample_rate, subtype=subtype, format="WAV")
    return file.getvalue()


def controls(run, ask, sound):
    """A controls file of a sound (as `noisygan synth` reads it), bytes."""
    from noisygan.rendering.synthesis import controls_row

    n_samples = len(sound.audio)
    own = controls_row(*(run.generator, sound.controls, 0, n_samples, ask.sample_rate, ask.seed))
    file = io.BytesIO()
    np.savez_compressed(file, **own)
    return file.getvalue()


def instrument(run, asks):
    """A small SFZ instrument, one sample a sound, zipped: bytes.

    Args:
      run: `noisygan.studio.playing.PlayableRun`.
      asks: The sounds, as `instrument_asks` gives them: list of (key, low key, high key, Ask).
    """
    file = io.BytesIO()
    lines = ["<control>", "default_path=samples/", "", "<group>", "ampeg_release=0.2"]
    if run.is_kit:
        lines += ["loop_mode=one_shot"]
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for key, low, high, ask in asks:
            archive.writestr(f"samples/{key:03d}.wav", wav(run.sound(ask), "PCM_24"))
            lines.append(
                f"<region> sample={key:03d}.wav pitch_keycenter={key} lokey={low} hikey={high}"
            )
        archive.writestr("instrument.sfz", "\n".join(lines) + "\n")
    return file.getvalue()


def instrument_asks(run, body):
    """The sounds of an instrument: the asked one every few keys around its pitch, or a kit's pads.

    Args:
      run: `noisygan.studio.playing.PlayableRun`.
      body: As `asking.parse` takes it; for a kit a dict with `pads`, a list of such.

    Returns:
      list of (key, low key, high key, Ask).

    Raises:
      UsageError: as `asking.parse`.
    """
    if run.is_kit:
        pads = body.get("pads") if isinstance(body, dict) else None
        if not isinstance(pads, list) or not 1 <= len(pads) <= 16:
            raise UsageError("pads: expected a list of 1 to 16 sounds")
        return [(36 + i, 36 + i, 36 + i, asking.parse(pad, run)) for i, pad in enumerate(pads)]
    ask = asking.parse(body, run)
    middle = round(ask.pitch)
    keys = range(middle - _INSTRUMENT_RANGE, middle + _INSTRUMENT_RANGE + 1, _INSTRUMENT_STEP)
    keys = [key for key in keys if 12 <= key <= 108]
    out = []
    for key in keys:
        low = 0 if key == keys[0] else key - _INSTRUMENT_STEP // 2
        high = 127 if key == keys[-1] else key + _INSTRUMENT_STEP // 2
        own = asking.parse(body | {"pitch": key, "seconds": _INSTRUMENT_SECONDS}, run)
        out.append((key, low, high, own))
    return out
