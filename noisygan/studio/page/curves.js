// The curves of a sound, to look at and to draw on.
//
// What is drawn is kept as a difference from the generator's own curve, so it stays when the latent or
// the note changes. The server lays it upon the controls and sends back the curves as they are then.

import { clamp, colours, dragging, find, fitted, keepDrawn, make, noteName, place } from "./web/dom.js";
import { current, listen, onChange, onSound, remember, run, shape, state } from "./store.js";

const N_POINTS = 128;
const octaves = (hz) => 12 * Math.log2(hz / 440) + 69;
const asDb = (value) => `${value.toFixed(1)} dB`;

const CHARTS = [
  { title: "Pitch", edit: "f0_semitones", curve: "f0_hz", read: octaves, unit: "semitones", limit: 48, step: 0.1 },
  { title: "Loudness", edit: "loudness_db", curve: "loudness_db", low: -90, high: 6, limit: 60, step: 1 },
  { title: "Harmonics", edit: "harmonic_db", curve: "harmonic_db", low: -90, high: 6, limit: 60, step: 1 },
  { title: "Noise", edit: "noise_db", curve: "noise_db", low: -100, high: 0, limit: 60, step: 1 },
  { title: "Each harmonic", edit: "harmonics_db", curve: "harmonics_db", low: -90, high: 0, limit: 60, step: 1, bars: true },
];
const REACHES = [0.5, 2, 12];

class Chart {
  constructor(settings) {
    Object.assign(this, settings);
    this.values = null; // as the server made them, with what was drawn
    this.cursor = 0.5;
    this.reach = 1;
    this.last = null;
    this.canvas = make("canvas", { tabIndex: 0, role: "slider", "aria-label": `${this.title} curve`, "aria-description": "Left and right choose a moment, up and down draw there, Delete erases" });
    this.value = make("span");
    const head = make("div", { className: "curve-head" }, make("b", { textContent: this.title }), this.value);
    if (this.read) {
      this.zoom = make("button", { type: "button", className: "plain" });
      this.zoom.onclick = () => { this.reach = (this.reach + 1) % REACHES.length; this.draw(); };
      head.append(this.zoom);
    }
    this.erase = make("button", { type: "button", className: "plain", textContent: "Erase", "aria-label": `Erase what is drawn on ${this.title}` });
    this.erase.onclick = () => this.clear();
    head.append(this.erase);
    this.element = make("div", { className: this.bars ? "curve across" : "curve" }, head, this.canvas);
    dragging(this.canvas, (event, isFirst) => this.byPointer(event, isFirst), () => this.done());
    this.canvas.addEventListener("keydown", (event) => this.byKey(event));
    this.canvas.addEventListener("keyup", (event) => { if (event.key.startsWith("Arrow")) this.done(); });
    keepDrawn(this.canvas, () => this.draw());
  }

  get drawn() {
    return current().edits[this.edit];
  }

  /** Number of points of what is drawn. */
  get n() {
    return this.bars ? this.values.length : N_POINTS;
  }

  bounds() {
    if (!this.read) return [this.low, this.high];
    const own = [...this.values].sort((a, b) => a - b)[this.values.length >> 1];
    const middle = run().conditions.includes("pitch") ? state().pitch : own;
    return [middle - REACHES[this.reach], middle + REACHES[this.reach]];
  }

  show(curves) {
    const values = curves?.[this.curve];
    this.element.hidden = !values;
    if (!values) return;
    this.values = this.read ? values.map(this.read) : values;
    this.draw();
  }

  at(share) {
    const i = this.bars ? Math.min(this.values.length - 1, Math.floor(share * this.values.length)) : Math.round(share * (this.values.length - 1));
    return this.values[i];
  }

  draw() {
    const { pen, width, height } = fitted(this.canvas);
    if (!this.values || !width) return;
    const theme = colours(), [low, high] = this.bounds();
    const y = (value) => height * (1 - (value - low) / (high - low));
    pen.strokeStyle = theme.rule;
    pen.fillStyle = theme.soft;
    pen.font = "11px system-ui, sans-serif";
    pen.lineWidth = 1;
    for (let k = 1; k < 4; k++) {
      const value = low + ((high - low) * k) / 4;
      pen.beginPath();
      pen.moveTo(0, y(value));
      pen.lineTo(width, y(value));
      pen.stroke();
      const text = this.read ? (Math.abs(value - Math.round(value)) < 0.01 ? noteName(Math.round(value)) : "") : `${Math.round(value)} dB`;
      pen.textAlign = "right";
      pen.fillText(text, width - 6, y(value) - 4);
    }
    pen.fillStyle = pen.strokeStyle = theme.accent;
    if (this.bars) {
      const wide = width / this.values.length;
      this.values.forEach((value, i) => {
        const top = clamp(y(value), 0, height);
        pen.fillRect(i * wide + wide * 0.14, top, Math.max(1, wide * 0.72), height - top);
      });
    } else {
      pen.lineWidth = 2.2;
      pen.lineJoin = "round";
      pen.beginPath();
      this.values.forEach((value, i) => pen.lineTo((i / Math.max(1, this.values.length - 1)) * width, clamp(y(value), -20, height + 20)));
      pen.stroke();
    }
    if (document.activeElement === this.canvas) {
      pen.strokeStyle = theme.ink;
      pen.globalAlpha = 0.5;
      pen.lineWidth = 1;
      pen.beginPath();
      pen.moveTo(this.cursor * width, 0);
      pen.lineTo(this.cursor * width, height);
      pen.stroke();
      pen.globalAlpha = 1;
    }
    this.tellValue();
  }

