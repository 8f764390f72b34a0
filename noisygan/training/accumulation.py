"""Batches larger than memory: gradients of parts of a batch, added up before one update.

What is drawn for a batch is drawn for all of it, so the parts' sounds are the batch's, and where
no row of a batch has to do with another the update is that of the whole batch, but for what
augmentation and GradientPenalty draw: each part has numbers of its own. The discriminator
learns first from all parts; then the parts are generated again for the generator, which is told by
the updated discriminator, as without parts.
"""

import tensorflow as tf

from noisygan.errors import UsageError
from noisygan.training.batch_statistics import BatchStatistics
from noisygan.training.step import update


def check_accumulation(trainer, n_parts, growth):
    """Raises UsageError where the parts of a batch would not make up the batch."""
    if n_parts == 1:
        return
    if trainer.batch_size % n_parts:
        raise UsageError(
            f"Trainer.accumulate: got {n_parts} parts of a batch of {trainer.batch_size}, "
            "expected a number that divides it"
        )
    rows = trainer.batch_size // n_parts
    group = trainer.discriminator.group_size if trainer.discriminator else 1
    couples = None
    if growth is not None:
        couples = "a growth changes the batch on its way"
    elif getattr(trainer.generator, "min_batch_size", 1) > 1:
        couples = f"{type(trainer.generator).__name__} normalises each batch by its own statistics"
    elif any(match.compares == "features" for match in trainer.adversaries.matching):
        couples = "FeatureMatch compares the means of whole batches"
    elif rows % group:
        couples = f"the discriminator compares groups of {group} sounds, a part has {rows}"
    if couples:
        raise UsageError(
            f"Trainer.accumulate: got {n_parts}, but {couples}; expected 1, or a config whose "
            "sounds have nothing to do with each other"
        )


def accumulated(trainer, n_parts):
    """The two programs of a built trainer's steps, by parts of the batch.

    Args:
      trainer: A built `Trainer`.
      n_parts: From 2.

    Returns:
      (critic's round, last round): functions of (batch, seed, active, level), as the trainer's own;
      the latter's `programs` are the compiled functions of both.

    Raises:
      UsageError: where layers normalise each part by itself, and change by it.
    """
    if BatchStatistics([trainer.generator, trainer.discriminator]).variables:
        raise UsageError(
            f"Trainer.accumulate: got {n_parts}, but layers of the networks normalise each part by "
            "itself; expected 1, or networks without batch and spectral normalisation"
        )
    adversaries, d_phase, g_phase = trainer.adversaries, trainer.d_phase, trainer.g_phase
    sums = {
        phase.name: [tf.Variable(tf.zeros_like(v.value), trainable=False) for v in phase.variables]
        for phase in (d_phase, g_phase)
    }

    def sounds_of(batch, seed, part):
        rows = {
            name: tf.reshape(x, [n_parts, x.shape[0] // n_parts, *x.shape[1:]])[part]
            for name, x in batch.items()
        }
        return adversaries.sounds(rows, seed, (part, n_parts))

    def add(phase, gradients):
        for total, gradient in zip(sums[phase.name], gradients, strict=True):
            if gradient is not None:
                total.assign_add(tf.convert_to_tensor(gradient) / n_parts)

    @tf.function
    def learn_d(batch, seed, part, active, level):
        sounds = sounds_of(batch, seed, part)
        loss, gradients, metrics = adversaries.d_gradients(
            d_phase, sounds, seed + 2 + tf.stack([part, 0]), active
        )
        add(d_phase, gradients)
        return loss, metrics

    @tf.function
    def learn_g(batch, seed, part, level):
        loss, gradients, metrics = trainer.g_gradients(lambda: sounds_of(batch, seed, part))
        add(g_phase, gradients)
        return loss, metrics

    @tf.function
    def apply_d(loss):
        return applied(d_phase, loss, adversaries.balance.learns)

    @tf.function
    def apply_g(loss):
        metrics = applied(g_phase, loss, True)
        trainer._average(metrics["g_finite"])
        return metrics

    def applied(phase, loss, wanted):
        totals = sums[phase.name]
        metrics = update(phase, loss, [total.value() for total in totals], wanted)
        for total in totals:
            total.assign(tf.zeros_like(total))
        return metrics

    def over_parts(learn, apply):
        """Means of the parts' losses and metrics, and those of the update."""
        found = [learn(tf.constant(part)) for part in range(n_parts)]
        loss, metrics = tf.nest.map_structure(lambda *parts: tf.add_n(parts) / n_parts, *found)
        return metrics | apply(loss)

    def critic_round(batch, seed, active, level):
        return over_parts(lambda part: learn_d(batch, seed, part, active, level), apply_d)

    def last_round(batch, seed, active, level):
        metrics = critic_round(batch, seed, active, level)
        return metrics | over_parts(lambda part: learn_g(batch, seed, part, level), apply_g)

    last_round.programs = (learn_d, learn_g, apply_d, apply_g)
    return critic_round, last_round
