"""Table of the labels, pitches and warnings of a folder's files."""

import collections
import dataclasses
from pathlib import Path

import numpy as np

from noisygan.data import tagging
from noisygan.data.drums import drum_class, drum_keys
from noisygan.data.filenames import octave_of, pitch_name
from noisygan.errors import printable
from noisygan.metrics.note_analysis import hz_to_midi
from noisygan.metrics.note_timing import ENDINGS
from noisygan.progress import counted

# With fewer recordings than these a model repeats them.
FEW = 10
# Shorter notes end within an attack.
SHORT_SECONDS = 0.05
# At most this many names are listed in a line.
_N_LISTED = 6
# At most this many files are listed, a line each.
_N_SKIPPED = 20
# Semitones between name and sound that are reported; further off, the measurement is in doubt.
_MISTUNED, _NOT_MEASURED = 0.7, 2.5
# Periods of fewer samples are measured to a semitone or so: octaves only.
_EXACT_LAG = 16
# A new note follows where the level falls so far below the peak, and rises again to this.
_GAP_DB, _AGAIN_DB, _FRAME_SECONDS = -45.0, -20.0, 0.02


@dataclasses.dataclass
class FileFacts:
    """Facts on the audio of a file.

    Attributes:
      rate: Of the file, in Hz.
      n_channels: Of the file.
      lead_seconds: Silence that was cut off at the beginning.
      semitones: `semitones_off` of a note.
      n_notes: `count_notes` of a note.
      is_short: Whether a note is shorter than an attack.
    """

    rate: float
    n_channels: int = 1
    lead_seconds: float = 0.0
    semitones: float = 0.0
    n_notes: int = 1
    is_short: bool = False

    def check_note(self, audio, sample_rate, pitch):
        """Compare the audio of a note, float32 [n_samples], with its MIDI pitch; returns self."""
        self.is_short = len(audio) < SHORT_SECONDS * sample_rate
        self.semitones = 0.0 if self.is_short else semitones_off(audio, sample_rate, pitch)
        self.n_notes = count_notes(audio, sample_rate)
        return self


