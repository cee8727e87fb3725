"""How flat are the solutions that algorithms find, next to typical ones?

    python benchmarks/wide_minima/flatness.py [--n 2001] [--load 0.5] [--seeds 3]

A perceptron with weights in {-1, +1} stores random patterns. For typical solutions, by the replica
method, and for those of every solver: the share of rows with a stability below 0.2, the local
energy (expected share of wrong rows) when 1, 2, 5 and 10 % of the weights are flipped, and the
local entropy at a distance of 2 and 5 %, by belief propagation with a field. Smaller energies and
larger entropies are flatter.
"""

import argparse
import warnings

import numpy as np
from scipy.special import erfcx, log_ndtr, ndtr
from sklearn.exceptions import ConvergenceWarning
from storage import instance
from threadpoolctl import threadpool_limits

from skflat import FlatPerceptronClassifier
from skflat.measures import flip_energy, local_entropy, margins

SOLVERS = (
    "sbpi",
    "replicated_sgd",
    "amp",
    "focusing_amp",
    "focusing_bp",
    "mean_field",
    "max_sum",
)
FLIPS, DISTANCES, NARROW = (0.01, 0.02, 0.05, 0.1), (0.02, 0.05), 0.2

Z = np.linspace(-10, 10, 2001)
WEIGHT = np.exp(-(Z**2) / 2) / np.exp(-(Z**2) / 2).sum()


def overlap(load):
    """Between two typical solutions, by the replica-symmetric saddle point."""
    q = 0.5
    for _ in range(2000):
        x = -np.sqrt(q / (1 - q)) * Z
        mills = np.sqrt(2 / np.pi) / erfcx(x / np.sqrt(2))
        field = load / (1 - q) * (WEIGHT @ mills**2)
        q = 0.5 * q + 0.5 * (WEIGHT @ np.tanh(np.sqrt(field) * Z) ** 2)
    return q


def typical(load):
    """Share of narrow rows, and local energies, of typical solutions."""
    q, stability = overlap(load), (np.arange(6000) + 0.5) * 12 / 6000
    shift = (stability[:, None] - np.sqrt(q) * Z) / np.sqrt(1 - q)
    floor = log_ndtr(np.sqrt(q / (1 - q)) * Z)  # the chance to be satisfied at all
    density = np.exp(-(shift**2) / 2 - floor) @ WEIGHT
    density /= density.sum()
    narrow = density[stability < NARROW].sum()
    energies = [density @ ndtr(-(1 - 2 * d) * stability / np.sqrt(4 * d * (1 - d))) for d in FLIPS]
    return [narrow, *energies]


def solution(name, n, load, seed):
    """The same of a solution that was found, and its local entropies; None where there is none."""
    X, y = instance(n, load, seed)
    clf = FlatPerceptronClassifier(
        solver=name, scale=False, fit_intercept=False, measures=None, random_state=seed
    )
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore", ConvergenceWarning)
        if clf.fit(X, y).n_errors_:
            return None
        stability = margins(clf, X, y, normalization=None).samples
        energy = flip_energy(clf, X, y, distance=FLIPS).table["error"]
        entropy = local_entropy(clf, X, y, distance=DISTANCES, method="bethe").table["entropy"]
    return [np.mean(stability < NARROW), *energy, *entropy]


def show(name, solved, values):
    print(f"{name:<16}{solved:>7}" + "".join(f"{value:>10.4f}" for value in values), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=2001)
    parser.add_argument("--load", type=float, default=0.5)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--solvers", nargs="+", default=SOLVERS)
    args = parser.parse_args()
    heads = ["P(<0.2)", *(f"E({d})" for d in FLIPS), *(f"S({d})" for d in DISTANCES)]
    print(f"{'solution':<16}{'solved':>7}" + "".join(f"{head:>10}" for head in heads))
    show("typical (theory)", "", typical(args.load))
    for name in args.solvers:
        found = [solution(name, args.n, args.load, seed) for seed in range(args.seeds)]
        found = [each for each in found if each is not None]
        if found:
            show(name, f"{len(found)}/{args.seeds}", np.mean(found, axis=0))
        else:
            print(f"{name:<16}{f'0/{args.seeds}':>7}")


if __name__ == "__main__":
    main()
