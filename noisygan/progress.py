"""Progress for people: a bar on a terminal, a few lines anywhere else.

Everything goes to stderr, so that what a command prints on stdout can be piped.
"""

import sys
import time

# Away from a terminal at most one line in so many seconds.
QUIET_SECONDS = 60.0

_SHOWN = ("d_loss", "g_loss")


def _is_terminal(stream):
    return hasattr(stream, "isatty") and stream.isatty()


def counted(n, what):
    """`1 note`, `2 notes`."""
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def duration(seconds):
    """Seconds as a person reads them.

    Args:
      seconds: Seconds, 0 or more.

    Returns:
      str: `48 s`, `4:05` or `1:02:03`.
    """
    seconds = max(0, round(seconds))
    if seconds < 60:
        return f"{seconds} s"
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def remaining(step, total_steps, seconds, total_seconds, since=(0, 0.0)):
    """Estimates the time left from the steps and seconds so far; the earlier budget counts.

    Args:
      step: Steps done.
      total_steps: Steps in all, or None.
      seconds: Seconds spent.
      total_seconds: Seconds in all, or None.
      since: (step, seconds) from which the speed is taken; what came before does not count: the
        compilation of the first step, or the time before a run was resumed.

    Returns:
      (seconds left, fraction done); either is None where it cannot be known.
    """
    left, fraction = [], []
    steps, spent = step - since[0], seconds - since[1]
    if total_steps is not None:
        if steps > 0 and spent > 0:
            left.append((total_steps - step) * spent / steps)
        fraction.append(step / total_steps if total_steps else 1.0)
    if total_seconds is not None:
        left.append(total_seconds - seconds)
        fraction.append(seconds / total_seconds if total_seconds else 1.0)
    return (
        max(0.0, min(left)) if left else None,
        min(1.0, max(fraction)) if fraction else None,
    )


class Silent:
    """Progress that nobody watches."""

    def update(self, step, total_steps, seconds, total_seconds, metrics):
        """Does nothing."""

    def message(self, text):
        """Does nothing."""


class TrainingProgress:
    """Shows how training goes on; use it as a context manager.

    On a terminal: a bar with step, steps a second, losses and time left. Elsewhere: a line at the
    start, one at the end, and at most one a minute between.
    """

    def __init__(self, stream=None, clock=time.monotonic):
        """Stores.

        Args:
          stream: Where to write; stderr where absent.
          clock: Gives the time in seconds.
        """
        self._stream = sys.stderr if stream is None else stream
        self._clock = clock
        self._bar = None
        self._task = None
        self._first = None  # (step, seconds) of the first update
        self._last = None
        self._spoken = None  # when the last line was written
        self._ended_with = None

    def __enter__(self):
        if _is_terminal(self._stream):
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn

            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(bar_width=None),
                TextColumn("{task.fields[numbers]}"),
                console=Console(file=self._stream),
                transient=False,
            )
            self._bar.start()
            self._task = self._bar.add_task("preparing", total=None, numbers="")
        return self

    def __exit__(self, *error):
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
        elif error[0] is None and self._last is not None and self._ended_with != self._last:
            self._write(self._last)

    def update(self, step, total_steps=None, seconds=0.0, total_seconds=None, metrics=None):
        """Takes notice of a finished step.

        Args:
          step: Steps done, counted from the start of the run.
          total_steps: Steps in all, or None.
          seconds: Seconds of training so far.
          total_seconds: Seconds in all, or None.
          metrics: dict of floats; d_loss and g_loss are shown.
        """
        if self._first is None:
            self._first = (step, seconds)
        left, fraction = remaining(step, total_steps, seconds, total_seconds, self._first)
        text = self._text(step, total_steps, seconds, left, metrics or {})
        self._last = text
        if self._bar is not None:
            total = 1.0 if fraction is not None else None
            self._bar.update(
                self._task, description="training", total=total, completed=fraction, numbers=text
            )
            return
        now = self._clock()
        if self._spoken is None or now - self._spoken >= QUIET_SECONDS:
            self._spoken = now
            self._ended_with = text
            self._write(text)

    def message(self, text):
        """Says something beside the bar, at once.

        Args:
          text: One line.
        """
        if self._bar is not None:
            self._bar.console.print(text, markup=False, highlight=False, soft_wrap=True)
        else:
            self._write(text)

    def _text(self, step, total_steps, seconds, left, metrics):
        parts = [f"step {step}" + (f"/{total_steps}" if total_steps is not None else "")]
        first_step, first_seconds = self._first
        if seconds > first_seconds:
            parts.append(f"{(step - first_step) / (seconds - first_seconds):.1f} steps/s")
        parts += [f"{name} {float(metrics[name]):.3f}" for name in _SHOWN if name in metrics]
        if left is not None:
            parts.append(f"{duration(left)} left")
        return "  ".join(parts)

    def _write(self, text):
        print(text, file=self._stream, flush=True)


class CountedProgress:
    """Shows how many of a known number of things are done; use it as a context manager.

    On a terminal a bar, which appears after two seconds; elsewhere nothing, since the command
    says at its end what it has made.
    """

    def __init__(
        self,
        what,
        total,
        stream=None,
        clock=time.monotonic,
        after_seconds=2.0,
        is_bytes=False,
    ):
        """Stores.

        Args:
          what: What is counted, such as "rendering".
          total: How many there are.
          stream: Where to write; stderr where absent.
          clock: Gives the time in seconds.
          after_seconds: A bar for something shorter would only flicker.
          is_bytes: Whether bytes are counted, which are shown as megabytes, with their speed.
        """
        self._what, self._total = what, total
        self._stream = sys.stderr if stream is None else stream
        self._clock = clock
        self._after_seconds = after_seconds
        self._is_bytes = is_bytes
        self._bar = None

    def __enter__(self):
        self._start = self._clock()
        return self

    def __exit__(self, *error):
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, done, total=None):
        """Takes notice that `done` things are done.

        Args:
          done: How many.
          total: Replaces the total where it is known only now.
        """
        if not _is_terminal(self._stream):
            return
        self._total = total or self._total
        if self._bar is None and self._clock() - self._start >= self._after_seconds:
            from rich.console import Console
            from rich.progress import (
                BarColumn,
                DownloadColumn,
                MofNCompleteColumn,
                Progress,
                TextColumn,
                TimeRemainingColumn,
                TransferSpeedColumn,
            )

            numbers = [MofNCompleteColumn()]
            if self._is_bytes:
                numbers = [DownloadColumn(), TransferSpeedColumn()]

            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(bar_width=None),
                *numbers,
                TimeRemainingColumn(),
                console=Console(file=self._stream),
            )
            self._bar.start()
            self._task = self._bar.add_task(self._what, total=self._total)
        if self._bar is not None:
            self._bar.update(self._task, completed=done, total=self._total)
