"""The networks have the names, the defaults and the numbers of scikit-learn's own."""

import inspect
from functools import cache

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_iris,
    make_multilabel_classification,
)
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import scale
from sklearn.utils import get_tags

from skflat import FlatMLPClassifier, FlatMLPRegressor
from skflat.solvers import LBFGS, SGD, SOLVERS, Adam

# Twenty epochs do not converge, here or there.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

PAIRS = {
    FlatMLPClassifier: MLPClassifier,
    FlatMLPRegressor: MLPRegressor,
}
PLAIN_SOLVERS = ["sgd", "adam", "lbfgs"]
STOCHASTIC = ["sgd", "adam"]
CLASSIFICATION = ["iris", "cancer", "digits", "multilabel"]
REGRESSION = ["diabetes", "two outputs"]

each_pair = pytest.mark.parametrize(("flat", "plain"), PAIRS.items(), ids=lambda c: c.__name__)
each_plain_solver = pytest.mark.parametrize("solver", PLAIN_SOLVERS)
each_stochastic_solver = pytest.mark.parametrize("solver", STOCHASTIC)
each_activation = pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
each_task = pytest.mark.parametrize("name", CLASSIFICATION + REGRESSION)


@cache
def data(name):
    if name == "iris":
        X, y = load_iris(return_X_y=True)
        return scale(X), y
    if name == "cancer":
        X, y = load_breast_cancer(return_X_y=True)
        return scale(X), y
    if name == "digits":
        X, y = load_digits(return_X_y=True)
        return X[:600] / 16, y[:600]
    if name == "multilabel":
        X, Y = make_multilabel_classification(n_samples=150, n_features=8, random_state=0)
        return scale(X), Y
    X, y = load_diabetes(return_X_y=True)
    X, y = scale(X), scale(y)
    return (X, y) if name == "diabetes" else (X, np.column_stack([y, X[:, 0] * X[:, 1]]))


def both(name, **params):
    """Our network and scikit-learn's for a task, not fitted."""
    flat, plain = list(PAIRS.items())[name in REGRESSION]
    few = {"hidden_layer_sizes": (15,), "max_iter": 20, "learning_rate_init": 0.01}
    params = few | {"random_state": 0} | params
    return flat(measures=None, **params), plain(**params)


def both_fitted(name, sample_weight=None, **params):
    X, y = data(name)
    return tuple(net.fit(X, y, sample_weight) for net in both(name, **params))


def fitted_attributes(estimator):
    return {
        name: value
        for name, value in vars(estimator).items()
        if name.endswith("_") and not name.startswith("_")
    }


def assert_equal(ours, theirs):
    if isinstance(theirs, list) and isinstance(theirs[0], np.ndarray):
        assert len(ours) == len(theirs)
        for our_array, their_array in zip(ours, theirs, strict=True):
            assert_equal(our_array, their_array)
    elif isinstance(theirs, (float, list)) or np.asarray(theirs).dtype.kind == "f":
        atol = 1e-7 * np.abs(theirs).max(initial=0)
        assert_allclose(ours, theirs, rtol=1e-7, atol=atol)
        assert np.shape(ours) == np.shape(theirs)
    else:
        assert_array_equal(ours, theirs)


def assert_same_fit(networks, X):
    """Every public fitted attribute and every prediction is the same."""
    ours, theirs = networks
    for name, value in fitted_attributes(theirs).items():
        assert_equal(getattr(ours, name), value)
    for method in ("predict", "predict_proba"):
        if hasattr(theirs, method):
            assert_equal(getattr(ours, method)(X), getattr(theirs, method)(X))


def default_of(function):
    return {
        name: parameter.default
        for name, parameter in inspect.signature(function).parameters.items()
        if name != "self"
    }


def positional(function):
    return [
        name
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.kind is parameter.POSITIONAL_OR_KEYWORD
    ]


@each_pair
def test_every_parameter_is_there_with_the_same_default_but_the_solver(flat, plain):
    ours, theirs = default_of(flat.__init__), default_of(plain.__init__)
    assert {name: ours[name] for name in theirs} == theirs | {"solver": "auto"}


@each_pair
def test_parameters_can_be_given_by_the_same_positions(flat, plain):
    assert positional(flat.__init__) == positional(plain.__init__)


@each_pair
def test_every_public_method_is_there(flat, plain):
    public = {name for name in dir(plain) if not name.startswith("_")}
    assert public <= set(dir(flat))


@each_pair
def test_tags_are_the_same(flat, plain):
    assert get_tags(flat()) == get_tags(plain())


