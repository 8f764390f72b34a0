// Pads, one sound each, and the step sequencer that plays them.

import * as api from "./api.js";
import * as audio from "./audio.js";
import * as live from "./live.js";
import { clamp, find, make, say } from "./web/dom.js";
import { PAD_CODES, byPointer, byTyping, drawPads, labelPads } from "./web/piano.js";
import { hushWhile } from "./stage.js";
import { N_PADS, body, current, listen, onChange, remember, run, state, store, tell } from "./store.js";

const FIRST_KEY = 36;
const N_STEPS = 16;
const AHEAD = 0.12;
const OFF_BEAT = 0.92; // velocity of steps between beats
let starting = -1; // run whose steps begin as soon as its sounds are there
let timer = 0, step = 0, nextAt = 0;
const shown = []; // [time, step] that were scheduled, for the light that runs along

const name = (i) => {
  const { labels } = run(), sound = state().sounds[i];
  return labels.length ? labels[sound.label] : `Pad ${i + 1}`;
};

/** The pad that plays a MIDI key: of its class by General MIDI, otherwise one of eight from 36 on. */
export function padOf(key) {
  const { keys } = run(), label = keys.findIndex((own) => own.includes(key));
  if (!keys.length) return (key - FIRST_KEY + 128) % N_PADS;
  const pads = state().sounds.flatMap((sound, i) => (sound.label === label ? [i] : []));
  return pads[keys[label]?.indexOf(key) % pads.length];
}

/** Plays a pad; it becomes the chosen one. Velocity from 0 to 1, without one that of the page. */
export async function hit(i, velocity = null) {
  const s = state();
  if (!s.sounds[i]) return;
  const button = find("pads").children[i];
  button?.classList.add("down");
  setTimeout(() => button?.classList.remove("down"), 110);
  const changed = s.chosen !== i;
  s.chosen = i;
  await sound(i, { velocity });
  if (changed) {
    tell("sound");
    listen(false);
  }
}

async function sound(i, { when, velocity = null, accent = 1 }) {
  const each = state().sounds[i], isLearnt = run().conditions.includes("velocity");
  const own = velocity ?? (isLearnt ? state().velocity / 127 : 1);
  try {
    if (live.plays(each)) live.strike(i, own * accent, when);
    else {
      const made = await api.render(body(each, isLearnt ? { velocity: Math.max(1, Math.round(127 * own)) } : {}));
      audio.play(made, { when, gain: (isLearnt ? accent : own * accent) ** 2 });
    }
    find("stage").dataset.plays++;
  } catch (error) {
    say(error.message);
  }
}

function refresh() {
  labelPads(state().sounds.map((each, i) => ({ name: name(i), title: each.name })), state().chosen);
  [...find("steps").children].forEach((row, i) => {
    row.firstChild.textContent = name(i);
    row.setAttribute("aria-label", name(i));
  });
}

function buildSteps() {
  find("steps").replaceChildren(...state().pattern.map((row, i) => {
    const cells = row.map((on, at) => {
      const cell = make("button", {
        type: "button", "aria-pressed": on, "aria-label": `${name(i)}, step ${at + 1}`, tabIndex: i || at ? -1 : 0,
      });
      cell.onclick = () => {
        const now = state().pattern[i];
        now[at] = !now[at];
        cell.setAttribute("aria-pressed", now[at]);
        remember(`Step ${at + 1}`);
      };
      cell.onkeydown = (event) => {
        const [right, down] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] || [];
        const next = right === undefined ? null : find("steps").children[i + down]?.children[at + right + 1];
        if (next?.tagName !== "BUTTON") return;
        event.preventDefault();
        cell.tabIndex = -1;
        next.tabIndex = 0;
        next.focus();
      };
      return cell;
    });
    const head = make("span", { className: "head", "aria-hidden": true, textContent: name(i) });
    return make("div", { className: "row", role: "group", "aria-label": name(i) }, head, ...cells);
  }));
}

function schedule() {
  const s = state();
  nextAt = Math.max(nextAt, audio.now()); // a late timer shifts the steps
  while (nextAt < audio.now() + AHEAD) {
    s.pattern.forEach((row, i) => { if (row[step]) sound(i, { when: nextAt, accent: step % 4 ? OFF_BEAT : 1 }); });
    shown.push([nextAt, step]);
    nextAt += 60 / s.tempo / 4;
    step = (step + 1) % N_STEPS;
  }
  while (shown.length > 1 && shown[1][0] <= audio.now()) shown.shift();
  light(shown[0]?.[0] <= audio.now() ? shown[0][1] : -1);
}

function light(at) {
  for (const row of find("steps").children) {
    [...row.children].slice(1).forEach((cell, i) => cell.classList.toggle("now", i === at));
  }
}

async function start() {
  const { number } = store;
  starting = number;
  find("run").textContent = "Starting …";
  // The engine is there before the first beat, or the server has made the sounds.
  await live.prepare();
  if (starting !== number) return;
  const rendered = state().sounds.filter((each) => !live.plays(each));
  await Promise.all(rendered.map((each) => api.render(body(each)).catch((error) => say(error.message))));
  if (starting !== number) return;
  starting = -1;
  step = 0;
  shown.length = 0;
  nextAt = audio.now() + 0.06;
  timer = setInterval(schedule, 25);
  toggle(true);
}

/** Stops; what is scheduled, at most AHEAD seconds, still sounds. */
function stop() {
  clearInterval(timer);
  timer = 0;
  starting = -1;
  light(-1);
  toggle(false);
}

function toggle(running) {
  find("run").setAttribute("aria-pressed", running);
  find("run").textContent = running ? "Stop" : "Start";
}

export function setUp() {
  hushWhile(() => Boolean(timer));
  find("run").onclick = () => {
    if (timer) stop();
    else if (starting !== store.number) start();
  };
  find("clear").onclick = () => {
    state().pattern.forEach((row) => row.fill(false));
    remember("Clear");
    tell("pattern");
  };
  find("tempo").onchange = () => {
    state().tempo = clamp(Number(find("tempo").value) || 112, 40, 240);
    find("tempo").value = state().tempo;
    remember("Tempo");
  };
  byPointer(find("pads"), false, (pad, _, velocity) => hit(pad, velocity), () => {});
  byTyping((code) => (run()?.is_kit && PAD_CODES.includes(code) ? PAD_CODES.indexOf(code) : undefined), (pad) => hit(pad), () => {});
  onChange((reason) => {
    if (reason === "run") {
      stop();
      find("play-pads").hidden = !run().is_kit;
      if (run().is_kit) drawPads([...state().sounds.keys()], hit);
    }
    if (!run().is_kit || !current()) return;
    if (reason === "run" || reason === "pattern") {
      buildSteps();
      find("tempo").value = state().tempo;
    }
    if (reason === "run" || reason === "sound") refresh();
  });
}
