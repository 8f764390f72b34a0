"""The metrics of an evaluation: functions of a reference, recordings and generated examples.

`families(reference)` lists them; `noisygan.evaluation.evaluating` runs them.
"""

from __future__ import annotations

import contextlib
from typing import NamedTuple

import numpy as np
from scipy import stats

from noisygan.evaluation import note_metrics
from noisygan.evaluation.examples import half_of
from noisygan.evaluation.report import Metric
from noisygan.metrics import bootstrap, classifiers, crepe, descriptors, distances, neighbours
from noisygan.metrics.bootstrap import Estimate
from noisygan.metrics.copies import find_copies, suspicious
from noisygan.metrics.features import Projection
from noisygan.metrics.pitch import track_pitch

SPACES = ("log-mel", "mfcc", "temporal log-mel", "classifier")
HEADLINE_SPACE = "log-mel"
MMD, NOTE_DISTANCE = f"MMD^2 x 1000, {HEADLINE_SPACE}", note_metrics.WHOLE.name
N_W1_RESAMPLES = 60
# Limits the weight of one descriptor in the mean.
MAX_SPREADS = 10.0
N_PAIRS = 10
N_CANDIDATES = 8
SEMITONES_PER_CLASS = 4
MIN_PER_CLASS = 4
# A lower accuracy on recordings says nothing about generated examples.
TRUSTED_ACCURACY = 60.0


class ClassClassifier:
    """A classifier of the recordings' labels, or, of one label, pitches in steps of 4 semitones.

    Args:
      train: Examples.

    Attributes:
      names: Classes, list of str.
      what: Description of the classes.
      network: `PictureClassifier`.

    Raises:
      ValueError: if there are fewer than two classes.
    """

    def __init__(self, train):
        self.by_label, self.lowest = len(train.classes) > 1, train.pitch.min()
        steps = f"pitches in steps of {SEMITONES_PER_CLASS} semitones"
        self.what = "labels" if self.by_label else steps
        classes = self.classes_of(train)
        names, counts = np.unique(classes, return_counts=True)
        names = [n for n, k in zip(names, counts, strict=True) if k >= MIN_PER_CLASS and n]
        if len(names) < 2:
            raise ValueError(
                f"fewer than two classes ({self.what}) have {MIN_PER_CLASS} training recordings"
            )
        known = np.isin(classes, names)
        self.names = [str(n) for n in names]
        self.network = classifiers.PictureClassifier(len(names)).fit(
            train.features.pictures[known], np.searchsorted(names, classes[known])
        )

    def classes_of(self, examples):
        """Class of each example, "" where unknown, [n]."""
        if self.by_label:
            return examples.labels
        step = np.floor((examples.pitch - self.lowest) / SEMITONES_PER_CLASS)
        return np.array(["" if np.isnan(x) else f"pitch {x:03.0f}" for x in step])

    def accuracy(self, examples):
        """Share of examples classified as their (target) class in percent, an Estimate.

        Raises:
          ValueError: if no example has a class of the recordings.
        """
        target = self.classes_of(examples)
        known = np.isin(target, self.names)
        if not known.any():
            raise ValueError("no example has a class of the recordings")
        probabilities = self.network(examples.features.pictures[known])[0]
        found = np.array(self.names)[probabilities.argmax(1)]
        return bootstrap.share(found == target[known], 100.0)


class Reference:
    """Recordings that examples are compared with, and models fitted to the training ones.

    Components, bins and the classifier are fitted to one half of the training recordings (split by
    pitch or drum). The other half, `others`, gives the floor: it is as unknown to them as the
    generated examples.

    Args:
      train: Examples, training recordings.
      test: Examples, held-out recordings.
      embeddings: dict name -> function(audio [n, n_samples], sample_rate) -> vectors [n, d]:
        further feature spaces.

    Attributes:
      crepe: `metrics.crepe.CREPETiny` if its weights are installed, or None.
    """

    def __init__(self, train, test, embeddings=None):
        self.train, self.test = train, test
        self.embeddings = dict(embeddings or {})
        self.crepe = crepe.installed()
        known = half_of(train.groups, train.labels)
        if known.all():  # one pitch, one drum
            known = np.arange(len(train)) % 2 == 0
        train.features  # noqa: B018 (computed once for both halves)
        self.known, self.others = train.take(known), train.take(~known)
        fitted = ["log-mel", "temporal log-mel", *self.embeddings]
        self.projections = {name: Projection(self._raw(self.known, name)) for name in fitted}
        self.floors = {}
        self._classifier = self._note_floors = None

    def _raw(self, examples, space):
        if space in self.embeddings:
            return examples.embedded(space, self.embeddings[space])
        return examples.features.vectors[space]

    @property
    def embedding_names(self):
        """Names of all embeddings in use, a list of str."""
        return [*self.embeddings, *([crepe.ABOUT] if self.crepe else [])]

    def crepe_frames(self, examples):
        """`CREPETiny`'s embedding of frames, [n, n_frames, 256]."""
        return examples.embedded(crepe.ABOUT, self.crepe)

    @property
    def classifier(self):
        """`ClassClassifier` of the recordings, trained on first use; ValueError without classes."""
        self._classifier = self._classifier or ClassClassifier(self.known)
        return self._classifier

    @property
    def note_floors(self):
        """`note_metrics.note_floors` of the recordings, computed once."""
        self._note_floors = self._note_floors or note_metrics.note_floors(self.train, self.test)
        return self._note_floors

    def vectors(self, examples, space):
        """Points of a feature space, [n, d]."""
        if space == "classifier":
            return self.classifier.network(examples.features.pictures)[1]
        values = self._raw(examples, space)
        return self.projections[space](values) if space in self.projections else values


