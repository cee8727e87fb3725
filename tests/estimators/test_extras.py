"""Abilities of the networks that scikit-learn's do not have."""

import pickle
import warnings

import autograd.numpy as anp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.datasets import load_diabetes, load_iris, make_multilabel_classification
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler, scale
from sklearn.utils import compute_sample_weight

import skflat._callbacks
from skflat import FlatMLPClassifier, FlatMLPRegressor
from skflat.solvers import SAM, SOLVERS

# Short fits do not converge.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SMALL = {"hidden_layer_sizes": (6,), "learning_rate_init": 0.02, "batch_size": 30}
SHORT = {"max_iter": 6, "random_state": 0, "measures": None}
STOCHASTIC = [name for name, solver in SOLVERS.items() if solver.stochastic]
# Their phases are shares of max_iter, so that fewer epochs are not the beginning of more.
PHASED = {"chain", "replicated_sgd", "swa"}
CLASS_WEIGHT = {0: 1.0, 1: 2.5, 2: 0.3}

X, Y = load_iris(return_X_y=True)
X = scale(X)
ORDER = np.random.RandomState(0).permutation(len(Y))
X, Y = X[ORDER], Y[ORDER]
TRAIN, VALID = slice(0, 100), slice(100, None)
HELD_OUT = X[VALID], Y[VALID]

each_solver = pytest.mark.parametrize("solver", SOLVERS)
# What is around the training loop does not know the rule, so one solver of each kind shows it.
# Kinds differ in how they step and end, so a solver of a new kind joins by itself.
KINDS = {
    tuple(getattr(rule, name, None) for name in ("solve", "step", "finalize", "adopt")): solver
    for solver, rule in reversed(SOLVERS.items())
}
each_kind = pytest.mark.parametrize("solver", KINDS.values())
each_stochastic_kind = pytest.mark.parametrize(
    "solver", [solver for solver in KINDS.values() if solver in STOCHASTIC]
)
interrupted = pytest.mark.filterwarnings("ignore:Training interrupted by user:UserWarning")


def classifier(**params):
    return FlatMLPClassifier(**SMALL | SHORT | params)


def regressor(**params):
    return FlatMLPRegressor(**SMALL | SHORT | params)


def weights_of(estimator):
    return np.concatenate([array.ravel() for array in estimator.coefs_ + estimator.intercepts_])


def assert_same_weights(one, other):
    assert_array_equal(weights_of(one), weights_of(other))


def half_squared_error(reg, X, y):
    return 0.5 * np.mean((reg.predict(X) - y) ** 2)


# --- class_weight ---


@each_kind
@pytest.mark.parametrize("early_stopping", [False, True])
def test_class_weight_is_sample_weight_by_class(early_stopping, solver):
    params = {"solver": solver, "early_stopping": early_stopping}
    by_class = classifier(class_weight=CLASS_WEIGHT, **params).fit(X, Y)
    by_row = classifier(**params).fit(X, Y, [CLASS_WEIGHT[label] for label in Y])
    assert_same_weights(by_class, by_row)
    assert by_class.loss_curve_ == by_row.loss_curve_


def test_class_weight_changes_the_fit():
    weighted, plain = classifier(class_weight=CLASS_WEIGHT).fit(X, Y), classifier().fit(X, Y)
    assert not np.array_equal(weights_of(weighted), weights_of(plain))


def test_balanced_classes_weigh_the_same_in_sum():
    rows = np.r_[np.flatnonzero(Y == 0)[:10], np.flatnonzero(Y == 1)]
    by_class = classifier(class_weight="balanced").fit(X[rows], Y[rows])
    by_row = classifier().fit(X[rows], Y[rows], np.where(Y[rows] == 0, 3.0, 0.6))
    assert_same_weights(by_class, by_row)


def test_class_weight_multiplies_sample_weight():
    weight = np.linspace(0.1, 2, len(Y))
    both = classifier(class_weight=CLASS_WEIGHT).fit(X, Y, weight)
    product = weight * [CLASS_WEIGHT[label] for label in Y]
    assert_same_weights(both, classifier().fit(X, Y, product))


def test_class_weight_takes_labels_of_any_kind():
    names = np.array(["setosa", "versicolor", "virginica"])
    named = classifier(class_weight=dict(zip(names, (1.0, 2.5, 0.3), strict=True)))
    assert_same_weights(named.fit(X, names[Y]), classifier(class_weight=CLASS_WEIGHT).fit(X, Y))


