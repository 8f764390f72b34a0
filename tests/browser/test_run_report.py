"""Page of a run: whole, self-contained, and alive in a real browser."""

import base64
import io
import types

import numpy as np
import pytest
import soundfile

from noisygan.data.dataset import AudioDataset
from noisygan.errors import RunError, UsageError
from noisygan.reports import run_report
from tests.pages import Page

RATE = 16000
SECTIONS = ["listen", "learn", "draw", "train", "facts", "next"]


def note(pitch, seconds=4.0, seed=0):
    """A tone with three harmonics, vibrato and a little noise, let go at 3 s."""
    rng = np.random.default_rng(seed)
    times = np.arange(int(seconds * RATE)) / RATE
    f0_hz = 440.0 * 2 ** ((pitch - 69 + 0.1 * np.sin(2 * np.pi * 5 * times)) / 12)
    phase = 2 * np.pi * np.cumsum(f0_hz) / RATE
    tone = sum(np.sin(k * phase) / k for k in (1, 2, 3)) + 0.01 * rng.normal(size=len(times))
    return 0.3 * tone * np.minimum(1, times / 0.05) * np.clip(1 - (times - 3.0) / 0.1, 0, 1)


def fake_run(path, condition_names=("pitch", "velocity"), label_names=("flute_acoustic_000",)):
    """What a page needs of `noisygan.Run`; only a run of pitches has controls and metrics."""
    is_pitched = "pitch" in condition_names

    def metrics():
        losses = {"d_loss": 0.7, "real_logits": 0.1}
        return [
            {"step": step, "seconds": step / 4, "g_loss": 1.0 / (1 + step), **losses}
            | {"fake_logits": float("nan") if step == 20 else -0.1}
            for step in range(0, 101 if is_pitched else 0, 10)
        ]

    def render(seed, held_seconds=None, tags=None, **conditions):
        assert set(conditions) == set(condition_names)
        assert conditions.get("label") in (None, *label_names)
        pitch, velocity = conditions.get("pitch", 60), conditions.get("velocity", 100)
        frames = np.arange(250) / 250
        controls = {
            "harmonic/f0_hz": 440.0 * 2 ** ((pitch - 69) / 12) + 3.0 * np.sin(40 * frames),
            "harmonic/amplitudes": 0.3 * (frames < 0.75),
            "harmonic/harmonic_distribution": np.tile([0.6, 0.3, 0.1], (250, 1)),
            "noise/magnitudes": np.full((250, 9), 0.001),
            "noise/bandwidth_hz": np.array(8000.0),
        }
        controls = {name: value[None] for name, value in controls.items() if is_pitched}
        audio = (note(pitch, seed=seed) * velocity / 127)[None].astype(np.float32)
        return types.SimpleNamespace(audio=audio, sample_rate=RATE, controls=controls)

    return types.SimpleNamespace(
        path=path, condition_names=condition_names, label_names=label_names,
        pitches=(60, 69, 72), sample_rate=RATE, seconds=4.0, step=100, metrics=metrics,
        generator=types.SimpleNamespace(count_params=lambda: 1234, has_controls=is_pitched),
        render=render, tag_values={},
        config="Trainer.batch_size = 16  # <b>&\n",
        metadata={
            "noisygan": "0.2.0",
            "command": ["noisygan", "train", "--seed", "0", "<script>alert(1)</script>"],
            "seed": 0,
            "versions": {"python": "3.11", "tensorflow": None},
            "data": {"fingerprint": "abc", "n_recordings": 40, "summary": "40 notes"},
        },
    )  # fmt: skip


