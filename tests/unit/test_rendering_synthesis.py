"""Sound in blocks is the sound at once, whatever the rate, the length and the voices."""

import keras
import numpy as np
import pytest

from noisygan.audio_io.controls import check_controls
from noisygan.generators import voices
from noisygan.generators.drum_voices import ModalVoice, TransientVoice
from noisygan.generators.voices import HarmonicVoice, NoiseVoice
from noisygan.rendering import synthesis
from noisygan.rendering.synthesis import controls_row, render_controls, render_in_blocks
from synths import Reverb
from tests import toys

CLOSE = 1e-5


def make(seconds, sample_rate, data=None, **changes):
    """(the generator's sound at once, its controls)."""
    keras.utils.set_random_seed(3)
    generator = toys.hybrid(**({"initial_loudness_db": -6.0} | changes))
    if data is not None:
        generator.adapt(data)
    given = {"seconds": seconds, "sample_rate": sample_rate, "seed": [6]}
    z, conditioning = generator.prior(1, 1), toys.conditioning((67.0,), (100.0,), (0,))
    audio, controls = generator(z, conditioning, **given)
    n = audio.shape[1]
    return audio[0].numpy(), controls_row(generator, controls, 0, n, sample_rate, 6)


@pytest.mark.parametrize(
    ("seconds", "sample_rate", "frame_rate", "atol"),
    [
        (0.4, 96000, 100.0, CLOSE),
        # 352.8 samples from frame to frame, five of which are a whole number.
        (0.8, 44100, 125.0, CLOSE),
        # The last frame ends between two samples: frames are a part of a sample apart.
        (0.253, 48000, 86.1328125, 5e-3),
    ],
)
def test_blocks_are_the_sound_at_once(monkeypatch, seconds, sample_rate, frame_rate, atol):
    changes = {"frame_rate": frame_rate, "voices": [HarmonicVoice(20), NoiseVoice(17)]}
    audio, controls = make(seconds, sample_rate, **changes)
    monkeypatch.setattr(synthesis, "BLOCK_SAMPLES", 700)
    assert np.abs(audio).max() > 0.02
    np.testing.assert_allclose(render_controls(controls), audio, atol=atol)


def test_stretched_partials_go_on_from_block_to_block(monkeypatch):
    audio, controls = make(0.8, 44100, toys.strings(), voices=[HarmonicVoice(20)])
    check_controls(controls)
    assert controls["harmonic/inharmonicity"].shape == (80,)
    monkeypatch.setattr(synthesis, "BLOCK_SAMPLES", 700)
    np.testing.assert_allclose(render_controls(controls), audio, atol=CLOSE)


@pytest.mark.parametrize(("add_dry", "sample_rate"), [(True, 16000), (False, 48000)])
def test_a_reverb_rings_over_the_seams_and_parts_add_up(monkeypatch, add_dry, sample_rate):
    reverb = Reverb(trainable=True, reverb_length=1500, gain=0.3, add_dry=add_dry)
    audio, controls = make(0.5, sample_rate, reverb=reverb)
    monkeypatch.setattr(synthesis, "BLOCK_SAMPLES", 900)
    blocks = list(render_in_blocks(controls))
    assert {len(sound) for sound, _ in blocks[:-1]} == {900}
    np.testing.assert_allclose(np.concatenate([x for x, _ in blocks]), audio, atol=CLOSE)
    for sound, parts in blocks:
        assert list(parts) == ["harmonic", "noise", "reverb"]
        np.testing.assert_allclose(sum(parts.values()), sound, atol=1e-6)


def test_struck_voices_go_on_from_block_to_block(monkeypatch):
    struck = [ModalVoice(5, initial_db=-20.0), TransientVoice(9), HarmonicVoice(4)]
    audio, controls = make(0.6, 44100, voices=struck)
    monkeypatch.setattr(synthesis, "BLOCK_SAMPLES", 1000)
    np.testing.assert_allclose(render_controls(controls), audio, atol=CLOSE)


def test_no_block_sees_more_than_its_own_samples(monkeypatch):
    """A sound of 40 s at 192 kHz: nothing of its length is made but its curves."""
    _, controls = make(40.0, 8000)
    controls["sample_rate"], controls["n_samples"] = np.array(192000), np.array(40 * 192000)
    plain, lengths = voices.harmonic_synthesis, []

    def watched(*args, n_samples, **kwargs):
        lengths.append(n_samples)
        return plain(*args, n_samples=n_samples, **kwargs)

    monkeypatch.setattr(voices, "harmonic_synthesis", watched)
    for _, (sound, _) in zip(range(3), render_in_blocks(controls), strict=False):
        assert len(sound) == synthesis.BLOCK_SAMPLES
    assert 0 < max(lengths) <= 1.1 * synthesis.BLOCK_SAMPLES
