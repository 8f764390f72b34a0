"""The studio's page in a real browser."""

import zipfile

import numpy as np
import pytest
import soundfile

pytest.importorskip("starlette", reason="needs the extra studio")
pytest.importorskip("uvicorn", reason="needs the extra studio")

from tests import studio_runs
from tests.browser.chromium import MIDI, PEAK, PlayedPage

pytestmark = pytest.mark.browser
STATUS = "document.getElementById('status').textContent"
STAGE = "document.getElementById('stage').dataset"


@pytest.fixture(scope="module")
def address():
    """Address of a studio with a hybrid, a kit, a raw run, one with tags, and three live ones."""
    make = ["melodic", "kit", "raw", "tagged", "live", "live_kit", "live_without_velocity"]
    runs = [getattr(studio_runs, name)() for name in make]
    with studio_runs.served(*runs) as found:
        yield found


class Page(PlayedPage):
    """The studio in the browser's tab."""

    def __init__(self, chromium, address, width=1280, run=0, fragment="", script=""):
        super().__init__(chromium)
        self.visit(address + fragment, script, width)
        self.wait("document.documentElement.dataset.ready === 'yes'")
        if run:
            self.choose(run)
        self.wait("document.querySelectorAll('#directions .slider').length > 0")
        self.wait(f"{STAGE}.sounds > 0")

    def choose(self, run):
        self.click(f"#runs button:nth-child({run + 1})")
        self.wait(f"document.querySelectorAll('#runs button')[{run}].ariaChecked === 'true'")

    def print(self):
        """Identity of the current sound."""
        return self.evaluate(f"{STAGE}.print")

    def plays(self):
        return int(self.evaluate(f"{STAGE}.plays"))

    def moves_sound(self, do):
        """Do something and wait for another sound."""
        before = self.print()
        do()
        settled = "!document.documentElement.dataset.busy"
        self.wait(f"{settled} && {STAGE}.print !== '{before}'")
        assert self.browser.problems == []


@pytest.fixture
def page(chromium, address):
    """The page on the first run."""
    return Page(chromium, address)


def test_sliders_move_the_sound(page):
    page.moves_sound(lambda: page.slide("#directions input", 2.5))
    page.moves_sound(lambda: page.slide("#dims .slider:nth-child(3) input", -2))
    page.moves_sound(lambda: page.slide("#note .slider:nth-child(1) input", 40))
    page.moves_sound(lambda: page.slide("#note .slider:nth-child(2) input", 1))
    assert page.plays() > 0
    # By the keyboard, too.
    page.evaluate("document.querySelector('#directions input').focus()")
    page.moves_sound(lambda: page.browser.press("ArrowRight"))


def test_a_direction_slider_moves_along_its_direction_alone(page):
    read = "[...document.querySelectorAll('#directions input')].map(i => Number(i.value))"
    before = page.evaluate(read)
    page.moves_sound(lambda: page.slide("#directions .slider:nth-child(2) input", 1.5))
    after = page.evaluate(read)
    assert after[1] == 1.5
    assert after[:1] + after[2:] == pytest.approx(before[:1] + before[2:], abs=0.051)


def test_the_pads_to_move_in(page):
    page.moves_sound(lambda: page.pointer("#map", (0.3, 0.3), (0.5, 0.6), (0.8, 0.2)))
    page.moves_sound(lambda: page.pointer("#morph", (0.5, 0.5), (0.4, 0.7)))
    page.moves_sound(lambda: page.click("[data-corner='3']"))
    page.evaluate("document.getElementById('map').focus()")
    page.moves_sound(lambda: page.browser.press("ArrowLeft"))
    # A corner gives back what was put there.
    page.moves_sound(lambda: page.slide("#directions input", 3))
    stored = page.print()
    page.click("[data-store='0']")
    page.moves_sound(lambda: page.click("[data-corner='3']"))
    page.moves_sound(lambda: page.click("[data-corner='0']"))
    assert page.print() == stored


