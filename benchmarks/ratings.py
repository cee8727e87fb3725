"""Ratings: FlatMatrixFactorization beside Surprise, cmfrec and myFM, in error and in time.

python benchmarks/ratings.py --data DIR [--sets movielens_1m] [--seeds 5] [--quick] [--flatness]

Ratings are split 90/10 by every seed. On the training part of the first seed, a tenth of it held
out for validation, a grid over the number of components, ``rho`` and the two penalties is searched;
its best setting is fitted to the whole training part of every seed and scored once on the test
part. So it is for Gibbs sampling, of which only the number of components is chosen, and for every
rival, on the first split alone. The defaults are fitted to the first seed's ratings in several
units. Then a race on the first seed: sweep by sweep until the test error of each rival at its end
is reached. Rivals that are not installed are left out and said to be.

With --flatness there is only a table: whether ``rho`` is better than ``alpha``. Each alone is tried
at six strengths, with all else equal, and chosen on the same validation entries.

Errors and seconds are written to ratings.csv. DIR holds .npz files with the arrays user, item and
rating. Jester's are a matrix.
"""

import argparse
import time
import warnings
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from _rating_rivals import RIVALS
from _timing import print_ratio
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import root_mean_squared_error

from skflat import FlatMatrixFactorization
from skflat.solvers import Gibbs

CSV = Path(__file__).with_suffix(".csv")
#: Name to the range of ratings, and the bar for the error where there is one.
SETS = {
    "movielens_1m": ((1, 5), 0.835),
    "movietweetings_100k": ((0, 10), None),
    "movielens_latest_small": ((0.5, 5), None),
    "jester_1": ((-10, 10), None),
}
RIVALLED = ["movielens_1m", "movietweetings_100k"]  # by default
#: One ridge alone: ``rho`` in units of the root of the deviation of the ratings, or ``alpha``.
ALONE = {
    "rho": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6],
    "alpha": [2.0, 5.0, 12.0, 30.0, 80.0, 200.0],
}
GRID = {
    "n_components": [20, 40],
    "rho": [0.1, 0.2, 0.3],
    "alpha": [2.0, 5.0, 10.0],
    "alpha_offsets": [2.0, 5.0],
}
#: What is fixed of Gibbs sampling, which learns its penalties. Only components are chosen.
GIBBS = {"solver": Gibbs(n_members=160), "max_iter": 200}
#: In which the defaults are fitted: they have to say the same in all of them.
UNITS = [0.1, 1.0, 10.0, 100.0]


def load(folder, name):
    """Pairs of user and item, and ratings."""
    (path,) = Path(folder).rglob(f"{name}.npz")
    with np.load(path, allow_pickle=False) as arrays:
        if name == "jester_1":
            ratings = arrays["ratings_x100"]
            pairs = np.argwhere(ratings != 9900)
            return pairs, (ratings[tuple(pairs.T)] / 100).astype(np.float32)
        pairs = np.column_stack([arrays["user"].astype(int), arrays["item"].astype(int)])
        return pairs, arrays["rating"].astype(np.float32)


