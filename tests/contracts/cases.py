"""Cases of every public processor, network, discriminator, voice and generator."""

import dataclasses
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from cppn import CPPN, Attack, Deconvolution, Linear, Periodic, Release, Vibrato
from discriminators import (
    ConditionEncoder,
    MultiDiscriminator,
    SpectrogramDiscriminator,
)
from discriminators.base import Discriminator
from discriminators.layers import ConvolutionAlongTime
from discriminators.readout import Flatten
from noisygan.generators.ddsp_voices import DDSPVoice
from noisygan.generators.decoders import RecurrentDecoder
from noisygan.generators.generator import Generator
from noisygan.generators.jitter import ConditionJitter, Jitter
from noisygan.generators.sweeps import PitchSweep
from noisygan.generators.voices import HarmonicVoice, NoiseVoice
from noisygan.generators.wavetable_voice import WavetableVoice
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
    Processor,
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
REAL = toys.notes(n=BATCH).audio(np.arange(BATCH))
TIMES = tf.range(N_FRAMES, dtype=tf.float32) / 20.0


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
        discriminator.adapt(REAL)
        return discriminator

    return made


def draw(network, inputs):
    return {"curves": network(TIMES, inputs["note_off"], inputs["latent"])}


def sing(voice, inputs):
    """Controls and sound of a voice."""
    controls = voice.get_controls(inputs["decoded"], inputs["f0_hz"], inputs["loudness_db"])
    audio = voice.render(controls, N_SAMPLES, 16000, inputs["seed"], **voice.settings)
    return controls | {"audio": audio}


def generate(generator, inputs):
    inputs = dict(inputs)
    output = generator(inputs.pop("z"), inputs, seed=inputs.pop("seed"))
    return output.controls | {"audio": output.audio}


CALLS = {
    Processor: process,
    Discriminator: judge,
    Generator: generate,
    (CPPN, Deconvolution, Vibrato, PitchSweep): draw,
}


def by_contract(thing, inputs):
    """Outputs of an object as the contract of its kind names them; voices are the others."""
    return next((f for kinds, f in CALLS.items() if isinstance(thing, kinds)), sing)(thing, inputs)


@dataclasses.dataclass(frozen=True)
class Case:
    """Parameters of the contract tests of one class.

    Attributes:
      make: Function that creates a small object.
      inputs: Tensors by name, each [BATCH, ...].
      shapes: Shapes of the outputs by name; each begins with BATCH.
      call: Function from (object, inputs) to a dict of outputs.
      without_gradient: Inputs without a gradient, besides ints.
      unused: Ends of the paths of variables that the output does not depend on.
      seed: Name of the seed among the inputs, if there is one.
      unknown_axes: Number of leading axes of the inputs that may be unknown in a graph.
      n_rows: Number of rows, from the first, that do not depend on their place in the batch.
      tolerance: Of rounding between execution modes, relative to an output's largest number.
    """

    make: Callable
    inputs: dict
    shapes: dict
    call: Callable = by_contract
    without_gradient: tuple = ()
    unused: tuple = ()
    seed: str = ""
    unknown_axes: int = 1
    n_rows: int = BATCH
    tolerance: float = 2e-5


