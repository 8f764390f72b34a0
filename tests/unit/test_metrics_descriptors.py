"""Descriptors of sounds whose numbers are known."""

import numpy as np
import pytest

from noisygan.metrics import descriptors, spectrograms

RATE = 16000
TIMES = np.arange(2 * RATE) / RATE


def described(audio, rate=RATE, **known):
    audio = np.asarray(audio, np.float32)
    power = spectrograms.power_spectrogram(audio)
    return descriptors.describe(audio, rate, power, **known)


def sine(hz, times=TIMES):
    return 0.5 * np.sin(2 * np.pi * hz * times)


def test_an_exponential_decay():
    # Level falls 20 dB in 0.2 s and 40 dB in 0.4 s; centre of the energy at 1 / (2 * 11.51) s.
    found = described(sine(1000) * 10 ** (-TIMES / 0.2))
    assert found["decay"] == pytest.approx(0.2, abs=0.006)
    assert found["time to -40 dB"] == pytest.approx(400, abs=8)
    assert found["temporal centroid"] == pytest.approx(0.2 / (2 * np.log(10)), rel=0.03)


def test_a_slow_attack_after_silence():
    start, length = 0.5, 0.3
    found = described(sine(1000) * np.clip((TIMES - start) / length, 0, 1))
    assert found["log attack time"] == pytest.approx(np.log10(0.8 * length), abs=0.02)
    assert found["onset"] == pytest.approx(1e3 * (start + 0.1 * length), abs=3)


def test_the_spectrum_of_a_sine_and_of_noise():
    found = described(sine(1600))
    assert found["spectral centroid"] == pytest.approx(4.0, abs=0.02)  # 100 Hz * 2^4
    assert found["rolloff"] == pytest.approx(4.0, abs=0.02)
    assert found["flatness"] < -40
    noise = described(0.1 * np.random.default_rng(0).normal(size=len(TIMES)))
    assert noise["flatness"] > -1
    assert noise["rolloff"] == pytest.approx(np.log2(0.85 * 80), abs=0.03)
    assert noise["spectral centroid"] == pytest.approx(np.log2(40), abs=0.05)


def test_levels():
    found = described(sine(500))
    assert found["RMS"] == pytest.approx(20 * np.log10(0.5 / np.sqrt(2)), abs=0.01)
    assert found["crest"] == pytest.approx(3.01, abs=0.02)
    assert found["clipping rate"] == 0.0
    clipped = described(np.clip(4 * sine(437), -1, 1))
    # |sin| > 1/2, without the first sample of each half period.
    assert clipped["clipping rate"] == pytest.approx(100 * (2 / 3 - 2 * 437 / RATE), abs=0.2)
    scaled = TIMES * np.sin(200 * TIMES)
    assert described(scaled / np.abs(scaled).max())["clipping rate"] == 0.0
    ended = described(sine(500) * (TIMES < 1.9))
    assert ended["tail floor"] == descriptors.FLOOR_DB


@pytest.mark.parametrize("pitch", [45, 69, 93])
@pytest.mark.parametrize("snr_db", [5.0, 20.0])
def test_the_harmonic_to_noise_ratio_is_the_one_put_in(pitch, snr_db):
    f0_hz = 440 * 2 ** ((pitch - 69) / 12)
    tone = sum(sine(k * f0_hz) / k for k in range(1, 4))
    noise = np.random.default_rng(0).normal(size=len(TIMES))
    noise *= np.sqrt((tone**2).mean() / (noise**2).mean()) * 10 ** (-snr_db / 20)
    found = descriptors.harmonic_to_noise_db(0.3 * (tone + noise), RATE, f0_hz, (0.2, 1.5))
    assert found == pytest.approx(snr_db, abs=1.5)


def test_vibrato_and_what_has_no_pitch():
    phase = 2 * np.pi * 440 * TIMES + 440 * (2 ** (20 / 1200) - 1) / 5 * np.sin(
        2 * np.pi * 5 * TIMES
    )
    found = described(0.3 * np.sin(phase), pitch=69.0)
    assert found["vibrato rate"] == pytest.approx(5.0, abs=0.2)
    assert found["vibrato depth"] == pytest.approx(20.0, abs=3.0)
    assert np.isnan(described(0.3 * np.sin(phase))["vibrato rate"])


def test_the_sweep_of_a_kick():
    # From 300 Hz to 60 Hz within 30 ms: over the first 10 ms about 240 Hz.
    times = np.arange(int(0.3 * 44100)) / 44100
    hz = 60 + 240 * np.exp(-times / 0.015)
    kick = np.sin(2 * np.pi * np.cumsum(hz) / 44100) * np.exp(-8 * times)
    still = np.sin(2 * np.pi * 60 * times) * np.exp(-8 * times)
    early = hz[: int(0.01 * 44100)].mean()
    assert descriptors.sweep_octaves(kick, 44100) == pytest.approx(np.log2(early / 61), abs=0.35)
    assert abs(descriptors.sweep_octaves(still, 44100)) < 0.4
    assert np.isnan(described(kick, 44100)["kick sweep"])
    assert described(kick, 44100, is_kick=True)["kick sweep"] > 1.3


def test_checkerboard_energy_leaves_out_partials_of_the_note():
    noise = 0.01 * np.random.default_rng(0).normal(size=len(TIMES))
    assert descriptors.checkerboard_energy_db(noise, RATE) < 0.5
    assert descriptors.checkerboard_energy_db(noise + sine(1234.0), RATE) < 0.5
    with_tones = noise + 0.02 * sum(np.sin(2 * np.pi * k * 1000 * TIMES) for k in range(1, 8))
    assert descriptors.checkerboard_energy_db(with_tones, RATE) > 10
    note = 83.215  # 1000 Hz
    assert np.isnan(descriptors.checkerboard_energy_db(with_tones, RATE, note))
    assert np.isnan(descriptors.checkerboard_energy_db(np.zeros(RATE), RATE))


def test_silence_has_levels_and_nothing_else():
    found = described(np.zeros(RATE), pitch=60.0, is_kick=True)
    known = {name for name, value in found.items() if np.isfinite(value)}
    assert known == {"RMS", "tail floor", "clipping rate"}


@pytest.mark.parametrize("n", [500, 1024, 7500])
def test_short_sounds_have_descriptors(n):
    burst = np.random.default_rng(0).normal(size=n) * np.exp(-np.arange(n) / 200)
    found = described(0.3 * burst, 44100, pitch=60.0, is_kick=True)
    assert all(np.isfinite(found[name]) for name in descriptors.GENERAL)
