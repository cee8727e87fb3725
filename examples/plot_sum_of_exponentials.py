"""A formula of physics as a model: a sum of exponentials, and how badly its rates are known.

    python examples/plot_sum_of_exponentials.py

A decay of three species is measured with a little noise. The model is the formula itself, with
rates and amplitudes as logarithms, so that both stay positive. All is fitted by L-BFGS. The
eigenvalues of the Hessian spread over many decades: along the small ones the parameters can move
far while the curve stays what it is.

Prints a table and saves a picture in results/.
"""

from pathlib import Path

import autograd.numpy as np
import matplotlib

matplotlib.use("Agg")  # the picture goes to a file, with or without a screen

import matplotlib.pyplot as plt
from threadpoolctl import threadpool_limits

from skflat import FlatFunctionRegressor
from skflat.problems import as_problem

RATES, AMPLITUDES, NOISE, SEED = [0.3, 1.0, 5.0], [1.0, 2.0, 1.5], 0.02, 0
PICTURE = Path(__file__).resolve().parents[1] / "results" / "plot_sum_of_exponentials.png"


def decay(params, X):
    """``sum_k exp(a_k - exp(r_k) t)``."""
    return np.exp(params["log_amplitudes"] - X * np.exp(params["log_rates"])) @ np.ones(3)


def data():
    t = np.linspace(0, 8, 300)
    clean = np.exp(-np.outer(t, RATES)) @ np.array(AMPLITUDES)
    return t[:, None], clean + NOISE * np.random.default_rng(SEED).normal(size=len(t))


def fit(X, y):
    start = {"log_rates": np.log([0.1, 1.5, 10.0]), "log_amplitudes": np.zeros(3)}
    reg = FlatFunctionRegressor(
        decay, start, solver="lbfgs", alpha=0, max_iter=5000, tol=1e-12, random_state=SEED
    )
    return reg.fit(X, y)


def eigen(reg, X, y):
    """Eigenvalues and eigenvectors of the Hessian, the largest first."""
    problem = as_problem(reg, X, y)
    times = problem.objective.hessian_products(problem.w)
    H = np.array([times(unit) for unit in np.eye(len(problem.w))])
    values, vectors = np.linalg.eigh((H + H.T) / 2)
    return values[::-1], vectors[:, ::-1]


def print_table(reg, values, vectors):
    # Near the minimum the covariance of the parameters is NOISE^2 / n times the inverse Hessian.
    errors = NOISE * np.sqrt(np.sum(vectors**2 / values, axis=1) / 300)
    errors = dict(zip(reg.params_, np.split(errors, 2), strict=True))
    for name, truth in (("log_rates", RATES), ("log_amplitudes", AMPLITUDES)):
        for found, error, expected in zip(
            reg.params_[name], errors[name], np.log(truth), strict=True
        ):
            print(f"{name:<16}{found:>8.3f} +- {error:.3f}   truth {expected:.3f}")
    print("eigenvalues     " + " ".join(f"{value:.2g}" for value in values))


def save_picture(reg, X, y, values, vectors):
    figure, axes = plt.subplots(1, 3, figsize=(14, 4), layout="constrained")
    left, middle, right = axes
    left.plot(X[:, 0], y, ".", color="grey", markersize=3, label="measured")
    left.plot(X[:, 0], reg.predict(X), label="fitted")
    left.set(title="A sum of three exponentials", xlabel="time", yscale="log", ylim=(1e-2, None))
    left.legend()
    middle.semilogy(range(1, 7), values, "o")
    middle.set(title="Eigenvalues of the Hessian", xlabel="place")
    w = np.concatenate([reg.params_[name] for name in reg.params_])
    for place in (0, 2, 5):
        moved = w + 0.3 * vectors[:, place]
        curve = decay(dict(zip(reg.params_, np.split(moved, 2), strict=True)), X)
        right.plot(X[:, 0], curve - reg.predict(X), label=f"along eigenvector {place + 1}")
    right.set(title="The curve moves that much for a step of 0.3", xlabel="time")
    right.legend()
    PICTURE.parent.mkdir(exist_ok=True)
    figure.savefig(PICTURE, dpi=120)
    plt.close(figure)


def main():
    X, y = data()
    with threadpool_limits(limits=1):
        reg = fit(X, y)
        values, vectors = eigen(reg, X, y)
        print_table(reg, values, vectors)
        print(f"R2 {reg.score(X, y):.5f}, distance to the level set {reg.flatness_:.3f}")
        save_picture(reg, X, y, values, vectors)
    print(f"Picture: results/{PICTURE.name}")


if __name__ == "__main__":
    main()
