"""Latents read from files."""

import numpy as np
import pytest

from noisygan.errors import UsageError
from noisygan.rendering.saved_latents import SavedLatents, load_latents
from tests import toys

SAVED = {
    "z": np.arange(4.0),
    "pitch": 60.4,
    "velocity": 90.0,
    "label_name": "flute",
    "held_seconds": 1.5,
    "gain": 0.5,
    "noise_seed": 3,
}


def save(path, **changes):
    np.savez(path, **{k: v for k, v in (SAVED | changes).items() if v is not None})
    return path


def test_saved_latents_are_read(tmp_path):
    saved = load_latents(save(tmp_path / "z.npz"))
    np.testing.assert_array_equal(saved.z, [[0, 1, 2, 3]])
    assert saved[1:] == (60.4, 90.0, "flute", 1.5, 0.5, 3)


def test_an_array_is_one_saved_or_several(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros(3))
    assert load_latents(tmp_path / "a.npy").z.shape == (1, 3)
    np.save(tmp_path / "b.npy", np.zeros((5, 3), np.float32))
    saved = load_latents(tmp_path / "b.npy")
    assert saved.z.shape == (5, 3)
    assert saved.gain == 1.0
    assert saved.pitch is saved.velocity is saved.held_seconds is saved.noise_seed is None


def test_conditions_are_the_given_ones_else_the_saved_ones():
    saved = SavedLatents(np.zeros((1, 3)), 60.4, 90.0, "flute")
    flute = toys.run("run", ("pitch", "velocity", "label"), ("flute", "oboe"), ())
    assert saved.conditions(flute) == ([60.4], 90.0, ["flute"])
    assert saved.conditions(flute, [72], 5, ["oboe"]) == ([72], 5, ["oboe"])
    assert saved.conditions(toys.run("run", (), ("flute",), ())) == (None, None, None)
    with pytest.raises(UsageError, match="z: .* 3 .* 4"):
        saved.check_size(4)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"z": None}, "holds no z"),
        ({"z": np.zeros((2, 2, 2))}, r"z of shape \(2, 2, 2\)"),
        ({"z": np.array(["a"])}, "z of shape"),
        ({"z": np.array([np.nan])}, "z of shape"),
        ({"pitch": 128.0}, "pitch is 128.0; expected a number from 0 to 127"),
        ({"velocity": np.nan}, "velocity is nan"),
        ({"gain": 0.0}, "gain is 0"),
        ({"gain": np.ones(2)}, "gain is"),
        ({"noise_seed": -1}, "noise_seed is -1"),
        ({"held_seconds": np.inf}, "held_seconds is inf"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path, changes, message):
    with pytest.raises(UsageError, match=message):
        load_latents(save(tmp_path / "z.npz", **changes))


def test_what_is_no_such_file_is_refused(tmp_path):
    with pytest.raises(UsageError, match="is missing"):
        load_latents(tmp_path / "no.npz")
    with pytest.raises(UsageError, match="is a folder"):
        load_latents(tmp_path)
    (tmp_path / "a.npy").write_bytes(b"nothing of the kind")
    with pytest.raises(UsageError, match="can't be read"):
        load_latents(tmp_path / "a.npy")
    np.save(tmp_path / "b.npy", np.array([{}]), allow_pickle=True)
    with pytest.raises(UsageError, match="can't be read"):
        load_latents(tmp_path / "b.npy")
