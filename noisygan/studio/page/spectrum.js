// Short-time spectra, for the picture of a sound.

import { fftOf } from "./web/fft.js";

const SIZE = 1024;
const hann = Float32Array.from({ length: SIZE }, (_, i) => (0.5 - 0.5 * Math.cos((2 * Math.PI * i) / SIZE)) * (4 / SIZE));

/** Amplitudes of nFrames spectra evenly over the samples: Float32Array[SIZE / 2 + 1] each. */
export function spectrogram(samples, nFrames) {
  const fft = fftOf(SIZE);
  return Array.from({ length: nFrames }, (_, frame) => {
    const from = Math.round(((frame + 0.5) / nFrames) * samples.length) - SIZE / 2;
    fft.forward(hann.map((weight, i) => weight * (samples[from + i] || 0)));
    return Float32Array.from({ length: SIZE / 2 + 1 }, (_, i) => Math.hypot(fft.re[i], fft.im[i]));
  });
}

export const decibels = (amplitude) => 20 * Math.log10(Math.max(amplitude, 1e-6));
