"""Voice stream: equal to the whole, rows with independent times."""

import numpy as np
import pytest
import tensorflow as tf

from synths import FilteredNoise, Harmonic, VoiceStream

RATE, N_FRAMES, N_BANDS, N_HARMONICS = 16000, 12, 17, 6


def controls(n_rows=2, seed=0, stretched=False):
    rng = np.random.default_rng(seed)
    drawn = {
        "f0_hz": rng.uniform(100.0, 3000.0, (n_rows, N_FRAMES, 1)),
        "amplitudes": rng.uniform(0.1, 1.0, (n_rows, N_FRAMES, 1)),
        "harmonic_distribution": rng.uniform(0.0, 0.2, (n_rows, N_FRAMES, N_HARMONICS)),
        "magnitudes": rng.uniform(0.0, 1.0, (n_rows, N_FRAMES, N_BANDS)),
    }
    if stretched:
        drawn["inharmonicity"] = rng.uniform(1e-4, 1e-2, (n_rows, 1, 1))
    return {name: tf.constant(value, tf.float32) for name, value in drawn.items()}


def whole(drawn, seed, hop):
    """Render all frames with `Harmonic` and `FilteredNoise`."""
    n = N_FRAMES * hop
    tone = Harmonic(n, RATE, amp_resample_method="linear")
    hiss = FilteredNoise(n, window_size=0)
    sound = hiss.get_signal(drawn["magnitudes"], seed=seed)
    drawn = {name: value for name, value in drawn.items() if name != "magnitudes"}
    return (tone.get_signal(**drawn) + sound).numpy()


def frame(drawn, i):
    """One frame; behind the last one this is held."""
    return {name: value[:, min(i, value.shape[1] - 1)] for name, value in drawn.items()}


@pytest.mark.parametrize("stretched", [False, True])
@pytest.mark.parametrize("hop", [16, 40, 160])
def test_blocks_joined_are_the_whole(hop, stretched):
    drawn, seed = controls(stretched=stretched), tf.constant([5, -9])
    stream = VoiceStream(hop, RATE, N_HARMONICS, N_BANDS, stretched)
    call, state, blocks = tf.function(stream), stream.initial_state(2), []
    for i in range(N_FRAMES + 2 + stream.latency // hop):
        audio, state = call(frame(drawn, i) | {"seed": seed}, state)
        assert audio.shape == (2, hop)
        blocks.append(audio)
    streamed = np.concatenate(blocks, axis=1)[:, stream.latency :]
    # Up to where the whole knows no frame behind the last one.
    n = N_FRAMES * hop - stream.margin
    np.testing.assert_allclose(streamed[:, :n], whole(drawn, seed, hop)[:, :n], atol=2e-5)


def test_a_voice_begins_anew_while_the_others_sound_on():
    hop, seed = 40, tf.constant([5, 6])
    one, two = controls(seed=1), controls(seed=2)
    stream = VoiceStream(hop, RATE, N_HARMONICS, N_BANDS)
    state, blocks = stream.initial_state(2), []
    silent = {"amplitudes": tf.zeros([1, 1]), "magnitudes": tf.zeros([1, N_BANDS])}
    begins = 4
    for i in range(N_FRAMES + begins + 3):
        if i == begins:
            state["n_frames"] = state["n_frames"] * tf.constant([1, 0])
        first, second = frame(one, i), frame(two, max(i - begins, 0))
        if i < begins:
            second = second | {name: tf.repeat(x, 2, axis=0) for name, x in silent.items()}
        now = {name: tf.stack([first[name][0], second[name][1]]) for name in first}
        audio, state = stream(now | {"seed": seed}, state)
        blocks.append(audio)
    streamed = np.concatenate(blocks, axis=1)[:, stream.latency :]
    n = N_FRAMES * hop - stream.margin
    np.testing.assert_allclose(streamed[0, :n], whole(one, seed, hop)[0, :n], atol=2e-5)
    late = streamed[1, begins * hop :]
    # Its filter reaches back to before the note, where the whole has no noise either.
    np.testing.assert_allclose(late[:n], whole(two, seed, hop)[1, :n], atol=2e-5)


def test_hours_later_it_is_in_tune_and_its_noise_is_the_same():
    # A day at 48 kHz in: the sample number has wrapped, the phase is what the formula says.
    stream = VoiceStream(64, 48000, 1, 2)
    n_frames = 70_000_000
    f0 = tf.constant([[1000.0]])
    state = stream.initial_state(1) | {
        "n_frames": tf.constant([n_frames]),
        "f0_hz": f0,
        "harmonics": tf.ones([1, 1]),
    }
    now = {
        "f0_hz": f0,
        "amplitudes": tf.ones([1, 1]),
        "harmonic_distribution": tf.ones([1, 1]),
        "magnitudes": tf.zeros([1, 2]),
        "seed": tf.constant([1]),
    }
    for _ in range(3):
        audio, state = stream(now, state)
    expected = np.sin(2 * np.pi * 1000.0 * np.arange(128, 192) / 48000)
    np.testing.assert_allclose(audio[0], expected, atol=1e-5)
