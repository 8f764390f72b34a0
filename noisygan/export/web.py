"""Web instrument: a run's generator as JSON that `noisygan/web` plays, in one HTML page."""

import base64
import pathlib

import numpy as np

from cppn.coordinates import Attack, Linear, Periodic, Release, Vibrato
from cppn.networks import CPPN
from noisygan.errors import UsageError
from noisygan.files import atomic_write, check_folder, make_folder
from noisygan.generators.drum_voices import ModalVoice, TransientVoice
from noisygan.generators.hybrid import Hybrid
from noisygan.generators.pitch import ConditionedPitch, UnconditionedPitch
from noisygan.generators.sweeps import FixedCenterPitch, PitchSweep
from noisygan.generators.voices import HarmonicVoice, NoiseVoice
from noisygan.rendering import landscape
from noisygan.rendering.batches import iterate
from noisygan.rendering.kits import keys_of_labels
from noisygan.rendering.requests import NoteSpec, make_requests, note_seeds
from noisygan.web import assemble

_N_SEEDS = 64  # whose latents the page has
_EXPLORED_SECONDS = 1.5
_MAX_BYTES = 2_000_000


def write_page(run, path):
    """Write a run as one HTML page that plays it; a file with the name is not overwritten.

    Returns the facts of the model, without networks, and `remarks`: a line if the page is large.

    Raises:
      UsageError: for a run that the web instrument can't play, or a file that exists.
    """
    path = pathlib.Path(path)
    check_folder(path.parent)
    if path.exists():
        raise UsageError(f"{path} exists already; choose another file")
    made = web_model(run)
    make_folder(path.parent)
    page = assemble.page(made).encode()
    with atomic_write(path) as part:
        part.write_bytes(page)
    facts = ("name", "kind", "sample_rate", "pitches", "conditions")
    return {name: made[name] for name in facts} | {"remarks": _remarks(run.generator, len(page))}


def _remarks(generator, n_bytes):
    if n_bytes <= _MAX_BYTES:
        return []
    curves = [generator.f0_curve, generator.loudness_curve, generator.timbre_curves]
    units = max(curve.hidden[0].units for curve in curves if isinstance(curve, CPPN))
    latent = [layer.units for layer in getattr(generator.latent_network, "layers", ())][:1] or [0]
    return [
        f"the page has {n_bytes / 1e6:.1f} MB, more than {_MAX_BYTES / 1e6:.0f}: it plays, but "
        "starts later and takes more load; a run with fewer CPPN.units "
        f"({units}) or Hybrid.latent_units ({latent[0]}) has a smaller one"
    ]


# Bytes of a number by what its error does: tables of pitch add up over seconds, F0, loudness and
# latent shift the whole sound, timbre one band or partial.
_EXACT, _FINE, _COARSE = "float32", "float24", "float16"


class _Tensors:
    """Tensors of a model, each stored once, all of them exactly or as their type says."""

    def __init__(self, are_exact):
        self.are_exact = are_exact
        self._indices = {}
        self.values = []

    def add(self, value, type=_EXACT):
        """Index of a Keras variable or an array."""
        key = id(value)
        if key not in self._indices:
            self._indices[key] = len(self.values)
            self.values.append((value, _EXACT if self.are_exact else type))
        return self._indices[key]

    def dense(self, layer, type):
        """Description of a dense layer."""
        return {"kernel": self.add(layer.kernel, type), "bias": self.add(layer.bias, type)}

    def packed(self):
        """(table of the tensors, their bytes as base64)."""
        table, parts, offset = [], [], 0
        for value, type in self.values:
            value = np.asarray(value, np.float32)
            data = _bytes(value, type)
            table.append({"shape": list(value.shape), "type": type, "offset": offset})
            parts.append(data)
            offset += len(data)
        return table, base64.b64encode(b"".join(parts)).decode()


def _bytes(value, type):
    """Little-endian bytes; float24 is float32 without its last byte, rounded."""
    if type == _COARSE:
        return value.astype("<f2").tobytes()
    bits = value.astype("<f4").view("<u4")
    if type == _EXACT:
        return bits.tobytes()
    rounded = (bits.astype(np.uint64) + 128).astype("<u4").reshape(-1, 1)
    return rounded.view(np.uint8)[:, 1:].tobytes()


