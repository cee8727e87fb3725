"""The relative noise that makes labels wrong."""

import numpy as np
import pytest
from scipy.special import ndtri
from sklearn.neural_network import MLPClassifier

from skflat.measures import MagnitudeSharpness, magnitude_sharpness


def one_weight(factor=1.0):
    """``sign(factor x)``, which is right wherever the factor stays positive."""
    X = np.array([[-1.0], [1.0], [-2.0], [2.0]])
    y = X[:, 0] > 0
    with pytest.warns(UserWarning, match="Maximum iterations"):
        clf = MLPClassifier((), max_iter=1, random_state=0).fit(X, y)
    clf.coefs_, clf.intercepts_ = [np.array([[factor]])], [np.zeros(1)]
    return clf, X, y


@pytest.mark.parametrize("level", [0.1, 0.3])
def test_labels_of_one_weight_turn_wrong_with_the_normal_distribution(level):
    """They are if ``1 + scale z < 0``, which has the probability ``Phi(-1 / scale)``."""
    settings = {"level": level, "n_draws": 100}
    network = one_weight()
    errors = []
    for seed in range(5):
        found = magnitude_sharpness(*network, **settings, random_state=seed)
        errors.append((found.value - ndtri(level) ** 2) / found.stderr)
    assert np.abs(errors).max() < 3
    assert found.stderr < 0.5 * found.value
    assert magnitude_sharpness(*one_weight(8.0), **settings, random_state=4).value == found.value


def test_what_no_noise_makes_wrong_is_flat():
    """The sign of one weight is wrong in half of the draws, and never in more."""
    found = MagnitudeSharpness(level=0.6, n_draws=50).measure(*one_weight())
    assert (found.value, found.stderr) == (0.0, 0.0)
