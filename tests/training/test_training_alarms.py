"""Warnings: each fires on what it is for, says what to do, and stays silent on healthy numbers."""

import json

import pytest

from noisygan.training.alarms import Alarms

HEALTHY = {
    "d_adversarial": 0.6,
    "d_right": 0.8,
    "real_spread": 3.0,
    "fake_spread": 2.5,
    "fake_peak": 0.7,
    "fake_quietest_peak": 0.2,
    "d_loss": 0.8,
    "g_loss": 0.7,
}

SICK = {
    "discriminator has won": ({"d_right": 1.0, "d_adversarial": 0.001}, "R1"),
    "have become alike": ({"fake_spread": 0.1}, "larger batch"),
    "nearly silent": ({"fake_peak": 1e-5}, "Hybrid.initial_loudness_db"),
    "exceed full scale": ({"fake_peak": 3.0}, "Hybrid.max_loudness_db"),
}


def warnings(records, **settings):
    alarms = Alarms(**settings)
    return [alarm.text for record in records for alarm in alarms.check(record)]


def test_healthy_numbers_are_left_alone():
    assert warnings([HEALTHY] * 100) == []
    # Barely healthy.
    assert warnings([HEALTHY | {"fake_peak": 0.99, "d_right": 0.98}] * 100) == []
    assert warnings([HEALTHY | {"fake_spread": 0.7, "d_adversarial": 0.05}] * 100) == []


@pytest.mark.parametrize("what", SICK)
def test_each_fires_alone_and_says_what_to_do(what):
    change, advice = SICK[what]
    found = warnings([HEALTHY | change] * 30)
    assert len(found) == 1
    assert what in found[0].lower() or what in found[0]
    assert advice in found[0]


@pytest.mark.parametrize("what", SICK)
def test_a_moment_is_not_enough(what):
    records = [HEALTHY] * 25 + [HEALTHY | SICK[what][0]] + [HEALTHY] * 25
    if what != "exceed full scale":
        assert warnings(records) == []
    assert warnings([HEALTHY | SICK[what][0]] * 19) == []
    assert len(warnings([HEALTHY | SICK[what][0]] * 20)) == 1


def test_a_warning_is_repeated_now_and_then():
    sick = HEALTHY | SICK["nearly silent"][0]
    assert len(warnings([sick] * 60, patience=5, repeat=20)) == 3


def test_numbers_that_are_missing_or_not_finite_are_no_warning():
    assert warnings([{"d_loss": 1.0}] * 40) == []
    assert warnings([HEALTHY | {"fake_peak": float("nan"), "d_right": float("nan")}] * 40) == []


def test_a_number_that_is_missing_now_and_then_mutes_no_alarm():
    sick = HEALTHY | SICK["nearly silent"][0]
    records = [sick if i % 5 else sick | {"fake_peak": float("nan")} for i in range(30)]
    assert len(warnings(records)) == 1


def test_what_was_seen_before_a_stop_counts_after_it():
    sick = HEALTHY | SICK["have become alike"][0]

    def records(first, n):
        return [sick | {"d_loss": i / 3.0} for i in range(first, first + n)]

    whole = Alarms(patience=6, repeat=9)
    expected = [whole.check(record) for record in records(0, 30)]
    for stopped in (3, 6, 12):
        before, after = (Alarms(patience=6, repeat=9) for _ in range(2))
        found = [before.check(record) for record in records(0, stopped)]
        after.load(json.loads(json.dumps(before.state())))
        found += [after.check(record) for record in records(stopped, 30 - stopped)]
        assert found == expected
    assert sum(map(len, expected)) == 3


def test_sounds_show_all_but_a_discriminator_that_has_won():
    heard = {}
    for change, _ in SICK.values():
        alarms = Alarms()
        found = [alarm for _ in range(30) for alarm in alarms.check(HEALTHY | change)]
        heard |= {alarm.name: alarm.heard for alarm in found}
    assert heard == {"d_won": False, "collapse": True, "silence": True, "clipping": True}


def test_variety_that_stays_low_is_a_collapse():
    alarms = Alarms()
    values = [9.0, 9.0, 50.0, 1.0, 1.0, 1.0, float("nan"), 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    found = [[a.name for a in alarms.check_variety(value)] for value in values]
    assert [i for i, names in enumerate(found) if names] == [5, 9, 12]
    assert found[5] == ["collapse"]
    after = Alarms()
    after.load(json.loads(json.dumps(alarms.state())))
    assert [bool(x.check_variety(0.0)) for x in (after, after, after)] == [False, False, True]
