// Notes of pitched hybrids, played in the page by the engine of the web instrument: sliders act on
// notes that sound. The server renders what is drawn on, and everything else.

import * as api from "./api.js";
import * as audio from "./audio.js";
import { hushWhile } from "./stage.js";
import { current, onChange, run, state, store } from "./store.js";
import { say } from "./web/dom.js";

const engines = []; // of each run: its AudioWorkletNode, or null while or where there is none
const sounding = new Set();

async function start(number) {
  if (number in engines) return;
  engines[number] = null;
  try {
    const model = await api.model(number);
    if (!model) return;
    const node = await audio.engine(model);
    node.port.onmessage = ({ data }) => { if (data.type === "error") say(data.message); };
    node.onprocessorerror = () => {
      engines[number] = null;
      say("The engine stopped with an error; the server renders the notes");
    };
    engines[number] = node;
  } catch (error) {
    delete engines[number]; // the next note tries again
    throw error;
  }
  if (number === store.number) set();
}

const isPlayable = () => run().has_curves && !run().is_kit;
const send = (message) => engines[store.number]?.port.postMessage(message);

/** Gives the engine the sound that is being shaped. */
function set() {
  const { z, noise, label } = current(), { labels } = run();
  const tags = labels.length ? { ...current().tags, label: labels[label] } : current().tags;
  send({ type: "latents", values: z });
  send({ type: "seed", value: noise });
  if (Object.keys(tags).length) send({ type: "tags", values: tags });
}

/** Begins a note; a voice as of `audio.play`, or null where the server renders it. */
export function begin(note) {
  if (!engines[store.number]) {
    if (isPlayable()) start(store.number).catch((error) => say(error.message));
    return null;
  }
  if (Object.keys(current().edits).length) return null;
  audio.now(); // wakes it
  const isLearnt = run().conditions.includes("velocity");
  send({ type: "noteOn", note, velocity: isLearnt ? state().velocity / 127 : 1 });
  sounding.add(note);
  const { port } = engines[store.number];
  return {
    bend: (semitones) => port.postMessage({ type: "bend", semitones }),
    stop() {
      port.postMessage({ type: "noteOff", note });
      sounding.delete(note);
    },
  };
}

export function setUp() {
  hushWhile(() => sounding.size > 0);
  onChange((reason) => {
    if (reason === "run" && isPlayable() && audio.hasStarted()) start(store.number).catch((error) => say(error.message));
    if (reason === "run" || reason === "sound") set();
  });
}
