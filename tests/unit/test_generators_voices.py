"""Voices and pitch: from features to controls, from controls to sound at any rate."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from noisygan.generators.decoders import RecurrentDecoder
from noisygan.generators.pitch import ConditionedPitch, UnconditionedPitch, shifted
from noisygan.generators.voices import VOICES, HarmonicVoice, NoiseVoice, mel_interpolation

DECODED = np.random.default_rng(0).normal(size=(2, 10, 5)).astype(np.float32)
F0_HZ = np.full((2, 10, 1), 500.0, np.float32)
LOUDNESS_DB = np.linspace(-40, -10, 10, dtype=np.float32)[None, :, None].repeat(2, axis=0)


@pytest.fixture(autouse=True)
def _seed():
    keras.utils.set_random_seed(0)


def silent_heads(layer):
    """Sets a head's weights to 0, so that only the initial values are left."""
    for variable in layer.weights:
        variable.assign(tf.zeros(variable.shape))


def test_asked_pitch_stays_near_what_is_asked():
    raw = tf.constant([[[-50.0], [0.0], [0.2], [50.0]]])
    f0_hz = ConditionedPitch(max_deviation=0.5)(raw, {"pitch": tf.constant([69.0])})
    cents = 1200 * np.log2(f0_hz.numpy()[0, :, 0] / 440)
    np.testing.assert_allclose(cents, [-50, 0, 100 * 0.5 * np.tanh(0.4), 50], atol=0.1)


def test_free_pitch_stays_in_its_range():
    raw = tf.constant([[[-50.0], [0.0], [50.0]]])
    f0_hz = UnconditionedPitch(45.0, 57.0)(raw, {})
    np.testing.assert_allclose(f0_hz[0, :, 0], [110, 110 * 2**0.5, 220], rtol=1e-4)


def test_an_untrained_harmonic_voice_falls_by_its_slope_at_the_notes_level():
    voice = HarmonicVoice(n_harmonics=8, slope_db=-6.0)
    voice.get_controls(DECODED, F0_HZ, LOUDNESS_DB)
    silent_heads(voice)
    controls = voice.get_controls(DECODED, F0_HZ, LOUDNESS_DB)
    np.testing.assert_array_equal(controls["f0_hz"], F0_HZ)
    np.testing.assert_allclose(controls["amplitudes"], 10 ** (LOUDNESS_DB / 20), rtol=1e-5)
    shares = controls["harmonic_distribution"].numpy()[0, 0]
    np.testing.assert_allclose(20 * np.log10(shares[[1, 3, 7]] / shares[0]), [-6, -12, -18], 1e-3)


def test_the_level_of_a_harmonic_voice_moves_by_its_scale():
    voice = HarmonicVoice(n_harmonics=2, level_scale_db=10.0)
    voice.get_controls(DECODED, F0_HZ, LOUDNESS_DB)
    silent_heads(voice)
    voice.level.bias.assign([-2.0])
    amplitudes = voice.get_controls(DECODED, F0_HZ, LOUDNESS_DB)["amplitudes"]
    np.testing.assert_allclose(20 * np.log10(amplitudes), LOUDNESS_DB - 20.0, atol=1e-3)


def test_no_harmonic_reaches_the_bandwidth():
    voice = HarmonicVoice(n_harmonics=8, bandwidth_hz=2000.0)
    shares = voice.get_controls(DECODED, F0_HZ, LOUDNESS_DB)["harmonic_distribution"].numpy()
    assert (shares[:, :, :3] > 0).all()
    assert (shares[:, :, 3:] == 0).all()
    np.testing.assert_allclose(shares.sum(axis=2), 1.0, rtol=1e-5)


def test_a_tuned_voice_learns_its_detuning():
    voice = HarmonicVoice(n_harmonics=3, tuned=True, detune_cents=100.0)
    with tf.GradientTape() as tape:
        f0_hz = voice.get_controls(DECODED, F0_HZ, LOUDNESS_DB)["f0_hz"]
    np.testing.assert_allclose(f0_hz, F0_HZ * 2 ** (1 / 12), rtol=1e-5)
    assert "detune_cents" in [v.path.rsplit("/")[-1] for v in voice.trainable_variables]
    assert float(tape.gradient(f0_hz, voice.detune)) > 0


def test_a_harmonic_voices_level():
    voice = HarmonicVoice(n_harmonics=1)
    controls = {
        "f0_hz": tf.constant(F0_HZ),
        "amplitudes": tf.fill([2, 10, 1], 0.25),
        "harmonic_distribution": tf.ones([2, 10, 1]),
    }
    audio = voice.render(controls, 1600, 16000, None, **voice.settings)
    np.testing.assert_allclose(np.sqrt(2 * np.mean(audio**2)), 0.25, rtol=1e-3)


