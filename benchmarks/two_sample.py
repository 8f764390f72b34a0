"""Two-sample accuracy of generated notes, and the most separating features."""

from __future__ import annotations

import numpy as np

from benchmarks.analysed_notes import join

SEED = 0


def families_of(names):
    groups = {}
    for i, name in enumerate(names):
        groups.setdefault(name.split("/")[0], []).append(i)
    return groups


def told_apart(a, b, by_family=True):
    """Cross-validated balanced accuracy of classifiers that tell set a from set b.

    The folds are groups of pitches, so a pitch heard in training is not heard in the test.

    Returns:
      (dict classifier -> accuracy in percent, dict family of features -> accuracy).
    """
    from sklearn.ensemble import ExtraTreesClassifier
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import balanced_accuracy_score
    from sklearn.model_selection import StratifiedGroupKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    table, names = join(a, b).table()
    truth = np.repeat([0, 1], [len(a), len(b)])
    pitch = np.concatenate([a.pitch, b.pitch])
    n_folds = min(5, len(np.unique(a.pitch)), len(np.unique(b.pitch)))
    if n_folds < 2 or min(len(a), len(b)) < 10:
        return {}, {}
    folds = list(
        StratifiedGroupKFold(n_folds, shuffle=True, random_state=SEED).split(table, truth, pitch)
    )

    def accuracy(model, columns):
        guesses = np.zeros(len(truth))
        for fit, held_out in folds:
            model.fit(table[fit][:, columns], truth[fit])
            guesses[held_out] = model.predict(table[held_out][:, columns])
        return 100.0 * balanced_accuracy_score(truth, guesses)

    def linear():
        return make_pipeline(
            SimpleImputer(keep_empty_features=True),
            StandardScaler(),
            LogisticRegression(C=0.05, class_weight="balanced", max_iter=300),
        )

    trees = make_pipeline(
        SimpleImputer(keep_empty_features=True),
        ExtraTreesClassifier(150, class_weight="balanced", random_state=SEED, n_jobs=1),
    )
    everything = np.arange(len(names))
    whole = {"logistic": accuracy(linear(), everything), "trees": accuracy(trees, everything)}
    if not by_family:
        return whole, {}
    return whole, {f: accuracy(linear(), np.array(c)) for f, c in families_of(names).items()}


def giveaways(real, fake, recordings, count=10):
    """The features that alone tell real from fake best, without repeating correlated ones.

    Returns:
      list of dicts: name, auc (0.5 to 1), real and fake median, and the shift in deviations of
      the recordings.
    """
    from scipy.stats import rankdata

    table, names = join(real, fake).table()
    n_real, n_fake = len(real), len(fake)
    table = np.where(np.isfinite(table), table, np.nanmedian(table, axis=0, keepdims=True))
    table = np.nan_to_num(table)
    deviation = np.nanstd(recordings.table()[0], axis=0)
    ranks = rankdata(table, axis=0)
    auc = (ranks[n_real:].sum(0) - n_fake * (n_fake + 1) / 2) / (n_real * n_fake)
    separation = np.maximum(auc, 1.0 - auc)
    centred = ranks - ranks.mean(0)
    centred /= np.linalg.norm(centred, axis=0) + 1e-9
    chosen = []
    for i in np.argsort(-separation):
        if all(abs(centred[:, i] @ centred[:, j]) < 0.8 for j in chosen):
            chosen.append(i)
        if len(chosen) == count:
            break
    out = []
    for i in chosen:
        r, f = table[:n_real, i], table[n_real:, i]
        out.append(
            {
                "name": names[i],
                "auc": float(separation[i]),
                "real": float(np.median(r)),
                "fake": float(np.median(f)),
                "shift": float((f.mean() - r.mean()) / (deviation[i] + 1e-9)),
            }
        )
    return out
