"""Latent fit: the z and conditioning of a trained generator that come nearest to a sound."""

import json
import math
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from noisygan.audio_io.controls import frames_to_samples
from noisygan.generators.generator import GeneratorOutput
from noisygan.matching.descent import Parameter, minimize
from noisygan.matching.distance import Objective
from noisygan.rendering.batches import tag_conditions
from noisygan.rendering.requests import DEFAULT_VELOCITY
from noisygan.rendering.synthesis import controls_row

FORMAT = "noisygan-code"
N_DRAWS = 1000
"""Samples of the prior that its mean and range are taken from."""
N_TRIED = 16
"""Samples of the prior that are tried beside the mean before the descent."""

_STRIDES = {"z": 0.1, "pitch": 0.005, "velocity": 2.0, "held_seconds": 0.02, "gain": 0.05}
_TAG_STRIDE = 0.02  # of the range of a tag
_LINEAR_LEVELS = ("amplitudes", "magnitudes")


class Latent(NamedTuple):
    """Input of a generator that makes a sound, and a gain behind it.

    Attributes:
      z: float32 [latent_dim].
      pitch: MIDI; 0 without a pitch condition.
      velocity: 0 .. 127; 0 without a velocity condition.
      label: Index.
      held_seconds: Time of the note-off; 0 for raw waveforms.
      gain: Linear, of the generator's sound.
      noise_seed: int.
      label_name: Name of the label, or "".
      tags: dict of name -> number or category.
    """

    z: np.ndarray
    pitch: float
    velocity: float
    label: int
    held_seconds: float
    gain: float
    noise_seed: int
    label_name: str = ""
    tags: dict = {}

    def arrays(self):
        """Entries of its file; see docs/matching.md."""
        entries = {"format": FORMAT, "version": 1, **self._asdict(), "tags": json.dumps(self.tags)}
        return {name: np.array(value) for name, value in entries.items()}


def render_latent(generator, latent, n_samples):
    """Render a latent at the generator's own rate, with a gradient to its tensors.

    Args:
      generator: By the generator contract.
      latent: Latent; z, pitch, velocity, held_seconds, gain and the numbers among the tags may be
        float32 tensors.
      n_samples: Length; at most that of a raw-waveform generator.

    Returns:
      GeneratorOutput: audio float32 [1, n_samples] and controls, both with the gain.
    """
    rate = generator.sample_rate
    fitted = {name: value for name, value in latent.tags.items() if tf.is_tensor(value)}
    fixed = {name: value for name, value in latent.tags.items() if name not in fitted}
    conditioning = {
        "pitch": tf.reshape(tf.cast(latent.pitch, tf.float32), [1]),
        "velocity": tf.reshape(tf.cast(latent.velocity, tf.float32), [1]),
        "label": tf.constant([latent.label], tf.int32),
        **tag_conditions([fixed], generator),
        **{name: tf.reshape(value, [1]) for name, value in fitted.items()},
    }
    z = tf.convert_to_tensor(latent.z, tf.float32)[None]
    gain = tf.cast(latent.gain, tf.float32)
    seconds = n_samples / rate
    if not generator.has_controls:
        audio = generator(z, conditioning, seconds=seconds).audio
        return GeneratorOutput(audio[:, :n_samples] * gain, {})
    held = tf.reshape(tf.cast(latent.held_seconds, tf.float32), [1])
    controls = generator.get_controls(z, conditioning, seconds, held_seconds=held)
    controls = {
        name: value * gain if name.split("/")[-1] in _LINEAR_LEVELS else value
        for name, value in controls.items()
    }
    controls["loudness_db"] += 20.0 / math.log(10.0) * tf.math.log(gain)
    n_frames = controls["loudness_db"].shape[1]
    covered = frames_to_samples(n_frames, generator.frame_rate, rate)
    audio = generator.get_signal(controls, covered, rate, tf.constant([latent.noise_seed]))
    audio = tf.pad(audio, [[0, 0], [0, max(0, n_samples - covered)]])
    return GeneratorOutput(audio[:, :n_samples], controls)


def latent_controls(generator, latent, n_samples):
    """Controls of a latent's sound, as `noisygan.audio_io.controls` saves them."""
    output = render_latent(generator, latent, n_samples)
    rate = generator.sample_rate
    return controls_row(generator, output.controls, 0, n_samples, rate, latent.noise_seed)


