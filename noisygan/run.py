"""The Python API: load a trained run, render and edit notes, train and evaluate."""

from __future__ import annotations

import functools
import pathlib
from typing import TYPE_CHECKING

from noisygan.data.layouts import NO_LABEL

if TYPE_CHECKING:
    import keras


class Run:
    """A trained run: config, metadata, metrics and the generator with its averaged weights.

    `noisygan.load` makes one. The generator is loaded on first use; everything else is read from
    files without TensorFlow.

    Attributes:
      path: Folder of the run.
      config: Resolved gin config, text.
      metadata: dict, what run.json holds.
      checkpoint: Prefix of the checkpoint that is loaded; None: the newest good one.

    Example:
      >>> run = noisygan.load("runs/flute")
      >>> run.step, run.sample_rate, run.condition_names
      (5000, 16000, ('pitch', 'velocity'))
    """

    def __init__(self, path: str | pathlib.Path, checkpoint: str | None = None):
        """Reads the config and metadata of a run folder.

        Args:
          path: Run folder.
          checkpoint: Prefix of a checkpoint or snapshot; None: the newest good checkpoint.

        Raises:
          UsageError: if the folder holds no run or no checkpoint yet.
          RunError: if its files can't be read, or a newer version wrote them.
        """
        from noisygan import config
        from noisygan.training import checkpoints, run_files

        self.path = pathlib.Path(path)
        run_files.check_run(self.path)
        self.metadata = run_files.read_metadata(self.path)
        self.config = config.read(self.path / "config.gin")
        self.checkpoint = checkpoint
        checkpoints.check_saved(self.path)

    def __repr__(self) -> str:
        return f"<Run {str(self.path)!r}>"

    @property
    def name(self) -> str:
        """Name of the run folder."""
        return self.path.resolve().name

    @functools.cached_property
    def step(self) -> int:
        """Training steps behind the weights."""
        from noisygan.training import checkpoints

        return checkpoints.step_of(self.checkpoint or checkpoints.newest(self.path))

    @property
    def sample_rate(self) -> int:
        """Sample rate of the recordings, Hz."""
        return int(self.metadata.get("sample_rate") or self.generator.sample_rate)

    @property
    def seconds(self) -> float:
        """Length of a note in training, seconds."""
        n_samples = self.metadata.get("n_samples")
        return n_samples / self.sample_rate if n_samples else float(self.generator.seconds)

    @property
    def label_names(self) -> tuple[str, ...]:
        """Labels of the recordings, in order; empty if they have none."""
        names = tuple(self.metadata["label_names"])
        # One nameless label stands for recordings without any.
        return () if names == (NO_LABEL,) else names

    @property
    def pitches(self) -> tuple[int, ...]:
        """MIDI pitches of the recordings; empty if unknown."""
        return tuple(self.metadata.get("pitches", ()))

    @property
    def condition_names(self) -> tuple[str, ...]:
        """What the generator is conditioned on: "pitch", "velocity", "label"."""
        return tuple(self.generator.condition_names)

    @functools.cached_property
    def generator(self) -> keras.layers.Layer:
        """The generator with the averaged (EMA) weights, a differentiable Keras layer."""
        from noisygan.training.checkpoints import load_generator

        return load_generator(self.path, self.checkpoint)

    def metrics(self) -> list[dict]:
        """Read the training metrics: one dict per logged step, with "step" and "seconds"."""
        from noisygan.training import run_files

        return run_files.read_metrics(self.path)


def load(run_dir: str | pathlib.Path, checkpoint: str | None = None) -> Run:
    """Load a trained run.

    Args:
      run_dir: Run folder, as `noisygan.train` makes it.
      checkpoint: Prefix of a checkpoint or snapshot; None: the newest good checkpoint.

    Returns:
      Run.

    Raises:
      UsageError: if the folder holds no run or no checkpoint yet.
      RunError: if its files can't be read, or a newer version wrote them.

    Example:
      >>> run = noisygan.load("runs/flute")
      >>> notes = run.render(pitch=[60, 64, 67])
      >>> notes.save("notes")
    """
    return Run(run_dir, checkpoint)
