"""Learnt bends between two networks, and centres of several."""

import numpy as np
import pytest
from fitted import IRIS, LENGTHS, SPECIES, rescaled
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import check_grad
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier, MLPRegressor

from skflat.problems import as_problem, fitted_model
from skflat.symmetry import barrier, bend, star
from skflat.symmetry._bend import NODES, learnt_control, mean_along, parabola
from skflat.symmetry._star import learnt_center

# These fits are short on purpose.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def network(seed, sizes=(5,), **settings):
    settings = {"max_iter": 80, "learning_rate_init": 0.02, "random_state": seed} | settings
    return MLPClassifier(sizes, **settings).fit(IRIS, SPECIES)


def turned(estimator):
    """The same function with other scales and the units of the hidden layer in reverse order."""
    moved = rescaled(estimator, 4.0)
    moved.coefs_ = [moved.coefs_[0][:, ::-1].copy(), moved.coefs_[1][::-1].copy()]
    moved.intercepts_[0] = moved.intercepts_[0][::-1].copy()
    return moved


class Ring:
    """A valley in the shape of a circle: ``(|w|^2 - 1)^2``."""

    def loss_gradient(self, w):
        return (w @ w - 1) ** 2, 4 * (w @ w - 1) * w


def test_a_bent_valley_is_followed():
    """On a quarter of the circle the straight line rises to 1/4."""
    ring, u, v = Ring(), np.array([1.0, 0.0]), np.array([0.0, 1.0])
    control = learnt_control(ring, u, v, 100)
    losses = [ring.loss_gradient(parabola(u, control, v, t))[0] for t in np.linspace(0, 1, 101)]
    assert max(losses) < 0.005
    assert ring.loss_gradient((u + v) / 2)[0] == pytest.approx(0.25)
    # The valley is symmetric in both coordinates, so the control point is.
    assert control[0] == pytest.approx(control[1], rel=1e-4)


class Bowl:
    """``|w - a|^2``, whose mean along a way is known."""

    a = np.array([2.0, -1.0])

    def loss_gradient(self, w):
        return (w - self.a) @ (w - self.a), 2 * (w - self.a)


def test_on_a_bowl_control_point_and_centre_are_known():
    """The derivative of the mean over ``t`` is linear in the point, with moments of ``t``."""
    bowl, u, v = Bowl(), np.array([0.0, 3.0]), np.array([1.0, 1.0])
    # E 2t(1-t) (p(t) - a) = 0, with the moments of Beta functions.
    expected = (bowl.a / 3 - (u + v) / 10) / (2 / 15)
    assert_allclose(learnt_control(bowl, u, v, 50), expected, rtol=1e-5)
    # E (1-t) ((1-t) c + t m - a) = 0 for the mean m of the points.
    m = (u + v) / 2
    assert_allclose(learnt_center(bowl, [u, v], m, 50), 3 * (bowl.a / 2 - m / 6), rtol=1e-5)


def test_the_gradient_of_the_mean_loss_is_that_of_its_differences():
    clf = network(0, activation="tanh")
    problem, other = (as_problem(each, IRIS, SPECIES) for each in (clf, network(1)))
    u, v, objective = problem.w, other.w, problem.objective

    def mean_loss(control):
        ways = ((parabola(u, control, v, t), 2 * t * (1 - t)) for t in NODES)
        return mean_along(objective, ways, np.zeros(len(u)))

    start = (u + v) / 2 + 0.1
    assert check_grad(lambda c: mean_loss(c)[0], lambda c: mean_loss(c)[1], start) < 1e-5


def test_a_bend_is_lower_than_the_line_and_ends_at_the_solutions():
    one, two = network(0), network(1)
    found = bend(one, two, IRIS, SPECIES, match=False, balance=None)
    line = barrier(one, two, IRIS, SPECIES, match=False, balance=None)
    assert found.straight == line.height > 0.02
    assert found.height < 0.3 * line.height
    assert float(found) == found.height
    assert found.distance == line.distance
    for end, given, place in zip(found.ends, (one, two), (0, -1), strict=True):
        assert_array_equal(fitted_model(end)[1], fitted_model(given)[1])
        loss = log_loss(SPECIES, given.predict_proba(IRIS))
        assert found.loss[place] == pytest.approx(loss, rel=1e-12)
        assert found.error[place] == pytest.approx(1 - given.score(IRIS, SPECIES), abs=1e-12)
    (u, v), c = (fitted_model(each)[1] for each in (one, two)), fitted_model(found.middle)[1]
    assert_array_equal(parabola(u, c, v, 0.0), u)
    assert_array_equal(parabola(u, c, v, 1.0), v)
    middle = rescaled(one, 1.0)
    middle.coefs_ = [
        (a + 2 * b + c) / 4
        for a, b, c in zip(one.coefs_, found.middle.coefs_, two.coefs_, strict=True)
    ]
    middle.intercepts_ = [
        (a + 2 * b + c) / 4
        for a, b, c in zip(one.intercepts_, found.middle.intercepts_, two.intercepts_, strict=True)
    ]
    assert found.loss[12] == pytest.approx(log_loss(SPECIES, middle.predict_proba(IRIS)), rel=1e-9)


