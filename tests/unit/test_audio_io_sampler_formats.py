"""Instruments as files: valid SFZ, equal in all formats, and played by a real sampler."""

import dataclasses
import re
import struct

import numpy as np
import pytest
import soundfile

from benchmarks.sampler import Player
from noisygan.audio_io import sampler_formats
from noisygan.data.layouts import list_entries
from noisygan.errors import UsageError
from noisygan.rendering.batches import render_requests
from noisygan.rendering.instruments import make_instrument, preview
from noisygan.rendering.requests import NoteSpec, make_requests
from tests.toy_instruments import RATE, horn, kit, reed

KEY = range(128)
LOOP_MODES = ("no_loop", "one_shot", "loop_continuous", "loop_sustain")
# Opcodes of the SFZ format that may be written, and their values.
OPCODES = {
    "default_path": str,
    "sample": str,
    **dict.fromkeys(("lokey", "hikey", "pitch_keycenter", "lovel", "hivel"), KEY),
    **dict.fromkeys(("xfin_lovel", "xfin_hivel", "xfout_lovel", "xfout_hivel"), KEY),
    "xf_velcurve": ("gain",),
    "loop_crossfade": float,
    "trigger": ("release",),
    "tune": range(-100, 101),
    "volume": str,
    "seq_length": range(1, 101),
    "seq_position": range(1, 101),
    "loop_mode": LOOP_MODES,
    "loop_start": range(2**32),
    "loop_end": range(2**32),
    "ampeg_release": float,
    "pitch_keytrack": range(-1200, 1201),
    "group": range(2**31),
    "off_by": range(2**31),
    **{f"amp_velcurve_{velocity}": float for velocity in range(1, 128)},
}


def parse_sfz(text):
    """Regions of an SFZ file, each a dict of its opcodes; strict."""
    regions, scopes, scope = [], {"control": {}, "global": {}}, None
    for line in text.splitlines():
        line = line.split("//")[0].strip()
        header = re.fullmatch(r"<(control|global|region)>", line)
        if header:
            scope = scopes.get(header[1])
            if header[1] == "region":
                scope = {}
                regions.append(scope)
        elif line:
            sample = line.startswith(("sample=", "default_path="))
            for pair in [line] if sample else line.split():
                name, value = pair.split("=", 1)
                kind = OPCODES[name]
                assert name not in scope, f"{name} twice"
                if isinstance(kind, range):
                    assert int(value) in kind, pair
                elif isinstance(kind, tuple):
                    assert value in kind, pair
                elif kind is float:
                    assert 0.0 <= float(value) < np.inf, pair
                scope[name] = value
    return [scopes["control"] | scopes["global"] | region for region in regions]


def sampler_chunk(path):
    """(key, list of (first, last) sample of its loops) of a WAV file's `smpl` chunk."""
    data, place = path.read_bytes(), 12
    assert data[:4] == b"RIFF" and struct.unpack_from("<I", data, 4)[0] == len(data) - 8
    while place < len(data):
        name, size = data[place : place + 4], struct.unpack_from("<I", data, place + 4)[0]
        if name == b"smpl":
            head = struct.unpack_from("<9I", data, place + 8)
            assert size == 36 + 24 * head[7]
            loops = [struct.unpack_from("<6I", data, place + 44 + 24 * i) for i in range(head[7])]
            assert all(loop[1] == loop[4] == loop[5] == 0 for loop in loops)
            return head[3], [loop[2:4] for loop in loops]
        place += 8 + size + size % 2
    raise AssertionError(f"{path} has no smpl chunk")


def written(instrument, folder, format, subtype="PCM_16"):
    sound = preview(instrument)
    return sampler_formats.write_instrument(instrument, sound, folder, format, subtype)


