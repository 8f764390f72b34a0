"""Examples: checks of their audio, and conditioning."""

import numpy as np
import pytest

from noisygan.errors import UsageError
from noisygan.evaluation.examples import Examples, check_alike, half_of, repaired, without_velocity
from tests import toys

RATE = 16000


def noises(n, n_samples=4000):
    return 0.1 * np.random.default_rng(0).normal(size=(n, n_samples))


def test_faults_are_reported_and_repaired():
    audio = noises(20)
    audio[0, 5] = np.nan
    audio[1] = 0.0
    audio[2] *= 40.0
    examples, warnings = repaired(Examples(audio, RATE), "examples")
    assert np.isfinite(examples.audio).all() and np.abs(examples.audio).max() == 1.0
    for i, what in enumerate(("1 of 20 examples contain NaN", "silent", "above full", "clipped")):
        assert what in warnings[i]
    assert "only 20 examples" in warnings[4] and len(warnings) == 5
    assert repaired(Examples(noises(500, 600), RATE), "examples")[1] == []


def test_too_few_silent_and_different_examples_are_refused():
    with pytest.raises(UsageError, match="7 examples; expected at least 8"):
        repaired(Examples(noises(7), RATE), "examples")
    with pytest.raises(UsageError, match="all 12 examples are silent"):
        repaired(Examples(np.zeros([12, 100]), RATE), "examples")
    a = Examples(noises(2), RATE)
    with pytest.raises(UsageError, match="rates can't be compared: a 16000 Hz, b 8000 Hz"):
        check_alike({"a": a, "b": Examples(noises(2), 8000)})
    with pytest.raises(UsageError, match="lengths can't be compared: a 4000 samples, b 10"):
        check_alike({"a": a, "b": a.with_audio(noises(2, 10))})


def test_rows_of_a_data_set_keep_their_conditioning_and_features():
    examples = Examples.from_dataset(toys.notes(n=6))
    assert examples.has_pitch and examples.classes == ["toy"]
    _ = examples.features
    part = examples.take([4, 1])
    assert (
        part.names == ["toy-4", "toy-1"] and part.pitch.tolist() == examples.pitch[[4, 1]].tolist()
    )
    np.testing.assert_array_equal(part.features.pictures, examples.features.pictures[[4, 1]])
    silent = examples.with_audio(np.zeros_like(examples.audio))
    assert silent.features.described["RMS"].max() == -100.0
    vectors = examples.embedded("levels", lambda audio, rate: audio[:, :3])
    assert vectors.shape == (6, 3)


def test_groups_and_halves_keep_velocities_together():
    assert without_velocity("kick/jazz-35-v127") == without_velocity("kick/jazz-35-v080")
    assert without_velocity("kick/jazz-35-v127") != without_velocity("kick/jazz-36-v127")
    assert without_velocity("kick-01") != without_velocity("kick-02")
    kinds = np.repeat([f"jazz-{key}" for key in range(10)], 2)
    chosen = half_of(kinds, np.repeat(["kick", "snare"], 10))
    assert chosen.sum() == 12 and (chosen[::2] == chosen[1::2]).all()