def test_the_keyboard_by_mouse_by_letters_and_by_midi(page):
    page.pointer("#piano .white:nth-child(5)", (0.5, 0.9))
    page.wait(f"{STAGE}.plays == 1")
    page.key("KeyK")
    page.wait(f"{STAGE}.plays == 2 && !!document.querySelector('#piano .down')")
    page.key("KeyK", "keyUp")
    page.wait("!document.querySelector('#piano .down')")
    page.evaluate(f"{MIDI}; 0")
    page.click(".midi")
    page.wait("document.querySelector('.midi').textContent === 'Small keys'")
    page.midi([0x90, 71, 90])
    page.wait(f"{STAGE}.plays == 3")
    page.wait("document.getElementById('facts').textContent.includes('B4 · velocity 90')")
    page.midi([0x80, 71, 0])
    page.wait("!document.querySelector('#piano .down')")
    # A tap that is over before its sound is there is heard, too.
    page.midi([0x90, 73, 90], [0x80, 73, 90])
    page.wait(f"{STAGE}.plays == 4 && !document.querySelector('#piano .down')")
    assert page.browser.problems == []


def test_sliders_act_on_a_note_that_the_page_plays_itself(chromium, address):
    page = Page(chromium, address, run=4, script=MIDI)
    # The first note is the server's, while the engine starts.
    page.key("KeyK")
    page.key("KeyK", "keyUp")
    page.wait("sent.some(m => m.type === 'latents')")
    page.evaluate("sent.length = 0")
    page.key("KeyK")
    page.wait("sent.some(m => m.type === 'noteOn')")
    plays = page.plays()
    page.moves_sound(lambda: page.slide("#directions input", 2.5))
    assert page.evaluate("sent.map(m => m.type).join()").startswith("noteOn,latents")
    assert page.plays() == plays  # the change is heard in the note alone
    page.key("KeyK", "keyUp")
    page.wait("sent.some(m => m.type === 'noteOff')")
    # Drawn curves are the server's.
    page.pointer(".curve canvas", (0.1, 0.5), (0.4, 0.2), (0.6, 0.2), (0.8, 0.5))
    page.evaluate("sent.length = 0")
    plays = page.plays()
    page.key("KeyK")
    page.wait(f"{STAGE}.plays > {plays}")
    assert page.evaluate("sent.some(m => m.type === 'noteOn')") is False
    assert chromium.problems == []


def test_the_engine_may_use_web_assembly(page):
    assert page.browser.compiles()


def test_midi_of_a_run_that_the_page_plays_itself(chromium, address):
    page = Page(chromium, address, run=4, script=MIDI)
    page.click(".midi")
    page.wait("!!keys.onmidimessage")
    page.midi([0xB0, 7, 64])
    page.key("KeyK")
    page.key("KeyK", "keyUp")
    page.wait("sent.some(m => m.type === 'latents')")
    # The engine has the controllers that were set before it was there.
    assert [m["value"] for m in page.sent("volume")] == [pytest.approx((64 / 127) ** 2)]

    def play(*messages):
        page.midi(*messages)
        return page.sent("noteOn", "noteOff", "bend", "sustain", "modulation", "allOff")

    assert play((0x90, 59, 127), (0xE0, 127, 127), (0xB0, 64, 127), (0xB0, 1, 127)) == [
        {"type": "noteOn", "note": 59, "velocity": 1}, {"type": "bend", "semitones": 2},
        {"type": "sustain", "on": True}, {"type": "modulation", "value": 1},
    ]  # fmt: skip
    page.key("KeyJ")  # the same note
    assert play((0x80, 59, 0)) == []
    page.click("#higher")  # which ends no note
    assert page.sent("noteOff") == []
    page.key("KeyJ", "keyUp")
    assert page.sent("noteOff") == [{"type": "noteOff", "note": 59}]
    page.click("#lower")
    assert play((0xB0, 120, 0)) == [{"type": "allOff", "now": True}]
    assert chromium.problems == []


