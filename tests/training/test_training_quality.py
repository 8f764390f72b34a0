"""The quality curve of a training: the measure, its cost, early stopping and the best weights."""

import math

import numpy as np
import pytest
import tensorflow as tf

from noisygan import config
from noisygan.data.dataset import Recordings
from noisygan.demo import notes_folder
from noisygan.errors import UsageError
from noisygan.metrics import spectrograms
from noisygan.metrics.features import LOWEST_DB, N_MELS, N_PARTS
from noisygan.training.guards import Guards
from noisygan.training.quality import Compared, Quality, View, _halves, _of_few_conditions, features
from noisygan.training.runs import RunFolder, load_generator
from noisygan.training.summaries import Samples
from noisygan.training.trainer import Trainer
from tests import toys
from tests.cli.conftest import TINY

pytestmark = pytest.mark.usefixtures("eagerly")


@pytest.fixture(scope="module")
def trainer():
    built = toys.trainer()
    built.build(toys.notes(n=40))
    return built


def measuring(trainer, notes=None, **settings):
    return Quality(**({"n_sounds": 40} | settings)).begin(trainer, notes or toys.notes(n=40))


def played(monkeypatch, trainer, audio, conditions=()):
    """Lets a generator that is told `conditions` give these sounds, [n, n_samples], in order."""
    rest = list(audio)

    class Output:
        def __init__(self, z):
            self.audio = tf.stack([rest.pop(0) for _ in z])

    monkeypatch.setattr(type(trainer.generator), "__call__", lambda self, z, c, seed: Output(z))
    monkeypatch.setattr(type(trainer.generator), "condition_names", conditions)


def test_features_are_those_of_evaluate():
    audio = np.stack([toys.notes().audio(i) for i in (0, 5)])
    expected, movement = [], []
    for sound in audio:
        log_mel = np.maximum(spectrograms.log_mel_db(sound, 16000, N_MELS), LOWEST_DB)
        expected.append(spectrograms.pooled_log_mel(log_mel, N_PARTS) / (N_PARTS * N_MELS) ** 0.5)
        parts = np.array_split(log_mel, N_PARTS, axis=int(log_mel.shape[0] == N_MELS))
        axis = int(log_mel.shape[0] == N_MELS)
        movement.append(np.mean([part.std(axis=axis) for part in parts], axis=0) / N_MELS**0.5)
    found = features(audio, 16000).numpy()
    np.testing.assert_allclose(found[:, :-N_MELS], expected, atol=1e-4)
    np.testing.assert_allclose(found[:, -N_MELS:], movement, atol=1e-4)
    # Sounds that have fewer frames than there are parts.
    assert features(audio[:, :700], 16000).shape == (2, 6 * N_MELS)


def test_a_vibrato_that_is_missing_is_heard(monkeypatch, trainer):
    times = np.arange(toys.N_SAMPLES) / 16000
    rng = np.random.default_rng(0)

    def tones(depth, n=40):
        phases = rng.uniform(0.0, 2.0 * np.pi, (n, 1))
        level = 1.0 + depth * np.sin(2.0 * np.pi * 100.0 * times + phases)
        hz = np.linspace(300.0, 900.0, n)[:, None]
        tone = 0.3 * level * np.sin(2.0 * np.pi * hz * times)
        return (tone + 1e-3 * rng.normal(size=tone.shape)).astype(np.float32)

    one = measuring(trainer, toys.notes(n=40, audio=tones(0.6)))
    found = []
    for depth in (0.6, 0.0):
        played(monkeypatch, trainer, tones(depth))
        distance, _ = one.measure()
        levels, movement = (
            100.0 * each.distance(features(tones(depth), 16000).numpy()) for each in one.compared
        )
        assert distance == pytest.approx(0.5 * (levels + movement), abs=5)
        found.append(movement)
    assert abs(found[0]) < 10 and found[1] > 30


