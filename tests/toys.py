"""Small systems that train in a moment, for tests that need a whole one."""

import pathlib
import tempfile
import types

import numpy as np

from cppn import CPPN, Attack, Linear, Release, Vibrato
from discriminators import (
    MFCC,
    ConditionEncoder,
    LogMel,
    MFCCDiscriminator,
    SpectrogramDiscriminator,
)
from noisygan.data.dataset import AudioDataset
from noisygan.generators import Hybrid
from noisygan.generators.pitch import ConditionedPitch
from noisygan.generators.voices import HarmonicVoice, NoiseVoice

SAMPLE_RATE = 16000
N_SAMPLES = 4000


def curve(n_channels, name, vibrato=True, units=8, **settings):
    """A small CPPN; without a vibrato it comes to rest."""
    coordinates = [Attack((0.005, 0.02)), Release((0.01, 0.03), ramp_seconds=0.1)]
    coordinates += [Vibrato()] if vibrato else []
    return CPPN(n_channels, coordinates, units=units, n_layers=1, name=name, **settings)


def drifting_curve(n_channels, name):
    """A small CPPN that never comes to rest."""
    coordinates = [Linear(N_SAMPLES / SAMPLE_RATE), Release((0.01,), ramp_seconds=0.1)]
    return CPPN(n_channels, coordinates, units=8, n_layers=1, name=name)


def hybrid(vibrato=True, kind=Hybrid, **changes):
    """A hybrid generator of a quarter of a second; `changes` are arguments of `Hybrid`."""
    settings = {
        "f0_curve": curve(1, "f0", vibrato, output_scale=0.1),
        "loudness_curve": curve(1, "loudness", vibrato, output_scale=0.1),
        "timbre_curves": curve(8, "timbre", vibrato),
        "voices": [HarmonicVoice(n_harmonics=6), NoiseVoice(n_bands=9)],
        "pitch": ConditionedPitch(),
        "condition_encoder": ConditionEncoder(("pitch", "velocity")),
        "latent_dim": 4,
        "latent_units": 8,
        "sample_rate": SAMPLE_RATE,
        "seconds": N_SAMPLES / SAMPLE_RATE,
        "release_seconds": 0.1,
        "frame_rate": 100.0,
    }
    return kind(**(settings | changes))


def discriminator(kind=MFCCDiscriminator, **changes):
    """A small discriminator over MFCCs, or over log-mel bands."""
    views = {
        MFCCDiscriminator: MFCC(hop_length=128, n_mels=20, n_mfcc=8),
        SpectrogramDiscriminator: LogMel(n_fft=512, hop_length=128, n_mels=16),
    }
    return kind(**({"view": views[kind], "n_filters": (4, 6), "kernel_size": 3} | changes))


def conditioning(pitch=(60.0, 67.0, 72.0), velocity=(50.0, 100.0, 127.0), label=(0, 0, 0)):
    """Conditions of a few notes, as a batch of recordings brings them."""
    import tensorflow as tf

    return {
        "pitch": tf.constant(pitch, tf.float32),
        "velocity": tf.constant(velocity, tf.float32),
        "label": tf.constant(label, tf.int32),
    }


def notes(folder="toys", n=8, n_samples=N_SAMPLES, seed=0, **changes):
    """An `AudioDataset` of n short decaying tones with some breath."""
    rng = np.random.default_rng(seed)
    pitch = np.linspace(57, 76, n).round().astype(np.float32)
    velocity = np.linspace(40, 120, n).round().astype(np.float32)
    times = np.arange(n_samples) / SAMPLE_RATE
    hz = 440 * 2 ** ((pitch[:, None] - 69) / 12)
    level = 0.5 * velocity[:, None] / 127 * np.exp(-4 * times) * np.minimum(times / 0.01, 1)
    audio = np.sin(2 * np.pi * hz * times) + 0.4 * np.sin(4 * np.pi * hz * times)
    audio = level * (0.6 * audio + 0.05 * rng.normal(size=(n, n_samples)))
    settings = {
        "folder": folder,
        "names": [f"toy-{i}" for i in range(n)],
        "paths": [f"{folder}/toy-{i}.wav" for i in range(n)],
        "sample_rate": SAMPLE_RATE,
        "n_samples": n_samples,
        "pitch": pitch,
        "velocity": velocity,
        "label": np.zeros(n),
        "label_names": ["toy"],
        "fingerprint": "0123456789abcdef",
        "audio": audio.astype(np.float32),
    }
    return AudioDataset(**(settings | changes))


