"""Sound in blocks is the sound at once, whatever the rate, the length and the voices."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from noisygan.generators.drum_voices import ModalVoice, TransientVoice
from noisygan.generators.voices import HarmonicVoice, NoiseVoice
from noisygan.rendering import synthesis as blocks
from noisygan.rendering.synthesis import controls_row, render_controls, render_in_blocks
from synths import Reverb
from tests import toys

CLOSE = 1e-5


def make(seconds, sample_rate, **changes):
    """(the generator's sounds at once, controls of the second row)."""
    keras.utils.set_random_seed(3)
    generator = toys.hybrid(**({"initial_loudness_db": -6.0} | changes))
    output = generator(
        *(generator.prior(3, 1), toys.conditioning()),
        seconds=seconds,
        sample_rate=sample_rate,
        seed=[5, 6, 7],
    )
    return output.audio[1].numpy(), controls_row(
        *(generator, output.controls, 1, output.audio.shape[1], sample_rate, 6)
    )


@pytest.mark.parametrize(
    ("seconds", "sample_rate", "frame_rate"),
    [
        (0.8, 44100, 100.0),
        # 352.8 samples from frame to frame, five of which are a whole number.
        (0.8, 44100, 125.0),
        (0.253, 48000, 86.1328125),
        (0.4, 96000, 100.0),
    ],
)
def test_blocks_are_the_sound_at_once(monkeypatch, seconds, sample_rate, frame_rate):
    voices = [HarmonicVoice(20), NoiseVoice(17)]
    audio, controls = make(seconds, sample_rate, frame_rate=frame_rate, voices=voices)
    monkeypatch.setattr(blocks, "BLOCK_SAMPLES", 700)
    again = render_controls(controls)
    assert again.shape == audio.shape
    assert np.abs(audio).max() > 0.02
    if frame_rate == 86.1328125:
        # The last frame ends between two samples: frames are a part of a sample apart.
        np.testing.assert_allclose(again, audio, atol=5e-3)
    else:
        np.testing.assert_allclose(again, audio, atol=CLOSE)


@pytest.mark.parametrize("add_dry", [True, False])
@pytest.mark.parametrize("sample_rate", [16000, 48000])
def test_a_reverb_rings_over_the_seams(monkeypatch, add_dry, sample_rate):
    reverb = Reverb(trainable=True, reverb_length=1500, gain=0.3, add_dry=add_dry)
    audio, controls = make(0.5, sample_rate, reverb=reverb)
    monkeypatch.setattr(blocks, "BLOCK_SAMPLES", 900)
    np.testing.assert_allclose(render_controls(controls), audio, atol=CLOSE)


def test_struck_voices_go_on_from_block_to_block(monkeypatch):
    voices = [ModalVoice(5, initial_db=-20.0), TransientVoice(9), HarmonicVoice(4)]
    audio, controls = make(0.6, 44100, voices=voices)
    monkeypatch.setattr(blocks, "BLOCK_SAMPLES", 1000)
    monkeypatch.setattr(blocks, "_MODAL_SAMPLES", 2560)
    np.testing.assert_allclose(render_controls(controls), audio, atol=CLOSE)


def test_the_parts_add_up_to_the_sound(monkeypatch):
    reverb = Reverb(trainable=True, reverb_length=1500, gain=0.3)
    _, controls = make(0.5, 16000, reverb=reverb)
    monkeypatch.setattr(blocks, "BLOCK_SAMPLES", 900)
    made = list(render_in_blocks(controls))
    assert [len(sound) for sound, _ in made] == [900] * 8 + [800]
    for sound, parts in made:
        assert list(parts) == ["harmonic", "noise", "reverb"]
        np.testing.assert_allclose(sum(parts.values()), sound, atol=1e-6)


def test_other_lengths_end_early_or_fall_silent(monkeypatch):
    audio, controls = make(0.5, 16000)
    monkeypatch.setattr(blocks, "BLOCK_SAMPLES", 900)
    np.testing.assert_allclose(render_controls(controls, seconds=0.3), audio[:4800], atol=CLOSE)
    longer = render_controls(controls, seconds=0.7)
    np.testing.assert_allclose(longer[:8000], audio, atol=CLOSE)
    np.testing.assert_array_equal(longer[8000:], 0.0)


def test_no_block_sees_more_than_its_own_samples(monkeypatch):
    """A sound of 40 s at 192 kHz: nothing of its length is made but its curves."""
    _, controls = make(40.0, 8000)
    controls["sample_rate"], controls["n_samples"] = np.array(192000), np.array(40 * 192000)
    longest = 0
    for name in ("harmonic_synthesis",):
        synthesis = getattr(__import__("noisygan.generators.voices", fromlist=[name]), name)

        def watched(*args, n_samples, synthesis=synthesis, **kwargs):
            nonlocal longest
            longest = max(longest, n_samples)
            return synthesis(*args, n_samples=n_samples, **kwargs)

        monkeypatch.setattr(f"noisygan.generators.voices.{name}", watched)
    total = 0
    for sound, _ in render_in_blocks(controls):
        total += len(sound)
        assert len(sound) <= blocks.BLOCK_SAMPLES
        if total > 2**20:
            break
    assert 0 < longest <= 1.1 * blocks.BLOCK_SAMPLES


def test_a_voice_that_has_ended_is_silent():
    controls = {"sample_rate": 16000, "frame_rate": 100.0, "noise_seed": 1}
    controls |= {"noise/magnitudes": np.full((10, 5), 0.1), "noise/bandwidth_hz": 8000.0}
    voice = blocks.Voice(controls, "noise", "noise")
    first, last = voice.take(1000), voice.take(1000)
    assert np.abs(first).max() > 0.01
    assert np.abs(last[:600]).max() > 0.01
    np.testing.assert_array_equal(last[600:], 0.0)
    assert tf.is_tensor(first) is False
