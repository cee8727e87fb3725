"""Weakness: the proofs of the decisions, and special cases."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from fitted import IRIS, SPECIES, TRAITS, fitted, rescaled
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.neural_network import MLPClassifier, MLPRegressor
from test_weakness import (
    centred,
    digits_network,
    open_table,
    pairs_by_linear_programs,
    widest_reading,
)

from skflat.measures import Weakness, hessian_trace, open_pairs, weakness
from skflat.measures.feasibility._attainable import within
from skflat.measures.feasibility._completions import Completions
from skflat.measures.feasibility._exact import surely_vanishes, surely_wins
from skflat.problems import as_problem

# These fits are short on purpose.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

LINE = np.array([[-1.0], [1.0]])


# Exact arithmetic


def test_scores_that_rounding_makes_equal_are_told_apart():
    """0.1 + 0.2 exceeds 0.3 in floating point; the three numbers as they are stored do so too."""
    W = np.array([[0.1, 0.3], [0.2, 0.0]])
    assert surely_wins(np.ones((1, 2)), W, [0]) == (0.1 + 0.2 > 0.3)
    tiny = np.array([[1.0, 1.0], [2.0**-60, 0.0]])
    assert (np.ones(2) @ tiny)[0] == 1
    assert_array_equal(surely_wins(np.ones((1, 2)), tiny, [0]), [True])
    assert_array_equal(surely_wins(np.ones((1, 2)), tiny, [1]), [False])
    assert_array_equal(surely_wins(np.ones((1, 2)), np.ones((2, 2)), [0]), [False])


def test_every_map_and_row_is_judged_for_itself():
    rows = np.array([[1.0, 0.0], [0.0, 1.0]])
    maps = np.array([np.eye(2), -np.eye(2), np.zeros((2, 2))])
    assert_array_equal(
        surely_wins(rows, maps, [0, 1]), [[True, True], [False, False], [False, False]]
    )


def test_a_sum_vanishes_exactly_or_it_does_not():
    third = np.array([1 / 3, 1.0])
    assert surely_vanishes(np.array([third, -2 * third]), np.array([2.0, 1.0]))
    # The weights need not be exact, only close to some that are.
    assert surely_vanishes(np.array([third, -4 * third]), np.array([4.0000001, 1.0]))
    assert not surely_vanishes(np.array([third, -3 * third]), np.array([3.0, 1.0]))  # they round
    assert not surely_vanishes(np.array([third, [-1 / 3, -1 - 2**-52]]), np.ones(2))
    assert not surely_vanishes(np.array([third, 2 * third]), np.ones(2))
    square = np.array([[1.0, 0], [0, 1], [-1, 0], [0, -1]])
    assert surely_vanishes(square, np.ones(4))
    assert not surely_vanishes(square[:2], np.ones(2))


# Proofs


def test_a_proof_that_was_tampered_with_proves_nothing():
    pairs = open_pairs(LINE, [0, 1], [[0.5], [2.0]])
    assert pairs.proves(1, 0)
    assert pairs.proves(1, 0, exactly=True)
    proof = pairs.refutations[1, 0]
    for change in (
        {"weights": proof.weights * [1, 1, 2]},
        {"rows": proof.rows[[0, 2, 1]]},
        {"rivals": 1 - proof.rivals},
    ):
        forged = replace(pairs, refutations={(1, 0): proof._replace(**change)})
        assert not forged.proves(1, 0)
    assert not replace(pairs, witnesses=-pairs.witnesses).proves(0, 0)
    assert not replace(pairs, refutations={}).proves(1, 0)


def test_a_witness_is_a_last_layer_and_a_refutation_adds_up_to_nothing():
    _, (hidden, at_probes), labels = digits_network(0)
    pairs = open_pairs(hidden, labels, at_probes)
    rows = np.column_stack([hidden, np.ones(len(hidden))])
    for probe, outcome in np.argwhere(pairs.is_open)[::10]:
        W = pairs.witnesses[pairs.witness_of[probe, outcome]]
        assert_array_equal((rows @ W).argmax(axis=1), labels)
        assert (np.append(at_probes[probe], 1) @ W).argmax() == outcome
    assert len(pairs.refutations) == (~pairs.is_open).sum() > 5
    for (probe, outcome), (index, rivals, weights) in pairs.refutations.items():
        assert (weights > 0).all()
        assert -1 in index
        total = np.zeros((10, rows.shape[1]))
        for i, rival, weight in zip(index, rivals, weights, strict=True):
            row = rows[i] if i >= 0 else np.append(at_probes[probe], 1)
            total[labels[i] if i >= 0 else outcome] += weight * row
            total[rival] -= weight * row
        assert np.abs(total).max() < 1e-9 * weights.sum() * np.abs(rows).max()


def test_on_independent_features_the_proofs_hold_in_rational_arithmetic():
    _, (hidden, at_probes), labels = digits_network(1)
    alive = hidden.max(axis=0) > 0
    pairs = open_pairs(hidden[:, alive], labels, at_probes[:, alive])
    assert pairs.decided.all()
    closed = np.argwhere(~pairs.is_open)
    assert len(closed) > 5
    assert all(pairs.proves(*pair, exactly=True) for pair in closed)


small = st.integers(-2, 2)


@st.composite
def small_problems(draw):
    d, n_classes = draw(st.integers(1, 2)), draw(st.integers(2, 3))
    point = st.lists(small, min_size=d, max_size=d)
    features = draw(st.lists(point, min_size=1, max_size=8))
    probes = draw(st.lists(point, min_size=1, max_size=3))
    label = st.integers(0, n_classes - 1)
    labels = draw(st.lists(label, min_size=len(features), max_size=len(features)))
    return np.array(features, float), np.array(labels), np.array(probes, float), n_classes


@settings(max_examples=60, deadline=None, derandomize=True)
@given(small_problems())
def test_of_any_small_problem_the_decisions_are_right_and_proven(problem):
    """On a grid no margin is positive and tiny, so linear programs decide reliably."""
    pairs = open_pairs(*problem)
    assert pairs.decided.all()
    assert all(pairs.proves(*pair, exactly=True) for pair in np.ndindex(pairs.is_open.shape))
    assert set(pairs.refutations) == {tuple(pair) for pair in np.argwhere(~pairs.is_open).tolist()}
    features, labels, probes, n_classes = problem
    for probe, outcome in np.ndindex(pairs.is_open.shape):
        rows = np.vstack([features, probes[probe]])
        margin, _ = widest_reading(rows, np.append(labels, outcome), n_classes)
        assert pairs.is_open[probe, outcome] == (margin > 1e-7)


def test_many_features_are_decided_as_linear_programs_do():
    rng = np.random.default_rng(0)
    features, probes = rng.normal(size=(90, 30)), rng.normal(size=(4, 30))
    labels = (features[:, :4] @ rng.normal(size=(4, 5))).argmax(axis=1)
    pairs = open_pairs(features, labels, probes, 5)
    assert (features.shape[1] + 1) * 4 > 100
    assert_array_equal(pairs.is_open, pairs_by_linear_programs(features, labels, probes, 5))
    assert all(pairs.proves(*pair) for pair in np.ndindex(pairs.is_open.shape))


@pytest.mark.parametrize(("n_rows", "n_features", "n_classes"), [(500, 25, 26), (400, 64, 10)])
def test_pairs_of_many_variables_need_no_program_of_all_classes(
    n_rows, n_features, n_classes, monkeypatch
):
    """Of 585 and 650 variables, such a program takes a hundred times as long as a walk."""
    rng = np.random.default_rng(0)
    features, probe = rng.normal(size=(n_rows, n_features)), rng.normal(size=(1, n_features))
    scores = features @ rng.normal(size=(n_features, n_classes))
    monkeypatch.setattr(Completions, "decide", None)
    probes = np.vstack([features[:1], probe])
    pairs = open_pairs(features, scores.argmax(axis=1), probes, n_classes, scores)
    assert pairs.decided.all()
    assert_array_equal(pairs.is_open.sum(axis=1), [1, n_classes])


@pytest.mark.parametrize(("n_rows", "n_features"), [(200, 3), (300, 60), (40, 60)])
def test_two_classes_are_decided_as_linear_programs_do(n_rows, n_features):
    rng = np.random.default_rng(n_rows)
    features, probes = rng.normal(size=(n_rows, n_features)), rng.normal(size=(15, n_features))
    scores = np.outer(features @ rng.normal(size=n_features) + 0.1, [-1, 1])
    labels = scores.argmax(axis=1)
    expected = pairs_by_linear_programs(features, labels, probes, 2)
    assert_array_equal(open_table(features, labels, probes, 2), expected)


@pytest.mark.parametrize("n_rows", [30, 300])
@pytest.mark.parametrize(("n_features", "n_classes"), [(110, 2), (40, 5), (20, 8)])
def test_known_scores_change_where_the_search_begins_and_not_what_it_finds(
    n_rows, n_features, n_classes
):
    """Right ones, those of another map, and some that no map gives."""
    rng = np.random.default_rng(13)
    features, probes = rng.normal(size=(n_rows, n_features)), rng.normal(size=(4, n_features))
    scores = features @ rng.normal(size=(n_features, n_classes))
    labels = scores.argmax(axis=1)
    expected = open_table(features, labels, probes, n_classes)
    for known in (scores, -scores, rng.normal(size=scores.shape)):
        pairs = open_pairs(features, labels, probes, n_classes, known)
        assert_array_equal(pairs.is_open, expected)
        assert all(pairs.proves(*pair) for pair in np.ndindex(expected.shape))


@pytest.mark.parametrize(
    "change",
    [
        lambda F: F * 10.0 ** np.array([-12, 0, 9, 3]),
        lambda F: F + 1e6,
        lambda F: F @ np.outer([1.0, -2.0, 3.0, 0.5], [1.0, 2.0, -1.0, 4.0]),
        lambda F: F[:, :1] * [0.0, 1.0, 1.0, 0.0],
        np.round,
    ],
    ids=["scales", "offset", "one direction", "dead and twins", "grid"],
)
@pytest.mark.parametrize("n_rows", [1, 3, 60])
def test_awkward_features_are_decided_and_proven(change, n_rows):
    rng = np.random.default_rng(n_rows)
    features, probes = change(rng.normal(size=(n_rows, 4))), change(rng.normal(size=(6, 4)))
    span = np.abs(features).max(axis=0) + 1e-300
    labels = (features / span @ rng.normal(size=(4, 4)) + rng.normal(size=4)).argmax(axis=1)
    pairs = open_pairs(features, labels, probes, 4)
    assert pairs.decided.all()
    assert pairs.is_open.any()
    assert all(pairs.proves(*pair) for pair in np.ndindex(pairs.is_open.shape))


# Rescalings


@pytest.mark.parametrize("features", ["logits", "hidden"])
@pytest.mark.parametrize("factor", [0.01, 0.1, 3.0, 100.0])
def test_no_rescaling_changes_the_count(features, factor):
    estimator, X, y = fitted("classes, deep")
    probes = np.random.default_rng(0).normal(size=(40, 4))
    tables = [
        Weakness(X_probe=probes, features=features).decisions(network, X, y)[0].is_open
        for network in (estimator, rescaled(estimator, factor), rescaled(estimator, factor, 1))
    ]
    assert_array_equal(tables[1], tables[0])
    assert_array_equal(tables[2], tables[0])
    assert 0.34 < tables[0].mean() < 1


def test_a_rescaling_that_the_hessian_notices_fiftyfold():
    estimator, X, y = fitted("classes, deep")
    moved = rescaled(estimator, 100.0)
    ratio = hessian_trace(moved, X, y).value / hessian_trace(estimator, X, y).value
    assert max(ratio, 1 / ratio) > 50
    assert weakness(moved, X, y).value == weakness(estimator, X, y).value


@pytest.mark.parametrize("factor", [2.0**-6, 2.0**7])
def test_powers_of_two_keep_every_bit_of_the_proofs(factor):
    estimator, X, y = fitted("classes, deep")
    first, second = (
        Weakness(features="hidden").decisions(network, X, y)[0]
        for network in (estimator, rescaled(estimator, factor, 1))
    )
    assert_array_equal(first.witness_of, second.witness_of)
    for pair, proof in first.refutations.items():
        assert_array_equal(proof.rows, second.refutations[pair].rows)
        assert_array_equal(proof.weights, second.refutations[pair].weights)


def test_a_unit_without_outgoing_weights_opens_the_hidden_layer_and_not_the_logits():
    """It answers to one probe alone, so on the hidden layer all outcomes are open there."""
    estimator, X, y = fitted("classes")
    probe = np.array([[3.0, -3.0, 3.0, -3.0]])
    wider = type(estimator)(**estimator.get_params())
    vars(wider).update(vars(estimator))
    direction = probe[0] / 6
    bias = -((X @ direction).max() + (probe @ direction).item()) / 2
    assert (X @ direction + bias).max() < 0 < (probe @ direction + bias).item()
    wider.coefs_ = [
        np.column_stack([estimator.coefs_[0], direction]),
        np.vstack([estimator.coefs_[1], np.zeros(3)]),
    ]
    wider.intercepts_ = [np.append(estimator.intercepts_[0], bias), estimator.intercepts_[1]]
    hidden = [weakness(net, X, y, X_probe=probe, features="hidden") for net in (estimator, wider)]
    assert hidden[0].value < hidden[1].value == 1
    logits = [weakness(net, X, y, X_probe=probe).value for net in (estimator, wider)]
    assert logits[0] == logits[1] < 1


def narrow_network(units, seed=0):
    """A network of ten classes and a few relu units, whose starts are not trained, and its rows."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(60, 6))
    clf = MLPClassifier((units,), max_iter=1, random_state=0).fit(X, np.arange(60) % 10)
    clf.coefs_ = [rng.normal(size=shape.shape) for shape in clf.coefs_]
    clf.intercepts_ = [rng.normal(size=shape.shape) for shape in clf.intercepts_]
    return clf, X, clf.predict(X)


