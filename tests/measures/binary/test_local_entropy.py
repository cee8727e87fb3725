"""The number of solutions around a solution, and the effect of random flips on it."""

from math import comb

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import ndtr
from sklearn.datasets import load_iris
from sklearn.neural_network import MLPClassifier
from storage import portable, random_patterns, sign_vectors, solutions, stored

from skflat import (
    FlatCommitteeClassifier,
    FlatMLPClassifier,
    FlatPerceptronClassifier,
    FlatSphericalPerceptronClassifier,
)
from skflat.displays import LocalEntropyDisplay
from skflat.measures import (
    FlipDistance,
    FlipEnergy,
    LocalEnergy,
    LocalEntropy,
    flip_distance,
    flip_energy,
    local_entropy,
)
from skflat.measures.noise._shells import counts_by_distance, sampled_log_count
from skflat.models.threshold import BeliefPropagation, Patterns, flip_error
from skflat.problems import as_problem
from skflat.solvers.binary import AMP, SBPI, BinaryReplicatedSGD

TYPICAL = 0.1090  # local energy of typical solutions at 2 % flips and a load of one half
TABLE = {(0.0053, 0.0281), (0.0138, 0.0625), (0.0273, 0.1052), (0.0522, 0.1640)}


def storing(n, load, seed, solver="amp", dtype=float):
    """A perceptron that has stored random patterns, and these."""
    rng = np.random.default_rng(seed)
    X = rng.choice(np.array([-1, 1], dtype), (round(load * n), n))
    y = rng.integers(2, size=len(X))
    clf = FlatPerceptronClassifier(
        solver=solver, scale=False, fit_intercept=False, measures=None, random_state=seed
    ).fit(X, y)
    assert clf.n_errors_ == 0
    return clf, X, y


@pytest.fixture(scope="module")
def small():
    return storing(19, 0.3, 0)


@pytest.fixture(scope="module")
def medium():
    return storing(61, 0.5, 0)


@pytest.fixture(scope="module")
def large():
    return storing(801, 0.5, 0)


# Shells


@pytest.mark.parametrize("size", [(11, 5, 1), (15, 9, 2), (17, 8, 3)])
def test_solutions_are_counted_at_every_distance(size):
    patterns, n = stored(*size), size[0]
    W = solutions(patterns)
    for w in (W[0], np.ones(n)):
        flips = ((w != W).sum(axis=1)).astype(int)
        assert_array_equal(counts_by_distance(patterns, w), np.bincount(flips, minlength=n + 1))


def test_solutions_are_counted_with_thresholds():
    patterns = Patterns(portable(13, 6, 1)[None], offset=np.linspace(-3, 3, 6)[None])
    assert counts_by_distance(patterns, np.ones(13)).sum() == len(solutions(patterns))


def test_without_rows_that_bind_a_shell_is_full():
    loose = Patterns(portable(12, 4, 1)[None], bar=-100.0)
    assert_array_equal(counts_by_distance(loose, np.ones(12)), [comb(12, k) for k in range(13)])
    log_count, stderr = sampled_log_count(loose, np.ones(12), 5, np.random.default_rng(0))
    assert log_count == pytest.approx(np.log(comb(12, 5)), rel=1e-12)
    assert stderr == 0


@pytest.mark.parametrize("n_flips", [1, 2, 5])
def test_the_sampled_count_is_the_true_one(n_flips):
    patterns = stored(17, 8, 3)
    w = next(w for w in solutions(patterns) if counts_by_distance(patterns, w)[1] > 2)
    exact = np.log(counts_by_distance(patterns, w)[n_flips])
    log_count, stderr = sampled_log_count(patterns, w, n_flips, np.random.default_rng(0))
    assert 0 < stderr < 0.3
    assert log_count == pytest.approx(exact, abs=4 * stderr)


def test_chains_keep_their_distance_and_their_fields():
    from skflat.measures.noise._shells import _Chains

    patterns, w = stored(17, 8, 3), solutions(stored(17, 8, 3))[3]
    chains = _Chains(patterns, w, 4, np.random.default_rng(0), 30)
    for _ in range(50):
        chains.exchange(0.5)
    s = np.ones((30, 17))
    np.put_along_axis(s, chains.order[:, :4], -1.0, axis=1)
    assert ((s < 0).sum(axis=1) == 4).all()
    assert_allclose(chains.fields, (s * w) @ patterns.matrix.T)


# Local entropy