def start_latent(generator, audio, pitch=None, choices=((0, {}),), seed=0):
    """Latent that the descent starts at: the prior's mean at the target's level, velocity 100.

    Args:
      generator: By the generator contract.
      audio: Target at the generator's rate, float32 [n_samples].
      pitch: MIDI, for a generator with a pitch condition.
      choices: Pairs of a label's index and tags to choose the nearest from.
      seed: Of the noise.
    """
    held = 0.0
    if generator.has_controls:
        held = len(audio) / generator.sample_rate
        held -= 0.0 if generator.rings_out else min(generator.release_seconds, held)
    start = Latent(
        z=_prior_samples(generator).mean(axis=0),
        pitch=pitch if "pitch" in generator.condition_names else 0.0,
        velocity=float(DEFAULT_VELOCITY) if "velocity" in generator.condition_names else 0.0,
        label=0,
        held_seconds=held,
        gain=1.0,
        noise_seed=seed,
    )
    starts = [start._replace(label=label, tags=tags) for label, tags in choices]
    return _nearest(generator, starts, audio)


def fit_latent(generator, start, audio, n_steps, progress=None, tag_ranges=None):
    """Fit z, conditioning and gain to a sound by gradient descent through the generator.

    z stays within the range of a thousand samples of the prior. Velocity, numeric tags and, for
    hybrids, pitch and note-off are fitted too. The descent begins at the nearest of the start and
    16 samples of the prior.

    Args:
      generator: By the generator contract.
      start: Latent.
      audio: Target at the generator's rate, float32 [n_samples].
      n_steps, progress: As of `descent.minimize`.
      tag_ranges: dict of name -> (lowest, highest) of the tags that are fitted.

    Returns:
      (Latent, list of losses).
    """
    tag_ranges = tag_ranges or {}
    objective = Objective(audio, generator.sample_rate)
    draws = _prior_samples(generator)
    low, high = draws.min(axis=0), draws.max(axis=0)
    tried = [start._replace(z=z) for z in draws[:N_TRIED]]
    begin = _nearest(generator, tried, audio, objective, [start])
    names = ["z", "gain"] + ["velocity"] * ("velocity" in generator.condition_names)
    if generator.has_controls:
        names += ["held_seconds"] + ["pitch"] * ("pitch" in generator.condition_names)
    values = {name: getattr(begin, name) for name in names} | {"gain": math.log(begin.gain)}
    parameters = {
        name: Parameter(np.asarray(value, np.float32), _STRIDES[name])
        for name, value in values.items()
    }
    for name, (lowest, highest) in tag_ranges.items():
        start_value = np.float32(begin.tags[name])
        parameters[f"tag {name}"] = Parameter(start_value, _TAG_STRIDE * (highest - lowest))

    def latent_of(values):
        values = dict(values)
        tags = {
            name: tf.clip_by_value(values.pop(f"tag {name}"), *span)
            for name, span in tag_ranges.items()
        }
        values["tags"] = begin.tags | tags
        values["z"] = tf.clip_by_value(values["z"], low, high)
        values["gain"] = tf.exp(values["gain"])
        if "velocity" in values:
            values["velocity"] = tf.clip_by_value(values["velocity"], 1.0, 127.0)
        if "held_seconds" in values:
            values["held_seconds"] = tf.maximum(values["held_seconds"], 0.0)
        return begin._replace(**values)

    def loss(values):
        return objective(render_latent(generator, latent_of(values), len(audio)).audio)

    found, losses = minimize(parameters, loss, n_steps, progress)
    latent = latent_of(found)
    numbers = {name: float(getattr(latent, name)) for name in names if name != "z"}
    tags = latent.tags | {name: float(latent.tags[name]) for name in tag_ranges}
    return latent._replace(z=latent.z.numpy(), tags=tags, **numbers), losses


def _prior_samples(generator):
    return generator.prior(N_DRAWS, seed=0).numpy()


def _nearest(generator, latents, audio, objective=None, levelled=()):
    """The latent of the least loss, at the target's energy, which `levelled` ones have already."""
    objective = objective or Objective(audio, generator.sample_rate)
    candidates = [*levelled, *(_at_level(generator, latent, audio) for latent in latents)]
    if len(candidates) == 1:
        return candidates[0]

    def cost(latent):
        return float(objective(render_latent(generator, latent, len(audio)).audio))

    return min(candidates, key=cost)


def _at_level(generator, latent, audio):
    """The latent with the gain that gives its sound the target's energy."""
    sound = render_latent(generator, latent, len(audio)).audio[0].numpy()
    energy = float(np.sum(np.float64(sound) ** 2))
    ratio = float(np.sum(np.float64(audio) ** 2)) / energy if energy > 1e-12 else 1.0
    return latent._replace(gain=latent.gain * math.sqrt(ratio))
