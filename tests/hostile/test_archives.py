"""NumPy archives that promise, or hold, more than they should."""

import struct
import zipfile

import numpy as np
import pytest

from noisygan.archives import read_arrays
from noisygan.audio_io.controls import load_controls
from noisygan.errors import UsageError
from tests.fuzz.targets import archive, good_controls


def member(shape="(3,)", kind="'<f4'", data=b"\0" * 12, version=b"\x01\x00"):
    """Bytes of a .npy file with any header."""
    header = f"{{'descr': {kind}, 'fortran_order': False, 'shape': {shape}, }}".encode() + b"\n"
    size = struct.pack("<H" if version == b"\x01\x00" else "<I", len(header))
    return b"\x93NUMPY" + version + size + header + data


def packed(tmp_path, content, name="a.npy"):
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr(name, content)
    return path


def test_arrays_come_back_as_they_were(tmp_path):
    arrays = good_controls() | {
        "big": np.arange(4, dtype=">i8"),
        "columns": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        "none": np.zeros([0, 3], np.float32),
        "text": np.array(["é", "\U0001f3b5"]),
    }
    for write in (np.savez, np.savez_compressed):
        write(tmp_path / "a.npz", **arrays)
        found = read_arrays(tmp_path / "a.npz")
        assert found.keys() == arrays.keys()
        for name, value in arrays.items():
            np.testing.assert_array_equal(found[name], value)
            assert found[name].dtype == value.dtype.newbyteorder("=")
    np.save(tmp_path / "b.npy", arrays["big"])
    np.testing.assert_array_equal(read_arrays(tmp_path / "b.npy")["array"], arrays["big"])


@pytest.mark.parametrize(
    "content",
    [
        member(shape="(1000000000000000,)"),
        member(shape="(-3,)"),
        member(kind="'|O'"),
        member(kind="[('a', '<f4')]"),
        member(kind="'<c8'", data=b"\0" * 24),
        member(kind="'<U1', __import__('os')"),
        member(shape="(" * 3000),
        member(version=b"\x09\x00"),
        b"no array",
        b"",
    ],
)
def test_headers_are_not_trusted(tmp_path, content):
    path = packed(tmp_path, content)
    with pytest.raises(ValueError):
        read_arrays(path)
    with pytest.raises(UsageError, match="is not a controls file"):
        load_controls(path)
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(ValueError):
        read_arrays(tmp_path / "a.npy")


def test_an_archive_that_unpacks_to_more_than_it_should(tmp_path):
    content = member(shape="(70000000,)", kind="'|u1'", data=b"\0" * 70_000_000)
    path = packed(tmp_path, content)
    assert path.stat().st_size < 100_000
    with pytest.raises(ValueError, match="holds 66 MB, at most 50 expected"):
        read_arrays(path, max_bytes=50 << 20)
    # A directory that lies about it.
    true, said = struct.pack("<I", len(content)), struct.pack("<I", 1000)
    path.write_bytes(path.read_bytes().replace(true, said))
    with pytest.raises(ValueError):
        read_arrays(path, max_bytes=50 << 20)


@pytest.mark.parametrize("damage", ["encrypted", "method", "cut", "nothing"])
def test_archives_that_cannot_be_read(tmp_path, damage):
    data = bytearray(archive({"a": np.ones(5)}))
    entry = data.index(b"PK\x01\x02")
    if damage == "encrypted":
        data[6] |= 1
        data[entry + 8] |= 1
    elif damage == "method":
        data[8:10] = data[entry + 10 : entry + 12] = b"\x63\x00"
    elif damage == "cut":
        data = data[: len(data) // 2]
    else:
        data = b""
    (tmp_path / "a.npz").write_bytes(bytes(data))
    with pytest.raises(ValueError):
        read_arrays(tmp_path / "a.npz")


def test_nothing_is_written_where_names_lead_elsewhere(tmp_path):
    path = packed(tmp_path, member(), name="../../up.npy")
    assert list(read_arrays(path)) == ["../../up"]
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["../up", "a/b", "..", ".", "\0", "", "a\nb", "x" * 200, "\u202e"])
def test_names_of_voices_do_not_become_paths(tmp_path, name):
    controls = good_controls()
    for key in list(controls):
        if key.startswith("tone/"):
            controls[f"{name}/{key[5:]}"] = controls.pop(key)
    controls["voices"] = np.array([name, *controls["voices"][1:]])
    (tmp_path / "a.npz").write_bytes(archive(controls))
    with pytest.raises(UsageError):
        load_controls(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("frame_rate", 1e-9),
        ("frame_rate", 1e9),
        ("air/bandwidth_hz", 1e-6),
        ("click/burst_seconds", 1e9),
        ("reverb/sample_rate", 1),
        ("n_samples", 0.5),
        ("n_samples", 2**50),
        ("noise_seed", 2**40),
        ("tone/f0_hz", np.full(20, 1e30)),
        ("body/decay_seconds", np.full(2, 1e-300)),
        ("reverb/ir", np.zeros(0)),
        ("reverb/add_dry", np.zeros(3)),
        ("air/magnitudes", np.zeros([20, 5000], np.float32)),
        ("tone/harmonic_distribution", np.zeros([20, 9000], np.float32)),
    ],
)
def test_controls_that_make_sound_without_end(tmp_path, name, value):
    (tmp_path / "a.npz").write_bytes(archive(good_controls() | {name: np.asarray(value)}))
    with pytest.raises(UsageError) as caught:
        load_controls(tmp_path / "a.npz")
    assert name in str(caught.value) or "lasts" in str(caught.value)
