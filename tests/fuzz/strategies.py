"""How inputs are made: good ones with bytes changed, and well-formed ones that say odd things."""

import io
import json

import numpy as np
from hypothesis import strategies as st

from tests.fuzz import targets

_NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_WIDE = b"\xff" * 8

_EDIT = st.one_of(
    st.tuples(st.just("set"), st.floats(0, 1), st.binary(min_size=1, max_size=4)),
    st.tuples(st.just("number"), st.floats(0, 1), st.sampled_from(_NUMBERS), st.booleans()),
    st.tuples(st.just("insert"), st.floats(0, 1), st.binary(min_size=1, max_size=30)),
    st.tuples(st.just("delete"), st.floats(0, 1), st.integers(1, 40)),
    st.tuples(st.just("repeat"), st.floats(0, 1), st.integers(1, 40), st.integers(2, 50)),
    st.tuples(st.just("cut"), st.floats(0, 1)),
    st.tuples(st.just("wide"), st.floats(0, 1)),
)


def _edited(data, edits):
    data = bytearray(data)
    for kind, place, *how in edits:
        at = int(place * len(data))
        if kind == "set":
            data[at : at + len(how[0])] = how[0]
        elif kind == "number":
            data[at : at + 4] = how[0].to_bytes(4, "big" if how[1] else "little")
        elif kind == "insert":
            data[at:at] = how[0]
        elif kind == "delete":
            del data[at : at + how[0]]
        elif kind == "repeat":
            data[at:at] = data[at : at + how[0]] * how[1]
        elif kind == "cut":
            del data[at:]
        else:
            data[at : at + 8] = _WIDE
    return bytes(data)


def damaged(name):
    """Bytes of a target's good inputs with a few edits, or any bytes."""
    seeds = targets.TARGETS[name].seeds()
    edited = st.builds(_edited, st.sampled_from(seeds), st.lists(_EDIT, min_size=1, max_size=6))
    return st.one_of(edited, edited, edited, st.binary(max_size=200))


# ---- JSON ------------------------------------------------------------------------------------

_LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-10, 200),
    st.sampled_from([2**31, 2**63, 10**30, -(2**40), 10**400]),
    st.floats(),
    st.text(max_size=10),
    st.sampled_from(["", "..", "../x", "/etc/x", "a/b", "a\0b", "\ud800", "<script>", "é" * 300]),
)
JSON = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=8,
)


def _places(value, path=()):
    yield path
    if isinstance(value, dict):
        for key in value:
            yield from _places(value[key], (*path, key))
    elif isinstance(value, list):
        for i in range(len(value)):
            yield from _places(value[i], (*path, i))


def _put(value, path, new):
    if not path:
        return new
    value = dict(value) if isinstance(value, dict) else list(value)
    value[path[0]] = _put(value[path[0]], path[1:], new)
    return value


@st.composite
def odd_json(draw, values):
    """Good values of JSON, one or two of whose parts are anything; bytes."""
    value = draw(st.sampled_from(values))
    for _ in range(draw(st.integers(1, 2))):
        path = draw(st.sampled_from(list(_places(value))))
        value = _put(value, path, draw(JSON))
        if isinstance(value, dict) and draw(st.booleans()):
            value[draw(st.text(max_size=8))] = draw(JSON)
    return json.dumps(value).encode()


# ---- arrays ----------------------------------------------------------------------------------

_SHAPES = st.lists(st.integers(0, 25), max_size=3).map(tuple)
_TYPES = st.sampled_from(["f4", "f8", "i4", "i8", "u1", "u8", "b1", "U3", ">f4", "c8", "S3"])
_VALUES = st.sampled_from([0, 1, 3, -1, 1e-30, 1e30, np.inf, np.nan, 8000, 0.5, 2**33, 100, 441])


