"""Train a config on recordings, and load what was trained."""

from __future__ import annotations

import contextlib
import pathlib
import re

from noisygan import config as gin_config
from noisygan.errors import NoisyganError, UsageError
from noisygan.training import checkpoints, run_files
from noisygan.training.cluster import this_cluster


def train(
    config,
    data,
    run_dir,
    overrides=(),
    seed=None,
    resume=False,
    deterministic=False,
    strategy="auto",
    command=(),
    **options,
) -> int:
    """Train a generator into a run folder and return its steps; arguments as of `noisygan.train`.

    Args:
      **options: minutes, steps, callbacks, early_stop, snapshot_minutes and progress, as of
        `noisygan.training.loop.fit`.
    """
    run_dir = pathlib.Path(run_dir)
    check_folder(run_dir, resume)
    if config is None and not resume:
        raise UsageError("config: got None, expected a .gin file, or resume=True for the run's own")
    from noisygan.training import loop  # TensorFlow

    threads, replicas = _devices(run_dir, resume, deterministic, strategy)
    metadata = run_files.read_metadata(run_dir) if resume else {"seed": seed or 0}
    if resume and seed not in (None, metadata["seed"]):
        raise UsageError(
            f"resume: seed {seed}, but the run was begun with seed {metadata['seed']}; leave "
            "seed out"
        )
    _load_config(config, overrides, run_dir if resume else None)
    trainer, data = build(data, replicas)
    if options.get("progress") and not resume and replicas.is_chief:
        options["progress"].message(data.table())
    if options.get("early_stop") and len(data) < 2:
        raise UsageError(
            f"early_stop: got {data.summary()}, expected two or more to measure a distance; give "
            "steps or minutes instead"
        )
    if resume and metadata["data"]["fingerprint"] != data.fingerprint:
        raise UsageError(
            f"resume: the recordings in {data.folder} ({data.summary()}) are not those of the "
            f"run ({metadata['data']['summary']}); give the same data, or begin another run"
        )
    # Before a folder is made: what does not fit leaves nothing behind.
    trainer.build(data, replicas.broadcast_from_chief(metadata["seed"]))
    if not resume and replicas.is_chief:
        text, n = gin_config.resolved_text(), replicas.n_replicas
        tags = [name for name in trainer.tags if name in trainer.generator.condition_names]
        run_files.create(run_dir, text, data, metadata["seed"], command, threads, n, tags)
    is_limited = any(map(options.get, ("minutes", "steps", "early_stop")))
    if options.get("progress") and replicas.is_chief and not is_limited:
        options["progress"].message("no limit given: Ctrl-C saves and stops")
    return loop.fit(trainer, data, run_dir, resume=resume, **options)


def check_folder(run_dir, resume):
    """Raise UsageError for a run folder that can't be begun or resumed; without TensorFlow."""
    if resume:
        run_files.check_resumable(run_dir)
    elif is_chief():  # The chief may have made it already.
        run_files.check_new(run_dir)


def is_chief():
    """True if this machine is alone, or leads those of TF_CONFIG."""
    cluster = this_cluster()
    return cluster is None or cluster.is_chief


def describe(config, data, overrides=(), strategy="auto") -> str:
    """Check that a config and data fit each other, by one step; tables of both."""
    from noisygan.training.distribution import connect

    replicas = connect(strategy, this_cluster())
    gin_config.parse(_files(config), overrides)
    trainer, data = build(data, replicas)
    return f"{data.table()}\n\n{trainer.describe(data)}"


def build(data=None, replicas=None):
    """Build what the loaded config describes.

    Args:
      data: Folder of recordings, an `AudioDataset`, or None.
      replicas: Of `noisygan.training.distribution.connect`; None: one device.

    Returns:
      (Trainer, AudioDataset), or (Trainer, Recordings) without data.

    Raises:
      UsageError: if something can't be built or read, or a binding is used by nothing.
    """
    from noisygan.data.dataset import AudioDataset, Recordings
    from noisygan.progress import CountedProgress
    from noisygan.training.trainer import Trainer

    with replicas.scope() if replicas else contextlib.nullcontext():
        trainer = gin_config.configured(Trainer)()
    trainer.replicas = replicas or trainer.replicas
    recordings = gin_config.configured(Recordings)()
    recordings.required = tuple(trainer.condition_names & {"pitch"})
    recordings.tags = list(dict.fromkeys((*recordings.tags, *trainer.tags)))
    gin_config.check_all_used()
    if data is None:
        return trainer, recordings
    if not isinstance(data, AudioDataset):
        with CountedProgress("reading", None) as count:
            data = recordings.read(data, progress=count)
    return trainer, data