@dataclasses.dataclass
class Listing:
    """Facts on the files of a set, collected while they are read.

    Attributes:
      folder: Of the files.
      sample_rate: Hz that they are read at.
      skipped: dict of name -> why a file was not used.
      middle_c: Name of MIDI note 60 in the names.
      gain: Of the whole set.
      read_as: How unknown velocities are read; None where that is not known.
      entries: Recordings that are used.
      n_examples: Number of examples that they give.
    """

    folder: Path = Path()
    sample_rate: int = 16000
    skipped: dict = dataclasses.field(default_factory=dict)
    middle_c: str = "C4"
    gain: float = 1.0
    read_as: str | None = None

    def __post_init__(self):
        self.entries, self.n_examples, self.several, self.short = [], 0, [], []
        self.rates, self.octaves = collections.Counter(), collections.Counter()
        self.n_mixed, self.leads, self.mistuned = 0, [], []

    def add(self, entry, facts=None, n_examples=1):
        """Add a recording, with its `FileFacts` if it was decoded."""
        self.entries.append(entry)
        self.n_examples += n_examples
        if facts is None:
            return
        self.rates[facts.rate] += 1
        self.n_mixed += facts.n_channels > 1
        if facts.lead_seconds >= 0.0005:
            self.leads.append(facts.lead_seconds)
        if entry.pitch is None:
            return
        octaves = round(facts.semitones / 12.0)
        off = abs(facts.semitones - 12 * octaves)
        self.octaves[octaves if off < 1.0 else None] += not facts.is_short
        if octaves == 0 and _MISTUNED <= off <= _NOT_MEASURED:
            self.mistuned.append(f"{entry.name} ({facts.semitones:+.1f})")
        if facts.is_short:
            self.short.append(entry.name)
        if facts.n_notes > 1:
            self.several.append(entry.name)

    def warnings(self):
        """Sentences on what is probably wrong, list of str."""
        found = [f"{name} {reason}" for name, reason in self._problems().items()]
        if len(found) > _N_LISTED:
            found[_N_LISTED:] = [f"{len(found) - _N_LISTED} more names like these"]
        n_tried, (octaves, n) = self.octaves.total(), (self.octaves.most_common(1) or [(0, 0)])[0]
        if n_tried >= 3 and 2 * n > n_tried and octaves != 0:
            found.append(self._octave_warning(octaves, n, n_tried))
        elif self.mistuned:
            found.append(f"another pitch than named, in semitones: {_names(self.mistuned)}")
        if self.several:
            found.append(f"several notes in one file: {_names(self.several)}; cut them apart")
        if self.short:
            found.append(f"shorter than {1000 * SHORT_SECONDS:g} ms: {_names(self.short)}")
        without = [entry.name for entry in self.entries if entry.pitch is None]
        if without and len(without) < len(self.entries):
            found.append(f"no pitch: {_names(without)}; name them like C4.wav or 060.wav")
        labels = {entry.label or "" for entry in self.entries}
        is_unnamed = len(labels) < 2 and not any(map(drum_class, labels))
        if is_unnamed and without and len(without) == len(self.entries):
            found.append(
                f"no pitch in {len(without)} names: name them after their notes, like C4.wav or "
                "060.wav, or use --detect_pitch pyin"
            )
        if self.n_examples < FEW:
            found.append(f"{self.n_examples} recordings are few: expect copies; take 30 or more")
        return found

    def text(self):
        """The table, str of several lines."""
        n_files = len(self.entries) + len(self.skipped)
        lines = [f"{printable(self.folder)}: {len(self.entries)} of {n_files} files"]
        for rule, entries in self._by_rule().items():
            example = next((e for e in entries if e.pitch is not None), entries[0])
            lines.append(_row("read by", f"{rule}: {len(entries)}, such as {self._said(example)}"))
        lines.append(_row("pitch", self._pitches()))
        lines.append(_row("velocity", self._velocities()))
        takes = self._takes()
        if takes:
            lines.append(_row("takes", takes))
        lines += [_row("class", text) for text in self._classes()]
        lines += [_row("tag", text) for text in self._tags()]
        endings = collections.Counter(entry.ending for entry in self.entries if entry.ending)
        if endings:
            lines.append(_row("notes", ", ".join(f"{endings[name]} {name}" for name in ENDINGS)))
        if self.rates:
            lines.append(_row("audio", self._audio()))
        skipped = [f"{name} {why}" for name, why in self.skipped.items()]
        if len(skipped) > _N_SKIPPED:
            skipped[_N_SKIPPED:] = [f"{len(skipped) - _N_SKIPPED} more files"]
        lines += [_row("skipped", text) for text in skipped]
        return "\n".join(lines + [_row("warning", text) for text in self.warnings()])

    def _problems(self):
        return {entry.name: entry.problem for entry in self.entries if entry.problem}

    def _by_rule(self):
        rules = collections.defaultdict(list)
        for entry in self.entries:
            rules[entry.rule or "nothing"].append(entry)
        return dict(sorted(rules.items(), key=lambda item: -len(item[1])))

    def _said(self, entry):
        parts = [entry.label or ""]
        if entry.pitch is not None:
            parts.append(f"{pitch_name(entry.pitch, self.middle_c)} ({entry.pitch:g})")
        if entry.velocity is not None:
            parts.append(f"velocity {entry.velocity:g}")
        parts.append(f"take {entry.take}" if entry.take > 1 else "")
        return f"{entry.name} -> {', '.join(filter(None, parts)) or 'nothing'}"

    def _pitches(self):
        known = sorted({entry.pitch for entry in self.entries if entry.pitch is not None})
        if not known:
            return "unknown"
        names = [pitch_name(pitch, self.middle_c) for pitch in (known[0], known[-1])]
        n_keys = round(known[-1] - known[0]) + 1
        span = f"{names[0]} to {names[1]} ({known[0]:g} to {known[-1]:g})"
        return f"{span}, {len(known)} of {n_keys} keys; middle C is {self.middle_c}"

    def _velocities(self):
        known = sorted({entry.velocity for entry in self.entries if entry.velocity is not None})
        n_unknown = sum(entry.velocity is None for entry in self.entries)
        read_as = f", read as {self.read_as}" if self.read_as else ""
        if not known:
            return f"unknown{read_as}"
        shown = " ".join(f"{value:g}" for value in known[:12]) + (" ..." if len(known) > 12 else "")
        unknown = f"; unknown in {n_unknown}{read_as}" if n_unknown else ""
        return f"{len(known)} layers: {shown}{unknown}"

    def _takes(self):
        notes = collections.Counter((e.label, e.pitch, e.velocity) for e in self.entries)
        several = {note: n for note, n in notes.items() if n > 1 and note[1] is not None}
        shown = [f"{pitch_name(p, self.middle_c)}: {n}" for (_, p, _), n in several.items()]
        return (
            f"{counted(len(several), 'note')} with several takes ({_names(shown)})"
            if several
            else ""
        )

    def _classes(self):
        counts = collections.Counter(entry.label for entry in self.entries)
        if None in counts or len(counts) < 2:
            return []
        keys = drum_keys(sorted(counts))
        lines = []
        for name, n in sorted(counts.items()):
            where = ""
            if keys:
                where = f", keys {' '.join(map(str, keys[name]))}"
                where += "" if drum_class(name) else " (no General MIDI drum)"
            lines.append(f"{name}: {n}{where}")
        return lines

    def _tags(self):
        names = dict.fromkeys(name for entry in self.entries for name in entry.tags)
        lines = []
        for name in names:
            known = [entry.tags[name] for entry in self.entries if name in entry.tags]
            values = tagging.column(known)
            text = tagging.shown(tagging.range_of(values))
            if values.dtype.kind != "f":
                counts = collections.Counter(values.tolist()).most_common()
                text = _names([f"{value} {n}" for value, n in counts])
            unknown = len(self.entries) - len(known)
            lines.append(f"{name}: {text}" + (f"; unknown in {unknown}" if unknown else ""))
        return lines

    def _audio(self):
        rates = ", ".join(f"{rate:g} Hz ({n})" for rate, n in self.rates.most_common(4))
        parts = [f"{rates} read at {self.sample_rate:g} Hz"]
        if self.n_mixed:
            parts.append(f"{self.n_mixed} mixed to mono")
        if self.leads:
            longest = 1000 * max(self.leads)
            parts.append(f"leading silence cut from {len(self.leads)}, up to {longest:.0f} ms")
        if self.gain != 1.0:
            parts.append(f"all raised by {20 * np.log10(self.gain):.0f} dB")
        return "; ".join(parts)

    def _octave_warning(self, octaves, n, n_tried):
        if octaves is None:
            return f"{n} of {n_tried} recordings have another pitch than their names say"
        direction = "higher" if octaves > 0 else "lower"
        shift = f"{abs(octaves):g} octave{'s' if abs(octaves) > 1 else ''} {direction}"
        other = f"C{octave_of(self.middle_c) - octaves:g}"
        return (
            f"{n} of {n_tried} recordings sound {shift} than their names say; "
            f"try --middle_c {other} (Recordings.middle_c)"
        )


