"""What the flattest point of the orbit costs, what it buys and what it costs afterwards.

python benchmarks/flatten.py [--data DIR] [--part time rescaled noise every]

1. time: ``flatten`` of a network 784-256-256-10 on 10,000 rows of MNIST takes less than two epochs
   of adam in batches of 200, as a ratio within one run; the gradient in log s ends below 1e-10.
2. rescaled: a trained network 784-64-64-10, ours and scikit-learn's, its first layer multiplied by
   20 and every hidden unit by a factor between 0.1 and 10: the same trace to 1e-8 and the same
   parameters to 1e-6 come back, predictions stay, and ``orbit_trace`` never moves.
3. noise: the error under noise on all parameters, and with every weight matrix rounded to 3 bits,
   at the point where training ended, at the flattest point, and with balanced norms.
4. every: adam with a move to the flattest point every few epochs: where does training go?
"""

import argparse
import warnings

import numpy as np
import pandas as pd
from _images import images
from _timing import best_times, print_ratio
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from skflat import FlatMLPClassifier
from skflat.measures import hessian_trace, orbit_trace
from skflat.problems import as_problem, moved
from skflat.symmetry import flatten, rescale

SEED, N_DRAWS, BITS = 0, 20, 3
PLAIN = {"solver": "adam", "measures": None, "random_state": SEED}


def trace(network, X, y):
    return hessian_trace(network, X, y).value


def error(network, X, y):
    return 1 - network.score(X, y)


# ---------------------------------------------------------------------------------- time


def time(X, y, X_test, y_test):
    """The ratio to two epochs, and how exact the end is."""
    X, y = X[:10_000].astype(float), y[:10_000]
    network = FlatMLPClassifier((256, 256), max_iter=2, batch_size=200, **PLAIN).fit(X, y)
    times = best_times(
        {
            "flatten": lambda: flatten(network, X, y),
            "adam": lambda: FlatMLPClassifier((256, 256), max_iter=2, batch_size=200, **PLAIN).fit(
                X, y
            ),
        },
        repeats=3,
    )
    print(f"flatten {times['flatten']:.2f} s, two epochs of adam {times['adam']:.2f} s")
    print_ratio("flatten over two epochs of adam", times["flatten"], times["adam"], 1.0)
    found = flatten(network, X, y).flattening_
    print(f"  imbalance of a unit at most {found['imbalance']:.1e} (bar 1e-10): {found}")


# ------------------------------------------------------------------------------ rescaled


def jumbled(network):
    """The first layer times 20, and every hidden unit by a factor between 0.1 and 10."""
    rng = np.random.default_rng(SEED)
    factors = [10 ** rng.uniform(-1, 1, size=len(b)) for b in network.intercepts_[:-1]]
    factors[0] *= 20
    return rescale(network, factors)


def rescaled(X, y, X_test, y_test):
    """How exactly a rescaling is undone."""
    X, y = X[:5000].astype(float), y[:5000]
    settings = {"max_iter": 10, "random_state": SEED}
    for network in (
        FlatMLPClassifier((64, 64), **PLAIN | settings),
        MLPClassifier((64, 64), **settings),
    ):
        network.fit(X, y)
        other = jumbled(network)
        ends = [flatten(each, X, y) for each in (network, other)]
        traces = [trace(each, X, y) for each in (network, other, *ends)]
        orbit = [orbit_trace(each, X, y).value for each in (network, other)]
        arrays = [each.coefs_ + each.intercepts_ for each in ends]
        gaps = [np.linalg.norm(a - b) / np.linalg.norm(a) for a, b in zip(*arrays, strict=True)]
        before, after = (each.predict_proba(X_test) for each in (network, ends[0]))
        print(
            f"{type(network).__name__}: trace {traces[0]:.6g}, rescaled {traces[1]:.6g}, flattened "
            f"{traces[2]:.10g} and {traces[3]:.10g}\n"
            f"  relative gap of the traces {abs(traces[3] / traces[2] - 1):.1e} (bar 1e-8), of the "
            f"parameters {max(gaps):.1e} (bar 1e-6),\n"
            f"  of orbit_trace {abs(orbit[1] / orbit[0] - 1):.1e} (bar 1e-8), of probabilities "
            f"{np.max(np.abs(after / before - 1)):.1e} (bar 1e-12)"
        )


# --------------------------------------------------------------------------------- noise


def noisy(network, deviation, rng):
    """A copy with normal noise on all parameters."""
    return moved(network, lambda _, w: w + deviation * rng.standard_normal(len(w)).astype(w.dtype))


def quantised(network):
    """A copy with every weight matrix rounded to ``2^BITS`` equally spaced values."""

    def change(model, w):
        weights, _ = model.split(w)
        for W in weights:
            unit = (W.max() - W.min()) / (2**BITS - 1)
            W[:] = W.min() + unit * np.round((W - W.min()) / unit)
        return w

    return moved(network, change)


def noise(X, y, X_test, y_test):
    """Test errors, clean, under noise of one size for all points, and after rounding."""
    X, y = X[:10_000], y[:10_000]
    network = FlatMLPClassifier((64, 64), max_iter=30, **PLAIN).fit(X, y)
    points = {
        "as trained": network,
        "least trace": flatten(network, X, y),
        "balanced norms": flatten(network, X, y, criterion="norm"),
    }
    rows = {}
    for name, point in points.items():
        rows[name] = {"trace": trace(point, X, y), "error": error(point, X_test, y_test)}
        for deviation in (0.02, 0.05, 0.1):
            rng = np.random.default_rng(SEED)
            draws = [error(noisy(point, deviation, rng), X_test, y_test) for _ in range(N_DRAWS)]
            rows[name][f"rise, noise {deviation}"] = np.mean(draws) - rows[name]["error"]
        rows[name][f"error, {BITS} bits"] = error(quantised(point), X_test, y_test)
    print(pd.DataFrame(rows).T.round(4).to_string())


# --------------------------------------------------------------------------------- every


def every(X, y, X_test, y_test):
    """Where training goes when it is moved to the flattest point every few epochs."""
    X, y = X[:5000], y[:5000]
    rows = {}
    for solver in ("adam", "sgd", "sam"):
        for k in (None, 10, 3, 1):
            found = [_trained(solver, k, seed, X, y, X_test, y_test) for seed in range(3)]
            rows[solver, "never" if k is None else k] = pd.DataFrame(found).mean()
    print("means of three seeds after 30 epochs\n" + pd.DataFrame(rows).T.round(4).to_string())


def _trained(solver, k, seed, X, y, X_test, y_test):
    rate = 0.05 if solver == "sgd" else 0.001
    settings = PLAIN | {"solver": solver, "random_state": seed, "learning_rate_init": rate}
    network = FlatMLPClassifier((64, 64), max_iter=30, flatten_every=k, **settings).fit(X, y)
    problem = as_problem(network, X, y)
    return {
        "loss": problem.loss,
        "test error": error(network, X_test, y_test),
        "trace": trace(network, X, y),
        "orbit trace": orbit_trace(network, X, y).value,
        "norm": np.linalg.norm(problem.w),
    }


PARTS = {"time": time, "rescaled": rescaled, "noise": noise, "every": every}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", metavar="DIR", help="folder with mnist.npz; else from OpenML")
    parser.add_argument("--part", nargs="+", default=list(PARTS), choices=list(PARTS))
    args = parser.parse_args()
    warnings.filterwarnings("ignore", category=ConvergenceWarning)
    data = images("mnist", args.data)
    for name in args.part:
        print(f"\n{name}", flush=True)
        PARTS[name](*data)


if __name__ == "__main__":
    main()
