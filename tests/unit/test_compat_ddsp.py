"""`synths.compat.ddsp`: what ddsp accepts and returns, beyond the functions of `synths`."""

import inspect
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import synths
from synths.compat import ddsp
from synths.compat.ddsp import core, dags, effects, losses, processors, spectral_ops

ROOT = Path(__file__).resolve().parents[2]
RNG = np.random.default_rng(0)
AUDIO = RNG.normal(size=(2, 400)).astype(np.float32)
ARITHMETIC = ("hz_to_bark", "bark_to_hz", "mel_to_hz", "hz_to_erb", "db_to_amplitude")
ARITHMETIC += ("db_to_power", "unit_to_midi", "midi_to_unit")


def frames(n_channels, n_frames=10, batch=2):
    return RNG.normal(size=(batch, n_frames, n_channels))


@pytest.mark.parametrize("name", ARITHMETIC)
def test_arithmetic_returns_what_it_was_given(name):
    convert, exact = getattr(core, name), getattr(synths, name)
    number = convert(20)
    assert type(number) is float
    np.testing.assert_allclose(number, exact(np.float64(20.0)), rtol=1e-12)
    for dtype in (np.float32, np.float64):
        array = np.linspace(1.0, 20.0, 7, dtype=dtype)
        assert type(convert(array)) is np.ndarray and convert(array).dtype == dtype
        np.testing.assert_array_equal(convert(array), exact(array))
    assert tf.is_tensor(convert(tf.constant([20.0])))
    argument = next(iter(inspect.signature(convert).parameters))
    assert convert(**{argument: 20}) == number
    in_graph = tf.function(lambda: convert(np.float64([20.0])), autograph=False)()
    np.testing.assert_allclose(in_graph, [number])


@pytest.mark.parametrize("convert", [core.power_to_db, core.amplitude_to_db])
def test_decibels_without_tensors(convert):
    powers = np.float64([1e-6, 1.0])
    found = convert(powers, use_tf=False)
    assert type(found) is np.ndarray and found.dtype == np.float64
    np.testing.assert_allclose(found, convert(powers), rtol=1e-5, atol=1e-4)
    np.testing.assert_array_equal(convert(tf.constant(powers), use_tf=False), found)


def test_crops_and_clipped_units():
    array = np.arange(20).reshape(2, 10)
    assert type(core.center_crop(array, 4)) is np.ndarray
    np.testing.assert_array_equal(core.center_crop(array, 4), array[:, 2:8])
    np.testing.assert_array_equal(core.center_crop(tf.constant(array), 5), array[:, 2:8])
    assert core.unit_to_midi(2.0, clip=True).numpy() == 90.0
    assert core.unit_to_midi(1.0, 20.0, 90.1) == 90.1
    np.testing.assert_array_equal(core.unit_to_midi(0.5, np.zeros(2), 10.0), [5.0, 5.0])
    assert tf.is_tensor(core.unit_to_midi(0.5, tf.constant(20.0)))
    assert core.midi_to_unit(np.float64([200.0]), clip=True).numpy() == [1.0]


def test_a_lookup_fades_outside_the_table():
    table = np.float32([[1.0, 2.0, 3.0, 4.0]])
    phase = np.float32([[[-0.25], [-0.125], [0.0], [0.125], [1.0], [1.125], [1.25], [2.0]]])
    np.testing.assert_allclose(core.linear_lookup(phase, table), [[0, 0.5, 1, 1.5, 1, 0.5, 0, 0]])
    np.testing.assert_allclose(core.linear_lookup(phase[:, :, 0], table[:, None])[0, 1], 0.5)


