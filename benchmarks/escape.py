"""Escape from a bad minimum: every solver from one network that fits its rows and no others.

python benchmarks/escape.py [--data DIR] [--seeds 5] [--budget 40] [--jobs 2]

An MLP is trained on 5,000 rows of MNIST together with 10,000 further ones that have random labels,
until it fits these and 99 % of all: an adversarial start after Liu, Papailiopoulos and Achlioptas
(arXiv:1906.02613), right on its training rows and wrong elsewhere. From that same point every
solver goes on with the 5,000 rows alone at an equal number of gradients, by plain steps of a small
constant rate. Test and training accuracy and the exact trace over time go to a CSV file here, a
table and a picture in results/.
"""

import argparse
import warnings
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # the picture goes to a file

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.datasets import fetch_openml
from threadpoolctl import threadpool_limits

from skflat.models.mlp import MLP
from skflat.objective import ExactTrace, Multinomial, Objective
from skflat.solvers import SGD, SOLVERS, Run, Settings, minimize

HERE = Path(__file__).resolve().parent
SIZES = (784, 200, 10)
N_TRAIN, N_RANDOM, N_CHECKS = 5_000, 10_000, 6
# Those that have nothing to do with this question: a base, or not for these steps.
LEFT_OUT = {"adam", "lbfgs"}


def mnist(folder):
    if folder is None:
        X, y = fetch_openml("mnist_784", version=1, as_frame=False, return_X_y=True)
        X, y = (X / 255).astype(np.float32), y.astype(int)
        return X[:60_000], y[:60_000], X[60_000:], y[60_000:]
    with np.load(Path(folder) / "mnist.npz", allow_pickle=False) as arrays:
        X, y, X_test, y_test = (arrays[f"{a}_{b}"] for b in ("train", "test") for a in "Xy")
    flat = [(part.reshape(len(part), -1) / 255).astype(np.float32) for part in (X, X_test)]
    return flat[0], y.astype(int), flat[1], y_test.astype(int)


def accuracy(objective, w):
    return float(np.mean(objective.scores(w).argmax(axis=1) == objective.data.y))


def bad_minimum(train, X_random, seed):
    """A network that fits the training rows, and random labels of the others."""
    labels = np.random.default_rng(seed).integers(10, size=len(X_random))
    X, y = np.concatenate([train.data.X, X_random]), np.concatenate([train.data.y, labels])
    both = Objective(train.model, Multinomial(), X, y)
    w = train.model.init(np.random.RandomState(seed), np.float32)
    settings = Settings(learning_rate_init=0.1, n_iter_no_change=np.inf)
    for turn in range(40):  # of ten epochs each
        w, _ = minimize(SGD(), both, w, settings, random_state=100 * seed + turn, max_epochs=10)
        if accuracy(train, w) == 1.0 and accuracy(both, w) > 0.99:
            return w
    raise RuntimeError("The adversarial start does not fit its rows.")


def escape(name, train, test, w, seed, budget):
    """Checks along the way of one solver: a list of dicts."""
    solver, w = SOLVERS[name](), w.copy()
    if "base" in solver.get_params():
        solver.set_params(base="sgd")
    auto = solver.default_rho
    settings = Settings(
        rho=0.0 if auto is None else auto,
        learning_rate_init=0.01,
        momentum=0.0,
        nesterovs_momentum=False,
        max_iter=budget,
        n_iter_no_change=np.inf,
    )
    state = solver.init_state(train, w, settings, np.random.default_rng(seed))
    batches, rows, spent, found = np.random.RandomState(seed), [], 0.0, w
    for target in np.linspace(0, budget, N_CHECKS + 1):
        while spent < target - 1e-9:
            run = Run(train, settings, batches, max_epochs=1)
            found = solver.solve(w, state, run)
            spent += run.work.rows / train.n_rows
        trace = float(train.capability(ExactTrace).of_rows(found).sum(axis=1).mean())
        scores = {"train": accuracy(train, found), "test": accuracy(test, found), "trace": trace}
        rows.append({"solver": name, "seed": seed, "budget": target, "gradients": spent, **scores})
    return rows


def one_seed(folder, names, seed, budget):
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        X, y, X_test, y_test = mnist(folder)
        rows = np.random.default_rng(seed).permutation(len(y))
        rows, others = rows[:N_TRAIN], rows[N_TRAIN : N_TRAIN + N_RANDOM]
        model = MLP(SIZES)
        train = Objective(model, Multinomial(), X[rows], y[rows])
        test = Objective(model, Multinomial(), X_test, y_test)
        w = bad_minimum(train, X[others], seed)
        return [row for name in names for row in escape(name, train, test, w, seed, budget)]


def draw(frame):
    fig, axes = plt.subplots(1, 3, figsize=(15, 4.5), layout="constrained")
    colors = plt.get_cmap("tab20").colors
    for ax, key in zip(axes, ("test", "train", "trace"), strict=True):
        for k, (name, part) in enumerate(frame.groupby("solver", sort=False)):
            curve = part.groupby("budget")[key].mean()
            ax.plot(curve.index, curve, marker=".", color=colors[k % 20], label=name)
        ax.set_xlabel("gradients of every training row")
        ax.set_ylabel({"test": "test accuracy", "train": "training accuracy"}.get(key, "trace"))
        ax.grid(alpha=0.3)
    axes[2].set_yscale("log")
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside right center")
    picture = HERE.parent / "results" / "escape.png"
    picture.parent.mkdir(exist_ok=True)
    fig.savefig(picture, dpi=120)
    print(f"Picture: results/{picture.name}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", metavar="DIR", help="folder with mnist.npz; else from OpenML")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--budget", type=int, default=40)
    parser.add_argument("--jobs", type=int, default=2)
    names = [name for name in SOLVERS if name not in LEFT_OUT]
    parser.add_argument("--solvers", nargs="+", default=names)
    args = parser.parse_args()
    found = Parallel(args.jobs)(
        delayed(one_seed)(args.data, args.solvers, seed, args.budget) for seed in range(args.seeds)
    )
    frame = pd.DataFrame([row for rows in found for row in rows])
    frame.to_csv(HERE / "escape.csv", index=False, float_format="%.6g")
    start = frame[frame["budget"] == 0][["train", "test", "trace"]].mean()
    print(
        f"start: train {start['train']:.4f}, test {start['test']:.4f}, trace {start['trace']:.1f}"
    )
    last = frame.groupby(["solver", "seed"], sort=False).last().groupby("solver", sort=False)
    table = last[["gradients", "train", "test", "trace"]].mean()
    table["test stderr"] = last["test"].sem()
    print(table.round(4).to_string())
    draw(frame)


if __name__ == "__main__":
    main()