def test_balanced_weights_of_a_multilabel_target_are_scikit_learns():
    features, labels = make_multilabel_classification(60, 5, n_classes=3, random_state=0)
    by_class = classifier(class_weight="balanced").fit(features, labels)
    weight = compute_sample_weight("balanced", labels)
    assert_same_weights(by_class, classifier().fit(features, labels, weight))


def test_class_weight_counts_in_partial_fit_though_a_class_is_missing():
    rows = Y != 2
    by_class, by_row = classifier(class_weight={0: 3.0, 2: 5.0}), classifier()
    weight = np.where(Y[rows] == 0, 3.0, 1.0)
    for _ in range(2):
        by_class.partial_fit(X[rows], Y[rows], classes=[0, 1, 2])
        by_row.partial_fit(X[rows], Y[rows], weight, classes=[0, 1, 2])
    assert_same_weights(by_class, by_row)


def test_balanced_classes_are_refused_in_partial_fit():
    with pytest.raises(ValueError, match="class_weight='balanced' is not supported"):
        classifier(class_weight="balanced").partial_fit(X, Y, classes=[0, 1, 2])


# --- validation data ---


@each_solver
def test_validation_data_record_loss_and_score_of_every_epoch(solver):
    clf = classifier(solver=solver).fit(X[TRAIN], Y[TRAIN], validation_data=HELD_OUT)
    assert len(clf.validation_loss_curve_) == len(clf.validation_scores_) == clf.n_iter_ == 6
    P = clf.predict_proba(X[VALID])
    assert_allclose(clf.validation_loss_curve_[-1], log_loss(Y[VALID], P), rtol=1e-10)
    assert_allclose(clf.validation_scores_[-1], clf.score(*HELD_OUT))


@each_kind
def test_validation_data_alone_do_not_change_the_fit(solver):
    watched = classifier(solver=solver).fit(X[TRAIN], Y[TRAIN], validation_data=HELD_OUT)
    assert_same_weights(watched, classifier(solver=solver).fit(X[TRAIN], Y[TRAIN]))


@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
def test_the_validation_loss_of_a_regressor_is_its_own(loss):
    features, y = load_diabetes(return_X_y=True)
    features, y = scale(features), y / 100
    val = features[:50], y[:50]
    reg = regressor(loss=loss).fit(features[50:], y[50:], validation_data=val)
    by_hand = half_squared_error(reg, *val)
    if loss == "poisson":
        mean = reg.predict(val[0])
        by_hand = np.mean(val[1] * np.log(val[1] / mean) - val[1] + mean)
    assert_allclose(reg.validation_loss_curve_[-1], by_hand, rtol=1e-10)
    assert_allclose(reg.validation_scores_[-1], reg.score(*val), rtol=1e-10)


def test_two_arguments_are_the_same_as_one():
    one = classifier().fit(X[TRAIN], Y[TRAIN], validation_data=HELD_OUT)
    two = classifier().fit(X[TRAIN], Y[TRAIN], X_val=X[VALID], y_val=Y[VALID])
    tuples = classifier().fit(X[TRAIN], Y[TRAIN], X_val=(X[VALID],), y_val=(Y[VALID],))
    assert one.validation_loss_curve_ == two.validation_loss_curve_
    assert one.validation_loss_curve_ == tuples.validation_loss_curve_


@each_stochastic_kind
def test_early_stopping_on_validation_data_trains_on_every_row(solver):
    params = {"solver": solver, "max_iter": 15}
    stopping = classifier(early_stopping=True, **params)
    stopping.fit(X[TRAIN], Y[TRAIN], validation_data=HELD_OUT)
    assert stopping.t_ == 100 * stopping.n_iter_
    plain = classifier(**params).fit(X[TRAIN], Y[TRAIN])
    assert stopping.loss_curve_ == plain.loss_curve_[: stopping.n_iter_]


@pytest.mark.parametrize(
    "solver", [name for name in KINDS.values() if name in STOCHASTIC and name not in PHASED]
)
def test_early_stopping_keeps_the_epoch_that_scored_best(solver):
    params = {"solver": solver, "max_iter": 40, "learning_rate_init": 0.1}
    clf = classifier(early_stopping=True, tol=0, **params)
    clf.fit(X[TRAIN], Y[TRAIN], validation_data=HELD_OUT)
    best = int(np.argmax(clf.validation_scores_)) + 1
    assert best < clf.n_iter_
    assert clf.best_validation_score_ == clf.score(*HELD_OUT) == max(clf.validation_scores_)
    plain = classifier(**params | {"max_iter": best}).fit(X[TRAIN], Y[TRAIN])
    assert_same_weights(clf, plain)


