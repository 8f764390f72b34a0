// What stays: favourites, history, a link to share, files.

import * as api from "./api.js";
import { find, make, say } from "./web/dom.js";
import { isSeed, pack, round, unpack } from "./web/latents.js";
import { knownTags } from "./web/widgets.js";
import { begin, body, choosePad, current, goTo, onChange, remember, run, seeded, shape, state, store } from "./store.js";

const N_FAVOURITES = 200;
const shelf = () => `noisygan-studio/${run().name}/${run().latent_dim}`;

function favourites() {
  try {
    const kept = JSON.parse(localStorage.getItem(shelf())) || [];
    return kept.filter((each) => Array.isArray(each.z) && each.z.length === run().latent_dim);
  } catch {
    return [];
  }
}

function keepFavourites(list) {
  try {
    localStorage.setItem(shelf(), JSON.stringify(list.slice(-N_FAVOURITES)));
  } catch {
    say("The browser does not keep anything for this page");
  }
  showFavourites();
}

function favour() {
  const s = state();
  keepFavourites([...favourites(), { ...current(), pitch: s.pitch, velocity: s.velocity }]);
  say(`${current().name} is among your favourites`);
}

function showFavourites() {
  const list = favourites();
  const chips = list.map((each, i) => {
    const take = make("button", { type: "button", textContent: each.name });
    take.onclick = () => {
      const { z, seed, noise, edits, label, tags } = structuredClone(each);
      shape({ z, seed, noise, edits: edits || {}, label: run().labels.length ? label : 0, tags: knownTags(run().tags, current().tags, tags || {}) }, each.name);
      remember(each.name);
    };
    const remove = make("button", { type: "button", className: "remove", textContent: "×", "aria-label": `Remove ${each.name}` });
    remove.onclick = () => keepFavourites(list.filter((_, at) => at !== i));
    return make("li", {}, take, remove);
  });
  find("favourites").replaceChildren(...(chips.length ? chips : [make("li", { className: "none", textContent: "Keep a sound and it waits for you here, in this browser." })]));
}

function showHistory() {
  const { past, at } = state();
  const recent = past.map((each, i) => {
    const button = make("button", { type: "button", textContent: each.label });
    button.onclick = () => goTo(i);
    const item = make("li", { className: i === at ? "now" : "" }, button);
    if (i === at) item.setAttribute("aria-current", "true");
    return item;
  });
  find("history").replaceChildren(...recent.slice(-24).reverse());
  find("undo").disabled = at <= 0;
  find("redo").disabled = at >= past.length - 1;
}

// A link holds the run's name and the sound: its seed where it has one, else its latent.

function link() {
  const s = state(), sound = current();
  const fields = new URLSearchParams({ run: run().name });
  if (sound.seed !== null) fields.set("seed", sound.seed);
  else {
    fields.set("z", pack(sound.z));
    fields.set("noise", sound.noise);
  }
  if (run().conditions.includes("pitch")) fields.set("pitch", s.pitch);
  if (run().labels.length) fields.set("label", run().labels[sound.label]);
  for (const name of Object.keys(run().tags)) fields.set(`tag.${name}`, sound.tags[name]);
  return `#${fields}`;
}

/** z, seed, noise and name of a link's sound, as far as it has them. */
async function soundOf(fields, number) {
  if (fields.get("seed")) {
    const { z, seed, noise, name } = await seeded(Number(fields.get("seed")), 0, number);
    return { z, seed, noise, name };
  }
  if (!fields.get("z")) return {};
  const z = unpack(fields.get("z")).map(round), noise = Number(fields.get("noise"));
  if (z.length !== store.runs[number].latent_dim || !z.every((value) => Math.abs(value) <= 20)) throw new Error("This link's sound does not fit the run");
  return { z, seed: null, noise: isSeed(noise) ? noise : 0, name: "Shared sound" };
}

/** Takes the sound of a link into its run; the number of that run, undefined where it is not here. */
export async function open(hash) {
  const fields = new URLSearchParams(hash.slice(1)), name = fields.get("run");
  if (name === null) return undefined;
  const number = store.runs.findIndex((each) => each.name === name);
  if (number < 0) return say(`This link is of the run ${name.slice(0, 60)}, which is not here`);
  await begin(number);
  const facts = store.runs[number], s = store.states[number];
  try {
    const found = await soundOf(fields, number);
    if (facts.labels.length && fields.has("label")) {
      found.label = facts.labels.indexOf(fields.get("label"));
      if (found.label < 0) throw new Error(`This link's ${fields.get("label").slice(0, 60)} is none of ${name}'s kinds`);
      choosePad(found.label, s);
    }
    const sound = s.sounds[s.chosen], tags = Object.keys(facts.tags).map((tag) => [tag, fields.get(`tag.${tag}`) ?? undefined]);
    Object.assign(sound, found, { tags: knownTags(facts.tags, sound.tags, Object.fromEntries(tags)) });
    const pitch = Number(fields.get("pitch"));
    if (fields.get("pitch") && pitch >= 0 && pitch <= 127) s.pitch = pitch;
  } catch (error) {
    say(error.message);
  }
  return number;
}

async function share() {
  history.replaceState(null, "", link());
  try {
    await navigator.clipboard.writeText(location.href);
    say("The link is copied: it opens this sound where the same run is played");
  } catch {
    say("The link is in the address line");
  }
}

async function get(path, changes) {
  try {
    say("Making the file …");
    say(`${await api.download(path, changes)} is on its way`);
  } catch (error) {
    say(error.message);
  }
}

function files() {
  const rates = [...new Set([run().sample_rate, 44100, 48000, 96000])];
  find("rate").replaceChildren(...rates.map((rate) => make("option", { value: rate, textContent: `${rate / 1000} kHz` })));
  find("get-controls").hidden = !run().has_curves;
}

export function setUp() {
  find("favour").onclick = favour;
  find("share").onclick = share;
  find("undo").onclick = () => goTo(state().at - 1);
  find("redo").onclick = () => goTo(state().at + 1);
  const rate = () => Number(find("rate").value);
  find("get-wav").onclick = () => get("api/wav", body(current(), { sample_rate: rate(), bits: parseInt(find("bits").value) }));
  find("get-controls").onclick = () => get("api/controls", body(current(), { sample_rate: rate() }));
  find("get-sfz").onclick = () => get("api/instrument", run().is_kit
    ? { run: store.number, pads: state().sounds.map((sound) => body(sound, { sample_rate: rate() })) }
    : body(current(), { sample_rate: rate() }));
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z" || event.target.type === "number") return;
    event.preventDefault();
    goTo(state().at + (event.shiftKey ? 1 : -1));
  });
  onChange((reason) => {
    if (reason === "run") {
      showFavourites();
      files();
    }
    if (reason === "run" || reason === "history") {
      showHistory();
      history.replaceState(null, "", link());
    }
  });
}

