"""Train a generator on a folder of recordings.

The recordings: WAV, FLAC, OGG or MP3 files, class folders of such, or a folder in the NSynth
json+wav layout; pitch and velocity come from names like flute-060-100.wav. A config picks among
them (--gin_param 'Recordings.families = ["flute"]').

Drums to begin with are installed; this prints their folder, a class in each folder inside:
python -c "from noisygan.demo import drums_folder; print(drums_folder())"

Without --steps, --minutes and --early_stop training goes on until Ctrl-C, which saves and says how
to go on. At the end it says whether the sounds still came closer to the recordings.
"""

import contextlib
import pathlib
import shlex
import sys

from noisygan import progress
from noisygan.cli import arguments
from noisygan.errors import UsageError
from noisygan.training.cluster import STRATEGIES, this_cluster

SUMMARY = "train a generator on recordings"
EXAMPLE = """\
noisygan train --gin_file runs/notes.gin --data my_notes --run_dir runs/flute --minutes 10
noisygan train --gin_file runs/notes.gin --data my_notes --dry_run
noisygan train --gin_file runs/drums_small.gin --data my_drums --run_dir runs/kit --minutes 10
noisygan train --run_dir runs/flute --data my_notes --resume --minutes 10"""


def add_arguments(parser):
    """Adds the arguments of this command."""
    arguments.add_config_arguments(parser, required=False)
    parser.add_argument("--data", required=True, metavar="DIR", help="folder of recordings")
    parser.add_argument(
        "--run_dir", metavar="DIR", help="folder of the run, new or (with --resume) begun"
    )
    parser.add_argument(
        "--steps", type=arguments.whole_number(1), metavar="N", help="train up to so many steps"
    )
    parser.add_argument(
        "--minutes", type=arguments.positive, metavar="M", help="train for at most so long"
    )
    parser.add_argument(
        "--early_stop",
        action="store_true",
        help="stop once the sounds come no closer to the recordings (within --steps and --minutes)",
    )
    parser.add_argument(
        "--snapshot_minutes",
        type=arguments.positive,
        metavar="M",
        help="keep the averaged weights every so many minutes, as `noisygan compare` does",
    )
    parser.add_argument(
        "--seed",
        type=arguments.whole_number(0, 2**31 - 1),
        metavar="S",
        help="decides initial weights, codes, noise and order of the recordings (default: 0)",
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        help="go on with the run in --run_dir, exactly as if it had not stopped",
    )
    parser.add_argument(
        "--strategy",
        choices=STRATEGIES,
        default="auto",
        help="what to train on: auto takes the machines of TF_CONFIG, or all GPUs, or one device",
    )
    parser.add_argument(
        "--deterministic",
        action="store_true",
        help="the same bits each time on one machine; `noisygan reproduce` tells whether it holds",
    )
    parser.add_argument(
        "--dry_run",
        action="store_true",
        help="check everything with one batch and one step of each phase, print the networks, "
        "train nothing",
    )


def run(args):
    """Trains, or checks that training would work."""
    check(args)
    arguments.import_tensorflow()

    return _run(args)