SEED = tf.constant([3, 4, 5])
PITCHED = {"f0_hz": numbers(N_FRAMES, 1, low=200.0, high=900.0)}
HARMONIC = {
    "amplitudes": numbers(N_FRAMES, 1),
    "harmonic_distribution": numbers(N_FRAMES, 4),
    **PITCHED,
}
AUDIO, OTHER = numbers(N_SAMPLES), numbers(N_SAMPLES, high=0.5)
WITH_LATENT = {"note_off": tf.constant([0.05, 0.1, 0.15]), "latent": numbers(6)}
JUDGED = {"audio": tf.constant(REAL), "conditioning": numbers(7)}
SUNG = {"decoded": numbers(N_FRAMES, 6), "loudness_db": numbers(N_FRAMES, 1, low=-30.0)}
ASKED = toys.conditioning(velocity=(50, 100, 110), label=(0, 1, 2)) | {
    "z": numbers(4),
    "seed": SEED,
}
# Tolerance of a phase that drifts by a rounded F0.
PHASE = 5e-4
MFCC_SHAPES = {"logits_0": (3,), "map_0_0": (3, 16, 4, 4), "map_0_1": (3, 8, 2, 6)}
HARMONIC_SHAPES = {
    "f0_hz": (3, 5, 1),
    "amplitudes": (3, 5, 1),
    "harmonic_distribution": (3, 5, 4),
    "audio": (3, 400),
}
MEL_SHAPES = {"logits_0": (3,), "map_0_0": (3, 16, 8, 4), "map_0_1": (3, 8, 4, 6)}
CONTROL_SHAPES = {
    "loudness_db": (3, 25, 1),
    "harmonic/f0_hz": (3, 25, 1),
    "harmonic/amplitudes": (3, 25, 1),
    "harmonic/harmonic_distribution": (3, 25, 6),
    "noise/magnitudes": (3, 25, 9),
    "audio": (3, 4000),
}


def processor(make, inputs, controls=None, signal=N_SAMPLES, **options):
    """Case of a processor; controls have the shapes of the inputs with their names.

    Args:
      make, inputs, **options: Of `Case`.
      controls: Shapes of other controls, without the batch; None for an input that is no control.
      signal: Length of the audio.
    """
    shapes = {name: tuple(value.shape) for name, value in inputs.items()}
    for name, shape in (controls or {}).items():
        shapes[name] = shape and (BATCH, *shape)
    shapes = {name: shape for name, shape in shapes.items() if shape} | {"signal": (BATCH, signal)}
    return Case(make, inputs, shapes, **options)


