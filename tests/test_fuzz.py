"""Whatever the data and the parameters: finite results in range, or a clear error or warning.

``make test`` draws 200 cases, the same ones every time; ``make test-fuzz N=10000`` draws so many,
others every time. It spreads them over the kinds of estimators, and these over the cores.
"""

import os
import re
import warnings
from contextlib import contextmanager

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.base import clone, is_classifier

from skflat import (
    FlatCommitteeClassifier,
    FlatMatrixFactorization,
    FlatMatrixImputer,
    FlatMLPClassifier,
    FlatMLPClassifierCV,
    FlatMLPRegressor,
    FlatMLPRegressorCV,
    FlatPerceptronClassifier,
    FlatSphericalPerceptronClassifier,
)
from skflat.measures import MEASURES
from skflat.solvers import SOLVERS
from skflat.solvers.binary import BINARY_SOLVERS

N_EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "0"))

# Parameters: the usual ones last, which is what hypothesis shrinks away from.
SIZES = [0.0, 1e-300, 1e-10, 0.05, 1.0, 10.0, 1e10, 1e75, 1e300]
MEASURED = st.lists(st.sampled_from(sorted(MEASURES)), max_size=3, unique=True)
TRAINING = {
    "solver": sorted(SOLVERS),
    "rho": ["auto", *SIZES],
    "alpha": [0.0, 1e-4, 1.0, 1e10, 1e300],
    "batch_size": ["auto", 1, 7, 1000],
    "learning_rate": ["constant", "invscaling", "adaptive", "cosine"],
    "learning_rate_init": [1e-3, 1e-300, 1.0, 1e10, 1e300],
    "power_t": [0.5, 0.0, 1e300],
    "max_iter": [1, 2, 20],
    "shuffle": [True, False],
    "momentum": [0.9, 0.0, 1.0],
    "nesterovs_momentum": [True, False],
    "early_stopping": [False, True],
    "validation_fraction": [0.1, 0.5, 0.0],
    "beta_1": [0.9, 0.0],
    "beta_2": [0.999, 0.0],
    "epsilon": [1e-8, 1e-300, 1e300],
    "tol": [1e-4, 0.0, 1e300],
    "n_iter_no_change": [10, 1, np.inf],
    "max_fun": [100, 1],
    "warm_start": [False, True],
}
MEASURING = {
    "measures": [("sharpness", "flatness", "weakness"), None],
    "measure_max_samples": [2000, 1, 7],
}
NETWORK = (
    TRAINING
    | MEASURING
    | {
        "hidden_layer_sizes": [(3,), (), 1, (2, 2)],
        "activation": ["relu", "identity", "logistic", "tanh", "gelu", "mish", "selu", "silu"],
        "weight_decay": [0.0, 0.1, 10.0, 1e300],
        "warmup": [0.0, 0.5],
    }
)
OF_CLASSES = {
    "class_weight": [None, "balanced", {0: 0.0, 1: 1.0}, {0: 1e300}],
    "label_smoothing": [0.0, 0.1, 1.0],
}
MARGIN = [0.0, 1.0, -1.0, 1e10, -1e300]
THRESHOLD = MEASURING | {"scale": [True, False], "fit_intercept": [True, False]}
OF_MATRICES = {
    "n_components": [2, 1, 10],
    "solver": ["als", *sorted(SOLVERS)],
    "alpha": ["auto", 0.0, 1.0, 1e300],
    "alpha_offsets": [2.0, 0.0, 1e300],
}
SMALL = {"hidden_layer_sizes": (3,), "max_iter": 2, "random_state": 0}
SEARCH = {"cv": 2, "rhos": [0.0, 0.1], "alphas": [1e-4]}
#: Name to estimator, and the values that its parameters may have.
KINDS = {
    "classifier": (FlatMLPClassifier(**SMALL), NETWORK | OF_CLASSES),
    "regressor": (
        FlatMLPRegressor(**SMALL),
        NETWORK | {"loss": ["squared_error", "poisson"]},
    ),
    "perceptron": (
        FlatPerceptronClassifier(max_iter=20, random_state=0),
        THRESHOLD | {"solver": ["auto", *sorted(BINARY_SOLVERS)], "margin": MARGIN},
    ),
    "committee": (
        FlatCommitteeClassifier(max_iter=5, random_state=0),
        THRESHOLD
        | {
            "solver": ["focusing_bp", "replicated_sgd"],
            "n_units": [3, 1, 5, 2],
            "structure": ["full", "tree"],
        },
    ),
    "spherical": (
        FlatSphericalPerceptronClassifier(max_iter=3, random_state=0),
        THRESHOLD
        | {
            "solver": ["max_margin", *sorted(SOLVERS)],
            "margin": MARGIN,
            "gain": [5.0, 1e-300, 1e10, 1e300],
        }
        | {name: TRAINING[name] for name in ("rho", "learning_rate_init", "batch_size", "tol")},
    ),
    "factorization": (
        FlatMatrixFactorization(max_iter=3, random_state=0),
        TRAINING | MEASURING | OF_MATRICES,
    ),
    "imputer": (
        FlatMatrixImputer(max_iter=3, random_state=0),
        OF_MATRICES
        | {
            "rho": TRAINING["rho"],
            "tol": TRAINING["tol"],
            "add_indicator": [False, True],
            "keep_empty_features": [False, True],
        },
    ),
    "classifier search": (
        FlatMLPClassifierCV(**SMALL | SEARCH),
        {name: NETWORK[name] for name in ("activation", "learning_rate_init", "early_stopping")}
        | OF_CLASSES
        | {"select": ["best", "flattest_within_one_se"], "rhos": [3, [0.05], SIZES]},
    ),
    "regressor search": (
        FlatMLPRegressorCV(**SMALL | SEARCH),
        {"loss": ["squared_error", "poisson"], "solver": sorted(SOLVERS), "rhos": [3, SIZES]},
    ),
}