def test_a_kit_that_the_page_plays_itself(chromium, address):
    page = Page(chromium, address, run=5, script=MIDI)
    plays = page.plays()
    page.pointer("#pads button:nth-child(1)", (0.5, 0.5))
    page.wait(f"{STAGE}.plays == {plays + 1} && sent.some(m => m.note === 135)")
    # Each pad has its sound: four of the kick, four of the snare.
    sounds = page.sent("latents", "seed", "tags")
    labels = [m["values"] for m in sounds if m["type"] == "tags"]
    assert labels == [{"mic": "close", "label": name} for name in ("kick", "snare")] * 4
    assert [m["value"] for m in sounds if m["type"] == "seed"] == [0, 0, 1, 1, 2, 2, 3, 3]
    latents = [m["values"] for m in sounds if m["type"] == "latents"]
    assert latents[0] == latents[1] != latents[2]
    page.pointer("#pads button:nth-child(3)", (0.5, 0.5))
    page.key("KeyD")
    page.key("KeyD", "keyUp")
    page.click("#play-pads .midi")
    page.wait("!!keys.onmidimessage")
    page.midi([0x99, 38, 64])
    struck = [(m["note"], m["velocity"]) for m in page.sent("noteOn")]
    # Lower on a pad is louder.
    assert struck == [
        (130, pytest.approx(0.65, abs=0.02)),
        (130, 1),
        (131, pytest.approx(64 / 127)),
    ]
    # A slider gives the engine the chosen pad's latent alone, and is heard in the drum that rings.
    plays = page.plays()
    page.moves_sound(lambda: page.slide("#directions input", 2.5))
    assert page.plays() == plays
    assert [m["note"] for m in page.sent("latents", "seed", "tags")] == [131]
    # Without a drum that rings, the server renders the change.
    page.midi([0xB9, 120, 0])
    page.moves_sound(lambda: page.slide("#directions input", -2.5))
    assert page.plays() == plays + 1
    page.sent()
    # Steps have their times, in whole sixteenths.
    page.click("#clear")
    for step in (1, 2, 5):
        page.click(f"#steps .row:nth-child(1) button:nth-of-type({step})")
    page.click("#run")
    page.wait("sent.filter(m => m.time !== undefined).length >= 3")
    page.click("#run")
    steps = page.sent("noteOn")[:3]
    sixteenth = 60 / 112 / 4
    gaps = [(m["time"] - steps[0]["time"]) / sixteenth for m in steps]
    assert gaps == pytest.approx([0, 1, 4])
    assert [m["velocity"] for m in steps] == [1, 0.92, 1]
    # Drawn curves are the server's.
    page.pointer(".curve:not([hidden]) canvas", (0.1, 0.5), (0.4, 0.2), (0.8, 0.5))
    page.wait("!document.documentElement.dataset.busy")
    page.sent()
    plays = page.plays()
    page.key("KeyF")
    page.wait(f"{STAGE}.plays > {plays}")
    assert page.sent("noteOn") == []
    assert chromium.problems == []


TIMERS = """
window.timers = new Set();
const { setInterval: begin, clearInterval: end } = window;
window.setInterval = (...settings) => {
  const timer = begin(...settings);
  timers.add(timer);
  return timer;
};
window.clearInterval = (timer) => { timers.delete(timer); end(timer); };
"""


def test_steps_begin_once_and_in_their_own_run(chromium, address):
    page = Page(chromium, address, run=5, script=TIMERS)
    clicked = "for (let i = 0; i < 2; i++) document.getElementById('run').click();"
    assert page.evaluate(f"{clicked} document.getElementById('run').textContent") == "Starting …"
    page.wait("document.getElementById('run').textContent === 'Stop'")
    page.click("#run")
    assert page.evaluate("timers.size") == 0
    page = Page(chromium, address, run=5, script=TIMERS)
    page.choose(4)
    page.choose(5)
    page.evaluate("document.getElementById('run').click()")
    page.choose(4)
    page.wait("sent.some(m => m.type === 'volume')")
    page.moves_sound(lambda: page.slide("#directions input", 2.5))
    assert page.evaluate("timers.size") == 0


