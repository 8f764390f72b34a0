"""What the names of a folder's files say: tables of names as people and samplers write them."""

import pytest

from noisygan.data.drums import drum_class, drum_keys
from noisygan.data.filenames import (
    family_and_source,
    parse_note_name,
    parse_pitch,
    parse_velocity,
    pitch_name,
    read_names,
)

N = None


def read(*names, middle_c="C4"):
    """(pitch, velocity, take) of each name."""
    found = read_names([f"{name}.wav" for name in names], middle_c)
    return [(facts.pitch, facts.velocity, facts.take) for facts in found.values()]


def pitches(*names, **options):
    return [pitch for pitch, *_ in read(*names, **options)]


@pytest.mark.parametrize(
    ("stem", "expected"),
    [
        ("flute_acoustic_000-060-100", ("flute_acoustic_000", 60, 100)),
        ("my-run-060-100-003", ("my-run", 60, 100)),
        ("take-001-060-100-000", ("take-001", 60, 100)),
        ("flute-067.5-127", ("flute", 67.5, 127)),
        ("standard-36-v127", ("standard", None, 127)),
        *(
            (name, (None, None, None))
            for name in ("flute-128-100", "flute-060-128", "standard-035-v127", "-060-100", "x")
        ),
        *(
            (name, (None, None, None))
            for name in ("loop-120-001", "take-001-002", "My Loop-120-90")
        ),
    ],
)
def test_names_in_nsynths_style(stem, expected):
    assert parse_note_name(stem) == expected


def test_family_and_source():
    assert family_and_source("bass_synthetic_012") == ("bass", "synthetic")
    assert family_and_source("kick") == family_and_source(None) == (None, None)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        *(("C4", 60), ("c-1", 0), ("F#3", 54), ("Bb2", 46), ("g9", 127), ("60.5", 60.5), (61, 61)),
        *(("As3", 58), ("Csharp4", 61), ("Eb3", 51), ("Fis3", 54)),
        *((text, None) for text in ("H2", "C", "", "nan", "128", "-1", "g#9", None, [60])),
    ],
)
def test_pitches_of_tables(text, number):
    assert parse_pitch(text) == number


def test_velocities_of_tables():
    assert [parse_velocity(text) for text in ("mf", " PP ", "fff", "64", 3)] == [80, 32, 127, 64, 3]
    assert {parse_velocity(text) for text in ("mff", "128", "nan", "-1", None, "")} == {None}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        # Sharps and flats, between any separators.
        (["C4", "c#4", "As3", "Bb3", "D♭4"], [60, 61, 58, 58, 61]),
        (["Violin_G3_vib", "Violin A#3", "violin-(D5)", "[E5] violin"], [55, 58, 74, 76]),
        (["Csharp4", "Eflat3"], [61, 51]),
        (["A0v10", "F#7v4", "D#1pp"], [21, 102, 27]),
        # Below zero, and a tracker's dash.
        (["F#-1", "C-1", "G2"], [6, 0, 43]),
        (["C-4", "C#4", "D-4", "A-1"], [60, 61, 62, 33]),
        # German.
        (["Fis3", "Es3", "As3", "Gis3"], [54, 51, 56, 56]),
        (["H3", "B3", "C4", "Cis4"], [59, 58, 60, 61]),
        # As is a flat beside German names alone.
        (["C4", "c#4", "As3", "Bb3", "Fis3", "F#-1"], [60, 61, 58, 58, 54, 6]),
        (["As3", "Cs4", "Fis3"], [58, 61, 54]),
        # The place that varies is the pitch.
        (["E1_C4", "E1_D4", "E1_E4"], [60, 62, 64]),
        # MIDI numbers, where they can be nothing else.
        (["60", "62", "64"], [60, 62, 64]),
        (["060", "072"], [60, 72]),
        (["60"], [60]),
        (["pad 048", "pad 052", "pad 055"], [48, 52, 55]),
        (["060_C4", "061_C#4"], [60, 61]),
        (["060_C3", "061_C#3"], [60, 61]),
        (["060_C4", "061 Bass"], [60, N]),
        # Counts, years, tempi.
        (["01", "02", "03"], [N, N, N]),
        (["take 21", "take 22", "take 23"], [N, N, N]),
        (["loop-120-001", "loop-120-002"], [N, N]),
        (["take-001-002", "take-001-003"], [N, N]),
        (["loop 90 bpm", "loop 100 bpm", "loop 120 bpm"], [N, N, N]),
        (["IMG_0060", "IMG_0061"], [N, N]),
        (["Cello", "Dog4ever", "bell2", "x3"], [N, N, N, N]),
        # Impossible octaves.
        (["C4", "C12"], [60, N]),
        (["H2"], [N]),
    ],
)
def test_pitches(names, expected):
    assert pitches(*names) == expected