def test_an_untrained_noise_voice_follows_the_note_below_its_level():
    voice = NoiseVoice(n_bands=5, initial_db=-40.0)
    voice.get_controls(DECODED, F0_HZ, LOUDNESS_DB)
    silent_heads(voice)
    magnitudes = voice.get_controls(DECODED, F0_HZ, LOUDNESS_DB)["magnitudes"]
    expected = np.broadcast_to(10 ** ((LOUDNESS_DB - 40) / 20), (2, 10, 5))
    np.testing.assert_allclose(magnitudes, expected, rtol=1e-3)


def test_noise_has_a_ceiling_above_the_notes_level():
    voice = NoiseVoice(n_bands=5, initial_db=300.0, ceiling_db=6.0)
    magnitudes = voice.get_controls(DECODED, F0_HZ, LOUDNESS_DB)["magnitudes"]
    assert (20 * np.log10(magnitudes) <= LOUDNESS_DB + 6.001).all()


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 96000])
def test_bands_keep_their_power_per_hertz_at_any_rate(rate):
    magnitudes = tf.constant(np.linspace(1.0, 0.2, 33)[None, None], tf.float32)
    magnitudes = tf.tile(magnitudes, [1, 100, 1])
    audio = NoiseVoice.render(
        {"magnitudes": magnitudes}, 4 * rate, rate, tf.constant([5]), bandwidth_hz=8000.0
    )[0].numpy()
    power = np.abs(np.fft.rfft(audio)) ** 2 / (4 * rate) / rate
    for hz in (1000, 2000, 3000, 5500):
        if hz > 0.45 * rate:
            continue
        level = power[4 * (hz - 400) : 4 * (hz + 400)].mean()
        gain = 1.0 - 0.8 * hz / 8000
        expected = gain**2 / 3 / 16000
        np.testing.assert_allclose(10 * np.log10(level / expected), 0.0, atol=0.6)


def test_mel_bands_are_interpolated_to_bands_in_hz():
    matrix = mel_interpolation(257, 22050.0)
    assert 55 < len(matrix) < 75
    np.testing.assert_allclose(matrix.sum(axis=0), 1.0, atol=1e-5)
    # A level that is linear in mel stays linear in mel.
    mel = 2595 * np.log10(1 + np.linspace(0, 22050, 257) / 700)
    np.testing.assert_allclose(np.linspace(0, mel[-1], len(matrix)) @ matrix, mel, rtol=1e-4)


def test_kinds_are_found_by_name():
    assert set(VOICES) == {"harmonic", "noise"}
    assert [VOICES["harmonic"], VOICES["noise"]] == [HarmonicVoice, NoiseVoice]


def test_a_recurrent_decoder_keeps_the_curves_beside_its_features():
    decoder = RecurrentDecoder(units=7, n_layers=2)
    decoded = decoder(tf.constant(DECODED)).numpy()
    assert decoded.shape == (2, 10, 12)
    np.testing.assert_array_equal(decoded[:, :, 7:], DECODED)
    # What comes later does not change what was before.
    later = DECODED.copy()
    later[:, 6:] += 1.0
    changed = decoder(tf.constant(later)).numpy()
    np.testing.assert_allclose(changed[:, :6], decoded[:, :6], atol=1e-6)
    assert np.abs(changed[:, 6:, :7] - decoded[:, 6:, :7]).max() > 1e-3
    # Eager calls run a compiled loop.
    in_graph = tf.function(decoder, autograph=False)(tf.constant(later)).numpy()
    np.testing.assert_allclose(in_graph, changed, atol=1e-6)


def test_the_asked_pitch_is_right_to_the_last_bits_of_a_float32():
    pitch = np.arange(0.0, 128.0, 0.25)
    f0_hz = ConditionedPitch()(tf.zeros([512, 1, 1]), {"pitch": tf.constant(pitch, tf.float32)})
    exact = 440.0 * 2.0 ** ((pitch - 69.0) / 12.0)
    np.testing.assert_allclose(f0_hz[:, 0, 0], exact, rtol=2e-7)
    whole = pitch % 1 == 0
    np.testing.assert_array_equal(f0_hz[:, 0, 0].numpy()[whole], exact[whole].astype(np.float32))


def test_shifted_by_semitones_is_the_exponential():
    semitones = np.linspace(-24.0, 24.0, 97)
    moved = shifted(tf.constant(100.0), tf.constant(semitones, tf.float32))
    np.testing.assert_allclose(moved, 100.0 * 2.0 ** (semitones / 12.0), rtol=2e-6)
