"""What the studio plays is what the generator makes, with what was drawn laid upon it."""

import numpy as np
import pytest

from noisygan.errors import UsageError
from noisygan.generators.raw_waveform import RawWaveform
from noisygan.studio import asking, curves, landscape
from noisygan.studio.playing import PlayableRun
from tests import toys

Z = [0.3, -0.2, 0.5, 0.1]


@pytest.fixture(scope="module")
def run():
    """A small hybrid, warmed up at its usual length."""
    found = PlayableRun(toys.hybrid(), toys.run("toy", ("pitch", "velocity"), (), (60, 72)))
    found.warm_up()
    return found


def direct(run, seconds, sample_rate=toys.SAMPLE_RATE, seed=5):
    """The generator's own sound, not by way of the studio."""
    told = toys.conditioning((64.0,), (90.0,), (0,))
    z = np.array([Z], np.float32)
    output = run.generator(
        z, told, seconds=seconds, sample_rate=sample_rate, seed=np.array([seed], np.int32)
    )
    return output.audio.numpy()[0]


@pytest.mark.parametrize(
    ("seconds", "sample_rate"), [(2.0, 16000), (1.37, 16000), (0.3, 16000), (1.5, 48000)]
)
def test_a_sound_is_the_generators_own(run, seconds, sample_rate):
    body = {"z": Z, "pitch": 64, "velocity": 90, "seed": 5}
    ask = asking.parse(body | {"seconds": seconds, "sample_rate": sample_rate}, run)
    sound = run.sound(ask)
    expected = direct(run, seconds, sample_rate)
    assert len(sound.audio) == len(expected) == round(seconds * sample_rate)
    # Noise of another length is another noise; harmonics are the same.
    assert np.corrcoef(sound.audio, expected)[0, 1] > 0.99
    n_frames = round(seconds * run.generator.frame_rate)
    assert sound.controls["loudness_db"].shape == (1, n_frames, 1)


def test_lengths_become_quick_when_they_were_asked_for(run):
    ask = asking.parse({"z": Z, "seconds": 0.9}, run)
    before = run.sound(ask)
    assert 1.0 not in run._traced
    for _ in run.tracing():
        pass
    assert 1.0 in run._traced and not list(run.tracing())
    # Exactly the same curves; only the noise behind the note's end differs.
    after = run.sound(ask)
    for name, value in before.controls.items():
        np.testing.assert_allclose(after.controls[name], value, rtol=2e-4, atol=1e-5)


def test_a_seed_is_the_note_that_render_makes(run):
    from noisygan.rendering.requests import note_seeds

    z = run.latents([7, 8])
    np.testing.assert_array_equal(z[0], run.generator.prior(1, seed=note_seeds(7, 0)[0])[0])
    assert not np.array_equal(z[0], z[1])


class Tone(RawWaveform):
    """A raw waveform whose level is the latent's first number; above 100 it is not finite."""

    def make_audio(self, latent):
        import tensorflow as tf

        level = tf.where(latent[:, :1] > 10.0, np.inf, latent[:, :1])
        return level * tf.ones([1, self.n_samples])


def test_a_raw_waveform_lacks_curves_and_conditions():
    run = PlayableRun(Tone(800, 16000, 2, None, None, "tone"), toys.run("tone", ()))
    facts = run.facts()
    assert facts["is_kit"] and not facts["has_curves"] and not facts["has_length"]
    sound = run.sound(asking.parse({"z": [0.5, 0.0], "seconds": 7}, run))
    assert len(sound.audio) == 800 and run.curves_of(sound) is None
    loud = run.sound(asking.parse({"z": [2.0, 0.0]}, run))
    assert np.abs(loud.audio).max() == 1.0 and loud.lowered_db == pytest.approx(6.02, abs=0.01)
    broken = run.sound(asking.parse({"z": [19.0, 0.0]}, run))
    assert np.isfinite(broken.audio).all()
    with pytest.raises(UsageError, match="has no curves"):
        asking.parse({"z": [0.0, 0.0], "edits": {"noise_db": [1]}}, run)


