"""How close generated notes are to recordings, measure by measure, each beside its floor.

    python benchmarks/note_quality.py --real TRAIN_DIR --test TEST_DIR --generated DIR \
        [--family flute] [--out report.json] [--picture out.png] [--cache FILE.npz]

Files are named as NSynth names them, `<name>-<pitch>-<velocity>[-<index>].wav`, and are notes held
for 3 s with 1 s of release. The floor of a measure is what recordings get when they are put in the
place of the generated notes: the test notes against the training notes, and random halves of all
recordings. A generator at the floor can't be told from recordings by that measure.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.analysed_notes import (
    analyse,
    comparable,
    find_notes,
    join,
    matching,
    read,
)
from benchmarks.two_sample import giveaways, told_apart
from noisygan.errors import NoisyganError
from noisygan.metrics import distances, note_analysis

SEED = 0
HELD_SECONDS = (0.5, 2.8)
PYIN_RANGE_HZ = (30.0, 3900.0)
LN_POWER_A_DB = np.log(10.0) / 10.0  # natural log of power, the usual unit of log-mel features

# ------------------------------------------------------------------------------------- measures


def mmd(a, b, reference):
    return 1000.0 * distances.mmd2_unbiased(
        a.pooled, b.pooled, distances.median_bandwidth(reference.pooled)
    )


class Frechet:
    """Frechet distance of coarse log-mel statistics after a PCA fitted on the training notes."""

    def __init__(self, train, n_components=24):
        self.mean = train.coarse.mean(0)
        _, _, axes = np.linalg.svd(train.coarse - self.mean, full_matrices=False)
        self.axes = axes[:n_components].T

    def __call__(self, a, b):
        a, b = ((s.coarse - self.mean) @ self.axes * LN_POWER_A_DB for s in (a, b))
        return distances.frechet_distance(a, b)


def halves(notes, seed):
    order = np.random.default_rng(seed).permutation(len(notes))
    return notes[order[: len(order) // 2]], notes[order[len(order) // 2 :]]


def spreads_off(a, reference, recordings=None):
    """|mean difference| over the recordings' deviation: (mean over descriptors, each by name)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        deviation = np.nanstd((recordings or reference).scalars, 0)
        off = (np.nanmean(a.scalars, 0) - np.nanmean(reference.scalars, 0)) / deviation
    usable = np.isfinite(off) & (deviation > 1e-6)
    each = {n: float(v) for n, v, u in zip(a.scalar_names, off, usable, strict=True) if u}
    return float(np.mean(np.minimum(np.abs(list(each.values())), 10.0))), each


def mean_distance(points):
    d = distances.pairwise_distances(points, points)
    return float(d[np.triu_indices(len(d), 1)].mean())


def seeds_diversity(notes):
    """Mean distance between notes of one pitch and velocity (different seeds); NaN if none.

    Level is taken out, as in `neighbours_diversity`, which is what recordings have to offer:
    they hold one note a pitch and velocity.
    """
    shape = without_level(notes)
    values = []
    for key in set(zip(notes.pitch, notes.velocity, strict=True)):
        group = shape[(notes.pitch == key[0]) & (notes.velocity == key[1])]
        if len(group) > 1:
            values.append(mean_distance(group))
    return float(np.mean(values)) if values else float("nan")


def neighbours_diversity(notes):
    """Mean distance between notes a semitone apart at one velocity, level taken out."""
    shape = without_level(notes)
    d = distances.pairwise_distances(shape, shape)
    pairs = (np.abs(notes.pitch[:, None] - notes.pitch[None]) <= 1) & (
        notes.velocity[:, None] == notes.velocity[None]
    )
    pairs &= np.triu(np.ones_like(pairs), 1).astype(bool)
    return float(d[pairs].mean()) if pairs.any() else float("nan")


def without_level(notes):
    """Pooled log-mel relative to each note's own level, down to 60 dB below it."""
    shape = notes.pooled - notes.scalar("envelope/held level [dB]")[:, None]
    return np.maximum(shape, -60.0)


