"""How the default probes, and a bound on rows and probes, change the weakness of many networks.

python benchmarks/default_probes.py [--data DIR] [--networks 100]
python benchmarks/default_probes.py --regression [--data DIR] [--networks 30]

Networks 64-32-8-10 on 250 rows of the digits (MNIST: 784-64-8-10), or regressors with default
settings on 10,000 rows of California housing, which differ in their seed alone. The yardstick is
the weakness on all rows at 100 unseen ones. Prints for every choice of probes and rows the mean
value and how its ranking of the networks correlates with the yardstick's; the fourth and the fifth
line are what unseen rows themselves reach when they are few.
"""

import argparse
import warnings
from pathlib import Path

import numpy as np
from _small_networks import add_image_argument, images, trained
from scipy.stats import spearmanr
from sklearn.datasets import fetch_california_housing
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from skflat import FlatMLPRegressor
from skflat.measures import weakness

N_UNSEEN = 100


def choices(X, y, unseen, fewer):
    """Name to the arguments of `weakness`: rows, and probes."""
    order = np.random.default_rng(0).permutation(len(X))
    at_unseen = {"X_probe": unseen[:N_UNSEEN]}
    return {
        f"{N_UNSEEN} unseen rows": (X, y, at_unseen),
        "default, 10 probes": (X, y, {}),
        "default, 30 probes": (X, y, {"n_probes": 30}),
        "10 other unseen rows": (X, y, {"X_probe": unseen[-10:]}),
        "30 other unseen rows": (X, y, {"X_probe": unseen[-30:]}),
    } | {f"{n} of the rows": (X[order[:n]], y[order[:n]], at_unseen) for n in fewer}


def housing(folder):
    """California housing, standardised: 10,000 training rows, and the unseen ones."""
    if folder is None:
        X, y = fetch_california_housing(return_X_y=True)
    else:
        with np.load(Path(folder) / "california_housing.npz") as arrays:
            X, y = arrays["X"], arrays["y"]
    order = np.random.default_rng(42).permutation(len(X))
    X, y = StandardScaler().fit_transform(X)[order], (y[order] - y.mean()) / y.std()
    return X[:10_000], y[:10_000], X[10_000:]


def network_maker(args):
    """Training rows, unseen rows, fewer rows to try, and what trains a network from a seed."""
    if args.regression:
        X, y, unseen = housing(args.data)
        reg = FlatMLPRegressor(measures=None)
        return X, y, unseen, (2000, 500), lambda seed: reg.set_params(random_state=seed).fit(X, y)
    (X, y), (unseen, _), sizes = images(args.data)
    return X, y, unseen, (125, 62), lambda seed: trained(X, y, sizes, seed)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add_image_argument(parser)
    parser.add_argument("--regression", action="store_true")
    parser.add_argument("--networks", type=int, default=100)
    args = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    X, y, unseen, fewer, train = network_maker(args)
    values = {}
    with threadpool_limits(1):
        for seed in range(args.networks):
            network = train(seed)
            for name, (rows, targets, given) in choices(X, y, unseen, fewer).items():
                found = weakness(network, rows, targets, **given)
                values.setdefault(name, []).append(found.value)
            print(f"\r{seed + 1} networks", end="", flush=True)
    truth = values[f"{N_UNSEEN} unseen rows"]
    print(f"\n{'':<24} {'mean':>6} {'sd':>6} {'Spearman':>9}")
    for name, each in values.items():
        rank = spearmanr(truth, each).statistic
        print(f"{name:<24} {np.mean(each):6.3f} {np.std(each):6.3f} {rank:9.2f}")


if __name__ == "__main__":
    main()
