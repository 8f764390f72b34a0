"""Training of systems one after the other, each in its own process, with the same budget."""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import threading

from noisygan import config, run
from noisygan.errors import UsageError
from noisygan.evaluation.generate import recordings_of

# Snapshots of the averaged weights in a budget of time.
N_SNAPSHOTS = 8
# Standard input is a pipe that closes with this process, so no training outlives it.
TRAIN = (sys.executable, "-m", "noisygan", "train", "--stop_with_stdin", "--no_report")


def train(system, seed, data, overrides, budget):
    """Train one seed of a system on a folder, or resume it.

    Args:
      system: `System` with a config.
      seed: int.
      data: Folder of the training recordings.
      overrides: list of bindings.
      budget: (name, number): minutes, steps or examples.

    Returns:
      None, or the reason of a failure, one line.

    Raises:
      KeyboardInterrupt: if stopped; the run is saved.
    """
    run_dir = system.run_dirs[seed]
    command = [*TRAIN, "--run_dir", str(run_dir), "--data", str(data)]
    if (run_dir / "run.json").is_file():
        command.append("--resume")
    else:
        command += ["--gin_file", system.gin_file, "--seed", str(seed)]
        for override in overrides:
            command += ["--gin_param", override]
    name, number = budget
    if name == "minutes":
        command += ["--minutes", f"{number:g}", "--snapshot_minutes", f"{number / N_SNAPSHOTS:g}"]
    else:
        steps = number if name == "steps" else steps_for(system.gin_file, overrides, number)
        command += ["--steps", str(steps)]
    command += [w for m in config.allowed_modules() for w in ("--allow_module", m)]
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(p for p in sys.path if p))
    log = run_dir.parent / f"{run_dir.name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    pipe = subprocess.PIPE
    with (
        log.open("a", encoding="utf-8") as file,
        _terminated_as_interrupted(),
        # In its own session, so that Ctrl-C reaches it once, from here.
        subprocess.Popen(
            command, stdin=pipe, stdout=file, stderr=file, env=environment, start_new_session=True
        ) as process,
    ):
        try:
            code = process.wait()
        except KeyboardInterrupt:
            process.terminate()  # It saves before it ends.
            process.wait()
            raise
    return _reason(log, code) if code else None


@contextlib.contextmanager
def _terminated_as_interrupted():
    """Let SIGTERM and SIGHUP stop this process as Ctrl-C does, so that no training is orphaned."""
    wanted = [signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)]
    in_main = threading.current_thread() is threading.main_thread()
    # A signal that is ignored, as under nohup, stays so.
    wanted = [s for s in wanted if in_main and signal.getsignal(s) != signal.SIG_IGN]
    before = {number: signal.signal(number, signal.default_int_handler) for number in wanted}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _reason(log, code):
    if code < 0:
        reason = f"it was ended by signal {-code}"
        reason += ", as when memory runs out" if code == -signal.SIGKILL else ""
    else:
        lines = [line for line in log.read_text(encoding="utf-8").splitlines() if line.strip()]
        reason = lines[-1] if lines else f"it ended with code {code}"
    return f"{reason[:300]} (see {pathlib.Path(*log.parts[-2:])})"


def steps_for(gin_file, overrides, examples):
    """Number of steps in which a system sees so many recordings, one batch per step."""
    from noisygan.training.trainer import Trainer

    config.parse([gin_file], overrides)
    trainer = config.configured(Trainer)()
    step, seen = 0, 0
    while seen < examples:
        stage = trainer.plan.stage(step)
        wanted = -(-(examples - seen) // stage.batch_size)
        taken = wanted if stage.end is None else min(wanted, stage.end - step)
        step, seen = step + taken, seen + taken * stage.batch_size
    return step


def read_configs(systems, overrides):
    """Build every system's config before training: dict name of the system -> its `Recordings`.

    Raises:
      UsageError: for a config that can't be built, or a binding that one of them does not use.
    """
    from noisygan.training.train import build

    found = {}
    for system in systems:
        if system.gin_file is None:
            found[system.name] = recordings_of(run.load(next(iter(system.run_dirs.values()))))
            continue
        try:
            config.parse([system.gin_file], overrides)
            found[system.name] = build()[1]
        except UsageError as error:
            raise UsageError(f"{system.name}: {error}") from error
    return found