def recordings(folder, fingerprint="other", labels=("flute_acoustic_000",)):
    pitch = np.array([60, 60, 69])
    audio = np.stack([note(p) for p in pitch]).astype(np.float32)
    names = [f"note-{i}" for i in range(3)]
    return AudioDataset(
        folder, names, names, RATE, 4 * RATE, pitch, [50, 100, 100], np.arange(3) % len(labels),
        labels, fingerprint, audio,
    )  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run with everything that a page can show."""
    path = tmp_path_factory.mktemp("work") / "runs" / "tiny"
    (path / "samples").mkdir(parents=True)
    for step in (0, 10, 30, 100):
        for index in (0, 1):
            name = path / "samples" / f"step-{step:06d}-{index}.wav"
            soundfile.write(name, note(60 + index) * step / 100, RATE)
    return fake_run(path)


@pytest.fixture(scope="module")
def page_file(run, tmp_path_factory):
    return run_report.write(run, data=recordings(tmp_path_factory.mktemp("data")))


def read(path):
    return Page(path.read_text(encoding="utf-8"))


def test_the_page_is_one_file_that_loads_nothing(run, page_file):
    page = read(page_file)
    page.check()
    assert page.sections == SECTIONS
    assert page_file == run.path / "index.html" and page_file.stat().st_size < 15e6
    assert {p.name for p in run.path.iterdir()} == {"samples", "index.html"}


def test_every_player_holds_its_sound(run, page_file):
    page = read(page_file)
    players = page.all("audio")
    assert len(players) == 3 * 2 + 2 * 4  # pairs, and two latents at four checkpoints
    for player in players:
        kind, data = player["src"].split(",", 1)
        assert kind == "data:audio/flac;base64"
        audio, rate = soundfile.read(io.BytesIO(base64.b64decode(data)))
        assert rate == RATE and len(audio) == 4 * RATE
    used = [b["data-play"] for b in page.all("button") if "data-play" in b]
    used += [d["data-audio"] for d in page.all("div") if "data-audio" in d]
    used += [i for b in page.all("button") for i in b.get("data-sequence", "").split()]
    assert set(used) == {player["id"] for player in players}
    # What is heard is what was rendered, to 16-bit rounding.
    generated = next(p for p in players if p["data-name"] == "generated, A4")
    data = base64.b64decode(generated["src"].split(",")[1])
    rendered = run.render(2, pitch=69, velocity=100).audio[0]
    np.testing.assert_allclose(soundfile.read(io.BytesIO(data))[0], rendered, atol=1e-4)


def test_facts_are_stated_and_text_is_escaped(page_file):
    page = read(page_file)
    words = "".join(page.words)
    for wanted in ("Flute notes", "40 notes", "1,234", "MIDI 69", "100training steps", "Seed0"):
        assert wanted in words
    assert "alert(1)" in page.text and "<script>alert" not in page.text
    assert "&lt;b&gt;&amp;" in page.text


def test_sections_that_do_not_apply_are_left_out(run, tmp_path):
    labels = ("<script>kick", "snare")
    drums = fake_run(tmp_path, ("label",), labels)
    data = recordings(tmp_path, "abc", (*labels, "unknown"))
    page = read(run_report.write(drums, tmp_path / "drums.html", data))
    page.check()
    assert page.sections == ["listen", "facts", "next"]
    assert "<script>kick" not in page.text and "&lt;script&gt;kick" in page.text
    assert "of the training data" in page.text
    assert len(page.all("audio")) == 4  # a recording of an unknown label has no counterpart
    with pytest.raises(UsageError, match="snare"):
        run_report.write(drums, tmp_path / "none.html", recordings(tmp_path, labels=("unknown",)))
    page = read(run_report.write(fake_run(tmp_path, (), ()), tmp_path / "wavegan.html"))
    page.check()
    assert page.sections == ["listen", "facts", "next"] and len(page.all("audio")) == 8


def test_categories_that_the_run_does_not_know_are_drawn(tmp_path):
    run, data, given = fake_run(tmp_path), recordings(tmp_path), []
    render = run.render
    run.render = lambda tags, **others: given.append(tags) or render(**others)
    run.condition_names, run.tag_values = ("pitch", "velocity", "mic"), {"mic": ("close", "far")}
    data.tags = {"mic": np.array(["close", "room", "far"])}
    run_report.write(run, data=data)
    assert given == [{"mic": "close"}, {}, {"mic": "far"}]


def test_sounds_that_are_not_finite_are_left_out(tmp_path):
    run = fake_run(tmp_path)
    render, broken = run.render, {60}

    def some_broken(seed, **conditions):
        notes = render(seed, **conditions)
        notes.audio[:, 5] = np.nan if conditions["pitch"] in broken else 0.0
        return notes

    run.render = some_broken
    page = read(run_report.write(run))
    page.check()
    assert "draw" in page.sections and len(page.all("audio")) == 5  # of 8
    broken |= {69, 72}
    with pytest.raises(RunError, match="no finite sound"):
        run_report.write(run)


def test_an_unreadable_sound_is_named(tmp_path):
    (tmp_path / "samples").mkdir()
    for step in (0, 10):
        (tmp_path / "samples" / f"step-{step:06d}-0.wav").write_bytes(b"not a sound")
    with pytest.raises(RunError, match="step-000000-0.wav"):
        run_report.write(fake_run(tmp_path))
    assert not (tmp_path / "index.html").exists()


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 360])
def test_the_page_lives_in_a_browser(chromium, page_file, width):
    chromium.open(page_file, width)
    chromium.wait("[...document.querySelectorAll('audio')].every(a => a.readyState >= 1)")
    assert chromium.evaluate(
        "[...document.querySelectorAll('audio')].every(a => Math.abs(a.duration - 4) < 0.01)"
    )
    assert chromium.evaluate("[...document.images].every(i => i.complete && i.naturalWidth > 0)")
    assert chromium.evaluate("document.documentElement.scrollWidth") <= width
    small = "[...document.querySelectorAll('button')].filter(b => b.offsetHeight < 32).length"
    assert chromium.evaluate(small) == 0
    assert chromium.problems == []
    assert {r.split(":")[0] for r in chromium.requests} == {"file"} and len(chromium.requests) == 1


@pytest.mark.browser
def test_players_work_by_mouse_and_by_keyboard(chromium, page_file):
    chromium.open(page_file, 1280)
    first, second = "document.querySelectorAll('.play')[0]", "document.querySelectorAll('.play')[1]"
    sound = "document.getElementById({}.dataset.play)"
    one, two = sound.format(first), sound.format(second)
    chromium.evaluate(f"{first}.focus()")
    chromium.press("Enter")
    chromium.wait(f"{first}.getAttribute('aria-pressed') === 'true'")
    chromium.wait(f"{one}.currentTime > 0.1")
    chromium.evaluate(f"{second}.click()")
    chromium.wait(f"{first}.getAttribute('aria-pressed') === 'false'")
    assert chromium.evaluate(f"{one}.paused && !{two}.paused")
    chromium.evaluate(f"{second}.click(); {first}.focus()")
    before = chromium.evaluate(f"{one}.currentTime")
    chromium.press("ArrowRight")
    assert chromium.evaluate(f"{one}.currentTime") == pytest.approx(before + 0.25, abs=0.05)
    plot = f"document.querySelector('.area[data-audio=' + {second}.dataset.play + ']')"
    chromium.evaluate(
        f"{plot}.dispatchEvent(new MouseEvent('click', {{clientX: "
        f"{plot}.getBoundingClientRect().left + {plot}.clientWidth / 2}}))"
    )
    chromium.wait(f"{two}.currentTime > 1.9 && {plot}.classList.contains('live')")
    chromium.evaluate("document.querySelector('[data-sequence]').click()")
    chromium.wait(f"!{one}.paused && {two}.paused")
    chromium.evaluate("document.querySelector('[data-sequence]').click()")
    chromium.wait(f"{one}.paused")
    assert chromium.problems == []