def test_what_is_drawn_reaches_every_voice():
    frames = np.ones([1, 4, 1], np.float32)
    controls = {
        "loudness_db": -20 * frames,
        "low/f0_hz": 100 * frames,
        "low/amplitudes": frames,
        "low/harmonic_distribution": np.full([1, 4, 2], 0.5, np.float32),
        "high/f0_hz": 200 * frames,
        "high/amplitudes": frames,
        "high/harmonic_distribution": np.full([1, 4, 2], 0.5, np.float32),
        "noise/magnitudes": np.ones([1, 4, 3], np.float32),
        "modal/amplitudes": np.ones([1, 5], np.float32),
        "transient/magnitudes": np.ones([1, 3], np.float32),
        "reverb/ir": np.ones([1, 9], np.float32),
    }
    kinds = {"low": "harmonic", "high": "harmonic", "noise": "noise"}
    kinds |= {"modal": "modal", "transient": "transient"}
    edits = {
        "f0_semitones": np.array([0.0, 12.0], np.float32),
        "loudness_db": np.array([20.0, 0.0], np.float32),
        "noise_db": np.array([-20.0], np.float32),
    }
    # Three frames of sound, and one behind it.
    out = curves.edited(controls, edits, kinds, 3)
    rising = 2.0 ** np.array([0.0, 0.5, 1.0, 1.0])
    np.testing.assert_allclose(out["low/f0_hz"][0, :, 0], 100 * rising, rtol=1e-5)
    np.testing.assert_allclose(out["high/f0_hz"][0, :, 0], 200 * rising, rtol=1e-5)
    falling = 10 ** (np.array([20.0, 10.0, 0.0, 0.0]) / 20)
    np.testing.assert_allclose(out["high/amplitudes"][0, :, 0], falling, rtol=1e-5)
    np.testing.assert_allclose(out["noise/magnitudes"][0, :, 1], falling / 10, rtol=1e-5)
    np.testing.assert_allclose(out["modal/amplitudes"], 10.0)
    np.testing.assert_allclose(out["transient/magnitudes"], 10.0)
    np.testing.assert_array_equal(out["reverb/ir"], controls["reverb/ir"])
    assert curves.edited(controls, {}, kinds, 3) is controls
    assert controls["low/f0_hz"].max() == 100.0


def test_directions_are_found_where_the_sound_changes():
    rng = np.random.default_rng(0)
    latents = rng.normal(size=[200, 5])
    axes = np.linalg.qr(rng.normal(size=[5, 5]))[0]
    # Two directions are heard, one of them twice as much; the others are not.
    heard = np.outer(latents @ axes[0], rng.normal(size=30)) * 2 + np.outer(
        latents @ axes[1], rng.normal(size=30)
    )
    directions, shares = landscape.principal_directions(latents, heard, 5)
    assert abs(directions[0] @ axes[0]) + abs(directions[0] @ axes[1]) > 0.9
    span = directions[:2] @ axes[:2].T
    assert np.linalg.svd(span)[1] == pytest.approx([1.0, 1.0], abs=1e-6)
    np.testing.assert_allclose(directions @ directions.T, np.eye(5), atol=1e-9)
    assert sum(shares) == pytest.approx(1.0, abs=1e-3) and shares[0] > shares[1] > 0.02
    assert max(shares[2:]) < 1e-3


def test_a_direction_is_named_by_what_follows_it():
    rng = np.random.default_rng(1)
    along = rng.normal(size=50)
    columns = {name: rng.normal(size=50) for name in landscape.NAMES}
    columns["RMS"] = -3 * along + 0.1 * rng.normal(size=50)
    columns["decay"] = np.full(50, np.nan)
    name, sign = landscape.name_of(along, columns, set())
    assert (name[0], sign) == ("level", -1.0)
    assert (landscape.name_of(along, columns, {"level"})[0] or ("",))[0] != "level"


def test_a_landscape_is_explored_step_by_step(run):
    found = []
    steps = list(landscape.explore(run, found.append, n_latents=12))
    assert steps == list(range(1, 13)) and len(found) == 1
    assert found[0].latents.shape == (12, 4) and len(found[0].names) == 4
    assert len({name[0] for name in found[0].names}) == 4
    assert sorted(found[0].brightness) == pytest.approx(np.linspace(0, 1, 12))


def test_what_labels_say_is_taken_out():
    labels = np.array([0, 1, 0, 1])
    values = np.array([[1.0, 5.0], [10.0, np.nan], [3.0, 7.0], [20.0, 4.0]])
    out = landscape.without_means(values, labels)
    np.testing.assert_allclose(out, [[-1, -1], [-5, np.nan], [1, 1], [5, 0]])
