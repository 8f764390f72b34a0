// Short-time spectra, for the picture of a sound.

const SIZE = 1024;
const cosine = Float32Array.from({ length: SIZE / 2 }, (_, i) => Math.cos((2 * Math.PI * i) / SIZE));
const sine = Float32Array.from({ length: SIZE / 2 }, (_, i) => Math.sin((2 * Math.PI * i) / SIZE));
const hann = Float32Array.from({ length: SIZE }, (_, i) => (0.5 - 0.5 * Math.cos((2 * Math.PI * i) / SIZE)) * (4 / SIZE));

/** In-place radix-2 Fourier transform of SIZE complex numbers. */
function transform(real, imaginary) {
  for (let i = 1, j = 0; i < SIZE; i++) {
    let bit = SIZE >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      [real[i], real[j]] = [real[j], real[i]];
      [imaginary[i], imaginary[j]] = [imaginary[j], imaginary[i]];
    }
  }
  for (let length = 2; length <= SIZE; length <<= 1) {
    const half = length >> 1, step = SIZE / length;
    for (let start = 0; start < SIZE; start += length) {
      for (let i = start, k = 0; i < start + half; i++, k += step) {
        const r = real[i + half] * cosine[k] + imaginary[i + half] * sine[k];
        const m = imaginary[i + half] * cosine[k] - real[i + half] * sine[k];
        real[i + half] = real[i] - r;
        imaginary[i + half] = imaginary[i] - m;
        real[i] += r;
        imaginary[i] += m;
      }
    }
  }
}

/** Amplitudes of n_frames spectra evenly over the samples: Float32Array[SIZE / 2 + 1] each. */
export function spectrogram(samples, rate, n_frames) {
  const frames = [];
  const real = new Float32Array(SIZE), imaginary = new Float32Array(SIZE);
  for (let frame = 0; frame < n_frames; frame++) {
    const middle = Math.round(((frame + 0.5) / n_frames) * samples.length);
    for (let i = 0; i < SIZE; i++) real[i] = (samples[middle - SIZE / 2 + i] || 0) * hann[i];
    imaginary.fill(0);
    transform(real, imaginary);
    frames.push(Float32Array.from({ length: SIZE / 2 + 1 }, (_, i) => Math.hypot(real[i], imaginary[i])));
  }
  return frames;
}

export const decibels = (amplitude) => 20 * Math.log10(Math.max(amplitude, 1e-6));
