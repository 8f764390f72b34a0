"""Exported models: sounds and curves equal to Python's, in other runtimes."""

import importlib
import importlib.util
import json
import sys

import numpy as np
import pytest
import tensorflow as tf

from discriminators import ConditionEncoder
from noisygan.errors import RunError, UsageError
from noisygan.export.blocks import NEXT, PREFIX, Blocks
from noisygan.export.export import WRITERS, export
from noisygan.export.forms import Form
from noisygan.generators import Hybrid
from noisygan.generators.drum_voices import ModalVoice, TransientVoice
from noisygan.generators.jitter import ConditionJitter, Jitter
from noisygan.generators.sweeps import FixedCenterPitch, PitchSweep
from noisygan.generators.voices import HarmonicVoice, NoiseVoice
from noisygan.generators.wavegan import WaveGAN
from noisygan.generators.wavetable_voice import WavetableVoice
from synths import Reverb
from tests import toys

WITHIN = 1e-4
ASKED = {
    "pitch": np.float32([60.0, 71.5, 80.0]),
    "velocity": np.float32([30.0, 100.0, 127.0]),
    "label": np.int32([0, 1, 2]),
    "seed": np.int32([5, -9, 2**31 - 1]),
}


def note():
    """A hybrid of notes with everything that moves."""
    voices = [HarmonicVoice(n_harmonics=6), NoiseVoice(n_bands=9), TransientVoice(5)]
    jitters = {"condition_jitter": ConditionJitter(), "jitter": Jitter(n=3)}
    return toys.hybrid(voices=voices, latent_dim=6, **jitters)


def string():
    """A hybrid of notes with stretched partials of wavetables."""
    voices = [WavetableVoice(3, n_harmonics=6), NoiseVoice(n_bands=9)]
    generator = toys.hybrid(voices=voices, latent_dim=6)
    generator.adapt(toys.strings())
    return generator


def drum():
    """A hybrid of struck voices with a label and a reverb."""
    return toys.hybrid(
        f0_curve=PitchSweep(),
        voices=[HarmonicVoice(4), ModalVoice(5), NoiseVoice(9), TransientVoice(9)],
        pitch=FixedCenterPitch(),
        condition_encoder=ConditionEncoder(("label",), n_labels=3),
        reverb=Reverb(trainable=True, reverb_length=300),
        seconds=0.1,
        release_seconds=0.0,
    )


def wavegan():
    return WaveGAN(n_samples=4096, sample_rate=16000, latent_dim=5, units=2)


class Foreign(HarmonicVoice):
    """A voice that is not built in."""


def built(generator):
    """The generator with variables, none that is trained at its initial value."""
    generator(generator.prior(3, seed=0), tensors(ASKED))
    rng = np.random.default_rng(0)
    for weight in generator.trainable_weights:
        weight.assign(weight + 0.02 * rng.normal(size=weight.shape))
    return generator


def tensors(values):
    return {name: tf.constant(value) for name, value in values.items()}


@pytest.fixture(scope="module")
def generator(request):
    """The generator that a function of the test's parameters makes."""
    return built(request.param())


@pytest.fixture(scope="module")
def notes(request):
    return built(getattr(request, "param", note)())


def exported(generator, folder, format, **asked):
    run = toys.run("run", generator.condition_names, ("a", "b", "c"), generator=generator)
    return export(run, folder / "model", format, **asked)


def expected(generator, z, n_samples=None, sample_rate=None):
    """The Python generator's output for these notes."""
    lengths = {}
    if n_samples:
        lengths = {"seconds": n_samples / sample_rate, "sample_rate": sample_rate}
    return generator(tf.constant(z), tensors(ASKED), **lengths, seed=tf.constant(ASKED["seed"]))


def check(outputs, output):
    """Outputs of an exported audio or controls against those of Python."""
    for name, value in outputs.items():
        mine = output.audio if name == "audio" else output.controls[name]
        assert value.shape == mine.shape
        # Frequencies and levels are many Hz and dB.
        scale = max(1.0, np.abs(mine).max())
        np.testing.assert_allclose(value, mine, rtol=0.0, atol=WITHIN * scale, err_msg=name)


def inputs_of(facts, form, values):
    return {spec["name"]: values[spec["name"]] for spec in facts["forms"][form]}


