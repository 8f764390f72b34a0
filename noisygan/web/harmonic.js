// Harmonic voice: wavetables of the harmonics, or rotating partials of stiff strings.
//
// Phase is that of the fundamental in cycles, float64, and the exact integral of an F0 that is
// linear between control frames, as in `synths.harmonic_bank`.

import { fftOf } from "./fft.js";
import { Dense } from "./dense.js";
import { dbToAmplitude } from "./units.js";

const TAU = 2 * Math.PI;
// Partials below this amplitude at both frames are left out.
const INAUDIBLE = 1e-8;
// Points of a wavetable for the shortest period.
const OVERSAMPLING = 8;
// A bend further down has fewer harmonics than could sound.
const LOWEST_BEND = 0.85;
// Strings: longest part with one frequency, and largest error of a phase in cycles.
const LONGEST_PART = 120;
const MAX_CHIRP = 0.002;

/** Head of a harmonic voice. */
export class Harmonic {
  constructor(spec, tensors) {
    this.spec = spec;
    this.level = new Dense(spec.level, tensors);
    this.distribution = new Dense(spec.distribution, tensors);
    this.n = this.distribution.nOut;
    this.initial = Float64Array.from({ length: this.n }, (_, i) =>
      Math.fround(spec.slope_db * Math.log2(i + 1) * (Math.LN10 / 20)),
    );
    this.weights = this.distribution.outputs();
    this.one = this.level.outputs();
    this.detune = Math.exp(spec.detune_cents * (Math.LN2 / 1200));
  }

  /** Write amplitudes of partials with these ratios to F0, below Nyquist, into a frame. */
  at(frame, ratios, nyquist, into) {
    const { spec, weights, one } = this;
    const f0 = (into.f0 = Math.fround(frame.f0 * this.detune));
    let n = 0;
    while (n < this.n && f0 * ratios[n] < spec.bandwidth_hz) n++;
    this.distribution.apply(frame.features, weights, n);
    let total = 0;
    for (let k = 0; k < n; k++) {
      const x = weights[k] + this.initial[k];
      weights[k] = Math.exp(x < -16 ? -16 : x > 8 ? 8 : x);
      total += weights[k];
    }
    this.level.apply(frame.features, one);
    const amplitude = dbToAmplitude(frame.loudness + spec.level_scale_db * one[0]);
    const gain = total ? amplitude / total : 0;
    into.n = 0;
    for (let k = 0; k < this.n; k++) {
      const own = k < n && f0 * ratios[k] < nyquist ? gain * weights[k] : 0;
      into.amplitudes[k] = own;
      if (own > INAUDIBLE) into.n = k + 1;
    }
    into.level = amplitude;
  }

  player(timing) {
    return new HarmonicPlayer(this, timing);
  }
}

/** The harmonic voice of one sounding note. */
class HarmonicPlayer {
  constructor(head, timing) {
    this.head = head;
    this.timing = timing;
    this.need = { frame: 0, until: 0 };
    this.frames = Array.from({ length: timing.nKept }, () => ({
      f0: 0,
      n: 0,
      level: 0,
      phase: 0,
      amplitudes: new Float64Array(head.n),
      table: null,
    }));
    this.ratios = new Float64Array(head.n);
    this.part = new Float64Array(LONGEST_PART + 8);
  }

  begin(own) {
    const { inharmonicity } = own;
    for (let k = 0; k < this.head.n; k++) {
      this.ratios[k] = (k + 1) * Math.sqrt(1 + inharmonicity * (k + 1) ** 2);
    }
    this.isString = inharmonicity > 0;
    this.tableSize = 0;
    this.partEnd = 0;
    this.segment = -1;
  }

  /** Read control frame k; they come in order. */
  frame(k, frame) {
    const into = this.frames[k % this.frames.length];
    const nyquist = this.timing.sampleRate / 2;
    this.head.at(frame, this.ratios, nyquist, into);
    if (k === 0) {
      into.phase = 0;
      const highest = Math.min(nyquist, this.head.spec.bandwidth_hz);
      const n = Math.min(this.head.n, Math.ceil(highest / (into.f0 * LOWEST_BEND)) + 1);
      this.tableSize = 2 ** Math.ceil(Math.log2(Math.max(OVERSAMPLING * n, 64)));
    } else {
      const last = this.frames[(k - 1) % this.frames.length];
      into.phase = last.phase + 0.5 * this.timing.period * (last.f0 + into.f0);
    }
    if (!this.isString) this.makeTable(into);
  }

  makeTable(into) {
    const size = this.tableSize;
    if (into.table?.length !== size + 3) into.table = new Float32Array(size + 3);
    if (into.n === 0) {
      into.table.fill(0);
      return;
    }
    const fft = fftOf(size);
    const { re, im } = fft;
    re.fill(0);
    im.fill(0);
    const n = Math.min(into.n, size / 4);
    for (let k = 0; k < n; k++) im[k + 1] = -0.5 * size * into.amplitudes[k];
    // Point i of the period is entry i + 1, between its neighbours.
    const { table } = into;
    fft.inverse(table.subarray(1, size + 1));
    table[0] = table[size];
    table[size + 1] = table[1];
    table[size + 2] = table[2];
  }

