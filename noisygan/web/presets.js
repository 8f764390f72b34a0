// Presets: the sound, in the address behind "#".

import { find, say } from "./dom.js";
import { isSeed, pack, round, unpack } from "./latents.js";
import { isKit, latentDim, model, onChange, seeds, sendAll, state } from "./sound.js";
import { knownTags } from "./widgets.js";

const MAX_SIZE = 20;
// Fields of a pad end in its key.
const ending = ({ keys }) => (isKit ? `.${keys[0]}` : "");

function preset() {
  const fields = new URLSearchParams({ run: model.name });
  for (const sound of state.sounds) {
    const end = ending(sound);
    if (sound.seed !== null) fields.set(`seed${end}`, sound.seed);
    else {
      fields.set(`z${end}`, pack(sound.z));
      fields.set(`noise${end}`, sound.noise);
    }
  }
  for (const [name, value] of Object.entries(state.tags)) fields.set(`tag.${name}`, value);
  return `#${fields}`;
}

/** A sound of a preset's fields, null where they have none; throws where it is invalid. */
function soundOf(fields, end) {
  if (fields.has(`seed${end}`)) {
    const text = fields.get(`seed${end}`), seed = /^\d+$/.test(text) ? Number(text) : -1;
    if (!seeds[seed]) throw new Error(`seed ${text.slice(0, 20)}: expected 0 to ${seeds.length - 1}`);
    return { z: seeds[seed], seed, noise: seed, title: `Seed ${seed}` };
  }
  if (!fields.has(`z${end}`)) return null;
  let z = [];
  try {
    z = unpack(fields.get(`z${end}`)).map(round);
  } catch { /* an empty latent does not fit */ }
  if (z.length !== latentDim || !z.every((value) => Math.abs(value) <= MAX_SIZE)) throw new Error("its latent does not fit this instrument");
  const noise = Number(fields.get(`noise${end}`));
  return { z, seed: null, noise: isSeed(noise) ? noise : 0, title: "Shared sound" };
}

/** Takes the preset of an address; without a valid one everything stays as it is. */
function open(hash) {
  const fields = new URLSearchParams(hash.slice(1));
  if (![...fields].length || hash === preset()) return;
  try {
    const name = fields.get("run");
    if (name !== model.name) throw new Error(name === null ? "it names no run" : `it is of the run ${name.slice(0, 60)}`);
    const found = state.sounds.map((sound) => soundOf(fields, ending(sound)));
    const tags = Object.fromEntries(Object.keys(model.tags).filter((tag) => fields.has(`tag.${tag}`)).map((tag) => [tag, fields.get(`tag.${tag}`)]));
    state.sounds.forEach((sound, i) => Object.assign(sound, found[i]));
    state.tags = knownTags(model.tags, state.tags, tags);
    for (const [tag, value] of Object.entries(tags)) {
      if (String(state.tags[tag]) !== value) say(`This preset's ${tag} is not one of this instrument's`);
    }
  } catch (error) {
    say(`This preset cannot be used: ${error.message}`);
  }
}

let writing = 0;
async function share() {
  write();
  try {
    await navigator.clipboard.writeText(location.href);
    say("The link is copied: it opens this sound wherever this instrument is");
  } catch {
    say("The link is in the address line");
  }
}

function write() {
  clearTimeout(writing);
  try {
    history.replaceState(null, "", preset());
  } catch { /* pages in some frames may not */ }
}

export function setUp() {
  open(location.hash);
  find("share").onclick = share;
  window.addEventListener("hashchange", ({ newURL }) => {
    // The address itself may have been written since.
    open(new URL(newURL).hash);
    sendAll();
  });
  onChange((reason) => {
    if (reason !== "sound") return;
    // Browsers limit how often an address changes.
    clearTimeout(writing);
    writing = setTimeout(write, 300);
  });
}