def runtime(folder, format):
    """A function from the name of a form and its inputs, arrays, to its outputs."""
    if format == "saved_model":
        signatures = tf.saved_model.load(folder).signatures
        return lambda form, given: signatures[form](**tensors(given))
    if format == "litert":
        interpreter = importlib.import_module("ai_edge_litert.interpreter")
        made = interpreter.Interpreter(model_path=str(folder / "model.tflite"))
        return lambda form, given: made.get_signature_runner(form)(**given)
    session = importlib.import_module("onnxruntime").InferenceSession
    sessions = {path.stem: session(path) for path in folder.glob("*.onnx")}

    def run(form, given):
        names = [output.name for output in sessions[form].get_outputs()]
        return dict(zip(names, sessions[form].run(None, given), strict=True))

    return run


def needs(format):
    """Skip a test whose runtime is not installed."""
    modules = {"onnx": ("tf2onnx", "onnxruntime"), "litert": ("ai_edge_litert.interpreter",)}
    for module in modules.get(format, ()):
        pytest.importorskip(module)


@pytest.mark.parametrize(
    ("generator", "format"),
    [
        *((make, format) for make in (note, string, wavegan) for format in WRITERS),
        (drum, "saved_model"),
        *(pytest.param(drum, format, marks=pytest.mark.slow) for format in ("onnx", "litert")),
    ],
    indirect=["generator"],
    ids=lambda each: getattr(each, "__name__", each),
)
def test_exports_give_the_generators_sound(generator, format, tmp_path):
    needs(format)
    is_hybrid = isinstance(generator, Hybrid)
    rate = 24000 if is_hybrid and generator.reverb is None else generator.sample_rate
    asked = {"seconds": 2501 / rate, "sample_rate": rate} if is_hybrid else {}
    facts = exported(generator, tmp_path, format, **(asked if format != "saved_model" else {}))
    assert json.loads((tmp_path / "model" / "model.json").read_text()) == facts
    assert set(facts["forms"]) == ({"audio", "controls"} if is_hybrid else {"audio"})
    z, call = generator.prior(3, seed=4).numpy(), runtime(tmp_path / "model", format)
    given = {"z": z, **ASKED, "n_samples": np.int32(2501), "sample_rate": np.int32(rate)}
    output = expected(generator, z, *((2501, rate) if is_hybrid else ()))
    for form in facts["forms"]:
        check(call(form, inputs_of(facts, form, given)), output)
    if format == "onnx":
        # Runtimes and tools take axes of one name as equal.
        session = importlib.import_module("onnxruntime").InferenceSession
        for path in (tmp_path / "model").glob("*.onnx"):
            made = session(path)
            ends = [*made.get_inputs(), *made.get_outputs()]
            assert {end.shape[0] for end in ends} == {"batch"}
    if format == "saved_model":
        # One note, and the default signature.
        given |= {name: given[name][:1] for name in ("z", *ASKED)}
        one = call("serving_default", inputs_of(facts, "audio", given))["audio"]
        np.testing.assert_allclose(one, output.audio[:1], atol=WITHIN)


def stream(call, facts, notes, z, n_blocks, held_seconds):
    """Joined blocks, without their latency."""
    given = {"z": z, **ASKED, "note_off_seconds": np.full([3], held_seconds, np.float32)}
    state = {
        spec["name"]: np.zeros([3, *spec["shape"][1:]], spec["type"])
        for spec in facts["forms"]["play"]
        if spec["name"].startswith(PREFIX)
    }
    blocks = []
    for _ in range(n_blocks):
        outputs = dict(call("play", inputs_of(facts, "play", {**given, **state})))
        blocks.append(np.asarray(outputs.pop("audio")))
        state = {name.replace(NEXT, PREFIX): np.asarray(x) for name, x in outputs.items()}
    return np.concatenate(blocks, axis=1)[:, facts["latency"] :]


