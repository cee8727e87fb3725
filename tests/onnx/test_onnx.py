"""What ONNX's runtime predicts is what the estimators predict."""

import numpy as np
import pytest
from fitted import IRIS, LENGTHS, SPECIES, TRAITS
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skflat import (
    FlatCommitteeClassifier,
    FlatMatrixFactorization,
    FlatMLPClassifier,
    FlatMLPClassifierCV,
    FlatMLPEnsembleClassifier,
    FlatMLPEnsembleRegressor,
    FlatMLPRegressor,
    FlatPerceptronClassifier,
    FlatSphericalPerceptronClassifier,
    to_sklearn,
)
from skflat.onnx import register

skl2onnx = pytest.importorskip("skl2onnx")
onnxruntime = pytest.importorskip("onnxruntime")

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

SHORT = {"hidden_layer_sizes": (7, 5), "max_iter": 5, "measures": None, "random_state": 0}
SMALL = {"measures": None, "random_state": 0}
NAMES = np.array(["setosa", "versicolor", "virginica"])[SPECIES]
X32 = IRIS.astype(np.float32)


def run(estimator, X):
    """What the runtime returns for a converted estimator."""
    register()
    options = {"options": {"zipmap": False}} if hasattr(estimator, "classes_") else {}
    model = skl2onnx.to_onnx(estimator, X[:1], **options)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(None, {session.get_inputs()[0].name: X})


def assert_same_classes(estimator, X=X32):
    label, P = run(estimator, X)
    assert_array_equal(label, estimator.predict(X))
    assert_allclose(P, estimator.predict_proba(X), atol=1e-6)


@pytest.mark.parametrize("y", [SPECIES, NAMES, SPECIES > 0, NAMES == "setosa", TRAITS])
@pytest.mark.parametrize("X", [X32, IRIS])
def test_classes(y, X):
    assert_same_classes(FlatMLPClassifier(**SHORT).fit(X, y), X)


@pytest.mark.parametrize(
    "activation", ["identity", "logistic", "tanh", "relu", "gelu", "silu", "selu", "mish"]
)
@pytest.mark.parametrize("X", [X32, IRIS])
def test_activations(activation, X):
    reg = FlatMLPRegressor(**SHORT, activation=activation).fit(X, LENGTHS)
    (found,) = run(reg, X)
    assert found.shape == LENGTHS.shape
    assert_allclose(found, reg.predict(X), atol=1e-6)


def test_an_activation_of_ones_own_is_named():
    reg = FlatMLPRegressor(**SHORT, activation=np.sin).set_params(activation="relu")
    reg.fit(IRIS, LENGTHS).set_params(activation=np.sin)
    with pytest.raises(ValueError, match=r"activation=<ufunc 'sin'> cannot be exported"):
        run(reg, X32)


def test_counts_and_single_numbers():
    reg = FlatMLPRegressor("poisson", **SHORT).fit(X32, SPECIES)
    assert_allclose(run(reg, X32)[0][:, 0], reg.predict(X32), rtol=1e-6)
    reg = FlatMLPRegressor(**SHORT | {"hidden_layer_sizes": ()}).fit(X32, LENGTHS[:, 0])
    assert_allclose(run(reg, X32)[0][:, 0], reg.predict(X32), atol=1e-6)


def test_pipelines_and_searches():
    pipe = make_pipeline(StandardScaler(), FlatMLPClassifier(**SHORT)).fit(X32, NAMES)
    assert_same_classes(pipe)
    grid = {"flatmlpclassifier__alpha": [0.1, 1.0]}
    assert_same_classes(GridSearchCV(pipe, grid, cv=2).fit(X32, NAMES))
    few = {"rhos": 2, "alphas": [0.1], "cv": 2}
    assert_same_classes(FlatMLPClassifierCV(**SHORT, **few).fit(X32, SPECIES))


def test_ensembles():
    network = FlatMLPClassifier(**SHORT)
    assert_same_classes(FlatMLPEnsembleClassifier(network, 3, random_state=0).fit(X32, NAMES))
    assert_same_classes(FlatMLPEnsembleClassifier(network, 2, random_state=0).fit(X32, TRAITS))
    reg = FlatMLPEnsembleRegressor(FlatMLPRegressor(**SHORT), 3, random_state=0).fit(X32, LENGTHS)
    assert_allclose(run(reg, X32)[0], reg.predict(X32), atol=1e-6)


@pytest.mark.parametrize("y", [NAMES, SPECIES > 0])
@pytest.mark.parametrize(
    "estimator",
    [
        FlatPerceptronClassifier("ste", **SMALL),
        FlatSphericalPerceptronClassifier(**SMALL),
        FlatCommitteeClassifier(3, "full", max_iter=3, **SMALL),
        FlatCommitteeClassifier(3, "tree", max_iter=3, **SMALL),
    ],
)
def test_thresholds(estimator, y):
    label, scores = run(estimator.fit(X32, y), X32)
    assert_array_equal(label, estimator.predict(X32))
    expected = estimator.decision_function(X32)
    expected = np.column_stack([-expected, expected]) if expected.ndim == 1 else expected
    assert_allclose(scores, expected, atol=1e-5)


@pytest.mark.parametrize("names", [np.arange(12), np.array([f"u{k}" for k in range(12)])])
@pytest.mark.parametrize(
    "params", [{}, {"clip": (0.2, 0.8)}, {"fit_offsets": False, "n_components": 3}]
)
@pytest.mark.parametrize("n_kinds", [2, 3])
def test_factorizations(names, params, n_kinds):
    rng = np.random.default_rng(0)
    pairs = names[rng.integers(10, size=(80, n_kinds))]
    fact = FlatMatrixFactorization(**SMALL, **params).fit(pairs, rng.random(80))
    rows = names[rng.integers(12, size=(30, n_kinds))]  # two were never seen
    rows = rows.astype(np.int64) if rows.dtype.kind == "i" else rows.astype(object)
    expected = fact.predict(rows)
    assert_allclose(run(fact, rows)[0][:, 0], expected, atol=1e-6)


def test_identifiers_that_onnx_does_not_know_are_refused():
    pairs = np.indices((5, 5)).reshape(2, -1).T + 0.5
    fact = FlatMatrixFactorization(**SMALL).fit(pairs, np.arange(25.0))
    with pytest.raises(ValueError, match="must be strings or whole numbers for ONNX"):
        run(fact, pairs)


def test_without_registration_by_way_of_scikit_learn():
    pipe = make_pipeline(StandardScaler(), FlatMLPClassifier(**SHORT)).fit(X32, NAMES)
    label, P = run(to_sklearn(pipe), X32)
    assert_array_equal(label, pipe.predict(X32))
    assert_allclose(P, pipe.predict_proba(X32), atol=1e-6)
