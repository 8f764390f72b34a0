"""Balance: how unsure the discriminator is, and what is done about it."""

import numpy as np
import pytest
import tensorflow as tf

from noisygan.errors import UsageError
from noisygan.losses import BCE, R1, Hinge, LeastSquares, Relativistic, Wasserstein
from noisygan.training.balance import AdaptPenalty, SkipUpdates
from tests import toys


def built(balance, adversarial=None):
    balance.check(adversarial or BCE(), [R1()])
    balance.build()
    return balance


@pytest.mark.parametrize("pair", [BCE(), Hinge(), LeastSquares(), Relativistic()])
def test_guessing_is_one_and_winning_is_nothing(pair):
    balance = built(SkipUpdates(), pair)

    def unsure(real, fake):
        losses = [pair.d_loss(tf.constant([real]), tf.constant([fake])) for _ in range(3)]
        return float(balance.told(tf.add_n(losses), 3)["d_unsure"])

    assert unsure(0.0, 0.0) == pytest.approx(1.0)
    won = (1.0, 0.0) if isinstance(pair, LeastSquares) else (20.0, -20.0)
    assert unsure(*won) < 1e-6


def test_a_loss_that_does_not_say_who_wins_is_refused():
    with pytest.raises(UsageError, match="Wasserstein costs 0 where .* guesses"):
        toys.trainer([R1()], adversarial=Wasserstein(), balance=SkipUpdates())
    with pytest.raises(UsageError, match="Trainer.regularizers, which is empty"):
        toys.trainer(balance=AdaptPenalty())


@pytest.mark.parametrize(
    "make",
    [
        lambda: AdaptPenalty(target=0.0),
        lambda: AdaptPenalty(steps_per_decade=0),
        lambda: AdaptPenalty(steps_per_decade=1e-3),
        lambda: AdaptPenalty(steps_per_decade=float("nan")),
        lambda: AdaptPenalty(smoothing=1.0),
        lambda: AdaptPenalty(least=2.0),
        lambda: SkipUpdates(least=1.0),
    ],
)
def test_numbers_that_make_no_sense_are_refused(make):
    with pytest.raises(UsageError, match="expected"):
        make()


def test_the_penalty_moves_tenfold_in_so_many_steps_and_stays_within_bounds():
    balance = built(
        AdaptPenalty(target=0.5, steps_per_decade=10, smoothing=0.0, least=0.5, most=200.0)
    )
    factors = [balance.observe({"d_unsure": 0.1})["d_penalty"] for _ in range(30)]
    np.testing.assert_allclose(factors[9], 10.0, rtol=1e-4)
    np.testing.assert_allclose(factors[19], 100.0, rtol=1e-4)
    assert factors[29] == 200.0 == float(balance.penalty)
    for _ in range(60):
        balance.observe({"d_unsure": 0.9})
    assert float(balance.penalty) == 0.5


def test_the_penalty_follows_the_running_mean_and_passes_over_what_is_no_number():
    balance = built(AdaptPenalty(target=0.5, smoothing=0.9))
    # One step of a sure discriminator is no victory yet.
    assert balance.observe({"d_unsure": 0.0})["d_penalty"] < 1.0
    means = [balance.observe({"d_unsure": 0.0})["d_unsure_mean"] for _ in range(3)]
    np.testing.assert_allclose(means, [0.81, 0.729, 0.6561], rtol=1e-5)
    before = float(balance.penalty)
    for spoilt in (np.nan, np.inf, -np.inf):
        assert balance.observe({"d_unsure": spoilt})["d_penalty"] == before
        assert float(balance.mean) == pytest.approx(0.6561)


def test_the_fastest_penalty_goes_from_bound_to_bound():
    balance = built(AdaptPenalty(steps_per_decade=0.01, smoothing=0.0))
    penalties = [balance.observe({"d_unsure": x})["d_penalty"] for x in (0.1, 0.9, 0.1)]
    np.testing.assert_allclose(penalties, [1e4, 0.01, 1e4], rtol=1e-6)


def test_updates_are_skipped_only_after_a_step_that_was_too_sure():
    balance = built(SkipUpdates(least=0.3))
    learns = [balance.observe({"d_unsure": x})["d_learns"] for x in (0.5, 0.2, 0.1, 0.4, np.nan)]
    assert learns == [1.0, 1.0, 0.0, 0.0, 1.0]
    assert bool(balance.learns)


def test_both_reach_the_discriminators_step(eagerly):
    """A factor counts as the same factor of the weight would; without learning nothing moves."""

    def step(weight, balance=None, change=lambda balance: None):
        trainer = toys.trainer([R1(weight)], adversarial=BCE(), balance=balance)
        trainer.build(toys.notes())
        change(balance)
        before = [v.numpy() for v in trainer.discriminator.trainable_weights]
        metrics = trainer.train_step(trainer.batches(toys.notes(), 0), 0)
        after = [v.numpy() for v in trainer.discriminator.trainable_weights]
        moved = max(np.abs(a - b).max() for a, b in zip(after, before, strict=True))
        return float(metrics["d_loss"]), moved, metrics, trainer

    plain, moved, _, _ = step(30.0)
    assert moved > 0.0
    scaled, _, metrics, trainer = step(3.0, AdaptPenalty(), lambda b: b.penalty.assign(10.0))
    assert scaled == pytest.approx(plain, rel=1e-5)
    assert scaled != pytest.approx(step(3.0)[0], rel=1e-5)
    assert float(metrics["d_penalty"]) != 10.0
    assert {"balance_penalty", "balance_mean"} <= set(trainer.checkpointed)
    _, moved, metrics, trainer = step(3.0, SkipUpdates(), lambda b: b.learns.assign(False))
    assert moved == 0.0 and int(trainer.d_phase.optimizer.iterations) == 0
    assert int(trainer.g_phase.optimizer.iterations) == 1
    # Not an update that failed.
    assert float(metrics["d_finite"]) == 1.0 and metrics["d_learns"] == 0.0
