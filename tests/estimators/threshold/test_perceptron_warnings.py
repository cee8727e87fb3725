"""The warnings of perceptrons and committees that have not learnt their training rows."""

import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.exceptions import ConvergenceWarning
from storage import random_patterns

from skflat import (
    FlatCommitteeClassifier,
    FlatPerceptronClassifier,
    FlatSphericalPerceptronClassifier,
)
from skflat.solvers import MaxMargin

FIT = {"measures": None, "random_state": 0}
ESTIMATORS = {
    "binary": FlatPerceptronClassifier(**FIT),
    "named": FlatPerceptronClassifier(solver="sbpi", max_iter=20, **FIT),
    "real": FlatSphericalPerceptronClassifier(**FIT),
    "max_margin": FlatSphericalPerceptronClassifier(MaxMargin(C=1.0), **FIT),
    "committee": FlatCommitteeClassifier(solver="replicated_sgd", max_iter=20, **FIT),
    "tree": FlatCommitteeClassifier(structure="tree", max_iter=20, **FIT),
}
each_estimator = pytest.mark.parametrize("name", ESTIMATORS)


def said(estimator, X, y):
    """The fitted estimator and what it warned of, but for the end of a solver's iterations."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        clf = clone(estimator).fit(X, y)
    texts = [str(each.message) for each in caught if each.category is ConvergenceWarning]
    assert all(each.filename == __file__ for each in caught if "rows" in str(each.message))
    return clf, [text for text in texts if not text.startswith("Stochastic Optimizer")]


def best_constant(y):
    return np.unique(y, return_counts=True)[1].max() / len(y)


@each_estimator
def test_what_is_learnt_passes_without_a_word(name):
    y = np.arange(30) % 2
    X = y[:, None] + 0.1 * np.random.default_rng(0).standard_normal((30, 9))
    clf, texts = said(ESTIMATORS[name], X, y)
    assert clf.n_errors_ == 0
    assert texts == []


@each_estimator
@pytest.mark.parametrize("labels", [(0, 1), ("common", "rare")])
def test_a_fit_that_predicts_one_class_only_says_so_once(name, labels):
    """Rows that are all the same allow no more."""
    y = np.array(labels)[(np.arange(60) < 6).astype(int)]
    clf, texts = said(ESTIMATORS[name], np.ones((60, 4)), y)
    predicted = np.unique(clf.predict(np.ones((60, 4))))
    assert len(predicted) == len(texts) == 1
    assert f"It predicts one class only, {predicted.tolist()[0]!r}." in texts[0]
    assert f"is no better than that of always predicting the class {labels[0]!r}, 0.9." in texts[0]
    assert "a sample of the rows in which the classes are balanced" in texts[0]


@each_estimator
def test_accuracy_that_a_constant_reaches_comes_with_a_warning(name):
    """Of random labels, on raw tables: whenever it is so, and never otherwise."""
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((300, 3)), (rng.random(300) < 0.1).astype(int)
    for scale in (True, False):
        for X, y in (load_wine(return_X_y=True), load_breast_cancer(return_X_y=True), noise):
            clf, texts = said(clone(ESTIMATORS[name]).set_params(scale=scale), X, y)
            behind = clf.score(X, y) <= best_constant(y)
            assert behind == any("no better than" in text for text in texts)
            assert len(texts) <= 1
            if behind:
                assert ("Try scale=True" in texts[0]) == (not scale)


@pytest.mark.parametrize("name", ["binary", "named", "committee"])
def test_violated_rows_are_counted(name):
    X, y = load_breast_cancer(return_X_y=True)
    clf, (text,) = said(clone(ESTIMATORS[name]).set_params(max_iter=20), X, y)
    assert f"of 569 rows, {clf.n_violated_[0]} are violated" in text
    assert f"ended after {clf.n_iter_} iterations without a solution" in text
    assert "There may be no solution" in text
    assert "no better than" not in text


def test_of_many_problems_the_worst_is_named():
    X, y = load_wine(return_X_y=True)
    clf, (text,) = said(clone(ESTIMATORS["binary"]).set_params(max_iter=20), X, y)
    worst, number = clf.n_violated_.max(), np.count_nonzero(clf.n_violated_)
    assert f"of 178 rows, up to {worst} are violated, in {number} of 3 one-vs-rest" in text


def test_rows_that_no_further_iteration_could_satisfy_pass_without_a_word():
    """The search has ended by itself, and the fit is better than a constant."""
    X, y = load_breast_cancer(return_X_y=True)
    clf, texts = said(ESTIMATORS["binary"], X, y)
    assert clf.n_violated_[0] > 0
    assert texts == []


def test_a_threshold_is_asked_for_where_there_is_none():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((200, 5)), (np.arange(200) < 10).astype(int)
    clf, (text,) = said(FlatPerceptronClassifier(fit_intercept=False, **FIT), X, y)
    assert clf.n_errors_ >= 10
    assert "Try fit_intercept=True, or FlatSphericalPerceptronClassifier, or " in text


@pytest.mark.parametrize("name", ["real", "max_margin"])
def test_real_weights_do_not_claim_a_search(name):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((200, 2)), (np.arange(200) < 10).astype(int)
    clf, texts = said(ESTIMATORS[name], X, y)
    assert clf.n_errors_ >= 10
    assert "no better than" in texts[0]
    assert "FlatMLPClassifier" in texts[0]
    assert not any("solution" in text for text in texts)


def test_a_margin_that_is_not_reached_is_no_matter_of_classes():
    X = random_patterns(61, 0.5, 0).matrix
    y = np.arange(len(X)) % 2
    clf, (text,) = said(FlatPerceptronClassifier(margin=2.0, max_iter=900, **FIT), X, y)
    assert clf.n_violated_[0] > 0
    assert f"{clf.n_violated_[0]} are violated" in text
    assert "no better than" not in text
