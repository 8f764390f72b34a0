"""One entry for every public processor, network, discriminator, voice and generator.

An entry says how to make a small one, what to call it with and what comes out; the tests of
`test_contracts.py` do the rest.
"""

import dataclasses
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from cppn import CPPN, Attack, Deconvolution, Linear, Periodic, Release, Vibrato
from discriminators import (
    Conditions,
    MFCCDiscriminator,
    MultiDiscriminator,
    SpectrogramDiscriminator,
)
from discriminators.readout import Flatten
from noisygan.generators import Hybrid
from noisygan.generators.decoders import RecurrentDecoder
from noisygan.generators.humanize import Humanize, Unsteadiness
from noisygan.generators.voices import HarmonicVoice, NoiseVoice
from synths import FilteredNoise, Harmonic, Reverb
from tests import toys

BATCH, N_FRAMES, N_SAMPLES = 3, 5, 400
TIMES = tf.range(N_FRAMES, dtype=tf.float32) / 20.0


@dataclasses.dataclass(frozen=True)
class Case:
    """How the contract is checked of one class.

    Attributes:
      covers: The class.
      make: Makes a small one, ready to be called.
      inputs: Tensors by name, each [BATCH, ...].
      shapes: Shapes of the outputs by name; each begins with BATCH.
      call: (object, inputs) to a dict of outputs.
      without_gradient: Inputs (whole numbers, seeds) that have none.
      seed: Name of the input that is a seed, where there is one.
      unknown_axes: How many leading axes of the inputs may be unknown in a graph.
      n_rows: How many rows, from the first, do not depend on their place in the batch.
      tolerance: Of rounding between ways of computing, relative to an output's largest number.
    """

    covers: type
    make: Callable
    inputs: dict
    shapes: dict
    call: Callable
    without_gradient: tuple = ()
    seed: str = ""
    unknown_axes: int = 1
    n_rows: int = BATCH
    tolerance: float = 2e-5


def numbers(*shape, low=-1.0, high=1.0):
    rng = np.random.default_rng(sum(shape))
    return tf.constant(rng.uniform(low, high, (BATCH, *shape)), tf.float32)


def process(processor, inputs):
    """Controls and signal of a processor."""
    both = processor(**inputs, return_outputs_dict=True)
    return both["controls"] | {"signal": both["signal"]}


def judge(discriminator, inputs):
    output = discriminator(inputs["audio"], inputs["conditioning"])
    named = {f"logits_{i}": logits for i, logits in enumerate(output.logits)}
    for i, maps in enumerate(output.features):
        named |= {f"map_{i}_{j}": m for j, m in enumerate(maps)}
    return named


def adapted(make):
    def made():
        discriminator = make()
        discriminator.adapt(toys.notes(n=BATCH)._audio)
        return discriminator

    return made


def draw(network, inputs):
    return {"curves": network(TIMES, inputs["note_off"], inputs["code"])}


def sing(voice, inputs):
    """Controls and sound of a voice."""
    controls = voice.get_controls(inputs["decoded"], inputs["f0_hz"], inputs["loudness_db"])
    audio = voice.render(controls, N_SAMPLES, 16000, inputs["seed"], **voice.settings)
    return controls | {"audio": audio}


def generate(generator, inputs):
    inputs = dict(inputs)
    output = generator(inputs.pop("z"), inputs, seed=inputs.pop("seed"))
    return output.controls | {"audio": output.audio}


SEED = tf.constant([3, 4, 5])
PITCHED = {"f0_hz": numbers(N_FRAMES, 1, low=200.0, high=900.0)}
CODED = {"note_off": tf.constant([0.05, 0.1, 0.15]), "code": numbers(6)}
JUDGED = {"audio": tf.constant(toys.notes(n=BATCH)._audio), "conditioning": numbers(7)}
SUNG = {"decoded": numbers(N_FRAMES, 6), "loudness_db": numbers(N_FRAMES, 1, low=-30.0)}
ASKED = toys.conditioning(velocity=(50, 100, 110), label=(0, 1, 2)) | {
    "z": numbers(4),
    "seed": SEED,
}
# A rounded F0 is a phase that runs away slowly, harmonics so many times faster.
PHASE = 5e-4
MFCC_SHAPES = {"logits_0": (3,), "map_0_0": (3, 16, 4, 4), "map_0_1": (3, 8, 2, 6)}
MEL_SHAPES = {"logits_0": (3,), "map_0_0": (3, 16, 8, 4), "map_0_1": (3, 8, 4, 6)}
CONTROL_SHAPES = {
    "loudness_db": (3, 25, 1),
    "harmonic/f0_hz": (3, 25, 1),
    "harmonic/amplitudes": (3, 25, 1),
    "harmonic/harmonic_distribution": (3, 25, 6),
    "noise/magnitudes": (3, 25, 9),
    "audio": (3, 4000),
}

