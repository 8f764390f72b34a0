"""Interpolation between latents: notes along a path, and a sound that morphs while it lasts."""

import numpy as np

from noisygan.errors import UsageError
from noisygan.rendering.batches import conditioning, iterate
from noisygan.rendering.notes import Note, Notes
from noisygan.rendering.requests import note_seeds

# Controls that are heard in ratios and not in differences.
_IN_RATIOS = ("f0_hz", "amplitudes", "magnitudes", "frequencies", "decay_seconds")
_TINY = 1e-9


def linear(first, last, n):
    """n latents on the straight line between two, both included: float32 [n, latent_dim]."""
    share = np.linspace(0.0, 1.0, n, dtype=np.float32)[:, None]
    return (1.0 - share) * first + share * last


def spherical(first, last, n):
    """n latents on the arc between two, both included: float32 [n, latent_dim].

    Their lengths change linearly. Normally distributed latents lie near a sphere; half-way along
    the straight line between two there are none. Of parallel latents, the line.

    References:
      Shoemake 1985; White 2016, "Sampling generative networks".
    """
    a, b = np.linalg.norm(first), np.linalg.norm(last)
    angle = np.arccos(np.clip(np.dot(first, last) / max(a * b, 1e-30), -1.0, 1.0))
    if np.sin(angle) < 1e-4 or min(a, b) == 0.0:
        return linear(first, last, n)
    share = np.linspace(0.0, 1.0, n)[:, None]
    direction = np.sin((1.0 - share) * angle) * first / a + np.sin(share * angle) * last / b
    return (linear(a, b, n) * direction / np.sin(angle)).astype(np.float32)


PATHS = {"linear": linear, "spherical": spherical}


def ends(generator, numbers, seed):
    """z of numbered notes, float32 [n, latent_dim], as `render` draws them."""
    drawn = [generator.prior(1, seed=note_seeds(seed, number)[0]) for number in numbers]
    return np.concatenate([np.asarray(z) for z in drawn])


def steps(generator, z, request, seconds=None, sample_rate=None, seed=0):
    """Notes of latents [n, latent_dim] under the same conditions and with the same noise.

    Args:
      generator: Generator.
      z: float32 [n, latent_dim].
      request: `requests.Request`: pitch, velocity and label.
      seconds, sample_rate, seed: As of `batches.iterate`.
    """

    def render(stems):
        settings = {"noise_seed": note_seeds(seed, request.number)[1], "stems": stems}
        for each in z:  # one at a time: a note is the same whatever is beside it
            row = each[None]
            yield from iterate(generator, [request], seconds, sample_rate, seed, row, **settings)

    names = [f"step-{i:02d}" for i in range(len(z))]
    return Notes(names, sample_rate or generator.sample_rate, render)


def morph(generator, z, request, seconds=None, sample_rate=None, seed=0):
    """Notes of one sound whose latent moves along z linearly in time; arguments as of `steps`.

    Its curves are those of the latents, each at its moment; between two latents levels and
    frequencies are interpolated geometrically.

    Raises:
      UsageError: for a generator without curves: a raw waveform, or a struck voice.
    """
    import tensorflow as tf

    from noisygan.rendering.synthesis import controls_row

    if not generator.has_controls:
        raise UsageError("a morph needs curves, and this run's generator has none; use a hybrid")
    seconds = generator.seconds if seconds is None else seconds
    sample_rate = sample_rate or generator.sample_rate
    batch = conditioning([request] * len(z), generator)
    controls = generator.get_controls(tf.constant(z), batch, seconds)
    n_frames = controls["loudness_db"].shape[1]
    position = np.linspace(0.0, len(z) - 1.0, n_frames)
    before = np.minimum(position.astype(int), len(z) - 2)
    share = (position - before).astype(np.float32)[:, None]
    frames = np.arange(n_frames)
    merged = {}
    for name, value in controls.items():
        value = value.numpy()
        if name.startswith("reverb/"):
            merged[name] = value[:1]
            continue
        if value.ndim != 3:
            voice = name.split("/")[0]
            raise UsageError(f"a morph needs curves, and this run's {voice} voice is struck")
        a, b = value[before, frames], value[before + 1, frames]
        if name.endswith(_IN_RATIOS):
            a, b = np.maximum(a, _TINY), np.maximum(b, _TINY)
            merged[name] = (a ** (1.0 - share) * b**share)[None]
        else:
            merged[name] = ((1.0 - share) * a + share * b)[None]
    noise_seed = note_seeds(seed, request.number)[1]
    n_samples = round(seconds * sample_rate)
    row = controls_row(generator, merged, 0, n_samples, sample_rate, noise_seed)
    return Notes(["morph"], sample_rate, lambda stems: [Note(None, row)])