def test_a_warm_start_that_does_not_score_better_keeps_the_best():
    params = {"max_iter": 40, "early_stopping": True, "warm_start": True}
    clf = classifier(**params).fit(X[TRAIN], Y[TRAIN], validation_data=HELD_OUT)
    best, score = weights_of(clf), clf.best_validation_score_
    clf.set_params(learning_rate_init=1.0).fit(X[TRAIN], Y[TRAIN], validation_data=HELD_OUT)
    assert clf.best_validation_score_ == score
    assert_array_equal(weights_of(clf), best)


def test_without_validation_there_is_no_curve():
    clf = classifier().fit(X, Y)
    assert clf.validation_loss_curve_ is None
    assert clf.validation_scores_ is None


def test_rows_set_aside_for_early_stopping_have_a_loss_curve_too():
    clf = classifier(early_stopping=True).fit(X, Y)
    assert len(clf.validation_loss_curve_) == clf.n_iter_
    assert clf.t_ == 135 * clf.n_iter_
    assert clf.validation_loss_curve_[-1] < clf.validation_loss_curve_[0]


def scaled_pipeline(**params):
    clf = classifier(**params).set_fit_request(X_val=True, y_val=True)
    steps = [("scale", StandardScaler()), ("clf", clf)]
    return Pipeline(steps, transform_input=["X_val"])


RAW = 7 * X + 3


def validation_loss_by_hand(rows, X_val, y_val):
    scaler = StandardScaler().fit(RAW[rows])
    clf = classifier().fit(scaler.transform(RAW[rows]), Y[rows])
    return log_loss(y_val, clf.predict_proba(scaler.transform(X_val)))


def validation_loss_of(estimator, X, y):
    clf = estimator[-1] if isinstance(estimator, Pipeline) else estimator
    return clf.validation_loss_curve_[-1]


def test_a_pipeline_transforms_the_validation_inputs():
    with config_context(enable_metadata_routing=True):
        pipe = scaled_pipeline()
        pipe.fit(RAW[TRAIN], Y[TRAIN], X_val=RAW[VALID], y_val=Y[VALID])
    by_hand = validation_loss_by_hand(np.arange(100), RAW[VALID], Y[VALID])
    assert_allclose(validation_loss_of(pipe, None, None), by_hand, rtol=1e-10)


def fold_losses(search, **fit_params):
    search.fit(RAW, Y, **fit_params)
    return [search.cv_results_[f"split{fold}_test_score"][0] for fold in range(3)]


def test_a_grid_does_not_slice_validation_data_as_long_as_the_training_data():
    X_val, y_val = RAW[::-1], Y[::-1]
    pipe = make_pipeline(StandardScaler(), classifier())
    search = GridSearchCV(pipe, {}, cv=KFold(3), scoring=validation_loss_of)
    losses = fold_losses(search, flatmlpclassifier__validation_data=(X_val, y_val))
    for loss, (rows, _) in zip(losses, KFold(3).split(X), strict=True):
        clf = classifier().fit(StandardScaler().fit_transform(RAW[rows]), Y[rows])
        assert_allclose(loss, log_loss(y_val, clf.predict_proba(X_val)), rtol=1e-10)


def test_tuples_of_one_pass_a_grid_whole_and_are_transformed_in_its_pipeline():
    X_val, y_val = RAW[::-1], Y[::-1]
    with config_context(enable_metadata_routing=True):
        search = GridSearchCV(scaled_pipeline(), {}, cv=KFold(3), scoring=validation_loss_of)
        losses = fold_losses(search, X_val=(X_val,), y_val=(y_val,))
    by_hand = [validation_loss_by_hand(rows, X_val, y_val) for rows, _ in KFold(3).split(X)]
    assert_allclose(losses, by_hand, rtol=1e-10)


# --- partial_fit with early stopping ---


