"""Signals that stop a training after it has saved."""

import os
import signal
import threading

# Ctrl-C; a scheduler, before it takes the machine back or time is up; a terminal that was closed.
STOPPING = ("SIGINT", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGHUP")


def stop_with_stdin():
    """Stop this process as by SIGTERM when its standard input ends.

    A parent process that holds the other end of the pipe closes it however it ends, by SIGKILL too.
    """

    def wait():
        # Not sys.stdin: its lock would be held when the interpreter ends.
        while os.read(0, 1024):
            pass
        signal.raise_signal(signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()


class StopSignals:
    """Catch signals, which the loop reads between steps, so that it saves a whole step.

    A second Ctrl-C stops at once, unsaved. Signals that the process ignores (`nohup`) stay ignored.

    Attributes:
      received: Name of the signal that was received, or None.
      at_once: Whether a second Ctrl-C was received.
    """

    def __init__(self):
        self.received = None
        self.at_once = False
        self.kept = {}
        if threading.current_thread() is threading.main_thread():
            for name in STOPPING:
                number = getattr(signal, name, None)  # Windows lacks some.
                if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                    self.kept[number] = signal.signal(number, self._handle)

    def _handle(self, number, frame):
        if self.received and number == signal.SIGINT:
            self.at_once = True
            raise KeyboardInterrupt
        self.received = self.received or signal.Signals(number).name

    def close(self):
        """Restore the previous handlers."""
        for number, handler in self.kept.items():
            signal.signal(number, handler)
