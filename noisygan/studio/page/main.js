// Starts the page: the runs, then everything that plays one.

import * as api from "./api.js";
import * as curves from "./curves.js";
import { find, make, say } from "./web/dom.js";
import * as keep from "./keep.js";
import * as kit from "./kit.js";
import * as live from "./live.js";
import * as match from "./match.js";
import * as piano from "./piano.js";
import * as shape from "./shape.js";
import * as stage from "./stage.js";
import { begin, current, remember, run, store, tell } from "./store.js";
import * as midi from "./web/midi.js";
import { dropFocus } from "./web/piano.js";
import * as xy from "./xy.js";

const searches = []; // for landscapes: a promise of each run
let choices = 0;

/** Shows and plays a run, unless another is chosen before its state is there. */
async function choose(number) {
  const choice = ++choices;
  await begin(number);
  if (choice !== choices) return;
  store.number = number;
  [...find("runs").children].forEach((button, i) => {
    button.setAttribute("aria-checked", i === number);
    button.tabIndex = i === number ? 0 : -1;
  });
  tell("run");
  searches[number] ??= api.landscape(number).then((found) => {
    store.landscapes[number] = found;
    if (store.number === number) tell("landscape");
  }).catch((error) => {
    delete searches[number]; // the next visit tries again
    say(error.message);
  });
}

/** Plays the sound of a link; without one, the run as it is. */
async function follow(hash) {
  const number = (await keep.open(hash)) ?? Math.max(store.number, 0);
  await choose(number);
  if (store.number === number) remember(current().name);
}

function tabs() {
  find("runs").replaceChildren(...store.runs.map((run, i) => {
    const button = make("button", { type: "button", role: "radio", "aria-checked": false, textContent: run.name });
    button.onclick = () => choose(i).catch((error) => say(error.message));
    button.onkeydown = (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      const next = step && find("runs").children[i + step];
      if (next) { next.focus(); next.click(); }
    };
    return button;
  }));
}

/** Space plays the sound wherever it does nothing else. */
document.addEventListener("keydown", (event) => {
  if (event.key !== " " || event.repeat || event.target.closest("button, input:not([type=range]), select, summary")) return;
  event.preventDefault();
  stage.playCurrent();
});

async function start() {
  store.runs = await api.runs();
  [stage, shape, xy, piano, live, kit, curves, match, keep].forEach((part) => part.setUp());
  midi.setUp([...document.querySelectorAll(".midi")], {
    press: (note, input, velocity) => (run()?.is_kit ? kit.hit(kit.padOf(note), velocity) : piano.press(note, input, velocity)),
    release: piano.release,
    releaseAll: piano.releaseAll,
    silence: piano.silence,
  });
  dropFocus();
  tabs();
  await follow(location.hash);
  window.addEventListener("hashchange", ({ newURL }) => follow(new URL(newURL).hash).catch((error) => say(error.message)));
  document.documentElement.dataset.ready = "yes";
}

start().catch((error) => say(`The studio does not answer: ${error.message}`));
