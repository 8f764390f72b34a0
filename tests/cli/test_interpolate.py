"""`noisygan interpolate`: files of the steps and of the way between them."""

import numpy as np
import soundfile


def test_steps_and_a_morph_are_written(noisygan, trained, tmp_path):
    out = tmp_path / "between"
    asked = ("interpolate", "--run_dir", trained, "--out_dir", out, "--steps", 3, "--pitch", 64)
    result = noisygan(*asked, "--seconds", 0.5)
    assert result.code == 0
    assert f"3 steps, interpolation.png and morph.wav in {out}" in result.out
    names = ["morph.wav", "step-00.wav", "step-01.wav", "step-02.wav"]
    assert sorted(path.name for path in out.iterdir()) == ["interpolation.png", *names]
    sounds = [soundfile.read(out / name)[0] for name in names]
    assert len({len(sound) for sound in sounds}) == 1
    assert np.abs(sounds[1] - sounds[3]).max() > 1e-4


def test_what_can_not_be_asked_is_told_in_a_line(refused, trained, tmp_path):
    asked = ("interpolate", "--run_dir", trained, "--out_dir", tmp_path)
    assert "'60,64', expected" in refused(*asked, "--pitch", "60,64")
    assert "steps" in refused(*asked, "--steps", 1)
    (tmp_path / "step-00.wav").write_bytes(b"")
    assert "exists already" in refused(*asked)