def test_the_middle_c():
    assert pitches("C3", "A3", middle_c="C3") == [60, 69]
    assert pitches("C5", middle_c="C5") == [60]
    assert (pitch_name(60), pitch_name(61, "C3"), pitch_name(21)) == ("C4", "C#3", "A0")
    with pytest.raises(ValueError, match="middle_c is 'D4'"):
        pitches("C4", middle_c="D4")


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        # Layers are ordered within the set.
        (["C4v4", "C4v10", "C4v15"], [42, 85, 127]),
        (["C4_vl1", "C4_vl2"], [64, 127]),
        (["C4 V1", "C4 V2", "D4 V1", "D4 V2"], [64, 127, 64, 127]),
        (["C4pp", "C4mf", "C4ff"], [42, 85, 127]),
        (["C4_p", "C4_f"], [64, 127]),
        (["Soft C4", "Hard C4"], [64, 127]),
        (["cello forte C4", "cello piano C4"], [127, 64]),
        # MIDI velocities.
        (["C4_v60", "C4_v127"], [60, 127]),
        (["C4-064", "C4-127"], [64, 127]),
        (["C4 vel 1", "C4 vel 90"], [1, 90]),
        # The instrument, and a dynamic that all have, say nothing.
        (["piano_C4", "piano_D4"], [N, N]),
        (["piano_C4_pp", "piano_C4_ff"], [64, 127]),
        (["C4v1", "D4v1"], [N, N]),
        # Folders of dynamics.
        (["soft/C4", "loud/C4"], [64, 127]),
    ],
)
def test_velocities(names, expected):
    assert [velocity for _, velocity, _ in read(*names)] == expected


@pytest.mark.parametrize(
    ("names", "takes"),
    [
        (["F2", "F2 v2", "G2", "G2 v2", "A2"], [1, 2, 1, 2, 1]),
        (["C4_rr1", "C4_rr2", "C4_rr3"], [1, 2, 3]),
        (["C4_1", "C4_2", "D4_1"], [1, 2, 1]),
        (["C4 take 1", "C4 take 2"], [1, 2]),
        (["C4", "C4 (2)"], [1, 2]),
        (["C4_pp_rr1", "C4_pp_rr2", "C4_ff_rr1"], [1, 2, 1]),
        (["flute-060-100-001", "flute-060-100-002"], [1, 2]),
    ],
)
def test_takes(names, takes):
    assert [take for *_, take in read(*names)] == takes
    if names[1].endswith(("v2", "rr2", "_2")) and "_pp" not in names[0]:
        assert all(velocity is None for _, velocity, _ in read(*names))


def test_problems_are_told():
    found = read_names(["C4.wav", "C4.flac", "C12.wav"])
    assert found["C4.flac"].take == 2 and "C4.wav" in found["C4.flac"].problem
    assert "beyond MIDI" in found["C12.wav"].problem and found["C12.wav"].pitch is None


