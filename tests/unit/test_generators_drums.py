"""Drum voices and sweeps: exact decays, one moment decides, the same sound at any rate."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from discriminators import ConditionEncoder
from noisygan.audio_io.controls import check_controls
from noisygan.errors import UsageError
from noisygan.generators.drum_voices import DRUM_VOICES, ModalVoice, TransientVoice
from noisygan.generators.sweeps import FixedCenterPitch, PitchSweep
from noisygan.generators.voices import HarmonicVoice, NoiseVoice
from noisygan.rendering.synthesis import controls_row, render_controls
from tests import toys

DECODED = np.random.default_rng(0).normal(size=(2, 10, 5)).astype(np.float32)
F0_HZ = np.full((2, 10, 1), 100.0, np.float32)
LOUDNESS_DB = np.full((2, 10, 1), -6.0, np.float32)


@pytest.fixture(autouse=True)
def _seed():
    keras.utils.set_random_seed(0)


def silent_heads(layer):
    """Sets a head's weights to 0, so that only the initial values are left."""
    for variable in layer.weights:
        variable.assign(tf.zeros(variable.shape))


def test_an_untrained_modal_voice_is_even_in_ratio():
    voice = ModalVoice(3, min_hz=100.0, max_hz=1600.0, min_seconds=0.01, max_seconds=1.0)
    voice.get_controls(DECODED, F0_HZ, LOUDNESS_DB)
    silent_heads(voice)
    controls = voice.get_controls(DECODED, F0_HZ, LOUDNESS_DB)
    np.testing.assert_allclose(controls["frequencies"], [[100, 400, 1600]] * 2, rtol=1e-5)
    np.testing.assert_allclose(controls["decay_seconds"], 0.1, rtol=1e-5)
    np.testing.assert_allclose(20 * np.log10(controls["amplitudes"]), -46.0, atol=0.01)


def test_modes_stay_within_their_shift_and_below_the_bandwidth():
    voice = ModalVoice(3, 100.0, 1600.0, max_shift=0.5, bandwidth_hz=1000.0)
    voice.get_controls(DECODED, F0_HZ, LOUDNESS_DB)
    for sign in (-50.0, 50.0):
        voice.shifts.bias.assign(tf.fill([3], sign))
        controls = voice.get_controls(DECODED, F0_HZ, LOUDNESS_DB)
        octaves = np.log2(controls["frequencies"] / np.array([100, 400, 1600]))
        np.testing.assert_allclose(octaves, 0.5 * np.sign(sign), rtol=1e-3)
        inside = controls["frequencies"].numpy() < 1000.0
        np.testing.assert_array_equal(controls["amplitudes"].numpy() > 0.0, inside)


@pytest.mark.parametrize("make", [ModalVoice, lambda: TransientVoice(bandwidth_hz=8000.0)])
def test_the_first_moment_alone_decides(make):
    voice = make()
    first = voice.get_controls(DECODED, F0_HZ, LOUDNESS_DB)
    later = np.concatenate([DECODED[:, :1], DECODED[:, :0:-1] + 1.0], axis=1)
    again = voice.get_controls(later, F0_HZ, LOUDNESS_DB)
    for name, value in first.items():
        np.testing.assert_array_equal(again[name], value)


def test_a_mode_falls_by_sixty_decibels_in_its_decay():
    controls = {
        "frequencies": tf.constant([[440.0]]),
        "amplitudes": tf.constant([[0.5]]),
        "decay_seconds": tf.constant([[0.2]]),
    }
    t = np.arange(4410) / 44100
    expected = 0.5 * 10 ** (-3 * t / 0.2) * np.sin(2 * np.pi * 440 * t)
    np.testing.assert_allclose(
        ModalVoice.render(controls, 4410, 44100, None)[0], expected, atol=2e-5
    )


