// Notes, wherever they come from: pointer, typed keys, MIDI.

import { onMessage, send, wake } from "./audio.js";
import { controlMessages, liftPedals, onControl } from "./controllers.js";
import { clamp } from "./dom.js";
import { countVoices, drop, heldNotes, hold, letGo } from "./holds.js";
import { isKit, state, tell } from "./sound.js";

/** Notes that sound, with the number of their voices. */
export const sounding = new Map();

/** Keys that an instrument plays; a kit with classes has some. */
const isKnown = (note) => note >= 0 && note <= 127 && (!isKit || state.sounds.some(({ keys }) => keys.includes(note)));

/** Begins a note that a source holds; velocity from 0 to 1, without one that of the page. */
export function press(note, source, velocity = state.velocity / 127) {
  if (!isKnown(note)) return;
  wake();
  hold(note, source);
  const pad = state.sounds.findIndex(({ keys }) => keys.includes(note));
  if (isKit && pad !== state.chosen) {
    state.chosen = pad;
    tell("chosen");
  }
  send({ type: "noteOn", note, velocity: clamp(velocity, 1 / 127, 1) });
  tell("notes");
}

function end(note) {
  send({ type: "noteOff", note });
  tell("notes");
}

/** Lets a note go; it ends when no other source holds it. */
export function release(note, source) {
  if (letGo(note, source)) end(note);
}

/** Lets all keys go; pedals hold their notes. */
export function releaseAll() {
  for (const note of heldNotes()) {
    drop(note);
    end(note);
  }
}

/** Ends all notes, pedals or not: with their releases, or at once. */
export function silence(now = false) {
  drop();
  liftPedals();
  send(now ? { type: "allOff", now } : { type: "allOff" });
  tell("notes");
  tell("controllers");
}

/** Sends the controllers as they are. */
export const sendControllers = () => controlMessages().forEach(send);

export function setUp() {
  onMessage((message) => {
    if (message.type !== "note") return;
    countVoices(sounding, message);
    tell("notes");
  });
  onControl((message) => {
    send(message);
    tell("controllers");
  });
  for (const type of ["pointerdown", "keydown"]) document.addEventListener(type, wake, true);
}