def semitones_off(audio, sample_rate, pitch):
    """Semitones from a note's MIDI pitch to its measured F0, by autocorrelation.

    Args:
      audio: float32 [n_samples].
      sample_rate: Hz.
      pitch: MIDI number.

    Returns:
      Number; 0 where nothing periodic is found.
    """
    n = min(len(audio), round(0.35 * sample_rate))
    begin = min(int(np.argmax(np.abs(audio))) + round(0.05 * sample_rate), len(audio) - n)
    part = audio[begin : begin + n] - np.mean(audio[begin : begin + n])
    spectrum = np.abs(np.fft.rfft(part, 4 * n)) ** 2
    correlation = np.fft.irfft(spectrum)[: n // 2]
    # Sums of fewer products at long lags.
    correlation = correlation / (n - np.arange(n // 2))
    shortest = max(2, round(sample_rate / 5000.0))
    inside = correlation[shortest:]
    if len(inside) < 3 or np.max(inside) <= 0.0:
        return 0.0
    is_peak = (inside[1:-1] >= inside[:-2]) & (inside[1:-1] > inside[2:])
    is_peak &= inside[1:-1] > 0.85 * np.max(inside[1:-1])
    lags = np.flatnonzero(is_peak) + 1 + shortest
    if not len(lags):
        return 0.0
    before, top, behind = correlation[lags[0] - 1 : lags[0] + 2]
    lag = lags[0] + 0.5 * (before - behind) / (before - 2.0 * top + behind)  # of the parabola
    semitones = float(hz_to_midi(sample_rate / lag) - pitch)
    nearest = 12.0 * round(semitones / 12.0)
    is_octave = lag < _EXACT_LAG and abs(semitones - nearest) < 1.5
    return nearest if is_octave else semitones


def count_notes(audio, sample_rate):
    """Number of notes in a recording that are separated by silence.

    Args:
      audio: float32 [n_samples].
      sample_rate: Hz.
    """
    size = max(1, round(_FRAME_SECONDS * sample_rate))
    frames = audio[: len(audio) // size * size].reshape(-1, size)
    if not len(frames):
        return 1
    level = 10.0 * np.log10(np.mean(np.square(frames, dtype=np.float64), axis=1) + 1e-12)
    level -= np.max(level)
    n_notes, sounding = 0, False
    for value in level:
        if not sounding and value > _AGAIN_DB:
            n_notes, sounding = n_notes + 1, True
        elif value < _GAP_DB:
            sounding = False
    return n_notes


def _names(names):
    shown = ", ".join(names[:_N_LISTED])
    return shown + (f" and {len(names) - _N_LISTED} more" if len(names) > _N_LISTED else "")


def _row(head, text):
    return f"  {head:<10}{printable(text)}"