@each_pair
@pytest.mark.parametrize("method", ["fit", "partial_fit", "predict", "score"])
def test_methods_take_the_same_arguments_at_the_same_positions(flat, plain, method):
    theirs = positional(getattr(plain(solver="adam"), method))
    assert positional(getattr(flat(), method))[: len(theirs)] == theirs


@each_plain_solver
@each_activation
@each_task
def test_the_fit_is_the_same(name, activation, solver):
    networks = both_fitted(name, activation=activation, solver=solver)
    assert networks[1].n_iter_ > 1
    assert_same_fit(networks, data(name)[0])


@pytest.mark.parametrize("solver", [SGD(), Adam(), LBFGS()], ids=repr)
def test_a_solver_object_is_the_same_as_its_name(solver):
    X, y = data("iris")
    ours, _ = both("iris", solver=solver)
    _, theirs = both("iris", solver=type(solver).__name__.lower())
    assert_same_fit((ours.fit(X, y), theirs.fit(X, y)), X)


@each_plain_solver
@pytest.mark.parametrize("name", CLASSIFICATION)
def test_losses_of_hopelessly_wrong_rows_are_clipped_in_the_same_way(name, solver):
    X, y = data(name)
    networks = [
        net.fit(1000 * X, y)
        for net in both(name, solver=solver, max_iter=3, learning_rate_init=1e-6)
    ]
    assert networks[1].predict_proba(1000 * X).min() < np.finfo(float).eps
    assert_same_fit(networks, 1000 * X)


@pytest.mark.parametrize("name", CLASSIFICATION)
def test_logarithms_of_probabilities_are_the_same(name):
    X = data(name)[0]
    ours, theirs = (net.predict_log_proba(X) for net in both_fitted(name, solver="sgd"))
    assert_equal(ours, theirs)


@each_plain_solver
@each_task
def test_two_hidden_layers_are_the_same(name, solver):
    networks = both_fitted(name, hidden_layer_sizes=(12, 7), solver=solver)
    assert_same_fit(networks, data(name)[0])


@each_plain_solver
def test_no_hidden_layer_is_the_same(solver):
    networks = both_fitted("iris", hidden_layer_sizes=(), solver=solver)
    assert_same_fit(networks, data("iris")[0])


@pytest.mark.parametrize(
    "params",
    [
        {"learning_rate": "constant", "momentum": 0.5},
        {"learning_rate": "constant", "momentum": 0.0},
        {"learning_rate": "constant", "nesterovs_momentum": False},
        {"learning_rate": "invscaling", "learning_rate_init": 0.1, "power_t": 0.2},
        {"learning_rate": "adaptive", "tol": 0.03, "n_iter_no_change": 1},
        {"learning_rate": "adaptive", "tol": 0.1, "early_stopping": True, "n_iter_no_change": 1},
    ],
    ids=str,
)
@pytest.mark.parametrize("name", ["iris", "diabetes"])
def test_schedules_and_momentum_of_sgd_are_the_same(name, params):
    assert_same_fit(both_fitted(name, solver="sgd", **params), data(name)[0])


def test_an_adaptive_rate_falls_until_it_is_too_small():
    networks = both_fitted(
        "iris", solver="sgd", learning_rate="adaptive", tol=1.0, n_iter_no_change=1, max_iter=100
    )
    assert networks[1].n_iter_ < 100
    assert_same_fit(networks, data("iris")[0])


@pytest.mark.parametrize(
    "params",
    [{"beta_1": 0.5}, {"beta_2": 0.9}, {"epsilon": 0.1}, {"learning_rate": "adaptive"}],
    ids=str,
)
def test_numbers_of_adam_are_the_same(params):
    assert_same_fit(both_fitted("iris", solver="adam", **params), data("iris")[0])


@each_stochastic_solver
@pytest.mark.parametrize(
    "params",
    [{"shuffle": False}, {"batch_size": 7}, {"alpha": 0.5}, {"alpha": 0.0}, {"max_iter": 1}],
    ids=str,
)
@pytest.mark.parametrize("name", ["iris", "diabetes"])
def test_batches_and_penalty_are_the_same(name, params, solver):
    assert_same_fit(both_fitted(name, solver=solver, **params), data(name)[0])


@each_stochastic_solver
@each_task
def test_early_stopping_is_the_same(name, solver):
    networks = both_fitted(name, solver=solver, early_stopping=True)
    ours, theirs = networks
    assert_same_fit(networks, data(name)[0])
    assert_equal(ours.validation_scores_, theirs.validation_scores_)
    assert_equal(ours.best_validation_score_, theirs.best_validation_score_)


@each_stochastic_solver
@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("name", ["iris", "cancer", "diabetes"])
def test_training_stops_in_the_same_epoch(name, early_stopping, solver):
    networks = both_fitted(
        name, solver=solver, early_stopping=early_stopping, tol=0.05, n_iter_no_change=3
    )
    assert networks[1].n_iter_ < 20
    assert_same_fit(networks, data(name)[0])


