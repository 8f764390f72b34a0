// Drum pads, one for each class, on the keys of General MIDI.

import { find, make } from "./dom.js";
import { isHeld, playByPointer, press, release, sounding } from "./notes.js";
import { isFree } from "./piano.js";
import { isKit, onChange, state } from "./sound.js";

const CODES = [..."ASDFGHJKZXCVBNMQWERTYUI"].map((letter) => `Key${letter}`);

function build() {
  find("pads").replaceChildren(...state.sounds.map(({ name, keys }, i) => {
    const pad = make("button", { type: "button", "data-note": keys[0] },
      make("b", { textContent: name }),
      make("small", {}, make("span", { className: "wide", textContent: CODES[i] ? `${CODES[i].slice(3)} · ` : "" }), ""));
    pad.addEventListener("click", (event) => {
      // Enter and Space; a pointer has played it already.
      if (event.detail) return;
      press(keys[0]);
      release(keys[0]);
    });
    return pad;
  }));
  refresh();
}

function refresh() {
  [...find("pads").children].forEach((pad, i) => {
    const { name, keys, title } = state.sounds[i];
    pad.setAttribute("aria-pressed", i === state.chosen);
    pad.setAttribute("aria-label", `${name}, ${title}`);
    pad.classList.toggle("down", keys.some(isHeld));
    pad.classList.toggle("ringing", keys.some((note) => sounding.has(note)));
    pad.children[1].lastChild.textContent = title;
  });
}

export function setUp() {
  if (!isKit) return;
  find("play-pads").hidden = false;
  playByPointer(find("pads"), (event) => document.elementFromPoint(event.clientX, event.clientY)?.closest("#pads [data-note]"), false);
  const noteOf = (event) => state.sounds[CODES.indexOf(event.code)]?.keys[0];
  document.addEventListener("keydown", (event) => {
    if (!event.repeat && isFree(event) && noteOf(event) !== undefined) press(noteOf(event));
  });
  document.addEventListener("keyup", (event) => { if (noteOf(event) !== undefined) release(noteOf(event)); });
  build();
  onChange(refresh);
}
