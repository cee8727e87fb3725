"""A mixture of experts of your own: lines, and a gate that says where each of them holds.

    python examples/plot_mixture_of_experts.py

The target is a broken line with noise. The model is the mean of four lines, weighted by a softmax
gate. It is trained at several radii, from two starts each.

Prints a table and saves a picture in results/.
"""

from pathlib import Path

import autograd.numpy as np
import matplotlib

matplotlib.use("Agg")  # the picture goes to a file, with or without a screen

import matplotlib.pyplot as plt
from threadpoolctl import threadpool_limits

from skflat import FlatFunctionRegressor

N_EXPERTS, N_ROWS, NOISE, SEEDS = 4, 200, 0.3, range(2)
RADII = [0.0, 0.1, 0.3]
PICTURE = Path(__file__).resolve().parents[1] / "results" / "plot_mixture_of_experts.png"

# ----------------------------------------------------------------------------------- model


def shapes(rng, n_features, n_outputs):
    names = {"gate": "gate_at_0", "slopes": "values_at_0"}
    return {
        name: shape
        for weights, intercepts in names.items()
        for name, shape in ((weights, (n_features, N_EXPERTS)), (intercepts, (N_EXPERTS,)))
    }


def shares(params, X):
    """The gate: how much every expert counts, (n_rows, n_experts)."""
    z = X @ params["gate"] + params["gate_at_0"]
    e = np.exp(z - np.max(z, axis=1, keepdims=True))
    return e / np.sum(e, axis=1, keepdims=True)


def forward(params, X):
    lines = X @ params["slopes"] + params["values_at_0"]
    return np.sum(shares(params, X) * lines, axis=1)


# ---------------------------------------------------------------------------------- output


def broken_line(x):
    return np.interp(x, [-3, -1, 1, 3], [0, 2, -2, 1])


def data():
    rng = np.random.default_rng(0)
    x = rng.uniform(-3, 3, size=N_ROWS)
    return x[:, None], broken_line(x) + NOISE * rng.normal(size=N_ROWS)


def fit(rho, seed, X, y):
    reg = FlatFunctionRegressor(
        forward,
        shapes,
        rho=rho,
        alpha=0,
        learning_rate="cosine",  # a schedule that is meant to end at max_iter
        learning_rate_init=0.05,
        max_iter=400,
        batch_size=100,
        n_iter_no_change=np.inf,
        random_state=seed,
    )
    return reg.fit(X, y)


def print_table(models, X, y):
    truth = broken_line(X[:, 0])
    print(
        f"{'rho':>6}{'train R2':>10}{'error':>9}{'trace':>10}{'distance':>10}   mean of two starts"
    )
    for rho, several in models.items():
        errors = [np.sqrt(np.mean((reg.predict(X) - truth) ** 2)) for reg in several]
        columns = [
            [reg.score(X, y) for reg in several],
            errors,
            [reg.sharpness_ for reg in several],
            [reg.flatness_ for reg in several],
        ]
        score, error, trace, distance = (np.mean(np.array(column)) for column in columns)
        print(f"{rho:>6}{score:>10.3f}{error:>9.3f}{trace:>10.3g}{distance:>10.3f}")


def save_picture(models, X, y):
    figure, axes = plt.subplots(2, len(models), figsize=(12, 6), sharex=True, layout="constrained")
    grid = np.linspace(-3, 3, 300)[:, None]
    for (rho, several), (top, bottom) in zip(models.items(), axes.T, strict=True):
        best = min(several, key=lambda reg: reg.loss_)
        top.plot(X[:, 0], y, ".", color="lightgrey")
        top.plot(grid[:, 0], broken_line(grid[:, 0]), "k--", label="the truth")
        top.plot(grid[:, 0], best.predict(grid), label="mixture")
        top.set_title(f"rho={rho}")
        bottom.plot(grid[:, 0], shares(best.params_, grid))
    axes[0, 0].legend()
    axes[1, 0].set_ylabel("shares of the experts")
    PICTURE.parent.mkdir(exist_ok=True)
    figure.savefig(PICTURE, dpi=120)
    plt.close(figure)


def main():
    X, y = data()
    with threadpool_limits(limits=1):
        models = {rho: [fit(rho, seed, X, y) for seed in SEEDS] for rho in RADII}
        print_table(models, X, y)
        save_picture(models, X, y)
    print(f"Picture: results/{PICTURE.name}")


if __name__ == "__main__":
    main()
