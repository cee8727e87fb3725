"""Networks fitted on small data, with exact results for the tests of the measures."""

import copy
from functools import cache

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import hessian
from autograd.scipy.special import logsumexp
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from toys import problem

from skflat import FlatMLPClassifier, FlatMLPRegressor
from skflat.measures import (
    MEASURES,
    LevelSetDistance,
    adaptive_sharpness,
    dominant_subspace,
    effective_rank,
    fisher_rao_norm,
    gradient_noise,
    hessian_eigenvalues,
    hessian_trace,
    learning_coefficient,
    level_set_distance,
    live_units,
    local_energy,
    local_volume,
    magnitude_sharpness,
    margins,
    maximal_variation,
    noise_stability,
    normalized_margin,
    orbit_trace,
    pac_bayes_bound,
    path_norm,
    relative_flatness,
    soft_rank,
    spectral_density,
    spectral_norms,
    takeuchi_criterion,
    weakness,
)
from skflat.problems import as_problem

#: The function of every measure, by the measure's name.
FUNCTIONS = {
    "adaptive_sharpness": adaptive_sharpness,
    "dominant_subspace": dominant_subspace,
    "effective_rank": effective_rank,
    "fisher_rao_norm": fisher_rao_norm,
    "flatness": level_set_distance,
    "gradient_noise": gradient_noise,
    "hessian_eigenvalues": hessian_eigenvalues,
    "learning_coefficient": learning_coefficient,
    "live_units": live_units,
    "local_energy": local_energy,
    "local_volume": local_volume,
    "magnitude_sharpness": magnitude_sharpness,
    "margins": margins,
    "maximal_variation": maximal_variation,
    "noise_stability": noise_stability,
    "normalized_margin": normalized_margin,
    "orbit_trace": orbit_trace,
    "pac_bayes_bound": pac_bayes_bound,
    "path_norm": path_norm,
    "relative_flatness": relative_flatness,
    "sharpness": hessian_trace,
    "soft_rank": soft_rank,
    "spectral_density": spectral_density,
    "spectral_norms": spectral_norms,
    "takeuchi_criterion": takeuchi_criterion,
    "weakness": weakness,
}
assert list(FUNCTIONS) == list(MEASURES)
#: Those that ask for classes, and those that may be negative.
OF_CLASSES = {magnitude_sharpness, margins, normalized_margin, pac_bayes_bound}
SIGNED = {learning_coefficient, local_volume, margins, normalized_margin}
each_function = pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
each_measure = pytest.mark.parametrize(
    "measure", [cls() for cls in MEASURES.values()], ids=MEASURES
)

IRIS, SPECIES = load_iris(return_X_y=True)
IRIS = (IRIS - IRIS.mean(axis=0)) / IRIS.std(axis=0)
SETOSA = SPECIES == 0
TRAITS = np.column_stack([IRIS[:, 0] > 0, IRIS[:, 1] > 0.5]).astype(int)
INPUTS, LENGTHS = IRIS[:, :2], IRIS[:, 2:]
COUNTS = np.random.default_rng(0).poisson(np.exp(0.5 * IRIS[:, 2])).astype(float)
WEIGHT = np.random.default_rng(1).uniform(0.1, 2, size=len(IRIS))

SHORT = {"max_iter": 60, "random_state": 0, "learning_rate_init": 0.02}
OURS = {**SHORT, "measures": None}
NETWORKS = {
    "classes": (MLPClassifier((6,), **SHORT), IRIS, SPECIES),
    "classes, deep": (MLPClassifier((5, 4), **SHORT), IRIS, SPECIES),
    "classes, tanh": (MLPClassifier((4, 3), "tanh", **SHORT), IRIS, SPECIES),
    "classes, logistic": (MLPClassifier((5,), "logistic", **SHORT), IRIS, SPECIES),
    "classes, linear": (MLPClassifier((), **SHORT), IRIS, SPECIES),
    "classes, identity": (MLPClassifier((4, 4), "identity", **SHORT), IRIS, SPECIES),
    "named classes": (MLPClassifier((5,), **SHORT), IRIS, np.array(["c", "a", "b"])[SPECIES]),
    "two classes": (MLPClassifier((6,), **SHORT), IRIS, SETOSA),
    "two classes, linear": (MLPClassifier((), **SHORT), IRIS, SETOSA),
    "labels": (MLPClassifier((6,), **SHORT), IRIS, TRAITS),
    "regression": (MLPRegressor(hidden_layer_sizes=(6,), **SHORT), INPUTS, LENGTHS[:, 0]),
    "two outputs": (MLPRegressor(hidden_layer_sizes=(5, 4), **SHORT), INPUTS, LENGTHS),
    "regression, linear": (MLPRegressor(hidden_layer_sizes=(), **SHORT), INPUTS, LENGTHS[:, 0]),
    "counts": (MLPRegressor("poisson", (6,), **SHORT), IRIS, COUNTS),
    "pipeline": (make_pipeline(StandardScaler(), MLPClassifier((6,), **SHORT)), IRIS, SPECIES),
    "pipeline of one": (Pipeline([("mlp", MLPClassifier((6,), **SHORT))]), IRIS, SPECIES),
    "pipeline in a pipeline": (
        make_pipeline(
            StandardScaler(), make_pipeline(StandardScaler(), MLPClassifier((4,), **SHORT))
        ),
        IRIS,
        SPECIES,
    ),
    "our classes": (FlatMLPClassifier((6,), **OURS), IRIS, SPECIES),
    "our two classes": (FlatMLPClassifier((6,), "tanh", **OURS), IRIS, SETOSA),
    "our labels": (FlatMLPClassifier((6,), **OURS), IRIS, TRAITS),
    "our regression": (FlatMLPRegressor(hidden_layer_sizes=(6,), **OURS), INPUTS, LENGTHS),
    "our counts": (FlatMLPRegressor("poisson", (6,), "tanh", **OURS), IRIS, COUNTS),
    "our sparse classes": (
        FlatMLPClassifier((6,), **OURS),
        sparse.csr_array(np.maximum(IRIS, 0)),
        SPECIES,
    ),
    "our sparse regression": (
        FlatMLPRegressor(hidden_layer_sizes=(), **OURS),
        sparse.csr_array(np.maximum(IRIS, 0)),
        COUNTS,
    ),
    "our single precision": (FlatMLPClassifier((6,), **OURS), IRIS.astype(np.float32), SPECIES),
    "our pipeline": (
        make_pipeline(StandardScaler(), FlatMLPClassifier((6,), **OURS)),
        IRIS,
        SPECIES,
    ),
}
each_network = pytest.mark.parametrize("name", NETWORKS)
# The mathematics of a network does not depend on what it is wrapped in.
WRAPPED = ("named classes", "pipeline", "pipeline of one", "pipeline in a pipeline", "our pipeline")
DOUBLE = [name for name in NETWORKS if name not in (*WRAPPED, "our single precision")]


