"""Sounds of the studio equal the generator's, with edits; the map of the latent space."""

import io

import numpy as np
import pytest
import soundfile
import tensorflow as tf

from noisygan.errors import UsageError
from noisygan.generators.raw_waveform import RawWaveform
from noisygan.matching.distance import log_spectral_distance
from noisygan.rendering import landscape
from noisygan.rendering.requests import note_seeds
from noisygan.studio import curves, files
from noisygan.studio.landscape import explore
from noisygan.studio.player import Player
from noisygan.studio.requests import parse
from tests import toys

Z = [0.3, -0.2, 0.5, 0.1]


@pytest.fixture(scope="module")
def player():
    """A small hybrid, warmed up at its usual length."""
    names = ("pitch", "velocity")
    found = Player(toys.run("toy", names, (), (60, 72), generator=toys.hybrid()))
    found.warm_up()
    return found


@pytest.mark.parametrize(("seconds", "sample_rate"), [(1.37, 16000), (1.5, 48000)])
def test_a_sound_is_the_generators(player, seconds, sample_rate):
    lengths = {"seconds": seconds, "sample_rate": sample_rate}
    body = {"z": Z, "pitch": 64, "velocity": 90, "seed": 5, **lengths}
    sound = player.render(parse(body, player))
    conditioning = toys.conditioning((64.0,), (90.0,), (0,))
    z, seed = np.array([Z], np.float32), np.array([5], np.int32)
    expected = player.generator(z, conditioning, **lengths, seed=seed).audio.numpy()[0]
    assert len(sound.audio) == len(expected) == round(seconds * sample_rate)
    # Noise of another length is another noise; harmonics are the same.
    assert np.corrcoef(sound.audio, expected)[0, 1] > 0.99
    n_frames = round(seconds * player.generator.frame_rate)
    assert sound.controls["loudness_db"].shape == (1, n_frames, 1)


def test_traced_lengths_give_the_same_curves_and_a_seed_the_z_of_render(player):
    z = player.latents([7, 8])
    np.testing.assert_array_equal(z[0], player.generator.prior(1, seed=note_seeds(7, 0)[0])[0])
    assert not np.array_equal(z[0], z[1])
    request = parse({"seed": 7, "seconds": 0.9}, player)
    before = player.render(request)
    assert list(player.trace_slow_lengths()) and not list(player.trace_slow_lengths())
    after = player.render(request)
    for name, value in before.controls.items():
        np.testing.assert_allclose(after.controls[name], value, rtol=2e-4, atol=1e-5)


class Tone(RawWaveform):
    """A raw waveform whose level is the first number of z; above 10 it is infinite."""

    def make_audio(self, z):
        return tf.where(z[:, :1] > 10.0, np.inf, z[:, :1]) * tf.ones([1, self.n_samples])


def test_a_raw_waveform_has_no_curves_and_conditions():
    generator = Tone(800, 16000, 2, None, None, "tone")
    player = Player(toys.run("tone", (), generator=generator))
    facts = player.facts()
    assert facts["is_kit"] and not facts["has_curves"] and not facts["has_length"]
    sound = player.render(parse({"z": [0.5, 0.0], "seconds": 7}, player))
    assert len(sound.audio) == 800 and player.curves_of(sound) is None
    loud = player.render(parse({"z": [2.0, 0.0]}, player))
    assert np.abs(loud.audio).max() == 1.0 and loud.lowered_db == pytest.approx(6.02, abs=0.01)
    assert np.isfinite(player.render(parse({"z": [19.0, 0.0]}, player)).audio).all()
    with pytest.raises(UsageError, match="has no curves"):
        parse({"z": [0.0, 0.0], "edits": {"noise_db": [1]}}, player)


