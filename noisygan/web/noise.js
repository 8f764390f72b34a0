// Noise voice: white noise through a time-varying filter, overlap-added, as `synths.FilteredNoise`.

import { fftOf } from "./fft.js";
import { Dense } from "./dense.js";
import { dbToAmplitude, softCeiling } from "./units.js";

const LONGEST_HOP = 512;
const N_POINTS = 10; // of the interpolation between bands

/** Bijective hash of 32 bits. */
function scramble(x) {
  x = (x + 0x9e3779b9) | 0;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return x ^ (x >>> 16);
}

/** White noise in [-1, 1): a function of seed and sample number, the same as in Python. */
export class WhiteNoise {
  constructor(seed) {
    this.start = scramble(seed | 0);
    this.step = scramble(this.start) | 1;
  }

  at(n) {
    return (scramble((this.start + Math.imul(this.step, n)) | 0) >>> 8) * 2 ** -23 - 1;
  }
}

/** Layout of bands up to a bandwidth on a sample rate: as loud in each hertz. */
export class Bands {
  constructor(nBands, bandwidth, sampleRate) {
    const ratio = sampleRate / 2 / bandwidth;
    const isOwn = Math.abs(sampleRate / 2 - bandwidth) <= 1e-6;
    this.n = isOwn ? nBands : Math.max(2, Math.round((nBands - 1) * ratio) + 1);
    this.scale = isOwn ? 1 : Math.sqrt(ratio);
    this.low = new Uint16Array(this.n);
    this.weight = new Float64Array(this.n);
    this.nInside = 0;
    for (let i = 0; i < this.n; i++) {
      const place = isOwn ? i : (i * (nBands - 1) * ratio) / (this.n - 1);
      if (place <= nBands - 1 + 1e-6) this.nInside = i + 1;
      this.low[i] = Math.min(Math.floor(place), nBands - 2);
      this.weight[i] = place - this.low[i];
    }
    /** Half the length of the filter's response in samples. */
    this.margin = this.n - 2;
  }

  /** Write gains on the rate's bands, of gains on the voice's, into out. */
  spread(gains, out) {
    const { low, weight, scale } = this;
    for (let i = 0; i < this.nInside; i++) {
      const here = gains[low[i]];
      out[i] = scale * (here + weight[i] * (gains[low[i] + 1] - here));
    }
    out.fill(0, this.nInside, this.n);
  }
}

/** Head of a noise voice. */
export class Noise {
  constructor(spec, tensors) {
    this.spec = spec;
    this.bands = new Dense(spec.bands, tensors);
    this.raw = this.bands.outputs();
    this.n = spec.n_bands;
    this.own = new Float64Array(this.n);
    // Bands evenly spaced in mel are linear in between.
    this.mel = null;
    if (spec.in_mel) {
      const mel = (i) => Math.log1p((spec.bandwidth_hz * i) / (this.n - 1) / 700);
      const nMel = this.bands.nOut;
      this.mel = { low: new Uint16Array(this.n), weight: new Float64Array(this.n) };
      for (let i = 0; i < this.n; i++) {
        const place = (mel(i) * (nMel - 1)) / mel(this.n - 1);
        this.mel.low[i] = Math.min(Math.floor(place), nMel - 2);
        this.mel.weight[i] = place - this.mel.low[i];
      }
    }
    this.layouts = new Map();
  }

  layout(sampleRate) {
    if (!this.layouts.has(sampleRate)) {
      this.layouts.set(sampleRate, new Bands(this.n, this.spec.bandwidth_hz, sampleRate));
    }
    return this.layouts.get(sampleRate);
  }

  /** Samples from one filter to the next: a control frame, or a part of a long one. */
  hop(sampleRate, period) {
    const hop = Math.max(1, Math.floor(sampleRate * period + 1e-6));
    const longest = Math.max(LONGEST_HOP, 4 * (this.layout(sampleRate).n - 1));
    return hop > longest ? Math.floor(hop / Math.ceil(hop / longest)) : hop;
  }

  /** How far ahead of a sample the last filter stands that it hears. */
  samplesAhead(sampleRate, period) {
    return this.layout(sampleRate).margin + this.hop(sampleRate, period);
  }

  /** Write gains of a frame on the bands of a layout. */
  at(frame, layout, out) {
    const { spec, raw, own, mel } = this;
    this.bands.apply(frame.features, raw);
    for (let i = 0; i < this.n; i++) {
      let db = raw[i];
      if (mel) {
        const low = mel.low[i];
        db = raw[low] + mel.weight[i] * (raw[low + 1] - raw[low]);
      }
      db = softCeiling(spec.initial_db + 10 * db, spec.ceiling_db) + frame.loudness;
      own[i] = dbToAmplitude(db);
    }
    layout.spread(own, out);
  }

  player(timing) {
    return new NoisePlayer(this, timing);
  }
}

/**
 * The noise voice of one sounding note.
 *
 * The noise around a grid point, faded in from the point before and out to the next one, passes
 * the filter of the point.
 */
