"""The latent, and what else a trained generator is told, that come nearest to a given sound."""

import math
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from noisygan.generators.generator import GeneratorOutput
from noisygan.matching.descent import Unknown, descend
from noisygan.matching.distance import Objective
from noisygan.rendering.notes import DEFAULT_VELOCITY
from noisygan.rendering.synthesis import controls_of

FORMAT = "noisygan-code"
N_DRAWS = 1000
"""Latents drawn from the prior, for its mean and its range."""
N_TRIED = 16
"""Of them, how many are tried beside the mean before the descent."""

# How far a step goes: z, MIDI numbers, seconds, nepers.
_STRIDES = {"z": 0.1, "pitch": 0.005, "velocity": 2.0, "held_seconds": 0.02, "gain": 0.05}

# Controls that are as loud as they are large.
_LOUD = ("amplitudes", "magnitudes")


class Latent(NamedTuple):
    """What a generator is told to make a sound, with a gain behind it.

    Attributes:
      z: float32 [latent_dim].
      pitch: MIDI; 0 where the generator is not told any.
      velocity: 0 .. 127; 0 where it is not told any.
      label: Index.
      held_seconds: When the note is let go; 0 where this has no meaning.
      gain: Linear, of the generator's sound.
      noise_seed: int.
    """

    z: np.ndarray
    pitch: float
    velocity: float
    label: int
    held_seconds: float
    gain: float
    noise_seed: int

    def arrays(self, label_names=()):
        """The latent as entries of a NumPy archive, see docs/matching.md."""
        named = label_names[self.label] if self.label < len(label_names) else ""
        entries = {"format": FORMAT, "version": 1, "label_name": named, **self._asdict()}
        return {name: np.array(value) for name, value in entries.items()}


def render_latent(generator, latent, n_samples):
    """Sound of a latent at the generator's own rate, with a gradient to what is a tensor.

    Args:
      generator: By the generator contract.
      latent: Latent; float32 tensors may stand for z, pitch, velocity, held_seconds and gain.
      n_samples: Length; a raw-waveform generator must be able to make it.

    Returns:
      GeneratorOutput: audio float32 [1, n_samples] and controls, both with the gain.
    """
    rate = generator.sample_rate
    conditioning = {
        "pitch": tf.reshape(tf.cast(latent.pitch, tf.float32), [1]),
        "velocity": tf.reshape(tf.cast(latent.velocity, tf.float32), [1]),
        "label": tf.constant([latent.label], tf.int32),
    }
    z = tf.convert_to_tensor(latent.z, tf.float32)[None]
    gain = tf.cast(latent.gain, tf.float32)
    seconds = n_samples / rate
    if not draws_curves(generator):
        audio = generator(z, conditioning, seconds=seconds).audio
        return GeneratorOutput(audio[:, :n_samples] * gain, {})
    held = tf.reshape(tf.cast(latent.held_seconds, tf.float32), [1])
    controls = generator.get_controls(z, conditioning, seconds, held_seconds=held)
    controls = {
        name: value * gain if name.split("/")[-1] in _LOUD else value
        for name, value in controls.items()
    }
    controls["loudness_db"] += 20.0 / math.log(10.0) * tf.math.log(gain)
    covered = round(controls["loudness_db"].shape[1] * rate / generator.frame_rate)
    audio = generator.get_signal(controls, covered, rate, tf.constant([latent.noise_seed]))
    audio = tf.pad(audio, [[0, 0], [0, max(0, n_samples - covered)]])
    return GeneratorOutput(audio[:, :n_samples], controls)


def draws_curves(generator):
    """Whether a generator makes controls, and not samples."""
    return hasattr(generator, "get_controls")


def latent_controls(generator, latent, n_samples):
    """Controls of a latent's sound, ready to save (see `noisygan.rendering.synthesis`)."""
    output = render_latent(generator, latent, n_samples)
    return controls_of(generator, output, 0, generator.sample_rate, latent.noise_seed)


