"""What is fuzzed: every reader of files and requests, each with good inputs to begin from.

A target reads bytes, through a file where the reader wants one. It returns where they are accepted
or refused in one line by one of OURS; anything else that it raises is a finding.
"""

import contextlib
import dataclasses
import functools
import hashlib
import io
import json
import pathlib
import tempfile
import types
import zipfile

import numpy as np
import soundfile

from noisygan.audio_io.decoding import BadAudioError
from noisygan.errors import NoisyganError

OURS = (NoisyganError, BadAudioError)

# Of errors and file names: more is no line for a person.
MAX_MESSAGE = 2000


@dataclasses.dataclass(frozen=True)
class Target:
    """A reader of bytes.

    Attributes:
      name: For people.
      read: A function of bytes.
      seeds: A function that makes a list of good inputs, bytes.
    """

    name: str
    read: object
    seeds: object

    def __call__(self, data):
        """Reads once; raises what is a finding."""
        try:
            self.read(data)
        except OURS as error:
            message = str(error)
            assert message.strip() and "\n" not in message and len(message) < MAX_MESSAGE, message


TARGETS = {}


def target(seeds):
    """Registers a function of bytes as a target with good inputs."""

    def register(read):
        name = read.__name__
        TARGETS[name] = Target(name, read, functools.cache(seeds))
        return read

    return register


def through_file(suffix):
    """Makes a function of a path one of bytes, in a folder of its own."""

    def wrap(read):
        @functools.wraps(read)
        def read_bytes(data):
            with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
                path = pathlib.Path(folder) / f"input{suffix}"
                path.write_bytes(data)
                read(path)

        return read_bytes

    return wrap


# ---- configs ---------------------------------------------------------------------------------

CONFIG = """# A comment.
from __gin__ import dynamic_registration
import cppn.networks
import cppn.coordinates
import tensorflow_probability as tfp

width = 8
CPPN:
    coordinates = [@Linear(), @attack/Attack()]
    units = %width
attack/Attack.time_constants = [0.01, 1e-1]
Linear.seconds = 4.0
tfp.distributions.Normal.loc = 0.0
"""


def _configs():
    from noisygan import config

    folder = config.bundled_folder()
    return [CONFIG.encode(), (folder / "runs" / "notes.gin").read_bytes()]


@target(_configs)
@through_file(".gin")
def config_file(path):
    """A config, with includes, names and values."""
    from noisygan import config

    config.parse([path])
    config.resolved_text()


# ---- controls --------------------------------------------------------------------------------


def good_controls():
    """Controls of each kind of voice and a reverb, dict of arrays."""
    n = 20
    return {
        "format": np.array("noisygan-controls"),
        "version": np.array(1),
        "sample_rate": np.array(8000),
        "n_samples": np.array(800),
        "frame_rate": np.array(200.0),
        "noise_seed": np.array(3, np.int32),
        "voices": np.array(["tone", "air", "body", "click"]),
        "kinds": np.array(["harmonic", "noise", "modal", "transient"]),
        "loudness_db": np.linspace(-20.0, -40.0, n, dtype=np.float32),
        "tone/f0_hz": np.full(n, 220.0, np.float32),
        "tone/amplitudes": np.full(n, 0.1, np.float32),
        "tone/harmonic_distribution": np.full([n, 4], 0.25, np.float32),
        "air/magnitudes": np.full([n, 5], 0.01, np.float32),
        "air/bandwidth_hz": np.array(4000.0),
        "body/frequencies": np.array([100.0, 200.0], np.float32),
        "body/amplitudes": np.array([0.1, 0.1], np.float32),
        "body/decay_seconds": np.array([0.1, 0.2], np.float32),
        "click/magnitudes": np.full(5, 0.1, np.float32),
        "click/decay_seconds": np.array([0.01], np.float32),
        "click/bandwidth_hz": np.array(4000.0),
        "click/burst_seconds": np.array(0.05),
        "reverb/ir": np.full(10, 0.1, np.float32),
        "reverb/sample_rate": np.array(8000),
        "reverb/add_dry": np.array(True),
    }


