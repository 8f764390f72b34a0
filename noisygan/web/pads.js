// Drum pads, one for each class, on the keys of General MIDI.

import { find, make } from "./dom.js";
import { isHeld } from "./holds.js";
import { press, release, sounding } from "./notes.js";
import { PAD_CODES, byPointer, byTyping } from "./piano.js";
import { isKit, onChange, state } from "./sound.js";

function build() {
  find("pads").replaceChildren(...state.sounds.map(({ name, keys }, i) => {
    const pad = make("button", { type: "button", "data-note": keys[0] },
      make("b", { textContent: name }),
      make("small", {}, make("span", { className: "wide", textContent: PAD_CODES[i] ? `${PAD_CODES[i].slice(3)} · ` : "" }), ""));
    pad.addEventListener("click", (event) => {
      // Enter and Space; a pointer has played it already.
      if (event.detail) return;
      press(keys[0], "focus");
      release(keys[0], "focus");
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
  byPointer(find("pads"), false, press, release);
  byTyping((code) => state.sounds[PAD_CODES.indexOf(code)]?.keys[0], press, release);
  build();
  onChange(refresh);
}
