"""Estimators of a function: conventions, starts, losses, features."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from skflat import FlatFunctionClassifier, FlatFunctionRegressor

# Short fits do not converge.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.filterwarnings("ignore:The target is constant:UserWarning")
@parametrize_with_checks([FlatFunctionClassifier(), FlatFunctionRegressor()])
def test_the_default_function_passes(estimator, check):
    check(estimator)
