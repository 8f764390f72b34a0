// Players: a button, a playhead on every plot of the sound, arrow keys to move, and sequences.
(() => {
  "use strict";
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const spoken = document.querySelector(".spoken");
  const buttons = new Map();
  const plots = new Map();
  let sequence = null;

  const add = (map, key, value) => map.set(key, [...(map.get(key) || []), value]);
  all("[data-play]").forEach((button) => add(buttons, button.dataset.play, button));
  all("[data-audio]").forEach((plot) => add(plots, plot.dataset.audio, plot));

  const seconds = (value) => `${value.toFixed(1)} s`;

  function draw(audio) {
    const length = audio.duration || 1;
    const started = !audio.paused || audio.currentTime > 0;
    (plots.get(audio.id) || []).forEach((plot) => {
      plot.style.setProperty("--at", `${(100 * audio.currentTime) / length}%`);
      plot.classList.toggle("live", started && !audio.ended);
    });
    const clock = document.querySelector(`[data-clock="${audio.id}"]`);
    if (clock && audio.duration) {
      const running = started && !audio.ended;
      clock.textContent = running
        ? `${audio.currentTime.toFixed(1)} / ${seconds(length)}`
        : seconds(length);
    }
  }

  function follow(audio) {
    draw(audio);
    if (!audio.paused) requestAnimationFrame(() => follow(audio));
  }

  function start(audio, from) {
    all("audio").forEach((other) => other !== audio && other.pause());
    if (from !== undefined) audio.currentTime = from;
    else if (audio.ended) audio.currentTime = 0;
    audio.play().catch(() => {
      spoken.textContent = `${audio.dataset.name} can't be played by this browser.`;
    });
  }

  function endSequence() {
    if (!sequence) return;
    clearTimeout(sequence.timer);
    sequence.button.setAttribute("aria-pressed", "false");
    sequence = null;
  }

  function playSequence(button) {
    const again = sequence && sequence.button === button;
    endSequence();
    all("audio").forEach((audio) => audio.pause());
    if (again) return;
    const ids = button.dataset.sequence.split(" ");
    const each = Number(button.dataset.each) || Infinity;
    const mine = { button, timer: 0 };
    sequence = mine;
    button.setAttribute("aria-pressed", "true");
    const next = (index) => {
      if (sequence !== mine) return;
      if (index >= ids.length) {
        endSequence();
        return;
      }
      const audio = document.getElementById(ids[index]);
      spoken.textContent = audio.dataset.name;
      const plot = (plots.get(audio.id) || [])[0];
      if (plot) plot.scrollIntoView({ block: "nearest", inline: "nearest", behavior: "smooth" });
      start(audio, 0);
      const wait = Math.min(each, (audio.duration || 4) + 0.25);
      mine.timer = setTimeout(() => {
        audio.pause();
        audio.currentTime = 0;
        draw(audio);
        next(index + 1);
      }, 1000 * wait);
    };
    next(0);
  }

  all("audio").forEach((audio) => {
    const mark = (playing) =>
      (buttons.get(audio.id) || []).forEach((button) => {
        button.setAttribute("aria-pressed", String(playing));
      });
    audio.addEventListener("play", () => {
      mark(true);
      follow(audio);
    });
    audio.addEventListener("pause", () => {
      mark(false);
      draw(audio);
    });
    audio.addEventListener("ended", () => {
      audio.currentTime = 0;
      draw(audio);
    });
    audio.addEventListener("loadedmetadata", () => draw(audio));
  });

  buttons.forEach((list, id) => {
    const audio = document.getElementById(id);
    list.forEach((button) => {
      button.addEventListener("click", () => {
        endSequence();
        if (audio.paused) start(audio);
        else audio.pause();
      });
      button.addEventListener("keydown", (event) => {
        const moves = { ArrowLeft: -0.25, ArrowRight: 0.25 };
        if (event.key in moves) {
          const to = audio.currentTime + moves[event.key];
          audio.currentTime = Math.max(0, Math.min(to, audio.duration || 0));
        } else if (event.key === "Home") {
          audio.currentTime = 0;
        } else {
          return;
        }
        event.preventDefault();
        draw(audio);
      });
    });
  });

  plots.forEach((list, id) => {
    const audio = document.getElementById(id);
    list.forEach((plot) => {
      plot.addEventListener("click", (event) => {
        const box = plot.getBoundingClientRect();
        endSequence();
        start(audio, ((event.clientX - box.left) / box.width) * (audio.duration || 0));
      });
    });
  });

  all("[data-sequence]").forEach((button) => {
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", () => playSequence(button));
  });

  all(".copy").forEach((button) => {
    button.addEventListener("click", async () => {
      const code = button.previousElementSibling;
      try {
        await navigator.clipboard.writeText(code.textContent);
        button.textContent = "Copied";
        spoken.textContent = "Copied";
        setTimeout(() => (button.textContent = "Copy"), 1500);
      } catch {
        getSelection().selectAllChildren(code);
      }
    });
  });
})();
