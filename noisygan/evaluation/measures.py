"""The measures: functions of recordings and sounds, each with the metrics that it fills.

`families(reference)` lists them; `noisygan.evaluation.evaluate` runs them.
"""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
from scipy import stats

from noisygan.evaluation import networks
from noisygan.evaluation.results import Metric
from noisygan.evaluation.sounds import half_of, without_velocity
from noisygan.metrics import bootstrap, descriptors, distances, features, neighbours
from noisygan.metrics.bootstrap import Estimate

SPACES = ("log-mel", "mfcc", "temporal log-mel", "classifier")
HEADLINE_SPACE = "log-mel"
N_W1_RESAMPLES = 60
# A descriptor that is off by more counts as so much, lest one of them be all.
MAX_SPREADS = 10.0
# Of the asked pitch; the edges are no octaves, where doubled periods would gather.
PYIN_RANGE = (0.2, 3.6)
PYIN_LOWEST_HZ = 20.0
PYIN_FRAME_SECONDS = 0.128


class Measured:
    """Sounds with their features.

    Args:
      sounds: Sounds.
      extracted: Their `Features`; made where absent.
    """

    def __init__(self, sounds, extracted=None):
        self.sounds = sounds
        self.features = features.extract(sounds) if extracted is None else extracted
        self.extra = {}

    def __len__(self):
        return len(self.sounds)

    def take(self, rows):
        """The same of some rows."""
        rows = np.arange(len(self))[rows]
        taken = Measured(self.sounds.take(rows), self.features.take(rows))
        taken.extra = {name: values[rows] for name, values in self.extra.items()}
        return taken

    def of_class(self, name):
        """The sounds of one class."""
        return self.take(np.flatnonzero(self.sounds.labels == name))

    @property
    def groups(self):
        """What must not be split between learning and testing: a pitch, or a drum, str [n]."""
        if self.sounds.has_pitch:
            return self.sounds.pitch.astype(int).astype(str)
        return np.array([without_velocity(name) for name in self.sounds.names])


class Reference:
    """Recordings that sounds are compared with, and what was learnt from the training ones.

    Components, bins and the judge of classes are learnt from one half of the training recordings
    (a pitch or a drum is in one half) and know the other as little as the generated sounds: that
    half, `others`, stands in their place for the floor.

    Args:
      train: Sounds, recordings for training.
      test: Sounds, recordings that were held out.
      spaces: dict name -> function from Sounds to vectors [n, d]: further spaces.
    """

    def __init__(self, train, test, spaces=None):
        self.embeddings = dict(spaces or {})
        self.train, self.test = self.measured(train), self.measured(test)
        known = half_of(self.train.groups, train.labels)
        if known.all():  # one pitch, one drum
            known = np.arange(len(train)) % 2 == 0
        self.known, self.others = self.train.take(known), self.train.take(~known)
        self.projections = {
            name: features.Projection(values)
            for name, values in self.known.features.vectors.items()
            if name != "mfcc"
        }
        for name in self.embeddings:
            self.projections[name] = features.Projection(self.known.extra[name])
        self.floors = {}
        self._judge = None

    def measured(self, sounds):
        """`Measured` of Sounds, with the further spaces; what is measured already stays so."""
        if isinstance(sounds, Measured):
            return sounds
        measured = Measured(sounds)
        measured.extra = {name: embed(sounds) for name, embed in self.embeddings.items()}
        return measured

    @property
    def judge(self):
        """The network trained on the recordings' own classes.

        Raises:
          ValueError: where they have none.
        """
        if self._judge is None:
            try:
                known = self.known
                self._judge = networks.train_judge(known.sounds, known.features.pictures)
            except ValueError as error:
                self._judge = error
        if isinstance(self._judge, ValueError):
            raise self._judge
        return self._judge

    def vectors(self, measured, space):
        """Points of a space, [n, d]."""
        if space == "classifier":
            return self.judge.network(measured.features.pictures)[1]
        own = measured.features.vectors.get(space)
        values = measured.extra[space] if own is None else own
        return self.projections[space](values) if space in self.projections else values


class Family(NamedTuple):
    """A measure.

    Attributes:
      metrics: Those that it fills.
      compute: A function (Reference, recordings, sounds), both `Measured`, to a dict from a
        metric's name to an Estimate. A ValueError says why it can't be.
      by_class: Whether it is measured for each class as well.
      ceiling: Whether it is measured of an untrained generator too.
    """

    metrics: tuple
    compute: object
    by_class: bool = False
    ceiling: bool = True


