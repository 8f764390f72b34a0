// Whole notes, as `Run.render` in Python: for hosts and tests, not in exported pages.

import { Generator, Voice } from "./voice.js";

/** Round as Python does: halves to even. */
function round(x) {
  const whole = Math.round(x);
  return whole - x === 0.5 && whole % 2 ? whole - 1 : whole;
}

/** Pitch bend from points [seconds, semitones], linear between them and held outside. */
function bendOf(points) {
  return (t) => {
    let semitones = points[0][1];
    for (let i = 1; i < points.length; i++) {
      const [begin, low] = points[i - 1];
      const [end, high] = points[i];
      const share = (t - begin) / Math.max(end - begin, 1e-6);
      semitones += Math.min(Math.max(share, 0), 1) * (high - low);
    }
    return semitones;
  };
}

/**
 * Render one note, as `Run.render` in Python.
 *
 * @param {object} model Of `readModel`.
 * @param {object} request pitch, velocity (0 to 127), label (index), tags, z; seconds, heldSeconds,
 *   sampleRate, seed (of the noise), bend (points [seconds, semitones]); block: samples at a time;
 *   voices: kinds of voices that sound.
 * @returns {Float32Array} n_samples.
 */
export function renderNote(model, request) {
  const { seconds = model.seconds, sampleRate = model.sample_rate, block = 128 } = request;
  const nFrames = Math.max(1, Math.ceil(seconds * model.frame_rate - 1e-6));
  const covered = round((nFrames * sampleRate) / model.frame_rate);
  const generator = new Generator(model, sampleRate, covered / (sampleRate * nFrames));
  if (request.voices) {
    generator.heads = generator.heads.filter(({ spec }) => request.voices.includes(spec.kind));
  }
  const voice = new Voice(generator);
  const note = { pitch: 60, velocity: 100, label: 0, tags: {}, z: model.latents.seeds[0] };
  voice.begin({ ...note, ...request }, request.seed ?? 0, nFrames - 1);
  const release = model.release_seconds;
  const byDefault = model.generator.rings_out ? Infinity : Math.max(seconds - release, 0);
  voice.noteOff = Math.fround(request.heldSeconds ?? byDefault);
  if (request.bend) voice.bendAt = bendOf(request.bend);
  const audio = new Float64Array(round(seconds * sampleRate));
  const n = Math.min(audio.length, covered);
  for (let at = 0; at < n; at += block) voice.add(audio, at, Math.min(block, n - at));
  return Float32Array.from(audio);
}