def test_the_recordings_themselves_are_at_no_distance_and_noise_is_far(monkeypatch, trainer):
    notes = toys.notes(n=40)
    recordings = np.stack([notes.audio(i) for i in range(40)])
    others = toys.notes(n=40, seed=1)
    noise = np.random.default_rng(0).normal(size=recordings.shape).astype(np.float32)
    sets = {
        "others": np.stack([others.audio(i) for i in range(40)]),
        "one": np.repeat(recordings[:1], 40, axis=0),
        "quieter": 0.1 * recordings,
        "noise": 0.1 * noise,
    }
    found = {}
    for name, audio in sets.items():
        played(monkeypatch, trainer, audio)
        found[name] = measuring(trainer, notes).measure()
    distance, variety = (
        dict(zip(found, values, strict=True)) for values in zip(*found.values(), strict=True)
    )
    assert abs(distance["others"]) < 10 < 100 < min(distance["quieter"], distance["noise"])
    assert distance["one"] > 30 and variety["one"] < 1e-3
    assert variety["others"] == pytest.approx(100.0, abs=5)


def test_notes_are_compared_with_recordings_of_what_they_were_told(monkeypatch, trainer):
    """The right sounds at the wrong pitches are far, but for a generator that chooses itself."""
    notes, found = toys.notes(n=40), {}
    for conditions in ((), ("pitch", "velocity")):
        for turned in (0, 20):
            one = measuring(trainer, notes)
            one.compared = one._learn_recordings()
            audio = np.stack([notes.audio(i) for i in np.roll(one.asked, turned)])
            played(monkeypatch, trainer, audio, conditions)
            found[bool(conditions), turned] = measuring(trainer, notes).measure()
    assert found[False, 0] == pytest.approx(found[False, 20])
    assert found[True, 20][0] > found[True, 0][0] + 50
    assert found[True, 0][1] == pytest.approx(found[True, 20][1])


@pytest.mark.parametrize(
    ("told", "n_most", "expected"),
    [
        ([0, 0, 1, 1, 2], 8, [0, 1, 2, 3, 4]),
        ([0, 0, 1, 1, 2], 2, [0, 1, 4]),
        ([0, 0, 0], 1, [0, 1, 2]),
        (list(range(9)), 3, [0, 4, 8]),
    ],
)
def test_of_many_conditions_some_are_measured_from_the_first_to_the_last(told, n_most, expected):
    assert list(np.flatnonzero(_of_few_conditions(np.array(told), n_most))) == expected


def test_the_distance_is_the_energy_score_of_each_recording():
    rng = np.random.default_rng(0)
    seen, kept, sounds = (rng.normal(size=(n, 6)) for n in (30, 3, 8))
    told, asked = np.array([0, 1, 1]), np.array([0, 0, 0, 0, 1, 1, 1, 1])
    one = Compared(slice(0, 6), seen, kept, told, asked)
    recordings, made = one.view(kept), one.view(sounds)

    def between(a, b):
        return np.mean([np.linalg.norm(x - y) for x in a for y in b])

    def within(a):
        return between(a, a) * len(a) / max(len(a) - 1, 1)

    of_one = 2 * between(recordings[:1], made[:4]) - within(made[:4])
    of_two = 2 * between(recordings[1:], made[4:]) - within(made[4:]) - within(recordings[1:])
    expected = (of_one + 2 * of_two) / 3 / within(recordings)
    assert one.distance(sounds) == pytest.approx(expected)


def test_each_direction_counts_by_how_much_recordings_differ_in_it():
    rng = np.random.default_rng(0)
    # Recordings differ by 10 dB in one direction and by 1 dB in another, and in no other.
    points = rng.normal(size=(200, 2)) * [10.0, 1.0] @ np.eye(2, 6) + 5.0
    view = View(points)
    unit = view(points).std(0)
    np.testing.assert_allclose(unit[:2], 1.0, rtol=1e-6)
    origin = view(np.full([1, 6], 5.0))
    moved = [
        np.linalg.norm(view(5.0 + shift) - origin)
        for shift in (10.0 * np.eye(1, 6), np.eye(1, 6, 1), 0.05 * np.eye(1, 6, 4))
    ]
    np.testing.assert_allclose(moved[:2], 1.0, rtol=0.15)
    # Where no recording differs a little is far: here the distance from all directions.
    assert moved[2] == pytest.approx(1.0, rel=0.15)


