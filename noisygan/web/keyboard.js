// The piano: by mouse and touch, by the computer's keys, by Tab and arrow keys.

import { find, isBlack, make, noteName } from "./dom.js";
import { controllers, isFree, isHeld, pedal, playByPointer, press, release, sounding } from "./notes.js";
import { isKit, onChange, pitches } from "./sound.js";

// Two octaves, from a C on: the lower and the upper rows of letters, black keys above the white.
const LOWER = ["KeyZ", "KeyS", "KeyX", "KeyD", "KeyC", "KeyV", "KeyG", "KeyB", "KeyH", "KeyN", "KeyJ", "KeyM"];
const UPPER = ["KeyQ", "Digit2", "KeyW", "Digit3", "KeyE", "KeyR", "Digit5", "KeyT", "Digit6", "KeyY", "Digit7", "KeyU", "KeyI", "Digit9", "KeyO", "Digit0", "KeyP"];
const CODES = [...LOWER, ...UPPER];
const typed = new Map(); // code -> note
let first = 60;

const range = () => (find("piano").clientWidth < 560 ? 12 : 24);
const key = (note) => find("piano").querySelector(`[data-note="${note}"]`);

function build() {
  const piano = find("piano"), [low, high] = pitches;
  const focused = piano.contains(document.activeElement) ? Number(document.activeElement.dataset.note) : null;
  const shown = Array.from({ length: range() + 1 }, (_, i) => first + i).filter((note) => note <= 127);
  const whites = shown.filter((note) => !isBlack(note)).length;
  let white = 0;
  const keys = shown.map((note) => {
    const black = isBlack(note), name = noteName(note);
    const element = make("button", {
      type: "button", tabIndex: -1, className: black ? "black" : "white", "data-note": note, "aria-label": name,
      textContent: !black && note % 12 === 0 ? name : "",
    });
    if (black) {
      element.style.setProperty("--width", `${62 / whites}%`);
      element.style.setProperty("--left", `${(100 * white) / whites - 31 / whites}%`);
    } else white++;
    if (note < low || note > high) {
      element.classList.add("beyond");
      element.title = "outside the pitches that it was trained on";
    }
    return element;
  });
  piano.replaceChildren(...keys);
  (key(focused) ?? keys[0]).tabIndex = 0;
  if (focused !== null) (key(focused) ?? keys[0]).focus();
  find("octave").textContent = `${noteName(first)} – ${noteName(shown.at(-1))}`;
  mark();
}

function mark() {
  for (const element of find("piano").children) {
    const note = Number(element.dataset.note);
    element.classList.toggle("down", isHeld(note));
    element.classList.toggle("ringing", sounding.has(note));
  }
  find("sustain").setAttribute("aria-pressed", controllers.sustain);
}

function shift(octaves) {
  first = Math.min(Math.max(first + 12 * octaves, 12), 96);
  build();
}

/** With the focus on a key: arrows go to its neighbours, Enter and Space play it. */
function byFocus(piano) {
  let pressed = null;
  const letGo = () => {
    if (pressed !== null) release(pressed);
    pressed = null;
  };
  piano.addEventListener("keydown", (event) => {
    const note = Number(event.target.dataset.note);
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      if (!event.repeat) press(pressed = note);
    }
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const next = step && key(note + step);
    if (next) {
      event.preventDefault();
      event.target.tabIndex = -1;
      next.tabIndex = 0;
      next.focus();
    }
  });
  piano.addEventListener("keyup", (event) => {
    if (event.key === "Enter" || event.key === " ") letGo();
  });
  piano.addEventListener("focusout", letGo);
}

function byTyping() {
  let isSpaceDown = false;
  const liftSpace = () => {
    if (isSpaceDown) pedal("sustain", false);
    isSpaceDown = false;
  };
  document.addEventListener("keydown", (event) => {
    if (event.repeat || !isFree(event)) return;
    if (event.code === "Comma") shift(-1);
    if (event.code === "Period") shift(1);
    if (event.key === " " && !event.target.closest("button, summary, input, select")) {
      event.preventDefault();
      isSpaceDown = true;
      pedal("sustain", true);
    }
    const at = CODES.indexOf(event.code);
    if (at < 0) return;
    typed.set(event.code, first + at);
    press(first + at);
  });
  document.addEventListener("keyup", (event) => {
    if (event.key === " ") liftSpace();
    if (!typed.has(event.code)) return;
    release(typed.get(event.code));
    typed.delete(event.code);
  });
  // Space is the pedal, and presses no button that was clicked before.
  document.addEventListener("click", (event) => { if (event.detail) event.target.closest("button")?.blur(); });
  // A key that is let go elsewhere is not heard of.
  window.addEventListener("blur", () => {
    typed.forEach(release);
    typed.clear();
    liftSpace();
  });
}

export function setUp() {
  if (isKit) return;
  const piano = find("piano");
  find("play-keys").hidden = false;
  const middle = (pitches[0] + pitches[1]) / 2;
  first = Math.min(Math.max(12 * Math.floor((middle - range() / 2 + 6) / 12), 12), 96);
  playByPointer(piano, (event) => document.elementFromPoint(event.clientX, event.clientY)?.closest("#piano [data-note]"), true);
  byFocus(piano);
  byTyping();
  find("lower").onclick = () => shift(-1);
  find("higher").onclick = () => shift(1);
  find("sustain").onclick = () => pedal("sustain", !controllers.sustain);
  let shown = 0;
  new ResizeObserver(() => { if (shown !== range()) { shown = range(); build(); } }).observe(piano);
  onChange((reason) => { if (reason === "notes" || reason === "controllers") mark(); });
}
