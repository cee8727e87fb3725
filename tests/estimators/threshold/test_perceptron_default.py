"""The default search for binary weights is as good as every solver and every constant."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.datasets import (
    load_breast_cancer,
    load_digits,
    load_iris,
    load_wine,
    make_classification,
)
from storage import random_patterns, sign_vectors

from skflat import FlatPerceptronClassifier
from skflat.models.threshold import FreeThreshold, Patterns, best_threshold
from skflat.solvers.binary import AMP, BINARY_SOLVERS, SBPI, Auto, BinarySolver, MeanField
from skflat.solvers.binary._auto import are_independent, kicked
from skflat.solvers.binary.flips import FlipDescent, hebbian

short = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
CANCER, WINE, IRIS = (load(return_X_y=True) for load in (load_breast_cancer, load_wine, load_iris))
PLAIN = {"measures": None, "random_state": 0}


def teacher_student(n, load, bias=0.0, seed=0, normal=False):
    """Rows that weights in {-1, +1} and a threshold of ``bias sqrt(n)`` have labelled."""
    rng = np.random.default_rng(1000 + seed)
    size = round(load * n), n
    X = rng.standard_normal(size) if normal else rng.choice([-1.0, 1.0], size)
    return X, (X @ rng.choice([-1, 1], n) > bias * np.sqrt(n)).astype(int)


def free(X, y):
    """The patterns of a table with a threshold beside the weights."""
    t = 2.0 * y - 1
    return FreeThreshold((t[:, None] * X)[None], t)


def standardised(X):
    return (X - X.mean(axis=0)) / np.maximum(X.std(axis=0), 1e-12)


def unbalanced(seed, n_rows=300, n=12):
    """A made-up table of which one row in twenty is positive."""
    return make_classification(
        n_rows, n, n_informative=6, weights=[0.95], class_sep=0.7, random_state=seed
    )


def digits(digit, n_rows=400):
    X, y = load_digits(return_X_y=True)
    return X[:n_rows], (y[:n_rows] == digit).astype(int)


TABLES = {
    "breast cancer": CANCER,
    "a wine": (WINE[0], (WINE[1] == 1).astype(int)),
    "an eight": digits(8),
    "unbalanced": unbalanced(0),
    "the largest": (CANCER[0][:, 4:20], (CANCER[0][:, 0] > 20.5).astype(int)),
}
LARGER = ("breast cancer", "an eight", "the largest")


# Solutions that exist


def test_many_rows_that_a_teacher_has_labelled_are_learnt():
    r = np.random.default_rng(3)
    X = r.choice([-1.0, 1.0], (2040, 51))
    y = (X @ r.choice([-1, 1], 51) > 0).astype(int)
    for scale in (True, False):
        assert FlatPerceptronClassifier(scale=scale, **PLAIN).fit(X, y).n_errors_ == 0


@pytest.mark.parametrize("bias", [0.0, 1.0, 1.65])
@pytest.mark.parametrize(("n", "load"), [(21, 40), (51, 20), (51, 40), (101, 20)])
def test_whatever_a_teachers_threshold_and_however_many_rows_they_are_learnt(n, load, bias):
    """At 1.65 one row in twenty is positive, and six bits do not reach the threshold."""
    for normal in (False, True):
        X, y = teacher_student(n, load, bias, normal=normal)
        # Scaled by what happened to be drawn, normal features have other teachers.
        clf = FlatPerceptronClassifier(scale=not normal, **PLAIN).fit(X, y)
        assert clf.n_errors_ == clf.n_violated_.sum() == 0


def test_labels_of_a_teacher_of_many_rows_and_weights_are_learnt():
    X, y = teacher_student(101, 40)
    assert FlatPerceptronClassifier(**PLAIN).fit(X, y).n_errors_ == 0


def test_a_teacher_is_found_where_the_rows_just_determine_it():
    X, y = teacher_student(501, 1.6)
    assert FlatPerceptronClassifier(**PLAIN).fit(X, y).n_errors_ == 0


@pytest.mark.parametrize("share", [0.5, 0.95])
@pytest.mark.parametrize("load", [load_wine, load_digits])
def test_a_teacher_of_correlated_features_is_found(load, share):
    X = standardised(load(return_X_y=True)[0])
    fields = X @ np.random.default_rng(0).choice([-1.0, 1.0], X.shape[1])
    y = (fields > np.quantile(fields, share)).astype(int)
    assert FlatPerceptronClassifier(**PLAIN).fit(X, y).n_errors_ == 0


@pytest.mark.parametrize("load", [0.5, 0.7])
def test_scaled_patterns_are_stored_as_well(load):
    X = random_patterns(501, load, 0).matrix
    y = np.arange(len(X)) % 2
    assert FlatPerceptronClassifier(**PLAIN).fit(X, y).n_errors_ == 0


# Not behind


@short
@pytest.mark.parametrize(
    "name",
    ["a wine", *(pytest.param(n, marks=pytest.mark.slow) for n in ["unbalanced", *LARGER])],
)
def test_the_default_is_not_behind_any_solver_on_tables(name):
    X, y = TABLES[name]
    default = FlatPerceptronClassifier(**PLAIN).fit(X, y).n_errors_
    # Annealing takes more than ten times as long, for up to two errors fewer.
    for solver in set(BINARY_SOLVERS) - {"max_sum"}:
        named = FlatPerceptronClassifier(solver=solver, **PLAIN).fit(X, y)
        fewer = 2 if solver == "replicated_annealing" else 1
        assert default <= named.n_errors_ + fewer, solver


@short
@pytest.mark.parametrize(
    ("load", "raw"), [(0.6, True), (2.0, False), pytest.param(2.0, True, marks=pytest.mark.slow)]
)
def test_the_default_is_not_behind_any_solver_on_patterns(load, raw):
    X = random_patterns(61, load, 0).matrix
    y = np.random.default_rng(0).integers(2, size=len(X))
    settings = PLAIN | ({"scale": False, "fit_intercept": False} if raw else {})
    default = FlatPerceptronClassifier(**settings).fit(X, y).n_errors_
    for solver in BINARY_SOLVERS if raw else set(BINARY_SOLVERS) - {"max_sum"}:
        named = FlatPerceptronClassifier(solver=solver, **settings).fit(X, y)
        assert default <= named.n_errors_ + 1, solver


@short
@pytest.mark.parametrize("seed", range(5))
def test_an_unbalanced_table_is_learnt_at_least_as_well_as_by_a_constant(seed):
    X, y = unbalanced(seed, 1000, 20)
    assert FlatPerceptronClassifier(**PLAIN).fit(X, y).n_errors_ < y.sum()


@short
@pytest.mark.parametrize("table", [WINE, IRIS, digits(0), digits(8)])
def test_one_against_the_rest_is_never_behind_the_rest(table):
    X, labels = table
    for label in np.unique(labels):
        y = (labels == label).astype(int)
        clf = FlatPerceptronClassifier(**PLAIN).fit(X, y)
        assert clf.n_errors_ <= min(y.sum(), len(y) - y.sum())


@short
@pytest.mark.parametrize("solver", sorted(set(BINARY_SOLVERS) - {"max_sum"}))
def test_no_solver_ends_behind_the_more_frequent_class(solver):
    """Not even at once, and with nothing to learn."""
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((200, 8)), (np.arange(200) < 10).astype(int)
    clf = FlatPerceptronClassifier(solver=solver, max_iter=1, **PLAIN).fit(X, y)
    assert clf.n_errors_ == clf.n_violated_[0] <= 10


@short
@pytest.mark.parametrize("noise", [0.5, 2.0])
@pytest.mark.parametrize("seed", range(3))
def test_several_classes_together_are_not_behind_the_most_frequent_one(noise, seed):
    """Classes in between are on neither side of a plane, and each alone had better answer no."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((400, 5))
    ordered = X @ rng.standard_normal(5) / np.sqrt(5) + noise * rng.standard_normal(400)
    y = np.searchsorted(np.quantile(ordered, [0.05, 0.25, 0.7, 0.95]), ordered)
    clf = FlatPerceptronClassifier(**PLAIN).fit(X, y)
    assert clf.n_errors_ == np.count_nonzero(clf.predict(X) != y)
    assert clf.n_errors_ <= len(y) - np.bincount(y).max()
    targets = (y[:, None] == clf.classes_).astype(float)
    assert_array_equal(clf.n_violated_, clf._violated((X - clf.mean_) / clf.scale_, targets))


