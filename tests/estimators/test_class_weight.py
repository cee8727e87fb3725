"""Weights of classes are weights of rows."""

import numpy as np
import pytest
from irises import X, Y, assert_same_weights, classifier, each_kind, weights_of
from sklearn.datasets import make_multilabel_classification
from sklearn.utils import compute_sample_weight

# Short fits do not converge.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
CLASS_WEIGHT = {0: 1.0, 1: 2.5, 2: 0.3}


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
