"""The curve of quality: what counts as a gain, when it is done, and what it says."""

import math

import pytest

from noisygan.training.curve import Curve


def curve(*distances, patience=3, min_gain=1.0):
    made = Curve(patience, min_gain)
    for i, distance in enumerate(distances):
        made.add(100 * (i + 1), distance)
    return made


def test_it_is_done_after_so_many_measurements_without_a_gain():
    assert not curve(50.0, 40.0, 41.0, 40.5).is_done
    assert curve(50.0, 40.0, 41.0, 40.5, 39.5).is_done
    # A gain just in time.
    assert not curve(50.0, 40.0, 41.0, 40.5, 39.0).is_done
    assert not curve(50.0, 40.0, 41.0, 40.5, 39.0, 45.0, 45.0).is_done


def test_small_gains_add_up():
    falling = [50.0 - 0.4 * i for i in range(20)]
    for n in range(2, 20):
        assert not curve(*falling[:n]).is_done, n
    assert curve(*falling, min_gain=3.0).is_done


def test_the_best_is_the_lowest_even_where_it_was_no_gain():
    found = curve(50.0, 40.0, 39.8, 41.0)
    assert found.best == [300, 39.8]
    assert found.n_without_gain == 2
    assert Curve(3, 1.0).best is None and not Curve(3, 1.0).is_done


def test_adding_says_whether_it_is_the_lowest():
    made = Curve(3, 1.0)
    assert [made.add(i, x) for i, x in enumerate([5.0, 6.0, 5.0, 4.9])] == [
        True,
        False,
        False,
        True,
    ]


def test_what_is_no_number_is_no_gain_and_never_the_best():
    made = curve(math.nan, 40.0, math.nan, math.nan, math.nan)
    assert made.best == [200, 40.0]
    assert made.is_done
    assert curve(math.nan, math.nan).n_without_gain == 1
    for value in (math.nan, math.inf, -math.inf):
        spoilt = Curve(3, 1.0)
        assert not spoilt.add(100, value) and spoilt.best is None
        assert spoilt.add(200, 40.0) and spoilt.best == [200, 40.0]


@pytest.mark.parametrize(
    ("distances", "said"),
    [
        ((), "too few measurements"),
        ((50.0,), "too few measurements"),
        (
            (50.0, 40.0),
            "40.0 % from the recordings at step 200, 50.0 % at step 100: still improving",
        ),
        ((50.0, 40.0, 39.5), "last gain at step 200, done if 2 more measurements bring none"),
        (
            (50.0, 40.0, 39.5, 41.0),
            "39.5 % at step 300, the best): last gain at step 200, done if one more",
        ),
        (
            (50.0, 40.0, 41.0, 42.0, 43.0),
            "at step 500 (40.0 % at step 200, the best): no gain since",
        ),
        (
            (math.nan, math.inf, math.nan),
            "not finite in any of 3 measurements, so no weights are best",
        ),
        (
            (50.0, 40.0, math.nan),
            "the sounds are not finite at step 300 (40.0 % at step 200, the best): last gain",
        ),
        ((math.nan, 40.0), "at step 200, not finite at step 100: still improving"),
    ],
)
def test_the_verdict(distances, said):
    verdict = curve(*distances).verdict()
    assert said in verdict
    assert "inf %" not in verdict and "nan" not in verdict