def near_copies(notes, train):
    """Share in percent of notes that are as near to a training note as one recording to itself.

    The measure of "as near" is the recording at another velocity (95 % of those pairs are
    nearer), level taken out; the share is NaN where training has one velocity a pitch.

    Returns:
      (share, median distance to the nearest training note).
    """
    shape, known = without_level(notes), without_level(train)
    to_train = distances.pairwise_distances(shape, known).min(1)
    twins = (train.pitch[:, None] == train.pitch[None]) & (
        train.velocity[:, None] != train.velocity[None]
    )
    if not twins.any():
        return float("nan"), float(np.median(to_train))
    limit = np.percentile(distances.pairwise_distances(known, known)[twins], 95)
    return 100.0 * float((to_train <= limit).mean()), float(np.median(to_train))


def pitch_by_pyin(notes, limit=40):
    """(median |cents| off the asked pitch, share within 25, within 50, voiced share) by pYIN.

    It searches one range for every note. A range that ends an octave below the asked pitch would
    put the doubled period on its very edge, where high notes at 16 kHz (a period of nine samples)
    tie with it: recordings are then judged an octave low or not as the frame length falls.
    """
    import librosa

    rows = np.random.default_rng(SEED).permutation(len(notes))[:limit]
    off, voiced_share = [], []
    for i in rows:
        audio = read(notes.paths[i])
        audio = audio[int(HELD_SECONDS[0] * 16000) : int(HELD_SECONDS[1] * 16000)]
        asked = float(note_analysis.midi_to_hz(notes.pitch[i]))
        f0, voiced, _ = librosa.pyin(
            audio,
            fmin=PYIN_RANGE_HZ[0],
            fmax=PYIN_RANGE_HZ[1],
            sr=16000,
            frame_length=2048,
            hop_length=256,
        )
        voiced_share.append(voiced.mean())
        if voiced.any():
            off.append(1200 * np.log2(np.median(f0[voiced]) / asked))
        else:
            off.append(np.inf)
    off = np.abs(off)
    return (
        float(np.median(off)),
        100.0 * float((off <= 25).mean()),
        100.0 * float((off <= 50).mean()),
        100.0 * float(np.mean(voiced_share)),
    )


def differences(notes, reference, exclude_same_pitch=False):
    """Signed and absolute mean difference of each descriptor to the matching recording."""
    other = reference[matching(notes, reference, exclude_same_pitch)]
    gap = notes.scalars - other.scalars
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        signed, absolute = np.nanmean(gap, 0), np.nanmean(np.abs(gap), 0)
    return {
        n: (float(s), float(a))
        for n, s, a in zip(notes.scalar_names, signed, absolute, strict=True)
    }


# --------------------------------------------------------------------------------------- report


def floors(train, test):
    """Every measure for recordings in the place of generated notes. Kept with the cache."""
    everything = join(train, test)
    pairs = [halves(everything, seed) for seed in range(4)]
    frechet = Frechet(train)
    by_pitch = differences(test, train, exclude_same_pitch=True)
    test_pitch = pitch_by_pyin(test)
    halves_told = [told_apart(*pair, by_family=i == 0) for i, pair in enumerate(pairs[:3])]
    return {
        "mmd": {
            "test": mmd(test, train, train),
            "halves": float(np.mean([mmd(a, b, train) for a, b in pairs])),
        },
        "frechet": {
            "test": frechet(test, train),
            "halves": float(np.mean([frechet(a, b) for a, b in pairs])),
        },
        "told_apart": {
            k: float(np.mean([t[0][k] for t in halves_told])) for k in halves_told[0][0]
        },
        "told_apart_by_family": halves_told[0][1],
        "spreads_off": {
            "test": spreads_off(test, train)[0],
            "halves": float(np.mean([spreads_off(a, b)[0] for a, b in pairs])),
        },
        "differences": by_pitch,
        "diversity": mean_distance(everything.pooled),
        "diversity_test": mean_distance(test.pooled),
        "neighbours": neighbours_diversity(everything),
        "near_copies": near_copies(test, train)[0],
        "nearest": near_copies(test, train)[1],
        "pitch": test_pitch,
    }


