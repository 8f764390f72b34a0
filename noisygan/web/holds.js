// Who holds which note: pointers, typed keys, MIDI inputs. A note ends when the last of them lets go.

const holders = new Map(); // note -> set of sources

export const isHeld = (note) => holders.has(note);
export const heldNotes = () => [...holders.keys()];
/** Notes that a source holds. */
export const heldBy = (source) => heldNotes().filter((note) => holders.get(note).has(source));

export function hold(note, source) {
  if (!isHeld(note)) holders.set(note, new Set());
  holders.get(note).add(source);
}

/** Removes a source of a note; true if it was the last one. */
export function letGo(note, source) {
  const own = holders.get(note);
  return Boolean(own?.delete(source)) && !own.size && holders.delete(note);
}

/** Counts the voices of notes, a Map, by the engine's messages. */
export function countVoices(voices, { note, on }) {
  const n = (voices.get(note) ?? 0) + (on ? 1 : -1);
  if (n > 0) voices.set(note, n);
  else voices.delete(note);
}

/** Removes all sources of a note, or of all notes. */
export function drop(note) {
  if (note === undefined) holders.clear();
  else holders.delete(note);
}
