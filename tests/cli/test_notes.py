"""Which notes are rendered, under which names, and that a note depends on its request alone."""

import types
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from noisygan.cli.arguments import pitch_list
from noisygan.data.layouts import Entry, parse_note_name
from noisygan.errors import UsageError
from noisygan.rendering import notes
from noisygan.rendering.notes import Instrument, Request

FLUTE = Instrument("run1", ("pitch", "velocity"), ("flute_acoustic_000",), (60, 62, 64))
NAMELESS = Instrument("run1", ("pitch",), (), ())
BAND = Instrument("run1", ("pitch", "velocity", "label"), ("bass", "flute", "reed"), (60,))
FREE = Instrument("run1", (), (), ())
SEVERAL = Instrument("run1", ("pitch",), ("bass", "flute"), (60,))
DRUMS = Instrument("kit", ("label",), ("kick", "snare"), ())


def stems(requests):
    return [request.stem for request in requests]


def test_count_notes_at_each_pitch():
    assert stems(notes.plain_requests(FLUTE, 2, [60, 67], 90)) == [
        "flute_acoustic_000-060-090-000",
        "flute_acoustic_000-067-090-000",
        "flute_acoustic_000-060-090-001",
        "flute_acoustic_000-067-090-001",
    ]


def test_names_are_read_back_by_the_data_package():
    for request in notes.plain_requests(FLUTE, 2, [5, 127], 7):
        label, pitch, velocity = parse_note_name(request.stem)
        assert (label, pitch, velocity) == ("flute_acoustic_000", request.pitch, 7)


def test_pitches_between_keys_keep_apart():
    requests = notes.plain_requests(FLUTE, 1, [5.25, 67.5, 68, 67.96])
    assert stems(requests) == [
        f"flute_acoustic_000-{pitch}-100-000" for pitch in ("005.25", "067.5", "068", "067.96")
    ]
    for request in requests:
        assert parse_note_name(request.stem)[:2] == ("flute_acoustic_000", request.pitch)
    assert parse_note_name("flute-127.5-100") == (None, None, None)
    assert pitch_list("67.5,60,67.5,60.0001,68") == [67.5, 60, 68]


@pytest.mark.parametrize(("pitch", "semitones"), [(115, 24), (1, -48), (118, 5)])
def test_a_glide_beyond_all_pitches_is_named_as_such(pitch, semitones):
    generator = types.SimpleNamespace(
        voices=[types.SimpleNamespace(kind="harmonic")], condition_names=("pitch", "velocity")
    )
    requests = notes.plain_requests(FLUTE, 1, [60, pitch])
    with pytest.raises(UsageError, match=rf"--glide takes pitch {pitch} by \{semitones:+d} semit"):
        notes.bent(requests, ((0.0, 0.0), (1.0, float(semitones))), generator, 16000)


def test_notes_of_one_index_share_a_z_across_pitches():
    requests = notes.plain_requests(FLUTE, 3, [60, 67])
    for request in requests:
        assert request.number == request.index


def test_without_pitches_they_are_drawn_from_the_recordings():
    drawn = [r.pitch for r in notes.plain_requests(FLUTE, 40, seed=1)]
    assert set(drawn) == {60, 62, 64}
    assert drawn == [r.pitch for r in notes.plain_requests(FLUTE, 40, seed=1)]
    assert drawn != [r.pitch for r in notes.plain_requests(FLUTE, 40, seed=2)]
    assert drawn[:5] == [r.pitch for r in notes.plain_requests(FLUTE, 5, seed=1)]
    assert len(set(stems(notes.plain_requests(FLUTE, 40, seed=1)))) == 40


def test_the_runs_name_where_there_is_no_label_and_nothing_of_what_is_not_told():
    assert stems(notes.plain_requests(NAMELESS, 1)) == ["run1-060-000-000"]
    assert stems(notes.plain_requests(FREE, 2)) == ["run1-000", "run1-001"]
    struck = Instrument("kit", ("velocity",), (), ())
    assert stems(notes.plain_requests(struck, 2, velocity=60)) == ["kit-v60-000", "kit-v60-001"]


