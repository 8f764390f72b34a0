// The two pads to move in: a map of the latent space, and a square between four sounds.

import { clamp, colours, dragging, find, fitted, keepDrawn, place } from "./web/dom.js";
import { along, between, movedTo } from "./web/latents.js";
import { current, landscape, onChange, remember, run, shape, state, tell } from "./store.js";

const STEP = 0.02;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

/** A pad that is moved in by pointer or arrow keys; go(x, y, isFirst) with both in 0 .. 1. */
function pad(canvas, where, go, name) {
  dragging(canvas, (event, isFirst) => go(...place(event, canvas), isFirst), () => remember(name));
  let moved = false;
  canvas.addEventListener("keydown", (event) => {
    const arrow = ARROWS[event.key];
    if (!arrow) return;
    event.preventDefault();
    const [x, y] = where(), size = event.shiftKey ? 5 * STEP : STEP;
    moved = true;
    go(clamp(x + arrow[0] * size, 0, 1), clamp(y + arrow[1] * size, 0, 1), false);
  });
  canvas.addEventListener("keyup", () => { if (moved) remember(name); moved = false; });
}

function marker(pen, x, y, theme) {
  pen.beginPath();
  pen.arc(x, y, 9, 0, 7);
  pen.fillStyle = theme.card;
  pen.fill();
  pen.lineWidth = 3;
  pen.strokeStyle = theme.accent;
  pen.stroke();
}

// The map: its axes are the first two directions; a dot is a sound of the prior.

let dots = [];
let reach = 3;

function chart() {
  const found = landscape();
  dots = [];
  if (!found) return;
  const second = found.directions[1] ?? found.directions[0];
  dots = found.latents.map((z, i) => ({ z, x: along(z, found.directions[0]), y: along(z, second), bright: found.brightness[i] }));
  reach = 1.08 * Math.max(1, ...dots.map(({ x, y }) => Math.max(Math.abs(x), Math.abs(y))));
  const word = ([name, , more]) => (more === "more" ? name : more);
  find("axis-x").textContent = `→ ${word(found.names[0])}`;
  find("axis-y").textContent = `↑ ${word(found.names[1] ?? found.names[0])}`;
}

const toShare = (value) => clamp(0.5 + value / (2 * reach), 0, 1);
const fromShare = (share) => (share - 0.5) * 2 * reach;

function onMap() {
  const found = landscape();
  if (!found) return [0.5, 0.5];
  const second = found.directions[1] ?? found.directions[0];
  return [toShare(along(current().z, found.directions[0])), toShare(along(current().z, second))];
}

function nearest(x, y) {
  let best = null, least = Infinity;
  dots.forEach((each, i) => {
    const distance = Math.hypot(toShare(each.x) - x, toShare(each.y) - y);
    if (distance < least) [best, least] = [i, distance];
  });
  return [best, least];
}

function goOnMap(x, y, isFirst) {
  const found = landscape();
  if (!found) return;
  const [dot, distance] = nearest(x, y);
  if (isFirst && distance * find("map").clientWidth < 9) {
    // Seeds of the map's dots are their numbers.
    shape({ z: dots[dot].z, seed: dot, noise: dot }, `Seed ${dot}`);
    return;
  }
  let { z } = current();
  z = movedTo(z, found.directions[0], fromShare(x));
  if (found.directions[1]) z = movedTo(z, found.directions[1], fromShare(y));
  shape({ z }, "From the map");
}

function drawMap() {
  const { pen, width, height } = fitted(find("map"));
  const theme = colours();
  pen.strokeStyle = theme.rule;
  pen.lineWidth = 1;
  for (const share of [0.25, 0.5, 0.75]) {
    pen.strokeRect(share * width, -1, 0, height + 2);
    pen.strokeRect(-1, share * height, width + 2, 0);
  }
  pen.fillStyle = theme.accent;
  for (const { x, y, bright } of dots) {
    pen.globalAlpha = 0.2 + 0.6 * bright;
    pen.beginPath();
    pen.arc(toShare(x) * width, (1 - toShare(y)) * height, Math.max(2.5, width / 110), 0, 7);
    pen.fill();
  }
  pen.globalAlpha = 1;
  if (!landscape()) {
    pen.fillStyle = theme.soft;
    pen.font = "14px system-ui, sans-serif";
    pen.textAlign = "center";
    pen.fillText("Listening …", width / 2, height / 2);
    return;
  }
  const [x, y] = onMap();
  marker(pen, x * width, (1 - y) * height, theme);
}

// The square: latents on arcs between A and B, C and D, and between those two.

let spot = [0.5, 0.5];

function goInSquare(x, y) {
  spot = [x, y];
  const [a, b, c, d] = state().corners;
  shape({ z: between(between(c, d, x), between(a, b, x), y) }, "Morph");
}

function drawSquare() {
  const { pen, width, height } = fitted(find("morph"));
  const theme = colours();
  pen.strokeStyle = theme.rule;
  pen.lineWidth = 1;
  const [x, y] = [spot[0] * width, (1 - spot[1]) * height];
  const weights = [(1 - spot[0]) * spot[1], spot[0] * spot[1], (1 - spot[0]) * (1 - spot[1]), spot[0] * (1 - spot[1])];
  const ends = [[0, 0], [width, 0], [0, height], [width, height]];
  pen.strokeStyle = theme.accent;
  ends.forEach(([ex, ey], i) => {
    pen.globalAlpha = 0.12 + 0.8 * weights[i];
    pen.lineWidth = 1 + 7 * weights[i];
    pen.beginPath();
    pen.moveTo(ex, ey);
    pen.lineTo(x, y);
    pen.stroke();
  });
  pen.globalAlpha = 1;
  marker(pen, x, y, theme);
}

export function setUp() {
  pad(find("map"), onMap, goOnMap, "Map");
  find("map").addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !dots.length) return;
    const [dot] = nearest(...onMap());
    goOnMap(toShare(dots[dot].x), toShare(dots[dot].y), true);
    remember("Map");
  });
  pad(find("morph"), () => spot, goInSquare, "Morph");
  for (const button of document.querySelectorAll("[data-corner]")) {
    const i = Number(button.dataset.corner);
    button.onclick = () => {
      goInSquare(i % 2, i < 2 ? 1 : 0);
      remember(`Morph ${button.textContent}`);
    };
  }
  for (const button of document.querySelectorAll("[data-store]")) {
    button.onclick = () => {
      state().corners[Number(button.dataset.store)] = [...current().z];
      remember(`Put at ${button.textContent}`);
      tell("sound");
    };
  }
  onChange((reason) => {
    if (reason === "run") spot = [0.5, 0.5];
    if (reason === "run" || reason === "landscape") chart();
    find("map").setAttribute("aria-description", run() ? find("axis-x").textContent + ", " + find("axis-y").textContent : "");
    drawMap();
    drawSquare();
  });
  keepDrawn(find("map"), drawMap);
  keepDrawn(find("morph"), drawSquare);
}
