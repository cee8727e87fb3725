"""Side features and times: FlatMatrixFactorization with them and without, in error and in time.

python benchmarks/side_features.py --data DIR [--sets movielens_1m]

Four questions, each a table of root mean squared errors on entries held out:

* cold starts: a tenth of the users, or of the items, has no ratings in training. Their features are
  who has rated what, without the values. Beside them stands the model without features, which has
  only the offsets of the other kind, and a set of artificial ratings whose truth has features.
* SVD++: the same features for users and items with ratings, on a random tenth of the ratings.
* drifting offsets: with times and without, on a random tenth and on the last tenth.
* the package cmfrec with the same features of items, if it is installed.

Settings are fixed. They were chosen on the ratings that the split of seed 0 holds out, and what is
printed is of the split of seed 1. DIR holds .npz files with the arrays user, item and rating, and
timestamp where there are times.
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import root_mean_squared_error

from skflat import FlatMatrixFactorization

#: Name to the range of ratings, and the setting.
SETS = {
    "movielens_latest_small": ((0.5, 5), {"n_components": 10, "rho": 0.2, "alpha": 5.0}),
    "movietweetings_100k": ((0, 10), {"n_components": 10, "rho": 0.3, "alpha": 5.0}),
    "movielens_1m": ((1, 5), {"n_components": 40, "rho": 0.15, "alpha": 15.0}),
}
#: By default. MovieLens-1M takes some minutes more.
QUICK = ["movielens_latest_small", "movietweetings_100k"]
COLD = 0.1  # share of users or items without ratings
N_FACTORS_OF_RIVAL = 20


def load(folder, name):
    """Codes of users and items from 0 on, ratings, and times or None."""
    (path,) = Path(folder).rglob(f"{name}.npz")
    with np.load(path, allow_pickle=False) as arrays:
        pairs = [np.unique(arrays[kind], return_inverse=True)[1] for kind in ("user", "item")]
        times = arrays["timestamp"].astype(np.int64) if "timestamp" in arrays else None
        return np.column_stack(pairs), arrays["rating"].astype(np.float32), times


def artificial(seed=0, n_users=800, n_items=600, n_features=20, n_ratings=40_000):
    """Ratings of films whose factors and offsets are linear in features, up to noise."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n_items, n_features))
    items = features @ rng.normal(size=(n_features, 6)) / np.sqrt(n_features)
    items += 0.5 * rng.normal(size=items.shape)
    users = rng.normal(size=(n_users, 5)) / np.sqrt(5)
    X = rng.integers((n_users, n_items), size=(n_ratings, 2))
    y = items[X[:, 1], 5] + (users[X[:, 0]] * items[X[:, 1], :5]).sum(axis=1)
    return X, (y + 0.5 * rng.normal(size=n_ratings)).astype(np.float32), features


def seen(X, sizes):
    """Who has rated what, as rows of norm 1."""
    matrix = sparse.csr_array((np.ones(len(X), np.float32), tuple(X.T)), shape=sizes)
    counts = np.asarray(matrix.sum(axis=1)).ravel().clip(min=1)
    return sparse.csr_array(sparse.diags_array((1 / np.sqrt(counts)).astype(np.float32)) @ matrix)


def features_of(X):
    """The tables of both kinds, as parameters."""
    sizes = X.max(axis=0) + 1
    return {
        "user_features": (np.arange(sizes[0]), seen(X, tuple(sizes))),
        "item_features": (np.arange(sizes[1]), seen(X[:, ::-1], tuple(sizes[::-1]))),
    }


def report(label, X, y, train, test, clip=None, **params):
    """Fit, and print the error on the test entries."""
    model = FlatMatrixFactorization(clip=clip, measures=None, random_state=0, **params)
    start = time.perf_counter()
    model.fit(X[train], y[train])
    seconds = time.perf_counter() - start
    error = root_mean_squared_error(y[test], model.predict(X[test]))
    print(f"  {label:<44} {error:.4f}   {seconds:6.1f} s   sweeps {model.n_iter_}", flush=True)


def random_tenth(n, seed=1):
    order = np.random.default_rng(seed).permutation(n)
    return order[n // 10 :], order[: n // 10]


def last_tenth(times):
    order = np.argsort(times, kind="stable")
    return order[: -len(order) // 10], order[-len(order) // 10 :]


def cold(X, kind, seed=1):
    """A mask of the ratings of a tenth of the entities of one kind."""
    n = X[:, kind].max() + 1
    return (np.random.default_rng(seed).random(n) < COLD)[X[:, kind]]


# ------------------------------------------------------------------------------------ tables


def print_artificial():
    X, y, features = artificial()
    table = (np.arange(len(features)), features)
    held_out = cold(X, 1)
    for what, (train, test) in {
        "cold items": (~held_out, held_out),
        "random tenth": random_tenth(len(y)),
    }.items():
        report(f"artificial, {what}", X, y, train, test)
        report(f"artificial, {what}, item_features", X, y, train, test, item_features=table)
        print_rival(f"artificial, {what}", X, y, train, test, features)


def print_cold(X, y, clip, setting):
    for kind, name in enumerate(("user_features", "item_features")):
        held_out = cold(X, kind)
        what = f"cold {name[:4]}s"
        parts = X, y, ~held_out, held_out, clip
        report(what, *parts, **setting)
        report(f"{what}, {name}", *parts, **setting, **{name: features_of(X)[name]})


def print_warm(X, y, clip, setting):
    train, test = random_tenth(len(y))
    known = features_of(X[train])
    for names in ([], ["user_features"], ["item_features"], list(known)):
        chosen = {name: known[name] for name in names}
        label = ", ".join(["random tenth", *names])
        report(label, X, y, train, test, clip, **setting, **chosen)


def print_drift(X, y, times, clip, setting):
    timed = np.column_stack([X, times])
    for what, (train, test) in {
        "random tenth": random_tenth(len(y)),
        "last tenth": last_tenth(times),
    }.items():
        report(what, X, y, train, test, clip, **setting)
        report(f"{what}, timestamps", timed, y, train, test, clip, timestamps=2, **setting)


def print_rival(what, X, y, train, test, features):
    """cmfrec's CMF with the same features of items."""
    try:
        import pandas as pd
        from cmfrec import CMF
    except ImportError as missing:
        print(f"  {what + ', cmfrec':<44} missing: {missing}")
        return
    frame = pd.DataFrame({"UserId": X[train, 0], "ItemId": X[train, 1], "Rating": y[train]})
    table = pd.DataFrame(features).rename_axis("ItemId").reset_index()
    start = time.perf_counter()
    model = CMF(k=N_FACTORS_OF_RIVAL, random_state=1, nthreads=1, verbose=False)
    model.fit(frame, I=table)
    seconds = time.perf_counter() - start
    error = root_mean_squared_error(y[test], model.predict(X[test, 0], X[test, 1]))
    print(f"  {what + ', cmfrec':<44} {error:.4f}   {seconds:6.1f} s", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", metavar="DIR", required=True)
    parser.add_argument("--sets", nargs="+", choices=list(SETS), default=QUICK)
    args = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    print("artificial ratings")
    print_artificial()
    for name in args.sets:
        clip, setting = SETS[name]
        X, y, times = load(args.data, name)
        print(f"{name}: {len(y):,} ratings")
        print_cold(X, y, clip, setting)
        print_warm(X, y, clip, setting)
        if times is not None:
            print_drift(X, y, times, clip, setting)


if __name__ == "__main__":
    main()
