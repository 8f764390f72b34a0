"""From one sound of a run to another: codes between two, and a sound that changes on the way."""

import numpy as np

from noisygan.errors import UsageError
from noisygan.rendering import note_files, notes
from noisygan.rendering.synthesis import controls_row, render_in_blocks

# What is heard in ratios and not in differences.
_IN_RATIOS = ("f0_hz", "amplitudes", "magnitudes", "frequencies", "decay_seconds")
_TINY = 1e-9


def linear(first, last, n):
    """Codes on the straight line between two.

    Args:
      first, last: float32 [latent_dim].
      n: Number of codes, 2 or more, both ends among them.

    Returns:
      float32 [n, latent_dim].
    """
    share = np.linspace(0.0, 1.0, n, dtype=np.float32)[:, None]
    return (1.0 - share) * first + share * last


def spherical(first, last, n):
    """Codes on the arc between two; their lengths change evenly.

    Codes of a normal distribution lie near a sphere: half-way along the straight line between two
    is a place where none of them is.

    Args:
      first, last, n: As of `linear`.

    Returns:
      float32 [n, latent_dim]; the straight line where the two have one direction, or opposite ones.

    References:
      Shoemake 1985; White 2016, "Sampling generative networks".
    """
    lengths = np.linalg.norm(first), np.linalg.norm(last)
    if min(lengths) == 0.0:
        return linear(first, last, n)
    cosine = np.clip(np.dot(first / lengths[0], last / lengths[1]), -1.0, 1.0)
    angle = np.arccos(cosine)
    if np.sin(angle) < 1e-4:
        return linear(first, last, n)
    share = np.linspace(0.0, 1.0, n)[:, None]
    directions = (
        np.sin((1.0 - share) * angle) * first / lengths[0]
        + np.sin(share * angle) * last / lengths[1]
    ) / np.sin(angle)
    length = (1.0 - share) * lengths[0] + share * lengths[1]
    return (length * directions).astype(np.float32)


PATHS = {"linear": linear, "spherical": spherical}


def steps(generator, codes, request, seconds=None, sample_rate=None, seed=0):
    """The sounds of codes, each under the same conditions and with the same noise.

    Args:
      generator: By the generator contract.
      codes: float32 [n, latent_dim].
      request: `notes.Request` that says pitch, velocity and label.
      seconds, sample_rate, seed: As of `notes.render`.

    Yields:
      float32 [n_samples], one for each code.
    """
    for blocks in steps_in_blocks(generator, codes, request, seconds, sample_rate, seed):
        yield np.concatenate([sound for sound, _ in blocks])


def steps_in_blocks(generator, codes, request, seconds=None, sample_rate=None, seed=0):
    """The sounds of codes, in memory that does not grow with their length where that is long.

    Args:
      (all): As of `steps`.

    Yields:
      Blocks of each sound, one code after the other, as `note_files.write_blocks` takes them.
    """
    noise_seed = notes.note_seeds(seed, request.number)[1]
    seconds = generator.seconds if seconds is None else seconds
    sample_rate = sample_rate or generator.sample_rate
    n_samples = round(seconds * sample_rate)
    for code in codes:
        if note_files.is_long(generator, seconds, sample_rate):
            curves = generator.get_controls(code[None], _conditioning(request, 1), seconds)
            controls = controls_row(generator, curves, 0, n_samples, sample_rate, noise_seed)
            yield render_in_blocks(controls)
            continue
        output = generator(
            code[None],
            _conditioning(request, 1),
            seconds=seconds,
            sample_rate=sample_rate,
            seed=np.array([noise_seed], np.int32),
        )
        yield [(output.audio[0].numpy(), {})]


def morph(generator, codes, request, seconds=None, sample_rate=None, seed=0):
    """`morph_in_blocks`, joined: float32 [n_samples]."""
    blocks = morph_in_blocks(generator, codes, request, seconds, sample_rate, seed)
    return np.concatenate([sound for sound, _ in blocks])


def morph_in_blocks(generator, codes, request, seconds=None, sample_rate=None, seed=0):
    """One sound whose code moves along the codes while it lasts, evenly in time.

    Its curves are those of the codes, each for its moment; between two codes levels and
    frequencies go in ratios.

    Args:
      (all): As of `steps`; two codes or more.

    Returns:
      Blocks of the sound, as `note_files.write_blocks` takes them; many where it is long.

    Raises:
      UsageError: for a generator without curves: a raw waveform, or one that is struck.
    """
    import tensorflow as tf

    if not hasattr(generator, "get_controls"):
        raise UsageError(
            "a sound that changes on its way needs curves, and this run's generator writes samples "
            "directly; expected a hybrid"
        )
    seconds = generator.seconds if seconds is None else seconds
    sample_rate = sample_rate or generator.sample_rate
    n = len(codes)
    controls = generator.get_controls(tf.constant(codes), _conditioning(request, n), seconds)
    n_frames = controls["loudness_db"].shape[1]
    position = np.linspace(0.0, n - 1.0, n_frames)
    before = np.minimum(position.astype(int), n - 2)
    share = (position - before).astype(np.float32)[:, None]
    frames = np.arange(n_frames)
    merged = {}
    for name, value in controls.items():
        value = value.numpy()
        if name.startswith("reverb/"):
            merged[name] = value[:1]
            continue
        if value.ndim != 3:
            raise UsageError(
                f"a sound that changes on its way needs curves, and the {name.split('/')[0]} voice "
                "of this run is settled by the blow; expected a run of held notes"
            )
        a, b = value[before, frames], value[before + 1, frames]
        if name.endswith(_IN_RATIOS):
            a, b = np.maximum(a, _TINY), np.maximum(b, _TINY)
            merged[name] = (a ** (1.0 - share) * b**share)[None]
        else:
            merged[name] = ((1.0 - share) * a + share * b)[None]
    noise_seed = notes.note_seeds(seed, request.number)[1]
    n_samples = round(seconds * sample_rate)
    if note_files.is_long(generator, seconds, sample_rate):
        row = controls_row(generator, merged, 0, n_samples, sample_rate, noise_seed)
        return render_in_blocks(row)
    covered = round(n_frames * sample_rate / generator.frame_rate)
    merged = {name: tf.constant(value, tf.float32) for name, value in merged.items()}
    audio = generator.get_signal(merged, covered, sample_rate, tf.constant([noise_seed]))
    return [(audio[0, :n_samples].numpy(), {})]


def _conditioning(request, n):
    import tensorflow as tf

    return {
        "pitch": tf.fill([n], float(request.pitch)),
        "velocity": tf.fill([n], float(request.velocity)),
        "label": tf.fill([n], request.label),
    }
