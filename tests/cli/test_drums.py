"""From the bundled drums to files named by class, on the command line."""

import numpy as np
import pytest
import soundfile

from noisygan.cli.main import main
from noisygan.demo import drums_folder

SMALL = (
    "n_samples = 4096",
    "seconds = 0.0928798",
    "Statistics.moments_seconds = (0.0, 0.03)",
    "MFCCDiscriminator.n_filters = (4, 4)",
    "SpectrogramDiscriminator.n_filters = (4, 4)",
    "Hybrid.frame_rate = 200.0",
    "Trainer.batch_size = 2",
)


@pytest.fixture(scope="module")
def kit(tmp_path_factory):
    """Folder of a run of two steps on the bundled drums."""
    run_dir = tmp_path_factory.mktemp("drums") / "kit"
    params = [word for binding in SMALL for word in ("--gin_param", binding)]
    command = ["train", "--gin_file", "runs/drums_small.gin", "--data", str(drums_folder())]
    assert main([*command, *params, "--run_dir", str(run_dir), "--steps", "2"]) == 0
    return run_dir


def test_drums_are_asked_for_by_class(noisygan, kit, tmp_path):
    result = noisygan(
        *("render", "--run_dir", kit, "--out_dir", tmp_path, "--label", "kick,tom"),
        *("--count", 2, "--controls"),
    )
    assert result.code == 0
    stems = ["kick-000-000-000", "kick-000-000-001", "tom-000-000-000", "tom-000-000-001"]
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
    assert "--pitch has no effect: this run's generator is told label" in refused(
        *asked, "--pitch", 60
    )
    assert not (tmp_path / "out").exists()
