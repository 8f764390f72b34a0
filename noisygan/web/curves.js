// F0, loudness and features of a note over time, as `noisygan.generators.hybrid`.

import { encode } from "./conditions.js";
import { Dense } from "./dense.js";
import { ACTIVATIONS, makeCurve } from "./network.js";
import { midiToHz, sigmoid, softCeiling, softplus } from "./units.js";

const TAU = 2 * Math.PI;
const DAMPER_DB_PER_SECOND = 240;
// Where the mean of an F0 curve is taken.
const N_TUNED = 26;
const TUNED_FROM = 0.2;
const TUNED_TO = 1.5;

/** Shift a frequency by semitones, rounded as in Python. */
export function shifted(hz, semitones) {
  const half = Math.tanh(semitones * (Math.LN2 / 24));
  return Math.fround(hz + hz * ((2 * half) / (1 - half)));
}

/** A table over MIDI pitch, linear between its entries. */
function atPitch(table, pitch) {
  const place = Math.min(Math.max(pitch, 0), 127);
  const low = Math.min(Math.floor(place), 126);
  return table[low] + (place - low) * (table[low + 1] - table[low]);
}

/** From the raw F0 curve to Hz. */
const PITCHES = {
  conditioned({ max_deviation: most }, raw, pitch) {
    const note = Math.min(Math.max(Math.round(pitch), 0), 127);
    const left = pitch - note + most * Math.tanh(raw / most);
    return shifted(Math.fround(440 * 2 ** ((note - 69) / 12)), left);
  },
  unconditioned({ min_midi: low, max_midi: high }, raw) {
    return midiToHz(low + (high - low) * sigmoid(raw));
  },
  fixed_center({ center_midi: center, max_midi: highest }, raw) {
    const above = highest - center;
    return midiToHz(center + above - softplus(above - raw));
  },
};

/** Networks of a model; `begin` computes what is constant in a note. */
export class Curves {
  constructor(model) {
    const { generator, tensors } = model;
    Object.assign(this, generator);
    this.tuning = tensors[generator.tuning_cents];
    this.steady = tensors[generator.steady_seconds];
    this.stretch = generator.inharmonicity === null ? null : tensors[generator.inharmonicity];
    this.dense = generator.latent.map((spec) => new Dense(spec, tensors));
    this.f0 = makeCurve(generator.f0, tensors);
    this.loudness = makeCurve(generator.loudness, tensors);
    this.timbre = makeCurve(generator.timbre, tensors);
    this.hz = PITCHES[generator.pitch.type];
    this.isTuned = generator.pitch.type === "conditioned";
    if (generator.jitter) {
      this.turns = tensors[generator.jitter.turns];
      this.strengths = tensors[generator.jitter.log_strengths];
    }
    this.one = new Float64Array(1);
    // Raw F0 and loudness and the timbre curves, which the heads of the voices read.
    this.nFeatures = 2 + this.timbre.size;
    this.timbreOut = this.timbre.output.outputs();
  }

