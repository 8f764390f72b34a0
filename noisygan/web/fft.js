// Fourier transforms of real signals, of a power of two.

/** Transforms of one size; they work in place and share the tables. */
export class RealFFT {
  /** @param {number} size A power of two, 4 or more. */
  constructor(size) {
    this.size = size;
    const half = (this.half = size / 2);
    const angles = Float64Array.from({ length: half }, (_, i) => (2 * Math.PI * i) / size);
    this.cos = angles.map(Math.cos);
    this.sin = angles.map(Math.sin);
    // Of the complex transform, all around.
    this.turnCos = angles.map((angle) => Math.cos(2 * angle));
    this.turnSin = angles.map((angle) => Math.sin(2 * angle));
    [this.re, this.im, this.re2, this.im2] = [0, 1, 2, 3].map(() => new Float64Array(half + 1));
  }

  /** Complex transform of half the size of this.re and this.im: Stockham's, of radix 4. */
  complex(isInverse) {
    const { half, turnCos, turnSin } = this;
    // With real and imaginary parts exchanged the transform is the inverse.
    let [re, im] = isInverse ? [this.im, this.re] : [this.re, this.im];
    let [re2, im2] = isInverse ? [this.im2, this.re2] : [this.re2, this.im2];
    let n = half;
    let stride = 1;
    for (; n >= 4; n /= 4) {
      const quarter = n / 4;
      const step = stride * quarter;
      for (let p = 0; p < quarter; p++) {
        const c1 = turnCos[p * stride];
        const s1 = turnSin[p * stride];
        const c2 = turnCos[2 * p * stride];
        const s2 = turnSin[2 * p * stride];
        const c3 = turnCos[3 * p * stride];
        const s3 = turnSin[3 * p * stride];
        const from = stride * p;
        let to = 4 * from;
        for (let i = from; i < from + stride; i++, to++) {
          const j = i + step;
          const k = j + step;
          const l = k + step;
          const sumR = re[i] + re[k];
          const sumI = im[i] + im[k];
          const leftR = re[i] - re[k];
          const leftI = im[i] - im[k];
          const otherR = re[j] + re[l];
          const otherI = im[j] + im[l];
          const turnedR = im[l] - im[j];
          const turnedI = re[j] - re[l];
          re2[to] = sumR + otherR;
          im2[to] = sumI + otherI;
          let xr = leftR - turnedR;
          let xi = leftI - turnedI;
          re2[to + stride] = c1 * xr + s1 * xi;
          im2[to + stride] = c1 * xi - s1 * xr;
          xr = sumR - otherR;
          xi = sumI - otherI;
          re2[to + 2 * stride] = c2 * xr + s2 * xi;
          im2[to + 2 * stride] = c2 * xi - s2 * xr;
          xr = leftR + turnedR;
          xi = leftI + turnedI;
          re2[to + 3 * stride] = c3 * xr + s3 * xi;
          im2[to + 3 * stride] = c3 * xi - s3 * xr;
        }
      }
      [re, re2] = [re2, re];
      [im, im2] = [im2, im];
      stride *= 4;
    }
    if (n === 2) {
      for (let i = 0; i < stride; i++) {
        const j = i + stride;
        re2[i] = re[i] + re[j];
        im2[i] = im[i] + im[j];
        re2[j] = re[i] - re[j];
        im2[j] = im[i] - im[j];
      }
      [re, re2] = [re2, re];
      [im, im2] = [im2, im];
    }
    [this.re, this.im] = isInverse ? [im, re] : [re, im];
    [this.re2, this.im2] = isInverse ? [im2, re2] : [re2, im2];
  }

  /** Spectrum of signal (`size` numbers) into this.re and this.im, bins 0 to size / 2. */
  forward(signal) {
    const { half, cos, sin } = this;
    for (let i = 0; i < half; i++) {
      this.re[i] = signal[2 * i];
      this.im[i] = signal[2 * i + 1];
    }
    this.complex(false);
    const { re, im } = this;
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
    this.complex(true);
    const scale = 1 / half;
    for (let i = 0; i < half; i++) {
      signal[2 * i] = scale * this.re[i];
      signal[2 * i + 1] = scale * this.im[i];
    }
  }
}

const made = new Map();

/** The transforms of a size, made once. */
export function fftOf(size) {
  if (!made.has(size)) made.set(size, new RealFFT(size));
  return made.get(size);
}
