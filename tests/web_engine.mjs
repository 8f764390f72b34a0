// Run the engine of web instruments: JSON {model, notes}, {model, rate, blocks, events} or {model, rate,
// n_blocks, messages} (to the audio processor) on standard input, float32 samples on standard output.

import { readFileSync, writeSync } from "node:fs";

import { Instrument } from "../noisygan/web/engine.js";
import { readModel } from "../noisygan/web/model.js";
import { renderNote } from "../noisygan/web/render.js";

const given = JSON.parse(readFileSync(0, "utf8"));
if (given.plain) delete globalThis.WebAssembly;
const model = readModel(given.model);

/** Samples of an instrument: messages [sample, message], processed in blocks of these lengths. */
function play({ rate, blocks, events }) {
  const posted = [];
  const instrument = new Instrument(model, rate, (message) => posted.push(message));
  const out = new Float32Array(blocks.reduce((a, b) => a + b, 0));
  let from = 0;
  const left = [...events];
  for (const n of blocks) {
    while (left.length && left[0][0] <= from) instrument.handle(left.shift()[1]);
    instrument.process(out.subarray(from, from + n));
    from += n;
  }
  process.stderr.write(JSON.stringify(posted));
  return [out];
}

/** Samples of the audio processor in blocks of 128; all messages come before the first one. */
async function processed({ rate, n_blocks: nBlocks, messages }) {
  let Processor;
  const posted = [];
  Object.assign(globalThis, {
    sampleRate: rate,
    currentFrame: 0,
    AudioWorkletProcessor: class {
      port = { postMessage: (message) => posted.push({ ...message, frame: currentFrame }) };
    },
    registerProcessor: (name, made) => (Processor = made),
  });
  await import("../noisygan/web/worklet.js");
  const processor = new Processor({ processorOptions: { model: given.model } });
  for (const data of messages) processor.port.onmessage({ data });
  const out = new Float32Array(128 * nBlocks);
  for (; currentFrame < out.length; currentFrame += 128) {
    processor.process([], [[out.subarray(currentFrame, currentFrame + 128)]]);
  }
  process.stderr.write(JSON.stringify(posted));
  return [out];
}

function sounds() {
  if (given.notes) return given.notes.map((note) => renderNote(model, note));
  return given.messages ? processed(given) : play(given);
}

for (const sound of await sounds()) {
  const bytes = Buffer.from(sound.buffer);
  for (let at = 0; at < bytes.length; ) at += writeSync(1, bytes, at);
}
