// Percussive voices: damped modes and a burst of noise, which read the first frame only.

import { Dense } from "./dense.js";
import { Bands, WhiteNoise } from "./noise.js";
import { dbToAmplitude, decay, softCeiling } from "./units.js";

const LN1000 = Math.log(1000);
const INAUDIBLE = 1e-8;

/** Head of a modal voice. */
export class Modal {
  constructor(spec, tensors) {
    this.spec = spec;
    this.layers = ["shifts", "levels", "decays"].map((name) => new Dense(spec[name], tensors));
  }

  player(timing) {
    return new ModalPlayer(this, timing);
  }
}

const FIRST_FRAME = { frame: 0, until: Infinity };

/** Base of players that read the first frame only. */
class StruckPlayer {
  constructor(head, timing) {
    this.head = head;
    this.timing = timing;
  }

  begin(own, seed) {
    this.seed = seed;
  }

  frame(k, frame) {
    // A latent that changes later does not strike again.
    if (k === 0) this.strike(frame);
  }

  needs() {
    return FIRST_FRAME;
  }
}

/** The modes of one note: each a recurrence of two terms. */
class ModalPlayer extends StruckPlayer {
  constructor(head, timing) {
    super(head, timing);
    this.n = head.spec.middle_hz.length;
    this.outs = head.layers.map((layer) => layer.outputs());
    [this.now, this.before, this.turn, this.damping, this.ends] = [0, 1, 2, 3, 4].map(
      () => new Float64Array(this.n),
    );
  }

  strike(frame) {
    const { head, outs, timing, now, before, turn, damping, ends } = this;
    const { spec } = head;
    const rate = timing.sampleRate;
    head.layers.forEach((layer, i) => layer.apply(frame.features, outs[i]));
    const [shifts, levels, decays] = outs;
    this.nModes = 0;
    const top = Math.min(spec.bandwidth_hz, rate / 2);
    for (let m = 0; m < this.n; m++) {
      const hz = spec.middle_hz[m] * Math.exp(Math.LN2 * spec.max_shift * Math.tanh(shifts[m]));
      const db = softCeiling(spec.initial_db + 10 * levels[m], spec.ceiling_db) + frame.loudness;
      const amplitude = dbToAmplitude(db);
      if (hz >= top || amplitude < INAUDIBLE) continue;
      const seconds = decay(decays[m], spec.min_seconds, spec.max_seconds);
      const fall = Math.exp(-LN1000 / (seconds * rate));
      const angle = (2 * Math.PI * hz) / rate;
      const i = this.nModes++;
      turn[i] = 2 * fall * Math.cos(angle);
      damping[i] = fall * fall;
      now[i] = 0;
      before[i] = (-amplitude * Math.sin(angle)) / fall;
      ends[i] = (Math.log(amplitude / INAUDIBLE) / LN1000) * seconds * rate;
    }
  }

  add(out, at, from, n) {
    const { now, before, turn, damping, ends } = this;
    for (let m = 0; m < this.nModes; m++) {
      if (ends[m] < from) continue;
      let y = now[m];
      let last = before[m];
      const a = turn[m];
      const b = damping[m];
      for (let t = 0; t < n; t++) {
        out[at + t] += y;
        const next = a * y - b * last;
        last = y;
        y = next;
      }
      now[m] = y;
      before[m] = last;
    }
  }

  level(k) {
    const from = this.timing.startOf(k);
    for (let m = 0; m < this.nModes; m++) if (this.ends[m] > from) return 1;
    return 0;
  }
}

/** Head of a transient voice. */
export class Transient {
  constructor(spec, tensors) {
    this.spec = spec;
    this.bands = new Dense(spec.bands, tensors);
    this.decay = new Dense(spec.decay, tensors);
  }

  player(timing) {
    return new TransientPlayer(this, timing);
  }
}

/** The burst of one note: white noise through a constant filter, with an envelope. */
class TransientPlayer extends StruckPlayer {
  constructor(head, timing) {
    super(head, timing);
    const { spec } = head;
    const rate = timing.sampleRate;
    this.n = Math.max(1, Math.round(spec.burst_seconds * rate));
    this.layout = new Bands(head.bands.nOut, spec.bandwidth_hz, rate);
    const size = 2 * (this.layout.n - 1);
    this.margin = this.layout.margin;
    this.raw = head.bands.outputs();
    this.one = head.decay.outputs();
    this.own = new Float64Array(head.bands.nOut);
    this.gains = new Float64Array(this.layout.n);
    this.taps = new Float64Array(this.margin + 1);
    this.cosines = Float64Array.from({ length: size }, (_, i) =>
      Math.cos((2 * Math.PI * i) / size),
    );
    // The last 2 margin + 1 samples of the noise, twice, so that any run of them is in one piece.
    this.length = 2 * this.margin + 1;
    this.past = new Float64Array(2 * this.length);
  }

  strike(frame) {
    const { head, raw, own, gains, taps, cosines, layout } = this;
    const { spec } = head;
    head.bands.apply(frame.features, raw);
    for (let i = 0; i < own.length; i++) {
      const db = softCeiling(spec.initial_db + 10 * raw[i], spec.ceiling_db) + frame.loudness;
      own[i] = dbToAmplitude(db);
    }
    layout.spread(own, gains);
    const size = cosines.length;
    for (let lag = 0; lag <= this.margin; lag++) {
      let sum = gains[0] + (lag % 2 ? -1 : 1) * gains[layout.n - 1];
      for (let b = 1; b < layout.n - 1; b++) sum += 2 * gains[b] * cosines[(b * lag) % size];
      taps[lag] = (sum / size) * (0.5 + 0.5 * cosines[lag]);
    }
    head.decay.apply(frame.features, this.one);
    this.seconds = decay(this.one[0], spec.min_seconds, spec.max_seconds);
    this.white = new WhiteNoise(this.seed);
    // The noise begins before the burst.
    for (let i = 0; i < 2 * this.margin; i++) this.push(i - this.margin);
  }

  push(sample) {
    const { past, length } = this;
    const i = (sample + this.margin) % length;
    past[i] = past[i + length] = this.white.at(sample);
  }

  add(out, at, from, n) {
    const { taps, past, length, margin, timing } = this;
    const end = Math.min(from + n, this.n);
    const burst = this.head.spec.burst_seconds;
    for (let sample = from; sample < end; sample++) {
      this.push(sample + margin);
      const middle = (sample % length) + margin;
      let sum = taps[0] * past[middle];
      for (let lag = 1; lag <= margin; lag++) {
        sum += taps[lag] * (past[middle - lag] + past[middle + lag]);
      }
      const seconds = sample / timing.sampleRate;
      const left = 1 - Math.min(seconds / burst, 1) ** 2;
      out[at + sample - from] += sum * Math.exp((-LN1000 * seconds) / this.seconds) * left * left;
    }
  }

  level(k) {
    return this.timing.startOf(k) < this.n ? 1 : 0;
  }
}
