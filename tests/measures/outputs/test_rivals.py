"""The cheap alternatives to weakness: live units, effective rank, normalised margin."""

import copy

import numpy as np
import pytest
from fitted import IRIS, SPECIES, WEIGHT, fitted, sampled
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.neural_network import MLPClassifier, MLPRegressor
from toys import features

from skflat.measures import (
    EffectiveRank,
    LiveUnits,
    NormalizedMargin,
    effective_rank,
    live_units,
    margins,
    normalized_margin,
    relative_flatness,
)
from skflat.objective import HiddenLayer
from skflat.problems import as_problem
from skflat.symmetry import rescale

# These fits are short on purpose.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

#: The corners of a cube: three features, uncorrelated and of variance 1.
CUBE = np.array(np.meshgrid([-1, 1], [-1, 1], [-1, 1]), dtype=float).reshape(3, -1).T


def linear(X, y, W, b=0.0):
    """A network without hidden layers, of given weights."""
    cls = MLPClassifier if np.asarray(y).dtype.kind == "i" else MLPRegressor
    network = cls(hidden_layer_sizes=(), max_iter=1, random_state=0).fit(X, y)
    network.coefs_ = [np.array(W, dtype=float)]
    network.intercepts_ = [np.zeros(network.coefs_[0].shape[1]) + b]
    return network


def changed(name="classes, deep"):
    """A network to break, and its data."""
    estimator, X, y = fitted(name)
    return copy.deepcopy(estimator), X, y


# Live units


def test_a_unit_that_is_never_active_is_dead():
    network, X, y = changed()
    alive = live_units(network, X, y)
    assert alive.value == (alive.samples > 0).sum()
    network.intercepts_[1][alive.samples.argmax()] = -1e6
    assert live_units(network, X, y).value == alive.value - 1


def test_a_unit_that_is_always_alike_is_dead():
    network, X, y = changed()
    alive = live_units(network, X, y)
    unit = alive.samples.argmax()
    network.coefs_[1][:, unit], network.intercepts_[1][unit] = 0.0, 0.7
    assert live_units(network, X, y).value == alive.value - 1


def test_a_unit_that_goes_nowhere_counts():
    network, X, y = changed()
    alive = live_units(network, X, y)
    network.coefs_[2][alive.samples.argmax()] = 0.0
    assert live_units(network, X, y).value == alive.value


def test_without_hidden_layers_the_units_are_the_inputs():
    X = np.column_stack([CUBE, np.full(8, 3.0)])
    found = live_units(linear(X, X[:, 0], np.ones((4, 1))), X, X[:, 0])
    assert found.value == 3
    assert_array_equal(found.samples, [2, 2, 2, 0])


def test_what_lives_on_a_sample_lives_on_all_rows():
    estimator, X, y = fitted("classes, deep")
    whole = live_units(estimator, X, y)
    assert whole.kind == "exact"
    for seed in range(5):
        part = LiveUnits().evaluate(sampled(estimator, X, y, 10, seed))
        assert part.value <= whole.value
        assert part.kind == "lower_bound"


# Effective rank


@pytest.mark.parametrize(
    ("lengths", "rank"),
    [
        ((1, 1, 1), 3.0),
        ((1, 1, 0), 2.0),
        ((5, 0, 0), 1.0),
        ((0, 0, 0), 0.0),
        # Singular values 3 to 1: the entropy of (3/4, 1/4).
        ((3, 1, 0), 4 / 3**0.75),
    ],
)
def test_the_effective_rank_of_a_stretched_cube(lengths, rank):
    X = CUBE * lengths
    network = linear(X, CUBE[:, 0], np.ones((3, 1)), 7.0)
    assert effective_rank(network, X + 9, CUBE[:, 0]).value == pytest.approx(rank, rel=1e-9)
    normalized = effective_rank(network, X + 9, CUBE[:, 0], normalize=True).value
    assert normalized == pytest.approx(np.count_nonzero(lengths), rel=1e-9)


@pytest.mark.parametrize("features", ["hidden", "logits"])
@pytest.mark.parametrize("name", ["classes", "classes, tanh", "two outputs", "labels"])
def test_the_effective_rank_is_that_of_the_singular_values(name, features):
    estimator, X, y = fitted(name)
    task = as_problem(estimator, X, y)
    objective, hidden = task.objective, task.objective.capability(HiddenLayer)
    A = {"hidden": hidden.features, "logits": objective.scores}[features](task.w)
    if task.task.greatest_wins and features == "logits":
        A = A - A.mean(axis=1, keepdims=True)
    values = np.linalg.svd(A - A.mean(axis=0), compute_uv=False)
    p = values / values.sum()
    p = p[p > 1e-7]
    found = effective_rank(estimator, X, y, features=features)
    assert found.value == pytest.approx(np.exp(-np.sum(p * np.log(p))), rel=1e-6)
    assert_allclose(found.samples, values / len(X) ** 0.5, atol=1e-7 * values[0])
    if task.task.greatest_wins and features == "logits":
        assert found.value <= 2


