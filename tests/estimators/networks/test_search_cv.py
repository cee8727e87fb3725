"""The searches over radius and penalty train nothing twice and find a good setting."""

import copy
import pickle
import warnings

import matplotlib
import numpy as np
import pytest
from joblib import parallel_config
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris, make_multilabel_classification
from sklearn.exceptions import ConvergenceWarning, FitFailedWarning
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale
from turns import in_turn

from skflat import (
    FlatMLPClassifier,
    FlatMLPClassifierCV,
    FlatMLPRegressor,
    FlatMLPRegressorCV,
)
from skflat._callbacks import HAS_CALLBACKS
from skflat.displays import RhoPathDisplay
from skflat.estimators.networks._halving import (
    cost,
    default_budget,
    follower,
    halve,
    plan,
    survivors,
)
from skflat.model_selection import flattest_within_one_se
from skflat.solvers import SOLVERS, Chain

matplotlib.use("Agg")
# The fits are short on purpose; dask tells of its own deprecations.
pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:distributed"),
    pytest.mark.filterwarnings("ignore:`apply_async` is deprecated:DeprecationWarning"),
]

X, Y = load_iris(return_X_y=True)
X = scale(X)
RANDOM = np.random.RandomState(0).permutation(len(Y))
X, Y = X[RANDOM], Y[RANDOM]
WEIGHT = np.random.RandomState(1).randint(1, 3, len(Y)).astype(float)
NET = {"hidden_layer_sizes": (6,), "max_iter": 24, "learning_rate_init": 0.02, "random_state": 0}
FEW = {"rhos": [0.0, 0.05, 0.2], "alphas": [1e-4, 1.0], "cv": 3, "measures": None, **NET}
SEARCHES = {FlatMLPClassifierCV: FlatMLPClassifier, FlatMLPRegressorCV: FlatMLPRegressor}
STOCHASTIC = [name for name, solver in SOLVERS.items() if solver.stochastic]
each_search = pytest.mark.parametrize("search", SEARCHES)


def weights_of(estimator):
    return np.concatenate([array.ravel() for array in estimator.coefs_ + estimator.intercepts_])


def assert_same_search(one, two):
    assert one.cv_results_.keys() == two.cv_results_.keys()
    for key, column in one.cv_results_.items():
        assert_array_equal(column, two.cv_results_[key], err_msg=key)
    assert_array_equal(weights_of(one), weights_of(two))
    assert one.n_grad_evals_ == two.n_grad_evals_


# Training that is halted


@pytest.mark.parametrize(
    ("solver", "network", "early_stopping"),
    in_turn(2, STOCHASTIC, SEARCHES.values(), [False, True]),
)
def test_a_fit_in_parts_is_a_fit_in_one(network, solver, early_stopping):
    few = {"batch_size": 20, "n_iter_no_change": 4, "max_iter": 14, "measures": None}
    setting = {**NET, **few, "solver": solver, "early_stopping": early_stopping}
    whole, parts = network(**setting).fit(X, Y), network(**setting)
    for until in (3, 4, 9, 14):
        if until == 3 or parts._halted is not None:
            parts = pickle.loads(pickle.dumps(parts))._fit_until(until, X, Y)
    assert parts._halted is None
    assert parts.n_iter_ == whole.n_iter_
    assert parts.loss_curve_ == whole.loss_curve_
    assert_allclose(parts.n_grad_evals_, whole.n_grad_evals_)
    assert_array_equal(weights_of(parts), weights_of(whole))


@pytest.mark.parametrize("learning_rate", ["adaptive", "invscaling", "cosine"])
def test_a_schedule_goes_on_where_it_was(learning_rate):
    setting = {**NET, "solver": "sgd", "learning_rate": learning_rate, "measures": None}
    whole, parts = FlatMLPClassifier(**setting).fit(X, Y), FlatMLPClassifier(**setting)
    for until in (5, 24):
        parts._fit_until(until, X, Y)
    assert_array_equal(weights_of(parts), weights_of(whole))


# The plan


@pytest.mark.parametrize("n_settings", [5, 8, 12, 24, 40, 100])
def test_the_default_budget_is_kept(n_settings):
    budget = default_budget(n_settings)
    planned = plan(n_settings, budget)
    assert cost(n_settings, *planned) <= budget
    assert planned[1] >= 1
    if n_settings == 24:
        assert budget <= 6