@pytest.mark.parametrize("make", [horn, kit])
def test_sfz_regions_and_their_files_agree(tmp_path, make):
    made = make()
    path = written(made, tmp_path / "x", "sfz")
    assert path == tmp_path / "x" / f"{made.name}.sfz"
    regions = parse_sfz(path.read_text())
    held = [region for region in regions if "trigger" not in region]
    assert len(held) == len(made.samples) and (len(regions) > len(held)) == (make is horn)
    for region, sample in zip(held, made.samples, strict=True):
        file = path.parent / (region["default_path"] + region["sample"])
        audio, rate = soundfile.read(file, dtype="float32")
        assert rate == RATE and len(audio) == len(sample.audio)
        np.testing.assert_allclose(audio, np.clip(sample.audio, -1, 1), atol=1e-4)
        key, loops = sampler_chunk(file)
        assert key == int(region["pitch_keycenter"])
        assert int(region["lokey"]) <= key <= int(region["hikey"])
        said = [(int(region["loop_start"]), int(region["loop_end"]))] if sample.loop else []
        assert loops == said
        assert (region.get("loop_mode") == "loop_continuous") == bool(said)
        for start, end in loops:
            assert RATE * float(region["loop_crossfade"]) < start < end < len(audio)
        assert 1 <= int(region["seq_position"]) <= int(region["seq_length"]) == 2
    for region in regions:
        assert (path.parent / (region["default_path"] + region["sample"])).is_file()


def test_at_most_two_layers_sound_and_their_crossfade_adds_up(tmp_path):
    regions = parse_sfz(written(horn(1, [60], [30, 60, 100]), tmp_path, "sfz").read_text())
    regions = [
        {name: int(value) for name, value in region.items() if name.rpartition("_")[2] in
         ("lovel", "hivel")} | {name: int(region[name]) for name in ("lovel", "hivel")}
        for region in regions
        if "trigger" not in region
    ]  # fmt: skip
    for velocity in range(1, 128):
        gains = []
        for region in regions:
            if region["lovel"] <= velocity <= region["hivel"]:
                gains.append(1.0)
                for kind, ends in (("xfin", [0, 1]), ("xfout", [1, 0])):
                    if f"{kind}_lovel" in region:
                        at = region[f"{kind}_lovel"], region[f"{kind}_hivel"]
                        gains[-1] *= np.interp(velocity, at, ends)
        assert len(gains) <= 2 and min(gains) > 0.0 and sum(gains) == pytest.approx(1.0)
        assert len(gains) == 1 + (velocity in {*range(31, 60), *range(61, 100)})


def test_keys_of_another_tuning_or_level_are_regions_of_their_own():
    made = horn(1, [60], [127])
    offsets = {58: (-12.4, 0.0), 59: (-12.0, 0.2), 60: (0.0, 0.0), 61: (1.2, 0.1), 62: (5.0, -2.1)}
    sample = dataclasses.replace(made.samples[0], offsets=offsets)
    made = dataclasses.replace(made, samples=[sample])
    regions = [r for r in parse_sfz(sampler_formats.sfz_text(made)) if "trigger" not in r]
    found = [(int(r["lokey"]), int(r["hikey"]), int(r.get("tune", 0))) for r in regions]
    assert found == [(48, 57, 0), (58, 59, -12), (60, 61, 0), (62, 62, 5), (63, 72, 0)]
    assert [float(r.get("volume", 0)) for r in regions] == [0, 0, 0, -2, 0]


def test_training_reads_the_folder(tmp_path):
    opened = written(horn(), tmp_path / "notes", "folder")
    assert not list((tmp_path / "notes").glob("*.sfz"))
    entries = list_entries(opened)[1]
    assert {entry.label for entry in entries} == {"flute"}
    assert {(entry.pitch, entry.velocity) for entry in entries} == {
        (60, 60), (60, 127), (67, 60), (67, 127)
    }  # fmt: skip
    entries = list_entries(written(kit(), tmp_path / "kit", "folder"))[1]
    assert {entry.label for entry in entries} == {"kick", "snare", "tom", "cymbal"}
    assert {(entry.pitch, entry.velocity) for entry in entries} == {(None, 60), (None, 127)}


def test_chunks_behind_an_odd_number_of_bytes(tmp_path):
    made = horn(1, [60], [127])
    made.samples[0] = dataclasses.replace(made.samples[0], audio=made.samples[0].audio[:-1])
    written(made, tmp_path, "folder", "PCM_24")
    [file] = (tmp_path / "samples").iterdir()
    assert len(soundfile.read(file)[0]) % 2 == 1
    assert sampler_chunk(file)[0] == 60


