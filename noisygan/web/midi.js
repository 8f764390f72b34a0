// Web MIDI: notes, bends, pedals and controllers of any keyboard that is plugged in, on all channels.

import { bend, control, controllers, pedal, setBendRange } from "./controllers.js";
import { say } from "./dom.js";
import { heldBy } from "./holds.js";

const NO_PARAMETER = 0x3fff;
let parameter = NO_PARAMETER; // number of the registered parameter that data entry sets
const inputs = new Set();
let access = null;

const LEVELS = { 1: "modulation", 7: "volume", 11: "expression" };
const PEDALS = { 64: "sustain", 66: "sostenuto" };
const STEPS = { 96: 1, 97: -1 };

function dataEntry(number, value) {
  const cents = controllers.bendCents;
  if (number === 6) setBendRange(100 * value);
  else if (number === 38) setBendRange(cents - (cents % 100) + value);
  else setBendRange(cents + STEPS[number]);
}

function controller(number, value, player, input) {
  if (LEVELS[number]) control(LEVELS[number], value / 127);
  else if (PEDALS[number]) pedal(PEDALS[number], value >= 64, input);
  else if (number === 100) parameter = (parameter & 0x3f80) | value;
  else if (number === 101) parameter = (parameter & 0x7f) | (value << 7);
  else if (number === 98 || number === 99) parameter = NO_PARAMETER;
  else if ((number === 6 || number === 38 || STEPS[number]) && parameter === 0) dataEntry(number, value);
  else if (number === 120) player.silence(true);
  else if (number === 121) {
    bend(0);
    control("modulation", 0);
    control("expression", 1);
    control("pressure", 0);
    Object.values(PEDALS).forEach((name) => pedal(name, false, input));
    parameter = NO_PARAMETER;
  } else if (number > 122) player.releaseAll();
}

/** Plays a MIDI message of an input. */
function play(input, [status, first, second = 0], player) {
  const kind = status & 0xf0;
  if (kind === 0x90 && second > 0) player.press(first, input, second / 127);
  else if (kind === 0x80 || kind === 0x90) player.release(first, input);
  else if (kind === 0xb0) controller(first, second, player, input);
  else if (kind === 0xd0) control("pressure", first / 127);
  else if (kind === 0xe0) bend(Math.max(-1, (first + 128 * second - 8192) / 8191));
}

async function connect(buttons, player) {
  if (!navigator.requestMIDIAccess) return say("This browser has no Web MIDI; Chrome, Edge and Firefox have");
  try {
    access ??= await navigator.requestMIDIAccess();
  } catch {
    return say("MIDI was not allowed; the browser's settings for this page decide");
  }
  const listen = () => {
    const there = [...access.inputs.values()].filter(({ state }) => state !== "disconnected");
    for (const input of there) {
      inputs.add(input);
      input.onmidimessage = ({ data }) => play(input, data, player);
    }
    // What a keyboard held that is no longer there is let go.
    for (const input of [...inputs].filter((each) => !there.includes(each))) {
      inputs.delete(input);
      heldBy(input).forEach((note) => player.release(note, input));
      Object.values(PEDALS).forEach((name) => pedal(name, false, input));
    }
    const text = there.length ? there.map((input) => input.name).join(", ") : "No MIDI keyboard yet";
    buttons.forEach((button) => { button.textContent = text; });
  };
  access.onstatechange = listen;
  listen();
}

/** Buttons that connect keyboards to a player: press(note, source, velocity), release(note, source), releaseAll(), silence(now). */
export function setUp(buttons, player) {
  buttons.forEach((button) => { button.onclick = () => connect(buttons, player); });
}
