"""The result page of a run: whole, self-contained, and alive in a real browser."""

import base64
import html.parser
import io
import json
import re

import numpy as np
import pytest
import soundfile

from noisygan.errors import RunError
from noisygan.reports.run_report import write_page
from noisygan.reports.sounds import checkpoints, pair_up

RATE = 16000
SECTIONS = ("listen", "learn", "draw", "train", "facts", "next")


def note(pitch, seconds=4.0, seed=0):
    """A tone with three harmonics, vibrato and a little noise, let go at 3 s."""
    rng = np.random.default_rng(seed)
    times = np.arange(int(seconds * RATE)) / RATE
    f0_hz = 440.0 * 2 ** ((pitch - 69 + 0.1 * np.sin(2 * np.pi * 5 * times)) / 12)
    phase = 2 * np.pi * np.cumsum(f0_hz) / RATE
    tone = sum(np.sin(k * phase) / k for k in (1, 2, 3)) + 0.01 * rng.normal(size=len(times))
    return 0.3 * tone * np.minimum(1, times / 0.05) * np.clip(1 - (times - 3.0) / 0.1, 0, 1)


def write_controls(path, n_frames=250):
    frames = np.arange(n_frames) / n_frames
    np.savez(
        path,
        format="noisygan-controls",
        version=1,
        sample_rate=RATE,
        n_samples=4 * RATE,
        frame_rate=n_frames / 4.0,
        **{
            "harmonic/f0_hz": 440.0 + 3.0 * np.sin(40 * frames),
            "harmonic/amplitudes": 0.3 * (frames < 0.75),
            "harmonic/harmonic_distribution": np.tile([0.6, 0.3, 0.1], (n_frames, 1)),
            "noise/magnitudes": np.full((n_frames, 9), 0.001),
            "noise/bandwidth_hz": 8000.0,
        },
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """(run folder, recordings) with everything that a page can show."""
    folder = tmp_path_factory.mktemp("work")
    run_dir, real = folder / "runs" / "tiny", folder / "nsynth-test" / "audio"
    for path in (run_dir / "samples", run_dir / "rendered", real):
        path.mkdir(parents=True)
    recordings = []
    for pitch, velocity in ((60, 50), (60, 100), (69, 100)):
        name = f"flute_acoustic_000-{pitch:03d}-{velocity:03d}"
        recordings.append(real / f"{name}.flac")
        soundfile.write(recordings[-1], note(pitch) * velocity / 127, RATE)
        rendered = run_dir / "rendered" / f"{name}-000"
        soundfile.write(f"{rendered}.wav", note(pitch, seed=1) * velocity / 127, RATE)
    write_controls(run_dir / "rendered" / "flute_acoustic_000-069-100-000.npz")
    for step in (0, 10, 30, 100):
        for index in (0, 1):
            path = run_dir / "samples" / f"step-{step:06d}-{index}.wav"
            soundfile.write(path, note(60 + index) * step / 100, RATE)
    facts = {
        "format": 1,
        "noisygan": "0.1.0",
        "command": ["noisygan", "train", "--seed", "0", "<script>alert(1)</script>"],
        "seed": 0,
        "versions": {"python": "3.11", "tensorflow": None},
        "data": {
            "folder": "notes",
            "fingerprint": "abc",
            "n_recordings": 40,
            "summary": "40 notes, from /home/me/notes",
        },
        "label_names": ["flute_acoustic_000"],
    }
    (run_dir / "run.json").write_text(json.dumps(facts))
    (run_dir / "config.gin").write_text("Trainer.batch_size = 16  # <b>&\n")
    lines = [
        json.dumps(
            {
                "step": step,
                "seconds": step / 4,
                "d_loss": 0.7,
                "g_loss": 1.0 / (1 + step),
                "real_logits": 0.1,
                "fake_logits": float("nan") if step == 20 else -0.1,
            }
        )
        for step in range(0, 101, 10)
    ]
    (run_dir / "metrics.jsonl").write_text("\n".join(lines) + '\n{"step": 110, "d_lo')
    return run_dir, recordings


class Page(html.parser.HTMLParser):
    """The elements of a page: a list of (tag, attributes)."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.open_tags = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "link", "img", "path", "br"):
            self.open_tags.append(tag)

    def handle_endtag(self, tag):
        if tag in self.open_tags:
            assert self.open_tags.pop() == tag, f"</{tag}> closes something else"

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def page_file(run):
    run_dir, recordings = run
    return write_page(run_dir, recordings=recordings)


@pytest.fixture(scope="module")
def page(page_file):
    return Page(page_file.read_text(encoding="utf-8"))


def test_the_page_is_one_file_that_loads_nothing(page_file, page):
    text = page_file.read_text(encoding="utf-8")
    assert page_file.name == "index.html" and page_file.stat().st_size < 15e6
    assert not [p for p in page_file.parent.iterdir() if p.name.endswith(".part")]
    for tag, attributes in page.elements:
        for name in ("src", "href"):
            address = attributes.get(name, "data:")
            assert address.startswith(("data:", "#")), (tag, address[:80])
    assert not re.search(r"https?:|url\(|@import|fetch\(|XMLHttpRequest", text)
    policy = next(m["content"] for m in page.all("meta") if "http-equiv" in m)
    assert "default-src 'none'" in policy


def test_every_section_and_every_tag_is_there(page):
    assert [s["id"] for s in page.all("section")] == list(SECTIONS)
    assert not page.open_tags
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = [a["href"][1:] for a in page.all("a")]
    assert links == list(SECTIONS)


def test_every_player_holds_its_sound(page, run):
    players = page.all("audio")
    assert len(players) == 3 * 2 + 2 * 4  # pairs, and two codes at four checkpoints
    for player in players:
        kind, data = player["src"].split(",", 1)
        assert kind == "data:audio/wav;base64"
        audio, rate = soundfile.read(io.BytesIO(base64.b64decode(data)))
        assert rate == RATE and len(audio) == 4 * RATE
    ids = {player["id"] for player in players}
    asked = [b["data-play"] for b in page.all("button") if "data-play" in b]
    asked += [d["data-audio"] for d in page.all("div") if "data-audio" in d]
    asked += [i for b in page.all("button") for i in b.get("data-sequence", "").split()]
    assert set(asked) == ids
    # What is heard is what was rendered, to 16-bit rounding.
    generated = next(p for p in players if p["data-name"] == "generated, A4, velocity 100")
    data = base64.b64decode(generated["src"].split(",")[1])
    rendered, _ = soundfile.read(run[0] / "rendered" / "flute_acoustic_000-069-100-000.wav")
    np.testing.assert_allclose(soundfile.read(io.BytesIO(data))[0], rendered, atol=1e-4)


def test_text_from_files_is_escaped(page_file):
    text = page_file.read_text(encoding="utf-8")
    assert "alert(1)" in text and "<script>alert" not in text
    assert "&lt;b&gt;&amp;" in text


def test_facts_and_commands_are_stated(page_file):
    text = page_file.read_text(encoding="utf-8")
    for wanted in ("Flute notes", "40 notes", "noisygan render --run_dir", "Recording", "+0"):
        assert wanted in text
    assert "/home/me" not in text  # the page may be passed on
    assert re.search(r"Steps</th><td>100<", text)
    assert "None" not in text and "nan" not in re.sub(r"[A-Za-z0-9+/=]{200,}", "", text)


@pytest.mark.parametrize(
    "missing, section",
    [
        ("samples/*", "learn"),
        ("rendered/*.npz", "draw"),
        ("rendered/*", "listen"),
        ("metrics.jsonl", "train"),
    ],
)
def test_a_missing_piece_leaves_its_section_out(run, tmp_path, missing, section):
    run_dir, recordings = run
    copy = tmp_path / "run"
    for path in run_dir.rglob("*"):
        if path.is_file() and path.suffix != ".html" and path not in set(run_dir.glob(missing)):
            target = copy / path.relative_to(run_dir)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    out = write_page(copy, tmp_path / "page.html", recordings=recordings)
    made = [s["id"] for s in Page(out.read_text(encoding="utf-8")).all("section")]
    gone = {section, "draw"} if section == "listen" else {section}
    assert made == [s for s in SECTIONS if s not in gone]


def test_rendered_notes_alone_are_enough(tmp_path):
    soundfile.write(tmp_path / "kick-1.wav", 0.5 * np.sin(np.arange(3000) / 20), 44100)
    out = write_page(tmp_path, rendered_dir=tmp_path)
    page = Page(out.read_text(encoding="utf-8"))
    assert len(page.all("audio")) == 1


def test_an_empty_folder_is_refused_and_nothing_is_written(tmp_path):
    with pytest.raises(RunError, match="nothing to show"):
        write_page(tmp_path)
    assert not list(tmp_path.iterdir())


def test_an_unreadable_sound_is_named(tmp_path):
    (tmp_path / "rendered").mkdir()
    (tmp_path / "rendered" / "flute-060-100-000.wav").write_bytes(b"not a sound")
    with pytest.raises(RunError, match="flute-060-100-000.wav"):
        write_page(tmp_path)


def test_pairs_are_of_one_pitch_and_spread_over_the_pitches(tmp_path):
    real = [tmp_path / f"f-{p:03d}-{v:03d}.wav" for p in range(60, 72) for v in (50, 100)]
    fake = [tmp_path / f"g-{p:03d}-{v:03d}-000.wav" for p in range(60, 72) for v in (50, 100)]
    pairs = pair_up(real, fake, 6)
    names = [(r.stem[2:], g.stem[2:-4]) for r, g in pairs]
    assert len(pairs) == 6 and all(r == g for r, g in names)
    pitches = [int(r[:3]) for r, _ in names]
    assert min(pitches) == 60 and max(pitches) == 71 and len(set(pitches)) == 6
    assert pair_up(real[:2], [tmp_path / "g-090-100-000.wav"], 6) == []


def test_checkpoints_keep_the_first_and_the_last(tmp_path):
    for step in range(0, 2000, 100):
        (tmp_path / f"step-{step:06d}-0.wav").touch()
    steps = [step for step, _ in checkpoints(tmp_path, 6, 1)[0]]
    assert len(steps) == 6 and steps[0] == 0 and steps[-1] == 1900
    assert steps[1] - steps[0] < steps[-1] - steps[-2]


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_lives_in_a_browser(chromium, page_file, width, tmp_path):
    chromium.open(page_file, width)
    chromium.wait("[...document.querySelectorAll('audio')].every(a => a.readyState >= 1)")
    assert chromium.evaluate(
        "[...document.querySelectorAll('audio')].every(a => Math.abs(a.duration - 4) < 0.01)"
    )
    assert chromium.evaluate("[...document.images].every(i => i.complete && i.naturalWidth > 0)")
    assert chromium.evaluate("document.documentElement.scrollWidth") <= width
    small = chromium.evaluate(
        "[...document.querySelectorAll('button')].filter(b => b.offsetHeight < 32).length"
    )
    assert small == 0
    chromium.screenshot(tmp_path / "page.png")
    assert (tmp_path / "page.png").stat().st_size > 20_000
    assert chromium.problems == []
    assert {r.split(":")[0] for r in chromium.requests} == {"file"} and len(chromium.requests) == 1


@pytest.mark.browser
def test_players_work_by_mouse_and_by_keyboard(chromium, page_file):
    chromium.open(page_file, 1280)
    first, second = "document.querySelectorAll('.play')[0]", "document.querySelectorAll('.play')[1]"
    sound = "document.getElementById('sound-{}')"
    chromium.evaluate(f"{first}.focus()")
    chromium.press("Enter")
    chromium.wait(f"{first}.getAttribute('aria-pressed') === 'true'")
    chromium.wait(f"{sound.format(1)}.currentTime > 0.1")
    chromium.evaluate(f"{second}.click()")
    chromium.wait(f"{first}.getAttribute('aria-pressed') === 'false'")
    assert chromium.evaluate(f"{sound.format(1)}.paused && !{sound.format(2)}.paused")
    chromium.evaluate(f"{second}.click(); {first}.focus()")
    before = chromium.evaluate(f"{sound.format(1)}.currentTime")
    chromium.press("ArrowRight")
    assert chromium.evaluate(f"{sound.format(1)}.currentTime") == pytest.approx(
        before + 0.25, abs=0.05
    )
    plot = "document.querySelector('.area[data-audio=sound-2]')"
    chromium.evaluate(
        f"{plot}.dispatchEvent(new MouseEvent('click', {{clientX: "
        f"{plot}.getBoundingClientRect().left + {plot}.clientWidth / 2}}))"
    )
    chromium.wait(f"{sound.format(2)}.currentTime > 1.9 && {plot}.classList.contains('live')")
    chromium.evaluate("document.querySelector('[data-sequence]').click()")
    chromium.wait(f"!{sound.format(1)}.paused && {sound.format(2)}.paused")
    chromium.evaluate("document.querySelector('[data-sequence]').click()")
    chromium.wait(f"{sound.format(1)}.paused")
    assert chromium.problems == []