@pytest.mark.parametrize("shape", [(), (1,), (1, 1), (10, 1), (2, 1, 1)])
def test_frequencies_and_amplitudes_broadcast(shape):
    f0_hz, whole = np.full(shape, 200.0), np.full([2, 10, 1], 200.0)
    weights = abs(frames(50))
    expected = core.get_harmonic_frequencies(whole, 50)
    np.testing.assert_allclose(core.get_harmonic_frequencies(f0_hz, 50) + 0 * whole, expected)
    expected = core.normalize_harmonics(weights, whole, 16000)
    np.testing.assert_allclose(core.normalize_harmonics(weights, f0_hz, 16000), expected)
    amplitudes, partials = core.harmonic_to_sinusoidal(f0_hz / 100.0, weights, f0_hz)
    np.testing.assert_allclose(amplitudes, 2.0 * expected, rtol=1e-6)
    assert partials.shape[-1] == 50
    back, _ = core.sinusoidal_to_harmonic(amplitudes, partials + 0 * whole, f0_hz, n_harmonics=50)
    np.testing.assert_allclose(back, 0 * whole + 2.0, rtol=1e-3)

    bank = core.oscillator_bank(whole + np.zeros([1, 1, 3]), f0_hz)
    np.testing.assert_allclose(bank, core.oscillator_bank(whole + np.zeros(3), whole + np.zeros(3)))
    audio = core.harmonic_synthesis(f0_hz, f0_hz / 200.0, None, weights, 100)
    expected = core.harmonic_synthesis(whole, whole / 200.0, None, weights, 100)
    np.testing.assert_allclose(audio, expected, atol=1e-6)
    assert audio.dtype == tf.float32


def test_filters_of_one_response_or_a_number():
    gains = np.linspace(1.0, 0.0, 33)
    response = core.frequency_impulse_response(gains, 20)
    assert response.shape == (19,) and response.dtype == tf.float32
    np.testing.assert_array_equal(response, core.frequency_impulse_response(gains[None], 20)[0])
    many = core.frequency_impulse_response(np.tile(gains, [2, 3, 4, 1]), 20)
    np.testing.assert_array_equal(many, np.broadcast_to(response, [2, 3, 4, 19]))
    filtered = core.sinc_filter(AUDIO, [0.3], 64)
    np.testing.assert_array_equal(filtered, core.sinc_filter(AUDIO, [[[0.3]]], 64))


def test_doubles_give_floats():
    results = {
        "exp_sigmoid": core.exp_sigmoid(np.float64([1.0])),
        "safe_log": core.safe_log(np.float64([1.0])),
        "power_to_db": core.power_to_db(np.float64([1.0])),
        "loss": losses.SpectralLoss()(np.float64(AUDIO), np.float64(AUDIO)),
        "resample": core.resample(frames(3), 40, method="window"),
        "oscillator_bank": core.oscillator_bank(frames(3), frames(3)),
        "fft_convolve": core.fft_convolve(np.float64(AUDIO), tf.ones([1, 3], tf.float64)),
        "streaming": core.streaming_harmonic_synthesis(frames(1), frames(1), n_samples=40)[1],
        "bank": core.harmonic_oscillator_bank(frames(1), frames(3))[1],
        "stft": tf.abs(spectral_ops.stft(np.float64(AUDIO), 64)),
        "synth": ddsp.synths.Harmonic(40)(frames(1), frames(5), 300.0 + frames(1)),
        "noise": ddsp.synths.FilteredNoise(40)(frames(9)),
        "reverb": effects.Reverb()(np.float64(AUDIO), frames(1)),
    }
    assert {name: x.dtype for name, x in results.items()} == dict.fromkeys(results, tf.float32)


def test_containers():
    tree = {"a": {"b": 1, "c": {"d": np.zeros([2, 3])}}, "e": 2}
    assert core.nested_keys(tree) == ["a/b", "a/c/d", "e"]
    assert core.nested_keys(tree, ".", "x") == ["x.a.b", "x.a.c.d", "x.e"]
    assert core.nested_lookup("a/b", tree) == 1 and core.leaf_key("a/c/d") == "d"
    with pytest.raises(KeyError, match="there is no 'f'; there are a/b, a/c/d, e"):
        core.nested_lookup("a/f", tree)
    assert core.map_shape(tree["a"]["c"]) == {"d": [2, 3]}
    assert core.make_iterable(None) == [] and core.make_iterable(3) == [3]
    assert core.make_iterable((1, 2)) == (1, 2)
    tensor = tf.zeros([2])
    assert core.make_iterable(tensor) == [tensor]
    assert core.to_dict(tensor, ["x"]) == {"x": tensor} and core.to_dict(tree, ["x"]) is tree
    with pytest.raises(ValueError, match="got 1"):
        core.to_dict([1, 2], ["x"])
    assert core.copy_if_tf_function(tree) is tree
    in_graph = []
    tf.function(lambda: in_graph.append(core.copy_if_tf_function(tree)), autograph=False)()
    assert in_graph == [tree] and in_graph[0] is not tree


