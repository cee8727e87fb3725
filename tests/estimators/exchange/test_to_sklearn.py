"""Networks as scikit-learn's own, and back, with the same predictions to the bit."""

import autograd.numpy as anp
import numpy as np
import pytest
from fitted import IRIS, LENGTHS, SPECIES, TRAITS
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skflat import (
    FlatMLPClassifier,
    FlatMLPClassifierCV,
    FlatMLPRegressor,
    FlatMLPRegressorCV,
    FlatPerceptronClassifier,
    to_sklearn,
)
from skflat.measures import hessian_trace
from skflat.solvers import SAM

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SHORT = {"hidden_layer_sizes": (7, 5), "max_iter": 4, "measures": None, "random_state": 0}
NAMES = np.array(["setosa", "versicolor", "virginica"])[SPECIES]
FITS = {
    "classes": (FlatMLPClassifier, SPECIES, {}),
    "strings": (FlatMLPClassifier, NAMES, {"activation": "tanh"}),
    "two classes": (FlatMLPClassifier, NAMES == "setosa", {"activation": "logistic"}),
    "labels": (FlatMLPClassifier, TRAITS, {"early_stopping": True}),
    "number": (FlatMLPRegressor, LENGTHS[:, 0], {"activation": "identity"}),
    "numbers": (FlatMLPRegressor, LENGTHS, {}),
    "counts": (FlatMLPRegressor, SPECIES, {"loss": "poisson"}),
    "linear": (FlatMLPRegressor, LENGTHS, {"hidden_layer_sizes": ()}),
    "lbfgs": (FlatMLPClassifier, SPECIES, {"solver": "lbfgs"}),
    "object": (FlatMLPClassifier, SPECIES, {"solver": SAM("sgd"), "learning_rate": "cosine"}),
}
each_fit = pytest.mark.parametrize("case", FITS)
each_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def fitted(case, dtype=np.float64):
    network, y, params = FITS[case]
    return network(**SHORT | params).fit(IRIS.astype(dtype), y)


def outputs(estimator, X):
    both = [estimator.predict(X)]
    return [*both, estimator.predict_proba(X)] if hasattr(estimator, "predict_proba") else both


def assert_same(one, two, X=IRIS):
    for ours, theirs in zip(outputs(one, X), outputs(two, X), strict=True):
        assert ours.dtype == theirs.dtype
        assert_array_equal(ours, theirs)


@each_fit
@each_dtype
def test_it_predicts_the_same_to_the_bit(case, dtype):
    network = fitted(case, dtype)
    mlp = network.to_sklearn()
    assert type(mlp) is (MLPRegressor if hasattr(network, "loss") else MLPClassifier)
    for X in (IRIS, IRIS.astype(np.float32), np.asfortranarray(IRIS), sparse.csr_array(IRIS)):
        assert_same(network, mlp, X)
    assert_same(network, mlp, IRIS[:1])
    mlp._validate_params()
    assert mlp.n_iter_ == network.n_iter_


@each_fit
@each_dtype
def test_and_back(case, dtype):
    network = fitted(case, dtype)
    again = type(network).from_sklearn(network.to_sklearn())
    assert_same(network, again)
    y = FITS[case][1]
    assert again.measure(IRIS, y).keys() == {"sharpness", "flatness", "weakness"}
    if not again.early_stopping:
        before = np.array(again.coefs_[0])
        assert not np.array_equal(again.partial_fit(IRIS, y).coefs_[0], before)
        assert len(again.loss_curve_) == len(network.loss_curve_) + 1


def test_what_was_trained_there_is_measured_and_goes_on_here():
    mlp = MLPClassifier((6,), solver="lbfgs", max_iter=30, random_state=0).fit(IRIS, NAMES)
    clf = FlatMLPClassifier.from_sklearn(mlp, rho=0.3)
    default = FlatMLPClassifier().solver
    assert (clf.solver, clf.rho, clf.hidden_layer_sizes) == (default, 0.3, (6,))
    assert_same(clf, mlp)
    assert clf.measure(IRIS, NAMES)["sharpness"].value == hessian_trace(mlp, IRIS, NAMES).value
    kept = [array.copy() for array in mlp.coefs_]
    clf.partial_fit(IRIS, NAMES)
    for array, before in zip(mlp.coefs_, kept, strict=True):
        assert_array_equal(array, before)


