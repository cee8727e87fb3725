"""Weakness: which outcomes are open."""

import copy
from functools import cache

import numpy as np
import pytest
from fitted import fitted, rescaled
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.optimize import linprog
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier, MLPRegressor
from toys import features
from turns import in_turn

from skflat.measures import hessian_trace, open_pairs, weakness
from skflat.measures.feasibility._attainable import attainable
from skflat.objective import HiddenLayer, NotDefinedError
from skflat.problems import as_problem

# These fits are short on purpose.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def open_table(features, labels, probes, n_classes, dependent=False):
    """Which (probe, outcome) pairs are open; every proof is checked.

    If features depend on each other except for rounding, few closed pairs are decided.
    """
    pairs = open_pairs(features, labels, probes, n_classes)
    every = list(np.ndindex(pairs.is_open.shape))
    assert all(pairs.proves(*pair) for pair in every)
    exact = [pairs.proves(*pair, exactly=True) for pair in every] if dependent else True
    assert_array_equal(pairs.decided.ravel(), exact)
    return pairs.is_open


def widest_reading(features, labels, n_classes):
    """The affine map with entries in [-1, 1] of the greatest least margin, by HiGHS."""
    rows = np.column_stack([features, np.ones(len(features))])
    gaps = np.eye(n_classes)[labels][:, None, :] - np.eye(n_classes)
    others = np.arange(n_classes) != labels[:, None]
    pairs = np.einsum("nck,nd->nckd", gaps[:, :, :-1], rows)[others]
    pairs = pairs.reshape(len(pairs), -1)
    n = pairs.shape[1]
    result = linprog(
        np.r_[np.zeros(n), -1],
        A_ub=np.column_stack([-pairs, np.ones(len(pairs))]),
        b_ub=np.zeros(len(pairs)),
        bounds=[(-1, 1)] * n + [(None, 1)],
        method="highs",
    )
    return -result.fun, result.x[:-1].reshape(n_classes - 1, -1).T


def pairs_by_linear_programs(features, labels, probes, n_classes):
    """The same table by linear programs over all rows.

    What one finds decides a pair at every probe, if its margin there is clear too.
    """
    scale = np.abs(np.vstack([features, probes])).max(axis=0)
    scale[scale == 0] = 1
    features, probes = features / scale, probes / scale
    table = np.zeros((len(probes), n_classes), dtype=bool)
    for probe, outcome in np.ndindex(table.shape):
        if table[probe, outcome]:
            continue
        rows = np.vstack([features, probes[probe]])
        margin, U = widest_reading(rows, np.append(labels, outcome), n_classes)
        if margin > 1e-7:
            scores = np.column_stack([probes @ U[:-1] + U[-1], np.zeros(len(probes))])
            second, first = np.sort(scores, axis=1)[:, -2:].T
            clear = first - second > 1e-7
            table[clear, scores[clear].argmax(axis=1)] = True
    return table


def centred(logits):
    return (logits - logits.mean(axis=1, keepdims=True))[:, :-1]


@cache
def digits_network(seed, n_rows=250, n_probes=20, n_hidden=8):
    """Logits and hidden layer of a small network, on its training rows and on others."""
    X, y = load_digits(return_X_y=True)
    rows = np.random.default_rng(seed).permutation(len(X))
    train, other = X[rows[:n_rows]] / 16, X[rows[-n_probes:]] / 16
    clf = MLPClassifier((n_hidden,), learning_rate_init=0.003, max_iter=300, random_state=seed)
    objective = as_problem(clf.fit(train, y[rows[:n_rows]]), train, y[rows[:n_rows]]).objective
    w = as_problem(clf, train, y[rows[:n_rows]]).w
    layer = objective.capability(HiddenLayer)
    scores, hidden = ((f(w), f(w, other)) for f in (objective.scores, layer.features))
    return scores, hidden, scores[0].argmax(axis=1)


def test_two_points_on_a_line_leave_open_what_lies_between():
    features, labels = np.array([[-1.0], [1.0]]), np.array([0, 1])
    found = open_table(features, labels, np.array([[0.0], [2.0], [-3.0]]), 2)
    assert_array_equal(found, [[True, True], [False, True], [True, False]])