@pytest.mark.parametrize("n", [4, 5, 40, 41])
def test_both_halves_have_soft_and_loud_notes(n):
    first, second = _halves(n)
    assert sorted([*first, *second]) == list(range(n)) and len(first) - len(second) in (0, 1)
    # Two velocities a pitch, in turns.
    for half in (first, second) if n > 5 else ():
        assert 0.25 < np.mean(half % 2) < 0.75


def test_sounds_are_asked_for_like_all_recordings_alike(monkeypatch, trainer):
    one, asked = measuring(trainer, toys.notes(n=5), n_sounds=12), []

    def generate(z, conditioning):
        asked.extend(conditioning["pitch"].numpy())
        return one._generated(z, conditioning)

    monkeypatch.setattr(one, "_generate", generate)
    one.measure()
    counts = [sum(pitch == each for each in asked) for pitch in sorted(set(asked))]
    assert sum(counts) == 12 and max(counts) - min(counts) <= 1


def test_it_is_the_averaged_generator_that_is_measured(trainer):
    before = measuring(trainer).measure()
    kept = [v.numpy() for v in trainer.generator.weights]
    for variable in trainer.generator.weights:
        variable.assign(variable + 0.3)
    assert measuring(trainer).measure() == before
    for variable, value in zip(trainer.generator.weights, kept, strict=True):
        variable.assign(value)


def test_sounds_that_are_not_finite_are_no_quality(monkeypatch, trainer):
    played(monkeypatch, trainer, np.full((40, toys.N_SAMPLES), np.nan, np.float32))
    assert all(map(math.isnan, measuring(trainer).measure()))


def test_it_is_measured_ten_times_while_steps_double():
    quality = Quality(every_steps=100)
    due = [step for step in range(10001) if quality.is_due(step)]
    assert due[:3] == [100, 200, 300]
    assert [s for s in due if 1900 <= s < 2700] == [1900, 2000, 2200, 2400, 2600]
    assert [s for s in due if s >= 8000] == [8000, 8800, 9600]
    assert len([s for s in due if 4000 <= s < 8000]) == 10


def test_what_would_take_too_long_is_left_out(monkeypatch, trainer):
    one = measuring(trainer, every_steps=1, max_share=0.03)
    taken = []
    monkeypatch.setattr(one, "measure", lambda: taken.append(1) or (50.0, 50.0))
    assert one.measured(1, 10.0)[0] == {
        "sound_distance_percent": 50.0,
        "sound_variety_percent": 50.0,
    }
    one.cost_seconds = 3.0
    assert one.measured(2, 10.0 + 2.9 / 0.03) == ({}, False)
    assert one.measured(3, 10.0 + 3.1 / 0.03)[0]
    assert len(taken) == 2


def test_a_deterministic_run_is_measured_whatever_the_clock_says(monkeypatch, trainer, tmp_path):
    run = RunFolder.create(tmp_path / "run", "", [], toys.notes(n=40), 0, deterministic=True)
    samples = Samples(trainer, toys.notes(n=40))
    guards = Guards(trainer, toys.notes(n=40), run, samples, lambda text: None)
    monkeypatch.setattr(guards.quality, "measure", lambda: (50.0, 50.0))
    guards.quality.cost_seconds = 1e9
    assert guards.measure(100, 1.0)["sound_distance_percent"] == 50.0


def test_compiling_is_no_cost_of_the_next_measurement(trainer):
    one = measuring(trainer, n_sounds=20)
    one.measure()
    assert one.cost_seconds == 0.0
    one.measure()
    assert one.cost_seconds > 0.0


def test_a_single_recording_has_nothing_to_be_compared_with(trainer):
    assert measuring(trainer, toys.notes(n=1), every_steps=1).measured(1, 1.0) == ({}, False)


@pytest.mark.parametrize("n", [4, 40])
def test_copies_of_one_sound_have_no_distance_and_are_asked_once(monkeypatch, trainer, n):
    copy = toys.notes(n=n).audio(0)
    one = measuring(trainer, toys.notes(n=n, audio=np.stack([copy] * n)), every_steps=1)
    assert one.measured(1, 10.0) == one.measured(2, 20.0) == ({}, False)
    assert "too few measurements" in one.curve.verdict() and one.cost_seconds == 0.0
    monkeypatch.setattr(one, "_learn_recordings", None)
    assert one.measured(3, 30.0) == ({}, False)


