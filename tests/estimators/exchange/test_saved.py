"""Saved estimators: arrays and builtins, public names, and the version of the package."""

import copy
import io
import pickle
import warnings

import autograd.numpy as anp
import cloudpickle
import joblib
import numpy as np
import pytest
from fitted import IRIS, LENGTHS, SPECIES
from numpy.testing import assert_array_equal
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skflat
from skflat import (
    FlatCommitteeClassifier,
    FlatFunctionRegressor,
    FlatMatrixFactorization,
    FlatMatrixImputer,
    FlatMLPClassifier,
    FlatMLPClassifierCV,
    FlatMLPEnsembleClassifier,
    FlatMLPRegressor,
    FlatPerceptronClassifier,
    FlatSphericalPerceptronClassifier,
    LaplaceRegressor,
    laplace,
    trusted_types,
)
from skflat.measures import LocalEnergy, Measurement
from skflat.solvers import SAM, SOLVERS, Chain

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SHORT = {"hidden_layer_sizes": (3,), "max_iter": 2, "random_state": 0}
PIPE = make_pipeline(StandardScaler(), FlatMLPClassifier(**SHORT))
HOLES = np.where(np.arange(IRIS.size).reshape(IRIS.shape) % 7 == 3, np.nan, IRIS)
FITS = {
    "classifier": lambda: FlatMLPClassifier(**SHORT).fit(IRIS, SPECIES),
    "regressor": lambda: FlatMLPRegressor(**SHORT).fit(IRIS, LENGTHS),
    "search": lambda: FlatMLPClassifierCV(rhos=2, alphas=[0.1], cv=2, **SHORT).fit(IRIS, SPECIES),
    "object": lambda: FlatMLPClassifier(solver=Chain(SAM("sgd")), **SHORT).fit(IRIS, SPECIES),
    "perceptron": lambda: FlatPerceptronClassifier(random_state=0).fit(IRIS, SPECIES),
    "committee": lambda: FlatCommitteeClassifier(max_iter=3, random_state=0).fit(IRIS, SPECIES),
    "sphere": lambda: FlatSphericalPerceptronClassifier(random_state=0).fit(IRIS, SPECIES),
    "ensemble": lambda: FlatMLPEnsembleClassifier(
        FlatMLPClassifier(**SHORT), 2, n_cycles=2, cycle_length=1, random_state=0
    ).fit(IRIS, SPECIES),
    "laplace": lambda: LaplaceRegressor(FlatMLPRegressor(**SHORT)).fit(IRIS, LENGTHS),
    "pipeline": lambda: laplace(PIPE.fit(IRIS, SPECIES), IRIS, SPECIES),
    "function": lambda: FlatFunctionRegressor(max_iter=2, random_state=0).fit(IRIS, LENGTHS),
    "imputer": lambda: FlatMatrixImputer(random_state=0).fit(HOLES),
    "factorization": lambda: FlatMatrixFactorization(random_state=0).fit(HOLES),
}
each_fit = pytest.mark.parametrize("name", FITS)
each_solver = pytest.mark.parametrize("solver", [s for s in SOLVERS if SOLVERS[s].stochastic])


def output(estimator, X=IRIS):
    return estimator.predict(X) if hasattr(estimator, "predict") else estimator.transform(X)


def by_skops(estimator):
    sio = pytest.importorskip("skops.io")
    data = sio.dumps(estimator)
    assert set(sio.get_untrusted_types(data=data)) <= set(trusted_types())
    return sio.loads(data, trusted=trusted_types())


def types_in(value, found):
    if isinstance(value, dict):
        for each in value.values():
            types_in(each, found)
    elif isinstance(value, (list, tuple)):
        for each in value:
            types_in(each, found)
    else:
        found.add(value if isinstance(value, type) else type(value))
    return found


@each_fit
def test_what_is_saved_are_arrays_and_builtins(name):
    estimator = FITS[name]()
    state = estimator.__getstate__()
    fitted = {key: each for key, each in state.items() if key not in estimator.get_params()}
    for each in types_in(fitted, set()):
        assert not each.__module__.startswith(("skflat", "types")), each


