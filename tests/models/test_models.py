"""What a network computes, how it starts, and that it can be saved."""

import pickle

import numpy as np
import pytest
from networks import assert_close, each_activation, everything, network, softplus
from numpy.testing import assert_array_equal
from scipy.special import expit, ndtr
from toys import features

from skflat.models.mlp import MLP


def test_a_network_is_split_and_joined():
    model = MLP([4, 3, 2])
    w = np.arange(23.0)
    weights, intercepts = model.split(w)
    assert [W.shape for W in weights] == [(4, 3), (3, 2)]
    assert [b.shape for b in intercepts] == [(3,), (2,)]
    assert_array_equal(model.join(weights, intercepts), w)
    assert_array_equal(np.concatenate([np.ravel(W) for W in weights]), w[model.penalized])


@each_activation
def test_a_model_pickles(activation):
    objective, w, v = network(activation, "multinomial", (6, 5), weighted=True)
    copy = pickle.loads(pickle.dumps(objective))
    expected, found = everything(objective, w, v), everything(copy, w, v)
    for name in expected:
        assert_array_equal(found[name], expected[name])


@each_activation
def test_a_network_is_affine_maps_with_the_activation_between(activation):
    objective, w, _ = network(activation, "multinomial", (6, 5))
    functions = {
        "identity": np.positive,
        "relu": lambda z: np.maximum(z, 0),
        "tanh": np.tanh,
        "logistic": expit,
        "gelu": lambda z: z * ndtr(z),
        "silu": lambda z: z * expit(z),
        "selu": lambda z: 1.0507009873554805 * np.where(z > 0, z, 1.6732632423543772 * np.expm1(z)),
        "mish": lambda z: z * np.tanh(np.log1p(np.exp(z))),
        "callable": softplus,
    }
    (W0, W1, W2), (b0, b1, b2) = objective.model.split(w)
    act, X = functions[activation], objective.data.X
    hidden = act(act(X @ W0 + b0) @ W1 + b1)
    assert_close(features(objective, w), hidden, 1e-12)
    assert_close(objective.scores(w), hidden @ W2 + b2, 1e-12)
    assert_close(objective.scores(w, X[:3]), (hidden @ W2 + b2)[:3], 1e-12)


def test_the_features_of_a_linear_model_are_its_inputs():
    objective, w, _ = network("relu", "multinomial", ())
    assert_array_equal(features(objective, w), objective.data.X)


FACTORS = dict.fromkeys(["tanh", "relu", "gelu", "silu", "selu", "mish"], 6) | {"logistic": 2}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_network_starts_within_the_bounds_of_glorot_and_bengio(dtype):
    for activation, factor in FACTORS.items():
        model = MLP([40, 30, 20], activation)
        w = model.init(np.random.RandomState(0), dtype)
        assert w.dtype == dtype
        for W, b in zip(*model.split(w), strict=True):
            bound = np.sqrt(factor / sum(W.shape))
            assert 0.98 * bound < np.abs(W).max() <= bound
            assert np.abs(b).max() <= bound
