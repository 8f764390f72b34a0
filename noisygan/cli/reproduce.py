"""Run a training again and say whether it gave the same.

The run's own config, seed, threads and number of steps are taken, and the recordings must be the
same. Metrics are compared step by step, weights where both runs have a checkpoint of one step.

Exit code 0: equal in every bit, or within a relative difference of 1e-4. 1: they differ. On one
machine, on its processors, a run of `noisygan train --deterministic` is equal in every bit.
"""

import os
import pathlib
import shlex

from noisygan.cli import arguments, train
from noisygan.errors import UsageError, printable

SUMMARY = "train a run again and tell whether it gave the same"
EXAMPLE = """\
noisygan reproduce runs/flute
noisygan reproduce runs/flute --steps 100 --data my_notes --out_dir runs/flute-again"""


def add_arguments(parser):
    """Adds the arguments of this command."""
    parser.add_argument("run_dir", metavar="RUN_DIR", help="folder of the run")
    parser.add_argument(
        "--data", metavar="DIR", help="folder of its recordings (default: where they were)"
    )
    parser.add_argument(
        "--out_dir", metavar="NEW", help="folder of the new run (default: RUN_DIR-again)"
    )
    parser.add_argument(
        "--steps",
        type=arguments.whole_number(1),
        metavar="N",
        help="only the first so many (default: as many as the run has taken)",
    )


def run(args):
    """Trains again and compares."""
    run_dir = arguments.run_folder(args.run_dir)
    out_dir = pathlib.Path(args.out_dir or f"{str(run_dir).rstrip('/')}-again")
    if out_dir.exists() and (not out_dir.is_dir() or any(out_dir.iterdir())):
        raise UsageError(f"--out_dir {out_dir} is there already; choose another, or remove it")
    arguments.import_tensorflow()

    return _run(args, run_dir, out_dir)


def _run(args, run_dir, out_dir):
    from noisygan import config
    from noisygan.training import reproducing
    from noisygan.training.determinism import make_deterministic
    from noisygan.training.runs import RunFolder

    first = RunFolder.open(run_dir)
    first.check_whole("reproduce")
    facts = first.facts
    data = _data(args, facts)
    n_steps = _steps_of(first)
    if args.steps and args.steps > n_steps:
        raise UsageError(
            f"--steps {args.steps}: {run_dir} has taken {n_steps}; expected no more than these"
        )
    n_steps = args.steps or n_steps
    deterministic = facts.get("deterministic", False)
    if deterministic:
        make_deterministic(facts["environment"]["threads"])
    config.parse([first.config])
    trainer, recordings = train.build()
    notes = train.read(recordings, data)
    if notes.fingerprint != first.data["fingerprint"]:
        raise UsageError(
            f"the recordings in {data} ({notes.summary()}) are not those of {run_dir} "
            f"({first.data['summary']}); give theirs by --data"
        )
    train.fit(
        trainer,
        notes,
        out_dir,
        data,
        n_steps,
        None,
        facts["seed"],
        deterministic=deterministic,
    )
    second = RunFolder.open(out_dir)
    print(f"reproduced: {out_dir}, {n_steps} steps")
    for line in reproducing.differences_of_making(facts, second.facts):
        print(printable(f"made with: {line}"))
    metrics = reproducing.compare_metrics(first.read_metrics(), second.read_metrics())
    results = [metrics]
    print(metrics.described(f"metrics of {metrics.n} steps"))
    both = sorted(_whole(first) & _whole(second))
    for step in both:
        prefixes = [folder.checkpoints / f"ckpt-{step}" for folder in (first, second)]
        results.append(reproducing.compare_weights(*prefixes))
        print(results[-1].described(f"weights of step {step}"))
    if not any(both):
        print("weights: none that were trained, for lack of a checkpoint of one step in both")
    if all(result.matched for result in results):
        print("matched")
        return 0
    if not deterministic:
        print("the run was trained without --deterministic: sums are rounded by chance")
    print("not matched")
    return 1


def _whole(folder):
    """Steps of which a run has a whole checkpoint."""
    from noisygan.training.checkpoints import fault_of, steps

    kept = folder.checkpoints
    return {step for step in steps(kept) if fault_of(kept / f"ckpt-{step}") is None}


def _steps_of(first):
    """How many steps a run has taken, by its newest good checkpoint."""
    prefix = first.latest_checkpoint(first.tell)
    if prefix is None or first.step == 0:
        raise UsageError(f"{first.path} has taken no steps yet; expected one that was trained")
    return first.step


def _data(args, facts):
    """Folder of the recordings: as asked for, or where the run's command had them."""
    if args.data:
        return args.data
    command = facts.get("command", [])
    given = [after for word, after in zip(command, command[1:], strict=False) if word == "--data"]
    given += [word.removeprefix("--data=") for word in command if word.startswith("--data=")]
    folder = pathlib.Path(os.path.expanduser(given[-1])) if given else None
    if folder is None or not os.path.isdir(folder):
        where = f"is not in {given[-1]}" if given else "is not told"
        raise UsageError(
            f"the folder of the run's recordings {where} (its command was "
            f"{shlex.join(command)}); give it by --data"
        )
    return folder
