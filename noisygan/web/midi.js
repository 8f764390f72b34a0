// Web MIDI: notes, bends, pedals and controllers of any keyboard that is plugged in, on all channels.

import { find, say } from "./dom.js";
import { bend, control, controllers, pedal, press, release, releaseAll, silence } from "./notes.js";

const NO_PARAMETER = 0x3fff;
let parameter = NO_PARAMETER; // number of the registered parameter that data entry sets
const down = new Map(); // input -> notes that its keys hold

const LEVELS = { 1: "modulation", 7: "volume", 11: "expression" };
const PEDALS = { 64: "sustain", 66: "sostenuto" };

function controller(number, value) {
  if (LEVELS[number]) control(LEVELS[number], value / 127);
  else if (PEDALS[number]) pedal(PEDALS[number], value >= 64);
  else if (number === 100) parameter = (parameter & 0x3f80) | value;
  else if (number === 101) parameter = (parameter & 0x7f) | (value << 7);
  else if (number === 98 || number === 99) parameter = NO_PARAMETER;
  else if (number === 6 && parameter === 0) controllers.bendRange = value + (controllers.bendRange % 1);
  else if (number === 38 && parameter === 0) controllers.bendRange = Math.floor(controllers.bendRange) + value / 100;
  else if (number === 120) silence(true);
  else if (number === 121) {
    bend(0);
    control("modulation", 0);
    control("expression", 1);
    control("pressure", 0);
    Object.values(PEDALS).forEach((name) => pedal(name, false));
    parameter = NO_PARAMETER;
  } else if (number > 122) releaseAll();
}

/** Plays a MIDI message of an input. */
function play(input, [status, first, second = 0]) {
  const kind = status & 0xf0;
  if (kind === 0x90 && second > 0) {
    down.get(input).add(first);
    press(first, second / 127);
  } else if (kind === 0x80 || kind === 0x90) {
    down.get(input).delete(first);
    release(first);
  }
  if (kind === 0xb0) controller(first, second);
  else if (kind === 0xd0) control("pressure", first / 127);
  else if (kind === 0xe0) bend(Math.max(-1, (first + 128 * second - 8192) / 8191));
}

/** Lets go what a keyboard held that is no longer there. */
function unplugged(input) {
  down.get(input).forEach(release);
  down.delete(input);
  Object.values(PEDALS).forEach((name) => pedal(name, false));
}

async function connect(button) {
  if (!navigator.requestMIDIAccess) return say("This browser has no Web MIDI; Chrome, Edge and Firefox have");
  let access;
  try {
    access = await navigator.requestMIDIAccess();
  } catch {
    return say("MIDI was not allowed; the browser's settings for this page decide");
  }
  const listen = () => {
    const inputs = [...access.inputs.values()].filter(({ state }) => state !== "disconnected");
    for (const input of inputs) {
      if (!down.has(input)) down.set(input, new Set());
      input.onmidimessage = ({ data }) => play(input, data);
    }
    [...down.keys()].filter((input) => !inputs.includes(input)).forEach(unplugged);
    button.textContent = inputs.length ? inputs.map((input) => input.name).join(", ") : "No MIDI keyboard yet";
  };
  access.onstatechange = listen;
  listen();
}

export function setUp() {
  find("midi").onclick = () => connect(find("midi"));
}
