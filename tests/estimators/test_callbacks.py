"""scikit-learn's callbacks: monitors, stops, order, and fits without them."""

import pickle
import warnings

import numpy as np
import pytest
from irises import (
    PHASED,
    X,
    Y,
    assert_same_weights,
    classifier,
    each_kind,
    each_stochastic_kind,
    regressor,
)
from numpy.testing import assert_allclose
from sklearn.metrics import accuracy_score

import skflat._callbacks

# Short fits do not converge.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


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
