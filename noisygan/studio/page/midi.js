// Web MIDI: notes and pitch bend from any keyboard that is plugged in.

import { say } from "./web/dom.js";
import * as kit from "./kit.js";
import * as piano from "./piano.js";
import { run } from "./store.js";

const BEND = 2;

function heard({ data: [status, first, second] }) {
  const kind = status & 0xf0;
  if (kind === 0xe0) piano.bendAll(BEND * ((first + 128 * second - 8192) / 8192));
  else if (kind === 0x90 && second > 0) {
    if (run().is_kit) kit.hit(kit.padOf(first), second);
    else piano.press(first, second);
  } else if (kind === 0x80 || kind === 0x90) piano.release(first);
}

async function connect(buttons) {
  if (!navigator.requestMIDIAccess) {
    say("This browser has no Web MIDI; Chrome, Edge and Firefox have");
    return;
  }
  let access;
  try {
    access = await navigator.requestMIDIAccess();
  } catch {
    say("MIDI was not allowed; the browser's settings for this page decide");
    return;
  }
  const listen = () => {
    const inputs = [...access.inputs.values()];
    inputs.forEach((input) => { input.onmidimessage = heard; });
    const text = inputs.length ? inputs.map((input) => input.name).join(", ") : "No MIDI keyboard yet";
    buttons.forEach((button) => { button.textContent = text; });
  };
  access.onstatechange = listen;
  listen();
}

export function setUp() {
  const buttons = [...document.querySelectorAll(".midi")];
  buttons.forEach((button) => { button.onclick = () => connect(buttons); });
}
