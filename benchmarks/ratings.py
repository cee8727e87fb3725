"""Ratings: FlatMatrixFactorization beside Surprise's SVD and cmfrec, in error and in time.

python benchmarks/ratings.py --data DIR [--sets movielens_1m] [--seeds 5] [--quick] [--flatness]

Ratings are split 90/10 by every seed. On the training part of the first seed, a tenth of it held
out for validation, a grid over the number of components, ``rho`` and the two penalties is searched;
its best setting is fitted to the whole training part of every seed and scored once on the test
part. The defaults are fitted to the first seed's ratings in several units. Then a race on the first
seed: sweep by sweep until the test error of each rival at its end is reached. Rivals that are not
installed are left out and said to be.

With --flatness there is only a table: whether ``rho`` is better than ``alpha``. Each alone is tried
at six strengths, with all else equal, and chosen on the same validation entries.

DIR holds .npz files with the arrays user, item and rating. Jester's are a matrix.
"""

import argparse
import time
import warnings
from itertools import product
from pathlib import Path

import numpy as np
from _timing import print_ratio
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import root_mean_squared_error

from skflat import FlatMatrixFactorization

#: Name to the range of ratings, and the bar for the error where there is one.
SETS = {
    "movielens_1m": ((1, 5), 0.850),
    "movietweetings_100k": ((0, 10), None),
    "movielens_latest_small": ((0.5, 5), None),
    "jester_1": ((-10, 10), None),
}
RIVALLED = ["movielens_1m", "movietweetings_100k"]  # by default
#: One ridge alone: ``rho`` in units of the root of the deviation of the ratings, or ``alpha``.
ALONE = {
    "rho": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6],
    "alpha": [0.5, 2.0, 5.0, 10.0, 20.0, 40.0],
}
GRID = {
    "n_components": [20, 40],
    "rho": [0.2, 0.3, 0.4],
    "alpha": [2.0, 5.0, 10.0],
    "alpha_offsets": [2.0, 5.0],
}
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


def best_setting(X, y, clip, grid):
    train, held_out = split(len(y), 0)
    best, setting = np.inf, None
    for values in product(*grid.values()):
        params = dict(zip(grid, values, strict=True))
        model = ours(clip, **params).fit(X[train], y[train])
        error = error_of(model, X[held_out], y[held_out])
        print(f"    {params}   validation {error:.4f}   sweeps {model.n_iter_}", flush=True)
        if error < best:
            best, setting = error, params
    return setting


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


# ---------------------------------------------------------------------------------- rivals


def surprise_svd(X, y, X_test, clip):
    """Surprise's SVD at its defaults: seconds of the fit, and predictions."""
    import pandas as pd
    from surprise import SVD, Dataset, Reader

    frame = pd.DataFrame({"user": X[:, 0], "item": X[:, 1], "rating": y})
    train = Dataset.load_from_df(frame, Reader(rating_scale=clip)).build_full_trainset()
    start = time.perf_counter()
    model = SVD(random_state=0).fit(train)
    seconds = time.perf_counter() - start
    return seconds, np.array([model.predict(*pair).est for pair in X_test.tolist()])


def cmfrec(X, y, X_test, clip, k=20):
    """cmfrec's CMF by alternating least squares at its defaults: seconds, and predictions."""
    import pandas as pd
    from cmfrec import CMF

    frame = pd.DataFrame({"UserId": X[:, 0], "ItemId": X[:, 1], "Rating": y})
    start = time.perf_counter()
    model = CMF(k=k, random_state=1, nthreads=1, verbose=False).fit(frame)
    seconds = time.perf_counter() - start
    return seconds, model.predict(X_test[:, 0], X_test[:, 1]).clip(*clip)


RIVALS = {"Surprise SVD": surprise_svd, "cmfrec k=20": cmfrec}


def rivals(X, y, X_test, y_test, clip):
    """Error and seconds of every rival that is installed."""
    found = {}
    for name, fit in RIVALS.items():
        try:
            seconds, predicted = fit(X, y, X_test, clip)
        except ImportError as missing:
            print(f"  {name:<22} missing: {missing}")
            continue
        found[name] = root_mean_squared_error(y_test, predicted), seconds
        print(f"  {name:<22} test {found[name][0]:.4f}   {seconds:6.2f} s", flush=True)
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
    setting = best_setting(X[first], y[first], clip, grid)
    errors = []
    for seed in range(n_seeds):
        train, test = split(len(y), seed)
        start = time.perf_counter()
        model = ours(clip, **setting).fit(X[train], y[train])
        seconds = time.perf_counter() - start
        errors.append(error_of(model, X[test], y[test]))
        print(f"  seed {seed}   test {errors[-1]:.4f}   {seconds:6.2f} s   sweeps {model.n_iter_}")
    print(f"  ours at {setting}: {np.mean(errors):.4f} +- {np.std(errors, ddof=1):.4f}")
    train, test = split(len(y), 0)
    parts = X[train], y[train], X[test], y[test]
    print_defaults(*parts)
    theirs = rivals(*parts, clip)
    reached = seconds_to(
        {each: error for each, (error, _) in theirs.items()}, *parts, clip, setting
    )
    for each, (error, seconds) in theirs.items():
        print_ratio(f"seconds to the error of {each}", reached.get(each, np.inf), seconds, 1.0)
        print_ratio(f"test error, over that of {each}", errors[0], error, 1.0)
    if bar is not None:
        print_ratio(f"test error, over {bar}", np.mean(errors), bar, 1.0)


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
