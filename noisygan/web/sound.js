// What is played: facts of the model, the sound of each pad (a pitched instrument has one), tags.

import { send } from "./audio.js";
import { find } from "./dom.js";
import { round } from "./latents.js";

const N_PADS = 8, FIRST_KEY = 36;

export const model = JSON.parse(find("model").textContent);
export const isKit = model.kind === "drums";
export const latentDim = model.latents.size;
/** Lowest and highest trained pitch; a run may not know them. */
export const pitches = model.pitches.length ? model.pitches : [0, 127];

/** Latents of seeds 0, 1, ... */
export const seeds = model.latents.seeds.map((z) => z.map(round));

const seeded = (seed) => ({ z: seeds[seed], seed, noise: seed, title: `Seed ${seed}` });

function firstSounds() {
  if (!isKit) return [{ ...seeded(0), keys: [] }];
  const classes = model.classes.length ? [...model.classes].sort((a, b) => a.keys[0] - b.keys[0]) : null;
  return (classes ?? Array.from({ length: N_PADS }, (_, i) => ({ name: `Pad ${i + 1}`, keys: [FIRST_KEY + i] })))
    .map(({ name, keys }, i) => ({ ...seeded(classes ? 0 : i % seeds.length), name, keys }));
}

const usualTag = (values) => (typeof values[0] === "string" ? values[0] : (values[0] + values[1]) / 2);

export const state = {
  sounds: firstSounds(),
  chosen: 0,
  tags: Object.fromEntries(Object.entries(model.tags).map(([name, values]) => [name, usualTag(values)])),
  velocity: 100, // of keys without one
  ends: [0, 1].map((i) => seeds[Math.min(i, seeds.length - 1)]), // A and B
};
/** The sound that is shaped: {z, seed or null, noise, title, keys, name of a pad}. */
export const current = () => state.sounds[state.chosen];

const listeners = new Set();
/** Calls listener(reason) after a change: "sound", "chosen", "notes" or "controllers". */
export const onChange = (listener) => listeners.add(listener);
export const tell = (reason) => listeners.forEach((listener) => listener(reason));

function sendLatent({ z, keys }) {
  if (!isKit) send({ type: "latents", values: z });
  else keys.forEach((note) => send({ type: "latents", values: z, note }));
}

/** Changes the current sound: its latent, or more. Notes that sound change with it. */
export function shape(changes, title) {
  Object.assign(current(), { seed: null, title }, changes);
  current().z = current().z.map(round); // as a link writes it
  sendLatent(current());
  tell("sound");
}

/** The sound of a seed. */
export function take(seed) {
  shape(seeded(seed), `Seed ${seed}`);
  send({ type: "seed", value: seed });
}

export function setTags(tags) {
  state.tags = tags;
  if (Object.keys(tags).length) send({ type: "tags", values: tags });
  tell("sound");
}

/** Sends everything that is set. */
export function sendAll() {
  state.sounds.forEach(sendLatent);
  send({ type: "seed", value: current().noise });
  setTags(state.tags);
}
