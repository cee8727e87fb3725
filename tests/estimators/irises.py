"""What the tests of abilities of networks share: short fits of irises, one solver of a kind."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.datasets import load_iris
from sklearn.preprocessing import scale

from skflat import FlatMLPClassifier, FlatMLPRegressor
from skflat.solvers import SOLVERS

SMALL = {"hidden_layer_sizes": (6,), "learning_rate_init": 0.02, "batch_size": 30}
SHORT = {"max_iter": 6, "random_state": 0, "measures": None}
STOCHASTIC = [name for name, solver in SOLVERS.items() if solver.stochastic]
# Their phases are shares of max_iter, so that fewer epochs are not the beginning of more.
PHASED = {"chain", "replicated_sgd", "swa"}
X, Y = load_iris(return_X_y=True)
X = scale(X)
ORDER = np.random.RandomState(0).permutation(len(Y))
X, Y = X[ORDER], Y[ORDER]
TRAIN, VALID = slice(0, 100), slice(100, None)
HELD_OUT = X[VALID], Y[VALID]
each_solver = pytest.mark.parametrize("solver", SOLVERS)
# What is around the training loop does not know the rule, so one solver of each kind shows it.
# Kinds differ in how they step and end, so a solver of a new kind joins by itself.
KINDS = {
    tuple(getattr(rule, name, None) for name in ("solve", "step", "finalize", "adopt")): solver
    for solver, rule in reversed(SOLVERS.items())
}
each_kind = pytest.mark.parametrize("solver", KINDS.values())
each_stochastic_kind = pytest.mark.parametrize(
    "solver", [solver for solver in KINDS.values() if solver in STOCHASTIC]
)
interrupted = pytest.mark.filterwarnings("ignore:Training interrupted by user:UserWarning")


def classifier(**params):
    return FlatMLPClassifier(**SMALL | SHORT | params)


def regressor(**params):
    return FlatMLPRegressor(**SMALL | SHORT | params)


def weights_of(estimator):
    return np.concatenate([array.ravel() for array in estimator.coefs_ + estimator.intercepts_])


def assert_same_weights(one, other):
    assert_array_equal(weights_of(one), weights_of(other))


def half_squared_error(reg, X, y):
    return 0.5 * np.mean((reg.predict(X) - y) ** 2)
