"""Averaged weights: equal shares of a tail, and shares that decay."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from staging import PLAIN, classifier
from stepping import X, Y, each_base, weights_of
from toys import Toy, descend, quadratic

from skflat.models.mlp import MLP
from skflat.objective import HalfSquared, Objective
from skflat.solvers import EMA, SGD, SWA, Adam, Settings, minimize

# These fits are short on purpose.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
ONE_ROW = Settings(learning_rate_init=0.02, batch_size=1, **PLAIN)


# Equal shares


def sgd_path(n_steps, **settings):
    """Where SGD is on a quadratic after every number of steps, from the start on."""
    bowl, numbers = quadratic(4.0, 1.0), range(1, n_steps + 1)
    return [np.array([1.0, -2.0])] + [descend(SGD(), bowl, (1, -2), n, **settings) for n in numbers]


@pytest.mark.parametrize(
    ("start", "cycle", "averaged"),
    [(0.5, 1, range(10, 21)), (0.75, 2, (15, 17, 19)), (0, 1, range(1, 21)), (1, 3, (20,))],
)
def test_the_end_is_the_mean_of_the_ends_of_the_later_epochs(start, cycle, averaged):
    path = sgd_path(20, max_iter=20)
    solver = SWA(start=start, cycle=cycle)
    end = descend(solver, quadratic(4.0, 1.0), (1, -2), 20, max_iter=20)
    assert_allclose(end, np.mean([path[n] for n in averaged], axis=0), rtol=1e-13)


@each_base
def test_before_the_tail_it_is_the_base_to_the_bit(base):
    plain = {"adam": Adam(), "sgd": SGD()}[base]
    averaged, by_hand = (
        classifier(solver, max_iter=8, rho=0).fit(X, Y) for solver in (SWA(base), plain)
    )
    assert averaged.loss_curve_ == by_hand.loss_curve_
    assert averaged.n_grad_evals_ == by_hand.n_grad_evals_ == 8
    assert np.abs(weights_of(averaged) - weights_of(by_hand)).max() > 1e-5
    first = classifier(SWA(base), max_iter=8, rho=0)
    second = classifier(plain, max_iter=8, rho=0)
    for _ in range(6):
        first.partial_fit(X, Y, classes=[0, 1, 2])
        second.partial_fit(X, Y, classes=[0, 1, 2])
    assert_array_equal(weights_of(first), weights_of(second))


@each_base
def test_training_goes_on_from_the_last_point_and_not_from_the_mean(base):
    plain = {"adam": Adam(), "sgd": SGD()}[base]
    averaged, by_hand = (classifier(solver, rho=0, max_iter=4) for solver in (SWA(base), plain))
    path = []
    for _ in range(6):
        averaged = pickle.loads(pickle.dumps(averaged.partial_fit(X, Y, classes=[0, 1, 2])))
        path.append(weights_of(by_hand.partial_fit(X, Y, classes=[0, 1, 2])))
    assert averaged.loss_curve_ == by_hand.loss_curve_
    assert_allclose(weights_of(averaged), np.mean(path[2:], axis=0), rtol=1e-12)


def test_what_somebody_else_sets_between_two_calls_is_gone_on_from():
    clf = classifier("swa", max_iter=2)
    for _ in range(3):
        clf.partial_fit(X, Y, classes=[0, 1, 2])
    for array in (*clf.coefs_, *clf.intercepts_):
        array[...] = 0
    clf.partial_fit(X, Y)
    assert clf.loss_curve_[-1] > 1.05
    assert clf.loss_curve_[-2] < clf.loss_curve_[-1]


def test_an_average_begins_anew_where_somebody_else_sets_the_parameters():
    """Half of one step away from there, and not between there and where it was."""
    plain = classifier("sgd", max_iter=2, momentum=0.0, nesterovs_momentum=False)
    clf = classifier("swa", max_iter=2, momentum=0.0, nesterovs_momentum=False)
    for each in (clf, plain):
        for _ in range(3):
            each.partial_fit(X, Y, classes=[0, 1, 2])
        for array in (*each.coefs_, *each.intercepts_):
            array[...] = 0.1
        each.partial_fit(X, Y)
    assert_allclose(weights_of(clf), (0.1 + weights_of(plain)) / 2, rtol=1e-12)


def test_the_mean_is_what_validation_sees_and_early_stopping_keeps():
    params = {"max_iter": 30, "learning_rate_init": 0.1, "early_stopping": True, "tol": 0}
    clf = classifier(SWA(start=0.1), **params).fit(X[:40], Y[:40], validation_data=(X[40:], Y[40:]))
    assert clf.best_validation_score_ == clf.score(X[40:], Y[40:])


# The rate of a cycle, and plateaus


@each_base
def test_a_cyclic_rate_falls_within_every_cycle(base):
    rates = []

    def note(state):
        inner = state.base.base
        rates.append(inner.settings.learning_rate_init)
        assert base == "adam" or inner.learning_rate == rates[-1]

    class Seen(SWA):
        def step(self, objective, w, batch, state):
            loss = super().step(objective, w, batch, state)
            note(state)
            return loss

    solver = Seen(base, start=0.5, cycle=2, rate="cyclic", ratio=10.0)
    settings = Settings(learning_rate_init=0.1, max_iter=8, batch_size=2, **PLAIN)
    minimize(solver, quadratic(4.0, 1.0, n_rows=4), np.ones(2), settings)
    fall = [0.1 * (1 - 0.9 * t) for t in (0.25, 0.5, 0.75, 1.0)]
    assert_allclose(rates, [0.1] * 8 + 2 * fall, rtol=1e-12)


def test_the_mean_is_nearer_to_the_minimum_than_the_points():
    """Whose rows disagree, so that SGD wanders around it."""
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(200, 3))
    y = inputs @ np.ones((3, 1)) + rng.normal(size=(200, 1))
    objective = Objective(MLP([3, 1]), HalfSquared(), inputs, y)
    best = np.linalg.lstsq(np.c_[inputs, np.ones(200)], y, rcond=None)[0].ravel()
    settings = Settings(learning_rate_init=0.05, batch_size=5, max_iter=60, **PLAIN)
    distance = [
        np.linalg.norm(minimize(solver, objective, np.zeros(4), settings)[0] - best)
        for solver in (SWA(start=0.2), SGD())
    ]
    assert distance[0] < 0.3 * distance[1]


def test_a_plateau_begins_the_tail_and_a_second_one_ends_training():
    settings = Settings(
        learning_rate_init=0.1,
        max_iter=1000,
        n_iter_no_change=5,
        **{name: PLAIN[name] for name in ("momentum", "nesterovs_momentum")},
    )
    runs = [minimize(s, quadratic(1.0), np.ones(1), settings)[1] for s in (SGD(), SWA())]
    assert runs[0].n_iter < runs[1].n_iter < 2 * runs[0].n_iter < 1000
    noisy = Toy(lambda w: 1.0, np.ones_like, lambda w: np.zeros((1, 1)))
    path, run = minimize(SWA(), noisy, np.zeros(1), settings)
    assert run.n_iter == 7 + 6
    assert_allclose(path, -0.1 * np.mean(range(8, 14)), rtol=1e-12)


@pytest.mark.parametrize(
    ("solver", "message"),
    [
        (SWA("rmsprop"), "The 'base' parameter of SWA"),
        (SWA(start=-0.1), "The 'start' parameter of SWA"),
        (SWA(cycle=0), "The 'cycle' parameter of SWA"),
        (SWA(rate="falling"), "The 'rate' parameter of SWA"),
        (SWA(ratio=0.5), "The 'ratio' parameter of SWA"),
    ],
    ids=repr,
)
def test_a_structure_that_makes_no_sense_is_refused(solver, message):
    with pytest.raises(ValueError, match=message):
        classifier(solver).fit(X, Y)


# An average that forgets


def forgetful_mean(path, decay):
    """Of the points of a path, the first of which is the start."""
    mean = path[0]
    for n, point in enumerate(path[1:], start=1):
        kept = min(decay, n / (9 + n))
        mean = kept * mean + (1 - kept) * point
    return mean


@pytest.mark.parametrize("decay", [0.0, 1e-300, 0.3, 0.9, 0.999])
@pytest.mark.parametrize("n_steps", [1, 2, 40])
def test_the_end_is_the_mean_of_all_points_with_weights_that_decay(decay, n_steps):
    end = descend(EMA("sgd", decay=decay), quadratic(4.0, 1.0), (1, -2), n_steps)
    assert_allclose(end, forgetful_mean(sgd_path(n_steps), decay), rtol=1e-13)


def test_the_weights_of_the_mean_in_closed_form():
    """A point that stands still ``k`` steps ago counts for ``(1 - decay) decay^k``."""
    n_steps, decay, q = 2000, 0.9, 1 - 0.02 * 4
    end = descend(EMA("sgd", decay=decay), quadratic(4.0, 4.0), (1, -2), n_steps)
    assert n_steps > 9 * decay / (1 - decay)
    late = descend(EMA("sgd", decay=decay), quadratic(4.0, 4.0), (1, -2), n_steps + 1)
    # The mean of ``q^t`` decays at the slower of the two rates.
    assert_allclose(late / end, max(q, decay), rtol=1e-9)


def test_the_mean_of_many_steps_keeps_its_precision():
    for decay in (0.5, 0.999):
        start = np.array([1, -2], dtype=np.float32)
        settings = Settings(learning_rate_init=1e-9, momentum=0.0)
        end, _ = minimize(EMA("sgd", decay=decay), quadratic(4.0, 1.0), start, settings, 0, 3000)
        assert_allclose(end, start, rtol=1e-5)


@each_base
def test_the_point_trains_as_the_base_and_the_mean_takes_no_part(base):
    plain = {"adam": Adam(), "sgd": SGD()}[base]
    averaged, by_hand = (classifier(solver, rho=0, batch_size=60) for solver in (EMA(base), plain))
    path = [weights_of(classifier(plain, batch_size=60, learning_rate_init=1e-300).fit(X, Y))]
    for _ in range(5):
        averaged = pickle.loads(pickle.dumps(averaged.partial_fit(X, Y, classes=[0, 1, 2])))
        path.append(weights_of(by_hand.partial_fit(X, Y, classes=[0, 1, 2])))
    assert averaged.loss_curve_ == by_hand.loss_curve_
    assert averaged.n_grad_evals_ == by_hand.n_grad_evals_ == 5
    assert_allclose(weights_of(averaged), forgetful_mean(path, 0.999), rtol=1e-12, atol=1e-14)


def test_point_and_average_begin_where_somebody_else_sets_the_parameters():
    plain = classifier("sgd", batch_size=60, momentum=0.0, nesterovs_momentum=False)
    clf = classifier(EMA("sgd"), batch_size=60, momentum=0.0, nesterovs_momentum=False)
    for each in (clf, plain):
        for _ in range(3):
            each.partial_fit(X, Y, classes=[0, 1, 2])
        for array in (*each.coefs_, *each.intercepts_):
            array[...] = 0.1
        each.partial_fit(X, Y)
    expected = forgetful_mean([0.1, weights_of(plain)], 0.999)
    assert_allclose(weights_of(clf), expected, rtol=1e-12)


def test_an_interrupted_epoch_ends_at_its_mean():
    class Interrupted(Toy):
        def loss_gradient(self, w, *args):
            if np.abs(w).max() < 1.7:
                raise KeyboardInterrupt
            return super().loss_gradient(w, *args)

    toy = quadratic(4.0, 1.0, n_rows=100)
    toy.__class__ = Interrupted
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        end, run = minimize(EMA("sgd"), toy, np.array([1.0, -2.0]), ONE_ROW, 0, 1)
    plain = [np.array([1.0, -2.0]) * (1 - 0.02 * np.array([4.0, 1.0])) ** n for n in range(10)]
    assert run.work.rows == 9
    assert_allclose(end, forgetful_mean(plain, 0.999), rtol=1e-13)


def test_the_forgetful_mean_is_what_validation_sees_and_early_stopping_keeps():
    params = {"max_iter": 30, "learning_rate_init": 0.1, "early_stopping": True, "tol": 0}
    clf = classifier(EMA(), **params).fit(X[:40], Y[:40], validation_data=(X[40:], Y[40:]))
    assert clf.best_validation_score_ == clf.score(X[40:], Y[40:])


@pytest.mark.parametrize(("solver", "named"), [(EMA(decay=1.0), "decay"), (EMA("lbfgs"), "base")])
def test_an_average_that_makes_no_sense_is_refused(solver, named):
    with pytest.raises(ValueError, match=f"The '{named}' parameter of EMA"):
        classifier(solver).fit(X, Y)
