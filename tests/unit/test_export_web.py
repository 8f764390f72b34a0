"""The web instrument's engine, run by Node, against Python's sound."""

import json
import pathlib
import shutil
import subprocess

import keras
import numpy as np
import pytest
import scipy.signal
import tensorflow as tf

from discriminators import ConditionEncoder
from noisygan.errors import UsageError
from noisygan.export import web
from noisygan.export.export import export
from noisygan.generators.drum_voices import ModalVoice, TransientVoice
from noisygan.generators.jitter import ConditionJitter, Jitter
from noisygan.generators.sweeps import FixedCenterPitch, PitchSweep
from noisygan.generators.voices import HarmonicVoice, NoiseVoice
from noisygan.generators.wavegan import WaveGAN
from synths import Reverb
from tests import toys

SCRIPT = pathlib.Path(__file__).parents[1] / "web_engine.mjs"
needs_node = pytest.mark.skipif(not shutil.which("node"), reason="no Node")
SIGNAL_TO_ERROR_DB, BANDS_DB = 60.0, 0.5


@pytest.fixture(autouse=True)
def few_latents(monkeypatch):
    monkeypatch.setattr(web, "_N_SEEDS", 12)


def note():
    voices = [HarmonicVoice(n_harmonics=20), NoiseVoice(n_bands=None), TransientVoice(5)]
    jitters = {"condition_jitter": ConditionJitter(), "jitter": Jitter(n=3)}
    return toys.hybrid(voices=voices, latent_dim=6, **jitters)


def held_long():
    """Notes of the tests are held longer than its recordings, and its level falls meanwhile."""
    loudness = toys.drifting_curve(1, "loudness")
    encoder = ConditionEncoder(("velocity",))
    generator = toys.hybrid(loudness_curve=loudness, condition_encoder=encoder)
    generator.adapt(toys.notes(held=lambda i: 0.06))
    z = generator.prior(1, seed=4)
    asked = {
        name: tf.constant([value]) for name, value in {"pitch": 66.3, "velocity": 90.0}.items()
    }
    rising = np.diff(generator.get_controls(z, asked)["loudness_db"][0, :6, 0]).sum() > 0
    for weight in loudness.outputs.weights if rising else ():
        weight.assign(-weight)
    return generator


def string():
    generator = toys.hybrid(voices=[HarmonicVoice(6), NoiseVoice(9)], latent_dim=6)
    generator.adapt(toys.strings())
    return generator


def drum():
    """At 24 kHz a frame has 54.4 samples."""
    return toys.hybrid(
        f0_curve=PitchSweep(),
        voices=[HarmonicVoice(4, tuned=True), ModalVoice(5), NoiseVoice(9), TransientVoice(9)],
        pitch=FixedCenterPitch(),
        condition_encoder=ConditionEncoder(("label", "velocity"), n_labels=3),
        frame_rate=441.0,
        velocity_exponent=2.0,
    )


def long_filter():
    """The filter of a frame of 36 samples extends 63 samples to either side."""
    voices = [HarmonicVoice(4), NoiseVoice(65)]
    return toys.hybrid(voices=voices, frame_rate=441.0)


def tagged():
    encoder = ConditionEncoder(("pitch",), tags=("mic", "bow"), pitches=(60, 64, 72))
    encoder.set_data(1, (60, 64, 72), {"mic": ("close", "far"), "bow": (0.0, 2.0)})
    return toys.hybrid(condition_encoder=encoder)


def made(make):
    """A run of a generator with variables, none that is trained at its initial value."""
    keras.utils.set_random_seed(0)  # signal-to-error ratios depend on the sound
    generator = make()
    conditions = {"label": tf.constant([1]), "mic": tf.constant([1.0]), "bow": tf.constant([0.5])}
    conditions |= {name: tf.constant([70.0]) for name in ("pitch", "velocity")}
    generator(generator.prior(1, seed=0), conditions)
    rng = np.random.default_rng(0)
    for weight in generator.trainable_weights:
        weight.assign(weight + 0.02 * rng.normal(size=weight.shape))
    names = generator.condition_names
    labels = ("hat", "kick", "snare") if "label" in names else ()
    tags = {"mic": ("close", "far"), "bow": (0.0, 2.0)} if "mic" in names else {}
    rows = [("", "far", 1.0)] if tags else []
    pitches = (57, 76) if "pitch" in names else ()
    return toys.run("run", names, labels, pitches, generator, tags, rows)


