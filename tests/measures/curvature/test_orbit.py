"""Measures at the flattest point of the orbit: what they do not notice, and where they stand."""

import numpy as np
import pytest
from fitted import fitted
from toys import problem, quadratic

from skflat.measures import (
    MEASURES,
    HessianEigenvalues,
    LevelSetDistance,
    OrbitTrace,
    flatness_report,
    hessian_trace,
    orbit_minimal,
    orbit_trace,
)
from skflat.models.mlp.symmetries._largest import top_eigenvalues
from skflat.objective import NotDefinedError
from skflat.problems import as_problem
from skflat.symmetry import flatten, rescale

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_it_is_the_trace_at_the_flattest_point():
    estimator, X, y = fitted("classes, deep")
    found = orbit_trace(estimator, X, y)
    assert found.kind == "exact"
    assert found.value == hessian_trace(flatten(estimator, X, y), X, y).value
    assert found.value < hessian_trace(estimator, X, y).value
    assert found.protocol["orbit"]["imbalance"] <= 1e-10
    assert isinstance(MEASURES["orbit_trace"](), OrbitTrace)


@pytest.mark.parametrize("base", [HessianEigenvalues(), LevelSetDistance()], ids=repr)
def test_any_measure_can_be_taken_there_and_does_not_notice_scales(base):
    estimator, X, y = fitted("classes, deep")
    moved = rescale(estimator, [[1, 20, 3, 0.2, 5], 0.1])
    measure = orbit_minimal(base)
    values = [measure(each, X, y) for each in (estimator, moved)]
    assert values[0] == pytest.approx(values[1], rel=1e-8)
    assert np.sign(values[0]) == base.sign
    assert base(estimator, X, y) != pytest.approx(base(moved, X, y), rel=1e-2)


def test_a_report_has_it_beside_the_trace():
    estimator, X, y = fitted("classes")
    report = flatness_report(estimator, X, y, measures=["sharpness", "orbit_trace"])
    assert report.orbit_trace.value < report.sharpness.value


def test_where_no_symmetry_is_known_it_is_not_defined():
    with pytest.raises(NotDefinedError, match="OrbitTrace needs a known symmetry"):
        OrbitTrace().evaluate(problem(quadratic(4.0, 1.0), [1.0, -2.0]))


# The largest eigenvalue over the scales


def largest(estimator, X, y, t):
    """Log of the largest eigenvalue of the Gauss-Newton matrix, and its slope, at these scales."""
    here = as_problem(estimator, X, y)
    model = here.objective.model
    values, slopes = top_eigenvalues(model, here.objective, model.symmetry.moved(here.w, t))
    return np.log(values[0]), slopes[0]


def test_the_log_of_the_largest_eigenvalue_is_convex_in_the_log_scales():
    estimator, X, y = fitted("classes, deep")
    rng = np.random.default_rng(0)
    for _ in range(5):
        one, two = rng.normal(size=(2, 9))
        (a, _), (b, _) = (largest(estimator, X, y, each) for each in (one, two))
        middle, slope = largest(estimator, X, y, (one + two) / 2)
        assert middle <= (a + b) / 2 + 1e-8
        # A subgradient: the tangent lies below.
        assert a >= middle + slope @ (one - two) / 2 - 1e-5
        step = 1e-4 * rng.normal(size=9)
        near, _ = largest(estimator, X, y, (one + two) / 2 + step)
        assert near - middle == pytest.approx(slope @ step, rel=2e-2, abs=1e-6)