FAILING = """
window.AudioWorkletNode = class extends AudioWorkletNode {
  get port() {
    const hear = (listener) => listener({ data: { type: "error", message: "model: format x" } });
    return { postMessage: (message) => sent.push(message), set onmessage(l) { hear(l); } };
  }
};
"""


@pytest.mark.parametrize(
    ("script", "n_models", "line"),
    [
        (FAILING, 1, "as the engine did not start: model: format x"),
        ("delete window.AudioWorkletNode;", 0, ""),
    ],
)
def test_without_an_engine_the_server_renders(chromium, address, script, n_models, line):
    page = Page(chromium, address, run=4, script=script)
    for n in (1, 2, 3):
        page.key("KeyK")
        page.key("KeyK", "keyUp")
        page.wait(f"{STAGE}.plays == {n}")
        page.wait(f"{STATUS}.includes('{line}')")
    assert page.sent("noteOn") == []
    assert sum("api/model" in each for each in chromium.requests) == n_models


def test_a_pedal_hushes_only_what_it_holds(chromium, address):
    page = Page(chromium, address, script=MIDI)
    page.click(".midi")
    page.wait("!!keys.onmidimessage")
    page.midi([0xB0, 64, 127])
    page.moves_sound(lambda: page.slide("#directions input", 2.5))
    page.wait(f"{STAGE}.plays > 0")


def test_keys_of_a_run_without_velocity_have_that_of_midi(chromium, address):
    page = Page(chromium, address, run=6, script=MIDI)
    page.click(".midi")
    page.key("KeyK")
    page.key("KeyK", "keyUp")
    page.wait("sent.some(m => m.type === 'latents')")
    page.midi([0x90, 60, 64], [0x80, 60, 0])
    page.wait("sent.some(m => m.note === 60)")
    page.key("KeyK")
    velocities = [m["velocity"] for m in page.sent("noteOn")]
    assert velocities == [pytest.approx(64 / 127), 1]


def test_a_curve_is_drawn_and_stays(page):
    middle = "Number(document.querySelector('.curve canvas').getAttribute('aria-valuenow'))"
    before = page.evaluate(middle)
    page.moves_sound(
        lambda: page.pointer(".curve canvas", (0.1, 0.5), (0.4, 0.2), (0.6, 0.2), (0.8, 0.5))
    )
    assert page.evaluate("document.querySelector('.curve-head span').textContent") == "drawn"
    page.moves_sound(lambda: page.click("#dice"))  # another sound, with the same drawing
    assert page.evaluate("document.querySelector('.curve-head span').textContent") == "drawn"
    page.evaluate("document.querySelectorAll('.curve canvas')[1].focus()")
    page.moves_sound(lambda: page.browser.press("ArrowUp"))
    page.moves_sound(lambda: page.click("#undraw"))
    page.wait("document.getElementById('undraw').disabled")
    assert page.evaluate(middle) == pytest.approx(before, abs=0.2)


def test_undo_redo_and_favourites(page):
    first = page.print()
    page.moves_sound(lambda: page.click("#dice"))
    second = page.print()
    page.moves_sound(lambda: page.click("#undo"))
    assert page.print() == first
    page.moves_sound(lambda: page.click("#redo"))
    assert page.print() == second
    page.click("#favour")
    page.moves_sound(lambda: page.click("#undo"))
    page.moves_sound(lambda: page.click("#favourites button"))
    assert page.print() == second
    page.click("#favourites .remove")
    page.wait("!!document.querySelector('#favourites .none')")


def test_a_link_brings_the_sound_back(page, chromium, address):
    page.moves_sound(lambda: page.slide("#directions input", -1.5))
    page.wait("location.hash.includes('z=')")
    there, fragment = page.print(), page.evaluate("location.hash")
    assert Page(chromium, address, fragment=fragment).print() == there
    seeded = Page(chromium, address, fragment="#run=flute&seed=77")
    assert seeded.evaluate("document.getElementById('name').textContent") == "Seed 77"
    broken = Page(chromium, address, fragment="#run=flute&z=AAAA&pitch=9999")
    assert broken.evaluate(f"{STAGE}.sounds") == "1"
    other_noise = Page(chromium, address, fragment=fragment.replace("noise=0", "noise=-1"))
    assert other_noise.print() == there
    assert chromium.problems == []
    unknown = Page(chromium, address, fragment="#run=flute&seed=-1")
    assert unknown.evaluate(STATUS) == "A seed is a whole number from 0 to 2147483647"


