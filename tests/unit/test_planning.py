"""The plan's arithmetic against closed forms, and against steps that were measured."""

import pytest

from noisygan import measured_steps, planning
from noisygan.errors import UsageError
from noisygan.planning import Links

MEASURED = {
    "batch_size": 16,
    "n_critic": 2,
    "sample_rate": 16000,
    "sound_seconds": 4.0,
    "parameters": {"g": 3_000_000, "d": 1_000_000},
    "step": {"seconds": 0.5},
    "memory": {"peak_bytes": 2_000},
    "parts": {"generator": {"seconds": 0.1}, "synth": {"seconds": 0.06}},
    # 0.1 s + 0.025 s a sound; 400 bytes + 100 a sound.
    "growth": [
        {"what": "seconds", "values": [1, 2], "seconds": [9, 9], "peak_bytes": [9, 9]},
        {
            "what": "batch",
            "values": [8, 16, 32],
            "seconds": [0.3, 0.5, 0.9],
            "peak_bytes": [1200, 2000, 3600],
        },
    ],
}
LINKS = Links(per_machine=4, inside=1e9, between=1e8, latency=1e-3)


def test_a_line_through_points():
    assert planning.affine([1, 2, 3], [5.0, 7.0, 9.0]) == pytest.approx((3.0, 2.0))
    assert planning.affine([4], [2.0]) == (0.0, 0.5)
    # Time never falls with the batch, and nothing takes less than no time.
    assert planning.affine([1, 2], [3.0, 1.0]) == (2.0, 0.0)
    fixed, each = planning.affine([1, 2], [1.0, 3.0])
    assert fixed == 0.0 and each == pytest.approx(7 / 5)


def test_an_all_reduce_along_a_ring():
    assert planning.ring_seconds(1e9, 1, 1e9, 1e-3) == 0.0
    # Two exchange halves twice; many, nearly the whole of it twice.
    assert planning.ring_seconds(1e9, 2, 1e9, 0.0) == pytest.approx(1.0)
    assert planning.ring_seconds(1e9, 1000, 1e9, 0.0) == pytest.approx(2.0, rel=2e-3)
    assert planning.ring_seconds(0, 5, 1e9, 1e-3) == pytest.approx(8e-3)


def test_rings_within_machines_then_between_them():
    within = planning.all_reduce_seconds(1e6, 4, LINKS)
    assert within == planning.ring_seconds(1e6, 4, 1e9, 1e-3)
    across = planning.all_reduce_seconds(1e6, 9, LINKS)
    assert across == pytest.approx(within + planning.ring_seconds(1e6, 3, 1e8, 1e-3))


def test_one_device_is_the_measured_step():
    found = planning.plan(MEASURED, 1, 1600, 10)
    assert found["step_seconds"] == pytest.approx(0.5)
    assert found["exchange_seconds"] == 0.0
    assert found["efficiency"] == pytest.approx(1.0)
    # Two critic rounds a step hear 32 recordings: 16,000 make 500 steps.
    assert found["steps"] == 500
    assert found["training_seconds"] == pytest.approx(250.0)
    assert found["memory_bytes_a_device"] == pytest.approx(2000)
    assert found["data_bytes"] == 1600 * 64000 * 2
    assert found["read_bytes_a_second"] == pytest.approx(32 * 128000 / 0.5)
    assert found["state_bytes"] == 4 * (5 * 3_000_000 + 4 * 1_000_000)
    assert found["notes_rendered_a_second"] == pytest.approx(100.0)
    assert found["rendering_seconds"] == pytest.approx(16.0)
    assert found["voices_a_device"] == pytest.approx(400.0)


def test_many_devices_share_the_batch_and_exchange_gradients():
    found = planning.plan(MEASURED, 8, 1600, 10, batch_size=64, links=LINKS)
    assert found["n_machines"] == 2
    assert found["batch_a_device"] == 8
    assert found["compute_seconds"] == pytest.approx(0.3)
    exchange = 2 * planning.all_reduce_seconds(4e6, 8, LINKS)
    exchange += planning.all_reduce_seconds(12e6, 8, LINKS)
    assert found["exchange_seconds"] == pytest.approx(exchange)
    alone = 0.1 + 0.025 * 64
    assert found["efficiency"] == pytest.approx(alone / (8 * (0.3 + exchange)))


def test_without_exchange_and_fixed_cost_twice_the_devices_take_half():
    measured = MEASURED | {"growth": []}
    free = Links(8, 1e30, 1e30, 0.0)
    one, two = (planning.plan(measured, n, 10**6, 1, 32, free) for n in (1, 2))
    assert two["training_seconds"] == pytest.approx(one["training_seconds"] / 2)
    assert two["efficiency"] == pytest.approx(1.0)
    fast = planning.plan(measured, 1, 10**6, 1, 32, free, speed=4.0)
    assert fast["training_seconds"] == pytest.approx(one["training_seconds"] / 4)


def test_a_batch_that_does_not_divide_is_refused():
    with pytest.raises(UsageError, match="batch of 16 can't be divided among 3 .* --batch 15"):
        planning.plan(MEASURED, 3, 10, 1)


@pytest.mark.parametrize("name", measured_steps.STEPS)
def test_measured_steps_are_met(name):
    """A middle batch is told within a tenth by the smallest and the largest alone."""
    measured = measured_steps.STEPS[name]
    (row,) = (row for row in measured["growth"] if row["what"] == "batch")
    ends = {key: [row[key][0], row[key][-1]] for key in ("values", "seconds", "peak_bytes")}
    told = planning.plan(measured | {"growth": [row | ends]}, 1, 1000, 1)
    assert told["step_seconds"] == pytest.approx(measured["step"]["seconds"], rel=0.1)
    peak = measured["memory"]["peak_bytes"]
    assert told["memory_bytes_a_device"] == pytest.approx(peak, rel=0.1)