def test_three_classes_on_a_line():
    """The middle one cannot come back beyond its neighbours, the first not after the second."""
    features, labels = np.array([[-1.0], [0.0], [1.0]]), np.array([0, 1, 2])
    found = open_table(features, labels, np.array([[-0.5], [2.0], [0.0]]), 3)
    assert_array_equal(found, [[True, True, False], [False, False, True], [False, True, False]])


def test_conflicting_labels_leave_nothing_open():
    features, labels = np.array([[-1.0], [1.0], [1.0]]), np.array([0, 1, 0])
    assert not open_table(features, labels, np.array([[0.0], [2.0]]), 2).any()


def test_a_probe_on_the_hull_of_a_class_is_closed():
    """Two points of one class with the probe between them; exactly on their segment."""
    features, labels = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 1.0]]) / 3, np.array([0, 0, 1])
    found = open_table(features, labels, np.array([[0.7, 0.0], [0.7, -1e-3], [0.7, 1e-3]]) / 3, 2)
    assert_array_equal(found, [[True, False], [True, False], [True, True]])


def test_training_rows_are_open_for_their_own_label_alone():
    (logits, _), _, labels = digits_network(0)
    found = open_table(centred(logits), labels, centred(logits)[:5], 10)
    assert_array_equal(found, np.eye(10, dtype=bool)[labels[:5]])


@pytest.mark.parametrize("seed", in_turn(3, range(3)))
def test_what_is_open_is_what_linear_programs_say(seed):
    (logits, at_probes), _, labels = digits_network(seed)
    features, probes = centred(logits), centred(at_probes)[:5]
    found = open_table(features, labels, probes, 10, dependent=True)
    assert_array_equal(found, pairs_by_linear_programs(features, labels, probes, 10))
    assert found[np.arange(5), at_probes[:5].argmax(axis=1)].all()
    assert 0.1 < found.mean() < 1


def test_features_that_vary_in_few_directions_are_decided_too():
    """Ten logits of a network with three hidden units."""
    (logits, at_probes), (hidden, hidden_at), labels = digits_network(0, n_hidden=3)
    features, probes = centred(logits), centred(at_probes)
    directions = np.linalg.matrix_rank(features - features.mean(axis=0))
    assert directions == np.linalg.matrix_rank(hidden - hidden.mean(axis=0)) < 4
    found = open_table(features, labels, probes, 10, dependent=True)
    assert_array_equal(found, open_table(hidden, labels, hidden_at, 10))
    by_programs = pairs_by_linear_programs(hidden, labels, hidden_at[:6], 10)
    assert_array_equal(found[:6], by_programs)


@pytest.mark.parametrize("n_classes", [2, 3, 5])
def test_what_is_open_among_points_of_a_grid_is_what_linear_programs_say(n_classes):
    """Where many probes lie on points, edges and corners of the classes."""
    rng = np.random.default_rng(n_classes)
    for _ in range(12):
        features, probes = (rng.integers(-2, 3, size=(n, 2)).astype(float) for n in (15, 5))
        U = rng.normal(size=(3, n_classes))
        labels = (features @ U[:2] + U[2]).argmax(axis=1)
        found = open_table(features, labels, probes, n_classes)
        expected = pairs_by_linear_programs(features, labels, probes, n_classes)
        assert_array_equal(found, expected)


@pytest.mark.parametrize("n_rows", [20, 60, 120])
def test_what_is_open_for_two_classes_is_what_linear_programs_say(n_rows):
    _, (hidden, at_probes), labels = digits_network(1)
    odd = labels[:n_rows] % 2
    found = open_table(hidden[:n_rows], odd, at_probes, 2)
    expected = pairs_by_linear_programs(hidden[:n_rows], odd, at_probes, 2)
    assert_array_equal(found, expected)