@cache
def fitted(name):
    estimator, X, y = NETWORKS[name]
    return clone(estimator).fit(X, y), X, y


def has_classes(estimator):
    """What margins ask for."""
    return hasattr(last_step(estimator, None)[0], "classes_")


def last_step(estimator, X):
    """The network at the end of nested pipelines, and what it sees."""
    while isinstance(estimator, Pipeline):
        X = estimator[:-1].transform(X) if X is not None and len(estimator) > 1 else X
        estimator = estimator[-1]
    return estimator, X.toarray() if sparse.issparse(X) else X


def twin(network, X, y, weight=None):
    """A fitted network's mean loss as a function of its flat vector, and the vector.

    Written down anew, from the fitted attributes alone.
    """
    arrays = [*network.coefs_, *network.intercepts_]
    n_layers = len(network.coefs_)
    act = {
        "relu": lambda z: anp.where(z > 0, z, 0.0 * z),
        "tanh": anp.tanh,
        "logistic": lambda z: 1 / (1 + anp.exp(-z)),
        "identity": lambda z: z,
    }[network.activation]
    if network.out_activation_ in ("softmax", "logistic"):
        y = y if np.ndim(y) == 2 else np.searchsorted(network.classes_, y)
    columns = np.reshape(y, (len(y), -1)).astype(float)
    weight = np.ones(len(y)) if weight is None else weight

    def loss(w):
        parts, start = [], 0
        for array in arrays:
            parts.append(w[start : start + array.size].reshape(array.shape))
            start += array.size
        a = X
        for layer in range(n_layers):
            a = a @ parts[layer] + parts[n_layers + layer]
            a = act(a) if layer < n_layers - 1 else a
        rows = {
            "softmax": lambda: logsumexp(a, axis=1) - a[np.arange(len(y)), y.astype(int)],
            "logistic": lambda: anp.sum(anp.log(1 + anp.exp(a)) - columns * a, axis=1),
            "identity": lambda: anp.sum((a - columns) ** 2, axis=1) / 2,
            "exp": lambda: anp.sum(anp.exp(a) - columns * a, axis=1),
        }[network.out_activation_]()
        return anp.sum(rows * weight) / weight.sum()

    return loss, np.concatenate([np.ravel(array) for array in arrays]).astype(float)


def dense_trace(estimator, X, y, weight=None):
    network, X = last_step(estimator, X)
    loss, w = twin(network, X, y, weight)
    return np.trace(hessian(loss)(w))


def sampled(estimator, X, y, n, seed, weight=None):
    """The problem on a uniform sample of the rows."""
    rows = np.random.default_rng(seed).choice(len(X), size=n, replace=False)
    return as_problem(
        estimator, X[rows], y[rows], None if weight is None else weight[rows], sampled_from=len(X)
    )


def rescaled(network, factor, layer=0):
    """The same function: a layer's incoming weights times a factor, its outgoing ones by it."""
    network = copy.deepcopy(network)
    network.coefs_[layer] *= factor
    network.intercepts_[layer] *= factor
    network.coefs_[layer + 1] /= factor
    return network


def distance(objective, w, level, **settings):
    """The level set distance, looked for with more than the usual patience."""
    patient = {"n_refined": 9, "max_iter": 200, "tol": 1e-12, "n_starts": 5}
    return LevelSetDistance(level, **patient | settings).evaluate(problem(objective, w))


def unsettled_variation(r):
    """Most that ``(x y - 1)^2`` changes within ``r`` of (1, 1)."""
    return (2**0.5 * r + r**2 / 2) ** 2