def test_early_stopping_means_nothing_to_lbfgs():
    assert_same_fit(both_fitted("iris", solver="lbfgs", early_stopping=True), data("iris")[0])


@each_plain_solver
@pytest.mark.parametrize("name", ["iris", "diabetes"])
def test_a_warm_start_goes_on_in_the_same_way(name, solver):
    X, y = data(name)
    networks = both(name, solver=solver, warm_start=True)
    for _ in range(2):
        for net in networks:
            net.fit(X, y)
        assert_same_fit(networks, X)


@each_stochastic_solver
@each_task
def test_partial_fit_goes_on_in_the_same_way(name, solver):
    X, y = data(name)
    networks = both(name, solver=solver)
    classes = {} if name in REGRESSION else {"classes": networks[1].fit(X, y).classes_}
    networks = both(name, solver=solver)
    for part in range(3):
        for net in networks:
            net.partial_fit(X[part::3], y[part::3], **classes)
        assert_same_fit(networks, X)


def test_partial_fit_lowers_the_rate_over_its_calls():
    X, y = data("diabetes")
    networks = both(
        "diabetes", solver="sgd", learning_rate="invscaling", learning_rate_init=0.1, power_t=0.2
    )
    for _ in range(3):
        for net in networks:
            net.partial_fit(X, y)
    assert_same_fit(networks, X)


@each_plain_solver
@each_task
@pytest.mark.parametrize("early_stopping", [False, True])
def test_sample_weight_counts_the_same(name, early_stopping, solver):
    weight = np.random.RandomState(0).uniform(0.1, 3, len(data(name)[1]))
    networks = both_fitted(name, weight, solver=solver, early_stopping=early_stopping)
    assert_same_fit(networks, data(name)[0])


@each_plain_solver
@pytest.mark.parametrize("n_outputs", [1, 2])
def test_poisson_regression_is_the_same(n_outputs, solver):
    X, _ = data("diabetes")
    rates = np.exp(X[:, :n_outputs] / 2).squeeze()
    counts = np.random.RandomState(0).poisson(rates)
    networks = both("diabetes", loss="poisson", solver=solver)
    assert_same_fit([net.fit(X, counts) for net in networks], X)


@each_plain_solver
@pytest.mark.parametrize("container", [sparse.csr_array, sparse.csr_matrix, sparse.csc_array])
def test_sparse_input_is_the_same(container, solver):
    X, y = data("digits")
    X = container(X)
    assert_same_fit([net.fit(X, y) for net in both("digits", solver=solver)], X)


@pytest.mark.parametrize("labels", [["a", "b", "c"], [3.0, 1.0, 2.0], [True, False, True]])
def test_labels_of_any_kind_are_the_same(labels):
    X, y = data("iris")
    y = np.array(labels)[y]
    assert_same_fit([net.fit(X, y) for net in both("iris", solver="adam")], X)


@each_plain_solver
def test_a_random_state_is_drawn_from_in_the_same_order(solver):
    X, y = data("iris")
    networks = [
        net.set_params(random_state=np.random.RandomState(7)).fit(X, y).fit(X, y)
        for net in both("iris", solver=solver, early_stopping=True)
    ]
    assert_same_fit(networks, X)
    ours, theirs = (net.random_state.randint(2**31) for net in networks)
    assert ours == theirs


@pytest.mark.parametrize("max_fun", [1, 8])
def test_lbfgs_ends_after_the_same_function_calls(max_fun):
    assert_same_fit(both_fitted("iris", solver="lbfgs", max_fun=max_fun), data("iris")[0])


def test_lbfgs_knows_the_loss_where_there_is_nothing_to_do():
    networks = both_fitted("iris", solver="lbfgs", tol=1e6)
    assert networks[1].n_iter_ == 0
    assert_same_fit(networks, data("iris")[0])


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("name", ["iris", "cancer", "diabetes"])
def test_float32_stays_float32(name, solver):
    X, y = data(name)
    ours, _ = both(name, max_iter=3)
    ours.set_params(solver=solver).fit(X.astype(np.float32), y)
    predict = ours.predict if name in REGRESSION else ours.predict_proba
    arrays = [*ours.coefs_, *ours.intercepts_, predict(X.astype(np.float32))]
    assert {array.dtype for array in arrays} == {np.dtype(np.float32)}


@each_pair
def test_partial_fit_is_not_there_for_lbfgs(flat, plain):
    assert not hasattr(flat(solver="lbfgs"), "partial_fit")
    assert not hasattr(MLPClassifier(solver="lbfgs"), "partial_fit")