def measure(train, test, generated, floor):
    """The report of one set of generated notes."""
    recordings = join(train, test)
    reference = comparable(recordings, generated)
    matched = recordings[np.unique(matching(generated, recordings))]
    frechet = Frechet(train)
    told, by_family = told_apart(reference, generated)
    off, each_off = spreads_off(generated, matched, recordings)
    copies, nearest = near_copies(generated, train)
    by_velocity = {}
    for velocity in np.unique(generated.velocity):
        rows = generated.velocity == velocity
        level = "envelope/held level [dB]"
        fake = generated[rows].scalar(level)
        real = recordings[matching(generated[rows], recordings)].scalar(level)
        by_velocity[int(velocity)] = {
            "real": float(real.mean()),
            "fake": float(fake.mean()),
            "difference": float((fake - real).mean()),
            "absolute": float(np.abs(fake - real).mean()),
        }
    return {
        "n": {
            "generated": len(generated),
            "train": len(train),
            "test": len(test),
            "reference": len(reference),
        },
        "mmd": {
            "train": mmd(generated, train, train),
            "test": mmd(generated, test, train),
            "matched": mmd(generated, matched, train),
        },
        "frechet": {
            "train": frechet(generated, train),
            "test": frechet(generated, test),
            "matched": frechet(generated, matched),
        },
        "told_apart": told,
        "told_apart_by_family": by_family,
        "giveaways": giveaways(reference, generated, recordings),
        "diversity": mean_distance(generated.pooled) / mean_distance(reference.pooled),
        "seeds_diversity": seeds_diversity(generated),
        "near_copies": copies,
        "nearest": nearest,
        "pitch": pitch_by_pyin(generated),
        "level_by_velocity": by_velocity,
        "differences": differences(generated, recordings),
        "means": {
            n: (float(f), float(r))
            for n, f, r in zip(
                generated.scalar_names,
                np.nanmean(generated.scalars, 0),
                np.nanmean(matched.scalars, 0),
                strict=True,
            )
        },
        "spreads_off": off,
        "spreads_off_each": each_off,
        "floor": floor,
    }


def text(report):
    """The report as a compact table."""
    floor, n = report["floor"], report["n"]
    lines = [
        f"{n['generated']} generated notes; {n['train']} train, {n['test']} test recordings, "
        f"{n['reference']} of them at the generated pitches",
        "",
        f"{'measure':44s}{'generated':>22s}   floor",
    ]

    def row(name, value, floor_text=""):
        lines.append(f"{name:44s}{value:>22s}   {floor_text}")

    m, f = report["mmd"], report["frechet"]
    row(
        "MMD^2 x1000 to train / test / matching",
        f"{m['train']:.1f} / {m['test']:.1f} / {m['matched']:.1f}",
        f"test-train {floor['mmd']['test']:.1f}, halves {floor['mmd']['halves']:.1f}",
    )
    row(
        "Frechet to train / test / matching",
        f"{f['train']:.0f} / {f['test']:.0f} / {f['matched']:.0f}",
        f"test-train {floor['frechet']['test']:.0f}, halves {floor['frechet']['halves']:.0f}",
    )
    for k, v in report["told_apart"].items():
        row(f"told from real, {k} [%]", f"{v:.0f}", f"halves {floor['told_apart'].get(k, 50):.0f}")
    for k, v in report["told_apart_by_family"].items():
        row(f"  by {k} alone [%]", f"{v:.0f}", f"{floor['told_apart_by_family'].get(k, 50):.0f}")
    row(
        "descriptors, spreads off",
        f"{report['spreads_off']:.2f}",
        f"test-train {floor['spreads_off']['test']:.2f}, "
        f"halves {floor['spreads_off']['halves']:.2f}",
    )
    row(
        "diversity, of the recordings'",
        f"{report['diversity']:.2f}",
        f"test {floor['diversity_test'] / floor['diversity']:.2f}",
    )
    row(
        "seeds of one pitch and velocity differ by",
        f"{report['seeds_diversity']:.0f}",
        f"recordings a semitone apart {floor['neighbours']:.0f}",
    )
    row(
        "near copies of train [%] (nearest)",
        f"{report['near_copies']:.0f} ({report['nearest']:.0f})",
        f"test {floor['near_copies']:.0f} ({floor['nearest']:.0f})",
    )
    p, q = report["pitch"], floor["pitch"]
    row(
        "pYIN: median |cents|, % in 25, in 50, voiced",
        f"{p[0]:.1f}, {p[1]:.0f}, {p[2]:.0f}, {p[3]:.0f}",
        f"test {q[0]:.1f}, {q[1]:.0f}, {q[2]:.0f}, {q[3]:.0f}",
    )
    lines += [
        "",
        "gives it away (alone, AUC)".ljust(44) + f"{'fake':>10s}{'real':>10s}{'spreads':>9s}",
    ]
    for g in report["giveaways"]:
        name = f"  {g['auc']:.2f} {g['name']}"
        lines.append(f"{name:44s}{g['fake']:10.2f}{g['real']:10.2f}{g['shift']:+9.1f}")
    lines += [
        "",
        "held level [dB] by velocity".ljust(44) + f"{'fake':>10s}{'real':>10s}{'|diff|':>9s}",
    ]
    for velocity, v in report["level_by_velocity"].items():
        name = f"  {velocity}"
        lines.append(f"{name:44s}{v['fake']:10.1f}{v['real']:10.1f}{v['absolute']:9.1f}")
    head = f"{'fake':>10s}{'real':>10s}{'signed':>9s}{'|diff|':>9s}{'floor':>9s}{'spreads':>9s}"
    lines += ["", "descriptor (real: matching pitch, velocity)".ljust(44) + head]
    for name, (fake, real) in report["means"].items():
        if not np.isfinite(fake) or "/to note" in name:
            continue
        signed, absolute = report["differences"][name]
        spreads = report["spreads_off_each"].get(name, float("nan"))
        mark = " <" if abs(spreads) > 1.0 else ""
        lines.append(
            f"  {name:42s}{fake:10.2f}{real:10.2f}{signed:+9.2f}{absolute:9.2f}"
            f"{floor['differences'][name][1]:9.2f}{spreads:+9.2f}{mark}"
        )
    return "\n".join(lines)


