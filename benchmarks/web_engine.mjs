// Processor time of the web instrument's engine: JSON {model, rate, block, voices, seconds} on standard
// input, JSON of what it took on standard output.

import { readFileSync } from "node:fs";

import { Instrument } from "../noisygan/web/engine.js";
import { readModel } from "../noisygan/web/model.js";

const { model: json, rate, block, voices, seconds } = JSON.parse(readFileSync(0, "utf8"));
const model = readModel(json);
const instrument = new Instrument(model, rate);
const out = new Float32Array(block);

/** Milliseconds of processor time that a function takes. */
function spent(work) {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

const keys = [...instrument.labels.keys()];
const [low, high] = model.pitches.length ? model.pitches : [36, 36 + voices];
const keyOf = (i) => keys[i % keys.length] ?? Math.round(low + ((high - low) * i) / (voices - 1));

function start() {
  for (let i = 0; i < voices; i++) instrument.handle({ type: "noteOn", note: keyOf(i), velocity: 0.8 });
}

/** Play; drums, which end, are struck again twice a second. */
function play(n) {
  for (let i = 0; i < n; i++) {
    instrument.process(out);
    if (instrument.isKit && i % Math.round((0.5 * rate) / block) === 0) start();
  }
}

const silence = () => {
  instrument.handle({ type: "allOff", now: true });
  play(Math.ceil((0.05 * rate) / block));
};

// Compiled by the time that it is measured.
for (let turn = 0; turn < 20; turn++) {
  start();
  play(20);
  silence();
}
play(Math.ceil(rate / block));
const starting = spent(() => {
  start();
  instrument.process(out);
});
const n = Math.ceil((seconds * rate) / block);
const playing = spent(() => play(n));
const load = playing / ((1000 * n * block) / rate);
const { heapUsed } = process.memoryUsage();
console.log(JSON.stringify({ load, start_ms: starting / voices, voices: instrument.nVoices, heap_mb: heapUsed / 1e6 }));
