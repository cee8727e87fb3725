"""The networks keep scikit-learn's conventions and work inside its tools."""

import copy
import gc
import io
import pickle
import weakref

import joblib
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn import config_context
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_iris, make_classification
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale
from sklearn.utils.estimator_checks import estimator_checks_generator, parametrize_with_checks

from skflat import (
    FlatMatrixFactorization,
    FlatMatrixImputer,
    FlatMLPClassifier,
    FlatMLPClassifierCV,
    FlatMLPRegressor,
    FlatMLPRegressorCV,
)
from skflat.solvers import SAM, SGD, SOLVERS

# Short fits do not converge.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

NETWORKS = [FlatMLPClassifier, FlatMLPRegressor]
STOCHASTIC = [name for name, solver in SOLVERS.items() if solver.stochastic]
STRUCTURED = [SAM("sgd", interval=2), SAM(ascent_steps=2, start=0.5, normalize=False)]
SMALL = {"hidden_layer_sizes": (6,), "max_iter": 5, "random_state": 0}
X, Y = load_iris(return_X_y=True)
X = scale(X)

each_network = pytest.mark.parametrize("network", NETWORKS)
# Classifiers and regressors in turn: they share what depends on the solver.
IN_TURN = [(NETWORKS[k % 2], solver) for k, solver in enumerate(SOLVERS)]
each_solver = pytest.mark.parametrize(("network", "solver"), IN_TURN)
# One solver of every shape: a rule with memory, one of several points, stages, and a method. What
# the checks look at does not depend on the direction of a rule, nor on what it averages.
SHAPES = ["trace", "replicated_sgd", "chain", "lbfgs"]
OF_SHAPES = [(NETWORKS[k % 2], solver) for k, solver in enumerate(SHAPES)]
each_shape = pytest.mark.parametrize(("network", "solver"), OF_SHAPES)
each_stochastic_shape = pytest.mark.parametrize(
    ("network", "solver"), [case for case in OF_SHAPES if case[1] in STOCHASTIC]
)


def quick(solver):
    # Targets as large as the checks' ask Entropy-SGD's inner loop for a smaller rate; the rate of
    # normalised gradients is a length.
    rate = {"entropy_sgd": 0.005, "ngd": 0.3}.get(solver if isinstance(solver, str) else "", 0.02)
    few = {"hidden_layer_sizes": (20,), "max_iter": 50, "learning_rate_init": rate}
    return [network(solver=solver, measures=None, **few) for network in NETWORKS]


def weights_of(estimator):
    return np.concatenate([array.ravel() for array in estimator.coefs_ + estimator.intercepts_])


def by_pickle(estimator):
    return pickle.loads(pickle.dumps(estimator))


def by_joblib(estimator):
    file = io.BytesIO()
    joblib.dump(estimator, file)
    return joblib.load(file)


# test_solvers.py pickles every solver.
each_round_trip = pytest.mark.parametrize("round_trip", [by_pickle, by_joblib, copy.deepcopy])


def taught(estimator, n_calls=2):
    classes = {"classes": np.unique(Y)} if isinstance(estimator, FlatMLPClassifier) else {}
    for _ in range(n_calls):
        estimator.partial_fit(X, Y, **classes)
    return estimator


def read_only(array):
    array = copy.deepcopy(array)
    for part in (array.data, array.indices, array.indptr) if sparse.issparse(array) else (array,):
        part.flags.writeable = False
    return array


@pytest.mark.filterwarnings("ignore:The target is constant:UserWarning")
@parametrize_with_checks([FlatMLPClassifier(), FlatMLPRegressor()])
def test_the_default_network_passes(estimator, check):
    check(estimator)


FEW = {"rhos": [0.0, 0.1], "alphas": [1e-4], "cv": 2, "hidden_layer_sizes": (20,)}
LONG_ENOUGH = {"max_iter": 50, "learning_rate_init": 0.02, "measures": None}


@parametrize_with_checks([FlatMLPClassifierCV(**FEW, **LONG_ENOUGH)])
def test_a_search_passes(estimator, check):
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks([FlatMLPRegressorCV(**FEW, **LONG_ENOUGH)])
def test_a_search_for_a_regressor_passes(estimator, check):
    check(estimator)


