"""Zones and samples of instruments, and drum kits."""

import dataclasses
import types

import numpy as np
import pytest

from noisygan.errors import UsageError
from noisygan.rendering import instruments, kits
from tests import toys
from tests.toy_instruments import DRUMS, FLUTE, RATE, Horn, horn, kit

PLAIN = toys.run("run1", ("pitch",), (), ())


def covered(samples, n_turns):
    """Samples per key, velocity and turn."""
    counts = np.zeros((128, 128, n_turns), int)
    for sample in samples:
        (low, high), (soft, loud) = sample.zone.keys, sample.zone.velocities
        counts[low : high + 1, soft : loud + 1, sample.zone.turn] += 1
    return counts


@pytest.mark.parametrize("pitches", [[60], [0, 1, 127], [64, 60, 60]])
@pytest.mark.parametrize("velocities", [[127], [30, 60, 100], [0]])
def test_every_key_and_velocity_has_one_sample(pitches, velocities):
    zones = instruments.note_zones(FLUTE, pitches, velocities, 3)
    counts = covered([types.SimpleNamespace(zone=zone) for zone in zones], 3)
    low, high = max(0, min(pitches) - 12), min(127, max(pitches) + 12)
    assert (counts[low : high + 1, 1:] == 1).all()
    assert counts[:low].sum() == counts[high + 1 :].sum() == counts[:, 0].sum() == 0
    for zone in zones:
        assert zone.keys[0] <= zone.key <= zone.keys[1]
        assert zone.request.velocity <= zone.velocities[1]


def test_zones_of_pitches_and_round_robins():
    zones = instruments.note_zones(FLUTE, [60, 64, 70], [127], 2)
    assert [zone.keys for zone in zones[:3]] == [(48, 62), (63, 67), (68, 82)]
    assert {(zone.turn, zone.request.number) for zone in zones} == {(0, 0), (1, 1)}
    assert instruments.sampled_pitches(FLUTE) == [60, 63, 66, 69, 71]
    assert instruments.sampled_pitches(PLAIN)[0] == 48
    [zone] = instruments.note_zones(PLAIN, [60], [42, 127], 1)
    assert zone.velocities == (1, 127)
    assert instruments.render_notes(Horn(), [zone], None, RATE, 0).samples[0].softest is None
    labelled = toys.run("r", ("pitch", "label"), ("flute", "reed"))
    with pytest.raises(UsageError, match="oboe"):
        instruments.note_zones(labelled, [60], [127], 1, "oboe")


def test_held_notes_have_loops_and_the_runs_release():
    made = horn()
    assert all(sample.loop for sample in made.samples)
    assert all(sample.loop.end + sample.loop.fade <= 1.5 * RATE for sample in made.samples)
    # exp(-14 t) falls by 60 dB in 0.49 s.
    assert made.release_seconds == pytest.approx(0.49, abs=0.03)


def test_the_layers_of_velocities_meet_in_level():
    soft, loud = horn(1, [60]).samples
    assert soft.softest == 0.0
    # The upper layer begins as loud as the lower one ends.
    assert loud.softest == pytest.approx(60 / 127, rel=0.02)


def test_a_loud_instrument_is_turned_down_as_a_whole():
    made = horn()
    quiet = [dataclasses.replace(s, audio=0.1 * s.audio) for s in made.samples]
    quiet = dataclasses.replace(made, samples=quiet)
    assert instruments.limit_peak(quiet) is quiet
    double = [dataclasses.replace(s, audio=4 * s.audio) for s in made.samples]
    down = instruments.limit_peak(dataclasses.replace(made, samples=double))
    ratios = [a.audio.std() / b.audio.std() for a, b in zip(down.samples, double, strict=True)]
    assert max(np.abs(sample.audio).max() for sample in down.samples) == pytest.approx(1.0)
    assert np.ptp(ratios) < 1e-6


def test_the_preview_holds_a_note_longer_than_its_sample():
    made = horn()
    sound = instruments.preview(made)
    held = made.samples[-1]
    assert len(sound) > 2 * 0.5 * RATE + len(held.audio) + held.loop.end - held.loop.start
    assert np.abs(sound).max() <= 1.0
    last = sound[-RATE:].reshape(-1, 1600).std(axis=1)
    assert last[0] > 0.05 and last[-1] < 0.01


def test_general_midi_keys_of_a_run_of_drums():
    keys = kits.keys_of_labels(DRUMS)
    assert {36, 35} == set(keys[1])
    assert {38, 40} <= set(keys[2])
    assert set(keys[3]) == {41, 43, 45, 47, 48, 50}
    # A hi-hat where the run knows none, from the cymbals.
    assert {49, 51, 42, 46} <= set(keys[0])
    everything = [key for each in keys.values() for key in each]
    assert len(everything) == len(set(everything))


def test_runs_without_drums_get_sixteen_keys():
    assert kits.keys_of_labels(toys.run("r", (), (), ())) == {None: list(range(36, 52))}
    assert kits.keys_of_labels(toys.run("r", (), ("kick",), ())) == {0: list(range(36, 52))}
    words = toys.run("r", ("label",), ("yes", "no"), ())
    assert kits.keys_of_labels(words) == {0: list(range(36, 52, 2)), 1: list(range(37, 52, 2))}


def test_toms_rise_and_closed_hihats_are_shorter_than_crashes():
    made = kit(1, [127])
    sounds = {sample.zone.key: sample.audio for sample in made.samples}

    def hz(sound):
        return np.argmax(np.abs(np.fft.rfft(sound)))

    toms = [hz(sounds[key]) for key in (41, 43, 45, 47, 48, 50)]
    assert toms == sorted(toms) and toms[0] < toms[-1]

    def seconds(sound):
        return np.sum(sound**2) ** 2 / np.sum(sound**4)

    assert seconds(sounds[42]) < seconds(sounds[46]) < seconds(sounds[49])
    assert {sample.zone.choke for sample in made.samples} == {"", "hihat"}


def test_every_drum_has_all_velocities_and_turns():
    made = kit(3)
    counts = covered(made.samples, 3)
    played = counts.sum(axis=(1, 2)) > 0
    assert (counts[played][:, 1:] == 1).all()
    assert len({sample.path for sample in made.samples}) == len(made.samples)


def test_round_robins_of_a_drum_are_similar():
    by_turn = {}
    for sample in kit(2, [127]).samples:
        if sample.zone.request.name == "cymbal":
            peak = np.argmax(np.abs(np.fft.rfft(sample.audio, 65536)))
            by_turn.setdefault(sample.zone.turn, []).append(np.log(peak))
    first, second = np.array(by_turn[0]), np.array(by_turn[1])
    others = np.abs(first[:, None] - first)[np.triu_indices(len(first), 1)]
    assert 0.0 < np.median(np.abs(first - second)) < 0.5 * np.median(others)


def test_a_softer_blow_has_the_formulas_spectrum():
    sound = np.zeros(4096, np.float32)
    sound[0] = 1.0
    response = np.abs(np.fft.rfft(kits.softer(sound, 96000, 0)))
    frequencies = np.fft.rfftfreq(4096, 1 / 96000)
    below = frequencies < 6000
    expected = 1.0 / (1.0 + (2 * np.pi * frequencies * 1.5e-4) ** 2)
    np.testing.assert_allclose(response[below], expected[below], rtol=0.05, atol=1e-3)
    np.testing.assert_array_equal(kits.softer(sound, 96000, 127), sound)
