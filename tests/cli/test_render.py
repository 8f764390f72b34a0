"""`noisygan render` and `noisygan synth`: names, bad input, and that both give the same sound."""

import shutil

import numpy as np
import pytest
import soundfile

from noisygan import load

read = soundfile.read


def test_files_and_what_is_printed(noisygan, trained, tmp_path):
    out = tmp_path / "out"
    asked = ("render", "--run_dir", trained, "--out_dir", out, "--pitch", "60,72", "--stems")
    result = noisygan(
        *(*asked, "--velocity", 75, "--count", 2, "--seconds", 0.75, "--sample_rate", 48000),
        *("--subtype", "FLOAT", "--controls"),
    )
    assert (result.code, result.out) == (0, f"4 notes in {out}, with controls and stems\n")
    names = [f"flute_acoustic_000-{p}-075-00{i}" for p in ("060", "072") for i in (0, 1)]
    files = [name + suffix for name in names for suffix in ("", ".npz", ".wav")]
    assert sorted(path.name for path in out.iterdir()) == files
    for path in out.glob("*.wav"):
        assert soundfile.info(path).subtype == "FLOAT"
        audio, sample_rate = read(path)
        assert (len(audio), sample_rate) == (36000, 48000)
        assert 0 < np.max(np.abs(audio)) <= 1


def test_a_pitch_far_from_the_recordings_is_noted(noisygan, trained, tmp_path):
    asked = ("render", "--run_dir", trained, "--out_dir", tmp_path, "--seconds", 0.1, "--pitch")
    known = load(trained).pitches
    low, high = min(known), max(known)
    assert noisygan(*asked, f"{low - 12},{high}").err.count("note:") == 0
    result = noisygan(*asked, f"{low - 13},{high}")
    assert f"pitch {low - 13} is 13 semitones below the recordings' range ({low} to" in result.err


def test_a_glide_bends_f0_and_nothing_else(noisygan, trained, tmp_path):
    def curves(folder, *args):
        asked = ("--run_dir", trained, "--out_dir", tmp_path / folder, "--controls", *args)
        assert noisygan("render", *asked, "--pitch", "60.5").code == 0
        [path] = (tmp_path / folder).glob("*.npz")
        return dict(np.load(path))

    plain = curves("plain")
    bent = curves("bent", "--glide", "0.1:-2,0.2:0,0.3:0,0.4:7")
    seconds = np.arange(len(plain["loudness_db"])) / plain["frame_rate"]
    expected = np.interp(seconds, [0.1, 0.2, 0.3, 0.4], [-2, 0, 0, 7])
    semitones = 12 * np.log2(bent["harmonic/f0_hz"] / plain["harmonic/f0_hz"]).ravel()
    np.testing.assert_allclose(semitones, expected, atol=1e-4)
    np.testing.assert_array_equal(bent["loudness_db"], plain["loudness_db"])
    assert abs(12 * np.log2(plain["harmonic/f0_hz"].mean() / 440) + 69 - 60.5) < 1.0


def test_glides_that_cannot_be(refused, trained, tmp_path):
    out = ("--out_dir", tmp_path / "out")
    for wrong in ("0:1,0:2", "1", "a:b", "0:nan", "0:1;2:3", "-1:2"):
        message = refused("render", "--run_dir", trained, *out, f"--glide={wrong}")
        assert "expected SECONDS:SEMITONES" in message, wrong
    too_high = ("--pitch", "100", "--glide", "0:0,1:30")
    assert "pitch 130" in refused("render", "--run_dir", trained, *out, *too_high)
    assert "such as 60, 67.5 or C4" in refused(
        "render", "--run_dir", trained, *out, "--pitch", "nan"
    )
    assert not (tmp_path / "out").exists()


def test_a_run_whose_checkpoint_is_damaged_or_missing(refused, trained, tmp_path):
    spoilt = tmp_path / "spoilt"
    shutil.copytree(trained, spoilt)
    for data in spoilt.glob("checkpoints/*.data-*"):
        data.write_bytes(b"\0" * 100)
    out = tmp_path / "out"
    message = refused("render", "--run_dir", spoilt, "--out_dir", out, code=1)
    assert "checkpoint" in message
    shutil.rmtree(spoilt / "checkpoints")
    (spoilt / "checkpoints").mkdir()
    assert "no checkpoint" in refused("render", "--run_dir", spoilt, "--out_dir", out)
    assert not out.exists()


