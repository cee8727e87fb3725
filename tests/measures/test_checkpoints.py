"""The monitor that keeps the parameters of the best epoch."""

import pickle

import numpy as np
import pytest
from fitted import IRIS, LENGTHS, SPECIES
from numpy.testing import assert_array_equal
from sklearn.model_selection import GridSearchCV

from skflat import (
    FlatMatrixFactorization,
    FlatMLPClassifier,
    FlatMLPClassifierCV,
    FlatMLPRegressor,
    FlatnessMonitor,
    FlatPerceptronClassifier,
)
from skflat._callbacks import HAS_CALLBACKS
from skflat.measures import MEASURES, EffectiveRank, HessianTrace, hessian_trace
from skflat.measures.monitors._checkpoints import Candidates, flattest

# These fits are short on purpose.
pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.skipif(not HAS_CALLBACKS, reason="of scikit-learn below 1.9"),
]
WEIGHT = np.where(np.arange(150) % 3, 1.0, 3.0)


def network(epochs, **settings):
    settings = {"batch_size": 30, "measures": None, "random_state": 0, "tol": 0.0} | settings
    return FlatMLPClassifier((6,), max_iter=epochs, **settings)


def parameters(estimator):
    return np.concatenate([each.ravel() for each in estimator.coefs_ + estimator.intercepts_])


def test_what_is_kept_on_the_way_is_what_is_best_in_the_end():
    """Against the plain search over all epochs, with ties, and with values that are NaN."""
    for seed in range(200):
        rng = np.random.default_rng(seed)
        losses = np.round(np.exp(-np.arange(12) / 4) + 0.2 * rng.random(12), 1)
        scores = np.round(rng.random(12), 1)
        scores[rng.random(12) < 0.2] = np.nan
        w, known = np.zeros(1), Candidates(0.15)
        for w[0], *known.latest in zip(range(12), losses, scores, strict=True):
            known.add(w)
        best, place = known.best(), flattest(losses, scores, 0.15)
        assert (best is None) == (place is None)
        assert best is None or best[0] == place
        equal = losses <= losses.min() + 0.15
        assert place is None or scores[place] == np.nanmax(scores[equal])


def test_nothing_is_kept_of_epochs_that_cannot_win():
    known, w = Candidates(0.1), np.zeros(1)
    for loss, score in [(1.0, 9.0), (0.5, 1.0), (0.45, 3.0), (0.48, 2.0), (0.44, 1.0)]:
        known.latest = loss, score
        known.add(w)
    assert [each.loss for each in known._known] == [0.44, 0.45]


@pytest.mark.parametrize("name", ["sharpness", "effective_rank", "weakness"])
def test_the_fit_ends_at_the_best_epoch(name):
    """It has the parameters of a fit that ended there, to the bit."""
    monitor = FlatnessMonitor([], select=name, within=0.2)
    clf = network(30).set_callbacks(monitor).fit(IRIS, SPECIES)
    (epoch,), table = monitor.selected(), monitor.table()
    alone = network(epoch).fit(IRIS, SPECIES)
    assert_array_equal(parameters(clf), parameters(alone))
    assert MEASURES[name]().measure(clf, IRIS, SPECIES).value == table[name][epoch - 1]
    equal = table["loss"] <= table["loss"].min() + 0.2
    score = MEASURES[name].sign * table[name]
    assert score[epoch - 1] == score[equal].max()
    assert 1 < equal.sum() < 30
    assert clf.n_iter_ == 30


def test_no_tolerance_keeps_the_epoch_of_the_least_loss():
    monitor = FlatnessMonitor([], select="sharpness", within=0)
    network(19, learning_rate_init=0.3).set_callbacks(monitor).fit(IRIS, SPECIES, WEIGHT)
    losses = monitor.table()["loss"]
    assert monitor.selected() == [np.argmin(losses) + 1]
    assert np.argmin(losses) < 18