def test_a_budget_for_all_trains_all():
    assert plan(5, 5) is None


def test_too_small_a_budget_is_refused_with_the_least_that_suffices():
    with pytest.raises(ValueError, match="budget=2 full fits do not suffice for 24 settings"):
        FlatMLPClassifierCV(budget=2, measures=None, **NET).fit(X, Y)


class Recorder:
    """Trials whose scores at the end are given; at first a larger radius scores worse."""

    def __init__(self, ends):
        self.ends, n = np.asarray(ends, float), len(ends)
        self.scores, self.epochs = np.full((n, 3), np.nan), np.zeros(n, int)

    def train(self, settings, until=None):
        for i in settings:
            self.epochs[i] = 96 if until is None else until
            early = -0.1 * i if until else 0.0
            self.scores[i] = self.ends[i] + early + [-0.01, 0.0, 0.01]

    def running(self, settings):
        return [i for i in settings if self.epochs[i] < 96]

    def length_of(self, setting):
        return 96


def test_what_learns_slowly_is_not_left_behind():
    """The settings that are last at every rung are not compared with those that are first."""
    trials = Recorder(np.linspace(0, 0.1, 24))
    halve(trials, shape=(8, 3), budget=6)
    assert sorted(set(trials.epochs)) == [4, 12, 96]
    ended = np.flatnonzero(trials.epochs == 96)
    assert len(ended) == 4
    assert ended.min() < 8
    assert ended.max() >= 12


def test_a_group_keeps_the_flattest_that_is_not_behind():
    scores = np.array([[0.9, 0.8], [0.8, 0.9], [0.5, 0.5], [0.7, 0.7], [0.7, 0.7], [0.1, 0.1]])
    assert survivors(scores, range(6), 2) == [1, 4]
    assert survivors(scores[:, :1], range(6), 3) == [0, 3, 4]


def test_a_neighbour_of_the_best_follows():
    scores = np.array([0.5, 0.9, 0.1, 0.2, 0.3, 0.4, np.nan, 0.0, 0.0])[:, np.newaxis]
    assert follower(scores, [0, 2, 4, 6, 7, 8], (3, 3)) == [4]
    assert follower(scores, [0, 2, 6, 7, 8], (3, 3)) == [2]
    assert follower(scores, [6], (3, 3)) == []


def test_nobody_follows_where_it_matters_little():
    scores = np.array([[0.9, 0.7], [0.85, 0.7], [0.8, 0.8], [0.0, 0.1]])
    assert follower(scores, [3], (4, 1)) == []
    assert follower(scores[[0, 1, 3, 3]], [3], (4, 1)) == [3]


def test_what_diverged_does_not_go_on():
    scores = np.array([[np.nan, 0.9], [0.3, 0.3], [np.nan, np.nan], [np.nan, np.nan]])
    assert survivors(scores, range(4), 2) == [1]


# The search


@each_search
def test_the_full_search_is_that_of_scikit_learn(search):
    network = SEARCHES[search]
    found = search(**FEW, budget=6).fit(X, Y)
    grid = {"rho": found.rhos_, "alpha": found.alphas_}
    known = GridSearchCV(network(measures=None, **NET), grid, cv=3).fit(X, Y)
    order = [known.cv_results_["params"].index(each) for each in found.cv_results_["params"]]
    assert found.cv_results_["finished"].all()
    for key in ("mean_test_score", "std_test_score", "split2_test_score", "param_rho"):
        assert_array_equal(found.cv_results_[key], known.cv_results_[key][order])
    assert found.best_score_ == known.best_score_
    assert_array_equal(found.cv_results_["rank_test_score"].min(), 1)


@each_search
def test_halving_trains_nothing_twice_and_scores_as_the_full_search(search):
    some = {**FEW, "rhos": 5, "alphas": [1e-4, 1e-2, 1.0], "max_iter": 48, "tol": 0}
    full, halved = search(budget=15, **some).fit(X, Y), search(**some).fit(X, Y)
    ended = halved.cv_results_["finished"]
    assert 2 <= ended.sum() < 15
    for key in ("split0_test_score", "n_epochs", "n_grad_evals"):
        assert_array_equal(halved.cv_results_[key][ended], full.cv_results_[key][ended])
    assert halved.cv_results_["n_epochs"].sum() <= 4.0 * 48 + 1e-9
    assert halved.cv_results_["rank_test_score"][ended].max() <= ended.sum()
    assert ended[halved.best_index_]