@pytest.mark.parametrize("n_dead", [0, 7])
@pytest.mark.parametrize("units", [3, 5, 8])
def test_of_few_units_and_many_classes_all_proofs_are_exact(units, n_dead):
    """Whether units that are never on are there or not."""
    clf, X, y = narrow_network(units + n_dead)
    clf.intercepts_[0][units:] = -1e3
    (pairs,) = Weakness(X_probe=X[:6] + 0.3).decisions(clf, X, y)
    closed = np.argwhere(~pairs.is_open)
    assert len(closed) > 1
    assert pairs.decided.all()
    assert all(pairs.proves(*pair, exactly=True) for pair in closed)
    task = as_problem(clf, X, y)
    logits = [centred(task.objective.scores(task.w, rows)) for rows in (X, X[:6] + 0.3)]
    of_logits = open_pairs(logits[0], clf.predict(X), logits[1], 10)
    assert_array_equal(pairs.is_open, of_logits.is_open)
    assert not of_logits.decided.all()


def test_of_few_units_one_without_outgoing_weights_opens_nothing():
    """A probe wakes it, and the logits do not notice."""
    clf, X, y = narrow_network(4)
    probe = 3 * X[:1]
    clf.coefs_[0][:, 3] = probe[0] / np.sum(probe**2)
    clf.intercepts_[0][3] = -(1 + (X @ clf.coefs_[0][:, 3]).max()) / 2
    clf.coefs_[1][3] = 0
    (pairs,) = Weakness(X_probe=probe).decisions(clf, X, y)
    assert not pairs.is_open.all()
    (hidden,) = Weakness(X_probe=probe, features="hidden").decisions(clf, X, y)
    assert hidden.is_open.all()


