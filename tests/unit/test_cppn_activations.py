"""Activations of the palette."""

import numpy as np
import pytest
import tensorflow as tf

from cppn.activations import PALETTE, Mixed

X = np.linspace(-4, 4, 41)
EXPECTED = {
    "sin": np.sin(X),
    "cos": np.cos(X),
    "gaussian": np.exp(-(X**2)),
    "tanh": np.tanh(X),
    "sigmoid": 1 / (1 + np.exp(-X)),
    "abs": np.abs(X),
    "leaky_relu": np.where(X > 0, X, 0.2 * X),
    "linear": X,
}


@pytest.mark.parametrize("name", PALETTE)
def test_palette(name):
    np.testing.assert_allclose(PALETTE[name](tf.constant(X)), EXPECTED[name], atol=1e-9)


@pytest.mark.parametrize(
    ("n_channels", "sizes"), [(9, [3, 3, 3]), (7, [2, 2, 3]), (3, [1, 1, 1]), (2, [0, 1, 1])]
)
def test_channels_are_shared_out(n_channels, sizes):
    names = ["sin", "gaussian", "abs"]
    x = np.tile(X[:, None], (2, 1, n_channels))
    y = Mixed(names)(tf.constant(x)).numpy()
    assert y.shape == x.shape
    owners = np.repeat(names, sizes)
    for channel, name in enumerate(owners):
        np.testing.assert_allclose(y[1, :, channel], EXPECTED[name], atol=1e-9)


@pytest.mark.parametrize("names", [["sin", "sine"], []])
def test_an_unknown_name_is_refused_with_those_that_work(names):
    with pytest.raises(ValueError, match="expected some of sin, cos, gaussian"):
        Mixed(names)
