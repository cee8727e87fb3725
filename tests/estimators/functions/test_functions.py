"""Estimators of a function keep scikit-learn's conventions."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from skflat import FlatFunctionClassifier, FlatFunctionRegressor

# Short fits do not converge.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@parametrize_with_checks(
    [each(measures=None, max_iter=60) for each in (FlatFunctionClassifier, FlatFunctionRegressor)]
)
def test_a_function_passes(estimator, check):
    check(estimator)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The target is constant:UserWarning")
@parametrize_with_checks([FlatFunctionClassifier(), FlatFunctionRegressor()])
def test_the_default_function_passes(estimator, check):
    check(estimator)
