"""How flat is what algorithms find, next to planted and typical solutions? The whole curves.

    python benchmarks/wide_minima/curves.py [--n 1001] [--load 0.3] [--seeds 5]

A perceptron with weights in {-1, +1} stores random patterns of signs. Their labels are random, or
those of a planted teacher, which then is one solution more and, as the teacher is drawn like any
other weights, a typical one of its instance. For the solutions of focusing belief propagation, of
gradient descent on the cross-entropy (straight-through estimator) and for the teacher: the local
energy, the expected share of wrong rows when some weights are flipped, and the local entropy, the
log-number of solutions at a distance, by belief propagation with a field. Beside them theory, for
random labels: typical solutions, and those of the largest margin. A random instance can have no
planted solution without ceasing to be one, hence the closed form there.
"""

import argparse
import warnings
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # the picture goes to a file

import matplotlib.pyplot as plt
import numpy as np
from _rows import complete, print_markdown, save_picture
from sklearn.exceptions import ConvergenceWarning

from skflat import FlatPerceptronClassifier
from skflat.datasets import make_perceptron_storage, make_teacher_student
from skflat.measures import flip_energy, local_entropy
from skflat.solvers.binary import BinarySolver
from skflat.theory import franz_parisi, hamming_entropy, max_margin, typical_local_energy

DISTANCES = (0.005, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3)
SHOWN = (0.01, 0.02, 0.05, 0.1)
SOLUTIONS = {"random": ("focusing_bp", "ste"), "teacher": ("focusing_bp", "ste", "teacher")}
NAMES = {"focusing_bp": "focusing BP", "ste": "gradient (STE)", "teacher": "the teacher"}
COLUMNS = ["labels", "solution", "n", "load", "seed"]
VALUES = ["n_errors", "overlap", "quantity", "distance", "value"]


class Given(BinarySolver):
    """Weights that are known."""

    def __init__(self, w):
        self.w = w

    def candidates(self, patterns, rng):
        yield self.w


def solution(labels, name, n, load, seed):
    """A row for each quantity and distance."""
    make = make_perceptron_storage if labels == "random" else make_teacher_student
    X, y, *teacher = make(n, load, dtype=np.float32, random_state=seed)
    clf = FlatPerceptronClassifier(
        solver=Given(teacher[0]) if name == "teacher" else name,
        scale=False,
        fit_intercept=False,
        measures=None,
        random_state=seed,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the count of errors says as much
        clf.fit(X, y)
    task = dict(zip(COLUMNS, (labels, name, n, load, seed), strict=True))
    task["n_errors"], task["overlap"] = clf.n_errors_, np.nan
    if teacher:
        task["overlap"] = clf.weights_[0] @ teacher[0] / n
    if clf.n_errors_:
        return [task | {"quantity": "energy", "distance": d, "value": np.nan} for d in DISTANCES]
    energy = flip_energy(clf, X, y, distance=DISTANCES).table["error"]
    curves = {"energy": energy, "entropy": entropies(clf, X, y)}
    return [
        task | {"quantity": quantity, "distance": d, "value": value}
        for quantity, curve in curves.items()
        for d, value in zip(DISTANCES, curve, strict=True)
    ]


def entropies(clf, X, y):
    """Local entropies; none where belief propagation did not converge at every distance."""
    with warnings.catch_warnings(record=True) as doubts:
        warnings.simplefilter("always")
        curve = local_entropy(clf, X, y, distance=DISTANCES, method="bethe").table["entropy"]
    return np.full(len(DISTANCES), np.nan) if doubts else curve


def theories(load):
    """Name to energies and entropies at the distances."""
    largest, d = max_margin(load), np.array(DISTANCES)
    found = {
        "typical": (typical_local_energy(d, load), franz_parisi(load, d).entropy),
        "typical, largest margin": (
            typical_local_energy(d, load, margin=largest),
            franz_parisi(load, d, reference_margin=largest).entropy,
        ),
    }
    return {
        name: dict(zip(("energy", "entropy"), each, strict=True)) for name, each in found.items()
    }


def planted_energy():
    """Of a teacher in the limit of many weights: its stabilities are half-normal."""
    return np.arccos(1 - 2 * np.array(DISTANCES)) / np.pi


def curve_of(part, quantity):
    part = part[part["quantity"] == quantity].groupby("distance")["value"]
    return part.mean().reindex(DISTANCES), part.sem().reindex(DISTANCES)


def show(frame, load):
    heads = ["labels", "solution", "solved"]
    heads += [f"{letter}({d:g})" for letter in "ES" for d in SHOWN]
    rows = [
        [
            "random",
            f"{name} (theory)",
            "",
            *(f"{c[DISTANCES.index(d)]:.4f}" for c in curves.values() for d in SHOWN),
        ]
        for name, curves in theories(load).items()
    ]
    for (labels, name), part in frame.groupby(["labels", "solution"], sort=False):
        solved = part.groupby("seed")["n_errors"].first() == 0
        cells = [
            f"{curve_of(part, quantity)[0][d]:.4f}"
            for quantity in ("energy", "entropy")
            for d in SHOWN
        ]
        rows.append([labels, NAMES[name], f"{solved.sum()}/{len(solved)}", *cells])
    print_markdown(heads, rows)
    overlaps = frame[(frame["labels"] == "teacher") & (frame["n_errors"] == 0)]
    overlaps = overlaps.groupby("solution", sort=False)["overlap"].mean()
    print("overlap of the solutions with the teacher:", overlaps.round(3).to_dict())


def draw(frame, load):
    fig, axes = plt.subplots(2, 2, figsize=(12, 9), sharex=True, sharey="col", layout="constrained")
    for row, (labels, part) in zip(axes, frame.groupby("labels", sort=False), strict=True):
        for ax, quantity in zip(row, ("energy", "entropy"), strict=True):
            for name, each in part.groupby("solution", sort=False):
                mean, sem = curve_of(each, quantity)
                ax.errorbar(mean.index, mean, yerr=sem, fmt=".-", label=NAMES[name])
            ax.set_title(f"local {quantity}, labels: {labels}")
    for name, curves in theories(load).items():
        for ax, curve in zip(axes[0], curves.values(), strict=True):
            ax.plot(DISTANCES, curve, "--", label=f"{name} (theory)")
    axes[1, 0].plot(DISTANCES, planted_energy(), "--", label="a teacher (theory)")
    for ax in axes[:, 1]:
        ax.plot(DISTANCES, hamming_entropy(np.array(DISTANCES)), "0.7", label="all weights")
    for ax in axes.ravel():
        ax.grid(alpha=0.3)
        ax.legend()
    for ax in axes[1]:
        ax.set_xlabel("share of weights that differ")
    save_picture(fig, "curves")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=1001)
    parser.add_argument("--load", type=float, default=0.3)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".csv"))
    args = parser.parse_args()
    tasks = [
        (labels, name, args.n, args.load, seed)
        for labels, names in SOLUTIONS.items()
        for name in names
        for seed in range(args.seeds)
    ]
    frame = complete(args.out, COLUMNS, VALUES, solution, tasks, args.jobs)
    show(frame, args.load)
    draw(frame, args.load)


if __name__ == "__main__":
    main()