def test_reverbs():
    gains = effects.ExpDecayReverb(reverb_length=50)
    wet = gains(AUDIO, gain=[-1.0], decay=1.0)
    np.testing.assert_array_equal(wet, gains(AUDIO, [[-1.0]], [[1.0]]))
    for name in ("Reverb", "ExpDecayReverb", "FilteredNoiseReverb"):
        reverb = getattr(effects, name)(trainable=True, reverb_length=50)
        reverb.build(unused_input_shape=[])
        assert reverb.get_controls(AUDIO)["ir"].shape == (2, 50)
        np.testing.assert_array_equal(reverb(AUDIO, tf.ones([2, 1])), reverb(AUDIO))
        assert isinstance(reverb, effects.Reverb) and isinstance(reverb, processors.Processor)


def test_a_delay_without_channels():
    delay = effects.ModDelay()
    gain, phase = frames(400, 1)[:, 0], frames(400, 1)[:, 0]
    expected = delay(AUDIO, gain[:, :, None], phase[:, :, None])
    np.testing.assert_array_equal(delay(AUDIO, gain, phase), expected)
    late = core.variable_length_delay(phase, AUDIO, 20)
    np.testing.assert_array_equal(late, core.variable_length_delay(phase[:, :, None], AUDIO, 20))
    controls = delay.get_controls(AUDIO, gain, phase)
    controls["gain"] = controls["gain"][:, :, 0]
    np.testing.assert_array_equal(delay.get_signal(**controls), expected)


def group_of_noise():
    noise = ddsp.synths.FilteredNoise(400, name="noise")
    dag = [(noise, ["magnitudes"]), ("add", ["noise/signal", "inputs/audio"])]
    return processors.ProcessorGroup(dag=dag, add=processors.Add(), name="group", unused=3)


def test_signals_of_any_shape_are_added():
    add = processors.Add()
    np.testing.assert_array_equal(add(AUDIO, 1.0), AUDIO + 1.0)
    np.testing.assert_array_equal(add(AUDIO[0], np.float64(AUDIO[0])), 2.0 * AUDIO[0])


def test_a_group_of_processors():
    group = group_of_noise()
    inputs = {"magnitudes": frames(9), "audio": AUDIO, "name": "flute", "is_train": True}
    group.build(unused_input_shape=[])
    assert group.name == "group" and group.processor_names == ["add", "noise"]
    assert group.processors == [group.add, group.noise]
    assert [list(node) for node in group.dag] == [
        ["noise", ["magnitudes"]], ["add", ["noise/signal", "inputs/audio"]],
    ]  # fmt: skip
    outputs = group.get_controls(inputs, verbose=True)
    assert outputs["name"] == outputs["inputs"]["name"] == "flute"
    np.testing.assert_array_equal(group.get_signal(outputs), group(inputs))
    both = group(inputs, return_outputs_dict=True)
    np.testing.assert_array_equal(both["signal"], outputs["out"]["signal"])
    np.testing.assert_array_equal(both["controls"]["add"]["signal"], both["signal"])
    with pytest.raises(KeyError, match="'audio'"):
        group({"magnitudes": frames(9)})


