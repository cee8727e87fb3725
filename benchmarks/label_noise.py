"""Does a flat minimum help under label noise? Fashion-MNIST, equal gradient budgets.

    python benchmarks/label_noise.py [--data DIR] [--jobs 2]

5,000 training rows, one hidden layer of 256, standardised inputs, five seeds; 0, 20 and 40 % of
the training labels are replaced at random. Every contender may differentiate every training row
100 times: 100 epochs of adam or sgd, 50 of SAM. ``rho`` is chosen on 5,000 further rows whose
labels are replaced at the same rate, since nobody has clean ones; "adam, early stopping" uses the
same rows to choose its epoch. Test labels are clean.

Every fit is appended to a CSV as soon as it is done, and a run that was interrupted goes on from
there.
"""

import argparse
import warnings
from collections import defaultdict
from pathlib import Path

import numpy as np
from _data import add_data_argument, fashion_mnist
from joblib import Parallel, delayed
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from skflat import FlatMLPClassifier
from skflat.experiments import Checkpoint
from skflat.solvers import ASAM, SAM

BUDGET, N_TRAIN, N_VALIDATION, HIDDEN, BATCH = 100, 5_000, 5_000, 256, 128
NOISE, SEEDS = (0.0, 0.2, 0.4), range(5)
RHO = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
ADAPTIVE_RHO = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
RATE = {"adam": 1e-3, "sgd": 1e-2}
FIELDS = ("noise", "seed", "solver", "rho", "validation", "test", "n_grad_evals")

# name: (solver, its base optimizer, the radii to choose from)
CONTENDERS = {
    "scikit-learn adam": ("scikit-learn", "adam", (0.0,)),
    "adam": ("adam", "adam", (0.0,)),
    "adam, early stopping": ("adam", "adam", (0.0,)),
    "sgd": ("sgd", "sgd", (0.0,)),
    "sam": (SAM(), "adam", RHO),
    "sam on sgd": (SAM(base="sgd"), "sgd", RHO),
    "asam": (ASAM(), "adam", ADAPTIVE_RHO),
    "asam on sgd": (ASAM(base="sgd"), "sgd", ADAPTIVE_RHO),
}


def replace_labels(y, share, rng):
    """Replace a share of the labels by classes drawn at random."""
    y = y.copy()
    rows = rng.permutation(len(y))[: round(share * len(y))]
    y[rows] = rng.integers(10, size=len(rows))
    return y


def split(data, noise, seed):
    """Standardised training, validation and test rows of one seed."""
    X, y, X_test, y_test = data
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(X))[: N_TRAIN + N_VALIDATION]
    train, validation = rows[:N_TRAIN], rows[N_TRAIN:]
    scaler = StandardScaler().fit(X[train])
    return (
        scaler.transform(X[train]),
        replace_labels(y[train], noise, rng),
        scaler.transform(X[validation]),
        replace_labels(y[validation], noise, rng),
        scaler.transform(X_test),
        y_test,
    )


def make(name, rho, seed):
    """The contender, with as many epochs as the budget allows."""
    solver, base, _ = CONTENDERS[name]
    settings = {
        "hidden_layer_sizes": (HIDDEN,),
        "batch_size": BATCH,
        "learning_rate_init": RATE[base],
        "n_iter_no_change": 10**6,
        "random_state": seed,
    }
    if solver == "scikit-learn":
        return MLPClassifier(solver=base, max_iter=BUDGET, **settings)
    climbs = isinstance(solver, SAM) and rho > 0
    return FlatMLPClassifier(
        solver=solver,
        rho=rho,
        max_iter=BUDGET // 2 if climbs else BUDGET,
        early_stopping=name.endswith("early stopping"),
        measures=None,
        **settings,
    )


def run(data, noise, seed, name, rho):
    """Fit one contender and score it."""
    X, y, X_val, y_val, X_test, y_test = split(data, noise, seed)
    warnings.simplefilter("ignore", ConvergenceWarning)  # the budget ends the fit
    clf = make(name, rho, seed)
    more = {"validation_data": (X_val, y_val)} if name.endswith("early stopping") else {}
    with threadpool_limits(1):
        clf.fit(X, y, **more)
        scores = clf.score(X_val, y_val), clf.score(X_test, y_test)
    evals = getattr(clf, "n_grad_evals_", clf.n_iter_)
    return dict(zip(FIELDS, (noise, seed, name, rho, *scores, evals), strict=True))


def print_table(rows):
    """Mean test accuracy and standard error, with rho chosen on the validation rows."""
    chosen = {}
    for row in rows:
        key = (row["noise"], row["solver"], row["seed"])
        if key not in chosen or row["validation"] > chosen[key]["validation"]:
            chosen[key] = row
    cells = defaultdict(list)
    for (noise, name, _), row in chosen.items():
        cells[name, noise].append(row)
    print("| test accuracy (rho) |" + "".join(f" {noise:.0%} noise |" for noise in NOISE))
    print("|---|" + "---:|" * len(NOISE))
    for name in CONTENDERS:
        print(f"| {name} |", *(_cell(cells[name, noise]) for noise in NOISE))


def _cell(rows):
    if not rows:
        return "- |"
    scores = np.array([row["test"] for row in rows])
    error = scores.std(ddof=1) / np.sqrt(len(scores)) if len(scores) > 1 else np.nan
    radii = sorted({row["rho"] for row in rows if row["rho"] > 0})
    radii = f" ({', '.join(f'{rho:g}' for rho in radii)})" if radii else ""
    return f"{scores.mean():.4f} ± {error:.4f}{radii} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add_data_argument(parser)
    parser.add_argument("--jobs", type=int, default=2, help="fits side by side")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/label_noise.csv"))
    args = parser.parse_args()
    tasks = [
        (noise, seed, name, rho)
        for seed in SEEDS
        for noise in NOISE
        for name, (_, _, radii) in CONTENDERS.items()
        for rho in radii
    ]
    with Checkpoint(args.out, FIELDS, n_keys=4) as done:
        missing = done.missing(tasks)
        data = fashion_mnist(args.data) if missing else None
        fits = Parallel(n_jobs=args.jobs, return_as="generator_unordered")(
            delayed(run)(data, *task) for task in missing
        )
        for number, row in enumerate(fits, 1):
            done.add([row])
            print(f"{number}/{len(missing)}", end="\r", flush=True)
        print_table([row for rows in done.rows.values() for row in rows])


if __name__ == "__main__":
    main()
