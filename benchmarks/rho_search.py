"""What a search over radius and penalty costs, and whether it finds what the full search finds.

    python benchmarks/rho_search.py [--data DIR] [--rows N] [--sets NAME ...]

First the time of ``FlatMLPClassifierCV`` on the digits beside that of ``GridSearchCV`` over the
same settings and splits. Then, on several data sets: the best of the full search, and by how many
of its standard errors the setting that the search has found scores less; the same for plain
halving, which compares all settings with each other at every rung; and where the best setting
stands at early epochs. Times are CPU times of one process. With ``--data`` there are more sets;
``name@20`` is a set of which 20 % of the labels are drawn anew.
"""

import argparse
import time
import warnings
from functools import partial
from pathlib import Path

import numpy as np
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_wine,
    make_friedman1,
)
from sklearn.model_selection import GridSearchCV, check_cv
from sklearn.preprocessing import scale
from threadpoolctl import threadpool_limits

from skflat import FlatMLPClassifier, FlatMLPClassifierCV, FlatMLPRegressor, FlatMLPRegressorCV

BUNDLED = {
    "digits": partial(load_digits, return_X_y=True),
    "cancer": partial(load_breast_cancer, return_X_y=True),
    "wine": partial(load_wine, return_X_y=True),
    "diabetes": partial(load_diabetes, return_X_y=True),
    "friedman": partial(make_friedman1, 1000, noise=2.0, random_state=0),
}
REGRESSION = {"diabetes", "friedman", "california_housing", "wine_quality", "protein_casp"}
DEFAULT = ["wine", "cancer", "diabetes", "friedman", "digits", "digits@20"]
EARLY = (1 / 24, 1 / 8, 1 / 3)
PLAIN = ((1 / 9, 8), (1 / 3, 3))  # halving among all: shares of a full fit, and how many go on


def load(name, folder, n_rows):
    """Features of size 1 (the digits as they are), and targets, of which some may be drawn anew."""
    base, _, noise = name.partition("@")
    if base in BUNDLED:
        X, y = BUNDLED[base]()
    else:
        with np.load(Path(folder) / f"{base}.npz", allow_pickle=False) as arrays:
            suffix = "_train" if "X_train" in arrays else ""
            X, y = arrays[f"X{suffix}"], arrays[f"y{suffix}"]
        X = X.reshape(len(X), -1).astype(float)
    rng = np.random.default_rng(0)
    rows = np.sort(rng.permutation(len(X))[:n_rows])
    X, y = X[rows], y[rows]
    if noise:
        wrong = rng.random(len(y)) < float(noise) / 100
        y = np.where(wrong, rng.choice(np.unique(y), len(y)), y)
    return X if base == "digits" else scale(X), scale(y.astype(float)) if base in REGRESSION else y


def networks(name):
    """The network and its search."""
    if name.partition("@")[0] in REGRESSION:
        return FlatMLPRegressor, FlatMLPRegressorCV
    return FlatMLPClassifier, FlatMLPClassifierCV


def curves(network, X, y, tried, classifier):
    """Scores of every setting after every epoch: arrays by setting and split."""
    return [
        [
            np.array(
                network(**setting, measures=None, random_state=0)
                .fit(X[train], y[train], validation_data=(X[test], y[test]))
                .validation_scores_
            )
            for train, test in check_cv(5, y, classifier=classifier).split(X, y)
        ]
        for setting in tried
    ]


def at(curves, epoch):
    """Mean scores at an epoch, those of the end where training has ended before."""
    return np.array([np.mean([c[: int(np.ceil(epoch))][-1] for c in each]) for each in curves])


def plain_halving(curves, length):
    """What halving finds that compares all settings with each other."""
    alive = np.arange(len(curves))
    for share, n_kept in PLAIN:
        scores = at(curves, share * length)[alive]
        alive = alive[np.argsort(-scores, kind="stable")[:n_kept]]
    return alive[ends_of(curves).mean(axis=1)[alive].argmax()]


def ends_of(curves):
    """Last scores by setting and split."""
    return np.array([[c[-1] for c in each] for each in curves])


def compare(name, folder, n_rows):
    """One line of the table; whether what was found is good enough."""
    X, y = load(name, folder, n_rows)
    network, search = networks(name)
    start = time.process_time()
    found = search(random_state=0, measures=None).fit(X, y)
    middle = time.process_time()
    tried = found.cv_results_["params"]
    everything = curves(network, X, y, tried, network is FlatMLPClassifier)
    cost = (middle - start) / (time.process_time() - middle)
    ends = ends_of(everything)
    full, best = ends.mean(axis=1), ends.mean(axis=1).argmax()
    error = ends[best].std(ddof=1) / np.sqrt(ends.shape[1])
    length = np.mean([len(c) for c in everything[len(tried) // 2]])
    chosen = found.best_index_, plain_halving(everything, length)
    behind = [(full[best] - full[i]) / error for i in chosen]
    early = [at(everything, share * length) for share in EARLY]
    line = [
        f"{name:14s} {full[best]:6.3f} ({error:.4f})",
        pair(tried[best]),
        pair(tried[chosen[0]]),
    ]
    line += [f"{each:7.2f}" for each in (*behind, cost)]
    line += [f"{1 + np.sum(scores > scores[best]):4d}" for scores in early]
    print(*line, flush=True)
    return behind[0] <= 1


def pair(setting):
    """A setting in a column."""
    return f"{setting['rho']:7.3g}, {setting['alpha']:6.2g}"


def time_on_digits():
    """CPU time of the search and of ``GridSearchCV``, both with their measures and their refit."""
    X, y = load_digits(return_X_y=True)
    start = time.process_time()
    found = FlatMLPClassifierCV(random_state=0).fit(X, y)
    middle = time.process_time()
    grid = {"rho": found.rhos_, "alpha": found.alphas_}
    GridSearchCV(FlatMLPClassifier(random_state=0), grid, cv=5).fit(X, y)
    return middle - start, time.process_time() - middle


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", metavar="DIR", help="folder with .npz files of further sets")
    parser.add_argument("--rows", type=int, default=2000, help="most rows of a set")
    parser.add_argument("--sets", nargs="+", default=DEFAULT, metavar="NAME[@NOISE]")
    parser.add_argument("--no-time", action="store_true", help="leave out the digits' times")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    with threadpool_limits(1):
        if not args.no_time:
            search, grid = time_on_digits()
            print(
                f"digits: FlatMLPClassifierCV {search:.1f} s, GridSearchCV {grid:.1f} s,", end=" "
            )
            print(f"ratio {search / grid:.3f}\n", flush=True)
        print("set            best (1 SE)      its rho, alpha  found rho, alpha", end="  ")
        print("behind   plain    cost  place of the best at 1/24, 1/8, 1/3")
        good = [compare(name, args.data, args.rows) for name in args.sets]
        print(f"\nwithin one standard error of the full search's best: {sum(good)} of {len(good)}")


if __name__ == "__main__":
    main()