def split(n, seed):
    order = np.random.default_rng(seed).permutation(n)
    return order[n // 10 :], order[: n // 10]


def ours(clip, **params):
    return FlatMatrixFactorization(clip=clip, measures=None, random_state=0, **params)


def error_of(model, X, y):
    return root_mean_squared_error(y, model.predict(X))


def best_setting(X, y, clip, grid, fixed=None):
    train, held_out = split(len(y), 0)
    best, setting = np.inf, None
    for values in product(*grid.values()):
        params = (fixed or {}) | dict(zip(grid, values, strict=True))
        model = ours(clip, **params).fit(X[train], y[train])
        error = error_of(model, X[held_out], y[held_out])
        print(f"    {params}   validation {error:.4f}   sweeps {model.n_iter_}", flush=True)
        if error < best:
            best, setting = error, params
    return setting


def fits(setting, X, y, clip, n_seeds):
    """Test error and seconds of one setting, on a split for every seed."""
    found = []
    for seed in range(n_seeds):
        train, test = split(len(y), seed)
        start = time.perf_counter()
        model = ours(clip, **setting).fit(X[train], y[train])
        seconds = time.perf_counter() - start
        error = error_of(model, X[test], y[test])
        found.append((error, seconds))
        told = f"  seed {seed}   test {error:.4f}   {seconds:6.2f} s   sweeps {model.n_iter_}"
        print(told, flush=True)
    return found


def save(name, rows):
    """Write the errors on a set to the CSV file, in place of those that it had."""
    new = [
        (name, method, seed, error, seconds)
        for method, found in rows.items()
        for seed, (error, seconds) in enumerate(found)
    ]
    frame = pd.DataFrame(new, columns=["set", "method", "seed", "error", "seconds"])
    if CSV.exists():
        before = pd.read_csv(CSV, comment="#")
        frame = pd.concat([before[before["set"] != name], frame])
    frame.to_csv(CSV, index=False, float_format="%.5g", lineterminator="\n")


def print_defaults(X, y, X_test, y_test):
    """R^2 of the defaults on entries held out, with the ratings in several units."""
    for unit in UNITS:
        start = time.perf_counter()
        model = ours(None).fit(X, unit * y)
        seconds = time.perf_counter() - start
        score = model.score(X_test, unit * y_test)
        print(
            f"  defaults, ratings x {unit:<5}  R^2 {score:.4f}   alpha {model.alpha_:g}"
            f"   {seconds:6.2f} s",
            flush=True,
        )


def rivals(X, y, X_test, y_test, clip):
    """Error and seconds of every rival that is installed, its components chosen as ours are."""
    train, held_out = split(len(y), 0)
    found = {}
    for name, (fit, sizes) in RIVALS.items():
        try:
            errors = [
                root_mean_squared_error(
                    y[held_out], fit(X[train], y[train], X[held_out], clip, k)[1]
                )
                for k in (sizes if len(sizes) > 1 else [])
            ]
            k = sizes[int(np.argmin(errors))] if errors else sizes[0]
            seconds, predicted = fit(X, y, X_test, clip, k)
        except ImportError as missing:
            print(f"  {name:<22} missing: {missing}")
            continue
        found[name] = root_mean_squared_error(y_test, predicted), seconds
        print(
            f"  {name:<16} k={k:<4} test {found[name][0]:.4f}   {seconds:6.2f} s"
            f"   validation {np.round(errors, 4).tolist()}",
            flush=True,
        )
    return found


def seconds_to(errors, X, y, X_test, y_test, clip, setting):
    """Seconds of fitting until the test error is first as low as each of some errors."""
    reached, spent = {}, 0.0
    for n_sweeps in range(1, 60):
        # A fit of so many sweeps from scratch: what a user would wait for.
        model = ours(clip, tol=0.0, max_iter=n_sweeps, **setting)
        start = time.perf_counter()
        model.fit(X, y)
        spent = time.perf_counter() - start
        error = error_of(model, X_test, y_test)
        for name, bar in errors.items():
            if error <= bar and name not in reached:
                reached[name] = spent
        if len(reached) == len(errors):
            break
    return reached


# -------------------------------------------------------------------------------------- runs


def run(folder, name, n_seeds, grid):
    clip, bar = SETS[name]
    X, y = load(folder, name)
    print(f"{name}: {len(y):,} ratings")
    first, _ = split(len(y), 0)
    settings = {
        "als": best_setting(X[first], y[first], clip, grid),
        "gibbs": best_setting(
            X[first], y[first], clip, {"n_components": grid["n_components"]}, GIBBS
        ),
    }
    rows = {each: fits(setting, X, y, clip, n_seeds) for each, setting in settings.items()}
    errors = {each: [error for error, _ in found] for each, found in rows.items()}
    for each, found in errors.items():
        spread = np.std(found, ddof=1)
        print(f"  ours, {each}, at {settings[each]}: {np.mean(found):.4f} +- {spread:.4f}")
    train, test = split(len(y), 0)
    parts = X[train], y[train], X[test], y[test]
    print_defaults(*parts)
    theirs = rivals(*parts, clip)
    save(name, rows | {each: [found] for each, found in theirs.items()})
    reached = seconds_to(
        {each: error for each, (error, _) in theirs.items()}, *parts, clip, settings["als"]
    )
    for each, (error, seconds) in theirs.items():
        print_ratio(f"seconds to the error of {each}", reached.get(each, np.inf), seconds, 1.0)
        for ours_is, found in errors.items():
            print_ratio(f"test error of {ours_is}, over that of {each}", found[0], error, 1.0)
    if bar is not None:
        print_ratio(f"test error of gibbs, over {bar}", np.mean(errors["gibbs"]), bar, 1.0)


def print_flatness(folder, name, n_seeds):
    """Test errors with ``rho`` alone and with ``alpha`` alone, each chosen among six strengths."""
    clip = SETS[name][0]
    X, y = load(folder, name)
    first, _ = split(len(y), 0)
    learnt, held_out = (first[part] for part in split(len(first), 0))
    params = {"n_components": 20, "alpha_offsets": 2.0}
    settings, errors = {}, {}
    for ridge, strengths in ALONE.items():
        unit = np.sqrt(np.std(y[first])) if ridge == "rho" else 1.0
        trials = [params | {"rho": 0.0, "alpha": 0.0, ridge: unit * s} for s in strengths]
        validation = [
            error_of(ours(clip, **trial).fit(X[learnt], y[learnt]), X[held_out], y[held_out])
            for trial in trials
        ]
        settings[ridge] = trials[int(np.argmin(validation))]
        print(f"  {name}, {ridge}: {np.round(validation, 4).tolist()}", flush=True)
    for ridge, setting in settings.items():
        errors[ridge] = []
        for train, test in (split(len(y), seed) for seed in range(n_seeds)):
            model = ours(clip, **setting).fit(X[train], y[train])
            errors[ridge].append(error_of(model, X[test], y[test]))
    gain = np.subtract(errors["alpha"], errors["rho"])
    error = np.std(gain, ddof=1) / np.sqrt(n_seeds)
    told = "   ".join(
        f"{ridge}={settings[ridge][ridge]:.3g} {np.mean(found):.4f}"
        for ridge, found in errors.items()
    )
    print(f"  {name:<24} {told}   alpha - rho {gain.mean():+.4f} +- {error:.4f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", metavar="DIR", required=True)
    parser.add_argument("--sets", nargs="+", choices=list(SETS))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--flatness", action="store_true", help="only rho against alpha")
    parser.add_argument("--quick", action="store_true", help="20 components only")
    args = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    grid = GRID | ({"n_components": [20]} if args.quick else {})
    if args.flatness:
        for name in args.sets or SETS:
            print_flatness(args.data, name, args.seeds)
        return
    for name in args.sets or RIVALLED:
        run(args.data, name, args.seeds, grid)


if __name__ == "__main__":
    main()
