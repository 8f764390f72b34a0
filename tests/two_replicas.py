"""Trains small systems on one device and on two replicas; prints what came of both as JSON.

A separate program, because the number of logical processors is fixed once TensorFlow has begun.
"""

import json

import numpy as np
import tensorflow as tf

from discriminators.drum_dcgan import DrumDCGANDiscriminator
from discriminators.growing_gan import GrowingGANDiscriminator
from discriminators.recurrent import RecurrentDiscriminator
from noisygan.generators.autoencoder import Autoencoder
from noisygan.generators.drum_dcgan import DrumDCGAN
from noisygan.generators.growing_gan import GrowingGAN
from noisygan.generators.sample_gan import SampleGAN
from noisygan.losses import BCE, R1, R2, Drift, GradientPenalty, Relativistic, Wasserstein
from noisygan.losses.generator import ClippingPenalty, FeatureMatch, SpectralMatch
from noisygan.training.augmentation import Augmentation, Gain, Noise, Polarity, Shift, TimeMask
from noisygan.training.distribution import connect
from noisygan.training.growth import Growth
from noisygan.training.optimizers import Adam
from noisygan.training.pretraining import TrainAutoencoder
from noisygan.training.trainer import Trainer
from tests import toys


def steady_adam():
    """Adam whose steps follow small gradients smoothly: rounding is not blown up to whole steps."""
    return Adam(3e-3, beta_1=0.5, epsilon=1e-2)


def hybrid():
    """Every loss that ties rows together, and every augmentation."""
    return toys.trainer(
        [],
        generator_losses=[SpectralMatch(0.5, (256,)), FeatureMatch(0.5)],
        augmentation=Augmentation([Polarity(), Gain(), Shift(), Noise(-20.0), TimeMask()]),
        batch_size=4,
        g_optimizer=steady_adam(),
        d_optimizer=steady_adam(),
    )


def batch_norm():
    """A generator that normalises each batch."""
    return Trainer(
        DrumDCGAN(128, toys.SAMPLE_RATE, 4, seed_channels=4, filters=(4, 3, 3, 2)),
        DrumDCGANDiscriminator(128, (4, 3), (4, 4), (1, 1), kernel_size=5, dropout=0.0),
        BCE(),
        [R2(0.5)],
        [ClippingPenalty(0.01)],
        n_critic=2,
        batch_size=4,
        g_optimizer=steady_adam(),
        d_optimizer=steady_adam(),
    )


def growing(batch_sizes=(4, 8)):
    """Two networks that grow after a step, with minibatch deviation and other batches behind it."""
    sizes = {"filters": (3, 2), "n_seed": 64, "kernel_size": 3}
    return Trainer(
        GrowingGAN(sample_rate=toys.SAMPLE_RATE, latent_dim=4, **sizes),
        GrowingGANDiscriminator(group_size=2, **sizes),
        Wasserstein(),
        [GradientPenalty(10.0), R1(0.1), Drift(1e-3)],
        batch_size=batch_sizes[0],
        growth=Growth(sounds=4, fade_sounds=16, batch_sizes=list(batch_sizes)),
        g_optimizer=steady_adam(),
        d_optimizer=steady_adam(),
    )


def pretrained():
    """A system with something that is trained before the adversaries."""
    autoencoder = Autoencoder(128, latent_dim=4, units=4)
    return Trainer(
        SampleGAN(128, toys.SAMPLE_RATE, autoencoder, units=4, block=32),
        RecurrentDiscriminator(128, units=4, block=32),
        Relativistic(),
        pretraining=[TrainAutoencoder(steps=2, batch_size=4)],
        batch_size=4,
        g_optimizer=steady_adam(),
        d_optimizer=steady_adam(),
    )


SYSTEMS = {
    "hybrid": (hybrid, toys.N_SAMPLES),
    "batch_norm": (batch_norm, 128),
    "growing": (growing, 128),
    "pretrained": (pretrained, 128),
}
STEPS = 2


def train(make, n_samples, replicas):
    """A few steps, seen from outside: metrics by step, and all numbers of the state."""
    with replicas.scope():
        trainer = make()
    trainer.replicas = replicas
    notes = toys.notes(n_samples=n_samples)
    trainer.build(notes, seed=7)
    for prepare in trainer.pretraining:
        prepare(trainer, notes, 7, lambda text: None)
    batches = trainer.batches(notes, 0)
    metrics = []
    for step in range(STEPS):
        tensors = trainer.train_step(batches, step)
        metrics.append({name: float(value) for name, value in tensors.items()})
    state = {}
    for name, values in trainer.checkpointed.items():
        values = values if isinstance(values, list) else [values]
        state[name] = np.concatenate([np.ravel(v.numpy()).astype(float) for v in values])
    copies = []
    for variable in trainer.checkpointed["generator"]:
        local = [v.numpy() for v in getattr(variable, "values", [variable])]
        copies.append(max(float(np.abs(v - local[0]).max()) for v in local))
    return metrics, state, max(copies)


def main():
    """Prints, by system: metrics of both, differences of their states, and of copies."""
    cpu = tf.config.list_physical_devices("CPU")[0]
    # Each program runs once or twice: it is not worth optimizing.
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    one, two = connect("auto"), connect("mirrored")
    found = {"replicas": [one.n_replicas, two.n_replicas]}
    for name, (make, n_samples) in SYSTEMS.items():
        # Quicker without tracing; replicas can't gather without it.
        tf.config.run_functions_eagerly(True)
        ones, state, _ = train(make, n_samples, one)
        tf.config.run_functions_eagerly(False)
        twos, other, copies_apart = train(make, n_samples, two)
        apart = {part: float(np.abs(state[part] - other[part]).max()) for part in state}
        found[name] = {
            "one": ones,
            "two": twos,
            "apart": apart,
            "copies_apart": copies_apart,
        }
    print("FOUND " + json.dumps(found))


if __name__ == "__main__":
    main()