def test_edits_reach_every_voice():
    frames = np.ones([1, 4, 1], np.float32)
    controls = {"loudness_db": -20 * frames, "reverb/ir": np.ones([1, 9], np.float32)}
    for name, hz in (("low", 100), ("high", 200)):
        controls |= {f"{name}/f0_hz": hz * frames, f"{name}/amplitudes": frames}
        controls[f"{name}/harmonic_distribution"] = np.full([1, 4, 2], 0.5, np.float32)
    controls["noise/magnitudes"] = np.ones([1, 4, 3], np.float32)
    controls["modal/amplitudes"] = np.ones([1, 5], np.float32)
    controls["transient/magnitudes"] = np.ones([1, 3], np.float32)
    kinds = {"low": "harmonic", "high": "harmonic", "noise": "noise"}
    kinds |= {"modal": "modal", "transient": "transient"}
    edits = {"f0_semitones": [0.0, 12.0], "loudness_db": [20.0, 0.0], "noise_db": [-20.0]}
    edits = {name: np.array(points, np.float32) for name, points in edits.items()}
    # Three frames of sound, and one behind it.
    out = curves.edit(controls, edits, kinds, 3)
    rising = 2.0 ** np.array([0.0, 0.5, 1.0, 1.0])
    np.testing.assert_allclose(out["low/f0_hz"][0, :, 0], 100 * rising, rtol=1e-5)
    np.testing.assert_allclose(out["high/f0_hz"][0, :, 0], 200 * rising, rtol=1e-5)
    falling = 10 ** (np.array([20.0, 10.0, 0.0, 0.0]) / 20)
    np.testing.assert_allclose(out["high/amplitudes"][0, :, 0], falling, rtol=1e-5)
    np.testing.assert_allclose(out["noise/magnitudes"][0, :, 1], falling / 10, rtol=1e-5)
    np.testing.assert_allclose(out["modal/amplitudes"], 10.0)
    np.testing.assert_allclose(out["transient/magnitudes"], 10.0)
    np.testing.assert_array_equal(out["reverb/ir"], controls["reverb/ir"])
    assert curves.edit(controls, {}, kinds, 3) is controls
    assert controls["low/f0_hz"].max() == 100.0


def test_directions_are_those_in_which_the_features_change():
    rng = np.random.default_rng(0)
    latents = rng.normal(size=[200, 5])
    axes = np.linalg.qr(rng.normal(size=[5, 5]))[0]
    # Features depend on two directions, on one of them twice as much.
    features = [
        gain * np.outer(latents @ axes[i], rng.normal(size=30)) for i, gain in ((0, 2), (1, 1))
    ]
    directions, shares = landscape.principal_directions(latents, sum(features), 5)
    assert abs(directions[0] @ axes[0]) + abs(directions[0] @ axes[1]) > 0.9
    span = directions[:2] @ axes[:2].T
    assert np.linalg.svd(span)[1] == pytest.approx([1.0, 1.0], abs=1e-6)
    np.testing.assert_allclose(directions @ directions.T, np.eye(5), atol=1e-9)
    assert sum(shares) == pytest.approx(1.0, abs=1e-3) and shares[0] > shares[1] > 0.02
    assert max(shares[2:]) < 1e-3


def test_a_direction_has_the_name_of_the_descriptor_that_follows_it():
    rng = np.random.default_rng(1)
    along = rng.normal(size=50)
    columns = {name: rng.normal(size=50) for name in landscape.NAMES}
    columns["RMS"] = -3 * along + 0.1 * rng.normal(size=50)
    columns["decay"] = np.full(50, np.nan)
    name, sign = landscape.name_of(along, columns, set())
    assert (name[0], sign) == ("level", -1.0)
    assert (landscape.name_of(along, columns, {"level"})[0] or ("",))[0] != "level"


def test_a_landscape_is_explored_step_by_step(player):
    results = []
    steps = list(explore(player, results.append, n_latents=12))
    [found] = results
    assert steps == list(range(1, 13))
    assert np.shape(found["latents"]) == (12, 4) and np.shape(found["directions"]) == (4, 4)
    assert len({name[0] for name in found["names"]}) == 4
    assert sorted(found["brightness"]) == pytest.approx(np.linspace(0, 1, 12), abs=1e-3)
    values = np.array([[1.0, 5.0], [10.0, np.nan], [3.0, 7.0], [20.0, 4.0]])
    without = landscape.without_means(values, np.array([0, 1, 0, 1]))
    np.testing.assert_allclose(without, [[-1, -1], [-5, np.nan], [1, 1], [5, 0]])


def test_a_match_sounds_on_the_page_as_it_was_found(player, monkeypatch):
    monkeypatch.setattr(files, "N_STEPS", 4)
    target = 0.5 * player.render(parse({"seed": 3, "pitch": 57, "seconds": 0.5}, player)).audio
    file = io.BytesIO()
    soundfile.write(file, target, 16000, subtype="FLOAT", format="WAV")
    shares = []
    found = files.match(player, file.getvalue(), shares.append)
    assert found["distance_db"] <= found["start_db"] and shares[-1] == 1.0
    body = {name: found[name] for name in ("z", "seed", "edits", "pitch", "velocity", "seconds")}
    again = player.render(parse(body, player)).audio
    n = min(len(again), len(target))
    distance = log_spectral_distance(target[:n], again[:n], 16000)
    assert distance == pytest.approx(found["distance_db"], abs=1.5)
    assert found["pitch"] == pytest.approx(57, abs=0.5)
