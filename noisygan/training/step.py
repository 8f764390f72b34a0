"""One step of each phase of adversarial training, as compiled functions.

A phase updates one network. Every random number is a function of (seed, step, phase) and, where a
batch is taken in parts, of the part, so a run that is taken up again goes on exactly as it would
have.
"""

from typing import NamedTuple

import tensorflow as tf

from noisygan.losses import global_batch
from noisygan.losses.regularizers import DiscriminatorContext
from noisygan.training.balance import Unbalanced


class Phase(NamedTuple):
    """A network and what updates it.

    Attributes:
      name: "d" or "g".
      variables: What it updates.
      optimizer: A built Keras optimizer.
    """

    name: str
    variables: list
    optimizer: object


def update(phase, loss, gradients, wanted=True):
    """Updates a phase's variables.

    An update whose loss or gradients are not finite is left out; `<phase>_finite` is 0 then.

    Args:
      phase: A `Phase`.
      loss: Scalar, the mean over this replica's rows.
      gradients: One for each variable, of `phase.optimizer.scale_loss(loss)`; None counts as 0.
      wanted: Whether there is to be an update at all, a boolean or a scalar of such.

    Returns:
      dict of scalars: loss, norm of the gradients, whether they were finite.
    """
    gradients = [
        tf.zeros_like(v.value) if g is None else tf.convert_to_tensor(g)
        for g, v in zip(gradients, phase.variables, strict=True)
    ]
    loss, gradients = global_batch.mean((loss, gradients))
    scale = getattr(phase.optimizer, "dynamic_scale", None)
    norm = tf.linalg.global_norm(gradients)
    norm = norm if scale is None else norm / scale.value
    finite = tf.math.is_finite(norm) & tf.math.is_finite(loss)

    if scale is not None:
        # An optimizer that scales must see what is not finite, which it leaves out itself; it looks
        # at gradients alone, and those of an infinite loss may be finite.
        gradients = [g + tf.where(finite, 0.0, float("nan")) for g in gradients]

    def apply():
        global_batch.apply_gradients(phase.optimizer, gradients, phase.variables)
        return True

    tried = finite & wanted if scale is None else tf.logical_not(finite) | wanted
    tf.cond(tried, apply, lambda: False)
    ok = tf.cast(finite, tf.float32)
    return {f"{phase.name}_loss": loss, f"{phase.name}_gradient": norm, f"{phase.name}_finite": ok}


class RealFakeBatch(NamedTuple):
    """Recordings and generated sounds of one round, on the same road to the discriminator.

    Attributes:
      real, fake: Audio, [batch, n_samples], not augmented.
      real_features, fake_features: Front-end features, lists.
      conditioning: Features of the conditions, or None.
      prediction: Recordings behind what was read of them, and what the generator said would come,
        [batch, n] each, or None where no loss asks for it.
    """

    real: object
    fake: object
    real_features: list
    fake_features: list
    conditioning: object
    prediction: object = None


