"""Dropouts, load, memory and the first sound of an exported web instrument in headless Chromium.

    python benchmarks/web_instrument.py flute.html [--seconds 60] [--voices 16]

Types a key as soon as the page is there and measures the time until its output is not zero. Then
plays through the page's MIDI input: a note every 100 ms, each held for a moment under the sustain
pedal, so that all voices sound, with bends and moving sliders. `underruns` are Chromium's own
count (`AudioContext.playbackStats`); `behind` is how far the context's clock fell behind the wall
clock. Memory is the heap of the page after collecting garbage and the renderer's resident set,
every tenth of the time. Prints a table in Markdown.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.browser.chromium import Chromium  # noqa: E402

SCRIPT = """
window.keys = {};
navigator.requestMIDIAccess = async () => ({ inputs: new Map([[1, keys]]) });
const Context = AudioContext, Analyser = AnalyserNode;
window.AudioContext = class extends Context {
  constructor(...settings) { super(...settings); window.context = this; }
};
window.AnalyserNode = class extends Analyser {
  constructor(...settings) { super(...settings); window.analyser = this; }
};
addEventListener('DOMContentLoaded', () => {
  // A key of the piano and one of the pads.
  for (const code of ['KeyZ', 'KeyA']) {
    document.body.dispatchEvent(new KeyboardEvent('keydown', { code, key: code, bubbles: true }));
  }
  const samples = new Float32Array(2048);
  const listen = () => {
    window.analyser?.getFloatTimeDomainData(samples);
    if (samples.some((value) => Math.abs(value) > 1e-5)) window.first = performance.now();
    else setTimeout(listen, 2);
  };
  listen();
});
"""
# Notes of a kit are its classes' keys.
PLAY = """
(() => {
  const model = JSON.parse(document.getElementById('model').textContent);
  const own = model.classes.map(({ keys }) => keys[0]);
  const [low, high] = model.pitches.length ? model.pitches : [36, 51];
  const all = Array.from({ length: high - low + 1 }, (_, i) => low + i);
  const notes = own.length ? own : all, ring = [];
  const send = (...data) => keys.onmidimessage({ data });
  const sliders = [...document.querySelectorAll('#directions input')];
  let i = 0;
  send(0xb0, 64, 127);
  setInterval(() => {
    const note = notes[(7 * i++) % notes.length];
    send(0x90, note, 60 + (i % 60));
    ring.push(note);
    if (ring.length >= N_VOICES) send(0x80, ring.shift(), 0);
    if (i % 32 === 0) { send(0xb0, 64, 0); send(0xb0, 64, 127); }
    send(0xe0, 0, 64 + Math.round(8 * Math.sin(i)));
    if (!sliders.length) return;
    const slider = sliders[i % sliders.length];
    slider.value = 2 * Math.sin(i / 10);
    slider.dispatchEvent(new Event('input', { bubbles: true }));
  }, 100);
  window.began = [performance.now(), context.currentTime, context.playbackStats.toJSON()];
})()
"""
STATE = """JSON.stringify({
  wall: (performance.now() - began[0]) / 1000, clock: context.currentTime - began[1],
  stats: context.playbackStats.toJSON(), before: began[2],
  load: document.getElementById('load').textContent, latency: context.outputLatency,
})"""


def resident_mb(browser):
    """Resident set of the page's process, MB."""
    processes = browser.system("SystemInfo.getProcessInfo")["processInfo"]
    kb = [
        int(line.split()[1])
        for process in processes
        if process["type"] == "renderer"
        for line in Path(f"/proc/{process['id']}/status").read_text().splitlines()
        if line.startswith("VmRSS")
    ]
    return max(kb) / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("page", type=Path)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--voices", type=int, default=16)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as profile:
        browser = Chromium(profile)
        try:
            measure(browser, args)
        finally:
            browser.close()


def measure(browser, args):
    """Play a page and print what was measured."""
    time.sleep(3.0)  # the browser itself starts
    browser.call("Page.addScriptToEvaluateOnNewDocument", source=SCRIPT)
    browser.open(args.page, 1280)
    browser.wait("!!window.first", 30)
    print(f"first sound {browser.evaluate('first'):.0f} ms after the page was opened\n")
    browser.evaluate("document.getElementById('midi').click()")
    browser.wait("!!keys.onmidimessage")
    time.sleep(2.0)  # the count of underruns, which lags, has those of the start
    browser.evaluate(PLAY.replace("N_VOICES", str(args.voices)))
    print("| s | load | underruns | ms | behind, ms | heap, MB | resident, MB |")
    print("|---|---|---|---|---|---|---|")
    for _ in range(10):
        time.sleep(args.seconds / 10)
        browser.call("HeapProfiler.collectGarbage")
        state = json.loads(browser.evaluate(STATE))
        heap = browser.call("Runtime.getHeapUsage")["usedSize"]
        events, lost = (
            state["stats"][name] - state["before"][name]
            for name in ("underrunEvents", "underrunDuration")
        )
        behind = 1000 * (state["wall"] - state["clock"])
        print(
            f"| {state['wall']:.0f} | {state['load']} | {events} | {1000 * lost:.1f} |"
            f" {behind:.0f} | {heap / 1e6:.2f} | {resident_mb(browser):.0f} |",
            flush=True,
        )
    print("\n" + "; ".join(browser.problems))


if __name__ == "__main__":
    main()
