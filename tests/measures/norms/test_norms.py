"""Norms of the parameters."""

from itertools import product

import numpy as np
import pytest
from fitted import fitted
from numpy.testing import assert_allclose
from scipy import sparse
from toys import Bilinear

from skflat.measures import (
    FisherRaoNorm,
    PathNorm,
    SpectralNorms,
    path_norm,
    spectral_norms,
)
from skflat.objective import Batch, HalfSquared, Model, NotDefinedError, Objective
from skflat.problems import REGRESSION, Problem, as_problem

# These fits are short on purpose.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize(
    "name", ["classes, deep", "classes, tanh", "two classes", "our sparse classes", "two outputs"]
)
def test_slopes_of_the_scores_are_those_of_autograd_and_of_differences(name):
    problem = as_problem(*fitted(name))
    objective, w = problem.objective, problem.w
    v, X, h = np.random.default_rng(0).normal(size=len(w)), problem.objective.data.X, 1e-6
    found = objective.score_slopes(w, v)
    rows = X.toarray() if sparse.issparse(X) else X
    traced = Model.score_slopes(objective.model, w, v, rows)
    assert_allclose(found, traced, rtol=1e-9, atol=1e-11)
    between = (objective.scores(w + h * v) - objective.scores(w - h * v)) / (2 * h)
    assert_allclose(found, between, rtol=1e-5, atol=1e-5)


def row_slope(problem, row, label=None):
    """``w . g`` of a row, from its own gradient."""
    objective, data = problem.objective, problem.objective.data
    y = data.y[row : row + 1] if label is None else np.array([label])
    _, gradient = objective.loss_gradient(problem.w, Batch(data.X[row : row + 1], y))
    return gradient @ problem.w


@pytest.mark.parametrize("name", ["classes, deep", "two outputs", "our counts"])
def test_the_fisher_rao_norm_is_that_of_every_rows_gradient(name):
    problem = as_problem(*fitted(name))
    squares = [row_slope(problem, row) ** 2 for row in range(problem.objective.n_rows)]
    found = FisherRaoNorm("data").evaluate(problem)
    assert_allclose(found.samples, squares, rtol=1e-9)
    assert found.value == pytest.approx(np.mean(squares) ** 0.5, rel=1e-12)


def test_with_the_labels_of_the_model_they_are_drawn_from_the_predictions():
    estimator, X, y = fitted("classes, deep")
    problem = as_problem(estimator, X, y)
    found = FisherRaoNorm().evaluate(problem).samples
    for row, shares in enumerate(estimator.predict_proba(X[:5])):
        squares = [row_slope(problem, row, label) ** 2 for label in range(3)]
        assert found[row] == pytest.approx(shares @ squares, rel=1e-9)


def test_a_model_of_ones_own_has_a_fisher_rao_norm():
    """``(X A) * (X B)`` is homogeneous of degree two: the slope along w is twice the score."""
    X, w = np.random.default_rng(0).normal(size=(8, 2)), np.array([1.0, 2.0, -1.0, 0.5])
    objective = Objective(Bilinear(2, 1), HalfSquared(), X, np.ones((8, 1)))
    F = objective.scores(w)
    found = FisherRaoNorm("data").evaluate(Problem(objective, w, REGRESSION, 8))
    assert found.value == pytest.approx(2 * np.mean((F * (F - 1)) ** 2) ** 0.5, rel=1e-12)
    with pytest.raises(NotDefinedError, match="PathNorm needs affine layers"):
        PathNorm().evaluate(Problem(objective, w, REGRESSION, 8))


@pytest.mark.parametrize("p", [1, 2, 3.5])
@pytest.mark.parametrize("name", ["classes, deep", "two classes, linear", "two outputs"])
def test_the_path_norm_is_that_of_all_paths(name, p):
    estimator, X, y = fitted(name)
    W, b = estimator.coefs_, estimator.intercepts_
    sizes, paths = [len(W[0]), *(len(each) for each in b)], []
    for start in range(len(W)):
        for units in product(*map(range, sizes[start + 1 :])):
            above = np.prod(
                [W[k][units[k - start - 1], units[k - start]] for k in range(start + 1, len(W))]
            )
            paths.append(b[start][units[0]] * above)
            paths += [] if start else [W[0][i, units[0]] * above for i in range(sizes[0])]
    found = path_norm(estimator, X, y, p=p)
    assert found.value == pytest.approx(np.sum(np.abs(paths) ** p) ** (1 / p), rel=1e-10)
    assert found.kind == "exact"
    largest = np.max(np.abs(paths))
    high = np.sum((np.abs(paths) / largest) ** 3000) ** (1 / 3000)
    assert path_norm(estimator, X, y, p=3000).value == pytest.approx(high * largest, rel=1e-10)


def test_spectral_norms_are_the_largest_singular_values():
    estimator, X, y = fitted("classes, deep")
    found = spectral_norms(estimator, X, y)
    values = [np.linalg.svd(W, compute_uv=False) for W in estimator.coefs_]
    assert_allclose(found.samples, [each[0] for each in values], rtol=1e-12)
    assert found.value == pytest.approx(np.prod([each[0] for each in values]), rel=1e-12)
    ranks = [np.sum(each**2) / each[0] ** 2 for each in values]
    assert_allclose(found.table["stable_rank"], ranks, rtol=1e-12)
    assert SpectralNorms()(estimator, X, y) == -found.value
