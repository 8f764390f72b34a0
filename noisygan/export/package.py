"""The folder that an export makes: the models and model.json, which says what they take."""

import json

from noisygan.errors import UsageError
from noisygan.export import forms as forms_of
from noisygan.export.blocks import NEXT, PREFIX, Blocks
from noisygan.export.writing import WRITERS
from noisygan.files import atomic_folder
from noisygan.generators.hybrid import Hybrid

_MEANINGS = {
    "z": "code of the note; a standard normal one, unless the run's prior is another",
    "pitch": "MIDI note number",
    "velocity": "MIDI velocity, 0 to 127",
    "label": "index into label_names",
    "seed": "of the noise; equal seeds give the noise that Python gives",
    "n_samples": "length of the sound in samples",
    "sample_rate": "Hz",
    "note_off_seconds": "when the note is let go, since it began; 1e9 while it is held",
    PREFIX + "n_frames": "blocks since the note began; set a voice's to 0 to begin a note in it",
}


def export(generator, instrument, out, format, n_samples=None, sample_rate=None, block=None):
    """Writes a generator for other programs.

    Args:
      generator: By the generator contract.
      instrument: `noisygan.rendering.notes.Instrument` of its run.
      out: pathlib.Path of the folder that is made.
      format: saved_model, onnx or litert.
      n_samples, sample_rate: Of a hybrid, where the format or the block-wise form fixes them; None
        for its own.
      block: Samples of a block of the block-wise form; None: whole notes.

    Returns:
      dict: what model.json holds.

    Raises:
      UsageError, RunError: one line on what can't be exported, or written.
    """
    forms, facts = _forms(generator, format, n_samples, sample_rate, block)
    facts = {
        "run": instrument.run_name,
        "format": format,
        **facts,
        "label_names": list(instrument.label_names),
        "forms": {form.name: [_described(spec) for spec in form.inputs] for form in forms},
    }
    with atomic_folder(out) as folder:
        WRITERS[format](folder, generator, forms)
        (folder / "model.json").write_text(json.dumps(facts, indent=2) + "\n")
    return facts


def _forms(generator, format, n_samples, sample_rate, block):
    """(list of Form, facts on rate and lengths)."""
    if block is not None:
        rate = sample_rate or generator.sample_rate
        _check_unset("--seconds", n_samples, "blocks go on for as long as they are asked for")
        blocks = Blocks(generator, block, rate)
        facts = {"sample_rate": rate, "block": block, "latency": blocks.stream.latency}
        return blocks.forms(), {**facts, "fixed": ["sample_rate", "block"], "open": ["batch"]}
    if not isinstance(generator, Hybrid):
        own = "this run's generator makes waveforms of its own length and rate"
        _check_unset("--seconds", n_samples, own)
        _check_unset("--sample_rate", sample_rate, own)
        made = forms_of.of_one_length(generator)
        rate = forms_of.raw_rate(generator)
        facts = {"sample_rate": rate, "seconds": generator.seconds}
        return made, {**facts, "fixed": ["length", "sample_rate"], "open": ["batch"]}
    if format == "saved_model":
        any_length = "a SavedModel of a hybrid is told n_samples and sample_rate with each note"
        _check_unset("--seconds", n_samples, any_length)
        _check_unset("--sample_rate", sample_rate, any_length)
        fixed = ["sample_rate"] if generator.reverb is not None else []
        open_ = [name for name in ("batch", "length", "sample_rate") if name not in fixed]
        facts = {"sample_rate": generator.sample_rate, "fixed": fixed, "open": open_}
        return forms_of.of_any_length(generator), facts
    rate = sample_rate or generator.sample_rate
    n_samples = n_samples or round(generator.seconds * rate)
    facts = {"sample_rate": rate, "n_samples": n_samples}
    made = forms_of.of_one_length(generator, n_samples, rate)
    return made, {**facts, "fixed": ["length", "sample_rate"], "open": ["batch"]}


def _check_unset(option, value, why):
    if value is not None:
        raise UsageError(f"{option} has no effect: {why}; leave it out")


def _described(spec):
    shape = [size or "batch" for size in spec.shape.as_list()]
    described = {"name": spec.name, "type": spec.dtype.name, "shape": shape}
    if spec.name in _MEANINGS:
        described["meaning"] = _MEANINGS[spec.name]
    elif spec.name.startswith(PREFIX):
        described["meaning"] = f"{spec.name.replace(PREFIX, NEXT)} of the block before; at first 0"
    return described
