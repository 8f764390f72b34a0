"""The page of a web instrument in a real browser, from disk."""

import json
import pathlib
import re

import numpy as np
import pytest
import soundfile

from tests import web_pages
from tests.browser.chromium import MIDI, PEAK, PlayedPage

pytestmark = pytest.mark.browser

SUSPENDED = """
window.AudioContext = class extends AudioContext {
  constructor(...settings) { super(...settings); this.suspend(); }
};
"""
SAID = "document.getElementById('status').textContent"
PROBLEM = "(e => e.hidden ? '' : e.textContent)(document.getElementById('problem'))"
ACTIVE = "document.getElementById('active').textContent"


class Instrument(PlayedPage):
    """The page of a model in the browser's tab."""

    def __init__(self, browser, path, text):
        super().__init__(browser)
        self.path = path
        path.write_text(text, encoding="utf-8")

    def open(self, script="", fragment="", width=1280, sounds=True):
        """Open the page after a script has run in it."""
        self.visit(self.path.as_uri() + fragment, script, width)
        if sounds:
            self.wait("document.documentElement.dataset.audio === 'running'")
        return self


@pytest.fixture
def make(chromium, tmp_path, monkeypatch):
    """Makes the page of a model."""

    def make(facts=None):
        return Instrument(chromium, tmp_path / "page.html", web_pages.text(monkeypatch, facts))

    yield make
    chromium.visit("about:blank", 1280)


@pytest.fixture
def flute(make):
    """A pitched instrument, open."""
    return make().open(MIDI)


def latents(page):
    return [m["values"] for m in page.sent("latents")]


def test_it_opens_from_disk_and_sends_what_is_set(flute):
    sent = flute.sent("latents", "seed", "tags")
    facts = web_pages.model()
    expected = {"type": "latents", "values": facts["latents"]["seeds"][0]}
    assert sent == [expected, {"type": "seed", "value": 0}]
    assert flute.evaluate("document.title") == "flute, a noisygan instrument"
    assert flute.browser.problems == []
    assert flute.browser.requests == [flute.path.as_uri()]
    assert flute.browser.compiles()


def test_notes_by_pointer_are_louder_at_the_foot_of_a_key(flute):
    flute.pointer("[data-note='64']", (0.5, 0.95))
    flute.pointer("[data-note='64']", (0.5, 0.65))
    hard, _, soft, _ = flute.sent("noteOn", "noteOff")
    assert hard["note"] == soft["note"] == 64
    assert 0.9 < hard["velocity"] <= 1.0 and 0.6 < soft["velocity"] < 0.85
    # Moving on plays the next key.
    flute.pointer("[data-note='64']", (0.5, 0.95), (1.5, 0.95))
    played = [(m["type"], m["note"]) for m in flute.sent("noteOn", "noteOff")]
    assert played == [("noteOn", 64), ("noteOff", 64), ("noteOn", 65), ("noteOff", 65)]
    flute.wait(f"{ACTIVE} === ''")


def test_a_run_that_knows_no_pitches_has_all_keys(make):
    page = make(web_pages.model(pitches=[])).open()
    page.key("KeyZ")
    assert [m["note"] for m in page.sent("noteOn")] == [48]
    assert page.evaluate("document.querySelectorAll('.beyond').length") == 0
    assert page.browser.problems == []


