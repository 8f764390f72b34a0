"""Reverbs, filters, delays and routing beside ddsp's."""

import numpy as np
import pytest

import synths


def noise(*shape, seed=0):
    return np.random.default_rng(seed).uniform(-1.0, 1.0, shape).astype(np.float32)


@pytest.mark.parametrize("add_dry", [True, False])
@pytest.mark.parametrize("shape", [[2, 50], [2, 50, 1]])
def test_reverb_with_a_response_that_is_given(ddsp, add_dry, shape):
    audio, ir = noise(2, 300), noise(*shape, seed=1)
    # ddsp leaves tap 0 out where the dry sound is not added, too.
    ir[:, 0] = ir[:, 0] if add_dry else 0.0
    theirs = ddsp.effects.Reverb(add_dry=add_dry)(audio, ir)
    ours = synths.Reverb(add_dry=add_dry)(audio, ir)
    np.testing.assert_allclose(ours, theirs, atol=2e-5)


def test_reverb_with_a_response_of_its_own(ddsp):
    audio, ir = noise(2, 300), noise(50, seed=1)
    sounds = []
    for library in (ddsp.effects, synths):
        reverb = library.Reverb(trainable=True, reverb_length=50)
        reverb(audio)
        (variable,) = reverb.trainable_variables
        variable.assign(ir)
        sounds.append(reverb(audio))
    np.testing.assert_allclose(sounds[1], sounds[0], atol=2e-5)


def block_levels(ir):
    """Mean square of ten stretches of the responses."""
    return (np.asarray(ir) ** 2).reshape(len(ir), 10, -1).mean(-1)


def test_exponential_decay(ddsp):
    audio = noise(2, 10)
    gain, decay = np.float32([[1.0], [0.0]]), np.float32([[0.5], [1.2]])
    levels = []
    for library in (ddsp.effects, synths):
        reverb = library.ExpDecayReverb(reverb_length=40000)
        levels.append(block_levels(reverb.get_controls(audio, gain, decay)["ir"]))
    np.testing.assert_allclose(levels[1], levels[0], rtol=0.15)


def test_filtered_noise_reverb(ddsp):
    audio = noise(2, 10)
    magnitudes = np.repeat(noise(2, 10, 16, seed=1), 10, axis=1)
    levels = []
    for library in (ddsp.effects, synths):
        reverb = library.FilteredNoiseReverb(reverb_length=40000)
        ir = reverb.get_controls(audio, magnitudes=magnitudes)["ir"]
        assert ir.shape == (2, 40000)
        levels.append(block_levels(ir))
    np.testing.assert_allclose(levels[1], levels[0], rtol=0.3)


def test_reverbs_change_at_each_call_in_ddsp_and_not_here(ddsp):
    audio = noise(1, 200)
    for name in ("ExpDecayReverb", "FilteredNoiseReverb"):
        theirs = getattr(ddsp.effects, name)(trainable=True, reverb_length=2000)
        ours = getattr(synths, name)(trainable=True, reverb_length=2000)
        assert not np.allclose(theirs(audio), theirs(audio), atol=1e-6)
        np.testing.assert_array_equal(ours(audio), ours(audio))


def test_fir_filter(ddsp):
    audio = noise(2, 1000)
    magnitudes = np.tile(noise(2, 1, 65, seed=1), [1, 5, 1])
    theirs = ddsp.effects.FIRFilter()
    ours = synths.FIRFilter()
    np.testing.assert_allclose(
        ours.get_controls(audio, magnitudes)["magnitudes"],
        theirs.get_controls(audio, magnitudes)["magnitudes"],
        rtol=2e-5,
    )
    # ddsp's lags by two samples.
    np.testing.assert_allclose(
        ours(audio, magnitudes)[:, 70:-70], theirs(audio, magnitudes)[:, 72:-68], atol=0.02
    )


def test_variable_length_delay(ddsp):
    audio, phase = noise(2, 400), np.abs(noise(2, 400, 1, seed=1)) * 63.0 / 64.0
    theirs = ddsp.core.variable_length_delay(phase, audio, max_length=64)
    np.testing.assert_allclose(
        synths.variable_length_delay(phase, audio, max_length=64), theirs, atol=2e-5
    )


