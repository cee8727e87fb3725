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
)
from skflat.problems import as_problem

pytestmark = pytest.mark.slow
N_NETWORKS = 200


def mean_curvature(task):
    """The mean eigenvalue, from the exact trace."""
    return HessianTrace().evaluate(task).value / len(task.w)


def of_many_draws(measure, read, task):
    return read(measure.set_params(n_draws=10_000, random_state=-1 % 2**31).evaluate(task))


def rise(column):
    """The rise at the middle scale with its standard error, and its value from many draws."""

    def read(found):
        return found.table[column][0], found.table[f"{column}_stderr"][0]

    def both(task, seed):
        measure = LocalEnergy(scale=[0.3], random_state=seed)
        return read(measure.evaluate(task)), of_many_draws(measure, read, task)[0]

    return both


def density(task, seed):
    found = SpectralDensity(n_steps=4, n_points=10, random_state=seed).evaluate(task)
    return (found.value, found.stderr), mean_curvature(task)


def rows(task, seed):
    """On half of the rows."""
    half = replace(task.sample(30, np.random.default_rng(seed)), sampled_from=60)
    found = FisherRaoNorm().evaluate(half)
    return (found.value, found.stderr), FisherRaoNorm().evaluate(task).value


def rank(task, seed):
    found = SoftRank(n_probes=3, n_steps=12, random_state=seed).evaluate(task)
    return (found.value, found.stderr), SoftRank().evaluate(task).value


def stability(task, seed):
    def read(found):
        return found.value, found.stderr

    measure = NoiseStability(random_state=seed)
    return read(measure.evaluate(task)), of_many_draws(measure, read, task)[0]


ESTIMATES = {
    "spectral_density": density,
    "soft_rank": rank,
    "fisher_rao_norm": rows,
    "noise_stability": stability,
    "rise of the loss": rise("rise"),
    "rise of the error": rise("error_rise"),
}


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


@pytest.mark.parametrize("name", ESTIMATES)
def test_three_standard_errors_cover_the_value_of_many_draws(name, tasks):
    found = [ESTIMATES[name](task, seed) for seed, task in enumerate(tasks)]
    covered = [abs(value - true) <= 3 * stderr for (value, stderr), true in found]
    assert np.mean(covered) >= 0.98
