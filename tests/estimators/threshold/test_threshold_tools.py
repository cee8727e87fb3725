"""Threshold units in the tools of scikit-learn: copies, files, searches, callbacks."""

import gc
import pickle
import weakref

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from progress import Progress
from sklearn.base import clone
from sklearn.ensemble import AdaBoostClassifier, VotingClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from units import CANCER, ESTIMATORS, IRIS, MALIGNANT, SMALL, SPECIES, each_estimator, short

from skflat import (
    FlatPerceptronClassifier,
)
from skflat._callbacks import HAS_CALLBACKS
from skflat.solvers.binary import SBPI


@short
@each_estimator
def test_a_copy_predicts_the_same(name):
    clf = clone(ESTIMATORS[name]).fit(CANCER, MALIGNANT)
    twin = pickle.loads(pickle.dumps(clf))
    assert_array_equal(twin.decision_function(CANCER), clf.decision_function(CANCER))
    assert twin.flatness_ == clf.flatness_


@short
@pytest.mark.parametrize("name", ["binary", "committee", "tree"])
@pytest.mark.parametrize("dtype", [np.float32, float])
def test_a_weight_takes_one_bit_on_disk(name, dtype):
    clf = clone(ESTIMATORS[name]).set_params(measures=None).fit(CANCER.astype(dtype), MALIGNANT)
    state, size = clf.__getstate__(), clf.weights_.size
    assert state["weights_"]["bits"].nbytes == clf.packed().nbytes == -(-size // 8)
    assert not state.keys() & {"coef_", "intercept_"}
    bits = np.unpackbits(clf.packed(), count=size)
    assert_array_equal(2.0 * bits - 1, clf.weights_.ravel())
    twin = pickle.loads(pickle.dumps(clf))
    for attribute, value in vars(clf).items():
        if isinstance(value, np.ndarray):
            assert_array_equal(getattr(twin, attribute), value, strict=True)


@short
def test_a_model_on_disk_is_little_more_than_its_scale():
    """The scale of a feature takes 128 times as many bits as its weight."""
    clf = clone(ESTIMATORS["binary"]).set_params(measures=None)
    wide, small = (np.tile(CANCER, (1, k)) for k in (20, 1))
    sizes = [len(pickle.dumps(clf.fit(X, MALIGNANT))) for X in (wide, small)]
    n_more = wide.shape[1] - small.shape[1]
    assert sizes[0] - sizes[1] == pytest.approx(n_more * (2 * 8 + 1 / 8), rel=0.02)


@short
@each_estimator
def test_nothing_refers_to_the_training_data(name):
    X = CANCER.copy()
    seen, clf = weakref.ref(X), clone(ESTIMATORS[name]).fit(X, MALIGNANT)
    kept = X.copy()
    assert_array_equal(X, kept)
    del X
    gc.collect()
    assert seen() is None
    assert len(pickle.dumps(clf)) < CANCER.nbytes / 4


@short
@each_estimator
def test_fitting_writes_to_nothing_it_is_given(name):
    X, y = CANCER.copy(), MALIGNANT.copy()
    X.flags.writeable = y.flags.writeable = False
    clone(ESTIMATORS[name]).fit(X, y).predict(X)
    assert_array_equal(X, CANCER)


@short
def test_a_grid_reaches_into_a_binary_solver():
    grid = {"flatperceptronclassifier__solver__threshold": [0.0, 0.3]}
    pipe = make_pipeline(
        StandardScaler(), FlatPerceptronClassifier(solver=SBPI(), scale=False, **SMALL)
    )
    search = GridSearchCV(pipe, grid, cv=2).fit(CANCER, MALIGNANT)
    assert search.best_score_ > 0.9
    assert len(set(search.cv_results_["mean_test_score"])) == 2


@short
def test_names_of_columns_are_kept():
    frame = pd.DataFrame(IRIS, columns=list("abcd"))
    clf = FlatPerceptronClassifier(**SMALL).fit(frame, SPECIES)
    assert clf.feature_names_in_.tolist() == list("abcd")
    assert_array_equal(
        clf.predict(frame), FlatPerceptronClassifier(**SMALL).fit(IRIS, SPECIES).predict(IRIS)
    )


@short
@pytest.mark.parametrize("name", ["binary", "committee"])
def test_any_number_of_workers_gives_the_same_bits(name):
    one, two = (
        clone(ESTIMATORS[name]).set_params(n_jobs=n_jobs).fit(IRIS, SPECIES) for n_jobs in (1, 2)
    )
    assert_array_equal(one.weights_, two.weights_)
    assert one.sharpness_ == two.sharpness_


@short
@each_estimator
def test_ensembles_take_them(name):
    clf = clone(ESTIMATORS[name]).set_params(measures=None)
    boosted = AdaBoostClassifier(clf, n_estimators=2, random_state=0).fit(CANCER, MALIGNANT)
    assert boosted.score(CANCER, MALIGNANT) > 0.85
    vote = VotingClassifier([("a", clf), ("b", clf)], voting="soft").fit(CANCER, MALIGNANT)
    assert_array_equal(vote.predict(CANCER), clf.fit(CANCER, MALIGNANT).predict(CANCER))


@short
@pytest.mark.skipif(not HAS_CALLBACKS, reason="callbacks came with scikit-learn 1.9")
@pytest.mark.parametrize("name", ["binary", "committee"])
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_callbacks_see_problems_and_iterations(name, n_jobs):
    progress = Progress()
    clf = clone(ESTIMATORS[name]).set_params(measures=None, n_jobs=n_jobs)
    clf.set_callbacks(progress).fit(IRIS, SPECIES)
    assert progress.ended.count("problem") == 3
    assert progress.ended[-1] == "fit"
    assert ("iteration" in progress.ended) == (n_jobs == 1)
    assert pickle.loads(pickle.dumps(clf.set_callbacks())).n_errors_ == clf.n_errors_


@short
@pytest.mark.skipif(not HAS_CALLBACKS, reason="callbacks came with scikit-learn 1.9")
def test_a_callback_stops_a_search():
    clf = FlatPerceptronClassifier("sbpi", max_iter=50, measures=None, random_state=0)
    assert clf.set_callbacks(Progress(stop_after=4)).fit(CANCER, MALIGNANT).n_iter_ == 4
