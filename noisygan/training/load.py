"""The generator of a run, from its config and checkpoint."""

import pathlib
import re

import tensorflow as tf

from noisygan import config
from noisygan.errors import NoisyganError, UsageError
from noisygan.training import checkpoints, run_files
from noisygan.training.build import build_generator
from noisygan.training.trainer import Trainer


def load_generator(run_dir, checkpoint=None):
    """Load the generator of a run with its averaged weights.

    Damaged checkpoints are passed over, which is reported on stderr.

    Args:
      run_dir: Run folder.
      checkpoint: Prefix of a checkpoint or snapshot; None: the newest good checkpoint.

    Returns:
      A built generator; its attribute `label_names` lists the run's labels.

    Raises:
      UsageError: if the folder holds no run or no checkpoint.
      RunError: if no checkpoint is good, or it does not fit the config.
    """
    run_dir = pathlib.Path(run_dir)
    run_files.check_run(run_dir)
    metadata = run_files.read_metadata(run_dir)
    checkpoints.check_saved(run_dir)
    prefix = checkpoint or checkpoints.newest_good(run_dir)
    config.parse([run_dir / "config.gin"])
    try:
        trainer = config.configured(Trainer)()
        generator = trainer.generator
        build_generator(generator, len(metadata["label_names"]), metadata["pitches"])
    except Exception as error:  # Whatever a network of odd sizes fails with.
        raise UsageError(f"{run_dir}/config.gin builds no generator: {_reason(error)}") from error
    averages = [tf.Variable(v.value, trainable=False) for v in generator.weights]
    step = tf.Variable(0, dtype=tf.int64, trainable=False)
    checkpoints.restore(tf.train.Checkpoint(ema=averages, step=step), prefix, partial=True)
    for variable, value in zip(generator.weights, averages, strict=True):
        variable.assign(value)
    trainer.plan.set_level(int(step))
    generator.label_names = metadata["label_names"]
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
