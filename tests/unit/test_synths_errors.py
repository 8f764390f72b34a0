"""Errors of shapes: what they say, and that they get out of a graph as what they are."""

import numpy as np
import pytest
import tensorflow as tf

import synths
from synths import ShapeError, harmonic_synthesis
from synths.errors import check_last, check_positive, check_rank, whole


def test_what_is_said():
    with pytest.raises(ShapeError, match=r"^x: expected \[batch, 1\], got shape \(2,\)\.$"):
        check_rank("x", tf.zeros([2]), 2, "[batch, 1]")
    with pytest.raises(ShapeError, match=r"^x: expected \[batch, 1\], got shape \(2, 3\)\.$"):
        check_last("x", tf.zeros([2, 3]), 1, "[batch, 1]")
    check_rank("x", tf.zeros([2, 3]), 2, "[batch, n]")
    check_last("x", tf.zeros([2, 1]), 1, "[batch, 1]")


def test_a_shape_error_is_one_of_value():
    assert issubclass(ShapeError, ValueError)


def test_it_leaves_a_graph_as_what_it_is():
    graph = tf.function(lambda x: harmonic_synthesis(x, x))
    with pytest.raises(ShapeError, match=r"frequencies: expected \[batch, n_frames, 1\]"):
        graph(tf.zeros([2, 3]))


def test_numbers():
    assert whole("n", 3.0) == 3
    assert isinstance(whole("n", np.float64(3.0)), int)
    tensor = tf.constant(-3)
    assert whole("n", tensor) is tensor
    check_positive("rate", tensor)
    check_positive("rate", None)
    for wrong in (-1, 2.5, float("nan"), float("inf")):
        with pytest.raises(ValueError, match=f"^n: got {wrong}, expected a whole number"):
            whole("n", wrong)
    for wrong in (0, -16000, float("nan")):
        with pytest.raises(ValueError, match=f"^rate: got {wrong}, expected more than 0.$"):
            check_positive("rate", wrong)