@short
def test_equal_seeds_give_equal_weights():
    X, y = TABLES["unbalanced"]
    one, other, third = (
        FlatPerceptronClassifier(measures=None, random_state=seed).fit(X, y) for seed in (0, 0, 1)
    )
    assert_array_equal(one.weights_, other.weights_)
    assert one.n_iter_ == other.n_iter_
    assert abs(one.n_errors_ - third.n_errors_) <= 2


@short
def test_the_default_is_no_longer_than_the_annealing_it_begins_with():
    """Which took 688 iterations, each of them dearer than those that follow."""
    assert FlatPerceptronClassifier(**PLAIN).fit(*CANCER).n_iter_ < 600


# A free threshold


def test_errors_are_counted_with_the_best_threshold():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((40, 5)), rng.integers(2, size=40)
    patterns = free(X, y)
    for w in sign_vectors(5)[::3]:
        fields = X @ w
        grid = np.append(np.linspace(-9, 9, 3001), best_threshold(fields, y > 0))
        errors = ((fields[:, None] + grid > 0) != y[:, None]).sum(axis=0)
        assert patterns.n_violated(w) == errors.min() == errors[-1]
        assert patterns.n_violated(w) <= min(y.sum(), len(y) - y.sum())
        in_bits = patterns.in_bits()
        assert in_bits.n_violated(np.append(w, np.ones(6))) == errors.min()
        assert np.count_nonzero(patterns.leads(patterns.fields(w)) <= 0) == errors.min()