def archive(arrays, compressed=True):
    """Bytes of a .npz file."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED if compressed else 0) as out:
        for name, value in arrays.items():
            with out.open(name + ".npy", "w") as member:
                np.lib.format.write_array(member, np.asarray(value), allow_pickle=False)
    return file.getvalue()


@target(lambda: [archive(good_controls()), archive(good_controls(), compressed=False)])
@through_file(".npz")
def controls_file(path):
    """Controls: what is accepted makes finite sound, or is refused."""
    from noisygan.audio_io.controls import load_controls

    played(load_controls(path))


def played(controls):
    """Renders short controls; finite ones of sensible size give finite sound."""
    from noisygan.rendering.synthesis import render_controls

    if int(controls["n_samples"]) <= 4000 and int(controls["sample_rate"]) <= 16000:
        render_controls(controls)


@target(
    lambda: [
        b"time_seconds,loudness_db,tone/f0_hz\n0,-20,220\n0.05,-30,221.5\n",
        b'\xef\xbb\xbftime_seconds,"tone/harmonic_distribution/1",air/magnitudes/2\n0,0.5,1e-3\n',
    ]
)
@through_file(".csv")
def curves_csv(path):
    """Curves of a table, over good controls."""
    from noisygan.audio_io.curves_csv import read_curves

    read_curves(path, good_controls())


def _codes():
    file = io.BytesIO()
    np.save(file, np.zeros(4, np.float32))
    kept = {"z": np.ones(4), "pitch": np.array(60.5), "label_name": np.array("flute")}
    kept |= {"noise_seed": np.array(3), "held_seconds": np.array(1.5), "gain": np.array(0.5)}
    return [archive(kept), archive(kept, compressed=False), file.getvalue()]


@target(_codes)
@through_file(".npz")
def kept_code(path):
    """A code that was kept."""
    from noisygan.rendering.saved_latents import load_latents

    assert np.isfinite(load_latents(path).z).all()


# ---- songs -----------------------------------------------------------------------------------


def _songs():
    import mido

    found = []
    for kind in (0, 1):
        song = mido.MidiFile(type=kind, ticks_per_beat=96)
        track = mido.MidiTrack()
        song.tracks.append(track)
        track.append(mido.MetaMessage("set_tempo", tempo=400000))
        track.append(mido.MetaMessage("key_signature", key="Bb"))
        track.append(mido.Message("program_change", program=5, channel=1))
        track.append(mido.Message("control_change", control=64, value=127))
        for key in (60, 64, 67):
            track.append(mido.Message("note_on", note=key, velocity=90, time=10))
            track.append(mido.Message("pitchwheel", pitch=500 * key - 32000, time=5))
            track.append(mido.Message("note_off", note=key, time=50))
        track.append(mido.Message("control_change", control=123, value=0, time=3))
        track.append(mido.Message("sysex", data=(1, 2, 3)))
        file = io.BytesIO()
        song.save(file=file)
        found.append(file.getvalue())
    return found


@target(_songs)
@through_file(".mid")
def midi_file(path):
    """A song."""
    from noisygan.audio_io.midi import read_song

    for note in read_song(path).notes:
        assert note.held >= 0.0 and 0 <= note.pitch <= 127 and 1 <= note.channel <= 16


@target(lambda: [b"2=runs/flute", b"1-8=runs/kit:3", b"10=a:b=c:0"])
def song_mapping(data):
    """Which run plays what, as `noisygan play` is told it."""
    from noisygan.cli.main import build_parser

    text = data.decode("utf-8", "replace")[:100]
    build_parser().parse_args(["play", "--midi", "song.mid", f"--channel={text}", "--out", "a.wav"])


# ---- recordings ------------------------------------------------------------------------------


@functools.cache
def sounds():
    """A short sound in every format that is common, bytes."""
    time = np.arange(900) / 8000
    audio = 0.5 * np.sin(2 * np.pi * 440 * time)
    found = []
    for kind, subtype in (
        *(("WAV", "PCM_16"), ("WAV", "FLOAT"), ("WAVEX", "PCM_24"), ("AIFF", "PCM_16")),
        *(("FLAC", "PCM_16"), ("OGG", "VORBIS"), ("MP3", "MPEG_LAYER_III"), ("AU", "PCM_16")),
        *(("RF64", "PCM_16"), ("W64", "PCM_16"), ("CAF", "PCM_16"), ("WAV", "MS_ADPCM")),
    ):
        file = io.BytesIO()
        channels = audio if kind != "AIFF" else np.stack([audio, audio], axis=1)
        soundfile.write(file, channels, 8000, format=kind, subtype=subtype)
        found.append(file.getvalue())
    return found


@target(sounds)
@through_file(".wav")
def decoded_audio(path):
    """A recording that is trained on, and one that is matched."""
    from noisygan.audio_io import decoding
    from noisygan.matching.target import read_target

    try:
        audio = decoding.decode(path, None, 400)
        assert audio.shape == (400,) and np.isfinite(audio).all() and np.abs(audio).max() <= 1.0
    finally:
        target_ = read_target(path)
        assert np.isfinite(target_.audio).all()


@target(sounds)
@through_file(".wav")
def prepared_audio(path):
    """A recording that is prepared."""
    from noisygan.data.prepare import reading, sources

    found = reading.read(sources.file_source(path, "input.wav"), max_seconds=60.0)
    assert np.isfinite(found.audio).all()


def _records():
    from noisygan.data.prepare import example, records

    tone = np.sin(np.arange(800) / 5).astype(np.float32)
    made = [
        records.Record("a", "a.wav", {8000: tone}, "flute", 60.0, 100.0, tags={"family": "f"}),
        records.Record(
            *("b", "b.wav", {8000: tone}),
            encoding="float32",
            frame_rate=100.0,
            features={"f0_hz": np.ones(10)},
        ),
    ]
    file = io.BytesIO()
    for record in made:
        example.write_frame(file, records.to_example(record))
    return [file.getvalue()]


@target(_records)
def record_shard(data):
    """A prepared folder with one shard, as training reads it."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        folder = pathlib.Path(name)
        (folder / "s.tfrecord").write_bytes(data)
        (folder / "manifest.json").write_text(json.dumps(good_manifest()))
        read_split(folder)