def web_model(run, directions=True):
    """A run as a dict for JSON: facts for the page, networks, and tensors as base64.

    Directions of z are found by rendering notes, which takes ten seconds.

    Raises:
      UsageError: for a run that the web instrument can't play.
    """
    generator = run.generator
    _check(generator)
    names = generator.condition_names
    seeds = np.concatenate(
        [np.asarray(generator.prior(1, seed=note_seeds(seed, 0)[0])) for seed in range(_N_SEEDS)]
    )
    # All of a network decides the frequencies of modes, whose phases add up.
    tensors = _Tensors(any(voice.kind == "modal" for voice in generator.voices))
    described = _generator(generator, tensors)
    table, data = tensors.packed()
    has_pitch = "pitch" in names
    labels = list(run.label_names)
    keys = {} if has_pitch else keys_of_labels(run)
    tags = {name: list(values) for name, values in run.tag_values.items()}
    if has_pitch and "label" in names and len(labels) > 1:
        tags["label"] = labels  # keys play pitches, so the label is chosen as a tag is
    return {
        "format": "noisygan-web",
        "version": 1,
        "name": run.name,
        "kind": "pitched" if has_pitch else "drums",
        "sample_rate": int(generator.sample_rate),
        "frame_rate": generator.frame_rate,
        "seconds": generator.seconds,
        "release_seconds": generator.release_seconds,
        "pitches": [min(run.pitches), max(run.pitches)] if run.pitches else [],
        "conditions": list(names),
        "classes": [{"name": labels[i], "keys": own} for i, own in keys.items() if i is not None],
        "tags": tags,
        "latents": {
            "size": generator.latent_dim,
            "seeds": np.round(seeds.astype(float), 4).tolist(),
            **(_directions(run, seeds) if directions else {"directions": [], "names": []}),
        },
        "generator": described,
        "tensors": table,
        "data": data,
    }


def _check(generator):
    if not isinstance(generator, Hybrid):
        raise UsageError(
            "format web: this run writes samples directly; expected a hybrid, such as of "
            "runs/notes.gin or runs/drums.gin"
        )
    parts = {
        "f0_curve": (generator.f0_curve, (CPPN, PitchSweep)),
        "loudness_curve": (generator.loudness_curve, (CPPN,)),
        "timbre_curves": (generator.timbre_curves, (CPPN,)),
        "pitch": (generator.pitch, (ConditionedPitch, FixedCenterPitch, UnconditionedPitch)),
        "decoder": (generator.decoder, (type(None),)),
        "reverb": (generator.reverb, (type(None),)),
    }
    kinds = (HarmonicVoice, NoiseVoice, ModalVoice, TransientVoice)
    parts |= {f"voice {voice.name}": (voice, kinds) for voice in generator.voices}
    for name, (part, known) in parts.items():
        if type(part) not in known:
            expected = ", ".join(k.__name__ if k is not type(None) else "none" for k in known)
            raise UsageError(f"format web: {name} is {type(part).__name__}; expected {expected}")