class GANLosses:
    """A generator, a discriminator, and the losses between them.

    Args:
      generator, discriminator: By their contracts.
      condition_encoder: `ConditionEncoder` or None: what the discriminator is told.
      adversarial: A pair of `noisygan.losses.adversarial`.
      regularizers: Of `noisygan.losses.regularizers`.
      matching: Of `noisygan.losses.matching`.
      seen: From recordings to what networks see of them that still grow.
      augmentation: Of `noisygan.training.augmentation`: what is done to all sounds alike before
        the discriminator, or None.
      balance: Of `noisygan.training.balance`, or None.
    """

    def __init__(
        self,
        generator,
        discriminator,
        condition_encoder,
        adversarial,
        regularizers,
        matching,
        seen=lambda audio: audio,
        augmentation=None,
        balance=None,
    ):
        self.generator = generator
        self.discriminator = discriminator
        self.condition_encoder = condition_encoder
        self.adversarial = adversarial
        self.regularizers = list(regularizers)
        self.matching = list(matching)
        self.predicts = any(match.compares == "prediction" for match in self.matching)
        self.seen = seen
        self.balance = balance or Unbalanced()
        self.balance.check(adversarial, self.regularizers)
        self.augmentation = augmentation or (lambda audio, seed: audio)

    def score(self, features, conditioning):
        """Discriminator output of features, in float32 whatever it computes in."""
        output = self.discriminator.score(features, conditioning)
        return tf.nest.map_structure(lambda x: tf.cast(x, tf.float32), output)

    def sounds(self, batch, seed, part=(0, 1)):
        """Generate fakes under the conditions of the batch's real examples.

        Args:
          batch: dict, as of `AudioDataset.batches`.
          seed: int32 [2].
          part: (i, n): the batch is the i-th, a number or a scalar, of n parts of one.
        """
        real = self.seen(batch["audio"])
        n, (i, n_parts) = real.shape[0], part

        def drawn(draw):
            return _rows(global_batch.sample(draw, n * n_parts), i, n_parts)

        z = drawn(lambda n: self.generator.prior(n, seed))
        noise_seed = drawn(
            lambda n: tf.random.stateless_uniform([n], seed + 1, None, None, dtype=tf.int32)
        )
        part_seed = seed + tf.stack([i, 0])
        fake = self.generator(z, batch, seed=noise_seed, training=True).audio
        return RealFakeBatch(
            real=real,
            fake=fake,
            real_features=self.discriminator.front_end(self.augmentation(real, part_seed + 3)),
            fake_features=self.discriminator.front_end(self.augmentation(fake, part_seed + 3)),
            conditioning=self.condition_encoder(batch) if self.condition_encoder else None,
            prediction=self.generator.predict(real, batch, noise_seed) if self.predicts else None,
        )

    def d_update(self, phase, sounds, seed, active):
        """Updates the discriminator.

        Args:
          phase: Its `Phase`.
          sounds: `RealFakeBatch`; no gradient reaches the generator.
          seed: int32 [2], for regularizers that draw numbers.
          active: Indices of the regularizers that apply in this round.

        Returns:
          dict of scalars, unweighted.
        """
        loss, gradients, metrics = self.d_gradients(phase, sounds, seed, active)
        return metrics | update(phase, loss, gradients, self.balance.learns)

    def d_gradients(self, phase, sounds, seed, active):
        """(loss, gradients of the scaled loss, dict of scalars); arguments as of `d_update`."""
        real_features = [tf.stop_gradient(m) for m in sounds.real_features]
        fake_features = [tf.stop_gradient(m) for m in sounds.fake_features]
        conditioning = sounds.conditioning
        twice = None if conditioning is None else tf.concat([conditioning] * 2, axis=0)
        values = [v.value for v in phase.variables]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(values)
            both = [
                tf.concat(pair, axis=0) for pair in zip(real_features, fake_features, strict=True)
            ]
            chosen = [self.regularizers[index] for index in active]
            # Penalties at both sides take their gradients from this one pass.
            at = {getattr(regularizer, "slopes_at", None) for regularizer in chosen}
            if {"real", "fake"} <= at:
                with tf.GradientTape(watch_accessed_variables=False) as inner:
                    inner.watch(both)
                    logits = self.score(both, twice).logits
                    total = tf.add_n([tf.reduce_sum(x) for x in logits])
                pairs = [tf.split(x, 2) for x in inner.gradient(total, both)]
                slopes = tuple(zip(*pairs, strict=True))
            else:
                logits, slopes = self.score(both, twice).logits, None
            halves = [tf.split(x, 2) for x in logits]
            loss = tf.add_n([self.adversarial.d_loss(r, f) for r, f in halves])
            metrics = {"d_adversarial": loss} | _logit_metrics(halves)
            metrics |= self.balance.told(loss, len(halves))
            context = DiscriminatorContext(
                score=lambda features: self.score(features, conditioning),
                real_features=real_features,
                fake_features=fake_features,
                real_logits=[r for r, _ in halves],
                seed=seed,
                slopes=slopes,
            )
            for regularizer in chosen:
                value = regularizer(context)
                metrics[f"d_{type(regularizer).__name__.lower()}"] = value
                loss += self.balance.penalty * regularizer.weight * regularizer.interval * value
            scaled = phase.optimizer.scale_loss(loss)
        return loss, tape.gradient(scaled, values), metrics

    def g_loss(self, sounds):
        """The generator's loss and its parts: (scalar, dict of scalars, unweighted)."""
        score = self.score
        real = score([tf.stop_gradient(m) for m in sounds.real_features], sounds.conditioning)
        fake = score(sounds.fake_features, sounds.conditioning)
        pairs = zip(real.logits, fake.logits, strict=True)
        loss = tf.add_n([self.adversarial.g_loss(r, f) for r, f in pairs])
        peaks = global_batch.gather(tf.reduce_max(tf.abs(sounds.fake), axis=1))
        metrics = {
            "g_adversarial": loss,
            "fake_spread": spread(sounds.fake_features),
            "real_spread": spread(sounds.real_features),
            "fake_peak": tf.reduce_max(peaks),
            "fake_quietest_peak": tf.reduce_min(peaks),
        }
        compared = {
            "audio": (sounds.real, sounds.fake),
            "features": (real.features, fake.features),
            "prediction": sounds.prediction,
        }
        for match in self.matching:
            value = match(*compared[match.compares])
            metrics[f"g_{type(match).__name__.lower()}"] = value
            loss += match.weight * value
        return loss, metrics


