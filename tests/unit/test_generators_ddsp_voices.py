"""A voice of ours with another synth: the same controls, any rate, any number of frames."""

import numpy as np
import pytest
import tensorflow as tf

import synths
from noisygan.generators.ddsp_voices import DDSPVoice
from noisygan.generators.voices import HarmonicVoice, NoiseVoice
from noisygan.rendering.synthesis import controls_row, render_controls
from tests import toys

FRAMES = np.linspace(0.0, 1.0, 10, dtype=np.float32)[None, :, None].repeat(2, axis=0)
DECODED = np.random.default_rng(0).normal(size=(2, 10, 5)).astype(np.float32)
CURVES = (DECODED, 300.0 + 100.0 * FRAMES, -10.0 - 20.0 * FRAMES)


class ByWholeSamples(synths.Harmonic):
    """A synth that refuses what ddsp refuses."""

    def get_signal(self, **controls):
        for value in controls.values():
            assert self.n_samples % value.shape[1] == 0
        return super().get_signal(**controls)


def harmonic():
    # Linear, as the voice itself is.
    return DDSPVoice(HarmonicVoice(4), ByWholeSamples(amp_resample_method="linear"))


def noise():
    return DDSPVoice(
        NoiseVoice(9, bandwidth_hz=8000.0), synths.FilteredNoise(window_size=0, seed=0)
    )


@pytest.mark.parametrize("rate", [8000, 16000, 48000])
@pytest.mark.parametrize("make", [harmonic, noise])
def test_with_our_synth_it_is_the_voice_itself(make, rate):
    played = make()
    voice = played.voice
    controls = played.get_controls(*CURVES)
    for name, value in voice.get_controls(*CURVES).items():
        np.testing.assert_array_equal(controls[name], value)
    seed = tf.constant([0, 1])
    expected = voice.render(controls, rate // 10, rate, seed, **voice.settings)
    np.testing.assert_allclose(
        played.render(controls, rate // 10, rate, seed, **played.settings), expected, atol=1e-5
    )
    assert (played.name, played.kind) == (voice.name, voice.kind)


@pytest.mark.parametrize("n_samples", [1601, 1999, 2205])
def test_frames_need_not_divide_the_samples(n_samples):
    played = harmonic()
    controls = played.get_controls(*CURVES)
    audio = played.render(controls, n_samples, 22050, None)
    expected = played.voice.render(controls, n_samples, 22050, None)
    # Levels that are linear from frame to frame are so from hop to hop; their products nearly.
    np.testing.assert_allclose(audio, expected, atol=0.05 * np.abs(expected).max())


@pytest.mark.parametrize("make", [harmonic, noise])
@pytest.mark.parametrize("n_samples", [1, 7])
def test_fewer_samples_than_frames(make, n_samples):
    played = make()
    controls = played.get_controls(*CURVES)
    audio = played.render(controls, n_samples, 16000, None, **played.settings)
    assert audio.shape == (2, n_samples)
    assert np.isfinite(audio).all()


def test_it_stands_in_a_generator():
    generator = toys.hybrid(
        voices=[harmonic(), DDSPVoice(NoiseVoice(9), synths.FilteredNoise(seed=0))]
    )
    assert [voice.bandwidth_hz for voice in generator.voices] == [8000.0, 8000.0]
    with tf.GradientTape() as tape:
        output = generator(generator.prior(3, 0), toys.conditioning(), seed=0)
        loss = tf.reduce_sum(output.audio**2)
    for slope in tape.gradient(loss, generator.trainable_variables):
        assert np.isfinite(slope).all()
    controls = controls_row(generator, output.controls, 0, output.audio.shape[1], 16000, 0)
    np.testing.assert_allclose(render_controls(controls), output.audio[0], atol=2e-3)
