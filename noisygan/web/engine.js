// The instrument: sixteen voices, pedals and controllers. State in, samples out; no browser needed.
//
//   const instrument = new Instrument(readModel(json), 48000);
//   instrument.handle({ type: "noteOn", note: 60, velocity: 0.8 });
//   instrument.process(new Float32Array(128));

import { dbToAmplitude } from "./units.js";
import { Generator, Voice } from "./voice.js";

const N_VOICES = 16;
const N_FADING = 16; // stolen voices that fade out beside them
const CHUNK = 128;
const STEAL_SECONDS = 0.005;
const RETRIGGER_SECONDS = 0.01;
const END_SECONDS = 0.02; // fade at the end of a release
const DRUM_END_SECONDS = 0.05;
const DRUM_RINGING = 3; // length of a drum relative to the recordings'
const SMOOTHING_SECONDS = 0.005; // of volume, expression and pressure
const VIBRATO_HZ = 5.5;
const VIBRATO_SEMITONES = 0.5; // at full modulation
const PRESSURE_DB = 6; // at full pressure
const HIHAT = [42, 44, 46]; // one stops another

/** A voice and what plays it. */
class Slot {
  constructor(generator) {
    this.voice = new Voice(generator);
    this.state = "free"; // held, released, fading
  }

  begin(request, seed, gain) {
    this.voice.begin(request, seed);
    this.request = request;
    this.state = "held";
    this.isDown = true;
    this.isSostenuto = false;
    this.isChanged = false;
    this.gain = gain;
    this.fade = 1;
    this.fadeStep = 0;
    this.endAt = Infinity; // sample at which it fades out
    this.endSeconds = END_SECONDS;
  }

  release(releaseSeconds) {
    this.state = "released";
    this.voice.noteOff = this.voice.seconds;
    this.endAt = this.voice.position + Math.round(releaseSeconds * this.voice.timing.sampleRate);
  }

  fadeOut(seconds) {
    this.state = "fading";
    this.fadeStep = 1 / (seconds * this.voice.timing.sampleRate);
  }

  /** Add n samples to mix; false once the voice has ended. */
  add(mix, n, own) {
    const left = this.state === "fading" ? Infinity : this.endAt - this.voice.position;
    if (left >= n && this.fadeStep === 0 && this.gain === 1) {
      this.voice.add(mix, 0, n);
    } else {
      own.fill(0, 0, n);
      this.voice.add(own, 0, n);
      for (let i = 0; i < n; i++) {
        if (i >= left && this.state !== "fading") this.fadeOut(this.endSeconds);
        mix[i] += this.gain * this.fade * own[i];
        this.fade = Math.max(0, this.fade - this.fadeStep);
      }
    }
    return this.fade > 0 && !this.voice.isSilent;
  }

  /** Priority against stealing: lowest for released notes, then for old ones. */
  get weight() {
    return (this.state === "released" ? -1e6 : 0) - this.voice.seconds;
  }
}

export class Instrument {
  /**
   * @param {object} model Of `readModel`.
   * @param {number} sampleRate Hz.
   * @param {function} post Called with {type: "note", note, on} and {type: "error", message}.
   */
  constructor(model, sampleRate, post = () => {}) {
    this.model = model;
    this.post = post;
    this.sampleRate = sampleRate;
    const generator = new Generator(model, sampleRate);
    this.slots = Array.from({ length: N_VOICES + N_FADING }, () => new Slot(generator));
    this.isKit = model.kind === "drums";
    this.mix = new Float64Array(CHUNK);
    this.own = new Float64Array(CHUNK);
    this.labels = new Map();
    model.classes.forEach(({ keys }, i) => keys.forEach((key) => this.labels.set(key, i)));
    const seeds = model.latents.seeds.map((row) => Float32Array.from(row));
    this.z = seeds[0];
    this.sounds = new Map(); // key -> what it has of its own: z, tags, seed
    if (this.isKit) {
      [...this.labels.keys()].forEach((key, i) => (this.ownSound(key).z = seeds[i % seeds.length]));
    }
    this.tags = Object.fromEntries(
      Object.entries(model.tags).map(([name, [low, high]]) => [
        name,
        typeof low === "string" ? low : (low + high) / 2,
      ]),
    );
    this.hasVelocity = model.conditions.includes("velocity");
    this.seed = 0;
    this.nNotes = 0;
    this.turn = 0; // slot that may change next
    this.bend = 0;
    this.modulation = 0;
    this.pressure = 0;
    this.volume = 1;
    this.expression = 1;
    this.sustain = false;
    this.smoothing = 1 - Math.exp(-1 / (SMOOTHING_SECONDS * sampleRate));
    this.gain = 1;
  }

