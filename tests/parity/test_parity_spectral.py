"""Spectra, loudness and spectral losses beside ddsp's."""

import numpy as np
import pytest

import synths

RATE = 16000


def sound(n_samples=4000, n_rows=2, seed=0):
    """Noise under a swell, loud enough that no floor plays a part."""
    noise = np.random.default_rng(seed).normal(size=[n_rows, n_samples])
    return (0.2 * noise * np.linspace(0.2, 1.0, n_samples)).astype(np.float32)


@pytest.mark.parametrize("options", [{}, {"overlap": 0.5}, {"pad_end": False}])
@pytest.mark.parametrize("size", [512, 300])
def test_stft_and_magnitude(ddsp, size, options):
    theirs = ddsp.spectral_ops.stft(sound(), frame_size=size, **options)
    np.testing.assert_allclose(
        synths.stft(sound(), frame_size=size, **options), theirs, rtol=1e-4, atol=1e-4
    )
    theirs = ddsp.spectral_ops.compute_mag(sound(), size=size, **options)
    np.testing.assert_allclose(
        synths.compute_mag(sound(), size=size, **options), theirs, rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("compute_logmag", {"size": 512}),
        ("compute_mel", {}),
        ("compute_mel", {"lo_hz": 100.0, "hi_hz": 4000.0, "bins": 30, "fft_size": 512}),
        ("compute_logmel", {}),
        ("compute_mfcc", {}),
        ("compute_mfcc", {"mel_bins": 64, "mfcc_bins": 20, "overlap": 0.5}),
    ],
)
def test_features(ddsp, name, options):
    theirs = getattr(ddsp.spectral_ops, name)(sound(), **options)
    ours = getattr(synths, name)(sound(), **options)
    assert ours.shape == theirs.shape
    # ddsp's logarithm has no floor where the sound has none; ours adds one of 1e-5.
    np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=5e-3)


@pytest.mark.parametrize("padding", ["center", "same", "valid"])
@pytest.mark.parametrize("name", ["compute_rms_energy", "compute_power", "compute_loudness"])
def test_levels(ddsp, name, padding):
    theirs = getattr(ddsp.spectral_ops, name)(sound(), padding=padding)
    ours = getattr(synths, name)(sound(), padding=padding)
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, atol=0.02)


@pytest.mark.parametrize("name", ["compute_power", "compute_loudness"])
def test_silence_with_a_reference(ddsp, name):
    silence = np.zeros(4000, np.float32)
    theirs = getattr(ddsp.spectral_ops, name)(silence, ref_db=20.7, range_db=120.0)
    ours = getattr(synths, name)(silence, ref_db=20.7, range_db=120.0)
    np.testing.assert_allclose(ours, theirs, atol=1e-3)


def test_loudness_of_one_sound_and_in_numpy(ddsp):
    audio = sound()[0]
    theirs = ddsp.spectral_ops.compute_loudness(audio, frame_rate=125, n_fft=1024)
    ours = synths.compute_loudness(audio, frame_rate=125, n_fft=1024)
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, atol=0.02)
    theirs = ddsp.spectral_ops.compute_loudness(audio, use_tf=False)
    ours = synths.compute_loudness(audio, use_tf=False)
    assert isinstance(ours, np.ndarray)
    np.testing.assert_allclose(ours, theirs, atol=0.02)


@pytest.mark.parametrize("padding", ["center", "same", "valid"])
@pytest.mark.parametrize("lengths", [(16000, 512, 64), (1000, 256, 100), (999, 300, 7)])
def test_framed_lengths(ddsp, padding, lengths):
    theirs = ddsp.spectral_ops.get_framed_lengths(*lengths, padding=padding)
    assert tuple(synths.get_framed_lengths(*lengths, padding=padding)) == tuple(theirs)


@pytest.mark.parametrize("loss_type", ["L1", "L2"])
@pytest.mark.parametrize(
    "weights",
    [
        {},
        {"mag_weight": 0.0, "logmag_weight": 1.0},
        {"mag_weight": 0.0, "delta_time_weight": 1.0},
        {"mag_weight": 0.0, "delta_freq_weight": 1.0},
        {"mag_weight": 0.0, "cumsum_freq_weight": 1.0},
        {"mag_weight": 0.0, "loudness_weight": 1.0},
        {"logmag_weight": 0.5, "loudness_weight": 0.1, "fft_sizes": (1024, 256)},
    ],
)
def test_spectral_loss(ddsp, loss_type, weights):
    real, fake = sound(), sound(seed=1)
    theirs = ddsp.losses.SpectralLoss(loss_type=loss_type, **weights)
    ours = synths.SpectralLoss(loss_type=loss_type, **weights)
    assert float(ours(real, fake)) == pytest.approx(float(theirs(real, fake)), rel=0.01)
    assert float(ours(real, real)) == pytest.approx(0.0, abs=1e-6)


def test_ddsps_logarithm_is_not_monotonic_and_ours_is(ddsp):
    x = np.float32([0.0, 1e-7, 1e-6, 1e-5, 1.0])
    theirs = np.asarray(ddsp.core.safe_log(x))
    ours = np.asarray(synths.safe_log(x))
    assert theirs[0] > theirs[1]
    assert np.all(np.diff(ours) > 0.0)
    np.testing.assert_allclose(ours[-1], theirs[-1], atol=1e-4)