class Family(NamedTuple):
    """Metrics that one function computes.

    Attributes:
      metrics: tuple of Metric.
      compute: Function (Reference, recordings, generated), both Examples, -> dict name -> Estimate.
        Raises ValueError with the reason if the metrics do not apply.
      by_class: Whether the metrics are computed for each class as well.
      ceiling: Whether they are computed for the ceiling.
      floor: As `compute`, for the floor; None: `compute` with training recordings.
    """

    metrics: tuple
    compute: object
    by_class: bool = False
    ceiling: bool = True
    floor: object = None


NOTE_COURSE = Family(note_metrics.METRICS, note_metrics.compute, floor=note_metrics.floor)


def families(reference, n_pitch=40):
    """list of Family: all metrics, the headline first; n_pitch examples for the pitch tracker."""
    pitched = reference.test.has_pitch
    spaces = [*SPACES, *reference.embeddings]
    found = [family for space in spaces for family in _of_space(space, pitched)]
    head = [family for family in found if any(m.headline for m in family.metrics)]
    return [
        *([NOTE_COURSE] if pitched else head),
        _descriptors(pitched),
        _two_sample(),
        *_classified(),
        *([_pitch(n_pitch)] if pitched else []),
        *(_crepe_distances() if reference.crepe else []),
        *(_crepe_pitch() if reference.crepe and pitched else []),
        _diversity(),
        _artefacts(),
        *(family for family in found if family not in head),
    ]


def main_distances(reference, examples):
    """Main distances of examples, for curves over time: dict metric -> float.

    MMD, and the note distance of notes at the recordings' pitches.
    """
    vectors = (reference.vectors(x, HEADLINE_SPACE) for x in (reference.test, examples))
    found = {MMD: distances.mmd2_estimate(*vectors, scale=1000.0).value}
    if examples.has_pitch and reference.test.has_pitch:
        with contextlib.suppress(ValueError):  # The table says why it does not apply.
            values = note_metrics.compute(reference, reference.test, examples)
            found[NOTE_DISTANCE] = values[NOTE_DISTANCE].value
    return found


def _of_space(space, pitched):
    # The envelope of notes is the headline of pitched notes.
    head = space == HEADLINE_SPACE and not pitched

    def metric(what, better=False):
        # Precision and density barely react to degraded recordings (benchmarks/metric_ladders.py).
        shown = head and what not in ("precision", "density")
        return Metric(f"{what}, {space}", f"distance: {space}", "", better, shown)

    def single(what, function, **options):
        one = metric(what)

        def compute(reference, recordings, generated):
            a, b = (reference.vectors(x, space) for x in (recordings, generated))
            return {one.name: function(a, b, **options)}

        return (one,), compute

    def four(reference, recordings, generated):
        a, b = (reference.vectors(x, space) for x in (recordings, generated))
        found = neighbours.precision_recall_density_coverage(a, b)
        return {f"{name}, {space}": estimate for name, estimate in found.items()}

    ndb = metric("NDB")

    def bins(reference, recordings, generated):
        sets = (reference.known, recordings, generated)
        return {ndb.name: neighbours.different_bins(*(reference.vectors(x, space) for x in sets))}

    # A density above 1 is that of examples in the middle of the recordings.
    better = {"precision": True, "recall": True, "density": None, "coverage": True}
    shares = tuple(metric(*each) for each in better.items())
    mmd = single("MMD^2 x 1000", distances.mmd2_estimate, scale=1000.0)
    return [
        Family(*mmd, by_class=True),
        Family(*single("Frechet", distances.frechet_estimate)),
        Family(*single("Frechet at infinite N", distances.frechet_at_infinity)),
        Family(shares, four, by_class=head),
        Family((ndb,), bins),
    ]


