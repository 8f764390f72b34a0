"""Reading the sound to match."""

import numpy as np
import pytest

from noisygan.errors import UsageError
from noisygan.matching.target import at_rate, read_target


def test_channels_are_mixed(write_sound, tmp_path):
    sides = np.stack([np.full(4000, 0.5), np.full(4000, 0.1)], axis=1)
    target = read_target(write_sound(tmp_path / "a.wav", sides, 8000))
    assert target.audio.shape == (4000,) and target.seconds == 0.5
    np.testing.assert_allclose(target.audio, 0.3, atol=1e-4)
    assert "2 channels" in target.remarks[0]


def test_a_target_is_resampled(write_sound, tmp_path):
    for rate, wanted, n in ((16000, None, 16000), (96000, None, 48000), (4000, None, 8000),
                            (44100, 16000, 16000)):  # fmt: skip
        path = write_sound(tmp_path / f"{rate}.wav", rate=rate, n=rate)
        target = at_rate(read_target(path), wanted)
        assert target.sample_rate == n == len(target.audio)
        assert bool(target.remarks) == (rate != n)


def test_invalid_sounds_and_files(write_sound, tmp_path):
    for i, (samples, message) in enumerate((
        (np.zeros(8000), "is silent"),
        (np.outer(np.sin(np.arange(8000)), [0.5, -0.5]), "once its channels are mixed"),
        (np.zeros(200), "expected 0.1 to 30 s"),
        (np.zeros(8000 * 40), "lasts 40 s"),
        (np.full(8000, np.nan), "NaN"),
    )):  # fmt: skip
        path = write_sound(tmp_path / f"{i}.wav", samples, 8000, subtype="FLOAT")
        with pytest.raises(UsageError, match=message):
            read_target(path)
    (tmp_path / "a.wav").write_text("no")
    for name in ("a.wav", "b.wav", "."):
        with pytest.raises(UsageError, match="cannot be read|missing|a folder"):
            read_target(tmp_path / name)
