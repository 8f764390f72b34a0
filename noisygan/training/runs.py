"""A run's folder: what a training leaves behind, and how it is taken up again.

config.gin       the resolved config
run.json         versions, machine, git state, command, seed, fingerprint of the recordings
log.txt          what was said
metrics.jsonl    a line of numbers every few steps
checkpoints/     the state of the run, with checksums
snapshots/       averaged weights of the generator at equal intervals of time, where asked for
samples/         step-000123-<i>.wav: the same codes at growing steps
best/            the averaged weights that came nearest to the recordings, a run folder of its own
events/          summaries for TensorBoard
"""

import datetime
import json
import math
import pathlib
import re
import sys

from noisygan.errors import RunError, UsageError, printable
from noisygan.files import atomic_write
from noisygan.training import checkpoints, run_files
from noisygan.training.environment import environment, git_state, versions, without_home


class RunFolder:
    """A run's folder. `create` makes one, `open` takes one that is there."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.config = self.path / "config.gin"
        self.facts_file = self.path / "run.json"
        self.log_file = self.path / "log.txt"
        self.metrics_file = self.path / "metrics.jsonl"
        self.checkpoints = self.path / "checkpoints"
        self.snapshots = self.path / "snapshots"
        self.samples = self.path / "samples"
        self.events = self.path / "events"

    @classmethod
    def create(cls, path, config_text, command, notes, seed, deterministic=False, replicas=1):
        """A new run's folder.

        Args:
          path: Where; must be empty or not there.
          config_text: The resolved config.
          command: The command line, a list of str.
          notes: The `AudioDataset` that is trained on.
          seed: int.
          deterministic: Whether the run gives the same bits each time.
          replicas: Among how many its batches are divided.

        Raises:
          UsageError: if the folder already holds something, or can't be written.
        """
        run = cls(path)
        if run.config.exists() or run.facts_file.exists():
            raise UsageError(
                f"{path} already holds a run; add --resume to go on with it, or name another "
                "folder."
            )
        if run.path.exists() and (not run.path.is_dir() or any(run.path.iterdir())):
            raise UsageError(f"{path} is not an empty folder; name one that is empty or new.")
        from noisygan import __version__

        facts = {
            "format": run_files.FORMAT,
            "noisygan": __version__,
            "versions": versions(),
            "environment": environment(),
            "git": git_state(),
            "command": without_home(command),
            "started": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
            "seed": seed,
            "deterministic": deterministic,
            "replicas": replicas,
            "data": {
                "folder": pathlib.Path(notes.folder).name,
                "fingerprint": notes.fingerprint,
                "n_recordings": len(notes),
                "summary": notes.summary().rsplit(", from ", 1)[0],
            },
            "label_names": list(notes.label_names),
            "pitches": sorted({int(p) for p in notes.pitch if not math.isnan(p)}),
            "sample_rate": notes.sample_rate,
            "n_samples": notes.n_samples,
        }
        try:
            for folder in (run.path, run.checkpoints, run.samples, run.events):
                folder.mkdir(parents=True, exist_ok=True)
            _write(run.config, config_text)
            _write(run.facts_file, json.dumps(facts, indent=2) + "\n")
        except OSError as error:
            raise UsageError(
                f"The run folder {path} can't be written ({error.strerror}); name one that can."
            ) from error
        return run

    @classmethod
    def open(cls, path):
        """The folder of a run that was begun.

        Raises:
          UsageError: if there is none.
        """
        run = cls(path)
        if not run.config.is_file() or not run.facts_file.is_file():
            there = "is not there" if not run.path.exists() else "holds no run"
            raise UsageError(
                f"{path} {there}; a run folder holds config.gin and run.json, as "
                "'noisygan train --run_dir DIR' makes it."
            )
        run_files.check_links(run.path)
        return run

    @property
    def facts(self):
        """What run.json holds.

        Raises:
          RunError: if it can't be read, holds what can't be, or a newer version wrote it.
        """
        facts = run_files.read_facts(self.facts_file)
        if facts["format"] > run_files.FORMAT:
            raise RunError(
                f"{self.facts_file} has format {facts['format']} and this noisygan knows "
                f"{run_files.FORMAT} at most; use noisygan {facts.get('noisygan')}, which wrote "
                "it, or a newer one."
            )
        return facts

    def check_whole(self, asked):
        """Raises UsageError where there are averaged weights alone, which `asked` can't go on with.

        Args:
          asked: What was asked for, such as "--resume".
        """
        if self.facts.get("averaged_only"):
            raise UsageError(
                f"{asked}: {self.path} holds averaged weights alone, which can't be trained "
                f"further; take {self.path.parent}"
            )

    @property
    def data(self):
        """What run.json tells of the recordings: fingerprint and summary among it.

        Raises:
          RunError: if it doesn't tell them.
        """
        data = self.facts.get("data", {})
        if not {"fingerprint", "summary"} <= set(data):
            raise RunError(
                f"{self.facts_file} doesn't tell the recordings' fingerprint and summary; "
                "expected it as `noisygan train` writes it"
            )
        return data

    @property
    def has_checkpoint(self):
        """Whether one was saved, be it a good one or not; told without TensorFlow."""
        return bool(checkpoints.steps(self.checkpoints))

    @property
    def without_checkpoint(self):
        """What is said where there is none."""
        return (
            f"{self.path} holds no checkpoint yet; train it further with 'noisygan train "
            f"--run_dir {self.path} --data DIR --resume'."
        )

    def latest_checkpoint(self, say=lambda text: None):
        """Prefix of the newest good checkpoint, or None; see `checkpoints.newest`."""
        return checkpoints.newest(self.checkpoints, say)

    @property
    def step(self):
        """Of the newest good checkpoint; there must be one."""
        return checkpoints.step_of(self.latest_checkpoint())

    def keep_snapshot(self, trainer, step, seconds):
        """Keeps the averaged weights that the generator has after so many steps and seconds."""
        import tensorflow as tf

        state = tf.train.Checkpoint(ema=trainer.g_ema.averages, step=trainer.g_ema.step)
        self.snapshots.mkdir(exist_ok=True)
        checkpoints.write(state, self.snapshots / f"seconds-{round(seconds):06d}-step-{step}")

    def snapshot_prefixes(self):
        """Snapshots by the seconds of training, in order: dict of int -> prefix."""
        return {seconds: prefix for (seconds, _), prefix in sorted(self._snapshots().items())}

    def _snapshots(self):
        """All of them: dict of (seconds, step) -> prefix."""
        found = self.snapshots.glob("seconds-*-step-*.index")
        named = {path: re.fullmatch(r"seconds-(\d+)-step-(\d+)", path.stem) for path in found}
        return {(int(m[1]), int(m[2])): str(path.with_suffix("")) for path, m in named.items() if m}

    @property
    def seconds(self):
        """How long the run has been trained by the last of its metrics to tell; None: none does."""
        told = [line["seconds"] for line in self.read_metrics() if "seconds" in line]
        return float(told[-1]) if told else None

    def log(self, text):
        """Adds a line to log.txt."""
        now = datetime.datetime.now().isoformat(timespec="seconds")
        with self.log_file.open("a") as file:
            file.write(f"{now} {text}\n")

    def teller(self, progress):
        """A function that says a line of text to the person who watches, and keeps it."""

        def say(text):
            self.log(text)
            progress.message(text)

        return say

    def tell(self, text):
        """Says a line about this folder to a person who only reads it."""
        print(printable(f"{self.path}: {text}"), file=sys.stderr)

    def read_metrics(self):
        """The lines of metrics.jsonl as dicts; what is unfinished or damaged is left out."""
        return run_files.read_metrics(self.metrics_file) if self.metrics_file.exists() else []

    def keep_metrics_before(self, step):
        """Drops the lines behind a step, which a resumed run will write again."""
        there = self.metrics_file.exists()
        records = run_files.each_record(self.metrics_file) if there else []
        with atomic_write(self.metrics_file, overwrite=True) as part, part.open("w") as file:
            file.writelines(json.dumps(r) + "\n" for r in records if r["step"] <= step)

    def drop_states_after(self, step):
        """Drops the best weights and snapshots of later steps: the run goes on from before them."""
        checkpoints.drop_after(self.path / "best" / "checkpoints", step)
        for (_, kept_at), prefix in self._snapshots().items():
            if kept_at > step:
                checkpoints.remove(pathlib.Path(prefix))

    def write_metrics(self, record):
        """Adds a line to metrics.jsonl."""
        with self.metrics_file.open("a") as file:
            file.write(json.dumps(record) + "\n")


def load_generator(run_dir, prefix=None):
    """The generator of a run, with its averaged weights.

    Checkpoints that are damaged are passed over, which is said on stderr.

    Args:
      run_dir: A run folder with a checkpoint.
      prefix: Of one of its snapshots; None: the newest checkpoint.

    Returns:
      A generator; its attribute `label_names` lists the run's labels.

    Raises:
      UsageError: if the folder holds no run or no checkpoint yet.
      RunError: if no checkpoint is whole, or it does not fit the folder's config.
    """
    import tensorflow as tf

    from noisygan import config
    from noisygan.training.trainer import Trainer, build_generator

    run = RunFolder.open(run_dir)
    facts = run.facts
    prefix = prefix or run.latest_checkpoint(run.tell)
    if prefix is None:
        raise UsageError(run.without_checkpoint)
    config.parse([run.config])
    with run_files.building(run.config):
        trainer = config.configured(Trainer)()
        generator = trainer.generator
        build_generator(generator, len(facts["label_names"]))
    averaged = [tf.Variable(v.value, trainable=False) for v in generator.weights]
    step = tf.Variable(0, dtype=tf.int64, trainable=False)
    checkpoints.restore(tf.train.Checkpoint(ema=averaged, step=step), prefix, partial=True)
    for variable, value in zip(generator.weights, averaged, strict=True):
        variable.assign(value)
    trainer.plan.set_level(int(step))
    generator.label_names = facts["label_names"]
    return generator


def _write(path, text):
    with atomic_write(path, overwrite=True) as part:
        part.write_text(text)
