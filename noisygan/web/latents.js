// Latents: along directions, between two of them, and as text.

import { clamp } from "./dom.js";

export const along = (z, direction) => z.reduce((sum, value, i) => sum + value * direction[i], 0);

/** A latent moved along a direction until it lies at a value on it. */
export function movedTo(z, direction, value) {
  const step = value - along(z, direction);
  return z.map((number, i) => number + step * direction[i]);
}

/** A point of the arc from a to b. Latents of a normal distribution lie near a sphere: half-way along the line there is none. */
export function between(a, b, share) {
  if (share === 0 || share === 1) return share ? b : a;
  const la = Math.hypot(...a), lb = Math.hypot(...b);
  const angle = Math.acos(clamp(along(a, b) / (la * lb || 1), -1, 1));
  if (!la || !lb || Math.sin(angle) < 1e-4) return a.map((v, i) => (1 - share) * v + share * b[i]);
  const wa = Math.sin((1 - share) * angle) / Math.sin(angle), wb = Math.sin(share * angle) / Math.sin(angle);
  const size = (1 - share) * la + share * lb;
  return a.map((v, i) => size * ((wa * v) / la + (wb * b[i]) / lb));
}

/** A number of a latent, with as many digits as are kept of it. */
export const round = (value) => Math.round(value * 1e5) / 1e5;

/** Whether a number is a seed. */
export const isSeed = (value) => Number.isInteger(value) && value >= 0 && value < 2 ** 31;

/** Numbers as text for a link: base64 of float32. */
export const pack = (z) => btoa(String.fromCharCode(...new Uint8Array(Float32Array.from(z).buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

/** Numbers of a text; throws where it is none. */
export function unpack(text) {
  const letters = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
  return [...new Float32Array(bytes.buffer)];
}
