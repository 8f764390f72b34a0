"""Saving and loading of Keras models with processors."""

import copy

import keras
import numpy as np
import pytest

import synths
from synths import FilteredNoise, Harmonic, ProcessorGroup, Reverb


def inputs():
    rng = np.random.default_rng(0)
    shapes = {"amplitudes": 1, "harmonic_distribution": 5, "f0_hz": 1, "magnitudes": 9}
    raw = {key: rng.normal(size=(2, 6, n)).astype(np.float32) for key, n in shapes.items()}
    return raw | {"f0_hz": np.abs(raw["f0_hz"]) * 300.0}


def same_after_saving(model, path, values):
    model.save(path)
    loaded = keras.models.load_model(path)
    np.testing.assert_array_equal(loaded(values), model(values))
    return loaded


def test_a_model_with_a_synth(tmp_path):
    symbols = [keras.Input([6, n]) for n in (1, 5, 1)]
    values = list(inputs().values())[:3]
    synth = Harmonic(600, scale_fn=None, amp_resample_method="linear", name="organ")
    for layer in (synth, Harmonic(600)):
        model = keras.Model(symbols, layer(*symbols))
        loaded = same_after_saving(model, tmp_path / "model.keras", values)
        again = loaded.get_layer(layer.name)
        assert again.scale_fn is layer.scale_fn
        assert again.amp_resample_method == layer.amp_resample_method


def test_a_model_with_a_graph(tmp_path):
    add = synths.Add()
    group = ProcessorGroup(
        [
            (Harmonic(600), ["amplitudes", "harmonic_distribution", "f0_hz"]),
            ("hiss", ["magnitudes"]),
            (add, ["harmonic/signal", "hiss/signal"]),
            (Reverb(True, 50), ["add/signal"]),
        ],
        hiss=FilteredNoise(600, seed=3),
    )
    values = inputs()
    symbols = {key: keras.Input(value.shape[1:], name=key) for key, value in values.items()}
    model = keras.Model(symbols, group(symbols))
    group.reverb.ir.assign(0.1 * np.random.default_rng(1).normal(size=50))
    loaded = same_after_saving(model, tmp_path / "model.keras", values)
    assert [layer.name for layer in loaded.layers[-1].processors] == [
        layer.name for layer in group.processors
    ]


@pytest.mark.parametrize(
    "layer",
    [
        synths.Sinusoidal(100, freq_scale_fn=None),
        synths.Wavetable(100),
        synths.Modal(100),
        synths.Transient(100, seed=4),
        synths.ModDelay(),
        synths.FIRFilter(65),
        synths.Mix(),
        synths.Crop(10),
        synths.TensorToAudio(),
        synths.Reverb(False, 50),
        synths.ExpDecayReverb(False, 50),
        synths.FilteredNoiseReverb(False, 50),
    ],
    ids=lambda layer: layer.name,
)
def test_every_processor_has_a_config(layer):
    config = layer.get_config()
    again = type(layer).from_config(config)
    assert again.get_config() == config
    assert again.name == layer.name


def test_wrong_arguments_are_named_and_copies_are_alike():
    with pytest.raises(TypeError, match=r"__init__\(\) got an unexpected keyword argument 'rate'"):
        Harmonic(rate=3)
    synth = Harmonic(77)
    assert copy.deepcopy(synth).get_config() == synth.get_config()


def test_a_users_processor_of_any_keywords():
    class Louder(synths.Processor):
        def __init__(self, name="louder", **settings):
            super().__init__(name=name)
            self.settings = settings

    config = Louder(gain=2.0).get_config()
    assert config == {"name": "louder", "gain": 2.0}
    assert Louder.from_config(config).settings == {"gain": 2.0}
    assert keras.saving.get_registered_object("synths>Louder") is None