def engine(**given):
    """(float32 samples, messages of the instrument) that Node makes of a model and requests."""
    done = subprocess.run(
        ["node", str(SCRIPT)], input=json.dumps(given).encode(), capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return np.frombuffer(done.stdout, "<f4"), json.loads(done.stderr or "[]")


def band_levels_db(audio, sample_rate):
    """Levels in bands of a third of an octave from 100 Hz on."""
    hz, power = scipy.signal.welch(audio, sample_rate, nperseg=min(1024, len(audio)))
    edges = 100.0 * 2.0 ** (np.arange(0, 3.0 * np.log2(0.5 * sample_rate / 100.0)) / 3.0)
    bands = [power[(hz >= a) & (hz < b)].sum() for a, b in zip(edges, edges[1:], strict=False)]
    return 10.0 * np.log10(np.maximum(bands, 1e-30))


@needs_node
@pytest.mark.parametrize(
    ("make", "rate"),
    [
        (note, 16000),
        (note, 22050),
        (held_long, 16000),
        (string, 48000),
        (drum, 24000),
        (tagged, 16000),
    ],
)
def test_each_voice_is_pythons(make, rate):
    run, seconds = made(make), 0.25
    generator = run.generator
    z = generator.prior(1, seed=4)
    asked = {"pitch": 66.3, "velocity": 90.0, "label": 2, "mic": "far", "bow": 0.4}
    held, bend = 0.12, [[0.05, 0.0], [0.2, -1.5]]
    request = {
        **{name: asked[name] for name in ("pitch", "velocity", "label")},
        "tags": {name: asked[name] for name in run.tag_values},
        "z": z[0].numpy().tolist(), "seconds": seconds, "sampleRate": rate,
        "heldSeconds": held, "seed": 7, "bend": bend,
    }  # fmt: skip
    numbers = asked | {"mic": 1.0}
    conditioning = {name: tf.constant([value], tf.float32) for name, value in numbers.items()}
    conditioning |= {"label": tf.constant([2]), "bend": tf.constant([bend], tf.float32)}
    controls = generator.get_controls(z, conditioning, seconds, tf.constant([held]))
    n_frames = controls["loudness_db"].shape[1]
    covered = round(n_frames * rate / generator.frame_rate)
    stems = generator.get_stems(controls, covered, rate, tf.constant([7]))
    kinds = {voice.name: voice.kind for voice in generator.voices}
    requests = [request, *(request | {"voices": [kinds[name]]} for name in stems)]
    sounds = engine(model=web.web_model(run), notes=requests)[0].reshape(len(requests), -1)
    assert sounds.shape[1] == round(seconds * rate)
    whole, sounds = sounds[0], sounds[1:]
    np.testing.assert_allclose(whole, sounds.sum(0), atol=1e-6)
    for (name, stem), sound in zip(stems.items(), sounds, strict=True):
        wanted = np.asarray(stem)[0, : sounds.shape[1]]
        sound = sound[: len(wanted)]
        if kinds[name] == "noise":
            levels = band_levels_db(wanted, rate)
            heard = levels > levels.max() - 40.0
            apart = (band_levels_db(sound, rate) - levels)[heard]
            assert np.abs(apart).max() < BANDS_DB, name
        else:
            # What is below -140 dB is left out.
            error = np.sqrt(np.mean((wanted - sound) ** 2))
            largest = max(10.0 ** (-SIGNAL_TO_ERROR_DB / 20.0) * wanted.std(), 1e-7)
            assert error < largest, name


@needs_node
@pytest.mark.parametrize("make", [note, string, drum])
def test_blocks_of_any_length_make_the_same_sound(make):
    model = web.web_model(made(make))
    one, two = [key for each in model["classes"] for key in each["keys"]][:2] or (60, 67)
    events = [
        [0, on(one)],
        [2400, on(two, 0.4)],
        [4800, {"type": "bend", "semitones": 1.0}],
        [7200, off(one)],
        [9600, {"type": "allOff"}],
    ]
    sounds = []
    for n in (1200, 96, 48, 2400):
        settings = {"rate": 44100, "events": events, "blocks": [n] * (48000 // n)}
        sounds.append(engine(model=model, **settings)[0])
    # Every note has ended.
    assert np.abs(sounds[0]).max() > 1e-3 and not sounds[0][-2400:].any()
    for sound in sounds[1:]:
        np.testing.assert_allclose(sound, sounds[0], atol=2e-6)


def on(note, velocity=0.8):
    return {"type": "noteOn", "note": note, "velocity": velocity}


def off(note):
    return {"type": "noteOff", "note": note}


def sounding(posted):
    """Notes that were posted as begun and not as ended."""
    begun = [m["note"] for m in posted if m["type"] == "note" and m["on"]]
    for m in posted:
        if m["type"] == "note" and not m["on"]:
            begun.remove(m["note"])
    return sorted(begun)


@needs_node
@pytest.mark.parametrize(
    ("messages", "left"),
    [
        ([on(60), on(64), off(60)], [64]),
        ([{"type": "sustain", "on": True}, on(60), off(60)], [60]),
        ([{"type": "sustain", "on": True}, on(60), off(60), {"type": "sustain", "on": False}], []),
        ([on(60), {"type": "sostenuto", "on": True}, on(64), off(60), off(64)], [60]),
        ([on(60), {"type": "sostenuto", "on": True}, on(60), off(60)], [60]),
        ([on(60), on(60)], [60]),
        ([on(60), on(64), {"type": "allOff"}], []),
        ([on(60), {"type": "sustain", "on": True}, {"type": "allOff", "now": True}], []),
        ([on(key) for key in range(50, 70)], list(range(54, 70))),
    ],
)
def test_pedals_and_polyphony(messages, left):
    model = web.web_model(made(note))
    events = [[480 * i, message] for i, message in enumerate(messages)]
    sound, posted = engine(model=model, rate=16000, events=events, blocks=[160] * 200)
    assert sounding(posted) == left
    assert np.isfinite(sound).all()


@needs_node
def test_a_stolen_voice_fades_out():
    # Without noise and jitter, whose seeds are those of the order of notes.
    model = web.web_model(made(lambda: toys.hybrid(voices=[HarmonicVoice(20)])))
    chord = [[0, on(key)] for key in range(50, 66)]
    last = [[8000, on(66)]]

    def played(events):
        return engine(model=model, rate=16000, events=events, blocks=[16] * 600)[0]

    oldest = played(chord[:1])[8000:]
    change = (played(chord + last) - played(chord) - played(last))[8000:]
    fade = np.maximum(0.0, 1.0 - np.arange(len(change)) / (0.005 * 16000))
    peak = np.abs(oldest[:80]).max()
    np.testing.assert_allclose(change, (fade - 1.0) * oldest, atol=1e-3 * peak)


@needs_node
@pytest.mark.parametrize(
    ("message", "words"),
    [
        ({"type": "toString"}, "message toString: unknown"),
        ({"type": "noteOn", "note": 60}, "velocity is undefined; expected a number"),
        ({"type": "volume", "value": None}, "value is null"),
        ({"type": "latents", "values": [1.0]}, "expected 6 numbers"),
    ],
)
def test_invalid_messages_are_refused_in_one_line(message, words):
    model = web.web_model(made(note))
    with pytest.raises(AssertionError, match=words):
        engine(model=model, rate=16000, events=[[0, message]], blocks=[160])


@needs_node
def test_a_chord_that_is_struck_again_and_again_fades():
    """No voice is cut: one that is stolen fades before its place is taken."""
    model = web.web_model(made(note))
    chord = [on(key) for key in range(50, 62)]
    events = [[960 * turn, message] for turn in range(6) for message in chord]
    posted = engine(model=model, rate=48000, events=events, blocks=[120] * 60)[1]
    assert not [m for m in posted if m.get("stolen")]


@needs_node
def test_controllers():
    model = web.web_model(made(note))

    def played(*messages):
        events = [[0, message] for message in (*messages, on(60))]
        return engine(model=model, rate=16000, events=events, blocks=[160] * 30)[0]

    plain = played()
    soft = played({"type": "volume", "value": 0.5})
    np.testing.assert_allclose(soft[2000:], 0.5 * plain[2000:], atol=1e-5)
    loud = played({"type": "pressure", "value": 1.0})
    np.testing.assert_allclose(loud[2000:], 10.0**0.3 * plain[2000:], atol=1e-4)
    for message in (
        {"type": "bend", "semitones": 2.0},
        {"type": "modulation", "value": 1.0},
        {"type": "latents", "values": [2.0] * 6},
        {"type": "seed", "value": 5},
    ):
        assert np.abs(played(message) - plain).max() > 1e-6, message


def labelled():
    return toys.hybrid(condition_encoder=ConditionEncoder(("pitch", "label"), n_labels=3))


@needs_node
@pytest.mark.parametrize(
    ("make", "values"),
    [(tagged, {"mic": "far"}), (tagged, {"bow": 2.0}), (labelled, {"label": "kick"})],
)
def test_tags_and_the_label_of_a_pitched_run_change_the_sound(make, values):
    model = web.web_model(made(make))
    settings = {"model": model, "rate": 16000, "blocks": [160] * 10}
    plain = engine(**settings, events=[[0, on(60)]])[0]
    changed = engine(**settings, events=[[0, {"type": "tags", "values": values}], [0, on(60)]])[0]
    assert np.abs(changed - plain).max() > 1e-6


@needs_node
def test_drums_play_their_keys():
    model = web.web_model(made(drum))
    keys = [key for each in model["classes"] for key in each["keys"]]
    assert [each["name"] for each in model["classes"]] == ["hat", "kick", "snare"]
    events = [[0, on(keys[0])], [0, on(127 - min(keys))]]
    sound, posted = engine(model=model, rate=16000, events=events, blocks=[160] * 200)
    assert [m["note"] for m in posted] == [keys[0]] * 2
    assert not sound[-160:].any()


@needs_node
def test_a_message_with_a_time_is_taken_at_that_sample():
    model = web.web_model(made(note))
    at = 7000  # within a block

    def played(seconds):
        strike, end = on(60) | seconds(at), off(60) | seconds(9000)
        return engine(model=model, rate=48000, n_blocks=100, messages=[end, strike])

    timed, posted = played(lambda sample: {"time": sample / 48000})
    assert not timed[:at].any() and timed[at : at + 20].any()
    events = [[0, on(60)], [9000 - at, off(60)]]
    plain = engine(model=model, rate=48000, events=events, blocks=[100] * 58)[0]
    np.testing.assert_allclose(timed[at:], plain, atol=2e-6)
    at_once = engine(model=model, rate=48000, n_blocks=4, messages=[on(60) | {"time": "x"}])[0]
    assert at_once[:20].any()
    # What is scheduled is silenced, too.
    messages = [on(60) | {"time": 0.1}, {"type": "allOff", "now": True}]
    silent, posted = engine(model=model, rate=48000, n_blocks=100, messages=messages)
    assert not silent.any() and [m["type"] for m in posted] == ["ready", "load", "load"]


@needs_node
def test_a_chord_begins_within_two_blocks():
    chord = [on(key) for key in range(50, 66)]
    settings = {"rate": 48000, "n_blocks": 20, "messages": chord}
    posted = engine(model=web.web_model(made(note)), **settings)[1]
    frames = [m["frame"] for m in posted if m["type"] == "note"]
    assert len(frames) == 16 and max(frames) == 128


@needs_node
@pytest.mark.parametrize("make", [note, string, drum])
def test_without_web_assembly_it_sounds_the_same(make):
    model = web.web_model(made(make))
    key = [key for each in model["classes"] for key in each["keys"]][:1] or [60]
    settings = {"model": model, "rate": 44100, "events": [[0, on(key[0])]], "blocks": [441] * 20}
    vectors, plain = engine(**settings)[0], engine(**settings, plain=True)[0]
    assert np.abs(vectors).max() > 1e-3 and (vectors != plain).any()
    np.testing.assert_allclose(vectors, plain, atol=1e-3 * np.abs(plain).max())


@needs_node
def test_a_host_has_pads_of_its_own():
    """Two sounds of one class, with latents, tags and noise of their own."""
    run = made(drum)
    model = web.web_model(run)
    one, other = run.generator.prior(2, seed=4).numpy().tolist()

    def struck(*messages):
        events = [[0, message] for message in messages]
        return engine(model=model, rate=16000, events=events, blocks=[160] * 30)[0]

    def pad(note, z, label, seed):
        return [
            {"type": "latents", "values": z, "note": note},
            {"type": "tags", "values": {"label": label}, "note": note},
            {"type": "seed", "value": seed, "note": note},
        ]

    pads = [*pad(128, one, "kick", 3), *pad(129, other, "kick", 3), *pad(130, one, "snare", 3)]
    sounds = [struck(*pads, on(note)) for note in (128, 129, 130)]
    for i in range(3):
        assert np.abs(sounds[i] - sounds[i - 1]).max() > 1e-4
    # Noise is that of the pad's seed at each strike, as `Run.render` has it.
    wanted = {"label": 1, "velocity": 0.8 * 127, "z": one, "seed": 3, "sampleRate": 16000}
    wanted |= {"seconds": 0.3, "heldSeconds": 1.0, "pitch": 0}
    whole = engine(model=model, notes=[wanted])[0][: len(sounds[0])]
    again = struck(*pads, on(128), off(128), on(128))
    others = struck(*pad(128, one, "kick", 4), on(128))
    errors = [np.abs(each - whole).max() for each in (sounds[0], 0.5 * again, others)]
    assert max(errors[:2]) < 0.1 * errors[2]
    # A slider moves the pad that sounds, alone.
    model["generator"]["voices"] = model["generator"]["voices"][:1]
    moved = struck(*pads, on(128), *pad(128, other, "kick", 3))
    assert np.abs(moved - struck(*pads, on(128))).max() > 1e-4
    np.testing.assert_array_equal(
        struck(*pads, on(129), *pad(128, other, "kick", 3)), struck(*pads, on(129))
    )


@needs_node
def test_all_held_notes_follow_latents_that_keep_moving():
    model = web.web_model(made(note))
    model["generator"]["voices"] = model["generator"]["voices"][:1]  # without noise
    moving = [[128 * i, {"type": "latents", "values": [2.0] * 6}] for i in range(8, 98)]
    settings = {"model": model, "rate": 16000, "blocks": [128] * 100}

    def played(notes, events):
        return engine(**settings, events=[[0, on(each)] for each in notes] + events)[0][-2000:]

    notes = range(60, 68)
    chord, still = played(notes, moving), played(notes, [])
    alone = sum(played([each], moving) for each in notes)
    assert np.std(chord - alone) < 0.5 * np.std(still - alone)


@needs_node
def test_only_hats_stop_each_other_where_all_cymbals_are_one_class():
    model = web.web_model(made(drum))
    model["classes"][0]["keys"] = [42, 46, 49, 51]
    settings = {"model": model, "rate": 16000, "blocks": [160] * 10}

    def ended(*notes):
        events = [[160 * i, on(each)] for i, each in enumerate(notes)]
        return [m["note"] for m in engine(**settings, events=events)[1] if not m["on"]]

    assert ended(49, 51, 42) == [] and ended(46, 42) == [46]


@needs_node
def test_hats_of_pads_stop_each_other():
    model = web.web_model(made(drum))
    sound = {"type": "latents", "values": model["latents"]["seeds"][0]}
    names = {128: "hat", 129: "hat", 130: "kick"}
    pads = [sound | {"note": note} for note in names]
    pads += [{"type": "tags", "values": {"label": names[note]}, "note": note} for note in names]
    events = [[0, message] for message in pads] + [[0, on(note)] for note in (128, 130)]
    settings = {"model": model, "rate": 16000, "blocks": [160] * 10}
    posted = engine(**settings, events=[*events, [160, on(129)]])[1]
    assert [m["note"] for m in posted if not m["on"]] == [128]


def test_a_page_is_one_file_of_less_than_two_megabytes(tmp_path):
    path = tmp_path / "new" / "run.html"
    facts = export(made(note), path, "web")
    assert facts["kind"] == "pitched"
    assert path.stat().st_size < 2_000_000 and facts["remarks"] == []
    with pytest.raises(UsageError, match="exists already"):
        export(made(note), path, "web")


def test_a_page_of_more_than_two_megabytes_says_what_makes_it_smaller(tmp_path):
    run = made(lambda: toys.hybrid(latent_units=900))
    (remark,) = export(run, tmp_path / "run.html", "web")["remarks"]
    size = (tmp_path / "run.html").stat().st_size / 1e6
    assert size > 2.0 and f"has {size:.1f} MB, more than 2:" in remark
    assert "Hybrid.latent_units (900)" in remark and "CPPN.units (8)" in remark


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (
            lambda: WaveGAN(4096, 16000, latent_dim=5, units=2),
            "samples directly; expected a hybrid",
        ),
        (lambda: toys.hybrid(reverb=Reverb(trainable=True, reverb_length=30)), "reverb is Reverb"),
    ],
)
def test_other_runs_are_refused(make, words, tmp_path):
    run = toys.run("run", generator=make())
    with pytest.raises(UsageError, match=words) as refusal:
        export(run, tmp_path / "run.html", "web")
    assert "\n" not in str(refusal.value)
    with pytest.raises(UsageError, match="block has no effect"):
        export(run, tmp_path / "run.html", "web", block=64)
    assert not list(tmp_path.iterdir())