def test_of_few_weights_it_is_the_logarithm_of_a_count(small):
    found = local_entropy(*small, distance=[1 / 19, 3 / 19, 5 / 19])
    clf, X, y = small
    W = sign_vectors(19)
    W = W[((2 * y - 1)[:, None] * X @ W.T > 0).all(axis=0)]
    flips = (clf.weights_[0] != W).sum(axis=1)
    expected = [np.log((flips == k).sum()) / 19 for k in (1, 3, 5)]
    assert_allclose(found.table["entropy"], expected, rtol=1e-12)
    assert (found.kind, found.stderr, found.value) == ("exact", 0, found.table["entropy"][-1])
    assert_allclose(found.table["shell"], np.log([comb(19, k) for k in (1, 3, 5)]) / 19)


def test_the_three_ways_to_it_agree(small, medium):
    distances = np.array([1, 2, 4]) / 19
    exact = local_entropy(*small, distance=distances).table["entropy"]
    sampled = local_entropy(*small, distance=distances, method="sample").table
    assert_allclose(sampled["entropy"], exact, atol=4 * sampled["entropy_stderr"].max())
    # In a shell with a sharp boundary there are fewer weights than Bethe's entropy counts, by a
    # share that is the same for solutions and for all weights.
    tables = [
        local_entropy(*medium, distance=np.array([2, 5, 10]) / 61, method=method).table
        for method in ("sample", "bethe")
    ]
    lost = [table["shell"] - table["entropy"] for table in tables]
    assert_allclose(lost[0], lost[1], atol=1 / 61)


def test_which_way_is_taken(small, medium, large):
    methods = [
        LocalEntropy(0.05).measure(*each).protocol["method"] for each in (small, medium, large)
    ]
    assert methods == ["exact", "sample", "bethe"]


def test_bethes_entropies_are_those_known_for_solutions_of_amp(large):
    distance, known = np.array(sorted(TABLE)).T
    found = local_entropy(*large, distance=distance)
    assert_allclose(found.table["entropy"], known, rtol=0.05)
    assert found.converged
    assert (found.table["entropy"] < found.table["shell"]).all()


def test_where_the_field_is_zero_all_solutions_count(large):
    """At the mean overlap of all solutions with the reference it no longer matters."""
    clf, X, y = large
    messages = BeliefPropagation(
        Patterns(((2 * y - 1)[:, None] * X)[None]), rng := np.random.default_rng(0)
    )
    for _ in range(60):
        messages.sweep(rng)
    distance = (1 - (np.tanh(messages.total) * clf.weights_).mean()) / 2
    found = local_entropy(*large, distance=[0.2, distance, 0.4]).table["entropy"]
    assert found[1] == pytest.approx(messages.log_partition() / 801, abs=1e-6)
    assert found[1] > max(found[0], found[2])


def test_the_solutions_of_sbpi_are_less_dense():
    by_solver = [storing(801, 0.5, 1, solver) for solver in ("amp", "sbpi")]
    dense, sparse = (local_entropy(*each, distance=0.02).value for each in by_solver)
    assert sparse < dense - 0.005


def test_where_nothing_is_solved_the_entropy_is_minus_infinity():
    X = np.concatenate([portable(15, 5, 1), portable(15, 5, 1)])
    y = np.arange(10) // 5
    with pytest.warns(UserWarning, match="without a solution"):
        clf = FlatPerceptronClassifier(
            scale=False, fit_intercept=False, measures=None, max_iter=5, random_state=0
        ).fit(X, y)
    assert local_entropy(clf, X, y, distance=0.1).value == -np.inf
    sampled = local_entropy(clf, X, y, distance=0.1, method="sample")
    assert (sampled.value, sampled.converged) == (-np.inf, False)
    display = LocalEntropyDisplay.from_estimator(clf, X, y)
    assert len(display.lines_) == 1


def test_of_several_classes_it_is_the_mean():
    rng = np.random.default_rng(0)
    X, y = rng.choice([-1.0, 1.0], (9, 21)), np.arange(9) % 3
    clf = FlatPerceptronClassifier(scale=False, fit_intercept=False, random_state=0).fit(X, y)
    found = local_entropy(clf, X, y, distance=[1 / 21, 3 / 21])
    counts = [
        counts_by_distance(Patterns(((2 * (y == c) - 1)[:, None] * X)[None]), w)[3]
        for c, w in enumerate(clf.weights_)
    ]
    assert found.value == pytest.approx(np.mean(np.log(counts)) / 21, rel=1e-12)
    assert_allclose(found.samples, np.log(counts) / 21)


def test_of_real_weights_it_is_the_local_energy():
    X, y = load_iris(return_X_y=True)
    network = MLPClassifier((4,), max_iter=20, random_state=0)
    with pytest.warns(UserWarning, match="Maximum iterations"):
        network.fit(X, y)
    energy = LocalEnergy().measure(network, X, y)
    assert local_entropy(network, X, y).value == energy.value
    assert LocalEntropy()(network, X, y) == LocalEnergy()(network, X, y) == -energy.value