def test_several_labels_that_the_generator_is_not_told_name_no_file():
    assert [r.name for r in notes.plain_requests(SEVERAL, 1, [60])] == ["run1"]


def test_labels_take_turns_or_are_asked_for():
    assert [r.name for r in notes.plain_requests(BAND, 4)] == ["bass", "flute", "reed", "bass"]
    requests = notes.plain_requests(BAND, 1, [60], labels=["reed", "bass"])
    assert [(r.name, r.label) for r in requests] == [("reed", 2), ("bass", 0)]


def test_drums_are_named_by_their_class_and_numbered():
    assert stems(notes.plain_requests(DRUMS, 2, labels=["snare", "kick"])) == [
        "snare-000",
        "kick-000",
        "snare-001",
        "kick-001",
    ]


@pytest.mark.parametrize(
    ("instrument", "kwargs", "message"),
    [
        (FREE, {"pitches": [60]}, "--pitch has no effect: this run's generator is told nothing"),
        (NAMELESS, {"velocity": 60}, "--velocity has no effect.*told pitch"),
        (FLUTE, {"velocity": 128}, "velocity 128: expected 0 to 127"),
        (BAND, {"labels": ["oboe"]}, "label oboe is unknown.*bass, flute, reed"),
        (FREE, {"labels": ["oboe"]}, "had no labels"),
        (SEVERAL, {"labels": ["bass"]}, "--label has no effect.*told pitch; leave it out"),
    ],
)
def test_what_a_run_does_not_know_is_refused(instrument, kwargs, message):
    with pytest.raises(UsageError, match=message):
        notes.plain_requests(instrument, 1, **kwargs)
    with pytest.raises(UsageError, match="count 0"):
        notes.plain_requests(instrument, 0)


def entry(label="flute_acoustic_000", pitch=60.0, velocity=50.0, name="a"):
    return Entry(name, Path(f"{name}.wav"), label=label, pitch=pitch, velocity=velocity)


def test_like_renders_one_note_for_each_recording():
    requests = notes.like_requests(FLUTE, [entry(), entry(pitch=72.0), entry(velocity=None)])
    assert stems(requests) == [
        "flute_acoustic_000-060-050-000",
        "flute_acoustic_000-072-050-000",
        "flute_acoustic_000-060-100-000",
    ]
    assert [r.number for r in requests] == [0, 1, 2]


def test_like_numbers_recordings_of_one_pitch_and_velocity():
    requests = notes.like_requests(FLUTE, [entry(), entry(), entry()])
    assert [r.index for r in requests] == [0, 1, 2]
    assert len({r.number for r in requests}) == 3


def test_like_with_labels():
    requests = notes.like_requests(BAND, [entry("reed"), entry("bass")])
    assert [(r.name, r.label) for r in requests] == [("reed", 2), ("bass", 0)]
    # A run of one label plays everything with that.
    assert notes.like_requests(FLUTE, [entry("piano")])[0].name == "flute_acoustic_000"
    with pytest.raises(UsageError, match="label piano is unknown.*bass, flute, reed"):
        notes.like_requests(BAND, [entry("piano")])


def test_like_needs_a_pitch_where_the_generator_does():
    with pytest.raises(UsageError, match=r"x\.wav: its pitch is unknown"):
        notes.like_requests(FLUTE, [entry(name="x", pitch=None)])
    assert stems(notes.like_requests(FREE, [entry(pitch=None)])) == ["run1-000"]


def test_a_label_cannot_lead_out_of_the_folder():
    for label in ("../../evil", "a/b", "..", ".hidden", ""):
        name = Instrument("run", (), (label,)).file_name(0)
        assert "/" not in name
        assert not name.startswith(".")
        assert name


@pytest.mark.parametrize("pitch", [-1, 128, 1e9, float("nan")])
def test_impossible_pitches(pitch):
    with pytest.raises(UsageError, match="expected MIDI numbers 0 to 127"):
        notes.check_pitches([60, pitch])


