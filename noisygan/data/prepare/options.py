"""Options of `prepare`, the defaults of each kind of recordings, and presets of papers."""

import dataclasses
import hashlib
import json

from noisygan.errors import UsageError

F0_METHODS = ("pyin", "crepe", "crepe-full")


@dataclasses.dataclass(frozen=True)
class Options:
    """Processing steps in the order in which they are taken; None leaves a step out.

    Attributes:
      sample_rates: Hz, the highest first; the lower ones are of the same audio, low-passed, for
        growing. Records name them as whole numbers.
      other_rates: 'resample' files at other rates than the first, or 'drop' them.
      remove_dc: Whether a constant offset is removed.
      max_seconds: Longer files are skipped.
      skip_seconds: Left out at the beginning of each file.
      trim_start: Whether silence before the onset is cut off, as `decoding.leading_silence` says.
      trim_db: Silence at both ends is cut off, up to the first and from the last sample above this
        level, relative to the peak.
      n_samples: Length of every example at the first rate: cut, or padded with zeros. None: as it
        is.
      segments: Whether each file is cut into examples of n_samples; the remainder is dropped.
      silence_db: Segments whose peak stays below this are dropped, in dB of full scale.
      peak: Level of the highest sample afterwards, of full scale.
      loudness_db: Integrated loudness (ITU-R BS.1770) afterwards, in LUFS.
      fade_in_seconds, fade_out_seconds: Linear fades at the ends of each example.
      features: Whether loudness, RMS and onsets are stored with each example.
      f0: 'pyin', 'crepe' (tiny) or 'crepe-full': F0 and its confidence are stored as well.
      frame_rate: Frames per second of the features.
      split_by: What is kept together in one split: 'file', 'pitch', 'instrument' (the label) or
        the name of a tag; 'given': each recording's own split, and train where it names none.
      valid, test: Fractions of files or groups.
      only: Pairs of a name (label, family, source, pitch, velocity, split or a tag) and the values
        to keep; one with commas that no recording has as it is means several.
      middle_c: Name of MIDI note 60 in file names: 'C3', 'C4' or 'C5'.
      detect_pitch: 'pyin', 'crepe' or 'crepe-full': measure pitches that files do not say.
      licence: Text for the manifest.
    """

    sample_rates: tuple = (16000.0,)
    other_rates: str = "resample"
    remove_dc: bool = True
    max_seconds: float | None = None
    skip_seconds: float = 0.0
    trim_start: bool = False
    trim_db: float | None = None
    n_samples: int | None = 64000
    segments: bool = False
    silence_db: float | None = None
    peak: float | None = None
    loudness_db: float | None = None
    fade_in_seconds: float = 0.0
    fade_out_seconds: float = 0.0
    features: bool = False
    f0: str | None = None
    frame_rate: float = 250.0
    split_by: str = "given"
    valid: float = 0.0
    test: float = 0.0
    only: tuple = ()
    middle_c: str = "C4"
    detect_pitch: str | None = None
    licence: str | None = None

    def __post_init__(self):
        rates = tuple(float(rate) for rate in self.sample_rates)
        object.__setattr__(self, "sample_rates", rates)
        object.__setattr__(self, "only", tuple((name, tuple(vs)) for name, vs in self.only))
        _validate(self)

    @property
    def rate_names(self):
        """Rates as whole numbers, as records name them; list of int."""
        return [round(rate) for rate in self.sample_rates]

    def to_dict(self):
        """Options as JSON; `Options(**facts)` is the inverse."""
        return json.loads(json.dumps(dataclasses.asdict(self)))

    def fingerprint(self):
        """Hex str, equal for equal options."""
        text = json.dumps(self.to_dict(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def _validate(options):
    """Raise UsageError for options that exclude each other or name no method."""
    names = options.rate_names
    if not names or names[0] != options.sample_rates[0] or names != sorted(set(names))[::-1]:
        raise UsageError(
            f"sample rates {', '.join(map(str, names)) or 'none'}: expected whole numbers of Hz, "
            "the highest first"
        )
    choices = {"other_rates": ("resample", "drop"), "middle_c": ("C3", "C4", "C5")}
    choices |= dict.fromkeys(("f0", "detect_pitch"), (None, *F0_METHODS))
    for name, values in choices.items():
        if getattr(options, name) not in values:
            expected = " or ".join(value for value in values if value)
            raise UsageError(f"{name} is {getattr(options, name)!r}; expected {expected}")
    if options.peak is not None and options.loudness_db is not None:
        raise UsageError("peak and loudness_db: expected one of them, the other none")
    if options.segments and options.n_samples is None:
        raise UsageError("segments need a length; expected n_samples")
    if options.silence_db is not None and not options.segments:
        raise UsageError("silence_db has no effect without segments; expected both or none")
    if (options.split_by == "given") == bool(options.valid or options.test):
        raise UsageError(
            f"split_by {options.split_by} with valid {options.valid:g} and test {options.test:g}; "
            "expected split_by file, pitch, instrument or a tag, and valid or test, or neither"
        )


# Defaults of each kind of recordings.
KINDS = {
    "nsynth": Options(remove_dc=False),
    "notes": Options(max_seconds=60.0, trim_start=True),
    "drums": Options(
        sample_rates=(44100.0,),
        n_samples=16384,
        max_seconds=30.0,
        trim_db=-50.0,
        peak=1.0,
        fade_out_seconds=0.005,
    ),
    "speech": Options(n_samples=16000, max_seconds=30.0),
    "songs": Options(
        sample_rates=(22050.0,),
        n_samples=262144,
        segments=True,
        silence_db=-60.0,
        max_seconds=7200.0,
    ),
}

# (kind, options that differ from the kind's). docs/data.md says what the papers leave open.
PRESETS = {
    "nsynth": ("nsynth", {}),
    "falini": (
        "drums",
        {"other_rates": "drop", "n_samples": 7500, "peak": None, "fade_out_seconds": 0.0},
    ),
    "drysdale": (
        "drums",
        {
            "sample_rates": tuple(44100.0 / 4**level for level in range(4)),
            "trim_start": True,
            "trim_db": None,
            "fade_in_seconds": 0.001,
        },
    ),
    "netzer": (
        "songs",
        {
            "sample_rates": tuple(22050.0 / 2**level for level in range(9)),
            "skip_seconds": 5.0,
            "silence_db": None,
            "remove_dc": False,
        },
    ),
    "wisnewski": (
        "songs",
        {"sample_rates": (44100.0,), "n_samples": 500, "silence_db": None, "remove_dc": False},
    ),
}


def make_options(kind, preset=None, **changes):
    """Options of one of `KINDS`, changed by one of its `PRESETS` and then by `Options` attributes.

    Raises:
      UsageError: for an unknown kind or preset, a preset of another kind, or options that exclude
        each other.
    """
    if kind not in KINDS:
        raise UsageError(f"no kind {kind}; expected one of {', '.join(KINDS)}")
    of_preset = {}
    if preset is not None:
        if preset not in PRESETS:
            raise UsageError(f"no preset {preset}; expected one of {', '.join(PRESETS)}")
        of_kind, of_preset = PRESETS[preset]
        if of_kind != kind:
            raise UsageError(f"preset {preset} is for {of_kind}, got {kind}")
    # One level excludes the other: loudness replaces the kind's peak.
    if changes.get("loudness_db") is not None:
        changes.setdefault("peak", None)
    if changes.get("valid") or changes.get("test"):
        changes.setdefault("split_by", "file")
    return dataclasses.replace(KINDS[kind], **{**of_preset, **changes})
