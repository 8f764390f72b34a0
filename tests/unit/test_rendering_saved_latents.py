"""Latents read from files."""

import types

import numpy as np
import pytest

from noisygan.errors import UsageError
from noisygan.rendering.requests import NoteSpec
from noisygan.rendering.saved_latents import SavedLatents, load_latents
from tests import toys

NUMBERS = {"pitch": 60.4, "velocity": 90.0, "held_seconds": 1.5, "gain": 0.5, "noise_seed": 3}
SAVED = {"z": np.arange(4.0), "label_name": "flute"} | NUMBERS


def test_saved_latents_and_arrays_are_read(tmp_path):
    np.savez(tmp_path / "z.npz", **SAVED, tags='{"mic": "far"}')
    saved = load_latents(tmp_path / "z.npz")
    np.testing.assert_array_equal(saved.z, [[0, 1, 2, 3]])
    assert saved[1:] == (60.4, 90.0, "flute", 1.5, 0.5, 3, {"mic": "far"})
    for shape in ((3,), (5, 3)):
        np.save(tmp_path / "a.npy", np.zeros(shape))
        saved = load_latents(tmp_path / "a.npy")
        assert saved.z.shape == (shape[0] if len(shape) > 1 else 1, 3) and saved.gain == 1.0
        assert saved.pitch is saved.velocity is saved.held_seconds is saved.noise_seed is None


def test_conditions_are_the_given_ones_else_the_saved_ones():
    saved = SavedLatents(np.zeros((1, 3)), 60.4, 90.0, "flute", 1.5, tags={"mic": "far", "x": 1.0})
    generator = types.SimpleNamespace(has_controls=True, release_seconds=0.5)
    flute = toys.run("run", ("pitch", "velocity", "label", "mic"), ("flute", "oboe"), ())
    flute.generator = generator
    found = saved.complete(NoteSpec(), flute)
    assert found == NoteSpec(60.4, 90.0, "flute", 1, 2.0, held_seconds=1.5, tags={"mic": "far"})
    given = NoteSpec(72, 5, "oboe", 1, 3.0, held_seconds=0.1, tags={"mic": "close"})
    assert saved.complete(given, flute) == given
    other = toys.run("run", (), ("flute",), ())
    other.generator = types.SimpleNamespace(has_controls=False, release_seconds=None)
    assert saved.complete(NoteSpec(), other) == NoteSpec(tags={})
    with pytest.raises(UsageError, match="z: .* 3 .* 4"):
        saved.check_size(4)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"z": None}, "holds no z"),
        ({"z": np.zeros((2, 2, 2))}, r"z of shape \(2, 2, 2\)"),
        ({"z": np.array(["a"])}, "z of shape"),
        ({"z": np.array([np.nan])}, "z of shape"),
        ({"z": np.array([{}])}, "can't be read"),
        ({"pitch": 128.0}, "pitch is 128.0; expected a number from 0 to 127"),
        ({"velocity": np.nan}, "velocity is nan"),
        ({"tags": "[1"}, "its tags are no JSON object"),
        ({"gain": 0.0}, "gain is 0"),
        ({"gain": np.ones(2)}, "gain is"),
        ({"noise_seed": -1}, "noise_seed is -1"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path, changes, message):
    entries = {name: value for name, value in (SAVED | changes).items() if value is not None}
    np.savez(tmp_path / "z.npz", **entries)
    with pytest.raises(UsageError, match=message):
        load_latents(tmp_path / "z.npz")


def test_what_is_no_such_file_is_refused(tmp_path):
    (tmp_path / "a.npy").write_bytes(b"nothing of the kind")
    for name, message in (("no.npz", "missing"), (".", "a folder"), ("a.npy", "can't be read")):
        with pytest.raises(UsageError, match=message):
            load_latents(tmp_path / name)
