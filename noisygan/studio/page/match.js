// Matches the run to an audio file that is dropped on the page.

import * as api from "./api.js";
import { find, say } from "./web/dom.js";
import { current, remember, run, shape, state, store, tell } from "./store.js";

const MOST_BYTES = 16 * 2 ** 20;
let busy = false;

async function take(file) {
  if (!file || busy) return;
  if (file.size > MOST_BYTES) {
    say(`${file.name} is too large; a sound to match has at most 16 MB`);
    return;
  }
  busy = true;
  find("match").disabled = true;
  const { number } = store, facts = run();
  const telling = (share) => say(`Matching ${file.name}: ${Math.round(100 * share)} %`);
  telling(0);
  try {
    const found = await api.match(number, file, telling);
    if (store.number !== number) {
      say(`${facts.name} matches ${file.name} no longer: another run is being played`);
      return;
    }
    const s = state();
    for (const name of ["pitch", "velocity", "seconds"]) if (name in found) s[name] = found[name];
    tell("note");
    const changes = { z: found.z, noise: found.seed, edits: found.edits };
    if (facts.labels.length) changes.label = found.label ?? current().label;
    changes.tags = { ...current().tags, ...found.tags };
    shape(changes, `Like ${file.name}`);
    remember(`Like ${file.name}`);
    say([`${found.distance_db} dB from ${file.name}, ${found.start_db} at the start`, ...found.remarks].join("; "));
  } catch (error) {
    say(error.message);
  } finally {
    busy = false;
    find("match").disabled = false;
  }
}

export function setUp() {
  const target = find("target");
  find("match").onclick = () => target.click();
  target.onchange = () => { take(target.files[0]); target.value = ""; };
  const holds = (event) => event.dataTransfer?.types.includes("Files");
  const over = (on) => document.body.classList.toggle("dropping", on);
  document.addEventListener("dragover", (event) => {
    if (!holds(event)) return;
    event.preventDefault();
    over(true);
  });
  document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) over(false); });
  document.addEventListener("drop", (event) => {
    if (!holds(event)) return;
    event.preventDefault();
    over(false);
    take(event.dataTransfer.files[0]);
  });
}
