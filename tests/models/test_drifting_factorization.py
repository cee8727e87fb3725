"""Factorizations with offsets that drift, compared with dense versions."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import approx_fprime

from skflat.models.factorization import DriftingFactorization, Factorization, SideFeatures
from skflat.objective import Batch, HalfSquared, LeastSquares, Model, Objective

SIZES, BINS, K = (5, 4), 3, 2
ALPHA, DRIFT, RHO = (0.7, 1.3), 2.0, 0.2
FEATURES = SideFeatures([np.random.default_rng(3).normal(size=(5, 2)), None], 0.5)


def rows(n=60, seed=0, weighted=True):
    rng = np.random.default_rng(seed)
    codes, bins = rng.integers(SIZES, size=(n, 2)), rng.integers(BINS, size=(n, 1))
    X = np.hstack([codes, codes * BINS + bins])
    return Batch(X, rng.normal(size=(n, 1)), rng.uniform(0.5, 2, n) if weighted else None)


def model_of(make=DriftingFactorization, **params):
    sizes = [*SIZES, *(size * BINS for size in SIZES)]
    return make(sizes, K, alpha_drift=DRIFT, **params)


class Traced(DriftingFactorization):
    """The same model, differentiated by autograd."""

    loss_gradient, linearized = Model.loss_gradient, Model.linearized


def test_a_score_is_that_without_drifts_plus_two_drifts():
    model, data = model_of(), rows()
    w = np.random.default_rng(1).normal(size=model.layout.size)
    intercept, offsets, factors = model.split(w)
    plain = Factorization(SIZES, K)
    expected = plain.scores(plain.join(intercept, offsets[:2], factors), data.X[:, :2])[:, 0]
    expected = expected + offsets[2][data.X[:, 2]] + offsets[3][data.X[:, 3]]
    assert_allclose(model.scores(w, data.X)[:, 0], expected, rtol=1e-12)
    assert_allclose(model.forward(model.layout.views(w), data.X)[:, 0], expected, rtol=1e-12)
    wider, padded = model.padded(w)
    assert_array_equal(wider.scores(padded, data.X), model.scores(w, data.X))
    assert_allclose(wider.scores(padded, np.full((1, 4), -1)), intercept[0])


def test_derivatives_by_hand_equal_those_of_autograd():
    data, rng = rows(), np.random.default_rng(1)
    model, traced = model_of(), model_of(Traced)
    w, v = rng.normal(size=(2, model.layout.size))
    by_hand, by_trace = (
        Objective(each, HalfSquared(), data.X, data.y, data.weight) for each in (model, traced)
    )
    assert_allclose(by_hand.loss_gradient(w)[1], by_trace.loss_gradient(w)[1], rtol=1e-10)
    assert_allclose(by_hand.hvp(w, v), by_trace.hvp(w, v), rtol=1e-9, atol=1e-12)
    dense = np.trace(np.column_stack([by_hand.hvp(w, unit) for unit in np.eye(len(w))]))
    assert_allclose(model.mean_trace(w, data), dense, rtol=1e-10)


@pytest.mark.parametrize("features", [None, FEATURES])
def test_sweeps_descend_to_a_stationary_point_of_the_expected_loss(features):
    model, data = model_of(features=features), rows()
    objective = Objective(model, HalfSquared(), data.X, data.y, data.weight, ALPHA)
    alternation = objective.capability(LeastSquares).alternation(RHO)
    start = w = model.init(np.random.RandomState(0), data)
    w = w.copy()
    losses = [alternation.sweep(w) for _ in range(300)]
    assert np.diff(losses).max() < 1e-14
    if features is not None:
        return

    def expected_loss(w):
        return objective.loss(w) + model.noise_loss(w, RHO, data)

    assert_allclose(losses[-1], expected_loss(w), rtol=1e-12)
    slopes = [np.abs(approx_fprime(each, expected_loss, 1e-7)).max() for each in (start, w)]
    assert slopes[1] < 1e-4 * slopes[0]


def test_a_drift_is_a_shrunk_mean_of_residuals():
    model, data = model_of(), rows()
    alternation = model.alternates(model, data, ALPHA, RHO)
    w = model.init(np.random.RandomState(0), data)
    alternation.drift(w, 3)
    code = data.X[0, 3]
    here = data.X[:, 3] == code
    d = model.split(w)[1][3][code]
    rest = data.y[here, 0] - model.scores(w, data.X[here])[:, 0] + d
    v = data.weight[here]
    assert_allclose(d, v @ rest / (v.sum() + DRIFT), rtol=1e-10)
    assert alternation.n_rows == 4 * len(data)