@pytest.mark.parametrize("add_dry", [True, False])
def test_mod_delay(ddsp, add_dry):
    audio, gain = noise(2, 600), noise(2, 600, 1, seed=1)
    phase = 3.0 * noise(2, 600, 1, seed=2)
    options = {"center_ms": 3.0, "depth_ms": 2.0, "add_dry": add_dry}
    theirs = ddsp.effects.ModDelay(**options)
    ours = synths.ModDelay(**options)
    for name, value in theirs.get_controls(audio, gain, phase).items():
        np.testing.assert_allclose(
            ours.get_controls(audio, gain, phase)[name], value, rtol=2e-5, atol=1e-7
        )
    np.testing.assert_allclose(ours(audio, gain, phase), theirs(audio, gain, phase), atol=3e-5)


@pytest.mark.parametrize("location", ["front", "center", "back"])
@pytest.mark.parametrize("frame_size", [10, 11])
def test_crop(ddsp, location, frame_size):
    audio = noise(2, 100)
    theirs = ddsp.processors.Crop(frame_size, location)(audio)
    np.testing.assert_array_equal(synths.Crop(frame_size, location)(audio), theirs)


def test_mix_has_ddsps_controls_and_keeps_the_power_which_ddsp_does_not(ddsp):
    one, two = noise(2, 100, 1), noise(2, 100, 1, seed=1)
    raw = np.linspace(-4.0, 4.0, 10, dtype=np.float32)[None, :, None].repeat(2, 0)
    theirs = ddsp.processors.Mix().get_controls(one, two, raw)
    ours = synths.Mix().get_controls(one, two, raw)
    np.testing.assert_allclose(ours["mix_level"], theirs["mix_level"], atol=1e-6)
    silence = np.zeros_like(one)
    ones = np.ones_like(one)
    power = {}
    for library in (ddsp.processors, synths):
        levels = [
            np.asarray(library.Mix().get_signal(*pair, ours["mix_level"]))
            for pair in ((ones, silence), (silence, ones))
        ]
        power[library] = levels[0] ** 2 + levels[1] ** 2
    np.testing.assert_allclose(power[synths], 1.0, atol=1e-5)
    assert np.ptp(power[ddsp.processors]) > 0.5


def test_mix_without_channels_which_ddsp_multiplies_by_each_other(ddsp):
    one, two, raw = noise(2, 30), noise(2, 30, seed=1), noise(2, 10, 1, seed=2)
    with pytest.raises(Exception, match="shape|broadcast|dimensions"):
        np.broadcast_to(ddsp.processors.Mix()(one, two, raw), [2, 30])
    assert synths.Mix()(one, two, raw).shape == (2, 30)


def test_a_generators_voices_played_by_ddsp(ddsp):
    from noisygan.generators.ddsp_voices import DDSPVoice
    from noisygan.generators.voices import HarmonicVoice, NoiseVoice

    frames = np.linspace(0.0, 1.0, 10, dtype=np.float32)[None, :, None]
    curves = (noise(1, 10, 5), 300.0 + 100.0 * frames, -10.0 - 20.0 * frames)
    for n_samples in (2000, 2205):
        voice = HarmonicVoice(4, bandwidth_hz=8000.0)
        played = DDSPVoice(voice, ddsp.synths.Harmonic(amp_resample_method="linear"))
        controls = played.get_controls(*curves)
        theirs = played.render(controls, n_samples, 22050, None).numpy()
        ours = voice.render(controls, n_samples, 22050, None).numpy()
        # ddsp's sound comes one sample early.
        np.testing.assert_allclose(theirs[:, :-1], ours[:, 1:], atol=0.05 * np.abs(ours).max())

        # Both draw their own noise: the level is that of many draws.
        voice = NoiseVoice(9, bandwidth_hz=8000.0)
        played = DDSPVoice(voice, ddsp.synths.FilteredNoise())
        controls = played.get_controls(*(np.repeat(curve, 64, axis=0) for curve in curves))
        level = [
            np.std(each.render(controls, n_samples, 22050, np.arange(64), **voice.settings))
            for each in (played, voice)
        ]
        np.testing.assert_allclose(level[0], level[1], rtol=0.3)
