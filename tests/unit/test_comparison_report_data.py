"""Sounds and pictures of the page."""

import base64
import io
import types

import numpy as np
import pytest
import soundfile
from PIL import Image

from noisygan.comparison import measuring, report_data
from noisygan.evaluation.examples import Examples

RATE = 16000


def tone(level, hz=440.0, n=8000):
    return (level * np.sin(2 * np.pi * hz * np.arange(n) / RATE)).astype(np.float32)


def decoded(uri, kind):
    head, data = uri.split(",")
    assert head == f"data:{kind};base64"
    return io.BytesIO(base64.b64decode(data))


def test_clips_are_as_loud_as_each_other_and_say_what_was_done_to_them():
    clips = [report_data.clip(tone(level), RATE, "a", True) for level in (0.01, 0.5)]
    audio = [soundfile.read(decoded(clip["audio"], "audio/flac"))[0] for clip in clips]
    levels = [20 * np.log10(np.sqrt(np.mean(x**2))) for x in audio]
    assert levels == pytest.approx([-18.0, -18.0], abs=0.1)
    assert clips[0]["gain_db"] - clips[1]["gain_db"] == pytest.approx(34.0, abs=0.2)
    assert len(clips[0]["peaks"]) == 120 and max(high for _, high in clips[0]["peaks"]) > 0.17
    picture = Image.open(decoded(clips[0]["spectrogram"], "image/png"))
    rows = np.asarray(picture.convert("L"), float).mean(axis=1)
    # 440 Hz is a line in the lower half.
    assert picture.height == 96 and 48 < rows.argmax() < 90


def test_a_clip_without_a_picture_takes_less_space_and_sounds_the_same():
    noise = 0.1 * np.random.default_rng(0).standard_normal(RATE) + tone(0.5, n=RATE)
    small, exact = (report_data.clip(noise, RATE, "a", drawn)["audio"] for drawn in (False, True))
    assert len(small) < 0.7 * len(exact)
    audio = soundfile.read(decoded(small, "audio/ogg"))[0]
    error = audio - soundfile.read(decoded(exact, "audio/flac"))[0]
    assert 10 * np.log10(np.mean(audio**2) / np.mean(error**2)) > 15.0


def test_columns_are_of_every_class_or_far_apart_in_pitch():
    drums = Examples(np.zeros((12, 8)), RATE, labels=["kick"] * 6 + ["snare"] * 4 + ["tom"] * 2)
    rows = measuring.columns_of(drums)
    assert drums.labels[rows].tolist() == ["kick", "kick", "snare", "snare", "tom", "tom"]
    notes = Examples(
        np.zeros((20, 8)), RATE, pitch=np.repeat([60, 64, 70, 80], 5), velocity=[25, 127] * 10
    )
    rows = measuring.columns_of(notes)
    assert len(set(rows.tolist())) == 6 and set(notes.pitch[rows]) == {60, 64, 70, 80}
    assert report_data.condition(notes, rows[0]) == "pitch 60, velocity 25"
    assert report_data.condition(drums, 0) == "kick"
    assert len(measuring.columns_of(notes.take([0, 1]))) == 2


def held_out(described, vectors, examples):
    measured = types.SimpleNamespace(features=types.SimpleNamespace(described=described))
    reference = types.SimpleNamespace(test=measured, vectors=lambda measured, space: vectors)
    splits = types.SimpleNamespace(test=examples)
    return types.SimpleNamespace(reference=reference, splits=splits, columns=np.array([0, 1]))


def test_histograms_and_map_hold_every_system_and_the_recordings():
    rng = np.random.default_rng(0)
    examples = Examples(rng.normal(0, 0.1, (10, 4000)), RATE, pitch=np.arange(60, 70))
    real = {"RMS": rng.normal(size=10), "vibrato rate": np.full(10, np.nan)}
    kept = {
        name: [
            {
                "grid": np.zeros((2, 4000), np.int16),
                "between": np.zeros((3, 4000), np.int16),
                "map": np.ones((4, 4000), np.int16),
                "map_vectors": rng.normal(shift, 1, (4, 6)),
                "described RMS": rng.normal(shift, 1, 50),
                "described vibrato rate": np.full(50, np.nan),
            }
        ]
        for name, shift in (("near", 0.0), ("far", 30.0))
    }
    found = report_data.shown(held_out(real, rng.normal(size=(10, 6)), examples), kept)
    (histogram,) = found["histograms"]
    assert histogram["name"] == "RMS" and len(histogram["edges"]) == 25
    assert sum(histogram["recordings"]) == pytest.approx(1.0, abs=1e-3)
    near, far = (histogram["systems"][name] for name in ("near", "far"))
    assert np.argmax(far) > np.argmax(near)
    points = found["map"]["points"]
    assert [sum(p["system"] == s for p in points) for s in (None, "near", "far")] == [10, 4, 4]
    place = {s: np.mean([[p["x"], p["y"]] for p in points if p["system"] == s], 0) for s in kept}
    recordings = np.mean([[p["x"], p["y"]] for p in points if p["system"] is None], 0)
    near_by, far_off = (np.linalg.norm(place[s] - recordings) for s in ("near", "far"))
    assert far_off > 2 * near_by
    assert list(found["grid"]["rows"]) == ["near", "far"]
    assert found["grid"]["columns"][0]["title"] == "pitch 60"
