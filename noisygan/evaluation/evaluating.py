"""Runs all measures of generated sounds against held-out recordings, one by one."""

from __future__ import annotations

import numpy as np
from threadpoolctl import threadpool_limits

from noisygan.evaluation import measures
from noisygan.evaluation.memorisation import COPIES, NEARNESS, memorisation
from noisygan.evaluation.results import Result
from noisygan.metrics import bootstrap

MIN_OF_CLASS = 10


def evaluate(reference, generated, ceiling=None, n_pitch=40, on_pairs=None):
    """Measures of generated sounds, each as soon as it is there.

    A measure that fails is a result that says why; the others go on.

    Args:
      reference: `measures.Reference` of the recordings. Its floors are kept in it, so that a
        second set of sounds takes less time.
      generated: Sounds, or `measures.Measured` by the reference.
      ceiling: Sounds of an untrained generator, or None.
      n_pitch: How many sounds the pitch tracker hears; 0: none.
      on_pairs: Called with the closest pairs of `memorisation`, or None.

    Yields:
      Result, the headline ones first.
    """
    sounds = reference.measured(generated)
    untrained = None if ceiling is None else reference.measured(ceiling)
    floor_rows = np.random.default_rng(bootstrap.SEED).permutation(len(reference.others))
    others = reference.others.take(np.sort(floor_rows[: len(generated)]))
    for family in measures.families(reference, n_pitch):
        yield from _run(family, reference, sounds, untrained, others)
    yield from _memorised(reference, sounds.sounds, on_pairs)


def _run(family, reference, sounds, untrained, others):
    values, reason = attempt(family, reference, reference.test, sounds)
    key = (family.metrics[0].name, len(others))
    if key not in reference.floors:
        reference.floors[key] = attempt(family, reference, reference.test, others)[0]
    floors = reference.floors[key]
    ceilings = {}
    if untrained is not None and family.ceiling:
        ceilings = attempt(family, reference, reference.test, untrained)[0]
    classes = _by_class(family, reference, sounds, others) if family.by_class else {}
    for metric in family.metrics:
        estimate = values.get(metric.name)
        if estimate is not None and not np.isfinite(estimate.value):
            reason, estimate = estimate.note or "not a number", None
        floor, ceiling = (_value(found, metric) for found in (floors, ceilings))
        if estimate is None:
            yield Result(metric, floor=floor, ceiling=ceiling, not_run=reason)
            continue
        per_class = {
            name: {
                "value": own[metric.name].value,
                "interval": own[metric.name].interval,
                "floor": _value(own_floors, metric),
            }
            for name, (own, own_floors) in classes.items()
            if metric.name in own and np.isfinite(own[metric.name].value)
        }
        yield Result(
            metric,
            estimate.value,
            estimate.interval,
            floor,
            ceiling,
            estimate.note,
            per_class=per_class,
        )


def _value(found, metric):
    estimate = found.get(metric.name)
    return None if estimate is None or not np.isfinite(estimate.value) else estimate.value


def attempt(family, reference, recordings, sounds):
    """Measures, whatever happens.

    Args:
      family: `measures.Family`.
      reference: `measures.Reference`.
      recordings, sounds: `measures.Measured`.

    Returns:
      (dict of Estimate by the metric's name, None), or ({}, the reason) where it can't be measured.
    """
    try:
        # Its matrices are so small that threads wait for each other longer than they work.
        with threadpool_limits(1):
            return family.compute(reference, recordings, sounds), None
    except ValueError as error:
        return {}, str(error)
    except Exception as error:
        # An hour of other figures must not be lost to a fault of one.
        said = " ".join(str(error).split())[:200]
        return {}, f"failed: {type(error).__name__}: {said}"


def _by_class(family, reference, sounds, others):
    names = reference.test.sounds.classes
    found = {}
    for name in names if len(names) > 1 else []:
        sets = [x.of_class(name) for x in (reference.test, sounds, others)]
        if min(len(x) for x in sets) < MIN_OF_CLASS:
            continue
        own = attempt(family, reference, sets[0], sets[1])[0]
        found[name] = (own, attempt(family, reference, sets[0], sets[2])[0])
    return found


def _memorised(reference, generated, on_pairs):
    try:
        results, pairs = memorisation(generated, reference.train.sounds, reference.test.sounds)
    except Exception as error:
        said = f"failed: {type(error).__name__}: {' '.join(str(error).split())[:200]}"
        results, pairs = [Result(metric, not_run=said) for metric in (COPIES, NEARNESS)], []
    yield from results
    if on_pairs is not None and pairs:
        on_pairs(pairs)
