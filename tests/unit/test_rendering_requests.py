"""Requests for notes, and their file names."""

import types
from pathlib import Path

import pytest

from noisygan.cli.arguments import pitch_list
from noisygan.data.filenames import parse_note_name
from noisygan.data.selection import split_known
from noisygan.data.source_files import Entry
from noisygan.errors import UsageError
from noisygan.rendering.requests import (
    NoteSpec,
    bend_requests,
    check_pitches,
    file_name,
    make_requests,
    requests_like,
)
from tests.toys import run

FLUTE = run("run1", ("pitch", "velocity"), ("flute_acoustic_000",), (60, 62, 64))
NAMELESS = run("run1", ("pitch",))
BAND = run("run1", ("pitch", "velocity", "label"), ("bass", "flute", "reed"), (60,))
FREE = run("run1", ())
SEVERAL = run("run1", ("pitch",), ("bass", "flute"), (60,))
DRUMS = run("kit", ("label",), ("kick", "snare"))


def stems(requests):
    return [request.stem for request in requests]


@pytest.mark.parametrize(
    ("run", "asked", "expected"),
    [
        (
            *(FLUTE, {"count": 2, "pitch": [60, 67], "velocity": 90}),
            [f"flute_acoustic_000-{p}-090-{i}" for i in ("000", "001") for p in ("060", "067")],
        ),
        (NAMELESS, {}, ["run1-060-000-000"]),
        (FREE, {"count": 2}, ["run1-000", "run1-001"]),
        (run("kit", ("velocity",)), {"velocity": 60}, ["kit-v60-000"]),
        # Several labels that the generator is not conditioned on name no file.
        (SEVERAL, {"pitch": [60]}, ["run1-060-000-000"]),
        (BAND, {"count": 3}, [f"{name}-060-100-000" for name in ("bass", "flute", "reed")]),
        (DRUMS, {"label": ["snare", "kick"]}, ["snare-000", "kick-000"]),
    ],
)  # fmt: skip
def test_names(run, asked, expected):
    assert stems(make_requests(run, NoteSpec(**asked))) == expected


def test_names_are_read_back_by_the_data_package():
    requests = make_requests(FLUTE, NoteSpec([5, 5.25, 67.5, 67.96, 127], 7, count=2))
    for request in requests:
        assert parse_note_name(request.stem) == ("flute_acoustic_000", request.pitch, 7)
    assert len({*stems(requests)}) == 10
    # Notes of one index share a z across pitches.
    assert all(request.number == request.index for request in requests)
    assert pitch_list("67.5,60,67.5,60.0001,68,C4,F#3") == [67.5, 60, 68, 54]


def test_known_values_may_have_commas():
    known = ("kick, soft", "kick", "a,b,c", "a,b")
    for text, expected in (
        ("kick, soft,kick", ["kick, soft", "kick"]),
        ("a,b,c,a,b", ["a,b,c", "a,b"]),
        ("kick,gong,a", ["kick", "gong", "a"]),
    ):
        assert split_known(text, known) == expected


def test_without_pitches_they_are_drawn_from_the_recordings():
    def drawn(n, seed):
        return [request.pitch for request in make_requests(FLUTE, NoteSpec(count=n, seed=seed))]

    assert set(drawn(40, 1)) == {60, 62, 64}
    assert drawn(40, 1)[:5] == drawn(5, 1)
    assert drawn(40, 1) != drawn(40, 2)
    assert len({*stems(make_requests(FLUTE, NoteSpec(count=40)))}) == 40


