// Talks to the studio's server.

const REMEMBERED = 64;
const sounds = new Map();

async function post(path, body) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error((await answer.text()).trim() || `the server answers ${answer.status}`);
  return answer;
}

export async function runs() {
  return (await fetch("api/runs")).json();
}

/** Directions and map of a run, once the server has found them. */
export async function landscape(run) {
  for (;;) {
    const answer = await fetch(`api/landscape/${run}`);
    if (answer.status !== 202) return answer.json();
    await new Promise((resolve) => setTimeout(resolve, 700));
  }
}

/** Networks of a run whose notes the page can play itself, or null. */
export async function model(run) {
  const answer = await fetch(`api/model/${run}`);
  if (!answer.ok) throw new Error((await answer.text()).trim() || `the server answers ${answer.status}`);
  return answer.json();
}

/** {seed, z, tags} of a seed. */
export async function latent(run, seed, label) {
  return (await post("api/latent", { run, seed, label })).json();
}

/** A sound: {samples, rate, seconds, curves, lowered_db}; one that was heard lately at once. */
export function render(body) {
  const key = JSON.stringify(body);
  const known = sounds.get(key);
  if (known) {
    sounds.delete(key);
    sounds.set(key, known);
    return known;
  }
  const made = post("api/render", body)
    .then((answer) => answer.json())
    .then((answer) => {
      const { samples, rate } = wavSamples(answer.wav);
      return { samples, rate, seconds: samples.length / rate, curves: answer.curves, lowered_db: answer.lowered_db };
    });
  sounds.set(key, made);
  made.catch(() => sounds.delete(key));
  if (sounds.size > REMEMBERED) sounds.delete(sounds.keys().next().value);
  return made;
}

/** Offers a file of the server to be kept; its name is the server's. */
export async function download(path, body) {
  const answer = await post(path, body);
  const name = /filename="([^"]+)"/.exec(answer.headers.get("content-disposition") || "");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await answer.blob());
  link.download = name ? name[1] : "sound";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  return link.download;
}

/** Request body with which a run sounds like a file; calls report(share) meanwhile. */
export async function match(run, file, report) {
  const timer = setInterval(async () => report((await (await fetch("api/match")).json()).share), 1000);
  try {
    const answer = await fetch(`api/match?run=${run}`, {
      method: "POST",
      headers: { "content-type": "application/octet-stream" },
      body: file,
    });
    if (!answer.ok) throw new Error((await answer.text()).trim());
    return await answer.json();
  } finally {
    clearInterval(timer);
  }
}

function wavSamples(base64) {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  let at = 12;
  let rate = 0;
  while (at + 8 <= bytes.length) {
    const name = String.fromCharCode(...bytes.subarray(at, at + 4));
    const size = view.getUint32(at + 4, true);
    if (name === "fmt ") rate = view.getUint32(at + 12, true);
    if (name === "data") {
      const samples = new Float32Array(size >> 1);
      for (let i = 0; i < samples.length; i++) samples[i] = view.getInt16(at + 8 + 2 * i, true) / 32768;
      return { samples, rate };
    }
    at += 8 + size + (size & 1);
  }
  throw new Error("the server's sound can't be read");
}
