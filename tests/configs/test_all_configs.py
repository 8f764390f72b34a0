"""Every bundled run and ablation parses, builds, makes finite sound, and uses all its bindings."""

import re

import numpy as np
import pytest
import soundfile
import tensorflow as tf

from noisygan import config, ddsp_package
from noisygan.data.dataset import Recordings
from noisygan.demo import drums_folder, notes_folder
from noisygan.errors import UsageError
from noisygan.training.trainer import Trainer, build_generator

NAMES = list(config.bundled_configs())
WITH_DDSP = [n for n, path in config.bundled_configs().items() if "import ddsp" in path.read_text()]

LOADABLE = [
    pytest.param(
        name,
        marks=pytest.mark.skipif(
            name in WITH_DDSP and not ddsp_package.is_installed(),
            reason=f"ddsp is not installed: {ddsp_package.HOW_TO_INSTALL}",
        ),
    )
    for name in NAMES
]


def test_the_runs_and_ablations_of_the_design_are_there():
    assert {"runs/noisygan_paper.gin", "runs/notes.gin", "runs/demo.gin"} <= set(NAMES)
    assert sum(name.startswith("ablations/") for name in NAMES) >= 3


def load(name=None, text=None):
    """Trainer and Recordings of a config, with every binding used."""
    if text is None:
        small = ["Trainer.batch_size = 2"]
        if "models/growing_gan.gin" in includes(name):
            small += ["GrowingGANDiscriminator.group_size = 2"]
        config.parse([name], small)
    else:
        config.parse_text(text)
    built = config.configured(Trainer)(), config.configured(Recordings)()
    config.check_all_used()
    return built


def includes(name):
    """Names of the files that a config includes, its own among them."""
    text = (config.bundled_folder() / name).read_text()
    deeper = re.findall(r"^include\s+['\"](.+?)['\"]", text, re.M)
    return {name}.union(*map(includes, deeper))


def made_sounds(folder, recordings):
    """Classes of decaying sines with pitch and velocity, as configs of other data may want."""
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
    """A function that reads sounds which fit a config, once for each selection."""
    read_before = {}

    def run(name, recordings):
        # The last word on rate and length comes first.
        folder = {
            "data/notes_second.gin": notes_folder,
            "data/drums.gin": drums_folder,
            "data/notes.gin": notes_folder,
        }
        fitting = [bundled for part, bundled in folder.items() if part in includes(name)]
        key = repr((sorted(vars(recordings).items()), fitting))
        if key not in read_before:
            made = tmp_path_factory.mktemp("sounds")
            path = fitting[0]() if fitting else made_sounds(made, recordings)
            read_before[key] = recordings.read(path)
        return read_before[key]

    return run


@pytest.mark.parametrize("name", LOADABLE)
def test_it_builds_and_makes_finite_sound(read, name):
    trainer, recordings = load(name)
    notes = read(name, recordings)
    trainer.build(notes, seed=0)
    batch = next(iter(notes.batches(2, seed=0)))
    generator = trainer.generator
    audio = generator(generator.prior(2, 0), batch, seed=0).audio.numpy()
    assert audio.shape == (2, notes.n_samples)
    assert np.isfinite(audio).all()
    assert np.max(np.abs(audio)) > 1e-4
    told = trainer.condition_encoder(batch) if trainer.condition_encoder is not None else None
    for logits in trainer.discriminator(tf.constant(audio), told).logits:
        assert logits.shape[0] == 2
        assert np.isfinite(logits.numpy()).all()


@pytest.mark.parametrize("name", LOADABLE)
def test_its_resolved_text_builds_the_same(name):
    def facts(trainer):
        build_generator(trainer.generator, 1)
        # Keras numbers the names of layers through the whole process.
        return [
            (re.sub(r"_\d+", "", v.path), tuple(v.shape)) for v in trainer.generator.weights
        ], type(trainer.discriminator)

    first = facts(load(name)[0])
    text = config.resolved_text()
    second = facts(load(text=text)[0])
    assert config.resolved_text() == text
    assert first == second


@pytest.mark.parametrize("name", WITH_DDSP)
def test_without_ddsp_one_line_says_how_to_install_it(monkeypatch, name):
    monkeypatch.setattr(ddsp_package, "is_installed", lambda: False)
    asked = (
        lambda: config.parse([name]),
        lambda: config.parse(["runs/notes.gin"], ["Hybrid.voices = [@ddsp.synths.Harmonic()]"]),
    )
    for load_it in asked:
        with pytest.raises(UsageError) as caught:
            load_it()
        assert "ddsp is not installed; expected it from `pip install" in str(caught.value)
        assert "\n" not in str(caught.value)


def test_ddsp_is_asked_for_where_it_is_meant_alone():
    assert WITH_DDSP == ["ablations/ddsp_synths.gin"]


@pytest.mark.parametrize("name", NAMES)
def test_it_begins_with_what_it_is(name):
    line = config.describe(config.bundled_configs()[name])
    assert 10 < len(line) < 120


@pytest.mark.parametrize("name", [n for n in NAMES if n.startswith("ablations/")])
def test_an_ablation_says_which_question_it_asks(name):
    assert config.describe(config.bundled_configs()[name]).count("?") == 1


@pytest.mark.parametrize(
    "path",
    sorted(config.bundled_folder().rglob("*.gin")),
    ids=lambda p: p.relative_to(config.bundled_folder()).as_posix(),
)
def test_every_part_begins_with_a_comment_and_is_included_by_a_run(path):
    assert config.describe(path)
    name = path.relative_to(config.bundled_folder()).as_posix()
    if name not in NAMES:
        texts = [p.read_text() for p in config.bundled_folder().rglob("*.gin")]
        assert any(re.search(rf"include\s+['\"]{re.escape(name)}['\"]", t) for t in texts)


def test_the_folder_never_shadows_the_gin_package():
    assert not list(config.bundled_folder().rglob("*.py"))