# What the readings reproduce


def memorised():
    """A network that fits its training labels, and the rows."""
    rows = np.arange(0, 150, 3)
    clf = MLPClassifier((12,), solver="lbfgs", alpha=1e-6, max_iter=2000, random_state=0)
    return clf.fit(IRIS[rows], SPECIES[rows]), IRIS[rows], SPECIES[rows]


def test_labels_and_predictions_are_one_where_the_network_fits():
    clf, X, y = memorised()
    assert clf.score(X, y) == 1
    learned, given = (weakness(clf, X, y, target=target) for target in ("predictions", "labels"))
    assert_array_equal(learned.samples, given.samples)


@pytest.mark.parametrize("name", ["classes", "two classes", "labels", "regression", "counts"])
def test_targets_that_no_reading_reproduces_leave_nothing_open(name):
    """Rows that appear twice, with other targets."""
    estimator, X, y = fitted(name)
    other = np.roll(y, 75, axis=0)
    found = weakness(estimator, np.vstack([X, X]), np.concatenate([y, other]), target="labels")
    assert found.value == 0
    assert found.converged
    assert found.protocol["target"] == "labels"


def test_labels_that_no_map_reproduces_have_a_proof():
    pairs = open_pairs([[-1.0], [1.0], [1.0]], [0, 1, 0], [[0.0], [5.0]])
    assert not pairs.is_open.any()
    assert all(pairs.proves(*pair, exactly=True) for pair in np.ndindex(2, 2))
    assert all(-1 not in proof.rows for proof in pairs.refutations.values())


