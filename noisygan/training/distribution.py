"""Training on one device, several devices or several machines, by `tf.distribute`.

Each replica holds a part of each batch and a copy of every variable. What depends on the whole
batch is in `noisygan.losses.global_batch`. The replicas' gradients are averaged and each replica
makes the same update of its copy, so the copies stay equal.
"""

import contextlib
import itertools
import zlib

import keras
import numpy as np
import tensorflow as tf

from noisygan import config
from noisygan.errors import RunError, UsageError
from noisygan.losses import global_batch
from noisygan.training import checkpoints, run_files
from noisygan.training.cluster import EXAMPLE
from noisygan.training.signals import StopSignals

# What the chief announces before a step.
_STEP, _DONE, _STOPPED, _FAILED = range(4)
_LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
)


class OneDevice:
    """One device, the default of a `Trainer`.

    Attributes:
      n_replicas: Parts of a batch.
      is_chief: Whether this process reads and writes the run.
    """

    n_replicas = 1
    is_chief = True

    def scope(self):
        """Return a context in which networks, optimizers and the trainer's variables are made."""
        return contextlib.nullcontext()

    def check(self, batch_sizes, group_size=1, name="Trainer.batch_size"):
        """Raise UsageError unless replicas can share batches in whole groups of rows."""

    def check_settings(self, trainer):
        """Raise UsageError for settings of a `Trainer` that need one device."""

    def sync_batch_norm(self, networks):
        """Let batch normalisation take its statistics from all replicas."""

    def compiled(self, step, jit_compile=False):
        """Compile a function of (batch, *rest) to a dict of scalars: their means over replicas."""
        return tf.function(step, jit_compile=jit_compile, autograph=False)

    def batches(self, data, batch_size, seed, start=0, n_batches=None):
        """Iterate over n_batches, or endlessly over batches, as `compiled` functions take them."""
        return itertools.islice(data.batches(batch_size, seed, start), n_batches)

    def step_scope(self, trainer):
        """Return a context for a step, entered once all machines are about to take it."""
        return contextlib.nullcontext()

    def broadcast_from_chief(self, number):
        """Return the chief's number, an int, on every machine."""
        return number

    def fit(self, trainer, data, run_dir, lead):
        """Train by `lead()` on the chief, or take its steps along; returns the steps taken."""
        return lead()


