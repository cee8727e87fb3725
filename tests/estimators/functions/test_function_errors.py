"""Mistakes in a function of one's own, and what the errors say to change."""

import copy
import pickle

import autograd.numpy as anp
import cloudpickle
import joblib
import numpy as np
import pytest
from scipy.special import softmax
from sklearn.datasets import load_iris

from skflat import FlatFunctionClassifier, FlatFunctionRegressor, as_model

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = load_iris(return_X_y=True)
START = {"W": (4, 3), "b": (3,)}


def linear(params, X):
    return X @ params["W"] + params["b"]


def fit(forward, init=START, **params):
    given = {"max_iter": 2, "measures": None, "random_state": 0} | params
    return FlatFunctionClassifier(forward, init, **given).fit(X, Y)


def writes_into_zeros(params, X):
    F = np.zeros((len(X), 3))
    F[:] = X @ params["W"] + params["b"]
    return F


def writes_into_a_result(params, X):
    F = X @ params["W"] + params["b"]
    F[:, 0] = 0
    return F


def writes_into_a_parameter(params, X):
    params["b"][0] = 0
    return X @ params["W"] + params["b"]


def writes_into_the_rows(params, X):
    X -= 1
    return X @ params["W"] + params["b"]


@pytest.mark.parametrize(
    "forward",
    [writes_into_zeros, writes_into_a_result, writes_into_a_parameter, writes_into_the_rows],
)
def test_assignment_in_place(forward):
    with pytest.raises(ValueError, match=r"forward assigns into an array in place.*np\.where"):
        fit(forward)


def uses_numpy(params, X):
    return X @ params["W"] + np.interp(params["b"], [-1, 1], [-1, 1])


def uses_scipy(params, X):
    return softmax(X @ params["W"] + params["b"], axis=1)


def uses_what_has_no_gradient(params, X):
    return anp.cumprod(X @ params["W"] + params["b"], axis=1)


@pytest.mark.parametrize("forward", [uses_numpy, uses_scipy, uses_what_has_no_gradient])
def test_what_autograd_cannot_trace(forward):
    with pytest.raises(ValueError, match=r"import autograd.numpy as np.*line .* of test_function"):
        fit(forward)


def test_the_line_is_named():
    with pytest.raises(ValueError, match=r"`return X @ params\[.W.\] \+ np.interp\(params"):
        fit(uses_numpy)


def test_shapes_that_do_not_match():
    with pytest.raises(ValueError, match=r"X of shape \(3, 4\) and arrays of the shapes.*\(5, 3\)"):
        fit(linear, START | {"W": (5, 3)})
    with pytest.raises(
        ValueError, match=r"\(n_rows, 3\), here \(3, 3\); got one of shape \(3, 2\)"
    ):
        fit(linear, {"W": (4, 2), "b": (2,)})
    with pytest.raises(ValueError, match=r"must return an array of shape .*got one of shape \(\)"):
        fit(lambda params, X: anp.sum(linear(params, X)))
    with pytest.raises(ValueError, match=r"here \(2, 3\); got one of shape \(3, 3\)"):
        fit(lambda params, X: params["W"][1:] + anp.sum(X) + params["b"])


def test_arrays_without_influence():
    with pytest.raises(ValueError, match=r"does not depend on the arrays 'c', 'd' of init"):
        fit(linear, START | {"c": (2,), "d": ()})
    with pytest.raises(ValueError, match=r"'W'.*np.floor"):
        fit(lambda params, X: anp.floor(X @ params["W"]) + params["b"])
    with pytest.raises(ValueError, match=r"does not depend on the arrays 'W', 'b'"):
        fit(linear, loss=lambda F, y: 0.0 * y)


def test_a_name_that_is_not_there():
    with pytest.raises(ValueError, match=r"forward failed on X.*KeyError: 'V'"):
        fit(lambda params, X: X @ params["V"])


