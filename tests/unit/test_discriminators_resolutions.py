"""Multi-resolution discriminator: features and counts."""

import keras
import numpy as np
import pytest

from discriminators.front_ends import LogSpectrum
from discriminators.resolutions import MultiResolutionDiscriminator
from tests import toys

AUDIO = toys.notes(n=4)._audio
TIMES = np.arange(16000) / 16000


@pytest.fixture(autouse=True)
def _seed():
    keras.utils.set_random_seed(0)


def test_a_full_scale_sine_peaks_at_no_nepers():
    sine = np.sin(2 * np.pi * 1000 * TIMES).astype(np.float32)[None]
    view = LogSpectrum(16000, 1024, 256, floor=1e-4)
    spectrum = view(sine).numpy()
    assert spectrum.shape == (1, 63, 513)
    assert view.frame_rate == 62.5
    assert np.all(spectrum[0, 4:-4].argmax(axis=1) == 64)
    np.testing.assert_allclose(spectrum[0, 10, 64], 0.0, atol=0.01)
    np.testing.assert_allclose(view(0 * sine), np.log(1e-4), rtol=1e-3)


def test_one_decision_a_resolution_by_frames_of_its_size():
    discriminator = MultiResolutionDiscriminator(16000, (1024, 256), n_filters=(3, 4))
    discriminator.adapt(AUDIO)
    maps = discriminator.front_end(AUDIO)
    assert [m.shape for m in maps] == [(4, 16, 513), (4, 63, 129)]
    for m in maps:
        np.testing.assert_allclose(np.mean(m, axis=(0, 1)), 0.0, atol=1e-3)
    output = discriminator(AUDIO)
    assert [x.shape for x in output.logits] == [(4,), (4,)]
    assert [[m.shape[1:] for m in maps] for maps in output.features] == [
        [(8, 257, 3), (4, 129, 4)],
        [(32, 65, 3), (16, 33, 4)],
    ]


def test_the_number_of_parameters():
    discriminator = MultiResolutionDiscriminator(16000, (256,), n_filters=(3, 4), kernel_size=3)
    discriminator.adapt(AUDIO)
    discriminator(AUDIO)
    convolutions = (9 * 3 + 3) + (9 * 3 * 4 + 4)
    # Mean, deviation and onset of 33 bands of 4 filters, and means of 8 parts of 4 filters.
    n_read = 3 * 33 * 4 + 8 * 4
    decision = (n_read * 4 + 4) + (4 + 1)
    n = sum(np.prod(v.shape) for v in discriminator.trainable_variables)
    assert n == convolutions + decision