@parametrize_with_checks([FlatMatrixFactorization(), FlatMatrixImputer()])
def test_the_default_factorization_and_imputer_pass(estimator, check):
    check(estimator)


OF_FACTORS = ["lbfgs", "sam"]


@pytest.mark.slow
@parametrize_with_checks(
    [FlatMatrixFactorization(solver=s, measures=None, max_iter=10) for s in OF_FACTORS]
)
def test_a_factorization_with_other_solvers_passes(estimator, check):
    check(estimator)


# The default factorization shows the same code without draws.
# Of a row given twice the noise is drawn twice. So its draws are others than those of weight 2.
BY_DRAWS = [
    case
    for case in estimator_checks_generator(
        FlatMatrixFactorization(solver="gibbs", measures=None, max_iter=10)
    )
    if "sample_weight_equivalence" not in case[1].func.__name__
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("estimator", "check"), BY_DRAWS, ids=[check.func.__name__ for _, check in BY_DRAWS]
)
def test_the_mean_over_the_posterior_passes(estimator, check):
    check(estimator)


# To these a row given twice is not a row of weight 2: its noise is drawn twice, or the rows go to
# different agents, or some of them are drawn, or the two make a pair.
BY_ROWS = {"consensus", "diffusion", "entropy", "label_noise", "sap"}
BUT_FOR_EQUAL_ROWS = [
    case
    for solver in sorted(BY_ROWS)
    for network in quick(solver)
    for case in estimator_checks_generator(network)
    if "sample_weight_equivalence" not in case[1].func.__name__
]
CHECKED = [solver for solver in [*SOLVERS, *STRUCTURED] if solver not in BY_ROWS]


QUICK = [quick(solver)[k % 2] for k, solver in enumerate(SHAPES)]


@parametrize_with_checks(QUICK)
def test_a_network_with_any_shape_of_solver_passes(estimator, check):
    check(estimator)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("estimator", "check"),
    BUT_FOR_EQUAL_ROWS,
    ids=[f"{each.solver}-{check.func.__name__}" for each, check in BUT_FOR_EQUAL_ROWS],
)
def test_a_solver_that_sees_pairs_or_draws_passes(estimator, check):
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks([network for solver in CHECKED for network in quick(solver)])
def test_a_network_with_any_solver_passes(estimator, check):
    check(estimator)


@each_network
def test_fitting_leaves_the_parameters_alone(network):
    given = {
        "hidden_layer_sizes": [6],
        "measures": ["flatness"],
        "solver": SAM(interval=2),
        "random_state": 0,
        "max_iter": 3,
    }
    kept = copy.deepcopy(given)
    estimator = network(**given).fit(X, Y)
    for name, value in given.items():
        assert getattr(estimator, name) is value
    assert vars(given["solver"]) == vars(kept["solver"])
    del given["solver"]
    assert given == {name: kept[name] for name in given}


@each_network
def test_a_clone_has_the_same_parameters_and_a_solver_of_its_own(network):
    estimator = network(solver=SAM("sgd", interval=3), rho=0.2, alpha=0.5, **SMALL).fit(X, Y)
    twin = clone(estimator)
    assert repr(twin) == repr(estimator)
    assert twin.solver is not estimator.solver
    assert not hasattr(twin, "coefs_")
    assert_array_equal(weights_of(twin.fit(X, Y)), weights_of(estimator))


@each_shape
@each_round_trip
def test_a_copy_predicts_the_same(network, solver, round_trip):
    estimator = network(solver=solver, **SMALL).fit(X, Y)
    twin = round_trip(estimator)
    assert_array_equal(twin.predict(X), estimator.predict(X))
    assert twin.measurements_.keys() == estimator.measurements_.keys()
    assert twin.flatness_ == estimator.flatness_


@each_stochastic_shape
@each_round_trip
def test_a_copy_learns_on_to_the_same_bits(network, solver, round_trip):
    rho = "auto" if SOLVERS[solver].default_rho is None else 0.1
    seeded = {"random_state": np.random.RandomState(0), "batch_size": 20, "rho": rho}
    estimator = taught(network(solver=solver, **SMALL | seeded))
    twin = round_trip(estimator)
    before = weights_of(estimator)
    assert_array_equal(weights_of(taught(twin, 3)), weights_of(taught(estimator, 3)))
    assert not np.array_equal(weights_of(twin), before)