@each_search
def test_it_is_the_network_with_the_setting_chosen(search):
    found = search(**FEW).fit(X, Y)
    alone = SEARCHES[search](rho=found.rho_, alpha=found.alpha_, measures=None, **NET).fit(X, Y)
    assert_array_equal(weights_of(found), weights_of(alone))
    assert_array_equal(found.predict(X), alone.predict(X))
    assert found.best_params_ == {"rho": found.rho_, "alpha": found.alpha_}
    for name in vars(alone):
        assert hasattr(found, name) or name in ("rho", "alpha"), name


@each_search
def test_all_gradients_are_counted(search):
    found = search(**FEW).fit(X, Y)
    alone = SEARCHES[search](rho=found.rho_, alpha=found.alpha_, measures=None, **NET).fit(X, Y)
    of_splits = 3 * found.cv_results_["n_grad_evals"].sum() * 100 / 150
    assert_allclose(found.n_grad_evals_, of_splits + alone.n_grad_evals_)


@pytest.mark.parametrize("seed", [None, np.random.RandomState(3)], ids=["none", "instance"])
def test_all_fits_start_alike_whatever_the_random_state(seed):
    """At radius 0 and after no time a penalty changes little: the fits share their seed."""
    some = {**FEW, "rhos": [0.0], "alphas": [0.0, 1e-12], "random_state": seed}
    found = FlatMLPRegressorCV(**some).fit(X, Y)
    assert_allclose(*found.cv_results_["mean_test_score"], rtol=1e-6)


@each_search
def test_it_measures_the_refit_and_what_was_finished(search):
    found = search(**{**FEW, "measures": ["sharpness"]}).fit(X, Y)
    alone = SEARCHES[search](
        rho=found.rho_, alpha=found.alpha_, **{**NET, "measures": ["sharpness"]}
    ).fit(X, Y)
    assert found.sharpness_ == alone.sharpness_
    ended = found.cv_results_["finished"]
    assert np.isfinite(found.cv_results_["mean_sharpness"][ended]).all()
    assert np.isnan(found.cv_results_["mean_sharpness"][~ended]).all()
    assert found.measure(X, Y).keys() == {"sharpness"}


BACKENDS = {
    "two processes": {"backend": "loky", "n_jobs": 2},
    "two threads": {"backend": "threading", "n_jobs": 2},
}


@pytest.mark.parametrize("backend", BACKENDS.values(), ids=BACKENDS)
def test_the_same_bits_for_every_backend(backend):
    some = {**FEW, "measures": ["sharpness", "weakness"], "alphas": [1e-4, 1e-2, 1.0]}
    serial = FlatMLPClassifierCV(n_jobs=1, **some).fit(X, Y, WEIGHT)
    with parallel_config(**backend):
        assert_same_search(FlatMLPClassifierCV(**some).fit(X, Y, WEIGHT), serial)


@pytest.mark.slow  # two workers take seconds to start; test_parallel.py has a cluster, too
def test_the_same_bits_on_a_cluster():
    distributed = pytest.importorskip("distributed")
    serial = FlatMLPClassifierCV(**FEW).fit(X, Y)
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=":0"
        ) as cluster,
        distributed.Client(cluster),
        parallel_config(backend="dask"),
    ):
        assert_same_search(FlatMLPClassifierCV(**FEW).fit(X, Y), serial)


def test_rows_may_be_sparse():
    sparse_fit = FlatMLPClassifierCV(**FEW).fit(sparse.csr_array(X), Y)
    dense = FlatMLPClassifierCV(**FEW).fit(X, Y)
    assert_allclose(sparse_fit.cv_results_["mean_test_score"], dense.cv_results_["mean_test_score"])


def test_labels_may_be_text():
    names = np.array(["c", "a", "b"])[Y]
    found = FlatMLPClassifierCV(class_weight="balanced", **FEW).fit(X, names)
    assert set(found.predict(X)) <= set(names)
    assert_array_equal(found.classes_, ["a", "b", "c"])


def test_there_may_be_several_labels_and_several_targets():
    several = make_multilabel_classification(120, 8, n_classes=3, random_state=0)
    found = FlatMLPClassifierCV(**FEW).fit(*several)
    assert found.predict(several[0]).shape == several[1].shape
    targets = np.column_stack([Y, X[:, 0]])
    assert FlatMLPRegressorCV(**FEW).fit(X, targets).predict(X).shape == targets.shape


