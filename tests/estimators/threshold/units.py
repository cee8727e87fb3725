"""Data and estimators that the tests of threshold units share."""

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_iris

from skflat import (
    FlatCommitteeClassifier,
    FlatPerceptronClassifier,
    FlatSphericalPerceptronClassifier,
)

IRIS, SPECIES = load_iris(return_X_y=True)
CANCER, MALIGNANT = load_breast_cancer(return_X_y=True)
PLAIN = {"scale": False, "fit_intercept": False, "measures": None, "random_state": 0}
SMALL = {"max_iter": 20, "random_state": 0}
LOOSE = {"margin": -2.0, "random_state": 0}  # a margin that any weights have
ESTIMATORS = {
    "binary": FlatPerceptronClassifier(solver="sbpi", **SMALL),
    "real": FlatSphericalPerceptronClassifier(**SMALL),
    "max_margin": FlatSphericalPerceptronClassifier("max_margin", **SMALL),
    "committee": FlatCommitteeClassifier(solver="replicated_sgd", **SMALL),
    "tree": FlatCommitteeClassifier(structure="tree", **SMALL),
}
each_estimator = pytest.mark.parametrize("name", ESTIMATORS)
short = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def random_table(n_rows=25, n=101, seed=0):
    rng = np.random.default_rng(seed)
    return rng.choice([-1.0, 1.0], (n_rows, n)), rng.integers(2, size=n_rows)
