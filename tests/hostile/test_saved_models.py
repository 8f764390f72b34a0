"""Networks from strangers as embeddings: one that writes files is not loaded."""

import os

import pytest
import tensorflow as tf

from noisygan.errors import UsageError
from noisygan.evaluation.embeddings import Embedding
from noisygan.evaluation.saved_models import check_saved_model


class Network(tf.Module):
    """Embeds sounds, and does something else in some function."""

    def __init__(self, act=None, when="call"):
        super().__init__()
        self.w = tf.Variable(tf.ones([1, 3]))
        self.act, self.when = act, when

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32)])
    def __call__(self, x):
        if self.act and self.when == "call":
            self.act()
        if self.act and self.when == "branch":
            tf.cond(tf.reduce_sum(x) > 1e9, lambda: (self.act(), 1)[1], lambda: 2)
        if self.act and self.when == "map":
            tf.map_fn(lambda v: (self.act(), v)[1], x)
        return x[:, None] @ self.w


def saved(path, *args, **kwargs):
    tf.saved_model.save(Network(*args, **kwargs), str(path))
    return path


def test_a_network_alone_is_loaded(tmp_path):
    path = saved(tmp_path / "plain")
    check_saved_model(path)
    assert Embedding(f"VGGish={path}").name == "VGGish"


@pytest.mark.parametrize("when", ["call", "branch", "map"])
def test_one_that_writes_a_file_is_refused_before_it_is_loaded(tmp_path, monkeypatch, when):
    path = saved(tmp_path / "evil", lambda: tf.io.write_file(str(tmp_path / "written"), "x"), when)
    monkeypatch.setattr(tf.saved_model, "load", lambda *_: pytest.fail("it was loaded"))
    with pytest.raises(UsageError, match="the operation WriteFile .*, which may do more than comp"):
        Embedding(f"VGGish={path}")
    assert not os.path.exists(tmp_path / "written")


@pytest.mark.parametrize(
    "act",
    [
        lambda: tf.io.read_file("/etc/hostname"),
        lambda: tf.io.matching_files("/*"),
        lambda: tf.print("x"),
        lambda: tf.py_function(lambda: 1, [], tf.int32),
        lambda: tf.raw_ops.RestoreV2(
            prefix="/x", tensor_names=["a"], shape_and_slices=[""], dtypes=[tf.float32]
        ),
    ],
)
def test_what_reads_or_calls_python_is_refused(tmp_path, act):
    with pytest.raises(UsageError, match="which may do more than compute"):
        check_saved_model(saved(tmp_path / "evil", act))


def test_what_is_no_saved_model(tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(b"\xff\xff\xff")
    with pytest.raises(UsageError, match="is no SavedModel"):
        check_saved_model(tmp_path)
    (tmp_path / "saved_model.pb").write_bytes(b"")
    check_saved_model(tmp_path)
    with pytest.raises(UsageError, match="can't be loaded"):
        Embedding(f"VGGish={tmp_path}")
