"""Gradient accumulation: a batch larger than memory as several parts, with one update.

Random numbers are those of the whole batch (`global_batch.part`), so where no row depends on others
the update is that of the whole batch. The discriminator learns from all parts first; the parts are
then generated again for the generator, which is scored by the updated discriminator.
"""

import tensorflow as tf

from noisygan.errors import UsageError
from noisygan.losses import global_batch
from noisygan.training.batch_statistics import BatchStatistics
from noisygan.training.optimizers import Phase
from noisygan.training.step import critic_step


def check_accumulation(trainer, n_parts):
    """Raise UsageError where parts would not be equivalent to the batch."""
    if n_parts == 1:
        return
    if trainer.batch_size % n_parts:
        raise UsageError(
            f"Trainer.accumulate: got {n_parts} parts of a batch of {trainer.batch_size}, "
            "expected a number that divides it"
        )
    rows = trainer.batch_size // n_parts
    group = trainer.discriminator.group_size or trainer.batch_size
    reasons = {
        "a growth changes the batch": trainer.plan.grows,
        f"{type(trainer.generator).__name__} normalises each batch by its own statistics": (
            trainer.generator.min_batch_size > 1
        ),
        "FeatureMatch compares the means of whole batches": any(
            loss.compares == "features" for loss in trainer.gan.generator_losses
        ),
        f"the discriminator compares groups of {group} rows, a part has {rows}": rows % group,
    }
    for reason, applies in reasons.items():
        if applies:
            raise UsageError(
                f"Trainer.accumulate: got {n_parts}, but {reason}; expected 1, or a config whose "
                "rows do not depend on each other"
            )


class AccumulatedPhase(Phase):
    """A `Phase` that sums the gradients of n_parts parts of a batch until `apply`."""

    def __init__(self, phase, n_parts):
        super().__init__(phase.name, phase.variables, phase.optimizer)
        self.n_parts = n_parts
        self.sums = [tf.Variable(tf.zeros_like(v), trainable=False) for v in self.values]

    def update(self, loss, gradients):
        """Add a part's gradients; return its loss."""
        for total, gradient in zip(self.sums, gradients, strict=True):
            if gradient is not None:
                total.assign_add(tf.convert_to_tensor(gradient) / self.n_parts)
        return {f"{self.name}_loss": loss}

    def apply(self, loss):
        """Update by the sums and set them to 0; return as `Phase.update`."""
        metrics = super().update(loss, [total.value() for total in self.sums])
        for total in self.sums:
            total.assign(tf.zeros_like(total))
        return metrics


def accumulated(gan, d, g, ema, n_parts):
    """Make the steps of `noisygan.training.step` for a batch in parts.

    Returns:
      (critic step, train step), functions of (batch, seed, active, level).

    Raises:
      UsageError: for layers that normalise each part by its own statistics.
    """
    if BatchStatistics([gan.generator, gan.discriminator]).variables:
        raise UsageError(
            f"Trainer.accumulate: got {n_parts}, but layers of the networks normalise each part by "
            "itself; expected 1, or networks without batch and spectral normalisation"
        )
    d, g = (AccumulatedPhase(phase, n_parts) for phase in (d, g))

    def rows(batch, part):
        split = {k: tf.reshape(x, [n_parts, -1, *x.shape[1:]]) for k, x in batch.items()}
        size = batch["audio"].shape[0] // n_parts
        return {k: tf.ensure_shape(x[part], [size, *x.shape[2:]]) for k, x in split.items()}

    @tf.function(autograph=False)
    def learn_d(batch, seed, part, active):
        with global_batch.part(part, n_parts):
            return critic_step(gan, d, rows(batch, part), seed, active)

    @tf.function(autograph=False)
    def learn_g(batch, seed, part):
        with (
            global_batch.part(part, n_parts),
            tf.GradientTape(watch_accessed_variables=False) as tape,
        ):
            tape.watch(g.values)
            loss, metrics = gan.g_loss(gan.generate(rows(batch, part), seed))
        return metrics | g.update(loss, g.gradients(tape, loss))

    apply_d = tf.function(d.apply, autograph=False)

    @tf.function(autograph=False)
    def apply_g(loss):
        metrics = g.apply(loss)
        ema.update(metrics["g_finite"])
        return metrics

    def mean_over_parts(learn):
        found = [learn(tf.constant(part)) for part in range(n_parts)]
        return tf.nest.map_structure(lambda *parts: tf.add_n(parts) / n_parts, *found)

    def critic(batch, seed, active, level):
        metrics = mean_over_parts(lambda part: learn_d(batch, seed, part, active))
        return metrics | apply_d(metrics["d_loss"])

    def train(batch, seed, active, level):
        d_metrics = critic(batch, seed, active, level)
        metrics = mean_over_parts(lambda part: learn_g(batch, seed, part))
        return d_metrics | metrics | apply_g(metrics["g_loss"])

    return critic, train