@pytest.mark.parametrize("seed", range(3))
def test_logits_and_hidden_layer_leave_the_same_open_where_their_rank_is_the_same(seed):
    (logits, logits_at), (hidden, hidden_at), labels = digits_network(seed)
    ranks = [
        np.linalg.matrix_rank(rows - rows.mean(axis=0))
        for rows in (hidden, np.vstack([hidden, hidden_at]), centred(logits))
    ]
    assert ranks[0] == ranks[1] == ranks[2] >= 6
    found = open_table(hidden, labels, hidden_at, 10)
    logits = centred(logits), labels, centred(logits_at)
    assert_array_equal(found, open_table(*logits, 10, dependent=True))


def test_affine_maps_of_the_features_leave_the_same_open():
    _, (hidden, at_probes), labels = digits_network(0)
    rng = np.random.default_rng(0)
    A, t = rng.normal(size=(8, 8)), rng.normal(size=8)
    permuted, scales = rng.permutation(8), 2.0 ** rng.integers(-9, 9, size=8)
    expected = open_table(hidden, labels, at_probes, 10)
    nearly_flat = A @ np.diag(np.geomspace(1, 1e-5, 8)) @ A.T
    for change in (
        lambda F: F @ A + t,
        lambda F: F[:, permuted],
        lambda F: F * scales,
        lambda F: F @ nearly_flat,
    ):
        changed = change(hidden), labels, change(at_probes)
        # One unit is always 0, so maps of the features depend on each other except for rounding.
        assert_array_equal(open_table(*changed, 10, dependent=True), expected)


def test_fewer_rows_and_more_features_leave_more_open():
    (logits, logits_at), _, labels = digits_network(0)
    features, probes = centred(logits), centred(logits_at)
    tables = [open_table(features[:n], labels[:n], probes, 10, True) for n in (250, 120, 50)]
    for fewer, more in ((tables[0], tables[1]), (tables[1], tables[2])):
        assert (fewer <= more).all()
    assert tables[0].sum() < tables[2].sum()
    extra = np.random.default_rng(0).normal(size=(270, 2))
    wider = open_table(
        np.column_stack([features, extra[:250]]),
        labels,
        np.column_stack([probes, extra[250:]]),
        10,
        dependent=True,
    )
    assert (tables[0] <= wider).all()
    assert tables[0].sum() < wider.sum()


def test_a_unit_that_only_a_probe_wakes_leaves_everything_open_there():
    features, labels = np.array([[-1.0, 0.0], [1.0, 0.0]]), np.array([0, 1])
    found = open_table(features, labels, np.array([[2.0, 0.0], [2.0, 0.1]]), 2)
    assert_array_equal(found, [[False, True], [True, True]])
    line, probes = np.array([-1.0, 1.0]), np.array([[2.0, 0.1], [2.0, 0.0]])
    found, _ = attainable(features, line - 0.1, line + 0.1, line, probes)
    assert_allclose(found, [(-np.inf, np.inf), (1.8, 2.2)])


@pytest.mark.parametrize("factor", [2.0**-10, 0.5, 2.0, 2.0**10])
@pytest.mark.parametrize("name", ["classes", "two classes", "labels", "regression", "counts"])
def test_rescaling_the_layers_does_not_change_the_weakness(name, factor):
    """By a power of two, so that every bit of the features stays."""
    estimator, X, y = fitted(name)
    found, expected = weakness(rescaled(estimator, factor), X, y), weakness(estimator, X, y)
    assert_array_equal(found.samples, expected.samples)
    trace = hessian_trace(rescaled(estimator, factor), X, y).value
    assert abs(trace / hessian_trace(estimator, X, y).value - 1) > 0.1


def test_of_three_classes_and_more_the_weakness_is_that_of_the_function():
    """A unit without outgoing weights changes the hidden layer, and nothing else."""
    estimator, X, y = fitted("classes")
    wider = copy.deepcopy(estimator)
    rng = np.random.default_rng(0)
    wider.coefs_ = [
        np.column_stack([estimator.coefs_[0], rng.normal(size=4)]),
        np.vstack([estimator.coefs_[1], np.zeros(3)]),
    ]
    wider.intercepts_ = [np.append(estimator.intercepts_[0], 1.0), estimator.intercepts_[1]]
    assert_array_equal(weakness(wider, X, y).samples, weakness(estimator, X, y).samples)
    permuted = copy.deepcopy(estimator)
    order = [3, 1, 0, 5, 4, 2]
    permuted.coefs_ = [estimator.coefs_[0][:, order], estimator.coefs_[1][order]]
    permuted.intercepts_ = [estimator.intercepts_[0][order], estimator.intercepts_[1]]
    assert_array_equal(weakness(permuted, X, y).samples, weakness(estimator, X, y).samples)