def start_latent(generator, audio, pitch=None, labels=(0,), seed=0):
    """The plain start: the mean of the prior, at the target's pitch and level, velocity 100.

    Args:
      generator: By the generator contract.
      audio: The target at the generator's rate, float32 [n_samples].
      pitch: MIDI, for a generator that is told one.
      labels: Indices to choose from: the one that comes nearest is taken.
      seed: Of the noise.

    Returns:
      Latent.
    """
    seconds = len(audio) / generator.sample_rate
    held = max(seconds - getattr(generator, "release_seconds", 0.0), 0.0)
    told = generator.condition_names
    plain = Latent(
        z=_draws(generator).mean(axis=0),
        pitch=pitch if "pitch" in told else 0.0,
        velocity=float(DEFAULT_VELOCITY) if "velocity" in told else 0.0,
        label=0,
        held_seconds=held if draws_curves(generator) else 0.0,
        gain=1.0,
        noise_seed=seed,
    )
    objective = Objective(audio, generator.sample_rate)
    latents = [_levelled(generator, plain._replace(label=label), audio) for label in labels]
    return min(latents, key=lambda latent: _cost(generator, latent, audio, objective))


def fit_latent(generator, start, audio, n_steps, progress=None):
    """The latent that comes nearest to a sound, by gradient descent through the generator.

    Beside z, which is kept within the range of a thousand draws from the prior, these are sought:
    pitch and velocity where the generator is told them (pitch not where it writes samples, and
    knows whole ones only), when the note is let go, and the gain. The descent begins at the best
    of the start and 16 draws from the prior.

    Args:
      generator: By the generator contract.
      start: Latent.
      audio: The target at the generator's rate, float32 [n_samples].
      n_steps: Steps of the descent.
      progress: As of `descent.descend`.

    Returns:
      (Latent, list of losses).
    """
    objective = Objective(audio, generator.sample_rate)
    draws = _draws(generator)
    tried = [start._replace(z=z) for z in draws[:N_TRIED]]
    tried = [start, *(_levelled(generator, latent, audio) for latent in tried)]
    begin = min(tried, key=lambda latent: _cost(generator, latent, audio, objective))
    low, high = draws.min(axis=0), draws.max(axis=0)
    sought = ["z", "gain"] + ["velocity"] * ("velocity" in generator.condition_names)
    if draws_curves(generator):
        sought += ["held_seconds"] + ["pitch"] * ("pitch" in generator.condition_names)
    values = {name: getattr(begin, name) for name in sought}
    values["gain"] = math.log(begin.gain)
    unknowns = {
        name: Unknown(np.asarray(value, np.float32), _STRIDES[name])
        for name, value in values.items()
    }

    def latent_of(values):
        own = dict(values)
        own["z"] = tf.clip_by_value(own["z"], low, high)
        own["gain"] = tf.exp(own["gain"])
        if "velocity" in own:
            own["velocity"] = tf.clip_by_value(own["velocity"], 1.0, 127.0)
        if "held_seconds" in own:
            own["held_seconds"] = tf.maximum(own["held_seconds"], 0.0)
        return begin._replace(**own)

    def loss(values):
        return objective(render_latent(generator, latent_of(values), len(audio)).audio)

    found, losses = descend(unknowns, loss, n_steps, progress)
    latent = latent_of(found)
    numbers = {name: float(getattr(latent, name)) for name in sought if name != "z"}
    return latent._replace(z=latent.z.numpy(), **numbers), losses


def _draws(generator):
    return generator.prior(N_DRAWS, seed=0).numpy()


def _levelled(generator, latent, audio):
    """A latent whose sound has the target's energy."""
    sound = render_latent(generator, latent, len(audio)).audio[0].numpy()
    energy = float(np.sum(np.float64(sound) ** 2))
    ratio = float(np.sum(np.float64(audio) ** 2)) / energy if energy > 1e-12 else 1.0
    return latent._replace(gain=latent.gain * math.sqrt(ratio))


def _cost(generator, latent, audio, objective):
    return float(objective(render_latent(generator, latent, len(audio)).audio))
