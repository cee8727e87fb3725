"""Flattening: along the minima of one function to the flattest of them.

    python examples/flatten.py

Three views of one idea, that a symmetry keeps the function and changes its sharpness:

* ``(x y - 1)^2``: its minima are a hyperbola. Gradient flow runs into it and keeps ``x^2 - y^2``.
  The gradient flow of that quantity's square runs along the minima, to the flattest, (1, 1);
* a factorization ``X Y'``, which is the same with matrices: the product stays while the largest
  eigenvalue of the Hessian falls to its minimum;
* a network on the digits, made a hundred times as sharp without a change of its predictions, and
  brought back. It ends below where it began: training had not found its flattest parameters.

Prints what the pictures show in numbers, and saves them in results/.
"""

import warnings
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # the picture goes to a file, with or without a screen

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from skflat.measures import hessian_trace, orbit_trace
from skflat.symmetry import balancing_flow, conserved, flatten, flattening_flow, sharpen

PICTURE = Path(__file__).resolve().parents[1] / "results" / "flatten.png"
STARTS = [(3.2, 1.6), (0.4, 3.4), (3.6, 0.7), (1.9, 2.6)]


# -------------------------------------------------------------------------------- scalars


def descent(x, y, rate=2e-4, n_steps=20_000):
    """Gradient flow of ``(x y - 1)^2``, by small steps."""
    path = [(x, y)]
    for _ in range(n_steps):
        r = x * y - 1
        x, y = x - rate * 2 * r * y, y - rate * 2 * r * x
        path.append((x, y))
    return np.array(path)


def flattening(x, n_steps=300):
    """The flow of ``(x^2 - y^2)^2 / 4`` from the minimum ``(x, 1 / x)``."""
    way = balancing_flow(np.array([[x]]), np.array([[1 / x]]), n_steps=n_steps)
    return np.array([(x, 1 / x), *((float(X[0, 0]), float(Y[0, 0])) for X, Y in way)])


def draw_scalars(ax):
    x = np.linspace(0.24, 4.2, 200)
    ax.plot(x, 1 / x, "k", lw=2, label="minima, xy = 1")
    for start in STARTS:
        path = descent(*start)
        line = {"color": "C0", "lw": 1.2}
        ax.plot(*path.T, **line, label="gradient flow" if start == STARTS[0] else None)
        ax.plot(*path[0], "o", color="C0", ms=4)
        level = start[0] ** 2 - start[1] ** 2
        u, v = np.meshgrid(np.linspace(0.2, 4.2, 80), np.linspace(0.2, 4.2, 80))
        ax.contour(u, v, u**2 - v**2, levels=[level], colors="C0", linestyles=":", linewidths=0.8)
    way = flattening(4.0)
    ax.plot(*way.T, color="C3", lw=3, alpha=0.7, label="flattening flow")
    ax.plot(1, 1, "*", color="C3", ms=14)
    ax.set(xlabel="x", ylabel="y", xlim=(0.2, 4.2), ylim=(0.2, 4.2))
    ax.set_title("$(xy-1)^2$; dotted: levels of $x^2-y^2$", fontsize=10)
    ax.legend(fontsize=8)
    paths = [descent(*start) for start in STARTS]
    kept = [np.ptp(path[:, 0] ** 2 - path[:, 1] ** 2) for path in paths]
    curvature = 2 * np.sum(way[[0, -1]] ** 2, axis=1)
    print(
        f"(xy - 1)^2: gradient flow keeps x^2 - y^2 to {max(kept):.1e}; the flattening flow keeps\n"
        f"  xy to {np.abs(np.prod(way, axis=1) - 1).max():.1e} and lowers the largest eigenvalue "
        f"from {curvature[0]:.4g} to {curvature[1]:.4g}"
    )


# -------------------------------------------------------------------------- factorization


def unbalanced():
    """Factors of a 4 x 3 matrix with singular values 3 and 1."""
    rng = np.random.default_rng(0)
    U, V = (np.linalg.qr(rng.normal(size=(n, 2)))[0] for n in (4, 3))
    root, G = np.sqrt([3.0, 1.0]), np.array([[1.6, 0.5], [0.0, 0.8]])
    return U * root @ G, V * root @ np.linalg.inv(G).T


def draw_factorization(ax):
    X, Y = unbalanced()
    way = [(X, Y), *balancing_flow(X, Y, n_steps=150)]
    largest = [2 * (np.linalg.norm(A, 2) ** 2 + np.linalg.norm(B, 2) ** 2) for A, B in way]
    gap = [np.linalg.norm(conserved(A, B)) for A, B in way]
    moved = max(np.abs(A @ B.T - X @ Y.T).max() for A, B in way)
    ax.plot(largest, color="C3", label="largest eigenvalue of the Hessian")
    ax.axhline(12, color="C3", ls=":", lw=1, label="its minimum, $4\\sigma_1$")
    ax.plot(gap, color="C0", label="$|X'X - Y'Y|$")
    ax.set(xlabel="steps of the flow")
    ax.set_title("$|XY' - M|^2$ at $XY' = M$", fontsize=10)
    ax.legend(fontsize=8)
    print(
        f"factorization: largest eigenvalue {largest[0]:.4g} to {largest[-1]:.6g} (minimum 12); "
        f"the product moves by {moved:.1e}"
    )


# -------------------------------------------------------------------------------- network


def draw_network(ax):
    X, y = load_digits(return_X_y=True)
    X = X / 16
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        clf = MLPClassifier((32, 16), max_iter=60, random_state=0).fit(X, y)
    sharp = sharpen(clf, X, y, factor=100)
    back = list(flattening_flow(sharp, X, y, n_steps=25))
    traces = [hessian_trace(each, X, y).value for each in (clf, *back)]
    least = [orbit_trace(each, X, y).value for each in (clf, sharp)]
    gap = np.max(np.abs(flatten(sharp, X, y).predict_proba(X) / clf.predict_proba(X) - 1))
    ax.semilogy([-1, 0], traces[:2], "k--", lw=1, label="sharpened")
    ax.semilogy(range(len(back)), traces[1:], color="C3", marker=".", label="flattening flow")
    ax.semilogy(-1, traces[0], "ko", label="as trained")
    ax.axhline(least[0], color="C0", ls=":", label="orbit_trace, of all of them")
    ax.set(xlabel="steps of the flow", ylabel="trace of the Hessian")
    ax.set_title("one network, equal predictions", fontsize=10)
    ax.legend(fontsize=8)
    print(
        f"network: trace {traces[0]:.4g}, sharpened {traces[1]:.4g}, brought back to "
        f"{traces[-1]:.6g}; orbit_trace of both {least[0]:.6g} and {least[1]:.6g};\n"
        f"  probabilities differ by {gap:.1e} relative"
    )


def main():
    figure, axes = plt.subplots(1, 3, figsize=(14, 4.4), layout="constrained")
    for draw, ax in zip((draw_scalars, draw_factorization, draw_network), axes, strict=True):
        draw(ax)
        ax.grid(alpha=0.3)
    PICTURE.parent.mkdir(exist_ok=True)
    figure.savefig(PICTURE, dpi=120)
    plt.close(figure)
    print(f"Picture: results/{PICTURE.name}")


if __name__ == "__main__":
    main()