@each_stochastic_kind
def test_partial_fit_comes_back_to_the_best_once_patience_is_exhausted(solver):
    clf = classifier(
        solver=solver, early_stopping=True, n_iter_no_change=3, learning_rate_init=0.1, tol=0.01
    )
    after_call = []
    while not after_call or clf.n_iter_no_change >= patience_spent(clf.validation_scores_, 0.01):
        clf.partial_fit(X[TRAIN], Y[TRAIN], classes=[0, 1, 2], validation_data=HELD_OUT)
        after_call.append(weights_of(clf))
        assert len(clf.validation_scores_) == len(after_call) < 100
    best = int(np.argmax(clf.validation_scores_))
    assert best < len(after_call) - 1
    assert_array_equal(after_call[-1], after_call[best])
    assert not np.array_equal(after_call[-2], after_call[best])
    assert clf.best_validation_score_ == clf.score(*HELD_OUT)


def patience_spent(scores, tol):
    """Epochs since the last that improved on the best by tol."""
    best, spent = -np.inf, 0
    for score in scores:
        spent = spent + 1 if score < best + tol else 0
        best = max(best, score)
    return spent


def test_partial_fit_sets_rows_aside_for_early_stopping():
    clf = classifier(early_stopping=True)
    for _ in range(2):
        clf.partial_fit(X, Y, classes=[0, 1, 2])
    assert clf.t_ == 2 * 135
    assert len(clf.validation_scores_) == 2


def test_partial_fit_of_a_regressor_stops_early_too():
    reg = regressor(early_stopping=True)
    for _ in range(3):
        reg.partial_fit(X[TRAIN, :3], X[TRAIN, 3], validation_data=(X[VALID, :3], X[VALID, 3]))
    assert reg.best_validation_score_ == max(reg.validation_scores_)


def test_partial_fit_measures_nothing_until_asked():
    clf = classifier(measures=["flatness"]).partial_fit(X, Y, classes=[0, 1, 2])
    assert not hasattr(clf, "flatness_")
    assert clf.measure(X, Y)["flatness"].value == clf.flatness_ > 0
    clf.partial_fit(X, Y)
    assert not hasattr(clf, "flatness_")


@pytest.mark.parametrize("first", ["lbfgs", "adam"])
@pytest.mark.parametrize("then", ["sgd", "sam", SAM(interval=2), SAM("sgd", m=10)], ids=repr)
def test_partial_fit_can_go_on_with_another_solver(first, then):
    clf = classifier(solver=first).fit(X, Y).set_params(solver=then)
    seeded = classifier(solver=then).fit(X, Y)
    seeded.coefs_, seeded.intercepts_ = clf.coefs_, clf.intercepts_
    del seeded._solver_state, seeded._rule
    assert_same_weights(clf.partial_fit(X, Y), seeded.partial_fit(X, Y))


# --- callable activations ---


@each_solver
def test_a_callable_activation_equals_the_built_in_one(solver):
    named = classifier(solver=solver, activation="tanh").fit(X, Y)
    traced = classifier(solver=solver, activation=anp.tanh).fit(X, Y)
    assert_allclose(weights_of(traced), weights_of(named), rtol=1e-10, atol=1e-10)
    assert_allclose(traced.predict_proba(X), named.predict_proba(X), rtol=1e-10)


def test_a_callable_activation_is_measured_like_the_built_in_one():
    measured = {"measures": ["sharpness", "flatness", "weakness"]}
    named = classifier(activation="tanh", **measured).fit(X, Y)
    traced = classifier(activation=anp.tanh, **measured).fit(X, Y)
    for name in ("sharpness_", "flatness_", "weakness_"):
        assert_allclose(getattr(traced, name), getattr(named, name), rtol=1e-6)


def swish(z):
    return z / (1 + anp.exp(-z))


def test_a_network_with_an_activation_of_ones_own_pickles():
    clf = classifier(activation=swish).fit(X, Y)
    twin = pickle.loads(pickle.dumps(clf))
    assert_array_equal(twin.predict_proba(X), clf.predict_proba(X))
    assert_same_weights(twin.partial_fit(X, Y), clf.partial_fit(X, Y))


def test_a_callable_activation_keeps_float32():
    clf = classifier(activation=swish).fit(X.astype(np.float32), Y)
    assert weights_of(clf).dtype == np.float32


# --- interruption ---


class InterruptedAt:
    """An activation at whose n-th evaluation on a batch somebody presses Ctrl-C."""

    def __init__(self, n):
        self.n_left = n

    def __call__(self, z):
        if z.ndim == 2:  # and not when the network asks what kind of function it is
            self.n_left -= 1
            if self.n_left == 0:
                raise KeyboardInterrupt
        return anp.tanh(z)