def test_a_measure_of_ones_own_selects_and_a_search_may_hold_the_monitor():
    measures = {"rank": EffectiveRank(normalize=True), "trace": HessianTrace()}
    monitor = FlatnessMonitor(measures, select="rank", every=2, within=10.0)
    clf = network(9).set_callbacks(monitor)
    search = GridSearchCV(clf, {"rho": [0.0, 0.1]}, cv=2, n_jobs=1).fit(IRIS, SPECIES)
    assert monitor.selected().shape == (5,)
    assert set(monitor.selected()) <= {1, 3, 5, 7, 9}
    table, best = monitor.table(), search.best_estimator_
    assert hessian_trace(best, IRIS, SPECIES).value in table["trace"]
    axes = pickle.loads(pickle.dumps(monitor)).plot()
    assert [len(ax.lines) for ax in axes] == [10, 10]


@pytest.mark.parametrize(
    "estimator",
    [
        network(8, solver="lbfgs"),
        network(8, solver="swa"),
        network(8, solver="sgd", early_stopping=True),
        network(8).set_params(flatten="trace"),
        FlatMLPRegressor(hidden_layer_sizes=(4,), max_iter=8, measures=None, random_state=0),
    ],
    ids=["lbfgs", "swa", "early stopping", "flattened", "regressor"],
)
def test_other_fits_select_too(estimator):
    monitor = FlatnessMonitor([], select="sharpness", within=np.inf)
    y = LENGTHS[:, 0] if isinstance(estimator, FlatMLPRegressor) else SPECIES
    estimator.set_callbacks(monitor).fit(IRIS, y)
    table = monitor.table()
    assert monitor.selected() == [table["epoch"][np.argmin(table["sharpness"])]]
    if estimator.get_params().get("flatten") is None and not estimator.early_stopping:
        assert hessian_trace(estimator, IRIS, y).value == table["sharpness"].min()


def test_a_factorization_ends_at_the_epoch_in_the_users_unit():
    pairs = np.argwhere(np.ones((6, 5)))
    ratings = 100.0 * np.random.default_rng(0).normal(size=30)
    monitor = FlatnessMonitor([], select="sharpness", within=np.inf)
    mf = FlatMatrixFactorization(2, solver="adam", max_iter=20, measures=None, random_state=0)
    mf.set_params(balance=None).set_callbacks(monitor).fit(pairs, ratings)
    found = hessian_trace(mf, pairs, ratings).value
    assert found == pytest.approx(monitor.table()["sharpness"].min(), rel=1e-12)


def test_a_partial_fit_goes_on_from_the_last_parameters():
    monitor = FlatnessMonitor([], select="sharpness", within=np.inf)
    clf, plain = network(5).set_callbacks(monitor), network(5)
    for _ in range(3):
        clf.partial_fit(IRIS, SPECIES, classes=[0, 1, 2])
        plain.partial_fit(IRIS, SPECIES, classes=[0, 1, 2])
    assert_array_equal(parameters(clf), parameters(plain))


def test_what_cannot_select_is_refused():
    with pytest.raises(ValueError, match=r"select must be .* got 'weaknes'\. Did you mean 'weakn"):
        FlatnessMonitor(select="weaknes")
    for within in (-0.1, "much", True):
        with pytest.raises(ValueError, match=f"within must be a number >= 0, got {within!r}"):
            FlatnessMonitor(select="sharpness", within=within)
    with pytest.raises(ValueError, match="selects no epoch"):
        FlatnessMonitor().selected()
    monitors = [FlatnessMonitor(select="sharpness") for _ in range(2)]
    with pytest.raises(ValueError, match=r"Only one monitor can select .* got 2"):
        network(2).set_callbacks(*monitors).fit(IRIS, SPECIES)
    for several in (FlatPerceptronClassifier(), FlatMLPClassifierCV()):
        with pytest.raises(ValueError, match=f"{type(several).__name__} has none of its own"):
            several.set_callbacks(monitors[0]).fit(IRIS, SPECIES)


@pytest.mark.filterwarnings("ignore:Weakness is")
def test_without_any_value_the_last_parameters_are_kept():
    monitor = FlatnessMonitor({"none": MEASURES["weakness"](budget=1e-9)}, select="none")
    with pytest.warns(UserWarning, match="select='none' chooses no epoch"):
        clf = network(4).set_callbacks(monitor).fit(IRIS, SPECIES)
    assert_array_equal(parameters(clf), parameters(network(4).fit(IRIS, SPECIES)))
    assert monitor.selected() == [0]
