"""The descent finds what it is asked for, whatever its size."""

import numpy as np
import pytest
import tensorflow as tf

from noisygan.matching.descent import Unknown, descend


def test_unknowns_of_different_sizes_are_found():
    unknowns = {
        "large": Unknown(np.zeros(3, np.float32), 100.0),
        "small": Unknown(np.float32(1.0), 1e-3),
        "idle": Unknown(np.float32(7.0), 1.0),
    }

    def loss(values):
        large = tf.reduce_sum((values["large"] / 1000.0 - [1.0, 2.0, -1.0]) ** 2)
        return large + (1000.0 * (values["small"] - 1.01)) ** 2

    done = []
    found, losses = descend(unknowns, loss, 150, done.append)
    np.testing.assert_allclose(found["large"], [1000.0, 2000.0, -1000.0], atol=30.0)
    assert found["small"] == pytest.approx(1.01, abs=3e-4)
    assert found["idle"] == 7.0
    assert len(losses) == 150 and done == list(range(1, 151))
    assert losses[-1] < 1e-2 * losses[0]
