"""Losses: the best constant, links, and what training reports."""

import numpy as np
import pytest
from networks import LOSSES, N_ROWS, TracedMLP, each_loss, each_weighting, in_dtype, network
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit, logit, softmax

from skflat.models.mlp import MLP
from skflat.objective import Binary, HalfSquared, RegressionLoss, require


@each_weighting
@each_loss
def test_the_best_constant_prediction_is_the_mean(loss, weighted):
    """Its residuals cancel, and the losses are convex."""
    objective, _, _ = network("relu", loss, (), weighted)
    function, n_outputs = LOSSES[loss]
    data = objective.data
    y = np.eye(n_outputs)[data.y] if data.y.ndim == 1 else data.y
    share = getattr(function, "label_smoothing", 0.0)
    y = (1 - share) * y + share / (n_outputs if data.y.ndim == 1 else 2)
    mean = np.average(y, axis=0, weights=data.weight)
    scores = {Binary: logit, HalfSquared: np.positive}.get(type(function), np.log)(mean)
    rows = function.per_sample(np.tile(scores, (N_ROWS, 1)), data.y)
    assert objective.constant_loss() == pytest.approx(data.mean(rows), rel=1e-12)


@pytest.mark.parametrize("loss", ["squared", "two squared", "poisson", "two poisson"])
def test_the_link_undoes_the_prediction(loss):
    function, n_outputs = LOSSES[loss]
    F = np.random.default_rng(0).normal(size=(9, n_outputs))
    assert_allclose(function.link(function.predict(F.copy())), F, rtol=1e-12)


@pytest.mark.parametrize("loss", ["multinomial", "binary"])
def test_losses_of_classes_have_no_link_back(loss):
    objective, _, _ = network("relu", loss, (7,))
    with pytest.raises(TypeError, match="x needs a target of numbers, and this MLP has none"):
        require(objective, RegressionLoss, "x")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_reported_loss_of_classes_is_clipped_at_eps(dtype):
    objective, w, _ = network("relu", "multinomial", (7,), alpha=0)
    objective, w = in_dtype(objective, dtype), (100 * w).astype(dtype)
    P = softmax(objective.scores(w), axis=1)[np.arange(N_ROWS), objective.data.y]
    eps = np.finfo(dtype).eps
    assert P.min() < eps
    expected = -np.log(np.clip(P, eps, 1 - eps))
    assert_allclose(objective.as_reported().per_sample_loss(w), expected, rtol=1e-5)
    assert objective.per_sample_loss(w).max() > -np.log(eps) + 1
    assert objective.as_reported().per_sample_loss(w).max() == pytest.approx(-np.log(eps), rel=1e-6)


def test_the_reported_loss_of_yes_and_no_is_clipped_at_eps():
    objective, w, _ = network("relu", "multilabel", (7,), alpha=0)
    P, y = expit(objective.scores(100 * w)), objective.data.y
    eps = np.finfo(float).eps
    wrong = np.clip(np.where(y == 1, 1 - P, P), eps, 1 - eps)
    expected = -np.log1p(-wrong).sum(axis=1)
    assert expected.max() > 30
    assert_allclose(objective.as_reported().per_sample_loss(100 * w), expected, rtol=1e-9)


def test_the_reported_squared_error_is_a_mean_over_the_outputs():
    objective, w, _ = network("relu", "two squared", (7,), alpha=0)
    assert objective.as_reported().loss(w) == pytest.approx(objective.loss(w) / 2, rel=1e-12)


@each_loss
def test_what_is_reported_changes_no_gradient(loss):
    objective, w, _ = network("relu", loss, (7,), weighted=True)
    reported = objective.as_reported()
    value, gradient = reported.loss_gradient(w)
    assert_array_equal(gradient, objective.loss_gradient(w)[1])
    assert value == pytest.approx(reported.loss(w), rel=1e-12)
    assert reported.unpenalized().alpha == 0
    assert reported.unpenalized().reported
    assert objective.unpenalized().as_reported().loss(w) < reported.loss(w)


@each_loss
def test_the_base_model_reports_what_the_network_reports(loss):
    values = [
        network("relu", loss, (7,), True, kind=kind)[0]
        .as_reported()
        .loss_gradient(network("relu", loss, (7,))[1])[0]
        for kind in (MLP, TracedMLP)
    ]
    assert values[0] == pytest.approx(values[1], rel=1e-12)
