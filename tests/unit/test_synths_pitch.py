"""F0: known pitches, frame times, CREPE."""

import sys
import types

import numpy as np
import pytest

from synths import CREPE, PYIN, ShapeError, compute_f0


def tone(hz, rate, seconds=1.0, partials=5):
    phase = 2 * np.pi * np.cumsum(np.broadcast_to(hz, int(rate * seconds))) / rate
    return sum(np.sin(k * phase) / k for k in range(1, partials + 1)).astype(np.float32) * 0.3


@pytest.mark.parametrize(("rate", "frame_rate"), [(16000, 100), (22050, 100), (44100, 50)])
def test_a_tone_has_its_pitch_at_any_rate(rate, frame_rate):
    found = PYIN(80.0, 1000.0)(tone(220.0, rate), rate, frame_rate)
    assert found.f0_hz.shape == found.confidence.shape == found.times_seconds.shape
    np.testing.assert_allclose(found.times_seconds, np.arange(frame_rate + 1) / frame_rate)
    middle = slice(frame_rate // 5, -frame_rate // 5)
    assert np.abs(1200 * np.log2(found.f0_hz[middle] / 220.0)).max() < 15
    assert found.confidence[middle].min() > 0.5


def test_rows_and_silence():
    rows = np.stack([tone(220.0, 16000), tone(330.0, 16000), np.zeros(16000, np.float32)])
    f0_hz, confidence = compute_f0(rows, 50)
    assert f0_hz.shape == confidence.shape == (3, 51)
    np.testing.assert_allclose(np.median(f0_hz[:2], axis=1), [220.0, 330.0], rtol=0.01)
    assert np.isfinite(f0_hz).all()
    assert confidence[2].max() < 0.1 < confidence[0].max()


def test_what_makes_no_sense_is_refused():
    for low, high in ((500.0, 100.0), (100.0, 9000.0)):
        with pytest.raises(Exception, match="fmax"):
            PYIN(low, high)(tone(220.0, 16000), 16000)
    with pytest.raises(ShapeError, match=r"audio: expected \[n_samples\]"):
        PYIN()(np.zeros((1, 2, 3)))
    with pytest.raises(ValueError, match="padding: got 'full', expected one of center, same"):
        compute_f0(tone(220.0, 16000), 50, padding="full")


@pytest.mark.parametrize(("rate", "frame_rate"), [(16000, 250), (16000, 60), (22050, 100)])
def test_paddings(rate, frame_rate):
    hz = 200.0 * 2.0 ** np.linspace(0.0, 2.0, rate)
    audio = tone(hz, rate)
    extractor = PYIN(100.0, 1000.0)
    n_frames = {"same": frame_rate, "valid": int((1.0 - 0.064) * frame_rate) + 1}
    for padding in ("same", "valid"):
        f0_hz, confidence = compute_f0(
            audio, frame_rate, padding=padding, sample_rate=rate, extractor=extractor
        )
        assert f0_hz.shape == confidence.shape == (n_frames[padding],)
        seconds = np.arange(len(f0_hz)) / frame_rate + 0.032
        at = (seconds > 0.2) & (seconds < 0.8)
        cents = 1200 * np.log2(f0_hz[at] / (200.0 * 2.0 ** (2.0 * seconds[at])))
        # 10 ms are 24 cents of this glide.
        assert abs(np.mean(cents)) < 12


def test_what_is_shorter_than_a_frame_has_none_that_ends_within_it():
    audio = tone(220.0, 16000, 0.05)
    f0_hz, confidence = compute_f0(audio, 50, padding="valid")
    assert f0_hz.shape == confidence.shape == (0,)
    assert compute_f0(tone(220.0, 16000, 0.064), 50, padding="valid")[0].shape == (1,)


def test_without_crepe_the_error_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "crepe", None)
    with pytest.raises(ImportError, match=r"pip install 'noisygan\[crepe\]', or use PYIN"):
        CREPE()


def test_crepe_is_asked_and_answers_at_our_frames(monkeypatch):
    asked = []

    def predict(audio, rate, **options):
        asked.append((len(audio), rate, options))
        times = np.arange(0.0, len(audio) / rate + 1e-9, options["step_size"] / 1000.0)
        return times, 200.0 + 100.0 * times, np.full(len(times), 0.9), None

    monkeypatch.setitem(sys.modules, "crepe", types.SimpleNamespace(predict=predict))
    found = CREPE("tiny")(np.zeros((2, 8000)), 8000, 50)
    assert found.f0_hz.shape == (2, 51)
    np.testing.assert_allclose(found.f0_hz[1], 200.0 + 100.0 * found.times_seconds, rtol=1e-4)
    assert [a[:2] for a in asked] == [(8000, 8000)] * 2
    assert asked[0][2]["step_size"] == 20.0
    assert asked[0][2]["model_capacity"] == "tiny"
    compute_f0(np.zeros(8000), 50, viterbi=False, sample_rate=8000, extractor=CREPE())
    assert asked[-1][2]["viterbi"] is False
    extractor = CREPE()
    for own, viterbi, expected in ((True, False, False), (False, True, False), (True, True, True)):
        extractor.viterbi = own
        compute_f0(np.zeros(8000), 50, viterbi, sample_rate=8000, extractor=extractor)
        assert asked[-1][2]["viterbi"] is expected
        assert extractor.viterbi is own