@pytest.mark.parametrize(
    ("name", "features"),
    [("classes", "logits"), ("two classes", "hidden"), ("labels", "hidden"), ("counts", "hidden")],
)
def test_weakness_says_what_it_reads(name, features):
    assert weakness(*fitted(name)).protocol["features"] == features


def test_weakness_counts_the_pairs_that_are_open():
    estimator, X, y = fitted("classes")
    probes = np.random.default_rng(0).normal(size=(12, 4))
    task = as_problem(estimator, X, y)
    logits, at_probes = (task.objective.scores(task.w, inputs) for inputs in (X, probes))
    table = open_table(centred(logits), logits.argmax(axis=1), centred(at_probes), 3)
    found = weakness(estimator, X, y, X_probe=probes)
    assert_array_equal(found.samples, table.mean(axis=1))
    assert found.value == pytest.approx(table.mean(), rel=1e-12)
    assert found.stderr == pytest.approx(table.mean(axis=1).std(ddof=1) / 12**0.5)


def test_weakness_of_classes_counts_on_the_hidden_layer_where_asked():
    estimator, X, y = fitted("classes")
    probes = np.random.default_rng(0).normal(size=(12, 4))
    task = as_problem(estimator, X, y)
    hidden, at_probes = (features(task.objective, task.w, inputs) for inputs in (X, probes))
    table = open_table(hidden, task.objective.scores(task.w).argmax(axis=1), at_probes, 3)
    found = weakness(estimator, X, y, X_probe=probes, features="hidden")
    assert_array_equal(found.samples, table.mean(axis=1))
    assert found.protocol["features"] == "hidden"


@pytest.mark.parametrize(
    ("name", "features", "error"),
    [("two classes", "logits", NotDefinedError), ("classes", "pixels", ValueError)],
)
def test_features_that_are_not_there_cannot_be_read(name, features, error):
    with pytest.raises(error, match=f"features.* [Gg]ot '{features}'"):
        weakness(*fitted(name), features=features)


def test_inputs_of_the_wrong_width_cannot_be_measured():
    estimator, X, y = fitted("classes")
    with pytest.raises(ValueError, match=r"X has 3 features, but .* is expecting 4 features"):
        hessian_trace(estimator, X[:, :3], y)


@pytest.mark.parametrize(
    ("probes", "message"),
    [
        (np.ones((2, 3)), "X_probe has 3 features, but the network is expecting 4"),
        (sparse.csr_array(np.ones((2, 5))), "X_probe has 5 features"),
        (np.ones((0, 4)), "0 sample"),
        (np.ones(4), "Expected 2D array"),
        (np.full((2, 4), np.nan), "NaN"),
    ],
    ids=["narrow", "wide, sparse", "none", "flat", "NaN"],
)
@pytest.mark.parametrize("name", ["classes", "two classes", "labels"])
def test_probes_that_the_network_cannot_take_are_refused(name, probes, message):
    estimator, X, y = fitted(name)
    with pytest.raises(ValueError, match=message):
        weakness(estimator, X, y, X_probe=probes)


@pytest.mark.parametrize("convert", [np.asarray, np.ndarray.tolist, sparse.csr_array])
def test_a_measurement_holds_no_probes(convert):
    estimator, X, y = fitted("classes")
    found = weakness(estimator, X, y, X_probe=convert(X[:7]))
    assert found.protocol["parameters"]["X_probe"] == (7, 4)


def test_weakness_of_two_classes_counts_on_the_hidden_layer():
    estimator, X, y = fitted("two classes")
    probes = np.random.default_rng(0).normal(size=(12, 4))
    task = as_problem(estimator, X, y)
    hidden, at_probes = (features(task.objective, task.w, inputs) for inputs in (X, probes))
    table = open_table(hidden, estimator.predict(X).astype(int), at_probes, 2)
    assert_array_equal(weakness(estimator, X, y, X_probe=probes).samples, table.mean(axis=1))


