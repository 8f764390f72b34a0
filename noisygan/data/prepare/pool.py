"""Units on this machine's cores: the way they run without Beam."""

import concurrent.futures
import multiprocessing
import os
import signal
import threading
from concurrent.futures.process import BrokenProcessPool

from noisygan.data.prepare import units
from noisygan.errors import RunError


def run(folder, indices, done, n_processes):
    """Does units, each in one of several processes.

    A process that a file brings down, or that is ended for want of memory, does not end the run:
    what is left is then done one by one, and a file that brings its process down again is skipped.

    Args:
      folder: str, path of the prepared folder, which holds a plan.
      indices: Of the units.
      done: Called with what `units.process` returns, as units end.
      n_processes: How many processes at most.

    Raises:
      RunError: if processes end for another reason than a file.
    """
    left = set(indices)

    def finished(result):
        left.discard(result[0])
        done(result)

    try:
        _map(folder, indices, finished, n_processes)
    except BrokenProcessPool:
        for index in sorted(left):
            _alone(folder, index, finished)


def _alone(folder, index, done):
    """Does one unit by itself, again without each file that brings the process down."""
    plan = units.load_plan(folder)
    while True:
        try:
            return _map(folder, [index], done, 1, watched=True)
        except BrokenProcessPool as error:
            if not plan.blame_file():
                raise RunError(
                    "a process was ended from outside, perhaps for want of memory; the same "
                    "command goes on where it was"
                ) from error


def _map(folder, indices, done, n_processes, watched=False):
    executor = concurrent.futures.ProcessPoolExecutor(
        min(n_processes, len(indices)), multiprocessing.get_context("spawn"), _prepare_process
    )
    try:
        futures = [executor.submit(units.process, folder, index, watched) for index in indices]
        for future in concurrent.futures.as_completed(futures):
            done(future.result())
    except BaseException:
        for child in multiprocessing.active_children():
            child.terminate()
        raise
    finally:
        executor.shutdown(cancel_futures=True)


def _prepare_process():
    """Ctrl-C is the parent's business, and nobody outlives it; decoders' chatter goes nowhere."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def _end_with_parent():
    multiprocessing.parent_process().join()
    os._exit(1)