@each_solver
@pytest.mark.parametrize("n", [1, 2, 40])
def test_an_interrupted_fit_warns_and_leaves_a_usable_network(n, solver):
    clf = classifier(solver=solver, activation=InterruptedAt(n), max_iter=1000, tol=0)
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        clf.fit(X, Y)
    assert clf.activation.n_left == 0
    assert clf.n_iter_ == len(clf.loss_curve_) < 1000
    assert np.isfinite(clf.predict_proba(X)).all()


@interrupted
def test_an_interrupted_fit_is_measured():
    clf = classifier(activation=InterruptedAt(40), measures=["flatness"]).fit(X, Y)
    assert clf.flatness_ > 0


@interrupted
@each_stochastic_kind
def test_an_interrupted_fit_with_early_stopping_keeps_the_best_so_far(solver):
    late = InterruptedAt(1000)  # of the forward passes, of which one step of a solver takes 20
    clf = classifier(solver=solver, early_stopping=True, activation=late, tol=0)
    clf.set_params(max_iter=1000, n_iter_no_change=1000)
    clf.fit(X[TRAIN], Y[TRAIN], validation_data=HELD_OUT)
    assert clf.n_iter_ > 1
    assert clf.score(*HELD_OUT) == max(clf.validation_scores_)


@interrupted
@each_kind
def test_training_goes_on_after_an_interruption(solver):
    clf = classifier(solver=solver, activation=InterruptedAt(30), warm_start=True, max_iter=50)
    before = clf.fit(X, Y).score(X, Y)
    assert clf.fit(X, Y).score(X, Y) >= before
    assert clf.n_iter_ > 0


# --- callbacks ---


@pytest.fixture
def callback():
    return pytest.importorskip("sklearn.callback", reason="scikit-learn below 1.9 has none")


class Recorder:
    """A user's callback: notes what it is told and asks to stop after some epochs."""

    def __init__(self, stop_after=np.inf):
        self.stop_after = stop_after
        self.told, self.shown, self.most, self.n_epochs = [], [], [], 0

    def setup(self, estimator, context):
        self.told.append("setup")

    def teardown(self, estimator, context):
        self.told.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.told.append(f"begin {context.task_name}")
        self.most.append(context.max_subtasks)

    def on_fit_task_end(self, estimator, context, *, fitted_estimator):
        self.told.append(f"end {context.task_name}")
        if context.task_name == "epoch":
            self.n_epochs += 1
            self.shown.append(fitted_estimator)
        return self.n_epochs >= self.stop_after


class Interrupting(Recorder):
    """A user's callback in which somebody presses Ctrl-C."""

    def on_fit_task_end(self, estimator, context):
        if context.task_name == "epoch":
            raise KeyboardInterrupt


def epochs_of(monitor):
    return [row for row in monitor.get_logs().data if row["task_name"] == "epoch"]


@each_kind
def test_a_monitor_logs_the_score_after_every_epoch(callback, solver):
    monitor = callback.ScoringMonitor(scoring="accuracy")
    clf = classifier(solver=solver).set_callbacks(monitor).fit(X, Y)
    shorter = [
        classifier(solver=solver).set_callbacks(Recorder(stop_after=n + 1)).fit(X, Y)
        for n in range(clf.n_iter_)
    ]
    logged = [row["accuracy"] for row in epochs_of(monitor)]
    assert logged == [clf.score(X, Y) for clf in shorter]
    assert len(set(logged)) > 1


def test_a_monitor_of_a_regressor_weighs_the_rows(callback):
    weight = np.linspace(0, 2, len(Y))
    monitor = callback.ScoringMonitor(scoring="r2")
    reg = regressor().set_callbacks(monitor).fit(X[:, :3], X[:, 3], weight)
    logged = [row["r2"] for row in epochs_of(monitor)]
    assert len(logged) == reg.n_iter_
    assert_allclose(logged[-1], reg.score(X[:, :3], X[:, 3], weight), rtol=1e-12)


def test_a_monitor_sees_the_training_rows_only(callback):
    monitor = callback.ScoringMonitor(scoring="accuracy")
    clf = classifier(early_stopping=True, max_iter=1).set_callbacks(monitor).fit(X, Y)
    (row,) = epochs_of(monitor)
    n_right = np.count_nonzero(clf.predict(X) == Y)
    n_right_held_out = round(15 * clf.validation_scores_[0])
    assert row["accuracy"] == pytest.approx((n_right - n_right_held_out) / 135)


