"""A loss of your own: an interval that holds four fifths of the targets.

    python examples/plot_quantiles.py

The spread of the targets grows with the input. Two ways to an interval: a network for every
quantile, with ``loss="pinball"``, and one function that gives both ends at once. Its loss is the
sum of both pinball losses, and its ends cannot cross, because the width is an exponential.

Prints a table and saves a picture in results/.
"""

from pathlib import Path

import autograd.numpy as np
import matplotlib

matplotlib.use("Agg")  # the picture goes to a file, with or without a screen

import matplotlib.pyplot as plt
from threadpoolctl import threadpool_limits

from skflat import FlatFunctionRegressor, FlatMLPRegressor

LOW, HIGH, N_UNITS, N_ROWS, SEED = 0.1, 0.9, 20, 400, 0
PICTURE = Path(__file__).resolve().parents[1] / "results" / "plot_quantiles.png"
NUMBERS = {
    "rho": 0.05,
    "learning_rate_init": 0.02,
    "learning_rate": "cosine",  # a schedule that is meant to end at max_iter
    "max_iter": 200,
    "batch_size": 100,
    "n_iter_no_change": np.inf,
    "random_state": SEED,
    "measures": ["flatness"],
}

# -------------------------------------------------------------------------- model and loss


def shapes(rng, n_features, n_outputs):
    return {"U": (n_features, N_UNITS), "b": (N_UNITS,), "V": (N_UNITS, 2), "c": (2,)}


def forward(params, X):
    """The centre of the interval, and the logarithm of half its width."""
    return np.tanh(X @ params["U"] + params["b"]) @ params["V"] + params["c"]


def ends(F):
    """Lower and upper end from the raw predictions."""
    half = np.exp(F[:, 1])
    return np.stack([F[:, 0] - half, F[:, 0] + half], axis=1)


def both_pinballs(F, y):
    """One value a row; the raw prediction has two columns and the target one."""
    gaps = y - ends(F)
    quantiles = np.array([LOW, HIGH])
    return np.sum(np.where(gaps > 0, quantiles * gaps, (quantiles - 1) * gaps), axis=1)


# ---------------------------------------------------------------------------------- output


def data(seed):
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, size=N_ROWS)
    return x[:, None], np.sin(3 * x) + (0.2 + 0.3 * (x + 1)) * rng.normal(size=N_ROWS)


def intervals(X, y):
    """By name, a function from rows to both ends, and the fitted estimators."""
    networks = [
        FlatMLPRegressor("pinball", (N_UNITS,), "tanh", quantile=quantile, **NUMBERS).fit(X, y)
        for quantile in (LOW, HIGH)
    ]
    own = FlatFunctionRegressor(forward, shapes, loss=both_pinballs, prediction=ends, **NUMBERS)
    own.fit(X, y)
    return {
        "two networks": lambda X: np.stack([net.predict(X) for net in networks], axis=1),
        "one function": own.predict,
    }


def print_table(found, rows):
    print(f"{'':<14}{'rows':>6}{'covered':>9}{'below':>8}{'above':>8}{'width':>8}")
    for name, predict in found.items():
        for part, (X, y) in rows.items():
            low, high = predict(X).T
            below, above = np.mean(y < low), np.mean(y > high)
            numbers = f"{1 - below - above:>9.3f}{below:>8.3f}{above:>8.3f}"
            print(f"{name:<14}{part:>6}{numbers}{np.mean(high - low):>8.3f}")


def save_picture(found, X, y):
    figure, axes = plt.subplots(1, 2, figsize=(11, 4), sharey=True, layout="constrained")
    grid = np.linspace(-1, 1, 200)[:, None]
    for ax, (name, predict) in zip(axes, found.items(), strict=True):
        ax.plot(X[:, 0], y, ".", color="grey", markersize=3)
        ax.fill_between(grid[:, 0], *predict(grid).T, alpha=0.3)
        ax.set_title(f"{name}: four fifths of the targets")
    PICTURE.parent.mkdir(exist_ok=True)
    figure.savefig(PICTURE, dpi=120)
    plt.close(figure)


def main():
    X, y = data(SEED)
    with threadpool_limits(limits=1):
        found = intervals(X, y)
        print_table(found, {"train": (X, y), "test": data(SEED + 1)})
        save_picture(found, X, y)
    print(f"Picture: results/{PICTURE.name}")


if __name__ == "__main__":
    main()