FRAMES = np.ones((1, 4, 1), np.float32)
SOUND = np.zeros((1, 600), np.float32)
BY_RATE = {
    "Harmonic": lambda rate: synths.Harmonic(100, rate),
    "Sinusoidal": lambda rate: synths.Sinusoidal(100, rate),
    "Wavetable": lambda rate: synths.Wavetable(100, rate),
    "Modal": lambda rate: synths.Modal(100, rate),
    "Transient": lambda rate: synths.Transient(100, rate),
    "Reverb": lambda rate: synths.Reverb(sample_rate=rate),
    "ModDelay": lambda rate: synths.ModDelay(sample_rate=rate),
    "SpectralLoss": lambda rate: synths.SpectralLoss(sample_rate=rate),
    "PYIN": lambda rate: synths.PYIN()(SOUND, rate),
    "compute_f0": lambda rate: synths.compute_f0(SOUND, 50, sample_rate=rate),
    "compute_f0's frame_rate": lambda rate: synths.compute_f0(SOUND, rate),
    "compute_rms_energy": lambda rate: synths.compute_rms_energy(SOUND, rate),
    "compute_power": lambda rate: synths.compute_power(SOUND, rate),
    "compute_loudness": lambda rate: synths.compute_loudness(SOUND, rate),
    "compute_loudness' frame_rate": lambda rate: synths.compute_loudness(SOUND, frame_rate=rate),
    "compute_mel": lambda rate: synths.compute_mel(SOUND, sample_rate=rate),
    "log_mel": lambda rate: synths.log_mel(SOUND, rate),
    "mfcc": lambda rate: synths.mfcc(SOUND, rate),
    "harmonic_synthesis": lambda rate: harmonic_synthesis(FRAMES, FRAMES, sample_rate=rate),
    "sinusoidal_synthesis": lambda rate: synths.sinusoidal_synthesis(FRAMES, FRAMES, 99, rate),
    "wavetable_synthesis": lambda rate: synths.wavetable_synthesis(
        FRAMES, FRAMES, FRAMES[0], 99, rate
    ),
    "modal_synthesis": lambda rate: synths.modal_synthesis(*[FRAMES[0]] * 3, 99, rate),
    "oscillator_bank": lambda rate: synths.oscillator_bank(FRAMES, FRAMES, rate),
    "harmonic_oscillator_bank": lambda rate: synths.harmonic_oscillator_bank(
        FRAMES, FRAMES, sample_rate=rate
    ),
    "streaming_harmonic_synthesis": lambda rate: synths.streaming_harmonic_synthesis(
        FRAMES, FRAMES, FRAMES, sample_rate=rate
    ),
    "normalize_harmonics": lambda rate: synths.normalize_harmonics(FRAMES, FRAMES, rate),
    "remove_above_nyquist": lambda rate: synths.remove_above_nyquist(FRAMES, FRAMES, rate),
    "sinusoidal_to_harmonic": lambda rate: synths.sinusoidal_to_harmonic(
        *[FRAMES] * 3, sample_rate=rate
    ),
    "harmonic_to_sinusoidal": lambda rate: synths.harmonic_to_sinusoidal(*[FRAMES] * 3, rate),
    "sinc_filter": lambda rate: synths.sinc_filter(SOUND, FRAMES, sample_rate=rate),
}
BY_SIZE = {
    "Harmonic": synths.Harmonic,
    "Sinusoidal": synths.Sinusoidal,
    "Wavetable": synths.Wavetable,
    "Modal": synths.Modal,
    "Transient": synths.Transient,
    "FilteredNoise": synths.FilteredNoise,
    "Reverb": lambda size: synths.Reverb(reverb_length=size),
    "ExpDecayReverb": lambda size: synths.ExpDecayReverb(reverb_length=size),
    "FilteredNoiseReverb": lambda size: synths.FilteredNoiseReverb(reverb_length=size),
    "HarmonicStream": lambda size: synths.HarmonicStream(synths.Harmonic(), size),
    "FilteredNoiseStream": lambda size: synths.FilteredNoiseStream(
        synths.FilteredNoise(seed=0), size, 9
    ),
    "SpectralLoss": lambda size: synths.SpectralLoss([size]),
    "resample": lambda size: synths.resample(FRAMES, size),
    "upsample_with_windows": lambda size: synths.upsample_with_windows(FRAMES, size),
    "white_noise": lambda size: synths.white_noise([0], size),
    "harmonic_synthesis": lambda size: harmonic_synthesis(FRAMES, FRAMES, n_samples=size),
    "sinusoidal_synthesis": lambda size: synths.sinusoidal_synthesis(FRAMES, FRAMES, size),
    "wavetable_synthesis": lambda size: synths.wavetable_synthesis(*[FRAMES] * 3, size),
    "modal_synthesis": lambda size: synths.modal_synthesis(*[FRAMES[0]] * 3, size),
    "stft": lambda size: synths.stft(SOUND, size),
    "compute_mag": lambda size: synths.compute_mag(SOUND, size),
    "compute_loudness": lambda size: synths.compute_loudness(SOUND, n_fft=size),
    "compute_rms_energy": lambda size: synths.compute_rms_energy(SOUND, frame_size=size),
    "magnitude": lambda size: synths.magnitude(SOUND, n_fft=size),
    "magnitude's hop": lambda size: synths.magnitude(SOUND, hop_length=size),
    "get_framed_lengths": lambda size: synths.get_framed_lengths(600, 64, size),
    "sinc_impulse_response": lambda size: synths.sinc_impulse_response(FRAMES, size),
    "tables": lambda size: synths.harmonic_distribution_to_wavetable(FRAMES, size),
}


@pytest.mark.parametrize("name", BY_RATE)
@pytest.mark.parametrize("rate", [-16000, 0])
def test_rates_are_more_than_0(name, rate):
    with pytest.raises(ValueError, match=f"rate: got {rate}, expected more than 0"):
        BY_RATE[name](rate)


@pytest.mark.parametrize("name", BY_SIZE)
@pytest.mark.parametrize("size", [-5, 64.5])
def test_sizes_are_whole_and_not_negative(name, size):
    with pytest.raises(ValueError, match=f": got {size}, expected a whole number, . or more"):
        BY_SIZE[name](size)


@pytest.mark.parametrize("name", BY_SIZE)
def test_a_size_may_be_a_whole_float(name):
    BY_SIZE[name](64.0)


def test_overlaps_leave_a_hop():
    for overlap in (1.0, 1.5, 0.9999):
        with pytest.raises(ValueError, match=f"overlap: got {overlap}, expected a share below 1"):
            synths.compute_mag(SOUND, 64, overlap)


def test_a_synth_of_whole_floats_and_no_frames():
    assert synths.Harmonic(16000.0, 16000.0)(FRAMES, FRAMES, 100 * FRAMES).shape == (1, 16000)
    with pytest.raises(ShapeError, match="f0_hz: expected .* with 1 frame or more"):
        synths.Harmonic(100).get_controls(*[np.zeros((1, 0, 1))] * 3)
    with pytest.raises(ShapeError, match="expected the same n_frames, or 1, got shapes"):
        synths.Harmonic(100).get_controls(FRAMES, np.ones((1, 7, 4)), 100 * FRAMES)


def test_an_article():
    with pytest.raises(ValueError, match="gain, decay: an ExpDecayReverb with trainable=True"):
        synths.ExpDecayReverb()(SOUND)
    with pytest.raises(ValueError, match="magnitudes: a FilteredNoiseReverb with"):
        synths.FilteredNoiseReverb()(SOUND)