def families(reference, n_pitch=40):
    """All measures that compare sounds with recordings, the headline first.

    Args:
      reference: Reference.
      n_pitch: How many sounds the pitch tracker hears; 0: none.

    Returns:
      list of Family.
    """
    spaces = [*SPACES, *reference.embeddings]
    found = [f for space in spaces for f in _of_space(space)]
    head = [f for f in found if any(m.headline for m in f.metrics)]
    rest = [f for f in found if f not in head]
    pitched = reference.test.sounds.has_pitch
    return [
        *head,
        _descriptors(pitched),
        _two_sample(),
        *_judged(),
        *([_pitch(n_pitch)] if pitched else []),
        _diversity(),
        _tones(),
        *rest,
    ]


def _of_space(space):
    head = space == HEADLINE_SPACE

    def metric(what, better=False):
        # The self-test shows precision and density to order hardly any ladder.
        shown = head and what not in ("precision", "density")
        return Metric(f"{what}, {space}", f"distance: {space}", "", better, shown)

    mmd, frechet, far, bins = (
        metric(what) for what in ("MMD^2 x 1000", "Frechet", "Frechet at infinite N", "NDB")
    )
    shares = tuple(metric(what, True) for what in ("precision", "recall", "density", "coverage"))

    def two(function, *arguments, **more):
        def compute(reference, recordings, sounds):
            a, b = (reference.vectors(x, space) for x in (recordings, sounds))
            return function(a, b, *arguments, **more)

        return compute

    def named(metric, function, **more):
        run = two(function, **more)
        return lambda *sets: {metric.name: run(*sets)}

    def four(*sets):
        run = two(neighbours.precision_recall_density_coverage)
        return {f"{name}, {space}": estimate for name, estimate in run(*sets).items()}

    def filled(reference, recordings, sounds):
        a, b, c = (reference.vectors(x, space) for x in (reference.known, recordings, sounds))
        return {bins.name: neighbours.different_bins(a, b, c)}

    return [
        Family((mmd,), named(mmd, distances.mmd2_estimate, scale=1000.0), by_class=True),
        Family((frechet,), named(frechet, distances.frechet_estimate)),
        Family((far,), named(far, distances.frechet_at_infinity)),
        Family(shares, four, by_class=head),
        Family((bins,), filled),
    ]


def _descriptors(pitched):
    wanted = {**descriptors.GENERAL, **(descriptors.PITCHED if pitched else descriptors.DRUMS)}
    group = "descriptors (Wasserstein-1)"
    whole = Metric("descriptor distance", group, "spreads", False, headline=True)
    each = {
        name: Metric(f"{name} distance", "drums" if name in descriptors.DRUMS else group, unit)
        for name, unit in wanted.items()
    }

    def compute(reference, recordings, sounds):
        found, off, intervals = {}, [], []
        for name, metric in each.items():
            real, fake, train = (
                _finite(x.features.described[name]) for x in (recordings, sounds, reference.train)
            )
            if min(len(real), len(fake)) < 2:
                found[metric.name] = Estimate(float("nan"), None, "no sound has it")
                continue
            estimate, resampled = wasserstein(real, fake)
            found[metric.name] = estimate
            spread = max(np.std(train), np.std(real)) if len(train) else np.std(real)
            if spread > 1e-6:
                off.append(min(estimate.value / spread, MAX_SPREADS))
                intervals.append(np.minimum(resampled / spread, MAX_SPREADS))
        value = float(np.mean(off))
        around = bootstrap.interval(value, np.mean(intervals, axis=0), 0.0)
        note = f"mean of {len(off)}, in deviations of the recordings"
        return {whole.name: Estimate(value, around, note), **found}

    return Family((whole, *each.values()), compute, by_class=True)


def _finite(values):
    return values[np.isfinite(values)]


def wasserstein(real, fake):
    """Wasserstein-1 distance of two samples of a number: (Estimate, [n_resamples])."""
    value = float(stats.wasserstein_distance(real, fake))
    resampled = np.array(
        [
            stats.wasserstein_distance(real[i], fake[j])
            for i, j in zip(
                bootstrap.draws(len(real), N_W1_RESAMPLES),
                bootstrap.draws(len(fake), N_W1_RESAMPLES, bootstrap.SEED + 1),
                strict=True,
            )
        ]
    )
    return Estimate(value, bootstrap.interval(value, resampled, 0.0)), resampled


