"""Training before the adversarial training: of a part, or of the generator's first sounds."""

import numpy as np
import tensorflow as tf

from noisygan.errors import UsageError
from noisygan.generators.autoencoder import gaussian
from noisygan.losses import global_batch
from noisygan.training.optimizers import Adam, Phase
from synths.spectral import log_mel

# Maximum number of recordings that the latent distribution is fitted to.
_N_LATENTS = 4096


class TrainAutoencoder:
    """Train the generator's autoencoder on the data; an entry of `Trainer.pretraining`.

    The loss is the squared error relative to each recording's power, so that quiet ones count as
    well. The distribution of latents is then fitted to those of the data.

    Args:
      steps: Updates.
      batch_size: Recordings in each.
      learning_rate: Of Adam.
    """

    def __init__(self, steps=1500, batch_size=32, learning_rate=1e-3):
        self.steps = steps
        self.batch_size = batch_size
        self.learning_rate = learning_rate

    def __call__(self, trainer, notes, seed, log):
        """Train; UsageError for a generator without an autoencoder."""
        generator = trainer.generator
        autoencoder = getattr(generator, "autoencoder", None)
        if autoencoder is None:
            raise UsageError(
                f"TrainAutoencoder: {type(generator).__name__} has no autoencoder; expected "
                "SampleGAN, GrowingGAN.autoencoder = @Autoencoder(), or Trainer.pretraining = []"
            )
        variables = [v for layer in autoencoder.layers for v in layer.weights]
        optimizer = Adam(self.learning_rate, beta_1=0.9, beta_2=0.999, decay_steps=self.steps)
        with trainer.replicas.scope():
            optimizer = optimizer.build(variables)
        values = [v.value for v in variables]

        def update(batch):
            audio = batch["audio"]
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(values)
                error = tf.reduce_mean((autoencoder(audio) - audio) ** 2, axis=1)
                share = tf.reduce_mean(error / (tf.reduce_mean(audio**2, axis=1) + 1e-4))
            share, gradients = global_batch.mean((share, tape.gradient(share, values)))
            global_batch.apply_gradients(optimizer, gradients, variables)
            return share

        log(f"autoencoder: {self.steps} steps before the adversaries begin")
        trainer.replicas.check([self.batch_size], name="TrainAutoencoder.batch_size")
        batches = trainer.replicas.batches(notes, self.batch_size, seed, n_batches=self.steps)
        update = trainer.replicas.compiled(update)
        shares = [update(batch) for batch in batches]
        chosen = np.random.default_rng(seed).permutation(len(notes))[:_N_LATENTS]
        encode = tf.function(autoencoder.encode, autograph=False)
        latents = [
            encode(np.stack([notes.audio(i) for i in part]))
            for part in np.array_split(chosen, -(-len(chosen) // 256))
        ]
        autoencoder.set_distribution(*gaussian(np.concatenate(latents)))
        share = float(tf.reduce_mean(shares[-50:]))
        log(f"autoencoder: the error is {10 * np.log10(share + 1e-12):.1f} dB of the sounds")


class MatchSpectrum:
    """Fit the untrained generator's mean spectrum to the data; an entry of `Trainer.pretraining`.

    The loss is the difference of the log-mel spectrograms of the fake and real batch, each averaged
    over its rows, so every latent starts from the same spectrum and envelope.

    Args:
      steps: Updates of the generator.
      learning_rate: Of Adam.

    References:
      Falini 2021, section 6: snares and hi-hats, which resemble an untrained generator's noise,
      trained more reliably than kicks; it proposes to choose the initial weights.
    """

    def __init__(self, steps=100, learning_rate=1e-3):
        self.steps = steps
        self.learning_rate = learning_rate

    def __call__(self, trainer, notes, seed, log):
        """Fit all weights of the generator."""
        generator = trainer.generator
        variables = generator.trainable_variables
        with trainer.replicas.scope():
            phase = Phase("spectrum", variables, Adam(self.learning_rate).build(variables))

        def update(batch, seed):
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(phase.values)
                examples = trainer.gan.generate(trainer.plan.downsample(batch), seed)
                real, fake = (
                    tf.reduce_mean(log_mel(audio, generator.sample_rate, floor=1e-3), axis=0)
                    for audio in (examples.real, examples.fake)
                )
                loss = tf.reduce_mean(tf.abs(real - fake))
            phase.update(loss, phase.gradients(tape, loss))
            return global_batch.mean(loss)

        batches = trainer.replicas.batches(notes, trainer.batch_size, seed, n_batches=self.steps)
        update = trainer.replicas.compiled(update)
        losses = [
            update(batch, tf.constant([seed, -1 - step], tf.int32))
            for step, batch in enumerate(batches)
        ]
        before, after = (20.0 / np.log(10.0) * float(losses[i]) for i in (0, -1))
        log(f"spectrum: {before:.1f} dB from that of the recordings, {after:.1f} dB after the fit")