def load_or_make_floors(train, test, cache_file):
    if not cache_file:
        return floors(train, test)
    key = hashlib.sha1(
        train.scalars.tobytes() + test.scalars.tobytes() + Path(__file__).read_bytes()
    ).hexdigest()
    path = Path(str(cache_file) + ".floors.json")
    if path.is_file():
        stored = json.loads(path.read_text())
        if stored["key"] == key:
            return stored["floors"]
    made = floors(train, test)
    path.write_text(json.dumps({"key": key, "floors": made}))
    return made


def run(args):
    """Analyses, measures, prints and writes what was asked for."""
    started = time.monotonic()
    train = analyse(find_notes(args.real, args.family), args.cache)
    test = analyse(find_notes(args.test, args.family), args.cache)
    paths = find_notes(args.generated, args.family, generated=True)
    if len(paths) > args.limit:
        keep = np.sort(np.random.default_rng(SEED).permutation(len(paths))[: args.limit])
        paths = [paths[i] for i in keep]
    generated = analyse(paths)
    report = measure(train, test, generated, load_or_make_floors(train, test, args.cache))
    table = text(report)
    print(table.split("\n\ndescriptor")[0] if args.short else table)
    if args.out:
        Path(args.out).write_text(json.dumps(report, indent=1))
    if args.picture:
        from note_picture import draw

        recordings = join(train, test)
        draw(
            generated.paths,
            [recordings.paths[i] for i in matching(generated, recordings)],
            args.picture,
        )
    print(f"\n{time.monotonic() - started:.1f} s")


def main(argv=None):
    """Runs the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--real", required=True, help="folder of training recordings")
    parser.add_argument("--test", required=True, help="folder of held-out recordings")
    parser.add_argument("--generated", required=True, help="folder of generated notes")
    parser.add_argument("--family", help="only recordings whose name begins so, e.g. flute")
    parser.add_argument("--out", help="write the numbers to this .json file")
    parser.add_argument("--picture", help="write real beside generated notes to this .png file")
    parser.add_argument("--cache", help="keep the analysis of files seen in this .npz file")
    parser.add_argument("--limit", type=int, default=400, help="analyse at most so many notes")
    parser.add_argument("--short", action="store_true", help="leave the table of descriptors out")
    args = parser.parse_args(argv)
    try:
        with threadpool_limits(1):  # one core: training may be running beside this
            run(args)
    except NoisyganError as error:
        sys.exit(f"note_quality: {error}")


if __name__ == "__main__":
    main()
