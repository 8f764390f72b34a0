"""Scales: even steps for numbers of one size, factors for wide ones, 0 and below included."""

import pytest

from noisygan.reports.scales import Scale


def test_numbers_of_one_size_stand_in_proportion():
    scale = Scale([2.0, 3.0, 10.0])
    assert not scale.wide
    assert [scale.fraction(v) for v in (2, 3, 6, 10)] == pytest.approx([0, 0.125, 0.5, 1])


def test_wide_numbers_stand_by_factors():
    scale = Scale([1.0, 1000.0])
    steps = [scale.fraction(10.0**k) for k in range(4)]
    assert scale.wide and steps[0] == 0 and steps[3] == 1
    assert steps[3] - steps[2] == pytest.approx(steps[2] - steps[1], rel=0.01)
    assert scale.ticks() == [1, 10, 100, 1000]


def test_negative_numbers_and_0_have_a_place():
    scale = Scale([-5.0, 0.0, 900.0], unit=1.3)
    places = [scale.fraction(v) for v in (-5, -1, 0, 1, 10, 900)]
    assert places == sorted(places) and places[0] == 0 and places[-1] == 1
    assert scale.ticks() == [-1, 0, 1, 10, 100]


@pytest.mark.parametrize("values", [[0.0], [3.0, 3.0], [-2.0], [0.0, 0.0]])
def test_equal_numbers_stand_in_the_middle(values):
    assert Scale(values).fraction(values[0]) == pytest.approx(0.5)


def test_what_lies_outside_is_put_at_the_end():
    scale = Scale([1.0, 2.0])
    assert scale.fraction(0.0) == 0 and scale.fraction(9.0) == 1


def test_a_tiny_number_does_not_take_all_the_room():
    scale = Scale([1e-12, 1.0, 900.0])
    assert scale.fraction(1.0) < 0.5
