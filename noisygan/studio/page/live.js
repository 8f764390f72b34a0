// Notes and drums of hybrids, played in the page by the engine of the web instrument: sliders act on
// what sounds. The server renders what has drawn curves, pictures, and runs without an engine.

import * as api from "./api.js";
import * as audio from "./audio.js";
import { hushWhile } from "./stage.js";
import { current, onChange, run, state, store } from "./store.js";
import { controlMessages, controllers, liftPedals, onControl } from "./web/controllers.js";
import { say } from "./web/dom.js";
import { countVoices } from "./web/holds.js";

const PAD_KEY = 128; // keys of pads, above those of MIDI
const engines = []; // of each run: {port, sent, ringing: key -> number of voices} or null
const starts = []; // of each run: a promise
const sounding = new Set();

/** Starts the engine of the run, once; resolves when it is there or the server has to render. */
export function prepare() {
  const { number } = store;
  if (!run().has_curves || !window.AudioWorkletNode) return null;
  starts[number] ??= start(number).catch((error) => say(`The server renders the notes, as the engine did not start: ${error.message}`));
  return starts[number];
}

async function start(number) {
  const model = await api.model(number);
  if (!model) return;
  const node = await audio.engine(model);
  await new Promise((resolve, reject) => {
    node.port.onmessage = ({ data }) => (data.type === "ready" ? resolve() : reject(new Error(data.message)));
    node.onprocessorerror = () => reject(new Error("it stopped with an error"));
  });
  const ringing = new Map();
  node.port.onmessage = ({ data }) => {
    if (data.type === "error") say(data.message);
    if (data.type === "note") countVoices(ringing, data);
  };
  node.onprocessorerror = () => {
    engines[number] = null;
    say("The engine stopped with an error; the server renders the notes");
  };
  engines[number] = { port: node.port, sent: new Map(), ringing };
  controlMessages().forEach((message) => node.port.postMessage(message));
  if (number === store.number) set();
}

const send = (message) => engines[store.number].port.postMessage(message);

/** Gives the engine the sounds of the pads, or the one of the keys, as far as they have changed. */
function set() {
  const engine = engines[store.number];
  if (!engine) return;
  const { is_kit: isKit, labels } = run();
  (isKit ? state().sounds : [current()]).forEach(({ z, noise, label, tags }, i) => {
    const note = isKit ? PAD_KEY + i : undefined;
    const values = labels.length ? { ...tags, label: labels[label] } : tags;
    for (const message of [{ type: "latents", values: z, note }, { type: "seed", value: noise, note }, { type: "tags", values, note }]) {
      const key = `${message.type} ${note}`, text = JSON.stringify(message);
      if (engine.sent.get(key) !== text) send(message);
      engine.sent.set(key, text);
    }
  });
}

/** Whether the engine plays a sound. */
const canPlay = (sound) => Boolean(engines[store.number]) && !Object.keys(sound.edits).length;

/** Whether the engine plays a sound; while there is none, it is started. */
export function plays(sound) {
  if (!engines[store.number]) prepare();
  return canPlay(sound);
}

/** Begins a note with a velocity from 0 to 1; a voice as of `audio.play`, or null where the server renders it. */
export function begin(note, velocity) {
  if (!plays(current())) return null;
  audio.now(); // wakes it
  send({ type: "noteOn", note, velocity });
  sounding.add(note);
  const { port } = engines[store.number];
  return {
    bend() {}, // the engine hears the wheel itself
    stop() {
      port.postMessage({ type: "noteOff", note });
      sounding.delete(note);
    },
  };
}

/** Strikes a pad, with a velocity from 0 to 1, at a time of the audio clock or at once. */
export function strike(pad, velocity, time) {
  audio.now();
  send({ type: "noteOn", note: PAD_KEY + pad, velocity, time });
}

/** Ends all that the engines play. */
export function silence(now) {
  liftPedals();
  engines.forEach((engine) => engine?.port.postMessage({ type: "allOff", now }));
}

export function setUp() {
  hushWhile(() => sounding.size > 0 || (canPlay(current()) && (run().is_kit
    ? engines[store.number].ringing.has(PAD_KEY + state().chosen)
    : controllers.sustain)));
  onControl((message) => engines.forEach((engine) => engine?.port.postMessage(message)));
  onChange((reason) => {
    if (reason === "run" && audio.hasStarted()) prepare();
    if (reason === "run" || reason === "sound") set();
  });
}
