// Sliders and menus with their names; refresh() of one shows its value as it is now.

import { clamp, make } from "./dom.js";
import { along, movedTo } from "./latents.js";

export const REACH = 3.5; // of sliders of latents

/** A labelled slider. value() is what it shows, set(value) is called while it is moved, done() after. */
export function slider({ name, low, high, step, value, set, words, write = (v) => v.toFixed(2), done = () => {} }) {
  const output = make("output", { "aria-live": "off" }); // the slider itself says its value
  const input = make("input", { type: "range", min: low, max: high, step, "aria-label": name });
  const label = make("label", { className: "slider" }, make("span", { textContent: name }), output, input);
  if (words) label.append(make("small", { textContent: words[0] }), make("small", { textContent: words[1] }));
  label.refresh = () => {
    const now = clamp(value(), low, high);
    input.value = now;
    output.textContent = write(value());
    input.setAttribute("aria-valuetext", output.textContent);
    const share = (v) => (100 * (v - low)) / (high - low);
    const zero = low < 0 ? 0 : low;
    input.style.setProperty("--from", `${share(Math.min(now, zero))}%`);
    input.style.setProperty("--to", `${share(Math.max(now, zero))}%`);
  };
  input.addEventListener("input", () => { set(Number(input.value)); label.refresh(); });
  input.addEventListener("change", () => done());
  input.addEventListener("dblclick", () => { if (low < 0) { set(0); label.refresh(); done(); } });
  label.refresh();
  return label;
}

/** A slider along a direction of the latent z(); its names are those of the direction, of less and of more. */
export function directionSlider({ direction, names: [word, ...words], z, shape, done }) {
  const name = word[0].toUpperCase() + word.slice(1);
  return slider({
    name, low: -REACH, high: REACH, step: 0.05, words, value: () => along(z(), direction), done: () => done?.(name),
    set: (value) => shape({ z: movedTo(z(), direction, value) }, `${name} ${value.toFixed(1)}`),
  });
}

/** A labelled menu of names. value() is the chosen one, set(name) is called when another is chosen. */
export function menu({ name, names, value, set }) {
  const choice = make("select", { "aria-label": name }, ...names.map((each) => make("option", { value: each, textContent: each })));
  choice.onchange = () => set(choice.value);
  const label = make("label", { className: "slider" }, make("span", { textContent: name }), choice);
  label.refresh = () => { choice.value = value(); };
  label.refresh();
  return label;
}

/** A menu or a slider for each tag: names, or a lowest and a highest number. done(name) follows set(name, value). */
export function tagWidgets(tags, valueOf, set, done) {
  return Object.entries(tags).map(([name, values]) => {
    const value = () => valueOf(name), [low, high] = values;
    if (typeof low === "string") return menu({ name, names: values, value, set: (chosen) => { set(name, chosen); done(name); } });
    return slider({
      name, low, high, step: (high - low) / 200 || 1, value, write: (v) => String(Number(v.toPrecision(3))),
      set: (chosen) => set(name, clamp(chosen, low, high)), done: () => done(name),
    });
  });
}

/** Tags of strings, as a link has them; `usual` where they lack a tag or it is not among the values. */
export function knownTags(tags, usual, found) {
  const known = { ...usual };
  for (const [name, values] of Object.entries(tags)) {
    if (typeof values[0] === "string") known[name] = values.includes(found[name]) ? found[name] : known[name];
    else if (Number.isFinite(Number(found[name] ?? NaN))) known[name] = clamp(Number(found[name]), ...values);
  }
  return known;
}