# Data

SCALES = [1.0, 1e-320, 1e-160, 1e-30, 1e10, 1e20, 1e38, 1e155, 1e300]
FEATURES = {
    "plain": lambda X, rng: X,
    "constant": lambda X, rng: np.ones_like(X),
    "zeros": lambda X, rng: np.zeros_like(X),
    "one constant": lambda X, rng: np.column_stack([np.full(len(X), 7.0), X[:, 1:]]),
    "the same columns": lambda X, rng: np.repeat(X[:, :1], X.shape[1], axis=1),
    "the same rows": lambda X, rng: X[rng.integers(min(2, len(X)), size=len(X))],
    "far away": lambda X, rng: X + 1e8,
    "one huge": lambda X, rng: X * np.where(np.arange(X.shape[1]) == 0, 1e30, 1.0),
    "one tiny": lambda X, rng: X * np.where(np.arange(X.shape[1]) == 0, 1e-200, 1.0),
    "an outlier": lambda X, rng: X * np.where(np.arange(len(X)) == 0, 1e12, 1.0)[:, None],
    "whole numbers": lambda X, rng: np.round(3 * X),
    "missing": lambda X, rng: np.where(rng.random(X.shape) < 0.3, np.nan, X),
    "infinite": lambda X, rng: np.where(rng.random(X.shape) < 0.1, np.inf, X),
    "counts": lambda X, rng: rng.integers(3, size=X.shape).astype(float),
}
CONTAINERS = {
    "float64": lambda X: X,
    "float32": lambda X: X.astype(np.float32),
    "float16": lambda X: X.astype(np.float16),
    "integers": lambda X: np.nan_to_num(np.clip(X, -1e9, 1e9)).astype(int),
    "booleans": lambda X: X > 0,
    "objects": lambda X: X.astype(object),
    "text": lambda X: X.astype(str),
    "frame": lambda X: pd.DataFrame(X, columns=[f"x{k}" for k in range(X.shape[1])]),
    "sparse": sparse.csr_array,
    "sparse columns": sparse.csc_matrix,
    "by columns": np.asfortranarray,
    "list": lambda X: X.tolist(),
}
LABELS = {
    "numbers": lambda y: y,
    "text": lambda y: np.array(["no", "yes", "perhaps"] + [f"c{k}" for k in range(40)])[y],
    "objects": lambda y: np.array([f"c{k}" for k in range(43)], object)[y],
    "booleans": lambda y: y > 0,
    "floats": lambda y: y.astype(float),
    "far apart": lambda y: y * 10**9 - 5,
    "one class": lambda y: np.zeros_like(y),
    "a column": lambda y: y[:, None],
    "labels": lambda y: np.column_stack([y > 0, y % 2 == 0]).astype(int),
    "fractions": lambda y: y + 0.5,
    "mixed": lambda y: np.array([k if k else "zero" for k in y.tolist()], object),
}
TARGETS = {
    "plain": lambda y: y,
    "constant": lambda y: np.ones_like(y),
    "zeros": lambda y: np.zeros_like(y),
    "counts": lambda y: np.round(np.abs(y)),
    "pairs": lambda y: np.column_stack([y, np.abs(y)]),
    "float32": lambda y: y.astype(np.float32),
    "missing": lambda y: np.where(y > 1, np.nan, y),
    "far away": lambda y: y + 1e12,
    "text": lambda y: y.astype(str),
    "whole numbers": lambda y: np.round(3 * y).astype(int),
}
WEIGHTS = {
    "one": lambda n, rng: np.ones(n),
    "some": lambda n, rng: rng.random(n),
    "none but one": lambda n, rng: (np.arange(n) == 0).astype(float),
    "zeros": lambda n, rng: np.zeros(n),
    "few": lambda n, rng: (rng.random(n) < 0.3).astype(float),
    "tiny": lambda n, rng: np.full(n, 1e-300),
    "huge": lambda n, rng: 1e300 * rng.random(n),
    "uneven": lambda n, rng: 10.0 ** rng.uniform(-200, 200, n),
    "negative": lambda n, rng: -np.ones(n),
    "missing": lambda n, rng: np.full(n, np.nan),
}


