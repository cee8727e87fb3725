"""Which solver stores how many random patterns in a perceptron with weights in {-1, +1}?

    python benchmarks/wide_minima/storage.py [--n 1001] [--solvers amp sbpi] [--loads 0.5 0.7]

Patterns of independent signs with random labels, ``load`` times as many as weights; at a load of
0.833 the last solution disappears. For every solver and load: instances solved, and the median
iterations and seconds of those. Every instance is appended to a CSV as soon as it is done, and a
run that was interrupted goes on from there.
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from skflat import FlatPerceptronClassifier
from skflat.experiments import Checkpoint
from skflat.solvers.binary import (
    AMP,
    BINARY_SOLVERS,
    SBPI,
    FocusingAMP,
    ReplicatedAnnealing,
)

SOLVERS = {
    **{name: name for name in BINARY_SOLVERS},
    "amp, slow": AMP(reinforcement=3e-4),
    "focusing_amp, once": FocusingAMP(n_restarts=0),
    "focusing_amp, slow": FocusingAMP(step=3e-4),
    "one annealed": ReplicatedAnnealing(n_replicas=1),
    "sbpi, low": SBPI(threshold=0.05, period=None),
    "sbpi, fixed": SBPI(period=None),
}
LOADS = {
    "amp": (0.5, 0.6, 0.7, 0.74, 0.76),
    "amp, slow": (0.7, 0.74, 0.76, 0.78),
    "focusing_amp": (0.5, 0.7, 0.74, 0.75, 0.76),
    "focusing_amp, once": (0.7, 0.74, 0.75, 0.76),
    "focusing_amp, slow": (0.74, 0.75, 0.76),
    "focusing_bp": (0.5, 0.6, 0.7),
    "max_sum": (0.3, 0.5, 0.6),
    "mean_field": (0.4, 0.5, 0.6),
    "one annealed": (0.3, 0.4, 0.5),
    "replicated_annealing": (0.3, 0.4, 0.5),
    "replicated_sgd": (0.3, 0.4, 0.5),
    "sbpi": (0.3, 0.5, 0.6, 0.65, 0.68),
    "sbpi, low": (0.3, 0.5, 0.6),
    "sbpi, fixed": (0.3, 0.5, 0.6, 0.65, 0.68),
    "ste": (0.2, 0.3, 0.4),
}
FIELDS = ("solver", "n", "load", "seed", "n_errors", "n_iter", "seconds")


def instance(n, load, seed):
    """Random signs and random labels, in single precision."""
    rng = np.random.default_rng([n, seed, round(1000 * load)])
    X = rng.integers(2, size=(round(load * n), n), dtype=np.int8).astype(np.float32)
    X *= 2
    X -= 1
    return X, rng.permutation(np.arange(len(X)) % 2)


def solve(name, n, load, seed):
    """One instance, as a row of the CSV."""
    X, y = instance(n, load, seed)
    clf = FlatPerceptronClassifier(
        solver=SOLVERS[name], scale=False, fit_intercept=False, measures=None, random_state=seed
    )
    start = time.perf_counter()
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore", ConvergenceWarning)  # the count of errors says as much
        clf.fit(X, y)
    seconds = time.perf_counter() - start
    row = name, n, load, seed, clf.n_errors_, clf.n_iter_, round(seconds, 2)
    return dict(zip(FIELDS, row, strict=True))


def show(rows):
    print(f"{'solver':<20}{'n':>7}{'load':>6}{'solved':>9}{'iterations':>12}{'seconds':>9}")
    for key in dict.fromkeys((row["solver"], row["n"], row["load"]) for row in rows):
        group = [row for row in rows if (row["solver"], row["n"], row["load"]) == key]
        solved = [row for row in group if row["n_errors"] == 0]
        share = f"{len(solved)}/{len(group)}"
        median = [
            f"{np.median([float(row[field]) for row in solved]):.4g}" if solved else "-"
            for field in ("n_iter", "seconds")
        ]
        print(f"{key[0]:<20}{key[1]:>7}{key[2]:>6}{share:>9}{median[0]:>12}{median[1]:>9}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, nargs="+", default=[1001])
    parser.add_argument("--solvers", nargs="+", choices=SOLVERS, default=list(SOLVERS))
    parser.add_argument("--loads", type=float, nargs="+", help="the same for all solvers")
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".csv"))
    args = parser.parse_args()
    tasks = [
        (name, n, load, seed)
        for n in args.n
        for name in args.solvers
        for load in args.loads or LOADS[name]
        for seed in range(args.seeds)
    ]
    with Checkpoint(args.out, FIELDS, n_keys=4) as done:
        for task in done.missing(tasks):
            done.add([solve(*task)])
        show([row for rows in done.rows.values() for row in rows])


if __name__ == "__main__":
    main()
