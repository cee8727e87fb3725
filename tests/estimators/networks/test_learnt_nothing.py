"""A network no better than the best constant prediction warns and gives advice."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_iris,
    load_wine,
    make_multilabel_classification,
)
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import scale

from skflat import FlatMLPClassifier, FlatMLPRegressor
from skflat.estimators.supervised import _outcome as _mlp_outcome
from skflat.solvers import SOLVERS

NO_BETTER = "no better than the best constant prediction"
IRIS, SPECIES = load_iris(return_X_y=True)
X, T = load_diabetes(return_X_y=True)
X, T = scale(X), scale(T)
# Steps of this size leave the weights where they began.
STUCK = {"learning_rate_init": 1e-12, "max_iter": 2, "hidden_layer_sizes": (5,)}


def said(fit, *args, **params):
    """The warnings that the training was no better than a constant."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit(*args, **params)
    assert all(issubclass(w.category, (ConvergenceWarning, UserWarning)) for w in caught)
    return [str(w.message) for w in caught if NO_BETTER in str(w.message)]


def classified(X, y, sample_weight=None, **params):
    clf = FlatMLPClassifier(random_state=0, measures=None, **params)
    return clf, said(clf.fit, X, y, sample_weight)


def regressed(X, y, sample_weight=None, **params):
    reg = FlatMLPRegressor(random_state=0, measures=None, **params)
    return reg, said(reg.fit, X, y, sample_weight)


# --- raw tables ---


def raw(name):
    if name == "wine":
        return (FlatMLPClassifier, *load_wine(return_X_y=True))
    if name == "cancer":
        return (FlatMLPClassifier, *load_breast_cancer(return_X_y=True))
    features, target = load_diabetes(return_X_y=True, scaled=False)
    return FlatMLPRegressor, features, target / 100 if name == "diabetes" else scale(target)


@pytest.mark.parametrize("name", ["wine", "cancer", "diabetes", "standardised diabetes"])
@pytest.mark.parametrize("solver", ["sam", "adam", "sgd", "lbfgs", "trace"])
def test_on_raw_tables_exactly_the_useless_fits_say_so(name, solver):
    network, features, target = raw(name)
    dummy = DummyRegressor() if network is FlatMLPRegressor else DummyClassifier()
    constant = dummy.fit(features, target).score(features, target)
    told = []
    for seed in range(6):
        net = network(solver=solver, random_state=seed, measures=None, max_iter=30)
        messages = said(net.fit, features, target)
        assert len(messages) == (net.score(features, target) <= constant)
        told += messages
    assert all("scale the features" in message for message in told)
    assert told or solver not in ("sam", "adam", "sgd") or name == "cancer"


def test_the_default_says_so_on_raw_wine():
    network, features, target = raw("wine")
    told = said(network(random_state=0, max_iter=20, measures=None).fit, features, target)
    assert "accuracy is 0." in told[0]
    assert "scale the features" in told[0]


def test_the_default_says_so_on_raw_targets():
    features, target = load_diabetes(return_X_y=True)
    _, told = regressed(scale(features), target, max_iter=50)
    assert "R2 is -" in told[0]
    assert "scale the target" in told[0]
    assert "scale the features" not in told[0]


def test_the_warning_points_to_where_fit_was_called():
    net = FlatMLPClassifier(random_state=0, measures=None, **STUCK)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        net.fit(scale(IRIS), SPECIES)
    assert [w.filename for w in caught if NO_BETTER in str(w.message)] == [__file__]


# --- every kind of target ---


LABELS = make_multilabel_classification(n_samples=150, n_features=8, random_state=0)
KINDS = {
    "multiclass": (classified, scale(IRIS), SPECIES, {}),
    "binary": (classified, scale(IRIS), SPECIES == 0, {}),
    "words": (classified, scale(IRIS), np.array(["a", "b", "c"])[SPECIES], {}),
    "multilabel": (classified, scale(LABELS[0]), LABELS[1], {}),
    "one output": (regressed, X, T, {}),
    "two outputs": (regressed, X, np.column_stack([T, X[:, 0] * X[:, 1]]), {}),
    "counts": (regressed, X, np.exp(T), {"loss": "poisson"}),
}
each_kind = pytest.mark.parametrize("kind", KINDS)