@pytest.mark.parametrize("function", [effective_rank, normalized_margin])
def test_a_row_that_weighs_three_counts_as_three_rows(function):
    estimator, X, y = fitted("classes, deep")
    times = np.random.default_rng(0).integers(0, 4, size=len(X))
    weighted = function(estimator, X, y, times.astype(float))
    repeated = function(estimator, np.repeat(X, times, axis=0), np.repeat(y, times))
    assert weighted.value == pytest.approx(repeated.value, rel=1e-9)


def test_the_features_of_the_rank_are_named():
    with pytest.raises(ValueError, match=r"'features' parameter .* 'pixels' instead"):
        effective_rank(*fitted("classes"), features="pixels")


# Normalised margin


def test_the_normalized_margin_of_three_classes():
    """Logits (3, 0, 0) and twice (0, 2, 4): leads 3, 2 and -2, sizes 4/3 and 4/3."""
    X = np.array([[3.0, 0, 0], [0, 2, 4], [0, 2, 4]])
    found = normalized_margin(linear(X, np.arange(3), np.eye(3)), X, np.array([0, 2, 1]))
    assert found.value == pytest.approx((3 + 2 - 2) / 3 / (4 / 3), rel=1e-12)
    assert_allclose(found.samples, np.array([3, 2, -2]) / (4 / 3))


def test_the_normalized_margin_of_two_classes_and_of_labels():
    X = np.array([[3.0], [-4.0], [5.0]])
    classes = linear(X, np.array([1, 0, 1]), [[1.0]])
    found = normalized_margin(classes, X, np.array([1, 0, 0]))
    assert found.value == pytest.approx((3 + 4 - 5) / 3 / np.sqrt(50 / 3), rel=1e-12)
    labels = linear(X, np.array([[1, 1], [0, 0], [1, 0]]), [[1.0, 2.0]])
    found = normalized_margin(labels, X, np.array([[1, 1], [0, 0], [0, 1]]))
    assert_allclose(found.samples * np.sqrt(250 / 6), [4.5, 6.0, 2.5])


def test_the_normalized_margin_has_no_scale():
    network, X, y = changed("classes")
    before = normalized_margin(network, X, y)
    network.coefs_[-1] *= 16
    network.intercepts_[-1] *= 16
    assert normalized_margin(network, X, y).value == before.value


def test_the_normalized_margin_is_the_mean_of_the_margins():
    """Up to what they are divided by."""
    estimator, X, y = fitted("classes")
    found, raw = normalized_margin(estimator, X, y), margins(estimator, X, y, normalization=None)
    F = as_problem(estimator, X, y).objective.scores(as_problem(estimator, X, y).w)
    size = np.abs(F - F.mean(axis=1, keepdims=True)).mean()
    assert found.value == pytest.approx(raw.samples.mean() / size, rel=1e-12)


@pytest.mark.parametrize("name", ["classes", "two classes", "labels"])
@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
def test_the_standard_error_of_a_sampled_margin_is_its_error(name, weight):
    estimator, X, y = fitted(name)
    whole = normalized_margin(estimator, X, y, weight)
    assert whole.stderr == 0
    found = [
        NormalizedMargin().evaluate(sampled(estimator, X, y, 75, seed, weight))
        for seed in range(300)
    ]
    square = np.mean([(part.value - whole.value) ** 2 for part in found])
    assert np.mean([part.stderr**2 for part in found]) == pytest.approx(square, rel=0.25)


def test_the_standard_error_of_a_sampled_rank_is_about_its_error():
    estimator, X, y = fitted("classes, deep")
    whole = effective_rank(estimator, X, y)
    found = [EffectiveRank().evaluate(sampled(estimator, X, y, 75, seed)) for seed in range(100)]
    square = np.mean([(part.value - whole.value) ** 2 for part in found])
    assert 0.5 < np.mean([part.stderr**2 for part in found]) / square < 4


def test_outputs_that_are_all_zero_have_no_margin():
    X = CUBE[:3]
    found = normalized_margin(linear(X, np.arange(3), np.zeros((3, 3))), X, np.arange(3))
    assert found.value == 0


# Relative flatness, the closed form that stands beside them


def test_relative_flatness_is_the_closed_form_of_the_last_layer():
    """``sum_st <w_s, w_t> mean S_st |a|^2``, and no rescaling changes it."""
    estimator, X, y = fitted("classes, deep")
    task = as_problem(estimator, X, y)
    a, W = features(task.objective, task.w), estimator.coefs_[-1]
    P = estimator.predict_proba(X)
    S = np.einsum("ns,st->nst", P, np.eye(3)) - np.einsum("ns,nt->nst", P, P)
    expected = np.sum((W.T @ W) * np.mean(S * np.sum(a**2, axis=1)[:, None, None], axis=0))
    assert relative_flatness(estimator, IRIS, SPECIES).value == pytest.approx(expected, rel=1e-10)
    for factors in ([7.0, 1.0], [1.0, 0.03]):
        moved = relative_flatness(rescale(estimator, factors), X, y).value
        assert moved == pytest.approx(expected, rel=1e-10)