def test_targets_of_a_regression_are_kept_within_the_tolerance():
    """Targets on the line y = x but for the last, which is off: the readings follow these."""
    X = np.linspace(0, 1, 11)[:, None]
    y = X[:, 0] + 0.01 * (-1.0) ** np.arange(11)
    flat = MLPRegressor(hidden_layer_sizes=(), max_iter=1, random_state=0).fit(X, y)
    flat.coefs_, flat.intercepts_ = [np.zeros((1, 1))], [np.array([0.5])]
    probes = np.array([[0.05], [0.95]])
    learned = weakness(flat, X, y, X_probe=probes, tolerance=0.05)
    given = weakness(flat, X, y, X_probe=probes, tolerance=0.05, target="labels")
    assert_allclose(learned.samples, [0.2, 0.2])  # an edge is at the value itself
    assert given.value > 0
    assert weakness(flat, X, y, X_probe=probes, tolerance=0.02, target="labels").value == 0


def test_a_reading_within_bounds_is_found_where_there_is_one():
    features, zero = np.array([[0.0], [1.0], [2.0]]), np.zeros(3)
    values = within(features, zero - 0.1, np.array([0.1, np.inf, 4.0]))
    assert (values > -0.1).all()
    assert values[0] < 0.1
    assert values[2] < 4
    assert_allclose(np.diff(values, 2), 0, atol=1e-9)
    assert within(features, np.array([0.0, 1.0, 0.0]), np.array([0.5, 2.0, 0.5])) is None