NAME = "document.getElementById('name').textContent"
CHOSEN = "[...document.querySelectorAll('#pads button')].findIndex(b => b.ariaPressed === 'true')"


def test_a_link_is_opened_in_the_open_studio(page, chromium):
    def paste(fragment):
        page.evaluate(f"location.hash = '{fragment}'; 0")

    page.moves_sound(lambda: paste("#run=flute&seed=7&pitch=70"))
    assert page.evaluate(NAME) == "Seed 7"
    page.moves_sound(lambda: page.click("#undo"))
    assert page.evaluate(NAME) == "Seed 0"
    # The sound of a class goes to its pad.
    paste("#run=kit&seed=9&label=snare")
    page.wait(f"{CHOSEN} === 1")
    facts = "document.getElementById('facts').textContent"
    page.wait(f"{NAME} === 'Seed 9' && {facts}.startsWith('snare')")
    for fragment, line in (
        ("#run=nosuch&seed=5", "This link is of the run nosuch, which is not here"),
        ("#run=kit&seed=5&label=gong", "This link's gong is none of kit's kinds"),
    ):
        paste(fragment)
        page.wait(f'{STATUS} === "{line}"')
        page.wait("location.hash === '#run=kit&seed=9&label=snare'")
        assert page.evaluate(NAME) == "Seed 9"
    assert chromium.problems == []


def test_a_favourite_goes_to_a_pad_of_its_class(chromium, address):
    page = Page(chromium, address, run=1)
    kinds = "[...document.querySelectorAll('#pads b')].map(b => b.textContent).join()"
    before = page.evaluate(kinds)
    page.moves_sound(lambda: page.click("#dice"))
    kept = page.evaluate(NAME)
    page.click("#favour")
    page.moves_sound(lambda: page.key("KeyS"))
    page.moves_sound(lambda: page.click("#favourites button"))
    assert page.evaluate(f"[{CHOSEN}, {NAME}]") == [0, kept]
    assert page.evaluate(kinds) == before
    page.click("#favourites .remove")


def test_after_a_field_and_a_button_keys_are_the_pages(page):
    page.evaluate("document.getElementById('seed').select()")
    page.browser.press("7")
    page.moves_sound(lambda: page.browser.press("Enter"))
    assert page.evaluate(NAME) == "Seed 7"
    plays = page.plays()
    page.key("KeyK")
    page.key("KeyK", "keyUp")
    page.wait(f"{STAGE}.plays == {plays + 1}")
    page.moves_sound(lambda: page.pointer("#dice", (0.5, 0.5)))
    page.wait("!document.documentElement.dataset.busy")
    name, plays = page.evaluate(NAME), page.plays()
    page.browser.press(" ")
    page.wait(f"{STAGE}.plays == {plays + 1}")
    assert page.evaluate(NAME) == name


@pytest.mark.parametrize("text", ["", "1.5"])
def test_an_invalid_seed_leaves_the_sound(page, text):
    page.evaluate("document.getElementById('seed').focus()")
    page.slide("#seed", f"'{text}'")
    page.wait(f"{STATUS} === 'A seed is a whole number from 0 to 2147483647'")
    assert page.evaluate(f"[{NAME}, document.getElementById('seed').value]") == ["Seed 0", "0"]


# What a test answers to addresses that begin with `stubbed`.
FETCH = """
window.stubbed = "nothing";
window.asked = [];
const real = window.fetch;
window.fetch = (path, ...rest) => {
  if (!path.startsWith(stubbed)) return real(path, ...rest);
  asked.push(path);
  return answer();
};
"""


