"""Ensembles: several seeds, points of a trajectory, and the mean of what they predict."""

import numpy as np
import pytest
from fitted import IRIS, LENGTHS, SPECIES, TRAITS
from joblib import parallel_config
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from skflat import (
    FlatMLPClassifier,
    FlatMLPEnsembleClassifier,
    FlatMLPEnsembleRegressor,
    FlatMLPRegressor,
)
from skflat.measures import hessian_trace

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SHORT = {
    "hidden_layer_sizes": (5,),
    "max_iter": 5,
    "measures": None,
    "batch_size": 50,
    "solver": "sam",
}
CLASSIFIER, REGRESSOR = FlatMLPClassifier(**SHORT), FlatMLPRegressor(**SHORT)


def ensemble(network=CLASSIFIER, n_estimators=3, **params):
    regression = isinstance(network, (FlatMLPRegressor, MLPRegressor))
    cls = FlatMLPEnsembleRegressor if regression else FlatMLPEnsembleClassifier
    return cls(network, n_estimators, **{"random_state": 0} | params)


def test_a_member_is_a_network_of_its_seed():
    clf = ensemble().fit(IRIS, SPECIES)
    seeds = np.random.RandomState(0).randint(2**31 - 1, size=3)
    assert [each.random_state for each in clf.estimators_] == seeds.tolist()
    alone = clone(CLASSIFIER).set_params(random_state=int(seeds[1])).fit(IRIS, SPECIES)
    assert_array_equal(clf.estimators_[1].predict_proba(IRIS), alone.predict_proba(IRIS))
    mean = np.mean([each.predict_proba(IRIS) for each in clf.estimators_], axis=0)
    assert_array_equal(clf.predict_proba(IRIS), mean)
    assert_array_equal(clf.predict(IRIS), mean.argmax(axis=1))
    assert clf.n_grad_evals_ == sum(each.n_grad_evals_ for each in clf.estimators_)


@pytest.mark.parametrize("backend", ["threading", pytest.param("loky", marks=pytest.mark.slow)])
@pytest.mark.parametrize("network", [CLASSIFIER, REGRESSOR])
def test_equal_bits_for_any_number_of_workers(network, backend):
    y = SPECIES if network is CLASSIFIER else LENGTHS
    with parallel_config(backend):
        one, two = (
            ensemble(network, n_cycles=2, cycle_length=2, n_jobs=n_jobs).fit(IRIS, y)
            for n_jobs in (1, 2)
        )
    for each, other in zip(one.estimators_, two.estimators_, strict=True):
        assert_array_equal(each.coefs_[0], other.coefs_[0])


def test_a_trajectory_begins_as_the_network_and_moves_on():
    clf = ensemble(n_estimators=2, n_cycles=3, cycle_length=4).fit(IRIS, SPECIES)
    plain = ensemble(n_estimators=2).fit(IRIS, SPECIES)
    assert len(clf.estimators_) == 6
    for trajectory, alone in zip((0, 3), plain.estimators_, strict=True):
        first, second, third = clf.estimators_[trajectory : trajectory + 3]
        assert_array_equal(first.coefs_[0], alone.coefs_[0])
        assert first.t_ < second.t_ < third.t_
        assert not np.allclose(first.coefs_[0], second.coefs_[0])
        assert first.get_params() == second.get_params() == third.get_params()
        assert len(third.loss_curve_) == len(first.loss_curve_) + 8
    assert clf.n_grad_evals_ == plain.n_grad_evals_ + 2 * 2 * 4 * 2  # SAM costs two a step


def test_a_cycle_is_epochs_of_falling_rates():
    """With a rate of 1 for gradient descent in one batch, on a linear model: closed form."""
    rows, y = IRIS[:, :1], 2 * IRIS[:, 0]
    network = FlatMLPRegressor(
        hidden_layer_sizes=(), solver="sgd", alpha=0, momentum=0, learning_rate_init=0.5
    ).set_params(batch_size=len(y), max_iter=1, measures=None)
    first, second = ensemble(network, 1, n_cycles=2, cycle_length=2).fit(rows, y).estimators_
    # Half the squared error of a feature of variance 1: a step of rate r leaves 1 - r of the error.
    left = (1 - 0.5) * (1 - 0.25)
    error = first.coefs_[0] - 2
    assert_allclose(second.coefs_[0] - 2, left * error, rtol=1e-10)