def good_manifest():
    """What manifest.json holds."""
    from noisygan.data.prepare.manifest import FORMAT, VERSION

    return {
        "format": FORMAT,
        "version": VERSION,
        "splits": {"train": {"shards": ["s.tfrecord"], "n_records": 2}},
        "sample_rates": [8000],
        "fingerprint": "0" * 64,
        "counts": {"files": 2},
    }


def read_split(folder):
    """Reads all sounds of a prepared folder."""
    from noisygan.data.prepare import load

    split = load.Split(folder, "train", 8000)
    for i in range(len(split.entries)):
        assert np.isfinite(split.audio(i)).all()


@target(lambda: [json.dumps(good_manifest()).encode()])
def manifest(data):
    """The manifest of a prepared folder."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        folder = pathlib.Path(name)
        (folder / "s.tfrecord").write_bytes(_records()[0])
        (folder / "manifest.json").write_bytes(data)
        read_split(folder)


NSYNTH = {
    "flute_acoustic_000-060-100": {"pitch": 60, "velocity": 100, "qualities_str": ["dark"]},
    "b-061-025": {"instrument_str": "b", "instrument_family_str": "x", "sample_rate": 16000},
}


@target(lambda: [json.dumps(NSYNTH).encode(), json.dumps(NSYNTH, indent=2).encode()])
def nsynth_json(data):
    """NSynth's examples.json, as training reads it and as `prepare` does."""
    from noisygan.data import layouts
    from noisygan.data.prepare import nsynth_sources

    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        folder = pathlib.Path(name)
        (folder / "audio").mkdir()
        (folder / "examples.json").write_bytes(data)
        try:
            for entry in layouts.list_entries(folder)[1]:
                assert entry.path.parent == folder / "audio"
        finally:
            for source in nsynth_sources.find(folder):
                assert pathlib.Path(source.path).is_relative_to(folder)


@target(
    lambda: [
        b"file,label,pitch,velocity,split,room\na.wav,x,C#4,90,train,3\nb.wav,y,61,,test,hall\n",
        b"file;label\r\na.wav;x\r\n",
    ]
)
@through_file(".csv")
def table_csv(path):
    """A table of recordings."""
    from noisygan.data.prepare import table_sources

    list(table_sources.read(path.parent, path))


@target(lambda: [json.dumps([{"file": "a.wav", "label": "x", "pitch": "C4"}]).encode()])
@through_file(".json")
def table_json(path):
    """A table of recordings as JSON."""
    from noisygan.data.prepare import table_sources

    list(table_sources.read(path.parent, path))


# ---- runs ------------------------------------------------------------------------------------

FACTS = {
    "format": 3,
    "noisygan": "0.1.0",
    "versions": {"python": "3.11.7", "keras": None},
    "command": ["noisygan", "train"],
    "seed": 0,
    "data": {"folder": "notes", "fingerprint": "00", "n_recordings": 3, "summary": "3"},
    "label_names": ["flute", "../up"],
    "pitches": [60, 62],
    "sample_rate": 16000,
    "n_samples": 64000,
}


