"""Every estimator and every solver, and small seeded data, for ``same_numbers.py``.

Solvers come from the registries, so that a new one needs no line here.
"""

import inspect
from collections.abc import Callable
from functools import cache, partial
from typing import NamedTuple

import autograd.numpy as anp
import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.base import BaseEstimator, clone
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skflat
from skflat import solvers
from skflat.solvers import SOLVERS
from skflat.solvers.binary import BINARY_SOLVERS

# --- data: rows, a matrix with missing entries, patterns of bits; some of each are many ---

rng = np.random.default_rng(0)
X = rng.normal(size=(40, 4))
CLASSES = (X @ rng.normal(size=(4, 3)) + 0.3 * rng.normal(size=(40, 3))).argmax(axis=1)
TWO, LABELS = CLASSES == 1, (X[:, :2] > 0.2).astype(int)
PAIR = np.tanh(X[:, :2]) + 0.2 * rng.normal(size=(40, 2))
COUNTS = rng.poisson(np.exp(0.5 * X[:, 0])).astype(float)
WEIGHT = rng.uniform(0.1, 2, size=40)
SINGLE, SPARSE = X.astype(np.float32), sparse.csr_array(np.maximum(X, 0))
MANY = rng.normal(size=(4200, 4))
MATRIX = rng.normal(size=(12, 2)) @ rng.normal(size=(2, 8)) + 0.1 * rng.normal(size=(12, 8))
MATRIX[rng.random(MATRIX.shape) < 0.3] = np.nan
PLACES = rng.permutation(np.argwhere(~np.isnan(MATRIX)))
VALUES = MATRIX[tuple(PLACES.T)]
TRIPLES = np.column_stack([PLACES, PLACES.sum(axis=1) % 3])
MANY_PLACES = rng.permutation(np.argwhere(np.ones((200, 100))))[:15_000]
MANY_VALUES = np.cos(MANY_PLACES.prod(axis=1))
BITS, BIT_LABELS = rng.choice([-1.0, 1.0], (20, 27)), np.arange(20) % 2
MANY_BITS, MANY_BIT_LABELS = rng.choice([-1.0, 1.0], (300, 501)), rng.integers(2, size=300)

# --- solvers: the names, and objects whose structure is not the default ---

