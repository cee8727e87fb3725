"""Weakness: hostile pairs against linear programs in rational arithmetic."""

from itertools import islice

import numpy as np
import pytest
from rational import has_solution, pairs_by_rational_programs

from skflat.measures import open_pairs
from skflat.measures._budget import Budget
from skflat.measures.feasibility._exact import surely_refutes, surely_vanishes

N_PROBES = 3


def labelled(features, n_classes, rng):
    """Labels that some affine map gives most of the rows."""
    scale = np.abs(features).max(axis=0)
    scores = features / np.where(scale, scale, 1) @ rng.normal(size=(features.shape[1], n_classes))
    return (scores + rng.normal(size=n_classes)).argmax(axis=1)


def collinear(exponent):
    """The last feature is the first one except for a relative difference."""

    def problem(rng, n_classes):
        X = rng.normal(size=(rng.integers(4, 11) + N_PROBES, rng.integers(2, 4)))
        labels = labelled(X[:-N_PROBES], n_classes, rng)
        X[:, -1] = X[:, 0] + 10.0**-exponent * X[:, -1]
        return X[:-N_PROBES], labels, X[-N_PROBES:]

    return problem


def on_a_hull(rng, n_classes):
    """Probes are convex combinations of rows of one class, except for rounding."""
    X = rng.normal(size=(rng.integers(4, 11), rng.integers(1, 4)))
    labels, probes = labelled(X, n_classes, rng), []
    for _ in range(N_PROBES):
        members = X[labels == rng.choice(labels)]
        weights = rng.dirichlet(np.ones(len(members))) * (rng.random(len(members)) < 0.7)
        weights = weights if weights.any() else np.eye(len(members))[0]
        probes.append(weights / weights.sum() @ members)
    return X, labels, np.array(probes)


def of_many_sizes(rng, n_classes):
    """Rows of size 1e-9 beside rows of size 1e9."""
    X = rng.normal(size=(rng.integers(4, 11) + N_PROBES, rng.integers(1, 4)))
    X *= 10.0 ** rng.choice([-9, 0, 9], size=(len(X), 1))
    return X[:-N_PROBES], labelled(X[:-N_PROBES], n_classes, rng), X[-N_PROBES:]


def on_a_grid(rng, n_classes):
    """Points of a grid with coordinates that are rounded."""
    X = rng.integers(-2, 3, size=(rng.integers(5, 15) + N_PROBES, 2)) / rng.choice([1, 3, 7])
    return X[:-N_PROBES], labelled(X[:-N_PROBES], n_classes, rng), X[-N_PROBES:]


def labelled_at_random(rng, n_classes):
    """Labels that often no map gives."""
    X = rng.normal(size=(rng.integers(3, 6) + N_PROBES, 2))
    return X[:-N_PROBES], rng.integers(n_classes, size=len(X) - N_PROBES), X[-N_PROBES:]


CLEAR = [collinear(3), collinear(6), collinear(10), on_a_grid, labelled_at_random]
WITHIN = [collinear(12), collinear(13), collinear(14), on_a_hull, of_many_sizes]


def problems(kinds, first=0):
    """Problems of two and three classes, of every kind in turn."""
    seed = first
    while True:
        for kind in kinds:
            rng = np.random.default_rng(seed)
            n_classes = int(rng.integers(2, 4))
            yield (*kind(rng, n_classes), n_classes)
        seed += 1


def counted(problems):
    """Pairs, wrong ones among the decided, wrongly open ones, undecided ones."""
    n_pairs = n_wrong = n_wrongly_open = n_undecided = 0
    for problem in problems:
        pairs, expected = open_pairs(*problem), pairs_by_rational_programs(*problem)
        wrong = pairs.is_open != expected
        n_pairs += wrong.size
        n_wrong += (wrong & pairs.decided).sum()
        n_wrongly_open += (wrong & pairs.is_open).sum()
        n_undecided += (~pairs.decided).sum()
    return n_pairs, n_wrong, n_wrongly_open, n_undecided


def test_the_rational_programs_see_what_floats_cannot():
    third = np.array([1 / 3, 1.0])
    assert not has_solution([third, -2 * third])
    assert has_solution([third, -3 * third])  # 3 / 3 rounds
    assert has_solution([[1.0, 1e-300], [-1.0, 1e-300]])
    assert not has_solution([[1.0, 0.0], [-1.0, 1e-300], [0.0, -1e-300]])


def test_of_clear_pairs_all_are_decided_and_none_is_wrong():
    n_pairs, *others = counted(islice(problems(CLEAR), 20))
    assert n_pairs > 100
    assert others == [0, 0, 0]


def test_of_pairs_that_rounding_could_decide_no_decided_one_is_wrong():
    n_pairs, n_wrong, n_wrongly_open, n_undecided = counted(islice(problems(WITHIN), 15))
    assert n_pairs > 100
    assert n_wrong == n_wrongly_open == 0
    assert 10 < n_undecided < n_pairs / 2


@pytest.mark.slow
def test_of_three_thousand_hostile_pairs_no_decided_one_is_wrong():
    n_pairs, *others = counted(islice(problems(CLEAR, first=1000), 200))
    assert n_pairs > 1400
    assert others == [0, 0, 0]
    n_pairs, n_wrong, n_wrongly_open, _ = counted(islice(problems(WITHIN, first=1000), 240))
    assert n_pairs > 1700
    assert n_wrong == n_wrongly_open == 0


@pytest.mark.parametrize("n_extra", [0, 1])
@pytest.mark.parametrize("size", [1.0, 1e300, 1e-310])
def test_what_floats_accept_as_a_refutation_is_one_in_rational_arithmetic(n_extra, size):
    """Vectors in general position; one of them in a subspace, exactly or except for rounding."""
    rng = np.random.default_rng(n_extra)
    for _ in range(8):
        vectors, weights = rng.normal(size=(5, 4)), rng.uniform(0.1, 1, 5)
        vectors[-1] = -weights[:-1] @ vectors[:-1] / weights[-1]
        assert surely_refutes(size * vectors, weights, Budget())
        flat = np.column_stack([vectors, vectors @ rng.normal(size=(4, n_extra)), vectors[:, :1]])
        assert surely_refutes(flat, weights, Budget()) == surely_vanishes(flat, weights)
        assert not surely_refutes(flat, weights, Budget(0))


def test_a_vector_that_is_nothing_but_rounding_refutes_nothing():
    third = np.array([[1 / 3, 1.0], [-1 / 3, -1 - 2**-52]])
    assert not surely_refutes(third, np.ones(2), Budget())
    assert surely_refutes(third * [1, 0], np.ones(2), Budget())
    for more in ([[1.0], [2.0]], [[1.0, 1e-17], [-1.0, 1e-17], [1.0, 1e-17]]):
        assert not surely_refutes(np.array(more), np.ones(len(more)), Budget())