def test_two_octaves_by_typing_and_the_space_bar_sustains(flute):
    low = flute.evaluate("Number(document.querySelector('#piano button').dataset.note)")
    for code, above in (("KeyZ", 0), ("KeyM", 11), ("KeyQ", 12), ("KeyI", 24), ("Digit2", 13)):
        flute.key(code)
        flute.key(code, "keyUp")
        assert [m["note"] for m in flute.sent("noteOn", "noteOff")] == [low + above] * 2
    flute.wait(f"{ACTIVE} === ''")
    flute.key("Period")
    flute.key("Space")
    flute.key("KeyZ")
    flute.wait(f"{ACTIVE} !== ''")
    flute.key("KeyZ", "keyUp")
    assert flute.evaluate("document.getElementById('sustain').ariaPressed") == "true"
    sent = flute.sent("noteOn", "noteOff", "sustain")
    kinds = [(m["type"], m.get("note", m.get("on"))) for m in sent]
    assert kinds == [("sustain", True), ("noteOn", low + 12), ("noteOff", low + 12)]
    flute.wait("document.querySelectorAll('.ringing:not(.down)').length === 1")
    flute.key("Space", "keyUp")
    assert flute.sent("sustain") == [{"type": "sustain", "on": False}]
    flute.wait(f"{ACTIVE} === ''")
    # Typing into a field plays nothing, until Enter.
    flute.evaluate("document.getElementById('seed').focus()")
    flute.key("KeyZ")
    assert flute.sent("noteOn") == []
    flute.browser.press("Enter")
    flute.key("KeyZ")
    assert len(flute.sent("noteOn")) == 1
    flute.key("KeyZ", "keyUp")
    # A slider leaves the space bar to the pedal.
    flute.evaluate("document.querySelector('#playing input').focus()")
    flute.key("Space")
    assert flute.sent("sustain") == [{"type": "sustain", "on": True}]


MIDI_MESSAGES = [
    ([[0x93, 71, 127]], {"type": "noteOn", "note": 71, "velocity": 1}),
    ([[0x90, 71, 64], [0x90, 71, 0]], {"type": "noteOff", "note": 71}),
    ([[0x90, 71, 64], [0x80, 71, 9]], {"type": "noteOff", "note": 71}),
    ([[0xE0, 127, 127]], {"type": "bend", "semitones": 2}),
    ([[0xE0, 0, 0]], {"type": "bend", "semitones": -2}),
    # Registered parameter 0: the range of bends, semitones and cents.
    (
        [[0xB0, 101, 0], [0xB0, 100, 0], [0xB0, 6, 12], [0xB0, 38, 50], [0xE0, 127, 127]],
        {"type": "bend", "semitones": 12.5},
    ),
    # Steps of a cent. Data entry sets whole semitones.
    (
        [[0xB0, 101, 0], [0xB0, 100, 0], [0xB0, 6, 3], *[[0xB0, 96, 127]] * 3, [0xB0, 97, 0],
         [0xE0, 127, 127]],
        {"type": "bend", "semitones": 3.02},
    ),
    (
        [[0xB0, 101, 0], [0xB0, 100, 0], [0xB0, 38, 50], [0xB0, 6, 4], [0xE0, 127, 127]],
        {"type": "bend", "semitones": 4},
    ),
    # A wheel that is held is bent at once.
    (
        [[0xE0, 127, 127], [0xB0, 101, 0], [0xB0, 100, 0], [0xB0, 6, 7]],
        {"type": "bend", "semitones": 7},
    ),
    # Another parameter does not change it.
    (
        [[0xB0, 101, 0], [0xB0, 100, 1], [0xB0, 6, 12], [0xE0, 127, 127]],
        {"type": "bend", "semitones": 2},
    ),
    ([[0xB0, 64, 64]], {"type": "sustain", "on": True}),
    ([[0xB0, 66, 127], [0xB0, 66, 63]], {"type": "sostenuto", "on": False}),
    ([[0xB0, 1, 127]], {"type": "modulation", "value": 1}),
    ([[0xB0, 7, 0]], {"type": "volume", "value": 0}),
    ([[0xB0, 11, 127]], {"type": "expression", "value": 1}),
    ([[0xD0, 127]], {"type": "pressure", "value": 1}),
    ([[0xB0, 120, 0]], {"type": "allOff", "now": True}),
    ([[0x90, 71, 64], [0xB0, 123, 0]], {"type": "noteOff", "note": 71}),
]  # fmt: skip


def test_midi_messages_reach_the_engine(flute):
    flute.click("#midi")
    flute.wait("document.getElementById('midi').textContent === 'Small keys'")
    for messages, expected in MIDI_MESSAGES:
        flute.sent()
        flute.midi(*messages)
        assert flute.sent(expected["type"])[-1] == expected, messages
        # Bends of two semitones again, and controllers as at first.
        flute.midi([0xB0, 101, 0], [0xB0, 100, 0], [0xB0, 6, 2], [0xB0, 38, 0], [0xB0, 121, 0])


