"""What training a function costs, beside the bare derivatives of autograd that it needs.

    python benchmarks/own_models.py

A convolutional network and a small one with a hidden layer learn 1,500 digits. Of each, an epoch of
`adam` is timed, and the calls of ``value_and_grad`` for the same batches alone. The bar is 1.5.
"""

import warnings

import autograd.numpy as np
from _timing import best_times, print_ratio
from autograd import value_and_grad
from autograd.scipy.special import logsumexp
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from skflat import FlatFunctionClassifier

N_ROWS, N_ROUNDS, N_EPOCHS = 1500, 5, 3
BAR = 1.5


def convolution(params, X):
    """Two convolutions of 3 x 3 pixels, then a linear layer."""
    images = np.reshape(X, (-1, 8, 8, 1))
    for layer in ("1", "2"):
        images = np.tanh(patches(images) @ params[f"K{layer}"] + params[f"b{layer}"])
    return np.reshape(images, (len(X), -1)) @ params["V"] + params["c"]


def patches(images):
    """All patches of 3 x 3 pixels and their channels, one row each."""
    size = images.shape[1] - 2
    parts = [images[:, i : i + size, j : j + size] for i in range(3) for j in range(3)]
    return np.concatenate(parts, axis=3)


def hidden(params, X):
    return np.tanh(X @ params["U"] + params["b"]) @ params["V"] + params["c"]


MODELS = {
    "convolution": (
        convolution,
        {"K1": (9, 6), "b1": (6,), "K2": (54, 8), "b2": (8,), "V": (128, 10), "c": (10,)},
    ),
    "hidden layer": (hidden, {"U": (64, 50), "b": (50,), "V": (50, 10), "c": (10,)}),
}


def bare(forward, params, batches):
    """The derivatives that an epoch needs."""

    def loss(params, X, y):
        F = forward(params, X)
        return np.mean(logsumexp(F, axis=1) - F[np.arange(len(y)), y])

    derivative = value_and_grad(loss)
    for X, y in batches:
        derivative(params, X, y)


def contenders(name, batch_size, X, y):
    """Some epochs of a fit that goes on, and the derivatives that they need."""
    forward, shapes = MODELS[name]
    clf = FlatFunctionClassifier(
        forward, shapes, solver="adam", batch_size=batch_size, measures=None, random_state=0
    )
    clf.partial_fit(X, y, classes=np.arange(10))
    batches = [(X[k : k + batch_size], y[k : k + batch_size]) for k in range(0, len(X), batch_size)]
    params = {key: array.copy() for key, array in clf.params_.items()}
    clf.set_params(max_iter=N_EPOCHS, warm_start=True, n_iter_no_change=np.inf)
    return {
        "ours": lambda: clf.fit(X, y),
        "bare": lambda: [bare(forward, params, batches) for _ in range(N_EPOCHS)],
    }


def main():
    X, y = load_digits(return_X_y=True)
    X, y = X[:N_ROWS] / 16, y[:N_ROWS]
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for name in MODELS:
            for batch_size in (32, 200):
                times = best_times(contenders(name, batch_size, X, y), N_ROUNDS)
                label = f"{name}, batches of {batch_size}: {1e3 * times['ours'] / N_EPOCHS:.0f} ms"
                print_ratio(label, times["ours"], times["bare"], BAR)


if __name__ == "__main__":
    main()