GRAPH = [[0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]
STRUCTURES = {
    "chain": [{"second": "sam", "switch": 0.5}, {"first": "adam", "second": "swa"}],
    "consensus": [{"n_agents": 3, "graph": "complete"}],
    "diffusion": [{"n_agents": 3, "graph": GRAPH}],
    "ema": [{"base": "sgd", "decay": 0.9}],
    "entropy_sgd": [{"base": "adam", "n_inner": 3}, {"inner_rate": 0.05, "scoping": 0.1}],
    "friendly_sam": [{"base": "sgd", "decay": 0.5}],
    "functional_sam": [{"base": "sgd"}],
    "gsam": [{"base": "sgd", "gap": 0.5}],
    "label_noise": [{"base": "adam"}],
    "msam": [{"base": "sgd"}],
    "ngd": [{"power": 0.0}],
    "noise": [
        {"base": "sgd", "noise": "weight"},
        {"noise": "block", "two_point": False, "n_draws": 3},
        {"noise": "sphere", "weight": 0.5},
    ],
    "replicated_sgd": [{"n_replicas": 2, "growth": 10.0}],
    "rsp": [{"base": "adam", "n_directions": 2}, {"antithetic": True, "final_plain": 0.5}],
    "sam": [
        {"base": "sgd", "adaptive": True},
        {"normalize": False, "m": 5},
        {"interval": 2, "start": 0.3},
        {"ascent_steps": 2},
    ],
    "saner": [{"base": "sgd", "reduction": 1.0}],
    "sap": [{"sample_size": 3, "centered": False}, {"base": "adam", "tolerance": 0.5}],
    "swa": [{"base": "adam", "start": 0.3}, {"rate": "cyclic", "cycle": 2, "start": 0.2}],
    "trace": [{"base": "sgd"}, {"interval": 3, "average": 0.5}],
}
BINARY_STRUCTURES = {
    "amp": [{"reinforcement": 0.01, "temperature": 0.5, "damping": 0.9}],
    "focusing_bp": [{"protocol": "reinforcement"}, {"protocol": "scoping", "n_replicas": 3}],
    "replicated_sgd": [
        {"kick": kick, "n_replicas": 3} for kick in ("simple", "hard", "continuous")
    ],
    "sbpi": [{"threshold": 0.0, "bound": None}],
    "ste": [{"gain": 2.0, "batch_size": 7}],
}


def built(registry, structures):
    """Solver objects, under names that tell their parameters."""
    known = [name for name in structures if name in registry]
    pairs = ((name, params) for name in known for params in structures[name])
    return {f"{name} {params}": registry[name](**params) for name, params in pairs}


def beyond_the_registry():
    """Solvers that only some estimators know by a name, as objects."""
    public = {name: getattr(solvers, name) for name in solvers.__all__}
    known = (*SOLVERS.values(), solvers.Solver, solvers.Rule)
    return {
        name: each()
        for name, each in public.items()
        if inspect.isclass(each) and issubclass(each, solvers.Solver) and each not in known
    }


def named(*names):
    return {name: name for name in names}


NAMES = named(*SOLVERS)
ALL = NAMES | built(SOLVERS, STRUCTURES) | beyond_the_registry()
ALL_BINARY = named(*BINARY_SOLVERS) | built(BINARY_SOLVERS, BINARY_STRUCTURES)

# --- estimators ---

SHORT = {"max_iter": 4, "batch_size": 16, "learning_rate_init": 0.02, "random_state": 0}
network = partial(skflat.FlatMLPClassifier, **SHORT | {"hidden_layer_sizes": (4,)})
regressor = partial(skflat.FlatMLPRegressor, **SHORT | {"hidden_layer_sizes": (4,)})
completion = partial(skflat.FlatMatrixFactorization, 2, **SHORT)
imputer = partial(skflat.FlatMatrixImputer, 2, max_iter=10, random_state=0)
committee = partial(skflat.FlatCommitteeClassifier, max_iter=10, random_state=0)
corners = partial(skflat.FlatPerceptronClassifier, max_iter=10, random_state=0)
sphere = partial(skflat.FlatSphericalPerceptronClassifier, **SHORT)
AS_GIVEN = {"scale": False, "fit_intercept": False}
RIVAL = {"hidden_layer_sizes": (4,), "max_iter": 30, "random_state": 0, "solver": "lbfgs"}


def swish(z):
    return z / (1 + anp.exp(-z))


def once(estimator, *data, **given):
    return estimator.fit(*data, **given)


def warmly(estimator, *data, **given):
    return once(once(estimator.set_params(warm_start=True), *data, **given), *data, **given)


def in_parts(estimator, X, y, **given):
    half = len(y) // 2
    return estimator.partial_fit(X[:half], y[:half], **given).partial_fit(X[half:], y[half:])


class Task(NamedTuple):
    """What to fit on what, and how."""

    estimator: BaseEstimator
    data: tuple
    given: dict = {}
    way: Callable = once


NETWORKS = {
    "classes": Task(network(), (X, CLASSES)),
    "two classes": Task(network(activation="tanh"), (X, TWO)),
    "labels": Task(network(), (X, LABELS)),
    "regression": Task(regressor(), (X, PAIR[:, 0])),
    "two outputs": Task(regressor(activation="tanh"), (X, PAIR)),
    "counts": Task(regressor(loss="poisson"), (X, COUNTS)),
}
OTHER_NETWORKS = {
    "float32": Task(network(), (SINGLE, CLASSES)),
    "float32 regression": Task(regressor(), (SINGLE, PAIR[:, 0])),
    "sparse": Task(network(), (SPARSE, CLASSES)),
    "sparse regression": Task(regressor(), (SPARSE, PAIR)),
    "data frame": Task(network(), (pd.DataFrame(X, columns=list("abcd")), CLASSES)),
    "named classes": Task(network(), (X, np.array(["c", "a", "b"])[CLASSES])),
    "linear": Task(network(hidden_layer_sizes=()), (X, CLASSES)),
    "two layers": Task(network(hidden_layer_sizes=(4, 3)), (X, CLASSES)),
    "three smooth layers": Task(network(hidden_layer_sizes=(3,) * 3, activation="tanh"), (X, TWO)),
    "wide": Task(network(hidden_layer_sizes=(60,)), (X, CLASSES)),
    "logistic": Task(network(activation="logistic"), (X, CLASSES)),
    "identity": Task(network(activation="identity"), (X, CLASSES)),
    "own activation": Task(network(activation=swish), (X, CLASSES)),
}
WAYS_TO_FIT = {
    "rho 0": Task(network(rho=0), (X, CLASSES)),
    "rho 0.3": Task(regressor(rho=0.3), (X, PAIR[:, 0])),
    "few rows measured": Task(network(measure_max_samples=20), (X, CLASSES)),
    "plain steps": Task(network(shuffle=False, nesterovs_momentum=False), (X, CLASSES)),
    "adaptive rate": Task(regressor(learning_rate="adaptive", tol=10), (X, PAIR[:, 0])),
    "falling rate": Task(network(learning_rate="invscaling", alpha=0.1), (X, CLASSES)),
    "weighted": Task(network(), (X, CLASSES), {"sample_weight": WEIGHT}),
    "weighted regression": Task(regressor(), (X, PAIR), {"sample_weight": WEIGHT}),
    "class_weight": Task(network(class_weight={0: 2, 1: 1, 2: 0.5}), (X, CLASSES)),
    "balanced": Task(network(class_weight="balanced"), (X, CLASSES)),
    "stopped": Task(network(early_stopping=True, n_iter_no_change=1), (X, CLASSES)),
    "stopped regression": Task(regressor(early_stopping=True), (X, PAIR[:, 0])),
    "own validation": Task(
        network(early_stopping=True), (X, CLASSES), {"validation_data": (X[:9], CLASSES[:9])}
    ),
    "warm": Task(network(), (X, CLASSES), {}, warmly),
    "warm regression": Task(regressor(), (X, PAIR[:, 0]), {}, warmly),
    "in parts": Task(network(), (X, CLASSES), {"classes": [0, 1, 2]}, in_parts),
    "regression in parts": Task(regressor(), (X, PAIR), {}, in_parts),
    "many rows": Task(network(measures=None), (MANY, MANY[:, :3].argmax(axis=1))),
    "many parameters": Task(network(hidden_layer_sizes=(8000,), measures=None), (X, CLASSES)),
}
FACTORIZATIONS = {
    "pairs": Task(completion(), (PLACES, VALUES)),
    "matrix": Task(completion(), (MATRIX,)),
    "triples": Task(completion(), (TRIPLES, VALUES)),
    "whole matrix": Task(completion(fit_offsets=False, rho=0), (np.nan_to_num(MATRIX),)),
}
WAYS_TO_FACTORIZE = {
    "one column": Task(completion(), (PLACES[:, :1], VALUES)),
    "weighted pairs": Task(completion(), (PLACES, VALUES), {"sample_weight": 1 + VALUES**2}),
    "named pairs": Task(completion(rho=0.2), (np.char.add("n", PLACES.astype(str)), VALUES)),
    "few pairs measured": Task(completion(measure_max_samples=30), (PLACES, VALUES)),
    "stopped pairs": Task(completion(early_stopping=True, clip=(-1, 1)), (PLACES, VALUES)),
    "warm pairs": Task(completion(), (PLACES, VALUES), {}, warmly),
    "pairs in parts": Task(completion(), (PLACES, VALUES), {}, in_parts),
    "sparse matrix": Task(completion(), (sparse.csr_array(np.nan_to_num(MATRIX)),)),
    "float32 matrix": Task(completion(), (MATRIX.astype(np.float32),)),
    "balanced matrix": Task(completion(balance="frobenius"), (MATRIX,)),
    "least trace": Task(completion(balance="trace", fit_offsets=False), (MATRIX,)),
    "imputer": Task(imputer(), (MATRIX,)),
    "imputer, indicator": Task(imputer(rho=0.1, add_indicator=True), (MATRIX,)),
}
MANY_PAIRS = {"many pairs": Task(completion(measures=None), (MANY_PLACES, MANY_VALUES))}
SPHERES = {
    "sphere, classes": Task(sphere(), (X, CLASSES)),
    "sphere, bits": Task(sphere(**AS_GIVEN), (BITS, BIT_LABELS)),
    "sphere, margin": Task(sphere(margin=0.2, gain=2.0, rho=0.1), (X, TWO)),
}
THRESHOLDS = {
    "corners, classes": Task(corners(), (X, CLASSES)),
    "corners, bits": Task(corners(**AS_GIVEN), (BITS, BIT_LABELS)),
    "corners, margin": Task(corners(margin=0.1, scale=False), (BITS, BIT_LABELS)),
    "corners, float32": Task(corners(), (SINGLE, TWO)),
    "many bits": Task(corners(measures=None, **AS_GIVEN), (MANY_BITS, MANY_BIT_LABELS)),
}
COMMITTEES = {
    "tree": Task(committee(3, "tree", **AS_GIVEN), (BITS, BIT_LABELS)),
    "full": Task(committee(3, "full"), (X, CLASSES)),
}
#: These are only measured.
FITTED = {
    "scikit-learn's classes": Task(MLPClassifier(**RIVAL), (X, CLASSES)),
    "scikit-learn's two classes": Task(MLPClassifier(activation="tanh", **RIVAL), (X, TWO)),
    "scikit-learn's regression": Task(MLPRegressor(**RIVAL), (X, PAIR)),
    "pipeline": Task(make_pipeline(StandardScaler(), network()), (X, CLASSES)),
    "trained": Task(network(solver="lbfgs", alpha=0, max_iter=50), (X, CLASSES)),
}
#: Which of them meet which solvers.
FACTORIZING = NAMES | named("als")
TASKS = [
    (NETWORKS, ALL),
    (OTHER_NETWORKS | WAYS_TO_FIT, NAMES),
    (FACTORIZATIONS, ALL | FACTORIZING),
    (WAYS_TO_FACTORIZE, FACTORIZING),
    (MANY_PAIRS, named("als", "sam")),
    (SPHERES, ALL | named("max_margin")),
    (THRESHOLDS | COMMITTEES, ALL_BINARY | named("auto")),
    (FITTED, {}),
]
#: All kinds of models are measured, once each.
MEASURED = [
    *(NETWORKS | OTHER_NETWORKS | FACTORIZATIONS | SPHERES | THRESHOLDS | COMMITTEES | FITTED),
    *("many rows", *MANY_PAIRS),
]


@cache
def fitted(name, solver=None):
    """The estimator, fitted with its own solver or another, and its data."""
    kinds, choices = next(each for each in TASKS if name in each[0])
    estimator, data, given, way = kinds[name]
    estimator = clone(estimator)
    if solver is not None:
        estimator.set_params(solver=choices[solver])
    return way(estimator, *data, **given), data