@st.composite
def cases(draw, kind):
    """An estimator and what to fit it to: ``(estimator, X, y, weight)``."""
    estimator, values = KINDS[kind]
    names = draw(st.lists(st.sampled_from(sorted(values)), max_size=4, unique=True))
    params = {name: draw(st.sampled_from(values[name])) for name in names}
    if "measures" in params and draw(st.booleans()):
        params["measures"] = tuple(draw(MEASURED))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    n_rows, n_columns = draw(st.sampled_from([20, 1, 2, 3, 5, 40])), draw(st.integers(1, 6))
    X = FEATURES[draw(st.sampled_from(sorted(FEATURES)))](rng.normal(size=(n_rows, n_columns)), rng)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scale = draw(st.one_of(st.just(1.0), st.sampled_from(SCALES)))
        container = draw(st.one_of(st.just("float64"), st.sampled_from(sorted(CONTAINERS))))
        X = CONTAINERS[container](X * scale)
        weight = draw(st.one_of(st.none(), st.sampled_from(sorted(WEIGHTS))))
        weight = None if weight is None else WEIGHTS[weight](n_rows, rng)
        y = _targets(draw, kind, n_rows, rng)
    return clone(estimator).set_params(**params), _cells(kind, X, rng), y, weight


def _targets(draw, kind, n_rows, rng):
    if kind == "imputer":
        return None
    if "regressor" in kind or kind == "factorization":
        scale = draw(st.one_of(st.just(1.0), st.sampled_from(SCALES)))
        change = TARGETS[draw(st.sampled_from(sorted(TARGETS)))]
        return change(rng.normal(size=n_rows) * scale)
    n_classes = draw(st.sampled_from([2, 3] if kind == "committee" else [2, 3, 40]))
    return LABELS[draw(st.sampled_from(sorted(LABELS)))](rng.integers(n_classes, size=n_rows))


def _cells(kind, X, rng):
    """A factorization sees identifiers in the place of two columns, where there are as many."""
    if kind == "factorization" and isinstance(X, np.ndarray) and X.shape[1] > 2:
        return rng.integers(6, size=(len(X), 2))
    return X


# The oracle

#: Words of scikit-learn and NumPy for data and parameters that they refuse.
WORDS = [
    r"contains NaN|contains infinity|value too large for dtype",
    r"Unknown label type|Input should be|Unsupported|not compatible with",
    r"inconsistent numbers of samples|Found array with|minimum of \d+ is required",
    r"could not convert|should be a 1d array|Expected 2D array|Complex data|dtype=",
    r"number of classes|least populated class|greater than one|one class|classes",
    r"non-finite parameter weights|y contains|y must|y should|X must|X has|Some value\(s\) of y",
    r"[Nn]egative values|non-zero number|Sample weights|sample_weight|Sparse|sparse",
    r"test_size|train_size|validation|n_splits|resulting train set",
    r"Identifiers as large as|is not finite as|entries of X are missing",
    r"needs a .*, and this \w+ has none",  # a solver of networks on another model
]


def is_clear(error, estimator):
    """Whether an error names a parameter, or says what scikit-learn says."""
    text = str(error)
    names = any(re.search(rf"\b{name}\b", text) for name in estimator.get_params())
    return isinstance(error, (ValueError, TypeError)) and (
        names or any(re.search(words, text) for words in WORDS)
    )


