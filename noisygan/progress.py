"""Progress on stderr: a bar on a terminal, a few lines anywhere else."""

import sys
import time

# Away from a terminal at most one line in so many seconds.
QUIET_SECONDS = 60.0

_SHOWN = ("d_loss", "g_loss")


def counted(n, what):
    """`1 note`, `2 notes`."""
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def duration(seconds):
    """Format seconds as `48 s`, `4:05` or `1:02:03`."""
    seconds = max(0, round(seconds))
    if seconds < 60:
        return f"{seconds} s"
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def remaining(step, total_steps, seconds, total_seconds, since=(0, 0.0)):
    """Estimate the time left from the steps and seconds so far; the earlier budget counts.

    Args:
      step: Steps done.
      total_steps: Steps in all, or None.
      seconds: Seconds spent.
      total_seconds: Seconds in all, or None.
      since: (step, seconds) from which the speed is measured: after compilation, or resuming.

    Returns:
      (seconds left, fraction done); either is None where it is unknown.
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
    """Progress that shows nothing."""

    def update(self, step, total_steps, seconds, total_seconds, metrics):
        """Do nothing."""

    def message(self, text):
        """Do nothing."""


class _Bar:
    """A bar of rich on a terminal. Use as a context manager."""

    def __init__(self, what, total=None, stream=None, clock=time.monotonic):
        """Stores.

        Args:
          what: What is done, such as "rendering".
          total: How many there are, or None.
          stream: Where to write; None: stderr.
          clock: Gives the time in seconds.
        """
        self._what, self._total = what, total
        self._stream = sys.stderr if stream is None else stream
        self._clock = clock
        self._bar = None

    def __enter__(self):
        if self._stream.isatty():
            from rich import progress
            from rich.console import Console

            columns = (
                each if "{" in each else getattr(progress, each)() for each in self._columns()
            )
            self._bar = progress.Progress(
                *("{task.description}", progress.BarColumn(bar_width=None), *columns),
                console=Console(file=self._stream),
                get_time=self._clock,
            )
            self._bar.start()
            self._task = self._bar.add_task(self._what, total=self._total, numbers="")
        return self

    def __exit__(self, *error):
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


class CountedProgress(_Bar):
    """Shows how many of a number of things are done: call it with (done, total).

    Without a terminal it prints one line a minute.
    """

    def __init__(self, what, total=None, stream=None, clock=time.monotonic, is_bytes=False):
        """Stores; `is_bytes` shows megabytes and their speed."""
        super().__init__(what, total, stream, clock)
        self._is_bytes, self._written_at = is_bytes, clock()

    def _columns(self):
        counts = ["DownloadColumn", "TransferSpeedColumn"]
        return [*(counts if self._is_bytes else ["MofNCompleteColumn"]), "TimeRemainingColumn"]

    def __call__(self, done, total=None, what=None):
        """Show that `done` things are done, of `total` if that is known only now.

        Args:
          done, total: Numbers.
          what: What is done now; None: as before.
        """
        if what not in (None, self._what):
            self._what, self._total = what, None
        self._total = total or self._total
        if self._bar is not None:
            about = {"description": self._what, "total": self._total}
            self._bar.update(self._task, completed=done, **about)
        elif self._clock() - self._written_at >= QUIET_SECONDS:
            self._written_at = self._clock()
            of = f" of {self._total}" if self._total else ""
            print(f"{self._what}: {done}{of}", file=self._stream, flush=True)


class TrainingProgress(_Bar):
    """Shows step, steps per second, losses and time left of a training.

    Without a terminal it prints a line at the start, one at the end, and one a minute between.
    """

    def __init__(self, stream=None, clock=time.monotonic):
        """Stores."""
        super().__init__("training", None, stream, clock)
        self._first = None  # (step, seconds) of the first update
        self._last = self._written = self._written_at = None

    def _columns(self):
        return ["{task.fields[numbers]}"]

    def __exit__(self, *error):
        if self._bar is None and error[0] is None and self._last != self._written:
            self._write(self._last)
        super().__exit__(*error)

    def update(self, step, total_steps=None, seconds=0.0, total_seconds=None, metrics=None):
        """Show a finished step.

        Args:
          step: Steps done, counted from the start of the run.
          total_steps: Steps in all, or None.
          seconds: Seconds of training so far.
          total_seconds: Seconds in all, or None.
          metrics: dict of floats; d_loss and g_loss are shown.
        """
        self._first = self._first or (step, seconds)
        left, fraction = remaining(step, total_steps, seconds, total_seconds, self._first)
        first_step, first_seconds = self._first
        parts = [f"step {step}" + (f"/{total_steps}" if total_steps is not None else "")]
        if seconds > first_seconds:
            parts.append(f"{(step - first_step) / (seconds - first_seconds):.1f} steps/s")
        parts += [f"{n} {float(metrics[n]):.3f}" for n in _SHOWN if metrics and n in metrics]
        parts += [f"{duration(left)} left"] if left is not None else []
        self._last = "  ".join(parts)
        now = self._clock()
        if self._bar is not None:
            total = None if fraction is None else 1.0
            self._bar.update(self._task, total=total, completed=fraction, numbers=self._last)
        elif self._written_at is None or now - self._written_at >= QUIET_SECONDS:
            self._written, self._written_at = self._last, now
            self._write(self._last)

    def message(self, text):
        """Write a line beside the bar, at once."""
        if self._bar is not None:
            self._bar.console.print(text, markup=False, highlight=False, soft_wrap=True)
        else:
            self._write(text)

    def _write(self, text):
        print(text, file=self._stream, flush=True)
