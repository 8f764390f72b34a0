"""Growing and resuming: a run stopped in the middle of a fade ends as if it had not been."""

import numpy as np
import pytest

from discriminators.growing_gan import GrowingGANDiscriminator
from noisygan.generators.growing_gan import GrowingGAN
from noisygan.losses import Wasserstein
from noisygan.training.growth import Growth
from noisygan.training.trainer import Trainer
from tests import toys

SIZES = {"filters": (3, 2), "n_seed": 64, "kernel_size": 3}
STEPS = 5


def fit(run, steps, resume=False):
    """Two steps at 64 samples, then at 128, faded in over four steps."""
    trainer = Trainer(
        GrowingGAN(sample_rate=toys.SAMPLE_RATE, latent_dim=4, **SIZES),
        GrowingGANDiscriminator(group_size=2, **SIZES),
        Wasserstein(),
        batch_size=2,
        growth=Growth(sounds=4, fade_sounds=8),
    )
    trainer.fit(toys.notes(n_samples=128), run, steps=steps, seed=5, resume=resume)
    return trainer


@pytest.mark.usefixtures("unoptimized")
def test_a_run_stopped_in_the_middle_of_a_fade_goes_on_in_the_middle_of_it(tmp_path):
    whole = fit(tmp_path / "whole", STEPS)
    run = tmp_path / "parts"
    stopped = fit(run, 4)
    assert stopped.generator.level == 1
    assert float(stopped.generator.alpha) == 0.25
    resumed = fit(run, STEPS, resume=True)
    for trainer in (whole, resumed):
        assert float(trainer.generator.alpha) == float(trainer.discriminator.alpha) == 0.5
    for name, expected in whole.checkpointed.items():
        found = resumed.checkpointed[name]
        pairs = [(found, expected)] if name == "step" else zip(found, expected, strict=True)
        for one, other in pairs:
            np.testing.assert_array_equal(one.numpy(), other.numpy(), err_msg=name)