  /** Voices that sound. */
  get nVoices() {
    return this.slots.filter(({ state }) => state !== "free").length;
  }

  /** Take a message of the page or a host. */
  handle(message) {
    const { type } = message;
    if (!Object.hasOwn(HANDLERS, type)) throw new Error(`message ${type}: unknown`);
    for (const name of NUMBERS[type] ?? []) {
      if (!Number.isFinite(message[name])) {
        throw new Error(`message ${type}: ${name} is ${message[name]}; expected a number`);
      }
    }
    HANDLERS[type].call(this, message);
  }

  /** Write the next samples, Float32Array of any length. */
  process(out) {
    for (let from = 0; from < out.length; from += CHUNK) {
      const n = Math.min(CHUNK, out.length - from);
      this.processChunk(out, from, n);
    }
  }

  processChunk(out, from, n) {
    const { mix, own, slots } = this;
    mix.fill(0, 0, n);
    this.changeOne();
    for (const slot of slots) {
      if (slot.state === "free") continue;
      if (!slot.add(mix, n, own)) this.free(slot);
    }
    if (!Number.isFinite(mix[0] + mix[n - 1])) {
      this.post({ type: "error", message: "latents: too far out, no finite sound" });
      slots.filter(({ state }) => state !== "free").forEach((slot) => this.free(slot));
      mix.fill(0, 0, n);
    }
    const target = this.volume * this.expression * dbToAmplitude(PRESSURE_DB * this.pressure);
    for (let i = 0; i < n; i++) {
      this.gain += (target - this.gain) * this.smoothing;
      out[from + i] = this.gain * mix[i];
    }
  }

  /** Give one voice the latent and tags that its key has now; voices take turns. */
  changeOne() {
    const { slots } = this;
    for (let i = 0; i < slots.length; i++) {
      const slot = slots[this.turn];
      this.turn = (this.turn + 1) % slots.length;
      if (slot.isChanged && (slot.state === "held" || slot.state === "released")) {
        slot.isChanged = false;
        slot.voice.change({ ...slot.request, ...this.sound(slot.request.key) });
        return;
      }
    }
  }

  free(slot, stolen = false) {
    slot.state = "free";
    this.post({ type: "note", note: slot.request.key, on: false, stolen });
  }

  /** What a key has of its own; a host may have keys above 127, for more pads than those of MIDI. */
  ownSound(key) {
    if (!this.sounds.has(key)) this.sounds.set(key, {});
    return this.sounds.get(key);
  }

  /** Latent, tags and label (index) of a key. */
  sound(key) {
    const { z = this.z, tags = this.tags } = this.sounds.get(key) ?? {};
    const names = this.model.tags.label ?? this.model.classes.map(({ name }) => name);
    const label = this.labels.get(key) ?? Math.max(0, names.indexOf(tags.label));
    return { z, tags, label };
  }

  /** Whether a key is a hi-hat: by General MIDI, or above its keys by the class. */
  isHihat({ key, label }) {
    if (!this.isKit) return false;
    const keys = key < 128 ? [key] : (this.model.classes[label]?.keys ?? []);
    return keys.length > 0 && keys.every((own) => HIHAT.includes(own));
  }