def test_tags_that_are_not_given_are_those_of_one_recording():
    rows = [["kick", "close", 0.1], ["kick", "far", 0.2], ["snare", "far", 0.9]]
    values = {"mic": ("close", "far"), "decay": (0.1, 0.9)}
    names, tags = ("label", "mic", "decay"), {"tag_values": values, "tag_rows": rows}
    drums = run("kit", names, ("kick", "snare"), **tags)
    found = make_requests(drums, NoteSpec(count=40))
    assert {(each.label, *each.tags.values()) for each in found} == {
        (0, "close", 0.1),
        (0, "far", 0.2),
        (1, "far", 0.9),
    }
    assert make_requests(drums, NoteSpec(count=5))[3].tags == found[3].tags
    # Of a snare that is close there is none: the number is that of something alike.
    [snare] = make_requests(drums, NoteSpec(label="snare", tags={"mic": "close"}))
    assert snare.tags["mic"] == "close" and snare.stem == "snare-mic_close-000"
    tags = {"mic": ["close", "far"], "decay": [0.2, "0.5"]}
    given = make_requests(drums, NoteSpec(label="kick", tags=tags))
    assert [list(each.tags.values()) for each in given] == [
        [mic, decay] for mic in ("close", "far") for decay in (0.2, 0.5)
    ]


@pytest.mark.parametrize(
    ("run", "asked", "named"),
    [
        (FREE, {"pitch": [60]}, "pitch has no effect.*nothing"),
        (NAMELESS, {"velocity": 60}, "velocity has no effect.*pitch"),
        (SEVERAL, {"label": ["bass"]}, "label has no effect"),
        (FLUTE, {"velocity": 128}, "velocity 128"),
        (BAND, {"label": ["oboe"]}, "label oboe.*bass, flute, reed"),
        (FREE, {"label": ["oboe"]}, "no labels"),
        (FREE, {"tags": {"mic": "far"}}, "mic is unknown to this run, which has none"),
        (FLUTE, {"count": 0}, "count 0"),
    ],
)
def test_what_a_run_does_not_know_is_refused(run, asked, named):
    with pytest.raises(UsageError, match=named):
        make_requests(run, NoteSpec(**asked))


def test_a_glide_beyond_all_pitches():
    voices = [types.SimpleNamespace(kind="harmonic")]
    generator = types.SimpleNamespace(voices=voices, condition_names=("pitch", "velocity"))
    assert bend_requests(make_requests(FLUTE, NoteSpec()), ((0.0, 1.0),), generator, 16000)[0].bend
    for pitch, semitones in ((1, -48.0), (118, 5.0)):
        bend, requests = ((0.0, 0.0), (1.0, semitones)), make_requests(FLUTE, NoteSpec([60, pitch]))
        with pytest.raises(UsageError, match=f"glide takes pitch {pitch} "):
            bend_requests(requests, bend, generator, 16000)
    with pytest.raises(UsageError, match="glide"):
        bend_requests([], bend, types.SimpleNamespace(voices=()), 16000)


def entry(label="flute_acoustic_000", pitch=60.0, velocity=50.0, name="a"):
    return Entry(name, Path(f"{name}.wav"), label=label, pitch=pitch, velocity=velocity)


def test_like_makes_one_note_for_each_recording():
    requests = requests_like(
        FLUTE, [entry(), entry(), entry(pitch=72.0), entry("piano", velocity=None)]
    )
    kinds = ("060-050-000", "060-050-001", "072-050-000", "060-100-000")
    assert stems(requests) == [f"flute_acoustic_000-{kind}" for kind in kinds]
    assert [r.number for r in requests] == [0, 1, 2, 3]
    labels = [r.label for r in requests_like(BAND, [entry("reed"), entry("bass")])]
    assert labels == [2, 0]
    assert stems(requests_like(FREE, [entry(pitch=None)])) == ["run1-000"]
    with pytest.raises(UsageError, match=r"x\.wav"):
        requests_like(FLUTE, [entry(name="x", pitch=None)])
    with pytest.raises(UsageError, match="label piano"):
        requests_like(BAND, [entry("piano")])


def test_a_label_cannot_lead_out_of_the_folder():
    for label in ("../../evil", "a/b", "..", ".hidden", ""):
        name = file_name(run("run", (), (label,)), 0)
        assert name and "/" not in name and not name.startswith(".")
    assert file_name(run("run", (), ("closed hat",)), 0) == "closed_hat"


def test_impossible_pitches():
    check_pitches([60, 119], 16000)
    check_pitches([127], 48000)
    for pitch, rate in ((-1, None), (128, None), (float("nan"), None), (120, 16000)):
        with pytest.raises(UsageError, match=f"pitch {pitch:g}"):
            check_pitches([60, pitch], rate)
