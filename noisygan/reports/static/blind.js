// The blind listening test. While it runs, the rest of the page, names and all, is out of the
// document. Answers stay in this browser until the next start; a file keeps them for good.
(() => {
  "use strict";
  const stage = document.querySelector(".stage");
  const section = document.querySelector(".blind-start");
  if (!section) {
    stage.remove();
    return;
  }
  const FORMAT = 1;
  const RATINGS = [1, 2, 3, 4, 5];
  const KEY = `noisygan-listening-${page.data.id}`;
  const { trials } = page.data;
  const names = trials.map((row) => row.system);
  const title = document.title;
  const part = (name) => document.querySelector(`[data-blind="${name}"]`);
  const say = (text) => (section.querySelector(".blind-said").textContent = text);
  const listener = document.querySelector("[data-listener]");
  const count = stage.querySelector(".stage-count");
  const playButton = stage.querySelector(".stage-play");
  const next = stage.querySelector('[data-stage="next"]');
  const back = stage.querySelector('[data-stage="back"]');
  const files = new Map(); // what was loaded, and this listener's own: listener and time -> answers
  let away = null;
  let state = read();

  const radios = RATINGS.map((rating) => {
    const label = document.createElement("label");
    const radio = document.createElement("input");
    radio.type = "radio";
    radio.name = "rating";
    radio.value = rating;
    radio.addEventListener("change", () => rate(rating));
    label.append(radio, document.createTextNode(String(rating)));
    stage.querySelector(".stage-ratings").append(label);
    return radio;
  });

  // ----------------------------------------------------------------------------- what was answered

  function read() {
    try {
      const found = JSON.parse(localStorage.getItem(KEY));
      const known = ([row, column]) =>
        trials[row] && trials[row].sounds.some(([own]) => own === column);
      return found && found.order.every(known) ? found : null;
    } catch {
      return null;
    }
  }

  function keep() {
    try {
      localStorage.setItem(KEY, JSON.stringify(state));
    } catch {
      // A browser that keeps nothing for pages from disk: the test runs, but can't be left.
    }
  }

  function shuffled(list) {
    const mixed = [...list];
    for (let i = mixed.length - 1; i > 0; i -= 1) {
      const j = Math.floor(Math.random() * (i + 1));
      [mixed[i], mixed[j]] = [mixed[j], mixed[i]];
    }
    return mixed;
  }

  // Rounds, each with one sound of every system, so that who stops early has heard all alike.
  function drawn() {
    const mixed = trials.map((row, i) => shuffled(row.sounds.map(([column]) => [i, column])));
    const rounds = Math.max(...mixed.map((own) => own.length));
    return Array.from({ length: rounds }, (_, round) =>
      shuffled(mixed.map((own) => own[round]).filter(Boolean)),
    ).flat();
  }

  function answers() {
    return state.order
      .map(([row, column], i) => ({
        system: names[row],
        column,
        rating: state.ratings[i],
        plays: state.plays[i] || 0,
      }))
      .filter((answer) => answer.rating);
  }

  // ------------------------------------------------------------------------------------- the stage

  function soundAt(i) {
    const [row, column] = state.order[i];
    return trials[row].sounds.find(([own]) => own === column)[1];
  }

  function show() {
    const i = state.at;
    count.textContent = `Sound ${i + 1} of ${state.order.length}`;
    stage.querySelector(".stage-bar i").style.width = `${(100 * i) / state.order.length}%`;
    radios.forEach((radio) => (radio.checked = Number(radio.value) === state.ratings[i]));
    next.disabled = !state.ratings[i];
    next.textContent = i + 1 < state.order.length ? "Next" : "Done";
    back.disabled = i === 0;
    hear();
  }

  async function hear() {
    const i = state.at;
    state.plays[i] = (state.plays[i] || 0) + 1;
    keep();
    playButton.setAttribute("aria-pressed", "true");
    await page.player.play(soundAt(i), { secret: true, looping: false });
    if (page.player.playing() === null) playButton.setAttribute("aria-pressed", "false");
  }

  function rate(rating) {
    state.ratings[state.at] = rating;
    radios[rating - 1].checked = true;
    next.disabled = false;
    keep();
  }

  function go(step) {
    page.player.stop();
    if (step > 0 && !state.ratings[state.at]) return;
    if (state.at + step >= state.order.length) {
      finish();
      return;
    }
    state.at += step;
    keep();
    show();
    count.focus();
  }

  function open() {
    page.player.stop();
    away = { at: window.scrollY, parts: [...document.body.children].filter((e) => e !== stage) };
    away.parts.forEach((element) => element.remove());
    document.title = "Blind listening test";
    stage.hidden = false;
    window.scrollTo(0, 0);
    show();
    count.focus();
  }

  function close(text) {
    page.player.stop();
    stage.hidden = true;
    count.textContent = "";
    const { at, parts } = away;
    const middle = parts.findIndex((element) => element.matches(".now"));
    stage.before(...parts.slice(0, middle));
    stage.after(...parts.slice(middle));
    away = null;
    document.title = title;
    window.scrollTo({ top: at, behavior: "instant" });
    offer();
    say(text);
  }

  function finish() {
    state.done = answers().length > 0;
    state.made = new Date().toISOString();
    keep();
    close(
      state.done
        ? `Thank you: ${answers().length} sounds rated, counted into the table. Save the ratings to pass them on.`
        : "No sound was rated.",
    );
    own();
    (state.done ? part("save") : part("start")).focus();
  }

  function offer() {
    const some = Boolean(state && answers().length);
    part("resume").hidden = !state || state.done;
    part("save").hidden = !some;
    part("start").textContent = state ? "Start again" : "Start";
    part("start").classList.toggle("strong", !state);
  }

  part("start").addEventListener("click", () => {
    state = { order: drawn(), ratings: [], plays: [], at: 0, done: false, made: null };
    state.listener = listener.value.trim();
    files.delete("own");
    keep();
    open();
  });
  part("resume").addEventListener("click", open);
  playButton.addEventListener("click", () => {
    if (page.player.playing() === null) hear();
    else page.player.stop();
  });
  next.addEventListener("click", () => go(1));
  back.addEventListener("click", () => go(-1));
  stage.querySelector('[data-stage="leave"]').addEventListener("click", () => {
    close("Your ratings are kept in this browser; resume at any time.");
    part("resume").focus();
  });
  stage.querySelector('[data-stage="finish"]').addEventListener("click", finish);
  document.addEventListener("keydown", (event) => {
    if (stage.hidden || event.ctrlKey || event.metaKey || event.altKey) return;
    const onButton = event.target instanceof HTMLButtonElement;
    if (RATINGS.includes(Number(event.key))) rate(Number(event.key));
    else if (event.key === " " && !onButton) hear();
    else if (event.key === "Enter" && !onButton) go(1);
    else return;
    event.preventDefault();
  });

  // ------------------------------------------------------------------------------ files of answers

  part("save").addEventListener("click", () => {
    const content = {
      format: FORMAT,
      comparison: page.data.id,
      listener: listener.value.trim() || state.listener,
      made: state.made || new Date().toISOString(),
      answers: answers(),
    };
    const address = URL.createObjectURL(
      new Blob([`${JSON.stringify(content, null, 1)}\n`], { type: "application/json" }),
    );
    const link = document.createElement("a");
    link.href = address;
    link.download = `answers-${page.data.id.slice(0, 8)}-${content.made.replace(/\D/g, "").slice(0, 14)}.json`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 1000);
  });

  // Answers of a file; an Error says what is wrong with it.
  function checked(text) {
    const content = JSON.parse(text);
    if (!content || content.format !== FORMAT || !Array.isArray(content.answers))
      throw new Error("is no answers file");
    if (content.comparison !== page.data.id) throw new Error("is of another comparison");
    content.answers.forEach(({ system, rating }) => {
      if (!names.includes(system)) throw new Error(`rates a system that is not here: ${system}`);
      if (!RATINGS.includes(rating)) throw new Error(`holds a rating that is not 1 to 5: ${rating}`);
    });
    return content;
  }

  document.querySelector("[data-answers]").addEventListener("change", async (event) => {
    const wrong = [];
    for (const file of event.target.files) {
      try {
        const content = checked(await file.text());
        const key = `${content.listener} ${content.made}`;
        if (!state || content.made !== state.made) files.set(key, content.answers);
      } catch (error) {
        const why = error instanceof SyntaxError ? "is no JSON" : error.message;
        wrong.push(`${file.name} ${why}.`);
      }
    }
    event.target.value = "";
    tabulate(wrong.join(" "));
  });

  function own() {
    if (state && state.done) files.set("own", answers());
    if (files.size) tabulate();
  }

  // ----------------------------------------------------------------------------- into the table

  // 97.5 % point of Student's t, by Cornish and Fisher's expansion beyond the first few.
  function studentT(n) {
    const exact = [12.706, 4.303, 3.182, 2.776];
    if (n <= exact.length) return exact[n - 1];
    const z = 1.959964;
    return (
      z +
      (z ** 3 + z) / (4 * n) +
      (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * n ** 2) +
      (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / (384 * n ** 3)
    );
  }

  function estimate(ratings) {
    const n = ratings.length;
    const mean = ratings.reduce((sum, r) => sum + r, 0) / n;
    if (n < 2) return { n, mean };
    const variance = ratings.reduce((sum, r) => sum + (r - mean) ** 2, 0) / (n - 1);
    const half = studentT(n - 1) * Math.sqrt(variance / n);
    return { n, mean, low: Math.max(1, mean - half), high: Math.min(5, mean + half) };
  }

  function tabulate(wrong = "") {
    const given = [...files.values()].flat();
    if (given.length) {
      document.querySelector("[data-rated-head]").hidden = false;
      document.querySelectorAll("[data-rated]").forEach((cell) => {
        const ratings = given.filter((a) => a.system === cell.dataset.rated).map((a) => a.rating);
        cell.hidden = false;
        cell.replaceChildren();
        delete cell.dataset.sort;
        if (!ratings.length) return;
        const { n, mean, low, high } = estimate(ratings);
        cell.dataset.sort = mean;
        const line = (kind, text) => {
          const span = document.createElement("span");
          span.className = kind;
          span.textContent = text;
          cell.append(span);
        };
        line("value", mean.toFixed(2));
        if (n > 1) line("between", `${low.toFixed(2)} to ${high.toFixed(2)}`);
        line("between", `${n} rating${n === 1 ? "" : "s"}`);
      });
    }
    const listeners = `${files.size} listener${files.size === 1 ? "" : "s"}`;
    const counted = files.size ? `${given.length} ratings of ${listeners} are in the table.` : "";
    section.querySelector(".counted").textContent = [wrong, counted].filter(Boolean).join(" ");
  }

  offer();
  own();
})();