@each_kind
def test_a_callback_can_stop_training(callback, solver):
    clf = classifier(solver=solver, max_iter=50).set_callbacks(Recorder(stop_after=3))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        clf.fit(X, Y)
    assert clf.n_iter_ == len(clf.loss_curve_) == 3
    if solver not in PHASED:
        assert_same_weights(clf, classifier(solver=solver, max_iter=3).fit(X, Y))


@each_kind
def test_a_callback_is_told_of_every_epoch_in_order(callback, solver):
    recorder = Recorder()
    clf = classifier(solver=solver, max_iter=2).set_callbacks(recorder).fit(X, Y)
    assert recorder.most == [2, 0, 0]
    epoch = ["begin epoch", "end epoch"]
    assert recorder.told == ["setup", "begin fit", *epoch, *epoch, "end fit", "teardown"]
    assert_same_weights(recorder.shown[-1], clf)


def test_what_a_callback_was_shown_does_not_change_afterwards(callback):
    recorder = Recorder()
    classifier().set_callbacks(recorder).fit(X, Y)
    shorter = [classifier(max_iter=n + 1).fit(X, Y) for n in range(6)]
    for shown, clf in zip(recorder.shown, shorter, strict=True):
        assert_same_weights(shown, clf)


def test_partial_fit_is_one_epoch_to_a_callback(callback):
    recorder = Recorder()
    classifier().set_callbacks(recorder).partial_fit(X, Y, classes=[0, 1, 2]).partial_fit(X, Y)
    assert recorder.told.count("begin epoch") == recorder.told.count("end epoch") == 2
    assert recorder.told.count("setup") == recorder.told.count("teardown") == 2
    assert recorder.most == [1, 0, 1, 0]


@each_stochastic_kind
def test_a_callback_is_torn_down_where_training_diverges(callback, solver):
    recorder = Recorder()
    clf = classifier(solver=solver, learning_rate_init=1e200).set_callbacks(recorder)
    with pytest.raises(ValueError, match="learning_rate_init"):
        clf.fit(X, Y)
    assert recorder.told[-1] == "teardown"


@each_kind
def test_a_callback_can_be_where_training_is_interrupted(callback, solver):
    clf = classifier(solver=solver).set_callbacks(Interrupting())
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        clf.fit(X, Y)
    assert clf.n_iter_ == 1
    if solver not in PHASED:
        assert_same_weights(clf, classifier(solver=solver, max_iter=1).fit(X, Y))


@each_kind
def test_a_progress_bar_shows_the_fit(callback, solver, capsys):
    pytest.importorskip("rich")
    clf = classifier(solver=solver).set_callbacks(callback.ProgressBar()).fit(X, Y)
    assert "FlatMLPClassifier - fit" in capsys.readouterr().out
    assert_same_weights(clf, classifier(solver=solver).fit(X, Y))


def test_a_network_with_a_callback_pickles(callback):
    clf = classifier().set_callbacks(Recorder()).fit(X, Y)
    twin = pickle.loads(pickle.dumps(clf))
    assert accuracy_score(twin.predict(X), clf.predict(X)) == 1


@each_kind
def test_without_scikit_learns_callbacks_fitting_is_the_same(monkeypatch, solver):
    with_callbacks = classifier(solver=solver).fit(X, Y)
    monkeypatch.setattr(skflat._callbacks, "HAS_CALLBACKS", False)
    without = classifier(solver=solver).fit(X, Y)
    assert_same_weights(without, with_callbacks)


def test_without_scikit_learns_callbacks_none_is_told(monkeypatch, callback):
    monkeypatch.setattr(skflat._callbacks, "HAS_CALLBACKS", False)
    recorder = Recorder(stop_after=1)
    clf = classifier().set_callbacks(recorder).fit(X, Y)
    assert recorder.told == []
    assert clf.n_iter_ == 6


def test_weakness_probes_the_validation_rows_where_there_are_any():
    for given, source in (
        ({"validation_data": (X, Y)}, "given"),
        ({}, "convex combinations of rows"),
    ):
        clf = FlatMLPClassifier(**SMALL | {"measures": ["weakness"]}).fit(X, Y, **given)
        assert clf.measurements_["weakness"].protocol["probes"] == source