@each_kind
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_who_learns_nothing_says_so(kind, dtype):
    fitted, features, target, params = KINDS[kind]
    _, told = fitted(features.astype(dtype), target, **params, **STUCK)
    assert len(told) == 1
    assert "try a larger max_iter than 2 or another learning_rate_init than 1e-12" in told[0]
    assert "scale the" not in told[0]


@each_kind
@pytest.mark.parametrize("solver", ["sam", "adam", "lbfgs"])
def test_who_learns_something_says_nothing(kind, solver):
    fitted, features, target, params = KINDS[kind]
    _, told = fitted(features, target, **params, solver=solver, learning_rate_init=0.01)
    assert not told


@each_kind
@pytest.mark.parametrize("solver", SOLVERS)
def test_every_solver_says_so(kind, solver):
    fitted, features, target, params = KINDS[kind]
    stuck = STUCK | ({"max_fun": 1, "max_iter": 1} if solver == "lbfgs" else {})
    if solver == "entropy_sgd":
        stuck["rho"] = 1.0
    net, told = fitted(features, target, **params, **stuck, solver=solver)
    assert len(told) == (0 if net.score(features, target) > constant_score(features, target) else 1)


def constant_score(features, target):
    numbers = np.asarray(target).dtype.kind == "f"
    dummy = DummyRegressor() if numbers else DummyClassifier()
    return dummy.fit(features, target).score(features, target)


@pytest.mark.parametrize("constant", [0.0, 0.1, -1e9])
def test_a_constant_target_is_learnt_by_a_constant(constant):
    assert not regressed(X, np.full(len(X), constant), **STUCK)[1]
    assert not regressed(X, np.full((len(X), 2), constant), **STUCK)[1]
    assert not regressed(X, np.full(len(X), abs(constant)), loss="poisson", **STUCK)[1]
    assert not classified(X, np.full(len(X), "always"), **STUCK)[1]


def test_the_outputs_that_were_not_learnt_are_named():
    targets = np.column_stack([np.full(len(X), 5.0), T * 1e4, T * 1e-3])
    _, told = regressed(X, targets, solver="lbfgs", max_iter=100)
    assert "R2 of output 2 is -" in told[0]
    assert "scale the target" in told[0]


def test_of_many_outputs_some_are_named():
    rng = np.random.default_rng(0)
    _, told = regressed(X, scale(rng.normal(size=(len(X), 30))), **STUCK)
    assert "R2 of output 0, 1, 2, 3, 4 is" in told[0]
    assert "and 25 more are like it" in told[0]


def test_rows_count_by_their_weights():
    """A network that is right on half of the rows, of which the others weigh nothing or all."""
    y, right = np.repeat([0, 1, 0, 1], 50), np.repeat([1.0, 0.0], 100)
    features = np.repeat([[-1.0], [1.0], [0.0], [0.0]], 50, axis=0)
    quick = {"solver": "lbfgs", "hidden_layer_sizes": (3,)}
    assert not classified(features, y, right, **quick)[1]
    assert classified(features, y, 1 - right, **quick)[1]
    assert not classified(features, y, np.where(y > 0, 0.0, 1.0), **quick)[1]  # of one class
    balanced = {"class_weight": "balanced", "max_iter": 1, "learning_rate_init": 1e-12}
    assert classified(features, y, **balanced)[1]


def test_a_class_that_no_row_is_given_is_told():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(2000, 1))
    rare = rng.random(2000) < 0.1 + 0.05 * np.tanh(features[:, 0])
    _, told = classified(features, rare, solver="lbfgs", hidden_layer_sizes=(2,))
    assert "accuracy is 0.899" in told[0]
    assert "class_weight='balanced'" in told[0]


# --- what is advised ---