def test_volume_of_midi_is_a_square_and_controllers_reset(flute):
    flute.click("#midi")
    flute.wait("!!keys.onmidimessage")
    flute.midi([0xB0, 7, 64])
    (volume,) = flute.sent("volume")
    assert volume["value"] == pytest.approx((64 / 127) ** 2)
    flute.midi([0xB0, 64, 127], [0xB0, 1, 80], [0xB0, 121, 0])
    sent = {m["type"]: m for m in flute.sent("sustain", "modulation", "bend")}
    assert sent["sustain"]["on"] is False and sent["modulation"]["value"] == 0
    shown = "document.querySelector('#playing input[aria-label=Volume]').value"
    assert flute.evaluate(shown) == "0.5"


def test_midi_lets_go_by_all_notes_off_and_when_it_is_unplugged(flute):
    flute.click("#midi")
    flute.wait("!!keys.onmidimessage")
    types = ("noteOn", "noteOff", "sustain", "allOff")
    # The pedal holds on. Local control (122) ends nothing.
    flute.midi([0x90, 71, 64], [0xB0, 64, 127], [0xB0, 122, 0])
    assert [m["type"] for m in flute.sent(*types)] == ["noteOn", "sustain"]
    flute.midi([0xB0, 123, 0])
    assert flute.sent(*types) == [{"type": "noteOff", "note": 71}]
    flute.midi([0x90, 64, 64])
    flute.sent()
    flute.evaluate("inputs.clear(); access.onstatechange(); 0")
    assert flute.sent(*types) == [
        {"type": "noteOff", "note": 64}, {"type": "sustain", "on": False},
    ]  # fmt: skip


def test_two_midi_keyboards_are_connected_once_and_have_a_pedal_each(make):
    counted = "window.asked = 0; const grant = navigator.requestMIDIAccess;"
    counted += "navigator.requestMIDIAccess = () => { asked++; return grant(); };"
    other = "window.others = { name: 'Large keys' }; inputs.set(2, others);"
    page = make().open(MIDI + counted + other)
    for _ in range(2):
        page.click("#midi")
        page.wait("document.getElementById('midi').textContent === 'Small keys, Large keys'")
    assert page.evaluate("asked") == 1
    page.midi([0xB0, 64, 127])
    page.evaluate("others.onmidimessage({ data: [0xB0, 64, 127] })")
    page.midi([0xB0, 64, 0])
    page.evaluate("inputs.delete(1); access.onstatechange(); 0")
    assert page.sent("sustain") == [{"type": "sustain", "on": True}]
    page.evaluate("inputs.clear(); access.onstatechange(); 0")
    assert page.sent("sustain") == [{"type": "sustain", "on": False}]


def test_a_key_is_let_go_by_what_pressed_it(flute):
    flute.click("#midi")
    flute.wait("!!keys.onmidimessage")
    flute.evaluate("document.querySelector('[data-note=\"72\"]').focus()")
    flute.midi([0x90, 72, 64])
    flute.evaluate("document.getElementById('dice').focus()")
    assert flute.sent("noteOff") == []
    flute.evaluate("document.querySelector('[data-note=\"71\"]').focus()")
    flute.browser.call("Input.dispatchKeyEvent", type="keyDown", code="Enter", key="Enter")
    flute.evaluate("document.getElementById('dice').focus()")
    assert flute.sent("noteOff") == [{"type": "noteOff", "note": 71}]


def test_a_note_ends_when_the_last_that_holds_it_lets_go(flute):
    low = flute.evaluate("Number(document.querySelector('#piano button').dataset.note)")
    flute.click("#midi")
    flute.wait("!!keys.onmidimessage")
    flute.key("KeyQ")
    flute.midi([0x90, low + 12, 64])
    flute.key("Period")
    flute.key("KeyZ")  # the same note, an octave further up
    flute.key("KeyQ", "keyUp")
    flute.key("KeyZ", "keyUp")
    flute.pointer(f"[data-note='{low + 12}']", (0.5, 0.9))
    played = [(m["type"], m["note"]) for m in flute.sent("noteOn", "noteOff")]
    assert played == [("noteOn", low + 12)] * 4
    flute.midi([0x80, low + 12, 0])
    assert flute.sent("noteOff") == [{"type": "noteOff", "note": low + 12}]


