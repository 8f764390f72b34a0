// A stand-in for the engine: a decaying sine for each note, and the engine's messages.

class StandIn extends AudioWorkletProcessor {
  constructor() {
    super();
    this.voices = [];
    this.sustain = false;
    this.blocks = 0;
    this.port.onmessage = ({ data }) => this.handle(data);
    this.port.postMessage({ type: "ready" });
  }

  handle({ type, note, velocity, on }) {
    if (type === "noteOn") {
      this.voices.push({ note, phase: 0, level: 0.2 * velocity, held: true });
      this.port.postMessage({ type: "note", note, on: true });
    }
    if (type === "sustain") this.sustain = on;
    if (type === "noteOff") this.voices.forEach((voice) => { if (voice.note === note) voice.held = false; });
    if (type === "allOff") [...this.voices].forEach((voice) => this.end(voice));
  }

  end(voice) {
    this.voices = this.voices.filter((each) => each !== voice);
    this.port.postMessage({ type: "note", note: voice.note, on: false });
  }

  process(_, [[out]]) {
    for (const voice of this.voices) {
      const step = (2 * Math.PI * 440 * 2 ** ((voice.note - 69) / 12)) / sampleRate;
      for (let i = 0; i < out.length; i++) {
        out[i] += voice.level * Math.sin((voice.phase += step));
        if (!voice.held && !this.sustain) voice.level *= 0.999;
      }
    }
    this.voices.filter(({ level }) => level < 1e-4).forEach((voice) => this.end(voice));
    if (this.blocks++ % 40 === 0) this.port.postMessage({ type: "load", value: this.voices.length / 32, voices: this.voices.length });
    return true;
  }
}

registerProcessor("noisygan", StandIn);
