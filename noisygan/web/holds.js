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

/** Takes a source from a note; whether it was the last one. */
export function letGo(note, source) {
  const own = holders.get(note);
  return Boolean(own?.delete(source)) && !own.size && holders.delete(note);
}

/** Takes all sources from a note, or from all notes. */
export function drop(note) {
  if (note === undefined) holders.clear();
  else holders.delete(note);
}