class NoisePlayer {
  constructor(head, timing) {
    this.head = head;
    this.timing = timing;
    this.need = { frame: 0, until: 0 };
    this.layout = head.layout(timing.sampleRate);
    const { margin, n } = this.layout;
    this.frames = Array.from({ length: timing.nKept }, () => new Float64Array(n));
    this.gains = new Float64Array(n);
    this.padded = new Float64Array(n + 2 * N_POINTS);
    const hop = (this.hop = head.hop(timing.sampleRate, timing.period));
    this.size = 2 ** Math.ceil(Math.log2(2 * hop + 2 * margin));
    this.piece = new Float64Array(this.size);
    this.sum = new Float64Array(this.size);
    this.interpolation = interpolation(n, this.size);
  }

  begin(own, seed) {
    this.white = new WhiteNoise(seed);
    this.sum.fill(0);
    this.next = 0; // the grid point whose piece comes next
  }

  frame(k, frame) {
    this.head.at(frame, this.layout, this.frames[k % this.frames.length]);
  }

  /** Place of a grid point on the frames. */
  place(point) {
    return (point * this.hop) / (this.timing.sampleRate * this.timing.period);
  }

  /** First sample of a point's piece. */
  begins(point) {
    return (point - 1) * this.hop - this.layout.margin;
  }

  needs(from) {
    const { need } = this;
    let point = this.next;
    while (this.begins(point) <= from) point++;
    need.frame = Math.ceil(this.place(point - 1) - 1e-9);
    need.until = this.begins(point);
    return need;
  }

  add(out, at, from, n) {
    const { sum, size } = this;
    while (this.begins(this.next) <= from) this.addPiece(this.next++);
    for (let t = 0; t < n; t++) {
      const i = (from + t) & (size - 1);
      out[at + t] += sum[i];
      sum[i] = 0;
    }
  }

  addPiece(point) {
    const { hop, white, piece, size, layout, sum } = this;
    const { margin } = layout;
    const begin = (point - 1) * hop;
    piece.fill(0);
    for (let t = point ? 0 : hop; t < 2 * hop; t++) {
      piece[margin + t] = white.at(begin + t) * (t < hop ? t / hop : 2 - t / hop);
    }
    const fft = fftOf(size);
    fft.forward(piece);
    this.applyFilter(point, fft);
    fft.inverse(piece);
    const first = begin - margin;
    // Before the first sample there is nothing.
    for (let t = Math.max(0, -first); t < 2 * hop + 2 * margin; t++) {
      sum[(first + t) & (size - 1)] += piece[t];
    }
  }

  /** Multiply a spectrum by the gains at a grid point. */
  applyFilter(point, { re, im }) {
    const { gains, padded, layout, interpolation: bins } = this;
    const place = this.place(point);
    const k = Math.floor(place + 1e-9);
    const w = Math.max(0, place - k);
    const here = this.frames[k % this.frames.length];
    const after = this.frames[(w ? k + 1 : k) % this.frames.length];
    const n = layout.n;
    for (let i = 0; i < n; i++) gains[i] = here[i] + w * (after[i] - here[i]);
    const { low, weights } = bins;
    // Gains are even about 0 Hz and about Nyquist.
    padded.set(gains, N_POINTS);
    for (let i = 1; i <= N_POINTS; i++) {
      padded[N_POINTS - i] = gains[Math.min(i, n - 1)];
      padded[N_POINTS + n - 1 + i] = gains[Math.max(n - 1 - i, 0)];
    }
    for (let b = 0, p = 0; b < low.length; b++, p += N_POINTS) {
      const i = low[b];
      const gain =
        weights[p] * padded[i] +
        weights[p + 1] * padded[i + 1] +
        weights[p + 2] * padded[i + 2] +
        weights[p + 3] * padded[i + 3] +
        weights[p + 4] * padded[i + 4] +
        weights[p + 5] * padded[i + 5] +
        weights[p + 6] * padded[i + 6] +
        weights[p + 7] * padded[i + 7] +
        weights[p + 8] * padded[i + 8] +
        weights[p + 9] * padded[i + 9];
      re[b] *= gain;
      im[b] *= gain;
    }
  }

  level(k) {
    const gains = this.frames[k % this.frames.length];
    let most = 0;
    for (let i = 0; i < gains.length; i++) most = Math.max(most, gains[i]);
    return most;
  }
}

const interpolations = new Map();

/** Fourier transform of a Hann window, 1 at 0 bands, 0 at two and more. */
function ofHann(x) {
  if (Math.abs(x) < 1e-9) return 0.5;
  if (Math.abs(Math.abs(x) - 1) < 1e-9) return 0.25;
  return (0.5 * Math.sin(Math.PI * x)) / (Math.PI * x * (1 - x * x));
}

/** Weights of the bands near each bin of a transform, of Hann-windowed filters: {low, weights}. */
function interpolation(nBands, size) {
  const key = `${nBands} ${size}`;
  if (!interpolations.has(key)) {
    const n = size / 2 + 1;
    const low = new Uint16Array(n);
    const weights = new Float64Array(N_POINTS * n);
    for (let b = 0; b < n; b++) {
      const place = (b * (nBands - 1)) / (n - 1);
      const first = Math.floor(place) - N_POINTS / 2 + 1;
      low[b] = first + N_POINTS;
      for (let p = 0; p < N_POINTS; p++) {
        weights[N_POINTS * b + p] = ofHann(place - first - p);
      }
    }
    interpolations.set(key, { low, weights });
  }
  return interpolations.get(key);
}
