"""Cost of a run: medians of a few calls, fewer where a call takes long."""

import itertools
import types

import pytest
import tensorflow as tf

from noisygan.evaluation import cost


@pytest.mark.parametrize(
    "seconds, n_calls, milliseconds", [((9.0, *5 * [2.0]), 6, 2000.0), ((30.0,), 1, 30000.0)]
)
def test_a_slow_generator_is_called_once(monkeypatch, seconds, n_calls, milliseconds):
    clock, calls, durations = [0.0], [], itertools.cycle(seconds)

    def generate(z, conditioning, seed):
        calls.append(len(z))
        clock[0] += next(durations)
        return types.SimpleNamespace(audio=tf.zeros([len(z), 4]))

    generate.trainable_weights = [tf.zeros([3, 4])]
    generate.prior = lambda n, seed: tf.zeros([n, 2])
    monkeypatch.setattr(cost.time, "perf_counter", lambda: clock[0])
    run = types.SimpleNamespace(
        metrics=list, step=7, condition_names=("pitch",), generator=generate
    )
    found = {result.metric.name: result for result in cost.cost(run)}
    assert calls == [1] * n_calls + [64] * n_calls
    assert found["rendering an example at batch 1"].value == milliseconds
    assert found["rendering an example at batch 64"].value == milliseconds / 64
    assert found["generator parameters"].value == 12 and found["steps"].value == 7
    assert found["training time"].not_run == "not logged"
