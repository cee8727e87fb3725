"""The share of consistent last layers, and the bound that it implies."""

import numpy as np
import pytest
from scipy.linalg import hadamard

from skflat.measures import weakness_bound
from skflat.measures.weakness import _version_space
from skflat.measures.weakness._version_space import _log_share


def test_the_share_of_a_threshold_is_an_arc():
    """Between two points, a quarter; of one class, half of the directions less what they span."""
    found = weakness_bound([[-1.0], [1.0]], [0, 1])
    assert found.share == pytest.approx(1 / 4, rel=1e-12)
    same = weakness_bound([[-1.0], [1.0]], [1, 1], 2)
    assert same.share == pytest.approx(1 / 4, rel=1e-12)
    # Rows at -3, 1 and 2, whitened by a line of variance 1: all that counts are 1 and -3.
    X = np.array([[-3.0], [1.0], [2.0]])
    unit = [[-1.0], [1.0]]
    angle = np.arctan(3) + np.arctan(1)
    found = weakness_bound(X, [0, 1, 1], whiten_by=unit)
    assert found.share == pytest.approx(angle / (2 * np.pi), rel=1e-12)
    assert (found.kind, found.stderr) == ("exact", 0)
    assert found.divergence == pytest.approx(-np.log(found.share), rel=1e-12)
    assert found.value == pytest.approx(
        1 - (found.share * 0.05 / (2 * 3**0.5)) ** (1 / 3), rel=1e-12
    )


def test_rows_that_are_orthogonal_halve_it_each():
    """Whatever their labels; eight rows of seven features and a constant."""
    H = hadamard(8)[:, 1:].astype(float)
    labels = np.array([0, 1, 1, 0, 1, 0, 0, 0])
    found = weakness_bound(H, labels)
    assert found.kind == "estimate"
    assert 0.02 < found.stderr < 0.2
    assert abs(found.divergence - 8 * np.log(2)) < 4 * found.stderr
    assert found.share == pytest.approx(np.exp(-found.divergence))


def test_of_one_row_every_class_has_its_share():
    for n_classes in (3, 5):
        found = weakness_bound([[2.0, 1.0]], [1], n_classes)
        assert abs(found.divergence - np.log(n_classes)) < 4 * found.stderr


@pytest.mark.parametrize("n_rows", [2, 8])
def test_simulation_agrees_with_the_arc(n_rows):
    X = np.sort(np.random.default_rng(0).normal(size=(n_rows, 1)), axis=0)
    labels = (np.arange(n_rows) >= n_rows // 2).astype(int)
    exact = weakness_bound(X, labels)
    rows = np.column_stack([(X - X.mean()) / X.std(), np.ones(n_rows)])
    rngs = np.random.default_rng(1).spawn(10)
    logs = [_log_share(rows, labels, 2, 200, rng) for rng in rngs]
    assert exact.kind == "exact"
    assert abs(np.mean(logs) + exact.divergence) < 4 * np.std(logs, ddof=1) / 10**0.5


def test_affine_maps_of_the_features_do_not_change_it_and_more_rows_shrink_it():
    rng = np.random.default_rng(0)
    X, A = rng.normal(size=(12, 1)), np.array([[-3.0]])
    labels = (X[:, 0] > 0).astype(int)
    found, moved = weakness_bound(X, labels), weakness_bound(X @ A + 7, labels)
    assert moved.divergence == pytest.approx(found.divergence, rel=1e-9)
    fewer = weakness_bound(X[:6], labels[:6], whiten_by=X)
    assert fewer.divergence <= weakness_bound(X, labels, whiten_by=X).divergence


def test_the_seed_decides_and_labels_that_no_layer_gives_have_no_bound(monkeypatch):
    monkeypatch.setattr(_version_space, "N_RUNS", 2)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(10, 2))
    labels = (X @ rng.normal(size=(2, 3))).argmax(axis=1)
    first, again, other = (weakness_bound(X, labels, random_state=seed) for seed in (3, 3, 4))
    assert first == again != other
    assert weakness_bound([[1.0], [1.0]], [0, 1]) == (1.0, np.inf, 0.0, 0.0, "exact")


def test_a_search_that_does_not_get_there_ends_without_a_bound(monkeypatch):
    rows, rng = np.full((2, 2), 0.5**0.5), np.random.default_rng(0)
    # One row with two labels: the least margin is never positive.
    assert _log_share(rows, np.array([0, 1]), 2, 10, rng) == -np.inf
    monkeypatch.setattr(_version_space, "_log_share", lambda *_: -np.inf)
    found = weakness_bound([[0.0, 1.0], [1.0, 0.0]], [0, 1])
    assert found == (1.0, np.inf, 0.0, 0.0, "estimate")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"delta": 1.0}, "delta must be between 0 and 1, got 1.0"),
        ({"n_draws": 5}, "n_draws must be an integer >= 10, got 5"),
        ({"n_draws": 40.5}, "n_draws must be an integer >= 10, got 40.5"),
        ({"whiten_by": [[1.0, 2.0]]}, r"whiten_by must .* got shapes \(1, 2\) and \(2, 1\)"),
        ({"whiten_by": [[np.nan], [1.0]]}, "whiten_by must be finite"),
        ({"labels": ["a", "b"]}, "labels must be integers 0, 1, ..., got the dtype <U1"),
        ({"labels": [0]}, "one label a row"),
    ],
)
def test_what_makes_no_sense_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        weakness_bound(**{"features": [[-1.0], [1.0]], "labels": [0, 1]} | change)
