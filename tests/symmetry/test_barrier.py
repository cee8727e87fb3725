"""The loss between two networks, and units in the order of another network's."""

from itertools import permutations

import numpy as np
import pytest
from fitted import IRIS, LENGTHS, SETOSA, SPECIES, rescaled
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skflat import FlatMLPClassifier
from skflat.symmetry import barrier, match_units

# These fits are short on purpose.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def network(seed, sizes=(5,), **settings):
    settings |= {"max_iter": 80, "learning_rate_init": 0.02, "random_state": seed}
    return MLPClassifier(sizes, **settings).fit(IRIS, SPECIES)


def shuffled(estimator, seed=0):
    """The same function with the units of every hidden layer in another order."""
    moved, rng = rescaled(estimator, 1.0), np.random.default_rng(seed)
    for layer in range(len(moved.coefs_) - 1):
        order = rng.permutation(moved.coefs_[layer].shape[1])
        moved.coefs_[layer] = moved.coefs_[layer][:, order]
        moved.intercepts_[layer] = moved.intercepts_[layer][order]
        moved.coefs_[layer + 1] = moved.coefs_[layer + 1][order]
    return moved


def distance(one, two):
    arrays = zip(one.coefs_ + one.intercepts_, two.coefs_ + two.intercepts_, strict=True)
    return np.sqrt(sum(np.sum((a - b) ** 2) for a, b in arrays))


@pytest.mark.parametrize("sizes", [(6,), (5, 7), (4, 5, 3)])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_a_network_of_other_order_is_matched_exactly(sizes, activation):
    clf = network(0, sizes, activation=activation)
    matched = match_units(shuffled(clf), clf)
    for one, two in zip(matched.coefs_, clf.coefs_, strict=True):
        assert_array_equal(one, two)


def test_with_one_hidden_layer_no_order_is_nearer():
    one, two = network(0), network(1)
    matched = match_units(two, one)
    assert_allclose(matched.predict_proba(IRIS), two.predict_proba(IRIS), rtol=1e-12)
    best = np.inf
    for order in map(list, permutations(range(5))):
        moved = rescaled(two, 1.0)
        moved.coefs_ = [two.coefs_[0][:, order], two.coefs_[1][order]]
        moved.intercepts_[0] = two.intercepts_[0][order]
        best = min(best, distance(moved, one))
    assert distance(matched, one) == pytest.approx(best, rel=1e-12)


def test_with_more_layers_matching_never_goes_away():
    one, two = network(0, (6, 5)), network(1, (6, 5))
    matched = match_units(two, one)
    assert distance(matched, one) < distance(two, one)
    assert_allclose(matched.predict_proba(IRIS), two.predict_proba(IRIS), rtol=1e-10)
    assert distance(match_units(matched, one), one) == distance(matched, one)


def test_the_loss_on_the_line_is_that_of_the_network_there():
    one, two = network(0), network(1)
    found = barrier(one, two, IRIS, SPECIES, match=False, balance=None, n_points=5)
    losses = []
    for share in found.share:
        middle = rescaled(one, 1.0)
        middle.coefs_ = [
            (1 - share) * a + share * b for a, b in zip(one.coefs_, two.coefs_, strict=True)
        ]
        middle.intercepts_ = [
            (1 - share) * a + share * b
            for a, b in zip(one.intercepts_, two.intercepts_, strict=True)
        ]
        losses.append(log_loss(SPECIES, middle.predict_proba(IRIS)))
    assert_allclose(found.loss, losses, rtol=1e-9)
    line = np.linspace(losses[0], losses[-1], 5)
    assert float(found) == found.height == pytest.approx(np.max(losses - line), rel=1e-9)
    assert found.distance == pytest.approx(distance(one, two), rel=1e-12)


def test_one_function_in_two_guises_has_no_barrier():
    clf = network(0, (6, 5))
    guise = shuffled(rescaled(clf, 4.0))
    assert barrier(clf, guise, IRIS, SPECIES).height < 1e-9
    assert barrier(clf, guise, IRIS, SPECIES, match=False).height > 0.01
    assert barrier(clf, guise, IRIS, SPECIES, balance=None).height > 0.01


def test_a_convex_loss_has_no_barrier():
    """Without hidden layers nothing is to be matched."""
    ends = [FlatMLPClassifier((), max_iter=k, measures=None).fit(IRIS, SETOSA) for k in (3, 30)]
    found = barrier(*ends, IRIS, SETOSA)
    assert found.height == 0
    assert (found.loss > 0).all()


def test_balancing_and_matching_lower_the_barrier_of_two_solutions():
    one, two = network(0, (30,)), network(1, (30,))
    heights = [
        barrier(one, two, IRIS, SPECIES, match=match, balance=balance).height
        for match, balance in [(False, None), (True, "trace")]
    ]
    assert heights[1] < heights[0]


def test_what_cannot_be_connected_is_refused():
    reg = MLPRegressor(hidden_layer_sizes=(5,), max_iter=20).fit(IRIS, LENGTHS[:, 0])
    for other in (network(0, (6,)), network(0, activation="tanh")):
        with pytest.raises(ValueError, match="same shape and activation"):
            barrier(network(0), other, IRIS, SPECIES)
    with pytest.raises(ValueError, match="same shape"):
        match_units(reg, network(0))
    with pytest.raises(TypeError, match="Cannot change LogisticRegression"):
        match_units(LogisticRegression().fit(IRIS, SPECIES), network(0))
    two = MLPClassifier((5,), max_iter=20).fit(IRIS, SETOSA)
    with pytest.raises(ValueError, match="same loss, got Binary and HalfSquared"):
        barrier(two, reg, IRIS, SETOSA, balance=None)
    pipes = [
        make_pipeline(StandardScaler(), MLPClassifier((5,), max_iter=20)).fit(scale * IRIS, SPECIES)
        for scale in (1, 10)
    ]
    with pytest.raises(ValueError, match="must see the same inputs"):
        barrier(*pipes, IRIS, SPECIES)
    diverged = network(1)
    diverged.coefs_[0] = np.full_like(diverged.coefs_[0], np.nan)
    with pytest.raises(ValueError, match="some parameters are not finite"):
        match_units(diverged, network(0))
    with pytest.raises(ValueError, match="balance must be"):
        barrier(network(0), network(1), IRIS, SPECIES, balance="trce")
    with pytest.raises(ValueError, match="n_points must be"):
        barrier(network(0), network(1), IRIS, SPECIES, n_points=1)
