"""The PAC-Bayes bound: its terms by closed form, and that it holds."""

import numpy as np
import pytest
from fitted import WEIGHT, fitted, sampled
from scipy.integrate import quad
from scipy.stats import norm
from sklearn.datasets import make_classification
from sklearn.neural_network import MLPClassifier

from skflat import FlatMatrixFactorization
from skflat.measures import (
    Measurement,
    NoiseStability,
    PacBayesBound,
    noise_stability,
    pac_bayes_bound,
)
from skflat.measures.noise._pac_bayes import LOG_WEIGHTS, divergence_from_priors
from skflat.problems import as_problem

# These fits are short on purpose.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def by_hand(found):
    """The bound from the terms in the protocol."""
    terms = found.protocol
    inside = terms["complexity"] + np.log(2 * terms["n"] ** 0.5 / 0.05)
    return terms["training_error"] + (inside / (2 * terms["n"])) ** 0.5


def test_the_divergence_is_that_of_two_normals():
    complexity, prior = divergence_from_priors(0.7, 1, 0.3)
    for j in (190, 200, 210):
        posterior, before = norm(0.7, 0.3), norm(0, prior[j])

        def log_ratio(x, posterior=posterior, before=before):
            return posterior.pdf(x) * (posterior.logpdf(x) - before.logpdf(x))

        kl, _ = quad(log_ratio, -2, 3.4)
        assert complexity[j] + LOG_WEIGHTS[j] == pytest.approx(kl, rel=1e-6)


def test_parameters_add_up_their_divergences():
    one = divergence_from_priors(0.5, 1, 0.3)[0]
    four = divergence_from_priors(1.0, 4, 0.3)[0]
    np.testing.assert_allclose(four + LOG_WEIGHTS, 4 * (one + LOG_WEIGHTS))


def test_the_priors_share_a_probability_of_one():
    assert 0.95 < np.exp(LOG_WEIGHTS).sum() < 1


@pytest.mark.parametrize("name", ["classes", "two classes", "labels", "our single precision"])
def test_the_bound_is_mcallesters(name):
    estimator, X, y = fitted(name)
    found = pac_bayes_bound(estimator, X, y)
    assert found.value == pytest.approx(by_hand(found), rel=1e-9)
    assert found.protocol["n"] == len(X)
    assert (
        found.protocol["scale"]
        == noise_stability(estimator, X, y, noise="isotropic", n_draws=10).value
    )
    assert found.samples.mean() == pytest.approx(found.protocol["training_error"])
    w = as_problem(estimator, X, y).w
    complexity, _ = divergence_from_priors(np.linalg.norm(w), len(w), found.protocol["scale"])
    assert found.protocol["complexity"] == pytest.approx(complexity.min(), rel=1e-6)


def test_the_training_error_is_that_of_noisy_networks():
    estimator, X, y = fitted("classes")
    found = pac_bayes_bound(estimator, X, y, scale=0.3, n_draws=200)
    task, rng = as_problem(estimator, X, y), np.random.default_rng(5)
    noisy = [
        np.mean(task.objective.scores(w).argmax(axis=1) != y)
        for w in task.w + 0.3 * rng.standard_normal((2000, len(task.w)))
    ]
    assert abs(found.protocol["training_error"] - np.mean(noisy)) < 4 * found.stderr
    assert found.stderr < 0.02


def test_more_noise_is_less_complex_and_errs_more():
    found = [pac_bayes_bound(*fitted("classes"), scale=scale) for scale in (0.01, 0.1, 1.0)]
    complexity, error = (
        [each.protocol[key] for each in found] for key in ("complexity", "training_error")
    )
    assert complexity[0] > complexity[1] > complexity[2]
    assert error[0] < error[2]


def test_what_is_near_the_start_is_less_complex():
    estimator, X, y = fitted("classes")
    w = as_problem(estimator, X, y).w
    found = [
        pac_bayes_bound(estimator, X, y, scale=0.1, start=start) for start in (w, 0.5 * w, None)
    ]
    values = [each.value for each in found]
    assert values[0] < values[1] < values[2]


