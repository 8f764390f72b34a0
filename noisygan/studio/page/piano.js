// The keyboard: by mouse and touch, by the computer's keys, by MIDI.

import * as api from "./api.js";
import * as audio from "./audio.js";
import * as live from "./live.js";
import { find, isBlack, make, noteName, say } from "./web/dom.js";
import { body, listen, onChange, run, state, tell } from "./store.js";

const RELEASE = 0.12;
const TAP = 0.35;
const CODES = ["KeyA", "KeyW", "KeyS", "KeyE", "KeyD", "KeyF", "KeyT", "KeyG", "KeyY", "KeyH", "KeyU", "KeyJ", "KeyK", "KeyO", "KeyL", "KeyP", "Semicolon"];
const sounding = new Map(); // pitch -> {voice, held}
let first = 60;
let bend = 0;
let touched = null;

const range = () => (find("piano").clientWidth < 560 ? 12 : 24);
const playable = () => state() && !run().is_kit;

/** Begins a note. The last note begun is the pitch at which changes are heard. */
export async function press(pitch, velocity = null) {
  if (!playable() || sounding.has(pitch) || pitch < 0 || pitch > 127) return;
  const note = { voice: null, held: true };
  sounding.set(pitch, note);
  find("stage").dataset.pressed = performance.now();
  mark(pitch, true);
  const s = state();
  s.pitch = pitch;
  if (velocity !== null && run().conditions.includes("velocity")) s.velocity = velocity;
  try {
    note.voice = live.begin(pitch) ?? audio.play(await api.render(body()));
    note.voice.bend(bend);
    const stage = find("stage");
    stage.dataset.plays++;
    stage.dataset.waited = performance.now() - stage.dataset.pressed;
    // A tap that was over before the sound came is heard as a short note.
    if (!note.held) note.voice.stop(TAP);
  } catch (error) {
    say(error.message);
  }
  tell("note");
  listen(false);
}

/** Lets a note go. */
export function release(pitch) {
  const note = sounding.get(pitch);
  if (!note) return;
  note.held = false;
  note.voice?.stop(RELEASE);
  sounding.delete(pitch);
  mark(pitch, false);
}

export const releaseAll = () => [...sounding.keys()].forEach(release);

/** Bends all that sounds, in semitones. */
export function bendAll(semitones) {
  bend = semitones;
  sounding.forEach(({ voice }) => voice?.bend(bend));
}

const key = (pitch) => find("piano").querySelector(`[data-pitch="${pitch}"]`);
const mark = (pitch, down) => key(pitch)?.classList.toggle("down", down);

function build() {
  const piano = find("piano"), n = range(), pitches = run().pitches;
  const focused = piano.contains(document.activeElement) ? Number(document.activeElement.dataset.pitch) : null;
  const shown = Array.from({ length: n + 1 }, (_, i) => first + i).filter((pitch) => pitch <= 127);
  const whites = shown.filter((pitch) => !isBlack(pitch)).length;
  let white = 0;
  const keys = shown.map((pitch) => {
    const black = isBlack(pitch), name = noteName(pitch);
    const element = make("button", {
      type: "button", tabIndex: -1, className: black ? "black" : "white", "data-pitch": pitch, "aria-label": name,
      textContent: !black && pitch % 12 === 0 ? name : "",
    });
    if (black) {
      element.style.setProperty("--width", `${62 / whites}%`);
      element.style.setProperty("--left", `${(100 * white) / whites - 31 / whites}%`);
    } else white++;
    if (pitches.length && (pitch < pitches[0] || pitch > pitches.at(-1))) {
      element.classList.add("beyond");
      element.title = "outside the pitches that it was trained on";
    }
    element.classList.toggle("down", sounding.has(pitch));
    return element;
  });
  piano.replaceChildren(...keys);
  (key(focused ?? state().pitch) ?? keys[0]).tabIndex = 0;
  if (focused !== null) (key(focused) ?? keys[0]).focus();
  find("octave").textContent = `${noteName(first)} – ${noteName(shown.at(-1))}`;
}

function shift(octaves) {
  releaseAll();
  first = Math.min(Math.max(first + 12 * octaves, 12), 96);
  build();
}

function frame() {
  const pitch = Math.round(run().pitch);
  first = Math.min(Math.max(12 * Math.floor((pitch - range() / 2 + 6) / 12), 12), 96);
}

function underPointer(event) {
  const pitch = document.elementFromPoint(event.clientX, event.clientY)?.dataset?.pitch;
  return pitch === undefined ? null : Number(pitch);
}

function byPointer(piano) {
  piano.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    const pitch = underPointer(event);
    if (pitch === null) return;
    piano.setPointerCapture(event.pointerId);
    touched = pitch;
    press(pitch);
  });
  piano.addEventListener("pointermove", (event) => {
    if (touched === null) return;
    const pitch = underPointer(event);
    if (pitch === null || pitch === touched) return;
    release(touched);
    touched = pitch;
    press(pitch);
  });
  for (const type of ["pointerup", "pointercancel"]) {
    piano.addEventListener(type, () => { if (touched !== null) release(touched); touched = null; });
  }
}

/** With the focus on a key: arrows go to its neighbours, Enter and Space play it. */
function byFocus(piano) {
  piano.addEventListener("keydown", (event) => {
    const pitch = Number(event.target.dataset.pitch);
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      if (!event.repeat) press(pitch);
    }
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const next = step && key(pitch + step);
    if (next) {
      event.preventDefault();
      event.target.tabIndex = -1;
      next.tabIndex = 0;
      next.focus();
    }
  });
  piano.addEventListener("keyup", (event) => {
    if (event.key === "Enter" || event.key === " ") release(Number(event.target.dataset.pitch));
  });
  piano.addEventListener("focusout", (event) => release(Number(event.target.dataset.pitch)));
}

/** Whether typing belongs to the page and not to a field. */
export const isFree = (event) =>
  !event.ctrlKey && !event.metaKey && !event.altKey && !event.target.closest?.("input:not([type=range]), select, textarea");

export function setUp() {
  const piano = find("piano");
  byPointer(piano);
  byFocus(piano);
  find("lower").onclick = () => shift(-1);
  find("higher").onclick = () => shift(1);
  document.addEventListener("keydown", (event) => {
    if (!playable() || event.repeat || !isFree(event)) return;
    if (event.code === "KeyZ") shift(-1);
    if (event.code === "KeyX") shift(1);
    const at = CODES.indexOf(event.code);
    if (at >= 0) press(first + at);
  });
  document.addEventListener("keyup", (event) => {
    const at = CODES.indexOf(event.code);
    if (at >= 0) release(first + at);
  });
  window.addEventListener("blur", releaseAll);
  let shown = 0;
  new ResizeObserver(() => { if (playable() && shown !== range()) { shown = range(); build(); } }).observe(piano);
  onChange((reason) => {
    if (reason !== "run") return;
    releaseAll();
    find("play-keys").hidden = run().is_kit;
    if (!playable()) return;
    frame();
    build();
  });
}