def test_a_warm_start_goes_on_there():
    network = fitted("classes").set_params(solver="adam", warm_start=True)
    mlp = network.to_sklearn()
    there, here = (each.fit(IRIS, SPECIES).predict_proba(IRIS) for each in (mlp, network))
    assert_allclose(there, here, rtol=1e-7)
    mlp.partial_fit(IRIS, SPECIES)
    stopping = fitted("labels").to_sklearn().set_params(warm_start=True)
    assert len(stopping.fit(IRIS, TRAITS).validation_scores_) > 4


@pytest.mark.parametrize("activation", ["gelu", "silu", "selu", "mish", anp.sin])
def test_an_activation_that_is_not_known_there_is_named(activation):
    network = FlatMLPRegressor(**SHORT | {"activation": activation}).fit(IRIS, LENGTHS)
    for convert in (network.to_sklearn, lambda: to_sklearn(make_pipeline(network))):
        with pytest.raises(
            ValueError, match=r"cannot be exported.*'identity', 'logistic'"
        ) as error:
            convert()
        assert repr(activation) in str(error.value)


def test_what_is_not_fitted_or_of_another_kind_is_refused():
    with pytest.raises(NotFittedError):
        FlatMLPClassifier().to_sklearn()
    with pytest.raises(NotFittedError):
        FlatMLPClassifier.from_sklearn(MLPClassifier())
    with pytest.raises(TypeError, match="mlp must be a fitted MLPClassifier, got MLPRegressor"):
        FlatMLPClassifier.from_sklearn(MLPRegressor())
    with pytest.raises(TypeError, match=r"FlatMLPRegressor.from_sklearn"):
        FlatMLPRegressorCV.from_sklearn(MLPRegressor())


def test_what_has_no_counterpart_is_named():
    pipe = make_pipeline(StandardScaler(), FlatPerceptronClassifier())
    with pytest.raises(TypeError, match="FlatPerceptronClassifier has no counterpart in scikit"):
        to_sklearn(pipe)


def test_a_network_chosen_by_a_search():
    few = {"rhos": [0.0, 0.1], "alphas": [0.01, 1.0], "cv": 2}
    clf = FlatMLPClassifierCV(**SHORT, **few).fit(IRIS, NAMES)
    assert_same(clf, clf.to_sklearn())
    assert clf.to_sklearn().alpha == clf.alpha_


@pytest.mark.parametrize(
    "around",
    [
        lambda clf: make_pipeline(StandardScaler(), make_pipeline(StandardScaler(), clf)),
        lambda clf: GridSearchCV(make_pipeline(clf), {"flatmlpclassifier__alpha": [0.1, 1]}, cv=2),
        lambda clf: GridSearchCV(clf, {"rho": [0, 0.1]}, cv=2, scoring=lambda est, X, y: 1.0),
        lambda clf: VotingClassifier([("a", clf), ("b", make_pipeline(clf))], voting="soft"),
        lambda clf: CalibratedClassifierCV(clf, cv=2),
    ],
)
def test_networks_within_other_estimators(around):
    whole = around(FlatMLPClassifier(**SHORT)).fit(IRIS, NAMES)
    taken = to_sklearn(whole)
    assert type(taken) is type(whole)
    assert_same(whole, taken)
    assert not ours_in(taken)
    assert ours_in(whole)


def ours_in(estimator):
    """Whether any attribute, however deep, is one of our networks."""
    seen, todo = set(), [estimator]
    while todo:
        each = todo.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        if type(each).__module__.startswith("skflat") and isinstance(each, BaseEstimator):
            return True
        if isinstance(each, (list, tuple)):
            todo += each
        elif isinstance(each, dict):
            todo += each.values()
        elif not isinstance(each, (type, np.ndarray)):
            todo += list(getattr(each, "__dict__", {}).values())
    return False
