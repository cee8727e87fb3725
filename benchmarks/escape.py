"""Escape from a bad minimum: every solver from one network that fits its rows and no others.

python benchmarks/escape.py [--data DIR] [--seeds 5] [--budget 40] [--jobs 2]

An MLP is trained on 5,000 rows of MNIST together with 10,000 further ones that have random labels,
until it fits these and 99 % of all: an adversarial start after Liu, Papailiopoulos and Achlioptas
(arXiv:1906.02613), right on its training rows and wrong elsewhere. From that same point every
solver goes on with the 5,000 rows alone at an equal number of gradients, by plain steps of a small
constant rate. `sap` runs in both forms: with its default and, as "sap_paper", in the paper's
(centered=False).

The sharpness of Ahn, Jadbabaie and Sra (arXiv:2305.15659) is the trace where gradient flow leads,
not at a noisy iterate, and the trace of the cross-entropy follows the loss. So every end is
polished: plain steps, no longer than the inverse of the trace, until the training loss is at most
LEVEL. Then all traces are at equal loss. Loss, accuracies and the exact trace over time and
after polishing go to a CSV file here, a table and a picture in results/.
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
from skflat.solvers import SAP, SGD, SOLVERS, Run, Settings, minimize

HERE = Path(__file__).resolve().parent
SIZES = (784, 200, 10)
N_TRAIN, N_RANDOM, N_CHECKS = 5_000, 10_000, 6
LEVEL, MOST_EPOCHS = 5e-4, 1000  # where polishing ends
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


def solver_of(name):
    """A solver on plain steps; "sap_paper" is SAP in the paper's form."""
    solver = SAP(centered=False) if name == "sap_paper" else SOLVERS[name]()
    return solver.set_params(base="sgd") if "base" in solver.get_params() else solver


def plain_steps(rate, **changes):
    plain = {"momentum": 0.0, "nesterovs_momentum": False, "n_iter_no_change": np.inf}
    return Settings(learning_rate_init=rate, **plain, **changes)


def trace_of(objective, w):
    return float(objective.capability(ExactTrace).of_rows(w).sum(axis=1).mean())


def check(train, test, w):
    accuracies = {"train": accuracy(train, w), "test": accuracy(test, w)}
    return {"loss": train.loss(w), **accuracies, "trace": trace_of(train, w)}


def escape(name, train, test, w, seed, budget):
    """Checks along the way of one solver and after polishing: a list of dicts."""
    solver, found = solver_of(name), w.copy()
    settings = plain_steps(0.01, rho=solver.default_rho or 0.0, max_iter=budget)
    state = solver.init_state(train, found, settings, np.random.default_rng(seed))
    batches, rows, spent = np.random.RandomState(seed), [], 0.0
    for target in np.linspace(0, budget, N_CHECKS + 1):
        while spent < target - 1e-9:
            run = Run(train, settings, batches, max_epochs=1)
            found = solver.solve(found, state, run)
            spent += run.work.rows / train.n_rows
        checked = check(train, test, found)
        rows.append({"stage": "run", "budget": target, "gradients": spent, **checked})
    found, n_epochs = polished(train, found, seed)
    checked = check(train, test, found)
    rows.append({"stage": "polished", "budget": budget, "gradients": spent + n_epochs, **checked})
    return [{"solver": name, "seed": seed, **row} for row in rows]


def polished(train, w, seed):
    """The end of plain steps from ``w`` to the loss LEVEL, and the number of epochs."""
    n_epochs = 0
    while train.loss(w) > LEVEL and n_epochs < MOST_EPOCHS:
        if n_epochs % 5 == 0:
            # No eigenvalue of the Hessian is greater than its trace, so these steps are stable.
            settings = plain_steps(min(0.5, 1 / trace_of(train, w)))
        n_epochs += 1
        order = 1_000_000 * (seed + 1) + n_epochs
        w, _ = minimize(SGD(), train, w, settings, random_state=order, max_epochs=1)
    return w, n_epochs


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
            style = {"color": colors[k % 20], "linestyle": ("-", "--")[k // 20]}
            ax.plot(curve.index, curve, marker=".", label=name, **style)
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
    names = [*(name for name in SOLVERS if name not in LEFT_OUT), "sap_paper"]
    parser.add_argument("--solvers", nargs="+", default=names)
    args = parser.parse_args()
    tasks = (delayed(one_seed)(args.data, args.solvers, s, args.budget) for s in range(args.seeds))
    found = []
    for rows in Parallel(args.jobs, return_as="generator")(tasks):
        found += rows
        frame = pd.DataFrame(found)  # a seed that has ended is not lost
        frame.to_csv(HERE / "escape.csv", index=False, float_format="%.6g")
    summarise(frame)
    draw(frame[frame["stage"] == "run"])


def summarise(frame):
    start = frame[frame["budget"] == 0][["train", "test", "trace"]].mean()
    print(
        f"start: train {start['train']:.4f}, test {start['test']:.4f}, trace {start['trace']:.1f}"
    )
    for stage, part in frame.groupby("stage", sort=False):
        last = part.groupby(["solver", "seed"], sort=False).last().groupby("solver", sort=False)
        table = last[["gradients", "loss", "train", "test", "trace"]].mean()
        table["test stderr"] = last["test"].sem()
        print(f"\n{stage}\n{table.round(4).to_string()}")


if __name__ == "__main__":
    main()
