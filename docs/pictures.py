"""Draw the pictures of the documentation into ``docs/figures``.

    python docs/pictures.py

The README shows ``rho.png``: test accuracy over ``rho`` on digits with wrong labels. The others
explain the three numbers on functions of two variables.
"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from threadpoolctl import threadpool_limits

from skflat import FlatMLPClassifier

FIGURES = Path(__file__).resolve().parent / "figures"
RADII = [0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25]
PENALTIES = [0.1, 0.3, 1.0, 3.0, 10.0]
SEEDS = range(5)
SHARE = 0.3


def noisy_digits(seed):
    """Digits, 30 % of whose training labels are replaced at random."""
    X, y = load_digits(return_X_y=True)
    X, X_test, y, y_test = train_test_split(
        X / 16, y, train_size=600, random_state=seed, stratify=y
    )
    rng = np.random.default_rng(seed)
    wrong = rng.random(len(y)) < SHARE
    y[wrong] = rng.integers(10, size=wrong.sum())
    return X, y, X_test, y_test


def scored(rho, alpha, seed):
    """Accuracy on right test labels, and the trace of the Hessian."""
    X, y, X_test, y_test = noisy_digits(seed)
    clf = FlatMLPClassifier(
        rho=rho, alpha=alpha, max_iter=200, tol=0, measures=["sharpness"], random_state=seed
    )
    clf.fit(X, y)
    return clf.score(X_test, y_test), clf.sharpness_


def draw_rho():
    """Accuracy and sharpness over rho, with and without a tuned penalty."""
    plain = np.array([[scored(rho, 1e-4, seed) for seed in SEEDS] for rho in RADII])
    tuned = np.array([[scored(0.0, alpha, seed) for seed in SEEDS] for alpha in PENALTIES])
    best = tuned[:, :, 0].mean(axis=1).max()
    fig, (left, right) = plt.subplots(1, 2, figsize=(7.2, 2.7), layout="constrained")
    for ax, k in ((left, 0), (right, 1)):
        spread = plain[:, :, k].std(axis=1, ddof=1) / np.sqrt(len(SEEDS))
        ax.errorbar(RADII, plain[:, :, k].mean(axis=1), yerr=spread, marker="o", markersize=4)
        ax.set_xlabel("rho")
        ax.grid(alpha=0.3)
    left.axhline(best, color="C1", linestyle="--", label="rho=0, best of five alpha")
    left.legend(loc="lower right")
    left.set_ylabel("accuracy on right test labels")
    right.set(ylabel="sharpness_", ylim=(0, None))
    fig.suptitle("digits with 30 % wrong training labels", fontsize="medium")
    save(fig, "rho")


def draw_sharpness():
    """Two valleys of one depth, and the parabolas that touch them."""
    t = np.linspace(-1.6, 1.6, 400)
    fig, ax = plt.subplots(figsize=(4.6, 3.2), layout="constrained")
    for k, (place, curvature) in enumerate([(-1.9, 1.5), (1.9, 12.0)]):
        valley = 0.1 + 1.3 * (1 - np.exp(-curvature * t**2 / 2.6))
        ax.plot(place + t, valley, f"C{k}", linewidth=2)
        near = t[np.abs(t) < np.sqrt(2.0 / curvature)]
        ax.plot(place + near, 0.1 + curvature * near**2 / 2, f"C{k}", linestyle=":")
        ax.text(place, -0.16, f"second derivative {curvature:g}", ha="center", color=f"C{k}")
    ax.set(ylim=(-0.3, 1.6), yticks=[], xticks=[], ylabel="loss")
    ax.set_xlabel("one direction of the parameters")
    save(fig, "sharpness")


def draw_flatness():
    """The ball that reaches the nearest level set of the loss."""
    level = 0.5
    first, second = np.meshgrid(np.linspace(-1.7, 1.7, 300), np.linspace(-1.3, 1.3, 300))
    loss = first**2 / 3 + 1.2 * second**2 + 0.3 * second**3
    reach = _distance(level)
    fig, ax = plt.subplots(figsize=(4.6, 3.4), layout="constrained")
    ax.contour(first, second, loss, levels=[0.05, 0.15, 0.3], colors="0.75")
    ax.contour(first, second, loss, levels=[level], colors="C1", linewidths=2)
    ax.add_patch(plt.Circle((0, 0), reach, fill=True, alpha=0.2, color="C0"))
    ax.annotate("", (0, reach), (0, 0), arrowprops={"arrowstyle": "->", "color": "C0"})
    line = {"arrowstyle": "-"}
    ax.annotate("flatness_", (0, reach / 2), (0.9, -0.9), color="C0", arrowprops=line)
    ax.text(0, 1.02, "where the loss is greater by s", color="C1", ha="center")
    ax.plot(0, 0, "k.", markersize=8)
    ax.set(aspect="equal", xticks=[], yticks=[], xlabel="parameters")
    save(fig, "flatness")


def _distance(level):
    """From 0 to the level, along the second axis."""
    roots = np.roots([0.3, 1.2, 0, -level])
    return min(root.real for root in roots if abs(root.imag) < 1e-9 and root.real > 0)


def draw_weakness():
    """Lines that separate the training rows alike and a probe not."""
    rng = np.random.default_rng(0)
    left, right = rng.normal((-1.2, 0), 0.35, (9, 2)), rng.normal((1.2, 0), 0.35, (9, 2))
    fig, ax = plt.subplots(figsize=(4.6, 3.2), layout="constrained")
    ax.plot(*left.T, "C0o", label="one class")
    ax.plot(*right.T, "C1s", label="the other")
    ax.plot(-0.1, 1.0, "k*", markersize=13, label="probe: both outcomes are open")
    ax.plot(-2.1, -0.9, "k^", markersize=8, label="probe: only one is")
    y = np.array([-1.6, 1.9])
    for slope, offset in ((0.0, 0.0), (0.33, -0.1), (-0.45, 0.05), (0.55, 0.1)):
        ax.plot(slope * y + offset, y, color="0.6", linewidth=1)
    ax.set(xlim=(-2.6, 2.2), ylim=(-1.6, 3.0), xticks=[], yticks=[], xlabel="last hidden layer")
    ax.legend(loc="upper center", ncols=2, fontsize="small", frameon=False)
    save(fig, "weakness")


def save(fig, name):
    """Write a small file."""
    FIGURES.mkdir(exist_ok=True)
    fig.savefig(FIGURES / f"{name}.png", dpi=110)
    print(f"docs/figures/{name}.png")


if __name__ == "__main__":
    with threadpool_limits(1):
        for draw in (draw_sharpness, draw_flatness, draw_weakness, draw_rho):
            draw()
