// The live output as a line.

import { colours, find, fitted, keepDrawn } from "./dom.js";

const SILENT = 1e-4, N_SHOWN = 1000;
let wasFlat = false;

function draw(samples) {
  const flat = !samples || samples.every((value) => Math.abs(value) < SILENT);
  if (flat && wasFlat) return;
  wasFlat = flat;
  const { pen, width, height } = fitted(find("scope"));
  pen.strokeStyle = flat ? colours().rule : colours().accent;
  pen.lineWidth = 1.6;
  pen.beginPath();
  for (let x = 0; x <= width; x++) {
    const value = flat ? 0 : samples[Math.floor((x / width) * N_SHOWN)];
    pen.lineTo(x, height / 2 - value * height * 0.48);
  }
  pen.stroke();
}

/** Draws the samples of read(), the last 1024 or null, with each picture of the screen. */
export function showOutput(read) {
  const again = () => {
    draw(read());
    requestAnimationFrame(again);
  };
  keepDrawn(find("scope"), () => { wasFlat = false; });
  requestAnimationFrame(again);
}