@pytest.mark.parametrize(
    ("notes", "format"),
    [(note, "saved_model"), (note, "onnx"), (string, "onnx")],
    indirect=["notes"],
)
def test_blocks_joined_are_the_whole_note(notes, tmp_path, format):
    needs(format)
    facts = exported(notes, tmp_path, format, block=160, sample_rate=16000)
    z, call = notes.prior(3, seed=4).numpy(), runtime(tmp_path / "model", format)
    # A block is a frame here, so the curves are those of the offline note.
    held = toys.N_SAMPLES / 16000 - 0.1
    streamed = stream(call, facts, notes, z, 25, held)
    asked = tensors(ASKED | {"held_seconds": np.full([3], held, np.float32)})
    audio = notes(tf.constant(z), asked, seed=tf.constant(ASKED["seed"])).audio
    n = 23 * 160
    np.testing.assert_allclose(streamed[:, :n], audio[:, :n], atol=WITHIN)


def test_a_step_of_controls_is_the_play_of_a_note(notes):
    blocks = Blocks(notes, 64, 32000)
    play, step = blocks.forms()
    z = notes.prior(3, seed=4)
    state = {PREFIX + k: v + tf.cast(3, v.dtype) for k, v in blocks.stream.initial_state(3).items()}
    asked = tensors(ASKED)
    played = play.function({"z": z, **asked, **state, "note_off_seconds": tf.zeros([3])})
    times = tf.fill([3, 1], 3 * 64 / 32000)
    drawn = notes.controls_at(times, tf.zeros([3]), z, asked)
    own = "harmonic/", "noise/"
    controls = {name.split("/")[1]: x[:, 0] for name, x in drawn.items() if name.startswith(own)}
    onset = notes.controls_at(tf.zeros([1]), tf.zeros([3]), z, asked)
    for name in ("magnitudes", "decay_seconds"):
        controls[f"transient_{name}"] = onset[f"transient/{name}"]
    stepped = step.function({**controls, "seed": asked["seed"], **state})
    for name, value in played.items():
        np.testing.assert_allclose(value, stepped[name], rtol=1e-5, atol=1e-5, err_msg=name)


@pytest.mark.parametrize(
    ("make", "format", "asked", "words"),
    [
        (note, "onnx", {"sample_rate": 44150}, "441.5 samples a frame"),
        (note, "saved_model", {"seconds": 1.0}, "seconds has no effect"),
        (note, "saved_model", {"sample_rate": 8000}, "sample_rate has no effect"),
        (note, "onnx", {"block": 64, "seconds": 1.0}, "seconds has no effect"),
        (drum, "onnx", {"sample_rate": 32000}, "reverb"),
        (drum, "onnx", {"block": 64}, "harmonic, modal, noise, transient, reverb"),
        (wavegan, "onnx", {"block": 64}, "only hybrids"),
        (wavegan, "litert", {"seconds": 1.0}, "own length and rate"),
        (lambda: toys.hybrid(voices=[Foreign(4)]), "saved_model", {}, "harmonic is a Foreign"),
    ],
)
def test_invalid_exports_leave_nothing(make, format, asked, words, tmp_path):
    with pytest.raises(UsageError, match=words) as refusal:
        exported(make(), tmp_path, format, **asked)
    assert "\n" not in str(refusal.value)
    assert not list(tmp_path.iterdir())


def test_a_conversion_that_fails_is_one_line_and_leaves_nothing(notes, tmp_path, monkeypatch):
    def inverse(given):
        return {"audio": tf.linalg.svd(given["z"])[0]}

    inputs = [tf.TensorSpec([None, 6], tf.float32, "z")]
    monkeypatch.setattr(
        "noisygan.export.forms.of_one_length", lambda *_: [Form("audio", inverse, inputs)]
    )
    formats = ["litert"] + ["onnx"] * (importlib.util.find_spec("tf2onnx") is not None)
    for format in formats:
        with pytest.raises(RunError, match="can't be made.*saved_model") as failure:
            exported(notes, tmp_path, format)
        assert "\n" not in str(failure.value)
        assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("format", ["saved_model", "litert"])
def test_the_systems_reason_is_named(notes, format, tmp_path, short_files):
    with short_files, pytest.raises(RunError, match=r"model cannot be written: File too large$"):
        exported(notes, tmp_path, format)


def test_without_tf2onnx_the_error_names_the_extra(notes, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tf2onnx", None)
    with pytest.raises(UsageError, match=r"pip install 'noisygan\[export\]'"):
        exported(notes, tmp_path, "onnx")