def load_generator(run_dir, checkpoint, n_labels, pitches=(), tag_values=None):
    """Load the generator of a run with its averaged weights.

    Args:
      run_dir: Run folder.
      checkpoint: Prefix of a checkpoint or snapshot.
      n_labels, pitches, tag_values: As of `build_generator`.

    Returns:
      A built generator.

    Raises:
      UsageError: if the config builds none.
      RunError: if the checkpoint does not fit the config.
    """
    import tensorflow as tf

    from noisygan.training.build import build_generator
    from noisygan.training.trainer import Trainer

    gin_config.parse([pathlib.Path(run_dir) / "config.gin"])
    try:
        trainer = gin_config.configured(Trainer)()
        generator = trainer.generator
        build_generator(generator, n_labels, pitches, tag_values)
    except Exception as error:  # Whatever a network of odd sizes fails with.
        raise UsageError(f"{run_dir}/config.gin builds no generator: {_reason(error)}") from error
    averages = [tf.Variable(v.value, trainable=False) for v in generator.weights]
    step = tf.Variable(0, dtype=tf.int64, trainable=False)
    checkpoints.restore(tf.train.Checkpoint(ema=averages, step=step), checkpoint, partial=True)
    for variable, value in zip(generator.weights, averages, strict=True):
        variable.assign(value)
    trainer.plan.set_level(int(step))
    return generator


def _reason(error):
    """Message of an exception in one line, without what Keras adds around it."""
    text = re.sub(r"\x1b\[\d*m", "", str(error))
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if lines and lines[0].startswith("Exception encountered when calling"):
        lines = lines[1:]
    message = " ".join(lines[:1])[:300]
    if isinstance(error, NoisyganError) and message:
        return message
    return f"{type(error).__name__}: {message}".rstrip(": ")


def _files(config):
    return [config] if isinstance(config, (str, pathlib.Path)) else list(config)


def _devices(run_dir, resume, deterministic, strategy):
    """(threads of a deterministic run or None, replicas)."""
    from noisygan.training.determinism import make_deterministic
    from noisygan.training.distribution import connect

    known = run_files.read_metadata(run_dir) if resume else {}
    if resume and deterministic and not known["deterministic"]:
        raise UsageError(
            f"resume: {run_dir} was begun without deterministic; leave it out, or begin another run"
        )
    deterministic = deterministic or known.get("deterministic", False)
    threads = make_deterministic(known.get("threads")) if deterministic else None
    replicas = connect(strategy, this_cluster())
    if deterministic and replicas.n_replicas > 1:
        raise UsageError(
            f"deterministic: got {replicas.n_replicas} replicas, whose sums are rounded at "
            "random; expected one device: set CUDA_VISIBLE_DEVICES=0, or leave it out"
        )
    return threads, replicas


def _load_config(config, overrides, run_dir):
    """Load a config, or a run's own; a config given beside it must be the same."""
    if run_dir is None:
        gin_config.parse(_files(config), overrides)
        return
    own = [run_dir / "config.gin"]
    gin_config.parse(own)
    if not config and not overrides:
        return
    ours = gin_config.resolved_text()
    gin_config.parse(_files(config) if config else own, overrides)
    theirs = gin_config.resolved_text()
    if theirs != ours:
        changed = [line for line in theirs.splitlines() if line not in ours.splitlines()]
        example = f", e.g. {changed[0].strip()}" if changed else ""
        raise UsageError(
            f"resume: the config given differs from that of {run_dir}{example}; leave config "
            "and overrides out, or begin another run"
        )
