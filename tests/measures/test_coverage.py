"""Standard errors keep what they promise: over 200 networks, three of them cover nearly always."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from skflat import FlatMLPClassifier
from skflat.measures import (
    FisherRaoNorm,
    HessianTrace,
    LocalEnergy,
    NoiseStability,
    SoftRank,
    SpectralDensity,
    TakeuchiCriterion,
)
from skflat.problems import as_problem

pytestmark = pytest.mark.slow
N_NETWORKS = 200
MORE = 15  # times the draws, for the value to compare with


def density(task, seed):
    """Against the mean eigenvalue, from the exact trace."""
    found = SpectralDensity(n_steps=4, n_points=10, random_state=seed).evaluate(task)
    return [(found.value, found.stderr, HessianTrace().evaluate(task).value / len(task.w))]


def rank(task, seed):
    found = SoftRank(n_probes=3, n_steps=12, random_state=seed).evaluate(task)
    return [(found.value, found.stderr, SoftRank().evaluate(task).value)]


def takeuchi(task, seed):
    found = TakeuchiCriterion(n_probes=3, n_steps=12, random_state=seed).evaluate(task)
    return [(found.value, found.stderr, TakeuchiCriterion().evaluate(task).value)]


def fisher_rao(task, seed):
    """On half of the rows."""
    half = replace(task.sample(30, np.random.default_rng(seed)), sampled_from=60)
    found = FisherRaoNorm().evaluate(half)
    return [(found.value, found.stderr, FisherRaoNorm().evaluate(task).value)]


def stability(task, seed):
    few, many = (
        NoiseStability(n_draws=n, random_state=s).evaluate(task)
        for n, s in ((30, seed), (30 * MORE, N_NETWORKS))
    )
    return [(few.value, few.stderr, many.value)]


def rises(task, seed):
    """Of the loss and of the error."""
    few, many = (
        LocalEnergy([0.3], n_draws=n, random_state=s).evaluate(task).table
        for n, s in ((100, seed), (100 * MORE, N_NETWORKS))
    )
    columns = ("rise", "error_rise")
    return [(few[each][0], few[f"{each}_stderr"][0], many[each][0]) for each in columns]


@pytest.fixture(scope="module")
def tasks():
    return [_task(seed) for seed in range(N_NETWORKS)]


def _task(seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(60, 4))
    y = (X[:, 0] + rng.normal(size=60) / 2 > 0).astype(int) + (X[:, 1] > 0.5)
    clf = FlatMLPClassifier(
        (5,), max_iter=30, learning_rate_init=0.02, measures=None, random_state=seed
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        clf.fit(X, y)
    return as_problem(clf, X, y)


@pytest.mark.parametrize("estimates", [density, rank, takeuchi, fisher_rao, stability, rises])
def test_three_standard_errors_cover_the_value(estimates, tasks):
    found = np.array([estimates(task, seed) for seed, task in enumerate(tasks)])
    value, stderr, true = np.moveaxis(found, -1, 0)
    covered = np.abs(value - true) <= 3 * stderr
    assert (covered.mean(axis=0) >= 0.98).all(), covered.mean(axis=0)
