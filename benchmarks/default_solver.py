"""Which solver and radius should an estimator have by default?

python benchmarks/default_solver.py --data DIR [--choose] [--seeds 5] [--jobs 2] [--out FILE]

Every candidate is one fit of a network whose other parameters are scikit-learn's defaults, at the
gradients of 60 epochs of ``adam``. ``--choose`` compares the candidates on sets that choose the
default and test nothing. Without it the same table is made on the sets of the study of what pays,
which have had no part in the choice.
"""

import argparse
import warnings

import numpy as np
import pandas as pd
from _study_data import NOISE, NUMBERS, OTHERS, SETS, rows_of
from _study_report import holm
from joblib import Parallel, delayed
from scipy.stats import ttest_rel
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from skflat import FlatMLPClassifier, FlatMLPRegressor
from skflat.solvers import MSAM, SAM, OneSidedNoise, TracePenalty

BUDGET = 60
#: Solver, gradients a step, radii.
CANDIDATES = {
    "adam": ("adam", 1, (0.0,)),
    "sam": ("sam", 2, (0.05, 0.1)),
    "sam, last quarter": (SAM(start=0.75), 1.25, (0.05, 0.1, 0.3)),
    "trace, every 10th": (TracePenalty(interval=10), 1.1, (0.02, 0.03, 0.05, 0.07)),
    "trace, every 50th": (TracePenalty(interval=50), 1.02, (0.02, 0.03, 0.05, 0.07)),
    "msam": (MSAM(), 1, (0.1, 0.3, 0.5, 1.0)),
    "one-sided noise": (OneSidedNoise(), 1, (0.01, 0.02, 0.03, 0.05)),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", metavar="DIR", required=True)
    parser.add_argument("--choose", action="store_true")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", metavar="FILE")
    args = parser.parse_args()
    names = OTHERS if args.choose else SETS
    cells = [(name, noise, seed) for name in names for noise in NOISE for seed in range(args.seeds)]
    found = Parallel(args.jobs)(delayed(_on_draw)(args.data, *cell) for cell in cells)
    frame = pd.DataFrame([row for rows in found for row in rows])
    if args.out is not None:
        frame.round(5).to_csv(args.out, index=False)
    report(frame)


def _on_draw(folder, name, noise, seed):
    train, _, test = rows_of(name, folder, noise, seed)
    cell = f"{name} {noise:.0%}"
    with threadpool_limits(1):
        return [
            {
                "cell": cell,
                "seed": seed,
                "candidate": f"{candidate} {rho:g}",
                "score": _score(solver, gradients, rho, name in NUMBERS, train, test, seed),
            }
            for candidate, (solver, gradients, radii) in CANDIDATES.items()
            for rho in radii
        ]


def _score(solver, gradients, rho, is_regression, train, test, seed):
    kind = FlatMLPRegressor if is_regression else FlatMLPClassifier
    model = kind(
        solver=solver,
        rho=rho,
        max_iter=int(BUDGET // gradients),
        tol=0.0,
        n_iter_no_change=np.inf,
        measures=None,
        random_state=seed,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(*train).score(*test)


def report(frame):
    """Differences to ``adam`` in points by cell, and on how many cells they are significant."""
    scores = frame.pivot_table(index=["cell", "seed"], columns="candidate", values="score")
    differences = 100 * scores.sub(scores["adam 0"], axis=0)
    print("difference to adam, points\n")
    print(differences.groupby("cell").mean().T.round(1).to_string())
    summary = pd.DataFrame({name: _summary(scores, name) for name in scores}).T
    print("\n" + summary.sort_values("worst", ascending=False).to_string())


def _summary(scores, name):
    pairs = [part[[name, "adam 0"]].to_numpy() for _, part in scores.groupby("cell")]
    gains = np.array([100 * np.diff(pair[:, ::-1], axis=1).mean() for pair in pairs])
    p = [ttest_rel(*pair.T).pvalue if np.ptp(pair[:, 0] - pair[:, 1]) else 1.0 for pair in pairs]
    significant = holm(np.array(p))
    return {
        "mean": gains.mean().round(2),
        "worst": gains.min().round(2),
        "best": gains.max().round(2),
        "behind": (significant & (gains < 0)).sum(),
        "ahead": (significant & (gains > 0)).sum(),
    }


if __name__ == "__main__":
    main()
