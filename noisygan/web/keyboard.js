// The piano: by mouse and touch, by the computer's keys, by Tab and arrow keys.

import { controllers, pedal } from "./controllers.js";
import { find } from "./dom.js";
import { isHeld } from "./holds.js";
import { press, release, sounding } from "./notes.js";
import { bounded, byFocus, byPointer, byTyping, drawKeys, firstAround, isFree, range } from "./piano.js";
import { isKit, onChange, pitches } from "./sound.js";

// Two octaves, from a C on: the lower and the upper rows of letters, black keys above the white.
const LOWER = ["KeyZ", "KeyS", "KeyX", "KeyD", "KeyC", "KeyV", "KeyG", "KeyB", "KeyH", "KeyN", "KeyJ", "KeyM"];
const UPPER = ["KeyQ", "Digit2", "KeyW", "Digit3", "KeyE", "KeyR", "Digit5", "KeyT", "Digit6", "KeyY", "Digit7", "KeyU", "KeyI", "Digit9", "KeyO", "Digit0", "KeyP"];
const CODES = [...LOWER, ...UPPER];
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

const noteOf = (code) => (CODES.includes(code) ? first + CODES.indexOf(code) : undefined);

/** The space bar is the pedal; commas and points go to other octaves. */
function bySpace() {
  let isDown = false;
  const lift = () => {
    if (isDown) pedal("sustain", false, "space");
    isDown = false;
  };
  document.addEventListener("keydown", (event) => {
    if (event.repeat || !isFree(event)) return;
    if (event.code === "Comma") shift(-1);
    if (event.code === "Period") shift(1);
    if (event.key !== " " || event.target.closest("button, summary")) return;
    event.preventDefault();
    isDown = true;
    pedal("sustain", true, "space");
  });
  document.addEventListener("keyup", (event) => { if (event.key === " ") lift(); });
  window.addEventListener("blur", lift);
}

export function setUp() {
  if (isKit) return;
  const piano = find("piano");
  find("play-keys").hidden = false;
  first = firstAround((pitches[0] + pitches[1]) / 2);
  byPointer(piano, true, press, release);
  byFocus(press, release);
  byTyping(noteOf, press, release);
  bySpace();
  find("lower").onclick = () => shift(-1);
  find("higher").onclick = () => shift(1);
  find("sustain").onclick = () => pedal("sustain", !controllers.sustain, "button");
  let shown = 0;
  new ResizeObserver(() => { if (shown !== range()) { shown = range(); build(); } }).observe(piano);
  onChange((reason) => { if (reason === "notes" || reason === "controllers") mark(); });
}