# Odd cases


def test_features_that_are_all_zero_leave_a_probe_that_is_not_open():
    pairs = open_pairs(np.zeros((3, 2)), np.zeros(3, int), [[0.0, 0.0], [0.0, 1.0]], 2)
    assert_array_equal(pairs.is_open, [[True, False], [True, True]])
    assert not open_pairs(np.zeros((3, 1)), [0, 1, 0], [[1.0]], 2).is_open.any()


@pytest.mark.parametrize("size", [5e-324, 1e-310, 1e-295])
def test_a_feature_too_small_for_any_map_is_one_of_zeros(size):
    rng = np.random.default_rng(0)
    features, probes = rng.normal(size=(20, 2)), rng.normal(size=(9, 2))
    labels = (features[:, 0] > 0).astype(int)
    with_zeros, with_tiny = (
        open_pairs(
            np.column_stack([features, extra * np.ones(20)]),
            labels,
            np.column_stack([probes, -extra * np.ones(9)]),
        )
        for extra in (0.0, size)
    )
    assert_array_equal(with_tiny.is_open, with_zeros.is_open)
    assert with_zeros.decided.all()
    # The feature separates every probe from the rows, so no pair is surely closed.
    assert_array_equal(with_tiny.decided, with_tiny.is_open)
    assert all(with_tiny.proves(*pair) for pair in np.ndindex(with_tiny.is_open.shape))
    assert not open_pairs(size * features, labels, size * probes).is_open.any()


def test_a_probe_at_right_angles_to_the_only_row_is_open():
    """Of two classes, where the change of the scores that it asks for moves no row."""
    assert open_pairs([[1.0]], [0], [[-1.0], [-4.0]], 2).is_open.all()