def test_the_run_that_was_chosen_last_is_played(page):
    page.evaluate("for (const i of [2, 1]) document.getElementById('runs').children[i].click()")
    page.wait("document.querySelectorAll('#pads button').length === 8")
    chosen = "[...document.querySelectorAll('#runs button')].map(b => b.ariaChecked).join()"
    assert page.evaluate(chosen) == "false,true,false,false,false,false,false"
    # The first one has its own latents.
    page.choose(2)
    page.moves_sound(lambda: page.click("[data-corner='0']"))


def test_a_run_whose_latents_do_not_come_is_not_chosen(chromium, address):
    page = Page(chromium, address, script=FETCH)
    page.evaluate("answer = () => Promise.reject(Error('no answer')); stubbed = 'api/latent'")
    page.click("#runs button:nth-child(3)")
    page.wait(f"{STATUS} === 'no answer'")
    assert page.evaluate("document.querySelector('#runs button').ariaChecked") == "true"
    page.moves_sound(lambda: page.slide("#directions input", 2.5))
    page.evaluate("stubbed = 'nothing'")
    page.choose(2)


def test_the_directions_of_a_run_are_requested_once(chromium, address):
    page = Page(chromium, address, script=FETCH)
    page.evaluate("answer = () => new Promise(() => {}); stubbed = 'api/landscape'")
    for run in (2, 1, 2):
        page.choose(run)
    assert page.evaluate("asked.join()") == "api/landscape/2,api/landscape/1"
    page.evaluate("answer = () => Promise.reject(Error('no answer')); 0")
    page.choose(3)
    page.wait(f"{STATUS} === 'no answer'")
    page.choose(0)
    page.choose(3)
    assert page.evaluate("asked.slice(2).join()") == "api/landscape/3,api/landscape/3"


def test_midis_volume_is_that_of_rendered_sounds_too(chromium, address):
    page = Page(chromium, address, script=MIDI + PEAK)
    page.click(".midi")
    page.wait("!!keys.onmidimessage")
    page.midi([0xB0, 7, 0])
    page.click("#play")
    page.wait("parseFloat(document.getElementById('playhead').style.left) > 20")
    assert page.evaluate("peak()") == 0
    page.midi([0xB0, 7, 127])
    page.click("#play")
    page.wait("peak() > 1e-3")


def test_a_sound_that_fades_in_can_fade_out(chromium, address):
    page = Page(chromium, address, script=PEAK)
    page.evaluate(
        "import('./audio.js').then(({ play }) => { const samples = new Float32Array(160000)"
        ".map((_, i) => Math.sin(0.2 * i)); const sound = { samples, rate: 16000 };"
        " window.voice = play(sound, { fadeIn: 5 }); }); 0"
    )
    page.wait("window.voice?.position() > 0.5 && peak() > 0.02")
    page.evaluate("voice.stop(20); window.stopped = voice.position()")
    page.wait("voice.position() > stopped + 0.2")
    assert page.evaluate("peak()") > 0.02


def test_files_are_kept(page, tmp_path):
    page.browser.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    for button, name in (("wav", "flute.wav"), ("controls", "flute.npz"), ("sfz", "flute-sfz.zip")):
        made = f"(() => {{ document.getElementById('get-{button}').click(); return {STATUS}; }})()"
        assert page.evaluate(made) == "Making the file …"
        page.wait(f"document.getElementById('status').textContent.startsWith('{name}')")
    audio, rate = soundfile.read(page.waited(tmp_path / "flute.wav"))
    assert rate == 16000 and len(audio) == 32000
    with zipfile.ZipFile(page.waited(tmp_path / "flute-sfz.zip")) as archive:
        assert "instrument.sfz" in archive.namelist()
    with np.load(page.waited(tmp_path / "flute.npz")) as controls:
        assert str(controls["format"]) == "noisygan-controls"