def test_without_steps_the_bend_is_the_line():
    one, two = network(0), network(1)
    found, line = bend(one, two, IRIS, SPECIES, n_steps=0), barrier(one, two, IRIS, SPECIES)
    assert_allclose(found.loss, line.loss, rtol=1e-12)
    assert_allclose(found.error, line.error)
    assert found.height == pytest.approx(line.height, rel=1e-9)


def test_one_function_in_two_guises_has_no_barrier():
    clf = network(0)
    assert bend(clf, turned(clf), IRIS, SPECIES, n_steps=0).height < 1e-9
    assert bend(clf, turned(clf), IRIS, SPECIES, n_steps=5).straight < 1e-9
    found = star([clf, turned(clf), clf], IRIS, SPECIES, n_steps=3)
    assert found.height < 1e-9
    assert star([clf, turned(clf)], IRIS, SPECIES, match=False, n_steps=0).height > 0.01


def test_a_learnt_centre_sees_the_solutions_better_than_their_mean():
    nets = [network(seed) for seed in range(3)]
    mean, found = (star(nets, IRIS, SPECIES, n_steps=k) for k in (0, 50))
    assert (mean.learnt, found.learnt) == (False, True)
    assert found.height < 0.5 * mean.height
    assert found.height == found.heights.max() == float(found)
    assert found.loss.shape == found.error.shape == (3, 25)
    assert found.share[[0, -1]].tolist() == [0, 1]
    loss = log_loss(SPECIES, found.center.predict_proba(IRIS))
    assert_allclose(found.loss[:, 0], loss, rtol=1e-9)
    for k, net in enumerate(nets):
        assert found.loss[k, -1] == pytest.approx(log_loss(SPECIES, net.predict_proba(IRIS)))
        line = barrier(found.center, found.ends[k], IRIS, SPECIES, match=False, balance=None)
        assert found.heights[k] == pytest.approx(line.height, rel=1e-6, abs=1e-12)


def test_the_mean_is_that_of_the_aligned_networks():
    nets = [network(seed) for seed in range(3)]
    found = star(nets, IRIS, SPECIES, n_steps=0)
    for place, array in enumerate(found.center.coefs_):
        mean = np.mean([each.coefs_[place] for each in found.ends], axis=0)
        assert_allclose(array, mean, rtol=1e-12, atol=1e-15)


def test_single_precision_stays():
    nets = [
        MLPClassifier((5,), max_iter=30, random_state=k).fit(IRIS.astype(np.float32), SPECIES)
        for k in range(2)
    ]
    X = IRIS.astype(np.float32)
    assert bend(*nets, X, SPECIES, n_steps=3).middle.coefs_[0].dtype == np.float32
    assert star(nets, X, SPECIES, n_steps=3).center.coefs_[0].dtype == np.float32


def test_what_makes_no_sense_is_refused():
    one, two = network(0), network(1)
    for name, wrong in (("n_steps", -1), ("n_steps", 2.5), ("n_points", 1), ("n_points", True)):
        with pytest.raises(ValueError, match=f"{name} must be an integer >= ., got {wrong!r}"):
            bend(one, two, IRIS, SPECIES, **{name: wrong})
        with pytest.raises(ValueError, match=f"{name} must be"):
            star([one, two], IRIS, SPECIES, **{name: wrong})
    with pytest.raises(TypeError, match="estimators must be several"):
        star(one, IRIS, SPECIES)
    with pytest.raises(ValueError, match="at least two networks, got 1"):
        star([one], IRIS, SPECIES)
    with pytest.raises(ValueError, match="balance must be"):
        bend(one, two, IRIS, SPECIES, balance="flat")
    with pytest.raises(ValueError, match="same shape"):
        star([one, two, network(0, (6,))], IRIS, SPECIES)
    reg = MLPRegressor(hidden_layer_sizes=(5,), max_iter=20).fit(IRIS, LENGTHS[:, 0])
    with pytest.raises(ValueError, match="same shape"):
        bend(one, reg, IRIS, SPECIES)
