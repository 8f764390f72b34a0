"""Every reader, fuzzed briefly: what it is given is read, or refused in one line.

`FUZZ=100 pytest tests/fuzz` (or `make fuzz`) tries a hundred times as many inputs. What it finds
becomes a test of `tests/hostile`.
"""

import json
import os
import warnings

import numpy as np
import pytest

pytest.importorskip("hypothesis", reason="pip install hypothesis")
pytest.importorskip("mido", reason="needs the extra midi")
pytest.importorskip("starlette", reason="needs the extra studio")

import hypothesis
from hypothesis import strategies as st

from tests.fuzz import targets

FUZZ = int(os.environ.get("FUZZ", "1"))
# Loading a config rebuilds gin's registry; controls are rendered.
EXAMPLES = {"config_file": 25, "controls_file": 25, "recording": 60, "studio_request": 40}

# ---- inputs ----------------------------------------------------------------------------------

_NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_EDIT = st.tuples(
    st.floats(0, 1),  # where
    st.integers(0, 40),  # how many bytes are replaced
    st.one_of(
        st.binary(max_size=30),
        st.tuples(st.sampled_from(_NUMBERS), st.sampled_from(["big", "little"])).map(
            lambda pair: pair[0].to_bytes(4, pair[1])
        ),
        st.just(b"\xff" * 8),
        st.integers(2, 50),  # the replaced bytes, repeated
    ),
)


def _edited(data, edits):
    for place, n, new in edits:
        at = int(place * len(data))
        new = data[at : at + n] * new if isinstance(new, int) else new
        data = data[:at] + new + data[at + n :]
    return data


_LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-10, 200),
    st.sampled_from([2**31, 2**63, 10**30, -(2**40), 10**400]),
    st.floats(),
    st.text(max_size=10),
    st.sampled_from(["", "..", "../x", "/etc/x", "a/b", "a\0b", "\ud800", "<script>", "é" * 300]),
)
_JSON = st.recursive(
    _LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=8,
)


def _places(value, path=()):
    yield path
    items = enumerate(value) if isinstance(value, list) else ()
    for key, item in value.items() if isinstance(value, dict) else items:
        yield from _places(item, (*path, key))


def _put(value, path, new):
    if not path:
        return new
    value = value.copy()
    value[path[0]] = _put(value[path[0]], path[1:], new)
    return value


@st.composite
def _odd_json(draw, value):
    """A good value, one or two of whose parts are anything; bytes."""
    for _ in range(draw(st.integers(1, 2))):
        path = draw(st.sampled_from(list(_places(value))))
        value = _put(value, path, draw(_JSON))
    return json.dumps(value).encode()


@st.composite
def _odd_controls(draw):
    """A controls file of which some entries are others, missing or of other shapes; bytes."""
    arrays = targets.good_controls()
    values = st.sampled_from([0, 1, -1, 1e-30, 1e30, np.inf, np.nan, 8000, 0.5, 2**33, 441])
    for _ in range(draw(st.integers(1, 3))):
        name = draw(st.sampled_from(sorted(arrays)))
        shape = draw(
            st.just(arrays[name].shape) | st.lists(st.integers(0, 25), max_size=3).map(tuple)
        )
        kind = draw(st.sampled_from(["f4", "f8", "i4", "i8", "u1", "b1", "U3", ">f4", "c8", None]))
        with np.errstate(all="ignore"):
            arrays[name] = np.full(shape, draw(values)).astype(kind or "f8")
        if kind is None:
            del arrays[name]
    return targets.archive(arrays)


_NAMES = st.sampled_from(
    (
        *("CPPN", "Linear", "Attack", "tfp.distributions.Normal", "gin.singleton", "os.system"),
        *("a/CPPN", "width", "Hybrid", "synths.noise.np.load", "cppn.networks.CPPN", "eval"),
        *("tfp.distributions.Sample", "CPPN.__init__"),
    )
)
_VALUES = st.recursive(
    st.one_of(
        st.sampled_from(("3", "10" * 9, "9" * 5000, "1e999", "1j", "None", "'x'", "%width", "%a")),
        _NAMES.map("@{}()".format),
        _NAMES.map("@{}".format),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
        inner.map("({},)".format),
        inner.map("{{'class_name': {}}}".format),
    ),
    max_leaves=6,
)
_LINES = st.one_of(
    st.builds("{}.{} = {}".format, _NAMES, st.sampled_from(("units", "loc", "seed")), _VALUES),
    st.builds("{} = {}".format, st.sampled_from(("width", "a", "b")), _VALUES),
    st.sampled_from(("import os", "import synths", "from cppn import networks", "import cppn.x")),
    st.sampled_from(("include '../x.gin'", "include 'runs/notes.gin'", "((((", "'''")),
    st.text(max_size=20),
)
_ODD_CONFIGS = st.lists(_LINES | st.just(targets.CONFIG), min_size=1, max_size=5).map(
    lambda lines: "\n".join(lines).encode("utf-8", "surrogatepass")
)


def inputs(name):
    """Good inputs of a target with bytes changed, any bytes, and well-formed ones that are odd."""
    seeds = targets.TARGETS[name][1]()
    edited = st.builds(_edited, st.sampled_from(seeds), st.lists(_EDIT, min_size=1, max_size=6))
    found = [edited, edited, edited, st.binary(max_size=200)]
    if name in ("config_file", "controls_file"):
        found.append({"config_file": _ODD_CONFIGS, "controls_file": _odd_controls()}[name])
    elif seeds[0][:1] in (b"{", b"[") and name != "run_metrics":
        found += [_odd_json(json.loads(seed)) for seed in seeds]
    return st.one_of(found)


# ---- tests -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", targets.TARGETS)
def test_it_is_read_or_refused_in_one_line(name):
    read, seeds = targets.TARGETS[name]
    for data in seeds():
        read(data)

    @hypothesis.settings(
        max_examples=FUZZ * EXAMPLES.get(name, 80),
        deadline=None,
        derandomize=FUZZ == 1,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(inputs(name))
    def one(data):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            targets.check(name, data)

    one()
