// The piano: by mouse and touch, by the computer's keys, by Tab and arrow keys.

import { find } from "./dom.js";
import { controllers, isHeld, pedal, playByPointer, press, release, sounding } from "./notes.js";
import { bounded, byFocus, drawKeys, firstAround, isFree, range } from "./piano.js";
import { isKit, onChange, pitches } from "./sound.js";

// Two octaves, from a C on: the lower and the upper rows of letters, black keys above the white.
const LOWER = ["KeyZ", "KeyS", "KeyX", "KeyD", "KeyC", "KeyV", "KeyG", "KeyB", "KeyH", "KeyN", "KeyJ", "KeyM"];
const UPPER = ["KeyQ", "Digit2", "KeyW", "Digit3", "KeyE", "KeyR", "Digit5", "KeyT", "Digit6", "KeyY", "Digit7", "KeyU", "KeyI", "Digit9", "KeyO", "Digit0", "KeyP"];
const CODES = [...LOWER, ...UPPER];
const typed = new Map(); // code -> note
let first = 60;

function build() {
  drawKeys(first, pitches);
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
  first = bounded(first + 12 * octaves);
  build();
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
  first = firstAround((pitches[0] + pitches[1]) / 2);
  playByPointer(piano, (event) => document.elementFromPoint(event.clientX, event.clientY)?.closest("#piano [data-note]"), true);
  byFocus(press, release);
  byTyping();
  find("lower").onclick = () => shift(-1);
  find("higher").onclick = () => shift(1);
  find("sustain").onclick = () => pedal("sustain", !controllers.sustain);
  let shown = 0;
  new ResizeObserver(() => { if (shown !== range()) { shown = range(); build(); } }).observe(piano);
  onChange((reason) => { if (reason === "notes" || reason === "controllers") mark(); });
}
