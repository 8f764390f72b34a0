// Run the engine of web instruments: JSON {model, notes} or {model, rate, blocks, events} on standard
// input, float32 samples on standard output.

import { readFileSync, writeSync } from "node:fs";

import { Instrument } from "../noisygan/web/engine.js";
import { readModel } from "../noisygan/web/model.js";
import { renderNote } from "../noisygan/web/voice.js";

const given = JSON.parse(readFileSync(0, "utf8"));
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

for (const sound of given.notes?.map((note) => renderNote(model, note)) ?? play(given)) {
  const bytes = Buffer.from(sound.buffer);
  for (let at = 0; at < bytes.length; ) at += writeSync(1, bytes, at);
}