def test_a_greater_entropy_scores_higher(small):
    assert LocalEntropy()(*small) == LocalEntropy().measure(*small).value


def test_rows_without_weight_do_not_count(small):
    clf, X, y = small
    more, labels = np.concatenate([X, X]), np.concatenate([y, 1 - y])
    weight = np.repeat([2.0, 0.0], len(X))
    found = local_entropy(clf, more, labels, sample_weight=weight)
    assert_array_equal(found.table["entropy"], local_entropy(clf, X, y).table["entropy"])


def test_messages_that_do_not_converge_say_so(monkeypatch, large):
    monkeypatch.setattr("skflat.measures.binary._local_entropy.MAX_SWEEPS", 1)
    with pytest.warns(UserWarning, match="not to be trusted"):
        found = LocalEntropy(0.05).measure(*large)
    assert (found.converged, found.stderr) == (False, np.inf)


def test_the_entropy_around_a_committee_that_is_wrong_is_finite():
    """Rows so wrong that the chance of a majority is 0 in double precision."""
    xi = np.full((3, 2, 2001), -1.0)
    messages = BeliefPropagation(Patterns(xi), np.random.default_rng(0))
    messages.set_external(np.full((3, 2001), 20.0))
    rows = messages.log_partition() - 20 * 3 * 2001
    assert_allclose(rows, 2 * np.log(np.finfo(float).tiny), rtol=1e-3)


def test_committees_have_one_too():
    rng = np.random.default_rng(0)
    X, y = rng.choice([-1.0, 1.0], (60, 303)), np.arange(60) % 2
    settings = {"scale": False, "fit_intercept": False, "measures": None, "random_state": 0}
    clf = FlatCommitteeClassifier(3, "tree", "replicated_sgd", **settings).fit(X, y)
    found = local_entropy(clf, X, y)
    assert (found.table["entropy"] < found.table["shell"]).all()
    assert (np.diff(found.table["entropy"]) > 0).all()
    with pytest.raises(ValueError, match="not for committees"):
        local_entropy(clf, X, y, method="exact")


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"method": "exact"}, "at most 24 weights, got 61"),
        ({"method": "guess"}, "method"),
        ({"distance": 0.6}, "must not exceed 1/2"),
        ({"distance": [0.2, 0.1]}, "several that increase"),
        ({"distance": 0.0}, "> 0"),
    ],
)
def test_bad_parameters_of_the_entropy_are_named(medium, params, message):
    with pytest.raises(ValueError, match=message):
        local_entropy(*medium, **params)


def test_the_same_seed_gives_the_same_bits(medium):
    first, second = (local_entropy(*medium, distance=0.1) for _ in range(2))
    assert first.value == second.value
    assert local_entropy(*medium, distance=0.1, random_state=1).value != first.value


def test_the_entropy_is_drawn_with_all_weights_beside_it(medium):
    display = LocalEntropyDisplay.from_estimator(*medium, distance=[0.02, 0.05], name="amp")
    assert_allclose(display.lines_[0].get_ydata(), display.entropy)
    assert_allclose(display.shell_line_.get_ydata(), display.shell)
    assert display.ax_.get_legend_handles_labels()[1] == ["amp"]
    again = display.plot(ax=display.ax_, shell=False)
    assert again.shell_line_ is None
    with pytest.raises(ValueError, match="LocalEntropy"):
        LocalEntropyDisplay.from_measurement(flip_energy(*medium))


# Flips


@pytest.mark.parametrize("distance", [0.01, 0.05, 0.2, 0.5])
def test_the_error_after_flips_is_that_of_draws(large, distance):
    clf, X, y = large
    w, xi = clf.weights_[0], (2 * y - 1)[:, None] * X
    rng = np.random.default_rng(0)
    flips = 1 - 2.0 * (rng.random((801, 1500)) < distance)
    drawn = (xi @ (w[:, None] * flips) <= 0).mean(axis=0)
    stderr = drawn.std(ddof=1) / np.sqrt(len(drawn))
    found = flip_error(Patterns(xi[None]), w[None], distance).mean()
    assert found == pytest.approx(drawn.mean(), abs=3 * stderr)


def test_on_signs_it_is_the_formula_of_the_stability(medium):
    clf, X, y = medium
    stability = (2 * y - 1) * clf.decision_function(X) / np.sqrt(61)
    d = np.array([0.01, 0.1, 0.3])
    table = flip_energy(*medium, distance=d).table
    expected = [ndtr(-(1 - 2 * p) * stability / np.sqrt(4 * p * (1 - p))).mean() for p in d]
    assert_allclose(table["error"], expected, rtol=1e-9)
    assert_allclose(table["rise"], expected, rtol=1e-9)


