// One sounding note: control frames as they are needed, and the samples between them.

import { Curves } from "./curves.js";
import { Harmonic } from "./harmonic.js";
import { Noise } from "./noise.js";
import { Modal, Transient } from "./struck.js";

const HEADS = { harmonic: Harmonic, noise: Noise, modal: Modal, transient: Transient };
// A frame below this level, linear, is silent.
const SILENT = 1e-6;

/** What the voices of one instrument share: networks, heads and the grid of control frames. */
export class Generator {
  /**
   * @param {object} model Of `readModel`.
   * @param {number} sampleRate Hz.
   * @param {number} period Seconds of a control frame; by default those of the model.
   */
  constructor(model, sampleRate, period = 1 / model.frame_rate) {
    this.model = model;
    this.curves = new Curves(model);
    this.heads = model.generator.voices.map((spec) => new HEADS[spec.kind](spec, model.tensors));
    const hop = sampleRate * period;
    // Noise needs frames ahead of those that sound.
    const ahead = this.heads.map((head) => head.samplesAhead?.(sampleRate, period) ?? 0);
    this.timing = {
      sampleRate,
      period,
      nKept: 3 + Math.ceil(Math.max(0, ...ahead) / hop), // control frames
      startOf: (j) => Math.ceil(j * hop - 1e-6),
      frameOf: (sample) => Math.floor(sample / hop + 1e-9),
    };
  }
}

/** Renders one note after another. */
export class Voice {
  constructor(generator) {
    const { curves, heads, timing, model } = generator;
    this.frameRate = model.frame_rate;
    this.curves = curves;
    this.timing = timing;
    this.players = heads.map((head) => head.player(timing));
    this.frame = { f0: 0, loudness: 0, features: new Float64Array(curves.nFeatures) };
  }

  /**
   * Begin a note.
   *
   * @param {object} note pitch, velocity (0 to 127), label (index), tags, z.
   * @param {number} seed Of the noise.
   * @param {number} lastFrame Control frame that is held at the end.
   */
  begin(note, seed, lastFrame = Infinity) {
    this.own = this.curves.begin(note);
    this.position = 0;
    this.nFrames = 0;
    this.lastFrame = lastFrame;
    this.noteOff = Infinity;
    /** Pitch bend in semitones at a time in seconds. */
    this.bendAt = () => 0;
    for (const player of this.players) player.begin(this.own, seed);
  }

  /** Go on with other latents or tags. */
  change(note) {
    const { inharmonicity } = this.own;
    this.own = { ...this.curves.begin(note), inharmonicity };
  }

  /** Add the next n samples to out, Float32Array or Float64Array, from `at` on. */
  add(out, at, n) {
    while (n > 0) {
      let until = Infinity;
      let frame = 0;
      for (const player of this.players) {
        const needs = player.needs(this.position);
        frame = Math.max(frame, needs.frame);
        until = Math.min(until, needs.until);
      }
      while (this.nFrames <= frame) this.evaluate(this.nFrames++);
      const m = Math.min(n, until - this.position);
      for (const player of this.players) player.add(out, at, this.position, m);
      this.position += m;
      at += m;
      n -= m;
    }
  }

  evaluate(k) {
    const t = Math.fround(Math.min(k, this.lastFrame) / this.frameRate);
    this.curves.at(this.own, t, this.noteOff, this.bendAt(t), this.frame);
    for (const player of this.players) player.frame(k, this.frame);
  }

  /** Seconds since the onset. */
  get seconds() {
    return this.position / this.timing.sampleRate;
  }

  /** Whether the last two frames are silent. */
  get isSilent() {
    const k = this.nFrames - 1;
    return k > 1 && this.players.every((p) => p.level(k) < SILENT && p.level(k - 1) < SILENT);
  }
}
