"""One step of each phase of adversarial training, as compiled functions.

A phase updates one network. Every random number is a function of (seed, step, phase), so a run
that is taken up again goes on exactly as it would have.
"""

from typing import NamedTuple

import tensorflow as tf

from noisygan.losses.regularizers import Round


class Phase(NamedTuple):
    """One line of the training loop.

    Attributes:
      name: "d" or "g".
      loss_fn: From (batch, seed) to (loss, metrics); may take further static arguments.
      variables: What it updates.
      optimizer: A built Keras optimizer.
      interval: The phase runs every so many rounds.
    """

    name: str
    loss_fn: object
    variables: list
    optimizer: object
    interval: int = 1


def run_phase(phase, batch, seed, *static):
    """Computes the phase's loss, updates its variables, returns its metrics (dict of scalars).

    An update whose gradients are not finite is left out; `<phase>_finite` is 0 then.
    """
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        for variable in phase.variables:
            tape.watch(variable.value)
        loss, metrics = phase.loss_fn(batch, seed, *static)
    gradients = tape.gradient(loss, [v.value for v in phase.variables])
    gradients = [
        tf.zeros_like(v.value) if g is None else g
        for g, v in zip(gradients, phase.variables, strict=True)
    ]
    norm = tf.linalg.global_norm(gradients)
    finite = tf.math.is_finite(norm) & tf.math.is_finite(loss)

    def update():
        phase.optimizer.apply(gradients, phase.variables)
        return tf.constant(1.0)

    ok = tf.cond(finite, update, lambda: tf.constant(0.0))
    metrics |= {f"{phase.name}_loss": loss, f"{phase.name}_gradient": norm}
    return metrics | {f"{phase.name}_finite": ok}


class AdversarialLosses:
    """Losses of the two networks for one batch.

    Args:
      generator, discriminator: By their contracts.
      conditions: `Conditions` or None: what the discriminator is told.
      adversarial: A pair of `noisygan.losses.adversarial`.
      regularizers: Of `noisygan.losses.regularizers`.
      batch_size: Rows of a batch.
    """

    def __init__(
        self, generator, discriminator, conditions, adversarial, regularizers, batch_size
    ):
        self.generator = generator
        self.discriminator = discriminator
        self.conditions = conditions
        self.adversarial = adversarial
        self.regularizers = list(regularizers)
        self.batch_size = batch_size

    def generate(self, batch, seed):
        """Sounds under the conditions of the batch's recordings."""
        z = self.generator.prior(self.batch_size, seed)
        noise_seed = tf.random.stateless_uniform(
            [self.batch_size], seed + 1, None, None, dtype=tf.int32
        )
        return self.generator(z, batch, seed=noise_seed)

    def _features(self, batch):
        return self.conditions(batch) if self.conditions else None

    def d_loss(self, batch, seed, active):
        """The discriminator's loss; `active` are the indices of the regularizers that apply."""
        conditioning = self._features(batch)
        fake = self.generate(batch, seed).audio
        real_maps = self.discriminator.represent(batch["audio"])
        fake_maps = self.discriminator.represent(fake)
        real, fake_out = self._judge_both(real_maps, fake_maps, conditioning)
        pairs = list(zip(real, fake_out, strict=True))
        loss = tf.add_n([self.adversarial.d_loss(r, f) for r, f in pairs])
        metrics = {"d_adversarial": loss} | _logit_metrics(pairs)

        def judge(maps):
            return self.discriminator.judge(maps, conditioning)

        round_ = Round(judge, real_maps, fake_maps, real, seed + 2)
        for index in active:
            regularizer = self.regularizers[index]
            value = regularizer(round_)
            metrics[f"d_{type(regularizer).__name__.lower()}"] = value
            loss += regularizer.weight * regularizer.interval * value
        return loss, metrics

    def g_loss(self, batch, seed):
        """The generator's loss."""
        conditioning = self._features(batch)
        fake = self.generate(batch, seed).audio
        real_maps = self.discriminator.represent(batch["audio"])
        fake_maps = self.discriminator.represent(fake)
        real = self.discriminator.judge(real_maps, conditioning).logits
        fake_out = self.discriminator.judge(fake_maps, conditioning).logits
        pairs = list(zip(real, fake_out, strict=True))
        loss = tf.add_n([self.adversarial.g_loss(r, f) for r, f in pairs])
        peaks = tf.reduce_max(tf.abs(fake), axis=1)
        metrics = {
            "g_adversarial": loss,
            "fake_spread": spread(fake_maps),
            "real_spread": spread(real_maps),
            "fake_peak": tf.reduce_max(peaks),
            "fake_quietest_peak": tf.reduce_min(peaks),
        }
        return loss, metrics

    def _judge_both(self, real_maps, fake_maps, conditioning):
        """Logits of recordings and generated sounds, lists with an entry a scale."""
        maps = [tf.concat(pair, axis=0) for pair in zip(real_maps, fake_maps, strict=True)]
        twice = None if conditioning is None else tf.concat([conditioning] * 2, axis=0)
        logits = self.discriminator.judge(maps, twice).logits
        halves = [tf.split(logit, 2) for logit in logits]
        return [h[0] for h in halves], [h[1] for h in halves]


def spread(maps):
    """Mean distance between the maps of different rows, relative to one map's size: diversity."""
    total = 0.0
    for m in maps:
        pooled = tf.reduce_mean(m, axis=1)
        pooled = tf.reshape(pooled, [tf.shape(pooled)[0], -1])
        distances = tf.norm(pooled[:, None] - pooled[None] + 1e-9, axis=2)
        total += tf.reduce_mean(distances)
    return total / len(maps)


def _logit_metrics(pairs):
    real = tf.add_n([tf.reduce_mean(r) for r, _ in pairs]) / len(pairs)
    fake = tf.add_n([tf.reduce_mean(f) for _, f in pairs]) / len(pairs)
    right = tf.add_n([tf.reduce_mean(tf.cast(r > f, tf.float32)) for r, f in pairs]) / len(pairs)
    return {"real_logits": real, "fake_logits": fake, "d_right": right}
