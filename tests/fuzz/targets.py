"""Fuzz targets: every reader of files and requests, each with good inputs to begin from.

A target reads bytes. It returns where they are accepted, and raises one of OURS with one line where
they are refused; anything else that it raises is a finding.
"""

import contextlib
import functools
import hashlib
import io
import json
import pathlib
import tempfile
import zipfile

import numpy as np
import soundfile

from noisygan.audio_io.decoding import BadAudioError
from noisygan.errors import NoisyganError, UsageError
from tests import toys

OURS = (NoisyganError, BadAudioError)
TARGETS = {}  # name -> (function of bytes, function that makes a list of good inputs)


def target(seeds, file=None):
    """Register a function of bytes, or of the path of a file of this name, with good inputs."""

    def register(read):
        def read_file(data):
            with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
                path = pathlib.Path(folder) / file
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(data)
                read(path)

        TARGETS[read.__name__] = (read_file if file else read), functools.cache(seeds)
        return read

    return register


def check(name, data):
    """Read once; raises what is a finding."""
    try:
        TARGETS[name][0](data)
    except OURS as error:
        message = str(error)
        assert message.strip() and "\n" not in message and len(message) < 2000, message


def encoded(*values):
    """A function that gives values as JSON, each bytes."""
    return lambda: [json.dumps(value).encode() for value in values]


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


@target(lambda: [CONFIG.encode()], "input.gin")
def config_file(path):
    from noisygan import config

    config.parse([path])
    config.resolved_text()


# ---- controls and latents --------------------------------------------------------------------


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


@target(lambda: [archive(good_controls()), archive(good_controls(), False)], "input.npz")
def controls_file(path):
    """Controls that are accepted can be rendered, or are refused then."""
    from noisygan.audio_io.controls import load_controls
    from noisygan.rendering.synthesis import render_controls

    controls = load_controls(path)
    if int(controls["n_samples"]) <= 4000 and int(controls["sample_rate"]) <= 16000:
        render_controls(controls)


CURVES = [
    b"time_seconds,loudness_db,tone/f0_hz\n0,-20,220\n0.05,-30,221.5\n",
    b'\xef\xbb\xbftime_seconds,"tone/harmonic_distribution/1",air/magnitudes/2\n0,0.5,1e-3\n',
]


@target(lambda: CURVES, "input.csv")
def curves_csv(path):
    from noisygan.audio_io.curves_csv import read_curves

    read_curves(path, good_controls())


def _latents():
    kept = {"z": np.ones(4), "pitch": np.array(60.5), "label_name": np.array("flute")}
    kept |= {"noise_seed": np.array(3), "held_seconds": np.array(1.5), "gain": np.array(0.5)}
    return [archive(kept), archive(kept, compressed=False)]


@target(_latents, "input.npz")
def saved_latents(path):
    from noisygan.rendering.saved_latents import load_latents

    assert np.isfinite(load_latents(path).z).all()


# ---- songs and recordings --------------------------------------------------------------------


def _songs():
    import mido

    track = mido.MidiTrack(
        [
            mido.MetaMessage("set_tempo", tempo=400000),
            mido.MetaMessage("key_signature", key="Bb"),
            mido.Message("program_change", program=5, channel=1),
            mido.Message("control_change", control=64, value=127),
        ]
    )
    for key in (60, 64, 67):
        track.append(mido.Message("note_on", note=key, velocity=90, time=10))
        track.append(mido.Message("pitchwheel", pitch=500 * key - 32000, time=5))
        track.append(mido.Message("note_off", note=key, time=50))
    files = [io.BytesIO(), io.BytesIO()]
    for kind, file in enumerate(files):
        mido.MidiFile(type=kind, ticks_per_beat=96, tracks=[track]).save(file=file)
    return [file.getvalue() for file in files]


@target(_songs, "input.mid")
def midi_file(path):
    from noisygan.audio_io.midi import read_song

    for note in read_song(path).notes:
        assert note.held >= 0.0 and 0 <= note.pitch <= 127 and 1 <= note.channel <= 16


def sounds():
    """A short sound in every format that is common, bytes."""
    audio = 0.5 * np.sin(2 * np.pi * 440 * np.arange(900) / 8000)
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


@target(sounds, "input.wav")
def recording(path):
    """A recording to train on, to match and to prepare."""
    from noisygan.audio_io import decoding
    from noisygan.data import source_files
    from noisygan.data.prepare import reading
    from noisygan.matching.target import read_target

    try:
        audio = decoding.decode(path, None, 400)
        assert audio.shape == (400,) and np.isfinite(audio).all() and np.abs(audio).max() <= 1.0
    finally:
        try:
            assert np.isfinite(read_target(path).audio).all()
        finally:
            found = reading.read(source_files.file_source(path, "input.wav"), max_seconds=60.0)
            assert np.isfinite(found.audio).all()