@each_search
def test_rows_weigh_in_fits_and_in_scores(search):
    """A weight of 2 is a row given twice, on both sides of a split."""
    folds = np.arange(len(Y)) % 3
    twice = np.repeat(np.arange(len(Y)), WEIGHT.astype(int))
    splits = [
        [(np.flatnonzero(f != k), np.flatnonzero(f == k)) for k in range(3)]
        for f in (folds, folds[twice])
    ]
    some = {**FEW, "shuffle": False, "batch_size": 10_000, "solver": "adam", "tol": 0}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Got `batch_size` less than 1", UserWarning)
        warnings.filterwarnings("ignore", "rho=.* has no effect", UserWarning)
        weighted = search(**{**some, "cv": splits[0]}).fit(X, Y, WEIGHT)
        repeated = search(**{**some, "cv": splits[1]}).fit(X[twice], Y[twice])
    for key in ("mean_test_score", "std_test_score"):
        assert_allclose(weighted.cv_results_[key], repeated.cv_results_[key], rtol=1e-5)


def test_splits_may_keep_groups_together():
    groups = np.arange(len(Y)) // 15
    found = FlatMLPClassifierCV(**{**FEW, "cv": GroupKFold(2)}).fit(X, Y, groups=groups)
    assert found.n_splits_ == 2
    given = list(GroupKFold(2).split(X, Y, groups))
    assert_same_search(FlatMLPClassifierCV(**{**FEW, "cv": given}).fit(X, Y), found)


@pytest.mark.parametrize(
    "scoring", ["neg_log_loss", "f1_macro", lambda estimator, X, y: estimator.score(X, y)]
)
def test_scores_may_be_others(scoring):
    found = FlatMLPClassifierCV(scoring=scoring, **FEW).fit(X, Y, WEIGHT)
    assert np.isfinite(found.best_score_)
    assert (found.best_score_ < 0) == (scoring == "neg_log_loss")


def test_it_takes_part_in_pipelines_and_clones():
    found = FlatMLPClassifierCV(**FEW)
    pipe = make_pipeline(StandardScaler(), found).fit(X * 10, Y)
    assert pipe.score(X * 10, Y) > 0.8
    assert repr(clone(found)) == repr(found)
    assert not hasattr(found, "partial_fit")
    twin = pickle.loads(pickle.dumps(found))
    assert_array_equal(twin.predict(X), found.predict(X))
    assert found.set_params(select="flattest_within_one_se").get_params()["select"] != "best"


def test_a_second_search_knows_nothing_of_the_first():
    found = FlatMLPClassifierCV(**FEW).fit(X, Y)
    again = copy.deepcopy(found).fit(X, Y)
    assert_same_search(again, found)


def test_a_warm_start_is_one_of_the_refit():
    found = FlatMLPClassifierCV(warm_start=True, **{**FEW, "rhos": [0.05], "alphas": [1e-4]})
    first = len(found.fit(X, Y).loss_curve_)
    assert len(found.fit(X, Y).loss_curve_) > first
    assert found.cv_results_["n_epochs"].max() <= 24


def test_a_solver_without_radius_has_only_its_penalties():
    found = FlatMLPClassifierCV(solver="lbfgs", **{**FEW, "rhos": 8}).fit(X, Y)
    assert found.rhos_.tolist() == [0.0]
    assert found.cv_results_["finished"].all()


# The grid


def test_radii_go_by_the_data():
    few = {**FEW, "rhos": 4, "cv": 2, "max_iter": 1, "alphas": [0.0]}
    small = FlatMLPClassifierCV(**few).fit(X, Y).rhos_
    assert_allclose(small, [0, 0.0125, 0.1, 0.8])
    large = FlatMLPClassifierCV(**few).fit(100 * X, Y).rhos_
    assert_allclose(large / small.max(), np.r_[0, 1 / 64, 1 / 8, 1] * large.max() / 0.8)
    assert large.max() < small.max() / 100


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"rhos": [0.1, -1]}, r"rhos must be numbers >= 0, one at least, got \[0.1, -1\]"),
        ({"rhos": []}, "rhos must be numbers"),
        ({"rhos": ["auto"]}, "rhos must be numbers"),
        ({"alphas": [np.nan]}, "alphas must be numbers"),
        ({"rhos": 3, "solver": Chain("label_noise", "sam")}, "Give the radii as a list"),
        ({"select": "flattest"}, "The 'select' parameter"),
        ({"measures": ["flat"]}, "measures must be None or"),
    ],
)
def test_what_makes_no_sense_is_refused(bad, message):
    with pytest.raises(ValueError, match=message):
        FlatMLPClassifierCV(**{**FEW, **bad}).fit(X, Y)


