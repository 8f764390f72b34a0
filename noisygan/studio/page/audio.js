// Plays sounds: voices through one limiter, and what is heard now for the scope.

import { controllers, onControl } from "./web/controllers.js";

const FADE = 0.012;
let context = null;
let input = null;
let rendered = null; // the server's sounds, at MIDI's volume and expression
let analyser = null;

function ready() {
  if (!context) {
    context = new AudioContext({ latencyHint: "interactive" });
    input = new GainNode(context, { gain: 0.8 });
    const limiter = new DynamicsCompressorNode(context, { threshold: -6, knee: 4, ratio: 12, attack: 0.002, release: 0.12 });
    rendered = new GainNode(context, { gain: levels() });
    rendered.connect(input);
    analyser = new AnalyserNode(context, { fftSize: 1024 });
    input.connect(limiter).connect(analyser).connect(context.destination);
  }
  if (context.state !== "running") context.resume();
  return context;
}

// As the engine of web instruments has them.
const levels = () => (controllers.volume * controllers.expression) ** 2;
onControl(() => rendered?.gain.setTargetAtTime(levels(), context.currentTime, FADE / 3));

export const now = () => ready().currentTime;

/** Whether something was played already: browsers keep pages silent before a click or a key. */
export const hasStarted = () => Boolean(context);

/** The engine of the web instrument with a model: an AudioWorkletNode, heard like the other sounds. */
export async function engine(model) {
  await ready().audioWorklet.addModule("web/worklet.js");
  const node = new AudioWorkletNode(context, "noisygan", { numberOfInputs: 0, outputChannelCount: [1], processorOptions: { model } });
  node.connect(input);
  return node;
}

/** Plays a sound; returns a voice with stop(seconds), bend(semitones) and where it is. */
export function play(sound, { gain = 1, when = 0, offset = 0, fadeIn = 0 } = {}) {
  const at = Math.max(when, ready().currentTime);
  const buffer = (sound.buffer ??= toBuffer(sound));
  const source = new AudioBufferSourceNode(context, { buffer });
  const level = new GainNode(context, { gain: fadeIn ? 0 : gain });
  if (fadeIn) level.gain.setValueAtTime(0, at), level.gain.linearRampToValueAtTime(gain, at + fadeIn);
  source.connect(level).connect(rendered);
  source.start(at, offset);
  const voice = {
    sound,
    ended: false,
    position: () => Math.max(0, context.currentTime - at + offset),
    bend: (semitones) => { source.detune.value = 100 * semitones; },
    stop(seconds = FADE) {
      const end = Math.max(context.currentTime, at), reached = level.gain.value;
      level.gain.cancelScheduledValues(end); // of a fade-in, which would leave 0
      level.gain.setValueAtTime(reached, end);
      level.gain.setTargetAtTime(0, end, seconds / 3);
      source.stop(end + 2 * seconds);
    },
  };
  source.onended = () => { voice.ended = true; };
  return voice;
}

function toBuffer(sound) {
  const buffer = new AudioBuffer({ length: Math.max(1, sound.samples.length), sampleRate: sound.rate });
  buffer.copyToChannel(sound.samples, 0);
  return buffer;
}

const samples = new Float32Array(1024);
/** The last samples that went out, or null while nothing was ever played. */
export function output() {
  if (!analyser) return null;
  analyser.getFloatTimeDomainData(samples);
  return samples;
}
