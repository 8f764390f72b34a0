// Notes and controllers, wherever they come from: pointer, keys, MIDI.

import { onMessage, send, wake } from "./audio.js";
import { clamp } from "./dom.js";
import { isKit, state, tell } from "./sound.js";

const held = new Set();
/** Notes that sound, with the number of their voices. */
export const sounding = new Map();
export const isHeld = (note) => held.has(note);
/** Controllers as they are: semitones, and shares from 0 to 1. */
export const controllers = { bend: 0, bendRange: 2, sustain: false, sostenuto: false, volume: 1, expression: 1, modulation: 0, pressure: 0 };
const LEVELS = ["volume", "expression", "modulation", "pressure"];

/** Keys that an instrument plays; a kit with classes has some. */
const isKnown = (note) => note >= 0 && note <= 127 && (!isKit || state.sounds.some(({ keys }) => keys.includes(note)));

/** Begins a note; velocity from 0 to 1, without one that of the page. */
export function press(note, velocity = state.velocity / 127) {
  if (!isKnown(note)) return;
  wake();
  held.add(note);
  const pad = state.sounds.findIndex(({ keys }) => keys.includes(note));
  if (isKit && pad !== state.chosen) {
    state.chosen = pad;
    tell("chosen");
  }
  send({ type: "noteOn", note, velocity: clamp(velocity, 1 / 127, 1) });
  tell("notes");
}

/** Lets a note go. */
export function release(note) {
  if (!held.delete(note)) return;
  send({ type: "noteOff", note });
  tell("notes");
}

/** Lets all keys go; pedals hold their notes. */
export const releaseAll = () => [...held].forEach(release);

/** Ends all notes, pedals or not: with their releases, or at once. */
export function silence(now = false) {
  held.clear();
  controllers.sustain = controllers.sostenuto = false;
  send(now ? { type: "allOff", now } : { type: "allOff" });
  tell("notes");
  tell("controllers");
}

export function bend(share) {
  controllers.bend = share * controllers.bendRange;
  send({ type: "bend", semitones: controllers.bend });
  tell("controllers");
}

/** Sets a controller that has a name and a value from 0 to 1. */
export function control(name, value) {
  controllers[name] = value;
  sendLevel(name);
  tell("controllers");
}

function sendLevel(name) {
  const value = controllers[name];
  // Gains are squares, as of General MIDI's volume and expression.
  send({ type: name, value: name === "volume" || name === "expression" ? value ** 2 : value });
}

/** Sends the controllers as they are. */
export function sendControllers() {
  LEVELS.forEach(sendLevel);
  send({ type: "bend", semitones: controllers.bend });
  send({ type: "sustain", on: controllers.sustain });
}

/** Sets a pedal: "sustain" or "sostenuto". */
export function pedal(name, on) {
  if (controllers[name] === on) return;
  controllers[name] = on;
  send({ type: name, on });
  tell("controllers");
}

/** How strong a pointer presses: soft at the top of a key, hard at its foot. */
export function pointerVelocity(event, key) {
  const box = key.getBoundingClientRect();
  return clamp(0.3 + 0.7 * ((event.clientY - box.top) / box.height), 0.3, 1);
}

/** Notes of pointers on the keys in an element, each finger its own; glide: moving on plays the next key. */
export function playByPointer(element, keyUnder, glide) {
  const fingers = new Map();
  const begin = (event, key) => {
    const note = Number(key.dataset.note);
    fingers.set(event.pointerId, note);
    press(note, pointerVelocity(event, key));
  };
  const end = (event) => {
    const note = fingers.get(event.pointerId);
    fingers.delete(event.pointerId);
    if (note !== undefined && ![...fingers.values()].includes(note)) release(note);
  };
  element.addEventListener("pointerdown", (event) => {
    const key = keyUnder(event);
    if (event.button || !key) return;
    element.setPointerCapture(event.pointerId);
    begin(event, key);
  });
  element.addEventListener("pointermove", (event) => {
    const key = glide && fingers.has(event.pointerId) && keyUnder(event);
    if (!key || Number(key.dataset.note) === fingers.get(event.pointerId)) return;
    end(event);
    begin(event, key);
  });
  for (const type of ["pointerup", "pointercancel"]) element.addEventListener(type, end);
  // Without the focus on a clicked key, Space stays the pedal.
  element.addEventListener("mousedown", (event) => {
    event.preventDefault();
    document.activeElement?.blur();
  });
}

export function setUp() {
  onMessage((message) => {
    if (message.type !== "note") return;
    const n = (sounding.get(message.note) ?? 0) + (message.on ? 1 : -1);
    if (n > 0) sounding.set(message.note, n);
    else sounding.delete(message.note);
    tell("notes");
  });
  for (const type of ["pointerdown", "keydown"]) document.addEventListener(type, wake, true);
}
