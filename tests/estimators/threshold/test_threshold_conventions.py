"""All estimators made of threshold units keep the conventions of scikit-learn."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn import config_context
from sklearn.base import clone
from sklearn.utils.estimator_checks import estimator_checks_generator, parametrize_with_checks
from units import CANCER, ESTIMATORS, IRIS, MALIGNANT, SPECIES, each_estimator, short

from skflat import (
    FlatCommitteeClassifier,
    FlatPerceptronClassifier,
    FlatSphericalPerceptronClassifier,
)
from skflat.measures import (
    Weakness,
)
from skflat.solvers import MaxMargin
from skflat.solvers.binary import AMP, SBPI


@short
@parametrize_with_checks(
    [
        FlatPerceptronClassifier(),
        FlatPerceptronClassifier("sbpi", max_iter=20, measures=None),
        FlatSphericalPerceptronClassifier(),
        FlatCommitteeClassifier(solver="replicated_sgd", max_iter=20, measures=None),
    ]
)
def test_the_conventions_of_scikit_learn_are_kept(estimator, check):
    check(estimator)


def of_largest_margin():
    """The checks of `MaxMargin`. Only those of equal solutions need a program solved to the end."""
    estimator = FlatSphericalPerceptronClassifier(MaxMargin(C=1.0), measures=None)
    solved = clone(estimator).set_params(tol=1e-10)
    for _, check in estimator_checks_generator(estimator):
        name = check.func.__name__
        chosen = solved if "equivalence" in name else estimator
        yield pytest.param(chosen, check, id=f"{name} {check.keywords or ''}")


@short
@pytest.mark.parametrize(("estimator", "check"), list(of_largest_margin()))
def test_the_largest_margin_keeps_them_too(estimator, check):
    check(clone(estimator))


def watched(estimator):
    """A copy of an estimator, and the set of its parameters that nobody has read yet."""
    parameters = estimator.get_params(deep=False)

    class Watched(type(estimator)):
        __init__ = type(estimator).__init__  # scikit-learn takes the parameters from it

        def __getattribute__(self, name):
            unread.discard(name)
            return super().__getattribute__(name)

    unread = set()
    copy = Watched(**parameters)
    unread |= parameters.keys()
    return copy, unread


@short
@each_estimator
def test_a_fit_reads_all_parameters(name):
    estimator, unread = watched(ESTIMATORS[name])
    with config_context(skip_parameter_validation=True):  # which would read them all
        estimator.fit(IRIS, SPECIES)
    assert unread == set()


@short
@each_estimator
def test_three_classes_are_three_problems(name):
    clf = clone(ESTIMATORS[name]).fit(IRIS, np.array(["c", "a", "b"])[SPECIES])
    scores = clf.decision_function(IRIS)
    assert scores.shape == (150, 3)
    assert_array_equal(clf.predict(IRIS), clf.classes_[scores.argmax(axis=1)])
    assert len(clf.weights_) == len(clf.n_violated_) == 3


@short
@each_estimator
def test_single_precision_stays(name):
    clf = clone(ESTIMATORS[name]).fit(CANCER.astype(np.float32), MALIGNANT)
    for attribute in ("weights_", "thresholds_", "mean_", "scale_"):
        assert getattr(clf, attribute).dtype == np.float32, attribute
    assert clf.decision_function(CANCER).dtype == np.float32


@short
@each_estimator
def test_the_three_numbers_are_there(name):
    clf = clone(ESTIMATORS[name]).fit(CANCER, MALIGNANT)
    assert np.isfinite([clf.sharpness_, clf.flatness_]).all()
    assert 0 <= clf.weakness_ <= 1
    assert set(clf.measurements_) == {"sharpness", "flatness", "weakness"}
    again = clf.measurements_["sharpness"].value
    assert clf.measure(CANCER, MALIGNANT)["sharpness"].value == again


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (FlatPerceptronClassifier("sam"), r"'solver' .* Got 'sam' instead"),
        (FlatPerceptronClassifier(MaxMargin()), r"'solver' .* Got MaxMargin\(\) instead"),
        (FlatSphericalPerceptronClassifier("amp"), r"'solver' .* Got 'amp' instead"),
        (FlatSphericalPerceptronClassifier(AMP()), r"'solver' .* Got AMP\(\) instead"),
        (FlatSphericalPerceptronClassifier("flat"), r"'solver' .* Got 'flat' instead"),
        (FlatSphericalPerceptronClassifier(max_iter="auto"), "'max_iter'"),
        (FlatPerceptronClassifier(max_iter=0.5), "'max_iter'"),
        (FlatCommitteeClassifier(solver="sam"), r"'solver' .* Got 'sam' instead"),
        (FlatCommitteeClassifier(solver=MaxMargin()), r"'solver' .* Got MaxMargin\(\) instead"),
        (FlatPerceptronClassifier(margin=np.inf), "margin"),
        (FlatPerceptronClassifier(solver=SBPI(probability=2.0)), "probability"),
        (FlatPerceptronClassifier(solver="max_sum"), "scale=False and fit_intercept=False"),
        (FlatPerceptronClassifier(max_iter=0), "max_iter"),
        (FlatSphericalPerceptronClassifier(gain=0), "gain"),
        (FlatCommitteeClassifier(4), "n_units must be odd"),
        (FlatCommitteeClassifier(structure="ring"), "structure"),
        (FlatCommitteeClassifier(solver=AMP()), "not of committees"),
    ],
)
def test_bad_parameters_are_named(estimator, message):
    with pytest.raises(ValueError, match=message):
        estimator.fit(CANCER, MALIGNANT)


@each_estimator
def test_one_class_is_too_few(name):
    with pytest.raises(ValueError, match="at least 2 classes"):
        clone(ESTIMATORS[name]).fit(IRIS, np.ones(150))


@short
@each_estimator
def test_other_data_than_seen_are_refused(name):
    clf = clone(ESTIMATORS[name]).set_params(measures=None).fit(CANCER, MALIGNANT)
    with pytest.raises(ValueError, match=r"2 features, but .* is expecting 30"):
        Weakness().measure(clf, CANCER[:, :2], MALIGNANT)
    with pytest.raises(ValueError, match="classes that the estimator was not fitted on"):
        Weakness().measure(clf, CANCER, MALIGNANT + 1)
    with pytest.raises(ValueError, match=r"[Nn]egative"):
        Weakness().measure(clf, CANCER, MALIGNANT, -np.ones(len(CANCER)))


@each_estimator
def test_nan_is_refused_where_all_is_assumed_finite(name):
    X = CANCER.copy()
    X[3, 2] = np.nan
    with config_context(assume_finite=True), pytest.raises(ValueError, match="X contains NaN"):
        clone(ESTIMATORS[name]).fit(X, MALIGNANT)
