"""What watches over a training: updates left out, alarms with their sounds, the quality curve."""

import json
import math
import shutil

import numpy as np

from noisygan.audio_io.audio_files import write_wav
from noisygan.errors import RunError
from noisygan.files import atomic_write
from noisygan.training.alarms import Alarms
from noisygan.training.checkpoints import Checkpoints
from noisygan.training.quality import Quality
from noisygan.training.runs import RunFolder

# A training whose gradients are not finite for so many steps on end is stopped.
MAX_NOT_FINITE = 20
# A step that is finite makes up for such a share of one that is not.
_RECOVERY = 0.1
# Of what a checkpoint says beside the weights: the curve of some million measurements.
_MAX_STATE_BYTES = 16 << 20
# Sounds that are kept of each kind of alarm.
_MAX_SOUNDS = 3


def read_state(text, elapsed=0.0):
    """What a checkpoint says of a training beside its weights.

    Args:
      text: str or bytes: JSON of the newest metrics by name and, as "guards", of `Guards.state`.
      elapsed: Seconds that it says the training has taken.

    Returns:
      (dict of floats, dict for `Guards.load` or None where the checkpoint is of an older version).

    Raises:
      ValueError: if it says something else; the message is one line.
    """
    if len(text) > _MAX_STATE_BYTES:
        raise ValueError(f"what it says of the training has more than {_MAX_STATE_BYTES >> 20} MB")
    if not 0.0 <= elapsed < math.inf:
        raise ValueError(f"it has taken {elapsed} s")
    try:
        newest = json.loads(text)
        state = newest.pop("guards", None)
        newest = {str(name): float(value) for name, value in newest.items()}
        return newest, None if state is None else _checked(state)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise ValueError(f"{type(error).__name__} in what it says of the training") from error
    except RecursionError:
        raise ValueError("what it says of the training is nested too deeply") from None


def _checked(state):
    """`state` with every number the kind that it should be; what it has beyond that is dropped."""
    alarms = state["alarms"]
    seconds, cost = state["measured"]
    return {
        "alarms": {
            "recent": [
                {str(name): float(value) for name, value in record.items()}
                for record in alarms["recent"]
            ],
            "silent_until": _counts(alarms["silent_until"]),
            "n": int(alarms["n"]),
            "n_alike": int(alarms["n_alike"]),
        },
        "curve": [[int(step), float(distance)] for step, distance in state["curve"]],
        "measured": [float(seconds), float(cost)],
        "skipped": {name: int(state["skipped"][name]) for name in ("d", "g")},
        "strain": float(state["strain"]),
        "sounds": _counts(state["sounds"]),
    }


def _counts(numbers):
    return {str(name): int(n) for name, n in numbers.items()}


