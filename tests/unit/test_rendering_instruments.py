"""Zones and samples of instruments, and drum kits."""

import dataclasses

import numpy as np
import pytest

from noisygan.errors import UsageError
from noisygan.rendering import instruments, kits
from noisygan.rendering.layers import level_velocities, velocity_gains
from tests import toys
from tests.toy_instruments import DRUMS, FLUTE, RATE, Horn, horn, kit

PLAIN = toys.run("run1", ("pitch",), (), ())


def covered(zones, n_turns):
    """Layers per key, velocity and turn."""
    counts = np.zeros((128, 128, n_turns), int)
    for zone in zones:
        (low, high), (soft, loud) = zone.keys, zone.velocities
        counts[low : high + 1, soft : loud + 1, zone.turn] += 1
    return counts


@pytest.mark.parametrize("pitches", [[60], [0, 1, 127], [64, 60, 60]])
@pytest.mark.parametrize("velocities", [[127], [30, 60, 100], [0]])
def test_every_key_and_velocity_has_a_layer_or_two(pitches, velocities):
    zones = sum(instruments.note_zones(FLUTE, pitches, velocities, 3), [])
    counts = covered(zones, 3)
    low, high = max(0, min(pitches) - 12), min(127, max(pitches) + 12)
    inside = counts[low : high + 1, 1:]
    assert (inside >= 1).all() and (inside <= 2).all()
    assert counts[:low].sum() == counts[high + 1 :].sum() == counts[:, 0].sum() == 0
    for zone in zones:
        assert zone.keys[0] <= zone.key <= zone.keys[1]
        # At its own velocity a layer is alone.
        assert counts[zone.key, int(zone.request.velocity), zone.turn] == 1


def test_zones_of_pitches_and_round_robins():
    zones = sum(instruments.note_zones(FLUTE, [60, 64, 70], [127], 2), [])
    assert [zone.keys for zone in zones[:3]] == [(48, 62), (63, 67), (68, 82)]
    assert {(zone.turn, zone.request.number) for zone in zones} == {(0, 0), (1, 1)}
    assert instruments.sampled_pitches(FLUTE) == [60, 63, 66, 69, 71]
    assert instruments.sampled_pitches(PLAIN)[0] == 48
    [[zone]] = instruments.note_zones(PLAIN, [60], [42, 127], 1)
    assert zone.velocities == (1, 127)
    assert instruments.render_notes(Horn(), [[zone]], None, RATE, 0).samples[0].gains is None
    labelled = toys.run("r", ("pitch", "label"), ("flute", "reed"))
    with pytest.raises(UsageError, match="oboe"):
        instruments.note_zones(labelled, [60], [127], 1, "oboe")


def test_held_notes_have_loops_and_a_sampled_release_and_ringing_ones_neither():
    made = horn()
    for sample in made.samples:
        assert sample.loop.end + sample.loop.fade <= 1.5 * RATE
        # exp(-14 t) falls by 60 dB in 0.49 s.
        assert len(sample.release) / RATE == pytest.approx(0.49, abs=0.03)
    assert made.release_seconds == pytest.approx(0.49, abs=0.03)
    [[zone]] = instruments.note_zones(FLUTE, [60], [100], 1)
    # The note-off of a generator that knows none is measured.
    for changes in ({"rings_out": True}, {"decay": 1.0}, {"release_seconds": None}):
        changed = type("Changed", (Horn,), changes)()
        [sample] = instruments.render_notes(changed, [[zone]], None, RATE, 0).samples
        is_held = "release_seconds" in changes
        assert (sample.loop is not None, sample.release is not None) == (is_held, is_held)


def test_gains_of_velocities():
    sounds = np.outer([0.1, 0.4], np.sin(np.arange(4000)))
    gains = velocity_gains([40, 100], sounds)
    assert gains[40] == gains[100] == gains[127] == pytest.approx(1.0)
    # Half-way the level is half-way in dB: 0.2 and not 0.25.
    assert gains[70] == pytest.approx(0.2 / 0.25) and gains[1] == pytest.approx(1 / 40**2)
    levels = dict.fromkeys(level_velocities([40, 100]), -7.0) | {100: 5.0, 127: 5.0}
    flat = velocity_gains([40, 100], sounds, levels)
    assert flat[1] == pytest.approx(1.0) and flat[70] == pytest.approx(0.1 / 0.25, rel=0.01)


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
    counts = covered([sample.zone for sample in made.samples], 3)
    played = counts[:, 127, 0] > 0
    assert (counts[played][:, 127] == 1).all() and (counts[played][:, 1:] > 0).all()
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
