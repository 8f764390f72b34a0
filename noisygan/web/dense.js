// Dense layers: sums of 16 outputs at a time, by WebAssembly's vectors where there are any.
//
// Weights, inputs and outputs lie in one float32 heap, which is the memory of the WebAssembly module.

const N_VECTORS = 4; // of four floats
const N_SUMS = 4 * N_VECTORS;
const PAGE = 65536;

/** Instructions of WebAssembly that are used. */
const [GET, SET, CONST, ADD, SHIFT, IS_LESS, IS_GREATER, LOOP, IF_AGAIN, END] = [
  0x20, 0x21, 0x41, 0x6a, 0x74, 0x48, 0x4a, 0x03, 0x0d, 0x0b,
];
const VECTOR = 0xfd;
const LOAD = [VECTOR, 0x00, 2]; // at an offset
const SPREAD = [VECTOR, 0x09, 2, 0]; // one float to a vector
const STORE = [VECTOR, 0x0b, 2]; // at an offset
const TIMES = [VECTOR, 0xe6, 1];
const PLUS = [VECTOR, 0xe4, 1];

/** A whole number in WebAssembly's variable length. */
function signed(n) {
  const bytes = [];
  while (n < -64 || n > 63) {
    bytes.push((n & 127) | 128);
    n >>= 7;
  }
  return [...bytes, n & 127];
}

function unsigned(n) {
  return n < 128 ? [n] : [(n & 127) | 128, ...unsigned(n >> 7)];
}

const sized = (bytes) => [...unsigned(bytes.length), ...bytes];

/** Bytes of a module with the function of `plain` below, whose arguments are byte addresses. */
function assemble() {
  const [x, w, bias, out, nIn, nOut, i, value, sum] = [0, 1, 2, 3, 4, 5, 6, 7, 8];
  const vectors = Array.from({ length: N_VECTORS }, (_, k) => k);
  const move = (pointer, n) => [GET, pointer, CONST, ...signed(n), ADD, SET, pointer];
  const end = nIn; // the address after the inputs takes its place
  const code = [
    [GET, nIn, CONST, 2, SHIFT, GET, x, ADD, SET, end, LOOP, 0x40],
    vectors.map((k) => [GET, bias, LOAD, 16 * k, SET, sum + k]),
    [GET, x, SET, i, LOOP, 0x40, GET, i, SPREAD, SET, value],
    vectors.map((k) => [GET, sum + k, GET, value, GET, w, LOAD, 16 * k, TIMES, PLUS, SET, sum + k]),
    [move(w, 4 * N_SUMS), move(i, 4), GET, i, GET, end, IS_LESS, IF_AGAIN, 0, END],
    vectors.map((k) => [GET, out, GET, sum + k, STORE, 16 * k]),
    [move(bias, 4 * N_SUMS), move(out, 4 * N_SUMS), move(nOut, -N_SUMS)],
    [GET, nOut, CONST, 0, IS_GREATER, IF_AGAIN, 0, END, END],
  ];
  const [INT, FLOATS] = [0x7f, 0x7b]; // types; six arguments, then i, value and the sums
  const locals = [2, 1, INT, 1 + N_VECTORS, FLOATS];
  const section = (id, bytes) => [id, ...sized(bytes)];
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0], // "\0asm", version 1
    ...section(1, [1, 0x60, 6, INT, INT, INT, INT, INT, INT, 0]), // one type of function
    ...section(3, [1, 0]), // one function
    ...section(5, [1, 0, 1]), // one memory of a page
    ...section(7, [2, 1, 0x6d, 2, 0, 1, 0x66, 0, 0]), // exports: memory "m", function "f"
    ...section(10, [1, ...sized([...locals, ...code.flat(9)])]),
  ]);
}

/** Write bias + x w of the heap to out. Weights lie in groups of 16 outputs, input after input. */
function plain(heap, x, w, bias, out, nIn, nOut) {
  for (let o = 0; o < nOut; o += 4, w += o % N_SUMS ? 4 : N_SUMS * nIn - (N_SUMS - 4)) {
    let a = heap[bias + o];
    let b = heap[bias + o + 1];
    let c = heap[bias + o + 2];
    let d = heap[bias + o + 3];
    for (let i = 0, p = w; i < nIn; i++, p += N_SUMS) {
      const value = heap[x + i];
      a += value * heap[p];
      b += value * heap[p + 1];
      c += value * heap[p + 2];
      d += value * heap[p + 3];
    }
    heap[out + o] = a;
    heap[out + o + 1] = b;
    heap[out + o + 2] = c;
    heap[out + o + 3] = d;
  }
}

/** Floats that are given out once, and what computes with them. */
class Heap {
  constructor() {
    this.used = 0;
    try {
      const { m, f } = new WebAssembly.Instance(new WebAssembly.Module(assemble())).exports;
      this.memory = m;
      this.floats = new Float32Array(m.buffer);
      this.dense = (x, w, bias, out, nIn, nOut) => f(4 * x, 4 * w, 4 * bias, 4 * out, nIn, nOut);
    } catch {
      // A browser, or a page, without it.
      this.floats = new Float32Array(PAGE);
      this.dense = (...given) => plain(this.floats, ...given);
    }
  }

  /** Index of n floats. */
  reserve(n) {
    const at = this.used;
    this.used += n;
    const missing = this.used - this.floats.length;
    if (missing > 0 && this.memory) {
      this.memory.grow(Math.ceil((4 * missing) / PAGE));
      this.floats = new Float32Array(this.memory.buffer);
    } else if (missing > 0) {
      const { floats } = this;
      this.floats = new Float32Array(2 * this.used);
      this.floats.set(floats);
    }
    return at;
  }
}

let heap = null;
const places = new WeakMap(); // kernel -> where its layer lies

export class Dense {
  constructor(spec, tensors) {
    const kernel = tensors[spec.kernel];
    [this.nIn, this.nOut] = kernel.shape;
    if (!places.has(kernel)) places.set(kernel, this.place(kernel, tensors[spec.bias]));
    Object.assign(this, places.get(kernel));
  }

  place(kernel, bias) {
    const { nIn, nOut } = this;
    const size = Math.ceil(nOut / N_SUMS) * N_SUMS;
    heap ??= new Heap();
    const [w, b, x, out] = [size * nIn, size, nIn, size].map((n) => heap.reserve(n));
    const { floats } = heap;
    floats.set(bias, b);
    for (let o = 0; o < nOut; o++) {
      const first = w + (o - (o % N_SUMS)) * nIn + (o % N_SUMS);
      for (let i = 0; i < nIn; i++) floats[first + i * N_SUMS] = kernel[i * nOut + o];
    }
    return { w, b, x, out };
  }

  /** An array for the outputs. */
  outputs() {
    return new Float64Array(this.nOut);
  }

  /** Write the outputs for inputs x into out, of which the first n are needed. */
  apply(x, out, n = this.nOut) {
    const { nIn } = this;
    const { floats } = heap;
    for (let i = 0; i < nIn; i++) floats[this.x + i] = x[i];
    heap.dense(this.x, this.w, this.b, this.out, nIn, n);
    for (let o = 0; o < n; o++) out[o] = floats[this.out + o];
  }
}
