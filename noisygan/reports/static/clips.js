// The sounds: one plays at a time, decoded when it is first asked for; buttons and playheads follow.
(() => {
  "use strict";
  const FADE_SECONDS = 0.008;
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const buttons = new Map();
  const buffers = new Map();
  const now = document.querySelector(".now");
  const spoken = document.querySelector(".spoken");
  let context = null;
  let playing = null; // { index, source, gain, buffer, started, together, done }
  let asked = 0;
  let loop = false;

  all("[data-clip]").forEach((button) => {
    const index = Number(button.dataset.clip);
    buttons.set(index, [...(buttons.get(index) || []), button]);
  });

  // AudioBuffer of a sound.
  function load(index) {
    if (!buffers.has(index)) {
      context = context || new AudioContext();
      const coded = page.data.clips[index].audio.split(",")[1];
      const bytes = Uint8Array.from(atob(coded), (c) => c.charCodeAt(0));
      buffers.set(index, context.decodeAudioData(bytes.buffer));
    }
    return buffers.get(index);
  }

  function position() {
    if (!playing) return 0;
    const at = Math.max(0, context.currentTime - playing.started);
    return loop ? at % playing.buffer.duration : Math.min(at, playing.buffer.duration);
  }

  function mark(index, on, at = 0) {
    (buttons.get(index) || []).forEach((button) => {
      if (button.getAttribute("aria-pressed")) button.setAttribute("aria-pressed", String(on));
      button.classList.toggle("live", on);
      button.style.setProperty("--at", `${100 * at}%`);
    });
  }

  function release(sound) {
    sound.source.onended = null;
    sound.gain.gain.setTargetAtTime(0, context.currentTime, FADE_SECONDS / 3);
    sound.source.stop(context.currentTime + 2 * FADE_SECONDS);
    mark(sound.index, false);
  }

  function stop() {
    asked += 1;
    if (!playing) return;
    const { done } = playing;
    release(playing);
    playing = null;
    now.hidden = true;
    if (done) done(false);
  }

  // Plays a sound; `together` names sounds that go on from each other's place. The promise holds
  // whether it came to its end; false where another took its place or it was stopped.
  async function play(index, { together = "", secret = false, looping = loop } = {}) {
    const mine = (asked += 1);
    const buffer = await load(index).catch(() => null);
    if (mine !== asked) return false;
    if (!buffer) {
      page.say("This browser can't play the sound.");
      return false;
    }
    if (context.state !== "running") await context.resume();
    if (mine !== asked) return false;
    const same = playing && together && playing.together === together;
    const from = same ? Math.min(position(), buffer.duration) : 0;
    const before = playing;
    if (before) {
      release(before);
      if (before.done) before.done(false);
    }
    const source = new AudioBufferSourceNode(context, { buffer, loop: looping });
    const gain = new GainNode(context, { gain: from > 0 ? 0 : 1 });
    gain.gain.setTargetAtTime(1, context.currentTime, FADE_SECONDS / 3);
    source.connect(gain).connect(context.destination);
    source.start(0, from);
    const sound = { index, source, gain, buffer, together, secret };
    sound.started = context.currentTime - from;
    playing = sound;
    const ended = new Promise((resolve) => (sound.done = resolve));
    source.onended = () => {
      if (playing !== sound) return;
      playing = null;
      mark(index, false);
      now.hidden = true;
      sound.done(true);
    };
    mark(index, true);
    follow(sound);
    return ended;
  }

  function follow(sound) {
    if (playing !== sound) return;
    const at = position();
    mark(sound.index, true, at / sound.buffer.duration);
    if (!sound.secret) {
      const clip = page.data.clips[sound.index];
      const level = clip.gain_db ? `, level ${clip.gain_db > 0 ? "+" : "−"}` : "";
      now.hidden = false;
      now.querySelector(".now-name").textContent = `${clip.who}: ${clip.title}${level}${
        clip.gain_db ? `${Math.abs(clip.gain_db).toFixed(1)} dB` : ""
      }`;
      now.querySelector(".now-clock").textContent =
        `${at.toFixed(1)} / ${sound.buffer.duration.toFixed(1)} s`;
    }
    requestAnimationFrame(() => follow(sound));
  }

  function toggle(button) {
    const index = Number(button.dataset.clip);
    if (playing && playing.index === index) stop();
    else play(index, { together: button.dataset.together || "" });
  }

  all("button[data-clip]").forEach((button) => {
    button.addEventListener("click", () => toggle(button));
  });
  document.querySelector("[data-stop]").addEventListener("click", stop);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") stop();
  });

  all("[data-loop]").forEach((button) => {
    button.addEventListener("click", () => {
      loop = !loop;
      button.setAttribute("aria-checked", String(loop));
      if (playing) {
        const at = position();
        playing.source.loop = loop;
        playing.started = context.currentTime - (at % playing.buffer.duration);
      }
    });
  });

  // What plays moves along with the focus within its column.
  all("table.sounds").forEach((table) => {
    page.rove(table, "[data-clip]", (tile) => {
      const { clip, together } = tile.dataset;
      if (playing && playing.together === together) play(Number(clip), { together });
    });
  });

  all("[data-through]").forEach((button) => {
    button.addEventListener("click", async () => {
      if (button.getAttribute("aria-pressed") === "true") {
        stop();
        return;
      }
      button.setAttribute("aria-pressed", "true");
      for (const index of button.dataset.through.split(" ").map(Number)) {
        if (!(await play(index, { looping: false }))) break;
      }
      button.setAttribute("aria-pressed", "false");
    });
  });

  page.say = (text) => {
    spoken.textContent = text;
  };
  page.player = { load, play, stop, position, toggle, playing: () => playing && playing.index };
})();
