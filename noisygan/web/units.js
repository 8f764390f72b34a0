// Units and scaling functions, as `synths.units`.

export const sigmoid = (x) => 1 / (1 + Math.exp(-x));

/** log(1 + exp(x)), with an absolute error of 1e-16. */
export const softplus = (x) => (x > 40 ? x : Math.log(1 + Math.exp(x)));

/** Decibels to linear amplitude. */
export const dbToAmplitude = (db) => Math.exp(db * (Math.LN10 / 20));

/** Soft limit from above. */
export const softCeiling = (db, ceiling) => ceiling - softplus(ceiling - db);

/** MIDI pitch to Hz. */
export const midiToHz = (pitch) => 440 * Math.exp((pitch - 69) * (Math.LN2 / 12));

/** Logarithmic scale from low to high, in raw network outputs. */
export const decay = (raw, low, high) => low * Math.exp(Math.log(high / low) * sigmoid(raw));
