"""Every bundled config parses, builds, makes finite audio, and uses all its bindings."""

import re

import numpy as np
import pytest
import soundfile
import tensorflow as tf

from noisygan import config, ddsp_package
from noisygan.data.dataset import Recordings
from noisygan.demo import drums_folder, notes_folder
from noisygan.errors import UsageError
from noisygan.training.trainer import Trainer
from tests.toys import parse_config

NAMES = list(config.bundled_configs())
DDSP = "ablations/ddsp_synths.gin"
no_ddsp = pytest.mark.skipif(
    not ddsp_package.is_installed(), reason=f"needs ddsp: {ddsp_package.HOW_TO_INSTALL}"
)
LOADABLE = [pytest.param(name, marks=[no_ddsp] if name == DDSP else []) for name in NAMES]


def includes(name):
    """Names of the files that a config includes, its own among them."""
    text = (config.bundled_folder() / name).read_text()
    deeper = re.findall(r"^include\s+['\"](.+?)['\"]", text, re.M)
    return {name}.union(*map(includes, deeper))


def built():
    """Trainer and Recordings of the loaded config, with every binding used."""
    found = config.configured(Trainer)(), config.configured(Recordings)()
    config.check_all_used()
    return found


def made_recordings(folder, recordings):
    """Classes of decaying sines with pitch and velocity, at a config's rate and length."""
    times = np.arange(recordings.n_samples) / recordings.sample_rate
    labels = recordings.instruments or ("high", "low")
    for label, pitch in zip(labels, (72, 48), strict=False):
        (folder / label).mkdir()
        wave = np.sin(2.0 * np.pi * 440.0 * 2.0 ** ((pitch - 69) / 12.0) * times)
        path = folder / label / f"{label}-{pitch:03d}-100.wav"
        soundfile.write(path, 0.5 * wave * np.exp(-3.0 * times), recordings.sample_rate)
    return folder


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    """A function that reads recordings which fit a config, once for each selection."""
    known = {}

    def run(name, recordings):
        parts = includes(name)
        is_notes = "data/notes.gin" in parts and recordings.sample_rate == 16000
        folder = notes_folder if is_notes else None
        folder = drums_folder if "data/drums.gin" in parts else folder
        folder = notes_folder if "data/notes_second.gin" in parts else folder
        key = repr((sorted(vars(recordings).items()), folder))
        if key not in known:
            made = tmp_path_factory.mktemp("made")
            known[key] = recordings.read(folder() if folder else made_recordings(made, recordings))
        return known[key]

    return run


@pytest.mark.parametrize("name", LOADABLE)
def test_it_builds_and_makes_finite_audio(read, name):
    small = ["Trainer.batch_size = 2"]
    if "runs/noisygan_paper.gin" in includes(name):
        small += ["Hybrid.frame_rate = 25.0"]  # Its decoder computes frame by frame.
    config.parse([name], small)
    trainer, recordings = built()
    text = config.resolved_text()
    notes = read(name, recordings)
    trainer.build(notes, seed=0)
    batch = next(iter(notes.batches(2, seed=0)))
    generator = trainer.generator
    audio = generator(generator.prior(2, 0), batch, seed=0).audio.numpy()
    assert audio.shape == (2, notes.n_samples)
    assert np.isfinite(audio).all()
    assert np.max(np.abs(audio)) > 1e-4
    encoder = trainer.condition_encoder
    conditioning = None if encoder is None else encoder(batch)
    for logits in trainer.discriminator(tf.constant(audio), conditioning).logits:
        assert logits.shape[0] == 2
        assert np.isfinite(logits.numpy()).all()
    # The resolved text builds the same.
    parse_config(text)
    again = built()[0]
    assert config.resolved_text() == text
    for network in ("generator", "discriminator"):
        assert type(getattr(again, network)) is type(getattr(trainer, network))


@pytest.mark.parametrize(
    ("name", "override"),
    [(DDSP, "Trainer.batch_size = 2"), ("notes", "Hybrid.voices = [@ddsp.synths.Harmonic()]")],
)
def test_without_ddsp_one_line_says_how_to_install_it(monkeypatch, name, override):
    monkeypatch.setattr(ddsp_package, "is_installed", lambda: False)
    with pytest.raises(UsageError) as caught:
        config.parse([name], [override])
    assert "pip install" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "path", sorted(config.bundled_folder().rglob("*.gin")), ids=lambda p: p.stem
)
def test_it_begins_with_what_it_is_and_is_included_by_a_run(path):
    line = config.describe(path)
    assert 10 < len(line) < 120
    name = path.relative_to(config.bundled_folder()).as_posix()
    assert ("?" in line) == name.startswith("ablations/")
    if name not in NAMES:
        assert any(name in includes(each) for each in NAMES)
