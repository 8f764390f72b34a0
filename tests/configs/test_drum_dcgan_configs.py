"""The drum DCGAN's configs on recordings made here: they build, use all bindings, and step."""

import numpy as np
import pytest

from noisygan import config
from noisygan.data.dataset import Recordings
from noisygan.generators.drum_dcgan import DrumDCGAN, PublishedDrumDCGAN
from noisygan.training.trainer import Trainer

VARIANTS = {
    "runs/drum_dcgan_clean.gin": ("same", 1, 1),
    "ablations/drum_dcgan_causal.gin": ("causal", 1, 1),
    "ablations/drum_dcgan_dilated.gin": ("same", 17, 8),
    "ablations/drum_dcgan_causal_dilated.gin": ("causal", 17, 8),
}


def load(name, *params):
    config.parse([name], ["Trainer.batch_size = 2", *params])
    built = config.configured(Trainer)(), config.configured(Recordings)()
    config.check_all_used()
    return built


@pytest.fixture
def folder(tmp_path, write_sound):
    """A function that fills class folders with decaying noise."""

    def fill(label, rate):
        rng = np.random.default_rng(0)
        for i in range(2):
            sound = 0.3 * rng.normal(size=rate // 2) * np.exp(-np.arange(rate // 2) / 2000)
            for name in (label, "other"):
                write_sound(tmp_path / name / f"{i}.wav", np.clip(sound, -1, 1), rate=rate)
        return tmp_path

    return fill


@pytest.mark.parametrize("name, variant", VARIANTS.items())
def test_the_four_variants_are_what_they_say(name, variant):
    trainer, _ = load(name)
    for network, dilation in zip(
        (trainer.generator, trainer.discriminator), variant[1:], strict=True
    ):
        paddings = {layer.padding for layer in network.convolutions}
        assert (paddings == {"causal"}) == (variant[0] == "causal")
        assert max(layer.dilation_rate[0] for layer in network.convolutions) == dilation


def test_one_network_alone_can_be_varied():
    trainer, _ = load("runs/drum_dcgan_clean.gin", "DrumDCGANDiscriminator.causal = True")
    assert {layer.padding for layer in trainer.discriminator.convolutions} == {"causal"}
    assert {layer.padding for layer in trainer.generator.convolutions} == {"same"}


def test_one_class_of_drums_takes_a_step_of_the_printed_system(folder):
    trainer, recordings = load("runs/drum_dcgan.gin")
    notes = recordings.read(folder("kick", 44100))
    assert (len(notes), notes.n_samples, notes.label_names) == (2, 7500, ["kick"])
    text = trainer.describe(notes)
    assert type(trainer.generator) is PublishedDrumDCGAN
    assert "4,807,745" in text and "511,233" in text
    assert "d_finite 1," in text and "g_finite 1" in text


@pytest.mark.parametrize(
    "name, label, rate, n_samples",
    [
        ("runs/drum_dcgan_small.gin", "kick", 44100, 7500),
        ("runs/speech_yes.gin", "yes", 16000, 16000),
    ],
)
def test_one_class_is_read_and_its_length_made(folder, name, label, rate, n_samples):
    trainer, recordings = load(name)
    notes = recordings.read(folder(label, rate))
    assert (len(notes), notes.n_samples, notes.label_names) == (2, n_samples, [label])
    trainer.build(notes)
    generator = trainer.generator
    assert type(generator) is DrumDCGAN
    assert generator(generator.prior(2, 0), {}).audio.shape == (2, n_samples)
