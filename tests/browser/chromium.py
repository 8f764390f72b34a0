"""A headless Chromium, driven over a pipe with its DevTools protocol: no driver to install."""

import base64
import fcntl
import itertools
import json
import os
import select
import shutil
import subprocess
import sys
import time

NAMES = ("chromium", "chromium-browser", "google-chrome")

# The protocol is spoken on descriptors 3 (to the browser) and 4 (from it).
LAUNCH = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.dup2(int(sys.argv[2]), 4)
os.execv(sys.argv[3], sys.argv[3:])
"""

# Messages to engines, in the order in which they are sent.
CAPTURE = """
window.sent = [];
const post = MessagePort.prototype.postMessage;
MessagePort.prototype.postMessage = function (message, ...rest) {
  if (message?.type) sent.push(message);
  return post.call(this, message, ...rest);
};
"""
# Web MIDI with one keyboard.
MIDI = """
window.keys = { name: 'Small keys' };
window.inputs = new Map([[1, keys]]);
navigator.requestMIDIAccess = async () => (window.access = { inputs });
"""
# Peak of what the page's AnalyserNode heard last.
PEAK = """
window.AnalyserNode = class extends AnalyserNode {
  constructor(...settings) { super(...settings); window.tap = this; }
};
window.peak = () => {
  const samples = new Float32Array(tap.fftSize);
  tap.getFloatTimeDomainData(samples);
  return Math.max(...samples.map(Math.abs));
};
"""


class Chromium:
    """One browser with one tab.

    Attributes:
      problems: Console errors, uncaught exceptions and failed loads so far.
      requests: Addresses that the page asked for, `data:` ones left out.
    """

    def __init__(self, profile):
        program = next(path for path in map(shutil.which, NAMES) if path)
        read_by_browser, self._write_end = os.pipe()
        self._read_end, written_by_browser = os.pipe()
        flags = (
            "--headless --no-sandbox --disable-gpu --no-first-run --mute-audio --hide-scrollbars "
            "--autoplay-policy=no-user-gesture-required --remote-debugging-pipe "
            f"--user-data-dir={profile}"
        ).split()
        ends = [
            fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (read_by_browser, written_by_browser)
        ]
        self._process = subprocess.Popen(
            [sys.executable, "-c", LAUNCH, *map(str, ends), program, *flags, "about:blank"],
            pass_fds=ends,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for end in (read_by_browser, written_by_browser, *ends):
            os.close(end)
        self._numbers = itertools.count(1)
        self._buffer = b""
        self.problems, self.requests, self._events = [], [], []
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        attached = self._call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def _call(self, method, session=None, timeout=30.0, **params):
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        os.write(self._write_end, json.dumps(message).encode() + b"\0")
        until = time.monotonic() + timeout
        while True:
            answer = self._receive(until)
            if answer is None:
                raise TimeoutError(f"Chromium did not answer {method} in {timeout} s")
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return answer["result"]
            self._note(answer)

    def system(self, method):
        """Calls a method of the protocol for the browser and returns its result."""
        return self._call(method)

    def call(self, method, **params):
        """Calls a method of the protocol for the tab and returns its result."""
        return self._call(method, session=self._session, **params)

    def _receive(self, until):
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._read_end], [], [], max(0, until - time.monotonic()))
            chunk = os.read(self._read_end, 1 << 20) if ready else b""
            if not chunk:
                return None
            self._buffer += chunk
        message, self._buffer = self._buffer.split(b"\0", 1)
        return json.loads(message)

    def _note(self, event):
        method, params = event.get("method"), event.get("params", {})
        self._events.append(method)
        if method == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            said = details.get("exception", {}).get("description", "")
            self.problems.append(f"{details.get('text', 'exception')} {said}".strip())
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning"):
            self.problems.append(str(params["args"]))
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.problems.append(params["entry"]["text"])
        elif method == "Network.requestWillBeSent":
            address = params["request"]["url"]
            if not address.startswith("data:"):
                self.requests.append(address)

    def open(self, path, width, height=900):
        """Opens a file from disk in a window of a size, in CSS pixels."""
        self.visit(path.resolve().as_uri(), width, height)

    def visit(self, address, width, height=900):
        """Opens an address in a window of a size, in CSS pixels."""
        self.problems, self.requests = [], []
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        self._events.clear()
        self.call("Page.navigate", url=address)
        self.wait("document.readyState === 'complete'")

    def evaluate(self, expression):
        """Value of a JavaScript expression in the page."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def wait(self, expression, seconds=20.0):
        """Waits until an expression holds; fails if it never does."""
        self.until(lambda: self.evaluate(expression), expression, seconds)

    def until(self, holds, what, seconds=20.0):
        """Waits until a function returns something true; fails, naming `what`, if it never does."""
        last = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < last, f"never became true: {what}"
            time.sleep(0.05)

    def compiles(self):
        """Whether the page's content security policy allows WebAssembly."""
        # A timer, as expressions of the protocol are exempt from the policy.
        self.evaluate(
            "setTimeout(() => { window.compiled = 'no'; new WebAssembly.Module("
            "Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)); compiled = 'yes'; }); 0"
        )
        self.wait("!!window.compiled")
        return self.evaluate("compiled") == "yes"

    def press(self, key):
        """Presses and lets go of a key; the focused element gets it."""
        text = {"Enter": "\r", " ": " "}.get(key, key if key.isdigit() else None)
        down = {"type": "keyDown", "text": text} if text else {"type": "rawKeyDown"}
        codes = {"Tab": 9, "Enter": 13, " ": 32, "ArrowRight": 39, "ArrowLeft": 37}
        codes |= {"ArrowUp": 38, "ArrowDown": 40} | {str(n): 48 + n for n in range(10)}
        common = {"key": key, "windowsVirtualKeyCode": codes[key]}
        self.call("Input.dispatchKeyEvent", **down, **common)
        self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    def screenshot(self, path):
        """Writes a picture of the whole page."""
        data = self.call("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        path.write_bytes(base64.b64decode(data))

    def drag(self, selector, *points):
        """Press, drag and let go: points (x, y) as shares of an element's size."""
        self.evaluate(f"document.querySelector({json.dumps(selector)}).scrollIntoView()")
        box = self.evaluate(
            f"(b => [b.left, b.top, b.width, b.height])"
            f"(document.querySelector({json.dumps(selector)}).getBoundingClientRect())"
        )
        at = [(box[0] + x * box[2], box[1] + y * box[3]) for x, y in points]
        kinds = ["mousePressed", *["mouseMoved"] * (len(at) - 1), "mouseReleased"]
        for kind, (x, y) in zip(kinds, [*at, at[-1]], strict=True):
            self.call(
                "Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=1,
                clickCount=1,
            )  # fmt: skip

    def close(self):
        """Ends the browser."""
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._read_end)
        os.close(self._write_end)