def test_a_group_within_a_model():
    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(9)
            reverb = effects.Reverb(trainable=True, reverb_length=20)
            noise = ddsp.synths.FilteredNoise(400, name="noise")
            dag = [(noise, ["z"]), (reverb, ["noise/signal"])]
            self.group = processors.ProcessorGroup(dag=dag)

        def call(self, x):
            return self.group({"z": self.dense(x)})

    model = Model()
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(tf.ones([2, 10, 3])) ** 2)
    found = tape.gradient(loss, model.trainable_variables)
    assert len(found) == 3 and all(np.abs(g).max() > 0 for g in found)


def test_a_group_of_symbolic_tensors():
    shapes = {"magnitudes": [10, 9], "audio": [400]}
    inputs = {name: keras.Input(shape, name=name) for name, shape in shapes.items()}
    group = group_of_noise()
    model = keras.Model(inputs, group(inputs))
    sounds = {"magnitudes": np.float32(frames(9)), "audio": AUDIO}
    np.testing.assert_allclose(model(sounds), group(sounds), atol=1e-6)


def test_a_graph_of_layers_and_losses():
    dense = keras.layers.Dense(4, name="dense")
    split = keras.layers.Lambda(lambda x: (x[:, :1], x[:, 1:]))
    dag = [(dense, ["x"], ["y"]), ["split", ["dense/y"], ["a", "b"]]]
    dag.append((losses.ParamLoss(2.0, "L2", name="param"), ["split/a", "inputs/target"]))
    layer = dags.DAGLayer(dag, split=split)
    assert layer.module_names == ["split", "dense", "param"] and layer.modules[1] is dense
    target = tf.zeros([3, 1])
    outputs = layer({"x": tf.ones([3, 2]), "target": target})
    assert outputs["split"]["b"].shape == (3, 3) and len(layer.trainable_variables) == 2
    expected = 2.0 * np.mean(outputs["split"]["a"] ** 2)
    np.testing.assert_allclose(outputs["out"]["param"], expected, rtol=1e-6)


def test_losses_by_name():
    zero = losses.SpectralLoss(mag_weight=0.0)
    assert zero(AUDIO, -AUDIO) == 0.0 and zero.mag_weight == 0.0
    zero.mag_weight = 1.0
    assert zero(AUDIO, AUDIO[::-1]) > 0.0
    group = losses.LossGroup([(zero, ["audio", "audio_synth"])], name="group")
    found = group({"audio": AUDIO, "audio_synth": AUDIO[::-1], "label": "x"})
    assert list(found) == ["spectral_loss"] and group.losses == [zero]
    assert isinstance(zero, losses.Loss)
    np.testing.assert_array_equal(found["spectral_loss"], zero(AUDIO, AUDIO[::-1]))
    np.testing.assert_allclose(losses.freq_loss([440.0], [880.0]), 12.0, rtol=1e-5)
    np.testing.assert_allclose(losses.amp_loss([0.1], [1e-9], log=True), 4.0, rtol=1e-5)


def test_losses_of_controls():
    amps, freqs = abs(frames(5)).astype(np.float32), 300.0 + abs(frames(5)).astype(np.float32)
    one = losses.HarmonicConsistencyLoss(f0_weight=2.0)
    found = one(amps[..., :1], amps[..., :1], amps, amps + 1.0, freqs[..., :1], 2 * freqs[..., :1])
    np.testing.assert_allclose([float(x) for x in found.values()], [0.0, 1.0, 24.0], rtol=1e-5)
    np.testing.assert_allclose(losses.FilteredNoiseConsistencyLoss(3.0)(amps, amps + 1), 3.0)
    assert losses.KDEConsistencyLoss()(amps, freqs, amps, freqs) < losses.KDEConsistencyLoss()(
        amps, freqs, amps, 1.5 * freqs
    )
    wasserstein = losses.WassersteinConsistencyLoss()
    one_tone = tf.ones([1, 1, 1])
    np.testing.assert_allclose(
        wasserstein(one_tone, 440.0 * one_tone, one_tone, 880.0 * one_tone), 12.0, rtol=1e-5
    )