def strings(inharmonicity=2e-3, n=4):
    """An `AudioDataset` of n short tones with six stretched partials."""
    pitch, orders = np.linspace(57, 69, n).round().astype(np.float32), np.arange(1, 7)
    hz = 440 * 2 ** ((pitch[:, None, None] - 69) / 12) * orders
    times = np.arange(N_SAMPLES)[:, None] / SAMPLE_RATE
    waves = np.sin(2 * np.pi * hz * np.sqrt(1 + inharmonicity * orders**2) * times) / orders
    return notes(n=n, audio=0.3 * waves.sum(2).astype(np.float32), pitch=pitch)


def metadata(**changes):
    """Contents of run.json, as a training on `notes` writes them."""
    return {
        "format": 3,
        "noisygan": "0.2.0",
        "versions": {"python": "3.11.7"},
        "command": ["noisygan", "train"],
        "started": "2026-01-02T03:04:05+00:00",
        "seed": 0,
        "deterministic": False,
        "threads": None,
        "replicas": 1,
        "data": {"folder": "toys", "fingerprint": "00", "n_recordings": 8, "summary": "8 toys"},
        "label_names": ["toy"],
        "pitches": [57, 76],
        "sample_rate": SAMPLE_RATE,
        "n_samples": N_SAMPLES,
        **changes,
    }


def trainer(regularizers=(), **changes):
    """A `Trainer` of the small systems, not built; `changes` are its arguments."""
    from noisygan.losses import Relativistic
    from noisygan.training.optimizers import Adam
    from noisygan.training.trainer import Trainer

    settings = {
        "generator": hybrid(),
        "discriminator": discriminator(),
        "adversarial": Relativistic(),
        "regularizers": regularizers,
        "condition_encoder": ConditionEncoder(("pitch", "velocity")),
        "batch_size": 3,
        "g_optimizer": Adam(3e-3),
        "d_optimizer": Adam(3e-3),
    }
    return Trainer(**(settings | changes))


def waveform_trainer(regularizers=(), **changes):
    """A `Trainer` of raw-waveform networks, whose step is traced in a third of the time."""
    from discriminators.waveform import WaveGANDiscriminator
    from noisygan.generators.wavegan import WaveGAN

    networks = {
        "generator": WaveGAN(N_SAMPLES, SAMPLE_RATE, latent_dim=4, units=2, kernel_size=5),
        "discriminator": WaveGANDiscriminator(N_SAMPLES, units=2, kernel_size=5),
    }
    return trainer(regularizers, **(networks | changes))


def quick_trainer(**changes):
    """A `Trainer` whose steps depend on the recordings so far, `taken`, and take no time."""
    import tensorflow as tf

    made = trainer(**changes)
    made.taken = []

    def train_step(batches, step):
        weight = made.generator.trainable_variables[0]
        for batch in [next(batches) for _ in range(made.n_critic)]:
            made.taken += batch["pitch"].numpy().tolist()
            weight.assign(0.9 * weight + tf.reduce_mean(batch["audio"]) * 1e3)
        made.g_ema.reset()
        made.g_ema.step.assign_add(1)
        one = tf.constant(1.0)
        return {"d_finite": one, "g_finite": one, "g_loss": tf.reduce_sum(weight.value)}

    made.train_step = train_step
    return made


def parse_config(text, overrides=(), name="my.gin"):
    """Load a config from text, as a file of this name."""
    from noisygan import config

    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / name
        path.write_text(text, encoding="utf-8")
        config.parse([path], overrides)


def run(
    name,
    condition_names=("pitch", "velocity"),
    label_names=(),
    pitches=(),
    generator=None,
    tag_values=None,
    tag_rows=(),
):
    """A stand-in for a `noisygan.Run`, as far as rendering needs it."""
    return types.SimpleNamespace(
        name=name,
        path=pathlib.Path("runs", name),
        condition_names=condition_names,
        label_names=label_names,
        pitches=pitches,
        generator=generator,
        tag_values=tag_values or {},
        tag_rows=[dict(zip(("label", *(tag_values or {})), row, strict=True)) for row in tag_rows],
    )