@pytest.mark.parametrize("rate", [None, 22050])
def test_synth_gives_what_render_wrote(noisygan, trained, tmp_path, rate):
    out = tmp_path / "out"
    extra = ("--sample_rate", rate) if rate else ()
    arguments = ("--run_dir", trained, "--out_dir", out, "--pitch", 67, "--count", 2, "--controls")
    result = noisygan("render", *arguments, *extra)
    assert result.code == 0
    assert len(list(out.glob("*.npz"))) == len(list(out.glob("*.wav"))) == 2
    for controls in out.glob("*.npz"):
        again = tmp_path / f"{controls.stem}.wav"
        result = noisygan("synth", "--controls", controls, "--out", again)
        assert result.code == 0
        rendered, rendered_rate = read(controls.with_suffix(".wav"))
        made, made_rate = read(again)
        assert made_rate == rendered_rate == (rate or 16000)
        assert made.shape == rendered.shape
        assert np.max(np.abs(made - rendered)) <= 1.01 / 32768
        assert np.max(np.abs(rendered)) > 0.01


def test_synth_at_another_rate_and_length(noisygan, refused, trained, tmp_path):
    noisygan("render", "--run_dir", trained, "--out_dir", tmp_path, "--pitch", 67, "--controls")
    [controls] = tmp_path.glob("*.npz")
    out = tmp_path / "deep" / "a.wav"
    arguments = ("synth", "--controls", controls, "--out", out)
    result = noisygan(*arguments, "--sample_rate", 48000, "--seconds", 0.3)
    assert result.out == f"{out}: 0.3 s at 48000 Hz\n"
    audio, sample_rate = read(out)
    assert (len(audio), sample_rate) == (14400, 48000)
    assert "exists already" in refused(*arguments)


def test_what_is_no_controls_file(refused, tmp_path):
    file = tmp_path / "a.npz"
    for content in (b"", b"nothing of the kind"):
        file.write_bytes(content)
        message = refused("synth", "--controls", file, "--out", tmp_path / "a.wav")
        assert "is not a controls file" in message
    np.savez(file, a=np.zeros(3))
    assert "a.npz" in refused("synth", "--controls", file, "--out", tmp_path / "a.wav")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.npz"]


def test_curves_go_out_as_csv_and_in_again(noisygan, refused, trained, tmp_path):
    noisygan("render", "--run_dir", trained, "--out_dir", tmp_path, "--pitch", 69, "--controls")
    [controls] = tmp_path.glob("*.npz")
    table, same, edited = tmp_path / "a.csv", tmp_path / "same.wav", tmp_path / "edited.npz"
    asked = ("synth", "--controls", controls)
    result = noisygan(*asked, "--out", table)
    assert result.out == f"{table}: 0.5 s, 50 frames a second\n"
    assert table.read_text().startswith("time_seconds,loudness_db,harmonic/f0_hz,")
    assert noisygan(*asked, "--curves", table, "--out", same).code == 0
    [rendered] = tmp_path.glob("flute*.wav")
    np.testing.assert_allclose(read(same)[0], read(rendered)[0], atol=1.01 / 32768)
    table.write_text("time_seconds,harmonic/f0_hz\n0,1000\n")
    assert noisygan(*asked, "--curves", table, "--out", edited).code == 0
    with np.load(edited, allow_pickle=False) as new:
        np.testing.assert_array_equal(new["harmonic/f0_hz"], 1000.0)
    table.write_text("time_seconds,harmonic/f0_hz\n0,-1\n")
    message = refused(*asked, "--curves", table, "--out", tmp_path / "no.wav")
    assert "harmonic/f0_hz is -1; expected 0 or more" in message
    assert "expected a name that ends in .wav" in refused(*asked, "--out", tmp_path / "a.mp3")
    assert "is about sound" in refused(*asked, "--out", tmp_path / "b.csv", "--seconds", 3)
    assert not (tmp_path / "no.wav").exists()


def test_saved_latents_are_rendered_with_what_was_saved(noisygan, refused, trained, tmp_path):
    saved = {"z": np.zeros(4), "pitch": 62.0, "velocity": 80.0, "gain": 0.5, "noise_seed": 9}
    np.savez(tmp_path / "a-z.npz", **saved)
    asked = ("render", "--run_dir", trained, "--out_dir", tmp_path / "out", "--z")
    assert noisygan(*asked, tmp_path / "a-z.npz", "--controls").code == 0
    [path] = (tmp_path / "out").glob("*-062-080-000.npz")
    with np.load(path) as controls:
        assert int(controls["noise_seed"]) == 9
    np.save(tmp_path / "two.npy", np.zeros([2, 4]))
    assert noisygan(*asked, tmp_path / "two.npy", "--pitch", "60,64").code == 0
    assert len(list((tmp_path / "out").glob("*-06[04]-100-00[01].wav"))) == 4
    np.save(tmp_path / "wrong.npy", np.zeros(5))
    assert "z: " in refused(*asked, tmp_path / "wrong.npy")


