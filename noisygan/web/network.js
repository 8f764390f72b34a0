// Networks from a latent to curves over time, as `cppn` in Python.
//
// A network is built once; `begin(latent)` computes what is constant in a note, and `at` evaluates
// the note's curves at a time.

import { Dense } from "./dense.js";
import { sigmoid } from "./units.js";

const TAU = 2 * Math.PI;

/** Activations of h[from .. to), in place. Separate loops let the compiler inline each function. */
export const ACTIVATIONS = {
  sin(h, from, to) {
    for (let k = from; k < to; k++) h[k] = Math.sin(h[k]);
  },
  cos(h, from, to) {
    for (let k = from; k < to; k++) h[k] = Math.cos(h[k]);
  },
  gaussian(h, from, to) {
    for (let k = from; k < to; k++) h[k] = Math.exp(-h[k] * h[k]);
  },
  tanh(h, from, to) {
    for (let k = from; k < to; k++) h[k] = Math.tanh(h[k]);
  },
  sigmoid(h, from, to) {
    for (let k = from; k < to; k++) h[k] = sigmoid(h[k]);
  },
  abs(h, from, to) {
    for (let k = from; k < to; k++) h[k] = Math.abs(h[k]);
  },
  leaky_relu(h, from, to) {
    for (let k = from; k < to; k++) if (h[k] < 0) h[k] *= 0.2;
  },
  linear() {},
};

/**
 * Coordinates: {size, begin(latent), write(t, progress, sinceOff, note, out, at)}; progress: t that
 * stops while a note is held long; sinceOff: 0 before the note-off.
 */
const COORDINATES = {
  linear: ({ seconds }) => ({
    size: 1,
    write(t, progress, sinceOff, note, out, at) {
      out[at] = (2 * progress) / seconds - 1;
    },
  }),

  attack: ({ time_constants: constants }) => ({
    size: constants.length,
    write(t, progress, sinceOff, note, out, at) {
      for (const constant of constants) out[at++] = -Math.expm1(-progress / constant);
    },
  }),

  release: ({ time_constants: constants, ramp_seconds: ramp }) => ({
    size: constants.length + 1,
    write(t, progress, sinceOff, note, out, at) {
      for (const constant of constants) out[at++] = -Math.expm1(-sinceOff / constant);
      out[at] = Math.min(sinceOff / ramp, 1);
    },
  }),

  periodic: ({ rates_hz: rates }) => ({
    size: 2 * rates.length,
    write(t, progress, sinceOff, note, out, at) {
      rates.forEach((rate, i) => {
        out[at + i] = Math.sin(TAU * progress * rate);
        out[at + rates.length + i] = Math.cos(TAU * progress * rate);
      });
    },
  }),

  vibrato(spec, tensors) {
    const { n, min_hz: low, max_hz: high, fade_seconds: fadeSeconds } = spec;
    const [rate, phase, depth] = [spec.rate, spec.phase, spec.depth].map(
      (each) => new Dense(each, tensors),
    );
    return {
      size: 4 * n,
      begin(latent) {
        const [r, p, d] = [rate, phase, depth].map((layer) => {
          const out = layer.outputs();
          layer.apply(latent, out);
          return out;
        });
        return Array.from({ length: n }, (_, i) => ({
          turn: TAU * (low + (high - low) * sigmoid(r[i])),
          start: Math.atan2(p[n + i], p[i] + 1e-6),
          depth: 2 * sigmoid(d[i]),
        }));
      },
      write(t, progress, sinceOff, note, out, at) {
        const fade = -Math.expm1(-t / fadeSeconds);
        note.forEach(({ turn, start, depth: own }, i) => {
          const sine = own * Math.sin(turn * t + start);
          const cosine = own * Math.cos(turn * t + start);
          out[at + i] = sine;
          out[at + n + i] = cosine;
          out[at + 2 * n + i] = sine * fade;
          out[at + 3 * n + i] = cosine * fade;
        });
      },
    };
  },
};

/** Network over time coordinates; the latent gives a shift and a gain to each hidden unit. */
class CPPN {
  constructor(spec, tensors) {
    this.coordinates = spec.coordinates.map((each) => COORDINATES[each.type](each, tensors));
    this.layers = spec.layers.map((layer) => ({
      hidden: new Dense(layer.hidden, tensors),
      shift: new Dense(layer.shift, tensors),
      gain: new Dense(layer.gain, tensors),
    }));
    this.output = new Dense(spec.outputs, tensors);
    this.size = this.output.nOut;
    const n = spec.activations.length;
    const units = this.layers[0].hidden.nOut;
    this.parts = spec.activations.map((name, i) => ({
      activation: ACTIVATIONS[name],
      from: Math.floor((units * i) / n),
      to: Math.floor((units * (i + 1)) / n),
    }));
    this.nPlace = this.coordinates.reduce((sum, each) => sum + each.size, 0);
    this.place = new Float64Array(this.nPlace);
    this.h = [0, 1].map(() => new Float64Array(units + this.nPlace));
    this.units = units;
  }

  begin(latent) {
    return {
      coordinates: this.coordinates.map((each) => each.begin?.(latent)),
      layers: this.layers.map(({ shift, gain }) => {
        const own = { shift: shift.outputs(), gain: gain.outputs() };
        shift.apply(latent, own.shift);
        gain.apply(latent, own.gain);
        return own;
      }),
    };
  }

  /** Write the curves at t seconds into out; see COORDINATES. */
  at(t, progress, sinceOff, note, out) {
    const { place, units } = this;
    let at = 0;
    this.coordinates.forEach((each, i) => {
      each.write(t, progress, sinceOff, note.coordinates[i], place, at);
      at += each.size;
    });
    let x = place;
    let h = this.h[0];
    this.layers.forEach(({ hidden }, i) => {
      const { shift, gain } = note.layers[i];
      h = this.h[i % 2];
      hidden.apply(x, h);
      for (let k = 0; k < units; k++) h[k] = h[k] * (1 + gain[k]) + shift[k];
      for (const { activation, from, to } of this.parts) activation(h, from, to);
      x = h;
    });
    h.set(place, units);
    this.output.apply(h, out);
  }
}

/** Falling pitch of struck membranes: end + sum of rise exp(-t / constant), in semitones. */
class PitchSweep {
  constructor(spec, tensors) {
    Object.assign(this, spec);
    this.layers = ["end", "rises", "times"].map((name) => new Dense(spec[name], tensors));
    this.size = 1;
  }

  begin(latent) {
    const [end, rises, times] = this.layers.map((layer) => {
      const out = layer.outputs();
      layer.apply(latent, out);
      return out;
    });
    const { max_end: maxEnd, max_rise: maxRise, min_seconds: low, max_seconds: high } = this;
    const falls = this.place.map((place, i) => ({
      rise: maxRise * sigmoid(rises[i]),
      constant: low * (high / low) ** sigmoid(times[i] + Math.log(place / (1 - place))),
    }));
    return { end: maxEnd * Math.tanh(end[0] / 3), falls };
  }

  at(t, progress, sinceOff, note, out) {
    let sum = note.end;
    for (const { rise, constant } of note.falls) sum += rise * Math.exp(-t / constant);
    out[0] = sum;
  }
}

const CURVES = { cppn: CPPN, sweep: PitchSweep };

/** A network of curves of an exported model. */
export function makeCurve(spec, tensors) {
  return new CURVES[spec.type](spec, tensors);
}
