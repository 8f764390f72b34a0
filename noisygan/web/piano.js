// The keys of a piano, as the studio and web instruments draw them, and what presses keys and pads:
// pointers, typing, the focus. The source in press(note, source, velocity) and release(note, source) holds the note.

import { clamp, find, isBlack, make, noteName } from "./dom.js";

const MIN_FIRST = 12, MAX_FIRST = 96;
/** Letters of pads, in their order, as codes of typed keys. */
export const PAD_CODES = [..."ASDFGHJKZXCVBNMQWERTYUI"].map((letter) => `Key${letter}`);

/** Semitones that fit into the width of the page. */
export const range = () => (find("piano").clientWidth < 560 ? 12 : 24);

/** The key of a pitch, null where it is not drawn. */
export const key = (pitch) => find("piano").querySelector(`[data-note="${pitch}"]`);

/** A lowest key, a C, that may be drawn. */
export const bounded = (first) => Math.min(Math.max(first, MIN_FIRST), MAX_FIRST);

/** The lowest key, a C, with which a pitch is about in the middle. */
export const firstAround = (pitch) => bounded(12 * Math.floor((pitch - range() / 2 + 6) / 12));

/** Draws the keys from `first` on; those outside low to high are marked. `usual` can be tabbed to. */
export function drawKeys(first, [low, high], usual = first) {
  const piano = find("piano");
  const focused = piano.contains(document.activeElement) ? Number(document.activeElement.dataset.note) : null;
  const shown = Array.from({ length: range() + 1 }, (_, i) => first + i).filter((pitch) => pitch <= 127);
  const whites = shown.filter((pitch) => !isBlack(pitch)).length;
  let white = 0;
  const keys = shown.map((pitch) => {
    const black = isBlack(pitch), name = noteName(pitch);
    const element = make("button", {
      type: "button", tabIndex: -1, className: black ? "black" : "white", "data-note": pitch, "aria-label": name,
      textContent: !black && pitch % 12 === 0 ? name : "",
    });
    if (black) {
      element.style.setProperty("--width", `${62 / whites}%`);
      element.style.setProperty("--left", `${(100 * white) / whites - 31 / whites}%`);
    } else white++;
    if (pitch < low || pitch > high) {
      element.classList.add("beyond");
      element.title = "outside the pitches that it was trained on";
    }
    return element;
  });
  piano.replaceChildren(...keys);
  (key(focused ?? usual) ?? keys[0]).tabIndex = 0;
  if (focused !== null) (key(focused) ?? keys[0]).focus();
  find("octave").textContent = `${noteName(first)} – ${noteName(shown.at(-1))}`;
}

/** Draws a pad for each note; Enter and Space press it. */
export function drawPads(notes, press) {
  find("pads").replaceChildren(...notes.map((note, i) => {
    const letter = PAD_CODES[i] ? `${PAD_CODES[i].slice(3)} · ` : "";
    const pad = make("button", { type: "button", "data-note": note },
      make("b"), make("small", {}, make("span", { className: "wide", textContent: letter }), ""));
    // A pointer has played it already.
    pad.addEventListener("click", (event) => { if (!event.detail) press(note); });
    return pad;
  }));
}

/** Writes name and title of each pad, and which one is chosen. */
export function labelPads(labels, chosen) {
  labels.forEach(({ name, title }, i) => {
    const pad = find("pads").children[i];
    pad.setAttribute("aria-pressed", i === chosen);
    pad.setAttribute("aria-label", `${name}, ${title}`);
    pad.children[0].textContent = name;
    pad.children[1].lastChild.textContent = title;
  });
}

/** With the focus on a key: arrows go to its neighbours, Enter and Space play it. */
export function byFocus(press, release) {
  const piano = find("piano");
  let pressed = null;
  const letGo = () => {
    if (pressed !== null) release(pressed, "focus");
    pressed = null;
  };
  piano.addEventListener("keydown", (event) => {
    const pitch = Number(event.target.dataset.note);
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      if (!event.repeat) press(pressed = pitch, "focus");
    }
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const next = step && key(pitch + step);
    if (next) {
      event.preventDefault();
      event.target.tabIndex = -1;
      next.tabIndex = 0;
      next.focus();
    }
  });
  piano.addEventListener("keyup", (event) => {
    if (event.key === "Enter" || event.key === " ") letGo();
  });
  piano.addEventListener("focusout", letGo);
}

/** Whether typing belongs to the page and not to a field. */
export const isFree = (event) =>
  !event.ctrlKey && !event.metaKey && !event.altKey && !event.target.closest?.("input:not([type=range]), select, textarea");

/** How strong a pointer presses: soft at the top of a key, hard at its foot. */
function pointerVelocity(event, key) {
  const box = key.getBoundingClientRect();
  return clamp(0.3 + 0.7 * ((event.clientY - box.top) / box.height), 0.3, 1);
}

/** Pointers on the keys in an element, each finger its own; glide: moving on plays the next key. */
export function byPointer(element, glide, press, release) {
  const fingers = new Map();
  const keyUnder = ({ clientX, clientY }) => {
    const key = document.elementFromPoint(clientX, clientY)?.closest("[data-note]");
    return element.contains(key) ? key : null;
  };
  const source = (event) => `pointer ${event.pointerId}`;
  const begin = (event, key) => {
    const note = Number(key.dataset.note);
    fingers.set(event.pointerId, note);
    press(note, source(event), pointerVelocity(event, key));
  };
  const end = (event) => {
    if (fingers.has(event.pointerId)) release(fingers.get(event.pointerId), source(event));
    fingers.delete(event.pointerId);
  };
  element.addEventListener("pointerdown", (event) => {
    const key = keyUnder(event);
    if (event.button || !key) return;
    element.setPointerCapture(event.pointerId);
    begin(event, key);
  });
  element.addEventListener("pointermove", (event) => {
    const key = glide && fingers.has(event.pointerId) && keyUnder(event);
    if (!key || Number(key.dataset.note) === fingers.get(event.pointerId)) return;
    end(event);
    begin(event, key);
  });
  for (const type of ["pointerup", "pointercancel"]) element.addEventListener(type, end);
  // Without the focus on a clicked key, Space stays the page's.
  element.addEventListener("mousedown", (event) => {
    event.preventDefault();
    document.activeElement?.blur();
  });
}

/** After Enter in a field, a choice from a menu by pointer and a click on a button, keys are the page's. */
export function dropFocus() {
  let menu = null;
  document.addEventListener("pointerdown", ({ target }) => { menu = target.closest?.("select"); });
  document.addEventListener("change", ({ target }) => { if (target === menu) target.blur(); });
  document.addEventListener("keydown", ({ key, target }) => { if (key === "Enter" && target.closest?.("input")) target.blur(); });
  document.addEventListener("click", ({ detail, target }) => { if (detail) target.closest("button")?.blur(); });
}

/** Typed keys: noteOf(code) is undefined where one plays nothing. */
export function byTyping(noteOf, press, release) {
  const typed = new Map(); // code -> note
  const letGo = (code) => {
    if (typed.has(code)) release(typed.get(code), code);
    typed.delete(code);
  };
  document.addEventListener("keydown", (event) => {
    const note = event.repeat || !isFree(event) ? undefined : noteOf(event.code);
    if (note === undefined) return;
    typed.set(event.code, note);
    press(note, event.code);
  });
  document.addEventListener("keyup", (event) => letGo(event.code));
  // Released elsewhere, a key sends no keyup.
  window.addEventListener("blur", () => [...typed.keys()].forEach(letGo));
}
