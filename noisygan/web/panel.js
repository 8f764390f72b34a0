// The sound's name and seed, sliders, the morph, load and live output.

import { lastSamples, onMessage } from "./audio.js";
import { bend, control, controllers } from "./controllers.js";
import { clamp, find, noteName, say } from "./dom.js";
import { between } from "./latents.js";
import { silence, sounding } from "./notes.js";
import { showOutput } from "./scope.js";
import { current, isKit, model, onChange, pitches, seeds, setTags, shape, state, take } from "./sound.js";
import { directionSlider, slider, tagWidgets } from "./widgets.js";

let widgets = [];
let share = 0; // of the way from A to B

const percent = (value) => `${Math.round(100 * value)} %`;

function playing() {
  const wheel = slider({
    name: "Pitch bend", low: -1, high: 1, step: 0.01, words: ["lower", "higher"],
    value: () => controllers.wheel, set: bend, write: (share) => ((share * controllers.bendCents) / 100).toFixed(2),
  });
  // It springs back as a wheel does.
  for (const type of ["pointerup", "pointercancel", "focusout"]) wheel.addEventListener(type, () => bend(0));
  const level = (title, name, words) => slider({
    name: title, low: 0, high: 1, step: 0.01, words, write: percent, value: () => controllers[name], set: (value) => control(name, value),
  });
  const velocity = slider({
    name: "Velocity of keys", low: 1, high: 127, step: 1, words: ["soft", "hard"], write: Math.round,
    value: () => state.velocity, set: (value) => { state.velocity = value; },
  });
  const setTag = (name, value) => setTags({ ...state.tags, [name]: value });
  return [
    velocity,
    level("Volume", "volume", ["silent", "full"]),
    ...(isKit ? [] : [wheel, level("Vibrato", "modulation", ["none", "deep"])]),
    ...tagWidgets(model.tags, (name) => state.tags[name], setTag, () => {}),
  ];
}

const directions = () => model.latents.directions.map((direction, i) => directionSlider({
  direction, names: model.latents.names[i] ?? [`colour ${i + 1}`, "less", "more"], z: () => current().z, shape,
}));

function morph() {
  const go = (value) => {
    share = value;
    shape({ z: between(...state.ends, value) }, "Morph");
  };
  return slider({ name: "From A to B", low: 0, high: 1, step: 0.01, words: ["A", "B"], write: percent, value: () => share, set: go });
}

function describe() {
  const { title, seed, name } = current();
  const facts = [...(isKit ? [name] : []), title];
  if (!isKit) facts.push(`${noteName(pitches[0])} – ${noteName(pitches[1])}`);
  facts.push(`hybrid, ${(model.sample_rate / 1000).toFixed(1)} kHz`);
  find("facts").textContent = facts.join(" · ");
  if (document.activeElement !== find("seed")) find("seed").value = seed ?? "";
}

function showNotes() {
  find("active").textContent = [...sounding.keys()].sort((a, b) => a - b).map(nameOf).join(" ");
}
const nameOf = (note) => (isKit ? state.sounds.find(({ keys }) => keys.includes(note))?.name ?? note : noteName(note));

function showLoad({ value, voices }) {
  find("meter").value = clamp(value, 0, 1);
  find("load").textContent = `Load ${percent(value)} · ${voices} ${voices === 1 ? "voice" : "voices"}`;
}

function chooseSeed() {
  const seed = Number(find("seed").value);
  if (find("seed").value && seeds[seed]) take(seed);
  else {
    say(`This instrument holds the seeds 0 to ${seeds.length - 1}`);
    find("seed").value = current().seed ?? "";
  }
}

export function setUp() {
  document.title = `${model.name}, a noisygan instrument`;
  find("name").textContent = model.name;
  find("seed").max = seeds.length - 1;
  find("seed").onchange = chooseSeed;
  find("dice").onclick = () => {
    const others = seeds.length - 1;
    // Any but the current one.
    take((Math.max(current().seed ?? 0, 0) + 1 + Math.floor(Math.random() * others)) % seeds.length);
  };
  find("silence").onclick = () => silence();
  for (const [id, made] of Object.entries({ playing: playing(), morph: [morph()], directions: directions() })) {
    find(id).replaceChildren(...made);
    widgets = [...widgets, ...made];
  }
  for (const button of document.querySelectorAll("[data-store]")) {
    button.onclick = () => {
      state.ends[Number(button.dataset.store)] = [...current().z];
      say(`${current().title} is at ${button.textContent}`);
    };
  }
  onMessage((message) => {
    if (message.type === "load") showLoad(message);
    if (message.type === "error") say(message.message);
  });
  onChange((reason) => {
    if (reason === "notes") return showNotes();
    describe();
    widgets.forEach((widget) => widget.refresh());
  });
  describe();
  showOutput(lastSamples);
}
