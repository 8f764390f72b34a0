// What is on the page: the runs, the state of each, its history; and listeners to changes.

import * as api from "./api.js";
import { say } from "./web/dom.js";
import { isSeed, round } from "./web/latents.js";

export const CORNERS = 4;
export const N_PADS = 8;
const N_HISTORY = 60;
const listeners = new Set();

export const store = {
  runs: [], // what the server says of each
  number: -1, // which one is played, when its state is there
  states: [], // of each run
  landscapes: [], // of each run, when found
};

export const run = () => store.runs[store.number];
export const state = () => store.states[store.number];
export const landscape = () => store.landscapes[store.number];
/** The sound that is being shaped: {z, seed, name, label, tags, noise, edits}. */
export const current = () => state().sounds[state().chosen];

/** Calls listener(reason) after each change: "run", "sound", "note", "landscape", "pattern", "history". */
export const onChange = (listener) => listeners.add(listener);
export const tell = (reason) => listeners.forEach((listener) => listener(reason));

/** Request body for a sound of this run as it is set now. */
export function body(sound = current(), changes = {}) {
  const facts = run(), { pitch, velocity, seconds } = state();
  const asked = { run: store.number, z: sound.z, seed: sound.noise };
  if (facts.conditions.includes("pitch")) asked.pitch = pitch;
  if (facts.conditions.includes("velocity")) asked.velocity = velocity;
  if (facts.labels.length) asked.label = sound.label;
  if (Object.keys(facts.tags).length) asked.tags = sound.tags;
  if (facts.has_length) asked.seconds = seconds;
  if (facts.has_curves && Object.keys(sound.edits).length) asked.edits = sound.edits;
  return { ...asked, ...changes };
}

export async function seeded(seed, label = 0, number = store.number) {
  if (!isSeed(seed)) throw new Error("A seed is a whole number from 0 to 2147483647");
  const { z, tags } = await api.latent(number, seed, label);
  return { z, seed, name: `Seed ${seed}`, label, tags, noise: seed, edits: {} };
}

/** Makes the first state of a run. */
export async function begin(number) {
  if (store.states[number]) return;
  const facts = store.runs[number];
  const n = facts.is_kit ? Math.max(N_PADS, facts.labels.length) : 1;
  const nLabels = Math.max(facts.labels.length, 1);
  const order = facts.labels.map((_, i) => i).sort((a, b) => facts.keys[a]?.[0] - facts.keys[b]?.[0]);
  const sounds = await Promise.all(Array.from({ length: n }, (_, i) => seeded(Math.floor(i / nLabels), order[i % nLabels], number)));
  const corners = await Promise.all(Array.from({ length: CORNERS }, (_, i) => seeded(101 + i, 0, number)));
  const begun = {
    sounds,
    chosen: 0,
    pitch: Math.round(facts.pitch),
    velocity: 100,
    seconds: facts.seconds,
    corners: corners.map((sound) => sound.z),
    pattern: facts.is_kit ? firstPattern(facts, sounds) : [],
    tempo: 112,
    past: [],
    at: 0,
  };
  begun.past.push({ label: "Start", snapshot: kept(begun) });
  store.states[number] ??= begun; // another call may have been faster
}

function firstPattern(facts, sounds) {
  // By General MIDI: kick, snare, closed hi-hat, tom.
  const steps = { 36: [0, 6, 8], 38: [4, 12], 42: [0, 2, 4, 6, 8, 10, 12, 14], 45: [14, 15] };
  const seen = new Set();
  return sounds.map((sound, i) => {
    const keys = facts.keys[sound.label] ?? [];
    let on = facts.labels.length ? steps[keys.find((key) => key in steps)] || [] : [[0, 8], [4, 12], [2, 6, 10, 14]][i] || [];
    if (facts.labels.length && seen.has(sound.label)) on = [];
    seen.add(sound.label);
    return Array.from({ length: 16 }, (_, step) => on.includes(step));
  });
}

const kept = (s) => JSON.stringify([s.sounds, s.chosen, s.pitch, s.velocity, s.seconds, s.corners, s.pattern, s.tempo]);

/** Adds the state as it is now to the history. */
export function remember(label) {
  const s = state(), snapshot = kept(s);
  if (s.past[s.at]?.snapshot === snapshot) return;
  s.past.splice(s.at + 1);
  s.past.push({ label, snapshot });
  if (s.past.length > N_HISTORY) s.past.shift();
  s.at = s.past.length - 1;
  tell("history");
}

/** Goes to a moment of the history. */
export function goTo(at) {
  const s = state();
  if (!s.past[at]) return;
  [s.sounds, s.chosen, s.pitch, s.velocity, s.seconds, s.corners, s.pattern, s.tempo] = JSON.parse(s.past[at].snapshot);
  s.at = at;
  for (const reason of ["sound", "note", "pattern", "history"]) tell(reason);
  listen();
}

/** Chooses a pad of a label, unless the chosen one has it or none has. */
export function choosePad(label, s = state()) {
  const at = s.sounds.findIndex((sound) => sound.label === label);
  if (at >= 0 && s.sounds[s.chosen].label !== label) s.chosen = at;
}

/** Changes the current sound: its latent, or more. The change is heard. */
export function shape(changes, name) {
  if ("label" in changes) choosePad(changes.label);
  Object.assign(current(), { seed: null, name: name || current().name }, changes);
  current().z = current().z.map(round); // as a link writes it
  tell("sound");
  listen();
}

let waiting = null, busy = false;
const hearers = new Set();
/** Calls hearer(sound, aloud) whenever the current sound was rendered. */
export const onSound = (hearer) => hearers.add(hearer);

/** Makes the current sound as it is now; while one is being made, only the newest request waits. */
export async function listen(aloud = true) {
  waiting = { body: body(), number: store.number, aloud };
  if (busy) return;
  busy = true;
  document.documentElement.dataset.busy = "yes";
  while (waiting) {
    const request = waiting;
    waiting = null;
    try {
      const sound = await api.render(request.body);
      if (request.number === store.number) hearers.forEach((hearer) => hearer(sound, request.aloud));
    } catch (error) {
      say(error.message);
    }
  }
  busy = false;
  delete document.documentElement.dataset.busy;
}
