// The audio context, and messages to and from the engine in it.

import { find } from "./dom.js";

const LEVEL = 0.4; // of the engine: chords of six loud notes are linear
const REACH = 4; // largest sample that the clipper takes
const taps = new Set(), listeners = new Set();
let context = null, node = null, output = null, analyser = null;
let failed = false;
let waiting = []; // messages, until the engine is there

/** A line that stays, or none. */
export function problem(line) {
  find("problem").textContent = line;
  find("problem").hidden = !line;
}

/** Whether nothing sounds, and no press of the user's is about to change that. */
const isAsleep = () => context && context.state !== "running" && navigator.userActivation?.isActive === false;

/** Sends a message to the engine. */
export function send(message) {
  // Notes that nobody hears would all sound on waking.
  if (failed || (message.type === "noteOn" && isAsleep())) return;
  taps.forEach((tap) => tap(message));
  if (node) node.port.postMessage(message);
  else waiting.push(message);
}

/** Calls tap(message) for each message to the engine. */
export const onSend = (tap) => taps.add(tap);
/** Calls listener(message) for each message from the engine. */
export const onMessage = (listener) => listeners.add(listener);

/** Address of a script that is inside the page. Pages from disk may not load scripts from blobs. */
export const scriptAddress = (id) => `data:text/javascript;charset=utf-8,${encodeURIComponent(find(id).textContent)}`;

/** Linear up to 0.8, then rounded off towards 1: sixteen voices may exceed full scale. */
function clipping() {
  const n = 4001;
  return Float32Array.from({ length: n }, (_, i) => {
    const x = REACH * ((2 * i) / (n - 1) - 1), size = Math.abs(x);
    return Math.sign(x) * (size <= 0.8 ? size : 0.8 + 0.2 * Math.tanh((size - 0.8) / 0.2));
  });
}

/** Starts the engine with a model. Browsers let it sound after the first click, touch or key. */
export async function start(model) {
  const explain = (line) => { failed = true; waiting = []; problem(line); };
  if (!window.isSecureContext) return explain("Audio needs a page from https or from disk; this address is neither");
  if (!window.AudioContext || !window.AudioWorkletNode) {
    return explain("This browser has no AudioWorklet, so nothing can sound; Chrome, Edge, Firefox 76 and Safari 14.1 or later have");
  }
  try {
    context = new AudioContext({ latencyHint: "interactive" });
    await context.audioWorklet.addModule(scriptAddress("worklet"));
    const made = new AudioWorkletNode(context, "noisygan", { numberOfInputs: 0, outputChannelCount: [1], processorOptions: { model } });
    let isReady = false;
    made.port.onmessage = ({ data }) => {
      isReady ||= data.type === "ready";
      if (data.type === "error" && !isReady) explain(`The engine did not start: ${data.message}`);
      listeners.forEach((listener) => listener(data));
    };
    made.onprocessorerror = () => explain("The engine stopped with an error; load the page again");
    output = new GainNode(context, { gain: LEVEL / REACH });
    const clipper = new WaveShaperNode(context, { curve: clipping() });
    analyser = new AnalyserNode(context, { fftSize: 2048 });
    made.connect(output).connect(clipper).connect(analyser).connect(context.destination);
    node = made;
    waiting.forEach((message) => node.port.postMessage(message));
    waiting = [];
  } catch (error) {
    return explain(`Audio did not start: ${error.message}`);
  }
  context.onstatechange = showState;
  showState();
}

function showState() {
  const isSilent = context.state !== "running";
  document.documentElement.dataset.audio = context.state;
  if (!failed) problem(isSilent ? "Click, touch or press a key to start the sound: browsers keep pages silent until then" : "");
}

/** Lets the engine sound; has an effect within a click, a touch or a key press. */
export function wake() {
  if (context && context.state !== "running") context.resume().catch(() => {});
}

/** The node whose output is heard, and its context; null before the start. */
export const heard = () => (analyser ? { context, source: analyser } : null);

const samples = new Float32Array(1024);
/** The last samples that went out, or null while there are none. */
export function lastSamples() {
  if (!analyser) return null;
  analyser.getFloatTimeDomainData(samples);
  return samples;
}
