"""The parts of the reproductions of published experiments."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.stats import rankdata, spearmanr

ROOT = Path(__file__).resolve().parents[2]
BENCHMARKS = ROOT / "benchmarks"


@pytest.fixture
def selection(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    import weakness_model_selection

    return weakness_model_selection


def by_plain_steps(sizes, X, y, seed, epochs, start):
    """Stochastic gradient descent of one network, written down layer by layer."""
    rng = np.random.default_rng(seed)
    W, b = ([array.astype(float) for array in arrays] for arrays in start(sizes, rng))
    for _ in range(epochs):
        order = rng.permutation(len(X))
        for first in range(0, len(X), 64):
            rows = order[first : first + 64]
            a = [X[rows]]
            for layer in range(3):
                z = a[-1] @ W[layer] + b[layer]
                a.append(np.maximum(z, 0) if layer < 2 else z)
            delta = np.exp(a[-1]) / np.exp(a[-1]).sum(axis=1, keepdims=True)
            delta[np.arange(len(rows)), y[rows]] -= 1
            delta /= len(rows)
            for layer in (2, 1, 0):
                below = (delta @ W[layer].T) * (a[layer] > 0)
                W[layer] -= 0.1 * a[layer].T @ delta
                b[layer] -= 0.1 * delta.sum(axis=0)
                delta = below
    return W, b


def test_networks_trained_together_are_those_trained_alone(selection, monkeypatch):
    monkeypatch.setattr(selection, "MAX_EPOCHS", 20)
    rng = np.random.default_rng(0)
    X, y = rng.uniform(size=(90, 784)).astype(np.float32), rng.integers(10, size=90)
    networks = selection.trained(X, y, [3, 8])
    for seed, network in zip([3, 8], networks, strict=True):
        W, b = by_plain_steps(selection.SIZES, X, y, seed, 20, selection.torch_start)
        assert network.n_iter_ == 20
        for found, expected in zip(network.coefs_ + network.intercepts_, W + b, strict=True):
            assert_allclose(found, expected, atol=1e-4)


def test_a_network_that_fits_its_rows_is_left_alone(selection, monkeypatch):
    monkeypatch.setattr(selection, "MAX_EPOCHS", 200)
    rng = np.random.default_rng(0)
    y = np.arange(70) % 10
    X = (np.eye(784)[y] + 0.1 * rng.uniform(size=(70, 784))).astype(np.float32)
    networks = selection.trained(X, y, range(4))
    assert len({network.n_iter_ for network in networks}) > 1
    for network in networks:
        assert network.n_iter_ % 10 == 0
        assert network.score(X, y) == 1 or network.n_iter_ == 200
        again = selection.trained(X, y, [networks.index(network)])[0]
        assert again.n_iter_ == network.n_iter_
        assert_allclose(again.coefs_[0], network.coefs_[0], atol=1e-5)


def test_the_start_is_uniform_up_to_one_over_the_root_of_the_inputs(selection):
    weights, intercepts = selection.torch_start((400, 300, 10), np.random.default_rng(0))
    for W, b in zip(weights, intercepts, strict=True):
        bound = len(W) ** -0.5
        assert np.abs(W).max() <= bound
        assert np.abs(b).max() <= bound
        assert W.std() == pytest.approx(bound / 3**0.5, rel=0.05)


def test_a_partial_correlation_is_one_of_residual_ranks(selection):
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 80))
    x, y = a + rng.normal(size=80), a - b + rng.normal(size=80)
    raw = selection.partial_spearman(x, y)
    assert raw == pytest.approx(spearmanr(x, y).statistic, rel=1e-12)
    ranks = [rankdata(each) for each in (x, y, a, b)]
    design = np.column_stack([np.ones(80), *ranks[2:]])
    left = [r - design @ np.linalg.lstsq(design, r, rcond=None)[0] for r in ranks[:2]]
    expected = np.corrcoef(left)[0, 1]
    assert selection.partial_spearman(x, y, a, b) == pytest.approx(expected, rel=1e-9)


def test_an_interval_holds_the_statistic_and_narrows_with_the_rows(selection):
    rng, widths = np.random.default_rng(0), []
    for n in (50, 800):
        x = rng.normal(size=n)
        y = x + rng.normal(size=n)
        value, low, high = selection.with_interval(selection.partial_spearman, [x, y])
        assert low < value < high
        widths.append(high - low)
    assert widths[1] < widths[0] / 2


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_the_published_correlation_of_weakness_is_reproduced(selection, name):
    """Rows and starts are other draws: the published value lies within their interval."""
    frame = pd.read_csv(BENCHMARKS / "weakness_model_selection.csv")
    part = frame[(frame["data"] == name) & (frame["draw"] == 0)]
    columns = [part["test"], part["weakness (hidden)"]]
    _, low, high = selection.with_interval(selection.partial_spearman, columns)
    assert 0 < low < selection.PUBLISHED[name]["weakness (hidden)"] < high
