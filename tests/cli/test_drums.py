"""From the bundled drums to files named by class, on the command line."""

import numpy as np
import soundfile


def test_drums_are_asked_for_by_class(noisygan, kit, tmp_path):
    result = noisygan(
        *("render", "--run_dir", kit, "--out_dir", tmp_path, "--label", "kick,tom"),
        *("--count", 2, "--controls"),
    )
    assert result.code == 0
    stems = ["kick-000", "kick-001", "tom-000", "tom-001"]
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
    assert "this run is conditioned on label" in refused(*asked, "--pitch", 60)
    assert not (tmp_path / "out").exists()
