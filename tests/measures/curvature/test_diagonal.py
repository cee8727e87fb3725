"""The diagonal of the Hessian: closed forms against the dense matrix, and XDiag."""

import numpy as np
import pytest
from fitted import COUNTS, IRIS, LENGTHS, SETOSA, SPECIES, WEIGHT
from numpy.testing import assert_allclose
from scipy.sparse import csr_matrix
from sklearn.neural_network import MLPClassifier

from skflat import FlatMLPClassifier, FlatMLPRegressor
from skflat.measures import hessian_diagonal, hessian_trace
from skflat.measures.curvature._hessian_diagonal import xdiag
from skflat.objective import NotDefinedError
from skflat.problems import as_problem

# These fits are short on purpose.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def dense(estimator, X, y, sample_weight=None):
    problem = as_problem(estimator, X, y, sample_weight)
    product = problem.objective.hessian_products(problem.w)
    return np.array([product(unit) for unit in np.eye(len(problem.w), dtype=problem.w.dtype)])


def network(sizes, activation="relu", kind=FlatMLPClassifier, **settings):
    settings = {"max_iter": 15, "measures": None, "random_state": 0} | settings
    return kind(hidden_layer_sizes=sizes, activation=activation, **settings)


CASES = {
    "relu": (network((4, 3, 5)), SPECIES),
    "tanh": (network((4, 3), "tanh"), SPECIES),
    "logistic": (network((5,), "logistic"), SETOSA),
    "linear": (network(()), SPECIES),
    "outputs": (network((4,), kind=FlatMLPRegressor), LENGTHS),
    "poisson": (network((4,), kind=FlatMLPRegressor, loss="poisson"), COUNTS),
}


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["alike", "weighted"])
@pytest.mark.parametrize("name", CASES)
def test_the_closed_form_is_the_diagonal_of_the_matrix(name, weight):
    estimator, y = CASES[name]
    estimator.fit(IRIS, y)
    found = hessian_diagonal(estimator, IRIS, y, weight)
    matrix = dense(estimator, IRIS, y, weight)
    assert_allclose(found.value, np.diag(matrix), rtol=1e-8, atol=1e-12)
    assert (found.kind, found.n_evals, found.stderr.any()) == ("exact", 1, False)
    trace = hessian_trace(estimator, IRIS, y, weight).value
    assert found.value.sum() == pytest.approx(trace, rel=1e-12)


def test_sparse_rows_single_precision_and_scikit_learns_networks():
    clf = MLPClassifier((4, 3), max_iter=15, random_state=0).fit(IRIS, SPECIES)
    exact = hessian_diagonal(clf, IRIS, SPECIES).value
    assert_allclose(hessian_diagonal(clf, csr_matrix(IRIS), SPECIES).value, exact, rtol=1e-10)
    clf.coefs_ = [each.astype(np.float32) for each in clf.coefs_]
    clf.intercepts_ = [each.astype(np.float32) for each in clf.intercepts_]
    single = hessian_diagonal(clf, IRIS.astype(np.float32), SPECIES).value
    assert single.dtype == float
    assert_allclose(single, exact, rtol=1e-3, atol=1e-6)


def test_few_parameters_without_a_closed_form():
    clf = network((2, 2, 2), "tanh").fit(IRIS, SPECIES)
    found = hessian_diagonal(clf, IRIS, SPECIES)
    assert_allclose(found.value, np.diag(dense(clf, IRIS, SPECIES)), rtol=1e-10)
    assert (found.kind, found.n_evals) == ("exact", 2 * 31)


def test_an_estimate_is_covered_by_its_errors():
    clf = network((8, 8, 8), "tanh", max_iter=200, tol=0.0).fit(IRIS, SPECIES)
    exact = np.diag(dense(clf, IRIS, SPECIES))
    found = hessian_diagonal(clf, IRIS, SPECIES, n_products=60)
    assert (found.kind, found.n_evals) == ("estimate", 120)
    off = np.abs(found.value - exact)
    assert np.mean(off <= 3 * found.stderr) >= 0.97
    assert np.mean(off <= 0.1 * found.stderr) < 0.5
    assert np.linalg.norm(off) < 0.15 * np.linalg.norm(exact)