@pytest.mark.parametrize("name", ["interval", "m", "ascent_steps"])
def test_a_copy_keeps_the_memory_of_a_structured_solver(name):
    solver = SAM("sgd", **{name: 3})
    estimator = taught(FlatMLPClassifier(solver=solver, batch_size=20, **SMALL))
    twin = by_pickle(estimator)
    assert_array_equal(weights_of(taught(twin)), weights_of(taught(estimator)))


def test_it_ends_a_pipeline():
    pipe = make_pipeline(StandardScaler(), FlatMLPClassifier(**SMALL)).fit(X * 100 + 5, Y)
    alone = FlatMLPClassifier(**SMALL).fit(scale(X), Y)
    assert_allclose(pipe.predict_proba(X * 100 + 5), alone.predict_proba(scale(X)))


def test_a_grid_over_rho_tells_its_values_apart():
    grid = {"rho": [0.0, 0.5]}
    clf = FlatMLPClassifier(measures=None, **SMALL | {"max_iter": 20})
    search = GridSearchCV(clf, grid, cv=3, scoring="neg_log_loss").fit(X, Y)
    scores = search.cv_results_["mean_test_score"]
    assert scores[0] != scores[1]
    assert search.best_params_["rho"] == grid["rho"][scores.argmax()]


def test_a_grid_reaches_into_a_solver_object():
    grid = {"solver__interval": [1, 4]}
    solver = SAM()
    clf = FlatMLPClassifier(solver=solver, batch_size=10, measures=None, **SMALL)
    search = GridSearchCV(clf, grid, cv=2, scoring="neg_log_loss").fit(X, Y)
    assert search.best_estimator_.solver.interval == search.best_params_["solver__interval"]
    assert len(set(search.cv_results_["mean_test_score"])) == 2
    assert solver.interval == 1


