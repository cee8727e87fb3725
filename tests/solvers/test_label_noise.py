"""Solvers on noisy labels: the rate at which they flatten, and the noise itself."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from staging import PLAIN, classifier, network
from stepping import X, Y, running
from toys import Bilinear, Watched

from skflat import FlatMLPRegressor
from skflat.objective import HalfSquared, Objective
from skflat.solvers import SGD, LabelNoise, Settings, minimize

# These fits are short on purpose.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


class Noted(Watched):
    """Notes the targets that it is asked about."""

    def __init__(self, objective):
        super().__init__(objective)
        self.targets = []

    def loss_gradient(self, w, batch=None, out=None, work=None):
        self.targets.append(batch.y.copy())
        return super().loss_gradient(w, batch, out, work)


def noisy_targets(loss, rho, n_rows=4000, n_steps=3, **setup):
    """The targets as they are, and as they were in some steps."""
    objective, w = network(loss, n_rows=n_rows, **setup)
    noted, solver = Noted(objective), LabelNoise()
    state = running(solver, noted, w, rho=rho)
    for _ in range(n_steps):
        solver.direction(noted, w, noted.batch(), state)
    assert state.work.rows == n_steps * n_rows
    return objective.data.y, noted.targets


def one_factor_each(n_pairs):
    """``sum_i (x_i y_i - 1)^2 / 2``: as many independent problems as there are pairs."""
    ones = np.ones((1, n_pairs))
    return Objective(Bilinear(1, n_pairs), HalfSquared(), np.ones((1, 1)), ones)


def test_a_step_on_noisy_labels_shrinks_the_imbalance_exactly():
    """``C = x^2 - y^2`` by the factor ``1 - eta^2 (r - eps)^2``, ``r = x y - 1``."""
    noted, w = Noted(one_factor_each(50)), np.repeat([2.0, 0.5], 50)
    for step in range(5):
        x, y = w[:50], w[50:]
        settings = Settings(rho=0.3, learning_rate_init=0.05, **PLAIN)
        end, _ = minimize(LabelNoise(), noted, w, settings, random_state=step, max_epochs=1)
        eps = noted.targets[-1][0] - 1
        assert_allclose(np.abs(eps), 0.3, rtol=1e-12)
        factor = 1 - 0.05**2 * (x * y - 1 - eps) ** 2
        assert_allclose(end[:50] ** 2 - end[50:] ** 2, (x**2 - y**2) * factor, rtol=1e-12)
        w = end


def test_noisy_labels_flatten_at_the_known_rate():
    """Over 400 signs each; the mean rate ``eta^2 sigma^2 / (1 - eta h / 2)`` says 2.30."""
    start = np.repeat([2.0, 0.5], 400)
    settings = Settings(rho=0.3, learning_rate_init=0.05, **PLAIN)
    w, _ = minimize(LabelNoise(), one_factor_each(400), start, settings, max_epochs=2000)
    imbalance = w[:400] ** 2 - w[400:] ** 2
    assert 2.267 < imbalance.mean() < 2.335
    plain, _ = minimize(SGD(), one_factor_each(400), start, settings, max_epochs=2000)
    assert_array_equal(plain, start)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_targets_get_fresh_noise_of_the_given_size(dtype):
    y, seen = noisy_targets("squared", rho=0.3, dtype=dtype)
    for noisy in seen:
        assert noisy.dtype == dtype
        assert_allclose(np.abs(noisy - y), 0.3, rtol=1e-3)
        assert abs(np.mean(noisy > y) - 0.5) < 0.03
    assert np.mean(seen[0] == seen[1]) < 0.55


def test_noisy_counts_do_not_become_negative():
    y, seen = noisy_targets("poisson", rho=0.3)
    assert seen[0].min() == 0
    assert_allclose(seen[0][y > 0], y[y > 0] + np.where(seen[0] > y, 0.3, -0.3)[y > 0])


@pytest.mark.parametrize("rho", [0.1, 0.4, 1.0, 7.0])
def test_a_class_is_replaced_by_another_one_with_the_given_probability(rho):
    y, seen = noisy_targets("multinomial", rho)
    for noisy in seen:
        assert noisy.dtype == y.dtype
        assert set(noisy) <= {0, 1, 2}
        assert np.mean(noisy != y) == pytest.approx(min(rho, 1), abs=0.03)
        by = ((noisy - y) % 3)[noisy != y]
        assert np.mean(by == 1) == pytest.approx(0.5, abs=0.09)
    assert (rho >= 1) == (seen[0] != y).all()


def test_each_of_several_labels_is_turned_round_by_itself():
    y, seen = noisy_targets("binary", 0.2)
    turned = seen[0] != y
    assert set(np.unique(seen[0])) == {0, 1}
    assert_allclose(turned.mean(axis=0), 0.2, atol=0.03)
    assert np.mean(turned.all(axis=1)) == pytest.approx(0.04, abs=0.015)


def test_the_labels_themselves_stay():
    target = Y.astype(float)
    reg = FlatMLPRegressor(solver="label_noise", rho=0.5, max_iter=3, measures=None)
    reg.fit(X, target)
    classifier("label_noise").fit(X, Y)
    assert_array_equal(target, Y)


@pytest.mark.parametrize(
    ("solver", "message"),
    [
        (LabelNoise("rmsprop"), "The 'base' parameter of LabelNoise"),
    ],
    ids=repr,
)
def test_a_structure_that_makes_no_sense_is_refused(solver, message):
    with pytest.raises(ValueError, match=message):
        classifier(solver).fit(X, Y)