def test_a_sound_is_matched(page, tmp_path, monkeypatch):
    def matched(run, data, report):
        assert data == b"a sound"
        return {"z": [1.0] * 6, "seed": 0, "label": 0, "edits": {"loudness_db": [-3.0]}} | {
            "pitch": 66.9, "velocity": 80.0, "seconds": 1.0, "remarks": ["it is short"],
            "start_db": 30.0, "distance_db": 12.5,
        }  # fmt: skip

    monkeypatch.setattr("noisygan.studio.files.match", matched)
    (tmp_path / "bell.wav").write_bytes(b"a sound")
    page.moves_sound(lambda: page.choose_file("#target", tmp_path / "bell.wav"))
    said = "document.getElementById('{}').textContent"
    page.wait(f"{said.format('status')} === "
              "'12.5 dB from bell.wav, 30 at the start; it is short'")  # fmt: skip
    assert page.evaluate(said.format("name")) == "Like bell.wav"
    assert page.evaluate(said.format("facts")).startswith("G4 · velocity 80 · 1.00 s")


def test_tags_have_a_menu_and_a_slider_and_are_in_the_link(chromium, address):
    page = Page(chromium, address, run=3)
    choose = "(() => {{ const s = document.querySelector('#note select');"
    choose += " s.value = 'far'; s.dispatchEvent(new Event('change')); }})()"
    page.moves_sound(lambda: page.evaluate(choose.format()))
    page.moves_sound(lambda: page.slide("#note input[aria-label=bend]", 2))
    facts = "document.getElementById('facts').textContent"
    assert page.evaluate(facts).startswith("far · bend 2 · C4")
    page.wait("location.hash.includes('tag.mic=far&tag.bend=2')")
    there, fragment = page.print(), page.evaluate("location.hash")
    again = Page(chromium, address, fragment=fragment)
    assert again.print() == there
    again.moves_sound(lambda: again.click("#dice"))
    assert again.evaluate(facts).startswith("far · bend 2")
    broken = Page(chromium, address, fragment="#run=bent&tag.mic=room&tag.bend=99")
    assert broken.evaluate(facts).startswith("close · bend 3")


def test_a_kit_has_pads_and_steps(chromium, address):
    page = Page(chromium, address, run=1)
    assert page.evaluate("document.getElementById('play-keys').hidden")
    assert page.evaluate("document.querySelectorAll('#pads button').length") == 8
    page.pointer("#pads button:nth-child(2)", (0.5, 0.5))
    page.wait("document.querySelector('#pads button:nth-child(2)').ariaPressed === 'true'")
    page.wait("document.getElementById('facts').textContent.startsWith('snare')")
    page.key("KeyD")
    page.wait("document.querySelector('#pads button:nth-child(3)').ariaPressed === 'true'")
    page.click("#clear")
    page.click("#steps .row:nth-child(1) button:nth-of-type(1)")
    plays = page.plays()
    page.click("#run")
    page.wait(f"{STAGE}.plays > {plays} && !!document.querySelector('#steps .now')")
    page.click("#run")
    assert page.evaluate("document.getElementById('run').textContent") == "Start"
    assert page.evaluate("!!document.querySelector('#steps .now')") is False
    assert chromium.problems == []


def test_what_a_raw_waveform_lacks_is_hidden(chromium, address):
    page = Page(chromium, address, run=2)
    shown = page.evaluate(
        "Object.fromEntries(['play-keys', 'draw', 'get-controls', 'note-title']"
        ".map(id => [id, !document.getElementById(id).hidden]))"
    )
    assert not any(shown.values())
    page.moves_sound(lambda: page.slide("#directions input", 2))
    page.click("#runs button:nth-child(1)")
    page.wait("!document.getElementById('draw').hidden")
    page.wait("!document.getElementById('play-keys').hidden")


@pytest.mark.parametrize("width", [360, 1280, 3840])
def test_it_fits_and_everything_has_a_name(chromium, address, width):
    page = Page(chromium, address, width)
    for run in (1, 2):
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        nameless = page.evaluate(
            "[...document.querySelectorAll('button, input, select, canvas')].filter(e =>"
            " !(e.ariaLabel || e.textContent.trim() || e.closest('label'))).map(e => e.outerHTML)"
        )
        assert nameless == []
        page.choose(run)
    assert chromium.problems == []
    own = (address, f"blob:{address}", "about:blank")
    assert [r for r in chromium.requests if not r.startswith(own)] == []