def _two_sample():
    metric = Metric("two-sample accuracy", "two-sample test", "%", False, headline=True)

    def compute(reference, recordings, sounds):
        estimate = networks.two_sample_accuracy(
            recordings.features.pictures,
            sounds.features.pictures,
            recordings.groups,
            sounds.groups,
        )
        return {metric.name: estimate}

    return Family((metric,), compute)


def _judged():
    group = "judged by a classifier of the recordings"
    own = Metric("classifier right about held-out recordings", group, "%", True)
    asked = Metric("taken for what was asked", group, "%", True)
    score = Metric("inception-style score", group, "", True)
    classes = Metric("entropy of classes", group, "", None)
    one = Metric("entropy of a sound", group, "", None)

    def right(reference, recordings, sounds):
        judge = reference.judge
        estimate = judge.accuracy(recordings.sounds, recordings.features.pictures)
        trusted = estimate.value >= 100.0 * networks.TRUSTED_ACCURACY
        note = f"{len(judge.names)} {judge.what}" + (
            "" if trusted else "; too low to trust what it says of generated sounds"
        )
        return {own.name: estimate._replace(note=note)}

    def taken(reference, recordings, sounds):
        return {asked.name: reference.judge.accuracy(sounds.sounds, sounds.features.pictures)}

    def spread(reference, recordings, sounds):
        return networks.inception_style(reference.judge.network(sounds.features.pictures)[0])

    return [
        Family((own,), right, ceiling=False),
        Family((asked,), taken),
        Family((score, classes, one), spread),
    ]


def _pitch(n_pitch):
    names = (
        "within 25 cents of the asked pitch",
        "within 50 cents of the asked pitch",
        "voiced",
    )
    metrics = tuple(
        Metric(name, "pitch (pYIN)", "%", True, headline=name == names[1]) for name in names
    )

    def compute(reference, recordings, sounds):
        if not n_pitch:
            raise ValueError("left out (--pitch_sounds 0)")
        if not sounds.sounds.has_pitch:
            raise ValueError("the sounds were asked for no pitch")
        off, voiced, tracker = track_pitch(sounds.sounds, n_pitch)
        note = f"{len(off)} sounds, {tracker}"
        shares = [100.0 * (off <= 25.0), 100.0 * (off <= 50.0), 100.0 * voiced]
        return {
            name: bootstrap.mean(values, 0.0, 100.0, note)
            for name, values in zip(names, shares, strict=True)
        }

    return Family(metrics, compute, ceiling=False)


def track_pitch(sounds, n):
    """How far sounds are off the asked pitch, by CREPE where it is installed, else by pYIN.

    Args:
      sounds: Sounds with pitches.
      n: At most so many are heard, drawn by a fixed seed.

    Returns:
      (cents [k], infinite where nothing is voiced; share of voiced frames [k]; the tracker's name).
    """
    from synths.pitch import CREPE, PYIN

    rate = sounds.sample_rate
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            crepe = CREPE()
        except ImportError:
            crepe = None
        length = 1 << round(np.log2(PYIN_FRAME_SECONDS * rate))
        rows = np.random.default_rng(bootstrap.SEED).permutation(len(sounds))[:n]
        low, high = (int(share * sounds.audio.shape[1]) for share in descriptors.HELD)
        off, voiced = [], []
        for row in rows:
            asked = 440.0 * 2.0 ** ((sounds.pitch[row] - 69.0) / 12.0)
            # Two periods of the lowest pitch must fit into a frame.
            lowest = max(PYIN_LOWEST_HZ, 2.1 * rate / length, PYIN_RANGE[0] * asked)
            tracker = crepe or PYIN(lowest, min(PYIN_RANGE[1] * asked, 0.49 * rate), length)
            f0_hz, confidence, _ = tracker(sounds.audio[row, low:high], rate, 62.5)
            heard = confidence > 0.5
            cents = 1200.0 * np.log2(np.median(f0_hz[heard]) / asked) if heard.any() else np.inf
            off.append(abs(cents))
            voiced.append(heard.mean())
    return np.array(off), np.array(voiced), "CREPE" if crepe else "pYIN"


def _diversity():
    metric = Metric("diversity", "diversity", "of the recordings'", None, headline=True)

    def compute(reference, recordings, sounds):
        a, b = (reference.vectors(x, HEADLINE_SPACE) for x in (recordings, sounds))
        return {metric.name: neighbours.relative_diversity(a, b)}

    return Family((metric,), compute, by_class=True)


def _tones():
    metric = Metric("checkerboard energy", "artefacts", "dB", False, headline=True)

    def compute(reference, recordings, sounds):
        return {metric.name: bootstrap.mean(sounds.features.tones, 0.0)}

    return Family((metric,), compute)
