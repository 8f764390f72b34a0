"""Training of parts before the adversarial training; they are fixed afterwards."""

import numpy as np
import tensorflow as tf

from noisygan.errors import UsageError
from noisygan.generators.autoencoder import gaussian
from noisygan.losses import global_batch
from noisygan.training.optimizers import Adam

# Maximum number of recordings that the latent distribution is fitted to.
_N_LATENTS = 4096


class TrainAutoencoder:
    """Train the generator's autoencoder on the data; an entry of `Trainer.pretraining`.

    The loss is the squared error relative to each recording's power, so that quiet ones count as
    well. The generator's latent distribution is then fitted to the latents of the data.

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
                "SampleGAN, or Trainer.pretraining = []"
            )
        variables = autoencoder.weights
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
        generator.set_latent_distribution(*gaussian(np.concatenate(latents)))
        share = float(tf.reduce_mean(shares[-50:]))
        log(f"autoencoder: the error is {10 * np.log10(share + 1e-12):.1f} dB of the sounds")
