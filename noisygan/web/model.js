// An exported model: facts, layers, and tensors as base64.

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** Bytes of base64 text. An AudioWorklet has no atob. */
export function decodeBase64(text) {
  const codes = new Uint8Array(128);
  for (let i = 0; i < 64; i++) codes[ALPHABET.charCodeAt(i)] = i;
  let n = text.length;
  while (n && text[n - 1] === "=") n--;
  const bytes = new Uint8Array(Math.floor((n * 3) / 4));
  let bits = 0;
  let held = 0;
  let at = 0;
  for (let i = 0; i < n; i++) {
    held = (held << 6) | codes[text.charCodeAt(i)];
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = (held >> bits) & 255;
      held &= (1 << bits) - 1;
    }
  }
  return bytes;
}

/** float16 bits to a number. */
function fromHalf(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const READERS = {
  float16: (bytes, i) => fromHalf(bytes.getUint16(2 * i, true)),
  // float32 without its last byte.
  float24(bytes, i) {
    scratch.setUint32(0, (bytes.getUint16(3 * i + 1, true) << 16) | (bytes.getUint8(3 * i) << 8));
    return scratch.getFloat32(0);
  },
  float32: (bytes, i) => bytes.getFloat32(4 * i, true),
};
const scratch = new DataView(new ArrayBuffer(4));

/**
 * A model with its tensors decoded.
 *
 * @param {object} json As the export writes it: facts, `generator`, `tensors`, `data`.
 * @returns {object} The facts and `generator`; `tensors` are Float32Arrays with a `shape`.
 */
export function readModel(json) {
  if (json.format !== "noisygan-web" || json.version !== 1) {
    throw new Error(`model: format ${json.format} ${json.version}; expected noisygan-web 1`);
  }
  const { buffer } = decodeBase64(json.data);
  const tensors = json.tensors.map(({ shape, type, offset }) => {
    const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
    const bytes = new DataView(buffer, offset);
    for (let i = 0; i < values.length; i++) values[i] = READERS[type](bytes, i);
    values.shape = shape;
    return values;
  });
  return { ...json, data: undefined, tensors };
}
