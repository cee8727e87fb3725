"""Estimators of one's own, by a function or by a Model, inside the tools of both libraries."""

import pickle

import autograd.numpy as anp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale
from toys import Bilinear

from skflat import FlatFunctionClassifier, FlatFunctionRegressor
from skflat.displays import LandscapeDisplay, LocalEnergyDisplay
from skflat.estimators import FlatModelClassifier, FlatModelRegressor
from skflat.experiments import compare_solvers, emergence
from skflat.measures import LocalEnergy, flatness_report

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = load_iris(return_X_y=True)
X = scale(X)


class BilinearClassifier(FlatModelClassifier):
    """``(X A) * (X B)``, by a Model that has a layout and a forward."""

    def __init__(self, solver="sam", rho="auto", learning_rate_init=0.02, random_state=None):
        super().__init__(
            solver=solver,
            rho=rho,
            learning_rate_init=learning_rate_init,
            random_state=random_state,
        )

    def make_model(self, n_features, n_outputs):
        return Bilinear(n_features, n_outputs)


class BilinearRegressor(FlatModelRegressor):
    """The same for numbers, with the solver alone as a parameter."""

    def __init__(self, solver="sam"):
        super().__init__(solver=solver, random_state=0)

    def make_model(self, n_features, n_outputs):
        return Bilinear(n_features, n_outputs)


def bilinear(params, X):
    return (X @ params["A"]) * (X @ params["B"])


def arrays(rng, n_features, n_outputs):
    return {name: (n_features, n_outputs) for name in "AB"}


def units(params, X):
    return anp.tanh(X @ params["U"])


def network(params, X):
    return units(params, X) @ params["V"]


class Shapes:
    """Shapes of a network of some size, as an object that pickles and has its size as a name."""

    def __init__(self, size):
        self.size = size

    def __call__(self, rng, n_features, n_outputs):
        return {"U": (n_features, self.size), "V": (self.size, n_outputs)}


def test_a_model_is_the_same_as_its_function():
    own = BilinearClassifier(random_state=0).fit(X, Y)
    function = FlatFunctionClassifier(
        bilinear, arrays, solver="sam", learning_rate_init=0.02, random_state=0
    ).fit(X, Y)
    assert_allclose(own.params_["A"], function.params_["A"], atol=1e-8)
    assert own.loss_curve_[-1] < own.loss_curve_[0]
    assert own.sharpness_ == pytest.approx(function.sharpness_, rel=1e-7)


def test_a_model_keeps_to_the_conventions():
    own = BilinearClassifier(rho=0.2, random_state=0)
    assert own.get_params() == {
        "solver": "sam",
        "rho": 0.2,
        "learning_rate_init": 0.02,
        "random_state": 0,
    }
    fitted = clone(own).fit(X, Y)
    assert_array_equal(pickle.loads(pickle.dumps(fitted)).predict(X), fitted.predict(X))
    assert BilinearRegressor("lbfgs").fit(X, X[:, 0] * X[:, 1]).score(X, X[:, 0] * X[:, 1]) > 0.9


def test_a_grid_over_rho_in_a_pipeline():
    own = FlatFunctionClassifier(network, Shapes(5), max_iter=5, measures=None, random_state=0)
    pipe = make_pipeline(StandardScaler(), own)
    grid = {"flatfunctionclassifier__rho": [0.0, 0.5]}
    search = GridSearchCV(pipe, grid, cv=2, scoring="neg_log_loss").fit(X, Y)
    assert len(set(search.cv_results_["mean_test_score"])) == 2


def test_solvers_are_compared():
    own = FlatFunctionClassifier(network, Shapes(5), learning_rate_init=0.02)
    found = compare_solvers(own, X, Y, ["adam", "sam"], budget=10, n_seeds=2)
    assert [each["gradients"] for each in found.runs] == pytest.approx([10.0] * 4)


def test_sizes_are_compared():
    def of_size(estimator, size):
        return estimator.set_params(init=Shapes(int(size)))

    own = FlatFunctionClassifier(network, Shapes(1), solver="lbfgs", alpha=0, max_iter=300)
    energy = LocalEnergy(scale=0.5, n_draws=4)
    with pytest.warns(UserWarning, match="ladder|sizes"):  # so short, it misses a threshold
        found = emergence(own, X, Y, [1, 8], size_param=of_size, n_seeds=2, measure=energy)
    # Four features and three classes.
    assert found.to_frame()["n_parameters"].tolist() == [7, 7, 56, 56]