@pytest.mark.slow
@pytest.mark.parametrize("n_products", [12, 40])
def test_three_standard_errors_cover_the_entries(n_products):
    shares = []
    for seed in range(20):
        clf = network((6, 6, 6), "tanh", max_iter=5 + 10 * seed, random_state=seed)
        exact = np.diag(dense(clf.fit(IRIS, SPECIES), IRIS, SPECIES))
        found = hessian_diagonal(clf, IRIS, SPECIES, n_products=n_products, random_state=seed)
        shares.append(np.mean(np.abs(found.value - exact) <= 3 * found.stderr))
    assert 0.98 <= np.mean(shares) < 1


@pytest.mark.parametrize("rank", [0, 1, 4, 8])
def test_xdiag_is_exact_at_low_rank(rank):
    B = np.random.default_rng(0).normal(size=(50, rank))
    A = B @ B.T
    estimates = xdiag(lambda v: A @ v, 50, 18, np.random.default_rng(1))
    assert_allclose(estimates, np.repeat(np.diag(A)[:, None], 9, axis=1), rtol=1e-8, atol=1e-9)


def test_every_estimate_of_xdiag_is_that_of_the_others_sketch():
    """Written down anew, with the dense projections."""
    B = np.random.default_rng(0).normal(size=(12, 12))
    A = B + B.T
    estimates = xdiag(lambda v: A @ v, 12, 6, np.random.default_rng(1))
    tests = np.random.default_rng(1).choice([-1.0, 1.0], size=(12, 3))
    for k, test in enumerate(tests.T):
        Q = np.linalg.qr(A @ np.delete(tests, k, axis=1))[0]
        P = Q @ Q.T
        rest = (np.eye(12) - P) @ A @ (np.eye(12) - P)
        expected = np.diag(A - rest) + test * (rest @ test)
        assert_allclose(estimates[:, k], expected, rtol=1e-9, atol=1e-9)


def published(A, tests):
    """XDiag as in the paper: what is left is ``(I - P) A``."""
    found = []
    for k, test in enumerate(tests.T):
        Q = np.linalg.qr(A @ np.delete(tests, k, axis=1))[0]
        rest = A - Q @ (Q.T @ A)
        found.append(np.diag(A - rest) + test * (rest @ test))
    return np.mean(found, axis=0)


def test_xdiag_is_unbiased_and_better_than_its_rivals_at_equal_products():
    """On the spectrum i^-2, n = 100, with random eigenvectors and 40 products."""
    spectrum = np.arange(1, 101.0) ** -2
    Q = np.linalg.qr(np.random.default_rng(0).normal(size=(100, 100)))[0]
    A, n_products, n_runs = Q * spectrum @ Q.T, 40, 60
    products, off = [], {"xdiag": [], "published": [], "hutchinson": []}

    def product(v):
        products.append(v)
        return A @ v

    for seed in range(n_runs):
        signs = np.random.default_rng(1000 + seed).choice([-1.0, 1.0], size=(100, n_products))
        estimates = xdiag(product, 100, n_products, np.random.default_rng(seed))
        off["xdiag"].append(estimates.mean(axis=1) - np.diag(A))
        off["published"].append(published(A, signs[:, : n_products // 2]) - np.diag(A))
        off["hutchinson"].append((signs * (A @ signs)).mean(axis=1) - np.diag(A))
    assert len(products) == n_runs * n_products
    error = {name: np.sqrt(np.mean(np.square(each))) for name, each in off.items()}
    assert error["xdiag"] < 0.75 * error["published"] < 0.1 * error["hutchinson"]
    mean, deviation = np.mean(off["xdiag"], axis=0), np.std(off["xdiag"], axis=0, ddof=1)
    assert (np.abs(mean) < 4.5 * deviation / n_runs**0.5).all()


def test_bad_input_is_refused():
    clf = network((4,)).fit(IRIS, SPECIES)
    for n_products in (3, 10.0, "many"):
        with pytest.raises(
            ValueError, match=f"n_products must be an integer >= 4, got {n_products!r}"
        ):
            hessian_diagonal(clf, IRIS, SPECIES, n_products=n_products)
    clf.coefs_[0][:] = np.inf
    with pytest.raises(NotDefinedError, match="There is no Hessian: the loss is"):
        hessian_diagonal(clf, IRIS, SPECIES)
