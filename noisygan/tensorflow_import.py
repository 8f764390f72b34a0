"""TensorFlow, imported without its log lines."""

import contextlib
import os
import sys
import tempfile
import warnings


def import_tensorflow():
    """Import TensorFlow without its log lines if TF_CPP_MIN_LOG_LEVEL is 3, as on the command line.

    They are written straight to the process's standard error before any setting has an effect, so
    that is set aside meanwhile; what was written is shown if the import fails. Later warnings of
    TensorFlow and Keras concern their internals.
    """
    if os.environ.get("TF_CPP_MIN_LOG_LEVEL") != "3":
        return
    warnings.filterwarnings("ignore", module=r"(keras|tensorflow|tensorflow_probability)\b")
    if "tensorflow" in sys.modules:
        return
    with tempfile.TemporaryFile() as said:
        try:
            with _standard_error_into(said):
                import tensorflow as tf

                tf.config.list_physical_devices()
        except BaseException:
            said.seek(0)
            sys.stderr.write(said.read().decode(errors="replace"))
            raise
    tf.get_logger().setLevel("ERROR")


@contextlib.contextmanager
def _standard_error_into(file):
    sys.stderr.flush()
    kept = os.dup(2)
    os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
