// The keyboard: by mouse and touch, by the computer's keys, by MIDI.

import * as api from "./api.js";
import * as audio from "./audio.js";
import * as live from "./live.js";
import { onControl } from "./web/controllers.js";
import { find, say } from "./web/dom.js";
import { drop, hold, letGo } from "./web/holds.js";
import { bounded, byFocus, byPointer, byTyping, drawKeys, firstAround, isFree, key, range } from "./web/piano.js";
import { body, listen, onChange, run, state, tell } from "./store.js";

const RELEASE = 0.12;
const TAP = 0.35;
const CODES = ["KeyA", "KeyW", "KeyS", "KeyE", "KeyD", "KeyF", "KeyT", "KeyG", "KeyY", "KeyH", "KeyU", "KeyJ", "KeyK", "KeyO", "KeyL", "KeyP", "Semicolon"];
const sounding = new Map(); // pitch -> {voice, held}
let first = 60;
let bend = 0;

const playable = () => state() && !run().is_kit;

/** Begins a note, which a source holds. The last note begun is the pitch at which changes are heard. */
export async function press(pitch, source, velocity = null) {
  if (!playable() || pitch < 0 || pitch > 127) return;
  hold(pitch, source);
  if (sounding.has(pitch)) return;
  const note = { voice: null, held: true };
  sounding.set(pitch, note);
  mark(pitch, true);
  const s = state(), isLearnt = run().conditions.includes("velocity");
  s.pitch = pitch;
  if (velocity !== null && isLearnt) s.velocity = Math.max(1, Math.round(127 * velocity));
  const own = isLearnt ? s.velocity / 127 : velocity ?? 1;
  try {
    note.voice = live.begin(pitch, own) ?? audio.play(await api.render(body()), { gain: isLearnt ? 1 : own ** 2 });
    note.voice.bend(bend);
    find("stage").dataset.plays++;
    // A tap that was over before the sound came is heard as a short note.
    if (!note.held) note.voice.stop(TAP);
  } catch (error) {
    say(error.message);
  }
  tell("note");
  listen(false);
}

/** Lets a note go; it ends when no other source holds it. */
export function release(pitch, source) {
  if (letGo(pitch, source)) end(pitch);
}

function end(pitch) {
  const note = sounding.get(pitch);
  note.held = false;
  note.voice?.stop(RELEASE);
  sounding.delete(pitch);
  mark(pitch, false);
}

export function releaseAll() {
  drop();
  [...sounding.keys()].forEach(end);
}

/** Ends all notes, pedals or not. */
export function silence(now) {
  releaseAll();
  live.silence(now);
}

const mark = (pitch, down) => key(pitch)?.classList.toggle("down", down);

function build() {
  const { pitches } = run();
  drawKeys(first, pitches.length ? [pitches[0], pitches.at(-1)] : [0, 127], state().pitch);
  sounding.forEach((_, pitch) => mark(pitch, true));
}

function shift(octaves) {
  first = bounded(first + 12 * octaves);
  build();
}

export function setUp() {
  const piano = find("piano");
  byPointer(piano, true, (pitch, source) => press(pitch, source), release);
  byFocus(press, release);
  byTyping((code) => (playable() && CODES.includes(code) ? first + CODES.indexOf(code) : undefined), press, release);
  find("lower").onclick = () => shift(-1);
  find("higher").onclick = () => shift(1);
  document.addEventListener("keydown", (event) => {
    if (!playable() || event.repeat || !isFree(event)) return;
    if (event.code === "KeyZ") shift(-1);
    if (event.code === "KeyX") shift(1);
  });
  onControl(({ type, semitones }) => {
    if (type !== "bend") return;
    bend = semitones;
    sounding.forEach(({ voice }) => voice?.bend(bend));
  });
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
