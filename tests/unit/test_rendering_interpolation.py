"""Codes between two, and a sound that moves along them."""

import numpy as np
import pytest

from noisygan.errors import UsageError
from noisygan.generators.drum_voices import ModalVoice
from noisygan.rendering import interpolation, notes
from noisygan.rendering import synthesis as blocks
from tests import toys

REQUEST = notes.Request(60.0, 100.0, 0, "flute", 0, 0)
FIRST, LAST = np.random.default_rng(0).normal(size=(2, 4)).astype(np.float32)


@pytest.mark.parametrize("path", interpolation.PATHS.values())
def test_a_path_begins_and_ends_where_it_is_asked_to(path):
    codes = path(FIRST, LAST, 5)
    assert codes.shape == (5, 4)
    np.testing.assert_allclose(codes[[0, -1]], [FIRST, LAST], atol=1e-6)


def test_an_arc_stays_on_the_sphere_and_its_angles_are_even():
    first, last = FIRST / np.linalg.norm(FIRST), 3.0 * LAST / np.linalg.norm(LAST)
    codes = interpolation.spherical(first, last, 9)
    lengths = np.linalg.norm(codes, axis=1)
    np.testing.assert_allclose(lengths, np.linspace(1.0, 3.0, 9), rtol=1e-5)
    unit = codes / lengths[:, None]
    cosines = np.sum(unit[1:] * unit[:-1], axis=1)
    np.testing.assert_allclose(cosines, cosines[0], rtol=1e-5)


@pytest.mark.parametrize("last", [FIRST, -FIRST, 0.0 * FIRST])
def test_where_there_is_no_arc_the_line_is_taken(last):
    codes = interpolation.spherical(FIRST, last, 3)
    np.testing.assert_allclose(codes[1], 0.5 * (FIRST + last), atol=1e-6)


def test_steps_begin_with_the_sound_that_render_makes():
    generator = toys.hybrid()
    z_seed, _ = notes.note_seeds(3, 0)
    codes = interpolation.linear(generator.prior(1, seed=z_seed)[0].numpy(), LAST, 3)
    first, *_, last = interpolation.steps(generator, codes, REQUEST, seed=3)
    ((_, rendered, *_),) = notes.render(generator, [REQUEST], seed=3)
    np.testing.assert_allclose(first, rendered, atol=1e-6)
    assert np.abs(last - first).max() > 1e-3


def test_a_morph_of_one_code_is_its_sound():
    generator = toys.hybrid()
    codes = np.stack([FIRST, FIRST, FIRST])
    (sound,) = interpolation.steps(generator, codes[:1], REQUEST)
    np.testing.assert_allclose(interpolation.morph(generator, codes, REQUEST), sound, atol=1e-4)


def test_a_morph_begins_as_the_first_code_and_ends_as_the_last():
    generator = toys.hybrid()
    codes = interpolation.linear(FIRST, LAST, 5)
    first, *_, last = interpolation.steps(generator, codes, REQUEST)
    morph = interpolation.morph(generator, codes, REQUEST)
    n = round(0.02 * toys.SAMPLE_RATE)
    near = np.abs(morph - first)[:n].max(), np.abs(morph - last)[:n].max()
    assert near[0] < near[1]
    end = np.sqrt(np.mean(morph[-n:] ** 2))
    of_last, of_first = (np.sqrt(np.mean(x[-n:] ** 2)) for x in (last, first))
    assert abs(end - of_last) < abs(end - of_first)


def test_what_is_struck_has_no_way_to_change_on():
    generator = toys.hybrid(voices=[ModalVoice(n_modes=3)])
    with pytest.raises(UsageError, match="the modal voice of this run is settled by the blow"):
        interpolation.morph(generator, interpolation.linear(FIRST, LAST, 3), REQUEST)


def test_what_is_long_is_made_in_blocks_and_sounds_the_same(monkeypatch):
    generator = toys.hybrid()
    codes = interpolation.linear(FIRST, LAST, 3)
    asked = (generator, codes, REQUEST, 0.5)
    plain = [*interpolation.steps(*asked), interpolation.morph(*asked)]
    monkeypatch.setattr(notes, "MAX_SAMPLES_PER_BATCH", 1000)
    monkeypatch.setattr(blocks, "BLOCK_SAMPLES", 1024)
    made = [list(step) for step in interpolation.steps_in_blocks(*asked)]
    made.append(list(interpolation.morph_in_blocks(*asked)))
    for pieces, wanted in zip(made, plain, strict=True):
        assert len(pieces) == -(-len(wanted) // 1024) > 2
        sound = np.concatenate([piece for piece, _ in pieces])
        np.testing.assert_allclose(sound, wanted, atol=1e-4)