def test_folders_in_use_are_refused_and_the_current_one_is_filled(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    for folder in (tmp_path, tmp_path / "file"):
        with pytest.raises(UsageError, match="exists already"):
            written(horn(1, [60], [127]), folder, "sfz")
    with pytest.raises(UsageError, match="format 'SFZ'"):
        written(horn(1, [60], [127]), tmp_path / "new", "SFZ")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    (tmp_path / "file").unlink()
    monkeypatch.chdir(tmp_path)
    assert (tmp_path / written(horn(1, [60], [127]), ".", "sfz")).is_file()


def player_of(path):
    """sfizz with an instrument."""
    pytest.importorskip("pysfizz", reason="no SFZ player: pip install pysfizz")
    return Player(path)


def test_a_sampler_holds_a_chord_longer_than_its_samples(tmp_path):
    made = horn()
    player = player_of(written(made, tmp_path, "sfz"))
    assert player.synth.playable_keys == list(range(48, 80))
    keys = (60, 64, 67)
    sound = player.play(keys, held=5.0, seconds=6.0)
    whole = sound[48000 : 5 * 48000]
    spectrum = np.abs(np.fft.rfft(whole * np.hanning(len(whole))))
    for key in keys:
        hz = 440.0 * 2 ** ((key - 69) / 12)
        near = slice(round(0.97 * hz * 4), round(1.03 * hz * 4))
        peak = (near.start + np.argmax(spectrum[near])) / 4
        assert 1200 * abs(np.log2(peak / hz)) < 3.0
    assert 20 * np.log10(np.ptp(whole[:48000]) / np.ptp(whole[-48000:])) == pytest.approx(0, abs=1)
    # No clicks, neither in loops nor at the note-off: above 4 kHz there is breath, evenly.
    highs = np.diff(sound[24000 : 5 * 48000 + 9600], 6)
    highs = highs[len(highs) % 96 :].reshape(-1, 96).std(axis=1)
    assert highs.max() < 3.0 * np.median(highs)
    # The release is the horn's own, exp(-14 t), transposed with its sample.
    after = sound[5 * 48000 :].reshape(-1, 480).std(axis=1)
    fall_db = 20 * np.log10(after[[10, 20, 30]] / after[5])
    np.testing.assert_allclose(fall_db, -121.6 * np.array([0.05, 0.15, 0.25]), rtol=0.2)


def test_a_sampler_plays_round_robins_and_velocities_at_the_level_of_render(tmp_path):
    run = reed()
    settings = {"pitch": [60, 64], "seconds": 2.0, "sample_rate": 48000, "subtype": "FLOAT"}
    made = make_instrument(run, tmp_path / "reed", **settings)
    player, gain = player_of(made.path), []
    for key in (60, 62):
        for velocity in (1, 10, 30, 42, 50, 63, 84, 105, 127):
            requests = make_requests(run, NoteSpec(key, velocity, count=2))
            for note in render_requests(run.generator, requests, 2.0, 48000).audio:
                found = player.play([key], velocity, 1.8, 1.8)[4800:81600]
                gain.append(20.0 * np.log10(found.std() / note[4800:81600].std()))
                # Neighbouring layers stay in phase: no beats.
                frames = found.reshape(-1, 4800).std(axis=1)
                assert 20 * np.log10(frames.max() / frames.min()) < 1.5
        held = player.play([key], 63, 5.0, 5.0)[4800:]  # nor do their loops
        frames = held[: len(held) // 4800 * 4800].reshape(-1, 4800).std(axis=1)
        assert 20 * np.log10(frames.max() / frames.min()) < 1.5
    assert np.ptp(gain) < 1.0
    # Key 62 plays the sample of 60, which is 20 cents lower, at the pitch of render.
    assert round(made.samples[0].offsets[62][0]) in (20, 21)
    sounds = [sound * np.hanning(len(found)) for sound in (found, note[4800:81600])]
    peaks = [np.argmax(np.abs(np.fft.rfft(sound, 1 << 19))) for sound in sounds]
    assert abs(1200 * np.log2(peaks[0] / peaks[1])) < 3.0


def test_a_sampler_plays_drums_to_their_end(tmp_path):
    player = player_of(written(kit(), tmp_path, "sfz"))
    for key in (36, 38, 41, 45, 50, 42, 46, 49, 51):
        assert key in player.synth.playable_keys
    short, long = (player.play([36], held=held, seconds=0.5) for held in (0.01, 0.4))
    assert short.std() > 0.5 * long.std() > 1e-3
