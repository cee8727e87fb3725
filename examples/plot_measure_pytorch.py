"""Measure a network of PyTorch: its weights are all that is needed.

    python examples/plot_measure_pytorch.py

A network learns to read digits, in PyTorch where that is installed. Elsewhere scikit-learn trains
one of the same shape, and its weights are named as PyTorch would name them. Either way skflat sees
a ``state_dict`` and the rows, and the measures are those of its own networks.

Prints a table and saves a picture in results/.
"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # the picture goes to a file, with or without a screen

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from skflat import as_model, from_state_dict
from skflat.displays import LocalEnergyDisplay, SpectrumDisplay
from skflat.measures import (
    effective_rank,
    hessian_eigenvalues,
    hessian_trace,
    level_set_distance,
    local_energy,
    spectral_density,
    weakness,
)

N_UNITS, N_ROWS, SEED = 16, 400, 0
PICTURE = Path(__file__).resolve().parents[1] / "results" / "plot_measure_pytorch.png"
MEASURES = [hessian_trace, hessian_eigenvalues, level_set_distance, effective_rank, weakness]


def by_pytorch(X, y):
    """The ``state_dict`` of an ``nn.Sequential``."""
    import torch

    torch.manual_seed(SEED)
    net = torch.nn.Sequential(
        torch.nn.Linear(64, N_UNITS), torch.nn.Tanh(), torch.nn.Linear(N_UNITS, 10)
    ).double()
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    rows, labels = torch.from_numpy(X), torch.from_numpy(y)
    for _ in range(300):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(net(rows), labels).backward()
        optimizer.step()
    return net.state_dict()


def by_scikit_learn(X, y):
    """The same names and shapes: PyTorch has a row of weights for every output."""
    net = MLPClassifier((N_UNITS,), "tanh", max_iter=1000, random_state=SEED).fit(X, y)
    layers = zip((0, 2), net.coefs_, net.intercepts_, strict=True)
    return {
        f"{place}.{kind}": array
        for place, W, b in layers
        for kind, array in (("weight", W.T), ("bias", b))
    }


def trained(X, y):
    try:
        return "PyTorch", by_pytorch(X, y)
    except ImportError:
        return "scikit-learn", by_scikit_learn(X, y)


def save_picture(model, X, y):
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
    LocalEnergyDisplay.from_measurement(local_energy(model, X, y, n_draws=20), ax=left)
    SpectrumDisplay.from_measurement(spectral_density(model, X, y), ax=right)
    left.set_title("How much worse under noise")
    right.set_title("Spectrum of the Hessian")
    PICTURE.parent.mkdir(exist_ok=True)
    figure.savefig(PICTURE, dpi=120)
    plt.close(figure)


def main():
    X, y = load_digits(return_X_y=True)
    X, y = X[:N_ROWS] / 16, y[:N_ROWS]
    with threadpool_limits(limits=1):
        where, state = trained(X, y)
        params, forward, features = from_state_dict(state, activations="tanh")
        model = as_model(params, forward, X, y, features=features)
        print(f"trained by {where}, accuracy {np.mean(model.predict(X) == y):.3f}")
        for function in MEASURES:
            found = function(model, X, y)
            error = f" +- {found.stderr:.2g}" if found.stderr > 0 else ""
            print(f"{function.__name__:<22}{found.value:>10.4g}{error}   {found.kind}")
        save_picture(model, X, y)
    print(f"Picture: results/{PICTURE.name}")


if __name__ == "__main__":
    main()