def test_weakness_of_regression_counts_the_bins_that_can_be_reached():
    """The line y = x on [0, 1], whose bins are its tenths.

    Within ``e`` of it, a line is within ``e`` at 0.5, ``3 e`` at -1 and ``999 e`` at 500.
    """
    X = np.linspace(0, 1, 101)[:, None]
    line = MLPRegressor(hidden_layer_sizes=(), max_iter=1, random_state=0).fit(X, X[:, 0])
    line.coefs_, line.intercepts_ = [np.ones((1, 1))], [np.zeros(1)]
    probes = np.array([[0.45], [0.5], [-1.0], [500.0]])
    share = weakness(line, X, X[:, 0], X_probe=probes, tolerance=0.01).samples
    assert_allclose(share, [0.1, 0.2, 0.1, 0.1])
    loose = weakness(line, X, X[:, 0], X_probe=probes, tolerance=1.0).samples
    assert_allclose(loose, [0.7, 0.6, 0.1, 0.1])
    free = weakness(line, X, X[:, 0], X_probe=probes, tolerance=4.0).samples
    assert_allclose(free, 1)


@pytest.mark.parametrize("size", [1e16, 1e50, 1e120])
def test_predictions_that_round_by_more_than_the_tolerance_are_not_decided(size):
    """Of enormous predictions only the bin of the prediction itself is surely open."""
    estimator, X, y = copy.deepcopy(fitted("regression"))
    estimator.coefs_[-1] *= size
    found = weakness(estimator, X, y)
    assert found.value == pytest.approx(0.1)
    assert (found.kind, found.converged) == ("lower_bound", False)
    assert found.protocol["n_undecided"] == 0.9 * found.protocol["n_pairs"]
    assert np.isfinite(weakness(estimator, X, y, target="labels").value)


def test_equal_quantiles_are_one_edge():
    """Of the targets 0, 1 and 2 there are four bins: up to 0, 1, 2, and beyond."""
    X = np.repeat([0.0, 1.0, 2.0], 30)[:, None]
    line = MLPRegressor(hidden_layer_sizes=(), max_iter=1, random_state=0).fit(X, X[:, 0])
    line.coefs_, line.intercepts_ = [np.ones((1, 1))], [np.zeros(1)]
    probes = np.array([[0.5], [1.0], [9.0]])
    assert_allclose(weakness(line, X, X[:, 0], X_probe=probes).samples, [0.25, 0.5, 0.25])


@pytest.mark.parametrize("constant", [0.0, 1.0, 0.1, -1e9])
def test_of_a_constant_target_only_the_value_itself_is_open(constant):
    """Whether or not its standard deviation is 0 but for rounding."""
    X, y = np.linspace(0, 1, 60)[:, None], np.full(60, constant)
    flat = MLPRegressor(hidden_layer_sizes=(), max_iter=1, random_state=0).fit(X, y)
    flat.coefs_, flat.intercepts_ = [np.zeros((1, 1))], [np.array([constant])]
    assert_allclose(weakness(flat, X, y).samples, 0.1)


def test_the_targets_do_not_change_the_weakness_of_classes():
    """It is about the learned function, not about whether that is right."""
    estimator, X, y = fitted("classes")
    shuffled = np.random.default_rng(0).permutation(y)
    assert_array_equal(weakness(estimator, X, y).samples, weakness(estimator, X, shuffled).samples)


def test_weakness_draws_as_many_probes_as_asked():
    estimator, X, y = fitted("classes")
    assert len(weakness(estimator, X, y, n_probes=17).samples) == 17
    few, many = (weakness(estimator, X, y, n_probes=n) for n in (20, 500))
    assert abs(few.value - many.value) < 3 * np.hypot(few.stderr, many.stderr)
    assert many.stderr < few.stderr


def test_at_least_what_the_network_says_is_open():
    for name, floor in (("classes", 1 / 3), ("two classes", 1 / 2), ("regression", 1 / 10)):
        assert weakness(*fitted(name), n_probes=30).samples.min() >= floor - 1e-12