def test_the_space_bar_lifts_no_other_pedal(flute):
    flute.click("#midi")
    flute.wait("!!keys.onmidimessage")
    flute.midi([0xB0, 64, 127])
    flute.key("Space")
    flute.key("Space", "keyUp")
    assert [m["on"] for m in flute.sent("sustain")][-1] is True
    flute.midi([0xB0, 64, 0])
    assert [m["on"] for m in flute.sent("sustain")] == [False]


def test_the_space_bar_does_not_get_stuck(flute):
    flute.sent()
    ways = ("document.getElementById('dice').focus()", "dispatchEvent(new Event('blur')); 0")
    for away in ways:
        flute.evaluate("document.activeElement.blur()")
        flute.key("Space")
        flute.evaluate(away)
        flute.key("Space", "keyUp")
        assert [m["on"] for m in flute.sent("sustain")] == [True, False]


def test_space_is_the_pedal_after_a_click(flute):
    flute.pointer("[data-note='64']", (0.5, 0.9))
    flute.pointer("#dice", (0.5, 0.5))
    flute.sent()
    flute.key("Space")
    flute.key("Space", "keyUp")
    assert [m["type"] for m in flute.sent("noteOn", "latents", "sustain")] == ["sustain"] * 2


def test_an_engine_that_cannot_start_is_a_line_that_stays(make):
    page = make()
    failing = "{ type: 'error', message: 'model: format x' }"
    text = page.path.read_text("utf-8").replace(
        'postMessage({ type: "ready" })', f"postMessage({failing})"
    )
    page.path.write_text(text, "utf-8")
    page.open()
    page.wait(f"{PROBLEM} === 'The engine did not start: model: format x'")


@pytest.mark.parametrize(
    ("script", "line"),
    [
        ("navigator.requestMIDIAccess = async () => { throw new Error('no'); };", "not allowed"),
        ("navigator.requestMIDIAccess = undefined;", "has no Web MIDI"),
    ],
)
def test_without_midi_there_is_a_line_and_the_keys_play(make, script, line):
    page = make().open(script)
    page.click("#midi")
    page.wait(f"{SAID}.includes({json.dumps(line)})")
    page.pointer("[data-note='64']", (0.5, 0.9))
    assert len(page.sent("noteOn")) == 1
    assert page.browser.problems == []


def test_a_page_from_an_insecure_address_says_so(make):
    insecure = "Object.defineProperty(window, 'isSecureContext', { value: false });"
    page = make().open(f"{insecure} delete window.AudioWorkletNode;", sounds=False)
    page.wait(f"{PROBLEM}.startsWith('Audio needs a page from https or from disk')")


def test_without_audio_worklets_there_is_a_line_and_the_page_works(make):
    page = make().open("delete window.AudioWorkletNode;", sounds=False)
    page.wait(f"{PROBLEM}.includes('no AudioWorklet')")
    page.pointer("[data-note='64']", (0.5, 0.9))
    page.slide("#directions input", 2)
    page.wait("location.hash.includes('z=')")
    page.click("#record")
    page.wait(f"{SAID} === 'There is no sound to record'")
    assert page.browser.problems == []


def test_it_explains_why_it_is_silent_before_a_click(make):
    page = make().open(SUSPENDED, sounds=False)
    page.wait(f"{PROBLEM}.startsWith('Click, touch or press a key')")
    page.pointer("[data-note='64']", (0.5, 0.9))
    page.wait("document.documentElement.dataset.audio === 'running'")
    assert page.evaluate(PROBLEM) == ""


def test_notes_that_nobody_hears_do_not_wait(make):
    inactive = "Object.defineProperty(navigator, 'userActivation', { value: { isActive: false } });"
    page = make().open(MIDI + SUSPENDED + inactive, sounds=False)
    page.wait("document.documentElement.dataset.audio === 'suspended'")
    page.click("#midi")
    page.wait("!!keys.onmidimessage")
    page.midi([0x90, 64, 100], [0x80, 64, 0])
    page.wait("document.documentElement.dataset.audio === 'running'")
    page.midi([0x90, 65, 100])
    assert [m["note"] for m in page.sent("noteOn")] == [65]