@pytest.mark.parametrize(
    ("init", "message"),
    [
        (None, "init must be given with forward"),
        ({}, "not empty"),
        (lambda rng, n_features, n_outputs: 3, "got 3"),
        ({"W": (4, 0), "b": (3,)}, r"init\['W'\] must be a shape of integers > 0"),
        ({"W": (4, 3), "b": "text"}, r"init\['b'\] must be an array of numbers"),
        ({"W": np.full((4, 3), np.nan), "b": (3,)}, r"init\['W'\] must hold finite numbers"),
    ],
)
def test_a_start_that_is_none(init, message):
    with pytest.raises(ValueError, match=message):
        fit(linear, init)


def test_names_that_are_not_penalized():
    with pytest.raises(
        ValueError, match=r"penalized must be names among \['W', 'b'\], got \['V'\]"
    ):
        fit(linear, penalized=["V"])


def test_features_that_nothing_reads():
    clf = fit(linear, features=lambda params, X: X**2)
    with pytest.raises(TypeError, match=r"features must be what the last affine map reads"):
        clf.set_params(measures=["relative_flatness"]).measure(X, Y)


@pytest.mark.parametrize("n", [2, 3])
def test_a_loss_of_another_shape(n):
    y = np.arange(len(X), dtype=float)
    reg = FlatFunctionRegressor(loss=lambda F, y: F - y[:, 0] if n == 2 else anp.sum(F - y))
    with pytest.raises(ValueError, match=r"loss must return one value a row, an array of shape"):
        reg.fit(X, y)


def test_a_loss_that_cannot_be_traced():
    reg = FlatFunctionRegressor(loss=lambda F, y: softmax(F - y, axis=1)[:, 0])
    with pytest.raises(ValueError, match=r"loss calls something that autograd cannot"):
        reg.fit(X, X[:, 0])


def test_a_prediction_of_another_shape():
    reg = FlatFunctionRegressor(loss=lambda F, y: (F - y) ** 2, prediction=lambda F: F[:1])
    with pytest.raises(ValueError, match=r"prediction must return one row for every row"):
        reg.fit(X, X[:, 0])


def test_smoothed_labels_belong_to_the_log_loss():
    with pytest.raises(ValueError, match=r"label_smoothing belongs to loss='log_loss'.*got 0.1"):
        fit(linear, loss=lambda F, y: anp.sum(F**2, axis=1), label_smoothing=0.1)


def test_functions_without_a_name_do_not_pickle():
    clf = fit(lambda params, X: linear(params, X))
    for dump in (pickle.dumps, lambda each: joblib.dump(each, "/dev/null")):
        with pytest.raises(pickle.PicklingError, match=r"forward=.*<lambda>.*by `def` at the top"):
            dump(clf)
    assert pickle.loads(pickle.dumps(fit(linear))).score(X, Y) == fit(linear).score(X, Y)


def test_they_can_be_copied_and_sent_to_workers():
    clf = fit(lambda params, X: linear(params, X))
    for twin in (copy.deepcopy(clf), cloudpickle.loads(cloudpickle.dumps(clf))):
        assert (twin.predict(X) == clf.predict(X)).all()


def test_the_same_holds_without_a_fit():
    with pytest.raises(ValueError, match=r"forward calls something that autograd cannot"):
        as_model({"W": np.ones((4, 3)), "b": np.ones(3)}, uses_numpy, X, Y)


def test_sparse_rows_are_refused():
    from scipy import sparse

    with pytest.raises(TypeError, match=r"Sparse data was passed"):
        FlatFunctionClassifier().fit(sparse.csr_array(X), Y)


def test_unknown_parameters_are_refused():
    from skflat.estimators.supervised import FlatModelClassifier

    class Own(FlatModelClassifier):
        def __init__(self, size=3):
            super().__init__(size=size)

        def make_model(self, n_features, n_outputs):
            raise NotImplementedError

    with pytest.raises(TypeError, match=r"Own has no parameters size"):
        Own()