@pytest.mark.parametrize("command", ["render", "interpolate", "instrument"])
def test_more_seconds_than_a_raw_waveform_has_are_refused_in_a_line(
    noisygan, trained, tmp_path, monkeypatch, command
):
    from noisygan.generators.raw_waveform import RawWaveform
    from noisygan.training import train

    made = RawWaveform(16384, 16000, 4, None, None, "waves")
    monkeypatch.setattr(train, "load_generator", lambda *_: made)
    out = tmp_path / "out"
    result = noisygan(command, "--run_dir", trained, "--out_dir", out, "--seconds", 3)
    assert result.code == 2
    assert result.err.splitlines()[-1].startswith("noisygan: 3 seconds: ")
    assert not out.exists()


def test_drums_are_asked_for_by_class(noisygan, kit, tmp_path):
    result = noisygan(
        *("render", "--run_dir", kit, "--out_dir", tmp_path, "--label", "kick,tom"),
        *("--count", 2, "--controls"),
    )
    assert result.code == 0
    stems = ["kick-v100-000", "kick-v100-001", "tom-v100-000", "tom-v100-001"]
    assert sorted(path.stem for path in tmp_path.glob("*.wav")) == stems
    sounds = [soundfile.read(tmp_path / f"{stem}.wav") for stem in stems]
    for audio, sample_rate in sounds:
        assert (audio.shape, sample_rate) == ((4096,), 44100)
        assert np.max(np.abs(audio)) > 1e-3
    assert np.max(np.abs(sounds[0][0] - sounds[1][0])) > 1e-3
    controls = tmp_path / f"{stems[0]}.npz"
    again = tmp_path / "again.wav"
    assert noisygan("synth", "--controls", controls, "--out", again).code == 0
    np.testing.assert_allclose(soundfile.read(again)[0], sounds[0][0], atol=2 / 32767)


def test_without_a_label_classes_take_turns(noisygan, kit, tmp_path):
    assert noisygan("render", "--run_dir", kit, "--out_dir", tmp_path, "--count", 5).code == 0
    names = sorted(path.name.split("-")[0] for path in tmp_path.iterdir())
    assert names == ["cymbal", "cymbal", "kick", "snare", "tom"]


def test_an_untrained_class_and_a_pitch_are_refused(refused, kit, tmp_path):
    asked = ("render", "--run_dir", kit, "--out_dir", tmp_path / "out")
    message = refused(*asked, "--label", "gong")
    assert message == "label gong is unknown to this run, which knows cymbal, kick, snare, tom"
    assert "this run is conditioned on label, velocity" in refused(*asked, "--pitch", 60)
    assert not (tmp_path / "out").exists()


def test_tags_are_given_by_name_and_value(noisygan, refused, tagged, tmp_path):
    asked = ("render", "--run_dir", tagged, "--out_dir", tmp_path / "out", "--pitch", 60)
    assert noisygan(*asked, "--tag", "mic=close,far", "--tag", "bright=0.25").code == 0
    names = [f"tone-mic_{mic}-bright_0.25-060-100-000.wav" for mic in ("close", "far")]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == names
    assert noisygan(*asked, "--tag", "mic=unknown", "--tag", "mic=far").code == 0
    assert {path.name.split("-")[1] for path in (tmp_path / "out").iterdir()} == {
        *("mic_close", "mic_far", "mic_unknown")
    }
    assert noisygan(*asked).code == 0  # the others are drawn
    assert "expected one of close, far, unknown" in refused(*asked, "--tag", "mic=room")
    assert "unknown to this run, which knows bright, mic" in refused(*asked, "--tag", "mood=x")
    assert "expected NAME=VALUE" in refused(*asked, "--tag", "mic")


@pytest.mark.parametrize("command", ["interpolate", "instrument"])
def test_other_commands_take_one_value_of_a_tag(refused, tagged, tmp_path, command):
    asked = (command, "--run_dir", tagged, "--out_dir", tmp_path / "out", "--tag", "mic=close")
    assert "--tag mic: got close and far, expected one value" in refused(*asked, "--tag", "mic=far")
    assert "tag bright: got 7, expected a number" in refused(*asked, "--tag", "bright=7")