def test_a_burst_is_as_loud_at_another_rate_and_over_in_time():
    voice = TransientVoice(17, burst_seconds=0.02, bandwidth_hz=8000.0)
    controls = {
        "magnitudes": tf.ones([64, 17]),
        "decay_seconds": tf.fill([64, 1], 0.05),
    }
    seed = tf.range(64)
    power = {}
    for rate in (16000, 44100):
        audio = voice.render(controls, rate // 10, rate, seed, **voice.settings).numpy()
        assert np.abs(audio[:, round(0.02 * rate) :]).max() == 0.0
        power[rate] = np.mean(audio**2)
    assert abs(10 * np.log10(power[44100] / power[16000])) < 0.5


def test_a_sweep_falls_to_its_end_and_is_the_same_at_any_frame_rate():
    sweep = PitchSweep(n=2, max_end=30.0, max_rise=36.0)
    latent = np.random.default_rng(0).normal(size=(4, 6)).astype(np.float32)
    fine = sweep(tf.range(2000, dtype=tf.float32) / 1000.0, tf.ones([4]), latent).numpy()
    coarse = sweep(tf.range(20, dtype=tf.float32) / 10.0, tf.zeros([4]), latent).numpy()
    np.testing.assert_allclose(fine[:, ::100], coarse, atol=1e-4)
    assert (np.diff(fine, axis=1) <= 1e-5).all()
    assert ((fine[:, 0] - fine[:, -1] > 0.0) & (fine[:, 0] - fine[:, -1] < 72.0)).all()
    assert (np.abs(fine[:, -1]) < 31.0).all()


def test_an_untrained_sweep_rises_a_third_of_an_octave_for_each_exponential():
    sweep = PitchSweep(n=2)
    swept = sweep(tf.constant([0.0, 100.0]), tf.zeros([1]), tf.zeros([1, 3])).numpy()[0, :, 0]
    np.testing.assert_allclose(swept, [8.0, 0.0], atol=1e-4)


def test_a_small_sweep_begins_in_the_middle_of_its_range():
    sweep = PitchSweep(n=1, max_rise=3.0)
    swept = sweep(tf.constant([0.0, 100.0]), tf.zeros([1]), tf.zeros([1, 3])).numpy()[0, :, 0]
    np.testing.assert_allclose(swept, [1.5, 0.0], atol=1e-4)


def test_middle_pitch_stays_below_its_highest():
    raw = tf.constant([[[0.0], [12.0], [500.0]]])
    f0_hz = FixedCenterPitch(57.0, 93.0)(raw, {})[0, :, 0]
    np.testing.assert_allclose(f0_hz, [220.0, 440.0, 1760.0], rtol=1e-4)


def test_each_kind_has_its_class():
    assert {"modal": ModalVoice, "transient": TransientVoice} == DRUM_VOICES


@pytest.fixture(scope="module")
def struck():
    """A generator of drums, and what it takes to call it."""
    keras.utils.set_random_seed(2)
    generator = toys.hybrid(
        f0_curve=PitchSweep(),
        voices=[HarmonicVoice(4), ModalVoice(5), NoiseVoice(9), TransientVoice(9)],
        pitch=FixedCenterPitch(),
        condition_encoder=ConditionEncoder(("label",), n_labels=2),
        initial_loudness_db=-6.0,
    )
    return generator, (generator.prior(3, 1), {"label": tf.constant([0, 1, 1])})


@pytest.mark.parametrize(("seconds", "sample_rate"), [(None, 16000), (0.253, 16000), (0.4, 44100)])
def test_controls_of_a_drum_give_its_sound(struck, seconds, sample_rate):
    generator, asked = struck
    assert generator.condition_names == ("label",)
    output = generator(*asked, seconds=seconds, sample_rate=sample_rate, seed=[5, 6, 7])
    for i in range(3):
        controls = controls_row(
            *(generator, output.controls, i, output.audio.shape[1], sample_rate, 5 + i)
        )
        check_controls(controls)
        np.testing.assert_allclose(render_controls(controls), output.audio[i], atol=2e-5)
    assert np.abs(output.audio).max() > 0.01


def test_a_longer_drum_begins_as_the_short_one(struck):
    generator, asked = struck
    short = generator(*asked, seed=5).audio.numpy()
    long = generator(*asked, seconds=0.5, seed=5).audio.numpy()
    np.testing.assert_allclose(long[:, :2000], short[:, :2000], atol=1e-4)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("modal/frequencies", None, "lacks modal/frequencies"),
        ("modal/amplitudes", np.ones(4), r"has shape \(4,\); .*n_modes 5"),
        ("modal/frequencies", np.ones((2, 5)), r"has shape \(2, 5\)"),
        ("modal/decay_seconds", np.zeros(5), "has 0; expected 1e-09 to 3600"),
        ("transient/magnitudes", np.full(9, -1.0), "has -1; expected 0 or more"),
        ("transient/decay_seconds", np.ones(2), r"has shape \(2,\); expected \[1\]"),
        ("transient/magnitudes", np.ones(1), "n_bands 2 to 1025"),
        ("transient/magnitudes", np.full(9, np.nan), "values that are not finite"),
        ("transient/burst_seconds", None, "lacks transient/burst_seconds"),
    ],
)
def test_a_flaw_of_a_struck_voice_is_named(struck, name, value, message):
    generator, asked = struck
    controls = controls_row(generator, generator.get_controls(*asked), 0, 16000, 16000, 5)
    controls.pop(name)
    if value is not None:
        controls[name] = value
    with pytest.raises(UsageError, match=message):
        check_controls(controls)
