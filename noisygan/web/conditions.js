// Encoding of pitch, velocity, label and tags for networks, as `discriminators.conditioning`.

const clip = (x, low, high) => Math.min(Math.max(x, low), high);

const oneHot = (n, index) => Array.from({ length: n }, (_, i) => (i === index ? 1 : 0));

// In this order.
const ENCODERS = {
  pitch({ pitches }, { pitch: given }) {
    const low = pitches[0];
    const high = pitches[pitches.length - 1];
    const pitch = clip(given, low, high);
    const shares = pitches.map((recorded, i) => {
      const below = i ? recorded - pitches[i - 1] : 1;
      const above = i + 1 < pitches.length ? pitches[i + 1] - recorded : 1;
      return Math.max(0, Math.min((pitch - recorded) / below, (recorded - pitch) / above) + 1);
    });
    return [...shares, (pitch - 0.5 * (low + high)) / 12];
  },
  velocity(encoder, { velocity }) {
    return [(2 * velocity) / 127 - 1, Math.log(velocity / 127 + 0.05)];
  },
  label({ n_labels: n }, { label }) {
    return oneHot(n, label);
  },
};

/** Encode a category as one of its names, or a number from its range to -1 .. 1. */
function encodeTag(values, value) {
  if (typeof values[0] === "string") return oneHot(values.length, values.indexOf(value));
  const [low, high] = values;
  return [(2 * (clip(value, low, high) - low)) / (high - low || 1) - 1];
}

/**
 * Features of a note's conditions.
 *
 * @param {object} encoder {names, pitches, n_labels, tags}, of the model.
 * @param {object} note pitch, velocity (0 to 127), label (index), tags {name: value}.
 * @returns {number[]}
 */
export function encode(encoder, note) {
  const own = Object.keys(ENCODERS).filter((name) => encoder.names.includes(name));
  return [
    ...own.flatMap((name) => ENCODERS[name](encoder, note)),
    ...Object.entries(encoder.tags).flatMap(([name, known]) => encodeTag(known, note.tags[name])),
  ];
}