def test_the_barrier_curves_as_its_inequalities_say():
    """The sum of the outer products of their coefficients, each over its margin."""
    for width in (3, 40):
        rng = np.random.default_rng(width)
        features, U = rng.normal(size=(30, width)), rng.normal(size=(2, width + 1, 5))
        completions = Completions(features, rng.integers(5, size=30), 5)
        margins, columns = completions.margins(U), np.array([[3, 0, 4], [1, 2, 0]])
        for found, each, kept in zip(
            completions.curvature(margins, columns), margins, columns, strict=True
        ):
            expected = 0.0
            for (i, rival), label in zip(
                product(range(30), range(5)), np.repeat(completions.labels, 5), strict=True
            ):
                change = np.zeros((5, width + 1))
                change[label] += completions.rows[i]
                change[rival] -= completions.rows[i]
                change = change[kept].ravel() / each[i, rival]
                expected = expected + np.outer(change, change)
            assert_allclose(found, expected, rtol=1e-9, atol=1e-9 * np.abs(expected).max())


def test_one_class_holds_what_lies_between_its_points():
    pairs = open_pairs([[1.0], [2.0]], [0, 0], [[0.0], [1.5], [3.0]], 2)
    assert_array_equal(pairs.is_open, [[True, True], [True, False], [True, True]])


def test_rows_again_and_features_again_change_nothing():
    (logits, at_probes), _, labels = digits_network(0)
    features, probes = centred(logits)[:80], centred(at_probes)
    table = open_pairs(features, labels[:80], probes, 10).is_open
    twice = open_pairs(np.tile(features, (2, 1)), np.tile(labels[:80], 2), probes, 10)
    assert_array_equal(twice.is_open, table)
    constant, same = np.ones(80), np.ones(len(probes))
    wider = open_pairs(
        np.column_stack([features, features[:, :2], constant]),
        labels[:80],
        np.column_stack([probes, probes[:, :2], same]),
        10,
    )
    assert_array_equal(wider.is_open, table)


@pytest.mark.parametrize("name", ["classes", "two classes", "labels", "regression"])
def test_sparse_inputs_are_the_same_inputs(name):
    estimator, X, y = fitted(name)
    probes = np.random.default_rng(0).normal(size=(6, X.shape[1]))
    dense = weakness(estimator, X, y, X_probe=probes)
    found = weakness(estimator, sparse.csr_array(X), y, X_probe=sparse.csr_array(probes))
    assert_array_equal(found.samples, dense.samples)


def test_every_label_has_decisions_of_its_own():
    estimator, X, y = fitted("labels")
    probes = np.random.default_rng(0).normal(size=(15, 4))
    measure = Weakness(X_probe=probes)
    pairs = measure.decisions(estimator, X, y)
    assert len(pairs) == TRAITS.shape[1]
    shares = np.mean([each.is_open.mean(axis=1) for each in pairs], axis=0)
    assert_array_equal(measure.measure(estimator, X, y).samples, shares)
    with pytest.raises(TypeError, match="needs classes"):
        measure.decisions(*fitted("regression"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"probes": [[0.0, 1.0]]}, "equally many columns"),
        ({"probes": np.zeros((0, 1))}, "at least one row"),
        ({"labels": [0]}, "one label a row"),
        ({"labels": [0, -1]}, "integers from 0"),
        ({"labels": [0, 3], "n_classes": 3}, "integers from 0 to 2"),
        ({"labels": [0.5, 1.0]}, "integers"),
        ({"labels": [0, 0], "n_classes": 1}, "n_classes must be at least 2, got 1"),
        ({"features": [[np.nan], [1.0]]}, "finite"),
        ({"scores": [[0.0, 1.0]]}, r"scores must have shape \(2, 2\), got \(1, 2\)"),
        ({"scores": [[0.0, 1.0], [np.inf, 0.0]]}, "scores must be finite"),
    ],
)
def test_what_does_not_fit_is_refused(change, message):
    given = {"features": LINE, "labels": [0, 1], "probes": [[0.0]]} | change
    with pytest.raises(ValueError, match=message):
        open_pairs(**given)
