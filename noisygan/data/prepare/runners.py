"""Runners of the units of `prepare`: a pool of processes, or Apache Beam."""

import concurrent.futures
import json
import multiprocessing
import os
import signal
import threading
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from noisygan.data.prepare import units
from noisygan.errors import RunError, UsageError


def run_pool(folder, indices, done, n_processes=None):
    """Do units in several processes, or with n_processes=1 in this one.

    A process that a file crashes, or that is killed for want of memory, does not end the run: what
    is left is then done one by one, and a file that crashes its process again is skipped.

    Args:
      folder: str, path of the prepared folder, which holds a plan.
      indices: Of the units.
      done: Called with what `units.process` returns, as units end.
      n_processes: Maximum number of processes; None: one for each core.

    Raises:
      RunError: if processes end for another reason than a file.
    """
    if n_processes == 1:
        for index in indices:
            done(units.process(folder, index))
        return
    has_affinity = hasattr(os, "sched_getaffinity")
    n_cores = len(os.sched_getaffinity(0)) if has_affinity else os.cpu_count()
    left = set(indices)

    def finished(result):
        left.discard(result[0])
        done(result)

    try:
        _map(folder, indices, finished, n_processes or n_cores)
    except BrokenProcessPool:
        for index in sorted(left):
            _alone(folder, index, finished)


def run_beam(folder, indices, done, runner, runner_options=()):
    """Do units on a Beam runner, whose workers must see the folders of data and output.

    Args:
      folder: str, path of the prepared folder, which holds a plan.
      indices: Of the units.
      done: Called with (index, number of inputs) of every unit when the pipeline has ended.
      runner: Name of a runner of Beam, such as 'DirectRunner' or 'FlinkRunner'.
      runner_options: list of 'name=value' or 'name', passed on as they are.

    Raises:
      UsageError: if Beam is not installed.
      RunError: if Beam refuses the runner or an option, or the pipeline fails.
    """
    try:
        import apache_beam as beam
    except ImportError as error:
        raise UsageError(
            "a runner needs Apache Beam, which is not installed: pip install 'noisygan[beam]', or "
            "use this machine's cores without one"
        ) from error
    try:
        with beam.Pipeline(runner, argv=[f"--{option}" for option in runner_options]) as pipeline:
            _ = pipeline | beam.Create(indices) | beam.Reshuffle() | beam.Map(_process, folder)
    except (Exception, SystemExit) as error:
        detail = " ".join(str(error).split())[-300:]
        raise RunError(f"the pipeline on runner {runner} failed: {detail}") from error
    plan = units.load_plan(folder)
    for index in indices:
        done((index, plan.units[index][1]))


def _process(index, folder):
    return units.process(folder, index)[0]


def _alone(folder, index, done):
    """Do one unit by itself, again without each file that crashes the process."""
    reading, given_up = Path(folder) / "parts" / "reading", []
    while True:
        reading.unlink(missing_ok=True)
        try:
            return _map(folder, [index], done, 1, given_up)
        except BrokenProcessPool as error:
            if not reading.exists():
                raise RunError(
                    "a process was ended from outside, perhaps for want of memory; prepare again "
                    "to resume"
                ) from error
            given_up.append(json.loads(reading.read_text()))


def _map(folder, indices, done, n_processes, given_up=None):
    executor = concurrent.futures.ProcessPoolExecutor(
        min(n_processes, len(indices)), multiprocessing.get_context("spawn"), _start_process
    )
    try:
        futures = [executor.submit(units.process, folder, index, given_up) for index in indices]
        for future in concurrent.futures.as_completed(futures):
            done(future.result())
    except BaseException:
        for child in multiprocessing.active_children():
            child.terminate()
        raise
    finally:
        executor.shutdown(cancel_futures=True)


def _start_process():
    """Leave Ctrl-C to the parent and end with it; decoders' messages go nowhere."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def _end_with_parent():
    multiprocessing.parent_process().join()
    os._exit(1)