  /** Last control frame that sample `from` needs, and the sample up to which it is enough. */
  needs(from) {
    const { need, timing } = this;
    need.frame = timing.frameOf(from) + 1;
    need.until = timing.startOf(need.frame);
    return need;
  }

  /** Add samples [from, from + n), all of one frame, to out at `at`. */
  add(out, at, from, n) {
    const { timing } = this;
    const j = timing.frameOf(from);
    const here = this.frames[j % this.frames.length];
    const after = this.frames[(j + 1) % this.frames.length];
    if (here.n === 0 && after.n === 0) return;
    const slope = (after.f0 - here.f0) / (2 * timing.period);
    if (this.isString) this.addPartials(out, at, from, n, j, here, after, slope);
    else this.addTables(out, at, from, n, j, here, after, slope);
  }

  addTables(out, at, from, n, j, here, after, slope) {
    const { sampleRate, period } = this.timing;
    const size = this.tableSize;
    const a = here.table;
    const b = after.table;
    const phase = here.phase - Math.floor(here.phase);
    const offset = j * period;
    for (let t = 0; t < n; t++) {
      const tau = (from + t) / sampleRate - offset;
      const cycles = phase + tau * (here.f0 + slope * tau);
      const place = (cycles - Math.floor(cycles)) * size;
      const i = place | 0;
      const x = place - i;
      const w = tau / period;
      const y0 = a[i] + w * (b[i] - a[i]);
      const y1 = a[i + 1] + w * (b[i + 1] - a[i + 1]);
      const y2 = a[i + 2] + w * (b[i + 2] - a[i + 2]);
      const y3 = a[i + 3] + w * (b[i + 3] - a[i + 3]);
      // Cubic through four points.
      const c1 = y2 - y0 / 3 - y1 / 2 - y3 / 6;
      const c2 = 0.5 * (y0 + y2) - y1;
      const c3 = (y3 - y0) / 6 + 0.5 * (y1 - y2);
      out[at + t] += ((c3 * x + c2) * x + c1) * x + y1;
    }
  }

  /** Copy partials from parts, whose bounds do not depend on the block. */
  addPartials(out, at, from, n, j, here, after, slope) {
    const { timing, part } = this;
    if (this.segment !== j) {
      this.segment = j;
      const start = timing.startOf(j);
      const length = timing.startOf(j + 1) - start;
      const top = Math.max(here.n, after.n);
      const chirp = Math.abs(slope) * this.ratios[top - 1];
      // The phase is exact at the middle of a part; its curve is left out.
      const longest = 2 * Math.sqrt(MAX_CHIRP / Math.max(chirp, 1e-9)) * timing.sampleRate;
      const least = Math.max(length / LONGEST_PART, length / Math.max(longest, 16));
      this.partSize = Math.ceil(length / Math.ceil(least));
      this.partEnd = start;
    }
    for (let t = 0; t < n; t++) {
      if (from + t >= this.partEnd) {
        this.partStart = this.partEnd;
        const end = Math.min(this.partStart + this.partSize, timing.startOf(j + 1));
        this.partEnd = end;
        this.makePart(this.partStart, end - this.partStart, j, here, after, slope);
      }
      out[at + t] += part[from + t - this.partStart];
    }
  }

  makePart(from, n, j, here, after, slope) {
    const { part, ratios, timing } = this;
    const { sampleRate, period } = timing;
    part.fill(0, 0, n);
    const tau = (from + n / 2) / sampleRate - j * period;
    const phase = here.phase + tau * (here.f0 + slope * tau);
    const step = (here.f0 + 2 * slope * tau) / sampleRate;
    const w = (from / sampleRate - j * period) / period;
    const dw = 1 / (sampleRate * period);
    const top = Math.max(here.n, after.n);
    for (let k = 0; k < top; k += 2) {
      // Two at a time: their recurrences overlap in the processor.
      const a = here.amplitudes[k];
      const rise = after.amplitudes[k] - a;
      const last = k + 1 < top ? k + 1 : k;
      const b = k + 1 < top ? here.amplitudes[last] : 0;
      const riseB = k + 1 < top ? after.amplitudes[last] - b : 0;
      const turn = TAU * step * ratios[k];
      const turnB = TAU * step * ratios[last];
      let cycles = phase * ratios[k];
      let cyclesB = phase * ratios[last];
      cycles = TAU * (cycles - Math.round(cycles)) - (turn * n) / 2;
      cyclesB = TAU * (cyclesB - Math.round(cyclesB)) - (turnB * n) / 2;
      let s = Math.sin(cycles);
      let before = Math.sin(cycles - turn);
      let sB = Math.sin(cyclesB);
      let beforeB = Math.sin(cyclesB - turnB);
      const c = 2 * Math.cos(turn);
      const cB = 2 * Math.cos(turnB);
      let g = a + w * rise;
      let gB = b + w * riseB;
      const dg = dw * rise;
      const dgB = dw * riseB;
      for (let t = 0; t < n; t++) {
        part[t] += g * s + gB * sB;
        const next = c * s - before;
        const nextB = cB * sB - beforeB;
        before = s;
        beforeB = sB;
        s = next;
        sB = nextB;
        g += dg;
        gB += dgB;
      }
    }
  }

  /** Largest amplitude of the frames that are kept. */
  level(k) {
    return this.frames[k % this.frames.length].level;
  }
}
