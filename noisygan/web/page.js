// Starts the page: everything that plays, then the engine.

import { onMessage, start } from "./audio.js";
import { find } from "./dom.js";
import * as keyboard from "./keyboard.js";
import * as midi from "./midi.js";
import * as notes from "./notes.js";
import * as pads from "./pads.js";
import * as panel from "./panel.js";
import { dropFocus } from "./piano.js";
import * as presets from "./presets.js";
import * as recorder from "./recorder.js";
import { model, sendAll } from "./sound.js";

onMessage((message) => {
  if (message.type === "ready") document.documentElement.dataset.ready = "yes";
});
for (const part of [presets, notes, keyboard, pads, panel, recorder]) part.setUp();
midi.setUp([find("midi")], notes);
dropFocus();
sendAll();
start(model);
