// Sliders: the directions that matter, the note, and every number of z.

import { clamp, find, make } from "./dom.js";
import { current, landscape, listen, onChange, remember, run, shape, state, tell } from "./store.js";

const REACH = 3.5;
const refreshers = [];

/** A labelled slider. value() is what it shows, set(value) is called while it is moved. */
function slider({ name, low, high, step, value, set, words, write = (v) => v.toFixed(2), done }) {
  const output = make("output");
  const input = make("input", { type: "range", min: low, max: high, step, "aria-label": name });
  const label = make("label", { className: "slider" }, make("span", { textContent: name }), output, input);
  if (words) label.append(make("small", { textContent: words[0] }), make("small", { textContent: words[1] }));
  const refresh = () => {
    const now = clamp(value(), low, high);
    input.value = now;
    output.textContent = write(value());
    const share = (v) => (100 * (v - low)) / (high - low);
    const zero = low < 0 ? 0 : low;
    input.style.setProperty("--from", `${share(Math.min(now, zero))}%`);
    input.style.setProperty("--to", `${share(Math.max(now, zero))}%`);
  };
  input.addEventListener("input", () => { set(Number(input.value)); refresh(); });
  input.addEventListener("change", () => remember(done ? done() : name));
  input.addEventListener("dblclick", () => { if (low < 0) { set(0); refresh(); remember(name); } });
  refreshers.push(refresh);
  refresh();
  return label;
}

const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);

/** The current latent moved along a direction until it lies at a value on it. */
export function movedTo(z, direction, value) {
  const step = value - dot(z, direction);
  return z.map((number, i) => number + step * direction[i]);
}

export const along = (z, direction) => dot(z, direction);

const capital = (word) => word[0].toUpperCase() + word.slice(1);

/** A labelled menu of names. value() is the chosen one, set(name) is called when another is chosen. */
function menu({ name, names, value, set }) {
  const choice = make("select", { "aria-label": name }, ...names.map((each) => make("option", { value: each, textContent: each })));
  choice.onchange = () => { set(choice.value); tell("sound"); listen(); remember(choice.value); };
  refreshers.push(() => { choice.value = value(); });
  return make("label", { className: "slider" }, make("span", { textContent: name }), choice);
}

function build() {
  refreshers.length = 0;
  const facts = run(), found = landscape(), s = state();
  find("shape-hint").textContent = found ? "The directions in which this generator's sounds differ most" : "Listening to this generator for the directions that matter …";
  find("directions").replaceChildren(...(found ? found.directions : []).map((direction, i) => {
    const [name, less, more] = found.names[i];
    return slider({
      name: capital(name), low: -REACH, high: REACH, step: 0.05, words: [less, more],
      value: () => dot(current().z, direction),
      set: (value) => shape({ z: movedTo(current().z, direction, value) }, `${capital(name)} ${value.toFixed(1)}`),
    });
  }));
  const note = [];
  if (facts.conditions.includes("velocity")) {
    note.push(slider({
      name: "Velocity", low: 1, high: 127, step: 1, words: ["soft", "hard"], write: (v) => Math.round(v),
      value: () => s.velocity, set: (value) => { s.velocity = value; tell("note"); listen(); },
    }));
  }
  if (facts.has_length) {
    note.push(slider({
      name: "Length", low: 0.25, high: 8, step: 0.05, words: ["short", "long"], write: (v) => `${v.toFixed(2)} s`,
      value: () => s.seconds, set: (value) => { s.seconds = value; tell("note"); listen(); },
    }));
  }
  if (facts.labels.length) {
    note.push(menu({
      name: "Kind", names: facts.labels,
      value: () => facts.labels[current().label], set: (name) => { current().label = facts.labels.indexOf(name); },
    }));
  }
  for (const [name, values] of Object.entries(facts.tags)) {
    const value = () => current().tags[name];
    const set = (chosen) => { current().tags = { ...current().tags, [name]: chosen }; };
    const [low, high] = values;
    note.push(typeof low === "string" ? menu({ name, names: values, value, set }) : slider({
      name, low, high, step: (high - low) / 200 || 1, value, write: (v) => String(Number(v.toPrecision(3))),
      set: (chosen) => { set(clamp(chosen, low, high)); tell("sound"); listen(); },
    }));
  }
  find("note").replaceChildren(...note);
  find("note-title").hidden = !note.length;
  find("n-dims").textContent = facts.latent_dim;
  find("dims").replaceChildren(...current().z.map((_, i) => slider({
    name: `z${i + 1}`, low: -REACH, high: REACH, step: 0.05,
    value: () => current().z[i],
    set: (value) => shape({ z: current().z.with(i, value) }, `z${i + 1} ${value.toFixed(1)}`),
  })));
  refreshers.forEach((refresh) => refresh());
}

export function setUp() {
  onChange((reason) => {
    if (reason === "run" || reason === "landscape") build();
    else if (reason === "sound" || reason === "note") refreshers.forEach((refresh) => refresh());
  });
}
