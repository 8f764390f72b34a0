// Sliders: the directions that matter, the note, and every number of z.

import { find } from "./web/dom.js";
import * as widgets from "./web/widgets.js";
import { current, landscape, listen, onChange, remember, run, shape, state, tell } from "./store.js";

const { REACH } = widgets;
const refreshers = [];

/** Sliders and menus of this page show each change of the sound, and are in its history. */
function kept(widget) {
  refreshers.push(widget.refresh);
  return widget;
}
const slider = ({ done, ...settings }) => kept(widgets.slider({ ...settings, done: () => remember(done ? done() : settings.name) }));

function build() {
  refreshers.length = 0;
  const facts = run(), found = landscape(), s = state();
  find("shape-hint").textContent = found ? "The directions in which this generator's sounds differ most" : "Listening to this generator for the directions that matter …";
  find("directions").replaceChildren(...(found ? found.directions : []).map((direction, i) => kept(widgets.directionSlider({
    direction, names: found.names[i], z: () => current().z, shape, done: remember,
  }))));
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
    note.push(kept(widgets.menu({
      name: "Kind", names: facts.labels, value: () => facts.labels[current().label],
      set: (name) => { current().label = facts.labels.indexOf(name); tell("sound"); listen(); remember(name); },
    })));
  }
  note.push(...widgets.tagWidgets(facts.tags, (name) => current().tags[name], (name, value) => {
    current().tags = { ...current().tags, [name]: value };
    tell("sound");
    listen();
  }, remember).map(kept));
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
