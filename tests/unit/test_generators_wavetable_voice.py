"""The wavetable voice: mixtures of its tables, its sound, and its controls as a file."""

import numpy as np
import tensorflow as tf

from noisygan.audio_io.controls import load_controls, save_controls
from noisygan.generators.voices import NoiseVoice
from noisygan.generators.wavetable_voice import WavetableVoice
from noisygan.rendering.batches import has_known_voices, render_requests
from noisygan.rendering.requests import Request
from noisygan.rendering.synthesis import render_controls
from synths.wavetable import harmonic_distribution_to_wavetable, wavetable_synthesis
from tests import toys

DECODED = np.random.default_rng(0).normal(size=(1, 10, 5)).astype(np.float32)
F0_HZ = np.full((1, 10, 1), 500.0, np.float32)
LOUDNESS_DB = np.full((1, 10, 1), -6.0, np.float32)


def shares_of(voice, *shares):
    """The voice's controls where its tables have these shares at all frames."""
    layer = voice.distribution.shares
    for head in (layer, voice.level):
        head.kernel.assign(tf.zeros(head.kernel.shape))
    layer.bias.assign(np.log(np.maximum(shares, 1e-30)))
    return voice.get_controls(DECODED, F0_HZ, LOUDNESS_DB)


def test_the_period_is_a_mixture_of_tables():
    voice = WavetableVoice(3, n_harmonics=6, slope_db=0.0)
    voice.get_controls(DECODED, F0_HZ, LOUDNESS_DB)
    tables = np.exp(voice.distribution.tables.numpy())
    for shares in ([1.0, 0.0, 0.0], [0.0, 0.25, 0.75]):
        expected = np.array(shares) @ tables
        found = shares_of(voice, *shares)["harmonic_distribution"].numpy()
        np.testing.assert_allclose(found[0, 3], expected / expected.sum(), rtol=1e-4)
    assert np.abs(tables[0] - tables[1]).max() > 0.01


def test_it_sounds_as_a_wavetable_of_that_period_does():
    voice = WavetableVoice(2, n_harmonics=6)
    voice.get_controls(DECODED, F0_HZ, LOUDNESS_DB)
    controls = shares_of(voice, 0.5, 0.5)
    table = harmonic_distribution_to_wavetable(controls["harmonic_distribution"], 64)
    expected = wavetable_synthesis(F0_HZ, controls["amplitudes"], table, 1600, 16000)
    found = voice.render(controls, 1600, 16000, seed=0)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_it_is_rendered_from_a_file_of_its_controls(tmp_path):
    generator = toys.hybrid(voices=[WavetableVoice(3, n_harmonics=6), NoiseVoice(9)])
    assert has_known_voices(generator)
    notes = render_requests(generator, [Request(60.0, 100.0, 0, "flute", 0, 0)], seed=1)
    [controls] = [note.controls for note in notes._notes]
    save_controls(tmp_path / "note.npz", controls)
    again = render_controls(load_controls(tmp_path / "note.npz"))
    np.testing.assert_allclose(again, notes.audio[0], atol=1e-5)