CLASSES = {
    "kick": "Kicks|bd_808|BD|kick drum|Bass Drum|drum_bass_hard|drum_heavy_kick|BassDrum 2",
    "snare": "Snares|sn_dub|sd-3|SNARE DRUM|drum_snare_soft|snr",
    "closed hat": "Closed Hats|ch|CHH 01|closed-hi-hat|HiHat-Closed|drum_cymbal_closed",
    "open hat": "Open Hat|oh|OHH|hat_open|hi hat open|drum_cymbal_open",
    "pedal hat": "pedal hat|drum_cymbal_pedal|HH foot",
    "hat": "hat_zan|HH|Hi-Hats|hihat",
    "crash": "Crashes|crash 16|Crash Cymbal",
    "ride": "ride_tri|Ride Cymbal",
    "splash": "drum_splash_hard|splash",
    "cymbal": "cymbal|cym|Cymbals|drum_cymbal_hard",
    "low tom": "lo tom|tom_lo|drum_tom_lo_soft|LT",
    "mid tom": "mid-tom|drum_tom_mid_hard",
    "high tom": "High Toms|tom hi|drum_tom_hi_soft",
    "floor tom": "Floor Tom",
    "tom": "toms|tom",
    "rim": "rimshot|Rim Shots|side stick",
    "clap": "claps|hand_clap|cp",
    "conga": "Congas",
    "high conga": "conga hi",
    "shaker": "shakers",
    "cowbell": "drum_cowbell|Cow Bell",
    "tambourine": "tamb|Tambourines",
    None: "tabla_na|perc_bell|drum_roll|flute|Bass|piano|C4|808",
}


@pytest.mark.parametrize("expected", CLASSES)
def test_drum_classes(expected):
    for name in CLASSES[expected].split("|"):
        assert drum_class(name) == expected, name


def test_every_class_has_a_key_and_no_key_two():
    labels = ["Kicks", "Snares", "Closed Hats", "open hat", "toms", "crash", "tabla", "hat"]
    keys = drum_keys(labels)
    assert list(keys) == labels and all(keys.values())
    every = [key for found in keys.values() for key in found]
    assert len(set(every)) == len(every)
    assert keys["Kicks"] == [35, 36] and keys["toms"] == [41, 43, 45, 47, 48, 50]
    assert 42 in keys["Closed Hats"] and keys["open hat"] == [46] and 49 in keys["crash"]
    assert drum_keys(["flute", "oboe"]) == {}
    toms = drum_keys(["tom", "toms", "low tom", "mid tom", "high tom"])
    every = [key for found in toms.values() for key in found]
    assert all(toms.values()) and len(set(every)) == len(every)
    few = drum_keys(["kick", "snare", "cymbal", "tom"])
    beside = drum_keys(["Hats", "closed hat", "open hat", "tom", "low tom", "mid tom", "high tom"])
    assert beside["Hats"] == [44] and beside["closed hat"] == [42] and beside["open hat"] == [46]
    assert beside["tom"] == [41] and beside["low tom"] == [43, 45]
    assert {42, 44, 46, 49, 51} <= set(few["cymbal"]) and {37, 38, 39, 40} <= set(few["snare"])


def test_class_folders_and_first_words():
    found = read_names(["Closed Hats/a1.wav", "Closed Hats/b2.wav", "Kicks/kick_c3.wav"])
    assert [facts.label for facts in found.values()] == ["Closed Hats", "Closed Hats", "Kicks"]
    assert all(facts.pitch is None for facts in found.values())
    found = read_names(["flute/C4.wav", "oboe/C4.wav", "x.wav"])
    assert [(facts.label, facts.pitch) for facts in found.values()] == [
        *(("flute", 60), ("oboe", 60), (None, None))
    ]


