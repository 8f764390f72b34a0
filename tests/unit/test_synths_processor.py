"""Calls of processors: numbers and lists, keywords, None, Keras inputs."""

import keras
import numpy as np
import tensorflow as tf

from synths import FIRFilter, Harmonic, Mix, Processor, ProcessorGroup
from synths.precision import as_floats

FRAMES = [[[0.5], [0.25]], [[1.0], [0.5]]]


class Gain(Processor):
    """A sound times a number."""

    def get_controls(self, audio, gain, offset=None):
        return {"audio": audio, "gain": gain} | ({} if offset is None else {"offset": offset})

    def get_signal(self, audio, gain, offset=0.0):
        audio, gain, offset = as_floats(audio, gain, offset)
        return audio * gain + offset


def test_numbers_and_lists_are_tensors():
    synth = Harmonic(100)
    expected = synth(*[tf.constant(FRAMES)] * 2, 100.0 * tf.constant(FRAMES))
    f0_hz = [[[50.0], [25.0]], [[100.0], [50.0]]]
    np.testing.assert_array_equal(synth(FRAMES, FRAMES, f0_hz), expected)
    np.testing.assert_array_equal(synth(FRAMES, FRAMES, f0_hz=f0_hz), expected)
    rows = [list(row) for row in np.array(f0_hz, np.float32)]
    np.testing.assert_array_equal(synth(FRAMES, FRAMES, rows), expected)
    for gain in (2.0, 2, np.float32(2.0), tf.constant(2.0)):
        sound = Gain()(np.ones((1, 3), np.float32), gain)
        np.testing.assert_array_equal(sound, [[2.0, 2.0, 2.0]])


def test_none_and_keywords():
    audio = np.ones((1, 3), np.float32)
    np.testing.assert_array_equal(Gain()(audio, 2.0, None), [[2.0, 2.0, 2.0]])
    np.testing.assert_array_equal(Gain()(audio=audio, gain=2.0), [[2.0, 2.0, 2.0]])
    np.testing.assert_array_equal(Gain()(audio, 2.0, training=True), [[2.0, 2.0, 2.0]])
    both = Gain()(audio, 2.0, offset=1.0, return_outputs_dict=True)
    np.testing.assert_array_equal(both["signal"], [[3.0, 3.0, 3.0]])


def test_a_group_takes_numbers_and_lists():
    group = ProcessorGroup([(Gain(name="gain"), ["audio", "level"])])
    np.testing.assert_array_equal(group({"audio": [[1.0, 2.0]], "level": 2.0}), [[2.0, 4.0]])


def test_keras_models():
    audio, bands = keras.Input([40]), keras.Input([5, 9])
    balance = keras.Input([5, 1])
    model = keras.Model([audio, bands, balance], Mix()(audio, FIRFilter()(audio, bands), balance))
    rng = np.random.default_rng(0)
    inputs = [rng.normal(size=(2, *x.shape[1:])).astype(np.float32) for x in model.inputs]
    expected = Mix()(inputs[0], FIRFilter()(*inputs[:2]), inputs[2])
    np.testing.assert_allclose(model(inputs), expected, atol=1e-6)


def test_a_graph():
    synth = Harmonic(100)
    specs = [tf.TensorSpec([None, None, 1])] * 3
    graph = tf.function(synth, input_signature=specs)
    frames = np.float32(FRAMES)
    np.testing.assert_allclose(
        graph(frames, frames, 100 * frames), synth(FRAMES, FRAMES, 100 * frames), atol=1e-6
    )
    traced = tf.function(lambda x: synth(x, FRAMES, 100.0 * x))
    np.testing.assert_allclose(traced(frames), synth(FRAMES, FRAMES, 100 * frames), atol=1e-6)
