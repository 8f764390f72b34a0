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


@pytest.mark.parametrize("path", interpolation.PATHS.values())
def test_a_path_begins_and_ends_where_it_is_asked_to(path):
    z = path(FIRST, LAST, 5)
    assert z.shape == (5, 4)
    np.testing.assert_allclose(z[[0, -1]], [FIRST, LAST], atol=1e-6)


def test_an_arc_stays_on_the_sphere_and_its_angles_are_even():
    first, last = FIRST / np.linalg.norm(FIRST), 3.0 * LAST / np.linalg.norm(LAST)
    z = interpolation.spherical(first, last, 9)
    lengths = np.linalg.norm(z, axis=1)
    np.testing.assert_allclose(lengths, np.linspace(1.0, 3.0, 9), rtol=1e-5)
    unit = z / lengths[:, None]
    cosines = np.sum(unit[1:] * unit[:-1], axis=1)
    np.testing.assert_allclose(cosines, cosines[0], rtol=1e-5)


@pytest.mark.parametrize("last", [FIRST, -FIRST, 0.0 * FIRST])
def test_where_there_is_no_arc_the_line_is_taken(last):
    z = interpolation.spherical(FIRST, last, 3)
    np.testing.assert_allclose(z[1], 0.5 * (FIRST + last), atol=1e-6)


def test_steps_begin_with_the_sound_that_render_makes():
    generator = toys.hybrid()
    [first] = interpolation.ends(generator, [0], 3)
    z = interpolation.linear(first, LAST, 3)
    notes = interpolation.steps(generator, z, REQUEST, seed=3)
    assert notes.names == ["step-00", "step-01", "step-02"]
    rendered = render_requests(generator, [REQUEST], seed=3)
    np.testing.assert_allclose(notes.audio[0], rendered.audio[0], atol=1e-6)
    assert np.abs(notes.audio[2] - notes.audio[0]).max() > 1e-3


def test_a_morph_of_one_latent_is_its_sound():
    generator = toys.hybrid()
    z = np.stack([FIRST, FIRST, FIRST])
    [sound] = interpolation.steps(generator, z[:1], REQUEST).audio
    [morph] = interpolation.morph(generator, z, REQUEST).audio
    np.testing.assert_allclose(morph, sound, atol=1e-4)


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


def test_what_is_struck_has_no_way_to_change_on():
    generator = toys.hybrid(voices=[ModalVoice(n_modes=3)])
    with pytest.raises(UsageError, match="modal"):
        interpolation.morph(generator, interpolation.linear(FIRST, LAST, 3), REQUEST)
