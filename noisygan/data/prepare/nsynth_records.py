"""NSynth's stored recordings: its own TFRecords, and those that TFDS prepared."""

import functools
import hashlib
import itertools

import numpy as np

from noisygan.audio_io.decoding import BadAudioError
from noisygan.data.prepare import example, nsynth_sources

_TEXTS = ("instrument_str", "instrument_family_str", "instrument_source_str")

# NSynth's records do not say it.
RATE = 16000.0


def fingerprint(source):
    """SHA-256 of a stored recording's bytes, or of its name within TFDS; hex str.

    Raises:
      OSError: if it cannot be read.
    """
    if source.reader == "tfds":
        return hashlib.sha256(source.file.encode()).hexdigest()
    with open(source.path, "rb") as file:
        file.seek(source.at[0] + example.HEADER_BYTES)
        return hashlib.sha256(file.read(source.size)).hexdigest()


def read_record(source):
    """Reads a note of NSynth's TFRecords and fills in what it says of itself.

    Args:
      source: Source.

    Returns:
      (audio float32 [n_samples], rate in Hz).

    Raises:
      BadAudioError: if the record is damaged or is no note.
    """
    try:
        with open(source.path, "rb") as file:
            file.seek(source.at[0])
            features = example.decode(example.read_frame(file) or b"")
    except example.FrameError as error:
        raise BadAudioError("damaged", str(error)) from error
    fields = {}
    for name in (*_TEXTS, "pitch", "velocity"):
        value = features.get(name)
        if isinstance(value, bytes):
            fields[name] = value.decode("utf-8", "replace")
        elif value is not None and len(value) == 1:
            fields[name] = value[0]
    audio = features.get("audio")
    if not isinstance(audio, np.ndarray) or not len(audio):
        raise BadAudioError("damaged", "holds no list of floats named audio")
    _fill(source, fields)
    return audio, RATE


def read_tfds(source):
    """Reads an example of a dataset of TFDS; arguments and result as of `read_record`."""
    split, index = source.at
    note = _example(source.path, split, index)
    instrument = note["instrument"]
    fields = {
        "pitch": int(note["pitch"]),
        "velocity": int(note["velocity"]),
        "instrument_str": _name(source.path, "label", instrument["label"]),
        "instrument_family_str": _name(source.path, "family", instrument["family"]),
        "instrument_source_str": _name(source.path, "source", instrument["source"]),
        "qualities_str": sorted(name for name, has in note.get("qualities", {}).items() if has),
    }
    _fill(source, fields)
    return np.asarray(note["audio"], np.float32), RATE


READERS = {"nsynth_record": read_record, "tfds": read_tfds}


def _fill(source, fields):
    nsynth_sources.fields_source(source, fields)
    if source.reason:
        raise BadAudioError(source.kind, source.reason)


def _name(path, kind, index):
    return _builder(path).info.features["instrument"][kind].int2str(int(index))


@functools.lru_cache(maxsize=1)
def _builder(path):
    try:
        import tensorflow_datasets as tfds
    except ImportError as error:
        what = "is in a dataset of TFDS, which is not installed: pip install 'noisygan[tfds]'"
        raise BadAudioError("needs TFDS", what) from error
    return tfds.builder_from_directory(path)


# Examples come one behind the other: the iterator of the last one serves the next.
_at = {"place": None, "examples": None}


def _example(path, split, index):
    if _at["place"] != (path, split, index):
        import tensorflow_datasets as tfds

        # One file at a time: the order is that of the index.
        config = tfds.ReadConfig(interleave_cycle_length=1)
        dataset = _builder(path).as_dataset(split=f"{split}[{index}:]", read_config=config)
        _at["examples"] = itertools.chain(tfds.as_numpy(dataset))
    _at["place"] = (path, split, index + 1)
    return next(_at["examples"])
