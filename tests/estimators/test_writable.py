"""A model that is mapped read-only from disk can be trained further."""

import joblib
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from turns import in_turn

from skflat import FlatMatrixFactorization, FlatMLPClassifier, FlatMLPRegressor
from skflat.estimators._writable import writable
from skflat.solvers import SOLVERS

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 5))
TARGETS = {
    FlatMLPClassifier: (X, (X[:, 0] > 0).astype(int)),
    FlatMLPRegressor: (X, X[:, 0]),
    FlatMatrixFactorization: (rng.integers(8, size=(60, 2)), X[:, 1]),
}
STOCHASTIC = [name for name, solver in SOLVERS.items() if solver.stochastic]

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def trained(estimator, **params):
    data = TARGETS[estimator]
    model = estimator(random_state=0, measures=None, batch_size=20, max_iter=2, **params)
    more = {"classes": [0, 1]} if estimator is FlatMLPClassifier else {}
    return model.partial_fit(*data, **more).partial_fit(*data), data


# The entropy is one of hidden units, which factors do not have.
FITTING = [
    (estimator, solver)
    for estimator in TARGETS
    for solver in STOCHASTIC
    if (estimator, solver) != (FlatMatrixFactorization, "entropy")
]


@pytest.mark.parametrize(("fitting", "early_stopping"), in_turn(2, FITTING, [False, True]))
def test_partial_fit_goes_on_to_the_bit(tmp_path, fitting, early_stopping):
    estimator, solver = fitting
    model, data = trained(estimator, solver=solver, early_stopping=early_stopping)
    joblib.dump(model, tmp_path / "model")
    mapped = joblib.load(tmp_path / "model", mmap_mode="r")
    for _ in range(2):
        found, expected = (each.partial_fit(*data).predict(data[0]) for each in (mapped, model))
        assert_array_equal(found, expected)


@pytest.mark.parametrize("estimator", TARGETS)
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_warm_starts_go_on_too(tmp_path, estimator, solver):
    data = TARGETS[estimator]
    model = estimator(
        random_state=0, measures=None, max_iter=3, warm_start=True, solver=solver
    ).fit(*data)
    joblib.dump(model, tmp_path / "model")
    mapped = joblib.load(tmp_path / "model", mmap_mode="r")
    assert_array_equal(mapped.fit(*data).predict(data[0]), model.fit(*data).predict(data[0]))


def test_what_may_be_written_to_is_not_copied():
    model, data = trained(FlatMLPRegressor, solver="sam")
    state = model._solver_state
    assert writable(state) is state
    assert model.partial_fit(*data)._solver_state is state