def test_labels_and_strings():
    clf = ensemble().fit(IRIS, TRAITS)
    assert_array_equal(clf.predict(IRIS), clf.predict_proba(IRIS) > 0.5)
    names = np.array(["a", "b", "c"])[SPECIES]
    clf = ensemble().fit(IRIS, names)
    assert set(clf.predict(IRIS)) <= set(names)
    assert_allclose(np.exp(clf.predict_log_proba(IRIS)), clf.predict_proba(IRIS))


@pytest.mark.parametrize("y", [LENGTHS, LENGTHS[:, 0]])
def test_the_deviation_is_of_members_and_noise(y):
    weight = np.linspace(0, 2, len(y))
    reg = ensemble(REGRESSOR).fit(IRIS, y, sample_weight=weight)
    each = np.array([member.predict(IRIS) for member in reg.estimators_])
    mean, std = reg.predict(IRIS, return_std=True)
    assert_array_equal(mean, each.mean(axis=0))
    noise = np.average((mean - y) ** 2, axis=0, weights=weight)
    assert_allclose(reg.noise_std_**2, noise)
    assert_allclose(std**2, each.var(axis=0) + noise)


def test_counts_vary_by_their_mean():
    reg = ensemble(FlatMLPRegressor("poisson", **SHORT)).fit(IRIS, SPECIES)
    each = np.array([member.predict(IRIS) for member in reg.estimators_])
    mean, std = reg.predict(IRIS, return_std=True)
    assert_allclose(std**2, each.var(axis=0) + mean)


def test_members_are_measured_and_precise():
    clf = ensemble(FlatMLPClassifier(**SHORT | {"measures": ["sharpness"]}))
    clf.fit(IRIS.astype(np.float32), SPECIES)
    assert clf.predict_proba(IRIS.astype(np.float32)).dtype == np.float32
    assert all(each.sharpness_ > 0 for each in clf.estimators_)
    assert hessian_trace(clf.estimators_[0], IRIS.astype(np.float32), SPECIES).value > 0


def test_it_takes_part_in_searches_and_pipelines():
    pipe = make_pipeline(StandardScaler(), ensemble(n_estimators=2))
    grid = {"flatmlpensembleclassifier__estimator__rho": [0.0, 0.5]}
    search = GridSearchCV(pipe, grid, cv=2, scoring="neg_log_loss").fit(IRIS, SPECIES)
    assert len(set(search.cv_results_["mean_test_score"])) == 2


def test_networks_of_scikit_learn_will_do():
    reg = ensemble(MLPRegressor(hidden_layer_sizes=(5,), max_iter=5), n_cycles=2, cycle_length=1)
    assert reg.fit(IRIS, LENGTHS).predict(IRIS).shape == LENGTHS.shape


def test_what_cannot_move_on_is_refused():
    clf = ensemble(FlatMLPClassifier(solver="lbfgs"), n_cycles=2)
    message = "n_cycles=2 needs an estimator with partial_fit .* has no partial_fit"
    with pytest.raises(ValueError, match=message):
        clf.fit(IRIS, SPECIES)


def test_a_failed_fit_leaves_what_was_there():
    clf = ensemble().fit(IRIS, SPECIES)
    before = clf.predict_proba(IRIS)
    with pytest.raises(ValueError, match="NaN"):
        clf.fit(np.full_like(IRIS, np.nan), SPECIES)
    assert_array_equal(clf.predict_proba(IRIS), before)


QUICK = {"hidden_layer_sizes": (20,), "max_iter": 30, "learning_rate_init": 0.05, "measures": None}
QUICK["solver"] = "adam"
FEW = {"n_estimators": 2, "n_cycles": 2, "cycle_length": 1}


@parametrize_with_checks(
    [
        FlatMLPEnsembleClassifier(FlatMLPClassifier(**QUICK), **FEW),
        FlatMLPEnsembleRegressor(FlatMLPRegressor(**QUICK), **FEW),
    ]
)
def test_it_passes_the_checks(estimator, check):
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks([FlatMLPEnsembleClassifier(), FlatMLPEnsembleRegressor()])
def test_the_default_passes_the_checks(estimator, check):
    check(estimator)