class Guards:
    """Watches one training.

    Args:
      trainer: A built `Trainer`.
      notes: The `AudioDataset`.
      run: Its `RunFolder`.
      samples: `Samples` of the trainer.
      say: Tells the person, and the log.
    """

    def __init__(self, trainer, notes, run, samples, say):
        self.trainer = trainer
        self.run = run
        self.samples = samples
        self.sample_rate = notes.sample_rate
        self.say = say
        self.alarms = Alarms()
        self.quality = (trainer.quality or Quality()).begin(trainer, notes)
        # What is best, and when it is done, must not hang on the clock then.
        self.quality.saves_time = not run.facts.get("deterministic", False)
        self.skipped = {"d": 0, "g": 0}
        self.strain = 0.0
        self.n_sounds = {}

    def state(self):
        """Everything that a resumed run needs to go on alike, as JSON has it."""
        return {
            "alarms": self.alarms.state(),
            "curve": self.quality.curve.points,
            "measured": [self.quality.last_seconds, self.quality.cost_seconds],
            "skipped": self.skipped,
            "strain": self.strain,
            "sounds": self.n_sounds,
        }

    def load(self, state):
        """Takes up what `state` gave; None, of a run from before there were guards, is nothing."""
        if state is None:
            return
        self.alarms.load(state["alarms"])
        self.quality.curve.points = state["curve"]
        self.quality.last_seconds, self.quality.cost_seconds = state["measured"]
        self.skipped, self.strain, self.n_sounds = (
            state[name] for name in ("skipped", "strain", "sounds")
        )

    def check_finite(self, step, tensors):
        """Counts updates that were left out.

        Args:
          step: Steps taken.
          tensors: What the last one returned.

        Raises:
          RunError: if there are too many.
        """
        left_out = [name for name in self.skipped if not float(tensors[f"{name}_finite"]) > 0]
        left_out = [name for name in left_out if not self._is_probing(name, tensors)]
        for name in left_out:
            self.skipped[name] += 1
        if not left_out:
            self.strain = max(0.0, self.strain - _RECOVERY)
            return
        self.strain += 1.0
        n = sum(self.skipped.values())
        if self.strain >= MAX_NOT_FINITE:
            text = (
                f"Training stopped at step {step}: gradients were not finite for "
                f"{MAX_NOT_FINITE} steps on end, or too often ({n} updates left out). The "
                "checkpoint before it is kept. Try a tenth of the learning rates "
                "(Adam.learning_rate), or more R1.weight."
            )
            self.run.log(text)
            raise RunError(text)
        # Said at the first one, and whenever there are ten times as many.
        if len(str(n)) > len(str(n - len(left_out))) or n == len(left_out):
            self.say(
                f"step {step}: gradients were not finite; such updates are left out ({n} so far)"
            )

    def _is_probing(self, name, tensors):
        """Whether it was the scale of float16's losses that was too large, which then shrinks."""
        is_loss_finite = math.isfinite(float(tensors.get(f"{name}_loss", math.nan)))
        phase = getattr(self.trainer, f"{name}_phase")
        return is_loss_finite and phase.is_scale_searching

    @property
    def counts(self):
        """Numbers for the metrics."""
        return {f"{name}_skipped": float(n) for name, n in self.skipped.items()}

    def check_metrics(self, step, metrics):
        """Raises alarms after a further record of metrics, and keeps the sounds that show why."""
        self._raise(step, self.alarms.check(metrics), averaged=False)

    def _raise(self, step, alarms, averaged):
        for alarm in alarms:
            kept = self._keep_sound(step, alarm.name, averaged) if alarm.heard else None
            heard = "" if kept is None else f" Hear it: {kept}"
            self.say(f"step {step}: {alarm.text}{heard}")

    def _keep_sound(self, step, name, averaged):
        """Path of a file with the present sounds one after another, or None."""
        if self.n_sounds.get(name, 0) >= _MAX_SOUNDS:
            return None
        audio, _ = self.samples.render(averaged)
        if not np.isfinite(audio).all():
            return None
        self.n_sounds[name] = self.n_sounds.get(name, 0) + 1
        path = self.run.samples / f"alarm-{name}-step-{step:06d}.wav"
        path.unlink(missing_ok=True)
        write_wav(path, audio.reshape(-1), self.sample_rate)
        return path

    def measure(self, step, seconds):
        """Measures the sounds if it is time to, and keeps the best weights: dict of numbers."""
        numbers, is_best = self.quality.measured(step, seconds)
        if is_best:
            keep_best(self.run, self.trainer, step)
        if numbers:
            found = self.alarms.check_variety(numbers["sound_variety_percent"])
            self._raise(step, found, averaged=True)
        return numbers

    @property
    def is_done(self):
        """Whether the sounds have come no closer for long enough."""
        return self.quality.curve.is_done

    def conclude(self):
        """Says what the curve of quality looks like at the end."""
        curve = self.quality.curve
        self.say(f"quality: {curve.verdict()}")
        if curve.best is not None and curve.best[0] != curve.points[-1][0]:
            self.say(f"the best weights are kept as a run of their own: {self.run.path / 'best'}")


def keep_best(run, trainer, step):
    """Keeps the averaged weights in the run's folder `best`, the newest of its checkpoints.

    It is a run folder of its own: what renders, measures or exports runs takes it as one. It
    can't be trained further.

    Args:
      run: `RunFolder`.
      trainer: Its `Trainer`.
      step: Steps taken.
    """
    best = RunFolder(run.path / "best")
    best.checkpoints.mkdir(parents=True, exist_ok=True)
    with atomic_write(best.config, overwrite=True) as part:
        shutil.copyfile(run.config, part)
    facts = json.dumps(run.facts | {"averaged_only": True}, indent=2)
    with atomic_write(best.facts_file, overwrite=True) as part:
        part.write_text(facts + "\n")
    Checkpoints(best.checkpoints, {"ema": trainer.g_ema.averages, "step": trainer.g_ema.step}).save(
        step
    )
