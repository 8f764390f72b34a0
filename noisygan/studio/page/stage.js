// The sound that is being shaped: its waveform and spectrogram, the playhead, the live output.

import * as audio from "./audio.js";
import { channels, colours, find, fitted, keepDrawn, noteName, say } from "./web/dom.js";
import { showOutput } from "./web/scope.js";
import { decibels, spectrogram } from "./spectrum.js";
import { current, listen, onChange, onSound, remember, run, seeded, shape, state, store } from "./store.js";

const MIN_RETRIGGER = 0.12;
let shown = null;
let voice = null;
let startedAt = -1;
const quiet = [];

/** While isQuiet() holds, a change of the sound is not played by itself. */
export const hushWhile = (isQuiet) => quiet.push(isQuiet);

/** Plays the current sound from its beginning. */
export function playCurrent() {
  if (!shown) return;
  voice?.stop();
  begin(shown, 0, 0);
}

function begin(sound, offset, fadeIn) {
  voice = audio.play(sound, { offset, fadeIn });
  startedAt = audio.now();
  find("stage").dataset.plays++;
}

/** A change sounds from where the playhead is; a short sound, or one that has ended, from its beginning. */
function changed(sound, aloud) {
  shown = sound;
  const stage = find("stage");
  stage.dataset.sounds++;
  stage.dataset.print = fingerprint(sound.samples);
  drawWave();
  drawSpectrum();
  describe();
  if (!aloud || quiet.some((isQuiet) => isQuiet())) return;
  const playing = voice && !voice.ended;
  if (playing && sound.seconds > 0.6) {
    const offset = voice.position();
    if (offset < sound.seconds - 0.1) {
      voice.stop(0.05);
      begin(sound, offset, 0.04);
      return;
    }
  }
  if (audio.now() - startedAt < MIN_RETRIGGER && playing) return;
  voice?.stop();
  begin(sound, 0, 0);
}

function fingerprint(samples) {
  let sum = 0;
  for (let i = 0; i < samples.length; i += 7) sum = (sum * 31 + Math.round(samples[i] * 32768)) | 0;
  return sum;
}

function describe() {
  const facts = run(), sound = current(), s = state();
  find("name").textContent = sound.name;
  const parts = [];
  if (facts.labels.length) parts.push(facts.labels[sound.label]);
  for (const name of Object.keys(facts.tags)) {
    const value = sound.tags[name];
    parts.push(typeof value === "string" ? value : `${name} ${Number(value.toPrecision(3))}`);
  }
  if (facts.conditions.includes("pitch")) parts.push(noteName(Math.round(s.pitch)));
  if (facts.conditions.includes("velocity")) parts.push(`velocity ${Math.round(s.velocity)}`);
  if (shown) parts.push(`${shown.seconds.toFixed(2)} s`);
  parts.push(`${facts.has_curves ? "hybrid" : "raw waveform"}, ${(facts.sample_rate / 1000).toFixed(1)} kHz`);
  if (shown?.lowered_db > 0.1) parts.push(`brought down by ${shown.lowered_db.toFixed(1)} dB`);
  find("facts").textContent = parts.join(" · ");
  if (document.activeElement !== find("seed")) find("seed").value = sound.seed ?? "";
}

function drawWave() {
  const { pen, width, height } = fitted(find("wave"));
  if (!shown) return;
  const { samples } = shown, middle = height / 2;
  let peak = 0.05;
  for (const value of samples) peak = Math.max(peak, Math.abs(value));
  pen.fillStyle = colours().accent;
  for (let x = 0; x < width; x++) {
    const from = Math.floor((x / width) * samples.length), to = Math.max(from + 1, Math.floor(((x + 1) / width) * samples.length));
    let low = 0, high = 0;
    for (let i = from; i < to; i++) {
      if (samples[i] < low) low = samples[i];
      if (samples[i] > high) high = samples[i];
    }
    const scale = (middle * 0.86) / peak;
    pen.fillRect(x, middle - high * scale - 0.4, 1, (high - low) * scale + 0.8);
  }
}

function drawSpectrum() {
  const canvas = find("spectrum"), { pen, width, height } = fitted(canvas);
  if (!shown) return;
  const nFrames = Math.min(600, Math.max(60, Math.round(width / 2)));
  const nRows = Math.round(height);
  const frames = spectrogram(shown.samples, nFrames);
  const theme = colours(), ground = channels(theme.hush), glow = channels(theme.accent), ink = channels(theme.ink);
  const picture = new ImageData(nFrames, nRows);
  // Frequencies in octaves, from 60 Hz to half of the rate.
  const octaves = Math.log2(shown.rate / 2 / 60), nBins = frames[0].length;
  for (let y = 0; y < nRows; y++) {
    const hz = 60 * 2 ** (octaves * (1 - (y + 0.5) / nRows));
    const bin = Math.min(nBins - 1, (hz / (shown.rate / 2)) * (nBins - 1));
    const low = Math.floor(bin), share = bin - low, high = Math.min(nBins - 1, low + 1);
    for (let x = 0; x < nFrames; x++) {
      const db = decibels((1 - share) * frames[x][low] + share * frames[x][high]);
      const level = Math.min(1, Math.max(0, (db + 95) / 85));
      const half = Math.min(1, level * 1.5), rest = Math.max(0, level - 0.66) * 2;
      for (let c = 0; c < 3; c++) {
        const colour = ground[c] + (glow[c] - ground[c]) * half;
        picture.data[4 * (y * nFrames + x) + c] = colour + (ink[c] - colour) * rest * 0.7;
      }
      picture.data[4 * (y * nFrames + x) + 3] = 255;
    }
  }
  const sheet = new OffscreenCanvas(nFrames, nRows);
  sheet.getContext("2d").putImageData(picture, 0, 0);
  pen.drawImage(sheet, 0, 0, width, height);
  Object.assign(pen, { fillStyle: theme.soft, strokeStyle: theme.hush, lineWidth: 3, lineJoin: "round", textAlign: "right" });
  pen.font = "11px system-ui, sans-serif";
  for (const hz of [100, 1000, 10000]) {
    const y = height * (1 - Math.log2(hz / 60) / octaves);
    if (y < 10 || y > height) continue;
    const text = hz < 1000 ? `${hz} Hz` : `${hz / 1000} kHz`;
    pen.strokeText(text, width - 6, y + 4);
    pen.fillText(text, width - 6, y + 4);
  }
}

function animate() {
  const head = find("playhead");
  const live = voice && !voice.ended && voice.sound === shown;
  head.style.opacity = live ? 0.8 : 0;
  if (live) head.style.left = `${(100 * Math.min(1, voice.position() / shown.seconds)).toFixed(2)}%`;
  requestAnimationFrame(animate);
}

async function take(seed) {
  const { number } = store;
  try {
    const made = await seeded(seed, current().label);
    if (store.number !== number) return;
    shape({ z: made.z, seed: made.seed, noise: made.noise }, made.name);
    remember(made.name);
  } catch (error) {
    say(error.message);
    find("seed").value = current().seed ?? "";
  }
}

export function setUp() {
  find("play").onclick = playCurrent;
  find("dice").onclick = () => take(Math.floor(Math.random() * 100000));
  find("seed").onchange = () => take(find("seed").valueAsNumber); // of an empty field NaN
  onSound(changed);
  onChange((reason) => {
    if (reason === "run") { shown = null; voice?.stop(); listen(false); }
    if (reason !== "landscape") describe();
  });
  keepDrawn(find("wave"), drawWave);
  keepDrawn(find("spectrum"), drawSpectrum);
  showOutput(audio.output);
  requestAnimationFrame(animate);
}
