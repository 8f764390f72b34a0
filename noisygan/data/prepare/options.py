"""What `prepare` does with each recording: every step by name, checked, kept in the manifest."""

import dataclasses
import hashlib
import json
import math

from noisygan.data.prepare import features as features_of
from noisygan.data.prepare import records
from noisygan.errors import UsageError

OTHER_RATES = ("resample", "drop")


@dataclasses.dataclass(frozen=True)
class Options:
    """The steps in the order in which they are taken; None leaves a step out.

    Attributes:
      sample_rates: Hz, the highest first; the lower ones are of the same sound, low-passed, for
        growing. In records and names they stand as whole numbers.
      other_rates: 'resample' files at other rates than the first, or 'drop' them.
      channel: The channel that is taken, from 1 on; None: the average of all.
      remove_dc: Whether a constant offset is taken out.
      min_seconds, max_seconds: Files shorter or longer than that are skipped.
      skip_seconds: Left out at the beginning of each file.
      trim_db: Silence at both ends is cut off, up to the first and from the last sample above
        this level, relative to the peak.
      n_samples: Length of every sound at the first rate: cut, or filled up with zeros. None: as
        it is.
      segments: Whether each file is cut into sounds of n_samples; what is left over is dropped.
      stride: Samples from the beginning of one segment to that of the next; None: n_samples.
      silence_db: Segments whose peak stays below this are dropped, in dB of full scale.
      peak: Level of the highest sample afterwards, of full scale.
      loudness_db: Integrated loudness (ITU-R BS.1770) afterwards, in LUFS.
      fade_in_seconds, fade_out_seconds: Straight fades at the ends of each sound.
      encoding: 'int16' or 'float32' samples in the records.
      frame_rate: Frames a second of the features.
      features: Whether loudness, RMS and onsets are stored with each sound.
      f0: 'pyin' or 'crepe': F0 and its confidence are stored beside them.
      split_by: What is kept together in one split: 'file', 'pitch', 'instrument' (the label) or
        the name of a tag; 'given': each recording's own split, and train where it names none.
      valid, test: Fractions of files or groups.
      only: Pairs of a name (label, family, source, pitch, velocity, split or a tag) and the
        values that are wanted.
      licence, source: Words for the manifest.
    """

    sample_rates: tuple = (16000.0,)
    other_rates: str = "resample"
    channel: int | None = None
    remove_dc: bool = True
    min_seconds: float | None = None
    max_seconds: float | None = None
    skip_seconds: float = 0.0
    trim_db: float | None = None
    n_samples: int | None = 64000
    segments: bool = False
    stride: int | None = None
    silence_db: float | None = None
    peak: float | None = None
    loudness_db: float | None = None
    fade_in_seconds: float = 0.0
    fade_out_seconds: float = 0.0
    encoding: str = "int16"
    frame_rate: float = 250.0
    features: bool = False
    f0: str | None = None
    split_by: str = "given"
    valid: float = 0.0
    test: float = 0.0
    only: tuple = ()
    licence: str | None = None
    source: str | None = None

    def __post_init__(self):
        rates = tuple(float(rate) for rate in self.sample_rates)
        object.__setattr__(self, "sample_rates", rates)
        _check_rates(rates)
        _one_of("other_rates", self.other_rates, OTHER_RATES)
        _one_of("encoding", self.encoding, records.ENCODINGS)
        features_of.check_method(self.f0)
        _within("channel", self.channel, 1, 64, "")
        _within("min_seconds", self.min_seconds, 0.0, 86400.0, "s")
        _within("max_seconds", self.max_seconds, 0.001, 86400.0, "s")
        _within("skip_seconds", self.skip_seconds, 0.0, 86400.0, "s")
        _within("trim_db", self.trim_db, -200.0, -0.1, "dB")
        _within("n_samples", self.n_samples, 1, 2**31 - 1, "samples")
        _within("stride", self.stride, 1, 2**31 - 1, "samples")
        _within("silence_db", self.silence_db, -200.0, -0.1, "dB")
        _within("peak", self.peak, 0.001, 1.0, "of full scale")
        _within("loudness_db", self.loudness_db, -70.0, 0.0, "LUFS")
        _within("fade_in_seconds", self.fade_in_seconds, 0.0, 60.0, "s")
        _within("fade_out_seconds", self.fade_out_seconds, 0.0, 60.0, "s")
        _within("frame_rate", self.frame_rate, 1.0, 1000.0, "frames a second")
        _within("valid", self.valid, 0.0, 0.9, "")
        _within("test", self.test, 0.0, 0.9, "")
        _check_together(self)

    @property
    def rate_names(self):
        """The rates as whole numbers, as records name them; list of int."""
        return [round(rate) for rate in self.sample_rates]

    def facts(self):
        """All options as JSON holds them: dict."""
        return json.loads(json.dumps(dataclasses.asdict(self)))

    def fingerprint(self):
        """Hex str, equal for equal options."""
        text = json.dumps(self.facts(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def from_facts(facts):
    """The `Options` that `Options.facts` gave.

    Args:
      facts: dict, as read from JSON.
    """
    facts = dict(facts)
    facts["sample_rates"] = tuple(facts["sample_rates"])
    facts["only"] = tuple((name, tuple(values)) for name, values in facts["only"])
    return Options(**facts)


def _check_rates(rates):
    if not rates:
        raise UsageError("sample_rates is empty; expected at least one rate in Hz")
    for rate in rates:
        if not 10.0 <= rate <= 384000.0:
            raise UsageError(f"sample rate {rate:g}: expected 10 to 384000 Hz")
    if rates[0] != round(rates[0]):
        raise UsageError(f"sample rate {rates[0]:g}: expected a whole number of Hz for the first")
    if rates[0] < 1000.0:
        raise UsageError(f"sample rate {rates[0]:g}: expected 1000 Hz or more for the first")
    names = [round(rate) for rate in rates]
    if any(after >= before for before, after in zip(names, names[1:], strict=False)):
        shown = ",".join(f"{rate:g}" for rate in rates)
        raise UsageError(f"sample rates {shown}: expected the highest first, each lower by 1 Hz")


def _check_together(options):
    if options.peak is not None and options.loudness_db is not None:
        raise UsageError("peak and loudness_db: expected one of them, the other none")
    if options.segments and options.n_samples is None:
        raise UsageError("segments want a length; expected n_samples beside them")
    if options.stride is not None and not options.segments:
        raise UsageError("stride has no effect without segments; expected both or none")
    if options.silence_db is not None and not options.segments:
        raise UsageError("silence_db has no effect without segments; expected both or none")
    shortest, longest = options.min_seconds or 0.0, options.max_seconds
    if longest is not None and shortest > longest:
        raise UsageError(f"min_seconds {shortest:g} is above max_seconds {longest:g}")
    if options.valid + options.test > 0.95:
        raise UsageError(
            f"valid {options.valid:g} and test {options.test:g} leave nothing to train on; "
            "expected at most 0.95 together"
        )
    if options.split_by == "given" and (options.valid or options.test):
        raise UsageError(
            "valid and test have no effect with split_by given; expected split_by file, pitch, "
            "instrument or a tag"
        )
    if options.split_by != "given" and not (options.valid or options.test):
        raise UsageError(
            f"split_by {options.split_by}: expected valid or test beside it, such as test 0.1"
        )


def _one_of(name, value, values):
    if value not in values:
        raise UsageError(f"{name} is {value!r}; expected {' or '.join(values)}")


def _within(name, value, low, high, unit):
    if value is None:
        return
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value) or not low <= value <= high:
        raise UsageError(f"{name} is {value!r}; expected {low:g} to {high:g} {unit}".rstrip())