def test_without_flips_the_error_is_that_of_the_weights_and_with_half_it_is_a_half(medium):
    clf, X, y = medium
    patterns = Patterns(((2 * y - 1)[:, None] * X)[None])
    assert flip_error(patterns, clf.weights_, 0.0).sum() == 0
    assert_array_equal(flip_error(patterns, -clf.weights_, 0.0), 1)
    assert flip_energy(*medium, distance=0.5).value == 0.5


def test_flips_of_a_committee_are_those_of_draws():
    rng, n_draws = np.random.default_rng(0), 2000
    patterns = Patterns(rng.choice([-1.0, 1.0], (1, 40, 201)), 5)
    w = rng.choice([-1.0, 1.0], (5, 201))
    flips = 1 - 2.0 * (rng.random((n_draws, 5, 201)) < 0.1)
    votes = np.sign(np.einsum("ri,dki->drk", patterns.xi[0], w * flips)).sum(axis=2)
    drawn = (votes <= 0).mean(axis=1)
    found = flip_error(patterns, w, 0.1).mean()
    assert found == pytest.approx(drawn.mean(), abs=4 * drawn.std() / np.sqrt(n_draws))


@pytest.mark.parametrize(
    ("solver", "share"),
    [(AMP(), 3), (SBPI(), 2), pytest.param(BinaryReplicatedSGD(), 3, marks=pytest.mark.slow)],
)
def test_algorithms_find_solutions_that_are_flatter_than_typical_ones(solver, share):
    patterns = random_patterns(2001, 0.5, 0, np.float32)
    found = solver.solve(patterns, np.random.default_rng(1))
    assert found.n_violated == 0
    assert flip_error(patterns, found.w, 0.02).mean() < TYPICAL / share


def test_at_the_flip_distance_the_error_has_risen_by_the_level(medium):
    y = medium[2]
    found = flip_distance(*medium)
    level = min(y.mean(), 1 - y.mean()) / 10
    assert found.protocol["level"] == pytest.approx(level)
    assert flip_energy(*medium, distance=found.value).value == pytest.approx(level, rel=1e-5)
    further = flip_distance(*medium, level=2 * level)
    assert further.value > found.value


def test_a_level_that_is_never_reached_is_infinitely_far(medium):
    with pytest.warns(UserWarning, match="the distance is infinite"):
        found = flip_distance(*medium, level=0.9)
    assert found.value == np.inf
    assert not found.converged


def test_on_a_sample_of_rows_flips_have_a_standard_error():
    clf, X, y = storing(401, 0.6, 0)
    rng, whole = np.random.default_rng(0), flip_energy(clf, X, y).value
    samples = [rng.choice(len(X), 60, replace=False) for _ in range(200)]
    problems = [as_problem(clf, X[rows], y[rows], sampled_from=len(X)) for rows in samples]
    found = [FlipEnergy().evaluate(problem) for problem in problems]
    values = np.array([each.value for each in found])
    assert values.mean() == pytest.approx(whole, abs=4 * values.std() / np.sqrt(200))
    assert np.mean([each.stderr for each in found]) == pytest.approx(values.std(), rel=0.25)
    assert {each.kind for each in found} == {"estimate"}
    distances = [FlipDistance(0.05).evaluate(problem) for problem in problems[:100]]
    values = np.array([each.value for each in distances])
    assert np.mean([each.stderr for each in distances]) == pytest.approx(values.std(), rel=0.3)
    assert LocalEntropy(0.05).evaluate(problems[0]).kind == "upper_bound"


@pytest.mark.filterwarnings("ignore:Training ended no better than the best constant")
@pytest.mark.parametrize("measure", [FlipEnergy(), FlipDistance()])
def test_flips_are_of_binary_weights(measure):
    X, y = load_iris(return_X_y=True)
    network = FlatMLPClassifier((4,), measures=None, max_iter=20, random_state=0)
    with pytest.warns(UserWarning, match="Maximum iterations"):
        network.fit(X, y)
    real = FlatSphericalPerceptronClassifier("max_margin", measures=None).fit(X, y)
    for estimator in (network, real):
        with pytest.raises(TypeError, match="weights in"):
            measure.measure(estimator, X, y)


def test_flips_do_not_depend_on_the_order_of_features_nor_on_their_signs(medium):
    clf, X, y = medium
    order, flip = np.random.default_rng(0).permutation(61), np.where(np.arange(61) % 2, -1.0, 1.0)
    problem, moved = (as_problem(clf, X, y) for _ in range(2))
    moved.objective.data.X = (X * flip)[:, order]
    moved.w[:] = (problem.w * flip)[order]
    for measure in (FlipEnergy(), FlipDistance(), LocalEntropy(0.05, method="bethe")):
        here, there = measure.evaluate(problem).value, measure.evaluate(moved).value
        assert there == pytest.approx(here, rel=1e-4)