@pytest.mark.parametrize(
    "change",
    [
        {"every_steps": 0},
        {"n_sounds": 3},
        {"patience": 0.5},
        {"min_gain": -1.0},
        {"max_share": 0.0},
    ],
)
def test_numbers_that_make_no_sense_are_refused(change):
    with pytest.raises(UsageError, match=f"Quality.{next(iter(change))}: got .*expected a"):
        Quality(**change)


# In a run


class Given(Quality):
    """Distances that are given, so that it is known when it is done."""

    def __init__(self, distances, **settings):
        super().__init__(**({"every_steps": 1, "patience": 2} | settings))
        self.distances = distances

    def begin(self, trainer, notes):
        one = super().begin(trainer, notes)
        one.measure = lambda: (self.distances[int(trainer.step) - 1], 100.0)
        return one


def fitted(run, distances, **settings):
    trainer = toys.trainer(quality=Given(distances))
    trainer.fit(toys.notes(), run, seed=3, intervals=(3, 2), **settings)
    return trainer


def curve_of(run):
    name = "sound_distance_percent"
    return [(r["step"], r[name]) for r in run.read_metrics() if name in r]


def test_training_stops_when_it_is_done_and_keeps_the_best(tmp_path):
    run = RunFolder.create(tmp_path / "run", "", [], toys.notes(), 3)
    distances = [50.0, 40.0, 42.0, 41.0, 30.0, 20.0]
    trainer = fitted(run, distances, steps=6, early_stop=True)
    assert int(trainer.step) == 4
    assert curve_of(run) == list(enumerate(distances[:4], 1))
    log = run.log_file.read_text()
    assert "40.0 % at step 2, the best): no gain since step 2, done" in log
    assert f"the best weights are kept as a run of their own: {run.path / 'best'}" in log
    assert RunFolder.open(run.path / "best").step == 2
    # Asked to go on it stays where it is; without the option it goes on.
    again = fitted(run, distances, steps=6, early_stop=True, resume=True)
    assert int(again.step) == 4
    again = fitted(run, distances, steps=6, resume=True)
    assert int(again.step) == 6
    assert curve_of(run) == list(enumerate(distances, 1))
    assert RunFolder.open(run.path / "best").step == 6


def test_a_stopped_and_resumed_run_has_the_curve_of_an_uninterrupted_one(tmp_path):
    distances = [50.0, 40.0, 42.0, 40.5, 41.0, 41.0]
    runs = [RunFolder.create(tmp_path / n, "", [], toys.notes(), 3) for n in ("whole", "parts")]
    whole = fitted(runs[0], distances, steps=6)
    fitted(runs[1], distances, steps=3)
    parts = fitted(runs[1], distances, steps=6, resume=True)
    assert curve_of(runs[1]) == curve_of(runs[0])
    assert int(whole.step) == int(parts.step) == 6
    ends = [run.log_file.read_text().splitlines()[-2:] for run in runs]
    said = [
        [line.split(" ", 1)[1].replace(str(run.path), "") for line in lines]
        for run, lines in zip(runs, ends, strict=True)
    ]
    assert said[0] == said[1]


def test_the_best_weights_are_a_run_that_can_be_loaded(tmp_path):
    config.parse([TINY])
    trainer = config.configured(Trainer)()
    trainer.quality = Given([50.0, 40.0, 45.0])
    notes = config.configured(Recordings)().read(notes_folder())
    run = RunFolder.create(tmp_path / "run", config.resolved_text(), [], notes, 3)
    averages = {}

    def keep(*args):
        averages[int(trainer.step)] = [v.numpy() for v in trainer.g_ema.averages]

    class Progress:
        message = update = keep

    trainer.fit(notes, run, steps=3, seed=3, progress=Progress, intervals=(1, 2))
    generator = load_generator(run.path / "best")
    for value, average in zip(generator.weights, averages[2], strict=True):
        np.testing.assert_array_equal(value, average)
    assert any((a != b).any() for a, b in zip(averages[2], averages[3], strict=True))