def _descriptors(pitched):
    wanted = {**descriptors.GENERAL, **(descriptors.PITCHED if pitched else descriptors.DRUMS)}
    group = "descriptors (Wasserstein-1)"
    whole = Metric("descriptor distance", group, "spreads", False, headline=True)
    each = {
        name: Metric(f"{name} distance", "drums" if name in descriptors.DRUMS else group, unit)
        for name, unit in wanted.items()
    }

    def compute(reference, recordings, generated):
        found, values, resamples = {}, [], []
        for name, metric in each.items():
            real, fake, train = (
                v[np.isfinite(v)]
                for v in (
                    x.features.described[name] for x in (recordings, generated, reference.train)
                )
            )
            if min(len(real), len(fake)) < 2:
                found[metric.name] = Estimate(float("nan"), None, "no example has it")
                continue
            found[metric.name], resampled = wasserstein(real, fake)
            spread = max(np.std(train), np.std(real)) if len(train) else np.std(real)
            if spread > 1e-6:
                values.append(min(found[metric.name].value / spread, MAX_SPREADS))
                resamples.append(np.minimum(resampled / spread, MAX_SPREADS))
        value = float(np.mean(values))
        interval = bootstrap.interval(value, np.mean(resamples, axis=0), 0.0)
        note = f"mean of {len(values)}, in deviations of the recordings"
        return {whole.name: Estimate(value, interval, note), **found}

    return Family((whole, *each.values()), compute, by_class=True)


def wasserstein(real, fake):
    """Wasserstein-1 distance of two samples of a number: (Estimate, resampled [n_resamples])."""
    value = float(stats.wasserstein_distance(real, fake))
    rows = bootstrap.paired_draws(len(real), len(fake), N_W1_RESAMPLES)
    resampled = np.array([stats.wasserstein_distance(real[i], fake[j]) for i, j in rows])
    return Estimate(value, bootstrap.interval(value, resampled, 0.0)), resampled


def _two_sample():
    metric = Metric("two-sample accuracy", "two-sample test", "%", False, headline=True)

    def compute(reference, recordings, generated):
        pictures = (x.features.pictures for x in (recordings, generated))
        groups = (x.groups for x in (recordings, generated))
        return {metric.name: classifiers.two_sample_accuracy(*pictures, *groups)}

    return Family((metric,), compute)


def _classified():
    group = "classifier of the recordings"
    own = Metric("accuracy on held-out recordings", group, "%", True)
    accuracy = Metric("accuracy on generated examples", group, "%", True)
    score = Metric("inception-style score", group, "", None)
    entropies = (
        Metric("entropy of classes", group, "", None),
        Metric("entropy of an example", group, "", None),
    )

    def on_recordings(reference, recordings, generated):
        estimate = reference.classifier.accuracy(recordings)
        note = f"{len(reference.classifier.names)} {reference.classifier.what}"
        if estimate.value < TRUSTED_ACCURACY:
            note += "; too low to trust it on generated examples"
        return {own.name: estimate._replace(note=note)}

    def on_generated(reference, recordings, generated):
        return {accuracy.name: reference.classifier.accuracy(generated)}

    def inception(reference, recordings, generated):
        probabilities, _ = reference.classifier.network(generated.features.pictures)
        return classifiers.inception_style(probabilities)

    return [
        Family((own,), on_recordings, ceiling=False),
        Family((accuracy,), on_generated),
        Family((score, *entropies), inception),
    ]


def _pitch(n_pitch):
    group = "pitch"
    limits = {f"within {cents} cents of the target pitch": cents for cents in (25, 50)}
    metrics = [Metric(name, group, "%", True, headline=limits[name] == 50) for name in limits]
    voicing = Metric("voiced", group, "%", True)

    def compute(reference, recordings, generated):
        if not n_pitch:
            raise ValueError("left out")
        if not generated.has_pitch:
            raise ValueError("the generator is not conditioned on pitch")
        deviation, voiced, tracker = track_pitch(
            generated.audio, generated.sample_rate, generated.pitch, n_pitch
        )
        note = f"{len(deviation)} examples, {tracker}"
        shares = {
            name: bootstrap.share(deviation <= limit, 100.0, note) for name, limit in limits.items()
        }
        return {**shares, voicing.name: bootstrap.mean(100.0 * voiced, 0.0, 100.0, note)}

    return Family((*metrics, voicing), compute, ceiling=False)