class Replicas(OneDevice):
    """The replicas of a strategy.

    Args:
      strategy: A synchronous `tf.distribute.Strategy`.
    """

    def __init__(self, strategy):
        self.strategy = strategy
        self.n_replicas = strategy.num_replicas_in_sync

    def scope(self):
        def make_copies(make, **settings):
            # Each replica updates its own copy, possibly in a branch; the first one is saved.
            settings["synchronization"] = tf.VariableSynchronization.ON_READ
            settings["aggregation"] = tf.VariableAggregation.ONLY_FIRST_REPLICA
            return make(**settings)

        stack = contextlib.ExitStack()
        stack.enter_context(self.strategy.scope())
        stack.enter_context(tf.variable_creator_scope(make_copies))
        return stack

    def check(self, batch_sizes, group_size=1, name="Trainer.batch_size"):
        if self.n_replicas > 1 and not group_size:
            raise UsageError(
                f"group_size: got 0, the whole batch, on {self.n_replicas} devices; expected one "
                "device, or groups such as GrowingGANDiscriminator.group_size = 4"
            )
        for size in batch_sizes:
            unit = self.n_replicas * (group_size or 1)
            if size % unit:
                near = max(size // unit, 1) * unit
                groups = f", in groups of {group_size}" if group_size > 1 else ""
                raise UsageError(
                    f"{name}: got {size} for {self.n_replicas} replicas{groups}; expected a "
                    f"multiple of {unit}: {near} or {near + unit} would work"
                )

    def check_settings(self, trainer):
        refused = {"accumulate": trainer.accumulate > 1, "jit_compile": trainer.jit_compile}
        refused["precision"] = trainer.is_float16
        for name, is_refused in refused.items():
            if self.n_replicas > 1 and is_refused:
                raise UsageError(
                    f"Trainer.{name}: got {getattr(trainer, name)} on {self.n_replicas} devices, "
                    "expected one device: set CUDA_VISIBLE_DEVICES=0, or leave it out"
                )

    def sync_batch_norm(self, networks):
        for network in networks:
            for layer in network._flatten_layers():
                if isinstance(layer, keras.layers.BatchNormalization):
                    layer.synchronized = self.n_replicas > 1

    def compiled(self, step, jit_compile=False):
        @tf.function(autograph=False)
        def on_all(batch, *rest):
            scalars = self.strategy.run(lambda own: global_batch.mean(step(own, *rest)), (batch,))
            return tf.nest.map_structure(
                lambda value: self.strategy.experimental_local_results(value)[0], scalars
            )

        return on_all

    def batches(self, data, batch_size, seed, start=0, n_batches=None):
        def of_machine(context):
            part = (context.input_pipeline_id, context.num_input_pipelines)
            batches = data.batches(batch_size, seed, start, part)
            batches = batches.rebatch(batch_size // self.n_replicas, drop_remainder=True)
            endless = tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY)
            return batches.apply(endless)

        batches = self.strategy.distribute_datasets_from_function(of_machine)
        return itertools.islice(iter(batches), n_batches)


class Machines(Replicas):
    """The replicas of several machines, each of which runs this program.

    The chief leads: before each step it announces whether there is one. It alone reads and writes
    the run; the others receive its state before their first step.

    Args:
      strategy: A `tf.distribute.MultiWorkerMirroredStrategy`.
      cluster: `noisygan.training.cluster.Cluster`.
    """

    def __init__(self, strategy, cluster):
        super().__init__(strategy)
        self.cluster = cluster
        self.is_chief = cluster.is_chief
        self.has_state = False
        self.in_step = False
        self.stop = None
        n_local = self.n_replicas // cluster.n_machines

        def add(values):
            context = tf.distribute.get_replica_context()
            # One replica speaks for its machine.
            speaks = context.replica_id_in_sync_group % n_local == 0
            own = [tf.where(speaks, value, tf.zeros_like(value)) for value in values]
            return [context.all_reduce("SUM", value) for value in own]

        @tf.function(autograph=False)
        def sums(values):
            found = strategy.run(add, (values,))
            return [strategy.experimental_local_results(value)[0] for value in found]

        self._sums = sums

    @contextlib.contextmanager
    def step_scope(self, trainer):
        """Return a context for a step, entered once all machines are about to take it.

        Raises:
          KeyboardInterrupt: on the chief, where a signal asked another machine to stop.
          _StopTraining: on the others, when there is no further step.
        """
        if not self.has_state:
            self._broadcast_state(trainer)
        self.in_step = True
        word, n_stopping = self._exchange(_STEP)
        if self.is_chief and n_stopping:
            self.in_step = False
            raise KeyboardInterrupt
        if not self.is_chief:
            while word == _STEP and n_stopping:
                # The chief saves, and then announces it.
                word, n_stopping = self._exchange(_STEP)
            if word != _STEP:
                raise _StopTraining(word)
        yield
        self.in_step = False

    def broadcast_from_chief(self, number):
        own = number if self.is_chief else 0
        return int(self._sums([tf.constant(own, tf.int64)])[0])

    def fit(self, trainer, data, run_dir, lead):
        """Train by `lead()` on the chief; the others take its steps along with it.

        Raises:
          RunError: if a machine is lost, or was started with another config or data.
          KeyboardInterrupt: if one was stopped, after the chief has saved.
        """
        try:
            self._compare(data)
            return self._lead(trainer, lead) if self.is_chief else self._follow(trainer, data)
        except tf.errors.OpError as error:
            if data.failure is not None:
                raise data.failure from None
            if not isinstance(error, _LOST) and "ollective" not in error.message:
                raise
            prefix = checkpoints.newest(run_dir)
            kept = "there is no checkpoint yet"
            if prefix is not None:
                kept = f"the newest checkpoint is that of step {checkpoints.step_of(prefix)}"
            text = (
                f"{self.cluster.name} of {self.cluster.n_machines}: another worker has ended or "
                f"can't be reached any more; {kept}. Start all workers again to resume, each with "
                "its own command"
            )
            if self.is_chief:
                run_files.log(run_dir, text)
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
            word = None  # No machine may be left to hear it.
            raise
        finally:
            # Within a step the others wait for this machine's part of it and hear nothing else.
            if word is not None and not self.in_step:
                if not self.has_state:
                    self._broadcast_state(trainer)
                self._exchange(word)

    def _follow(self, trainer, data):
        self._broadcast_state(trainer)
        step = trainer.step
        batches = trainer.batches(data, step)
        self.stop = StopSignals()
        try:
            while True:
                trainer.train_step(batches, step)
                step += 1
        except _StopTraining as dismissed:
            if dismissed.word == _STOPPED:
                raise KeyboardInterrupt("stopped and saved") from None
            if dismissed.word == _FAILED:
                raise RunError(f"{self.cluster.name}: the chief has failed; see its log") from None
            return step
        finally:
            self.stop.close()

    def _exchange(self, word):
        """Exchange the chief's word for how many of the other machines a signal asked to stop."""
        own = [float(word), 0.0]
        if not self.is_chief:
            own = [0.0, float(bool(self.stop and self.stop.received))]
        word, n_stopping = self._sums([tf.constant(own)])[0].numpy().round().astype(int)
        return word, n_stopping

    def _broadcast_state(self, trainer):
        """Give the chief's variables to all machines."""
        self.has_state = True
        variables = tf.nest.flatten(trainer.checkpointed)
        values = [tf.convert_to_tensor(variable) for variable in variables]
        if not self.is_chief:
            values = [tf.zeros_like(value) for value in values]
        for variable, value in zip(variables, self._sums(values), strict=True):
            variable.assign(value)

    def _compare(self, data):
        """Raise RunError unless all machines have the chief's config and data."""
        texts = {"another config": config.resolved_text(), "other data": data.fingerprint}
        for what, text in texts.items():
            numbers = np.zeros(self.cluster.n_machines, np.int64)
            numbers[self.cluster.index] = zlib.crc32(text.encode())
            numbers = self._sums([tf.constant(numbers)])[0].numpy()
            others = np.flatnonzero(numbers != numbers[0])
            if len(others):
                raise RunError(
                    f"{self.cluster.name}: machine {others[0] + 1} of {self.cluster.n_machines} "
                    f"has {what} than the chief; start all with the same config and data"
                )


class _StopTraining(Exception):
    """Signal that the chief takes no further step; `word` says why."""

    def __init__(self, word):
        super().__init__()
        self.word = word


def connect(strategy="auto", cluster=None):
    """Connect the devices and machines of a training, before TensorFlow makes anything.

    Args:
      strategy: Of `noisygan.training.cluster.STRATEGIES`; "auto": the cluster's machines, several
        GPUs, or one device, whichever is available first.
      cluster: `Cluster`, or None.

    Returns:
      `OneDevice` or `Replicas`.

    Raises:
      UsageError: if the strategy's devices are not available.
      RunError: if the cluster's machines do not connect.
    """
    several = cluster is not None and cluster.n_machines > 1
    if several and strategy not in ("auto", "multi_worker"):
        raise UsageError(
            f"strategy {strategy}: TF_CONFIG names {cluster.n_machines} machines; expected "
            "multi_worker, or no TF_CONFIG"
        )
    if several:
        try:
            return Machines(tf.distribute.MultiWorkerMirroredStrategy(), cluster)
        except (tf.errors.OpError, RuntimeError, ValueError) as error:
            raise RunError(
                f"{cluster.name} of {cluster.n_machines}: the workers of TF_CONFIG did not connect "
                f"({str(error).strip().splitlines()[0][:200]}); check that each address is that of "
                "a machine which runs this command, with its port free"
            ) from error
    if strategy == "multi_worker":
        raise UsageError(
            "strategy multi_worker: the environment variable TF_CONFIG names no second worker; "
            f"expected in each worker's own shell something like TF_CONFIG='{EXAMPLE}'"
        )
    n_gpus = len(tf.config.list_physical_devices("GPU"))
    if strategy == "auto" and n_gpus < 2:
        return OneDevice()
    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    if len(devices) < 2:
        raise UsageError(
            f"strategy mirrored: found {n_gpus or 'no'} GPU, expected two or more; leave the "
            "strategy out to train on one device"
        )
    return Replicas(tf.distribute.MirroredStrategy([d.name for d in devices]))