def test_settings_that_diverge_have_no_score():
    wild = {**FEW, "solver": "sgd", "rhos": [0.0], "alphas": [1e-4, 1e8], "max_iter": 100}
    with pytest.warns(FitFailedWarning, match="diverged with 1 of 2 settings"):
        found = FlatMLPRegressorCV(**wild).fit(X, Y)
    assert np.isnan(found.cv_results_["mean_test_score"][1])
    assert found.alpha_ == 1e-4
    assert found.cv_results_["rank_test_score"].tolist() == [1, 2]
    with pytest.raises(ValueError, match="diverged with every setting"):
        FlatMLPRegressorCV(**{**wild, "alphas": [1e8]}).fit(X, Y)


# The choice


def results(scores, **params):
    scores = np.asarray(scores, float)
    return {
        **{f"split{k}_test_score": scores[:, k] for k in range(scores.shape[1])},
        "mean_test_score": scores.mean(axis=1),
        **{f"param_{name}": np.ma.masked_array(column) for name, column in params.items()},
    }


CLOSE = [[0.8, 1.0, 0.9], [0.8, 0.9, 0.9], [0.8, 0.9, 0.86], [0.5, 0.6, 0.7]]


@pytest.mark.parametrize("name", ["rho", "clf__rho"])
def test_the_flattest_is_the_largest_radius_within_one_standard_error(name):
    assert flattest_within_one_se(results(CLOSE, **{name: [0.0, 0.3, 0.1, 1.0]})) == 1
    assert flattest_within_one_se(results(CLOSE, **{name: [0.0, 0.1, 0.1, 1.0]})) == 1
    assert flattest_within_one_se(results(CLOSE, **{name: [0.0, 0.1, 0.3, 1.0]})) == 2


def test_without_a_radius_the_settings_are_given_in_the_order_of_flatness():
    assert flattest_within_one_se(results(CLOSE, interval=[1, 2, 3, 4])) == 2


def test_one_split_has_no_error_and_what_is_nan_does_not_count():
    assert flattest_within_one_se(results([[0.9], [0.89], [np.nan]], rho=[0.0, 1.0, 2.0])) == 0
    found = results(CLOSE, rho=[0.0, 0.1, 0.3, 1.0])
    found["finished"] = np.array([True, True, False, True])
    assert flattest_within_one_se(found) == 1


def test_a_choice_that_cannot_be_made_is_refused():
    with pytest.raises(ValueError, match="compares numbers"):
        flattest_within_one_se(results(CLOSE, rho=["auto", 0.1, 0.2, 0.3]))
    with pytest.raises(ValueError, match="No setting has a finite score"):
        flattest_within_one_se(results([[np.nan]], rho=[0.1]))
    with pytest.raises(ValueError, match="with one metric"):
        flattest_within_one_se({"mean_test_f1": [1.0]})


def test_it_refits_a_grid_search_and_the_search_selects_by_it():
    full = {**FEW, "budget": 6, "select": "flattest_within_one_se"}
    found = FlatMLPClassifierCV(**full).fit(X, Y)
    grid = {"rho": found.rhos_, "alpha": found.alphas_}
    known = GridSearchCV(
        FlatMLPClassifier(measures=None, **NET), grid, cv=3, refit=flattest_within_one_se
    ).fit(X, Y)
    assert known.best_params_["rho"] == found.rho_
    good = found.cv_results_["mean_test_score"].max() - found.best_score_
    best = found.cv_results_["mean_test_score"].argmax()
    assert good <= found.cv_results_["std_test_score"][best] / np.sqrt(2) + 1e-12


# Callbacks and pictures


