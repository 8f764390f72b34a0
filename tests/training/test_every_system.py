"""Every config for two cores trains, is resumed, and renders, from what is bundled."""

import json

import numpy as np
import pytest
import soundfile
import tensorflow as tf

from noisygan import config
from noisygan.cli.main import main
from noisygan.demo import drums_folder, notes_folder

SYSTEMS = sorted(name for name in config.bundled_configs() if name.endswith("_small.gin"))
# What can be smaller without being another network, and growth within the few steps.
FASTER = {
    "runs/drum_wgan_small.gin": ["Growth.sounds = 8", "Growth.fade_sounds = 8"],
    "runs/growing_gan_small.gin": ["Growth.sounds = 8", "Growth.fade_sounds = 8"],
    "runs/sample_gan_small.gin": ["TrainAutoencoder.steps = 2"],
}
GROWS = tuple(name for name, changes in FASTER.items() if "Growth" in changes[0])


def command(name, run, *more):
    of_notes = "notes" in name or name == "runs/sample_gan_small.gin"
    data = notes_folder() if of_notes else drums_folder()
    changes = ["Trainer.batch_size = 4", *FASTER.get(name, [])]
    if name in GROWS:
        changes.append("Growth.batch_sizes = 4")
    asked = [part for change in changes for part in ("--gin_param", change)]
    return ["train", "--gin_file", name, "--data", str(data), "--run_dir", str(run), *asked, *more]


@pytest.mark.slow
@pytest.mark.usefixtures("unoptimized")
@pytest.mark.parametrize("name", SYSTEMS)
def test_it_trains_goes_on_and_renders(name, tmp_path, capsys, eagerly):
    tf.config.run_functions_eagerly(False)
    run, data = tmp_path / "run", command(name, "")[4]
    stopped, steps = (3, 5) if name in GROWS else (2, 3)
    assert main(command(name, run, "--steps", str(stopped), "--no_report")) == 0
    # As Python: a few more steps are quicker taken than traced.
    tf.config.run_functions_eagerly(True)
    resume = ["train", "--resume", "--run_dir", str(run), "--data", data]
    assert main([*resume, "--steps", str(steps)]) == 0
    said = capsys.readouterr()
    assert f"{steps} steps" in said.out + said.err
    for line in (run / "metrics.jsonl").read_text().splitlines():
        assert np.isfinite(list(json.loads(line).values())).all(), line
    assert main(["render", "--run_dir", str(run), "--out_dir", str(tmp_path / "out")]) == 0
    sounds = sorted((tmp_path / "out").glob("*.wav"))
    assert sounds
    for path in sounds:
        audio, _ = soundfile.read(path)
        assert len(audio) and np.isfinite(audio).all()
