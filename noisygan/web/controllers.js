// Bend, levels and pedals as they are now; listeners send them to engines.

import { clamp } from "./dom.js";

const LEVELS = ["volume", "expression", "modulation", "pressure"];
const MAX_CENTS = 12799;
/** Share of the wheel from -1 to 1, its range, pedals, and levels from 0 to 1. */
export const controllers = { wheel: 0, bendCents: 200, sustain: false, sostenuto: false, volume: 1, expression: 1, modulation: 0, pressure: 0 };

const listeners = new Set();
/** Calls listener(message) after each change, with the engine's message. */
export const onControl = (listener) => listeners.add(listener);
const tell = (message) => listeners.forEach((listener) => listener(message));

const bendMessage = () => ({ type: "bend", semitones: (controllers.wheel * controllers.bendCents) / 100 });
// Gains are squares, as of General MIDI's volume and expression.
const levelMessage = (name) => ({ type: name, value: controllers[name] ** (name === "volume" || name === "expression" ? 2 : 1) });

/** Sets the pitch wheel. */
export function bend(share) {
  controllers.wheel = share;
  tell(bendMessage());
}

export function setBendRange(cents) {
  controllers.bendCents = clamp(cents, 0, MAX_CENTS);
  tell(bendMessage());
}

/** Sets a level that has a name and a value from 0 to 1. */
export function control(name, value) {
  controllers[name] = value;
  tell(levelMessage(name));
}

const pressed = { sustain: new Set(), sostenuto: new Set() }; // sources that hold a pedal

/** Presses or lifts a pedal, "sustain" or "sostenuto", by a source; it is up when the last one lifts it. */
export function pedal(name, on, source) {
  if (on) pressed[name].add(source);
  else pressed[name].delete(source);
  const isDown = pressed[name].size > 0;
  if (controllers[name] === isDown) return;
  controllers[name] = isDown;
  tell({ type: name, on: isDown });
}

/** Pedals are up, as the engine has them after "allOff". */
export function liftPedals() {
  for (const [name, sources] of Object.entries(pressed)) {
    sources.clear();
    controllers[name] = false;
  }
}

/** Messages that set an engine's controllers as they are. */
export const controlMessages = () => [...LEVELS.map(levelMessage), bendMessage(), { type: "sustain", on: controllers.sustain }];
