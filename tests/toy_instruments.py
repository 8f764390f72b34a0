"""Instruments of generators that need no training: a horn and drums."""

import types

import keras
import numpy as np
import tensorflow as tf

from noisygan.generators import Hybrid
from noisygan.generators.generator import Capabilities
from noisygan.rendering import instruments, kits
from tests import toys

RATE = 16000
FLUTE = toys.run("run1", ("pitch", "velocity"), ("flute",), (60, 62, 71))


class Horn(Capabilities):
    """A generator of held notes: three harmonics, breath and a release, louder with velocity."""

    sample_rate, seconds, release_seconds, latent_dim = RATE, 2.0, 0.5, 4
    is_any_length = True
    decay = 0.0

    def prior(self, n, seed):
        return tf.random.stateless_normal([n, 4], [seed, 0])

    def __call__(self, z, conditioning, seconds=None, sample_rate=None, seed=0):
        seconds, rate = seconds or self.seconds, sample_rate or self.sample_rate
        times = np.arange(round(seconds * rate)) / rate
        held = seconds - 0.5
        shape = np.minimum(times / 0.05, 1.0) * np.exp(-14.0 * np.maximum(times - held, 0.0))
        shape = shape * np.exp(-self.decay * times)
        rows = []
        for row, pitch in enumerate(conditioning["pitch"].numpy()):
            hz = 440.0 * 2 ** ((pitch - 69) / 12)
            sound = sum(np.sin(2 * np.pi * k * hz * times) / k**2 for k in (1, 2, 3))
            sound += 0.02 * np.random.default_rng(int(seed[row])).uniform(-1, 1, len(times))
            rows.append(0.004 * conditioning["velocity"].numpy()[row] * shape * sound)
        return types.SimpleNamespace(audio=tf.constant(np.stack(rows), tf.float32), controls={})


class Drums(Capabilities):
    """A generator of drums, whose pitch and length are those of z, conditioned on labels."""

    sample_rate, seconds, latent_dim = RATE, 0.4, 2

    def prior(self, n, seed):
        return tf.random.stateless_normal([n, 2], [seed, 0])

    def __call__(self, z, conditioning, seconds=None, sample_rate=None, seed=0):
        times = np.arange(round((seconds or self.seconds) * (sample_rate or RATE))) / RATE
        pitch = (
            100.0 * np.exp(0.3 * z.numpy()[:, :1]) * (1 + conditioning["label"].numpy()[:, None])
        )
        decay = 0.05 * np.exp(0.5 * z.numpy()[:, 1:])
        sound = 0.5 * np.exp(-times / decay) * np.sin(2 * np.pi * pitch * times)
        sound += 0.1 * np.exp(-times / decay) * np.sin(2 * np.pi * 5000 * times)
        return types.SimpleNamespace(audio=tf.constant(sound, tf.float32), controls={})


DRUMS = toys.run("kit", ("label",), ("cymbal", "kick", "snare", "tom"), generator=Drums())


def horn(n_turns=2, pitches=(60, 67), velocities=(60, 127)):
    zones = instruments.note_zones(FLUTE, pitches, velocities, n_turns)
    return instruments.render_notes(Horn(), zones, None, RATE, 0)


def kit(n_turns=2, velocities=(60, 127)):
    return kits.render_kit(DRUMS, velocities, n_turns, None, RATE, 0)


class Reed(Hybrid):
    """A hybrid whose level rises with velocity and whose keys are out of tune."""

    def get_controls(self, z, conditioning, seconds=None, held_seconds=None):
        controls = super().get_controls(z, conditioning, seconds, held_seconds)
        velocity, pitch = conditioning["velocity"], conditioning["pitch"]
        gain_db = (-24.0 * (1.0 - velocity / 127.0) ** 1.5)[:, None, None]
        gain = 10.0 ** (gain_db / 20.0)
        # Its pitch drifts, differently at each velocity.
        times = tf.range(controls["loudness_db"].shape[1], dtype=tf.float32)[None] / self.frame_rate
        drift = 4.0 * tf.sin(times * velocity[:, None] / 10.0)
        cents = 10.0 * (pitch[:, None] - 60.0) + drift
        return controls | {
            "loudness_db": controls["loudness_db"] + gain_db,
            "harmonic/f0_hz": controls["harmonic/f0_hz"] * 2.0 ** (cents[:, :, None] / 1200.0),
            "harmonic/amplitudes": controls["harmonic/amplitudes"] * gain,
            "noise/magnitudes": controls["noise/magnitudes"] * gain,
        }


def reed():
    """A run of a `Reed`."""
    keras.utils.set_random_seed(1)
    generator = toys.hybrid(vibrato=False, kind=Reed)
    return toys.run("reed", pitches=(60, 64), generator=generator)