def test_the_notes_that_sound_and_the_load_are_shown(flute):
    flute.click("#midi")
    flute.wait("!!keys.onmidimessage")
    flute.midi([0x90, 60, 100], [0x90, 64, 100])
    flute.wait("document.getElementById('load').textContent.endsWith('2 voices')")
    assert flute.evaluate(ACTIVE) == "C4 E4"
    flute.click("#silence")
    flute.wait(f"{ACTIVE} === ''")
    flute.wait("document.getElementById('load').textContent.endsWith('0 voices')")


def test_sliders_seeds_and_the_morph_change_the_latent(flute):
    seeds = web_pages.model()["latents"]["seeds"]
    flute.sent()
    flute.slide("#directions .slider:nth-child(2) input", 2.5)
    assert latents(flute) == [[seeds[0][0], 2.5, *seeds[0][2:]]]
    flute.click("[data-store='0']")
    flute.slide("#morph input", 1)
    assert latents(flute) == [seeds[1]]
    flute.slide("#morph input", 0)
    assert latents(flute) == [[seeds[0][0], 2.5, *seeds[0][2:]]]
    flute.slide("#morph input", 0.5)
    assert latents(flute)[0] not in seeds
    flute.slide("#seed", 3)
    assert flute.sent("latents", "seed") == [
        {"type": "latents", "values": seeds[3]}, {"type": "seed", "value": 3},
    ]  # fmt: skip
    flute.click("#dice")
    (drawn,) = latents(flute)
    assert drawn in seeds and drawn != seeds[3]
    for wrong in (8, "''"):
        flute.slide("#seed", wrong)
        flute.wait(f"{SAID} === 'This instrument holds the seeds 0 to 7'")
        assert latents(flute) == []
    drawn = seeds.index(drawn)
    assert flute.evaluate("Number(document.getElementById('seed').value)") == drawn


def test_a_preset_brings_the_sound_back(make):
    tags = {"mic": ["close", "far"], "bend": [-1.0, 3.0]}
    page = make(web_pages.model(tags=tags)).open()
    page.slide("#directions input", 1.5)
    page.slide("#playing input[aria-label=bend]", 2)
    page.evaluate(
        "(s => { s.value = 'far'; s.dispatchEvent(new Event('change')); })"
        "(document.querySelector('#playing select'))"
    )
    page.wait("location.hash.includes('tag.mic=far&tag.bend=2')")
    there, fragment = latents(page)[-1], page.evaluate("location.hash")
    again = page.open(fragment=fragment)
    first = again.sent("latents", "tags")
    assert first[0]["values"] == pytest.approx(there, abs=1e-5)
    assert first[1]["values"] == {"mic": "far", "bend": 2}
    # A link in the page's own address line, while the page writes its address.
    again.evaluate("location.hash = '#run=flute&seed=5'; history.replaceState(null, '', '#')")
    again.wait("document.getElementById('facts').textContent.startsWith('Seed 5')")
    assert latents(again) == [web_pages.model()["latents"]["seeds"][5]]


def test_an_invalid_preset_is_one_line_and_the_page_works(make):
    page = make(web_pages.model(tags={"mic": ["close", "far"]})).open(fragment="#run=cello&seed=1")
    assert "of the run cello" in page.evaluate(SAID)
    for fragment, line in (
        ("#seed=1", "it names no run"),
        ("#run=flute&seed=99", "expected 0 to 7"),
        ("#run=flute&seed=1e0", "expected 0 to 7"),
        ("#run=flute&z=AAAA", "does not fit"),
        ("#run=flute&z=%22%3E%3Cimg%3E", "does not fit"),
        ("#run=flute&z=AACAfwAAgH8AAIB_AACAfwAAgH8AAIB_", "does not fit"),  # infinity
        ("#run=flute&seed=1&tag.mic=%3Cb%3E", "This preset's mic"),
        ("#%E0%A4%A", "names no run"),
    ):
        page.evaluate(f"location.hash = {json.dumps(fragment)}")
        page.wait(f"{SAID}.includes({json.dumps(line)})")
    assert page.evaluate("document.querySelector('#status *')") is None
    page.pointer("[data-note='64']", (0.5, 0.9))
    assert len(page.sent("noteOn")) == 1
    assert page.browser.problems == []


