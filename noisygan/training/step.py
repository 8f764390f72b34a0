"""One adversarial training step: update the discriminator, the generator and its moving average.

Every random number is a function of the step's seed, so a resumed run equals an uninterrupted one.
`n_critic`, growth, gradient accumulation, replicas and loss scaling wrap these functions
(`noisygan.training.trainer`).
"""

from typing import NamedTuple

import tensorflow as tf

from noisygan.losses import global_batch
from noisygan.losses.regularizers import DiscriminatorContext
from noisygan.training.step_metrics import diversity_metrics, logit_metrics
from synths.sharing import shared_spectra

# Offsets of a step's seed, so that no two samplers share random numbers.
NOISE_SEED, REGULARIZER_SEED, AUGMENTATION_SEED = 1, 2, 3


def train_step(gan, d, g, ema, batch, seed, active):
    """Update the discriminator, then the generator on the same fakes, then the moving average.

    Args:
      gan: `GANLosses`.
      d, g: `noisygan.training.optimizers.Phase` of the discriminator and of the generator.
      ema: `EMA` of the generator.
      batch: dict of `AudioDataset.batches`: audio [batch, n_samples] and conditioning [batch].
      seed: Stateless seed of the step, int32 [2].
      active: Indices of the regularizers that apply in this step.

    Returns:
      dict of scalars, losses unweighted.
    """
    tape = tf.GradientTape(watch_accessed_variables=False)
    with shared_spectra():
        with tape:
            tape.watch(g.values)
            examples = gan.generate(batch, seed)
        d_metrics = update_discriminator(gan, d, examples, seed, active)
        with tape:
            loss, g_metrics = gan.g_loss(examples)
    g_metrics |= g.update(loss, g.gradients(tape, loss))
    ema.update(g_metrics["g_finite"])
    return d_metrics | g_metrics


def critic_step(gan, d, batch, seed, active):
    """Update the discriminator alone; arguments as of `train_step`."""
    return update_discriminator(gan, d, gan.generate(batch, seed), seed, active)


def update_discriminator(gan, d, examples, seed, active):
    """Update the discriminator on a `RealFakeBatch`; returns dict of scalars."""
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(d.values)
        loss, metrics = gan.d_loss(examples, seed, active)
    return metrics | d.update(loss, d.gradients(tape, loss))


class RealFakeBatch(NamedTuple):
    """Real and fake examples of a step, processed alike for the discriminator.

    Attributes:
      real, fake: Audio, float32 [batch, n_samples], not augmented.
      real_features, fake_features: Front-end features of the augmented audio, lists of tensors.
      conditioning: The batch, dict of [batch, ...] tensors.
      encoded: Conditioning as the discriminator reads it: float32 [batch, n], or None, and
        held_seconds, float32 [batch], or None.
      noise_seed: Seeds of the generator's noise, int32 [batch].
    """

    real: tf.Tensor
    fake: tf.Tensor
    real_features: list
    fake_features: list
    conditioning: dict
    encoded: tuple
    noise_seed: tf.Tensor


