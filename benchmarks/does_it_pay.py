"""Does flatness pay? At equal gradients and equal trials, against tuned baselines, on real data.

python benchmarks/does_it_pay.py --data DIR [--seeds 5] [--jobs 2] [--sets NAME ...] [--out FILE]
python benchmarks/does_it_pay.py --report FILE

Eight sets, three shares of wrong targets, five seeds, and every method with eight trials of its own
knobs. Each trial may differentiate every training row 60 times. A method with two knobs tries five
values of the first, then three of the second at the best of the first. The trial with the best
score on validation rows, which are as noisy as the training rows, is scored on right test rows:
accuracy, or R^2. A row of the CSV file is one method on one draw; what is there already is not run
again.
"""

import argparse
import warnings
from pathlib import Path

import numpy as np
from _study_data import NOISE, NUMBERS, OTHERS, SETS, rows_of
from _study_methods import METHODS, applies, estimator
from _study_report import report
from _study_search import search
from joblib import Parallel, delayed
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from skflat.experiments import Checkpoint

HERE = Path(__file__).resolve().parent
COLUMNS = ("data", "noise", "seed", "method", "group", "chosen", "validation", "test", "trials")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", metavar="DIR")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--sets", nargs="+", default=SETS, choices=SETS + OTHERS)
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=list(METHODS))
    parser.add_argument("--out", default=HERE / "does_it_pay.csv", type=Path)
    parser.add_argument("--report", metavar="FILE", type=Path)
    args = parser.parse_args()
    if args.report is None:
        run(args)
    report(args.report or args.out)


def run(args):
    """Every draw and method that the file does not hold yet, one seed after the other."""
    cells = [(s, n, seed) for seed in range(args.seeds) for n in NOISE for s in args.sets]
    tasks = [
        (*cell, method)
        for cell in cells
        for method in args.methods
        if applies(method, cell[0] in NUMBERS, cell[-1])
    ]
    with Checkpoint(args.out, COLUMNS, n_keys=4) as done:
        missing = (delayed(_on_draw)(args.data, *task) for task in done.missing(tasks))
        for found in Parallel(args.jobs, return_as="generator_unordered")(missing):
            done.add([found])
            print(*(found[name] for name in COLUMNS[:4]), found["test"], flush=True)


def _on_draw(folder, name, noise, seed, method):
    """A method on one draw of the rows: a row of the file."""
    parts = rows_of(name, folder, noise, seed)
    with threadpool_limits(1):
        found = _best_trial(method, name in NUMBERS, *parts, seed)
    return {"data": name, "noise": noise, "seed": seed, "method": method} | found


def _best_trial(method, is_regression, train, validation, test, seed):
    def scores(trial):
        model, extra = estimator(method, trial, is_regression, validation, seed)
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore", ConvergenceWarning)
                model.fit(*train, **extra)
                return model.score(*validation), model.score(*test)
        except ValueError as error:  # training diverged: the trial is lost, and says so
            print(f"{method} {trial}: {error}", flush=True)
            return -np.inf, -np.inf

    tried, best = search(METHODS[method].knobs, scores)
    validation_score, test_score = next(found for trial, found in tried if trial is best)
    return {
        "group": METHODS[method].group,
        "chosen": best,
        "validation": f"{validation_score:.5f}",
        "test": f"{test_score:.5f}",
        "trials": " ".join(f"{v:.4f}/{t:.4f}" for _, (v, t) in tried),
    }


if __name__ == "__main__":
    main()