def test_names_are_text(make):
    name = "</script><img src=x onerror=\"document.title='taken'\"> & <b>"
    tags = {"<i>mic</i>": ["<b>close</b>", "far"]}
    page = make(web_pages.model(name=name, tags=tags)).open()
    assert page.evaluate("document.getElementById('name').textContent") == name
    assert page.evaluate("document.querySelectorAll('img, main b, main i').length") == 0
    assert page.evaluate("document.title") == f"{name}, a noisygan instrument"
    drum = {"name": name, "keys": [36]}
    page = make(web_pages.kit(classes=[drum])).open()
    page.pointer("#pads button", (0.5, 0.5))
    assert page.evaluate("document.querySelector('#pads b').textContent") == name
    assert page.evaluate("document.querySelectorAll('img').length") == 0
    assert page.browser.problems == []


def test_a_recording_is_a_wav_file_and_events_that_play_again(flute, tmp_path):
    flute.browser.call("Page.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    flute.slide("#playing input[aria-label=Volume]", 0.5)
    flute.evaluate("for (let i = 0; i < 2; i++) document.getElementById('record').click()")
    flute.wait("document.getElementById('record').ariaPressed === 'true'")
    flute.key("KeyZ")
    flute.wait(f"{ACTIVE} !== ''")
    flute.slide("#directions input", 1)
    flute.key("KeyZ", "keyUp")
    flute.wait(f"{ACTIVE} === ''")
    flute.click("#record")
    flute.wait("!document.getElementById('get-wav').disabled")
    flute.click("#get-wav")
    audio, rate = soundfile.read(flute.waited(tmp_path / "flute.wav"))
    assert rate == flute.evaluate("new AudioContext().sampleRate")
    assert 0.05 < np.abs(audio).max() < 1.0
    note = 440 * 2 ** ((flute.sent("noteOn")[0]["note"] - 69) / 12)
    spectrum = np.abs(np.fft.rfft(audio))
    assert np.argmax(spectrum) * rate / len(audio) == pytest.approx(note, rel=0.01)
    flute.click("#get-events")
    recorded = json.loads(flute.waited(tmp_path / "flute.json").read_text())
    played = [message["type"] for _, message in recorded["events"]]
    levels = ["volume", "expression", "modulation", "pressure"]
    first = ["latents", "seed", *levels, "bend", "sustain"]
    assert played == [*first, "noteOn", "latents", "noteOff"]
    assert recorded["events"][2][1]["value"] == 0.25
    times = [seconds for seconds, _ in recorded["events"]]
    assert times == sorted(times) and recorded["seconds"] >= times[-1]
    # The file is opened later, in another page.
    again = flute.open()
    again.sent()
    again.choose_file("#file", tmp_path / "flute.json")
    again.wait("sent.some(message => message.type === 'allOff')")
    replayed = [m["type"] for m in again.sent("latents", "noteOn", "noteOff")]
    assert replayed[:4] == ["latents", "noteOn", "latents", "noteOff"]


def test_a_file_is_opened_while_another_plays(flute, tmp_path):
    good = {"format": "noisygan-performance", "version": 1, "latent_dim": 6, "run": "flute"}
    quiet = [[0, {"type": "volume", "value": 0.1}], [0, {"type": "bend", "semitones": 1}]]
    note = [0, {"type": "noteOn", "note": 60, "velocity": 1}]
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    waits = [500, {"type": "noteOff", "note": 60}]
    first.write_text(json.dumps(good | {"events": [*quiet, waits]}))
    second.write_text(json.dumps(good | {"run": "cello", "events": [note]}))
    flute.choose_file("#file", first)
    flute.wait("sent.some(message => message.semitones === 1)")
    flute.sent()
    for _ in range(2):  # the same file again, too
        flute.choose_file("#file", second)
        flute.wait("sent.some(message => message.type === 'noteOn')")
        assert "another run, cello" in flute.evaluate(SAID)
        # What the one before has set is as the page shows it.
        sent = {m["type"]: m for m in flute.sent("volume", "bend", "allOff")}
        assert sent["volume"]["value"] == 1 and sent["bend"]["semitones"] == 0


def test_a_long_recording_is_opened(flute, tmp_path):
    head = '{"format": "noisygan-performance", "version": 1, "latent_dim": 6, "run": "flute"'
    event = '[500, {"type": "bend", "semitones": 1}]'
    (tmp_path / "long.json").write_text(f'{head}, "events": [{", ".join([event] * 200_000)}]}}')
    flute.choose_file("#file", tmp_path / "long.json")
    flute.wait(f"{SAID}.startsWith('long.json')")
    assert flute.evaluate(SAID) == "long.json plays"
    flute.click("#replay")


def test_an_invalid_controls_file_is_one_line(flute, tmp_path):
    good = {"format": "noisygan-performance", "version": 1, "latent_dim": 6, "events": []}
    loud = [0, {"type": "noteOn", "note": 300, "velocity": 1}]
    for i, (change, line) in enumerate(
        (
            ({"format": "other"}, "not recorded by this page"),
            ({"latent_dim": 5}, "other latents"),
            ({"events": [loud]}, "event 1 is invalid"),
            ({"events": [[0, {"type": "noteOff", "note": 3}], [-1, None]]}, "event 2 is invalid"),
            ({"events": [3]}, "event 1 is invalid"),
            ({"events": [[0, {"type": "toString"}]]}, "event 1 is invalid"),
            ({"events": [[0, {"type": "latents", "values": "abcdef"}]]}, "event 1 is invalid"),
            ({"events": [[0, {"type": "tags", "values": None}]]}, "event 1 is invalid"),
            ({"events": [[0, {"type": "seed", "value": 1, "note": 1.5}]]}, "event 1 is invalid"),
            ({"events": [[0, {"type": "noteOff", "note": 3, "time": "x"}]]}, "event 1 is invalid"),
            (None, "no JSON"),
        )
    ):
        path = tmp_path / f"song{i}.json"
        path.write_text("{" if change is None else json.dumps(good | change))
        flute.choose_file("#file", path)
        flute.wait(f"{SAID}.startsWith('{path.name} cannot be played: ')")
        assert line in flute.evaluate(SAID)
    assert flute.browser.problems == []


def test_a_kit_has_pads_on_its_keys(make):
    page = make(web_pages.kit()).open(MIDI)
    assert page.evaluate("document.getElementById('play-keys').hidden")
    words = "[...document.querySelectorAll('#pads b')].map(e => e.textContent)"
    assert page.evaluate(words) == ["kick", "snare"]
    seeds = web_pages.model()["latents"]["seeds"]
    assert [(m["note"], m["values"]) for m in page.sent("latents")] == [
        (36, seeds[0]), (38, seeds[0]), (40, seeds[0]),
    ]  # fmt: skip
    page.pointer("#pads button:nth-child(2)", (0.5, 0.9))
    page.click("#pads button:nth-child(1)")
    page.key("KeyS")
    page.key("KeyS", "keyUp")
    assert [m["note"] for m in page.sent("noteOn")] == [38, 36, 38]
    page.click("#midi")
    page.wait("!!keys.onmidimessage")
    page.midi([0x99, 40, 100], [0x99, 51, 100])  # there is no ride
    assert [m["note"] for m in page.sent("noteOn")] == [40]
    # The chosen pad is shaped, alone.
    page.slide("#seed", 2)
    assert [(m["note"], m["values"]) for m in page.sent("latents")] == [
        (38, seeds[2]),
        (40, seeds[2]),
    ]
    page.wait("location.hash.includes('seed.36=0&seed.38=2')")
    again = page.open(fragment=page.evaluate("location.hash"))
    assert again.sent("latents")[1]["values"] == seeds[2]


# A note that begins at 0 and is let go while the context is suspended.
RENDER = """
(async () => {
  const model = JSON.parse(document.getElementById('model').textContent);
  const source = document.getElementById('worklet').textContent;
  const context = new OfflineAudioContext(1, N_SAMPLES, RATE);
  await context.audioWorklet.addModule(`data:text/javascript,${encodeURIComponent(source)}`);
  const options = { numberOfInputs: 0, outputChannelCount: [1], processorOptions: { model } };
  const node = new AudioWorkletNode(context, 'noisygan', options);
  node.connect(context.destination);
  await new Promise(resolve => { node.port.onmessage = resolve; });
  const later = () => new Promise(resolve => setTimeout(resolve, 50));
  const send = message => { node.port.postMessage(message); return later(); };
  await send({ type: 'latents', values: Z });
  await send({ type: 'noteOn', note: 67, velocity: 90 / 127 });
  const release = { type: 'noteOff', note: 67 };
  context.suspend(HELD).then(() => send(release)).then(() => context.resume());
  window.rendered = [...(await context.startRendering()).getChannelData(0)];
})();
"""


@pytest.mark.parametrize("rate", [16000, 48000])
def test_an_offline_context_renders_pythons_samples(chromium, tmp_path, rate):
    import tensorflow as tf

    from noisygan.export import web
    from noisygan.generators.voices import HarmonicVoice
    from tests import toys

    generator = toys.hybrid(voices=[HarmonicVoice(n_harmonics=20)], latent_dim=6)
    z, held = generator.prior(1, seed=4), 0.08  # at a block's and a frame's end
    # Live notes end after the release.
    n_samples = int((held + generator.release_seconds) * rate)
    conditioning = {"pitch": tf.constant([67.0]), "velocity": tf.constant([90.0])}
    controls = generator.get_controls(z, conditioning, 0.5, tf.constant([held]))
    wanted = generator.get_signal(controls, rate // 2, rate, tf.constant([0])).numpy()
    wanted = wanted[0, :n_samples]
    run = toys.run("run", generator.condition_names, (), (57, 76), generator)
    web.write_page(run, tmp_path / "run.html")
    chromium.visit((tmp_path / "run.html").as_uri(), 1280)
    names = {"N_SAMPLES": n_samples, "RATE": rate, "HELD": held, "Z": z[0].numpy().tolist()}
    script = RENDER
    for name, value in names.items():
        script = re.sub(rf"\b{name}\b", json.dumps(value), script)
    chromium.evaluate(f"{script}; 0")
    chromium.wait("!!window.rendered", 60)
    error = np.array(chromium.evaluate("rendered")) - wanted
    assert np.abs(wanted).max() > 1e-3
    assert 10 * np.log10(np.sum(wanted**2) / np.sum(error**2)) > 60.0
    assert chromium.problems == []


def test_the_published_flute_sounds(chromium, tmp_path):
    published = pathlib.Path(__file__).parents[2] / "docs/flute.html"
    page = Instrument(chromium, tmp_path / "flute.html", published.read_text("utf-8")).open(PEAK)
    page.wait("document.documentElement.dataset.ready === 'yes'")
    page.key("KeyZ")
    page.wait("peak() > 1e-3")
    page.key("KeyZ", "keyUp")
    page.wait(f"{ACTIVE} === '' && peak() < 1e-4")
    assert page.evaluate(PROBLEM) == ""
    assert chromium.problems == []


@pytest.mark.parametrize("width", [360, 1280, 3840])
@pytest.mark.parametrize("facts", [web_pages.model(), web_pages.kit()], ids=["pitched", "drums"])
def test_it_fits_and_everything_has_a_name(make, facts, width):
    page = make(facts | {"name": "a_very_long_name_of_a_run_" * 4}).open(width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    nameless = page.evaluate(
        "[...document.querySelectorAll('button, input, select, canvas, meter')].filter(e =>"
        " !(e.ariaLabel || e.textContent.trim() || e.closest('label'))).map(e => e.outerHTML)"
    )
    assert nameless == []
    assert page.browser.problems == []


def test_it_is_played_by_the_keyboard_alone(flute):
    focused = "document.activeElement"
    for _ in range(20):
        flute.browser.press("Tab")
        if flute.evaluate(f"!!{focused}.dataset.note"):
            break
    first = flute.evaluate(f"Number({focused}.dataset.note)")
    flute.browser.press("ArrowRight")
    flute.sent()
    flute.browser.press("Enter")
    assert [(m["type"], m["note"]) for m in flute.sent("noteOn", "noteOff")] == [
        ("noteOn", first + 1), ("noteOff", first + 1),
    ]  # fmt: skip
    # One key of the piano is in the tab order.
    flute.browser.press("Tab")
    assert not flute.evaluate(f"!!{focused}.dataset.note")
    flute.evaluate("document.querySelector('#directions input').focus()")
    flute.browser.press("ArrowRight")
    assert len(latents(flute)) == 1