def _run(args):
    from noisygan import config
    from noisygan.training.determinism import make_deterministic
    from noisygan.training.runs import RunFolder
    from noisygan.training.strategies import connect

    begun = None
    if args.resume:
        begun = RunFolder.open(args.run_dir)
        begun.check_whole("--resume")
        _go_on_deterministically(args, begun.facts)
    elif args.deterministic:
        make_deterministic()
    replicas = connect(args.strategy, this_cluster())
    deterministic = args.deterministic or (begun and begun.facts.get("deterministic"))
    if deterministic and replicas.n_replicas > 1:
        raise UsageError(
            f"--deterministic: got {replicas.n_replicas} replicas, whose sums are rounded by "
            "chance; expected one device: set CUDA_VISIBLE_DEVICES=0, or leave it out"
        )
    if begun:
        _load_config_of(begun, args)
    else:
        config.parse(args.gin_file, args.gin_param)
    trainer, recordings = build(replicas)
    notes = read(recordings, args.data)
    print(notes.summary(), file=sys.stderr)
    if args.early_stop and len(notes) < 2:
        raise UsageError(
            f"--early_stop: got {notes.summary()}, expected two or more to compare sounds with; "
            "give --steps or --minutes instead"
        )
    if args.dry_run:
        print(trainer.describe(notes))
        print("dry run: everything works; nothing was trained and nothing written")
        return 0
    if begun:
        _check_same_data(args, begun, notes)
    n_steps = fit(
        trainer,
        notes,
        args.run_dir,
        args.data,
        args.steps,
        args.minutes,
        args.seed or 0,
        begun,
        snapshot_minutes=args.snapshot_minutes,
        early_stop=args.early_stop,
        deterministic=args.deterministic,
        strategy=args.strategy,
    )
    print(f"trained: {args.run_dir}, {n_steps} steps")
    if not replicas.is_chief:
        return 0
    print(f"hear it: noisygan render --run_dir {args.run_dir} --out_dir {args.run_dir}/notes")
    return 0


def check(args):
    """Refuses what cannot work before anything slow is begun.

    Args:
      args: The parsed arguments.

    Raises:
      UsageError: for arguments that contradict each other or a run folder of the wrong kind.
    """
    if args.dry_run and args.resume:
        raise UsageError("--dry_run and --resume: expected one of them")
    if not args.gin_file and not args.resume:
        raise UsageError(
            "no --gin_file; expected a config such as runs/notes.gin (see `noisygan configs`), "
            "or --resume with the --run_dir of a run that was begun"
        )
    if args.dry_run:
        return
    if args.run_dir is None:
        raise UsageError("no --run_dir; expected a folder for the run, such as runs/flute")
    run_dir = pathlib.Path(args.run_dir)
    cluster = this_cluster()
    if args.resume:
        if not (run_dir / "run.json").is_file():
            raise UsageError(
                f"--resume: {run_dir} holds no run; expected the --run_dir of one that was begun"
            )
    elif cluster is not None and not cluster.is_chief:
        return  # The chief may have made it already.
    elif run_dir.exists() and not run_dir.is_dir():
        raise UsageError(f"--run_dir {run_dir} is a file; expected a folder")
    elif run_dir.is_dir() and any(run_dir.iterdir()):
        what = "holds a run" if (run_dir / "run.json").is_file() else "is not empty"
        raise UsageError(
            f"--run_dir {run_dir} {what}; choose another folder"
            + (", or go on with it by --resume" if what == "holds a run" else "")
        )


def build(replicas=None):
    """Builds what the loaded config describes.

    Args:
      replicas: Of `noisygan.training.strategies.connect`; None: one device.

    Returns:
      (Trainer, Recordings).

    Raises:
      UsageError: if something cannot be built, or a binding is used by nothing.
    """
    from noisygan import config
    from noisygan.data.dataset import Recordings
    from noisygan.training.trainer import Trainer

    with replicas.scope() if replicas else contextlib.nullcontext():
        trainer = config.configured(Trainer)()
    trainer.replicas = replicas or trainer.replicas
    recordings = config.configured(Recordings)()
    config.check_all_used()
    return trainer, recordings


def read(recordings, data):
    """Reads the recordings, with a bar if that takes long.

    Args:
      recordings: Recordings.
      data: Their folder.

    Returns:
      AudioDataset.
    """
    with progress.CountedProgress("reading", None) as count:
        return recordings.read(data, progress=count)


