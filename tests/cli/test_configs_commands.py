"""`noisygan configs` and `noisygan config`."""

from noisygan import config


def test_configs_lists_every_bundled_config_with_a_line(noisygan):
    lines = noisygan("configs").out.splitlines()
    assert len(lines) == len(config.bundled_configs()) > 0
    for line, name in zip(lines, config.bundled_configs(), strict=True):
        assert line.startswith(name + " ")
        assert len(line.removeprefix(name).strip()) > 10


def test_config_prints_what_gives_the_same_again(noisygan, tiny, tmp_path):
    first = noisygan("config", "--gin_file", tiny, "--gin_param", "Trainer.batch_size = 3")
    assert first.code == 0
    assert "batch_size = 3" in first.out
    saved = tmp_path / "saved.gin"
    saved.write_text(first.out)
    again = noisygan("config", "--gin_file", saved)
    assert again.out == first.out
    assert again.err == ""