# Real sets as their makers publish them.
SEMITONES = {"C": 0, "Cs": 1, "D": 2, "Ds": 3, "E": 4, "F": 5, "Fs": 6, "G": 7, "Gs": 8, "A": 9}
SEMITONES |= {"As": 10, "B": 11}
CELLO = """
A2 A3 A4 As2 As3 As4 B2 B3 B4 C2 C3 C4 C5 Cs3 Cs4 D2 D3 D4 Ds2 Ds3 Ds4 E2 E3 E4 F2 F3 F4 Fs3 Fs4
G2 G3 G4 Gs2 Gs3 Gs4
"""
GUITAR = """
A2 A3 A4 As2 As3 As4 B2 B3 B4 C3 C4 C5 Cs3 Cs4 Cs5 D2 D3 D4 D5 Ds2 Ds3 Ds4 E2 E3 E4 F2 F3 F4 Fs2
Fs3 Fs4 G2 G3 G4 Gs2 Gs3 Gs4
"""
SAXOPHONE = """
A4 A5 As3 As4 B3 B4 C4 C5 Cs3 Cs4 Cs5 D3 D4 D5 Ds3 Ds4 Ds5 E3 E4 E5 F3 F4 F5 Fs3 Fs4 Fs5 G3 G4
G5 Gs3 Gs4 Gs5
"""
PERCUSSION = {
    "kick": "bd_808 bd_ada bd_boom bd_chip bd_fat bd_gas bd_haus bd_jazz bd_klub bd_mehackit "
    "bd_pure bd_sone bd_tek bd_zome bd_zum drum_bass_hard drum_bass_soft drum_heavy_kick",
    "cowbell": "drum_cowbell",
    "closed hat": "drum_cymbal_closed hat_bdu hat_cab hat_cats hat_gem hat_gnu hat_gump hat_hier "
    "hat_len hat_mess hat_metal hat_noiz hat_psych hat_raw hat_sci hat_snap hat_star hat_tap "
    "hat_yosh hat_zan hat_zap hat_zild",
    "cymbal": "drum_cymbal_hard drum_cymbal_soft",
    "open hat": "drum_cymbal_open",
    "pedal hat": "drum_cymbal_pedal",
    "drum": "drum_roll",
    "snare": "drum_snare_hard drum_snare_soft sn_dolf sn_dub sn_generic sn_zome",
    "splash": "drum_splash_hard drum_splash_soft",
    "high tom": "drum_tom_hi_hard drum_tom_hi_soft",
    "low tom": "drum_tom_lo_hard drum_tom_lo_soft",
    "mid tom": "drum_tom_mid_hard drum_tom_mid_soft",
    "perc": "perc_bell perc_bell2 perc_door perc_impact1 perc_impact2 perc_snap perc_snap2 "
    "perc_swash perc_swoosh perc_till",
    "ride": "ride_tri ride_via",
    "tabla": "tabla_dhec tabla_ghe1 tabla_ghe2 tabla_ghe3 tabla_ghe4 tabla_ghe5 tabla_ghe6 "
    "tabla_ghe7 tabla_ghe8 tabla_ke1 tabla_ke2 tabla_ke3 tabla_na tabla_na_o tabla_na_s tabla_re "
    "tabla_tas1 tabla_tas2 tabla_tas3 tabla_te1 tabla_te2 tabla_te_m tabla_te_ne tabla_tun1 "
    "tabla_tun2 tabla_tun3",
}


@pytest.mark.parametrize("notes", [CELLO, GUITAR, SAXOPHONE])
def test_real_notes(notes):
    notes = notes.split()
    found = read_names([f"{note}.mp3" for note in notes])
    for note in notes:
        facts, expected = found[f"{note}.mp3"], 12 + SEMITONES[note[:-1]] + 12 * int(note[-1])
        assert (facts.pitch, facts.velocity, facts.take) == (expected, None, 1), note
        assert facts.rule == "note name"


def test_the_cellos_second_takes():
    found = read_names([f"{note}.mp3" for note in [*CELLO.split(), "F2 v2", "G2 v2"]])
    for note, pitch in (("F2", 41), ("G2", 43)):
        facts = found[f"{note} v2.mp3"]
        assert (facts.pitch, facts.velocity, facts.take) == (pitch, None, 2)
    assert {facts.velocity for facts in found.values()} == {None}


def test_a_real_piano():
    keys = [("A", range(8)), ("C", range(1, 9)), ("D#", range(1, 8)), ("F#", range(1, 8))]
    names = {
        f"{key}{octave}v{layer}.ogg": (12 + SEMITONES[key.replace("#", "s")] + 12 * octave, layer)
        for key, octaves in keys
        for octave in octaves
        for layer in (4, 10, 15)
    }
    assert len(names) == 90
    found = read_names(names)
    for name, (pitch, layer) in names.items():
        velocity = {4: 42, 10: 85, 15: 127}[layer]
        facts = found[name]
        assert (facts.pitch, facts.velocity, facts.take) == (pitch, velocity, 1), name


def test_real_percussion():
    names = {f"{n}.flac": label for label, each in PERCUSSION.items() for n in each.split()}
    assert len(names) == 98
    found = read_names(names)
    assert {name: facts.label for name, facts in found.items()} == names
    assert all(facts.pitch is None for facts in found.values())
    assert {facts.velocity for facts in found.values()} == {None, 64, 127}
    keys = drum_keys(sorted(PERCUSSION))
    assert all(keys[label] for label in PERCUSSION)