  noteOn(key, velocity) {
    if (this.isKit && this.labels.size && !this.sounds.has(key)) return;
    const sound = this.sound(key);
    const isSostenuto = this.slots.some((slot) => slot.isSostenuto && slot.request.key === key);
    const sounding = this.slots.filter(({ state }) => state === "held" || state === "released");
    for (const slot of sounding) {
      const isChoked = this.isHihat({ key, ...sound }) && this.isHihat(slot.request);
      if (isChoked || (slot.request.key === key && !this.isKit)) slot.fadeOut(RETRIGGER_SECONDS);
    }
    const left = sounding.filter(({ state }) => state !== "fading");
    if (left.length >= N_VOICES) {
      left.reduce((a, b) => (b.weight < a.weight ? b : a)).fadeOut(STEAL_SECONDS);
    }
    const slot = this.freeSlot();
    const amount = Math.max(1, 127 * velocity);
    const request = {
      key,
      pitch: this.isKit ? 0 : key,
      velocity: this.hasVelocity ? amount : 0,
      ...sound,
    };
    const next = (Math.imul(this.seed + 1, 0x9e3779b1) + this.nNotes++) | 0;
    const seed = this.sounds.get(key)?.seed ?? next;
    slot.begin(request, seed, this.hasVelocity ? 1 : (amount / 127) ** 2);
    slot.isSostenuto = isSostenuto;
    const { voice } = slot;
    voice.bendAt = (t) => {
      const depth = VIBRATO_SEMITONES * this.modulation;
      return this.bend + (depth && depth * Math.sin(2 * Math.PI * VIBRATO_HZ * t));
    };
    if (this.isKit) {
      const seconds = DRUM_RINGING * this.model.seconds;
      if (!this.model.generator.rings_out) voice.noteOff = seconds - this.model.release_seconds;
      slot.endSeconds = DRUM_END_SECONDS;
      slot.endAt = Math.round((seconds - DRUM_END_SECONDS) * this.sampleRate);
    }
    this.post({ type: "note", note: key, on: true });
  }

  /** A slot that is free; a fading one where there is none. */
  freeSlot() {
    const free = this.slots.find(({ state }) => state === "free");
    if (free) return free;
    const fading = this.slots.filter(({ state }) => state === "fading");
    const slot = fading.reduce((a, b) => (b.fade < a.fade ? b : a));
    this.free(slot, true);
    return slot;
  }

  /** Release the notes that no key and no pedal holds. */
  releaseUnheld() {
    if (this.isKit) return;
    for (const slot of this.slots) {
      const isHeld = slot.isDown || slot.isSostenuto || this.sustain;
      if (slot.state === "held" && !isHeld) slot.release(this.model.release_seconds);
    }
  }

  changeSounding(key) {
    for (const slot of this.slots) {
      if (slot.state !== "free" && (key === undefined || slot.request.key === key)) {
        slot.isChanged = true;
      }
    }
  }
}

/** What a message must hold. */
const NUMBERS = {
  noteOn: ["note", "velocity"],
  noteOff: ["note"],
  bend: ["semitones"],
  modulation: ["value"],
  pressure: ["value"],
  volume: ["value"],
  expression: ["value"],
  seed: ["value"],
};

const HANDLERS = {
  noteOn({ note, velocity }) {
    this.noteOn(note, velocity);
  },
  noteOff({ note }) {
    for (const slot of this.slots) {
      if (slot.state === "held" && slot.request.key === note) slot.isDown = false;
    }
    this.releaseUnheld();
  },
  sustain({ on }) {
    this.sustain = on;
    this.releaseUnheld();
  },
  sostenuto({ on }) {
    for (const slot of this.slots) slot.isSostenuto = on && slot.state === "held" && slot.isDown;
    this.releaseUnheld();
  },
  bend({ semitones }) {
    this.bend = semitones;
  },
  modulation({ value }) {
    this.modulation = value;
  },
  pressure({ value }) {
    this.pressure = value;
  },
  volume({ value }) {
    this.volume = value;
  },
  expression({ value }) {
    this.expression = value;
  },
  latents({ values, note }) {
    const z = Float32Array.from(values);
    const { size } = this.model.latents;
    if (z.length !== size || !z.every(Number.isFinite)) {
      throw new Error(`message latents: expected ${size} numbers`);
    }
    if (note === undefined) {
      this.z = z;
      for (const own of this.sounds.values()) own.z = z;
    } else {
      this.ownSound(note).z = z;
    }
    this.changeSounding(note);
  },
  tags({ values, note }) {
    const tags = { ...this.tags, ...values };
    if (note === undefined) this.tags = tags;
    else this.ownSound(note).tags = tags;
    this.changeSounding(note);
  },
  seed({ value, note }) {
    if (note !== undefined) {
      this.ownSound(note).seed = value;
    } else {
      this.seed = value;
      this.nNotes = 0;
    }
  },
  allOff({ now }) {
    this.sustain = false;
    for (const slot of this.slots) {
      slot.isDown = slot.isSostenuto = false;
      if (slot.state === "free") continue;
      if (now) slot.fadeOut(STEAL_SECONDS);
      else if (this.isKit && slot.state !== "fading") slot.fadeOut(DRUM_END_SECONDS);
    }
    this.releaseUnheld();
  },
};
