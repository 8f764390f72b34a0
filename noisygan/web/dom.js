// Small helpers for elements and canvases.

export const find = (id) => document.getElementById(id);

/** An element with properties (aria and data ones by their attribute's name) and children. */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-") || name === "role") element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children);
  return element;
}

export const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

/** A canvas fitted to its size on the screen; drawing is in CSS pixels. */
export function fitted(canvas) {
  const { width, height } = canvas.getBoundingClientRect();
  const ratio = Math.min(window.devicePixelRatio || 1, 2);
  const wide = Math.max(1, Math.round(width * ratio)), high = Math.max(1, Math.round(height * ratio));
  if (canvas.width !== wide || canvas.height !== high) [canvas.width, canvas.height] = [wide, high];
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  return { pen, width, height };
}

/** The theme's colours as they are now. */
export function colours() {
  const style = getComputedStyle(document.documentElement);
  const names = ["paper", "card", "ink", "soft", "rule", "hush", "accent"];
  return Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

/** [r, g, b] of a colour written as #rrggbb. */
export const channels = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

/** Calls draw when the canvas gets another size or the theme changes. */
export function keepDrawn(canvas, draw) {
  new ResizeObserver(draw).observe(canvas);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
}

/** Where a pointer is on an element: [x, y] in 0 .. 1, y upwards. */
export function place(event, element) {
  const box = element.getBoundingClientRect();
  return [
    clamp((event.clientX - box.left) / box.width, 0, 1),
    clamp(1 - (event.clientY - box.top) / box.height, 0, 1),
  ];
}

/** Calls move(event, isFirst) while a pointer is held on an element, and end() when it is let go. */
export function dragging(element, move, end) {
  let held = null;
  element.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    held = event.pointerId;
    element.setPointerCapture(held);
    move(event, true);
  });
  element.addEventListener("pointermove", (event) => event.pointerId === held && move(event, false));
  for (const type of ["pointerup", "pointercancel"]) {
    element.addEventListener(type, (event) => {
      if (event.pointerId !== held) return;
      held = null;
      end();
    });
  }
}

const NAMES = ["C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B"];
export const noteName = (pitch) => NAMES[((pitch % 12) + 12) % 12] + (Math.floor(pitch / 12) - 1);
export const isBlack = (pitch) => [1, 3, 6, 8, 10].includes(((pitch % 12) + 12) % 12);

let fading = 0;
/** A line at the foot of the page, for a while. */
export function say(line) {
  find("status").textContent = line;
  clearTimeout(fading);
  fading = setTimeout(() => { find("status").textContent = ""; }, 4500);
}
