"""A sound that is given, and what a run has to be asked to come near it."""

import math
import pathlib
import tempfile

from noisygan.errors import UsageError
from noisygan.studio import asking

MAX_UPLOAD = 16 * 2**20
MAX_SECONDS = 4.0
N_STEPS = 100
_LEAST_SECONDS = 0.25


def matched(run, data, report):
    """What to ask of a run so that it sounds like a given sound.

    Args:
      run: `noisygan.studio.playing.PlayableRun`.
      data: Bytes of an audio file; of its sound the first MAX_SECONDS.
      report: Called with the share that is done, 0 .. 1.

    Returns:
      dict for the page: `z`, `seed`, `label`, `edits` (a gain), `pitch`, `velocity` and `seconds`
      where the run has them, `remarks`, and `start_db` and `distance_db`, the log-spectral
      distances of the plain start and of what was found.

    Raises:
      UsageError: if the sound can't be read or matched.
    """
    from noisygan.matching.target import read_target

    with tempfile.TemporaryDirectory(prefix="noisygan-") as folder:
        path = pathlib.Path(folder) / "sound"
        path.write_bytes(data)
        try:
            target = read_target(path)
            from noisygan.matching.matching import match_run

            n_kept = round(MAX_SECONDS * target.sample_rate)
            target = target._replace(audio=target.audio[:n_kept])
            found = match_run(
                target, run.generator, n_steps=N_STEPS, progress=lambda done: report(done / N_STEPS)
            )
        except UsageError as error:
            raise UsageError(str(error).replace(str(path), "this sound")) from error
    return answer(run, found)


def answer(run, match):
    """A `noisygan.matching.matching.Match` as `matched` returns it."""
    latent = match.latent
    out = {
        "z": [round(float(value), 5) for value in latent.z],
        "seed": int(latent.noise_seed),
        "label": int(latent.label),
        "edits": {},
        "remarks": list(match.remarks),
        "start_db": round(float(match.start_db), 2),
        "distance_db": round(float(match.distance_db), 2),
    }
    if run.has_curves and latent.gain > 0:
        most = asking.EDITS["loudness_db"]
        gain_db = min(max(20.0 * math.log10(latent.gain), -most), most)
        out["edits"] = {"loudness_db": [round(gain_db, 3)]}
    if "pitch" in run.instrument.condition_names:
        out["pitch"] = round(float(latent.pitch), 3)
    if "velocity" in run.instrument.condition_names:
        out["velocity"] = round(float(latent.velocity), 2)
    if run.has_curves and run.has_length:
        seconds = latent.held_seconds + run.generator.release_seconds
        out["seconds"] = round(min(max(seconds, _LEAST_SECONDS), asking.MAX_SECONDS), 3)
    return out