@st.composite
def odd_controls(draw):
    """A controls file of which some entries are others, missing, or of other shapes; bytes."""
    arrays = targets.good_controls()
    for _ in range(draw(st.integers(1, 3))):
        name = draw(st.sampled_from(sorted(arrays)))
        how = draw(st.sampled_from(["drop", "value", "cast", "shape", "fill", "text", "one"]))
        if how == "drop":
            del arrays[name]
        elif how == "value":
            arrays[name] = np.array(draw(_VALUES))
        elif how == "text":
            arrays[name] = np.array(draw(st.lists(st.text(max_size=8), max_size=4)), "U8")
        elif how == "one" and arrays[name].dtype.kind in "fiu" and arrays[name].size:
            arrays[name] = np.array(arrays[name], float)
            arrays[name].flat[draw(st.integers(0, arrays[name].size - 1))] = draw(_VALUES)
        else:
            kind = draw(_TYPES)
            shape = draw(_SHAPES) if how == "shape" else arrays[name].shape
            with np.errstate(all="ignore"):
                filled = np.full(shape, draw(_VALUES))
                arrays[name] = filled.astype(kind)
    return targets.archive(arrays)


# ---- records ---------------------------------------------------------------------------------

_FEATURES = st.one_of(
    st.binary(max_size=40),
    st.lists(st.integers(-(2**63), 2**63 - 1), max_size=5),
    st.lists(st.floats(width=32), max_size=5).map(lambda x: np.array(x, np.float32)),
    st.sampled_from([b"int16", b"float32", [8000], [8000, 8000], [0], [-5], [2**62]]),
)


@st.composite
def odd_records(draw):
    """A shard with right checksums, of which some features are others; bytes."""
    from noisygan.data.prepare import example

    file, out = io.BytesIO(targets.TARGETS["record_shard"].seeds()[0]), io.BytesIO()
    while (payload := example.read_frame(file)) is not None:
        features = example.decode(payload)
        for _ in range(draw(st.integers(0, 2))):
            name = draw(st.sampled_from(sorted(features)) | st.text(max_size=5))
            if draw(st.booleans()):
                features.pop(name, None)
            else:
                features[name] = draw(_FEATURES)
        example.write_frame(out, example.encode(features))
    return out.getvalue()


# ---- configs ---------------------------------------------------------------------------------

_NAMES = st.sampled_from(
    (
        *("CPPN", "Linear", "Attack", "tfp.distributions.Normal", "gin.singleton", "os.system"),
        *("a/CPPN", "width", "Hybrid", "synths.noise.np.load", "cppn.networks.CPPN", "eval"),
        *("tfp.distributions.Sample", "CPPN.__init__"),
    )
)
_PARAMETERS = st.sampled_from(("units", "coordinates", "loc", "name", "n_samples", "seed"))
_GIN_VALUES = st.recursive(
    st.one_of(
        st.integers(-5, 5).map(str),
        st.sampled_from(("10" * 9, "9" * 5000, "1e999", "None", "'x'", "%width", "%a")),
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
    st.builds("{}.{} = {}".format, _NAMES, _PARAMETERS, _GIN_VALUES),
    st.builds("{} = {}".format, st.sampled_from(("width", "a", "b")), _GIN_VALUES),
    st.builds("{}:\n    {} = {}".format, _NAMES, _PARAMETERS, _GIN_VALUES),
    st.sampled_from(("import os", "import synths", "from cppn import networks", "import cppn.x")),
    st.sampled_from(("include '../x.gin'", "include 'runs/notes.gin'", "((((", "'''")),
    st.text(max_size=20),
)


@st.composite
def odd_configs(draw):
    """A config that names what it should not, or says well-formed nonsense; bytes."""
    lines = [targets.CONFIG] if draw(st.booleans()) else []
    lines += draw(st.lists(_LINES, min_size=1, max_size=5))
    return "\n".join(lines).encode("utf-8", "surrogatepass")


STRUCTURED = {
    "config_file": odd_configs(),
    "controls_file": odd_controls(),
    "record_shard": odd_records(),
    "run_facts": odd_json([targets.FACTS]),
    "checkpoint_sums": odd_json(
        [json.loads(each) for each in targets.TARGETS["checkpoint_sums"].seeds()]
    ),
    "manifest": odd_json([targets.good_manifest()]),
    "nsynth_json": odd_json([targets.NSYNTH]),
    "table_json": odd_json([[{"file": "a.wav", "label": "x", "pitch": "C4", "split": "train"}]]),
    "studio_request": odd_json(targets.REQUESTS),
}


def inputs(name):
    """Inputs of a target, damaged and structured ones."""
    structured = STRUCTURED.get(name)
    return damaged(name) if structured is None else st.one_of(damaged(name), structured)