def test_the_wasserstein_distance_is_scipys():
    from scipy.stats import wasserstein_distance

    values, shares = RNG.normal(size=(2, 8)), RNG.uniform(size=(2, 8))
    shares /= shares.sum(1, keepdims=True)
    expected = wasserstein_distance(*values, *shares)
    found = losses.wasserstein_distance(*values[:, None], *shares[:, None])
    np.testing.assert_allclose(found, [expected], rtol=1e-6)
    found = losses.wasserstein_distance(*values, None, None)
    np.testing.assert_allclose(found, wasserstein_distance(*values), rtol=1e-6)


def test_two_way_mismatch_finds_the_fundamental():
    orders = np.arange(1, 9, dtype=np.float32)
    freqs, amps = 200.0 * orders * np.ones([1, 3, 1], np.float32), np.ones([1, 3, 8]) / orders
    candidates = np.float32([130.0, 200.0, 400.0, 1200.0]) * np.ones([1, 3, 1], np.float32)
    loss = losses.TWMLoss()
    np.testing.assert_allclose(loss.predict_f0(candidates, freqs, amps), np.full([1, 3, 1], 200.0))
    assert loss(candidates[..., 1:2], freqs, amps) < loss(candidates[..., :1], freqs, amps)


def test_notes_of_a_hidden_markov_model():
    notes = np.repeat(np.float32([60, 0, 64]), 10)[None, :, None]
    pitch = np.where(notes > 0, notes + 0.2, 90.0).astype(np.float32)
    amps = np.where(notes > 0, 1.5, 0.0).astype(np.float32)
    model = losses.HmmTranscriber(n_timesteps=30)
    np.testing.assert_array_equal(model.predict_midi(pitch, amps), notes)
    assert model(pitch, amps) < model(pitch + 0.3, amps)
    assert model.nll(pitch, amps, per_example_loss=True).shape == (1,)
    x = tf.Variable(1.2)
    with tf.GradientTape() as tape:
        rounded = model.straight_through(x, tf.round(x))
    assert rounded == 1.0 and tape.gradient(rounded, x) == 1.0


def test_features():
    loudness = spectral_ops.compute_loudness(AUDIO[..., None])
    np.testing.assert_array_equal(loudness, spectral_ops.compute_loudness(AUDIO))
    for padding in ("center", "same", "valid"):
        n_frames, n_samples = spectral_ops.get_framed_lengths(400, 64, 24, padding)
        padded = spectral_ops.pad(AUDIO, 64, 24, padding)
        assert padded.shape[1] == n_samples
        assert tf.signal.frame(padded, 64, 24).shape[1] == n_frames
        assert spectral_ops.pad(AUDIO[0], 64, 24, padding).shape == (n_samples,)
        of_any_length = tf.function(
            lambda x, padding=padding: spectral_ops.pad(x, 64, 24, padding),
            input_signature=[tf.TensorSpec([None, None])],
        )
        np.testing.assert_array_equal(of_any_length(AUDIO), padded)
    assert spectral_ops.get_framed_lengths(400.0, 64.0, 24.0, "same") == (17, 448)
    magnitudes = spectral_ops.compute_mag(AUDIO, 64.0)
    np.testing.assert_allclose(magnitudes, abs(spectral_ops.stft(AUDIO, 64.0)), atol=1e-5)
    with pytest.raises(ValueError, match="hop_size: got 65"):
        spectral_ops.pad(AUDIO, 64, 65)
    spectrum = spectral_ops.stft_np(AUDIO, 64)
    assert type(spectrum) is np.ndarray
    np.testing.assert_allclose(spectrum, spectral_ops.stft(AUDIO, 64), atol=1e-4)
    np.testing.assert_allclose(spectral_ops.stft_np(AUDIO[0], 64), spectrum[0], atol=1e-6)


