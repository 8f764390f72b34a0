"""A thread that renders: requests wait in a queue, background work fills the pauses."""

import asyncio
import collections
import concurrent.futures
import contextlib
import queue
import threading
import time

from noisygan.errors import NoisyganError

# Background work waits this long after a request, as requests come in groups.
QUIET_SECONDS = 0.4


class Busy(NoisyganError):
    """Too many requests wait."""


class Worker:
    """A thread that calls functions one after the other; at most `n_waiting` requests may wait.

    TensorFlow's functions are traced and called here alone, off the server's event loop.
    """

    def __init__(self, n_waiting=256):
        self._queue, self._background = queue.Queue(n_waiting), collections.deque()
        self._thread = threading.Thread(target=self._work, name="renderer", daemon=True)
        self._ended, self._quiet_from = threading.Event(), 0.0

    def start(self):
        """Start the thread."""
        self._thread.start()

    @property
    def has_ended(self):
        """True after `stop`; long work should poll it."""
        return self._ended.is_set()

    def stop(self):
        """End the thread after its current work."""
        self._ended.set()
        with contextlib.suppress(queue.Full):  # it looks for the end after each piece of work
            self._queue.put_nowait(None)
        self._thread.join()

    def in_background(self, steps, first=False):
        """Add an iterator that is advanced while no request comes, before the others if `first`.

        Call it before `start` or from the thread itself.
        """
        self._background.insert(0 if first else len(self._background), steps)

    async def do(self, function, *args):
        """Call a function in the thread and return its result; Busy if too many wait."""
        future = concurrent.futures.Future()
        try:
            self._queue.put_nowait((future, function, args))
        except queue.Full:
            raise Busy("too many sounds are waiting; ask again in a moment") from None
        return await asyncio.wrap_future(future)

    def _work(self):
        while not self._ended.is_set():
            try:
                pause = max(0.0, self._quiet_from - time.monotonic()) if self._background else None
                job = self._queue.get(timeout=pause)
            except queue.Empty:
                if next(self._background[0], self) is self:
                    self._background.popleft()
                continue
            if job is None:
                return
            future, function, args = job
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(function(*args))
            except BaseException as error:
                future.set_exception(error)
            self._quiet_from = time.monotonic() + QUIET_SECONDS
