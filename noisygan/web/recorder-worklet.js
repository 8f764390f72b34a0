// Sends what it hears in pieces of a fraction of a second.

const N_SAMPLES = 8192;

class Recorder extends AudioWorkletProcessor {
  constructor() {
    super();
    this.piece = new Float32Array(N_SAMPLES);
    this.n = 0;
    this.isOn = true;
    this.port.onmessage = () => {
      this.isOn = false;
      this.port.postMessage({ piece: this.piece.slice(0, this.n), isLast: true });
    };
  }

  process([[samples]]) {
    if (!this.isOn || !samples) return this.isOn;
    for (const sample of samples) {
      this.piece[this.n++] = sample;
      if (this.n < N_SAMPLES) continue;
      this.port.postMessage({ piece: this.piece, isLast: false });
      this.piece = new Float32Array(N_SAMPLES);
      this.n = 0;
    }
    return true;
  }
}

registerProcessor("recorder", Recorder);