def test_a_grid_takes_solvers_by_name_and_as_objects():
    grid = {"solver": ["adam", SAM(interval=2), SGD()]}
    clf = FlatMLPClassifier(measures=None, **SMALL)
    search = GridSearchCV(clf, grid, cv=2).fit(X, Y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_it_can_be_calibrated():
    clf = FlatMLPClassifier(measures=None, learning_rate_init=0.1, **SMALL | {"max_iter": 30})
    calibrated = CalibratedClassifierCV(clf, cv=2).fit(X, Y)
    assert calibrated.score(X, Y) > 0.9


def test_cross_validation_in_two_processes_is_that_in_one():
    clf = FlatMLPClassifier(measures=None, **SMALL)
    one, two = (cross_val_score(clf, X, Y, cv=4, n_jobs=n_jobs) for n_jobs in (1, 2))
    assert_array_equal(one, two)


@each_network
def test_names_of_columns_are_kept_and_checked(network):
    frame = pd.DataFrame(X, columns=["a", "b", "c", "d"])
    estimator = network(**SMALL).fit(frame, pd.Series(Y))
    assert estimator.feature_names_in_.tolist() == ["a", "b", "c", "d"]
    assert_array_equal(estimator.predict(frame), network(**SMALL).fit(X, Y).predict(X))
    with pytest.raises(ValueError, match="feature names should match"):
        estimator.predict(frame.rename(columns={"a": "z"}))


def test_a_pipeline_that_passes_frames_on_gives_the_same():
    pipe = make_pipeline(StandardScaler(), FlatMLPClassifier(**SMALL))
    arrays = clone(pipe).fit(X, Y)
    with config_context(transform_output="pandas"):
        frames = clone(pipe).fit(pd.DataFrame(X).add_prefix("x"), Y)
        assert_array_equal(frames[-1].feature_names_in_, ["x0", "x1", "x2", "x3"])
        predicted = frames.predict_proba(pd.DataFrame(X).add_prefix("x"))
    assert_allclose(predicted, arrays.predict_proba(X), rtol=1e-10)


@each_network
def test_weights_are_routed_through_a_pipeline(network):
    weight = np.linspace(0.1, 3, len(Y))
    with config_context(enable_metadata_routing=True):
        estimator = network(**SMALL).set_fit_request(sample_weight=True)
        pipe = make_pipeline(StandardScaler(with_mean=False, with_std=False), estimator)
        pipe[0].set_fit_request(sample_weight=False)
        pipe.fit(X, Y, sample_weight=weight)
    assert_array_equal(weights_of(pipe[-1]), weights_of(network(**SMALL).fit(X, Y, weight)))


def test_weights_are_routed_through_a_grid():
    weight = np.linspace(0.1, 3, len(Y))
    clf = FlatMLPClassifier(measures=None, **SMALL)
    with config_context(enable_metadata_routing=True):
        clf.set_fit_request(sample_weight=True).set_score_request(sample_weight=False)
        search = GridSearchCV(clf, {"rho": [0.1]}, cv=2).fit(X, Y, sample_weight=weight)
    alone = FlatMLPClassifier(rho=0.1, measures=None, **SMALL).fit(X, Y, weight)
    assert_array_equal(weights_of(search.best_estimator_), weights_of(alone))


def large():
    return make_classification(n_samples=4000, n_features=40, random_state=0)


def fitted(estimator, X, y):
    return estimator.fit(X, y)


def fitted_validating(estimator, X, y):
    return estimator.set_params(early_stopping=True).fit(X, y, validation_data=(X, y))


def fitted_in_part(estimator, X, y):
    classes = {"classes": [0, 1]} if isinstance(estimator, FlatMLPClassifier) else {}
    return estimator.partial_fit(X, y, sample_weight=np.ones(len(y)), **classes)


def measured(estimator, X, y):
    fitted_in_part(estimator, X, y).measure(X, y)
    return estimator


each_way_to_fit = pytest.mark.parametrize(
    "way", [fitted, fitted_validating, fitted_in_part, measured]
)


@each_network
@each_way_to_fit
def test_nothing_refers_to_the_training_data_after_a_fit(network, way):
    X, y = large()
    seen = weakref.ref(X)
    estimator = way(network(**SMALL | {"max_iter": 2}), X, y)
    del X
    gc.collect()
    assert seen() is None
    assert hasattr(estimator, "coefs_")


@each_network
@each_way_to_fit
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
def test_a_pickle_is_small_whatever_the_data(network, way, container):
    X, y = large()
    estimator = way(network(**SMALL | {"max_iter": 2}), container(X), y)
    assert len(pickle.dumps(estimator)) < X.nbytes / 30


@pytest.mark.parametrize(
    ("network", "solver", "container"),
    [(*case, np.asarray) for case in IN_TURN]
    + [
        (*case, container)
        for case in OF_SHAPES
        for container in (np.asfortranarray, sparse.csr_array)
    ],
)
def test_read_only_data_will_do(network, solver, container):
    data = [read_only(array) for array in (container(X), Y, np.linspace(0.5, 2, len(Y)))]
    estimator = network(solver=solver, batch_size=20, **SMALL).fit(*data)
    assert estimator.predict(data[0]).shape == Y.shape
    assert np.isfinite(estimator.sharpness_)


@each_solver
def test_data_on_disk_will_do(network, solver, tmp_path):
    np.save(tmp_path / "X.npy", X)
    on_disk = np.load(tmp_path / "X.npy", mmap_mode="r")
    estimator = network(solver=solver, **SMALL).fit(on_disk, Y)
    in_memory = network(solver=solver, **SMALL).fit(X, Y)
    assert_array_equal(weights_of(estimator), weights_of(in_memory))
    assert_array_equal(estimator.predict(on_disk), in_memory.predict(X))


@each_solver
def test_fitting_writes_to_nothing_it_is_given(network, solver):
    data = X.copy(), Y.copy(), np.linspace(0.5, 2, len(Y))
    kept = [array.copy() for array in data]
    network(solver=solver, early_stopping=True, **SMALL).fit(*data).predict(data[0])
    for array, copied in zip(data, kept, strict=True):
        assert_array_equal(array, copied)
