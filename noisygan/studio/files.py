"""Files that the page downloads, made in memory, and the sound that it uploads to match."""

import io
import math
import pathlib
import tempfile
import zipfile

import numpy as np

from noisygan.audio_io.audio_files import wav_bytes
from noisygan.audio_io.sampler_formats import Sample, SampledInstrument, Zone, sfz_text
from noisygan.errors import UsageError
from noisygan.matching.target import read_target
from noisygan.rendering.instruments import find_note_loop, neighbouring
from noisygan.rendering.synthesis import controls_row
from noisygan.studio import requests

MAX_UPLOAD = 16 * 2**20
MATCH_SECONDS = 4.0
N_STEPS = 100
_LEAST_SECONDS = 0.25
MAX_PADS = 64

# Semitones between the samples of an instrument and around its middle, seconds of each.
_STEP, _RANGE, _SECONDS = 3, 12, 4.0


def wav(sound, subtype="PCM_16"):
    """WAV file of a `player.Sound`, bytes."""
    return wav_bytes(sound.audio, sound.sample_rate, subtype)


def controls(player, request, sound):
    """Controls file of a sound, as `noisygan synth` reads it, bytes."""
    n_samples, rate = len(sound.audio), request.sample_rate
    file = io.BytesIO()
    row = controls_row(player.generator, sound.controls, 0, n_samples, rate, request.seed)
    np.savez_compressed(file, **row)
    return file.getvalue()


def instrument(player, zones):
    """Small SFZ instrument with one sample per Zone of `instrument_zones`, zipped, bytes."""
    file, samples, rate = io.BytesIO(), [], player.sample_rate
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for zone in zones:
            sound, path = player.render(zone.request), f"{zone.key:03d}.wav"
            archive.writestr(f"samples/{path}", wav(sound, "PCM_24"))
            loop, rate = None, sound.sample_rate
            if not player.is_kit:
                loop = find_note_loop(player.generator, sound.audio, zone.request.seconds, rate)
            samples.append(Sample(zone, path, sound.audio, loop))
        made = SampledInstrument(player.name, samples, 1, player.is_kit, 0.2, rate)
        archive.writestr("instrument.sfz", sfz_text(made))
    return file.getvalue()


def instrument_zones(player, body):
    """Zones of an instrument: a sound every few keys around its pitch, or a kit's `pads`."""
    if player.is_kit:
        pads = body.get("pads")
        if not isinstance(pads, list) or not 1 <= len(pads) <= MAX_PADS:
            raise UsageError(f"pads: expected a list of 1 to {MAX_PADS} sounds")
        pads = [requests.parse(pad, player) for pad in pads]
        return [Zone(pad, key, (key, key), (1, 127), 0) for key, pad in _keys_of_pads(player, pads)]
    middle = round(requests.parse(body, player).pitch)
    keys = range(middle - _RANGE, middle + _RANGE + 1, _STEP)
    keys = [key for key in keys if 12 <= key <= 108]
    asked = [body | {"pitch": key, "seconds": _SECONDS} for key in keys]
    return [
        Zone(requests.parse(each, player), key, span, (1, 127), 0)
        for each, key, span in zip(asked, keys, neighbouring(keys, 0, 127), strict=True)
    ]


def _keys_of_pads(player, pads):
    """(key, pad) of a kit: the pads of a class share its keys, further ones get free keys."""
    own = dict(enumerate(player.facts()["keys"]))
    taken = {key for keys in own.values() for key in keys}
    free = iter([key for key in (*range(36, 128), *range(36)) if key not in taken])
    found = []
    for label in dict.fromkeys(pad.label for pad in pads):
        alike = [pad for pad in pads if pad.label == label]
        keys = own.get(label, [])
        found += [(key, alike[i % len(alike)]) for i, key in enumerate(keys)]
        found += [(next(free), pad) for pad in alike[len(keys) :]]
    return found


def match(player, data, report):
    """Find the request that makes a run sound like an uploaded sound.

    Args:
      player: `player.Player` of the run.
      data: Bytes of an audio file, of which the first MATCH_SECONDS are matched.
      report: Called with the share that is done, 0 .. 1.

    Returns:
      dict for the page: `z`, `seed`, `label`, `tags`, `edits` (a gain), `pitch`, `velocity` and
      `seconds` if the run has them, `remarks`, and the log-spectral distances `start_db` and
      `distance_db`.

    Raises:
      UsageError: if the sound can't be read or matched.
    """
    with tempfile.TemporaryDirectory(prefix="noisygan-") as folder:
        path = pathlib.Path(folder) / "sound"
        path.write_bytes(data)
        try:
            target = read_target(path)
            from noisygan.matching.matching import match_run

            n_samples = round(MATCH_SECONDS * target.sample_rate)
            target = target._replace(audio=target.audio[:n_samples])
            settings = {"n_steps": N_STEPS, "progress": lambda done: report(done / N_STEPS)}
            found = match_run(player.run, target, **settings)
        except UsageError as error:
            raise UsageError(str(error).replace(str(path), "this sound")) from error
    latent = found.latent
    out = {
        "z": [round(float(value), 5) for value in latent.z],
        "seed": int(latent.noise_seed),
        "label": int(latent.label),
        "tags": latent.tags,
        "edits": {},
        "remarks": list(found.remarks),
        "start_db": round(float(found.start_db), 2),
        "distance_db": round(float(found.distance_db), 2),
    }
    if player.has_curves and latent.gain > 0:
        most = requests.EDITS["loudness_db"]
        gain_db = min(max(20.0 * math.log10(latent.gain), -most), most)
        out["edits"] = {"loudness_db": [round(gain_db, 3)]}
    for name in {"pitch", "velocity"} & {*player.run.condition_names}:
        out[name] = round(float(getattr(latent, name)), 3)
    if player.has_curves and player.has_length:
        generator = player.generator
        release = 0.0 if generator.rings_out else generator.release_seconds
        seconds = latent.held_seconds + release
        out["seconds"] = round(min(max(seconds, _LEAST_SECONDS), requests.MAX_SECONDS), 3)
    return out
