"""One thread that renders: requests wait in a queue, and leisurely work fills the pauses."""

import asyncio
import collections
import concurrent.futures
import contextlib
import queue
import threading
import time

from noisygan.errors import NoisyganError

# Work at leisure waits this long after a request: one seldom comes alone.
QUIET_SECONDS = 0.4


class Busy(NoisyganError):
    """More requests wait than will be served soon."""


class Worker:
    """Runs functions one after the other in a thread of its own.

    TensorFlow's functions are traced and called here alone, off the server's event loop.

    Args:
      n_waiting: How many requests may wait.
    """

    def __init__(self, n_waiting=256):
        self._queue = queue.Queue(n_waiting)
        self._leisure = collections.deque()
        self._thread = threading.Thread(target=self._work, name="renderer", daemon=True)
        self._ended = threading.Event()
        self._quiet_from = 0.0

    def start(self):
        """Begins to work."""
        self._thread.start()

    @property
    def has_ended(self):
        """Whether it is told to end; what takes long should look."""
        return self._ended.is_set()

    def stop(self):
        """Ends after what is being done now."""
        self._ended.set()
        with contextlib.suppress(queue.Full):  # it looks for the end after each piece of work
            self._queue.put_nowait(None)
        self._thread.join()

    def at_leisure(self, steps, soon=False):
        """Adds an iterator whose steps are taken, one by one, when no request came for a moment.

        What is wanted soon goes before what waits already.
        Call it before `start` or from the thread itself.
        """
        if soon:
            self._leisure.appendleft(steps)
        else:
            self._leisure.append(steps)

    async def do(self, function, *args):
        """The result of a function that the thread calls.

        Raises:
          Busy: if too many wait.
        """
        future = concurrent.futures.Future()
        try:
            self._queue.put_nowait((future, function, args))
        except queue.Full:
            raise Busy("too many sounds are waiting; ask again in a moment") from None
        return await asyncio.wrap_future(future)

    def _work(self):
        while not self._ended.is_set():
            try:
                pause = max(0.0, self._quiet_from - time.monotonic()) if self._leisure else None
                job = self._queue.get(timeout=pause)
            except queue.Empty:
                if next(self._leisure[0], self) is self:
                    self._leisure.popleft()
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
