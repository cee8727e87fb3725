"""The certificate of a flat minimum: losses, traces, and the slope of the trace among minima."""

import numpy as np
import pytest
from autograd import hessian
from fitted import fitted, sampled, twin
from numpy.testing import assert_allclose
from scipy.integrate import solve_ivp
from sklearn.exceptions import ConvergenceWarning
from toys import DeepLinear, factorization, hyperbola, problem, quadratic

from skflat.measures import FlatMinimum, HessianTrace, flat_minimum
from skflat.objective import HalfSquared, NotDefinedError, Objective
from skflat.problems import as_problem
from skflat.symmetry import balance

# These fits are short on purpose.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def found_at(objective, w, **settings):
    return FlatMinimum(**settings).evaluate(problem(objective, w))


@pytest.mark.parametrize(("x", "expected"), [(2, 3.6380), (0.5, 3.6380), (1, 0), (-1, 0)])
def test_the_slope_of_the_trace_along_the_hyperbola(x, expected):
    """``2 |x^2 - y^2| / |(x, y)|``."""
    exactly = 2 * abs(x**2 - x**-2) / np.hypot(x, 1 / x)
    assert exactly == pytest.approx(expected, abs=5e-5)
    found = found_at(hyperbola(), (x, 1 / x))
    assert found.value == pytest.approx(exactly, rel=1e-5, abs=1e-6)
    assert found.converged
    assert found.protocol["n_steps"] == 0
    assert_allclose(found.table["trace"], 2 * (x**2 + x**-2), rtol=1e-9)


def test_the_point_is_the_limit_of_gradient_flow():
    toy, start = hyperbola(), np.array([2.0, 0.7])
    flow = solve_ivp(lambda _, w: -toy.gradient(w), (0, 10), start, rtol=1e-10, atol=1e-12)
    limit = flow.y[:, -1]
    found = found_at(toy, start, step=0.01, max_iter=20_000)
    assert found.table["trace"][1] == pytest.approx(2 * limit @ limit, rel=1e-3)
    assert found.table["loss"][0] == pytest.approx(0.16, rel=1e-12)
    assert found.table["loss"][1] < 1e-14
    exactly = 2 * abs(limit @ (limit * [1, -1])) / np.linalg.norm(limit)
    assert found.value == pytest.approx(exactly, rel=2e-3)


def test_at_the_flattest_factors_the_slope_is_zero():
    """Where ``n X'X = m Y'Y``; at the balanced factors, of least eigenvalue, it is not."""
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(4, 2)), rng.normal(size=(3, 2))
    toy = factorization(X @ Y.T, 2)
    flattest = balance(X, Y, np.full(4, 3.0), np.full(3, 4.0))
    slopes = [
        found_at(toy, np.concatenate([np.ravel(F) for F in pair])).value
        for pair in (flattest, balance(X, Y), (X, Y))
    ]
    assert slopes[0] < 1e-5
    assert 0.1 < slopes[1] < slopes[2]


def test_the_slope_is_that_of_the_dense_hessian_and_its_null_space():
    """On a network of fewer rows than parameters."""
    estimator, X, y = fitted("classes, tanh")
    X, y = X[::20], y[::20]
    loss, w = twin(estimator, X, y)
    found = flat_minimum(estimator, X, y, max_iter=0, cutoff=1e-2)
    objective = as_problem(estimator, X, y).objective
    ends = [
        [HessianTrace().evaluate(problem(objective, w + h * e)).value for h in (1e-4, -1e-4)]
        for e in np.eye(len(w))
    ]
    slope = -np.diff(ends, axis=1)[:, 0] / 2e-4 / len(w)
    values, vectors = np.linalg.eigh(hessian(loss)(w))
    cut = 1e-2 * np.abs(values).max()
    tangent = cut**2 / (values**2 + cut**2) * (vectors.T @ slope)
    assert found.samples[0] == pytest.approx(np.linalg.norm(slope), rel=1e-5)
    assert found.value == pytest.approx(np.linalg.norm(tangent), rel=1e-4)
    assert found.kind == "exact"


def test_a_sample_of_rows_has_a_standard_error_that_covers_it():
    estimator, X, y = fitted("classes, tanh")
    whole = flat_minimum(estimator, X, y, max_iter=0)
    measure = FlatMinimum(max_iter=0)
    drawn = [measure.evaluate(sampled(estimator, X, y, 100, seed)) for seed in range(6)]
    assert {found.kind for found in drawn} == {"estimate"}
    errors = [(found.value - whole.value) / found.stderr for found in drawn]
    assert np.max(np.abs(errors)) < 5
    assert 0.3 < np.sqrt(np.mean(np.square(errors))) < 2.5


def test_where_no_minimum_is_reached_it_says_so():
    with pytest.warns(ConvergenceWarning, match="3 steps of gradient descent did not reach"):
        found = found_at(quadratic(4.0, 1.0), (1.0, 1.0), max_iter=3)
    assert not found.converged
    assert found.table["loss"][1] < found.table["loss"][0]


def test_a_flat_valley_of_equal_curvature_has_no_slope():
    found = found_at(quadratic(4.0, 0.0), (1.0, 1.0))
    assert found.converged
    assert found.value == 0
    assert found_at(quadratic(0.0, 0.0), (1.0, 1.0)).value == 0


def test_without_the_gradient_of_the_trace_there_is_no_certificate():
    model = DeepLinear(2, 2, 1)
    objective = Objective(model, HalfSquared(), np.eye(2), np.ones((2, 1)))
    with pytest.raises(NotDefinedError, match="FlatMinimum needs the gradient of the exact trace"):
        found_at(objective, np.ones(model.layout.size))


@pytest.mark.parametrize(
    ("name", "value"), [("step", 0), ("max_iter", -1), ("tol", -1.0), ("cutoff", 1.0)]
)
def test_parameters_out_of_range_are_named(name, value):
    with pytest.raises(ValueError, match=f"The '{name}' parameter of FlatMinimum"):
        flat_minimum(*fitted("classes, tanh"), **{name: value})
