"""Latents between two, and a sound that moves along them."""

import numpy as np
import pytest

from noisygan.errors import UsageError
from noisygan.generators.drum_voices import ModalVoice
from noisygan.rendering import interpolation
from noisygan.rendering.batches import render_requests
from noisygan.rendering.requests import Request
from tests import toys

REQUEST = Request(60.0, 100.0, 0, "flute", 0, 0)
FIRST, LAST = np.random.default_rng(0).normal(size=(2, 4)).astype(np.float32)


def test_paths_end_where_asked_and_an_arc_stays_on_the_sphere():
    first, last = FIRST / np.linalg.norm(FIRST), 3.0 * LAST / np.linalg.norm(LAST)
    for path in interpolation.PATHS.values():
        z = path(first, last, 9)
        np.testing.assert_allclose(z[[0, -1]], [first, last], atol=1e-6)
    lengths = np.linalg.norm(z, axis=1)
    np.testing.assert_allclose(lengths, np.linspace(1.0, 3.0, 9), rtol=1e-5)
    unit = z / lengths[:, None]
    cosines = np.sum(unit[1:] * unit[:-1], axis=1)
    np.testing.assert_allclose(cosines, cosines[0], rtol=1e-5)
    for opposite in (FIRST, -FIRST, 0.0 * FIRST):  # there is no arc
        z = interpolation.spherical(FIRST, opposite, 3)
        np.testing.assert_allclose(z[1], 0.5 * (FIRST + opposite), atol=1e-6)


def test_steps_begin_with_the_sound_that_render_makes_and_so_does_a_morph_of_one_latent():
    generator = toys.hybrid()
    [first] = interpolation.ends(generator, [0], 3)
    notes = interpolation.steps(generator, np.stack([first, LAST]), REQUEST, seed=3)
    assert notes.names == ["step-00", "step-01"]
    rendered = render_requests(generator, [REQUEST], seed=3).audio[0]
    np.testing.assert_allclose(notes.audio[0], rendered, atol=1e-6)
    assert np.abs(notes.audio[1] - notes.audio[0]).max() > 1e-3
    morph = interpolation.morph(generator, np.stack([first, first]), REQUEST, seed=3)
    np.testing.assert_allclose(morph.audio[0], rendered, atol=1e-4)


def test_a_morph_begins_as_the_first_latent_and_ends_as_the_last():
    generator = toys.hybrid()
    z = interpolation.linear(FIRST, LAST, 5)
    steps = interpolation.steps(generator, z, REQUEST).controls
    morph = interpolation.morph(generator, z, REQUEST).controls
    assert set(morph) == set(steps)
    for name, values in morph.items():
        if values.ndim == 3:  # curves; a reverb has no time
            for row, frame in [(0, 0), (-1, -1)]:
                expected = steps[name][row, frame]
                np.testing.assert_allclose(values[0, frame], expected, rtol=1e-3, atol=1e-7)
    struck = toys.hybrid(voices=[ModalVoice(n_modes=3)])
    with pytest.raises(UsageError, match="modal"):
        interpolation.morph(struck, z, REQUEST)