def test_a_bound_that_may_fail_less_often_is_higher():
    values = [
        pac_bayes_bound(*fitted("classes"), scale=0.1, delta=delta).value
        for delta in (0.5, 0.05, 1e-6)
    ]
    assert values[0] < values[1] < values[2]


def test_more_rows_bound_better():
    """Of the rows that a sample stands for, not of its own."""
    estimator, X, y = fitted("classes")
    part = sampled(estimator, X, y, 75, 0)
    found = PacBayesBound(scale=0.1).evaluate(part)
    assert found.protocol["n"] == 150
    assert found.stderr > 0


def test_weighted_rows_count_by_what_they_say():
    estimator, X, y = fitted("classes")
    plain, same, unequal = (
        pac_bayes_bound(estimator, X, y, weight, scale=0.1)
        for weight in (None, np.full(150, 2.0), WEIGHT)
    )
    assert same.value == pytest.approx(plain.value, rel=1e-9)
    unequal = unequal.protocol["n"]
    assert unequal == pytest.approx(WEIGHT.sum() ** 2 / np.sum(WEIGHT**2))
    assert unequal < 150


def test_the_bound_says_something_and_holds():
    """Four thousand rows and few parameters; the test error of the same noisy networks."""
    X, y = make_classification(
        24_000, 5, n_informative=3, n_redundant=0, class_sep=2, random_state=0
    )
    clf = MLPClassifier((4,), max_iter=20, random_state=0).fit(X[:4000], y[:4000])
    found = pac_bayes_bound(clf, X[:4000], y[:4000])
    test = as_problem(clf, X[4000:], y[4000:])
    rng, scale = np.random.default_rng(1), found.protocol["scale"]
    errors = [
        np.mean((test.objective.scores(w)[:, 0] > 0) != (y[4000:] == 1))
        for w in test.w + scale * rng.standard_normal((100, len(test.w)))
    ]
    assert np.mean(errors) < found.value < 0.5


def test_where_no_noise_is_too_much_the_widest_that_was_tried_counts(monkeypatch):
    def bears_everything(self, problem):
        scales = np.array([0.1, 0.5])
        none = np.zeros(2)
        return Measurement(np.inf, 0.0, "estimate", 7, True, none, {}, {"scale": scales})

    monkeypatch.setattr(NoiseStability, "_evaluate", bears_everything)
    found = pac_bayes_bound(*fitted("classes"))
    assert found.protocol["scale"] == 0.5
    assert found.value == pytest.approx(by_hand(found), rel=1e-9)


def test_a_constant_target_has_no_noise_to_bear():
    X, y = np.random.default_rng(0).normal(size=(20, 2)), np.arange(20) % 3
    clf = MLPClassifier((3,), max_iter=1, random_state=0).fit(X, y)
    with pytest.warns(UserWarning, match="The target is constant"):
        assert np.isnan(pac_bayes_bound(clf, X, np.zeros(20, dtype=int)).value)


def test_what_has_no_error_between_0_and_1_has_no_bound():
    X = np.random.default_rng(0).normal(size=(6, 5))
    completion = FlatMatrixFactorization(2, measures=None, random_state=0).fit(X)
    with pytest.raises(
        TypeError, match="PacBayesBound needs classes, and this Factorization has none"
    ):
        pac_bayes_bound(completion, X, None)


@pytest.mark.parametrize("start", [[0.0], np.full(51, np.nan)])
def test_a_start_has_one_number_a_parameter(start):
    with pytest.raises(ValueError, match="start must hold 51 finite numbers"):
        pac_bayes_bound(*fitted("classes"), start=start)


@pytest.mark.parametrize(("name", "value"), [("delta", 0.0), ("delta", 1.0), ("scale", -1.0)])
def test_parameters_out_of_range_are_named(name, value):
    with pytest.raises(ValueError, match=f"'{name}' parameter .* {value!r} instead"):
        pac_bayes_bound(*fitted("classes"), **{name: value})