CASES = {
    "Harmonic": processor(lambda: Harmonic(N_SAMPLES), HARMONIC, unknown_axes=3),
    "Harmonic of a stiff string": processor(
        lambda: Harmonic(N_SAMPLES, amp_resample_method="linear"),
        HARMONIC | {"inharmonicity": numbers(1, 1, low=1e-3, high=1e-2)},
        unknown_axes=3,
    ),
    "Sinusoidal": processor(
        lambda: Sinusoidal(N_SAMPLES),
        {"amplitudes": numbers(N_FRAMES, 4), "frequencies": numbers(N_FRAMES, 4)},
        unknown_axes=2,
        tolerance=PHASE,
    ),
    "Wavetable": processor(
        lambda: Wavetable(N_SAMPLES),
        {"amplitudes": numbers(N_FRAMES, 1), "wavetables": numbers(N_FRAMES, 16), **PITCHED},
        unknown_axes=2,
    ),
    "Modal": processor(
        lambda: Modal(N_SAMPLES),
        {
            **{name: numbers(4) for name in ("amplitudes", "frequencies", "decay_seconds")},
            "onset_seconds": numbers(1, low=0.001, high=0.01),
            "contact_seconds": numbers(1, low=1e-4, high=1e-3),
            "position": numbers(1, low=0.1, high=0.4),
        },
        tolerance=PHASE,
    ),
    "Transient": processor(
        lambda: Transient(N_SAMPLES, burst_seconds=0.02),
        {
            "magnitudes": numbers(9),
            "decay_seconds": numbers(1),
            "pulse": numbers(5),
            "attack_seconds": numbers(1, low=1e-3, high=2e-3),
        },
        n_rows=1,  # Row i takes the synth's seed + i.
    ),
    "TensorToAudio": processor(TensorToAudio, {"samples": numbers(N_SAMPLES, 1)}, unknown_axes=2),
    "FilteredNoise": processor(
        lambda: FilteredNoise(N_SAMPLES),
        {"magnitudes": numbers(N_FRAMES, 9)},
        unknown_axes=3,
        n_rows=1,  # Row i takes the synth's seed + i.
    ),
    "FilteredNoise with seeds": processor(
        lambda: FilteredNoise(N_SAMPLES, scale_fn=None),
        {"magnitudes": numbers(N_FRAMES, 9), "seed": SEED},
        {"magnitudes": None, "seed": None},
        call=lambda synth, inputs: {"signal": synth(**inputs)},
        seed="seed",
    ),
    "Reverb": processor(
        lambda: Reverb(trainable=True, reverb_length=50),
        {"audio": AUDIO},
        {"audio": None},
        call=lambda reverb, inputs: {"signal": reverb(**inputs)},
        unknown_axes=2,
    ),
    "Reverb with given responses": processor(
        Reverb, {"audio": AUDIO, "ir": numbers(50)}, unknown_axes=2
    ),
    "ExpDecayReverb": processor(
        lambda: ExpDecayReverb(reverb_length=50),
        {"audio": AUDIO, "gain": numbers(1), "decay": numbers(1)},
        {"gain": None, "decay": None, "ir": (50,)},
        unknown_axes=2,
    ),
    "FilteredNoiseReverb": processor(
        lambda: FilteredNoiseReverb(reverb_length=50, initial_bias=0.0),
        {"audio": AUDIO, "magnitudes": numbers(N_FRAMES, 9)},
        {"magnitudes": None, "ir": (50,)},
        unknown_axes=2,
    ),
    "FIRFilter": processor(
        FIRFilter, {"audio": AUDIO, "magnitudes": numbers(N_FRAMES, 9)}, unknown_axes=2
    ),
    "ModDelay": processor(
        lambda: ModDelay(center_ms=2.0, depth_ms=1.0),
        {"audio": AUDIO, "gain": numbers(N_FRAMES, 1), "phase": numbers(N_FRAMES, 1)},
        unknown_axes=2,
    ),
    "Add": processor(Add, {"signal_one": AUDIO, "signal_two": OTHER}, unknown_axes=2),
    "Mix": processor(
        Mix,
        {
            "signal_one": AUDIO,
            "signal_two": OTHER,
            "nn_out_mix_level": numbers(N_FRAMES, 1),
        },
        {"nn_out_mix_level": None, "mix_level": (N_SAMPLES, 1)},
        unknown_axes=2,
    ),
    "Crop": processor(lambda: Crop(20), {"audio": AUDIO}, signal=380, unknown_axes=2),
    "ProcessorGroup": processor(
        lambda: ProcessorGroup([(Add(), ["a", "b"]), (FIRFilter(), ["add/signal", "bands"])]),
        {"a": AUDIO, "b": OTHER, "bands": numbers(N_FRAMES, 9)},
        {"a": None, "b": None, "bands": None},
        call=lambda group, inputs: {"signal": group(inputs)},
        unknown_axes=2,
    ),
    "SpectralLoss": Case(
        make=lambda: SpectralLoss((64, 32), logmag_weight=1.0, loudness_weight=0.1),
        inputs={"target_audio": AUDIO, "audio": OTHER},
        shapes={"loss": (3,)},
        call=each_rows_loss,
    ),
    "CPPN": Case(
        make=lambda: CPPN(2, [Linear(1.0), Attack(), Release(), Periodic()], units=8, n_layers=2),
        inputs=WITH_LATENT,
        shapes={"curves": (3, 5, 2)},
    ),
    "ConvolutionAlongTime": Case(
        make=lambda: ConvolutionAlongTime(3, (5, 2), strides=(2, 1), padding="same"),
        inputs={"h": numbers(4, 12, 2)},
        shapes={"h": (3, 4, 6, 3)},
        call=lambda layer, inputs: {"h": layer(inputs["h"])},
    ),
    "Deconvolution": Case(
        make=lambda: Deconvolution(2, seconds=0.25, n_seed=2, n_layers=2, units=8),
        inputs=WITH_LATENT,
        shapes={"curves": (3, 5, 2)},
        without_gradient=("note_off",),
    ),
    "Jitter": Case(
        make=lambda: Jitter(n=4),
        inputs={"z": numbers(5)},
        shapes={"pitch": (3, 5, 1), "level": (3, 5, 1)},
        call=lambda jitter, inputs: dict(
            zip(("pitch", "level"), jitter(TIMES, inputs["z"]), strict=True)
        ),
    ),
    "Vibrato": Case(
        make=lambda: Vibrato(n=2),
        inputs=WITH_LATENT,
        shapes={"curves": (3, 5, 8)},
        without_gradient=("note_off",),
    ),
    "MFCCDiscriminator": Case(
        make=adapted(toys.discriminator),
        inputs=JUDGED,
        shapes=MFCC_SHAPES,
    ),
    "MFCCDiscriminator over time alone": Case(
        make=adapted(
            lambda: toys.discriminator(over_bands=False, read_out=Flatten(), hidden_units=0)
        ),
        inputs=JUDGED,
        shapes={"logits_0": (3,), "map_0_0": (3, 16, 1, 4), "map_0_1": (3, 8, 1, 6)},
    ),
    "SpectrogramDiscriminator": Case(
        make=adapted(lambda: toys.discriminator(SpectrogramDiscriminator)),
        inputs=JUDGED,
        shapes=MEL_SHAPES,
    ),
    "MultiDiscriminator": Case(
        make=adapted(
            lambda: MultiDiscriminator(
                [toys.discriminator(), toys.discriminator(SpectrogramDiscriminator)]
            )
        ),
        inputs=JUDGED,
        shapes=MFCC_SHAPES | {name.replace("_0", "_1", 1): s for name, s in MEL_SHAPES.items()},
    ),
    "HarmonicVoice": Case(
        make=lambda: HarmonicVoice(4, tuned=True, detune_cents=3.0),
        inputs=SUNG | PITCHED | {"seed": SEED},
        shapes=HARMONIC_SHAPES,
    ),
    "WavetableVoice": Case(
        make=lambda: WavetableVoice(3, n_harmonics=4),
        inputs=SUNG | PITCHED | {"seed": SEED},
        shapes=HARMONIC_SHAPES,
    ),
    "NoiseVoice": Case(
        make=lambda: NoiseVoice(9, bandwidth_hz=8000.0),
        inputs=SUNG | PITCHED | {"seed": SEED},
        shapes={"magnitudes": (3, 5, 9), "audio": (3, 400)},
        without_gradient=("f0_hz",),
        seed="seed",
    ),
    "DDSPVoice": Case(
        make=lambda: DDSPVoice(HarmonicVoice(4), Harmonic()),
        inputs=SUNG | PITCHED | {"seed": SEED},
        shapes=HARMONIC_SHAPES,
    ),
    "RecurrentDecoder": Case(
        make=lambda: RecurrentDecoder(units=4),
        inputs={"curves": numbers(N_FRAMES, 6)},
        shapes={"decoded": (3, 5, 10)},
        call=lambda decoder, inputs: {"decoded": decoder(inputs["curves"])},
    ),
    "Hybrid": Case(
        make=toys.hybrid,
        inputs=ASKED,
        shapes=CONTROL_SHAPES,
        tolerance=PHASE,
        unused=("f0/outputs/bias",),
        seed="seed",
    ),
    "Hybrid with all its parts": Case(
        make=lambda: toys.hybrid(
            condition_encoder=ConditionEncoder(ConditionEncoder.NAMES, n_labels=3),
            condition_jitter=ConditionJitter(),
            jitter=Jitter(),
            decoder=RecurrentDecoder(units=4),
            reverb=Reverb(trainable=True, reverb_length=50),
        ),
        inputs=ASKED,
        shapes=CONTROL_SHAPES | {"reverb/ir": (3, 50)},
        tolerance=PHASE,
        unused=("f0/outputs/bias",),
        seed="seed",
    ),
}
