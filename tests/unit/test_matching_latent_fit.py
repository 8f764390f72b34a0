"""Latent fit of hybrid and raw-waveform generators."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from noisygan.errors import UsageError
from noisygan.generators.raw_waveform import RawWaveform
from noisygan.matching import latent_fit, matching
from noisygan.matching.target import Target
from noisygan.rendering.synthesis import render_controls
from tests import toys
from tests.toys import N_SAMPLES, SAMPLE_RATE, hybrid


class Waves(RawWaveform):
    """A sine of 800 Hz and one of 2000 Hz, as loud as two numbers of z say."""

    def __init__(self, condition_encoder=None):
        super().__init__(N_SAMPLES, SAMPLE_RATE, 2, None, condition_encoder, "waves")

    def make_audio(self, latent):
        times = np.arange(N_SAMPLES) / SAMPLE_RATE * 2 * np.pi
        waves = tf.constant(np.stack([np.sin(800 * times), np.sin(2000 * times)]), tf.float32)
        return 0.3 * tf.matmul(tf.sigmoid(latent[:, :2]), waves)


def run_of(generator):
    """The part of a `noisygan.Run` that a match uses."""
    return toys.run("toy", generator.condition_names, ("toy",), generator=generator)


def target_of(audio, path="a.wav"):
    return Target(path, np.asarray(audio, np.float32), SAMPLE_RATE)


@pytest.fixture(scope="module")
def generator():
    """A small hybrid whose z matters."""
    keras.utils.set_random_seed(1)
    made = hybrid(vibrato=False)
    conditioning = {"pitch": tf.constant([60.0]), "velocity": tf.constant([90.0])}
    made(tf.zeros([1, 4]), conditioning | {"label": tf.constant([0])})
    return made


def test_a_gain_is_in_the_controls_as_in_the_sound(generator):
    latent = latent_fit.Latent(np.ones(4, np.float32), 60.0, 90.0, 0, 0.15, 1.0, 3)
    plain = latent_fit.render_latent(generator, latent, N_SAMPLES).audio[0].numpy()
    louder = latent_fit.latent_controls(generator, latent._replace(gain=0.25), N_SAMPLES)
    np.testing.assert_allclose(render_controls(louder), 0.25 * plain, atol=1e-6)
    assert np.max(np.abs(plain)) > 1e-3
    as_before = latent_fit.latent_controls(generator, latent, N_SAMPLES)["loudness_db"]
    np.testing.assert_allclose(louder["loudness_db"], as_before - 12.04, atol=0.01)


def test_the_latent_of_a_hybrids_sound_is_found(generator):
    wanted = latent_fit.Latent(
        np.array([1.0, -1.0, 0.5, 1.5], np.float32), 62.0, 60.0, 0, 0.15, 0.5, 0
    )
    audio = latent_fit.render_latent(generator, wanted, N_SAMPLES).audio[0].numpy()
    start = latent_fit.start_latent(generator, audio, pitch=62.0)
    assert np.abs(start.z).max() < 0.2 and start.velocity == 100.0
    sound = latent_fit.render_latent(generator, start, N_SAMPLES).audio[0].numpy()
    assert np.sum(sound**2) == pytest.approx(np.sum(audio**2), rel=1e-3)
    found, losses = latent_fit.fit_latent(generator, start, audio, 20)
    assert losses[-1] < 0.85 * losses[0]
    assert found.pitch == pytest.approx(62.0, abs=0.1)
    assert set(found.arrays()) >= {"format", "z", "pitch", "gain", "label_name"}


def test_the_latent_of_a_raw_waveform_is_found():
    z = np.array([2.0, -2.0], np.float32)
    audio = Waves()(z[None], {}).audio[0].numpy()
    match = matching.match_run(run_of(Waves()), target_of(audio), n_steps=60)
    # A gain beside the two amplitudes leaves their ratio.
    amplitudes = [1.0 / (1.0 + np.exp(-each)) for each in (z, match.latent.z)]
    ratios = [a[1] / a[0] for a in amplitudes]
    assert ratios[0] == pytest.approx(ratios[1], rel=0.1)
    np.testing.assert_allclose(match.latent.gain * amplitudes[1], amplitudes[0], rtol=0.1)
    assert match.controls is None and match.distance_db < 0.4 * match.start_db


def test_a_numeric_tag_is_fitted_and_a_given_one_is_kept():
    class Bright(Waves):
        def make_audio(self, latent):
            level = tf.sigmoid(3.0 * latent[:, 2:])
            return super().make_audio(tf.concat([0.0 * level, 8.0 * level - 4.0], axis=1))

    encoder = toys.ConditionEncoder(names=(), tags=("bright",))
    encoder.set_data(1, (), {"bright": (0.0, 2.0)})
    generator, given = Bright(encoder), {"bright": tf.constant([1.2])}
    target = target_of(generator(tf.zeros([1, 2]), given).audio[0].numpy())
    run = toys.run("toy", ("bright",), ("toy",), (), generator, {"bright": (0.0, 2.0)})
    run.tag_rows = [{"label": "toy", "bright": value} for value in (0.5, 1.7)]
    found = matching.match_run(run, target, n_steps=60)
    assert found.latent.tags["bright"] == pytest.approx(1.2, abs=0.05)
    kept = matching.match_run(run, target, n_steps=2, tags={"bright": 0.9})
    assert kept.latent.tags == {"bright": 0.9}


def test_the_start_is_kept_if_the_descent_ends_farther_off(monkeypatch):
    z = np.array([2.0, -2.0], np.float32)
    audio = np.tile(Waves()(z[None], {}).audio[0].numpy(), 2)

    def astray(generator, start, audio, *others):
        return start._replace(z=-5.0 * z), [1.0, 0.5]

    monkeypatch.setattr(latent_fit, "fit_latent", astray)
    match = matching.match_run(run_of(Waves()), target_of(audio), n_steps=2)
    np.testing.assert_array_equal(match.audio, match.start)
    assert match.distance_db == match.start_db and match.losses == [1.0, 0.5]
    assert not np.array_equal(match.latent.z, -5.0 * z)
    assert "no nearer than it began, so the start is kept" in match.remarks[-1]
    # The target is cut to the length of raw waveforms.
    assert len(match.audio) == N_SAMPLES and "only its first 0.25 s" in match.remarks[0]


def test_what_a_run_is_not_conditioned_on(generator):
    noise = target_of(np.random.default_rng(0).normal(size=N_SAMPLES) * 0.1)
    hybrid_run, waves_run = run_of(generator), run_of(Waves())
    for run, settings, message in (
        (hybrid_run, {}, "give the pitch"),
        (waves_run, {"free": True}, "writes samples directly"),
        (waves_run, {"pitch": 60}, "pitch: "),
        (hybrid_run, {"pitch": 60, "label": "toy"}, "label: "),
    ):
        with pytest.raises(UsageError, match=message):
            matching.match_run(run, noise, **settings)
