// Fourier transforms of real signals, of a power of two.

/** Transforms of one size; they work in place and share the tables. */
export class RealFFT {
  /** @param {number} size A power of two, 4 or more. */
  constructor(size) {
    this.size = size;
    const half = (this.half = size / 2);
    this.cos = new Float64Array(half);
    this.sin = new Float64Array(half);
    for (let i = 0; i < half; i++) {
      this.cos[i] = Math.cos((2 * Math.PI * i) / size);
      this.sin[i] = Math.sin((2 * Math.PI * i) / size);
    }
    this.swaps = [];
    const bits = Math.log2(half);
    for (let i = 0; i < half; i++) {
      let j = 0;
      for (let b = 0; b < bits; b++) j |= ((i >> b) & 1) << (bits - 1 - b);
      if (i < j) this.swaps.push(i, j);
    }
    this.swaps = Uint16Array.from(this.swaps);
    this.re = new Float64Array(half + 1);
    this.im = new Float64Array(half + 1);
  }

  /** Complex transform of half the size of this.re and this.im; sign -1: forward, 1: inverse. */
  complex(sign) {
    const { re, im, half, cos, sin, swaps } = this;
    for (let s = 0; s < swaps.length; s += 2) {
      const i = swaps[s];
      const j = swaps[s + 1];
      const a = re[i];
      const b = im[i];
      re[i] = re[j];
      im[i] = im[j];
      re[j] = a;
      im[j] = b;
    }
    // The first two passes, without multiplications.
    let span = 1;
    if (half >= 4) {
      for (let i = 0; i < half; i += 4) {
        const ar = re[i] + re[i + 1];
        const ai = im[i] + im[i + 1];
        const br = re[i] - re[i + 1];
        const bi = im[i] - im[i + 1];
        const cr = re[i + 2] + re[i + 3];
        const ci = im[i + 2] + im[i + 3];
        const dr = -sign * (im[i + 2] - im[i + 3]);
        const di = sign * (re[i + 2] - re[i + 3]);
        re[i] = ar + cr;
        im[i] = ai + ci;
        re[i + 1] = br + dr;
        im[i + 1] = bi + di;
        re[i + 2] = ar - cr;
        im[i + 2] = ai - ci;
        re[i + 3] = br - dr;
        im[i + 3] = bi - di;
      }
      span = 4;
    }
    for (; span < half; span *= 2) {
      const stride = half / span;
      for (let k = 0; k < span; k++) {
        const wr = cos[k * stride];
        const wi = sign * sin[k * stride];
        for (let i = k; i < half; i += 2 * span) {
          const j = i + span;
          const xr = wr * re[j] - wi * im[j];
          const xi = wr * im[j] + wi * re[j];
          re[j] = re[i] - xr;
          im[j] = im[i] - xi;
          re[i] += xr;
          im[i] += xi;
        }
      }
    }
  }

  /** Spectrum of signal (`size` numbers) into this.re and this.im, bins 0 to size / 2. */
  forward(signal) {
    const { re, im, half, cos, sin } = this;
    for (let i = 0; i < half; i++) {
      re[i] = signal[2 * i];
      im[i] = signal[2 * i + 1];
    }
    this.complex(-1);
    const [r0, i0] = [re[0], im[0]];
    for (let k = 1; k <= half / 2; k++) {
      const j = half - k;
      const er = 0.5 * (re[k] + re[j]);
      const ei = 0.5 * (im[k] - im[j]);
      const or = 0.5 * (im[k] + im[j]);
      const oi = -0.5 * (re[k] - re[j]);
      const xr = cos[k] * or + sin[k] * oi;
      const xi = cos[k] * oi - sin[k] * or;
      re[k] = er + xr;
      im[k] = ei + xi;
      re[j] = er - xr;
      im[j] = xi - ei;
    }
    re[0] = r0 + i0;
    im[0] = 0;
    re[half] = r0 - i0;
    im[half] = 0;
  }

  /** Signal of the spectrum in this.re and this.im, which it overwrites, into signal. */
  inverse(signal) {
    const { re, im, half, cos, sin } = this;
    const [first, last] = [re[0], re[half]];
    re[0] = 0.5 * (first + last);
    im[0] = 0.5 * (first - last);
    for (let k = 1; k <= half / 2; k++) {
      const j = half - k;
      const er = 0.5 * (re[k] + re[j]);
      const ei = 0.5 * (im[k] - im[j]);
      const xr = 0.5 * (re[k] - re[j]);
      const xi = 0.5 * (im[k] + im[j]);
      const or = cos[k] * xr - sin[k] * xi;
      const oi = cos[k] * xi + sin[k] * xr;
      re[k] = er - oi;
      im[k] = ei + or;
      re[j] = er + oi;
      im[j] = or - ei;
    }
    this.complex(1);
    const scale = 1 / half;
    for (let i = 0; i < half; i++) {
      signal[2 * i] = scale * re[i];
      signal[2 * i + 1] = scale * im[i];
    }
  }
}

const made = new Map();

/** The transforms of a size, made once. */
export function fftOf(size) {
  if (!made.has(size)) made.set(size, new RealFFT(size));
  return made.get(size);
}
