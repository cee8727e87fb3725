"""A default fit ends, stays within its budget, and says which measures are missing."""

import re
import tracemalloc
import warnings

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.exceptions import ConvergenceWarning

from skflat import (
    FlatCommitteeClassifier,
    FlatMatrixFactorization,
    FlatMLPClassifier,
    FlatMLPRegressor,
    FlatPerceptronClassifier,
    FlatSphericalPerceptronClassifier,
)
from skflat.estimators._measuring import LEAST, SHARE
from skflat.measures import MEASURES, HessianTrace, LevelSetDistance, Weakness, open_pairs

MEGABYTE = 1 << 20


def clusters(n_classes, labels, seed=0):
    """Rows around one centre a class."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(n_classes, 64))
    return centres[labels] + 0.5 * rng.normal(size=(len(labels), 64)), labels


def two_hundred_classes():
    return clusters(200, np.arange(2000) % 200)


def hundreds_of_rare_classes():
    """869 classes in 2,000 rows, most of them in one or two."""
    rest = np.random.default_rng(1).integers(0, 869, 1131) // 6
    return clusters(869, np.r_[np.arange(869), rest])


def labels_at_random():
    rng = np.random.default_rng(0)
    return rng.normal(size=(2000, 20)), rng.integers(0, 26, 2000)


def unscaled_columns():
    rng = np.random.default_rng(0)
    X = rng.uniform(0.9, 1.1, (300, 14)) * 10.0 ** np.arange(14)
    return X, rng.integers(0, 3, 300)


def constant_target():
    return np.random.default_rng(0).normal(size=(200, 4)), np.zeros(200)


CLASSES = [two_hundred_classes, hundreds_of_rare_classes, labels_at_random, unscaled_columns]


def fitted(estimator, X, y):
    """The fitted estimator, the warnings, and how many bytes it asked for at most."""
    tracemalloc.start()
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        estimator.fit(X, y)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return estimator, [str(each.message) for each in said], peak


def network(data, **settings):
    kind = FlatMLPClassifier if np.issubdtype(data[1].dtype, np.integer) else FlatMLPRegressor
    return kind(random_state=0, **{"max_iter": 4} | settings)


def check(estimator, X, y, limit=300 * MEGABYTE):
    """Fit with and without measures: the same network, little memory, and nothing left unsaid."""
    measured, messages, peak = fitted(estimator, X, y)
    plain, _, floor = fitted(type(estimator)(**estimator.get_params() | {"measures": None}), X, y)
    assert peak - floor <= limit
    assert_array_equal(measured.predict(X[:5]), plain.predict(X[:5]))
    for name in ("sharpness", "flatness", "weakness"):
        value = getattr(measured, f"{name}_")
        said = any(re.search(name, message, re.IGNORECASE) for message in messages)
        assert np.isfinite(value) or said or any("distance" in each for each in messages)
    return measured


@pytest.mark.parametrize("data", [*CLASSES, constant_target])
def test_a_default_network_fits_whatever_the_data(data):
    X, y = data()
    check(network((X, y)), X, y)


@pytest.mark.parametrize("data", [unscaled_columns, constant_target])
def test_a_default_regressor_fits_whatever_the_data(data):
    X, y = data()
    check(network((X, y.astype(float))), X, y.astype(float))


def test_a_wide_network_is_measured_in_little_memory():
    X, y = clusters(10, np.arange(1000) % 10)
    X = np.tile(X, (1, 12))
    clf = network((X, y), hidden_layer_sizes=(100, 30), max_iter=2)
    assert sum(each.size for each in check(clf, X, y).coefs_) > 75_000


def test_perceptrons_and_committees_of_many_classes():
    X, y = clusters(15, np.arange(150) % 15)
    check(FlatPerceptronClassifier(max_iter=2, random_state=0), X, y)
    check(FlatSphericalPerceptronClassifier(max_iter=2, random_state=0), X, y)
    check(FlatCommitteeClassifier(max_iter=2, random_state=0), X, y)


def test_a_factorization_of_wild_values():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 5)) * 10.0 ** np.arange(-6, 7, 3)
    model = FlatMatrixFactorization(random_state=0).fit(X)
    assert np.isfinite([model.sharpness_, model.flatness_, model.weakness_]).all()


def test_the_effort_is_known_beforehand_and_not_by_a_clock():
    X, y = two_hundred_classes()
    clf, _, _ = fitted(network((X, y), max_iter=30), X, y)
    gradients = clf.n_grad_evals_ * len(X)
    n_parameters = sum(each.size for each in [*clf.coefs_, *clf.intercepts_])
    for name in ("flatness", "weakness"):
        protocol = clf.measurements_[name].protocol
        budget = max(LEAST[name], SHARE * 3 * gradients * n_parameters)
        assert protocol["parameters"]["budget"] == pytest.approx(budget)
    assert clf.measurements_["weakness"].protocol["n_pairs"] < 10 * 200


# Pairs and a budget


def three_classes(seed=0, n_rows=60, n_classes=6):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n_rows, 4))
    scores = features @ rng.normal(size=(4, n_classes))
    return features, scores.argmax(axis=1), scores, rng.normal(size=(5, 4))


def test_a_budget_leaves_pairs_undecided_and_decides_none_wrongly():
    features, labels, scores, probes = three_classes()
    whole = open_pairs(features, labels, probes, 6, scores)
    assert whole.decided.all()
    shares = []
    for budget in (1.0, 1e6, 1e7, 1e12):
        part = open_pairs(features, labels, probes, 6, scores, budget)
        assert_array_equal(part.is_open[part.decided], whole.is_open[part.decided])
        assert not part.is_open[~part.decided].any()
        shares.append(part.decided.mean())
    assert shares == sorted(shares)
    assert shares[0] < 1 == shares[-1]


def test_more_pairs_are_the_same_pairs_and_others():
    X, y = labels_at_random()
    clf, _, _ = fitted(network((X, y), measures=None, max_iter=30), X, y)
    draws = []
    for budget in (3e8, 1e9, 3e9):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            found = Weakness(budget=budget).measure(clf, X, y)
        draws.append(found.protocol["n_pairs"])
        assert found.kind == ("lower_bound" if found.protocol["n_undecided"] else "estimate")
    assert 0 < draws[0] < draws[1] < draws[2] <= 260


def test_the_drawn_pairs_estimate_the_share_of_all():
    """Over many seeds the mean of the estimates is the value of all pairs."""
    X, y = clusters(12, np.arange(240) % 12)
    clf, _, _ = fitted(network((X[:, :3], y), hidden_layer_sizes=(4,), measures=None), X[:, :3], y)
    probes = X[:8, :3] + 0.5
    whole = Weakness(X_probe=probes, budget=1e12).measure(clf, X[:, :3], y)
    assert whole.protocol["n_pairs"] == 8 * 12
    found = [
        Weakness(X_probe=probes, budget=1.1e8, random_state=seed).measure(clf, X[:, :3], y)
        for seed in range(100)
    ]
    assert found[0].protocol["n_pairs"] < 8 * 12
    values = np.array([each.value for each in found])
    assert abs(values.mean() - whole.value) <= 3 * values.std() / np.sqrt(len(values))


def test_too_dear_is_said():
    X, y = two_hundred_classes()
    clf, _, _ = fitted(network((X, y), measures=None), X, y)
    with pytest.warns(UserWarning, match=r"Weakness is not measured: two probes would take more"):
        assert np.isnan(Weakness(budget=1e6).measure(clf, X, y).value)


@pytest.mark.parametrize("budget", [1e7, 1e8, 2e8])
def test_a_short_search_finds_a_point_of_the_level_set(budget):
    X, y = clusters(10, np.arange(300) % 10)
    clf, _, _ = fitted(network((X, y), measures=None, max_iter=30), X, y)
    whole = LevelSetDistance(n_refined=6, max_iter=30).measure(clf, X, y)
    short = LevelSetDistance(budget=budget).measure(clf, X, y)
    assert short.n_evals < whole.n_evals
    assert short.protocol["search"] == "a gradient a step"
    n_rows = short.protocol["n_rows"]
    assert (n_rows < 300) == (short.kind == "estimate") == (short.stderr > 0)
    if n_rows == 300:
        assert whole.value * (1 - 1e-3) <= short.value <= 1.5 * whole.value


def test_a_short_search_looks_at_rows_that_weigh_something():
    rng = np.random.default_rng(0)
    X, weight = rng.normal(size=(1500, 50)), np.zeros(1500)
    weight[::300] = 1
    net = FlatMLPRegressor(max_iter=20, measures=None, random_state=0)
    reg, _, _ = fitted(net, X, X[:, 0])
    short = LevelSetDistance(budget=1e6).measure(reg, X, X[:, 0], weight)
    assert np.isfinite(short.value)
    assert short.protocol["n_rows"] == 5


# Failures and interruptions


class Breaks(HessianTrace):
    """A measure that fails."""

    error = MemoryError("no 47 GiB here")

    def _evaluate(self, problem):
        raise self.error


@pytest.fixture
def broken(monkeypatch):
    monkeypatch.setitem(MEASURES, "sharpness", Breaks)


@pytest.mark.usefixtures("broken")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_measure_that_fails_does_not_cost_the_fit():
    X, y = clusters(3, np.arange(60) % 3)
    with pytest.warns(UserWarning, match=r"sharpness_ could not be measured .*no 47 GiB here"):
        clf = FlatMLPClassifier(max_iter=30, random_state=0).fit(X, y)
    assert clf.score(X, y) == 1
    assert np.isnan(clf.sharpness_)
    assert np.isfinite(clf.flatness_)
    assert clf.measurements_["sharpness"].protocol == {"reason": "MemoryError: no 47 GiB here"}
    with pytest.raises(MemoryError):  # on demand an error is an error
        clf.measure(X, y)


@pytest.mark.usefixtures("broken")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_an_interruption_ends_measuring_and_leaves_the_estimator(monkeypatch):
    monkeypatch.setattr(Breaks, "error", KeyboardInterrupt())
    X, y = clusters(2, np.arange(60) % 2)
    measures = ["weakness", "sharpness", "flatness"]
    with pytest.warns(UserWarning, match="interrupted by user: sharpness, flatness not measured"):
        clf = FlatMLPClassifier(max_iter=30, measures=measures, random_state=0).fit(X, y)
    assert clf.score(X, y) == 1
    assert list(clf.measurements_) == ["weakness"]
    assert not hasattr(clf, "sharpness_")


def test_a_band_narrower_than_the_rounding_of_the_outputs_is_said():
    rng = np.random.default_rng(0)
    X = np.c_[rng.normal(size=(200, 4)), 1e13 * rng.uniform(0.9, 1.1, 200)]
    reg, messages, _ = fitted(FlatMLPRegressor(max_iter=20, random_state=0), X, X[:, 0])
    assert np.isfinite(reg.predict(X)).all()
    assert np.isfinite(reg.weakness_) or any("weakness_ could not" in each for each in messages)


@pytest.mark.parametrize("unit", [1e3, 1e6, 1e9])
def test_timestamps_do_not_cost_the_fit(unit):
    rng = np.random.default_rng(0)
    X = np.c_[rng.normal(size=(150, 3)), unit * (1.7e9 + rng.uniform(0, 1e7, 150))]
    reg, _, _ = fitted(FlatMLPRegressor(solver="lbfgs", max_iter=30, random_state=0), X, X[:, 0])
    assert np.isfinite(reg.predict(X)).all()
