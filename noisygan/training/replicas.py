"""Training on several devices, by `tf.distribute`.

Every replica holds a part of each batch and a copy of every variable. What ties the parts together
is in `noisygan.losses.global_batch`; the replicas' gradients are averaged, and each replica makes
the same update of its copy, so the copies stay equal.
"""

import contextlib
import itertools

import keras
import tensorflow as tf

from noisygan.errors import UsageError
from noisygan.losses import global_batch as global_batch

BATCH_SIZES = "Trainer.batch_size"


class OneDevice:
    """No replicas: what a `Trainer` has unless it is told otherwise.

    Attributes:
      n_replicas: Into how many parts a batch is divided.
      is_chief: Whether this process reads and writes the run.
    """

    n_replicas = 1
    is_chief = True

    def scope(self):
        """A context in which networks, optimizers and the trainer's variables are made."""
        return contextlib.nullcontext()

    def check(self, batch_sizes, discriminator=None, name=BATCH_SIZES):
        """Raises UsageError unless batches can be divided among the replicas.

        Args:
          batch_sizes: All that will occur.
          discriminator: By the discriminator contract; its groups of sounds stay whole.
          name: Of the setting.
        """

    def check_settings(self, trainer):
        """Raises UsageError for settings of a `Trainer` that are those of one device."""

    def sync_batch_norm(self, networks):
        """Lets layers that normalise a batch see all of it."""

    def compiled(self, step, jit_compile=False):
        """A part of a training step as a compiled function of (batch, *rest) to scalars.

        Args:
          step: Function of (batch, *rest) to a dict of scalars.
          jit_compile: Whether XLA compiles it into one program.
        """
        return tf.function(step, jit_compile=jit_compile)

    def batches(self, notes, batch_size, seed, start=0, n_batches=None):
        """Iterator over an `AudioDataset`'s batches, as `compiled` functions take them.

        Args:
          notes, batch_size, seed, start: As of `AudioDataset.batches`.
          n_batches: How many; None: without end.
        """
        return itertools.islice(notes.batches(batch_size, seed, start), n_batches)

    def step_scope(self, trainer):
        """A context for a step, entered once all machines are about to take it.

        Raises:
          KeyboardInterrupt: where another machine was asked to stop.
        """
        return contextlib.nullcontext()

    def broadcast_from_chief(self, number):
        """What the chief's number is, an int, whatever this machine's."""
        return number

    def fit(self, trainer, notes, run, lead):
        """Trains by `lead()`, or, where another machine leads, takes its steps along with it.

        Args:
          trainer: A built `Trainer`.
          notes: The `AudioDataset`.
          run: The `RunFolder`.
          lead: Trains, and returns the number of steps.

        Returns:
          The number of steps that the run has taken.
        """
        return lead()


class Replicas(OneDevice):
    """The replicas of a strategy.

    Args:
      strategy: A `tf.distribute.Strategy` whose replicas train in step.
    """

    def __init__(self, strategy):
        self.strategy = strategy
        self.n_replicas = strategy.num_replicas_in_sync

    def scope(self):
        """A context in which each variable is made once a replica."""

        def make_copies(make, **settings):
            # Each replica updates its own copy, which may happen in a branch; the first one's is
            # what is seen from outside.
            settings["synchronization"] = tf.VariableSynchronization.ON_READ
            settings["aggregation"] = tf.VariableAggregation.ONLY_FIRST_REPLICA
            return make(**settings)

        stack = contextlib.ExitStack()
        stack.enter_context(self.strategy.scope())
        stack.enter_context(tf.variable_creator_scope(make_copies))
        return stack

    def check(self, batch_sizes, discriminator=None, name=BATCH_SIZES):
        """Raises UsageError unless batches can be divided among the replicas."""
        group = discriminator.group_size if discriminator else 1
        unit = self.n_replicas * group
        for size in batch_sizes:
            if size % unit:
                near = max(size // unit, 1) * unit
                groups = f", with groups of {group} sounds in each" if group > 1 else ""
                raise UsageError(
                    f"{name}: got {size} for {self.n_replicas} replicas{groups}; expected a "
                    f"multiple of {unit}: {near} or {near + unit} would work"
                )

    def check_settings(self, trainer):
        """Raises UsageError for settings of a `Trainer` that are those of one device."""
        ours = (
            ("accumulate", trainer.accumulate > 1),
            ("precision", trainer.precision == "float16"),
            ("jit_compile", trainer.jit_compile),
        )
        for name, is_set in ours if self.n_replicas > 1 else ():
            if is_set:
                raise UsageError(
                    f"Trainer.{name}: got {getattr(trainer, name)} on {self.n_replicas} devices, "
                    "expected one device: set CUDA_VISIBLE_DEVICES=0, or leave it out"
                )

    def sync_batch_norm(self, networks):
        """Lets batch normalisation take its statistics from all replicas."""
        for network in networks:
            for layer in network._flatten_layers():
                if isinstance(layer, keras.layers.BatchNormalization):
                    layer.synchronized = self.n_replicas > 1

    def compiled(self, step, jit_compile=False):
        """A part of a training step on all replicas; its scalars are means over them."""

        @tf.function
        def on_all(batch, *rest):
            # A TPU's replicas are given tensors only: what else there is they have from here.
            scalars = self.strategy.run(lambda own: global_batch.mean(step(own, *rest)), (batch,))
            return tf.nest.map_structure(
                lambda value: self.strategy.experimental_local_results(value)[0], scalars
            )

        return on_all

    def batches(self, notes, batch_size, seed, start=0, n_batches=None):
        """Iterator over batches in parts; a machine decodes only what its replicas need."""

        def of_machine(context):
            part = (context.input_pipeline_id, context.num_input_pipelines)
            batches = notes.batches(batch_size, seed, start, part)
            batches = batches.rebatch(batch_size // self.n_replicas, drop_remainder=True)
            endless = tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY)
            return batches.apply(endless)

        batches = self.strategy.distribute_datasets_from_function(of_machine)
        return itertools.islice(iter(batches), n_batches)