CASES = {
    "Harmonic": Case(
        covers=Harmonic,
        make=lambda: Harmonic(N_SAMPLES),
        inputs={
            "amplitudes": numbers(N_FRAMES, 1),
            "harmonic_distribution": numbers(N_FRAMES, 4),
            **PITCHED,
        },
        shapes={
            "amplitudes": (3, 5, 1),
            "harmonic_distribution": (3, 5, 4),
            "f0_hz": (3, 5, 1),
            "signal": (3, 400),
        },
        call=process,
        unknown_axes=3,
    ),
    "FilteredNoise": Case(
        covers=FilteredNoise,
        make=lambda: FilteredNoise(N_SAMPLES),
        inputs={"magnitudes": numbers(N_FRAMES, 9)},
        shapes={"magnitudes": (3, 5, 9), "signal": (3, 400)},
        call=process,
        unknown_axes=3,
        n_rows=1,  # Row i takes the synth's seed + i.
    ),
    "FilteredNoise with seeds": Case(
        covers=FilteredNoise,
        make=lambda: FilteredNoise(N_SAMPLES, scale_fn=None),
        inputs={"magnitudes": numbers(N_FRAMES, 9), "seed": SEED},
        shapes={"signal": (3, 400)},
        call=lambda synth, inputs: {"signal": synth.get_signal(**inputs)},
        without_gradient=("seed",),
        seed="seed",
    ),
    "Reverb": Case(
        covers=Reverb,
        make=lambda: Reverb(reverb_length=50),
        inputs={"audio": numbers(N_SAMPLES)},
        shapes={"audio": (3, 400), "signal": (3, 400)},
        call=lambda reverb, inputs: {
            name: value for name, value in process(reverb, inputs).items() if name != "ir"
        },
        unknown_axes=2,
    ),
    "Reverb of given responses": Case(
        covers=Reverb,
        make=lambda: Reverb(trainable=False),
        inputs={"audio": numbers(N_SAMPLES), "ir": numbers(50)},
        shapes={"audio": (3, 400), "ir": (3, 50), "signal": (3, 400)},
        call=process,
        unknown_axes=2,
    ),
    "CPPN": Case(
        covers=CPPN,
        make=lambda: CPPN(2, [Linear(1.0), Attack(), Release(), Periodic()], units=8, n_layers=2),
        inputs=CODED,
        shapes={"curves": (3, 5, 2)},
        call=draw,
    ),
    "Deconvolution": Case(
        covers=Deconvolution,
        make=lambda: Deconvolution(2, seconds=0.25, n_seed=2, n_layers=2, units=8),
        inputs=CODED,
        shapes={"curves": (3, 5, 2)},
        call=draw,
        without_gradient=("note_off",),
    ),
    "Vibrato": Case(
        covers=Vibrato,
        make=lambda: Vibrato(n=2),
        inputs=CODED,
        shapes={"curves": (3, 5, 8)},
        call=draw,
        without_gradient=("note_off",),
    ),
    "MFCCDiscriminator": Case(
        covers=MFCCDiscriminator,
        make=adapted(toys.discriminator),
        inputs=JUDGED,
        shapes=MFCC_SHAPES,
        call=judge,
    ),
    "MFCCDiscriminator over time alone": Case(
        covers=MFCCDiscriminator,
        make=adapted(lambda: toys.discriminator(over_bands=False, read_out=Flatten())),
        inputs=JUDGED,
        shapes={"logits_0": (3,), "map_0_0": (3, 16, 1, 4), "map_0_1": (3, 8, 1, 6)},
        call=judge,
    ),
    "SpectrogramDiscriminator": Case(
        covers=SpectrogramDiscriminator,
        make=adapted(lambda: toys.discriminator(SpectrogramDiscriminator)),
        inputs=JUDGED,
        shapes=MEL_SHAPES,
        call=judge,
    ),
    "MultiDiscriminator": Case(
        covers=MultiDiscriminator,
        make=adapted(
            lambda: MultiDiscriminator(
                [toys.discriminator(), toys.discriminator(SpectrogramDiscriminator)]
            )
        ),
        inputs=JUDGED,
        shapes=MFCC_SHAPES | {name.replace("_0", "_1", 1): s for name, s in MEL_SHAPES.items()},
        call=judge,
    ),
    "HarmonicVoice": Case(
        covers=HarmonicVoice,
        make=lambda: HarmonicVoice(4, tuned=True, detune_cents=3.0),
        inputs=SUNG | PITCHED | {"seed": SEED},
        shapes={
            "f0_hz": (3, 5, 1),
            "amplitudes": (3, 5, 1),
            "harmonic_distribution": (3, 5, 4),
            "audio": (3, 400),
        },
        call=sing,
        without_gradient=("seed",),
    ),
    "NoiseVoice": Case(
        covers=NoiseVoice,
        make=lambda: NoiseVoice(9, bandwidth_hz=8000.0),
        inputs=SUNG | PITCHED | {"seed": SEED},
        shapes={"magnitudes": (3, 5, 9), "audio": (3, 400)},
        call=sing,
        without_gradient=("seed", "f0_hz"),
        seed="seed",
    ),
    "RecurrentDecoder": Case(
        covers=RecurrentDecoder,
        make=lambda: RecurrentDecoder(units=4),
        inputs={"curves": numbers(N_FRAMES, 6)},
        shapes={"decoded": (3, 5, 10)},
        call=lambda decoder, inputs: {"decoded": decoder(inputs["curves"])},
    ),
    "Hybrid": Case(
        covers=Hybrid,
        make=toys.hybrid,
        inputs=ASKED,
        shapes=CONTROL_SHAPES,
        call=generate,
        tolerance=PHASE,
        without_gradient=("seed", "label"),
        seed="seed",
    ),
    "Hybrid with all its parts": Case(
        covers=Hybrid,
        make=lambda: toys.hybrid(
            conditions=Conditions(Conditions.NAMES, n_labels=3),
            humanize=Humanize(),
            unsteadiness=Unsteadiness(),
            decoder=RecurrentDecoder(units=4),
            reverb=Reverb(reverb_length=50),
        ),
        inputs=ASKED,
        shapes=CONTROL_SHAPES | {"reverb/ir": (3, 50)},
        call=generate,
        tolerance=PHASE,
        without_gradient=("seed", "label"),
        seed="seed",
    ),
}
