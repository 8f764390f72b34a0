// Drum pads, one for each class, on the keys of General MIDI.

import { find } from "./dom.js";
import { isHeld } from "./holds.js";
import { press, release, sounding } from "./notes.js";
import { PAD_CODES, byPointer, byTyping, drawPads, labelPads } from "./piano.js";
import { isKit, onChange, state } from "./sound.js";

function refresh() {
  labelPads(state.sounds, state.chosen);
  [...find("pads").children].forEach((pad, i) => {
    const { keys } = state.sounds[i];
    pad.classList.toggle("down", keys.some(isHeld));
    pad.classList.toggle("ringing", keys.some((note) => sounding.has(note)));
  });
}

export function setUp() {
  if (!isKit) return;
  find("play-pads").hidden = false;
  byPointer(find("pads"), false, press, release);
  byTyping((code) => state.sounds[PAD_CODES.indexOf(code)]?.keys[0], press, release);
  drawPads(state.sounds.map(({ keys }) => keys[0]), (note) => {
    press(note, "focus");
    release(note, "focus");
  });
  refresh();
  onChange(refresh);
}