class PlayedPage:
    """A page with keys, pads, sliders and MIDI in the browser's tab."""

    def __init__(self, browser):
        self.browser = browser
        self.evaluate, self.wait, self.pointer = browser.evaluate, browser.wait, browser.drag

    def visit(self, address, script="", width=1280):
        """Opens an address after a script has run in the page."""
        added = self.browser.call("Page.addScriptToEvaluateOnNewDocument", source=CAPTURE + script)
        self.browser.visit("about:blank", width)
        self.browser.visit(address, width)
        self.browser.call("Page.removeScriptToEvaluateOnNewDocument", **added)

    def sent(self, *types):
        """Messages of some types to engines since the last call."""
        found = json.loads(self.evaluate("JSON.stringify(sent.splice(0))"))
        return [m for m in found if m["type"] in types]

    def click(self, selector):
        self.evaluate(f"document.querySelector({json.dumps(selector)}).click()")

    def key(self, code, kind="keyDown"):
        key = " " if code == "Space" else code[-1].lower()
        self.browser.call("Input.dispatchKeyEvent", type=kind, code=code, key=key)

    def slide(self, selector, value):
        self.evaluate(
            f"(s => {{ s.value = {value}; for (const type of ['input', 'change'])"
            f" s.dispatchEvent(new Event(type, {{ bubbles: true }})); }})"
            f"(document.querySelector({json.dumps(selector)}))"
        )

    def midi(self, *messages):
        """Sends messages of the keyboard of `MIDI`."""
        self.evaluate(f"{json.dumps(messages)}.forEach(data => keys.onmidimessage({{ data }}))")

    def choose_file(self, selector, path):
        document = self.browser.call("DOM.getDocument")["root"]["nodeId"]
        node = self.browser.call("DOM.querySelector", nodeId=document, selector=selector)["nodeId"]
        self.browser.call("DOM.setFileInputFiles", nodeId=node, files=[str(path)])

    def waited(self, path):
        """A path, once the browser has put the file there."""
        self.browser.until(path.exists, path.name)
        return path
