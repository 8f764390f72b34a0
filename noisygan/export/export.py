"""Export of a trained run: a folder of models (SavedModel, ONNX, LiteRT), or a web page."""

import contextlib
import importlib
import io
import json
import logging
import os
import pathlib
import warnings

import tensorflow as tf

from noisygan.audio_io import audio_files
from noisygan.errors import NoisyganError, RunError, UsageError
from noisygan.export import forms as forms_of
from noisygan.export import web
from noisygan.export.blocks import NEXT, PREFIX, Blocks
from noisygan.files import atomic_folder, check_folder, check_free_folder, why_unwritable
from noisygan.generators.hybrid import Hybrid

_INSTEAD = "use format saved_model"
_OPSET = 18  # the first with the operations on bits
_MEANINGS = {
    "z": "latent of the note; standard normal, unless the run's prior is another",
    "pitch": "MIDI note number",
    "velocity": "MIDI velocity, 0 to 127",
    "label": "index into label_names",
    "seed": "of the noise; equal seeds give the noise that Python gives",
    "n_samples": "length of the sound in samples",
    "sample_rate": "Hz",
    "note_off_seconds": "time of the note-off since the note began; 1e9 while it is held",
    PREFIX + "n_frames": "blocks since the note began; set a voice's to 0 to begin a note in it",
}


def export(run, out, format="saved_model", seconds=None, sample_rate=None, block=None):
    """Export a run's generator; arguments, result and errors as of `noisygan.Run.export`."""
    audio_files.check_sample_rate(sample_rate)
    audio_files.check_seconds(seconds)
    if format not in FORMATS:
        raise UsageError(f"format {format!r}: expected one of {', '.join(FORMATS)}")
    if format == "web":
        why = "a page plays any length at the browser's rate"
        _refuse(why, seconds=seconds, sample_rate=sample_rate, block=block)
        return web.write_page(run, out)
    out_dir = pathlib.Path(out)
    check_folder(out_dir)
    check_free_folder(out_dir)
    forms, facts = _forms(run.generator, format, seconds, sample_rate, block)
    facts = {
        "run": run.name,
        "format": format,
        **facts,
        "label_names": list(run.label_names),
        "tags": run.tag_values,
        "forms": {form.name: [_described(spec) for spec in form.inputs] for form in forms},
    }
    with atomic_folder(out_dir) as folder:
        WRITERS[format](folder, run.generator, forms)
        (folder / "model.json").write_text(json.dumps(facts, indent=2) + "\n")
    return facts


def _refuse(why, **options):
    for name, value in options.items():
        if value is not None:
            raise UsageError(f"{name} has no effect: {why}; leave it out")


def _forms(generator, format, seconds, sample_rate, block):
    """(list of Form, facts on rate and lengths)."""
    rate = sample_rate or generator.sample_rate
    if block is not None:
        _refuse("blocks have no end", seconds=seconds)
        blocks = Blocks(generator, block, rate)
        facts = {"sample_rate": rate, "block": block, "latency": blocks.stream.latency}
        return blocks.forms(), {**facts, "fixed": ["sample_rate", "block"], "open": ["batch"]}
    fixed = {"fixed": ["length", "sample_rate"], "open": ["batch"]}
    if not isinstance(generator, Hybrid):
        why = "this run's generator has its own length and rate"
        _refuse(why, seconds=seconds, sample_rate=sample_rate)
        facts = {"sample_rate": forms_of.raw_rate(generator), "seconds": generator.seconds}
        return forms_of.of_one_length(generator), {**facts, **fixed}
    if format == "saved_model":
        why = "a SavedModel of a hybrid takes n_samples and sample_rate with each note"
        _refuse(why, seconds=seconds, sample_rate=sample_rate)
        fixed = ["sample_rate"] if generator.reverb is not None else []
        open_ = [name for name in ("batch", "length", "sample_rate") if name not in fixed]
        facts = {"sample_rate": generator.sample_rate, "fixed": fixed, "open": open_}
        return forms_of.of_any_length(generator), facts
    n_samples = max(1, round((seconds or generator.seconds) * rate))
    made = forms_of.of_one_length(generator, n_samples, rate)
    return made, {"sample_rate": rate, "n_samples": n_samples, **fixed}