def test_small_features_are_to_be_scaled():
    _, told = classified(scale(IRIS) * 1e-4, SPECIES, max_iter=5)
    assert "scale the features" in told[0]


def test_a_feature_that_drowns_the_others_is_to_be_scaled():
    features = np.column_stack([T * 1e-6, scale(np.sin(np.arange(len(T))))])
    _, told = regressed(features, T, **STUCK)
    assert "scale the features" in told[0]


def test_sparse_features_are_to_be_scaled_without_centring():
    _, told = classified(sparse.csr_matrix(IRIS * 100), SPECIES, **STUCK)
    assert "scale the features, say by a MaxAbsScaler" in told[0]


@pytest.mark.parametrize("change", [lambda y: y * 1e-3, lambda y: y * 1e3, lambda y: y + 100])
def test_small_large_and_shifted_targets_are_to_be_scaled(change):
    _, told = regressed(X, change(T), **STUCK)
    assert "scale the target, say by a TransformedTargetRegressor" in told[0]
    assert "scale the features" not in told[0]


@pytest.mark.parametrize("factor", [1e-4, 1e4])
def test_large_and_rare_counts_are_to_be_scaled(factor):
    _, told = regressed(X, np.exp(T) * factor, loss="poisson", **STUCK)
    assert "scale the target" in told[0]


def test_a_strong_penalty_and_a_large_radius_are_named():
    _, told = classified(scale(IRIS), SPECIES, alpha=1e4, rho=7.0)
    assert "a smaller alpha than 10000.0" in told[0]
    assert "a smaller rho than 7" in told[0]
    _, told = classified(scale(IRIS), SPECIES, solver="adam", **STUCK)
    assert "alpha" not in told[0]
    assert "rho" not in told[0]


# --- what it costs, and who is left alone ---


def test_partial_fit_says_nothing():
    clf = FlatMLPClassifier(random_state=0, **STUCK)
    assert not said(clf.partial_fit, IRIS, SPECIES, classes=[0, 1, 2])


def test_of_many_rows_some_are_looked_at(monkeypatch):
    monkeypatch.setattr(_mlp_outcome, "MOST_ROWS", 500)
    looked_at, judge = [], _mlp_outcome._classes
    monkeypatch.setattr(
        _mlp_outcome, "_classes", lambda *args: looked_at.append(len(args[-1])) or judge(*args)
    )
    rng = np.random.default_rng(0)
    features, few = rng.normal(size=(2000, 3)), np.arange(2000) < 60
    _, told = classified(features, features[:, 0] > 0, max_iter=20, learning_rate_init=0.01)
    assert not told
    assert classified(features, rng.integers(2, size=2000), **STUCK)[1]
    classified(features, rng.integers(2, size=2000), few, **STUCK)  # the others weigh nothing
    assert looked_at == [500, 500, 60]


def test_nothing_is_drawn_from_the_users_generator(monkeypatch):
    draws = []
    for most in (10_000, 50):
        monkeypatch.setattr(_mlp_outcome, "MOST_ROWS", most)
        generator = np.random.RandomState(0)
        clf = FlatMLPClassifier(random_state=generator, measures=None, **STUCK)
        said(clf.fit, IRIS, SPECIES)
        draws.append(generator.random_sample(3))
    assert_array_equal(*draws)


def test_no_gradient_is_counted_for_it():
    clf, told = classified(scale(IRIS), SPECIES, solver="adam", **STUCK)
    assert told
    assert clf.n_grad_evals_ == 2


def test_predictions_that_overflow_are_no_better():
    """The last step leads where the exponential overflows."""
    reg = FlatMLPRegressor("poisson", (2,), solver="sgd", learning_rate_init=1e4, max_iter=1)
    reg.set_params(random_state=0, measures=None, batch_size=len(X), alpha=0.0)
    messages = said(reg.fit, X, np.exp(T))
    assert len(messages) == 1
    with pytest.warns(UserWarning, match="rows are not finite"):
        assert not np.isfinite(reg.predict(X)).all()
