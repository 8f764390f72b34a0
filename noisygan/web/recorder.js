// Records what is played: its sound as a WAV file, its messages to the engine as a controls file.

import { heard, onSend, scriptAddress, send, wake } from "./audio.js";
import { find, make, say } from "./dom.js";
import { isSeed } from "./latents.js";
import { sendControllers, silence } from "./notes.js";
import { latentDim, model, sendAll } from "./sound.js";

const FORMAT = "noisygan-performance", VERSION = 1;
const MAX_SECONDS = 600, MAX_BYTES = 16e6;
let isLoaded = false, isStarting = false, recording = null, kept = null, timers = [];

/** A WAV file of samples, 24 bits. */
export function wav(pieces, sampleRate) {
  const n = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const view = new DataView(new ArrayBuffer(44 + 3 * n));
  const text = (at, letters) => [...letters].forEach((letter, i) => view.setUint8(at + i, letter.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, 36 + 3 * n, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, 1, true);
  view.setUint32(24, sampleRate, true);
  view.setUint32(28, 3 * sampleRate, true);
  view.setUint16(32, 3, true);
  view.setUint16(34, 24, true);
  text(36, "data");
  view.setUint32(40, 3 * n, true);
  let at = 44;
  for (const piece of pieces) {
    for (const sample of piece) {
      const value = Math.max(-8388608, Math.min(8388607, Math.round(sample * 8388608)));
      view.setUint16(at, value & 0xffff, true);
      view.setInt8(at + 2, value >> 16);
      at += 3;
    }
  }
  return new Blob([view], { type: "audio/wav" });
}

function download(blob, ending) {
  const link = make("a", { href: URL.createObjectURL(blob), download: `${model.name.replace(/[^\p{L}\p{N}._-]+/gu, "_") || "instrument"}${ending}` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

async function begin() {
  const output = heard();
  if (!output) return say("There is no sound to record");
  wake();
  if (!isLoaded) await output.context.audioWorklet.addModule(scriptAddress("recorder-worklet"));
  isLoaded = true;
  const node = new AudioWorkletNode(output.context, "recorder", { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" });
  recording = { node, pieces: [], events: [], began: output.context.currentTime, sampleRate: output.context.sampleRate };
  const taken = recording;
  node.port.onmessage = ({ data: { piece, isLast } }) => {
    taken.pieces.push(piece);
    if (isLast) finish(taken);
  };
  output.source.connect(node);
  find("record").setAttribute("aria-pressed", true);
  find("record").textContent = "Stop";
  sendAll();
  sendControllers();
  tick();
}

function tick() {
  if (!recording) return;
  const seconds = heard().context.currentTime - recording.began;
  find("clock").textContent = clock(seconds);
  if (seconds < MAX_SECONDS) return setTimeout(tick, 250);
  say(`A recording has at most ${MAX_SECONDS / 60} minutes`);
  end();
}

function end() {
  recording.seconds = heard().context.currentTime - recording.began;
  recording.node.port.postMessage("end");
  recording = null;
  find("record").setAttribute("aria-pressed", false);
  find("record").textContent = "Record";
}

function finish(taken) {
  heard().source.disconnect(taken.node);
  kept = taken;
  for (const id of ["get-wav", "get-events", "replay"]) find(id).disabled = false;
}

const asFile = ({ events, seconds }) => ({ format: FORMAT, version: VERSION, run: model.name, latent_dim: latentDim, seconds, events });

/** The controls file of a text; throws a line where it is none. */
function readFile(text) {
  let file;
  try {
    file = JSON.parse(text);
  } catch {
    throw new Error("it is no JSON");
  }
  if (file?.format !== FORMAT || file.version !== VERSION || !Array.isArray(file.events)) throw new Error("it was not recorded by this page");
  if (file.latent_dim !== latentDim) throw new Error("it is of an instrument with other latents");
  const isValid = ([seconds, message]) => isNumber(0, MAX_SECONDS)(seconds) && Object.hasOwn(MESSAGES, message?.type) && MESSAGES[message.type](message)
    && (message.note === undefined || isNote(message.note)) && message.time === undefined;
  const wrong = file.events.findIndex((event) => !(Array.isArray(event) && isValid(event)));
  if (wrong >= 0) throw new Error(`its event ${wrong + 1} is invalid`);
  return file;
}

const isNumber = (low, high) => (value) => typeof value === "number" && value >= low && value <= high;
const isNote = (value) => Number.isInteger(value) && isNumber(0, 127)(value);
const level = ({ value }) => isNumber(0, 1)(value);
const MESSAGES = {
  noteOn: ({ note, velocity }) => isNote(note) && isNumber(0, 1)(velocity),
  noteOff: ({ note }) => isNote(note),
  bend: ({ semitones }) => isNumber(-128, 128)(semitones),
  sustain: ({ on }) => typeof on === "boolean",
  sostenuto: ({ on }) => typeof on === "boolean",
  volume: level, expression: level, modulation: level, pressure: level,
  latents: ({ values }) => Array.isArray(values) && values.length === latentDim && values.every(isNumber(-20, 20)),
  seed: ({ value }) => isSeed(value),
  tags: ({ values }) => values !== null && typeof values === "object" && Object.entries(model.tags).every(([name, [low, high]]) =>
    (typeof low === "string" ? model.tags[name].includes(values[name]) : isNumber(low, high)(values[name]))),
  allOff: () => true,
};

function replay() {
  if (timers.length) return stopReplay();
  wake();
  timers = kept.events.map(([seconds, message]) => setTimeout(send, 1000 * seconds, message));
  timers.push(setTimeout(stopReplay, 1000 * kept.seconds));
  find("replay").textContent = "Stop playing";
}

function stopReplay() {
  timers.forEach(clearTimeout);
  timers = [];
  silence();
  sendAll();
  sendControllers();
  find("replay").textContent = "Play again";
}

async function openFile([file]) {
  if (!file) return;
  try {
    if (file.size > MAX_BYTES) throw new Error("it is too large");
    const { events, run } = readFile(await file.text());
    kept = { events, seconds: events.reduce((last, [seconds]) => Math.max(last, seconds), 0) + 1, pieces: [] };
    find("get-wav").disabled = true;
    find("get-events").disabled = find("replay").disabled = false;
    if (timers.length) stopReplay();
    replay();
    say(run === model.name ? `${file.name} plays` : `${file.name} plays; it was recorded with another run${typeof run === "string" ? `, ${run.slice(0, 60)}` : ""}`);
  } catch (error) {
    say(`${file.name} cannot be played: ${error.message}`);
  }
}

export function setUp() {
  onSend((message) => {
    if (recording) recording.events.push([Math.max(0, heard().context.currentTime - recording.began), message]);
  });
  find("record").onclick = () => {
    if (recording) return end();
    if (isStarting) return;
    isStarting = true;
    begin().catch((error) => say(`Recording did not start: ${error.message}`)).finally(() => { isStarting = false; });
  };
  find("get-wav").onclick = () => download(wav(kept.pieces, kept.sampleRate), ".wav");
  find("get-events").onclick = () => download(new Blob([JSON.stringify(asFile(kept))], { type: "application/json" }), ".json");
  find("replay").onclick = replay;
  find("open").onclick = () => find("file").click();
  find("file").onchange = () => {
    openFile(find("file").files);
    find("file").value = ""; // so that the same file can be chosen again
  };
}