@contextmanager
def watched(estimator):
    """Warnings are recorded; errors must be clear, and end the example as they may."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield caught
    numeric = [
        str(each.message)
        for each in caught
        # The checks of scikit-learn warn of infinities of both signs before they refuse them.
        if each.category is RuntimeWarning and not each.filename.endswith("fromnumeric.py")
    ]
    assert not numeric, f"NumPy warns: {numeric}"


def fitted_or_error(estimator, X, y, weight):
    """The fitted estimator or a clear error, and the warnings."""
    more = {} if weight is None or not _takes_weight(estimator) else {"sample_weight": weight}
    with watched(estimator) as caught:
        try:
            found = estimator.fit(X, y, **more)
        except (ValueError, TypeError) as error:
            if not is_clear(error, estimator):
                raise
            found = error
    return found, [str(each.message) for each in caught if each.category is UserWarning]


def _takes_weight(estimator):
    return "sample_weight" in estimator.fit.__code__.co_varnames or (
        hasattr(estimator.fit, "__wrapped__")
        and "sample_weight" in estimator.fit.__wrapped__.__code__.co_varnames
    )


def copied(data):
    return data.copy() if hasattr(data, "copy") else data


def same(a, b):
    if a is None or b is None:
        return a is b
    if sparse.issparse(a):
        return all(
            np.array_equal(getattr(a, name), getattr(b, name), equal_nan=True)
            for name in ("data", "indices", "indptr")
        )
    return pd.DataFrame(a).equals(pd.DataFrame(b))


def arrays_of(estimator):
    """Fitted arrays of numbers by name, lists of them included."""
    for name, value in vars(estimator).items():
        if name.endswith("_") and not name.startswith("_") and name not in NOT_FINITE:
            parts = value if isinstance(value, list) else [value]
            for k, part in enumerate(parts):
                if isinstance(part, np.ndarray) and part.dtype.kind == "f":
                    yield f"{name}[{k}]", part


#: What may be infinite or missing: what was measured, and records of training.
NOT_FINITE = {
    "loss_curve_",
    "validation_scores_",
    "validation_loss_curve_",
    "statistics_",
    *(f"{name}_" for name in MEASURES),
}


def check_predictions(estimator, X):
    if is_classifier(estimator):
        labels = estimator.predict(X)
        if labels.ndim == 1:
            assert np.isin(labels, estimator.classes_).all()
        if hasattr(estimator, "predict_proba"):
            shares = estimator.predict_proba(X)
            assert ((shares >= 0) & (shares <= 1)).all()
            if labels.ndim == 1:
                np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-5)
    elif hasattr(estimator, "predict"):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            P = estimator.predict(X)
        told = any("are not finite: they overflow" in str(each.message) for each in caught)
        assert np.isfinite(P).all() or told
        assert not any(each.category is RuntimeWarning for each in caught)
    else:
        assert np.isfinite(estimator.transform(X)).all()


def check_measured(estimator, told):
    for name, found in getattr(estimator, "measurements_", {}).items():
        value = np.asarray(found.value)
        assert np.isfinite(value).all() or told, f"{name} is {value} without a word"
        if name == "weakness" and np.isfinite(value).all():
            assert 0 <= value <= 1
        if name == "flatness" and np.isfinite(value).all():
            assert value >= 0


def check(case):
    estimator, X, y, weight = case
    before, params = [copied(each) for each in (X, y, weight)], repr(estimator.get_params())
    found, told = fitted_or_error(estimator, X, y, weight)
    assert all(map(same, (X, y, weight), before)), "data were changed"
    assert repr(estimator.get_params()) == params, "parameters were changed"
    again, _ = fitted_or_error(clone(estimator), X, y, weight)
    assert type(again) is type(found)
    if isinstance(found, Exception):
        assert str(found) == str(again)
        return
    for (name, part), (_, other) in zip(arrays_of(found), arrays_of(again), strict=True):
        assert np.isfinite(part).all(), f"{name} is not finite"
        assert_array_equal(part, other, err_msg=name)
    with watched(found):
        try:
            check_predictions(found, X)
        except ValueError as error:  # numbers as text are taken by fit alone, as in scikit-learn
            if "bytes/strings" not in str(error):
                raise
    check_measured(found, told)


@pytest.mark.parametrize("kind", KINDS)
def test_finite_and_in_range_or_a_clear_word(kind):
    n_examples = -(-(N_EXAMPLES or 200) // len(KINDS))

    @settings(
        max_examples=n_examples,
        derandomize=not N_EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases(kind))
    def each(case):
        check(case)

    each()
