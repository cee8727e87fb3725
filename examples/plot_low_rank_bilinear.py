"""A low-rank bilinear model of your own: a score of two things that meet.

    python examples/plot_low_rank_bilinear.py

A row holds two vectors ``a`` and ``b``, and the target is ``a' M b`` with a matrix ``M`` of rank 3,
and noise. The model is ``(a U) . (b V)`` with more components than that. Noise of a growing radius
``rho`` in the parameters makes the product ``U V'`` lose the components that only fit the noise.

Prints a table and saves a picture in results/.
"""

from pathlib import Path

import autograd.numpy as np
import matplotlib

matplotlib.use("Agg")  # the picture goes to a file, with or without a screen

import matplotlib.pyplot as plt
from threadpoolctl import threadpool_limits

from skflat import FlatFunctionRegressor

SEED, N_ROWS, SIZE, RANK, N_COMPONENTS, NOISE = 0, 400, 15, 3, 10, 1.0
RADII = [0.0, 0.05, 0.1, 0.2, 0.3]
PICTURE = Path(__file__).resolve().parents[1] / "results" / "plot_low_rank_bilinear.png"

# ----------------------------------------------------------------------------------- model


def shapes(rng, n_features, n_outputs):
    return {"U": (n_features // 2, N_COMPONENTS), "V": (n_features // 2, N_COMPONENTS)}


def forward(params, X):
    half = X.shape[1] // 2
    return np.sum((X[:, :half] @ params["U"]) * (X[:, half:] @ params["V"]), axis=1)


# ---------------------------------------------------------------------------------- output


def data():
    """Training and test rows, and the matrix."""
    rng = np.random.default_rng(SEED)
    M = rng.normal(size=(SIZE, RANK)) @ rng.normal(size=(RANK, SIZE)) / np.sqrt(SIZE)
    X = rng.normal(size=(2 * N_ROWS, 2 * SIZE))
    y = np.einsum("ni,ij,nj->n", X[:, :SIZE], M, X[:, SIZE:])
    y[:N_ROWS] += NOISE * rng.normal(size=N_ROWS)
    return (X[:N_ROWS], y[:N_ROWS]), (X[N_ROWS:], y[N_ROWS:]), M


def fit(rho, X, y):
    reg = FlatFunctionRegressor(
        forward,
        shapes,
        solver="noise",
        rho=rho,
        alpha=0,
        learning_rate="cosine",  # a schedule that is meant to end at max_iter
        learning_rate_init=0.03,
        batch_size=100,
        max_iter=250,
        n_iter_no_change=np.inf,
        random_state=SEED,
    )
    return reg.fit(X, y)


def spectrum(reg):
    """Singular values of the matrix that was learnt."""
    return np.linalg.svd(reg.params_["U"] @ reg.params_["V"].T, compute_uv=False)


def print_table(models, train, test):
    print(f"{'rho':>6}{'train R2':>10}{'test R2':>10}{'trace':>9}   singular values")
    for rho, reg in models.items():
        values = " ".join(f"{value:.2f}" for value in spectrum(reg)[:6])
        scores = f"{reg.score(*train):>10.4f}{reg.score(*test):>10.4f}"
        print(f"{rho:>6}{scores}{reg.sharpness_:>9.0f}   {values}")


def save_picture(models, test, M):
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
    for rho, reg in models.items():
        left.plot(range(1, SIZE + 1), spectrum(reg), marker="o", label=f"rho={rho}")
    left.plot(range(1, SIZE + 1), np.linalg.svd(M, compute_uv=False), "k--", label="the truth")
    left.set(title="Singular values of the product", xlabel="place", ylabel="value")
    left.legend()
    right.plot(list(models), [reg.score(*test) for reg in models.values()], marker="o")
    right.set(title="Score on rows without noise", xlabel="rho", ylabel="R2")
    PICTURE.parent.mkdir(exist_ok=True)
    figure.savefig(PICTURE, dpi=120)
    plt.close(figure)


def main():
    train, test, M = data()
    with threadpool_limits(limits=1):
        models = {rho: fit(rho, *train) for rho in RADII}
        print_table(models, train, test)
        save_picture(models, test, M)
    print(f"Picture: results/{PICTURE.name}")


if __name__ == "__main__":
    main()
