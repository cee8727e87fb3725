"""Validation data of one's own: curves, early stopping, pipelines and grids."""

import numpy as np
import pytest
from irises import (
    HELD_OUT,
    KINDS,
    PHASED,
    SMALL,
    STOCHASTIC,
    TRAIN,
    VALID,
    X,
    Y,
    assert_same_weights,
    classifier,
    each_kind,
    each_solver,
    each_stochastic_kind,
    half_squared_error,
    regressor,
    weights_of,
)
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.datasets import load_diabetes
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler, scale

from skflat import FlatMLPClassifier
from skflat.solvers import SAM

# Short fits do not converge.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


# Validation data


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


# Partial_fit with early stopping


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


def test_weakness_probes_the_validation_rows_where_there_are_any():
    for given, source in (
        ({"validation_data": (X, Y)}, "given"),
        ({}, "convex combinations of rows"),
    ):
        clf = FlatMLPClassifier(**SMALL | {"measures": ["weakness"]}).fit(X, Y, **given)
        assert clf.measurements_["weakness"].protocol["probes"] == source
