"""The hybrid generator: curves in physical units, the same note at any rate and length."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from discriminators import ConditionEncoder
from noisygan.generators import GeneratorOutput
from noisygan.generators.decoders import RecurrentDecoder
from noisygan.generators.jitter import ConditionJitter, Jitter
from noisygan.generators.pitch import UnconditionedPitch, bend_at
from noisygan.generators.voices import HarmonicVoice, NoiseVoice
from synths import Reverb
from tests import toys


@pytest.fixture(autouse=True)
def _seed():
    keras.utils.set_random_seed(0)


def play(generator, seconds=None, sample_rate=None, seed=0, z_seed=0, **conditioning):
    conditioning = toys.conditioning(**conditioning)
    z = generator.prior(len(conditioning["pitch"]), z_seed)
    return generator(z, conditioning, seconds=seconds, sample_rate=sample_rate, seed=seed)


def test_controls_are_curves_in_physical_units():
    output = play(toys.hybrid(condition_jitter=ConditionJitter()))
    assert isinstance(output, GeneratorOutput)
    assert output.audio.shape == (3, toys.N_SAMPLES)
    assert output.audio.dtype == tf.float32
    shapes = {name: tuple(value.shape) for name, value in output.controls.items()}
    assert shapes == {
        "loudness_db": (3, 25, 1),
        "harmonic/f0_hz": (3, 25, 1),
        "harmonic/amplitudes": (3, 25, 1),
        "harmonic/harmonic_distribution": (3, 25, 6),
        "noise/magnitudes": (3, 25, 9),
    }
    controls = {name: value.numpy() for name, value in output.controls.items()}
    asked = 440 * 2 ** ((np.array([60, 67, 72]) - 69) / 12)
    cents = 1200 * np.log2(controls["harmonic/f0_hz"][:, :, 0] / asked[:, None])
    assert np.abs(cents).max() < 100
    assert np.abs(cents).max() > 0
    assert (controls["harmonic/amplitudes"] > 0).all()
    assert (controls["noise/magnitudes"] > 0).all()
    assert (controls["harmonic/harmonic_distribution"] >= 0).all()
    np.testing.assert_allclose(controls["harmonic/harmonic_distribution"].sum(2), 1.0, rtol=1e-5)
    assert (controls["loudness_db"] < 0).all()
    np.testing.assert_allclose(controls["loudness_db"].mean(), -25.0, atol=10.0)


def test_the_level_has_a_ceiling_and_ends_in_silence_below_the_gate():
    loud = play(toys.hybrid(initial_loudness_db=200.0, max_loudness_db=-3.0))
    assert (loud.controls["loudness_db"].numpy() <= -3.0).all()
    keras.utils.set_random_seed(0)
    raw = play(toys.hybrid(gate_db=-500.0, initial_loudness_db=-95.0)).controls["loudness_db"]
    keras.utils.set_random_seed(0)
    gated = play(toys.hybrid(gate_db=-90.0, initial_loudness_db=-95.0)).controls["loudness_db"]
    expected = np.where(raw < -90, -90 + 6 * (raw + 90), raw)
    np.testing.assert_allclose(gated, expected, atol=1e-3)


def test_another_sample_rate_is_the_same_note():
    generator = toys.hybrid(voices=[HarmonicVoice(n_harmonics=40)])
    low = play(generator)
    high = play(generator, sample_rate=48000)
    for name, value in low.controls.items():
        np.testing.assert_array_equal(high.controls[name], value, err_msg=name)
    assert high.audio.shape == (3, 12000)
    # No harmonic above the recordings' 8 kHz, so every third sample is the very same one.
    np.testing.assert_allclose(high.audio[:, ::3], low.audio, atol=1e-4)
    spectrum = np.abs(np.fft.rfft(np.hanning(12000) * high.audio.numpy()))
    assert spectrum[:, 2100:].max() < 1e-3 * spectrum.max()


def test_noise_at_another_sample_rate_is_as_loud_in_every_band():
    generator = toys.hybrid(vibrato=False, voices=[NoiseVoice(n_bands=65)])
    conditions = {"pitch": [60.0] * 40, "velocity": [90.0] * 40, "label": [0] * 40}
    levels = []
    for rate in (16000, 48000):
        audio = play(generator, sample_rate=rate, **conditions).audio.numpy()
        power = np.mean(np.abs(np.fft.rfft(audio)) ** 2, axis=0) / len(audio[0]) / rate
        assert rate == 16000 or power[2250:].mean() < 1e-3 * power[:2000].mean()
        levels.append(10 * np.log10(power[:1950].reshape(13, 150).mean(axis=1)))
    np.testing.assert_allclose(levels[1], levels[0], atol=0.6)


def test_a_longer_note_is_held_and_its_release_stays():
    # Without a vibrato the note comes to rest, so the parts can be compared number by number.
    generator = toys.hybrid(vibrato=False)
    short = play(generator, seconds=0.5).controls
    long = play(generator, seconds=1.0).controls
    for name, value in short.items():
        value, held = value.numpy(), long[name].numpy()
        assert (value.shape[1], held.shape[1]) == (50, 100)
        np.testing.assert_allclose(held[:, -11:], value[:, -11:], rtol=1e-3, err_msg=name)
        np.testing.assert_allclose(held[:, :39], value[:, :39], rtol=1e-3, err_msg=name)
        middle = np.broadcast_to(value[:, 35:36], held[:, 35:90].shape)
        np.testing.assert_allclose(held[:, 35:90], middle, rtol=1e-3, err_msg=name)


@pytest.mark.parametrize("seconds", [0.253, 0.2549, 0.004, 1.0])
def test_any_length_is_filled_to_its_end(seconds):
    generator = toys.hybrid(
        initial_loudness_db=-10.0, reverb=Reverb(trainable=True, reverb_length=400)
    )
    for rate in (16000, 44100):
        audio = play(generator, seconds=seconds, sample_rate=rate).audio.numpy()
        assert audio.shape == (3, round(seconds * rate))
        assert np.abs(audio[:, -5:]).max() > 1e-6


def test_seeds_of_the_noise():
    generator = toys.hybrid()
    first = play(generator).audio.numpy()
    np.testing.assert_array_equal(play(generator).audio, first)
    np.testing.assert_allclose(play(generator, seed=[0, 1, 2]).audio, first, atol=1e-6)
    other = play(generator, seed=[0, 7, 2]).audio.numpy()
    np.testing.assert_allclose(other[[0, 2]], first[[0, 2]], atol=1e-6)
    assert np.abs(other[1] - first[1]).max() > 1e-5


def test_z_decides_how_it_is_played():
    generator = toys.hybrid()
    one, other = play(generator).controls, play(generator, z_seed=1).controls
    for name, value in one.items():
        assert np.abs(value / other[name] - 1).max() > 1e-3, name


def test_humanized_takes_sound_at_the_asked_pitch():
    conditions = {"pitch": [60.0] * 2, "velocity": [100.0] * 2, "label": [0] * 2}
    generator = toys.hybrid(condition_jitter=ConditionJitter(pitch=2.0, velocity=0.0))
    conditioning = toys.conditioning(**conditions)
    z = tf.constant([[-1.0, 0.0, 0.3, 0.4], [1.0, 0.0, 0.3, 0.4]])
    f0_hz = generator(z, conditioning).controls["harmonic/f0_hz"].numpy()
    assert np.abs(12 * np.log2(f0_hz / 261.6256)).max() < 1.0
    assert np.abs(f0_hz[0] - f0_hz[1]).max() > 1e-3


def test_humanize_shifts_what_is_asked_by_the_first_numbers_of_z():
    z = tf.constant([[1.0, -2.0, 5.0], [0.0, 100.0, 6.0]])
    rest, shifted = ConditionJitter(pitch=1.5, velocity=4.0)(
        z, toys.conditioning([60.0, 61.0], [100.0, 30.0], [0, 1])
    )
    np.testing.assert_array_equal(rest, [[5.0], [6.0]])
    np.testing.assert_allclose(shifted["pitch"], [61.5, 61.0])
    np.testing.assert_allclose(shifted["velocity"], [92.0, 127.0])
    np.testing.assert_array_equal(shifted["label"], [0, 1])
    assert set(ConditionJitter()(z, {"pitch": tf.zeros(2)})[1]) == {"pitch"}


def test_the_gradient_reaches_every_variable_and_z():
    generator = toys.hybrid(
        voices=[
            HarmonicVoice(6, tuned=True, detune_cents=5.0),
            NoiseVoice(9),
        ],
        condition_jitter=ConditionJitter(),
        decoder=RecurrentDecoder(units=6),
        reverb=Reverb(trainable=True, reverb_length=200),
        initial_loudness_db=-5.0,
    )
    z = generator.prior(3, 0)
    conditioning = toys.conditioning()
    generator(z, conditioning)
    with tf.GradientTape() as tape:
        tape.watch(z)
        audio = generator(z, conditioning).audio
        loss = tf.reduce_sum(audio * tf.random.stateless_normal(audio.shape, [0, 1]))
    variables = generator.trainable_variables
    paths = " ".join(v.path for v in variables)
    for part in ("detune_cents", "reverb/ir", "decoder", "gru", "vibrato", "latent_1", "bands"):
        assert part in paths
    for variable, slope in zip(variables, tape.gradient(loss, variables), strict=True):
        assert slope is not None, variable.path
        assert np.isfinite(slope).all(), variable.path
        if not variable.path.endswith("f0/outputs/bias"):  # the curve's mean is taken off
            assert np.abs(slope).max() > 0, variable.path


def test_a_gradient_of_z():
    generator = toys.hybrid(condition_jitter=ConditionJitter())
    z = generator.prior(3, 0)
    with tf.GradientTape() as tape:
        tape.watch(z)
        loss = tf.reduce_sum(generator(z, toys.conditioning()).audio ** 2)
    assert (np.abs(tape.gradient(loss, z)) > 0).all()


tfd = tfp.distributions
PRIORS = {
    "none": lambda: None,
    "normal": lambda: tfd.Normal(1.0, 2.0),
    "uniform": lambda: tfd.Uniform(-1.0, 1.0),
    "truncated": lambda: tfd.TruncatedNormal(0.0, 1.0, -2.0, 2.0),
    "mixture": lambda: tfd.MixtureSameFamily(
        tfd.Categorical(probs=[0.5, 0.5]), tfd.Normal([-4.0, 4.0], [0.1, 0.1])
    ),
    "of vectors": lambda: tfd.MultivariateNormalDiag([0.0] * 4, [1.0, 2.0, 3.0, 4.0]),
}


@pytest.mark.parametrize("name", PRIORS)
def test_priors_are_sampled_with_stateless_seeds(name):
    generator = toys.hybrid(prior=PRIORS[name]())
    z = generator.prior(500, 3).numpy()
    assert z.shape == (500, 4)
    assert z.dtype == np.float32
    np.testing.assert_array_equal(generator.prior(500, tf.constant([3, 0])), z)
    assert np.abs(generator.prior(500, 4) - z).min() < np.abs(generator.prior(500, 4) - z).max()
    low, high, mean = {
        "none": (-6, 6, 0),
        "normal": (-10, 12, 1),
        "uniform": (-1, 1, 0),
        "truncated": (-2, 2, 0),
        "mixture": (-5, 5, 0),
        "of vectors": (-25, 25, 0),
    }[name]
    assert low <= z.min() < z.max() <= high
    assert abs(z.mean() - mean) < 0.3
    if name == "mixture":
        assert np.abs(z).min() > 3
    if name == "of vectors":
        np.testing.assert_allclose(z.std(axis=0), [1, 2, 3, 4], rtol=0.15)


def test_takes_share_the_prior_by_the_last_number_of_z():
    generator = toys.hybrid()
    z = generator.prior(4000, 0).numpy()
    take = np.tile([[0, 1 / 3], [1 / 3, 2 / 3], [2 / 3, 1], [0, 1]], [1000, 1]).astype(np.float32)
    moved = generator.at_take(tf.constant(z), tf.constant(take)).numpy()
    np.testing.assert_array_equal(moved[:, :-1], z[:, :-1])
    np.testing.assert_array_equal(moved[3::4], z[3::4])
    last = moved[:, -1]
    assert last[0::4].max() <= -0.4307 <= last[1::4].min()
    assert last[1::4].max() <= 0.4308 <= last[2::4].min()
    three = last[np.arange(4000) % 4 < 3]
    assert abs(three.mean()) < 0.05 and abs(three.std() - 1.0) < 0.05
    far = generator.at_take(tf.fill([1, 4], 9.0), tf.constant([[0.5, 1.0]]))
    assert np.isfinite(far.numpy()).all()


def test_a_prior_of_another_size_than_latent_dim_is_refused():
    with pytest.raises(ValueError, match="prior: its samples have 3 numbers, latent_dim is 4"):
        toys.hybrid(prior=tfd.MultivariateNormalDiag([0.0] * 3))


def test_voices_are_a_group_whose_sounds_are_summed():
    voices = [
        HarmonicVoice(4, name="low"),
        HarmonicVoice(5, tuned=True, detune_cents=1200.0, name="high"),
        NoiseVoice(9),
    ]
    generator = toys.hybrid(voices=voices)
    output = play(generator)
    controls = output.controls
    np.testing.assert_allclose(controls["high/f0_hz"], 2 * controls["low/f0_hz"], rtol=1e-5)
    seed = tf.range(3)
    total = 0.0
    for voice in voices:
        own = {
            name.split("/")[1]: value
            for name, value in controls.items()
            if name.startswith(f"{voice.name}/")
        }
        total += voice.render(own, toys.N_SAMPLES, 16000, seed, **voice.settings)
    np.testing.assert_allclose(output.audio, total, atol=1e-6)


@pytest.mark.parametrize("names", [("harmonic", "harmonic"), ("reverb", "noise")])
def test_voices_need_names_of_their_own(names):
    with pytest.raises(ValueError, match=f"voices: named {names[0]}, {names[1]}; expected"):
        toys.hybrid(voices=[HarmonicVoice(4, name=names[0]), NoiseVoice(9, name=names[1])])


def test_voices_without_a_bandwidth_get_half_the_recordings_rate():
    voices = [HarmonicVoice(4), NoiseVoice(9, bandwidth_hz=3000.0)]
    toys.hybrid(voices=voices, sample_rate=22050)
    assert [voice.bandwidth_hz for voice in voices] == [11025.0, 3000.0]


def test_the_reverb_is_added_and_saved_among_the_controls():
    reverb = Reverb(trainable=True, reverb_length=300, gain=0.5)
    keras.utils.set_random_seed(1)
    wet = play(toys.hybrid(reverb=reverb))
    keras.utils.set_random_seed(1)
    dry = play(toys.hybrid()).audio
    assert wet.controls["reverb/ir"].shape == (3, 300)
    np.testing.assert_allclose(wet.audio, reverb(dry), atol=1e-6)
    assert np.abs(wet.audio - dry).max() > 1e-3


def test_the_reverb_at_another_rate_is_the_same_room():
    generator = toys.hybrid(
        voices=[HarmonicVoice(3)],
        reverb=Reverb(trainable=True, reverb_length=300, gain=0.5, decay_seconds=0.01),
    )
    low, high = play(generator).audio.numpy(), play(generator, sample_rate=32000).audio.numpy()
    error = np.sqrt(np.mean((high[:, ::2] - low) ** 2) / np.mean(low**2))
    assert error < 0.05


def test_conditions_are_those_of_the_features_and_of_the_pitch():
    assert toys.hybrid().condition_names == ("pitch", "velocity")
    assert toys.hybrid(condition_encoder=None).condition_names == ("pitch",)
    assert toys.hybrid(condition_encoder=None, pitch=UnconditionedPitch()).condition_names == ()
    label = toys.hybrid(condition_encoder=ConditionEncoder(("label",), n_labels=3))
    assert label.condition_names == ("label", "pitch")
    one, other = (play(label, label=[i] * 3).controls["loudness_db"] for i in (0, 2))
    assert np.abs(one - other).max() > 1e-3


def test_without_conditions_nothing_is_asked_for():
    generator = toys.hybrid(
        condition_encoder=None, pitch=UnconditionedPitch(48.0, 72.0), latent_units=0
    )
    output = generator(generator.prior(2, 0), {})
    midi = 69 + 12 * np.log2(output.controls["harmonic/f0_hz"] / 440)
    assert (midi > 48).all()
    assert (midi < 72).all()


def test_unsteadiness_is_as_large_as_asked_and_never_repeats():
    times = tf.range(8000, dtype=tf.float32) / 200.0
    z = tf.random.stateless_normal([3, 5], [1, 2])
    for value, rms in zip(Jitter(0.8, 0.3)(times, z), (0.8, 0.3), strict=True):
        curves = value.numpy()[:, :, 0]
        np.testing.assert_allclose(np.sqrt(np.mean(curves**2, axis=1)), rms, rtol=0.05)
        assert np.abs(np.corrcoef(curves)[np.triu_indices(3, 1)]).max() < 0.2
        for lag in range(100, 2000):
            assert np.corrcoef(curves[0, lag:], curves[0, :-lag])[0, 1] < 0.8


def test_unsteadiness_is_a_function_of_time_and_the_latent():
    z = tf.random.stateless_normal([2, 5], [1, 2])
    fine = Jitter()(tf.range(400, dtype=tf.float32) / 100.0, z)
    coarse = Jitter()(tf.range(200, dtype=tf.float32) / 50.0, z)
    for one, other in zip(fine, coarse, strict=True):
        np.testing.assert_allclose(one[:, ::2], other, atol=1e-4)


def test_unsteadiness_at_moments_of_each_note():
    z = tf.random.stateless_normal([2, 5], [1, 2])
    own = tf.stack([tf.range(5.0) / 7.0, tf.range(5.0) / 3.0])
    together = Jitter()(own, z)
    for row in range(2):
        for one, alone in zip(together, Jitter()(own[row], z), strict=True):
            np.testing.assert_allclose(one[row], alone[row], atol=1e-5)


def test_unsteadiness_moves_pitch_and_level_and_nothing_else():
    steady, other = toys.hybrid(), toys.hybrid(jitter=Jitter(2.0, 1.0))
    z, conditioning = steady.prior(3, 0), toys.conditioning()
    steady(z, conditioning), other(z, conditioning)
    own = [v for v in other.weights if v is not other.jitter.log_strengths]
    for one, weight in zip(own, steady.weights, strict=True):
        one.assign(weight)
    before, after = (g.get_controls(z, conditioning) for g in (steady, other))
    cents = 1200 * np.log2(after["harmonic/f0_hz"] / before["harmonic/f0_hz"])
    level_db = (after["loudness_db"] - before["loudness_db"]).numpy()
    times = tf.range(cents.shape[1], dtype=tf.float32) / steady.frame_rate
    wanted_cents, wanted_db = other.jitter(times, z)
    np.testing.assert_allclose(cents, wanted_cents, atol=2e-3)
    np.testing.assert_allclose(level_db, wanted_db, atol=1e-3)
    ratio = after["noise/magnitudes"] / before["noise/magnitudes"]
    np.testing.assert_allclose(20 * np.log10(ratio), np.tile(wanted_db, ratio.shape[2]), atol=1e-2)


def test_a_bend_is_straight_between_its_points():
    times = np.linspace(0.0, 1.0, 41, dtype=np.float32)
    points = np.float32(
        [[[0.2, -2], [0.4, 1], [0.4, 3], [0.9, 3]], [[0, 0], [0, 0], [0, 0], [1, 12]]]
    )
    expected = np.stack([np.interp(times, *row.T) for row in points])
    # Two points at one time are a step, reached a moment later.
    at_step = np.isclose(times, 0.4)
    bend = bend_at(tf.constant(times), tf.constant(points)).numpy()[:, :, 0]
    np.testing.assert_allclose(bend[:, ~at_step], expected[:, ~at_step], atol=1e-5)
    both = bend_at(tf.constant(np.stack([times, times])), tf.constant(points)).numpy()[:, :, 0]
    np.testing.assert_array_equal(both, bend)


def test_each_note_is_released_at_its_own_time_or_rings_out():
    generator = toys.hybrid(vibrato=False)
    z = generator.prior(3, 0)
    asked = toys.conditioning(pitch=(60.0,) * 3, velocity=(100.0,) * 3)
    z = tf.repeat(z[:1], 3, axis=0)
    held = tf.constant([0.05, 0.15, np.inf])
    curves = generator.get_controls(z, asked | {"held_seconds": held})["loudness_db"].numpy()
    rung = generator.get_controls(z, asked, held_seconds=held + np.inf)["loudness_db"].numpy()
    np.testing.assert_allclose(curves[2], rung[2])
    for row, n in ((0, 5), (1, 15)):
        np.testing.assert_allclose(curves[row, :n], rung[row, :n], atol=1e-5)
        assert not np.allclose(curves[row, n + 3 :], rung[row, n + 3 :], atol=1e-3)


def test_recordings_that_ring_out_teach_no_release_and_a_damper_takes_its_place():
    generator = toys.hybrid(vibrato=False)
    z, asked = generator.prior(3, 0), toys.conditioning()
    data = toys.notes(n=4, held=lambda i: np.inf)
    generator.adapt(data)
    assert generator.rings_out
    default = generator.get_controls(z, asked)["loudness_db"].numpy()
    held = tf.constant([np.inf, 0.1, 0.1])
    damped = generator.get_controls(z, asked, held_seconds=held)["loudness_db"].numpy()
    np.testing.assert_array_equal(damped[0], default[0])
    np.testing.assert_allclose(default[1, 11] - damped[1, 11], 2.4, atol=1e-3)
    with tf.GradientTape() as tape:
        audio = generator(z, asked | {"held_seconds": held}).audio
        loss = tf.reduce_sum(tf.square(audio))
    for gradient in tape.gradient(loss, generator.trainable_variables):
        assert np.isfinite(gradient.numpy()).all()


def test_the_release_is_as_long_as_the_recordings():
    generator = toys.hybrid()
    times = np.arange(toys.N_SAMPLES) / toys.SAMPLE_RATE
    level = np.where(times < 0.15, 1.0, 10.0 ** (-(times - 0.15) * 1000 / 20))
    audio = np.tile(level * np.sin(2 * np.pi * 400 * times), [8, 1]).astype(np.float32)
    generator.adapt(toys.notes(audio=audio, held=lambda i: 0.15))
    assert not generator.rings_out
    assert generator.release_seconds == pytest.approx(0.07, abs=0.03)
    # Held to the end of the examples: neither do they ring out, nor do they teach a release.
    generator.adapt(toys.notes(held=lambda i: 5.0))
    assert not generator.rings_out
    assert generator.release_seconds == pytest.approx(50 / 240)


def test_a_note_held_longer_than_recordings_keeps_its_timbre_and_falls_evenly():
    falling = toys.drifting_curve(1, "loudness")
    generator = toys.hybrid(
        f0_curve=toys.curve(1, "f0", vibrato=False, output_scale=1e-6),
        loudness_curve=falling,
        timbre_curves=toys.drifting_curve(8, "timbre"),
        gate_db=-300.0,
        max_loudness_db=60.0,
    )
    z = tf.repeat(generator.prior(1, 0), 3, axis=0)
    asked = toys.conditioning(pitch=(64.0, 64.0, 72.0), velocity=(100.0,) * 3)
    held, times = tf.constant([0.12, 0.5, np.inf]), tf.range(100.0) / 100.0

    def loudness():
        return generator.controls_at(times, held, z, asked)["loudness_db"].numpy()[:, :, 0]

    before = loudness()
    if before[1, 4] < before[1, 8]:  # Make it fall.
        for weight in falling.outputs.weights:
            weight.assign(-weight)
        before = loudness()
    # The longest recording of each pitch counts.
    seconds = [0.05, 0.12, 0.2, 0.24]
    pitch = np.float32([64, 64, 72, 72])
    generator.adapt(toys.notes(n=4, pitch=pitch, held=seconds.__getitem__))
    after = loudness()
    np.testing.assert_allclose(after[0], before[0], atol=1e-4)
    for row, last, end in ((1, 12, 50), (2, 24, 99)):
        np.testing.assert_allclose(after[row, : last + 1], before[row, : last + 1], atol=1e-4)
        third = last // 3
        slope = (before[row, third] - before[row, 2 * third]) / third
        assert slope > 0.02
        np.testing.assert_allclose(np.diff(after[row, last : end + 1]), -slope, atol=1e-3)
    # The release is that of a note as long as the recordings.
    released = before[0, 12:40] - before[0, 12]
    np.testing.assert_allclose(after[1, 50:78] - after[1, 50], released, atol=1e-3)
    drawn = generator.controls_at(times, held, z, asked)
    shares = drawn["harmonic/harmonic_distribution"].numpy()[2]
    np.testing.assert_allclose(shares[25:], shares[24:25].repeat(75, axis=0), atol=1e-5)
    assert np.abs(shares[0] - shares[24]).max() > 1e-3
    # Notes may have times of their own, as in blocks.
    own = generator.controls_at(tf.stack([times] * 3), held, z, asked)
    for name, value in drawn.items():
        np.testing.assert_allclose(own[name], value, rtol=1e-4, atol=1e-5, err_msg=name)
    # Recordings that ring out say nothing of holding.
    generator.adapt(toys.notes(held=lambda i: np.inf))
    np.testing.assert_allclose(loudness()[2], before[2], atol=1e-4)


def test_notes_are_tuned_like_the_recordings():
    times, pitch = np.arange(toys.N_SAMPLES) / toys.SAMPLE_RATE, np.float32([60, 64, 67, 72])
    hz = 440 * 2 ** ((pitch[:, None] - 69 + 0.3) / 12)
    audio = sum(np.sin(2 * np.pi * k * hz * times) / 4 for k in (1, 2, 3)).astype(np.float32)
    generator = toys.hybrid(f0_curve=toys.curve(1, "f0", vibrato=False, output_scale=1e-6))
    generator.adapt(toys.notes(n=4, audio=audio, pitch=pitch))
    f0_hz = play(generator, pitch=(60.0, 65.0, 75.0)).controls["harmonic/f0_hz"].numpy()
    asked = 440 * 2 ** ((np.array([60, 65, 75]) - 69) / 12)
    np.testing.assert_allclose(1200 * np.log2(f0_hz[:, 0, 0] / asked), 30.0, atol=2.0)


def test_strings_have_stretched_partials_and_others_do_not():
    generator, harmonic = toys.hybrid(), toys.hybrid()
    generator.adapt(toys.strings())
    harmonic.adapt(toys.strings(inharmonicity=0.0))
    assert generator.is_stretched
    assert not harmonic.is_stretched
    assert "harmonic/inharmonicity" not in play(harmonic).controls
    controls = play(generator, pitch=(57.0, 63.0, 95.0)).controls
    b = controls["harmonic/inharmonicity"].numpy()
    assert b.shape == (3, 25, 1)
    np.testing.assert_allclose(b, 2e-3, rtol=0.1)
    f0_hz = controls["harmonic/f0_hz"].numpy()
    heard = controls["harmonic/harmonic_distribution"].numpy() > 0.0
    hz = f0_hz * np.arange(1, 7) * np.sqrt(1 + b * np.arange(1, 7) ** 2)
    np.testing.assert_array_equal(heard, hz < toys.SAMPLE_RATE / 2)
    # Fewer than harmonics: the fourth partial of 95.
    assert heard.sum() < np.sum(f0_hz * np.arange(1, 7) < toys.SAMPLE_RATE / 2)


def test_stretched_partials_sound_at_their_frequencies():
    generator = toys.hybrid(voices=[HarmonicVoice(6)], vibrato=False)
    generator.adapt(toys.strings())
    output = play(generator, pitch=(57.0,), velocity=(100.0,), label=(0,), seconds=1.0)
    b, f0_hz = (output.controls[f"harmonic/{x}"][0, 50, 0] for x in ("inharmonicity", "f0_hz"))
    spectrum = np.abs(np.fft.rfft(output.audio[0].numpy() * np.hanning(toys.SAMPLE_RATE)))
    for k in range(1, 7):
        hz = k * float(f0_hz) * np.sqrt(1 + float(b) * k**2)
        around = spectrum[int(hz) - 60 : int(hz) + 60]
        assert int(hz) - 60 + np.argmax(around) == pytest.approx(hz, abs=4.0)


def test_a_graph_of_strings_is_traced_with_their_measure():
    generator = toys.hybrid()
    generator.adapt(toys.strings())
    z, asked = generator.prior(3, 0), toys.conditioning()
    graph = tf.function(lambda z: generator(z, asked, seed=0).audio)
    np.testing.assert_allclose(graph(z), generator(z, asked, seed=0).audio, atol=1e-5)


def test_the_level_follows_velocity_before_training():
    plain, graded = toys.hybrid(), toys.hybrid(velocity_exponent=2.0)
    z, conditioning = plain.prior(3, seed=0), toys.conditioning(velocity=(30.0, 100.0, 127.0))
    before = plain.get_controls(z, conditioning)["loudness_db"]
    graded.get_controls(z, conditioning)
    graded.set_weights(plain.get_weights())
    change = (graded.get_controls(z, conditioning)["loudness_db"] - before).numpy()
    expected = 40.0 * np.log10(np.array([30.0, 100.0, 127.0]) / 127.0)
    np.testing.assert_allclose(
        change[:, :, 0], np.tile(expected[:, None], change.shape[1]), atol=1e-3
    )
