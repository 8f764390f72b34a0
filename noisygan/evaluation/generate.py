"""Generated examples: from a trained or untrained generator, a folder, or noise."""

from __future__ import annotations

import pathlib

import numpy as np

from noisygan.audio_io import decoding
from noisygan.data.dataset import Recordings
from noisygan.data.source_files import Entry
from noisygan.errors import RunError, UsageError
from noisygan.evaluation.examples import Examples


def recordings_of(run):
    """`Recordings` of a run's config, which raise the level as for its training."""
    from noisygan import config

    config.parse([run.path / "config.gin"])
    recordings = config.configured(Recordings)()
    recordings.required = tuple({"pitch"} & set(run.condition_names))
    recordings.tags = [*run.tag_values]
    recordings.gain = run.metadata["data"].get("gain")
    return recordings


def generate(run, like, n, seed=0, recordings=None, generator=None, progress=None):
    """Generate examples under the conditions of recordings.

    Args:
      run: Run.
      like: Examples; the conditions of each are used about equally often.
      n: int.
      seed: Of the latents.
      recordings: `Recordings` whose fade-out the examples get; None: the run's own.
      generator: In place of the run's, such as `untrained_generator(run)`.
      progress: Called with the number of examples so far, or None.

    Returns:
      Examples, with the conditions that the generator takes.

    Raises:
      UsageError: if the generator takes pitches that the recordings do not have.
      RunError: if it generates another sample rate or length.
    """
    from noisygan.rendering.batches import iterate

    generator = generator or run.generator
    names = generator.condition_names
    rows = balanced_rows(len(like), n)
    requests = requests_like(run, generator, like, rows)
    fit = fitter(run, like, recordings)
    audio = []
    for note in iterate(generator, requests, seconds_for(generator, like), seed=seed):
        audio.append(fit(note.audio))
        if progress:
            progress(len(audio))
    n_samples = like.audio.shape[1]
    if len(audio[0]) != n_samples or generator.sample_rate != like.sample_rate:
        raise RunError(
            f"{run.path} generates {len(audio[0])} samples at {generator.sample_rate} Hz; the "
            f"recordings have {n_samples} at {like.sample_rate} Hz"
        )
    one_class = len(set(like.labels.tolist())) == 1
    return Examples(
        np.stack(audio),
        like.sample_rate,
        like.pitch[rows] if "pitch" in names else None,
        like.labels[rows] if "label" in names or one_class else None,
        [f"{i:04d}-{request.stem}" for i, request in enumerate(requests)],
        like.velocity[rows] if "velocity" in names else None,
        rows,
        None if like.held_seconds is None else like.held_seconds[rows],
    )


def balanced_rows(n_there, n):
    """n of n_there rows, each equally often, in a fixed order."""
    order = np.random.default_rng(0).permutation(n_there)
    return np.concatenate([order] * -(-n // n_there))[:n]


def requests_like(run, generator, like, rows):
    """Requests for notes under the conditions of some rows of Examples."""
    from noisygan.rendering import requests

    if "pitch" in generator.condition_names and not like.has_pitch:
        raise UsageError(
            f"{run.path} is conditioned on pitch, which the recordings do not have; expected names "
            "like flute-060-100.wav"
        )
    entries = [
        Entry(
            like.names[i],
            pathlib.Path(like.names[i]),
            label=str(like.labels[i]) or None,
            pitch=None if np.isnan(like.pitch[i]) else float(like.pitch[i]),
            velocity=None if np.isnan(like.velocity[i]) else float(like.velocity[i]),
            held_seconds=None if like.held_seconds is None else float(like.held_seconds[i]),
            tags={name: values[i].item() for name, values in like.tags.items()},
        )
        for i in rows
    ]
    found = requests.requests_like(run, entries)
    if len(found) < len(entries):
        n_left = len(entries) - len(found)
        raise UsageError(
            f"{n_left} of {len(entries)} recordings have labels or tags that {run.path} does not "
            "know; expected those that it was trained on"
        )
    return found


def fitter(run, like, recordings=None):
    """A function that cuts and fades audio to the length of recordings."""
    own = recordings_of(run).fade_out_seconds
    fade = own if recordings is None else recordings.fade_out_seconds
    # A generator reproduces the fade of its training recordings.
    n_fade = 0 if fade in (None, own) else round(fade * like.sample_rate)
    n_samples = like.audio.shape[1]
    return lambda audio: decoding.shape(audio[:n_samples], n_fade_out=n_fade)


def seconds_for(generator, like):
    """Length to render: the generator's own if it is longer, so that note-offs stay in place."""
    wanted = like.audio.shape[1] / like.sample_rate
    return wanted if generator.seconds < wanted else None


def untrained_generator(run):
    """The generator of a run with its initial weights."""
    from noisygan import config
    from noisygan.training.build import build_generator, seed_initializers
    from noisygan.training.trainer import Trainer

    config.parse([run.path / "config.gin"])
    trainer = config.configured(Trainer)()
    seed_initializers([trainer.generator, trainer.discriminator], run.metadata["seed"])
    labels, pitches = run.metadata["label_names"], run.metadata["pitches"]
    build_generator(trainer.generator, len(labels), pitches, run.tag_values)
    trainer.plan.set_level(None)
    return trainer.generator


def some_examples(dataset, n):
    """Up to n `Examples` of an `AudioDataset`, sampled with a fixed seed."""
    rows = balanced_rows(len(dataset), min(n, len(dataset)))
    return Examples.from_dataset(dataset, np.sort(rows))


def noise_like(examples, n, seed=0):
    """White noise at the levels of recordings: the ceiling if there is no generator."""
    rows = balanced_rows(len(examples), n)
    level = np.sqrt((examples.audio**2).mean(1))[rows, None]
    shape = (n, examples.audio.shape[1])
    audio = level * np.random.default_rng(seed).standard_normal(shape, np.float32)
    return Examples(
        np.clip(audio, -1.0, 1.0), examples.sample_rate, examples.pitch[rows], examples.labels[rows]
    )
