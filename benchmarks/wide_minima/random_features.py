"""From which size on are there solutions, flat ones, and algorithms that find them?

    python benchmarks/wide_minima/random_features.py [--seeds 6] [--data DIR] [--jobs 2]

A student with N weights in {-1, +1} on random features sign(F x) learns P = 604 rows, as it grows
(the setting of arXiv:2110.00683). First from a teacher with 201 binary weights: by theory, the size
at which typical solutions appear and that at which dense regions of them do (groups of close
solutions at every distance), and the test error of typical solutions and of those of the largest
margin; by reinforced message passing and SBPI, at finite size, the share of instances solved, the
test error, and the local energy of the solutions: the share of rows that go wrong when 2 % of the
weights are flipped. Then the same sweep on real data, the parity of handwritten digits, with the
thresholds that `emergence` reads from it, flat being a local energy of 0.03: scikit-learn's digits,
or MNIST with --data, a folder with mnist.npz. All rows go to CSV files here, and what was done
already is not done again.
"""

import argparse
import warnings
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # the picture goes to a file

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from _rows import RESULTS, complete, print_markdown, save_picture
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_random_state

from skflat import FlatPerceptronClassifier
from skflat.datasets import make_random_features
from skflat.experiments import Emergence, emergence
from skflat.measures import FlipEnergy
from skflat.solvers.binary import AMP, SBPI
from skflat.theory import (
    student_clone_threshold,
    student_interpolation,
    student_max_margin,
    student_solutions,
)

HERE = Path(__file__).resolve().parent
N_INPUTS, N_ROWS, N_TEST, ALPHA_T = 201, 604, 3000, 3.0
RATIOS = (0.9, 0.95, 1.0, 1.05, 1.1, 1.2, 1.5, 2.1, 2.5, 3.5)  # N / P
REAL_RATIOS = (0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.1, 3.5)
# Features of real images are correlated, and message passing then needs damping.
SOLVERS = {"amp": AMP(), "sbpi": SBPI(period=None)}
REAL_SOLVERS = {"amp": AMP(damping=0.9), "sbpi": SBPI(period=None)}
NAMES = {"amp": "message passing", "sbpi": "SBPI"}
ENERGY, FLAT = FlipEnergy(0.02), 0.03  # flat; typical solutions of random labels: 0.1
COLUMNS = ["solver", "size", "seed"]
VALUES = ["train_error", "test_score", "energy"]


def sizes(ratios):
    """Odd, so that no field is 0."""
    return [2 * round((ratio * N_ROWS - 1) / 2) + 1 for ratio in ratios]


def perceptron(solver, seed=None):
    return FlatPerceptronClassifier(
        solver=solver, scale=False, fit_intercept=False, measures=None, random_state=seed
    )


# ------------------------------------------------------------------------------- a teacher


