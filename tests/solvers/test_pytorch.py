"""Networks trained by PyTorch and by skflat end at the same point, if PyTorch is installed."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.datasets import load_iris, make_multilabel_classification
from sklearn.preprocessing import scale

from skflat import FlatMLPClassifier, FlatMLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

N_EPOCHS, ROWS, RATE = 20, 40, 0.01
X, Y = load_iris(return_X_y=True)
X = scale(X)
LABELS, MANY = make_multilabel_classification(n_samples=150, n_features=6, random_state=0)
NUMBERS = {"hidden_layer_sizes": (6, 5), "batch_size": ROWS, "learning_rate_init": RATE, "alpha": 0}


def ours(network, X, y, **params):
    """A network before and after training, on batches in the order of the rows."""
    numbers = {**NUMBERS, "shuffle": False, "random_state": 0, "measures": None, "tol": 0.0}
    net = network(max_iter=N_EPOCHS, **numbers | params).fit(X, y)
    start = network(max_iter=1, **numbers | params | {"learning_rate_init": 1e-300}).fit(X, y)
    return start, net


def theirs(start, X, y, loss, optimizer, activation, decay, cosine, **kwargs):
    """Weights and intercepts after as many epochs of PyTorch from the same start."""
    torch = pytest.importorskip("torch")
    weights, intercepts = (
        [torch.tensor(array.copy(), requires_grad=True) for array in arrays]
        for arrays in (start.coefs_, start.intercepts_)
    )
    act = getattr(torch.nn.functional, activation)
    groups = [{"params": weights, "weight_decay": decay}, {"params": intercepts}]
    steps = getattr(torch.optim, optimizer)(groups, lr=RATE, weight_decay=0.0, **kwargs)
    n_steps = N_EPOCHS * -(-len(X) // ROWS)
    if cosine:
        schedules, n_warm = torch.optim.lr_scheduler, n_steps // 10
        rising = schedules.LinearLR(steps, start_factor=1 / (n_warm + 1), total_iters=n_warm)
        falling = schedules.CosineAnnealingLR(steps, T_max=n_steps - n_warm)
        schedule = schedules.SequentialLR(steps, [rising, falling], milestones=[n_warm])
    X, y = torch.from_numpy(X), torch.from_numpy(y)
    for _ in range(N_EPOCHS):
        for rows in torch.arange(len(X)).split(ROWS):
            a = X[rows]
            for W, b in zip(weights[:-1], intercepts[:-1], strict=True):
                a = act(a @ W + b)
            steps.zero_grad()
            loss(torch, a @ weights[-1] + intercepts[-1], y[rows]).backward()
            steps.step()
            if cosine:
                schedule.step()
    return [array.detach().numpy() for array in weights + intercepts]


def assert_same(net, arrays):
    for found, expected in zip(net.coefs_ + net.intercepts_, arrays, strict=True):
        assert_allclose(found, expected, rtol=0, atol=1e-6)


def smoothed(torch, F, y):
    return torch.nn.functional.cross_entropy(F, y, label_smoothing=0.1)


@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu", "silu", "selu", "mish"])
@pytest.mark.parametrize("cosine", [False, True])
def test_adamw_with_smoothed_labels(activation, cosine):
    schedule = {"learning_rate": "cosine", "warmup": 0.1} if cosine else {}
    params = {"solver": "adam", "activation": activation, "weight_decay": 0.1, **schedule}
    start, net = ours(FlatMLPClassifier, X, Y, label_smoothing=0.1, **params)
    assert_same(net, theirs(start, X, Y, smoothed, "AdamW", activation, 0.1, cosine))


#: Norms of the weights that PyTorch 2.14 finds, layer by layer, with the schedule.
NORMS = {
    "gelu": [2.3466833967, 2.3045563637, 2.2952099343],
    "silu": [2.3781634964, 2.2413252134, 2.2077485861],
    "selu": [2.0082672413, 1.8285638446, 1.9745157671],
    "mish": [2.331087379, 2.2952622083, 2.2095627069],
}


@pytest.mark.parametrize("activation", NORMS)
def test_adamw_with_smoothed_labels_in_fixed_values(activation):
    schedule = {"learning_rate": "cosine", "warmup": 0.1}
    params = {"solver": "adam", "activation": activation, "weight_decay": 0.1, **schedule}
    _, net = ours(FlatMLPClassifier, X, Y, label_smoothing=0.1, **params)
    assert_allclose([np.linalg.norm(W) for W in net.coefs_], NORMS[activation], rtol=1e-6)


@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("cosine", [False, True])
def test_momentum(nesterov, cosine):
    schedule = {"learning_rate": "cosine", "warmup": 0.1} if cosine else {}
    params = {"solver": "sgd", "nesterovs_momentum": nesterov, "activation": "silu", **schedule}
    start, net = ours(FlatMLPClassifier, X, Y, label_smoothing=0.1, **params)
    momentum = {"momentum": 0.9, "nesterov": nesterov}
    assert_same(net, theirs(start, X, Y, smoothed, "SGD", "silu", 0.0, cosine, **momentum))


def test_decay_of_plain_steps():
    params = {"solver": "sgd", "momentum": 0.0, "weight_decay": 0.2, "activation": "gelu"}
    start, net = ours(FlatMLPClassifier, X, Y, label_smoothing=0.1, **params)
    assert_same(net, theirs(start, X, Y, smoothed, "SGD", "gelu", 0.2, False))


def test_smoothed_yes_and_no():
    def loss(torch, F, y):
        targets, cross = 0.9 * y + 0.05, torch.nn.functional.binary_cross_entropy_with_logits
        return cross(F, targets, reduction="none").sum(dim=1).mean()

    params = {"solver": "adam", "activation": "mish", "weight_decay": 0.1, "label_smoothing": 0.1}
    inputs = scale(LABELS)
    start, net = ours(FlatMLPClassifier, inputs, MANY, **params)
    found = theirs(start, inputs, MANY.astype(float), loss, "AdamW", "mish", 0.1, False)
    assert_same(net, found)


def test_adamw_in_regression():
    def loss(torch, F, y):
        return ((F[:, 0] - y) ** 2).mean() / 2

    y = scale(X[:, 0] * X[:, 1])
    params = {"solver": "adam", "activation": "gelu", "weight_decay": 0.1}
    start, net = ours(FlatMLPRegressor, X, y, **params)
    assert_same(net, theirs(start, X, y, loss, "AdamW", "gelu", 0.1, False))
