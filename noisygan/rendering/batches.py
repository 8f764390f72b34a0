"""Render requests to notes, in batches of bounded size."""

from collections.abc import Iterator

import numpy as np

from noisygan.audio_io.controls import frames_to_samples
from noisygan.data import tagging
from noisygan.errors import UsageError
from noisygan.rendering.notes import Note, Notes, missing
from noisygan.rendering.requests import note_seeds

# Bounds the memory of one batch at any rate and length.
MAX_SAMPLES_PER_BATCH = 8 * 4 * 48000
_MAX_BATCH = 16


def render_requests(
    generator,
    requests,
    seconds=None,
    sample_rate=None,
    seed=0,
    audio=True,
    remarks=(),
    **settings,
):
    """Render requests to Notes with remarks, long ones block by block; others as of `iterate`."""
    sample_rate = sample_rate or generator.sample_rate
    n_samples = round((generator.seconds if seconds is None else seconds) * sample_rate)
    is_long = n_samples > MAX_SAMPLES_PER_BATCH and has_known_voices(generator)
    audio = audio and not is_long  # long notes are rendered block by block
    given = dict(seconds=seconds, sample_rate=sample_rate, seed=seed, audio=audio, **settings)

    def render(stems):
        return iterate(generator, requests, stems=stems, **given)

    return Notes([request.stem for request in requests], sample_rate, render, remarks)


def iterate(
    generator,
    requests,
    seconds=None,
    sample_rate=None,
    seed=0,
    z=None,
    noise_seed=None,
    gain=1.0,
    variation=1.0,
    stems=False,
    audio=True,
) -> Iterator[Note]:
    """Render requests one after the other, in batches of bounded size; yields Note.

    Args:
      generator: Generator, as of `noisygan.generators`.
      requests: list of Request.
      seconds: Length of each; None: the generator's own.
      sample_rate: Hz; None: the generator's own.
      seed: With a request's number decides z and the noise.
      z: float32 [n_requests, latent_dim] to use instead of the drawn ones.
      noise_seed: Noise seed of every note; None: by seed and number.
      gain: Linear gain of every note.
      variation: Factor on each drawn z.
      stems: Whether the stems are rendered too.
      audio: Whether audio is rendered at once; otherwise from the controls when it is used.

    Raises:
      UsageError: if audio is False and the generator has no controls.
    """
    import tensorflow as tf

    from noisygan.rendering.synthesis import controls_row

    sample_rate = sample_rate or generator.sample_rate
    n_samples = round((generator.seconds if seconds is None else seconds) * sample_rate)
    seeds = [note_seeds(seed, request.number) for request in requests]
    noise_seeds = [own if noise_seed is None else noise_seed for _, own in seeds]
    if not audio and not generator.has_controls:
        raise UsageError(missing("controls"))
    n_rows = max(1, min(_MAX_BATCH, MAX_SAMPLES_PER_BATCH // n_samples)) if audio else 1
    for start in range(0, len(requests), n_rows):
        rows = slice(start, start + n_rows)
        if z is None:
            drawn = [generator.prior(1, seed=s) for s, _ in seeds[rows]]
            batch_z = variation * tf.concat(drawn, axis=0)
        else:
            batch_z = tf.constant(z[rows], tf.float32)
        batch = conditioning(requests[rows], generator)
        noise = noise_seeds[rows]
        if audio:
            output = generator(
                batch_z, batch, seconds=seconds, sample_rate=sample_rate, seed=tf.constant(noise)
            )
            sounds, curves = output.audio.numpy(), output.controls
        else:
            sounds, curves = [None], generator.get_controls(batch_z, batch, seconds)
        parts = {}
        if stems and audio and curves:
            parts = _stems(generator, curves, n_samples, sample_rate, noise)
        curves = {name: np.asarray(value) for name, value in curves.items()}
        for row, sound in enumerate(sounds):
            controls = None
            if curves:
                controls = controls_row(generator, curves, row, n_samples, sample_rate, noise[row])
            own = {name: part[row] for name, part in parts.items()}
            yield Note(sound, controls, own).scaled(gain)


def conditioning(requests, generator):
    """Conditioning of a batch of requests: dict of tensors [batch]; bend [batch, n_points, 2]."""
    import tensorflow as tf

    batch = {
        "pitch": tf.constant([request.pitch for request in requests], tf.float32),
        "velocity": tf.constant([request.velocity for request in requests], tf.float32),
        "label": tf.constant([request.label for request in requests], tf.int32),
        **tag_conditions([request.tags for request in requests], generator),
    }
    if requests[0].held_seconds is not None:
        held = [request.held_seconds for request in requests]
        batch["held_seconds"] = tf.constant(held, tf.float32)
    if requests[0].bend:
        batch["bend"] = tf.constant([request.bend for request in requests], tf.float32)
    return batch


def tag_conditions(tags, generator):
    """Conditions of a batch's tags, a list of dicts: dict of float32 [batch]."""
    known = {name: generator.condition_encoder.tags[name] for name in tags[0]}
    return {
        name: tagging.to_numbers([each[name] for each in tags], values)
        for name, values in known.items()
    }


def _stems(generator, curves, n_samples, sample_rate, noise_seeds):
    """Stems of a batch, dict of float32 [batch, n_samples]."""
    import tensorflow as tf

    n_frames = curves["loudness_db"].shape[1]
    covered = frames_to_samples(n_frames, generator.frame_rate, sample_rate)
    parts = generator.get_stems(curves, covered, sample_rate, tf.constant(noise_seeds))
    behind = [(0, 0), (0, max(0, n_samples - covered))]
    return {name: np.pad(part.numpy()[:, :n_samples], behind) for name, part in parts.items()}


def has_known_voices(generator):
    """True for a hybrid of bundled voices, whose controls are enough to render it."""
    from noisygan.generators.wavetable_voice import BUNDLED_VOICES

    voices = generator.voices
    return bool(voices) and all(type(voice) in BUNDLED_VOICES for voice in voices)