def _crepe_distances():
    group = "public embedding (CREPE tiny)"
    frechet = Metric("Frechet audio distance", group, "", False, headline=True)
    kernel = Metric("kernel audio distance x 100", group)

    def of_frames(reference, recordings, generated):
        sets = (reference.crepe_frames(x) for x in (recordings, generated))
        return {frechet.name: distances.frechet_estimate(*sets)}

    def of_means(reference, recordings, generated):
        sets = (reference.crepe_frames(x).mean(1) for x in (recordings, generated))
        return {kernel.name: distances.mmd2_estimate(*sets, scale=100.0)}

    return [Family((frechet,), of_frames), Family((kernel,), of_means)]


def _crepe_pitch():
    group = "pitch classifier (CREPE tiny)"
    accuracy = Metric("pitch accuracy", group, "%", True)
    entropy = Metric("pitch entropy", group, "nats", None)

    def probabilities(reference, examples):
        frames = reference.crepe_frames(examples)
        low, high = (round(share * frames.shape[1]) for share in descriptors.HELD)
        return reference.crepe.pitch_probabilities(frames[:, low : max(high, low + 1)])

    def right(reference, recordings, generated):
        if not generated.has_pitch:
            raise ValueError("the generator is not conditioned on pitch")
        wanted = generated.pitch.round()
        inside = (crepe.PITCHES[0] <= wanted) & (wanted <= crepe.PITCHES[-1])
        if not inside.any():
            raise ValueError(f"no pitch is within {crepe.PITCHES[0]} to {crepe.PITCHES[-1]}")
        found = crepe.PITCHES[probabilities(reference, generated.take(inside)).argmax(1)]
        return {accuracy.name: bootstrap.share(found == wanted[inside], 100.0)}

    def entropies(reference, recordings, generated):
        p = np.maximum(probabilities(reference, generated), 1e-12)
        return {entropy.name: bootstrap.mean(-(p * np.log(p)).sum(1), 0.0)}

    return [Family((accuracy,), right), Family((entropy,), entropies)]


def _diversity():
    metric = Metric("diversity", "diversity", "of the recordings'", None, headline=True)

    def compute(reference, recordings, generated):
        a, b = (reference.vectors(x, HEADLINE_SPACE) for x in (recordings, generated))
        return {metric.name: neighbours.relative_diversity(a, b)}

    return Family((metric,), compute, by_class=True)


def _artefacts():
    checkerboard = Metric("checkerboard energy", "artefacts", "dB", None, headline=True)
    clipping = Metric(descriptors.CLIPPING, "artefacts", descriptors.UNITS[descriptors.CLIPPING])

    def compute(reference, recordings, generated):
        features = generated.features
        return {
            checkerboard.name: bootstrap.mean(features.checkerboard, 0.0),
            clipping.name: bootstrap.mean(features.described[clipping.name], 0.0, 100.0),
        }

    return Family((checkerboard, clipping), compute)


# Noise is never suspicious, some recordings are.
COPIES = Metric("suspicious copies", "memorisation", "%", None, headline=True)
NEARNESS = Metric(
    "distance to the nearest training example", "memorisation", "of the recordings'", None
)


def memorisation(reference, generated):
    """Share of suspicious copies, relative distance to the training set, and the closest pairs.

    Returns:
      (dict Metric -> (Estimate, floor); `pairs` and `pair_audio` of a `Report`).
    """
    train, test = reference.train, reference.test
    found = find_copies(
        generated.audio, train.audio, test.audio, train.sample_rate, n_candidates=N_CANDIDATES
    )
    flagged, nearest = suspicious(found), found["log-mel"]
    note = "closer to a training example, by waveform or log-mel, than 19 of 20 recordings"
    copies = bootstrap.share(flagged, 100.0, note)
    scale = max(float(nearest.own_distances.mean()), 1e-9)
    nearness = bootstrap.mean(nearest.distances / scale, 0.0, note="held-out to training: 1")
    results = {
        COPIES: (copies, 100.0 * float(suspicious(found, own=True).mean())),
        NEARNESS: (nearness, 1.0),
    }
    rows = np.argsort(nearest.distances)[:N_PAIRS]
    pairs = [
        {
            "generated": generated.names[i],
            "training": train.names[nearest.rows[i]],
            "distance_db": round(float(nearest.distances[i]), 3),
            "suspicious": bool(flagged[i]),
        }
        for i in rows
    ]
    return results, pairs, [(generated.audio[i], train.audio[nearest.rows[i]]) for i in rows]
