// The engine as an audio processor; messages as of `Instrument.handle`.

import { Instrument } from "./engine.js";
import { readModel } from "./model.js";

const BLOCKS_A_REPORT = 40;
// A note's beginning takes longest: those of a large chord come one block after the other.
const STARTS_A_BLOCK = 8;
const now = () => (globalThis.performance ?? Date).now(); // a worklet may lack the former

class InstrumentProcessor extends AudioWorkletProcessor {
  constructor({ processorOptions }) {
    super();
    const post = (message) => this.port.postMessage(message);
    try {
      const model = readModel(processorOptions.model);
      warmUp(model);
      this.instrument = new Instrument(model, sampleRate, post);
    } catch (error) {
      post({ type: "error", message: error.message });
      return;
    }
    this.nBlocks = 0;
    this.busy = 0;
    this.messages = [];
    this.later = []; // messages with a time, in order
    this.port.onmessage = ({ data }) => this.receive(data);
    post({ type: "ready" });
  }

  /** Keep a message; one with a time, in seconds of the audio clock, is taken at that sample. */
  receive(message) {
    if (message.type === "allOff") this.later = [];
    if (Number.isFinite(message.time)) {
      this.later.push(message);
      this.later.sort((a, b) => a.time - b.time);
    } else {
      this.messages.push(message);
    }
  }

  /** Take the messages that came, in order. */
  handle() {
    let starts = STARTS_A_BLOCK;
    while (this.messages.length && (starts || this.messages[0].type !== "noteOn")) {
      const message = this.messages.shift();
      if (message.type === "noteOn") starts--;
      this.take(message);
    }
  }

  take(message) {
    try {
      this.instrument.handle(message);
    } catch (error) {
      this.port.postMessage({ type: "error", message: error.message });
    }
  }

  /** Write a block, which is split where a message has its time. */
  write(out) {
    let from = 0;
    while (from < out.length) {
      const left = () => Math.round(this.later[0].time * sampleRate) - currentFrame;
      while (this.later.length && left() <= from) this.take(this.later.shift());
      const to = this.later.length ? Math.min(out.length, left()) : out.length;
      this.instrument.process(out.subarray(from, to));
      from = to;
    }
  }

  process(inputs, [[out]]) {
    if (!this.instrument) return false;
    const begin = now();
    this.handle();
    this.write(out);
    this.busy += now() - begin;
    if (++this.nBlocks === BLOCKS_A_REPORT) {
      const value = this.busy / ((1000 * BLOCKS_A_REPORT * out.length) / sampleRate);
      this.port.postMessage({ type: "load", value, voices: this.instrument.nVoices });
      this.nBlocks = this.busy = 0;
    }
    return true;
  }
}

/** Play chords unheard, so that the engine is compiled before the first note. */
function warmUp(model) {
  const instrument = new Instrument(model, sampleRate);
  const [first = 60] = instrument.isKit ? instrument.labels.keys() : model.pitches;
  const out = new Float32Array(128);
  for (let turn = 0; turn < 4; turn++) {
    for (let i = 0; i < 6; i++) {
      instrument.handle({ type: "noteOn", note: first + (instrument.isKit ? 0 : i), velocity: 0.8 });
    }
    for (let i = 0; i < 6; i++) instrument.process(out);
  }
}

registerProcessor("noisygan", InstrumentProcessor);
