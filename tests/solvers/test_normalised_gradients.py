"""Steps along the normalised gradient: closed forms, and how fast they may diminish."""

import numpy as np
import pytest
from drawing import imbalance
from numpy.testing import assert_allclose
from stepping import X, Y, classifier, weights_of
from toys import descend, hyperbola, quadratic

from skflat.solvers import NGD, SGD

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_one_normalised_step(rate):
    """``C`` becomes ``C (1 - a^2 / (x^2 + y^2))``, plain steps make it ``C (1 - 4 (eta r)^2)``."""
    w = np.array([2.0, 0.7])
    after = descend(NGD(), hyperbola(), w, 1, learning_rate_init=rate)
    assert np.linalg.norm(after - w) == pytest.approx(rate, rel=1e-14)
    assert imbalance(after) == pytest.approx(imbalance(w) * (1 - rate**2 / (w @ w)), rel=1e-14)
    plain = descend(SGD(), hyperbola(), w, 1, learning_rate_init=rate / 10)
    factor = 1 - 4 * (rate / 10 * (w[0] * w[1] - 1)) ** 2
    assert imbalance(plain) == pytest.approx(imbalance(w) * factor, rel=1e-14)


@pytest.mark.parametrize("power", [0, 1 / 3, 0.5, 1.0])
def test_steps_become_shorter_by_the_power(power):
    path = [[9.0], *(descend(NGD(power), quadratic(1.0), [9.0], n) for n in range(1, 6))]
    assert_allclose(-np.diff(np.ravel(path)), 0.02 / np.arange(1, 6) ** power, rtol=1e-12)


def test_steps_go_on_becoming_shorter_over_partial_fits():
    whole, pieces = (classifier(NGD(), max_iter=4, shuffle=False) for _ in range(2))
    whole.fit(X, Y)
    for _ in range(4):
        pieces.partial_fit(X, Y, classes=[0, 1, 2])
    assert_allclose(weights_of(whole), weights_of(pieces), rtol=1e-12)


@pytest.mark.parametrize(
    ("rate", "power", "expected"),
    [
        (1, 0.25, 4.0),
        (1, 1 / 2, 12.09),
        pytest.param(1, 1 / 3, 4.0, marks=pytest.mark.slow),
        pytest.param(1, 1, 28.87, marks=pytest.mark.slow),
        pytest.param(0.5, 0.25, 4.0, marks=pytest.mark.slow),
        pytest.param(0.5, 1 / 3, 4.0207, marks=pytest.mark.slow),
        pytest.param(0.5, 1 / 2, 26.93, marks=pytest.mark.slow),
        pytest.param(0.5, 1, 31.26, marks=pytest.mark.slow),
    ],
)
def test_only_slowly_diminishing_steps_reach_the_flattest_minimum(rate, power, expected):
    w = descend(NGD(power), hyperbola(), (4, 0.3), 20_000, learning_rate_init=rate)
    assert 2 * w @ w == pytest.approx(expected, abs=5e-5 if expected < 5 else 5e-3)
    assert hyperbola().loss(w) <= 1e-11


# What they refuse


@pytest.mark.parametrize(
    ("solver", "named"),
    [
        (NGD(power=-1), "power"),
    ],
)
def test_a_structure_that_makes_no_sense_is_refused(solver, named):
    with pytest.raises(ValueError, match=f"The '{named}' parameter of {type(solver).__name__}"):
        classifier(solver).fit(X, Y)