def _directions(run, latents):
    """Directions of z along which the sound changes most, and their names."""
    generator = run.generator
    pitch = run.pitches[len(run.pitches) // 2] if run.pitches else None
    if "pitch" not in run.condition_names:
        pitch = None
    requests = make_requests(run, NoteSpec(pitch=pitch and [pitch], count=len(latents)))
    seconds = min(_EXPLORED_SECONDS, generator.seconds)
    rendered = iterate(generator, requests, seconds, z=latents)
    measured = [landscape.measure(note.audio, generator.sample_rate) for note in rendered]
    features = np.array([each for each, _ in measured])
    columns = {name: np.array([facts[name] for _, facts in measured]) for name in landscape.NAMES}
    labels = np.array([request.label or 0 for request in requests])
    found = landscape.chart(latents, features, columns, labels)
    return {name: found[name] for name in ("directions", "names")}


def _generator(generator, tensors):
    """Description of a hybrid's networks."""
    encoder, jitter = generator.condition_encoder, generator.jitter
    own = (
        "initial_loudness_db max_loudness_db loudness_scale_db gate_db velocity_exponent rings_out"
    )
    described = {name: getattr(generator, name) for name in own.split()}
    described |= {
        "learns_release": bool(generator._learns_release.numpy() > 0.5),
        "tuning_cents": tensors.add(generator._tuning_cents),
        "steady_seconds": tensors.add(generator._steady_seconds),
        "inharmonicity": (
            tensors.add(generator._inharmonicity) if generator.is_stretched else None
        ),
        "encoder": None,
        "condition_jitter": None,
        "jitter": None,
        "latent": [
            tensors.dense(layer, _FINE) for layer in getattr(generator.latent_network, "layers", ())
        ],
        "f0": _curve(generator.f0_curve, tensors, _FINE),
        "loudness": _curve(generator.loudness_curve, tensors, _FINE),
        "timbre": _curve(generator.timbre_curves, tensors, _COARSE),
        "pitch": _PITCHES[type(generator.pitch)](generator.pitch),
        "voices": [_VOICES[type(voice)](voice, tensors) for voice in generator.voices],
    }
    if encoder is not None:
        described["encoder"] = {
            "names": list(encoder.names),
            "pitches": list(encoder.pitches),
            "n_labels": encoder.n_labels,
            "tags": {name: list(values) for name, values in encoder.tags.items()},
        }
    if generator.condition_jitter is not None:
        described["condition_jitter"] = generator.condition_jitter.shifts
    if jitter is not None:
        described["jitter"] = {
            "pitch_cents": jitter.pitch_cents,
            "level_db": jitter.level_db,
            "rates_hz": [float(rate) for rate in jitter.rates_hz],
            "turns": tensors.add(jitter.turns(generator.latent_dim)),
            "log_strengths": tensors.add(jitter.log_strengths),
        }
    return described


_COORDINATES = {
    Linear: ("seconds",),
    Attack: ("time_constants",),
    Release: ("time_constants", "ramp_seconds"),
    Periodic: ("rates_hz",),
    Vibrato: ("n", "min_hz", "max_hz", "fade_seconds"),
}


def _coordinate(each, tensors):
    described = {"type": type(each).__name__.lower()}
    described |= {name: getattr(each, name) for name in _COORDINATES[type(each)]}
    if isinstance(each, Vibrato):
        described |= {
            name: tensors.dense(getattr(each, name), _FINE) for name in ("rate", "phase", "depth")
        }
    return described


def _curve(curve, tensors, type):
    def dense(layer):
        return tensors.dense(layer, type)

    if isinstance(curve, PitchSweep):
        layers = {name: dense(getattr(curve, name)) for name in ("end", "rises", "times")}
        own = ("max_end", "max_rise", "min_seconds", "max_seconds", "place")
        return {"type": "sweep", **{name: getattr(curve, name) for name in own}, **layers}
    layers = zip(curve.hidden, curve.shifts, curve.gains, strict=True)
    return {
        "type": "cppn",
        "coordinates": [_coordinate(each, tensors) for each in curve.coordinates],
        "layers": [
            dict(zip(("hidden", "shift", "gain"), map(dense, layer), strict=True))
            for layer in layers
        ],
        "outputs": dense(curve.outputs),
        "activations": list(curve.activation.names),
    }


_PITCHES = {
    ConditionedPitch: lambda pitch: {
        "type": "conditioned",
        "max_deviation": pitch.max_deviation,
    },
    UnconditionedPitch: lambda pitch: {
        "type": "unconditioned",
        "min_midi": pitch.min_midi,
        "max_midi": pitch.max_midi,
    },
    FixedCenterPitch: lambda pitch: {
        "type": "fixed_center",
        "center_midi": pitch.center_midi,
        "max_midi": pitch.max_midi,
    },
}


def _harmonic(voice, tensors):
    return {
        "slope_db": voice.slope_db,
        "level_scale_db": voice.level_scale_db,
        "detune_cents": 0.0 if voice.detune is None else float(voice.detune.numpy()),
        "level": tensors.dense(voice.level, _FINE),
        "distribution": tensors.dense(voice.distribution, _COARSE),
    }


def _noise(voice, tensors):
    return {
        "n_bands": voice.n_bands,
        "in_mel": voice.spread is not None,
        "initial_db": voice.initial_db,
        "ceiling_db": voice.ceiling_db,
        "bands": tensors.dense(voice.bands, _COARSE),
    }


def _modal(voice, tensors):
    own = ["middle_hz", "max_shift", "min_seconds", "max_seconds", "initial_db", "ceiling_db"]
    names = ("shifts", "levels", "decays")
    layers = {name: tensors.dense(getattr(voice, name), _FINE) for name in names}
    return {name: getattr(voice, name) for name in own} | layers


def _transient(voice, tensors):
    own = ["burst_seconds", "min_seconds", "max_seconds", "initial_db", "ceiling_db"]
    layers = {name: tensors.dense(getattr(voice, name), _FINE) for name in ("bands", "decay")}
    return {name: getattr(voice, name) for name in own} | layers


def _voice(describe):
    return lambda voice, tensors: {
        "name": voice.name,
        "kind": voice.kind,
        "bandwidth_hz": float(voice.bandwidth_hz),
        **describe(voice, tensors),
    }


_VOICES = {
    HarmonicVoice: _voice(_harmonic),
    NoiseVoice: _voice(_noise),
    ModalVoice: _voice(_modal),
    TransientVoice: _voice(_transient),
}
