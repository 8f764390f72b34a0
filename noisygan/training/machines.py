"""Training on several machines that take each step together.

The chief leads: before each step it tells the others whether there is one. It alone reads and
writes checkpoints; the others are given its state before their first step.
"""

import contextlib
import zlib

import numpy as np
import tensorflow as tf

from noisygan import config
from noisygan.errors import RunError
from noisygan.training.checkpoints import step_of
from noisygan.training.replicas import Replicas
from noisygan.training.signals import StopSignals

# What the chief says before a step.
_GO, _DONE, _STOPPED, _FAILED = range(4)

# What TensorFlow says when a machine is gone.
_LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
)


class Machines(Replicas):
    """The replicas of several machines, each of which runs this program.

    Args:
      strategy: A `tf.distribute.MultiWorkerMirroredStrategy`.
      cluster: `noisygan.training.cluster.Cluster`.
    """

    def __init__(self, strategy, cluster):
        super().__init__(strategy)
        self.cluster = cluster
        self.is_chief = cluster.is_chief
        self.is_told = False
        self.in_step = False
        self.stop = None
        n_local = self.n_replicas // cluster.n_machines

        def add(values):
            context = tf.distribute.get_replica_context()
            # One replica speaks for its machine.
            speaks = context.replica_id_in_sync_group % n_local == 0
            own = [tf.where(speaks, value, tf.zeros_like(value)) for value in values]
            return [context.all_reduce("SUM", value) for value in own]

        @tf.function
        def sums(values):
            found = strategy.run(add, (values,))
            return [strategy.experimental_local_results(value)[0] for value in found]

        self._sums = sums

    @contextlib.contextmanager
    def step_scope(self, trainer):
        """A context for a step, entered once all machines are about to take it.

        Raises:
          KeyboardInterrupt: on the chief, where another machine was asked to stop.
          _Dismissed: on the others, when there is no further step.
        """
        if not self.is_told:
            self._tell(trainer)
        self.in_step = True
        word, n_asked = self._exchange(_GO)
        if self.is_chief and n_asked:
            self.in_step = False
            raise KeyboardInterrupt
        if not self.is_chief:
            while word == _GO and n_asked:
                # The chief saves, and then says so.
                word, n_asked = self._exchange(_GO)
            if word != _GO:
                raise _Dismissed(word)
        yield
        self.in_step = False

    def broadcast_from_chief(self, number):
        """What the chief's number is, an int, whatever this machine's."""
        own = number if self.is_chief else 0
        return int(self._sums([tf.constant(own, tf.int64)])[0])

    def fit(self, trainer, notes, run, lead):
        """Trains by `lead()` on the chief; the others take its steps along with it.

        Raises:
          RunError: if a machine is lost, or one was started with something else than the chief.
          KeyboardInterrupt: if one was stopped, after the chief has saved.
        """
        try:
            self._compare(notes)
            return self._lead(trainer, lead) if self.is_chief else self._follow(trainer, notes)
        except tf.errors.OpError as error:
            if notes.failure is not None:
                raise notes.failure from None
            if not _is_loss(error):
                raise
            prefix = run.latest_checkpoint()
            kept = "there is no checkpoint yet"
            if prefix is not None:
                kept = f"the newest checkpoint is that of step {step_of(prefix)}"
            text = (
                f"{self.cluster.name} of {self.cluster.n_machines}: another worker has ended or "
                f"can't be reached any more; {kept}. Start all workers again, each with its own "
                "command and --resume"
            )
            if self.is_chief:
                run.log(text)
            raise RunError(text) from error

    def _lead(self, trainer, lead):
        word = _FAILED
        try:
            n_steps = lead()
            word = _DONE
            return n_steps
        except KeyboardInterrupt:
            word = _STOPPED
            raise
        except tf.errors.OpError:
            word = None  # Nobody may be there to hear it.
            raise
        finally:
            # Amid a step the others wait for this one's part of it, and hear nothing else.
            if word is not None and not self.in_step:
                if not self.is_told:
                    self._tell(trainer)
                self._exchange(word)

    def _follow(self, trainer, notes):
        self._tell(trainer)
        step = trainer.step
        batches = trainer.batches(notes, step)
        self.stop = StopSignals()
        try:
            while True:
                trainer.train_step(batches, step)
                step += 1
        except _Dismissed as dismissed:
            if dismissed.word == _STOPPED:
                raise KeyboardInterrupt("stopped and saved") from None
            if dismissed.word == _FAILED:
                raise RunError(f"{self.cluster.name}: the chief has ended; it said why") from None
            return step
        finally:
            self.stop.close()

    def _exchange(self, word):
        """The chief's word, and how many of the other machines were asked to stop."""
        own = (
            [float(word), 0.0]
            if self.is_chief
            else [0.0, float(bool(self.stop and self.stop.asked))]
        )
        word, n_asked = self._sums([tf.constant(own)])[0].numpy().round().astype(int)
        return word, n_asked

    def _tell(self, trainer):
        """Gives the chief's state to all."""
        self.is_told = True
        variables = tf.nest.flatten(trainer.checkpointed)
        values = [tf.convert_to_tensor(variable) for variable in variables]
        values = [tf.cast(v, tf.float32) if v.dtype.is_bool else v for v in values]
        if not self.is_chief:
            values = [tf.zeros_like(value) for value in values]
        for variable, value in zip(variables, self._sums(values), strict=True):
            variable.assign(tf.cast(value, variable.dtype))

    def _compare(self, notes):
        """Raises RunError unless all machines have the chief's config and recordings."""
        facts = {"another config": config.resolved_text(), "other recordings": notes.fingerprint}
        for what, text in facts.items():
            numbers = np.zeros(self.cluster.n_machines, np.int64)
            numbers[self.cluster.index] = zlib.crc32(text.encode())
            numbers = self._sums([tf.constant(numbers)])[0].numpy()
            others = np.flatnonzero(numbers != numbers[0])
            if len(others):
                raise RunError(
                    f"{self.cluster.name}: machine {others[0] + 1} of {self.cluster.n_machines} "
                    f"has {what} than the chief; start all with the same --gin_file, --gin_param "
                    "and --data"
                )


class _Dismissed(Exception):
    """The chief takes no further step; `word` says why."""

    def __init__(self, word):
        super().__init__()
        self.word = word


def _is_loss(error):
    """Whether an error says that another machine is gone."""
    return isinstance(error, _LOST) or "ollective" in error.message