@pytest.mark.skipif(not HAS_CALLBACKS, reason="scikit-learn below 1.9 has no callbacks")
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_progress_is_told_and_nested(n_jobs, capsys):
    from sklearn.callback import ProgressBar

    some = {**FEW, "max_iter": 3, "n_jobs": n_jobs}
    found = FlatMLPClassifierCV(**some).set_callbacks(ProgressBar(max_propagation_depth=None))
    assert_same_search(found.fit(X, Y), FlatMLPClassifierCV(**some).fit(X, Y))
    shown = capsys.readouterr().out
    for task in ("search", "rung", "fit-and-score", "refit"):
        assert task in shown


class Tree:
    """A callback that notes the tasks that began and ended."""

    def __init__(self):
        self.begun, self.ended = [], []

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        self.begun.append(context.task_name)

    def on_fit_task_end(self, estimator, context):
        self.ended.append(context.task_name)


@pytest.mark.skipif(not HAS_CALLBACKS, reason="scikit-learn below 1.9 has no callbacks")
def test_every_part_of_a_search_begins_and_ends():
    tree = Tree()
    FlatMLPClassifierCV(**FEW).set_callbacks(tree).fit(X, Y)
    assert sorted(tree.begun) == sorted(tree.ended)
    assert tree.begun[:2] == ["fit", "search"]
    assert tree.ended[-1] == "fit"


@pytest.mark.skipif(not HAS_CALLBACKS, reason="scikit-learn below 1.9 has no callbacks")
def test_a_monitor_sees_the_fitted_search():
    from sklearn.callback import ScoringMonitor

    monitor = ScoringMonitor(scoring="accuracy")
    found = FlatMLPClassifierCV(**FEW).set_callbacks(monitor).fit(X, Y)
    assert [row["accuracy"] for row in monitor.get_logs().data] == [found.score(X, Y)]


def test_an_interruption_ends_the_search(monkeypatch):
    def interrupted(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr("skflat.solvers._loop._epoch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        FlatMLPClassifierCV(**FEW).fit(X, Y)


@each_search
def test_a_picture_of_the_path(search):
    found = search(**{**FEW, "measures": ["sharpness", "flatness"], "alphas": [1e-4]}).fit(X, Y)
    shown = RhoPathDisplay.from_estimator(found)
    assert [axes.get_ylabel().split()[0] for axes in shown.axes_] == [
        "mean",
        "sharpness",
        "flatness",
    ]
    assert_array_equal(shown.lines_["score"].get_ydata(), found.cv_results_["mean_test_score"])
    error = found.cv_results_["std_test_score"] / np.sqrt(2)
    assert_allclose(shown.errors["score"], error)
    alone = RhoPathDisplay.from_estimator(found, what="flatness", ax=shown.axes_[0])
    assert list(alone.lines_) == ["flatness"]


def test_a_picture_tells_what_was_left_behind():
    found = FlatMLPClassifierCV(**{**FEW, "rhos": 8, "alphas": [1e-4]}).fit(X, Y)
    shown = RhoPathDisplay.from_estimator(found)
    ended = found.cv_results_["finished"]
    assert 0 < ended.sum() < 8
    assert_array_equal(shown.finished, ended)
    assert len(shown.lines_["score"].get_xdata()) == ended.sum()
    assert len(shown.axes_) == 1
    with pytest.raises(TypeError, match="got FlatMLPClassifier"):
        RhoPathDisplay.from_estimator(FlatMLPClassifier())
    with pytest.raises(ValueError, match="what must be one of"):
        shown.plot(what="weakness")


# What it is for


def test_the_search_finds_what_the_full_search_finds():
    """Within one standard error, on data where the radius and the penalty matter."""
    inputs, targets = load_diabetes(return_X_y=True)
    inputs, targets = scale(inputs)[:220], scale(targets)[:220]
    some = {**FEW, "hidden_layer_sizes": (30,), "max_iter": 60, "cv": KFold(3)}
    some |= {"rhos": 6, "alphas": [1e-4, 1e-2, 1.0]}
    found = FlatMLPRegressorCV(**some).fit(inputs, targets)
    full = FlatMLPRegressorCV(budget=18, **some).fit(inputs, targets).cv_results_
    best = full["mean_test_score"].argmax()
    error = full["std_test_score"][best] / np.sqrt(2)
    assert full["mean_test_score"][found.best_index_] >= full["mean_test_score"][best] - error


def test_the_network_chosen_warns_and_the_search_does_not():
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        FlatMLPClassifierCV(**{**FEW, "max_iter": 3}).fit(X, Y)
    assert sum(issubclass(w.category, ConvergenceWarning) for w in seen) in (1, 2)
