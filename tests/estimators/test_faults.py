"""Faults found by fuzzing and audits. Each test expects the right value or a clear error."""

import subprocess
import sys
import threading
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
from joblib import parallel_config
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from toys import quadratic

from skflat import (
    FlatCommitteeClassifier,
    FlatMatrixFactorization,
    FlatMLPClassifier,
    FlatMLPClassifierCV,
    FlatMLPRegressor,
    FlatPerceptronClassifier,
    FlatSphericalPerceptronClassifier,
)
from skflat._parallel import Shared, run, warning_filters
from skflat.estimators.networks._results import cv_results
from skflat.measures import (
    hessian_trace,
    level_set_distance,
    noise_stability,
    pac_bayes_bound,
    relative_flatness,
)
from skflat.objective import Batch, feature_sizes, target_deviations
from skflat.solvers import SAM, MaxMargin, Settings, minimize

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

rng = np.random.default_rng(3)
X = rng.normal(size=(30, 6))
Y = rng.integers(0, 2, 30)
FEW = {"max_iter": 3, "measures": None, "random_state": 0}


def test_a_distance_of_0_has_no_slope():
    params = {"scale": False, "fit_intercept": False, "random_state": 3}
    found = FlatCommitteeClassifier(5, "tree", **params).fit(X, Y).measurements_["flatness"]
    assert found.value == 0 or found.value > 0.001
    assert np.isfinite(found.value)


