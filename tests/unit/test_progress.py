"""Progress: a bar on a terminal, few lines anywhere else."""

import io

import pytest

from noisygan.progress import CountedProgress, TrainingProgress, duration, remaining


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (48.4, "48 s"), (245, "4:05"), (3723, "1:02:03"), (-3, "0 s")]
)
def test_durations_as_a_person_reads_them(seconds, text):
    assert duration(seconds) == text


def test_the_earlier_of_two_budgets_decides_the_time_left():
    assert remaining(10, 100, 5.0, None) == (45.0, 0.1)
    assert remaining(10, None, 5.0, 20.0) == (15.0, 0.25)
    assert remaining(10, 100, 5.0, 20.0) == (15.0, 0.25)
    assert remaining(10, 12, 5.0, 20.0) == (1.0, 10 / 12)
    assert remaining(10, None, 5.0, None) == (None, None)
    assert remaining(0, 100, 0.0, None) == (None, 0.0)


def test_a_resumed_run_estimates_from_its_own_steps():
    assert remaining(110, 200, 105.0, None, since=(100, 100.0)) == (45.0, 0.55)
    assert remaining(100, 200, 100.0, None, since=(100, 100.0)) == (None, 0.5)


def test_away_from_a_terminal_a_line_at_each_end_and_one_a_minute():
    stream, clock = io.StringIO(), Clock()
    with TrainingProgress(stream, clock) as progress:
        for step in range(1, 301):
            clock.now = step * 0.5
            progress.update(
                step, 300, clock.now, None, {"d_loss": 0.5, "g_loss": 1.25, "other": 9.0}
            )
    lines = stream.getvalue().splitlines()
    assert len(lines) == 4  # at 0.5 s, 60.5 s, 120.5 s, and the end
    assert lines[0].startswith("step 1/300")
    assert lines[1] == "step 121/300  2.0 steps/s  d_loss 0.500  g_loss 1.250  1:30 left"
    assert lines[-1].startswith("step 300/300")
    assert "other" not in stream.getvalue()


def test_on_a_terminal_a_bar_with_step_speed_losses_and_time_left():
    stream = Terminal()
    with TrainingProgress(stream, Clock()) as progress:
        progress.update(1, 40, 1.0, None, {"d_loss": 0.5, "g_loss": 1.25})
        progress.update(20, 40, 10.5, None, {"d_loss": 0.25, "g_loss": 1.25})
        progress.message("a [warning]")
    shown = stream.getvalue()
    for part in ("step 20/40", "2.0 steps/s", "d_loss 0.250", "g_loss 1.250", "left"):
        assert part in shown
    assert "a [warning]" in shown


def test_counting_shows_a_bar_on_a_terminal_alone():
    for stream in (Terminal(), io.StringIO()):
        with CountedProgress("rendering", None, stream, Clock()) as count:
            count(1, 3)
            count(2, 3)
        assert ("2/3" in stream.getvalue()) == ("rendering" in stream.getvalue()) == stream.isatty()
        assert stream.isatty() or not stream.getvalue()
    stream, clock = io.StringIO(), Clock()
    with CountedProgress("reading", 500, stream, clock) as count:
        for clock.now in (0, 59, 60, 61, 120):
            count(clock.now)
        for clock.now in (170, 180):
            count(clock.now, what="hybrid, seed 0: diversity")
    assert stream.getvalue().splitlines() == [
        "reading: 60 of 500",
        "reading: 120 of 500",
        "hybrid, seed 0: diversity: 180",
    ]
    stream = Terminal()
    with CountedProgress("reading", 500, stream, Clock()) as count:
        count(3, 20, what="hybrid, seed 0: metrics")
    assert "hybrid, seed 0: metrics" in stream.getvalue() and "3/20" in stream.getvalue()
    stream = Terminal()
    with CountedProgress("downloading", 3_000_000, stream, Clock(), is_bytes=True) as count:
        count(1_000_000)
    assert "1.0/3.0 MB" in stream.getvalue()