def test_a_pitch_must_fit_below_half_the_sample_rate():
    notes.check_pitches([119], 16000)  # 7902 Hz
    with pytest.raises(UsageError, match="pitch 120 is 8372 Hz.*at most pitch 119"):
        notes.check_pitches([120], 16000)
    notes.check_pitches([127], 48000)


def test_existing_files_are_named_before_anything_is_rendered(tmp_path):
    requests = notes.plain_requests(FLUTE, 2, [60])
    paths = notes.output_paths(requests, tmp_path, controls=True)
    assert [p.name for p in paths] == [r.stem + ".wav" for r in requests]
    paths[1].with_suffix(".npz").write_text("")
    assert notes.output_paths(requests, tmp_path) == paths
    with pytest.raises(UsageError, match=r"060-100-001\.npz exists already; nothing was rendered"):
        notes.output_paths(requests, tmp_path, controls=True)
    paths[0].write_text("")
    with pytest.raises(UsageError, match=r"060-100-000\.wav exists already \(and 1 more\)"):
        notes.output_paths(requests, tmp_path, controls=True)
    with pytest.raises(UsageError, match="is a file; expected a folder"):
        notes.output_paths(requests, paths[0])


class Generator:
    """A generator by the contract, whose sound spells out what it was given."""

    sample_rate, seconds, condition_names, latent_dim = 8000, 0.5, ("pitch", "velocity"), 3

    def __init__(self):
        self.batches = []

    def prior(self, n, seed):
        return tf.random.stateless_normal([n, 3], [seed, 0])

    def __call__(self, z, conditioning, seconds=None, sample_rate=None, seed=0):
        self.batches.append(int(z.shape[0]))
        n = round((seconds or self.seconds) * (sample_rate or self.sample_rate))
        noise = tf.stack([tf.random.stateless_normal([n], [s, 1]) for s in tf.unstack(seed)])
        parts = [z, conditioning["pitch"][:, None], conditioning["velocity"][:, None]]
        audio = tf.reduce_sum(tf.concat(parts, 1), 1, keepdims=True) / 1e3 + 1e-3 * noise
        return types.SimpleNamespace(audio=audio, controls={})


def test_a_note_depends_on_its_own_request_alone():
    requests = notes.plain_requests(FLUTE, 20, [60, 67], seed=3)
    generator = Generator()
    together = list(notes.render(generator, requests, seed=3))
    assert [r for r, *_ in together] == requests
    assert max(generator.batches) > 1
    for request, audio, *_ in together[::7]:
        [(_, alone, *_)] = notes.render(Generator(), [request], seed=3)
        np.testing.assert_allclose(alone, audio, rtol=0, atol=1e-7)


def test_seeds_and_numbers_give_different_notes():
    def sound(number, seed):
        request = Request(60, 100, 0, "a", number, 0)
        [(_, audio, *_)] = notes.render(Generator(), [request], seed=seed)
        return audio

    sounds = [sound(n, s) for n in range(3) for s in range(3)]
    for i, a in enumerate(sounds):
        for b in sounds[:i]:
            assert np.max(np.abs(a - b)) > 1e-3
    np.testing.assert_array_equal(sound(2, 1), sound(2, 1))


def test_long_notes_are_rendered_in_smaller_batches():
    requests = notes.plain_requests(FLUTE, 8, [60])
    generator = Generator()
    list(notes.render(generator, requests, seconds=8.0, sample_rate=96000))
    assert generator.batches == [2, 2, 2, 2]
    generator = Generator()
    [(_, audio, *_)] = notes.render(generator, requests[:1], seconds=60.0, sample_rate=96000)
    assert audio.shape == (60 * 96000,)


def test_a_generator_without_controls_says_so():
    with pytest.raises(UsageError, match="no controls, it writes samples directly"):
        list(notes.render(Generator(), notes.plain_requests(FLUTE, 1, [60]), controls=True))
    with pytest.raises(UsageError, match="no stems, it writes samples directly"):
        list(notes.render(Generator(), notes.plain_requests(FLUTE, 1, [60]), stems=True))