def fit(
    trainer,
    notes,
    run_dir,
    data,
    steps,
    minutes,
    seed,
    begun=None,
    deterministic=False,
    strategy="auto",
    **kept,
):
    """Trains with a progress bar, in a new run folder or one that was begun.

    Args:
      trainer, notes, steps, minutes, seed: As of `Trainer.fit`.
      run_dir: Path of the run folder.
      data: Folder of the recordings, for telling how to go on.
      begun: The `RunFolder` to go on with, or None for a new one.
      deterministic: Whether TensorFlow was told to give the same bits each time.
      strategy: What was asked for by --strategy, likewise.
      **kept: Further arguments of `noisygan.training.loop.fit`, such as `snapshot_minutes`.

    Returns:
      The number of steps that the run has taken.

    Raises:
      UsageError: if config and recordings don't fit each other; no folder is made then.
      KeyboardInterrupt: when stopped, after saving; its message says how to go on.
    """
    from noisygan import config
    from noisygan.training.runs import RunFolder

    if trainer.replicas.broadcast_from_chief(begun is None):
        # Before there is a folder: whatever does not fit together leaves nothing behind.
        trainer.build(notes, seed)
    command = ["noisygan", *sys.argv[1:]]
    text = config.resolved_text()
    folder = begun or RunFolder(run_dir)
    if begun is None and trainer.replicas.is_chief:
        folder = RunFolder.create(
            run_dir, text, command, notes, seed, deterministic, trainer.replicas.n_replicas
        )
    try:
        with progress.TrainingProgress() as shown:
            return trainer.fit(
                notes,
                folder,
                steps=steps,
                minutes=minutes,
                seed=seed,
                resume=begun is not None,
                progress=shown,
                **kept,
            )
    except KeyboardInterrupt as stop:
        if folder.latest_checkpoint() is None:
            raise
        how = str(stop) or f"stopped at once; step {folder.step} is saved"
        again = ["noisygan", "train", "--run_dir", str(run_dir), "--data", str(data), "--resume"]
        numbers = {"--steps": steps, "--minutes": minutes}
        numbers["--snapshot_minutes"] = kept.get("snapshot_minutes")
        for option, value in numbers.items():
            again += [option, f"{value:.15g}"] if value is not None else []
        again += ["--strategy", strategy] if strategy != "auto" else []
        again += [w for m in config.allowed_modules() for w in ("--allow_module", m)]
        again += ["--early_stop"] if kept.get("early_stop") else []
        raise KeyboardInterrupt(f"{how}; go on with: {shlex.join(again)}") from None


def _go_on_deterministically(args, facts):
    """A run that was begun with --deterministic goes on so, with as many threads."""
    from noisygan.training.determinism import make_deterministic

    begun_so = facts.get("deterministic", False)
    if begun_so:
        make_deterministic(facts["environment"]["threads"])
    elif args.deterministic:
        raise UsageError(
            f"--resume: {args.run_dir} was begun without --deterministic; leave it out, or begin "
            "another run"
        )


def _load_config_of(folder, args):
    """Loads a begun run's own config; a config or seed given beside --resume must be the same."""
    from noisygan import config

    def load(params=()):
        config.parse([folder.config], params)
        return config.resolved_text()

    ours = load()
    if args.gin_file or args.gin_param:
        if args.gin_file:
            config.parse(args.gin_file, args.gin_param)
            theirs = config.resolved_text()
        else:
            theirs = load(args.gin_param)
        if theirs != ours:
            changed = [line for line in theirs.splitlines() if line not in ours.splitlines()]
            example = f", e.g. {changed[0].strip()}" if changed else ""
            raise UsageError(
                f"--resume: the config given differs from that of {args.run_dir}{example}; "
                "leave --gin_file and --gin_param out, or begin another run"
            )
        load()
    seed = folder.facts["seed"]
    if args.seed not in (None, seed):
        raise UsageError(
            f"--resume: seed {args.seed}, but the run was begun with seed {seed}; leave --seed out"
        )


def _check_same_data(args, folder, notes):
    data = folder.data
    if data["fingerprint"] != notes.fingerprint:
        raise UsageError(
            f"--resume: the recordings in {args.data} ({notes.summary()}) are not those of the run "
            f"({data['summary']}); give the same --data, or begin another run"
        )
