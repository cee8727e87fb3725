"""Predictions of many rows: of bounded memory, and a word about those that overflow."""

import tracemalloc
from copy import deepcopy

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse

from skflat import FlatMLPClassifier, FlatMLPRegressor
from skflat.objective import CHUNK

N_FEATURES, WIDTH = 3, 200


@pytest.fixture(scope="module", params=(FlatMLPClassifier, FlatMLPRegressor))
def network(request):
    X = np.random.default_rng(0).normal(size=(60, N_FEATURES))
    y = 1 * (X[:, 0] > 0) + (X[:, 1] > 0)
    params = {"solver": "lbfgs", "max_iter": 5, "measures": None, "random_state": 0}
    network = request.param(hidden_layer_sizes=(WIDTH,), **params)
    with pytest.warns(match="lbfgs|ITERATIONS|converge"):
        return network.fit(X, y)


def by_hand(network, X):
    hidden = np.maximum(X @ network.coefs_[0] + network.intercepts_[0], 0)
    scores = hidden @ network.coefs_[1] + network.intercepts_[1]
    if not hasattr(network, "classes_"):
        return scores.ravel()
    P = np.exp(scores - scores.max(axis=1, keepdims=True))
    return P / P.sum(axis=1, keepdims=True)


def predicted(network, X):
    return getattr(network, "predict_proba", network.predict)(X)


@pytest.mark.parametrize("n_rows", [1, CHUNK, CHUNK + 1, 3 * CHUNK - 7])
@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_array])
def test_pieces_predict_what_one_pass_does(network, n_rows, convert):
    X = np.random.default_rng(1).normal(size=(n_rows, N_FEATURES))
    assert_allclose(predicted(network, convert(X)), by_hand(network, X), rtol=1e-10, atol=1e-12)


def test_predictions_hold_the_activations_of_one_piece(network):
    X = np.random.default_rng(1).normal(size=(20 * CHUNK, N_FEATURES))
    tracemalloc.start()
    P = predicted(network, X)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * P.nbytes + 3 * CHUNK * WIDTH * 8 + (1 << 20)


def test_rows_that_overflow_are_counted(network):
    network = deepcopy(network)
    network.coefs_[0] *= 1e3
    X = np.random.default_rng(1).normal(size=(CHUNK + 10, N_FEATURES))
    X[[2, -1]] *= 1.7e308 / np.abs(X[[2, -1]]).max()
    with pytest.warns(UserWarning, match=f"2 of {len(X)} rows are not finite.*1.7e\\+308"):
        P = predicted(network, X)
    assert np.isfinite(np.delete(P, [2, len(P) - 1], axis=0)).all()