def _described(spec):
    shape = [size or "batch" for size in spec.shape.as_list()]
    described = {"name": spec.name, "type": spec.dtype.name, "shape": shape}
    if spec.name in _MEANINGS:
        described["meaning"] = _MEANINGS[spec.name]
    elif spec.name.startswith(PREFIX):
        described["meaning"] = f"{spec.name.replace(PREFIX, NEXT)} of the block before; at first 0"
    return described


def _write_saved_model(folder, generator, forms):
    """Write a signature per form; `serving_default` is the first one."""
    module = tf.Module()
    module.weights = [weight.value for weight in generator.weights]
    module.traced = {form.name: form.traceable() for form in forms}
    signatures = {form.name: module.traced[form.name].get_concrete_function() for form in forms}
    signatures["serving_default"] = signatures[forms[0].name]
    try:
        tf.saved_model.save(module, str(folder), signatures)
    except tf.errors.OpError as error:
        raise OSError(why_unwritable(error) or str(error)) from error


def _write_onnx(folder, generator, forms):
    """Write a file `<form>.onnx` per form."""
    try:
        onnx, tf2onnx = (importlib.import_module(name) for name in ("onnx", "tf2onnx"))
    except ImportError as error:
        raise UsageError(f"ONNX needs {error.name}: pip install 'noisygan[export]'") from None
    for form in forms:
        with _one_line_errors(f"{form.name}.onnx"), _silent():
            model, _ = tf2onnx.convert.from_function(
                form.traceable(), input_signature=form.inputs, opset=_OPSET
            )
        foreign = {node.op_type for node in model.graph.node if not onnx.defs.has(node.op_type)}
        if foreign:
            missing = ", ".join(sorted(foreign))
            raise RunError(f"{form.name}.onnx can't be made: ONNX has no {missing}; {_INSTEAD}")
        for value in (*model.graph.input, *model.graph.output):
            for size in value.type.tensor_type.shape.dim[:1]:
                if not size.HasField("dim_value"):
                    size.dim_param = "batch"
        (folder / f"{form.name}.onnx").write_bytes(model.SerializeToString())


def _write_litert(folder, generator, forms):
    """Write a file `model.tflite` with a signature per form."""
    saved = folder / "saved_model"
    with _one_line_errors("model.tflite"), _silent():
        _write_saved_model(saved, generator, forms)
        converter = tf.lite.TFLiteConverter.from_saved_model(
            str(saved), signature_keys=[form.name for form in forms]
        )
        model = converter.convert()
    tf.io.gfile.rmtree(str(saved))
    (folder / "model.tflite").write_bytes(model)


WRITERS = {"saved_model": _write_saved_model, "onnx": _write_onnx, "litert": _write_litert}
FORMATS = (*WRITERS, "web")


@contextlib.contextmanager
def _one_line_errors(file):
    """Turn a converter's error into one line."""
    try:
        yield
    except (NoisyganError, OSError):
        raise
    except Exception as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        reason = next((line for line in lines if "ops:" in line.lower()), (lines or [""])[0])
        reason = f"{type(error).__name__}: {reason[:200]}"
        raise RunError(f"{file} can't be made: {reason}; {_INSTEAD}") from error


@contextlib.contextmanager
def _silent():
    """Keep the converters' logs off the terminal."""
    loggers = [logging.getLogger(name) for name in ("absl", "tensorflow", "tf2onnx")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    kept = os.dup(2)
    with open(os.devnull, "wb") as nowhere, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        os.dup2(nowhere.fileno(), 2)
        try:
            with contextlib.redirect_stderr(io.StringIO()):
                yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
