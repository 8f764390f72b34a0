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
    ConditionEncoder,
    MFCCDiscriminator,
    MultiDiscriminator,
    SpectrogramDiscriminator,
)
from discriminators.layers import ConvolutionAlongTime
from discriminators.readout import Flatten
from noisygan.generators import Hybrid
from noisygan.generators.ddsp_voices import DDSPVoice
from noisygan.generators.decoders import RecurrentDecoder
from noisygan.generators.jitter import ConditionJitter, Jitter
from noisygan.generators.voices import HarmonicVoice, NoiseVoice
from synths import (
    Add,
    Crop,
    ExpDecayReverb,
    FilteredNoise,
    FilteredNoiseReverb,
    FIRFilter,
    Harmonic,
    Mix,
    Modal,
    ModDelay,
    ProcessorGroup,
    Reverb,
    Sinusoidal,
    SpectralLoss,
    TensorToAudio,
    Transient,
    Wavetable,
)
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


def each_rows_loss(loss, inputs):
    pairs = (inputs["target_audio"][:, None], inputs["audio"][:, None])
    return {"loss": tf.map_fn(lambda pair: loss(*pair), pairs, fn_output_signature=tf.float32)}


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
    "Harmonic of a stiff string": Case(
        covers=Harmonic,
        make=lambda: Harmonic(N_SAMPLES, amp_resample_method="linear"),
        inputs={
            "amplitudes": numbers(N_FRAMES, 1),
            "harmonic_distribution": numbers(N_FRAMES, 4),
            **PITCHED,
            "inharmonicity": numbers(N_FRAMES, 1, low=1e-3, high=1e-2),
        },
        shapes={
            "amplitudes": (3, 5, 1),
            "harmonic_distribution": (3, 5, 4),
            "f0_hz": (3, 5, 1),
            "inharmonicity": (3, 5, 1),
            "signal": (3, 400),
        },
        call=process,
        unknown_axes=3,
    ),
    "Sinusoidal": Case(
        covers=Sinusoidal,
        make=lambda: Sinusoidal(N_SAMPLES),
        inputs={"amplitudes": numbers(N_FRAMES, 4), "frequencies": numbers(N_FRAMES, 4)},
        shapes={"amplitudes": (3, 5, 4), "frequencies": (3, 5, 4), "signal": (3, 400)},
        call=process,
        unknown_axes=2,
        tolerance=PHASE,
    ),
    "Wavetable": Case(
        covers=Wavetable,
        make=lambda: Wavetable(N_SAMPLES),
        inputs={
            "amplitudes": numbers(N_FRAMES, 1),
            "wavetables": numbers(N_FRAMES, 16),
            **PITCHED,
        },
        shapes={
            "amplitudes": (3, 5, 1),
            "wavetables": (3, 5, 16),
            "f0_hz": (3, 5, 1),
            "signal": (3, 400),
        },
        call=process,
        unknown_axes=2,
    ),
    "Modal": Case(
        covers=Modal,
        make=lambda: Modal(N_SAMPLES),
        inputs={
            "amplitudes": numbers(4),
            "frequencies": numbers(4),
            "decay_seconds": numbers(4),
            "onset_seconds": numbers(1, low=0.001, high=0.01),
            "contact_seconds": numbers(1, low=1e-4, high=1e-3),
            "position": numbers(1, low=0.1, high=0.4),
        },
        shapes={
            "amplitudes": (3, 4),
            "frequencies": (3, 4),
            "decay_seconds": (3, 4),
            "onset_seconds": (3, 1),
            "contact_seconds": (3, 1),
            "position": (3, 1),
            "signal": (3, 400),
        },
        call=process,
        tolerance=PHASE,
    ),
    "Transient": Case(
        covers=Transient,
        make=lambda: Transient(N_SAMPLES, burst_seconds=0.02),
        inputs={
            "magnitudes": numbers(9),
            "decay_seconds": numbers(1),
            "pulse": numbers(5),
            "attack_seconds": numbers(1, low=1e-3, high=2e-3),
        },
        shapes={
            "magnitudes": (3, 9),
            "decay_seconds": (3, 1),
            "pulse": (3, 5),
            "attack_seconds": (3, 1),
            "signal": (3, 400),
        },
        call=process,
        n_rows=1,  # Row i takes the synth's seed + i.
    ),
    "TensorToAudio": Case(
        covers=TensorToAudio,
        make=TensorToAudio,
        inputs={"samples": numbers(N_SAMPLES, 1)},
        shapes={"samples": (3, 400, 1), "signal": (3, 400)},
        call=process,
        unknown_axes=2,
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
        call=lambda synth, inputs: {"signal": synth(**inputs)},
        without_gradient=("seed",),
        seed="seed",
    ),
    "Reverb": Case(
        covers=Reverb,
        make=lambda: Reverb(trainable=True, reverb_length=50),
        inputs={"audio": numbers(N_SAMPLES)},
        shapes={"audio": (3, 400), "signal": (3, 400)},
        call=lambda reverb, inputs: {
            name: value for name, value in process(reverb, inputs).items() if name != "ir"
        },
        unknown_axes=2,
    ),
    "ExpDecayReverb": Case(
        covers=ExpDecayReverb,
        make=lambda: ExpDecayReverb(reverb_length=50),
        inputs={"audio": numbers(N_SAMPLES), "gain": numbers(1), "decay": numbers(1)},
        shapes={"audio": (3, 400), "ir": (3, 50), "signal": (3, 400)},
        call=process,
        unknown_axes=2,
    ),
    "FilteredNoiseReverb": Case(
        covers=FilteredNoiseReverb,
        make=lambda: FilteredNoiseReverb(reverb_length=50, initial_bias=0.0),
        inputs={"audio": numbers(N_SAMPLES), "magnitudes": numbers(N_FRAMES, 9)},
        shapes={"audio": (3, 400), "ir": (3, 50), "signal": (3, 400)},
        call=process,
        unknown_axes=2,
    ),
    "FIRFilter": Case(
        covers=FIRFilter,
        make=FIRFilter,
        inputs={"audio": numbers(N_SAMPLES), "magnitudes": numbers(N_FRAMES, 9)},
        shapes={"audio": (3, 400), "magnitudes": (3, 5, 9), "signal": (3, 400)},
        call=process,
        unknown_axes=2,
    ),
    "ModDelay": Case(
        covers=ModDelay,
        make=lambda: ModDelay(center_ms=2.0, depth_ms=1.0),
        inputs={
            "audio": numbers(N_SAMPLES),
            "gain": numbers(N_FRAMES, 1),
            "phase": numbers(N_FRAMES, 1),
        },
        shapes={"audio": (3, 400), "gain": (3, 5, 1), "phase": (3, 5, 1), "signal": (3, 400)},
        call=process,
        unknown_axes=2,
    ),
    "Add": Case(
        covers=Add,
        make=Add,
        inputs={"signal_one": numbers(N_SAMPLES), "signal_two": numbers(N_SAMPLES)},
        shapes={"signal_one": (3, 400), "signal_two": (3, 400), "signal": (3, 400)},
        call=process,
        unknown_axes=2,
    ),
    "Mix": Case(
        covers=Mix,
        make=Mix,
        inputs={
            "signal_one": numbers(N_SAMPLES),
            "signal_two": numbers(N_SAMPLES, high=0.5),
            "nn_out_mix_level": numbers(N_FRAMES, 1),
        },
        shapes={
            "signal_one": (3, 400),
            "signal_two": (3, 400),
            "mix_level": (3, 400, 1),
            "signal": (3, 400),
        },
        call=process,
        unknown_axes=2,
    ),
    "SpectralLoss": Case(
        covers=SpectralLoss,
        make=lambda: SpectralLoss((64, 32), logmag_weight=1.0, loudness_weight=0.1),
        inputs={"target_audio": numbers(N_SAMPLES), "audio": numbers(N_SAMPLES, high=0.5)},
        shapes={"loss": (3,)},
        call=each_rows_loss,
    ),
    "Crop": Case(
        covers=Crop,
        make=lambda: Crop(20),
        inputs={"audio": numbers(N_SAMPLES)},
        shapes={"audio": (3, 400), "signal": (3, 380)},
        call=process,
        unknown_axes=2,
    ),
    "ProcessorGroup": Case(
        covers=ProcessorGroup,
        make=lambda: ProcessorGroup([(Add(), ["a", "b"]), (FIRFilter(), ["add/signal", "bands"])]),
        inputs={
            "a": numbers(N_SAMPLES),
            "b": numbers(N_SAMPLES),
            "bands": numbers(N_FRAMES, 9),
        },
        shapes={"signal": (3, 400)},
        call=lambda group, inputs: {"signal": group(inputs)},
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
    "ConvolutionAlongTime": Case(
        covers=ConvolutionAlongTime,
        make=lambda: ConvolutionAlongTime(3, (5, 2), strides=(2, 1), padding="same"),
        inputs={"h": numbers(4, 12, 2)},
        shapes={"h": (3, 4, 6, 3)},
        call=lambda layer, inputs: {"h": layer(inputs["h"])},
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
    "DDSPVoice": Case(
        covers=DDSPVoice,
        make=lambda: DDSPVoice(HarmonicVoice(4), Harmonic()),
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
            condition_encoder=ConditionEncoder(ConditionEncoder.NAMES, n_labels=3),
            condition_jitter=ConditionJitter(),
            jitter=Jitter(),
            decoder=RecurrentDecoder(units=4),
            reverb=Reverb(trainable=True, reverb_length=50),
        ),
        inputs=ASKED,
        shapes=CONTROL_SHAPES | {"reverb/ir": (3, 50)},
        call=generate,
        tolerance=PHASE,
        without_gradient=("seed", "label"),
        seed="seed",
    ),
}
