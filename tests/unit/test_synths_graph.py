"""Graphs of processors: ddsp's notation, errors that name the node, training, export."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from synths import Add, FilteredNoise, Harmonic, ProcessorGroup, Reverb

N = 400


def inputs(batch=2):
    rng = np.random.default_rng(0)
    shapes = {"amps": 1, "harmonics": 5, "f0_hz": 1, "bands": 9}
    made = {k: rng.normal(size=(batch, 4, n)).astype(np.float32) for k, n in shapes.items()}
    return made | {"f0_hz": np.abs(made["f0_hz"]) * 100 + 200}


def parts():
    return (
        Harmonic(n_samples=N),
        FilteredNoise(n_samples=N),
        Add(),
        Reverb(trainable=True, reverb_length=50, gain=0.5),
    )


def group():
    harmonic, noise, add, reverb = parts()
    return ProcessorGroup(
        dag=[
            (harmonic, ["amps", "harmonics", "f0_hz"]),
            (noise, ["inputs/bands"]),
            (add, ["harmonic/signal", "filtered_noise/signal"]),
            (reverb, ["add/signal"]),
        ]
    )


def test_it_is_the_same_as_one_after_the_other():
    harmonic, noise, add, reverb = parts()
    x = inputs()
    expected = reverb(add(harmonic(x["amps"], x["harmonics"], x["f0_hz"]), noise(x["bands"])))
    both = group()(x, return_outputs_dict=True)
    np.testing.assert_allclose(both["signal"], expected, atol=1e-6)
    controls = both["controls"]
    assert set(controls) == {
        *x, "inputs", "harmonic", "filtered_noise", "add", "reverb", "out"
    }  # fmt: skip
    assert set(controls["harmonic"]["controls"]) == {"amplitudes", "harmonic_distribution", "f0_hz"}
    np.testing.assert_array_equal(controls["out"]["signal"], both["signal"])
    np.testing.assert_array_equal(group().get_signal(controls), both["signal"])


def test_a_checkpoint_holds_what_its_parts_have_learnt(tmp_path):
    made, other = group(), group()
    made.reverb.ir.assign(made.reverb.ir * -2.0)
    path = tf.train.Checkpoint(group=made).write(str(tmp_path / "weights"))
    tf.train.Checkpoint(group=other).read(path).assert_consumed()
    np.testing.assert_array_equal(other.reverb.ir, made.reverb.ir)
    np.testing.assert_array_equal(other(inputs()), made(inputs()))


def test_processors_by_name_and_layers_with_outputs():
    made = ProcessorGroup(
        dag=[
            (keras.layers.Dense(1, name="net"), ["features"], ["amps"]),
            ("tone", ["net/amps", "harmonics", "f0_hz"]),
        ],
        tone=Harmonic(n_samples=N, name="any"),
    )
    x = inputs()
    features = np.ones((2, 4, 3), np.float32)
    both = made({"features": features, **x}, return_outputs_dict=True)
    assert both["signal"].shape == (2, N)
    assert both["controls"]["net"]["amps"].shape == (2, 4, 1)
    assert len(made.trainable_variables) == 2
    assert [p.name for p in made.processors] == ["net", "any"]


def test_a_node_may_run_twice():
    add = Add()
    made = ProcessorGroup(dag=[(add, ["a", "b"]), (add, ["add/signal", "b"])])
    one = np.ones((1, 3), np.float32)
    np.testing.assert_array_equal(made({"a": one, "b": 2 * one}), 5 * one)


def test_what_is_missing_is_named_beside_what_there_is():
    made = ProcessorGroup(dag=[(Add(), ["a", "noise/signal"])])
    with pytest.raises(
        ValueError, match=r"add: got input 'noise/signal', expected one of a, inputs/a\."
    ):
        made({"a": np.ones((1, 3), np.float32)})


@pytest.mark.parametrize(
    "dag, message",
    [
        ([], "expected one node or more"),
        ([("tone", ["a"])], "there is no processor 'tone'; there are none"),
        ([(Add(), ["a", "b"]), ("tone", ["a"])], "there is no processor 'tone'; there are add"),
        ([(Add(), "a")], r"got 'a', expected a list of keys such as \['a'\]"),
        ([(Add(name="call"), ["a", "b"])], "'call' is an attribute"),
        ([(Add(), ["a", "b"]), (Add(), ["a", "b"])], "two processors named 'add'"),
    ],
)
def test_graphs_that_make_no_sense_are_refused(dag, message):
    with pytest.raises(ValueError, match=message):
        ProcessorGroup(dag=dag)
