"""Training systems one after the other, each in a process of its own, under the same budget."""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import threading

from noisygan import config
from noisygan.errors import UsageError

# Snapshots of the averaged weights in a budget of time.
N_SNAPSHOTS = 8


def train(system, seed, data, gin_params, budget):
    """Trains one seed of a system, or goes on with it.

    Args:
      system: `System` with a config.
      seed: int.
      data: Folder of the training recordings.
      gin_params: list of bindings.
      budget: (name, number): minutes, steps or sounds.

    Returns:
      None, or what went wrong, one line.

    Raises:
      KeyboardInterrupt: when stopped; the run has been saved then.
    """
    run_dir = system.run_dirs[seed]
    command = [sys.executable, "-m", "noisygan", "train"]
    command += ["--run_dir", str(run_dir), "--data", str(data)]
    if (run_dir / "run.json").is_file():
        command.append("--resume")
    else:
        command += ["--gin_file", system.gin_file, "--seed", str(seed)]
        for param in gin_params:
            command += ["--gin_param", param]
    name, number = budget
    if name == "minutes":
        command += ["--minutes", f"{number:g}", "--snapshot_minutes", f"{number / N_SNAPSHOTS:g}"]
    else:
        steps = number if name == "steps" else steps_for(system.gin_file, gin_params, number)
        command += ["--steps", str(steps)]
    command += [w for m in config.allowed_modules() for w in ("--allow_module", m)]
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(p for p in sys.path if p))
    log = run_dir.parent / f"{run_dir.name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8") as file, _terminated_as_interrupted():
        # In a session of its own, so that Ctrl-C reaches it once, from here.
        process = subprocess.Popen(
            command, stdout=file, stderr=file, env=environment, start_new_session=True
        )
        try:
            code = process.wait()
        except KeyboardInterrupt:
            process.terminate()  # It saves before it ends.
            process.wait()
            raise
    return _reason(log, code) if code else None


@contextlib.contextmanager
def _terminated_as_interrupted():
    """Lets SIGTERM and SIGHUP stop this process as Ctrl-C does: no training is left behind."""

    def stop(number, frame):
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    # A closed terminal counts as well, unless it is to be survived (nohup).
    wanted = [signal.SIGTERM]
    hangup = getattr(signal, "SIGHUP", None)
    if hangup is not None and signal.getsignal(hangup) != signal.SIG_IGN:
        wanted.append(hangup)
    before = {number: signal.signal(number, stop) for number in wanted}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _reason(log, code):
    if code < 0:  # What it said last is not why.
        said = f"it was ended by signal {-code}"
        said += ", as when memory runs out" if code == -signal.SIGKILL else ""
    else:
        lines = [line for line in log.read_text(encoding="utf-8").splitlines() if line.strip()]
        said = lines[-1] if lines else f"it ended with code {code}"
    return f"{said[:300]} (see {pathlib.Path(*log.parts[-2:])})"


def steps_for(gin_file, gin_params, sounds):
    """After how many steps a system has been shown so many recordings, a batch counted once a step.

    Args:
      gin_file: Its config.
      gin_params: list of bindings.
      sounds: int.
    """
    from noisygan.training.trainer import Trainer

    config.parse([gin_file], gin_params)
    trainer = config.configured(Trainer)()
    step, shown = 0, 0
    while shown < sounds:
        stage = trainer.plan.stage(step)
        wanted = -(-(sounds - shown) // stage.batch_size)
        taken = wanted if stage.end is None else min(wanted, stage.end - step)
        step, shown = step + taken, shown + taken * stage.batch_size
    return step


def recordings_of(systems, gin_params):
    """Builds every system's config, before the first of them is trained.

    Args:
      systems: list of `System`.
      gin_params: list of bindings of those that are trained.

    Returns:
      dict system's name -> its `Recordings`.

    Raises:
      UsageError: for a config that can't be built, or binding that one of them does not use.
    """
    from noisygan.data.dataset import Recordings
    from noisygan.training.runs import RunFolder
    from noisygan.training.trainer import Trainer

    found = {}
    for system in systems:
        if system.gin_file is None:
            run = RunFolder.open(next(iter(system.run_dirs.values())))
            config.parse([run.config])
            found[system.name] = config.configured(Recordings)()
            continue
        try:
            config.parse([system.gin_file], gin_params)
            config.configured(Trainer)()
            found[system.name] = config.configured(Recordings)()
            config.check_all_used()
        except UsageError as error:
            raise UsageError(f"{system.name}: {error}") from error
    return found