@pytest.mark.parametrize("use_tf", [False, True])
def test_lengths_of_features(use_tf):
    fit = spectral_ops.pad_or_trim_to_expected_length
    np.testing.assert_array_equal(fit(np.ones([5]), 7.0, 2.0, use_tf=use_tf), [1] * 5 + [2] * 2)
    np.testing.assert_array_equal(fit(np.ones([2, 5]), 3, use_tf=use_tf), np.ones([2, 3]))
    assert tf.is_tensor(fit(np.ones([5]), 7, use_tf=use_tf)) == use_tf
    with pytest.raises(ValueError, match="got 5 frames, expected 9"):
        fit(np.ones([5]), 9, len_tolerance=3)


def test_crepe():
    seconds = np.arange(8000) / 16000
    audio = np.float32([np.sin(2 * np.pi * hz * seconds) for hz in (330.0, 440.0)])
    assert (spectral_ops.CREPE_SAMPLE_RATE, spectral_ops.CREPE_FRAME_SIZE) == (16000, 1024)
    spectral_ops.reset_crepe()
    f0_hz, confidence = spectral_ops.compute_f0(audio[0], 100, padding="same")
    assert f0_hz.shape == confidence.shape == (50,)
    np.testing.assert_allclose(np.median(f0_hz), 330.0, rtol=0.01)
    model = spectral_ops.PretrainedCREPE("tiny")
    for viterbi in (False, True):
        f0_hz, confidence = model.predict_f0_and_confidence(audio, viterbi=viterbi)
        assert f0_hz.shape == confidence.shape == (2, 51)
        np.testing.assert_allclose(np.median(f0_hz, axis=1), [330.0, 440.0], rtol=0.01)

    for layer, size in (("classifier", 360), ("conv2-maxpool", 64 * 16)):
        loss = losses.PretrainedCREPEEmbeddingLoss(model_capacity="tiny", activation_layer=layer)
        assert loss.pretrained_model(audio).shape == (2, 8, size)
        sound = tf.constant(audio[1:])
        with tf.GradientTape() as tape:
            tape.watch(sound)
            difference = loss(audio[:1], sound)
        assert difference > 0.0 and loss(audio, audio) == 0.0
        assert np.isfinite(tape.gradient(difference, sound)).all()
    with pytest.raises(ValueError, match="conv9"):
        losses.PretrainedCREPE(activation_layer="conv9")


IN_GIN = """
import gin, keras
import synths.compat.ddsp as compat

compat.register_with_gin()
compat.register_with_gin()
compat.import_as_ddsp()
gin.parse_config('''
import ddsp
processors.ProcessorGroup.dag = [
    (@Harmonic(), ['amps', 'harmonic_distribution', 'f0_hz']),
    (@ddsp.synths.FilteredNoise(), ['magnitudes']),
    (@Add(), ['filtered_noise/signal', 'harmonic/signal']),
]
Harmonic.n_samples = 400
FilteredNoise.n_samples = 400
Harmonic.scale_fn = @core.exp_sigmoid
exp_sigmoid.max_value = 1.0
oscillator_bank.use_angular_cumsum = True
run_dag.verbose = True
SpectralLoss.mag_weight = 3.0
''')
import ddsp, ddsp.core
from ddsp.spectral_ops import stft
assert ddsp is compat and ddsp.core is compat.core and ddsp.__version__ == "3.7.0"
group = ddsp.processors.ProcessorGroup()
assert group.harmonic.n_samples == 400 and isinstance(group.harmonic, ddsp.synths.Harmonic)
assert group.harmonic.scale_fn(100.0) < 1.1 and ddsp.core.exp_sigmoid(100.0) > 1.9
assert ddsp.losses.SpectralLoss().mag_weight == 1.0
assert gin.get_configurable("losses.SpectralLoss")().mag_weight == 3.0

@gin.configurable
class Model(keras.Model):
    def __init__(self, size=3):
        super().__init__()
        self.size = size

gin.bind_parameter("Model.size", 5)
assert Model().size == 5
keras.metrics.Mean().reset_states()
"""


def test_gin_texts_and_imports_of_ddsp():
    # In its own process, since both change what is global.
    subprocess.run([sys.executable, "-c", IN_GIN], cwd=ROOT, check=True)