def test_it_is_shown_and_reported():
    own = FlatFunctionClassifier(network, Shapes(5), features=units, max_iter=5, measures=None)
    own.fit(X, Y)
    assert LandscapeDisplay.from_estimator(own, X, Y, n_points=3).ax_ is not None
    assert LocalEnergyDisplay.from_estimator(own, X, Y, n_draws=4).ax_ is not None
    found = flatness_report(own, X, Y, measures=["sharpness", "margins", "effective_rank"])
    assert np.isfinite(found.to_frame()["value"]).all()


def test_without_features_what_is_not_defined_is_left_out():
    own = FlatFunctionClassifier(network, Shapes(5), max_iter=5, random_state=0)
    assert own.fit(X, Y == 0).measurements_.keys() == {"sharpness", "flatness"}
    own.set_params(features=units)
    assert own.fit(X, Y == 0).measurements_.keys() == {"sharpness", "flatness", "weakness"}
    own.set_params(features=None, measures=["weakness"])
    with pytest.warns(UserWarning, match="weakness_ could not be measured.*features= names it"):
        own.fit(X, Y == 0)


def test_the_penalty_is_on_the_arrays_that_are_named():
    given = {"solver": "lbfgs", "alpha": 1e4, "measures": None, "random_state": 0}
    own = FlatFunctionClassifier(network, Shapes(5), penalized=["V"], **given).fit(X, Y)
    assert abs(own.params_["V"]).max() < 1e-2 < abs(own.params_["U"]).max()


def test_arrays_of_any_shape():
    def forward(params, X):
        kernel = anp.einsum("abc,c->ab", params["K"], params["s"])
        return X @ kernel * params["t"]

    init = {"K": (4, 3, 2), "s": np.ones(2), "t": np.array(1.0)}
    own = FlatFunctionClassifier(forward, init, solver="lbfgs", random_state=0).fit(X, Y)
    assert {name: array.shape for name, array in own.params_.items()} == {
        "K": (4, 3, 2),
        "s": (2,),
        "t": (),
    }
    assert own.score(X, Y) > 0.8  # there are no intercepts


def test_a_loss_of_its_own_for_classes():
    def focal(F, y):
        p = anp.exp(F - anp.log(anp.sum(anp.exp(F), axis=1, keepdims=True)))
        right = p[anp.arange(len(y)), y]
        return -((1 - right) ** 2) * anp.log(right)

    own = FlatFunctionClassifier(network, Shapes(5), loss=focal, learning_rate_init=0.05)
    own.fit(X, Y)
    assert own.score(X, Y) > 0.9
    assert_allclose(own.predict_proba(X).sum(axis=1), 1)
    assert own.sharpness_ > 0
    assert 0 <= own.weakness_ <= 1


def test_a_loss_of_more_scores_than_targets():
    def normal(F, y):
        return F[:, 1] + 0.5 * (y[:, 0] - F[:, 0]) ** 2 * anp.exp(-2 * F[:, 1])

    def line(params, X):
        return X @ params["W"] + params["b"]

    rng = np.random.default_rng(0)
    y = X[:, 0] + 0.1 * np.exp(0.5 * X[:, 1]) * rng.normal(size=len(X))
    own = FlatFunctionRegressor(
        line,
        {"W": (4, 2), "b": (2,)},
        loss=normal,
        prediction=lambda F: F[:, 0],
        solver="lbfgs",
        alpha=0,
        max_iter=500,
        random_state=0,
    ).fit(X, y)
    assert own.predict(X).shape == y.shape
    assert own.score(X, y) > 0.95
    assert_allclose(own.params_["W"][:, 1], [0, 0.5, 0, 0], atol=0.5)
    assert own.flatness_ > 0


def test_early_stopping_on_rows_of_its_own():
    own = FlatFunctionRegressor(early_stopping=True, random_state=0, max_iter=30)
    own.fit(X[:, :3], X[:, 3])
    assert len(own.validation_scores_) == own.n_iter_