@each_fit
@pytest.mark.parametrize("round_trip", [by_skops, copy.deepcopy, copy.copy])
def test_round_trips(name, round_trip):
    estimator = FITS[name]()
    X = HOLES if name == "imputer" else IRIS
    twin = round_trip(estimator)
    assert type(twin) is type(estimator)
    if name != "factorization":
        assert_array_equal(output(twin, X), output(estimator, X))
    assert vars(twin).keys() == vars(estimator).keys()
    if hasattr(estimator, "measurements_"):
        assert all(isinstance(each, Measurement) for each in twin.measurements_.values())
        one, two = (each.measurements_["flatness"] for each in (twin, estimator))
        assert (one.value, one.protocol) == (two.value, two.protocol)


@each_solver
def test_training_goes_on_from_what_was_saved(solver):
    rng = np.random.RandomState(0)
    few = SHORT | {"random_state": rng, "measures": None, "batch_size": 50}
    network = FlatMLPRegressor(solver=solver, **few).partial_fit(IRIS, LENGTHS)
    twin = by_skops(network.partial_fit(IRIS, LENGTHS))
    for each in (network, twin):
        each.partial_fit(IRIS, LENGTHS)
    assert_array_equal(twin.coefs_[0], network.coefs_[0])


def test_what_is_one_object_stays_one():
    network = FlatMLPClassifier(solver="chain", **SHORT).fit(IRIS, SPECIES)
    network._solver_state.memory.twice = network._solver_state.base
    state = pickle.loads(pickle.dumps(network))._solver_state
    assert state.memory.twice is state.base


def test_the_types_to_trust_are_public():
    for name in trusted_types():
        module, _, attribute = name.rpartition(".")
        assert not any(part.startswith("_") for part in name.split("."))
        assert callable(getattr(__import__(module, fromlist=[attribute]), attribute))


@pytest.mark.parametrize("module", ["os", "skflat.solvers", "skflat.nothing"])
def test_only_classes_of_the_package_are_restored(module):
    state = FITS["classifier"]().__getstate__()
    state["_history"] = {"skflat object": f"{module}:system", "attributes": {}}
    with pytest.raises((ValueError, ImportError), match=r"saved estimator names a class|nothing"):
        FlatMLPClassifier().__setstate__(state)


@each_fit
def test_another_version_warns(name, monkeypatch):
    estimator = FITS[name]()
    with monkeypatch.context() as patch:
        patch.setattr("skflat.__version__", "0.0.1")
        saved = pickle.dumps(estimator)
    with pytest.warns(InconsistentVersionWarning, match=r"from version 0\.0\.1 when using version"):
        pickle.loads(saved)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert pickle.loads(pickle.dumps(estimator)).__getstate__()["_skflat_version"] == (
            skflat.__version__
        )


@pytest.mark.parametrize("dump", [pickle.dump, joblib.dump, cloudpickle.dump])
@pytest.mark.parametrize("activation", [anp.tanh, anp.sinc])
def test_a_function_of_autograd_is_saved_by_its_name(dump, activation):
    network = FlatMLPRegressor(activation=activation, **SHORT).fit(IRIS, LENGTHS)
    file = io.BytesIO()
    dump(network, file)
    file.seek(0)
    twin = joblib.load(file) if dump is joblib.dump else pickle.load(file)
    assert twin.activation is activation
    assert_array_equal(twin.partial_fit(IRIS, LENGTHS).coefs_[0] * 0, 0 * network.coefs_[0])


@pytest.mark.slow
def test_a_function_of_autograd_reaches_another_process():
    grid = {"activation": [anp.tanh, anp.arctan]}
    search = GridSearchCV(FlatMLPRegressor(activation=anp.tanh, **SHORT), grid, cv=2, n_jobs=2)
    assert np.isfinite(search.fit(IRIS, LENGTHS).cv_results_["mean_test_score"]).all()


@pytest.mark.parametrize("found", [FlatMLPClassifier(), FlatMatrixImputer(), SAM(), LocalEnergy()])
def test_pictures_link_to_the_reference_where_there_is_one(found, monkeypatch):
    monkeypatch.delenv("SKFLAT_DOCS", raising=False)
    assert found._get_doc_link() == ""
    monkeypatch.setenv("SKFLAT_DOCS", "/site/")
    page = f"/site/api/generated/{type(found).__module__}.{type(found).__name__}.html"
    assert found._get_doc_link() == page
    assert page in found._repr_html_()
