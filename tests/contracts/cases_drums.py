"""Cases of drum voices and of the pitch sweep."""

from discriminators import ConditionEncoder
from noisygan.generators.drum_voices import ModalVoice, TransientVoice
from noisygan.generators.sweeps import FixedCenterPitch, PitchSweep
from noisygan.generators.voices import HarmonicVoice, NoiseVoice
from tests import toys
from tests.contracts.cases import (
    ASKED,
    PHASE,
    PITCHED,
    SEED,
    SUNG,
    WITH_LATENT,
    Case,
)


def drum():
    """A small hybrid with all that a drum needs."""
    return toys.hybrid(
        f0_curve=PitchSweep(),
        voices=[HarmonicVoice(4), ModalVoice(5), NoiseVoice(9), TransientVoice(9)],
        pitch=FixedCenterPitch(),
        condition_encoder=ConditionEncoder(("label",), n_labels=3),
    )


CASES = {
    "ModalVoice": Case(
        make=lambda: ModalVoice(5, max_hz=4000.0),
        inputs=SUNG | PITCHED | {"seed": SEED},
        shapes={
            "frequencies": (3, 5),
            "amplitudes": (3, 5),
            "decay_seconds": (3, 5),
            "audio": (3, 400),
        },
        without_gradient=("f0_hz",),
        tolerance=PHASE,
    ),
    "TransientVoice": Case(
        make=lambda: TransientVoice(9, bandwidth_hz=8000.0),
        inputs=SUNG | PITCHED | {"seed": SEED},
        shapes={"magnitudes": (3, 9), "decay_seconds": (3, 1), "audio": (3, 400)},
        without_gradient=("f0_hz",),
        seed="seed",
    ),
    "PitchSweep": Case(
        make=PitchSweep,
        inputs=WITH_LATENT,
        shapes={"curves": (3, 5, 1)},
        without_gradient=("note_off",),
    ),
    "Hybrid of a drum": Case(
        make=drum,
        inputs={name: ASKED[name] for name in ("z", "seed", "label")},
        shapes={
            "loudness_db": (3, 25, 1),
            "harmonic/f0_hz": (3, 25, 1),
            "harmonic/amplitudes": (3, 25, 1),
            "harmonic/harmonic_distribution": (3, 25, 4),
            "modal/frequencies": (3, 5),
            "modal/amplitudes": (3, 5),
            "modal/decay_seconds": (3, 5),
            "noise/magnitudes": (3, 25, 9),
            "transient/magnitudes": (3, 9),
            "transient/decay_seconds": (3, 1),
            "audio": (3, 4000),
        },
        tolerance=PHASE,
        seed="seed",
    ),
}
