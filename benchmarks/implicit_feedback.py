"""Implicit feedback: FlatMatrixFactorization beside implicit's ALS, in NDCG@10 and in time.

python benchmarks/implicit_feedback.py --data DIR [--sets movielens_1m] [--splits 5] [--race]

High ratings count as positive. Some random ones of every user are held out, and the rest is for
training. On the training part of the first split, of which as many are held out again, each method
tries the same number of settings. All have 64 components, three confidences and four strengths of
one ridge: ``rho`` (weighted by confidence), ``alpha`` (the same for all), or implicit's
``regularization``, which is ``alpha``. The best setting of each is fitted to the training part of
every split and judged on what was held out. All run on one thread, for at most 15 sweeps with three
steps of conjugate gradients. Seconds are of the process, so other programs do not count.

With --race there is only the time: on the training part of the first split the two take turns at
equal settings, on one thread, with conjugate gradients and with exact solutions.

DIR holds .npz files with the arrays user, item and rating.
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
from _timing import print_ratio
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from skflat import FlatMatrixFactorization
from skflat.model_selection import LeaveKOut, ranking_report
from skflat.solvers import ALS

#: Name to the smallest positive rating, and the number of entries held out of every user.
SETS = {"movielens_1m": (4, 5), "movietweetings_100k": (8, 1)}
COMPONENTS, SWEEPS = 64, 15
CONFIDENCES = [1.0, 4.0, 16.0]
RHOS = [0.02, 0.05, 0.1, 0.2]
ALPHAS = [1.0, 10.0, 100.0, 1000.0]


def load(folder, name):
    """Pairs of user and item with positive ratings."""
    (path,) = Path(folder).rglob(f"{name}.npz")
    with np.load(path, allow_pickle=False) as arrays:
        positive = arrays["rating"] >= SETS[name][0]
        return np.column_stack([arrays[key].astype(int)[positive] for key in ("user", "item")])


def ours(X, confidence, inner="cg", **params):
    model = FlatMatrixFactorization(
        COMPONENTS,
        feedback="implicit",
        solver=ALS(inner),
        confidence=confidence,
        max_iter=SWEEPS,
        keep_seen=True,
        measures=None,
        random_state=0,
        **params,
    )
    return model.fit(X, np.ones(len(X), np.float32))


class Implicit:
    """implicit's ALS with the interface that the measures need."""

    def __init__(self, X, confidence, regularization, inner="cg"):
        from implicit.als import AlternatingLeastSquares

        (self.users, u), (self.items, i) = (np.unique(each, return_inverse=True) for each in X.T)
        self.matrix = sparse.csr_matrix((np.ones(len(u), np.float32), (u, i)))
        # Its weight of a positive pair is ``alpha`` itself.
        self.model = AlternatingLeastSquares(
            COMPONENTS,
            regularization=regularization,
            alpha=1 + confidence,
            iterations=SWEEPS,
            num_threads=1,
            use_cg=inner == "cg",
            random_state=0,
        )
        self.model.fit(self.matrix, show_progress=False)

    def recommend(self, users, n):
        rows = np.searchsorted(self.users, users)
        ids, scores = self.model.recommend(rows, self.matrix[rows], N=n)
        return self.items[ids], scores, None


#: Name to a function of the training pairs, the confidence and the ridge, and the ridges to try.
METHODS = {
    "ours, rho": (lambda X, c, rho: ours(X, c, rho=rho, alpha=0.1), RHOS),
    "ours, alpha": (lambda X, c, alpha: ours(X, c, rho=0.0, alpha=alpha), ALPHAS),
    "implicit": (Implicit, ALPHAS),
}


def timed(fit, *args):
    start = time.process_time()
    model = fit(*args)
    return model, time.process_time() - start


def best_setting(fit, ridges, X, k):
    """The setting with the best NDCG@10 on entries held out of the training part."""
    train, held_out = next(LeaveKOut(k, random_state=1000).split(X))
    found = {}
    for confidence in CONFIDENCES:
        for ridge in ridges:
            report = ranking_report(fit(X[train], confidence, ridge), X[held_out])
            found[confidence, ridge] = report["ndcg"]
    best = max(found, key=found.get)
    print(f"    confidence {best[0]:g}, ridge {best[1]:g}: validation NDCG {found[best]:.4f}")
    return best


def run(folder, name, n_splits):
    X, k = load(folder, name), SETS[name][1]
    print(f"{name}: {len(X):,} positive pairs, {k} held out of every user")
    splits = list(LeaveKOut(k, n_splits=n_splits, random_state=0).split(X))
    results = {}
    for method, (fit, ridges) in METHODS.items():
        try:
            print(f"  {method}")
            setting = best_setting(fit, ridges, X[splits[0][0]], k)
        except ImportError as missing:
            print(f"    missing: {missing}")
            continue
        reports, seconds = [], []
        for train, test in splits:
            model, spent = timed(fit, X[train], *setting)
            reports.append(ranking_report(model, X[test]))
            seconds.append(spent)
        means = {key: np.mean([report[key] for report in reports]) for key in reports[0]}
        told = "   ".join(f"{key} {value:.4f}" for key, value in means.items())
        ndcg = np.array([report["ndcg"] for report in reports])
        print(f"    {told}   {np.mean(seconds):.2f} s", flush=True)
        results[method] = ndcg, np.mean(seconds)
    compare(results)


def compare(results):
    ndcg, seconds = results["ours, rho"]
    for other in results.keys() - {"ours, rho"}:
        gain = ndcg - results[other][0]
        error = gain.std(ddof=1) / np.sqrt(len(gain)) if len(gain) > 1 else np.nan
        print(f"  NDCG with rho minus that of {other}: {gain.mean():+.4f} +- {error:.4f}")
    if "implicit" in results:
        theirs, their_seconds = results["implicit"]
        print_ratio("NDCG@10 of implicit, over that with rho", theirs.mean(), ndcg.mean(), 1.0)
        told = "seconds with rho, over those of implicit, one thread each"
        print_ratio(told, seconds, their_seconds, 1.0)


def race(folder, name, n_turns):
    """Print the ratio of the least seconds of both, each with the same work."""
    X, k = load(folder, name), SETS[name][1]
    X = X[next(LeaveKOut(k, random_state=0).split(X))[0]]
    print(f"{name}: {len(X):,} positive pairs, {SWEEPS} sweeps, one thread")
    for inner in ("cg", "cholesky"):
        rivals = {
            "ours": lambda inner=inner: ours(X, 4.0, inner, rho=0.1, alpha=0.1, tol=0.0),
            "implicit": lambda inner=inner: Implicit(X, 4.0, 1.0, inner),
        }
        seconds = {each: [] for each in rivals}
        for _ in range(n_turns):
            for each, fit in rivals.items():
                seconds[each].append(timed(fit)[1])
        first, second = (min(each) for each in seconds.values())
        print(f"  {inner:<10} ours {first:.2f} s   implicit {second:.2f} s")
        print_ratio(f"seconds with {inner}, over those of implicit", first, second, 1.0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", metavar="DIR", required=True)
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=list(SETS))
    parser.add_argument("--splits", type=int, default=5)
    parser.add_argument("--race", action="store_true", help="only the time at equal settings")
    args = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    for name in args.sets:
        with threadpool_limits(1):
            if args.race:
                race(args.data, name, n_turns=3)
            else:
                run(args.data, name, args.splits)


if __name__ == "__main__":
    main()