def test_fields_that_differ_by_rounding_are_one():
    """No threshold separates what the features as given may put in the other order."""
    fields = 0.1 + np.array([0, 1, 2, 3]) * 1e-17 + np.array([0, 0, 0, 1.5e-16])
    positive = np.array([False, True, False, True])
    assert abs(best_threshold(fields, positive) + 0.1) > 0.4


@pytest.mark.parametrize("solver", [AMP(0.01, 0.5, 0.9), AMP(0.003, 0.1, 0.3), MeanField()])
@pytest.mark.parametrize("bias", [-2.0, 2.0])
def test_message_passing_finds_a_threshold_far_out(solver, bias):
    X, y = teacher_student(51, 40, bias)
    assert solver.solve(free(X, y), np.random.default_rng(0)).n_violated == 0


def test_solvers_that_know_weights_only_see_the_threshold_as_six_more():
    class Watched(SBPI):
        def candidates(self, patterns, rng):
            seen.append(patterns)
            yield from super().candidates(patterns, rng)

    seen, patterns = [], free(*teacher_student(51, 3))
    found = Watched().solve(patterns, np.random.default_rng(0))
    assert seen[0].shape == (1, 57)
    assert_array_equal(seen[0].xi[0, :, :51], patterns.matrix)
    bits = np.sqrt(51) * 0.5 ** np.arange(1, 7)
    assert_array_equal(seen[0].xi[0, :, 51:], patterns.labels[:, None] * bits)
    assert found.w.shape == (1, 51)
    assert found.n_violated == patterns.n_violated(found.w)


# Flips


@pytest.mark.parametrize("table", [CANCER, unbalanced(1)])
def test_a_descent_ends_where_no_flip_of_one_weight_or_two_helps(table):
    patterns = free(standardised(table[0]), table[1])
    n, start = patterns.shape[1], hebbian(patterns)
    found = FlipDescent(start, n_pairs=n).solve(patterns, np.random.default_rng(0))
    assert found.n_violated == patterns.n_violated(found.w) < patterns.n_violated(start)
    signs = np.ones(n) - 2 * np.eye(n)
    assert min(patterns.n_violated(found.w * s) for s in signs) >= found.n_violated
    leads = patterns.leads(patterns.fields(found.w))[0]
    drops = 2 * found.w[0, :, None] * patterns.matrix.T
    pairs = [(leads - drops[i] - drops[j] <= 0).sum() for i in range(n) for j in range(i)]
    assert min(pairs) >= found.n_violated


def test_two_copies_of_a_feature_are_flipped_together():
    """What the two differ by tells something of the class; what they share tells nothing."""
    rng = np.random.default_rng(0)
    a, b, c = rng.standard_normal((3, 200))
    X = np.column_stack([a, a + 0.1 * b, 0.2 * c])
    patterns = free(X, (0.1 * b + 0.2 * c > 0).astype(int))
    start = np.array([[1.0, -1.0, 1.0]])
    single, pair = (
        FlipDescent(start, n_pairs).solve(patterns, np.random.default_rng(0)) for n_pairs in (0, 3)
    )
    assert_array_equal(single.w, start)
    assert_array_equal(pair.w, [[-1, 1, 1]])
    assert pair.n_violated == 0 < single.n_violated


