"""Differentiable-DSP hybrid synthesis: train, load, render and edit instruments.

The names below are imported when they are first used, so `import noisygan` is quick and does not
load TensorFlow.

Example:
  >>> import noisygan
  >>> run = noisygan.load("runs/flute")
  >>> run.render(pitch=[60, 64, 67]).save("notes")
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from noisygan.comparison.comparing import compare
    from noisygan.data.dataset import AudioDataset
    from noisygan.evaluation.evaluating import evaluate
    from noisygan.run import Notes, Run, load, synthesize, train
    from noisygan.training.trainer import Trainer

__version__ = "0.2.0"

_MODULES = {
    "AudioDataset": "noisygan.data.dataset",
    "Notes": "noisygan.run",
    "Run": "noisygan.run",
    "Trainer": "noisygan.training.trainer",
    "compare": "noisygan.comparison.comparing",
    "evaluate": "noisygan.evaluation.evaluating",
    "load": "noisygan.run",
    "synthesize": "noisygan.run",
    "train": "noisygan.run",
}

__all__ = [
    "AudioDataset",
    "Notes",
    "Run",
    "Trainer",
    "compare",
    "evaluate",
    "load",
    "synthesize",
    "train",
]


def __getattr__(name):
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__():
    return sorted({*globals(), *_MODULES})