def student(name, size, seed):
    """One instance, a list of one row as `Emergence` reads them; rows stay as the size grows."""
    X, y = make_random_features(
        size, N_ROWS + N_TEST, N_INPUTS, coef=False, dtype=np.float32, random_state=seed
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the error says as much
        clf = perceptron(SOLVERS[name], seed).fit(X[:N_ROWS], y[:N_ROWS])
    return [
        {
            **dict(zip(COLUMNS, (name, size, seed), strict=True)),
            "train_error": clf.n_errors_ / N_ROWS,
            "test_score": clf.score(X[N_ROWS:], y[N_ROWS:]),
            "energy": ENERGY.measure(clf, X[:N_ROWS], y[:N_ROWS]).value,
        }
    ]


def dense_size():
    """Size from which on groups of close solutions exist: the largest over the groups."""
    return max(student_clone_threshold(ALPHA_T, m).size for m in (3, 4, 5, 6))


def theory(ratio):
    """Entropy and error of typical solutions; the largest margin, and the error with it."""
    typical, largest = student_solutions(ratio, ALPHA_T), student_max_margin(ratio, ALPHA_T)
    return typical.entropy, typical.error, largest, student_solutions(ratio, ALPHA_T, largest).error


# -------------------------------------------------------------------------------- real data


class SignFeatures(TransformerMixin, BaseEstimator):
    """Signs of random projections."""

    def __init__(self, n_components=100, random_state=None):
        self.n_components = n_components
        self.random_state = random_state

    def fit(self, X, y=None):
        rng = check_random_state(self.random_state)
        self.projections_ = rng.standard_normal((X.shape[1], self.n_components))
        return self

    def transform(self, X):
        return np.where(X @ self.projections_ > 0, 1, -1).astype(np.float32)


def parity(folder):
    """Name, rows to learn and rows to test on: is the digit odd?"""
    if folder is None:
        X, y = load_digits(return_X_y=True)
    else:
        with np.load(Path(folder) / "mnist.npz", allow_pickle=False) as arrays:
            X, y = arrays["X_train"], arrays["y_train"]
    rows = np.random.default_rng(0).permutation(len(y))[: N_ROWS + N_TEST]
    X, y = X[rows].reshape(len(rows), -1).astype(float), y[rows].astype(int) % 2
    scaler = StandardScaler().fit(X[:N_ROWS])
    X = scaler.transform(X)
    return "digits" if folder is None else "mnist", X[:N_ROWS], y[:N_ROWS], X[N_ROWS:], y[N_ROWS:]


def sweep_real(folder, seeds, jobs):
    """The data's name, and name of a solver to its Emergence."""
    data, X, y, X_test, y_test = parity(folder)
    RESULTS.mkdir(exist_ok=True)
    found = {}
    for name, solver in REAL_SOLVERS.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # thresholds that are not reached are seen in the table
            found[name] = emergence(
                make_pipeline(SignFeatures(), perceptron(solver)),
                X,
                y,
                sizes(REAL_RATIOS),
                size_param="signfeatures__n_components",
                n_seeds=seeds,
                X_test=X_test,
                y_test=y_test,
                measure=ENERGY,
                level=FLAT,
                n_jobs=jobs,
                # Of this machine: it is for the same data to the bit.
                checkpoint=RESULTS / f"random_features_{data}_{name}.csv",
            )
    frames = [each.to_frame().assign(solver=name) for name, each in found.items()]
    path = HERE / f"random_features_{data}.csv"
    pd.concat(frames).to_csv(path, index=False, float_format="%.6g")
    return data, found


# ----------------------------------------------------------------------------------- output


def cells(emergence, size, seeds):
    """Solved, test error and local energy at a size."""
    row = emergence.summary().loc[size]
    energy = f"{row['energy']:.3f}" if row["solved"] else "-"
    return f"{round(row['solved'] * seeds)}/{seeds}", f"{1 - row['test_score']:.3f}", energy


def show_theory(theories):
    heads = ["theory: N / P", "entropy", "typical error", "largest margin", "error of that"]
    print_markdown(
        heads,
        [[f"{ratio:g}", *(f"{x:.4f}" for x in each)] for ratio, each in theories.items()],
    )


def show(title, found, ratios, seeds):
    heads = [f"{title}: N / P"]
    for name in found:
        heads += [f"{NAMES[name]}: solved", "test error", "energy"]
    rows = [
        [f"{ratio:g}", *(cell for each in found.values() for cell in cells(each, size, seeds))]
        for ratio, size in zip(ratios, sizes(ratios), strict=True)
    ]
    print_markdown(heads, rows)
    for name, each in found.items():
        for kind, at in (("interpolation", each.interpolation_), ("flatness", each.flatness_)):
            where = f"{at.size / N_ROWS:.3f} [{at.low / N_ROWS:.2f}, {at.high / N_ROWS:.2f}]"
            print(f"{NAMES[name]}, {kind}: N / P = {where} {at.reason}")


def draw_row(axes, found, title):
    for name, each in found.items():
        summary = each.summary()
        curves = {
            "share solved": summary["solved"],
            "test error": 1 - summary["test_score"],
            "local energy, 2 % flips": summary["energy"],
        }
        for ax, (label, curve) in zip(axes, curves.items(), strict=True):
            ax.plot(summary.index / N_ROWS, curve, ".-", label=NAMES[name])
            ax.set(xscale="log", xlabel="N / P", title=f"{title}: {label}")
            ax.grid(alpha=0.3)


def draw(learned, theories, first, dense, data, real):
    fig, axes = plt.subplots(2, 3, figsize=(15, 9), layout="constrained")
    draw_row(axes[0], learned, "a teacher")
    for ax in axes[0]:
        ax.axvline(first, color="C2", ls=":", label="typical solutions exist (theory)")
        ax.axvline(dense, color="C3", ls=":", label="dense ones exist (theory)")
        ax.set_xticks([0.9, 1, 1.5, 2, 3], [0.9, 1, 1.5, 2, 3])
        ax.minorticks_off()
    _, typical, _, largest = np.transpose(list(theories.values()))
    lines = axes[0, 1].plot(list(theories), typical, "C2--", label="typical (theory)")
    lines += axes[0, 1].plot(list(theories), largest, "C4--", label="largest margin (theory)")
    axes[0, 1].legend(handles=lines, loc="lower left")
    draw_row(axes[1], real, f"parity of {data}")
    axes[1, 2].set_xlim(axes[1, 0].get_xlim())
    for ax in axes[:, 0]:
        ax.legend(loc="lower right")
    save_picture(fig, f"random_features_{data}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--data", metavar="DIR", help="folder with mnist.npz; else digits")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".csv"))
    args = parser.parse_args()
    first, dense = student_interpolation(ALPHA_T), dense_size()
    print(f"theory: typical solutions from N / P = {first:.4f}, dense ones from {dense:.4f}")
    tasks = [(s, n, seed) for s in SOLVERS for n in sizes(RATIOS) for seed in range(args.seeds)]
    frame = complete(args.out, COLUMNS, VALUES, student, tasks, args.jobs)
    learned = {
        name: Emergence(part.sort_values(["size", "seed"]).to_dict("records"), level=FLAT)
        for name, part in frame.drop(columns="solver").groupby(frame["solver"])
    }
    theories = {ratio: theory(ratio) for ratio in RATIOS}
    show_theory(theories)
    show("a teacher", learned, RATIOS, args.seeds)
    data, real = sweep_real(args.data, args.seeds, args.jobs)
    show(f"parity of {data}", real, REAL_RATIOS, args.seeds)
    draw(learned, theories, first, dense, data, real)


if __name__ == "__main__":
    main()
