"""Writes forms of a generator as SavedModel, ONNX or LiteRT."""

import contextlib
import importlib
import importlib.util
import io
import logging
import os
import warnings

import tensorflow as tf

from noisygan.errors import NoisyganError, RunError, UsageError

# The first one whose tools know the operations on bits.
_OPSET = 18


def write_saved_model(folder, generator, forms):
    """A SavedModel with a signature for each form; `serving_default` is the first one.

    Args:
      folder: pathlib.Path of a folder that is there.
      generator: Whose weights the forms use.
      forms: list of `noisygan.export.forms.Form`.
    """
    module = tf.Module()
    module.weights = [weight.value for weight in generator.weights]
    module.traced = {form.name: form.traceable() for form in forms}
    signatures = {form.name: module.traced[form.name].get_concrete_function() for form in forms}
    signatures["serving_default"] = signatures[forms[0].name]
    tf.saved_model.save(module, str(folder), signatures)


def write_onnx(folder, generator, forms):
    """A file `<form>.onnx` for each form.

    Args:
      folder, generator, forms: As of `write_saved_model`.

    Raises:
      UsageError: where tf2onnx is not installed.
      RunError: for a generator with operations that ONNX lacks.
    """
    tf2onnx = _imported("tf2onnx", "export")
    for form in forms:
        with _explained(f"{form.name}.onnx"), _silent():
            model, _ = tf2onnx.convert.from_function(
                form.traceable(), input_signature=form.inputs, opset=_OPSET
            )
        _check_onnx(form.name, model)
        (folder / f"{form.name}.onnx").write_bytes(model.SerializeToString())


def write_litert(folder, generator, forms):
    """A file `model.tflite` with a signature for each form.

    Args:
      folder, generator, forms: As of `write_saved_model`.

    Raises:
      RunError: for a generator with operations that LiteRT lacks.
    """
    saved = folder / "saved_model"
    with _explained("model.tflite"), _silent():
        write_saved_model(saved, generator, forms)
        converter = tf.lite.TFLiteConverter.from_saved_model(
            str(saved), signature_keys=[form.name for form in forms]
        )
        model = converter.convert()
    tf.io.gfile.rmtree(str(saved))
    (folder / "model.tflite").write_bytes(model)


WRITERS = {"saved_model": write_saved_model, "onnx": write_onnx, "litert": write_litert}


def _check_onnx(name, model):
    """Raises RunError for a graph with operations that are TensorFlow's alone."""
    onnx = _imported("onnx", "export")
    foreign = {node.op_type for node in model.graph.node if not onnx.defs.has(node.op_type)}
    if foreign:
        raise RunError(
            f"{name}.onnx can't be made: ONNX has no {', '.join(sorted(foreign))}; "
            "use --format saved_model"
        )


def _imported(module, extra):
    try:
        return importlib.import_module(module)
    except ImportError:
        raise UsageError(
            f"ONNX needs {module}, which is not installed; pip install 'noisygan[{extra}]'"
        ) from None


@contextlib.contextmanager
def _explained(file):
    """What a converter says of a graph that it can't convert, in one line."""
    try:
        yield
    except (NoisyganError, OSError):
        raise
    except Exception as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        told = next((line for line in lines if "ops:" in line.lower()), lines[0] if lines else "")
        raise RunError(
            f"{file} can't be made: {type(error).__name__}: {told[:200]}; use --format saved_model"
        ) from error


@contextlib.contextmanager
def _silent():
    """Keeps the converters' progress off the terminal."""
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