@pytest.mark.parametrize(
    ("rows", "labels"),
    [
        ([[1.0, 2, 3, 0], [3, 2, 2, 1], [0, 1, 0, 1]], [1, 0, 0]),
        ([[0.0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]),
        (np.ones((4, 2)), [0, 1, 1, 0]),
    ],
)
@pytest.mark.parametrize("tol", [1e-3, 10.0])
def test_without_a_best_direction_the_perceptron_keeps_its_start(rows, labels, tol):
    clf = FlatSphericalPerceptronClassifier("max_margin", tol=tol, measures=None, random_state=0)
    assert np.isfinite(clf.fit(rows, labels).coef_).all()


def test_the_largest_margin_leaves_the_global_generator_alone():
    before = np.random.mtrand._rand.get_state()[1].copy()
    FlatSphericalPerceptronClassifier("max_margin", measures=None, random_state=0).fit(X, Y)
    assert_array_equal(np.random.mtrand._rand.get_state()[1], before)


def test_the_largest_margin_needs_a_tolerance():
    with pytest.raises(ValueError, match="needs tol > 0"):
        FlatSphericalPerceptronClassifier("max_margin", tol=0, measures=None).fit(X, Y)


@pytest.mark.parametrize(
    ("dtype", "size"), [(np.float32, 1e18), (np.float32, 1e25), (float, 1e155)]
)
def test_the_trace_of_huge_features_is_not_nan(dtype, size):
    huge = X.astype(dtype)
    huge[:, 0] *= dtype(size)
    clf = FlatMLPClassifier(max_iter=3, measures=("sharpness",), random_state=0).fit(huge, Y)
    assert not np.isnan(clf.sharpness_)


@pytest.mark.parametrize("rho", [1e150, 1e200, np.inf])
@pytest.mark.parametrize("solver", ["sam", "trace", "entropy_sgd"])
def test_a_radius_that_overflows_is_refused_by_name(solver, rho):
    with pytest.raises(ValueError, match="The 'rho' parameter of FlatMLPClassifier"):
        FlatMLPClassifier(solver=solver, rho=rho, **FEW).fit(X, Y)


@pytest.mark.parametrize("size", [1e-60, 1e50, 1e300])
def test_weights_of_any_size_count_by_their_ratios(size):
    weight = rng.uniform(0.5, 1, 30)
    weight[0] = 1.0  # the largest
    nets = [
        FlatMLPClassifier(**FEW).fit(X.astype(np.float32), Y, sample_weight=each)
        for each in (weight, size * weight)
    ]
    np.testing.assert_allclose(nets[1].coefs_[0], nets[0].coefs_[0], rtol=1e-4, atol=1e-6)
    places, values = np.argwhere(np.ones((10, 5))), rng.normal(size=50).astype(np.float32)
    model = FlatMatrixFactorization(2, measures=None, random_state=0)
    assert np.isfinite(model.fit(places, values, np.full(50, size)).loss_)


def test_columns_too_small_to_be_divided_by_are_constant():
    clf = FlatPerceptronClassifier(measures=None, random_state=0).fit(X * 1e-320, Y)
    assert np.isfinite(clf.coef_).all()


@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
@pytest.mark.parametrize("target", [Y.astype(str), np.array(["a", "b"] * 15)])
def test_text_is_no_number(loss, target):
    with pytest.raises(ValueError, match="not compatible with arrays of bytes/strings"):
        FlatMLPRegressor(loss).fit(X, target)


def test_minimize_takes_the_default_radius():
    start, settings = np.array([1.0, -2.0]), {"learning_rate_init": 0.01}
    default, _ = minimize(SAM(), quadratic(4.0, 1.0), start, max_epochs=3)
    chosen, _ = minimize(SAM(), quadratic(4.0, 1.0), start, Settings(rho=0.05), max_epochs=3)
    plain, _ = minimize(SAM(), quadratic(4.0, 1.0), start, Settings(rho=0.0), max_epochs=3)
    assert_array_equal(default, chosen)
    assert not np.array_equal(default, plain)
    auto, _ = minimize(
        SAM(), quadratic(4.0, 1.0), start, Settings(rho="auto", **settings), max_epochs=3
    )
    assert np.isfinite(auto).all()


def test_a_radius_that_nobody_reads_is_told():
    with pytest.warns(UserWarning, match=r"rho=0.3 has no effect: Adam does not use it"):
        FlatMLPClassifier(solver="adam", rho=0.3, **FEW).fit(X, Y)


def test_a_solver_says_whose_the_radius_is():
    with pytest.raises(TypeError, match="SAM has no parameter rho: it is the estimator's"):
        SAM(rho=0.1)


def test_an_unknown_solver_is_answered_in_order():
    with pytest.raises(ValueError, match=r"'adam', 'asam', .* 'sam', .* 'swa', 'trace'"):
        FlatMLPClassifier(solver="smm").fit(X, Y)


def test_a_measure_by_its_functions_name_is_told_the_other():
    with pytest.raises(ValueError, match="'hessian_trace' is 'sharpness' here"):
        FlatMLPClassifier(measures=["hessian_trace"]).fit(X, Y)


def test_a_search_is_measured_through_its_best_estimator():
    pipe = make_pipeline(StandardScaler(), FlatMLPClassifier(**FEW))
    search = GridSearchCV(pipe, {"flatmlpclassifier__rho": [0.0, 0.1]}, cv=2).fit(X, Y)
    assert hessian_trace(search, X, Y).value == hessian_trace(search.best_estimator_, X, Y).value


def test_rows_that_weigh_nothing_are_not_measured():
    features, target = rng.normal(size=(600, 3)), rng.normal(size=600)
    weight = (np.arange(600) % 20 == 0).astype(float)
    net = FlatMLPRegressor(max_iter=3, measure_max_samples=50, random_state=0)
    net.fit(features, target, sample_weight=weight)
    assert net.measurements_["sharpness"].protocol["n_rows"] == 30
    assert 0 < net.flatness_ < np.inf


def test_a_level_below_what_the_loss_resolves_ends():
    clf = FlatMLPClassifier(**FEW).fit(X, Y)
    assert level_set_distance(clf, X, Y, level=1e-310).value >= 0


def test_the_number_of_outputs_must_not_change():
    net = FlatMLPRegressor(**FEW).partial_fit(X, X[:, :3])
    with pytest.raises(ValueError, match="y has 1 outputs, but FlatMLPRegressor was fitted with 3"):
        net.partial_fit(X, X[:, 0])
    net = FlatMLPRegressor(warm_start=True, **FEW).fit(X, X[:, :2])
    with pytest.raises(ValueError, match="y has 3 outputs, but FlatMLPRegressor was fitted with 2"):
        net.fit(X, X[:, :3])


def test_a_first_fit_that_fails_is_no_fit():
    clf = FlatMLPClassifier(solver="sgd", learning_rate_init=1e10, measures=None, random_state=0)
    with pytest.raises(ValueError, match="non-finite"), np.errstate(all="ignore"):
        clf.fit(1e5 * X, Y)
    with pytest.raises(NotFittedError):
        clf.predict(X)


def test_a_fit_that_fails_leaves_the_one_before():
    clf = FlatMLPClassifier(solver="sgd", measures=None, max_iter=3, random_state=0).fit(X, Y)
    before = clf.predict(X)
    clf.set_params(learning_rate_init=1e300)
    with pytest.raises(ValueError, match="non-finite"), np.errstate(all="ignore"):
        clf.fit(1e30 * X, np.where(Y, "yes", "no"))
    assert_array_equal(clf.predict(X), before)
    assert clf.classes_.tolist() == [0, 1]


def test_triples_are_no_matrix():
    """Of users, items and ratings, as other libraries take them."""
    pairs = rng.permutation(np.argwhere(np.ones((20, 30))))[:200]
    triples = np.column_stack([pairs, rng.integers(1, 6, 200)]).astype(float)
    with pytest.raises(ValueError, match=r"fit\(X\[:, :2\], X\[:, 2\]\)"):
        FlatMatrixFactorization().fit(triples)
    FlatMatrixFactorization(2, measures=None).fit(triples + 0.5)


def test_the_program_of_the_largest_margin_ends():
    """Its steps are limited, as it would take minutes at such a cost of errors."""
    few = {"max_iter": 1, "measures": None}
    clf = FlatSphericalPerceptronClassifier(MaxMargin(C=1e12), tol=1e-12, **few)
    with pytest.warns(ConvergenceWarning, match=r"Solver terminated early \(max_iter=30000\)"):
        clf.fit(X, Y)
    assert clf.n_iter_ == 30000


def test_an_interruption_of_the_largest_margin_leaves_a_classifier(monkeypatch):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(MaxMargin, "_place", interrupted)
    clf = FlatSphericalPerceptronClassifier("max_margin", measures=None, random_state=0)
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        clf.fit(X, Y)
    assert clf.predict(X).shape == (30,)


def test_overlapping_threads_put_the_filters_of_warnings_back():
    before = list(warnings.filters)
    inside, left = threading.Barrier(2), threading.Event()

    def first():
        with warning_filters({"action": "ignore", "category": ConvergenceWarning}):
            inside.wait()
        left.set()

    thread = threading.Thread(target=first)
    thread.start()
    with warning_filters({"action": "error", "message": "stop"}):
        inside.wait()
        left.wait()
        with pytest.raises(UserWarning, match="stop"):
            warnings.warn("stop", stacklevel=1)
    thread.join()
    assert warnings.filters == before


def test_overlapping_threads_put_the_threads_of_the_blas_back():
    entered = []

    class Limit:
        def __enter__(self):
            entered.append("in")

        def __exit__(self, *error):
            entered.append("out")

    shared, inside, left = Shared(Limit), threading.Barrier(2), threading.Event()

    def first():
        with shared:
            inside.wait()
        left.set()

    thread = threading.Thread(target=first)
    thread.start()
    with shared:
        inside.wait()
        left.wait()
        assert entered == ["in"]
    thread.join()
    assert entered == ["in", "out"]


def test_a_backend_without_generators_gives_the_same_bits():
    serial = FlatPerceptronClassifier("sbpi", max_iter=5, measures=None, random_state=0)
    labels = np.arange(30) % 3
    parallel = clone(serial).set_params(n_jobs=2)
    with parallel_config(backend="multiprocessing"):
        parallel.fit(X, labels)
    assert_array_equal(parallel.weights_, serial.fit(X, labels).weights_)


def test_a_task_that_the_scheduler_gave_up_is_told():
    class FutureCancelledError(Exception):
        """As dask's."""

    def lost():
        raise FutureCancelledError

    with pytest.raises(RuntimeError, match="A worker process died"):
        run(lost, [()])


def test_the_best_loss_of_a_start_that_is_a_minimum():
    net = FlatMLPRegressor(solver="lbfgs", tol=1e9, early_stopping=True, measures=None)
    assert np.isfinite(net.fit(X[:1], [0.0]).best_loss_)


def test_a_constant_unit_is_not_divided_by_its_rounding():
    net = FlatMLPRegressor(hidden_layer_sizes=(4,), activation="identity", **FEW).fit(X, X[:, 0])
    net.coefs_[0][:, 0] = 0
    net.intercepts_[0][0] = 1 / 3
    plain = relative_flatness(net, X, X[:, 0], normalize=True).value
    weighted = relative_flatness(net, X, X[:, 0], np.full(30, 0.1), normalize=True).value
    assert weighted == pytest.approx(plain, rel=1e-9)


def test_the_bound_of_huge_weights_is_infinite_and_says_no_more():
    clf = FlatMLPClassifier(**FEW).fit(X, Y)
    clf.coefs_[1] *= 1e200
    assert pac_bayes_bound(clf, X, Y, scale=1e-3).value == np.inf


@pytest.mark.parametrize("solver", ["amp", "mean_field", "ste", "replicated_sgd", "focusing_bp"])
def test_a_search_that_overflows_says_so_once(solver):
    clf = FlatPerceptronClassifier(solver, scale=False, max_iter=20, measures=None, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        clf.fit(1e200 * X, Y)
    assert np.isfinite(clf.coef_).all()


INTERRUPTED = """
import os, signal, sys, threading
import numpy as np
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skflat import FlatMLPClassifier

net = FlatMLPClassifier(max_iter=10**9, n_iter_no_change=10**9, measures=None)
pipe = make_pipeline(StandardScaler(), net)
model = pipe if sys.argv[1] == "fit" else GridSearchCV(pipe, {"flatmlpclassifier__rho": [0, 0.1]})
# A parent that runs in the background may have told its children to ignore the key.
signal.signal(signal.SIGINT, signal.default_int_handler)
threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
model.fit(np.eye(20), np.arange(20) % 2).predict(np.eye(20))
print("fitted")
"""


@pytest.mark.parametrize("what", ["fit", "search"])
def test_an_interrupt_ends_a_fit_of_its_own_and_a_whole_search(what):
    run = [sys.executable, "-c", INTERRUPTED, what]
    ended = subprocess.run(run, capture_output=True, text=True, check=False, timeout=60)
    usable = what == "fit"
    assert (ended.stdout == "fitted\n") == usable
    assert ("UserWarning: Training interrupted by user" in ended.stderr) == usable
    assert ended.stderr.rstrip().endswith("KeyboardInterrupt") != usable


@pytest.mark.parametrize("estimator", [FlatMLPClassifier, FlatPerceptronClassifier])
def test_labels_without_an_order_are_refused(estimator):
    with pytest.raises(ValueError, match=r"y must be uniformly strings or numbers.*'int', 'str'"):
        estimator(measures=None).fit(X[:3], np.array(["zero", 1, 2], object))


def test_the_radii_of_a_search_are_those_of_its_networks():
    with pytest.raises(ValueError, match="The largest that is allowed is 1e"):
        FlatMLPClassifierCV(rhos=[0.0, 1e300], solver="entropy_sgd").fit(X, Y)
    with pytest.raises(ValueError, match="The 'rho' parameter of FlatSphericalPerceptron"):
        FlatSphericalPerceptronClassifier(rho=1e200).fit(X, Y)


def test_the_level_set_is_found_in_units_far_from_1():
    pairs, values = np.argwhere(np.ones((10, 5))), rng.normal(size=50)
    far = [
        FlatMatrixFactorization(2, measures=("flatness",), random_state=0).fit(pairs, s * values)
        for s in (1e30, 1e60)
    ]
    assert np.isfinite([model.flatness_ for model in far]).all()
    assert far[1].flatness_ > 1e10 * far[0].flatness_


def test_a_distance_that_no_search_finds_is_told():
    clf = FlatSphericalPerceptronClassifier(max_iter=3, fit_intercept=False, random_state=0)
    with pytest.warns(UserWarning, match="Along no direction .* the distance is infinite"):
        clf.fit(np.ones((30, 1)), Y)
    assert clf.flatness_ == np.inf


UNEVEN = np.array([2.9e179, 5.4e-76, 2.1e-31])


def test_sizes_do_not_depend_on_rows_of_weight_0():
    weight = (np.arange(30) < 5).astype(float)
    huge = np.where(weight[:, None], X, 1e200)
    batch, same = Batch(huge, huge[:, :1], weight), Batch(X[:5], X[:5, :1])
    assert_allclose(feature_sizes(batch), feature_sizes(same), rtol=1e-14)
    assert_allclose(target_deviations(batch), target_deviations(same), rtol=1e-14)


def test_a_split_without_weight_is_refused():
    """Of one row that weighs something, either the training rows or the others have nothing."""
    shares = set()
    for row in range(30):
        with pytest.raises(ValueError, match=r"All (\w+) rows have sample_weight 0") as refused:
            FlatMLPClassifier(early_stopping=True, **FEW).fit(X, Y, np.arange(30) == row)
        shares.add(str(refused.value).split()[1])
    assert shares == {"training", "validation"}


def test_targets_that_are_equal_by_their_weights_have_a_unit():
    cells = np.array([[0, 0], [1, 1]])
    fitted = FlatMatrixFactorization(2, **FEW).fit(cells, [1.0, 0.0], [1e-160, 1e160])
    assert fitted.scale_ == 1.0
    assert np.isfinite(fitted.predict(cells)).all()


def test_a_stability_that_is_infinite_says_so():
    network = FlatPerceptronClassifier(fit_intercept=False, max_iter=20, measures=None)
    network.fit([[3.5e11], [0.8], [0.3]], [0, 1, 0], UNEVEN)
    with pytest.warns(UserWarning, match="the stability is infinite"):
        found = noise_stability(network, [[3.5e11], [0.8], [0.3]], [0, 1, 0], UNEVEN)
    assert found.value == np.inf


def test_scores_of_any_size_have_a_table():
    trials = SimpleNamespace(
        scores=np.array([[-1e200, 1e200], [0.1, 0.3]]),
        levels=np.array([0, 0]),
        has_ended=lambda i: True,
        table=lambda name: np.ones((2, 2)),
    )
    found = cv_results([{"rho": 0.0}, {"rho": 0.1}], trials, ())["std_test_score"]
    assert found[0] == np.inf
    assert found[1] == pytest.approx(0.1)