  /** Constants of a note: {pitch, velocity (0 to 127), label, tags, z}. */
  begin(given) {
    const { condition_jitter: shifts, one } = this;
    // Rounded as in Python: a phase adds up over seconds.
    const note = { ...given, pitch: Math.fround(given.pitch) };
    let { pitch, velocity } = note;
    let z = note.z;
    if (shifts) {
      pitch += shifts.pitch * z[0];
      velocity = Math.min(Math.max(velocity + shifts.velocity * z[1], 1), 127);
      z = z.slice(2);
    }
    let latent = Float64Array.from([
      ...z,
      ...(this.encoder ? encode(this.encoder, { ...note, pitch, velocity }) : []),
    ]);
    for (const layer of this.dense) {
      const out = layer.outputs();
      layer.apply(latent, out);
      ACTIVATIONS.leaky_relu(out, 0, out.length);
      latent = out;
    }
    const own = {
      note,
      f0: this.f0.begin(latent),
      loudness: this.loudness.begin(latent),
      timbre: this.timbre.begin(latent),
      meanF0: 0,
      cents: 0,
      inharmonicity: this.stretch ? atPitch(this.stretch, note.pitch) : 0,
      velocityDb: 0,
      steady: Infinity,
      fallDb: 0,
      wander: this.jitter ? this.beginWander(note.z) : null,
    };
    if (this.isTuned) {
      for (let i = 0; i < N_TUNED; i++) {
        const t = TUNED_FROM + ((TUNED_TO - TUNED_FROM) * i) / (N_TUNED - 1);
        this.f0.at(t, t, 0, own.f0, one);
        own.meanF0 += one[0] / N_TUNED;
      }
      own.cents = atPitch(this.tuning, note.pitch);
    }
    if (this.isTuned || this.encoder?.names.includes("pitch")) {
      const steady = atPitch(this.steady, note.pitch);
      const [high, low] = [steady / 3, (2 * steady) / 3].map((progress) => {
        this.loudness.at(steady, progress, 0, own.loudness, one);
        return this.loudness_scale_db * one[0];
      });
      own.steady = steady;
      own.fallDb = Math.max(high - low, 0) / (steady / 3);
    }
    if (this.velocity_exponent && this.encoder?.names.includes("velocity")) {
      const slope = (20 * this.velocity_exponent) / Math.LN10;
      own.velocityDb = slope * Math.log(Math.max(note.velocity, 1) / 127);
    }
    return own;
  }

  /** Phases of the sines of pitch and of level. */
  beginWander(z) {
    const n = this.jitter.rates_hz.length;
    const phases = new Float64Array(2 * n);
    for (let i = 0; i < 2 * n; i++) {
      for (let d = 0; d < z.length; d++) phases[i] += TAU * z[d] * this.turns[d * 2 * n + i];
    }
    return phases;
  }

  wander(phases, which, t) {
    const { rates_hz: rates } = this.jitter;
    const n = rates.length;
    let sum = 0;
    for (let i = 0; i < n; i++) {
      const k = which * n + i;
      sum += Math.exp(this.strengths[k]) * Math.sin(TAU * t * rates[i] + phases[k]);
    }
    return sum * Math.sqrt(2 / n);
  }

  /**
   * Evaluate a note's curves.
   *
   * @param {object} own Of `begin`.
   * @param {number} t Seconds since the onset.
   * @param {number} noteOff Seconds of the note-off, Infinity while held.
   * @param {number} bend Semitones.
   * @param {object} frame Gets f0 (Hz), loudness (dB) and features (Float64Array).
   */
  at(own, t, noteOff, bend, frame) {
    const { one, jitter } = this;
    const { features } = frame;
    const since = Math.max(t - noteOff, 0);
    // Curves that never saw a note-off do not get one: a damper takes its place.
    const learnt = this.learns_release ? since : 0;
    // While held long, level and timbre stop where recordings are released, except vibrato.
    const beyond = Math.max(Math.min(t, noteOff) - own.steady, 0);
    const progress = t - beyond;
    this.f0.at(t, t, learnt, own.f0, one);
    features[0] = one[0] - own.meanF0;
    this.loudness.at(t, progress, learnt, own.loudness, one);
    features[1] = one[0];
    this.timbre.at(t, progress, learnt, own.timbre, this.timbreOut);
    for (let i = 0; i < this.timbre.size; i++) features[2 + i] = this.timbreOut[i];
    let f0 = this.hz(this.pitch, features[0], own.note.pitch);
    if (this.isTuned) f0 = shifted(f0, 0.01 * own.cents);
    if (bend) f0 = shifted(f0, bend);
    let db = this.initial_loudness_db + this.loudness_scale_db * features[1];
    db = softCeiling(db, this.max_loudness_db) - own.fallDb * beyond;
    if (jitter) {
      f0 = shifted(f0, 0.01 * jitter.pitch_cents * this.wander(own.wander, 0, t));
      db += jitter.level_db * this.wander(own.wander, 1, t);
    }
    if (!this.learns_release) db -= DAMPER_DB_PER_SECOND * since;
    db -= 5 * Math.max(this.gate_db - db, 0);
    frame.f0 = f0;
    frame.loudness = db + own.velocityDb;
  }
}