@target(lambda: [json.dumps(FACTS, indent=2).encode()])
@through_file(".json")
def run_facts(path):
    """A run.json, and what notes of the run are called."""
    from noisygan.rendering import notes
    from noisygan.training.run_files import read_facts

    facts = read_facts(path)
    generator = types.SimpleNamespace(condition_names=("pitch", "label"))
    instrument = notes.instrument(path.parent, facts, generator)
    for request in notes.plain_requests(instrument, 2):
        assert pathlib.PurePath(request.stem).name == request.stem and request.stem[0] != "."


@target(lambda: [b'{"step": 1, "seconds": 0.5, "d_loss": 1.0}\n{"step": 2, "seconds": 1}\n{"st'])
@through_file(".jsonl")
def run_metrics(path):
    """A metrics.jsonl."""
    from noisygan.training.run_files import read_metrics

    for record in read_metrics(path):
        float(record.get("seconds", 0.0))


@target(lambda: [json.dumps({"format": 1, "files": _sums_of(b"index", b"data")}).encode()])
def checkpoint_sums(data):
    """The checksums of a checkpoint: what does not have them is passed over."""
    from noisygan.training import checkpoints

    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        folder = pathlib.Path(name)
        for ending, content in (("index", b"index"), ("data-00000-of-00001", b"data")):
            (folder / f"ckpt-3.{ending}").write_bytes(content)
        (folder / "ckpt-3.json").write_bytes(data)
        checkpoints.newest(folder)


def _sums_of(index, data):
    files = {"ckpt-3.index": index, "ckpt-3.data-00000-of-00001": data}
    return {
        name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in files.items()
    }


STATE = {
    "alarms": {"recent": [{"d_loss": 1.0}], "silent_until": {"d_won": 40}, "n": 3, "n_alike": 0},
    "curve": [[10, 90.5], [20, 80.0]],
    "measured": [3.0, 0.5],
    "skipped": {"d": 0, "g": 1},
    "strain": 0.9,
    "sounds": {"d_won": 1},
}


@target(lambda: [json.dumps({"d_loss": 1.5, "guards": STATE}).encode(), b"{}"])
def checkpoint_state(data):
    """What a checkpoint says of its training beside the weights."""
    from noisygan.training import guards

    with contextlib.suppress(ValueError):
        guards.read_state(data)


@target(
    lambda: [json.dumps({"asked": {"n": 5}, "done": {"measured a-0": {"failed": None}}}).encode()]
)
@through_file(".json")
def comparison_progress(path):
    """A comparison.json."""
    from noisygan.comparison.systems import Progress

    progress = Progress(path.rename(path.with_name("comparison.json")).parent, {"n": 5})
    progress.get("measured a-0")


@target(lambda: [json.dumps({"format": 1, "comparison": "x", "answers": [
    {"system": "a", "column": 0, "rating": 3, "plays": 1}]}).encode()])  # fmt: skip
@through_file(".json")
def listening_answers(path):
    """Answers of a listening test."""
    from noisygan.comparison.listening import read_answers

    read_answers(path, "x", ["a", "b"])


@target(lambda: [json.dumps(_measured_step()).encode()])
@through_file(".json")
def measured_steps(path):
    """Figures of a training step."""
    from noisygan.measured_steps import read

    read(path)


def _measured_step():
    from noisygan.measured_steps import STEPS

    return STEPS["runs/notes.gin"]


# ---- the studio ------------------------------------------------------------------------------


@functools.cache
def studio_runs():
    """Runs without a network, as `tests.studio_runs` makes them."""
    from tests import studio_runs as runs

    return runs.melodic(), runs.kit(), runs.raw()


REQUESTS = [
    {"run": 0, "seed": 3, "pitch": 60, "seconds": 0.2, "edits": {"loudness_db": [0, -3.5]}},
    {"run": 1, "z": [0.0] * 6, "label": 1, "sample_rate": 16000},
    {"run": 1, "pads": [{"seed": 1}, {"label": 0}]},
    {"run": 2, "velocity": 5, "bits": 24},
]


@target(lambda: [json.dumps(request).encode() for request in REQUESTS])
def studio_request(data):
    """A request of the page, and the sound that is asked for."""
    from noisygan.errors import UsageError
    from noisygan.studio import asking, downloads

    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        return
    if not isinstance(body, dict):
        return
    with contextlib.suppress(UsageError):
        asking.subtype(dict(body))
    body.pop("bits", None)
    run = studio_runs()[asking.whole(body, "run", 0, 0, 2)]
    if "pads" in body:
        assert len(downloads.instrument_asks(run, body)) <= 17
        return
    ask = asking.parse(body, run)
    if ask.seconds <= 1.0 and ask.sample_rate <= 48000:
        assert np.isfinite(run.sound(ask).audio).all()