@functools.cache
def prepared():
    """A prepared folder of two recordings: dict of file name -> bytes."""
    from noisygan.cli.main import main

    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        data, out = pathlib.Path(name, "data"), pathlib.Path(name, "out")
        data.mkdir()
        for pitch in (60, 62):
            audio = np.sin(np.arange(1600) * pitch / 500)
            soundfile.write(data / f"flute-{pitch:03d}-100.wav", audio, 8000)
        options = ["--sample_rate", "8000", "--n_samples", "1600", "--processes", "1"]
        with contextlib.redirect_stdout(io.StringIO()):
            assert main(["prepare", "notes", "--data", str(data), "--out", str(out), *options]) == 0
        return {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()}


def _read_prepared(changed):
    """Read a prepared folder with other contents of some files, dict of name -> bytes."""
    from noisygan.data.dataset import Recordings

    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        for each, content in (prepared() | changed).items():
            (pathlib.Path(folder) / each).write_bytes(content)
        found = Recordings(8000, 400).read(folder)
        for i in range(len(found)):
            assert np.isfinite(found.audio(i)).all()


@target(lambda: [prepared()["records.jsonl"].splitlines()[0]])
def prepared_index(data):
    """Checked by its checksum, so that only a manifest made for it lets it through."""
    manifest = json.loads(prepared()["manifest.json"])
    manifest["splits"]["train"]["n_records"] = 1
    manifest["sha256"]["records.jsonl"] = hashlib.sha256(data).hexdigest()
    _read_prepared({"records.jsonl": data, "manifest.json": json.dumps(manifest).encode()})


@target(lambda: [prepared()["manifest.json"]])
def prepared_manifest(data):
    _read_prepared({"manifest.json": data})


NSYNTH = {
    "flute_acoustic_000-060-100": {"pitch": 60, "velocity": 100, "qualities_str": ["dark"]},
    "b-061-025": {"instrument_str": "b", "instrument_family_str": "x", "sample_rate": 16000},
}


@target(encoded(NSYNTH), "examples.json")
def nsynth_json(path):
    """NSynth's examples.json, as training and `prepare` read it."""
    from noisygan.data import layouts, nsynth

    (path.parent / "audio").mkdir()
    try:
        for entry in layouts.list_entries(path.parent)[1]:
            assert entry.path.parent == path.parent / "audio"
    finally:
        for source in nsynth.find(path.parent):
            assert pathlib.Path(source.path).is_relative_to(path.parent)


TABLES = [
    b"file,label,pitch,velocity,split,room\na.wav,x,C#4,90,train,3\nb.wav,y,61,,test,hall\n",
    b"file;label\r\na.wav;x\r\n",
]


def read_table(path):
    from noisygan.data import tables

    list(tables.read(path.parent, path))


@target(lambda: TABLES, "input.csv")
def table_csv(path):
    read_table(path)


@target(encoded([{"file": "a.wav", "label": "x", "pitch": "C4", "split": "train"}]), "input.json")
def table_json(path):
    read_table(path)


# ---- runs ------------------------------------------------------------------------------------

FACTS = toys.metadata(
    label_names=["flute", "../up"],
    tags={"mic": ["close", "../far"], "decay": [0.1, 0.9]},
    tag_rows=[["flute", "close", 0.5]],
)


@target(encoded(FACTS), "run.json")
def run_facts(path):
    """A run.json, and the file names of the run's notes."""
    from noisygan.rendering.requests import NoteSpec, make_requests
    from noisygan.training.run_files import read_metadata

    facts = read_metadata(path.parent)
    names = ("pitch", "label", *facts["tags"])
    tags = {"tag_values": facts["tags"], "tag_rows": facts["tag_rows"]}
    run = toys.run("run", names, facts["label_names"], facts["pitches"], **tags)
    for request in make_requests(run, NoteSpec(count=2)):
        assert pathlib.PurePath(request.stem).name == request.stem and request.stem[0] != "."


METRICS = b'{"step": 1, "seconds": 0.5, "d_loss": 1.0}\n{"step": 2, "seconds": 1}\n{"st'


@target(lambda: [METRICS], "metrics.jsonl")
def run_metrics(path):
    from noisygan.training.run_files import read_metrics

    for record in read_metrics(path.parent):
        float(record.get("seconds", 0.0))


CHECKPOINT = {"ckpt-3.index": b"index", "ckpt-3.data-00000-of-00001": b"data"}
SUMS = {
    name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    for name, content in CHECKPOINT.items()
}


@target(encoded({"files": SUMS}), "checkpoints/ckpt-3.json")
def checkpoint_sums(path):
    """Checksums of a checkpoint: one that does not have them is passed over."""
    from noisygan.training import checkpoints

    for name, content in CHECKPOINT.items():
        (path.parent / name).write_bytes(content)
    checkpoints.newest(path.parent.parent)


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


@target(encoded(*REQUESTS))
def studio_request(data):
    """A request of the page, and the sound that it gets."""
    from noisygan.studio import files, requests

    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        return
    if not isinstance(body, dict):
        return
    with contextlib.suppress(UsageError):
        requests.take_subtype(dict(body))
    body.pop("bits", None)
    player = studio_runs()[requests.integer(body, "run", 0, 0, 2)]
    if "pads" in body:
        assert len(files.instrument_zones(player, body)) <= 17
        return
    request = requests.parse(body, player)
    if request.seconds <= 1.0 and request.sample_rate <= 48000:
        assert np.isfinite(player.render(request).audio).all()