class GANLosses:
    """A generator, a discriminator and the losses between them.

    Args:
      generator, discriminator: By their contracts.
      adversarial: A loss pair of `noisygan.losses.adversarial`.
      regularizers: List, of `noisygan.losses.regularizers`.
      generator_losses: List, of `noisygan.losses.generator`.
      condition_encoder: `ConditionEncoder` of the discriminator, or None.
      augmentation: Of `noisygan.training.augmentation`, or None.
    """

    def __init__(
        self,
        generator,
        discriminator,
        adversarial,
        regularizers=(),
        generator_losses=(),
        condition_encoder=None,
        augmentation=None,
    ):
        self.generator = generator
        self.discriminator = discriminator
        self.adversarial = adversarial
        self.regularizers = list(regularizers)
        self.generator_losses = list(generator_losses)
        self.condition_encoder = condition_encoder or (lambda batch: None)
        self.augmentation = augmentation or (lambda audio, seed: audio)

    def generate(self, batch, seed):
        """Sample z and generate fakes under the conditioning of the real examples.

        Args:
          batch: dict of audio [batch, n_samples] and conditioning [batch].
          seed: int32 [2].

        Returns:
          `RealFakeBatch`.
        """
        real = batch["audio"]
        z = global_batch.sample(lambda n: self.generator.prior(n, seed), real.shape[0])
        if any(loss.compares in ("audio", "notes") for loss in self.generator_losses):
            z = self.generator.at_take(z, batch["take"])
        noise_seed = global_batch.sample(
            lambda n: tf.random.stateless_uniform([n], seed + NOISE_SEED, None, None, tf.int32),
            real.shape[0],
        )
        fake = self.generator(z, batch, seed=noise_seed, training=True).audio
        real_features, fake_features = (
            self.discriminator.front_end(self.augmentation(audio, seed + AUGMENTATION_SEED))
            for audio in (real, fake)
        )
        encoded = (self.condition_encoder(batch), batch.get("held_seconds"))
        return RealFakeBatch(real, fake, real_features, fake_features, batch, encoded, noise_seed)

    def score(self, features, encoded):
        """`DiscriminatorOutput` of front-end features, in float32 whatever it computes in."""
        output = self.discriminator.score(features, *encoded)
        return tf.nest.map_structure(lambda x: tf.cast(x, tf.float32), output)

    def d_loss(self, examples, seed, active):
        """The discriminator's loss; no gradient reaches the generator.

        Args:
          examples: `RealFakeBatch`.
          seed: int32 [2].
          active: Indices of the regularizers that apply.

        Returns:
          (weighted loss, dict of its unweighted terms and of logit statistics), scalars.
        """
        context = DiscriminatorContext(
            self.score,
            [tf.stop_gradient(x) for x in examples.real_features],
            [tf.stop_gradient(x) for x in examples.fake_features],
            examples.encoded,
            seed + REGULARIZER_SEED,
            one_pass=self.discriminator.group_size > 0,
        )
        pairs = list(zip(context.real_logits, context.fake_logits, strict=True))
        loss = tf.add_n([self.adversarial.d_loss(real, fake) for real, fake in pairs])
        metrics = {"d_adversarial": loss} | logit_metrics(pairs)
        for regularizer in [self.regularizers[i] for i in active]:
            value = regularizer(context)
            metrics[f"d_{type(regularizer).__name__.lower()}"] = value
            loss += regularizer.weight * regularizer.interval * value
        return loss, metrics

    def g_loss(self, examples):
        """The generator's loss: (weighted loss, dict of its unweighted terms), scalars."""
        real_features = [tf.stop_gradient(x) for x in examples.real_features]
        real = self.score(real_features, examples.encoded)
        fake = self.score(examples.fake_features, examples.encoded)
        pairs = zip(real.logits, fake.logits, strict=True)
        loss = tf.add_n([self.adversarial.g_loss(r, f) for r, f in pairs])
        metrics = {"g_adversarial": loss} | diversity_metrics(examples)
        compared = {
            "audio": lambda: (examples.real, examples.fake),
            "notes": lambda: (
                examples.real,
                examples.fake,
                examples.conditioning.get("held_seconds"),
            ),
            "features": lambda: (real.features, fake.features),
            "prediction": lambda: self.generator.predict(
                examples.real, examples.conditioning, examples.noise_seed
            ),
        }
        for generator_loss in self.generator_losses:
            value = generator_loss(*compared[generator_loss.compares]())
            metrics[f"g_{type(generator_loss).__name__.lower()}"] = value
            loss += generator_loss.weight * value
        return loss, metrics


class EMA:
    """Exponential moving average of a network's weights.

    Args:
      network: A built Keras layer.
      decay: Per step; early steps use less, so that the average forgets the untrained network.
        Weights that are not trainable are copied.

    Attributes:
      averages: Variables, one for each weight.
      step: Steps taken, an int64 variable.
    """

    def __init__(self, network, decay):
        self.weights = network.weights
        self.decay = decay
        self.averages = [tf.Variable(v.value, trainable=False) for v in self.weights]
        self.step = tf.Variable(0, dtype=tf.int64, trainable=False)

    def reset(self):
        """Set the averages to the present weights."""
        for average, variable in zip(self.averages, self.weights, strict=True):
            average.assign(variable.value)

    def update(self, updated):
        """Move the averages if `updated` is 1, not if it is 0, and count the step."""
        step = tf.cast(self.step, tf.float32)
        decay = tf.minimum(self.decay, (1.0 + step) / (10.0 + step))
        for average, variable in zip(self.averages, self.weights, strict=True):
            if variable.trainable:
                average.assign_sub(updated * (1.0 - decay) * (average - variable.value))
            else:
                average.assign(tf.where(updated > 0.0, variable.value, average))
        self.step.assign_add(1)
