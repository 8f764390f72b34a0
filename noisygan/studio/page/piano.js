// The keyboard: by mouse and touch, by the computer's keys, by MIDI.

import * as api from "./api.js";
import * as audio from "./audio.js";
import * as live from "./live.js";
import { find, say } from "./web/dom.js";
import { bounded, byFocus, drawKeys, firstAround, isFree, key, range } from "./web/piano.js";
import { body, listen, onChange, run, state, tell } from "./store.js";

const RELEASE = 0.12;
const TAP = 0.35;
const CODES = ["KeyA", "KeyW", "KeyS", "KeyE", "KeyD", "KeyF", "KeyT", "KeyG", "KeyY", "KeyH", "KeyU", "KeyJ", "KeyK", "KeyO", "KeyL", "KeyP", "Semicolon"];
const sounding = new Map(); // pitch -> {voice, held}
let first = 60;
let bend = 0;
let touched = null;

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

const mark = (pitch, down) => key(pitch)?.classList.toggle("down", down);

function build() {
  const { pitches } = run();
  drawKeys(first, pitches.length ? [pitches[0], pitches.at(-1)] : [0, 127], state().pitch);
  sounding.forEach((_, pitch) => mark(pitch, true));
}

function shift(octaves) {
  releaseAll();
  first = bounded(first + 12 * octaves);
  build();
}

function underPointer(event) {
  const pitch = document.elementFromPoint(event.clientX, event.clientY)?.dataset?.note;
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

export function setUp() {
  const piano = find("piano");
  byPointer(piano);
  byFocus(press, release);
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
    first = firstAround(Math.round(run().pitch));
    build();
  });
}