  tellValue() {
    const value = this.at(this.cursor);
    const text = this.read ? `${noteName(Math.round(value))} ${Math.round(100 * (value - Math.round(value)))} cents` : asDb(value);
    this.value.textContent = this.drawn ? "drawn" : "";
    this.erase.hidden = !this.drawn;
    if (this.zoom) this.zoom.textContent = `± ${REACHES[this.reach]} semitones`;
    const [low, high] = this.bounds();
    this.canvas.setAttribute("aria-valuemin", low);
    this.canvas.setAttribute("aria-valuemax", high);
    this.canvas.setAttribute("aria-valuenow", value.toFixed(2));
    this.canvas.setAttribute("aria-valuetext", `${text} at ${Math.round(100 * this.cursor)} percent`);
  }

  /** Adds to what is drawn: change(share) is the difference to be added there. */
  add(change) {
    const edits = { ...current().edits };
    const points = edits[this.edit] ? [...edits[this.edit]] : new Array(this.n).fill(0);
    const before = [...points];
    for (let i = 0; i < points.length; i++) {
      const share = this.bars ? (i + 0.5) / points.length : i / (points.length - 1);
      points[i] = Math.round(1000 * clamp(points[i] + change(share, i), -this.limit, this.limit)) / 1000;
    }
    edits[this.edit] = points;
    // At once in the picture; the server's curves follow.
    this.values = this.values.map((value, i) => {
      const at = this.bars ? i : (i / Math.max(1, this.values.length - 1)) * (points.length - 1);
      const low = Math.floor(at), high = Math.min(points.length - 1, low + 1), share = at - low;
      const by = (list) => (1 - share) * (list[low] ?? 0) + share * (list[high] ?? 0);
      return value + by(points) - by(before);
    });
    shape({ edits, seed: current().seed });
    this.draw();
  }

  byPointer(event, isFirst) {
    if (!this.values) return;
    const [x, up] = place(event, this.canvas), [low, high] = this.bounds();
    const value = low + up * (high - low);
    const from = isFirst || !this.last ? [x, value] : this.last;
    this.last = [x, value];
    this.cursor = x;
    const [left, right] = from[0] <= x ? [from, [x, value]] : [[x, value], from];
    const half = 0.5 / (this.n - (this.bars ? 0 : 1));
    this.add((share) => {
      if (share < left[0] - half || share > right[0] + half) return 0;
      const along = right[0] > left[0] ? clamp((share - left[0]) / (right[0] - left[0]), 0, 1) : 1;
      return left[1] + along * (right[1] - left[1]) - this.at(share);
    });
  }

  byKey(event) {
    if (!this.values) return;
    const step = this.bars ? 1 / this.values.length : 0.02;
    const sideways = { ArrowLeft: -step, ArrowRight: step }[event.key];
    const upwards = { ArrowUp: 1, ArrowDown: -1, PageUp: 5, PageDown: -5 }[event.key];
    if (event.key === "Delete" || event.key === "Backspace") this.clear();
    else if (sideways) this.cursor = clamp(this.cursor + sideways, 0, 1 - (this.bars ? step / 2 : 0));
    else if (upwards) {
      const width = this.bars ? step / 2 : 0.06, size = upwards * this.step;
      this.add((share) => (this.bars
        ? Math.abs(share - (Math.floor(this.cursor / step) + 0.5) * step) < width ? size : 0
        : size * Math.exp(-0.5 * ((share - this.cursor) / width) ** 2)));
    } else return;
    event.preventDefault();
    this.draw();
  }

  done() {
    this.last = null;
    remember(`Drawn ${this.title.toLowerCase()}`);
  }

  clear() {
    const edits = { ...current().edits };
    delete edits[this.edit];
    shape({ edits, seed: current().seed });
    remember(`Erased ${this.title.toLowerCase()}`);
  }
}

export function setUp() {
  const charts = CHARTS.map((settings) => new Chart(settings));
  find("curves").append(...charts.map((chart) => chart.element));
  charts.forEach((chart) => {
    for (const type of ["focus", "blur"]) chart.canvas.addEventListener(type, () => chart.draw());
  });
  find("undraw").onclick = () => {
    shape({ edits: {}, seed: current().seed });
    remember("Erased all");
    listen();
  };
  onSound((sound) => charts.forEach((chart) => { if (chart.last === null) chart.show(sound.curves); }));
  onChange((reason) => {
    if (reason === "run") find("draw").hidden = !run().has_curves;
    if (reason === "run" || reason === "sound") find("undraw").disabled = !Object.keys(current().edits).length;
  });
}