def _rows(x, part, n_parts):
    """The rows of x, [batch, ...], that belong to a part."""
    if n_parts == 1:
        return x
    return tf.reshape(x, [n_parts, x.shape[0] // n_parts, *x.shape[1:]])[part]


def spread(features):
    """Mean distance between the features of different rows, relative to their size: diversity."""
    total = 0.0
    for m in features:
        # The mean of a waveform is silence: of waveforms, levels are compared.
        pooled = _levels(m) if m.shape[-1] == 1 else tf.reduce_mean(m, axis=1)
        pooled = global_batch.gather(tf.reshape(pooled, [tf.shape(pooled)[0], -1]))
        distances = tf.norm(pooled[:, None] - pooled[None] + 1e-9, axis=2)
        total += tf.reduce_mean(distances)
    return total / len(features)


def _levels(waveform, n_parts=32):
    """Root mean squares of parts of waveforms [batch, n_samples, 1]: [batch, n_parts]."""
    n_parts = min(n_parts, waveform.shape[1])
    n = waveform.shape[1] // n_parts
    parts = tf.reshape(waveform[:, : n * n_parts], [-1, n_parts, n])
    return tf.sqrt(tf.reduce_mean(parts**2, axis=2) + 1e-12)


def _logit_metrics(pairs):
    real = tf.add_n([tf.reduce_mean(r) for r, _ in pairs]) / len(pairs)
    fake = tf.add_n([tf.reduce_mean(f) for _, f in pairs]) / len(pairs)
    right = tf.add_n([tf.reduce_mean(tf.cast(r > f, tf.float32)) for r, f in pairs]) / len(pairs)
    return {"real_logits": real, "fake_logits": fake, "d_right": right}


def over_rounds(rounds):
    """The discriminator's metrics of a step's rounds: means, and whether all were finite."""
    values = {}
    for metrics in rounds:
        for name, value in metrics.items():
            values.setdefault(name, []).append(value)
    return {
        name: tf.reduce_min(v) if name == "d_finite" else tf.reduce_mean(v)
        for name, v in values.items()
        if len(v) > 1 or name.startswith("d_")
    }