def test_flips_of_patterns_without_a_threshold_are_counted_alike():
    patterns = random_patterns(31, 1, 0)
    found = FlipDescent(hebbian(patterns), 31).solve(patterns, np.random.default_rng(0))
    assert found.n_violated == patterns.n_violated(found.w) < patterns.n_violated(np.ones(31))
    assert_array_equal(hebbian(patterns), np.where(patterns.matrix.sum(axis=0) >= 0, 1, -1))


def test_either_class_counts_one_half_in_the_mean_row():
    X, y = unbalanced(2)
    means = X[y == 1].mean(axis=0) - X[y == 0].mean(axis=0)
    assert_array_equal(hebbian(free(X, y)), np.sign(means))


def test_a_kick_flips_a_tenth_of_the_weights():
    rng = np.random.default_rng(0)
    for n, flipped in ((1, 1), (3, 2), (57, 5), (300, 10)):
        w = rng.choice([-1.0, 1.0], (1, n))
        assert np.count_nonzero(kicked(w, rng) != w) == flipped


# The turns


def test_independent_features_are_told_from_those_of_tables():
    rng = np.random.default_rng(0)
    for n_rows, n in ((30, 201), (500, 21), (20_000, 5), (50, 1)):
        for X in (rng.choice([-1.0, 1.0], (n_rows, n)), 3 * rng.standard_normal((n_rows, n))):
            assert are_independent(Patterns(X[None]), rng)
    for X, y in (CANCER, WINE, IRIS, load_digits(return_X_y=True), unbalanced(0)):
        assert not are_independent(free(standardised(X), y > 0), rng)


def recorded(monkeypatch, patterns, solver, **more):
    """The solvers that took their turn, and what came of it."""
    solve, turns = BinarySolver.solve, []

    def watched(self, *args):
        turns.append((type(self), solve(self, *args)))
        return turns[-1][1]

    monkeypatch.setattr(BinarySolver, "solve", watched)
    return turns, solver.solve(patterns, np.random.default_rng(0), **more)


def test_the_first_solution_ends_the_search(monkeypatch):
    turns, found = recorded(monkeypatch, random_patterns(101, 0.3, 0), Auto())
    assert [each for each, _ in turns] == [AMP]
    assert found.n_violated == 0


@pytest.mark.parametrize("scaled", [True, False])
def test_the_best_of_all_turns_is_returned(monkeypatch, scaled):
    patterns = random_patterns(31, 4, 0)
    turns, found = recorded(monkeypatch, patterns, Auto(scaled))
    assert [each for each, _ in turns][:4] == [AMP, AMP, MeanField, FlipDescent]
    assert found.n_violated == min(each.n_violated for _, each in turns)
    assert found.n_violated == patterns.n_violated(found.w)
    assert found.n_iter == sum(each.n_iter for _, each in turns)


@pytest.mark.parametrize("max_iter", [1, 7, 301, 320])
def test_the_iterations_of_all_turns_together_are_limited(max_iter):
    patterns = random_patterns(31, 4, 0)
    found = Auto().solve(patterns, np.random.default_rng(0), max_iter)
    assert found.n_iter == max_iter
    assert found.n_violated == patterns.n_violated(found.w)


def test_an_interruption_ends_all_turns(monkeypatch):
    def interrupted(self, patterns, rng):
        yield np.ones(patterns.shape[1])
        raise KeyboardInterrupt

    monkeypatch.setattr(MeanField, "candidates", interrupted)
    patterns = random_patterns(31, 4, 0)
    with pytest.warns(UserWarning, match="interrupted"):
        turns, found = recorded(monkeypatch, patterns, Auto())
    assert turns[-1][0] is MeanField
    assert found.interrupted
    assert found.n_violated == min(each.n_violated for _, each in turns)


def test_the_default_is_no_solver_of_committees():
    with pytest.raises(ValueError, match="not of committees"):
        Auto().solve(Patterns(np.ones((1, 4, 5)), 3), np.random.default_rng(0))


def test_turns_are_named_as_they_begin(capsys):
    Auto().solve(random_patterns(31, 4, 0), np.random.default_rng(0), verbose=True)
    printed = capsys.readouterr().out
    assert printed.index("AMP") < printed.index("MeanField") < printed.index("FlipDescent")
